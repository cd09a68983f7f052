// SPDX-License-Identifier: Apache-2.0
//
// The centre's small certificate authority: P-256, SHA-256, X.509 v3 (RFC 5280). One of the few
// places that use Mbed TLS.
//
//   authority  self-signed, 10 years, CA:TRUE pathlen 0, keyCertSign | cRLSign
//   server     serverAuth, names and addresses as SubjectAltName, 2 years
//   booth      CN = booth id, clientAuth, days as configured; nothing of a request but its subject
//              and its key gets into the certificate
//
// Serial numbers are 128 random bits (one of them fixed, so that they are positive and
// full-length).
//
// Thread: any; an eg_ca is used by one at a time. eg_crypto_init must have run.

#ifndef EG_CENTRAL_CA_H
#define EG_CENTRAL_CA_H

#include "net/central/ledger.h"

#define EG_CERT_DER_MAX 2048 // bytes
#define EG_CSR_DER_MAX	4096
#define EG_NAMES_MAX	16 // in a server certificate

// A new P-256 key as PEM text, appended to `pem` (a secret buffer).
int eg_ca_key(struct eg_buf *pem, struct eg_err *err) EG_CHECKED;

// The authority's own certificate for a key (PEM), appended to `pem`.
int eg_ca_self_sign(struct eg_bytes key_pem, int64_t now_ms, struct eg_buf *pem,
		    struct eg_err *err) EG_CHECKED;

// The authority at work: its key and certificate.
struct eg_ca;
// EG_EINVAL: not PEM, not P-256, or they do not belong together.
int eg_ca_new(struct eg_bytes key_pem, struct eg_bytes cert_pem, struct eg_ca **ret_ca,
	      struct eg_err *err) EG_CHECKED;
void eg_ca_free(struct eg_ca *ca); // takes NULL; wipes
// DER, lent.
struct eg_bytes eg_ca_certificate(const struct eg_ca *ca);

// A server certificate for `key_pem` with the given host names and IP addresses (v4 or v6; what
// reads as an address is one). PEM appended to `pem`. EG_EINVAL: a name that is no host name.
int eg_ca_sign_server(struct eg_ca *ca, struct eg_bytes key_pem, const char *const *names,
		      size_t name_count, int64_t now_ms, struct eg_buf *pem,
		      struct eg_err *err) EG_CHECKED;

// Reads a PKCS #10 request (DER): signed by its own key with ECDSA and SHA-256, P-256, subject
// exactly CN=`booth`. EG_EINVAL malformed, EG_EUNSUPPORTED another kind of key or signature,
// EG_EAUTH signature wrong or another subject.
int eg_ca_read_request(struct eg_bytes der, const char *booth, uint8_t ret_pub[EG_P256_PUB_SIZE],
		       struct eg_err *err) EG_CHECKED;

// Certifies a booth's key from an hour ago until `days` from now, but not longer than the
// authority. DER appended to `der`; *ret_certificate says what is in it.
int eg_ca_sign_booth(struct eg_ca *ca, const char *booth, const uint8_t pub[EG_P256_PUB_SIZE],
		     int days, int64_t now_ms, struct eg_buf *der,
		     struct eg_certificate *ret_certificate, struct eg_err *err) EG_CHECKED;

#endif
