// SPDX-License-Identifier: Apache-2.0
//
// See identity.h.

#include "net/identity.h"

#include <mbedtls/oid.h>
#include <mbedtls/pem.h>
#include <mbedtls/x509_crt.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "firmware/base/mem.h"

void eg_identity_done(struct eg_identity *identity)
{
	if (!identity)
		return;
	eg_tls_key_unref(identity->key);
	eg_buf_done(&identity->pem);
	*identity = (struct eg_identity){0};
}

// Mbed TLS wants PEM with a NUL behind it, and says 0 only when every part was understood.
static int with_nul(struct eg_bytes pem, struct eg_buf *ret_text)
{
	int r;

	eg_buf_init_secret(ret_text, EG_IDENTITY_MAX + 1);
	if (pem.size > EG_IDENTITY_MAX)
		return EG_ETOOBIG;
	r = eg_buf_put(ret_text, pem.data, pem.size);
	return r != 0 ? r : eg_buf_put_u8(ret_text, 0);
}

static int64_t to_ms(const mbedtls_x509_time *t)
{
	struct tm tm = {
		.tm_year = t->year - 1900,
		.tm_mon = t->mon - 1,
		.tm_mday = t->day,
		.tm_hour = t->hour,
		.tm_min = t->min,
		.tm_sec = t->sec,
	};

	return (int64_t)timegm(&tm) * 1000;
}

// Exactly one common name, and it is ours.
static bool named(const mbedtls_x509_crt *crt, const char *booth)
{
	size_t found = 0, length = strlen(booth);
	bool ours = false;

	for (const mbedtls_x509_name *name = &crt->subject; name; name = name->next) {
		if (MBEDTLS_OID_CMP(MBEDTLS_OID_AT_CN, &name->oid) != 0)
			continue;
		found++;
		ours = name->val.len == length && memcmp(name->val.p, booth, length) == 0;
	}
	return found == 1 && ours;
}

static bool certifies(const mbedtls_x509_crt *crt, const struct eg_tls_key *key)
{
	return eg_bytes_equal(EG_BYTES(crt->pk_raw.p, crt->pk_raw.len), eg_tls_key_public(key));
}

// Judges `chain`, whose first certificate is the one for our key.
static int check_chain(mbedtls_x509_crt *chain, const char *booth, const char *ca_pem,
		       struct eg_err *err)
{
	// A booth's clock may be wrong: times are the policy's business, not an error here.
	const uint32_t times = MBEDTLS_X509_BADCERT_EXPIRED | MBEDTLS_X509_BADCERT_FUTURE;
	mbedtls_x509_crt ca;
	uint32_t flags = 0;
	int r;

	if (!named(chain, booth))
		return eg_err_set(
			err, EG_EAUTH,
			"certificate: not made out to booth '%s'; provision the booth again",
			booth);
	mbedtls_x509_crt_init(&ca);
	if (mbedtls_x509_crt_parse(&ca, (const unsigned char *)ca_pem, strlen(ca_pem) + 1) != 0) {
		r = eg_err_set(err, EG_EINVAL, "trust.json: 'ca' is not a certificate in PEM");
	} else {
		r = mbedtls_x509_crt_verify(chain, &ca, NULL, NULL, &flags, NULL, NULL);
		if (r == 0 || (r == MBEDTLS_ERR_X509_CERT_VERIFY_FAILED && (flags & ~times) == 0))
			r = 0;
		else
			r = eg_err_set(err, EG_EAUTH,
				       "certificate: not by the authority in trust.json; provision "
				       "the booth again");
	}
	mbedtls_x509_crt_free(&ca);
	return r;
}

static int put_pem(struct eg_buf *pem, const mbedtls_x509_crt *crt)
{
	const size_t room = crt->raw.len / 3 * 4 + 256;
	unsigned char *space;
	size_t written, start = pem->size;
	int r = eg_buf_extend(pem, room + crt->raw.len / 48, &space);

	if (r != 0)
		return r;
	if (mbedtls_pem_write_buffer("-----BEGIN CERTIFICATE-----\n", "-----END CERTIFICATE-----\n",
				     crt->raw.p, crt->raw.len, space, room + crt->raw.len / 48,
				     &written) != 0)
		return EG_EFOREIGN;
	pem->size = start + written - 1; // without the NUL
	return 0;
}

// Key, then the chain: the content of tls.pem.
static int write_identity(struct eg_tls_key *key, const mbedtls_x509_crt *chain,
			  struct eg_identity *ret_identity, struct eg_err *err)
{
	const struct eg_bytes key_pem = eg_tls_key_pem(key);
	struct eg_identity identity = {.from_ms = to_ms(&chain->valid_from),
				       .end_ms = to_ms(&chain->valid_to)};
	int r;

	eg_buf_init_secret(&identity.pem, EG_IDENTITY_MAX);
	r = eg_buf_put(&identity.pem, key_pem.data, key_pem.size);
	for (const mbedtls_x509_crt *crt = chain; r == 0 && crt; crt = crt->next)
		r = put_pem(&identity.pem, crt);
	if (r != 0) {
		eg_identity_done(&identity);
		return eg_err_set(err, r, "certificate: the chain is too long");
	}
	identity.key = eg_tls_key_ref(key);
	*ret_identity = identity;
	return 0;
}

// Certificates of `certs` that parse as one, ours first.
static int order_chain(const struct eg_bytes *certs, size_t count, const struct eg_tls_key *key,
		       mbedtls_x509_crt *chain, struct eg_err *err)
{
	size_t ours = count;

	for (size_t i = 0; i < count; i++) {
		mbedtls_x509_crt one;

		mbedtls_x509_crt_init(&one);
		if (mbedtls_x509_crt_parse_der(&one, certs[i].data, certs[i].size) != 0) {
			mbedtls_x509_crt_free(&one);
			return eg_err_set(err, EG_EINVAL,
					  "certificate %zu of the answer: cannot be read", i + 1);
		}
		if (ours == count && certifies(&one, key))
			ours = i;
		mbedtls_x509_crt_free(&one);
	}
	if (ours == count)
		return eg_err_set(err, EG_EAUTH,
				  "certificate: none of the %zu received is for this booth's key",
				  count);
	if (mbedtls_x509_crt_parse_der(chain, certs[ours].data, certs[ours].size) != 0)
		return eg_err_set(err, EG_ENOMEM, "out of memory for a certificate");
	for (size_t i = 0; i < count; i++)
		if (i != ours &&
		    mbedtls_x509_crt_parse_der(chain, certs[i].data, certs[i].size) != 0)
			return eg_err_set(err, EG_ENOMEM, "out of memory for a certificate");
	return 0;
}

int eg_identity_build(struct eg_tls_key *key, const struct eg_bytes *certs, size_t cert_count,
		      const char *booth, const char *ca_pem, struct eg_identity *ret_identity,
		      struct eg_err *err)
{
	mbedtls_x509_crt chain;
	int r;

	if (cert_count == 0)
		return eg_err_set(err, EG_EINVAL, "certificate: the answer holds none");
	mbedtls_x509_crt_init(&chain);
	r = order_chain(certs, cert_count, key, &chain, err);
	if (r == 0)
		r = check_chain(&chain, booth, ca_pem, err);
	if (r == 0)
		r = write_identity(key, &chain, ret_identity, err);
	mbedtls_x509_crt_free(&chain);
	return r;
}

int eg_identity_parse(struct eg_vault *vault, struct eg_bytes pem, const char *booth,
		      const char *ca_pem, struct eg_identity *ret_identity, struct eg_err *err)
{
	struct eg_tls_key *key = NULL;
	mbedtls_x509_crt chain;
	struct eg_buf text;
	int r;

	mbedtls_x509_crt_init(&chain);
	r = with_nul(pem, &text);
	if (r != 0) {
		eg_err_set(err, r, "TLS identity: too large");
		goto out;
	}
	r = eg_tls_key_open(vault, pem, &key, err);
	if (r != 0)
		goto out;
	if (mbedtls_x509_crt_parse(&chain, text.data, text.size) != 0) {
		r = eg_err_set(err, EG_EINVAL,
			       "TLS identity: holds no readable certificate; "
			       "provision the booth again");
		goto out;
	}
	if (!certifies(&chain, key)) {
		r = eg_err_set(err, EG_EAUTH,
			       "TLS identity: certificate and key do not belong "
			       "together; provision the booth again");
		goto out;
	}
	r = check_chain(&chain, booth, ca_pem, err);
	if (r == 0)
		r = write_identity(key, &chain, ret_identity, err);
out:
	eg_tls_key_unref(key);
	eg_buf_done(&text);
	mbedtls_x509_crt_free(&chain);
	return r;
}
