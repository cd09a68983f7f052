// SPDX-License-Identifier: Apache-2.0

#include "test.h"

#include "match/calib.h"

static const struct eg_pack_point points[] = {{0.2, 1e-1}, {0.3, 1e-2}, {0.4, 1e-4}};

static struct eg_calib *make(void)
{
	struct eg_calib *calib = NULL;

	assert_int_equal(eg_calib_new(points, 3, 1e-3, &calib, NULL), 0);
	return calib;
}

static void check_threshold(const struct eg_calib *calib, double fmr, double score, bool guess)
{
	bool guessed = !guess;

	assert_true(fabs(eg_calib_threshold(calib, fmr, &guessed) - score) < 1e-9);
	assert_int_equal(guessed, guess);
}

static void points_come_out_as_they_went_in(void **state)
{
	struct eg_calib *calib = make();

	(void)state;
	check_threshold(calib, 1e-1, 0.2, false);
	check_threshold(calib, 1e-2, 0.3, false);
	check_threshold(calib, 1e-4, 0.4, true); // below the floor of 1e-3
	assert_true(fabs(eg_calib_fmr(calib, 0.3) - 1e-2) < 1e-12);
	eg_calib_free(calib);
}

static void between_points_the_logarithm_is_linear(void **state)
{
	struct eg_calib *calib = make();

	(void)state;
	check_threshold(calib, sqrt(1e-1 * 1e-2), 0.25, false);
	check_threshold(calib, 1e-3, 0.35, false); // the floor itself is no guess
	assert_true(fabs(eg_calib_fmr(calib, 0.35) / 1e-3 - 1) < 1e-9);
	eg_calib_free(calib);
}

static void beyond_the_last_point_its_slope_goes_on_as_a_guess(void **state)
{
	struct eg_calib *calib = make();

	(void)state;
	check_threshold(calib, 1e-6, 0.5, true);
	assert_true(fabs(eg_calib_fmr(calib, 0.6) / 1e-8 - 1) < 1e-9);
	eg_calib_free(calib);
}

static void every_score_passes_at_minus_one(void **state)
{
	struct eg_calib *calib = make();

	(void)state;
	assert_true(eg_calib_fmr(calib, -1) == 1);
	assert_true(eg_calib_fmr(calib, -5) == 1);
	check_threshold(calib, sqrt(1e-1), (-1 + 0.2) / 2, false);
	eg_calib_free(calib);
}

static void no_score_reaches_a_target_out_of_range(void **state)
{
	static const double bad[] = {0, -1, 1, 2, NAN, INFINITY, -INFINITY};
	struct eg_calib *calib = make();

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		check_threshold(calib, bad[i], 2, true);
	assert_true(eg_calib_fmr(calib, NAN) == 1);
	eg_calib_free(calib);
}

static void the_two_lookups_are_inverse_and_monotone(void **state)
{
	struct eg_calib *calib = make();
	double before = -1;

	(void)state;
	for (double exponent = -0.01; exponent > -12; exponent -= 0.037) {
		double score = eg_calib_threshold(calib, pow(10, exponent), NULL);

		assert_true(score > before);
		assert_true(fabs(log10(eg_calib_fmr(calib, score)) - exponent) < 1e-9);
		before = score;
	}
	eg_calib_free(calib);
}

static void tables_that_make_no_sense_are_refused(void **state)
{
	static const struct {
		size_t count;
		double floor;
		struct eg_pack_point point[3];
	} bad[] = {
		{0, 1e-3, {{0, 0}}},
		{1, 1e-3, {{0.2, 0.1}}},
		{2, 0, {{0.2, 0.1}, {0.3, 0.01}}},
		{2, 1, {{0.2, 0.1}, {0.3, 0.01}}},
		{2, NAN, {{0.2, 0.1}, {0.3, 0.01}}},
		{2, 1e-3, {{0.3, 0.1}, {0.2, 0.01}}},
		{2, 1e-3, {{0.2, 0.1}, {0.2, 0.01}}},
		{2, 1e-3, {{0.2, 0.01}, {0.3, 0.1}}},
		{2, 1e-3, {{0.2, 0.1}, {0.3, 0.1}}},
		{2, 1e-3, {{0.2, 0.1}, {0.3, 0}}},
		{2, 1e-3, {{0.2, 1}, {0.3, 0.1}}},
		{2, 1e-3, {{NAN, 0.1}, {0.3, 0.01}}},
		{2, 1e-3, {{0.2, NAN}, {0.3, 0.01}}},
		{2, 1e-3, {{0.2, 0.1}, {INFINITY, 0.01}}},
		{2, 1e-3, {{-1, 0.1}, {0.3, 0.01}}},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct eg_calib *calib = NULL;
		struct eg_err err = EG_ERR_INIT;

		assert_int_equal(eg_calib_new(bad[i].point, bad[i].count, bad[i].floor, &calib,
					      &err),
				 EG_EINVAL);
		assert_null(calib);
		assert_true(strncmp(err.text, "calibration: ", 13) == 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(points_come_out_as_they_went_in),
		cmocka_unit_test(between_points_the_logarithm_is_linear),
		cmocka_unit_test(beyond_the_last_point_its_slope_goes_on_as_a_guess),
		cmocka_unit_test(every_score_passes_at_minus_one),
		cmocka_unit_test(no_score_reaches_a_target_out_of_range),
		cmocka_unit_test(the_two_lookups_are_inverse_and_monotone),
		cmocka_unit_test(tables_that_make_no_sense_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
