// SPDX-License-Identifier: Apache-2.0
//
// The booth's TLS identity: a P-256 key, the request to have it certified, and the check of the
// certificate that comes back. Beside firmware/base/crypto.c the only user of Mbed TLS in net/.
//
// Format of an identity (file tls.pem): PEM text, first the private key (SEC 1), then the
// certificate, then the certificates between it and the authority. One file, so that key and
// certificate can never be two halves of different pairs after a power cut.
//
// Thread: any; an object belongs to its caller. eg_crypto_init must have run.

#ifndef EG_CSR_H
#define EG_CSR_H

#include "firmware/base/buf.h"

#define EG_IDENTITY_MAX 32768 // bytes of PEM
#define EG_CERTS_MAX	8     // certificates in one answer

struct eg_identity {
	struct eg_buf pem;	 // secret
	int64_t from_ms, end_ms; // of the certificate, wall time
};

void eg_identity_done(struct eg_identity *identity); // takes NULL and a zeroed struct

// A new private key, appended to `pem` (a secret buffer).
int eg_csr_key(struct eg_buf *pem, struct eg_err *err) EG_CHECKED;

// PKCS #10 request (RFC 2986, DER) with subject CN=`booth`, signed by the key in `key_pem`;
// appended to `der`. EG_EINVAL: no P-256 key, or a booth id with other characters than letters,
// digits, '.', '_' and '-'.
int eg_csr_make(struct eg_bytes key_pem, const char *booth, struct eg_buf *der,
		struct eg_err *err) EG_CHECKED;

// Puts an identity together from our key and what the centre sent (DER certificates, any order,
// the issuing ones may be among them). The one that certifies our key must be for `booth` and
// lead to the pinned authority `ca_pem`. Its times are handed out, not judged: clocks err.
// EG_EINVAL: no certificate; EG_EAUTH: for another key or name, or by another authority.
int eg_identity_build(struct eg_bytes key_pem, const struct eg_bytes *certs, size_t cert_count,
		      const char *booth, const char *ca_pem, struct eg_identity *ret_identity,
		      struct eg_err *err) EG_CHECKED;

// The same checks for the content of tls.pem. EG_EINVAL, EG_EAUTH.
int eg_identity_parse(struct eg_bytes pem, const char *booth, const char *ca_pem,
		      struct eg_identity *ret_identity, struct eg_err *err) EG_CHECKED;

#endif
