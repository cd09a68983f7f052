// SPDX-License-Identifier: Apache-2.0

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "firmware/base/crypto.h"
#include "firmware/base/file.h"
#include "store/site.h"

#define DIGEST "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"

static struct eg_err err;

static void put(const char *text)
{
	assert_int_equal(eg_file_write("site.conf", EG_BYTES_STR(text), 0644, &err), 0);
}

static void what_was_saved_is_loaded(void **state)
{
	const struct eg_site saved = {.shift = -0.4375,
				      .measured = "2026-11-24T13:50:02Z",
				      .live = 6,
				      .attacks = 8,
				      .pack = DIGEST,
				      .camera = "a camera, rev. 2"};
	struct eg_site site = {0};

	(void)state;
	assert_int_equal(eg_site_save(&saved, "site.conf", &err), 0);
	if (eg_site_load("site.conf", &site, &err) != 0)
		fail_msg("%s", err.text);
	assert_float_equal(site.shift, -0.4375, 0);
	assert_string_equal(site.measured, saved.measured);
	assert_int_equal(site.live, 6);
	assert_int_equal(site.attacks, 8);
	assert_string_equal(site.pack, DIGEST);
	assert_string_equal(site.camera, saved.camera);
}

static void files_that_say_too_much_or_too_little_are_refused(void **state)
{
	static const char *const bad[] = {
		"shift = 1.6\nmeasured = x\nlive = 6\nattacks = 8\npack = " DIGEST "\ncamera = c\n",
		"shift = nan\nmeasured = x\nlive = 6\nattacks = 8\npack = " DIGEST "\ncamera = c\n",
		"shift = 1\nmeasured = x\nlive = 4\nattacks = 8\npack = " DIGEST "\ncamera = c\n",
		"shift = 1\nmeasured = x\nlive = 6\nattacks = 8\npack = 0011\ncamera = c\n",
		"shift = 1\nmeasured = x\nlive = 6\nattacks = 8\npack = " DIGEST "\n",
		"measured = x\nlive = 6\nattacks = 8\npack = " DIGEST "\ncamera = c\n",
		"shift = 1\nmeasured = x\nlive = 6\nattacks = 8\npack = " DIGEST
		"\ncamera = c\nbias = 1\n",
	};
	struct eg_site site;
	char text[512];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		(void)snprintf(text, sizeof(text), "[liveness]\n%s", bad[i]);
		put(text);
		if (eg_site_load("site.conf", &site, &err) != EG_EINVAL)
			fail_msg("taken: %s", text);
		assert_non_null(strstr(err.text, "site.conf"));
	}
	(void)unlink("site.conf");
	assert_int_equal(eg_site_load("site.conf", &site, &err), EG_ENOENT);
}

// logit(0.5) = 0, so 0.5 moves to 1 / (1 + e^−shift).
static void the_shift_moves_the_policys_threshold(void **state)
{
	(void)state;
	assert_float_equal(eg_site_threshold(0, 0.5), 0.5, 1e-12);
	assert_float_equal(eg_site_threshold(1.5, 0.5), 0.817574, 1e-6);
	assert_float_equal(eg_site_threshold(-1.5, 0.5), 0.182426, 1e-6);
	assert_float_equal(eg_site_threshold(log(2), 0.25), 0.4, 1e-9); // odds 1:3 doubled
	assert_float_equal(eg_site_threshold(1, 0), 0, 0);
	assert_float_equal(eg_site_threshold(-1, 1), 1, 0);
}

// Odds of 9:1 and 3:2: a quarter of the way up from 3:2 is 9^¼ · 1.5^¾ = 2.34761, that is 0.70128.
// Of 1:9 and 2:3, the other way round.
static void the_threshold_moves_into_the_gap(void **state)
{
	double live[] = {0.9, 0.9, 0.9, 0.9, 0.9}, attacks[] = {0.6, 0.6, 0.6, 0.6, 0.6, 0.6};
	double low_live[] = {0.4, 0.4, 0.4, 0.4, 0.4}, low[] = {0.1, 0.1, 0.1, 0.1, 0.1};
	struct eg_site_groups g;

	(void)state;
	assert_int_equal(eg_site_part(live, 5, attacks, 6, 0.5, &g, &err), 0);
	assert_float_equal(g.threshold, 0.70128, 1e-5);
	assert_float_equal(g.shift, log(2.34761), 1e-5);
	assert_int_equal(g.refused, 0);
	assert_int_equal(g.passed, 0);
	assert_int_equal(eg_site_part(low_live, 5, low, 5, 0.5, &g, &err), 0);
	assert_float_equal(g.threshold, 0.29872F, 1e-5F);
}

static void a_threshold_in_the_middle_of_the_gap_stays(void **state)
{
	double live[] = {0.8, 0.8, 0.8, 0.8, 0.8}, attacks[] = {0.1, 0.1, 0.1, 0.1, 0.1};
	struct eg_site_groups g;

	(void)state;
	assert_int_equal(eg_site_part(live, 5, attacks, 5, 0.5, &g, &err), 0);
	assert_float_equal(g.shift, 0, 0);
	assert_float_equal(g.threshold, 0.5, 0);
}

static void the_shift_is_bounded(void **state)
{
	double live[] = {0.9999, 0.999, 0.9999, 0.999, 0.9999};
	double attacks[] = {0.9, 0.91, 0.7, 0.6, 0.9};
	struct eg_site_groups g;

	(void)state;
	// The gap lies above 0.82, so three attacks pass.
	assert_int_equal(eg_site_part(live, 5, attacks, 5, 0.5, &g, &err), EG_EINVAL);
	assert_float_equal(g.shift, EG_SITE_SHIFT_MAX, 0);
	assert_int_equal(g.passed, 3);
	assert_non_null(strstr(err.text, "overlap"));
}

static void groups_that_overlap_are_refused(void **state)
{
	double live[] = {0.7, 0.3, 0.8, 0.35, 0.9}, attacks[] = {0.5, 0.2, 0.6, 0.1, 0.4};
	struct eg_site_groups g;

	(void)state;
	assert_int_equal(eg_site_part(live, 5, attacks, 5, 0.5, &g, &err), EG_EINVAL);
	assert_int_equal(g.refused, 2);
	assert_int_equal(g.passed, 2);
	assert_non_null(strstr(err.text, "2 of 5 people"));
	assert_non_null(strstr(err.text, "begin again"));
}

static void too_few_are_refused(void **state)
{
	double live[] = {0.9, 0.9, 0.9, 0.9}, attacks[] = {0.1, 0.1, 0.1, 0.1, 0.1};
	struct eg_site_groups g;

	(void)state;
	assert_int_equal(eg_site_part(live, 4, attacks, 5, 0.5, &g, &err), EG_EINVAL);
	assert_non_null(strstr(err.text, "4 live and 5 attack"));
	assert_int_equal(eg_site_part(live, 0, attacks, 5, 0.5, &g, &err), EG_EINVAL);
	assert_int_equal(eg_site_part(attacks, 5, live, 4, 0.5, &g, &err), EG_EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_saved_is_loaded),
		cmocka_unit_test(files_that_say_too_much_or_too_little_are_refused),
		cmocka_unit_test(the_shift_moves_the_policys_threshold),
		cmocka_unit_test(the_threshold_moves_into_the_gap),
		cmocka_unit_test(a_threshold_in_the_middle_of_the_gap_stays),
		cmocka_unit_test(the_shift_is_bounded),
		cmocka_unit_test(groups_that_overlap_are_refused),
		cmocka_unit_test(too_few_are_refused),
	};

	if (eg_crypto_init(&err) != 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
