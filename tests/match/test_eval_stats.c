// SPDX-License-Identifier: Apache-2.0
//
// eg-eval's figures, on scores small enough to work out by hand.

#include "test.h"

#include "match/eval/stats.h"

static void wilson_intervals_are_those_of_the_books(void **state)
{
	// R: prop.test(8, 10, correct = FALSE), prop.test(0, 50, ...), prop.test(50, 50, ...)
	struct eval_interval a = eval_wilson(8, 10), b = eval_wilson(0, 50),
			     c = eval_wilson(50, 50);

	(void)state;
	assert_true(fabs(a.low - 0.4901625) < 1e-6 && fabs(a.high - 0.9433178) < 1e-6);
	assert_true(b.low == 0 && fabs(b.high - 0.0713476) < 1e-6);
	assert_true(fabs(c.low - 0.9286524) < 1e-6 && c.high == 1);
	a = eval_wilson(0, 0);
	assert_true(isnan(a.low) && isnan(a.high));
}

static void the_threshold_lets_through_no_more_than_its_share(void **state)
{
	float genuine[] = {0.9f, 0.5f, 0.301f, 0.2f};
	float impostors[300];
	struct eval_stats stats;

	(void)state;
	for (size_t i = 0; i < 300; i++)
		impostors[i] = (float)i / 1000; // 0 … 0.299
	eval_stats_of_scores(genuine, 4, 0, impostors, 300, &stats);
	// 1 % of 300: three may pass, so the threshold is just above the fourth highest, 0.296
	assert_true(stats.threshold[0] > (double)0.296f && stats.threshold[0] < 0.2961);
	assert_true(stats.fnmr[0] == 0.25);
	assert_true(isnan(stats.threshold[1]) && isnan(stats.fnmr[1]));
	assert_int_equal(stats.genuine, 4);
	assert_int_equal(stats.impostors, 300);
	assert_true(isnan(stats.accuracy));
}

static void too_few_impostors_give_null(void **state)
{
	float genuine[] = {0.9f}, impostors[300] = {0};
	struct eval_stats stats;

	(void)state;
	eval_stats_of_scores(genuine, 1, 0, impostors, 299, &stats); // 3 / 1e-2 = 300 are wanted
	assert_true(isnan(stats.threshold[0]));
	eval_stats_of_scores(genuine, 1, 0, impostors, 300, &stats);
	assert_true(!isnan(stats.threshold[0]));
	eval_stats_of_scores(genuine, 1, 0, impostors, 0, &stats);
	assert_true(isnan(stats.threshold[0]) && isnan(stats.eer));
}

static void failures_to_acquire_count_as_not_matched(void **state)
{
	float genuine[] = {0.9f, 0.8f, 0.7f}, impostors[300] = {0};
	struct eval_stats stats;

	(void)state;
	eval_stats_of_scores(genuine, 3, 1, impostors, 300, &stats);
	assert_int_equal(stats.genuine, 4);
	assert_true(stats.fnmr[0] == 0.25);
}

static void equal_error_rates_are_where_the_two_rates_meet(void **state)
{
	float genuine[] = {0.9f, 0.8f, 0.6f, 0.3f}, impostors[] = {0.1f, 0.2f, 0.4f, 0.7f};
	float high[] = {0.9f, 0.8f}, low[] = {0.2f, 0.1f};
	struct eval_stats stats;

	(void)state;
	// at 0.6: one of four genuine below, one of four impostors at or above
	eval_stats_of_scores(genuine, 4, 0, impostors, 4, &stats);
	assert_true(stats.eer == 0.25);
	eval_stats_of_scores(high, 2, 0, low, 2, &stats);
	assert_true(stats.eer == 0);
}

static void ten_folds_are_taken_in_file_order(void **state)
{
	// Folds of two. In fold 0 a genuine pair scores like an impostor and in fold 9 an impostor
	// like a genuine pair; all other folds are perfect: (0.5 + 8 + 0.5) / 10.
	struct eval_pair pairs[20];
	struct eval_stats stats;

	(void)state;
	for (size_t i = 0; i < 20; i++)
		pairs[i] = (struct eval_pair){i % 2 ? 0.1f : 0.9f, i % 2 == 0};
	pairs[0].score = 0.1f;
	pairs[19].score = 0.9f;
	assert_int_equal(eval_stats_of_pairs(pairs, 20, &stats, NULL), 0);
	assert_true(fabs(stats.accuracy - 0.9) < 1e-12);
}

static void failed_pairs_are_right_only_where_the_people_differ(void **state)
{
	struct eval_pair pairs[20];
	struct eval_stats stats;

	(void)state;
	for (size_t i = 0; i < 20; i++)
		pairs[i] = (struct eval_pair){i % 2 ? 0.1f : 0.9f, i % 2 == 0};
	pairs[4].score = NAN;  // genuine: wrong
	pairs[11].score = NAN; // impostor: right
	assert_int_equal(eval_stats_of_pairs(pairs, 20, &stats, NULL), 0);
	assert_true(fabs(stats.accuracy - 0.95) < 1e-12);
	assert_int_equal(stats.genuine_failed, 1);
	assert_int_equal(stats.impostors_failed, 1);
	assert_int_equal(stats.impostors, 10);
}

static void nine_pairs_or_one_kind_have_no_accuracy(void **state)
{
	struct eval_pair pairs[20];
	struct eval_stats stats;

	(void)state;
	for (size_t i = 0; i < 20; i++)
		pairs[i] = (struct eval_pair){0.5f, true};
	assert_int_equal(eval_stats_of_pairs(pairs, 20, &stats, NULL), 0);
	assert_true(isnan(stats.accuracy));
	pairs[0].genuine = false;
	assert_int_equal(eval_stats_of_pairs(pairs, 9, &stats, NULL), 0);
	assert_true(isnan(stats.accuracy));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(wilson_intervals_are_those_of_the_books),
		cmocka_unit_test(the_threshold_lets_through_no_more_than_its_share),
		cmocka_unit_test(too_few_impostors_give_null),
		cmocka_unit_test(failures_to_acquire_count_as_not_matched),
		cmocka_unit_test(equal_error_rates_are_where_the_two_rates_meet),
		cmocka_unit_test(ten_folds_are_taken_in_file_order),
		cmocka_unit_test(failed_pairs_are_right_only_where_the_people_differ),
		cmocka_unit_test(nine_pairs_or_one_kind_have_no_accuracy),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
