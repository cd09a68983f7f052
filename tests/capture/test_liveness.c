// SPDX-License-Identifier: Apache-2.0
//
// The history of liveness looks, and the score they make.

// clang-format off: cmocka wants these first
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on

#include <math.h>

#include "capture/liveness.h"

static void add(struct eg_liveness_history *history, float model, float peak, float border)
{
	struct eg_liveness_look look = {.model = model};

	look.cue[EG_LIVE_PEAK] = peak;
	look.cue[EG_LIVE_BORDER] = border;
	eg_liveness_add(history, &look, 0);
}

static struct eg_liveness five(float model, float peak, float border)
{
	struct eg_liveness_history history = {0};

	for (int i = 0; i < 5; i++)
		add(&history, model, peak, border);
	return eg_liveness_of(&history);
}

static void nothing_looked_at_is_not_a_number(void **state)
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

	(void)state;
	for (int i = 0; i < 4; i++)
		add(&history, -8, 2, 0);
	assert_int_equal(eg_liveness_of(&history).frames, 4);
	assert_true(eg_liveness_of(&history).score < 0.5f);
	assert_int_equal(eg_liveness_of(&history).reasons, EG_LIVENESS_MODEL);
	for (int i = 0; i < 5; i++)
		add(&history, 4, 2, 0.5f);
	assert_int_equal(eg_liveness_of(&history).frames, 5);
	assert_true(fabsf(eg_liveness_mean(&history).model - 4) < 1e-5f);
	assert_true(fabsf(eg_liveness_mean(&history).cue[EG_LIVE_BORDER] - 0.5f) < 1e-5f);
	assert_true(eg_liveness_of(&history).score > 0.5f);
	assert_int_equal(eg_liveness_of(&history).reasons, 0);
}

static void a_live_face_that_the_model_half_doubts_is_live(void **state)
{
	(void)state;
	assert_true(five(-2, 2.5f, 0.6f).score > 0.5f);
}

static void periodic_detail_counts_against_a_face_and_is_a_reason(void **state)
{
	struct eg_liveness plain = five(3, 2.5f, 0.5f), dotted = five(3, 7, 0.5f);

	(void)state;
	assert_int_equal(plain.reasons, 0);
	assert_int_equal(dotted.reasons, EG_LIVENESS_MOIRE);
	assert_true(dotted.score < 0.5f);
}

static void a_border_alone_does_not_refer_anybody(void **state)
{
	struct eg_liveness door = five(3, 2.5f, 1), none = five(3, 2.5f, 0.5f);

	(void)state;
	assert_int_equal(door.reasons, EG_LIVENESS_BORDER);
	assert_true(door.score < none.score);
	assert_true(door.score > 0.5f);
}

static void more_of_a_cue_never_raises_the_score(void **state)
{
	float before = 1;

	(void)state;
	for (int i = 0; i < 40; i++) {
		float now = five(3, (float)i / 4, 0.5f).score;

		assert_true(now <= before);
		before = now;
	}
}

static void contradicting_looks_are_a_reason(void **state)
{
	struct eg_liveness_history history = {0};

	(void)state;
	add(&history, 5, 2, 0);
	add(&history, 5, 2, 0);
	add(&history, -5, 2, 0);
	assert_int_equal(eg_liveness_of(&history).reasons, EG_LIVENESS_UNSTEADY);
}

static void a_face_is_looked_at_ten_times_a_second_at_most(void **state)
{
	struct eg_liveness_history history = {0};
	const struct eg_liveness_look look = {0};

	(void)state;
	eg_liveness_add(&history, &look, 1000000000);
	assert_false(eg_liveness_due(&history, 1099000000));
	assert_true(eg_liveness_due(&history, 1100000000));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_looked_at_is_not_a_number),
		cmocka_unit_test(the_mean_is_over_the_last_five),
		cmocka_unit_test(a_live_face_that_the_model_half_doubts_is_live),
		cmocka_unit_test(periodic_detail_counts_against_a_face_and_is_a_reason),
		cmocka_unit_test(a_border_alone_does_not_refer_anybody),
		cmocka_unit_test(more_of_a_cue_never_raises_the_score),
		cmocka_unit_test(contradicting_looks_are_a_reason),
		cmocka_unit_test(a_face_is_looked_at_ten_times_a_second_at_most),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
