// SPDX-License-Identifier: Apache-2.0
//
// See ca.h. Writing is here, reading requests in ca_request.c.

#include "net/central/ca.h"

#include <arpa/inet.h>
#include <mbedtls/asn1write.h>
#include <mbedtls/oid.h>
#include <mbedtls/pk.h>
#include <mbedtls/psa_util.h>
#include <mbedtls/x509_crt.h>
#include <psa/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "firmware/base/mem.h"

#define KEY_PEM_MAX    512
#define PEM_MAX	       16384
#define HOUR_MS	       (3600 * 1000LL)
#define DAY_MS	       (24 * HOUR_MS)
#define AUTHORITY_DAYS 3652
#define SERVER_DAYS    730
#define AUTHORITY_NAME "CN=Egress centre"

struct eg_ca {
	mbedtls_pk_context key;
	mbedtls_x509_crt cert;
	char name[256]; // its subject, for issuer fields
	int64_t end_ms;
};

static int failed(struct eg_err *err, const char *what, int code)
{
	return eg_err_set(err, code == MBEDTLS_ERR_X509_ALLOC_FAILED ? EG_ENOMEM : EG_EFOREIGN,
			  "%s (-0x%04x)", what, (unsigned int)-code);
}

int eg_ca_key(struct eg_buf *pem, struct eg_err *err)
{
	psa_key_attributes_t attributes = PSA_KEY_ATTRIBUTES_INIT;
	psa_key_id_t id = PSA_KEY_ID_NULL;
	unsigned char text[KEY_PEM_MAX] = {0};
	mbedtls_pk_context pk;
	int r;
	mbedtls_pk_init(&pk);
	psa_set_key_type(&attributes, PSA_KEY_TYPE_ECC_KEY_PAIR(PSA_ECC_FAMILY_SECP_R1));
	psa_set_key_bits(&attributes, 256);
	psa_set_key_usage_flags(&attributes, PSA_KEY_USAGE_EXPORT | PSA_KEY_USAGE_SIGN_HASH);
	psa_set_key_algorithm(&attributes, PSA_ALG_ECDSA(PSA_ALG_ANY_HASH));
	if (psa_generate_key(&attributes, &id) != PSA_SUCCESS ||
	    mbedtls_pk_copy_from_psa(id, &pk) != 0 ||
	    mbedtls_pk_write_key_pem(&pk, text, sizeof(text)) != 0) {
		r = eg_err_set(err, EG_EFOREIGN, "cannot generate a key");
	} else {
		r = eg_buf_put(pem, text, strlen((char *)text));
		if (r != 0)
			(void)eg_err_set(err, r, "no room for a new key");
	}
	eg_wipe(text, sizeof(text));
	mbedtls_pk_free(&pk);
	(void)psa_destroy_key(id);
	return r;
}

// Mbed TLS wants PEM with a NUL behind it.
static int with_nul(struct eg_bytes pem, struct eg_buf *ret_text)
{
	eg_buf_init_secret(ret_text, PEM_MAX + 1);
	int r = eg_buf_put(ret_text, pem.data, pem.size);
	return r != 0 ? r : eg_buf_put_u8(ret_text, 0);
}

static int load_key(struct eg_bytes pem, mbedtls_pk_context *pk, struct eg_err *err)
{
	struct eg_buf text;
	int r = with_nul(pem, &text);
	if (r != 0)
		(void)eg_err_set(err, r, "key: too large");
	else if (mbedtls_pk_parse_key(pk, text.data, text.size, NULL, 0, mbedtls_psa_get_random,
				      MBEDTLS_PSA_RANDOM_STATE) != 0 ||
		 mbedtls_pk_get_type(pk) != MBEDTLS_PK_ECKEY ||
		 mbedtls_ecp_keypair_get_group_id(mbedtls_pk_ec(*pk)) != MBEDTLS_ECP_DP_SECP256R1)
		r = eg_err_set(err, EG_EINVAL, "key: not a P-256 key in PEM");
	eg_buf_done(&text);
	return r;
}

static int set_validity(mbedtls_x509write_cert *crt, int64_t from_ms, int64_t end_ms)
{
	char from[20], end[20];
	time_t from_s = (time_t)(from_ms / 1000), end_s = (time_t)(end_ms / 1000);
	struct tm tm;
	if (gmtime_r(&from_s, &tm) == NULL ||
	    strftime(from, sizeof(from), "%Y%m%d%H%M%S", &tm) == 0)
		return MBEDTLS_ERR_X509_INVALID_DATE;
	if (gmtime_r(&end_s, &tm) == NULL || strftime(end, sizeof(end), "%Y%m%d%H%M%S", &tm) == 0)
		return MBEDTLS_ERR_X509_INVALID_DATE;
	return mbedtls_x509write_crt_set_validity(crt, from, end);
}

static int new_serial(uint8_t ret_serial[EG_SERIAL_SIZE])
{
	if (eg_random(ret_serial, EG_SERIAL_SIZE) != 0)
		return MBEDTLS_ERR_X509_FATAL_ERROR;
	ret_serial[0] = (uint8_t)((ret_serial[0] & 0x7f) | 0x40);
	return 0;
}

// What all three kinds have in common.
struct shape {
	const char *subject, *issuer;
	mbedtls_pk_context *subject_key, *issuer_key;
	int64_t from_ms, end_ms;
	bool authority;
	unsigned int usage;
	const char *purpose; // OID, NULL: none
	size_t purpose_size;
};

static int set_purpose(mbedtls_x509write_cert *crt, const struct shape *shape)
{
	mbedtls_asn1_sequence purpose = {.buf = {.tag = MBEDTLS_ASN1_OID}};
	if (shape->purpose == NULL)
		return 0;
	purpose.buf.p = (unsigned char *)(uintptr_t)shape->purpose;
	purpose.buf.len = shape->purpose_size;
	return mbedtls_x509write_crt_set_ext_key_usage(crt, &purpose);
}

static int begin(mbedtls_x509write_cert *crt, const struct shape *shape,
		 uint8_t serial[EG_SERIAL_SIZE])
{
	int n = new_serial(serial);
	mbedtls_x509write_crt_set_version(crt, MBEDTLS_X509_CRT_VERSION_3);
	mbedtls_x509write_crt_set_md_alg(crt, MBEDTLS_MD_SHA256);
	mbedtls_x509write_crt_set_subject_key(crt, shape->subject_key);
	mbedtls_x509write_crt_set_issuer_key(crt, shape->issuer_key);
	if (n == 0)
		n = mbedtls_x509write_crt_set_serial_raw(crt, serial, EG_SERIAL_SIZE);
	if (n == 0)
		n = mbedtls_x509write_crt_set_subject_name(crt, shape->subject);
	if (n == 0)
		n = mbedtls_x509write_crt_set_issuer_name(crt, shape->issuer);
	if (n == 0)
		n = set_validity(crt, shape->from_ms, shape->end_ms);
	if (n == 0)
		n = mbedtls_x509write_crt_set_basic_constraints(crt, shape->authority,
								shape->authority ? 0 : -1);
	if (n == 0)
		n = mbedtls_x509write_crt_set_key_usage(crt, shape->usage);
	if (n == 0)
		n = set_purpose(crt, shape);
	if (n == 0)
		n = mbedtls_x509write_crt_set_subject_key_identifier(crt);
	if (n == 0)
		n = mbedtls_x509write_crt_set_authority_key_identifier(crt);
	return n;
}

static int put_pem(mbedtls_x509write_cert *crt, struct eg_buf *pem, struct eg_err *err)
{
	unsigned char text[EG_CERT_DER_MAX * 2] = {0};
	int n = mbedtls_x509write_crt_pem(crt, text, sizeof(text), mbedtls_psa_get_random,
					  MBEDTLS_PSA_RANDOM_STATE);
	if (n != 0)
		return failed(err, "cannot write the certificate", n);
	int r = eg_buf_put(pem, text, strlen((char *)text));
	return r == 0 ? 0 : eg_err_set(err, r, "no room for the certificate");
}

int eg_ca_self_sign(struct eg_bytes key_pem, int64_t now_ms, struct eg_buf *pem, struct eg_err *err)
{
	uint8_t serial[EG_SERIAL_SIZE];
	mbedtls_x509write_cert crt;
	mbedtls_pk_context pk;
	mbedtls_x509write_crt_init(&crt);
	mbedtls_pk_init(&pk);
	int r = load_key(key_pem, &pk, err);
	if (r == 0) {
		const struct shape shape = {
			.subject = AUTHORITY_NAME,
			.issuer = AUTHORITY_NAME,
			.subject_key = &pk,
			.issuer_key = &pk,
			.from_ms = now_ms - HOUR_MS,
			.end_ms = now_ms + AUTHORITY_DAYS * DAY_MS,
			.authority = true,
			.usage = MBEDTLS_X509_KU_KEY_CERT_SIGN | MBEDTLS_X509_KU_CRL_SIGN,
		};
		int n = begin(&crt, &shape, serial);
		r = n == 0 ? put_pem(&crt, pem, err)
			   : failed(err, "cannot make the authority's certificate", n);
	}
	mbedtls_x509write_crt_free(&crt);
	mbedtls_pk_free(&pk);
	return r;
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

static int load_certificate(struct eg_ca *ca, struct eg_bytes cert_pem, struct eg_err *err)
{
	struct eg_buf text;
	int r = with_nul(cert_pem, &text);
	if (r != 0)
		(void)eg_err_set(err, r, "certificate: too large");
	else if (mbedtls_x509_crt_parse(&ca->cert, text.data, text.size) != 0)
		r = eg_err_set(err, EG_EINVAL, "certificate: not one in PEM");
	else if (mbedtls_pk_check_pair(&ca->cert.pk, &ca->key, mbedtls_psa_get_random,
				       MBEDTLS_PSA_RANDOM_STATE) != 0)
		r = eg_err_set(err, EG_EINVAL, "key and certificate do not belong together");
	else if (mbedtls_x509_dn_gets(ca->name, sizeof(ca->name), &ca->cert.subject) <= 0)
		r = eg_err_set(err, EG_EINVAL, "certificate: its subject cannot be read");
	eg_buf_done(&text);
	if (r == 0)
		ca->end_ms = to_ms(&ca->cert.valid_to);
	return r;
}

int eg_ca_new(struct eg_bytes key_pem, struct eg_bytes cert_pem, struct eg_ca **ret_ca,
	      struct eg_err *err)
{
	struct eg_ca *ca = eg_calloc(1, sizeof(*ca));
	if (ca == NULL)
		return eg_err_set(err, EG_ENOMEM, "out of memory");
	mbedtls_pk_init(&ca->key);
	mbedtls_x509_crt_init(&ca->cert);
	int r = load_key(key_pem, &ca->key, err);
	if (r == 0)
		r = load_certificate(ca, cert_pem, err);
	if (r != 0) {
		eg_ca_free(ca);
		return r;
	}
	*ret_ca = ca;
	return 0;
}

void eg_ca_free(struct eg_ca *ca)
{
	if (ca == NULL)
		return;
	mbedtls_pk_free(&ca->key);
	mbedtls_x509_crt_free(&ca->cert);
	free(ca);
}

struct eg_bytes eg_ca_certificate(const struct eg_ca *ca)
{
	return EG_BYTES(ca->cert.raw.p, ca->cert.raw.len);
}

static bool is_host_name(const char *name)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789.-";
	size_t n = strlen(name);
	return n > 0 && n <= 253 && strspn(name, allowed) == n && name[0] != '.' && name[0] != '-';
}

static int set_names(mbedtls_x509write_cert *crt, const char *const *names, size_t count,
		     struct eg_err *err)
{
	mbedtls_x509_san_list list[EG_NAMES_MAX] = {0};
	uint8_t address[EG_NAMES_MAX][16];
	if (count == 0 || count > EG_NAMES_MAX)
		return eg_err_set(err, EG_EINVAL, "server names: 1 to %d are possible",
				  EG_NAMES_MAX);
	for (size_t i = 0; i < count; i++) {
		mbedtls_x509_buf *name = &list[i].node.san.unstructured_name;
		list[i].node.type = MBEDTLS_X509_SAN_IP_ADDRESS;
		list[i].next = i + 1 < count ? &list[i + 1] : NULL;
		name->p = address[i];
		if (inet_pton(AF_INET, names[i], address[i]) == 1) {
			name->len = 4;
		} else if (inet_pton(AF_INET6, names[i], address[i]) == 1) {
			name->len = 16;
		} else if (is_host_name(names[i])) {
			list[i].node.type = MBEDTLS_X509_SAN_DNS_NAME;
			name->p = (unsigned char *)(uintptr_t)names[i];
			name->len = strlen(names[i]);
		} else {
			return eg_err_set(err, EG_EINVAL,
					  "server name '%s': neither a host name nor an address",
					  names[i]);
		}
	}
	int n = mbedtls_x509write_crt_set_subject_alternative_name(crt, list);
	return n == 0 ? 0 : failed(err, "cannot name the server in its certificate", n);
}

int eg_ca_sign_server(struct eg_ca *ca, struct eg_bytes key_pem, const char *const *names,
		      size_t name_count, int64_t now_ms, struct eg_buf *pem, struct eg_err *err)
{
	int64_t end_ms = now_ms + SERVER_DAYS * DAY_MS;
	uint8_t serial[EG_SERIAL_SIZE];
	mbedtls_x509write_cert crt;
	mbedtls_pk_context pk;
	mbedtls_x509write_crt_init(&crt);
	mbedtls_pk_init(&pk);
	int r = load_key(key_pem, &pk, err);
	if (r == 0) {
		const struct shape shape = {
			.subject = "CN=Egress centre server",
			.issuer = ca->name,
			.subject_key = &pk,
			.issuer_key = &ca->key,
			.from_ms = now_ms - HOUR_MS,
			.end_ms = end_ms < ca->end_ms ? end_ms : ca->end_ms,
			.usage = MBEDTLS_X509_KU_DIGITAL_SIGNATURE,
			.purpose = MBEDTLS_OID_SERVER_AUTH,
			.purpose_size = MBEDTLS_OID_SIZE(MBEDTLS_OID_SERVER_AUTH),
		};
		int n = begin(&crt, &shape, serial);
		r = n == 0 ? set_names(&crt, names, name_count, err)
			   : failed(err, "cannot make the server's certificate", n);
	}
	if (r == 0)
		r = put_pem(&crt, pem, err);
	mbedtls_x509write_crt_free(&crt);
	mbedtls_pk_free(&pk);
	return r;
}

// A public key as Mbed TLS wants it: SubjectPublicKeyInfo (RFC 5480) in front of the point.
static int load_public(const uint8_t pub[EG_P256_PUB_SIZE], mbedtls_pk_context *pk)
{
	static const uint8_t head[] = {
		0x30, 0x59, 0x30, 0x13,					    // SEQUENCE, SEQUENCE
		0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01,	    // id-ecPublicKey
		0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, // prime256v1
		0x03, 0x42, 0x00,					    // BIT STRING
	};
	uint8_t der[sizeof(head) + EG_P256_PUB_SIZE];
	memcpy(der, head, sizeof(head));
	memcpy(der + sizeof(head), pub, EG_P256_PUB_SIZE);
	return mbedtls_pk_parse_public_key(pk, der, sizeof(der));
}

static int put_der(mbedtls_x509write_cert *crt, struct eg_buf *der, uint8_t digest[EG_SHA256_SIZE],
		   struct eg_err *err)
{
	unsigned char out[EG_CERT_DER_MAX];
	int n = mbedtls_x509write_crt_der(crt, out, sizeof(out), mbedtls_psa_get_random,
					  MBEDTLS_PSA_RANDOM_STATE);
	if (n <= 0)
		return failed(err, "cannot write the certificate", n);
	struct eg_bytes bytes = EG_BYTES(out + sizeof(out) - n, (size_t)n); // written at the end
	int r = eg_sha256(bytes, digest);
	if (r == 0)
		r = eg_buf_put(der, bytes.data, bytes.size);
	return r == 0 ? 0 : eg_err_set(err, r, "no room for the certificate");
}

int eg_ca_sign_booth(struct eg_ca *ca, const char *booth, const uint8_t pub[EG_P256_PUB_SIZE],
		     int days, int64_t now_ms, struct eg_buf *der,
		     struct eg_certificate *ret_certificate, struct eg_err *err)
{
	struct eg_certificate made = {0};
	char subject[EG_NAME_MAX + 4];
	mbedtls_x509write_cert crt;
	mbedtls_pk_context pk;
	int64_t end_ms = now_ms + days * DAY_MS;
	int r;
	if (end_ms > ca->end_ms)
		end_ms = ca->end_ms;
	// Whole seconds, as the certificate has them.
	made.from_ms = (now_ms - HOUR_MS) / 1000 * 1000;
	made.end_ms = end_ms / 1000 * 1000;
	memcpy(made.pub, pub, EG_P256_PUB_SIZE);
	(void)snprintf(made.booth, sizeof(made.booth), "%s", booth);
	(void)snprintf(subject, sizeof(subject), "CN=%s", made.booth);
	if (made.end_ms <= now_ms)
		return eg_err_set(err, EG_ESTALE, "the authority's own certificate has ended");
	mbedtls_x509write_crt_init(&crt);
	mbedtls_pk_init(&pk);
	int n = load_public(pub, &pk);
	if (n == 0) {
		const struct shape shape = {
			.subject = subject,
			.issuer = ca->name,
			.subject_key = &pk,
			.issuer_key = &ca->key,
			.from_ms = made.from_ms,
			.end_ms = made.end_ms,
			.usage = MBEDTLS_X509_KU_DIGITAL_SIGNATURE,
			.purpose = MBEDTLS_OID_CLIENT_AUTH,
			.purpose_size = MBEDTLS_OID_SIZE(MBEDTLS_OID_CLIENT_AUTH),
		};
		n = begin(&crt, &shape, made.serial);
	}
	r = n == 0 ? put_der(&crt, der, made.digest, err)
		   : failed(err, "cannot make the booth's certificate", n);
	mbedtls_x509write_crt_free(&crt);
	mbedtls_pk_free(&pk);
	if (r == 0)
		*ret_certificate = made;
	return r;
}
