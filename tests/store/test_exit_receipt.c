// SPDX-License-Identifier: Apache-2.0
//
// store/exit_receipt.c and base45.c: the traveller's proof, and everything that must not pass for
// one. The base45 vectors are those of RFC 9285 §4.

#include "common.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "firmware/base/file.h"
#include "store/base45.h"
#include "store/parse.h"

static struct eg_key *booth, *stranger;

static int set_up(void **state)
{
	(void)state;
	booth = make_key();
	stranger = make_key();
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	eg_key_free(booth);
	eg_key_free(stranger);
	return 0;
}

static struct eg_exit_receipt sample(void)
{
	struct eg_exit_receipt receipt = {
		.booth = "lane-12",
		.port = "KEF",
		.flight = "EG1",
		.manifest = "EG1-2026-11-24",
		.decided_ms = NOW_MS,
		.how = EG_EXIT_OFFICER,
		.name = "Großmann, Ana",
	};
	receipt.id = make_id();
	return receipt;
}

static void sign(const struct eg_exit_receipt *receipt, struct eg_buf *message)
{
	struct eg_err err = EG_ERR_INIT;
	eg_buf_init(message, EG_EXIT_MESSAGE_MAX);
	expect_ok(eg_exit_receipt_sign(receipt, booth, message, &err), &err);
}

static void expect_code45(const char *text, int code, const char *bytes)
{
	struct eg_buf out;
	eg_buf_init(&out, 64);
	assert_int_equal(eg_base45_decode(EG_BYTES_STR(text), &out), code);
	assert_true(eg_bytes_equal(eg_buf_bytes(&out), EG_BYTES_STR(bytes)));
	eg_buf_done(&out);
}

static void vectors_of_rfc_9285(void **state)
{
	(void)state;
	static const struct {
		const char *bytes, *text;
	} vectors[] = {
		{"AB", "BB8"},
		{"Hello!!", "%69 VD92EX0"},
		{"base-45", "UJCLQE7W581"},
		{"ietf!", "QED8WEX0"},
		{"", ""},
	};
	for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
		struct eg_buf out;
		eg_buf_init(&out, 64);
		assert_int_equal(eg_base45_encode(EG_BYTES_STR(vectors[i].bytes), &out), 0);
		assert_string_equal(eg_buf_text(&out), vectors[i].text);
		assert_int_equal(out.size, EG_BASE45_SIZE(strlen(vectors[i].bytes)));
		eg_buf_done(&out);
		expect_code45(vectors[i].text, 0, vectors[i].bytes);
	}
	expect_code45("FGW", 0, "\xff\xff");
	expect_code45("U5", 0, "\xff");
	expect_code45("GGW", EG_EINVAL, ""); // §6: 65536
	expect_code45("V5", EG_EINVAL, "");  // 256
	expect_code45(":::", EG_EINVAL, "");
	expect_code45("::", EG_EINVAL, "");
	expect_code45("BB8B", EG_EINVAL, "");
	expect_code45("bb8", EG_EINVAL, "");
	expect_code45("BB8\n", EG_EINVAL, "");
	expect_code45("BB8B_", EG_EINVAL, "");
}

static void every_pair_of_bytes_comes_back(void **state)
{
	(void)state;
	struct eg_buf text, back;
	eg_buf_init(&text, 8);
	eg_buf_init(&back, 8);
	for (unsigned int n = 0; n < 65536 + 256; n++) {
		const uint8_t pair[2] = {(uint8_t)(n >> 8), (uint8_t)n};
		struct eg_bytes bytes = n < 65536 ? EG_BYTES(pair, 2) : EG_BYTES(pair + 1, 1);
		eg_buf_reset(&text);
		eg_buf_reset(&back);
		assert_int_equal(eg_base45_encode(bytes, &text), 0);
		assert_int_equal(eg_base45_decode(eg_buf_bytes(&text), &back), 0);
		assert_true(eg_bytes_equal(eg_buf_bytes(&back), bytes));
	}
	eg_buf_done(&back);
	eg_buf_done(&text);
}

static void codec_stops_at_its_buffers_end(void **state)
{
	(void)state;
	struct eg_buf out;
	eg_buf_init(&out, 4);
	assert_int_equal(eg_base45_encode(EG_BYTES_STR("abcd"), &out), EG_ETOOBIG);
	assert_int_equal(out.size, 0);
	assert_int_equal(eg_base45_decode(EG_BYTES_STR("%69 VD92EX0"), &out), EG_ETOOBIG);
	assert_int_equal(out.size, 0);
	eg_buf_done(&out);
}

static void receipt_goes_to_text_and_back_with_every_field(void **state)
{
	(void)state;
	for (int named = 0; named < 2; named++) {
		struct eg_exit_receipt receipt = sample(), back;
		struct eg_trusted_key key = trust_in(booth);
		struct eg_err err = EG_ERR_INIT;
		struct eg_buf message, parsed;
		char text[EG_EXIT_TEXT_MAX], name[EG_NAME_MAX];
		if (named == 0)
			receipt.name[0] = '\0';
		sign(&receipt, &message);
		eg_buf_init(&parsed, EG_EXIT_MESSAGE_MAX);
		expect_ok(eg_exit_receipt_text(eg_buf_bytes(&message), text, &err), &err);
		assert_memory_equal(text, "EGX1:", 5);
		assert_int_not_equal(text[strlen(text) - 1], ' ');
		expect_ok(eg_exit_receipt_parse(EG_BYTES_STR(text), &parsed, &err), &err);
		expect_ok(eg_exit_receipt_peek(eg_buf_bytes(&parsed), name, &err), &err);
		assert_string_equal(name, "lane-12");
		expect_ok(eg_exit_receipt_verify(eg_buf_bytes(&parsed), &key, 1, &back, &err),
			  &err);
		assert_memory_equal(&back.id, &receipt.id, sizeof(back.id));
		assert_string_equal(back.booth, receipt.booth);
		assert_string_equal(back.port, receipt.port);
		assert_string_equal(back.flight, receipt.flight);
		assert_string_equal(back.manifest, receipt.manifest);
		assert_int_equal(back.decided_ms, receipt.decided_ms);
		assert_int_equal(back.how, receipt.how);
		assert_string_equal(back.name, receipt.name);
		eg_buf_done(&parsed);
		eg_buf_done(&message);
	}
}

// Text to fields by programs of another make: base45 and CBOR in Python, ES256 by openssl.
static void python_and_openssl_verify_the_same_receipt(void **state)
{
	(void)state;
	struct eg_exit_receipt receipt = sample();
	struct eg_err err = EG_ERR_INIT;
	struct eg_buf message, out;
	char script[512], text[EG_EXIT_TEXT_MAX], public[2 * EG_P256_PUB_SIZE + 1], expected[512];
	char id[2 * EG_ID_SIZE + 1];
	const char *source = getenv("EGRESS_SOURCE");
	if (source == NULL)
		skip();
	sign(&receipt, &message);
	expect_ok(eg_exit_receipt_text(eg_buf_bytes(&message), text, &err), &err);
	eg_hex(eg_key_public(booth), EG_P256_PUB_SIZE, public);
	(void)snprintf(script, sizeof(script), "%s/tests/store/check_receipt.py", source);
	eg_buf_init(&out, 4096);
	assert_int_equal(
		run((const char *const[]){"python3", "-B", script, text, public, ".", NULL}, &out),
		0);
	eg_hex(receipt.id.bytes, EG_ID_SIZE, id);
	(void)snprintf(expected, sizeof(expected),
		       "1 %s\n2 lane-12\n3 KEF\n4 EG1\n5 EG1-2026-11-24\n6 %lld\n7 2\n"
		       "8 Großmann, Ana\n",
		       id, NOW_MS);
	assert_string_equal(eg_buf_text(&out), expected);
	eg_buf_done(&out);
	eg_buf_done(&message);
}

static void another_booths_key_or_kind_of_message_is_refused(void **state)
{
	(void)state;
	struct eg_exit_receipt receipt = sample(), back;
	struct eg_trusted_key other = trust_in(stranger), key = trust_in(booth);
	struct eg_err err = EG_ERR_INIT;
	struct eg_buf message, payload, signed_;
	sign(&receipt, &message);
	expect_code(eg_exit_receipt_verify(eg_buf_bytes(&message), &other, 1, &back, &err),
		    EG_EAUTH, &err);
	// The same words, signed by the booth as something else.
	eg_buf_init(&payload, 1024);
	eg_buf_init(&signed_, 1024);
	expect_ok(eg_exit_receipt_write(&receipt, &payload, &err), &err);
	expect_ok(eg_cose_sign(booth, EG_BYTES_STR(EG_ENCOUNTER_CONTEXT), eg_buf_bytes(&payload),
			       &signed_, &err),
		  &err);
	expect_code(eg_exit_receipt_verify(eg_buf_bytes(&signed_), &key, 1, &back, &err), EG_EAUTH,
		    &err);
	eg_buf_done(&signed_);
	eg_buf_done(&payload);
	eg_buf_done(&message);
}

static void every_changed_missing_or_extra_byte_is_refused(void **state)
{
	(void)state;
	struct eg_exit_receipt receipt = sample(), back;
	struct eg_trusted_key key = trust_in(booth);
	struct eg_err err = EG_ERR_INIT;
	struct eg_buf message;
	char name[EG_NAME_MAX];
	sign(&receipt, &message);
	for (size_t i = 0; i < message.size; i++) {
		message.data[i] ^= 0x04;
		assert_int_not_equal(
			eg_exit_receipt_verify(eg_buf_bytes(&message), &key, 1, &back, &err), 0);
		message.data[i] ^= 0x04;
		expect_code(eg_exit_receipt_verify(EG_BYTES(message.data, i), &key, 1, &back, &err),
			    EG_EINVAL, &err);
	}
	for (size_t i = 0; i < message.size - 64 - 2; i++) // what goes before the signature
		expect_code(eg_exit_receipt_peek(EG_BYTES(message.data, i), name, &err), EG_EINVAL,
			    &err);
	eg_buf_done(&message);
}

static void what_does_not_fit_is_not_signed(void **state)
{
	(void)state;
	struct eg_buf out;
	eg_buf_init(&out, 4096);
	for (int i = 0; i < 8; i++) {
		struct eg_exit_receipt receipt = sample();
		struct eg_err err = EG_ERR_INIT;
		if (i == 0)
			receipt.booth[0] = '\0';
		else if (i == 1)
			receipt.port[0] = ' ';
		else if (i == 2)
			receipt.flight[0] = '\n';
		else if (i == 3)
			receipt.manifest[0] = '\0';
		else if (i == 4)
			receipt.how = (enum eg_exit_how)0;
		else if (i == 5)
			receipt.how = EG_EXIT_HOW_COUNT;
		else if (i == 6)
			receipt.name[0] = '\x1b';
		else
			receipt.decided_ms = -1;
		expect_code(eg_exit_receipt_sign(&receipt, booth, &out, &err), EG_EINVAL, &err);
		assert_int_equal(out.size, 0);
	}
	eg_buf_done(&out);
}

// Field 7, "how", replaced by one that is none, left out, or there twice.
static void missing_or_unknown_fields_are_refused(void **state)
{
	(void)state;
	struct eg_exit_receipt receipt = sample(), back;
	struct eg_err err = EG_ERR_INIT;
	struct eg_buf payload;
	eg_buf_init(&payload, EG_EXIT_MESSAGE_MAX);
	expect_ok(eg_exit_receipt_write(&receipt, &payload, &err), &err);
	uint8_t *how = memmem(payload.data, payload.size, "\x07\x02\x08", 3);
	assert_non_null(how);
	for (uint8_t key = 0; key < 24; key++) {
		how[0] = key;
		if (key != 7)
			expect_code(eg_exit_receipt_read(eg_buf_bytes(&payload), &back, &err),
				    EG_EINVAL, &err);
	}
	memmove(how, how + 2, payload.size - (size_t)(how + 2 - payload.data));
	payload.size -= 2;
	payload.data[0]--; // a map of seven
	expect_code(eg_exit_receipt_read(eg_buf_bytes(&payload), &back, &err), EG_EINVAL, &err);
	eg_buf_done(&payload);
}

// The longest receipt there may be still has room everywhere.
static void longest_receipt_fits(void **state)
{
	(void)state;
	struct eg_exit_receipt receipt = sample();
	struct eg_err err = EG_ERR_INIT;
	struct eg_buf message, parsed;
	char text[EG_EXIT_TEXT_MAX];
	memset(receipt.booth, 'b', EG_NAME_MAX - 1);
	memset(receipt.port, 'p', EG_NAME_MAX - 1);
	memset(receipt.flight, 'f', EG_NAME_MAX - 1);
	memset(receipt.manifest, 'm', EG_NAME_MAX - 1);
	memset(receipt.name, 'n', EG_PERSON_NAME_MAX - 1);
	sign(&receipt, &message);
	eg_buf_init(&parsed, EG_EXIT_MESSAGE_MAX);
	expect_ok(eg_exit_receipt_text(eg_buf_bytes(&message), text, &err), &err);
	expect_ok(eg_exit_receipt_parse(EG_BYTES_STR(text), &parsed, &err), &err);
	assert_true(eg_bytes_equal(eg_buf_bytes(&message), eg_buf_bytes(&parsed)));
	eg_buf_done(&parsed);
	eg_buf_done(&message);
}

static void broken_lines_are_mended_and_other_texts_refused(void **state)
{
	(void)state;
	static const char *const bad[] = {"",	      "EGX1:",	   "EGX2:BB8",
					  "egx1:BB8", " EGX1:BB8", "EGX1:BB8B",
					  "EGX1:bb8", "EGX1:BB8 ", "BB8"};
	struct eg_exit_receipt receipt = sample();
	struct eg_err err = EG_ERR_INIT;
	struct eg_buf message, parsed, folded;
	char text[EG_EXIT_TEXT_MAX];
	sign(&receipt, &message);
	expect_ok(eg_exit_receipt_text(eg_buf_bytes(&message), text, &err), &err);
	eg_buf_init(&folded, 4096);
	eg_buf_init(&parsed, EG_EXIT_MESSAGE_MAX);
	for (size_t i = 0; text[i] != '\0'; i++)
		assert_int_equal(eg_buf_printf(&folded, "%c%s", text[i], i % 50 == 3 ? "\r\n" : ""),
				 0);
	expect_ok(eg_exit_receipt_parse(eg_buf_bytes(&folded), &parsed, &err), &err);
	assert_true(eg_bytes_equal(eg_buf_bytes(&message), eg_buf_bytes(&parsed)));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		eg_buf_reset(&parsed);
		expect_code(eg_exit_receipt_parse(EG_BYTES_STR(bad[i]), &parsed, &err), EG_EINVAL,
			    &err);
		assert_int_equal(parsed.size, 0);
	}
	eg_buf_reset(&folded);
	for (int i = 0; i < 500; i++)
		assert_int_equal(eg_buf_put(&folded, i == 0 ? "EGX1:" : "BB8", i == 0 ? 5 : 3), 0);
	expect_code(eg_exit_receipt_parse(eg_buf_bytes(&folded), &parsed, &err), EG_EINVAL, &err);
	eg_buf_done(&parsed);
	eg_buf_done(&folded);
	eg_buf_done(&message);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(vectors_of_rfc_9285),
		cmocka_unit_test(every_pair_of_bytes_comes_back),
		cmocka_unit_test(codec_stops_at_its_buffers_end),
		cmocka_unit_test(receipt_goes_to_text_and_back_with_every_field),
		cmocka_unit_test(python_and_openssl_verify_the_same_receipt),
		cmocka_unit_test(another_booths_key_or_kind_of_message_is_refused),
		cmocka_unit_test(every_changed_missing_or_extra_byte_is_refused),
		cmocka_unit_test(what_does_not_fit_is_not_signed),
		cmocka_unit_test(missing_or_unknown_fields_are_refused),
		cmocka_unit_test(longest_receipt_fits),
		cmocka_unit_test(broken_lines_are_mended_and_other_texts_refused),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
