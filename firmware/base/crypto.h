// SPDX-License-Identifier: Apache-2.0
//
// Cryptography on Mbed TLS's PSA API. crypto.c and the certificate code (net/central/ca.c,
// net/identity.c) are the only files that include Mbed TLS.
//
// One curve: P-256. Public keys are 65 bytes, uncompressed (SEC 1: 04 ‖ x ‖ y). Signatures are
// ECDSA with SHA-256, 64 bytes r ‖ s. A key id ("kid") is the first 8 bytes of the SHA-256 of the
// 65-byte public key.
//
// Thread: eg_crypto_init once in main before any thread; then any thread, an eg_key may be shared.

#ifndef EG_CRYPTO_H
#define EG_CRYPTO_H

#include "firmware/base/buf.h"

#define EG_SHA256_SIZE	  32
#define EG_P256_PUB_SIZE  65
#define EG_P256_SIG_SIZE  64
#define EG_KID_SIZE	  8
#define EG_P256_PRIV_SIZE 32

int eg_crypto_init(struct eg_err *err) EG_CHECKED;

int eg_random(void *ret_data, size_t size) EG_CHECKED; // EG_EFOREIGN

int eg_sha256(struct eg_bytes data, uint8_t ret_digest[EG_SHA256_SIZE]) EG_CHECKED;

// SHA-256 of what comes in pieces. `done` may be called on a zeroed or half-built object.
struct eg_sha256;
int eg_sha256_new(struct eg_sha256 **ret_hash) EG_CHECKED;
int eg_sha256_add(struct eg_sha256 *hash, struct eg_bytes data) EG_CHECKED;
int eg_sha256_finish(struct eg_sha256 *hash, uint8_t ret_digest[EG_SHA256_SIZE]) EG_CHECKED;
void eg_sha256_free(struct eg_sha256 *hash);

int eg_hmac_sha256(struct eg_bytes key, struct eg_bytes data,
		   uint8_t ret_mac[EG_SHA256_SIZE]) EG_CHECKED;

// Private P-256 key, for signing and for key agreement. Wiped on free.
struct eg_key;

int eg_key_generate(struct eg_key **ret_key, struct eg_err *err) EG_CHECKED;

// From 32 raw bytes; EG_EINVAL when out of range. Test vectors and eg_key_load use it.
int eg_key_from_raw(struct eg_bytes raw, struct eg_key **ret_key, struct eg_err *err) EG_CHECKED;

// PEM (PKCS #8, or SEC 1 on reading), unencrypted, file mode 0600. Loading refuses a file that
// others may read (EG_EAUTH) and any curve but P-256 (EG_EUNSUPPORTED).
int eg_key_load(const char *path, struct eg_key **ret_key, struct eg_err *err) EG_CHECKED;
int eg_key_save(const struct eg_key *key, const char *path, struct eg_err *err) EG_CHECKED;

// Loads `path`; when it does not exist, generates a key and saves it there. *ret_made (may be
// NULL) says which.
int eg_key_load_or_make(const char *path, struct eg_key **ret_key, bool *ret_made,
			struct eg_err *err) EG_CHECKED;

void eg_key_free(struct eg_key *key); // takes NULL

const uint8_t *eg_key_public(const struct eg_key *key); // 65 bytes, lives as long as the key
void eg_kid(const uint8_t pub[EG_P256_PUB_SIZE], uint8_t ret_kid[EG_KID_SIZE]);

int eg_sign(const struct eg_key *key, struct eg_bytes message,
	    uint8_t ret_signature[EG_P256_SIG_SIZE]) EG_CHECKED;

// EG_EAUTH when the signature is not by that key over that message, EG_EINVAL when the key is no
// point on the curve.
int eg_verify(const uint8_t pub[EG_P256_PUB_SIZE], struct eg_bytes message,
	      const uint8_t signature[EG_P256_SIG_SIZE]) EG_CHECKED;

// Pieces of HPKE. ECDH gives the 32-byte x coordinate. EG_EINVAL: no point on the curve.
int eg_ecdh(const struct eg_key *key, const uint8_t peer[EG_P256_PUB_SIZE],
	    uint8_t ret_shared[32]) EG_CHECKED;
int eg_hkdf_extract(struct eg_bytes salt, struct eg_bytes ikm,
		    uint8_t ret_prk[EG_SHA256_SIZE]) EG_CHECKED;
int eg_hkdf_expand(const uint8_t prk[EG_SHA256_SIZE], struct eg_bytes info, uint8_t *ret_okm,
		   size_t size) EG_CHECKED;

// AES-256-GCM, 12-byte nonce, 16-byte tag behind the ciphertext. Output room: plaintext + 16, or
// ciphertext − 16. Opening gives EG_EAUTH when anything was changed; then ret_plain is wiped.
int eg_aead_seal(const uint8_t key[32], const uint8_t nonce[12], struct eg_bytes aad,
		 struct eg_bytes plain, uint8_t *ret_cipher) EG_CHECKED;
int eg_aead_open(const uint8_t key[32], const uint8_t nonce[12], struct eg_bytes aad,
		 struct eg_bytes cipher, uint8_t *ret_plain) EG_CHECKED;

#endif
