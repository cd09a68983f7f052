// SPDX-License-Identifier: Apache-2.0
//
// store/manifest.c: names, and the digests of documents and boarding passes.

#include "common.h"

#include <string.h>

static int set_up(void **state)
{
	struct eg_err err = EG_ERR_INIT;
	(void)state;
	return eg_crypto_init(&err);
}

static void document_digest_is_hmac_of_the_normal_form(void **state)
{
	(void)state;
	// printf 'doc\0UTO\0L898902C3' | openssl dgst -sha256 -mac HMAC -macopt hexkey:<32 × 0b>
	static const char *const printed[] = {"L898902C3", "l898902c3", "L898 902-C3",
					      "L898902C3<<<"};
	uint8_t salt[32], expected[32], digest[32];
	memset(salt, 0x0b, sizeof(salt));
	assert_int_equal(
		eg_unhex("74a802e24a82e29e4f12ccff0548cd7ab53b7662bdc8d4846f50a842f64bf0ed",
			 expected, sizeof(expected)),
		0);
	for (size_t i = 0; i < sizeof(printed) / sizeof(printed[0]); i++) {
		assert_int_equal(eg_manifest_document_digest(salt, "UTO", printed[i], digest), 0);
		assert_memory_equal(digest, expected, sizeof(digest));
	}
	assert_int_equal(eg_manifest_document_digest(salt, "", "L898902C3", digest), 0);
	assert_memory_not_equal(digest, expected, sizeof(digest));
	assert_int_equal(eg_manifest_document_digest(salt, "UTO", "<< <", digest), EG_EINVAL);
	assert_int_equal(eg_manifest_document_digest(salt, "UTO", "\xc3\x84", digest), EG_EINVAL);
}

static void pass_digest_drops_leading_zeros_of_the_sequence(void **state)
{
	(void)state;
	// printf 'pass\0ABC123\0%s' 25 | openssl dgst -sha256 -mac HMAC -macopt hexkey:<32 × 0b>
	static const char *const printed[] = {"25", "0025", "0025 ", "00025"};
	uint8_t salt[32], expected[32], digest[32];
	memset(salt, 0x0b, sizeof(salt));
	assert_int_equal(
		eg_unhex("f16c0f0bc73ea53e606068b485e5f626133bf1aa86f1b07e61e663ef4a871e29",
			 expected, sizeof(expected)),
		0);
	for (size_t i = 0; i < sizeof(printed) / sizeof(printed[0]); i++) {
		assert_int_equal(eg_manifest_pass_digest(salt, "ABC123 ", printed[i], digest), 0);
		assert_memory_equal(digest, expected, sizeof(digest));
	}
	assert_int_equal(eg_manifest_pass_digest(salt, "ABC123", "0000", digest), 0);
	assert_int_equal(eg_manifest_pass_digest(salt, "ABC123", "", digest), EG_EINVAL);
}

static void names_are_safe_in_urls_and_files(void **state)
{
	(void)state;
	static const char *const good[] = {"UA1", "lane-12", "UA837.2026-11-24", "a_b:c", "7"};
	static const char *const bad[] = {"",	".",	"..",	    "a/b", "a b",
					  "-a", "a%2f", "\xc3\xa4", "a\n"};
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_true(eg_name_is_valid(good[i]));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(eg_name_is_valid(bad[i]));
	assert_string_equal(eg_citizenship_name(EG_VISITOR), "visitor");
	assert_string_equal(eg_photo_source_name(EG_PHOTO_ENTRY), "entry");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(document_digest_is_hmac_of_the_normal_form),
		cmocka_unit_test(pass_digest_drops_leading_zeros_of_the_sequence),
		cmocka_unit_test(names_are_safe_in_urls_and_files),
	};
	return cmocka_run_group_tests(tests, set_up, NULL);
}
