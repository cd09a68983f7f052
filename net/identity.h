// SPDX-License-Identifier: Apache-2.0
//
// The booth's TLS identity: a key (tlskey.h) and the certificate for it, and the check that what
// the centre sent is that. Beside firmware/base/crypto.c the only user of Mbed TLS in net/.
//
// Format of an identity (file tls.pem): PEM text, first the private key as it is kept (tlskey.h),
// then the certificate, then the certificates between it and the authority. One file, so that key
// and certificate can never be two halves of different pairs after a power cut.
//
// Thread: that of the vault. eg_crypto_init must have run.

#ifndef EG_IDENTITY_H
#define EG_IDENTITY_H

#include "net/tlskey.h"

#define EG_IDENTITY_MAX 32768 // bytes of PEM
#define EG_CERTS_MAX	8     // certificates in one answer

struct eg_identity {
	struct eg_tls_key *key;	 // a reference
	struct eg_buf pem;	 // secret
	int64_t from_ms, end_ms; // of the certificate, wall time
};

void eg_identity_done(struct eg_identity *identity); // takes NULL and a zeroed struct

// Puts an identity together from our key and what the centre sent (DER certificates, any order,
// the issuing ones may be among them). The one that certifies our key must be for `booth` and
// lead to the pinned authority `ca_pem`. Its times are handed out, not judged: clocks err.
// EG_EINVAL: no certificate; EG_EAUTH: for another key or name, or by another authority.
int eg_identity_build(struct eg_tls_key *key, const struct eg_bytes *certs, size_t cert_count,
		      const char *booth, const char *ca_pem, struct eg_identity *ret_identity,
		      struct eg_err *err) EG_CHECKED;

// The same checks for the content of tls.pem, after its key was opened. EG_EINVAL, EG_EAUTH, and
// what eg_tls_key_open says.
int eg_identity_parse(struct eg_vault *vault, struct eg_bytes pem, const char *booth,
		      const char *ca_pem, struct eg_identity *ret_identity,
		      struct eg_err *err) EG_CHECKED;

#endif
