// SPDX-License-Identifier: Apache-2.0
//
// COSE_Sign1 (RFC 9052 §4.2) with ES256 (RFC 9053 §2.1): tag 18, array of 4; protected header
// {1: -7, 4: kid}, empty unprotected header, payload inside. Nothing else is accepted: an unknown
// header parameter, a detached payload or another algorithm is an error.
//
// Verify, then parse those same bytes: the payload comes out of eg_cose_verify as a view into the
// very bytes that were verified.
//
// Thread: any.

#ifndef EG_COSE_H
#define EG_COSE_H

#include "firmware/base/crypto.h"

// Signs payload under the external additional data `aad` (may be empty; we use it to name the kind
// of statement, so that an acknowledgement can never pass for a manifest). Appends to `out`.
int eg_cose_sign(const struct eg_key *key, struct eg_bytes aad, struct eg_bytes payload,
		 struct eg_buf *out, struct eg_err *err) EG_CHECKED;

// A key that may have signed, and what for.
struct eg_trusted_key {
	uint8_t pub[EG_P256_PUB_SIZE];
	uint8_t kid[EG_KID_SIZE];
};

// Verifies with the trusted key that the kid names. EG_EINVAL: malformed. EG_EUNSUPPORTED: another
// header or algorithm. EG_EAUTH: unknown kid or
// wrong signature. *ret_payload views into `message`; *ret_key_index (may be NULL) says which key.
int eg_cose_verify(struct eg_bytes message, struct eg_bytes aad, const struct eg_trusted_key *keys,
		   size_t key_count, struct eg_bytes *ret_payload, size_t *ret_key_index,
		   struct eg_err *err) EG_CHECKED;

#endif
