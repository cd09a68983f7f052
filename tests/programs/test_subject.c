// SPDX-License-Identifier: Apache-2.0
//
// Who was just served is not served again, and nobody else is taken for that one.

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "firmware/base/mem.h"
#include "firmware/boothd/subject.h"

#define S	  1000000000LL
#define WINDOW	  (5 * S / 2)
#define THRESHOLD 0.6f

// A unit vector with that cosine to person(1).
static struct eg_template person(float cosine)
{
	struct eg_template t = {0};

	t.value[0] = cosine;
	t.value[1] = sqrtf(1 - cosine * cosine);
	return t;
}

// A track that had its verdict and was last seen at 10 s.
static struct eg_subjects *after(const char *named, bool done)
{
	struct eg_subjects *subjects = eg_subjects_new();
	struct eg_template shot = person(1);
	struct eg_subject *s;

	assert_non_null(subjects);
	s = eg_subject_get(subjects, 1);
	assert_non_null(s);
	eg_subject_add(s, 1, 1, &shot);
	assert_int_equal(eg_subject_fuse(s), 0);
	(void)snprintf(s->named, sizeof(s->named), "%s", named);
	s->last_seen_ns = 10 * S;
	if (done)
		eg_subject_finish(s);
	eg_subject_drop(subjects, s);
	return subjects;
}

static bool served(const struct eg_subjects *subjects, float cosine, const char *named,
		   int64_t first_seen_ns)
{
	struct eg_template probe = person(cosine);

	return eg_subjects_served(subjects, &probe, named, THRESHOLD, first_seen_ns, WINDOW);
}

static void the_same_person_a_moment_later_was_served(void **state)
{
	struct eg_subjects *subjects = after("P01", true);

	(void)state;
	assert_true(served(subjects, 0.9f, "P01", 11 * S));
	eg_subjects_free(subjects);
}

static void everybody_else_was_not(void **state)
{
	struct eg_subjects *confirmed = after("P01", true), *referred = after("", true);
	struct eg_subjects *unfinished = after("P01", false);

	(void)state;
	assert_false(served(confirmed, 0.5f, "P01", 11 * S));  // does not look it
	assert_false(served(confirmed, 0.9f, "P02", 11 * S));  // the twin, by name
	assert_false(served(confirmed, 0.9f, "", 11 * S));     // perhaps the twin
	assert_false(served(referred, 0.9f, "P01", 11 * S));   // was referred, now matches
	assert_false(served(confirmed, 0.9f, "P01", 13 * S));  // too late
	assert_false(served(confirmed, 0.9f, "P01", 9 * S));   // both were in view at once
	assert_false(served(unfinished, 0.9f, "P01", 11 * S)); // never had a verdict
	assert_true(served(referred, 0.9f, "", 11 * S));
	eg_subjects_free(confirmed);
	eg_subjects_free(referred);
	eg_subjects_free(unfinished);
}

static void a_camera_that_was_blind_makes_no_second_traveller(void **state)
{
	struct eg_subjects *subjects = after("P01", true);

	(void)state;
	assert_false(served(subjects, 0.9f, "P01", 20 * S));
	eg_subjects_blinked(subjects, 20 * S);
	assert_true(served(subjects, 0.9f, "P01", 20 * S));
	assert_true(served(subjects, 0.9f, "P01", 22 * S));
	eg_subjects_free(subjects);
}

static void a_track_that_is_gone_but_not_dropped_yet_counts_too(void **state)
{
	struct eg_subjects *subjects = eg_subjects_new();
	struct eg_template shot = person(1);
	struct eg_subject *s = eg_subject_get(subjects, 1);

	(void)state;
	eg_subject_add(s, 1, 1, &shot);
	assert_int_equal(eg_subject_fuse(s), 0);
	s->last_seen_ns = 10 * S;
	assert_false(served(subjects, 0.9f, "", 10 * S + S / 2)); // still being served
	eg_subject_finish(s);
	assert_true(served(subjects, 0.9f, "", 10 * S + S / 2));
	s->last_seen_ns = 11 * S; // both are in view
	assert_false(served(subjects, 0.9f, "", 10 * S + S / 2));
	eg_subjects_free(subjects);
}

static void better_shots_weigh_more(void **state)
{
	struct eg_subjects *subjects = eg_subjects_new();
	struct eg_template good = person(1), poor = person(0);
	struct eg_subject *s = eg_subject_get(subjects, 1);

	(void)state;
	eg_subject_add(s, 1, 3, &good);
	eg_subject_add(s, 2, 1, &poor);
	assert_int_equal(eg_subject_fuse(s), 0);
	// the mean's direction: (3, 1), whatever its length
	assert_true(fabsf(s->fused.value[0] - 3 * s->fused.value[1]) < 1e-3f);
	assert_true(s->fused.value[1] > 0.1f);
	eg_subjects_free(subjects);
}

static bool all_zero(const void *data, size_t size)
{
	const uint8_t *p = data;
	size_t i;

	for (i = 0; i < size; i++)
		if (p[i] != 0)
			return false;
	return true;
}

static void nothing_of_a_face_stays_after_an_opt_out_or_with_time(void **state)
{
	struct eg_subjects *opted = after("P01", true), *aged = after("P01", true);
	struct eg_template shot = person(1);
	struct eg_subject *s = eg_subject_get(opted, 2);

	(void)state;
	eg_subject_add(s, 1, 1, &shot);
	eg_subjects_drop_all(opted);
	assert_true(all_zero(opted->subject, sizeof(opted->subject)));
	assert_true(all_zero(opted->served, sizeof(opted->served)));
	eg_subjects_age(aged, 21 * S, WINDOW);
	assert_true(all_zero(aged->served, sizeof(aged->served)));
	eg_subjects_free(opted);
	eg_subjects_free(aged);
	assert_int_equal(eg_secret_count(), 0);
}

// Somebody steps into another's place: two shots in a row that are like each other and unlike what
// is known. One bad shot, or two that have nothing in common, are nobody.
static void two_shots_of_another_face_in_a_row_are_another_person(void **state)
{
	const struct eg_template known = person(1), same = person(0.9f), other = person(0);
	struct eg_template like_other = person(0.1f), third = {0};
	struct eg_guard guard = {0};

	(void)state;
	third.value[2] = 1;
	assert_int_equal(eg_guard_step(&guard, &known, &same, THRESHOLD), EG_GUARD_SAME);
	assert_int_equal(eg_guard_step(&guard, &known, &other, THRESHOLD), EG_GUARD_DOUBT);
	assert_int_equal(eg_guard_step(&guard, &known, &same, THRESHOLD), EG_GUARD_SAME);
	assert_int_equal(eg_guard_step(&guard, &known, &like_other, THRESHOLD), EG_GUARD_DOUBT);
	assert_int_equal(eg_guard_step(&guard, &known, &third, THRESHOLD), EG_GUARD_DOUBT);
	assert_int_equal(eg_guard_step(&guard, &known, &other, THRESHOLD), EG_GUARD_DOUBT);
	assert_int_equal(eg_guard_step(&guard, &known, &like_other, THRESHOLD), EG_GUARD_OTHER);
	// Afterwards nothing of the other one is kept.
	assert_float_equal(guard.doubtful.value[1], 0, 0);
	assert_int_equal(eg_guard_step(&guard, &known, &like_other, THRESHOLD), EG_GUARD_DOUBT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_same_person_a_moment_later_was_served),
		cmocka_unit_test(everybody_else_was_not),
		cmocka_unit_test(a_camera_that_was_blind_makes_no_second_traveller),
		cmocka_unit_test(a_track_that_is_gone_but_not_dropped_yet_counts_too),
		cmocka_unit_test(better_shots_weigh_more),
		cmocka_unit_test(nothing_of_a_face_stays_after_an_opt_out_or_with_time),
		cmocka_unit_test(two_shots_of_another_face_in_a_row_are_another_person),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
