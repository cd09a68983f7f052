// SPDX-License-Identifier: Apache-2.0
//
// What a booth trusts and who it is: trust.json, made by `boothctl provision` out of the file that
// `centralctl token new BOOTH` wrote, owned by root, readable by all programs, holding no secret:
//
//	{"booth": "lane-12", "url": "https://centre:8443",
//	 "ca": "-----BEGIN CERTIFICATE-----…",
//	 "sign": ["04…" (65 bytes hex), …], "seal": "04…"}
//
// `sign` lists the keys that may sign manifests, acknowledgements and policy (several during a
// rotation); encounters are sealed to `seal`. The provision file holds the same and "token".
//
// Thread: any, after eg_crypto_init.

#ifndef EG_TRUST_H
#define EG_TRUST_H

#include "store/manifest.h"

#define EG_TRUST_KEYS_MAX 8

struct eg_trust {
	char booth[EG_NAME_MAX];
	char url[256]; // no slash at the end
	char ca_pem[16384];
	struct eg_trusted_key sign[EG_TRUST_KEYS_MAX];
	size_t sign_count;
	uint8_t seal[EG_P256_PUB_SIZE];
	char token[128]; // "" in trust.json
};

// Strict: unknown or repeated keys, a key that is no point on the curve, a URL that is not https
// are EG_EINVAL; the sentence names file and key. A token is taken when it is there.
int eg_trust_load(const char *path, struct eg_trust *ret_trust, struct eg_err *err) EG_CHECKED;
int eg_trust_parse(struct eg_bytes json, struct eg_trust *ret_trust, struct eg_err *err) EG_CHECKED;
// Writes with or without the token, atomically, mode 0600 with a token, 0644 without.
// Refuses what eg_trust_load would refuse.
int eg_trust_save(const struct eg_trust *trust, bool with_token, const char *path,
		  struct eg_err *err) EG_CHECKED;

// booth.pub: the booth's public sealing and record-signing keys, CBOR map {1: seal, 2: sign};
// boothd writes it, syncd sends it to the centre once (PUT /v1/booth-keys), the centre keeps it.
#define EG_BOOTH_KEYS_MAX 512 // bytes of booth.pub

struct eg_booth_keys {
	uint8_t seal[EG_P256_PUB_SIZE];
	uint8_t sign[EG_P256_PUB_SIZE];
};
int eg_booth_keys_encode(const struct eg_booth_keys *keys, struct eg_buf *out) EG_CHECKED;
int eg_booth_keys_decode(struct eg_bytes bytes, struct eg_booth_keys *ret_keys,
			 struct eg_err *err) EG_CHECKED;

#endif
