// SPDX-License-Identifier: Apache-2.0
//
// RFC 9180's own vectors, mode base, DHKEM(P-256, HKDF-SHA256), HKDF-SHA256: appendix A.3 with
// AES-128-GCM (which GnuTLS computes here: we have no use for it ourselves), and with AES-256-GCM
// the entry of the test-vectors.json that the RFC refers to.

#include "test.h"

#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>

#include "firmware/base/hpke_internal.h"

#define INFO  "4f6465206f6e2061204772656369616e2055726e"
#define AAD   "436f756e742d30"
#define PLAIN "4265617574792069732074727574682c20747275746820626561757479"

struct vector {
	enum eg_hpke_aead aead;
	const char *ephemeral, *recipient, *enc, *pub, *shared_secret, *key, *nonce, *cipher;
};

static const struct vector a3 = {
	.aead = EG_HPKE_AES_128_GCM,
	.ephemeral = "4995788ef4b9d6132b249ce59a77281493eb39af373d236a1fe415cb0c2d7beb",
	.recipient = "f3ce7fdae57e1a310d87f1ebbde6f328be0a99cdbcadf4d6589cf29de4b8ffd2",
	.enc = "04a92719c6195d5085104f469a8b9814d5838ff72b60501e2c4466e5e67b325ac9"
	       "8536d7b61a1af4b78e5b7f951c0900be863c403ce65c9bfcb9382657222d18c4",
	.pub = "04fe8c19ce0905191ebc298a9245792531f26f0cece2460639e8bc39cb7f706a82"
	       "6a779b4cf969b8a0e539c7f62fb3d30ad6aa8f80e30f1d128aafd68a2ce72ea0",
	.shared_secret = "c0d26aeab536609a572b07695d933b589dcf363ff9d93c93adea537aeabb8cb8",
	.key = "868c066ef58aae6dc589b6cfdd18f97e",
	.nonce = "4e0bc5018beba4bf004cca59",
	.cipher = "5ad590bb8baa577f8619db35a36311226a896e7342a6d836d8b7bcd2f20b6c7f"
		  "9076ac232e3ab2523f39513434",
};

static const struct vector ours = {
	.aead = EG_HPKE_AES_256_GCM,
	.ephemeral = "90345e3a1d116c1dd39ae76d95ab858c142223a63e44f8f85318cfa91a84858e",
	.recipient = "317f915db7bc629c48fe765587897e01e282d3e8445f79f27f65d031a88082b2",
	.enc = "04c06b4f6bebc7bb495cb797ab753f911aff80aefb86fd8b6fcc35525f3ab5f03e"
	       "0b21bd31a86c6048af3cb2d98e0d3bf01da5cc4c39ff5370d331a4f1f7d5a4e0",
	.pub = "04abc7e49a4c6b3566d77d0304addc6ed0e98512ffccf505e6a8e3eb25c685136f"
	       "853148544876de76c0f2ef99cdc3a05ccf5ded7860c7c021238f9e2073d2356c",
	.shared_secret = "48893fecd82f7c3456af6a42d8f56325d21e08c10fa81299986aaff54cde7b49",
	.key = "ee16802a936d5f544771131900ee6973d0551de9e852ece2ef34bf0d5f9e1d1d",
	.nonce = "9bc50980832a7b4b58c40161",
	.cipher = "58c61a45059d0c5704560e9d88b564a8b63f1364b8d1fcb3c4c6ddc1d2917424"
		  "65e902cd216f8908da49f8f96f",
};

static struct eg_key *key_of(const char *hex)
{
	struct eg_bytes raw = unhex(hex);
	struct eg_key *key = NULL;

	assert_int_equal(eg_key_from_raw(raw, &key, NULL), 0);
	drop(raw);
	return key;
}

static void check_context(const struct vector *v, const struct eg_hpke_context *context)
{
	assert_int_equal(context->key_size, strlen(v->key) / 2);
	check_hex(context->shared_secret, sizeof(context->shared_secret), v->shared_secret);
	check_hex(context->key, context->key_size, v->key);
	check_hex(context->nonce, sizeof(context->nonce), v->nonce);
}

// Both sides' key schedules; *ret_context is for the encryption after it.
static void check_schedule(const struct vector *v, struct eg_hpke_context *ret_context)
{
	struct eg_key *ephemeral = key_of(v->ephemeral), *recipient = key_of(v->recipient);
	struct eg_bytes info = unhex(INFO);

	check_hex(eg_key_public(ephemeral), EG_P256_PUB_SIZE, v->enc);
	check_hex(eg_key_public(recipient), EG_P256_PUB_SIZE, v->pub);
	assert_int_equal(eg_hpke_setup_sender(ephemeral, eg_key_public(recipient), info, v->aead,
					      ret_context),
			 0);
	check_context(v, ret_context);
	memset(ret_context, 0, sizeof(*ret_context));
	assert_int_equal(eg_hpke_setup_receiver(eg_key_public(ephemeral), recipient, info, v->aead,
						ret_context),
			 0);
	check_context(v, ret_context);
	drop(info);
	eg_key_free(recipient);
	eg_key_free(ephemeral);
}

static void appendix_a3_comes_out_to_the_last_byte(void **state)
{
	struct eg_bytes aad = unhex(AAD), plain = unhex(PLAIN);
	struct eg_hpke_context context;
	uint8_t cipher[64];
	size_t size = sizeof(cipher);
	gnutls_aead_cipher_hd_t gcm;
	gnutls_datum_t key;

	(void)state;
	check_schedule(&a3, &context);
	key = (gnutls_datum_t){context.key, (unsigned int)context.key_size};
	assert_int_equal(gnutls_aead_cipher_init(&gcm, GNUTLS_CIPHER_AES_128_GCM, &key), 0);
	assert_int_equal(gnutls_aead_cipher_encrypt(gcm, context.nonce, sizeof(context.nonce),
						    aad.data, aad.size, 16, plain.data, plain.size,
						    cipher, &size),
			 0);
	gnutls_aead_cipher_deinit(gcm);
	check_hex(cipher, size, a3.cipher);
	drop(aad);
	drop(plain);
}

static void the_vector_of_our_own_suite_comes_out_and_opens(void **state)
{
	struct eg_bytes info = unhex(INFO), aad = unhex(AAD), plain = unhex(PLAIN);
	struct eg_bytes enc = unhex(ours.enc), cipher = unhex(ours.cipher);
	struct eg_key *recipient = key_of(ours.recipient);
	struct eg_hpke_context context;
	struct eg_buf sealed, opened;
	uint8_t out[64];

	(void)state;
	check_schedule(&ours, &context);
	assert_int_equal(eg_aead_seal(context.key, context.nonce, aad, plain, out), 0);
	check_hex(out, plain.size + 16, ours.cipher);
	eg_buf_init(&sealed, 256);
	eg_buf_init_secret(&opened, 256);
	assert_int_equal(eg_buf_put(&sealed, enc.data, enc.size), 0);
	assert_int_equal(eg_buf_put(&sealed, cipher.data, cipher.size), 0);
	assert_int_equal(eg_hpke_open(recipient, info, aad, eg_buf_bytes(&sealed), &opened, NULL),
			 0);
	check_hex(opened.data, opened.size, PLAIN);
	eg_buf_done(&opened);
	eg_buf_done(&sealed);
	eg_key_free(recipient);
	drop(info);
	drop(aad);
	drop(plain);
	drop(enc);
	drop(cipher);
}

struct fixture {
	struct eg_key *key;
	struct eg_buf sealed, opened;
};

static struct eg_bytes info, aad, plain;

static int setup(void **state)
{
	struct fixture *f = test_calloc(1, sizeof(*f));

	info = EG_BYTES_STR("info");
	aad = EG_BYTES_STR("aad");
	plain = EG_BYTES_STR("a face");
	eg_buf_init(&f->sealed, 1 << 20);
	eg_buf_init_secret(&f->opened, 1 << 20);
	*state = f;
	if (eg_key_generate(&f->key, NULL) != 0)
		return -1;
	return eg_hpke_seal(eg_key_public(f->key), info, aad, plain, &f->sealed, NULL);
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	eg_buf_done(&f->opened);
	eg_buf_done(&f->sealed);
	eg_key_free(f->key);
	test_free(f);
	return 0;
}

static void what_is_sealed_opens_whatever_its_size(void **state)
{
	static const size_t sizes[] = {0, 1, 15, 16, 17, 100000};
	struct fixture *f = *state;
	struct eg_bytes any;

	for (size_t i = 0; i < COUNT(sizes); i++) {
		any = EG_BYTES(test_calloc(1, sizes[i] + 1), sizes[i]);
		eg_buf_reset(&f->sealed);
		eg_buf_reset(&f->opened);
		assert_int_equal(
			eg_hpke_seal(eg_key_public(f->key), info, aad, any, &f->sealed, NULL), 0);
		assert_int_equal(f->sealed.size, sizes[i] + EG_HPKE_OVERHEAD);
		assert_int_equal(eg_hpke_open(f->key, info, aad, eg_buf_bytes(&f->sealed),
					      &f->opened, NULL),
				 0);
		assert_true(eg_bytes_equal(eg_buf_bytes(&f->opened), any));
		drop(any);
	}
}

static void sealing_twice_gives_different_bytes(void **state)
{
	struct fixture *f = *state;
	size_t half = f->sealed.size;

	assert_int_equal(eg_hpke_seal(eg_key_public(f->key), info, aad, plain, &f->sealed, NULL),
			 0);
	assert_memory_not_equal(f->sealed.data, f->sealed.data + half, EG_P256_PUB_SIZE);
	assert_memory_not_equal(f->sealed.data + EG_P256_PUB_SIZE,
				f->sealed.data + half + EG_P256_PUB_SIZE, plain.size);
}

static void a_change_anywhere_is_noticed(void **state)
{
	struct fixture *f = *state;
	struct eg_err err = EG_ERR_INIT;

	for (size_t i = 0; i < f->sealed.size; i++) {
		f->sealed.data[i] ^= 1;
		assert_int_equal(eg_hpke_open(f->key, info, aad, eg_buf_bytes(&f->sealed),
					      &f->opened, &err),
				 EG_EAUTH);
		assert_string_equal(err.text, "sealed message: not for this key, or changed");
		f->sealed.data[i] ^= 1;
	}
	assert_int_equal(f->opened.size, 0);
	for (size_t size = 0; size < f->sealed.size; size++)
		assert_int_equal(eg_hpke_open(f->key, info, aad, EG_BYTES(f->sealed.data, size),
					      &f->opened, &err),
				 size < EG_HPKE_OVERHEAD ? EG_EINVAL : EG_EAUTH);
}

static void another_key_purpose_or_context_does_not_open(void **state)
{
	struct fixture *f = *state;
	struct eg_bytes sealed = eg_buf_bytes(&f->sealed), other = EG_BYTES_STR("other");
	struct eg_key *stranger;

	assert_int_equal(eg_key_generate(&stranger, NULL), 0);
	assert_int_equal(eg_hpke_open(stranger, info, aad, sealed, &f->opened, NULL), EG_EAUTH);
	assert_int_equal(eg_hpke_open(f->key, other, aad, sealed, &f->opened, NULL), EG_EAUTH);
	assert_int_equal(eg_hpke_open(f->key, info, other, sealed, &f->opened, NULL), EG_EAUTH);
	assert_int_equal(f->opened.size, 0);
	eg_key_free(stranger);
}

static void a_recipient_off_the_curve_gets_nothing(void **state)
{
	uint8_t pub[EG_P256_PUB_SIZE] = {4};
	struct fixture *f = *state;
	struct eg_err err = EG_ERR_INIT;
	size_t before = f->sealed.size;

	assert_int_equal(eg_hpke_seal(pub, info, aad, plain, &f->sealed, &err), EG_EINVAL);
	assert_string_equal(err.text, "sealing failed: malformed");
	assert_int_equal(f->sealed.size, before);
}

static void what_does_not_fit_is_not_half_written(void **state)
{
	struct fixture *f = *state;
	struct eg_buf small;

	eg_buf_init(&small, EG_HPKE_OVERHEAD + plain.size - 1);
	assert_int_equal(eg_hpke_seal(eg_key_public(f->key), info, aad, plain, &small, NULL),
			 EG_ETOOBIG);
	assert_int_equal(small.size, 0);
	eg_buf_done(&small);
	eg_buf_init_secret(&small, plain.size - 1);
	assert_int_equal(eg_hpke_open(f->key, info, aad, eg_buf_bytes(&f->sealed), &small, NULL),
			 EG_ETOOBIG);
	assert_int_equal(small.size, 0);
	eg_buf_done(&small);
}

static int init(void **state)
{
	(void)state;
	return eg_crypto_init(NULL);
}

// The last one: every key and secret buffer of the others has been freed.
static void no_secret_is_left_behind(void **state)
{
	(void)state;
	assert_int_equal(eg_secret_count(), 0);
}

#define WITH(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(appendix_a3_comes_out_to_the_last_byte),
		cmocka_unit_test(the_vector_of_our_own_suite_comes_out_and_opens),
		WITH(what_is_sealed_opens_whatever_its_size),
		WITH(sealing_twice_gives_different_bytes),
		WITH(a_change_anywhere_is_noticed),
		WITH(another_key_purpose_or_context_does_not_open),
		WITH(a_recipient_off_the_curve_gets_nothing),
		WITH(what_does_not_fit_is_not_half_written),
		cmocka_unit_test(no_secret_is_left_behind),
	};

	return cmocka_run_group_tests(tests, init, NULL);
}
