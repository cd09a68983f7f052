// SPDX-License-Identifier: Apache-2.0
//
// Following boxes: no pixels, times as told.

// clang-format off: cmocka wants these first
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on

#include <math.h>
#include <string.h>

#include "capture/tracks.h"

static struct eg_tracks tracks;
static int owner[EG_DETECTIONS_MAX];
static int dropped;

static int fresh(void **state)
{
	(void)state;
	memset(&tracks, 0, sizeof(tracks));
	dropped = 0;
	return 0;
}

static void drop(void *user, struct eg_tracked *track)
{
	(void)user, (void)track;
	dropped++;
}

static void update(const struct eg_detection *found, size_t count, int64_t ms)
{
	eg_tracks_update(&tracks, found, count, 0.65f, ms * 1000000, drop, NULL, owner);
}

static struct eg_detection at(float x, float y, float size, float score)
{
	return (struct eg_detection){{x, y, size, size}, score};
}

static void a_walking_face_keeps_its_id(void **state)
{
	(void)state;
	for (int i = 0; i < 60; i++) {
		struct eg_detection d = at(100 + 8.0f * (float)i, 200, 100 + (float)i, 0.99f);

		update(&d, 1, i * 33);
		assert_int_equal(tracks.count, 1);
		assert_int_equal(tracks.track[0].seen.id, 1);
		assert_true(tracks.track[0].seen.in_view);
		assert_int_equal(owner[0], 0);
	}
	assert_int_equal(tracks.track[0].hits, 60);
	assert_int_equal(tracks.track[0].seen.first_seen_ns, 0);
	assert_int_equal(tracks.track[0].seen.last_seen_ns, 59 * 33 * 1000000LL);
	assert_int_equal(dropped, 0);
}

static void two_faces_that_come_near_stay_apart(void **state)
{
	(void)state;
	for (int i = 0; i <= 20; i++) { // towards each other, then away
		float gap = 110 + 10 * fabsf((float)i - 10);
		struct eg_detection d[2] = {at(400 - gap / 2, 200, 100, 0.9f),
					    at(400 + gap / 2, 210, 100, 0.95f)};
		// as the detector gives them: by score, which changes
		struct eg_detection swapped[2] = {d[1], d[0]};

		update(i % 2 ? swapped : d, 2, i * 33);
		assert_int_equal(tracks.count, 2);
		assert_true(tracks.track[0].seen.face.box.x < 400);
		assert_true(tracks.track[1].seen.face.box.x > 400);
	}
}

static void a_slow_camera_is_followed_by_distance(void **state)
{
	struct eg_detection d = at(100, 100, 100, 0.99f);

	(void)state;
	update(&d, 1, 0);
	d = at(160, 110, 104, 0.99f); // overlap 0.22
	update(&d, 1, 500);
	d = at(225, 100, 106, 0.99f); // and 0.24
	update(&d, 1, 1000);
	assert_int_equal(tracks.count, 1);
	assert_int_equal(tracks.track[0].seen.id, 1);
	d = at(600, 100, 100, 0.99f); // that is somebody else
	update(&d, 1, 1100);
	assert_int_equal(tracks.count, 2);
	assert_int_equal(tracks.track[1].seen.id, 2);
}

static void a_face_gone_for_a_second_is_dropped_and_comes_back_as_another(void **state)
{
	struct eg_detection d = at(100, 100, 100, 0.99f);

	(void)state;
	update(&d, 1, 0);
	update(NULL, 0, 900);
	assert_int_equal(tracks.count, 1);
	assert_false(tracks.track[0].seen.in_view);
	update(&d, 1, 950); // back in time
	assert_int_equal(tracks.track[0].seen.id, 1);
	update(NULL, 0, 1951);
	assert_int_equal(tracks.count, 0);
	assert_int_equal(dropped, 1);
	update(&d, 1, 2000);
	assert_int_equal(tracks.track[0].seen.id, 2);
}

static void a_doubtful_face_is_reported_at_its_second_sight(void **state)
{
	struct eg_detection d = at(100, 100, 30, 0.7f);

	(void)state;
	update(&d, 1, 0);
	assert_false(tracks.track[0].reported);
	update(&d, 1, 33);
	assert_true(tracks.track[0].reported);
	d.score = 0.5f; // below the threshold it starts no track, but keeps one
	update(&d, 1, 66);
	assert_true(tracks.track[0].seen.in_view);
	d.box.x = 700;
	update(&d, 1, 100);
	assert_int_equal(tracks.count, 1);
	assert_int_equal(owner[0], -1);
}

static void more_faces_than_tracks_are_left_without_one(void **state)
{
	struct eg_detection d[EG_TRACKS_MAX + 4];
	int without = 0;

	(void)state;
	for (int i = 0; i < EG_TRACKS_MAX + 4; i++)
		d[i] = at(200.0f * (float)i, 100, 100, 0.99f);
	update(d, EG_TRACKS_MAX + 4, 0);
	assert_int_equal(tracks.count, EG_TRACKS_MAX);
	for (int i = 0; i < EG_TRACKS_MAX + 4; i++)
		without += owner[i] < 0;
	assert_int_equal(without, 4);
}

static void a_clock_that_steps_back_ends_all_tracks(void **state)
{
	struct eg_detection d = at(100, 100, 100, 0.99f);

	(void)state;
	update(&d, 1, 5000);
	update(&d, 1, 100);
	assert_int_equal(tracks.count, 1);
	assert_int_equal(tracks.track[0].seen.id, 2);
	assert_int_equal(dropped, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_walking_face_keeps_its_id, fresh),
		cmocka_unit_test_setup(two_faces_that_come_near_stay_apart, fresh),
		cmocka_unit_test_setup(a_slow_camera_is_followed_by_distance, fresh),
		cmocka_unit_test_setup(
			a_face_gone_for_a_second_is_dropped_and_comes_back_as_another, fresh),
		cmocka_unit_test_setup(a_doubtful_face_is_reported_at_its_second_sight, fresh),
		cmocka_unit_test_setup(more_faces_than_tracks_are_left_without_one, fresh),
		cmocka_unit_test_setup(a_clock_that_steps_back_ends_all_tracks, fresh),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
