// SPDX-License-Identifier: Apache-2.0
//
// Who is on the other side: the client certificate of the TLS session. GnuTLS asked for one but
// did not judge it; every request judges anew, so that what was revoked or expired a second ago is
// refused also on a connection that is open.

#include <gnutls/gnutls.h>
#include <gnutls/x509.h>

#include "net/central/centrald/request.h"

static gnutls_session_t session_of(struct MHD_Connection *connection)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(connection, MHD_CONNECTION_INFO_GNUTLS_SESSION);
	return info != NULL ? (gnutls_session_t)info->tls_session : NULL;
}

// Chain to our authority, validity now, usable by a client.
static bool is_trusted(gnutls_session_t session, struct eg_err *err)
{
	char purpose[] = GNUTLS_KP_TLS_WWW_CLIENT;
	gnutls_typed_vdata_st data = {.type = GNUTLS_DT_KEY_PURPOSE_OID,
				      .data = (unsigned char *)purpose};
	unsigned int status = 0;
	const char *why = "it is not by this centre's authority, or not for a booth";
	if (gnutls_certificate_verify_peers(session, &data, 1, &status) == 0 && status == 0)
		return true;
	if ((status & GNUTLS_CERT_EXPIRED) != 0)
		why = "it has expired";
	else if ((status & GNUTLS_CERT_NOT_ACTIVATED) != 0)
		why = "it is not valid yet";
	(void)eg_err_set(err, EG_EAUTH, "The client certificate is refused: %s.", why);
	return false;
}

unsigned int peer_check(struct MHD_Connection *connection, struct eg_ledger *ledger,
			struct eg_certificate *ret_peer, struct eg_err *err)
{
	gnutls_session_t session = session_of(connection);
	unsigned int count = 0;
	const gnutls_datum_t *certs =
		session != NULL ? gnutls_certificate_get_peers(session, &count) : NULL;
	uint8_t digest[EG_SHA256_SIZE];
	if (certs == NULL || count == 0) {
		(void)eg_err_set(err, EG_EAUTH,
				 "This needs a client certificate: enrol the booth first.");
		return MHD_HTTP_UNAUTHORIZED;
	}
	if (!is_trusted(session, err))
		return MHD_HTTP_UNAUTHORIZED;
	int r = eg_sha256(EG_BYTES(certs[0].data, certs[0].size), digest);
	if (r == 0)
		r = eg_ledger_find_certificate(ledger, digest, ret_peer, err);
	if (r == EG_ENOENT || (r == 0 && ret_peer->revoked)) {
		(void)eg_err_set(
			err, EG_EAUTH,
			"The booth of this certificate is unknown or revoked: provision it "
			"again with a new token.");
		return MHD_HTTP_FORBIDDEN;
	}
	return r == 0 ? 0 : MHD_HTTP_SERVICE_UNAVAILABLE;
}
