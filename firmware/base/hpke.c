// SPDX-License-Identifier: Apache-2.0

#include "firmware/base/hpke_internal.h"

#include <string.h>

#include "firmware/base/mem.h"

#define KEM_P256_HKDF_SHA256 0x0010
#define KDF_HKDF_SHA256	     0x0001
#define MODE_BASE	     0x00
#define LABELED_MAX	     512 // info is a short constant of ours

static const uint8_t kem_suite[] = {'K', 'E', 'M', KEM_P256_HKDF_SHA256 >> 8,
				    KEM_P256_HKDF_SHA256 & 0xff};

struct suite {
	uint8_t id[10];
	size_t key_size;
};

static void suite_of(enum eg_hpke_aead aead, struct suite *suite)
{
	const uint8_t id[10] = {'H',
				'P',
				'K',
				'E',
				KEM_P256_HKDF_SHA256 >> 8,
				KEM_P256_HKDF_SHA256 & 0xff,
				KDF_HKDF_SHA256 >> 8,
				KDF_HKDF_SHA256 & 0xff,
				0,
				(uint8_t)aead};

	memcpy(suite->id, id, sizeof(id));
	suite->key_size = aead == EG_HPKE_AES_128_GCM ? 16 : 32;
}

// §4: LabeledExtract(salt, label, ikm) = Extract(salt, "HPKE-v1" ‖ suite_id ‖ label ‖ ikm)
static int labeled_extract(struct eg_bytes suite, struct eg_bytes salt, const char *label,
			   struct eg_bytes ikm, uint8_t ret_prk[EG_SHA256_SIZE])
{
	struct eg_buf input;
	int r;

	eg_buf_init_secret(&input, LABELED_MAX + ikm.size);
	r = eg_buf_put(&input, "HPKE-v1", 7);
	if (r == 0)
		r = eg_buf_put(&input, suite.data, suite.size);
	if (r == 0)
		r = eg_buf_put(&input, label, strlen(label));
	if (r == 0)
		r = eg_buf_put(&input, ikm.data, ikm.size);
	if (r == 0)
		r = eg_hkdf_extract(salt, eg_buf_bytes(&input), ret_prk);
	eg_buf_done(&input);
	return r;
}

// LabeledExpand(prk, label, info, L) = Expand(prk, I2OSP(L, 2) ‖ "HPKE-v1" ‖ suite_id ‖ label ‖
// info, L)
static int labeled_expand(struct eg_bytes suite, const uint8_t prk[EG_SHA256_SIZE],
			  const char *label, struct eg_bytes info, uint8_t *ret_okm, size_t size)
{
	struct eg_buf input;
	int r;

	eg_buf_init(&input, LABELED_MAX + info.size);
	r = eg_buf_put_be16(&input, (uint16_t)size);
	if (r == 0)
		r = eg_buf_put(&input, "HPKE-v1", 7);
	if (r == 0)
		r = eg_buf_put(&input, suite.data, suite.size);
	if (r == 0)
		r = eg_buf_put(&input, label, strlen(label));
	if (r == 0)
		r = eg_buf_put(&input, info.data, info.size);
	if (r == 0)
		r = eg_hkdf_expand(prk, eg_buf_bytes(&input), ret_okm, size);
	eg_buf_done(&input);
	return r;
}

// §4.1: the KEM's ExtractAndExpand over dh with kem_context = enc ‖ pkR.
static int shared_secret(const struct eg_key *own, const uint8_t peer[EG_P256_PUB_SIZE],
			 const uint8_t enc[EG_P256_PUB_SIZE],
			 const uint8_t recipient[EG_P256_PUB_SIZE], uint8_t ret_secret[32])
{
	struct eg_bytes suite = EG_BYTES(kem_suite, sizeof(kem_suite));
	uint8_t dh[32], prk[EG_SHA256_SIZE], context[2 * EG_P256_PUB_SIZE];
	int r;

	memcpy(context, enc, EG_P256_PUB_SIZE);
	memcpy(context + EG_P256_PUB_SIZE, recipient, EG_P256_PUB_SIZE);
	r = eg_ecdh(own, peer, dh);
	if (r == 0)
		r = labeled_extract(suite, (struct eg_bytes){0}, "eae_prk",
				    EG_BYTES(dh, sizeof(dh)), prk);
	if (r == 0)
		r = labeled_expand(suite, prk, "shared_secret", EG_BYTES(context, sizeof(context)),
				   ret_secret, 32);
	eg_wipe(dh, sizeof(dh));
	eg_wipe(prk, sizeof(prk));
	return r;
}

// §5.1, mode base: no psk.
static int key_schedule(struct eg_bytes info, enum eg_hpke_aead aead, struct eg_hpke_context *c)
{
	uint8_t context[1 + 2 * EG_SHA256_SIZE] = {MODE_BASE}, secret[EG_SHA256_SIZE];
	struct eg_bytes none = {0}, suite_id;
	struct suite suite;
	int r;

	suite_of(aead, &suite);
	suite_id = EG_BYTES(suite.id, sizeof(suite.id));
	c->key_size = suite.key_size;
	r = labeled_extract(suite_id, none, "psk_id_hash", none, context + 1);
	if (r == 0)
		r = labeled_extract(suite_id, none, "info_hash", info,
				    context + 1 + EG_SHA256_SIZE);
	if (r == 0)
		r = labeled_extract(suite_id, EG_BYTES(c->shared_secret, 32), "secret", none,
				    secret);
	if (r == 0)
		r = labeled_expand(suite_id, secret, "key", EG_BYTES(context, sizeof(context)),
				   c->key, c->key_size);
	if (r == 0)
		r = labeled_expand(suite_id, secret, "base_nonce",
				   EG_BYTES(context, sizeof(context)), c->nonce, sizeof(c->nonce));
	eg_wipe(secret, sizeof(secret));
	return r;
}

int eg_hpke_setup_sender(const struct eg_key *ephemeral, const uint8_t recipient[EG_P256_PUB_SIZE],
			 struct eg_bytes info, enum eg_hpke_aead aead,
			 struct eg_hpke_context *ret_context)
{
	int r;

	r = shared_secret(ephemeral, recipient, eg_key_public(ephemeral), recipient,
			  ret_context->shared_secret);
	return r != 0 ? r : key_schedule(info, aead, ret_context);
}

int eg_hpke_setup_receiver(const uint8_t enc[EG_P256_PUB_SIZE], const struct eg_key *recipient,
			   struct eg_bytes info, enum eg_hpke_aead aead,
			   struct eg_hpke_context *ret_context)
{
	int r;

	r = shared_secret(recipient, enc, enc, eg_key_public(recipient),
			  ret_context->shared_secret);
	return r != 0 ? r : key_schedule(info, aead, ret_context);
}

int eg_hpke_seal(const uint8_t recipient[EG_P256_PUB_SIZE], struct eg_bytes info,
		 struct eg_bytes aad, struct eg_bytes plain, struct eg_buf *out, struct eg_err *err)
{
	struct eg_key *ephemeral = NULL;
	struct eg_hpke_context context;
	size_t before = out->size;
	uint8_t *space;
	int r;

	r = eg_key_generate(&ephemeral, err);
	if (r != 0)
		return r;
	r = eg_hpke_setup_sender(ephemeral, recipient, info, EG_HPKE_AES_256_GCM, &context);
	if (r == 0)
		r = eg_buf_put(out, eg_key_public(ephemeral), EG_P256_PUB_SIZE);
	if (r == 0)
		r = eg_buf_extend(out, plain.size + 16, &space);
	if (r == 0)
		r = eg_aead_seal(context.key, context.nonce, aad, plain, space);
	if (r != 0) {
		out->size = before;
		r = eg_err_set(err, r, "sealing failed: %s", eg_code_name(r));
	}
	eg_wipe(&context, sizeof(context));
	eg_key_free(ephemeral);
	return r;
}

int eg_hpke_open(const struct eg_key *key, struct eg_bytes info, struct eg_bytes aad,
		 struct eg_bytes sealed, struct eg_buf *out, struct eg_err *err)
{
	struct eg_hpke_context context;
	size_t before = out->size;
	struct eg_bytes cipher;
	uint8_t *space;
	int r;

	if (sealed.size < EG_HPKE_OVERHEAD)
		return eg_err_set(err, EG_EINVAL, "sealed message: too short");
	cipher = EG_BYTES(sealed.data + EG_P256_PUB_SIZE, sealed.size - EG_P256_PUB_SIZE);
	r = eg_hpke_setup_receiver(sealed.data, key, info, EG_HPKE_AES_256_GCM, &context);
	if (r == EG_EINVAL) // enc is no point on the curve: changed
		r = EG_EAUTH;
	if (r == 0)
		r = eg_buf_extend(out, cipher.size - 16, &space);
	if (r == 0)
		r = eg_aead_open(context.key, context.nonce, aad, cipher, space);
	if (r != 0) {
		out->size = before;
		r = eg_err_set(err, r,
			       r == EG_EAUTH ? "sealed message: not for this key, or changed"
					     : "sealed message: %s",
			       eg_code_name(r));
	}
	eg_wipe(&context, sizeof(context));
	return r;
}
