// SPDX-License-Identifier: Apache-2.0
//
// store/trust.c: trust.json and booth.pub, and what must not pass for one.

#include "common.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "firmware/base/file.h"
#include "store/trust.h"

// The generator of P-256 (SEC 2, §2.4.2), and its negative: points known to be on the curve.
#define GX "6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296"
#define GY "4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5"
#define G  "04" GX GY
#define CA "-----BEGIN CERTIFICATE-----\\nMIIB\\n-----END CERTIFICATE-----\\n"
#define BODY                                                                                     \
	"\"booth\":\"lane-12\",\"url\":\"https://centre:8443\",\"ca\":\"" CA "\",\"sign\":[\"" G \
	"\"],\"seal\":\"" G "\""

static int set_up(void **state)
{
	struct eg_err err = EG_ERR_INIT;
	(void)state;
	return eg_crypto_init(&err);
}

static int parse(const char *json, struct eg_trust *trust, struct eg_err *err)
{
	return eg_trust_parse(EG_BYTES_STR(json), trust, err);
}

static void good_file_is_read_with_and_without_token(void **state)
{
	(void)state;
	static struct eg_trust trust;
	struct eg_err err = EG_ERR_INIT;
	uint8_t g[EG_P256_PUB_SIZE], kid[EG_KID_SIZE];
	assert_int_equal(eg_unhex(G, g, sizeof(g)), 0);
	eg_kid(g, kid);
	expect_ok(parse("{" BODY "}", &trust, &err), &err);
	assert_string_equal(trust.booth, "lane-12");
	assert_string_equal(trust.url, "https://centre:8443");
	assert_string_equal(trust.ca_pem,
			    "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n");
	assert_int_equal(trust.sign_count, 1);
	assert_memory_equal(trust.sign[0].pub, g, sizeof(g));
	assert_memory_equal(trust.sign[0].kid, kid, sizeof(kid));
	assert_memory_equal(trust.seal, g, sizeof(g));
	assert_string_equal(trust.token, "");
	expect_ok(parse("{" BODY ",\"token\":\"s3cret\"}", &trust, &err), &err);
	assert_string_equal(trust.token, "s3cret");
}

// A field of the good file, replaced; the sentence must name it.
static void rubbish_is_refused_with_a_sentence_that_names_the_field(void **state)
{
	(void)state;
	static const struct {
		const char *json, *word;
	} cases[] = {
		{"", "JSON"},
		{"[]", "object"},
		{"{" BODY, "JSON"},
		{"{" BODY "} x", "JSON"},
		{"null", "object"},
		{"{}", "booth"},
		{"{" BODY ",\"tokn\":\"x\"}", "tokn"},
		{"{" BODY ",\"booth\":\"lane-12\"}", "twice"},
		{"{" BODY ",\"token\":7}", "token"},
		{"{" BODY ",\"token\":\"\"}", "token"},
		{"{\"booth\":\"a b\"}", "booth"},
		{"{\"booth\":[\"a\"]}", "booth"},
		{"{\"booth\":\"a\\u0000b\"}", ""},
		{"{\"url\":\"http://centre\"}", "url"},
		{"{\"url\":\"https://\"}", "url"},
		{"{\"url\":\"https:///x\"}", "url"},
		{"{\"url\":\"https://:8443\"}", "url"},
		{"{\"url\":\"https://centre/\"}", "url"},
		{"{\"url\":\"https://user@centre\"}", "url"},
		{"{\"url\":\"https://cen tre\"}", "url"},
		{"{\"url\":\"https://centre?x=1\"}", "url"},
		{"{\"ca\":\"hello\"}", "ca"},
		{"{\"ca\":\"-----BEGIN PRIVATE KEY-----\"}", "ca"},
		{"{\"sign\":[]}", "sign"},
		{"{\"sign\":\"" G "\"}", "sign"},
		{"{\"sign\":[\"" G "\",\"" G "\"]}", "twice"},
		{"{\"sign\":[\"\",\"\",\"\",\"\",\"\",\"\",\"\",\"\",\"\"]}", "sign"},
		{"{\"seal\":\"04" GX "\"}", "seal"},
		{"{\"seal\":\"" G "00\"}", "seal"},
		{"{\"seal\":\"05" GX GY "\"}", "seal"},
		{"{\"seal\":\"04" GX GX "\"}", "seal"}, // no point on the curve
		{"{\"seal\":null}", "seal"},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		static struct eg_trust trust;
		struct eg_err err = EG_ERR_INIT;
		int r = parse(cases[i].json, &trust, &err);
		if (r != EG_EINVAL || strstr(err.text, cases[i].word) == NULL)
			fail_msg("%s: %d %s", cases[i].json, r, err.text);
		assert_int_equal(trust.sign_count, 0);
	}
}

static void too_long_and_binary_files_are_refused(void **state)
{
	(void)state;
	static struct eg_trust trust;
	static char big[100000];
	struct eg_err err = EG_ERR_INIT;
	memset(big, ' ', sizeof(big));
	expect_code(eg_trust_parse(EG_BYTES(big, sizeof(big)), &trust, &err), EG_ETOOBIG, &err);
	expect_code(eg_trust_parse(EG_BYTES("{\0}", 3), &trust, &err), EG_EINVAL, &err);
	memset(big, '[', 60000);
	assert_int_not_equal(eg_trust_parse(EG_BYTES(big, 60000), &trust, &err), 0);
	char *json = NULL;
	memset(big, 'a', 300);
	big[300] = '\0';
	assert_true(asprintf(&json, "{\"url\":\"https://%s\"}", big) > 0);
	expect_code(parse(json, &trust, &err), EG_ETOOBIG, &err);
	free(json);
}

static void saved_file_loads_again_and_has_the_right_mode(void **state)
{
	(void)state;
	static struct eg_trust trust, back;
	struct eg_err err = EG_ERR_INIT;
	struct stat st;
	struct eg_buf file;
	expect_ok(parse("{" BODY ",\"token\":\"s3cret\"}", &trust, &err), &err);
	expect_ok(eg_trust_save(&trust, true, "booth.provision", &err), &err);
	assert_int_equal(stat("booth.provision", &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	expect_ok(eg_trust_load("booth.provision", &back, &err), &err);
	assert_memory_equal(&back, &trust, sizeof(back));
	expect_ok(eg_trust_save(&trust, false, "trust.json", &err), &err);
	assert_int_equal(stat("trust.json", &st), 0);
	assert_int_equal(st.st_mode & 07777, 0644);
	expect_ok(eg_trust_load("trust.json", &back, &err), &err);
	assert_string_equal(back.token, "");
	eg_buf_init(&file, 65536);
	expect_ok(eg_file_read("trust.json", &file, &err), &err);
	assert_null(memmem(file.data, file.size, "s3cret", 6));
	eg_buf_done(&file);
}

static void what_could_not_be_loaded_is_not_saved(void **state)
{
	(void)state;
	static struct eg_trust trust;
	struct eg_err err = EG_ERR_INIT;
	(void)unlink("bad.json");
	expect_ok(parse("{" BODY "}", &trust, &err), &err);
	trust.seal[10] ^= 1;
	expect_code(eg_trust_save(&trust, false, "bad.json", &err), EG_EINVAL, &err);
	assert_int_equal(access("bad.json", F_OK), -1);
	expect_code(eg_trust_load("bad.json", &trust, &err), EG_ENOENT, &err);
	assert_non_null(strstr(err.text, "bad.json"));
}

// The bytes are written down by hand from RFC 8949: a2 01 58 41 … 02 58 41 ….
static void booth_keys_are_two_public_keys_in_cbor(void **state)
{
	(void)state;
	struct eg_booth_keys keys, back;
	struct eg_err err = EG_ERR_INIT;
	struct eg_buf out;
	uint8_t expected[1 + 2 * (3 + EG_P256_PUB_SIZE)] = {0xa2, 0x01, 0x58, 0x41};
	assert_int_equal(eg_unhex(G, keys.seal, sizeof(keys.seal)), 0);
	memcpy(keys.sign, keys.seal, sizeof(keys.sign));
	memcpy(expected + 4, keys.seal, EG_P256_PUB_SIZE);
	memcpy(expected + 4 + EG_P256_PUB_SIZE, "\x02\x58\x41", 3);
	memcpy(expected + 7 + EG_P256_PUB_SIZE, keys.sign, EG_P256_PUB_SIZE);
	eg_buf_init(&out, 1024);
	assert_int_equal(eg_booth_keys_encode(&keys, &out), 0);
	assert_int_equal(out.size, sizeof(expected));
	assert_memory_equal(out.data, expected, sizeof(expected));
	expect_ok(eg_booth_keys_decode(eg_buf_bytes(&out), &back, &err), &err);
	assert_memory_equal(&back, &keys, sizeof(keys));
	for (size_t i = 0; i < out.size; i++) {
		expect_code(eg_booth_keys_decode(EG_BYTES(out.data, i), &back, &err), EG_EINVAL,
			    &err);
		out.data[i] ^= 0x10; // off the curve, another key, another type, …
		assert_int_equal(eg_booth_keys_decode(eg_buf_bytes(&out), &back, &err), EG_EINVAL);
		out.data[i] ^= 0x10;
	}
	assert_int_equal(eg_buf_put_u8(&out, 0), 0);
	expect_code(eg_booth_keys_decode(eg_buf_bytes(&out), &back, &err), EG_EINVAL, &err);
	eg_buf_done(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_file_is_read_with_and_without_token),
		cmocka_unit_test(rubbish_is_refused_with_a_sentence_that_names_the_field),
		cmocka_unit_test(too_long_and_binary_files_are_refused),
		cmocka_unit_test(saved_file_loads_again_and_has_the_right_mode),
		cmocka_unit_test(what_could_not_be_loaded_is_not_saved),
		cmocka_unit_test(booth_keys_are_two_public_keys_in_cbor),
	};
	return cmocka_run_group_tests(tests, set_up, NULL);
}
