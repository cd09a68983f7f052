// SPDX-License-Identifier: Apache-2.0
//
// HPKE's inner steps, for hpke.c and for the test that checks them against RFC 9180's vectors.

#ifndef EG_HPKE_INTERNAL_H
#define EG_HPKE_INTERNAL_H

#include "firmware/base/hpke.h"

enum eg_hpke_aead {
	EG_HPKE_AES_128_GCM = 1,
	EG_HPKE_AES_256_GCM = 2
};

// What the key schedule gives (RFC 9180 §5.1, base mode). `key` uses 16 or 32 bytes.
struct eg_hpke_context {
	uint8_t shared_secret[32];
	uint8_t key[32];
	uint8_t nonce[12];
	size_t key_size;
};

// Encap with a given ephemeral key (§4.1) and the key schedule after it.
int eg_hpke_setup_sender(const struct eg_key *ephemeral, const uint8_t recipient[EG_P256_PUB_SIZE],
			 struct eg_bytes info, enum eg_hpke_aead aead,
			 struct eg_hpke_context *ret_context) EG_CHECKED;
int eg_hpke_setup_receiver(const uint8_t enc[EG_P256_PUB_SIZE], const struct eg_key *recipient,
			   struct eg_bytes info, enum eg_hpke_aead aead,
			   struct eg_hpke_context *ret_context) EG_CHECKED;

#endif
