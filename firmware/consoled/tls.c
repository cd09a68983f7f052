// SPDX-License-Identifier: Apache-2.0
//
// See tls.h.

#include "firmware/consoled/tls.h"

#include <arpa/inet.h>
#include <gnutls/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "firmware/base/file.h"
#include "firmware/base/log.h"

#define PEM_MAX 65536
#define DAY_S	86400
#define LIFE_S	(825 * DAY_S) // browsers refuse more
#define RENEW_S (30 * DAY_S)

static int failed(struct eg_err *err, int result, const char *what)
{
	return eg_err_set(err, EG_EFOREIGN, "%s: %s", what, gnutls_strerror(result));
}

static int path_of(const struct config *config, const char *name, char path[CONFIG_PATH_MAX],
		   struct eg_err *err)
{
	if (snprintf(path, CONFIG_PATH_MAX, "%s/%s", config->state, name) < CONFIG_PATH_MAX)
		return 0;
	return eg_err_set(err, EG_ETOOBIG, "[files] state: the path is too long");
}

static gnutls_datum_t datum(struct eg_bytes bytes)
{
	return (gnutls_datum_t){(unsigned char *)bytes.data, (unsigned int)bytes.size};
}

// ---- our own certificate ------------------------------------------------------------------------

static int add_names(gnutls_x509_crt_t cert, const char *booth, const char *address)
{
	const unsigned char loopback[4] = {127, 0, 0, 1};
	struct in6_addr six;
	struct in_addr four;
	int r = gnutls_x509_crt_set_dn_by_oid(cert, GNUTLS_OID_X520_COMMON_NAME, 0, booth,
					      (unsigned int)strlen(booth));

	if (r >= 0)
		r = gnutls_x509_crt_set_subject_alt_name(cert, GNUTLS_SAN_DNSNAME, "localhost", 9,
							 GNUTLS_FSAN_SET);
	if (r >= 0)
		r = gnutls_x509_crt_set_subject_alt_name(cert, GNUTLS_SAN_DNSNAME, booth,
							 (unsigned int)strlen(booth),
							 GNUTLS_FSAN_APPEND);
	if (r >= 0)
		r = gnutls_x509_crt_set_subject_alt_name(cert, GNUTLS_SAN_IPADDRESS, loopback, 4,
							 GNUTLS_FSAN_APPEND);
	if (r >= 0 && inet_pton(AF_INET, address, &four) == 1 && four.s_addr != 0)
		r = gnutls_x509_crt_set_subject_alt_name(cert, GNUTLS_SAN_IPADDRESS, &four, 4,
							 GNUTLS_FSAN_APPEND);
	if (r >= 0 && inet_pton(AF_INET6, address, &six) == 1 && !IN6_IS_ADDR_UNSPECIFIED(&six))
		r = gnutls_x509_crt_set_subject_alt_name(cert, GNUTLS_SAN_IPADDRESS, &six, 16,
							 GNUTLS_FSAN_APPEND);
	return r;
}

static int fill(gnutls_x509_crt_t cert, gnutls_x509_privkey_t key, const char *booth,
		const char *address, time_t now)
{
	uint8_t serial[16];
	int r = eg_random(serial, sizeof(serial)) == 0 ? 0 : GNUTLS_E_RANDOM_FAILED;

	serial[0] = (uint8_t)((serial[0] & 0x7f) | 1); // positive, and not 0
	if (r >= 0)
		r = gnutls_x509_crt_set_version(cert, 3);
	if (r >= 0)
		r = gnutls_x509_crt_set_serial(cert, serial, sizeof(serial));
	if (r >= 0)
		r = add_names(cert, booth, address);
	if (r >= 0)
		r = gnutls_x509_crt_set_activation_time(cert, now - DAY_S); // clocks differ
	if (r >= 0)
		r = gnutls_x509_crt_set_expiration_time(cert, now - DAY_S + LIFE_S);
	if (r >= 0)
		r = gnutls_x509_crt_set_basic_constraints(cert, 0, -1);
	if (r >= 0)
		r = gnutls_x509_crt_set_key_usage(cert, GNUTLS_KEY_DIGITAL_SIGNATURE);
	if (r >= 0)
		r = gnutls_x509_crt_set_key_purpose_oid(cert, GNUTLS_KP_TLS_WWW_SERVER, 0);
	if (r >= 0)
		r = gnutls_x509_crt_set_key(cert, key);
	return r < 0 ? r : gnutls_x509_crt_sign2(cert, cert, key, GNUTLS_DIG_SHA256, 0);
}

static int make_certificate(struct tls *tls, const char *booth, const char *address, time_t now,
			    struct eg_err *err)
{
	gnutls_datum_t key_pem = datum(eg_buf_bytes(&tls->key)), pem = {NULL, 0};
	gnutls_x509_privkey_t key = NULL;
	gnutls_x509_crt_t cert = NULL;
	int r = gnutls_x509_privkey_init(&key);

	if (r >= 0)
		r = gnutls_x509_privkey_import(key, &key_pem, GNUTLS_X509_FMT_PEM);
	if (r >= 0)
		r = gnutls_x509_crt_init(&cert);
	if (r >= 0)
		r = fill(cert, key, booth, address, now);
	if (r >= 0)
		r = gnutls_x509_crt_export2(cert, GNUTLS_X509_FMT_PEM, &pem);
	if (r >= 0) {
		eg_buf_reset(&tls->cert);
		r = eg_buf_put(&tls->cert, pem.data, pem.size) == 0 ? 0 : GNUTLS_E_MEMORY_ERROR;
	}
	gnutls_free(pem.data);
	gnutls_x509_crt_deinit(cert);
	gnutls_x509_privkey_deinit(key);
	return r < 0 ? failed(err, r, "the certificate of the officer's page") : 0;
}

// The certificate's digest goes into tls->fingerprint.
static int read_certificate(struct tls *tls, const char *path, time_t *ret_end, struct eg_err *err)
{
	gnutls_datum_t pem = datum(eg_buf_bytes(&tls->cert));
	uint8_t digest[EG_SHA256_SIZE];
	gnutls_x509_crt_t cert = NULL;
	size_t size = sizeof(digest);
	int r = gnutls_x509_crt_init(&cert);

	if (r >= 0)
		r = gnutls_x509_crt_import(cert, &pem, GNUTLS_X509_FMT_PEM);
	if (r >= 0)
		r = gnutls_x509_crt_get_fingerprint(cert, GNUTLS_DIG_SHA256, digest, &size);
	if (r >= 0) {
		*ret_end = gnutls_x509_crt_get_expiration_time(cert);
		for (size_t i = 0; i < sizeof(digest); i++) {
			char pair[4];

			(void)snprintf(pair, sizeof(pair), "%02X:", digest[i]);
			memcpy(tls->fingerprint + 3 * i, pair, 3);
		}
		tls->fingerprint[3 * sizeof(digest) - 1] = '\0';
	}
	gnutls_x509_crt_deinit(cert);
	return r < 0 ? failed(err, r, path) : 0;
}

static int load_own(struct tls *tls, const struct config *config, const char *booth,
		    int64_t wall_ms, struct eg_err *err)
{
	char key_path[CONFIG_PATH_MAX], cert_path[CONFIG_PATH_MAX];
	const time_t now = (time_t)(wall_ms / EG_MS_PER_S);
	struct eg_key *key = NULL;
	bool made = false;
	time_t end = 0;
	int r = path_of(config, "tls.key", key_path, err);

	if (r == 0)
		r = path_of(config, "tls.crt", cert_path, err);
	if (r == 0)
		r = eg_key_load_or_make(key_path, &key, &made, err);
	eg_key_free(key);
	if (r == 0)
		r = eg_file_read_private(key_path, &tls->key, err);
	if (r != 0)
		return r;
	r = made ? EG_ENOENT : eg_file_read(cert_path, &tls->cert, err);
	if (r == 0)
		r = read_certificate(tls, cert_path, &end, err);
	if (r == 0 && end >= now + RENEW_S)
		return 0;
	if (r != 0 && r != EG_ENOENT)
		eg_warning("%s; it is made anew", err->text);
	r = make_certificate(tls, booth, config->officer_address, now, err);
	if (r == 0)
		r = eg_file_write(cert_path, eg_buf_bytes(&tls->cert), 0644, err);
	if (r == 0)
		r = read_certificate(tls, cert_path, &end, err);
	if (r == 0)
		eg_notice("the officer's page has a new certificate of its own");
	return r;
}

int tls_load(struct tls *tls, const struct config *config, const char *booth, int64_t wall_ms,
	     struct eg_err *err)
{
	time_t end;
	int r;

	eg_buf_init_secret(&tls->key, PEM_MAX);
	eg_buf_init(&tls->cert, PEM_MAX);
	tls->own = config->tls_cert[0] == '\0';
	if (tls->own)
		return load_own(tls, config, booth, wall_ms, err);
	r = eg_file_read_private(config->tls_key, &tls->key, err);
	if (r == 0)
		r = eg_file_read(config->tls_cert, &tls->cert, err);
	if (r == 0)
		r = read_certificate(tls, config->tls_cert, &end, err);
	if (r == 0 && end < (time_t)(wall_ms / EG_MS_PER_S))
		eg_warning("%s has expired: browsers will refuse it", config->tls_cert);
	return r;
}

void tls_done(struct tls *tls)
{
	eg_buf_done(&tls->key);
	eg_buf_done(&tls->cert);
}

bool tls_peer(gnutls_session_t session, uint8_t ret_digest[EG_SHA256_SIZE])
{
	unsigned int count = 0;
	const gnutls_datum_t *chain =
		session != NULL ? gnutls_certificate_get_peers(session, &count) : NULL;
	gnutls_x509_crt_t cert = NULL;
	time_t now = time(NULL);
	bool valid = false;

	if (chain == NULL || count == 0)
		return false;
	if (gnutls_x509_crt_init(&cert) >= 0 &&
	    gnutls_x509_crt_import(cert, &chain[0], GNUTLS_X509_FMT_DER) >= 0)
		valid = gnutls_x509_crt_get_activation_time(cert) <= now &&
			gnutls_x509_crt_get_expiration_time(cert) >= now;
	gnutls_x509_crt_deinit(cert);
	return valid && eg_sha256(EG_BYTES(chain[0].data, chain[0].size), ret_digest) == 0;
}
