// SPDX-License-Identifier: Apache-2.0
//
// The history of liveness scores.

// clang-format off: cmocka wants these first
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on

#include <math.h>

#include "capture/liveness.h"

static void nothing_scored_is_not_a_number(void **state)
{
	const struct eg_liveness_history history = {0};
	struct eg_liveness l = eg_liveness_of(&history);

	(void)state;
	assert_true(isnan(l.score));
	assert_int_equal(l.frames, 0);
	assert_int_equal(l.reasons, 0);
	assert_true(eg_liveness_due(&history, 0));
}

static void the_mean_is_over_the_last_five(void **state)
{
	struct eg_liveness_history history = {0};
	struct eg_liveness l;

	(void)state;
	for (int i = 0; i < 4; i++)
		eg_liveness_add(&history, 0.1f, i);
	l = eg_liveness_of(&history);
	assert_true(fabsf(l.score - 0.1f) < 1e-5f);
	assert_int_equal(l.frames, 4);
	assert_int_equal(l.reasons, EG_LIVENESS_MODEL);
	for (int i = 0; i < 5; i++)
		eg_liveness_add(&history, 0.9f, 10 + i);
	l = eg_liveness_of(&history);
	assert_true(fabsf(l.score - 0.9f) < 1e-5f);
	assert_int_equal(l.frames, 5);
	assert_int_equal(l.reasons, 0);
}

static void contradicting_frames_are_a_reason(void **state)
{
	struct eg_liveness_history history = {0};

	(void)state;
	eg_liveness_add(&history, 0.99f, 0);
	eg_liveness_add(&history, 0.95f, 1);
	eg_liveness_add(&history, 0.05f, 2);
	assert_int_equal(eg_liveness_of(&history).reasons, EG_LIVENESS_UNSTEADY);
}

static void a_face_is_scored_ten_times_a_second_at_most(void **state)
{
	struct eg_liveness_history history = {0};

	(void)state;
	eg_liveness_add(&history, 0.9f, 1000000000);
	assert_false(eg_liveness_due(&history, 1099000000));
	assert_true(eg_liveness_due(&history, 1100000000));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_scored_is_not_a_number),
		cmocka_unit_test(the_mean_is_over_the_last_five),
		cmocka_unit_test(contradicting_frames_are_a_reason),
		cmocka_unit_test(a_face_is_scored_ten_times_a_second_at_most),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
