// SPDX-License-Identifier: Apache-2.0
//
// The PSA API of Mbed TLS 3.6. Key objects of PSA live only as long as one call: the private scalar
// stays in our own wiped memory, so that a struct eg_key may be shared between threads.

#include "firmware/base/crypto.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include <mbedtls/pk.h>
#include <mbedtls/psa_util.h>
#include <psa/crypto.h>

#include "firmware/base/file.h"
#include "firmware/base/mem.h"

#define PEM_MAX 4096

struct eg_key {
	uint8_t raw[EG_P256_PRIV_SIZE];
	uint8_t pub[EG_P256_PUB_SIZE];
};

struct eg_sha256 {
	psa_hash_operation_t operation;
};

static int code_of(psa_status_t status)
{
	switch (status) {
	case PSA_SUCCESS:
		return 0;
	case PSA_ERROR_INVALID_SIGNATURE:
		return EG_EAUTH;
	case PSA_ERROR_INVALID_ARGUMENT:
	case PSA_ERROR_DATA_INVALID:
		return EG_EINVAL;
	case PSA_ERROR_INSUFFICIENT_MEMORY:
		return EG_ENOMEM;
	default:
		return EG_EFOREIGN;
	}
}

int eg_crypto_init(struct eg_err *err)
{
	psa_status_t status = psa_crypto_init();

	return status == PSA_SUCCESS
		       ? 0
		       : eg_err_set(err, EG_EFOREIGN, "cryptography: PSA status %d", (int)status);
}

int eg_random(void *ret_data, size_t size)
{
	return psa_generate_random(ret_data, size) == PSA_SUCCESS ? 0 : EG_EFOREIGN;
}

int eg_sha256(struct eg_bytes data, uint8_t ret_digest[EG_SHA256_SIZE])
{
	size_t size;

	return code_of(psa_hash_compute(PSA_ALG_SHA_256, data.data, data.size, ret_digest,
					EG_SHA256_SIZE, &size));
}

int eg_sha256_new(struct eg_sha256 **ret_hash)
{
	struct eg_sha256 *hash = eg_calloc(1, sizeof(*hash));
	int r;

	if (hash == NULL)
		return EG_ENOMEM;
	hash->operation = psa_hash_operation_init();
	r = code_of(psa_hash_setup(&hash->operation, PSA_ALG_SHA_256));
	if (r != 0) {
		free(hash);
		return r;
	}
	*ret_hash = hash;
	return 0;
}

int eg_sha256_add(struct eg_sha256 *hash, struct eg_bytes data)
{
	return code_of(psa_hash_update(&hash->operation, data.data, data.size));
}

int eg_sha256_finish(struct eg_sha256 *hash, uint8_t ret_digest[EG_SHA256_SIZE])
{
	size_t size;

	return code_of(psa_hash_finish(&hash->operation, ret_digest, EG_SHA256_SIZE, &size));
}

void eg_sha256_free(struct eg_sha256 *hash)
{
	if (hash == NULL)
		return;
	(void)psa_hash_abort(&hash->operation);
	free(hash);
}

// Brings a key into PSA for one operation.
static int import(psa_key_type_t type, psa_key_usage_t usage, psa_algorithm_t algorithm,
		  struct eg_bytes key, psa_key_id_t *ret_id)
{
	psa_key_attributes_t attributes = PSA_KEY_ATTRIBUTES_INIT;

	psa_set_key_type(&attributes, type);
	psa_set_key_usage_flags(&attributes, usage);
	psa_set_key_algorithm(&attributes, algorithm);
	return code_of(psa_import_key(&attributes, key.data, key.size, ret_id));
}

int eg_hmac_sha256(struct eg_bytes key, struct eg_bytes data, uint8_t ret_mac[EG_SHA256_SIZE])
{
	psa_algorithm_t hmac = PSA_ALG_HMAC(PSA_ALG_SHA_256);
	static const uint8_t zero[1]; // PSA has no empty keys; HMAC pads with zeros anyway
	psa_key_id_t id;
	size_t size;
	int r;

	if (key.size == 0)
		key = EG_BYTES(zero, 1);
	r = import(PSA_KEY_TYPE_HMAC, PSA_KEY_USAGE_SIGN_MESSAGE, hmac, key, &id);
	if (r != 0)
		return r;
	r = code_of(
		psa_mac_compute(id, hmac, data.data, data.size, ret_mac, EG_SHA256_SIZE, &size));
	(void)psa_destroy_key(id);
	return r;
}

// ---- keys -----------------------------------------------------------------------------------

static const psa_key_type_t pair_type = PSA_KEY_TYPE_ECC_KEY_PAIR(PSA_ECC_FAMILY_SECP_R1);
static const psa_key_type_t public_type = PSA_KEY_TYPE_ECC_PUBLIC_KEY(PSA_ECC_FAMILY_SECP_R1);

static int key_from(const uint8_t *raw, size_t size, struct eg_key **ret_key)
{
	psa_key_id_t id = 0;
	struct eg_key *key;
	size_t pub_size;
	int r;

	if (size != EG_P256_PRIV_SIZE)
		return EG_EINVAL;
	r = import(pair_type, PSA_KEY_USAGE_SIGN_MESSAGE, PSA_ALG_ECDSA(PSA_ALG_SHA_256),
		   EG_BYTES(raw, size), &id);
	if (r != 0)
		return r;
	key = eg_secret_alloc(sizeof(*key));
	if (key == NULL) {
		r = EG_ENOMEM;
		goto out;
	}
	memcpy(key->raw, raw, size);
	r = code_of(psa_export_public_key(id, key->pub, sizeof(key->pub), &pub_size));
	if (r == 0 && pub_size != sizeof(key->pub))
		r = EG_EFOREIGN;
	if (r == 0)
		*ret_key = key;
	else
		eg_key_free(key);
out:
	(void)psa_destroy_key(id);
	return r;
}

int eg_key_from_raw(struct eg_bytes raw, struct eg_key **ret_key, struct eg_err *err)
{
	int r = key_from(raw.data, raw.size, ret_key);

	if (r == 0)
		return 0;
	return eg_err_set(err, r, "not the private scalar of a P-256 key: %s", eg_code_name(r));
}

int eg_key_generate(struct eg_key **ret_key, struct eg_err *err)
{
	psa_key_attributes_t attributes = PSA_KEY_ATTRIBUTES_INIT;
	uint8_t raw[EG_P256_PRIV_SIZE];
	psa_key_id_t id;
	size_t size;
	int r;

	psa_set_key_type(&attributes, pair_type);
	psa_set_key_bits(&attributes, 256);
	psa_set_key_usage_flags(&attributes, PSA_KEY_USAGE_EXPORT);
	psa_set_key_algorithm(&attributes, PSA_ALG_ECDSA(PSA_ALG_SHA_256));
	r = code_of(psa_generate_key(&attributes, &id));
	if (r != 0)
		return eg_err_set(err, r, "a P-256 key could not be generated: %s",
				  eg_code_name(r));
	r = code_of(psa_export_key(id, raw, sizeof(raw), &size));
	(void)psa_destroy_key(id);
	if (r == 0)
		r = key_from(raw, size, ret_key);
	eg_wipe(raw, sizeof(raw));
	return r == 0 ? 0
		      : eg_err_set(err, r, "a P-256 key could not be generated: %s",
				   eg_code_name(r));
}

void eg_key_free(struct eg_key *key)
{
	eg_secret_free(key, sizeof(*key));
}

const uint8_t *eg_key_public(const struct eg_key *key)
{
	return key->pub;
}

void eg_kid(const uint8_t pub[EG_P256_PUB_SIZE], uint8_t ret_kid[EG_KID_SIZE])
{
	uint8_t digest[EG_SHA256_SIZE];
	int r = eg_sha256(EG_BYTES(pub, EG_P256_PUB_SIZE), digest);

	assert(r == 0); // hashing 65 bytes fails only before eg_crypto_init
	(void)r;
	memcpy(ret_kid, digest, EG_KID_SIZE);
}

// The private scalar out of a parsed PEM key, left-padded to 32 bytes.
static int raw_of(const mbedtls_pk_context *pk, uint8_t raw[EG_P256_PRIV_SIZE])
{
	psa_key_attributes_t attributes = PSA_KEY_ATTRIBUTES_INIT;
	psa_key_id_t id = 0;
	size_t size;
	int r;

	if (mbedtls_pk_get_psa_attributes(pk, PSA_KEY_USAGE_SIGN_MESSAGE, &attributes) != 0)
		return EG_EUNSUPPORTED;
	if (psa_get_key_type(&attributes) != pair_type || psa_get_key_bits(&attributes) != 256)
		return EG_EUNSUPPORTED;
	psa_set_key_usage_flags(&attributes, PSA_KEY_USAGE_EXPORT);
	if (mbedtls_pk_import_into_psa(pk, &attributes, &id) != 0)
		return EG_EFOREIGN;
	r = code_of(psa_export_key(id, raw, EG_P256_PRIV_SIZE, &size));
	(void)psa_destroy_key(id);
	return r == 0 && size != EG_P256_PRIV_SIZE ? EG_EUNSUPPORTED : r;
}

int eg_key_load(const char *path, struct eg_key **ret_key, struct eg_err *err)
{
	uint8_t raw[EG_P256_PRIV_SIZE];
	mbedtls_pk_context pk;
	const char *text;
	struct eg_buf pem;
	int r;

	mbedtls_pk_init(&pk);
	eg_buf_init_secret(&pem, PEM_MAX);
	r = eg_file_read_private(path, &pem, err);
	if (r != 0) {
		r = eg_err_prefix(err, r, "key");
		goto out;
	}
	text = eg_buf_text(&pem);
	if (text == NULL) {
		r = eg_err_set(err, EG_ENOMEM, "key %s: out of memory", path);
		goto out;
	}
	// The length of PEM text counts its NUL.
	if (mbedtls_pk_parse_key(&pk, (const uint8_t *)text, pem.size + 1, NULL, 0,
				 mbedtls_psa_get_random, MBEDTLS_PSA_RANDOM_STATE) != 0) {
		r = eg_err_set(err, EG_EINVAL, "key %s is no private key in PEM", path);
		goto out;
	}
	r = raw_of(&pk, raw);
	if (r == 0)
		r = key_from(raw, sizeof(raw), ret_key);
	if (r != 0)
		r = eg_err_set(err, r,
			       r == EG_EUNSUPPORTED
				       ? "key %s is no P-256 key; others are not used here"
				       : "key %s cannot be used: %s",
			       path, eg_code_name(r));
out:
	eg_wipe(raw, sizeof(raw));
	mbedtls_pk_free(&pk);
	eg_buf_done(&pem);
	return r;
}

int eg_key_save(const struct eg_key *key, const char *path, struct eg_err *err)
{
	uint8_t pem[PEM_MAX];
	mbedtls_pk_context pk;
	psa_key_id_t id = 0;
	psa_key_attributes_t attributes = PSA_KEY_ATTRIBUTES_INIT;
	int r;

	mbedtls_pk_init(&pk);
	psa_set_key_type(&attributes, pair_type);
	psa_set_key_usage_flags(&attributes, PSA_KEY_USAGE_EXPORT);
	psa_set_key_algorithm(&attributes, PSA_ALG_ECDSA(PSA_ALG_SHA_256));
	r = code_of(psa_import_key(&attributes, key->raw, sizeof(key->raw), &id));
	if (r == 0 && (mbedtls_pk_copy_from_psa(id, &pk) != 0 ||
		       mbedtls_pk_write_key_pem(&pk, pem, sizeof(pem)) != 0))
		r = EG_EFOREIGN;
	if (r != 0)
		r = eg_err_set(err, r, "key %s could not be written as PEM: %s", path,
			       eg_code_name(r));
	else
		r = eg_file_write(path, EG_BYTES(pem, strlen((const char *)pem)), 0600, err);
	(void)psa_destroy_key(id);
	mbedtls_pk_free(&pk);
	eg_wipe(pem, sizeof(pem));
	return r;
}

int eg_key_load_or_make(const char *path, struct eg_key **ret_key, bool *ret_made,
			struct eg_err *err)
{
	struct eg_key *key;
	int r;

	r = eg_key_load(path, &key, err);
	if (r == 0 && ret_made != NULL)
		*ret_made = false;
	if (r == EG_ENOENT) {
		r = eg_key_generate(&key, err);
		if (r != 0)
			return r;
		r = eg_key_save(key, path, err);
		if (r != 0) {
			eg_key_free(key);
			return r;
		}
		if (ret_made != NULL)
			*ret_made = true;
	}
	if (r == 0)
		*ret_key = key;
	return r;
}

// ---- signatures, agreement, encryption --------------------------------------------------------

int eg_sign(const struct eg_key *key, struct eg_bytes message,
	    uint8_t ret_signature[EG_P256_SIG_SIZE])
{
	psa_algorithm_t ecdsa = PSA_ALG_ECDSA(PSA_ALG_SHA_256);
	uint8_t digest[EG_SHA256_SIZE];
	psa_key_id_t id;
	size_t size;
	int r;

	r = eg_sha256(message, digest);
	if (r == 0)
		r = import(pair_type, PSA_KEY_USAGE_SIGN_HASH, ecdsa,
			   EG_BYTES(key->raw, sizeof(key->raw)), &id);
	if (r != 0)
		return r;
	r = code_of(psa_sign_hash(id, ecdsa, digest, sizeof(digest), ret_signature,
				  EG_P256_SIG_SIZE, &size));
	(void)psa_destroy_key(id);
	return r;
}

int eg_verify(const uint8_t pub[EG_P256_PUB_SIZE], struct eg_bytes message,
	      const uint8_t signature[EG_P256_SIG_SIZE])
{
	psa_algorithm_t ecdsa = PSA_ALG_ECDSA(PSA_ALG_SHA_256);
	uint8_t digest[EG_SHA256_SIZE];
	psa_key_id_t id;
	int r;

	r = eg_sha256(message, digest);
	if (r == 0)
		r = import(public_type, PSA_KEY_USAGE_VERIFY_HASH, ecdsa,
			   EG_BYTES(pub, EG_P256_PUB_SIZE), &id);
	if (r != 0)
		return r;
	r = code_of(
		psa_verify_hash(id, ecdsa, digest, sizeof(digest), signature, EG_P256_SIG_SIZE));
	(void)psa_destroy_key(id);
	return r == EG_EINVAL ? EG_EAUTH : r; // r or s out of range: no signature of anybody
}

int eg_ecdh(const struct eg_key *key, const uint8_t peer[EG_P256_PUB_SIZE], uint8_t ret_shared[32])
{
	psa_key_id_t id;
	size_t size;
	int r;

	r = import(pair_type, PSA_KEY_USAGE_DERIVE, PSA_ALG_ECDH,
		   EG_BYTES(key->raw, sizeof(key->raw)), &id);
	if (r != 0)
		return r;
	r = code_of(psa_raw_key_agreement(PSA_ALG_ECDH, id, peer, EG_P256_PUB_SIZE, ret_shared, 32,
					  &size));
	(void)psa_destroy_key(id);
	return r;
}

int eg_hkdf_extract(struct eg_bytes salt, struct eg_bytes ikm, uint8_t ret_prk[EG_SHA256_SIZE])
{
	return eg_hmac_sha256(salt, ikm, ret_prk); // RFC 5869 §2.2
}

// RFC 5869 §2.3.
int eg_hkdf_expand(const uint8_t prk[EG_SHA256_SIZE], struct eg_bytes info, uint8_t *ret_okm,
		   size_t size)
{
	uint8_t t[EG_SHA256_SIZE];
	struct eg_buf input;
	size_t done = 0, n;
	uint8_t counter;
	int r = 0;

	if (size > 255 * EG_SHA256_SIZE)
		return EG_ETOOBIG;
	eg_buf_init_secret(&input, sizeof(t) + info.size + 1);
	for (counter = 1; r == 0 && done < size; counter++, done += n) {
		eg_buf_reset(&input);
		if (counter > 1)
			r = eg_buf_put(&input, t, sizeof(t));
		if (r == 0)
			r = eg_buf_put(&input, info.data, info.size);
		if (r == 0)
			r = eg_buf_put_u8(&input, counter);
		if (r == 0)
			r = eg_hmac_sha256(EG_BYTES(prk, EG_SHA256_SIZE), eg_buf_bytes(&input), t);
		n = size - done < sizeof(t) ? size - done : sizeof(t);
		if (r == 0)
			memcpy(ret_okm + done, t, n);
	}
	if (r != 0)
		eg_wipe(ret_okm, size);
	eg_wipe(t, sizeof(t));
	eg_buf_done(&input);
	return r;
}

int eg_aead_seal(const uint8_t key[32], const uint8_t nonce[12], struct eg_bytes aad,
		 struct eg_bytes plain, uint8_t *ret_cipher)
{
	psa_key_id_t id;
	size_t size;
	int r;

	r = import(PSA_KEY_TYPE_AES, PSA_KEY_USAGE_ENCRYPT, PSA_ALG_GCM, EG_BYTES(key, 32), &id);
	if (r != 0)
		return r;
	r = code_of(psa_aead_encrypt(id, PSA_ALG_GCM, nonce, 12, aad.data, aad.size, plain.data,
				     plain.size, ret_cipher, plain.size + 16, &size));
	(void)psa_destroy_key(id);
	return r;
}

int eg_aead_open(const uint8_t key[32], const uint8_t nonce[12], struct eg_bytes aad,
		 struct eg_bytes cipher, uint8_t *ret_plain)
{
	psa_key_id_t id;
	size_t size;
	int r;

	if (cipher.size < 16)
		return EG_EINVAL;
	r = import(PSA_KEY_TYPE_AES, PSA_KEY_USAGE_DECRYPT, PSA_ALG_GCM, EG_BYTES(key, 32), &id);
	if (r != 0)
		return r;
	r = code_of(psa_aead_decrypt(id, PSA_ALG_GCM, nonce, 12, aad.data, aad.size, cipher.data,
				     cipher.size, ret_plain, cipher.size - 16, &size));
	(void)psa_destroy_key(id);
	if (r != 0)
		eg_wipe(ret_plain, cipher.size - 16);
	return r;
}
