// SPDX-License-Identifier: Apache-2.0
//
// The pool of shots.

// clang-format off: cmocka wants these first
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on

#include <stdlib.h>
#include <string.h>

#include "capture/shots.h"

static struct eg_shots *shots;
static struct eg_tracks tracks;

static int fresh(void **state)
{
	(void)state;
	memset(&tracks, 0, sizeof(tracks));
	tracks.count = EG_TRACKS_MAX;
	shots = calloc(1, sizeof(*shots));
	return shots ? eg_shots_init(shots) : -1;
}

static int done(void **state)
{
	(void)state;
	eg_shots_done(shots);
	free(shots);
	return 0;
}

static struct eg_shot *offer(size_t track, int quality, int64_t ms)
{
	struct eg_face face = {.quality.overall = (int8_t)quality};

	return eg_shots_offer(shots, &tracks, &tracks.track[track], &face, ms * 1000000);
}

static int quality_of(size_t track, size_t k)
{
	return shots->slot[tracks.track[track].shot[k]].face.quality.overall;
}

static int taken(void)
{
	int n = 0;

	for (int i = 0; i < EG_SHOTS_MAX; i++)
		n += shots->taken[i];
	return n;
}

static void the_best_stand_first_and_the_worst_make_room(void **state)
{
	static const int offered[] = {50, 70, 60, 90, 40, 80, 30};
	static const int kept[] = {90, 80, 70, 60, 50};

	(void)state;
	for (size_t i = 0; i < sizeof(offered) / sizeof(offered[0]); i++)
		assert_int_equal(offer(0, offered[i], (int64_t)i * 200) != NULL, offered[i] != 30);
	assert_int_equal(tracks.track[0].seen.shot_count, 5);
	for (size_t k = 0; k < 5; k++)
		assert_int_equal(quality_of(0, k), kept[k]);
	assert_int_equal(taken(), 5);
}

static void of_neighbours_in_time_only_the_better_is_kept(void **state)
{
	(void)state;
	assert_non_null(offer(0, 50, 1000));
	assert_null(offer(0, 40, 1033));
	assert_null(offer(0, 50, 1066));
	assert_non_null(offer(0, 60, 1099));
	assert_int_equal(tracks.track[0].seen.shot_count, 1);
	assert_int_equal(quality_of(0, 0), 60);
	assert_non_null(offer(0, 10, 1199));
	assert_int_equal(tracks.track[0].seen.shot_count, 2);
}

static void old_shots_go_and_are_wiped(void **state)
{
	struct eg_shot *shot;

	(void)state;
	shot = offer(0, 50, 0);
	memset(shot->crop.data, 77, shot->crop.room);
	memset(shot->aligned.data, 77, shot->aligned.room);
	assert_non_null(offer(0, 40, 500));
	eg_shots_expire(shots, &tracks.track[0], 1100 * 1000000LL, 1000);
	assert_int_equal(tracks.track[0].seen.shot_count, 1);
	assert_int_equal(quality_of(0, 0), 40);
	for (size_t i = 0; i < shot->crop.room; i++)
		assert_int_equal(shot->crop.data[i], 0);
	for (size_t i = 0; i < shot->aligned.room; i++)
		assert_int_equal(shot->aligned.data[i], 0);
	eg_shots_expire(shots, &tracks.track[0], 0, -1);
	assert_int_equal(taken(), 0);
}

static void a_full_pool_has_a_place_for_who_has_none(void **state)
{
	(void)state;
	for (size_t i = 0; i < 7; i++) // 7 × 5 would be 35
		for (int k = 0; k < 5; k++)
			(void)offer(i, 50 + k, k * 200);
	assert_int_equal(taken(), EG_SHOTS_MAX);
	for (size_t i = 7; i < EG_TRACKS_MAX; i++) {
		assert_non_null(offer(i, 20, 2000));
		assert_int_equal(tracks.track[i].seen.shot_count, 1);
	}
	for (size_t i = 0; i < EG_TRACKS_MAX; i++)
		assert_true(tracks.track[i].seen.shot_count >= 1);
	assert_int_equal(taken(), EG_SHOTS_MAX);
	// one that has some already must be better than its own worst
	assert_null(offer(15, 10, 3000));
	assert_non_null(offer(15, 30, 3000));
}

static void a_retracted_shot_leaves_nothing(void **state)
{
	struct eg_shot *shot;

	(void)state;
	assert_non_null(offer(0, 50, 0));
	shot = offer(0, 60, 500);
	eg_shots_retract(shots, &tracks.track[0], shot);
	assert_int_equal(tracks.track[0].seen.shot_count, 1);
	assert_int_equal(quality_of(0, 0), 50);
	assert_int_equal(taken(), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(the_best_stand_first_and_the_worst_make_room, fresh,
						done),
		cmocka_unit_test_setup_teardown(of_neighbours_in_time_only_the_better_is_kept,
						fresh, done),
		cmocka_unit_test_setup_teardown(old_shots_go_and_are_wiped, fresh, done),
		cmocka_unit_test_setup_teardown(a_full_pool_has_a_place_for_who_has_none, fresh,
						done),
		cmocka_unit_test_setup_teardown(a_retracted_shot_leaves_nothing, fresh, done),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
