// SPDX-License-Identifier: Apache-2.0
//
// HPKE base mode, single shot (RFC 9180 §6.1): DHKEM(P-256, HKDF-SHA256) 0x0010, HKDF-SHA256
// 0x0001, AES-256-GCM 0x0002. Tested with the RFC's vector for exactly these three (its
// test-vectors.json) and, up to key and nonce, with appendix A.3, which has AES-128-GCM.
//
// A sealed message is `enc` (65 bytes, the ephemeral public key) followed by the ciphertext with
// its 16-byte tag.
//
// Thread: any.

#ifndef EG_HPKE_H
#define EG_HPKE_H

#include "firmware/base/crypto.h"

#define EG_HPKE_OVERHEAD (EG_P256_PUB_SIZE + 16)

// Appends enc ‖ ciphertext to `out` (plain.size + EG_HPKE_OVERHEAD bytes).
int eg_hpke_seal(const uint8_t recipient[EG_P256_PUB_SIZE], struct eg_bytes info,
		 struct eg_bytes aad, struct eg_bytes plain, struct eg_buf *out,
		 struct eg_err *err) EG_CHECKED;

// Appends the plaintext to `out`, which should be a secret buffer. EG_EAUTH: not for this key, or
// changed, or other info/aad. EG_EINVAL: too short.
int eg_hpke_open(const struct eg_key *key, struct eg_bytes info, struct eg_bytes aad,
		 struct eg_bytes sealed, struct eg_buf *out, struct eg_err *err) EG_CHECKED;

#endif
