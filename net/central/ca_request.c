// SPDX-License-Identifier: Apache-2.0
//
// Reading a certificate request (PKCS #10, RFC 2986): foreign bytes. Mbed TLS parses; what is read
// here is refused unless it is exactly what a booth sends. See ca.h.

#include <mbedtls/oid.h>
#include <mbedtls/pk.h>
#include <mbedtls/x509_csr.h>
#include <string.h>

#include "net/central/ca.h"

// The subject is one common name and nothing else.
static bool is_named(const mbedtls_x509_csr *csr, const char *booth)
{
	const mbedtls_x509_name *name = &csr->subject;
	size_t length = strlen(booth);
	return name->next == NULL && MBEDTLS_OID_CMP(MBEDTLS_OID_AT_CN, &name->oid) == 0 &&
	       name->val.len == length && memcmp(name->val.p, booth, length) == 0;
}

static bool is_p256(const mbedtls_x509_csr *csr)
{
	return mbedtls_pk_get_type(&csr->pk) == MBEDTLS_PK_ECKEY &&
	       mbedtls_ecp_keypair_get_group_id(mbedtls_pk_ec(csr->pk)) ==
		       MBEDTLS_ECP_DP_SECP256R1 &&
	       csr->MBEDTLS_PRIVATE(sig_md) == MBEDTLS_MD_SHA256 &&
	       csr->MBEDTLS_PRIVATE(sig_pk) == MBEDTLS_PK_ECDSA;
}

// Whoever sends the request holds the private key.
static bool is_self_signed(mbedtls_x509_csr *csr)
{
	uint8_t digest[EG_SHA256_SIZE];
	return eg_sha256(EG_BYTES(csr->cri.p, csr->cri.len), digest) == 0 &&
	       mbedtls_pk_verify(&csr->pk, MBEDTLS_MD_SHA256, digest, sizeof(digest),
				 csr->MBEDTLS_PRIVATE(sig).p, csr->MBEDTLS_PRIVATE(sig).len) == 0;
}

static int get_public(const mbedtls_x509_csr *csr, uint8_t ret_pub[EG_P256_PUB_SIZE])
{
	uint8_t pub[EG_P256_PUB_SIZE];
	size_t size = 0;
	mbedtls_ecp_keypair *pair = mbedtls_pk_ec(csr->pk);
	if (mbedtls_ecp_write_public_key(pair, MBEDTLS_ECP_PF_UNCOMPRESSED, &size, pub,
					 sizeof(pub)) != 0 ||
	    size != sizeof(pub))
		return EG_EFOREIGN;
	memcpy(ret_pub, pub, sizeof(pub));
	return 0;
}

int eg_ca_read_request(struct eg_bytes der, const char *booth, uint8_t ret_pub[EG_P256_PUB_SIZE],
		       struct eg_err *err)
{
	mbedtls_x509_csr csr;
	int r = 0;
	if (der.size == 0 || der.size > EG_CSR_DER_MAX)
		return eg_err_set(err, EG_EINVAL, "certificate request: empty or over %d bytes",
				  EG_CSR_DER_MAX);
	mbedtls_x509_csr_init(&csr);
	if (mbedtls_x509_csr_parse_der(&csr, der.data, der.size) != 0 || csr.raw.len != der.size)
		r = eg_err_set(err, EG_EINVAL, "certificate request: not PKCS #10 in DER");
	else if (!is_p256(&csr))
		r = eg_err_set(err, EG_EUNSUPPORTED,
			       "certificate request: only P-256 keys with ECDSA and SHA-256");
	else if (!is_self_signed(&csr))
		r = eg_err_set(err, EG_EAUTH,
			       "certificate request: not signed by the key that it names");
	else if (!is_named(&csr, booth))
		r = eg_err_set(err, EG_EAUTH,
			       "certificate request: its subject must be CN=%s and nothing else",
			       booth);
	else if (get_public(&csr, ret_pub) != 0)
		r = eg_err_set(err, EG_EFOREIGN, "certificate request: the key cannot be read");
	mbedtls_x509_csr_free(&csr);
	return r;
}
