// SPDX-License-Identifier: Apache-2.0
//
// The published messages (cose-wg/Examples, sign1-tests) have no key id or an unprotected one, so
// eg_cose_verify must refuse them; what they sign and how is checked one layer below.

#include "test.h"

#include "firmware/base/cbor.h"
#include "firmware/base/cose_internal.h"

#define EXAMPLE_PUB                                                          \
	"04bac5b11cad8f99f9c72b05cf4b9e26d244dc189f745228255a219a86d6a09eff" \
	"20138bf82dc1b6d562be0fa54ab7804a3a64b6d72ccfed6b6fb6ed28bbfc117e"
#define CONTENT "546869732069732074686520636F6E74656E742E"

// sign-pass-01 (empty protected header) and sign-pass-02 (external data).
static void published_signatures_verify_over_our_structure(void **state)
{
	static const struct {
		const char *protected, *aad, *to_be_signed, *signature;
	} cases[] = {
		{"", "",
		 "846a5369676e61747572653140405454686973206973207468652063"
		 "6f6e74656e742e",
		 "87DB0D2E5571843B78AC33ECB2830DF7B6E0A4D5B7376DE336B23C591C90C425"
		 "317E56127FBE04370097CE347087B233BF722B64072BEB4486BDA4031D27244F"},
		{"A10126", "11AA22BB33CC44DD55006699",
		 "846a5369676e61747572653143a101264c11aa22bb33cc44dd5500669954546869"
		 "732069732074686520636f6e74656e742e",
		 "10729CD711CB3813D8D8E944A8DA7111E7B258C9BDCA6135F7AE1ADBEE950989"
		 "1267837E1E33BD36C150326AE62755C6BD8E540C3E8F92D7D225E8DB72B8820B"},
	};
	struct eg_bytes pub = unhex(EXAMPLE_PUB), payload = unhex(CONTENT);

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct eg_bytes protected = unhex(cases[i].protected), aad = unhex(cases[i].aad);
		struct eg_bytes signature = unhex(cases[i].signature);
		struct eg_buf buf;

		eg_buf_init(&buf, 256);
		assert_int_equal(eg_cose_put_structure(&buf, protected, aad, payload), 0);
		check_hex(buf.data, buf.size, cases[i].to_be_signed);
		assert_int_equal(eg_verify(pub.data, eg_buf_bytes(&buf), signature.data), 0);
		eg_buf_done(&buf);
		drop(protected);
		drop(aad);
		drop(signature);
	}
	drop(pub);
	drop(payload);
}

// sign-pass-01 to 03 and sign-fail-01, 02, as they stand.
static void published_messages_without_our_header_are_refused(void **state)
{
#define TAIL                                                               \
	"A10442313154" CONTENT "5840"                                      \
	"8EB33E4CA31D1C465AB05AAC34CC6B23D58FEF5C083106C4D25A91AEF0B0117E" \
	"2AF9A291AA32E14AB834DC56ED2A223444547E01F11D3B0916E5A4C345CACB36"
	static const char *const messages[] = {
		"D28441A0A20126044231315454686973206973207468652063"
		"6F6E74656E742E584087DB0D2E5571843B78AC33ECB2830DF7B6E0A4D5B7376DE3"
		"36B23C591C90C425317E56127FBE04370097CE347087B233BF722B64072BEB4486"
		"BDA4031D27244F",
		"D28443A10126" TAIL,
		"8443A10126" TAIL,
		"D903E68443A10126" TAIL,
	};
	struct eg_trusted_key key = {.kid = "11"};

	(void)state;
	assert_int_equal(eg_unhex(EXAMPLE_PUB, key.pub, sizeof(key.pub)), 0);
	for (size_t i = 0; i < COUNT(messages); i++) {
		struct eg_bytes message = unhex(messages[i]), payload = {0};

		assert_int_equal(eg_cose_verify(message, (struct eg_bytes){0}, &key, 1, &payload,
						NULL, NULL),
				 EG_EINVAL);
		assert_null(payload.data);
		drop(message);
	}
}

struct fixture {
	struct eg_key *key;
	struct eg_trusted_key trusted[2]; // [1] is the key's
	struct eg_buf message;
};

static struct eg_bytes aad, payload;

static int setup(void **state)
{
	struct fixture *f = test_calloc(1, sizeof(*f));
	struct eg_key *other;

	aad = EG_BYTES_STR("egress/test/v1");
	payload = EG_BYTES_STR("payload");
	if (eg_key_generate(&f->key, NULL) != 0 || eg_key_generate(&other, NULL) != 0)
		return -1;
	memcpy(f->trusted[0].pub, eg_key_public(other), EG_P256_PUB_SIZE);
	memcpy(f->trusted[1].pub, eg_key_public(f->key), EG_P256_PUB_SIZE);
	for (int i = 0; i < 2; i++)
		eg_kid(f->trusted[i].pub, f->trusted[i].kid);
	eg_key_free(other);
	eg_buf_init(&f->message, 4096);
	*state = f;
	return eg_cose_sign(f->key, aad, payload, &f->message, NULL);
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	eg_buf_done(&f->message);
	eg_key_free(f->key);
	test_free(f);
	return 0;
}

static int verify(const struct fixture *f, struct eg_bytes message, struct eg_bytes *ret_payload)
{
	struct eg_err err = EG_ERR_INIT;
	int r = eg_cose_verify(message, aad, f->trusted, 2, ret_payload, NULL, &err);

	if (r != 0)
		assert_true(err.text[0] != '\0' && err.code == r);
	return r;
}

static void a_signed_statement_has_the_stated_form(void **state)
{
	struct fixture *f = *state;
	char head[64], kid[17], tail[32];

	eg_hex(f->trusted[1].kid, EG_KID_SIZE, kid);
	(void)snprintf(head, sizeof(head), "d2844da201260448%sa047", kid);
	check_hex(f->message.data, 18, head);
	eg_hex(payload.data, payload.size, tail);
	check_hex(f->message.data + 18, payload.size, tail);
	check_hex(f->message.data + 18 + payload.size, 2, "5840");
	assert_int_equal(f->message.size, 18 + payload.size + 2 + 64);
}

static void the_payload_is_a_view_into_what_was_verified(void **state)
{
	struct fixture *f = *state;
	struct eg_bytes got;
	size_t index = 7;

	assert_int_equal(eg_cose_verify(eg_buf_bytes(&f->message), aad, f->trusted, 2, &got, &index,
					NULL),
			 0);
	assert_int_equal(index, 1);
	assert_true(eg_bytes_equal(got, payload));
	assert_ptr_equal(got.data, f->message.data + 18);
}

static void a_change_of_any_bit_is_noticed(void **state)
{
	struct fixture *f = *state;
	struct eg_bytes got = {0};

	for (size_t i = 0; i < 8 * f->message.size; i++) {
		f->message.data[i / 8] ^= (uint8_t)(1 << i % 8);
		assert_int_not_equal(verify(f, eg_buf_bytes(&f->message), &got), 0);
		f->message.data[i / 8] ^= (uint8_t)(1 << i % 8);
	}
	assert_null(got.data);
	assert_int_equal(verify(f, eg_buf_bytes(&f->message), &got), 0);
}

static void every_truncation_and_extension_is_malformed(void **state)
{
	struct fixture *f = *state;
	struct eg_bytes got;

	for (size_t size = 0; size < f->message.size; size++) {
		uint8_t *copy = test_malloc(size + (size == 0)); // exact, for ASan

		memcpy(copy, f->message.data, size);
		assert_int_equal(verify(f, EG_BYTES(copy, size), &got), EG_EINVAL);
		test_free(copy);
	}
	assert_int_equal(eg_buf_put_u8(&f->message, 0), 0);
	assert_int_equal(verify(f, eg_buf_bytes(&f->message), &got), EG_EINVAL);
}

static void a_statement_of_another_kind_does_not_pass(void **state)
{
	struct fixture *f = *state;
	struct eg_err err = EG_ERR_INIT;
	struct eg_bytes got;

	assert_int_equal(eg_cose_verify(eg_buf_bytes(&f->message), EG_BYTES_STR("egress/ack/v1"),
					f->trusted, 2, &got, NULL, &err),
			 EG_EAUTH);
	assert_string_equal(err.text, "the signature is wrong");
}

static void a_key_that_is_not_trusted_does_not_pass(void **state)
{
	struct fixture *f = *state;
	struct eg_err err = EG_ERR_INIT;
	struct eg_bytes got;

	assert_int_equal(eg_cose_verify(eg_buf_bytes(&f->message), aad, f->trusted, 1, &got, NULL,
					&err),
			 EG_EAUTH);
	assert_string_equal(err.text, "signed by a key that is not trusted here");
	assert_int_equal(eg_cose_verify(eg_buf_bytes(&f->message), aad, NULL, 0, &got, NULL, &err),
			 EG_EAUTH);
	// The name of a trusted key does not help: the signature is not by that key.
	memcpy(f->trusted[0].kid, f->trusted[1].kid, EG_KID_SIZE);
	assert_int_equal(eg_cose_verify(eg_buf_bytes(&f->message), aad, f->trusted, 1, &got, NULL,
					&err),
			 EG_EAUTH);
}

static void other_headers_are_unsupported(void **state)
{
	static const struct {
		const char *protected;
		int code;
	} cases[] = {
		{"a201382204480001020304050607", EG_EUNSUPPORTED}, // ES384
		{"a10126", EG_EINVAL},				   // no kid
		{"a104480001020304050607", EG_EINVAL},		   // no algorithm
		{"a20126044700010203040506", EG_EINVAL},	   // short kid
		{"a201260448000102030405060700", EG_EINVAL},	   // left over
		{"a2012603182a", EG_EUNSUPPORTED},		   // content type
		{"a2044800010203040506070126", EG_EINVAL},	   // order
		{"a0", EG_EINVAL},
		{"", EG_EINVAL},
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct eg_bytes protected = unhex(cases[i].protected), got;
		static const uint8_t zeros[EG_P256_SIG_SIZE];
		struct eg_buf buf;

		eg_buf_init(&buf, 256);
		assert_int_equal(eg_cbor_put_tag(&buf, 18), 0);
		assert_int_equal(eg_cbor_put_array(&buf, 4), 0);
		assert_int_equal(eg_cbor_put_bytes(&buf, protected), 0);
		assert_int_equal(eg_cbor_put_map(&buf, 0), 0);
		assert_int_equal(eg_cbor_put_bytes(&buf, payload), 0);
		assert_int_equal(eg_cbor_put_bytes(&buf, EG_BYTES(zeros, sizeof(zeros))), 0);
		assert_int_equal(verify(f, eg_buf_bytes(&buf), &got), cases[i].code);
		eg_buf_done(&buf);
		drop(protected);
	}
}

static void what_does_not_fit_is_not_half_written(void **state)
{
	struct fixture *f = *state;
	struct eg_err err = EG_ERR_INIT;
	struct eg_buf out;

	eg_buf_init(&out, f->message.size + 2);
	assert_int_equal(eg_buf_put(&out, "abc", 3), 0);
	assert_int_equal(eg_cose_sign(f->key, aad, payload, &out, &err), EG_ETOOBIG);
	assert_string_equal(err.text, "a statement could not be signed: too big");
	assert_int_equal(out.size, 3);
	eg_buf_done(&out);
}

static void an_empty_payload_is_one(void **state)
{
	struct fixture *f = *state;
	struct eg_bytes got = payload;

	eg_buf_reset(&f->message);
	assert_int_equal(eg_cose_sign(f->key, aad, (struct eg_bytes){0}, &f->message, NULL), 0);
	assert_int_equal(verify(f, eg_buf_bytes(&f->message), &got), 0);
	assert_int_equal(got.size, 0);
}

static int init(void **state)
{
	(void)state;
	return eg_crypto_init(NULL);
}

#define WITH(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(published_signatures_verify_over_our_structure),
		cmocka_unit_test(published_messages_without_our_header_are_refused),
		WITH(a_signed_statement_has_the_stated_form),
		WITH(the_payload_is_a_view_into_what_was_verified),
		WITH(a_change_of_any_bit_is_noticed),
		WITH(every_truncation_and_extension_is_malformed),
		WITH(a_statement_of_another_kind_does_not_pass),
		WITH(a_key_that_is_not_trusted_does_not_pass),
		WITH(other_headers_are_unsupported),
		WITH(what_does_not_fit_is_not_half_written),
		WITH(an_empty_payload_is_one),
	};

	return cmocka_run_group_tests(tests, init, NULL);
}
