// SPDX-License-Identifier: Apache-2.0
//
// EST (RFC 7030, clarified by RFC 8951): the authority's certificate, first enrolment by one-time
// token, renewal with a new key by the certificate in use.

#include "net/est.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "firmware/base/log.h"
#include "firmware/base/mem.h"
#include "net/central/centrald/request.h"
#include "net/central/pkcs7.h"

#define MESSAGE_MAX (16u << 10)

static enum MHD_Result reply_certificate(struct request *request, struct eg_bytes cert,
					 const char *type)
{
	struct eg_buf der, text;
	struct MHD_Response *response = NULL;
	eg_buf_init(&der, MESSAGE_MAX);
	eg_buf_init(&text, 2 * MESSAGE_MAX);
	int r = eg_pkcs7_put(&cert, 1, &der);
	if (r == 0)
		r = eg_est_base64(eg_buf_bytes(&der), &text);
	if (r == 0)
		response = MHD_create_response_from_buffer_copy(text.size, text.data);
	if (response != NULL) {
		(void)MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, type);
		(void)MHD_add_response_header(response, "Content-Transfer-Encoding", "base64");
	}
	eg_buf_done(&der);
	eg_buf_done(&text);
	return reply_with(request, MHD_HTTP_OK, response);
}

enum MHD_Result est_cacerts(struct request *request)
{
	return reply_certificate(request, eg_ca_certificate(request->server->ca),
				 "application/pkcs7-mime");
}

static enum MHD_Result reply_issued(struct request *request, const char *booth, struct eg_bytes der)
{
	eg_info("booth '%s': certificate issued", booth);
	return reply_certificate(request, der, "application/pkcs7-mime; smime-type=certs-only");
}

// The request in the body, and a certificate for its key.
static int certify(struct request *request, const char *booth, uint8_t pub[EG_P256_PUB_SIZE],
		   struct eg_buf *der, struct eg_certificate *certificate, struct eg_err *err)
{
	struct server *server = request->server;
	return eg_ca_sign_booth(server->ca, booth, pub, (int)server->config->certificate_days,
				eg_wall_ms(server->clock), der, certificate, err);
}

static int read_request(struct request *request, const char *booth, uint8_t pub[EG_P256_PUB_SIZE],
			struct eg_err *err)
{
	struct eg_buf csr;
	eg_buf_init(&csr, EG_CSR_DER_MAX);
	int r = eg_est_unbase64(eg_buf_bytes(&request->body), &csr);
	if (r != 0)
		r = eg_err_set(err, EG_EINVAL, "certificate request: not base64, or too large");
	else
		r = eg_ca_read_request(eg_buf_bytes(&csr), booth, pub, err);
	eg_buf_done(&csr);
	return r;
}

static enum MHD_Result reply_refused(struct request *request, int r, struct eg_err *err)
{
	if (r == EG_EAUTH)
		return reply_problem(request, MHD_HTTP_FORBIDDEN, err->text);
	return reply_failure(request, err);
}

// Who is held to account for a bad token: the booth that was named, and the address it came from
// (of IPv6 the network, which is what one subscriber has).
struct accused {
	char booth[EG_ATTEMPTS_NAME], address[EG_ATTEMPTS_NAME];
};

static void accuse(const struct request *request, const char *booth, struct accused *accused)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(request->connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
	char text[INET6_ADDRSTRLEN] = "unknown";

	if (info != NULL && info->client_addr->sa_family == AF_INET) {
		const struct sockaddr_in *four = (const void *)info->client_addr;
		(void)inet_ntop(AF_INET, &four->sin_addr, text, sizeof(text));
	} else if (info != NULL && info->client_addr->sa_family == AF_INET6) {
		struct sockaddr_in6 six =
			*(const struct sockaddr_in6 *)(const void *)info->client_addr;
		if (!IN6_IS_ADDR_V4MAPPED(&six.sin6_addr))
			memset(&six.sin6_addr.s6_addr[8], 0, 8);
		(void)inet_ntop(AF_INET6, &six.sin6_addr, text, sizeof(text));
	}
	(void)snprintf(accused->booth, sizeof(accused->booth), "booth %s", booth);
	(void)snprintf(accused->address, sizeof(accused->address), "address %s", text);
}

static bool must_wait(struct request *request, const char *booth)
{
	struct server *server = request->server;
	const int64_t now_ms = eg_boot_ms(server->clock);
	struct accused accused;

	accuse(request, booth, &accused);
	return eg_attempts_wait_ms(&server->attempts, accused.booth, now_ms) > 0 ||
	       eg_attempts_wait_ms(&server->attempts, accused.address, now_ms) > 0;
}

static enum MHD_Result reply_bad_token(struct request *request, const char *booth,
				       const struct eg_err *err)
{
	struct server *server = request->server;
	const int64_t now_ms = eg_boot_ms(server->clock);
	struct accused accused;

	accuse(request, booth, &accused);
	eg_attempts_failed(&server->attempts, accused.booth, now_ms);
	eg_attempts_failed(&server->attempts, accused.address, now_ms);
	eg_notice("enrolment refused: %s", err->text);
	return reply_problem(request, MHD_HTTP_UNAUTHORIZED, err->text);
}

static enum MHD_Result enrol(struct request *request, const char *booth,
			     const uint8_t hash[EG_SHA256_SIZE])
{
	struct server *server = request->server;
	struct eg_certificate certificate;
	uint8_t pub[EG_P256_PUB_SIZE];
	struct eg_err err = EG_ERR_INIT;
	enum MHD_Result result;
	struct eg_buf der;
	int64_t now_ms = eg_wall_ms(server->clock);
	eg_buf_init(&der, EG_CERT_DER_MAX);
	int r = eg_ledger_check_token(server->ledger, booth, hash, NULL, now_ms, &der, &err);
	if (r == EG_EAUTH) {
		result = reply_bad_token(request, booth, &err);
		goto out;
	}
	if (r == 0)
		r = read_request(request, booth, pub, &err);
	if (r == 0) {
		r = eg_ledger_check_token(server->ledger, booth, hash, pub, now_ms, &der, &err);
		if (r == EG_EAUTH) {
			result = reply_bad_token(request, booth, &err);
			goto out;
		}
	}
	if (r == 0)
		r = certify(request, booth, pub, &der, &certificate, &err);
	if (r == 0)
		r = eg_ledger_enrol(server->ledger, hash, &certificate, eg_buf_bytes(&der), now_ms,
				    &err);
	else if (r == EG_ECONFLICT)
		r = 0; // the answer was lost: the same certificate again
	result = r == 0 ? reply_issued(request, booth, eg_buf_bytes(&der))
			: reply_refused(request, r, &err);
out:
	eg_buf_done(&der);
	return result;
}

enum MHD_Result est_enroll(struct request *request)
{
	struct MHD_BasicAuthInfo *auth = MHD_basic_auth_get_username_password3(request->connection);
	uint8_t hash[EG_SHA256_SIZE];
	enum MHD_Result result;
	if (auth == NULL || auth->password == NULL || !eg_name_is_valid(auth->username) ||
	    strlen(auth->username) != auth->username_len ||
	    eg_sha256(EG_BYTES(auth->password, auth->password_len), hash) != 0)
		result = reply_problem(request, MHD_HTTP_UNAUTHORIZED,
				       "Enrolment needs the booth's name and its one-time token.");
	else if (must_wait(request, auth->username))
		result = reply_problem(request, MHD_HTTP_TOO_MANY_REQUESTS,
				       "Too many bad tokens came for this booth or from this "
				       "address: wait, then try again.");
	else
		result = enrol(request, auth->username, hash);
	if (auth != NULL && auth->password != NULL)
		eg_wipe(auth->password, auth->password_len);
	MHD_free(auth);
	return result;
}

enum MHD_Result est_reenroll(struct request *request)
{
	struct server *server = request->server;
	const char *booth = request->peer.booth;
	struct eg_certificate certificate;
	uint8_t pub[EG_P256_PUB_SIZE];
	struct eg_err err = EG_ERR_INIT;
	struct eg_buf der, known;
	enum MHD_Result result;
	eg_buf_init(&der, EG_CERT_DER_MAX);
	eg_buf_init(&known, EG_CERT_DER_MAX);
	int r = read_request(request, booth, pub, &err);
	if (r == 0 && memcmp(pub, request->peer.pub, sizeof(pub)) == 0)
		r = eg_err_set(&err, EG_EAUTH,
			       "A renewal needs a new key: this is the one in use.");
	if (r == 0)
		r = certify(request, booth, pub, &der, &certificate, &err);
	if (r == 0)
		r = eg_ledger_renew(server->ledger, &certificate, eg_buf_bytes(&der),
				    eg_wall_ms(server->clock), &known, &err);
	if (r == EG_ECONFLICT)
		result = reply_issued(request, booth, eg_buf_bytes(&known));
	else
		result = r == 0 ? reply_issued(request, booth, eg_buf_bytes(&der))
				: reply_refused(request, r, &err);
	eg_buf_done(&der);
	eg_buf_done(&known);
	return result;
}
