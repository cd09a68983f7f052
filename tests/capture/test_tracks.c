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
	eg_tracks_expect(&tracks, ms * 1000000, drop, NULL);
	eg_tracks_update(&tracks, found, count, 0.65f, ms * 1000000, owner);
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

// Two people cross; for 12 frames (0.4 s) only the one in front is seen.
static void two_who_cross_keep_their_ids(void **state)
{
	(void)state;
	for (int i = 0; i < 60; i++) {
		float front = 100 + 12.0f * (float)i, back = 800 - 12.0f * (float)i;
		struct eg_detection d[2] = {at(front, 200, 110, 0.95f), at(back, 190, 95, 0.9f)};
		bool hidden = i >= 23 && i < 35;

		update(d, hidden ? 1 : 2, i * 33);
		assert_int_equal(tracks.count, 2);
		assert_int_equal(tracks.track[owner[0]].seen.id, 1);
		if (!hidden)
			assert_int_equal(tracks.track[owner[1]].seen.id, 2);
	}
	assert_int_equal(dropped, 0);
}

static void who_walks_behind_a_pillar_comes_out_as_himself(void **state)
{
	struct eg_detection d = at(100, 200, 100, 0.9f);

	(void)state;
	for (int ms = 0; ms < 2500; ms += 33) {
		bool hidden = ms > 800 && ms < 1700;

		d.box.x = 100 + 0.25f * (float)ms; // two and a half widths a second
		update(&d, hidden ? 0 : 1, ms);
		assert_int_equal(tracks.count, 1);
		assert_int_equal(tracks.track[0].seen.id, 1);
		assert_int_equal(tracks.track[0].seen.in_view, !hidden);
	}
	assert_true(tracks.last_id == 1);
}

static void who_stops_behind_a_pillar_too(void **state)
{
	struct eg_detection d = at(100, 200, 100, 0.9f);

	(void)state;
	for (int ms = 0; ms < 800; ms += 33) {
		d.box.x = 100 + 0.25f * (float)ms;
		update(&d, 1, ms);
	}
	update(NULL, 0, 833);
	update(&d, 1, 1700);
	assert_int_equal(tracks.count, 1);
	assert_int_equal(tracks.track[0].seen.id, 1);
}

static void who_walks_out_of_the_frame_is_gone_at_once(void **state)
{
	struct eg_detection d = at(0, 200, 100, 0.9f);
	int ms = 0;

	(void)state;
	tracks.width = 1280;
	tracks.height = 720;
	for (int i = 0; i < 30; i++, ms += 33) {
		d.box.x = 600 + 22.0f * (float)i; // the centre ends at 1288
		update(&d, 1, ms);
	}
	assert_int_equal(tracks.count, 1);
	update(NULL, 0, ms);
	update(NULL, 0, ms + 33);
	assert_int_equal(tracks.count, 0);
	assert_int_equal(dropped, 1);
	d.box.x = 1180; // whoever comes in there is somebody else
	update(&d, 1, ms + 300);
	assert_int_equal(tracks.track[0].seen.id, 2);
}

// The best sum, not the best pair first: taken greedily the left track would get the middle face.
static void all_pairs_are_weighed_together(void **state)
{
	struct eg_detection first[2] = {at(100, 100, 100, 0.9f), at(140, 100, 100, 0.9f)};
	struct eg_detection then[2] = {at(115, 100, 100, 0.9f), at(60, 100, 100, 0.9f)};

	(void)state;
	update(first, 2, 0);
	update(then, 2, 33);
	assert_int_equal(tracks.count, 2);
	assert_int_equal(tracks.track[owner[0]].seen.id, 2);
	assert_int_equal(tracks.track[owner[1]].seen.id, 1);
}

static void a_doubtful_face_does_not_take_a_sure_ones_place(void **state)
{
	struct eg_detection d[2] = {at(100, 100, 100, 0.9f), at(104, 100, 100, 0.5f)};

	(void)state;
	update(d, 1, 0);
	d[0].box.x = 140;
	update(d, 2, 33);
	assert_int_equal(tracks.count, 1);
	assert_int_equal(owner[0], 0);
	assert_int_equal(owner[1], -1);
	update(NULL, 0, 600); // and none brings back who was away for long
	update(&d[1], 1, 633);
	assert_int_equal(owner[0], -1);
}

// The filter against numbers worked out by hand: a steady walker's speed is learnt, a second
// without sight keeps it, and trembling boxes are smoothed.
static void the_filter_learns_a_steady_walk(void **state)
{
	struct eg_tracks_filter f;
	struct eg_box b = {100, 200, 80, 100}, e;

	(void)state;
	eg_tracks_filter_begin(&f, b, 0);
	for (int i = 1; i <= 40; i++) {
		float tremble = i % 2 ? 2 : -2;

		eg_tracks_filter_see(&f,
				     (struct eg_box){100 + 4.0f * (float)i + tremble, 200, 80, 100},
				     i * 40000000LL);
	}
	e = eg_tracks_filter_at(&f, 40 * 40000000LL); // 260 + its last tremble at most
	assert_true(fabsf(e.x - 260) < 2);
	e = eg_tracks_filter_at(&f, 65 * 40000000LL); // a second later at 100 px/s
	assert_true(fabsf(e.x - 360) < 25);
	assert_true(fabsf(e.y - 200) < 2);
	assert_true(fabsf(e.width - 80) < 6 && fabsf(e.height - 100) < 8);
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
		cmocka_unit_test_setup(two_who_cross_keep_their_ids, fresh),
		cmocka_unit_test_setup(who_walks_behind_a_pillar_comes_out_as_himself, fresh),
		cmocka_unit_test_setup(who_stops_behind_a_pillar_too, fresh),
		cmocka_unit_test_setup(who_walks_out_of_the_frame_is_gone_at_once, fresh),
		cmocka_unit_test_setup(all_pairs_are_weighed_together, fresh),
		cmocka_unit_test_setup(a_doubtful_face_does_not_take_a_sure_ones_place, fresh),
		cmocka_unit_test_setup(the_filter_learns_a_steady_walk, fresh),
		cmocka_unit_test_setup(a_clock_that_steps_back_ends_all_tracks, fresh),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
