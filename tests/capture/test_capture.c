// SPDX-License-Identifier: Apache-2.0
//
// The whole pipeline on frames made of real faces on a plain ground: following, the zone, shots,
// bystanders' blur, and that nothing allocates per frame.

#include "support.h"

#include <malloc.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "capture/privacy.h"
#include "firmware/base/mem.h"

#define WIDTH  1280
#define HEIGHT 720

static struct eg_pack *pack;
static struct eg_frame_pool *pool;
static struct eg_image photo; // sample3
static struct eg_face people[3];
static struct eg_image scene;

static int open_all(void **state)
{
	const char *folder = getenv("EGRESS_PACK");

	(void)state;
	if (!folder || eg_pack_open(folder, ROLE(DETECT) | ROLE(LANDMARK) | ROLE(LIVENESS), 1,
				    &pack, NULL) != 0)
		return 0;
	return eg_frame_pool_new(4, WIDTH, HEIGHT, NULL, &pool, NULL);
}

static int close_all(void **state)
{
	(void)state;
	eg_frame_pool_free(pool);
	eg_pack_free(pack);
	eg_image_done(&photo);
	eg_image_done(&scene);
	return 0;
}

static struct eg_capture *new_capture(struct eg_zone zone, bool liveness)
{
	struct eg_capture_config config = eg_capture_defaults;
	struct eg_capture *capture = NULL;
	size_t count = 0;

	if (!pack)
		skip();
	config.zone = zone;
	config.liveness = liveness;
	assert_int_equal(eg_capture_new(&config, pack, &capture, NULL), 0);
	if (!photo.data) {
		load_picture(folder_of("EGRESS_FACES"), "sample3.jpg", &photo);
		assert_int_equal(eg_capture_still(capture, &photo, people, 3, &count, NULL), 0);
		assert_int_equal(count, 3);
	}
	return capture;
}

static const struct eg_zone everywhere = {0, 0, 1, 1}, middle = {0.3f, 0, 0.7f, 1};

// Person `who`, head and shoulders, with the face's centre at (x, y) and `height` px high.
static void put(int who, int x, int y, double height)
{
	const struct eg_box *b = &people[who].box;
	const double scale = height / (double)b->height;
	struct eg_box cut = {b->x - 0.3f * b->width, b->y - 0.3f * b->height, 1.6f * b->width,
			     1.6f * b->height};

	paste(&scene, x - (int)(0.8 * scale * b->width), y - (int)(0.8 * scale * b->height), &photo,
	      cut, scale);
}

static void clear(void)
{
	plain_picture(&scene, WIDTH, HEIGHT, 110);
}

static void show(struct eg_capture *capture, int64_t ms)
{
	struct eg_frame *frame = frame_of(pool, &scene, ms);
	struct eg_err err = EG_ERR_INIT;

	if (eg_capture_frame(capture, frame, &err) != 0)
		fail_msg("%s", err.text);
	eg_frame_unref(frame);
}

static void an_empty_or_black_scene_has_no_tracks(void **state)
{
	struct eg_capture *capture = new_capture(everywhere, true);
	size_t count = 9;

	(void)state;
	for (int grey = 0; grey < 256; grey += 51) {
		plain_picture(&scene, WIDTH, HEIGHT, (uint8_t)grey);
		show(capture, grey);
		(void)eg_capture_tracks(capture, &count);
		assert_int_equal(count, 0);
	}
	eg_capture_free(capture);
}

static void a_walking_person_is_one_track_with_good_shots(void **state)
{
	struct eg_capture *capture = new_capture(everywhere, true);
	const struct eg_track *track = NULL;
	const struct eg_shot *shot;
	size_t count;

	(void)state;
	for (int i = 0; i < 30; i++) {
		clear();
		put(0, 400 + 14 * i, 340, 180 + 3.0 * i);
		show(capture, 1000 + 33 * i);
		track = eg_capture_tracks(capture, &count);
		assert_int_equal(count, 1);
		assert_int_equal(track->id, 1);
		assert_true(track->in_view && track->in_zone);
		assert_true(fabsf(track->face.box.x + track->face.box.width / 2 -
				  (float)(400 + 14 * i)) < 40);
	}
	assert_int_equal(track->first_seen_ns, 1000 * 1000000LL);
	assert_true(track->first_usable_ns >= track->first_seen_ns);
	assert_true(track->shot_count >= 4 && track->shot_count <= 5);
	assert_true(track->liveness.frames == 5);
	assert_true(track->liveness.score >= 0 && track->liveness.score <= 1);
	for (size_t k = 0; k < track->shot_count; k++) {
		shot = eg_capture_shot(capture, track->id, k);
		assert_non_null(shot);
		assert_int_equal(shot->aligned.width, EG_ALIGNED_SIDE);
		assert_true(shot->crop.width <= 480 && shot->crop.height <= 600);
		assert_true(shot->crop.width > 100 && shot->crop.height > 100);
		assert_true(shot->sequence > 0);
		assert_true(shot->captured_ns >= track->last_seen_ns - 1000 * 1000000LL);
		if (k > 0)
			assert_true(shot[0].face.quality.overall <=
				    eg_capture_shot(capture, 1, k - 1)->face.quality.overall);
	}
	assert_null(eg_capture_shot(capture, track->id, track->shot_count));
	assert_null(eg_capture_shot(capture, 99, 0));
	eg_capture_free(capture);
}

static void who_leaves_is_forgotten_after_a_second(void **state)
{
	struct eg_capture *capture = new_capture(everywhere, false);
	const struct eg_track *track;
	size_t count;

	(void)state;
	clear();
	put(1, 640, 360, 220);
	show(capture, 0);
	clear();
	show(capture, 500);
	track = eg_capture_tracks(capture, &count);
	assert_int_equal(count, 1);
	assert_false(track->in_view);
	show(capture, 1001);
	(void)eg_capture_tracks(capture, &count);
	assert_int_equal(count, 0);
	assert_null(eg_capture_shot(capture, 1, 0));
	put(1, 640, 360, 220);
	show(capture, 1100);
	track = eg_capture_tracks(capture, &count);
	assert_int_equal(count, 1);
	assert_int_equal(track->id, 2);
	eg_capture_free(capture);
}

static void bystanders_outside_the_zone_get_neither_landmarks_nor_shots(void **state)
{
	struct eg_capture *capture = new_capture(middle, true);
	const struct eg_track *track;
	size_t count, inside = 0;

	(void)state;
	clear();
	put(0, 640, 360, 220);
	put(1, 200, 360, 220);
	for (int i = 0; i < 3; i++)
		show(capture, 33 * i);
	track = eg_capture_tracks(capture, &count);
	assert_int_equal(count, 2);
	for (size_t i = 0; i < count; i++) {
		bool in = track[i].face.box.x > 400;

		inside += in;
		assert_int_equal(track[i].in_zone, in);
		assert_int_equal(track[i].face.has_landmarks, in);
		assert_int_equal(track[i].shot_count > 0, in);
		assert_int_equal(isnan(track[i].liveness.score) != 0, !in);
		if (!in) {
			assert_null(eg_capture_shot(capture, track[i].id, 0));
			assert_int_equal(track[i].hint, EG_HINT_NONE);
		}
	}
	assert_int_equal(inside, 1);
	eg_capture_free(capture);
}

// Mean absolute difference of two pictures in a box.
static double difference(const struct eg_image *a, const struct eg_image *b, int x, int y,
			 int width, int height)
{
	double sum = 0;

	assert_true(x >= 0 && y >= 0 && x + width <= a->width && y + height <= a->height);
	for (int i = y; i < y + height; i++)
		for (int k = x * 3; k < (x + width) * 3; k++)
			sum += abs(a->data[(ptrdiff_t)i * a->stride + k] -
				   b->data[(ptrdiff_t)i * b->stride + k]);
	return sum / (3.0 * width * height);
}

static void the_preview_shows_only_who_is_kept(void **state)
{
	struct eg_capture *capture = new_capture(everywhere, false);
	struct eg_image none = {0}, left = {0};
	const struct eg_track *track;
	struct eg_box box[2];
	uint32_t id = 0;
	size_t count;

	(void)state;
	assert_int_equal(eg_capture_preview(capture, NULL, 0, 640, &none), EG_EAGAIN);
	clear();
	put(0, 400, 360, 240);
	put(1, 880, 360, 240);
	show(capture, 0);
	track = eg_capture_tracks(capture, &count);
	assert_int_equal(count, 2);
	for (size_t i = 0; i < 2; i++) {
		bool is_left = track[i].face.box.x < 640;

		box[is_left ? 0 : 1] = track[i].face.box;
		if (is_left)
			id = track[i].id;
	}
	assert_int_equal(eg_capture_preview(capture, NULL, 0, WIDTH, &none), 0);
	assert_int_equal(none.width, WIDTH);
	assert_int_equal(none.height, HEIGHT);
	assert_int_equal(eg_capture_preview(capture, &id, 1, WIDTH, &left), 0);
	// the kept face is the scene's own, the other one is blurred, as both are in `none`
	assert_true(difference(&left, &scene, (int)box[0].x + 2, (int)box[0].y + 2,
			       (int)box[0].width - 4, (int)box[0].height - 4) < 4);
	assert_true(difference(&none, &scene, (int)box[0].x, (int)box[0].y, (int)box[0].width,
			       (int)box[0].height) > 8);
	assert_true(difference(&left, &scene, (int)box[1].x, (int)box[1].y, (int)box[1].width,
			       (int)box[1].height) > 8);
	// nobody is to be found in the blurred picture, one in the other
	{
		struct eg_face faces[4];

		assert_int_equal(eg_capture_still(capture, &none, faces, 4, &count, NULL), 0);
		assert_int_equal(count, 0);
		assert_int_equal(eg_capture_still(capture, &left, faces, 4, &count, NULL), 0);
		assert_int_equal(count, 1);
	}
	assert_int_equal(eg_capture_preview(capture, &id, 1, 320, &left), 0);
	assert_int_equal(left.height, 180);
	eg_image_done(&none);
	eg_image_done(&left);
	eg_capture_free(capture);
}

static void a_shots_crop_shows_no_bystander(void **state)
{
	struct eg_capture *capture = new_capture(middle, false);
	struct eg_image sharp = {0};
	struct eg_box region, face = {0}, other = {0};
	const struct eg_shot *shot = NULL;
	const struct eg_track *track;
	struct eg_face faces[4];
	size_t count;
	float scale;

	(void)state;
	clear();
	put(1, 930, 340, 150); // outside the zone, but partly in the crop
	put(0, 760, 360, 240);
	show(capture, 0);
	track = eg_capture_tracks(capture, &count);
	assert_int_equal(count, 2);
	for (size_t i = 0; i < count; i++)
		if (track[i].in_zone) {
			shot = eg_capture_shot(capture, track[i].id, 0);
			face = track[i].face.box;
		} else {
			other = track[i].face.box;
		}
	assert_non_null(shot);
	assert_true(other.width > 0);
	// the same part of the scene, nobody blurred
	region = eg_privacy_portrait(&scene, face);
	assert_true(other.x + other.width / 2 < region.x + region.width);
	assert_int_equal(eg_image_init(&sharp, shot->crop.width, shot->crop.height, 3), 0);
	scale = (float)sharp.width / region.width;
	{
		struct eg_image scratch = {0};
		struct eg_affine map = eg_sample_box(region, sharp.width, sharp.height);

		assert_int_equal(eg_sample(&scene, &map, EG_BORDER_EDGE, &scratch, &sharp), 0);
		eg_image_done(&scratch);
	}
	assert_true(difference(&shot->crop, &sharp, (int)((face.x - region.x) * scale) + 2,
			       (int)((face.y - region.y) * scale) + 2,
			       (int)(face.width * scale) - 4, (int)(face.height * scale) - 4) < 4);
	assert_true(difference(&shot->crop, &sharp, (int)((other.x - region.x) * scale),
			       (int)((other.y - region.y) * scale),
			       (int)(other.width * scale * 0.5f), (int)(other.height * scale)) > 8);
	assert_int_equal(eg_capture_still(capture, &shot->crop, faces, 4, &count, NULL), 0);
	assert_int_equal(count, 1);
	eg_image_done(&sharp);
	eg_capture_free(capture);
}

static void two_people_close_together_are_told_to_come_one_at_a_time(void **state)
{
	struct eg_capture *capture = new_capture(everywhere, false);
	const struct eg_track *track;
	size_t count;

	(void)state;
	clear();
	put(0, 520, 360, 240);
	put(1, 780, 360, 240);
	show(capture, 0);
	track = eg_capture_tracks(capture, &count);
	assert_int_equal(count, 2);
	assert_int_equal(track[0].hint, EG_HINT_ONE_AT_A_TIME);
	assert_int_equal(track[1].hint, EG_HINT_ONE_AT_A_TIME);
	assert_int_equal(track[0].face.quality.component[EG_QUALITY_SINGLE_FACE], 0);
	eg_capture_free(capture);
}

static void a_far_person_is_asked_to_come_closer_and_leaves_no_shot(void **state)
{
	struct eg_capture *capture = new_capture(everywhere, false);
	const struct eg_track *track;
	size_t count;

	(void)state;
	clear();
	put(0, 640, 360, 62);
	show(capture, 0);
	show(capture, 33);
	track = eg_capture_tracks(capture, &count);
	assert_int_equal(count, 1);
	assert_int_equal(track->hint, EG_HINT_CLOSER);
	assert_int_equal(track->shot_count, 0);
	assert_int_equal(track->first_usable_ns, 0);
	eg_capture_free(capture);
}

// A tenth of the light, and a fortieth: found, followed, and told what is wrong.
static void a_face_in_the_dark_is_asked_for_more_light(void **state)
{
	struct eg_capture *capture = new_capture(everywhere, false);
	const struct eg_track *track;
	size_t count;

	(void)state;
	for (int part = 10; part <= 40; part += 30) {
		eg_capture_reset(capture);
		clear();
		put(1, 640, 360, 220);
		for (int y = 0; y < HEIGHT; y++)
			for (int x = 0; x < WIDTH * 3; x++) {
				uint8_t *p = &scene.data[(ptrdiff_t)y * scene.stride + x];

				*p = (uint8_t)(*p / part);
			}
		show(capture, 1000 * part);
		show(capture, 1000 * part + 33);
		track = eg_capture_tracks(capture, &count);
		if (count != 1 || track->hint != EG_HINT_MORE_LIGHT)
			fail_msg("1/%d of the light: %zu faces, hint %s", part, count,
				 eg_hint_name(count ? track->hint : EG_HINT_NONE));
	}
	eg_capture_free(capture);
}

// Everybody whose eyes are 40 px apart or more is found within two frames, wherever he stands: rows
// from a wheelchair's height to a tall man's.
static void small_faces_are_found_all_over_the_frame(void **state)
{
	struct eg_capture *capture = new_capture(everywhere, false);
	const struct eg_track *track;
	size_t count;

	(void)state;
	for (int i = 0; i < 18; i++) {
		const int who = i % 3, x = 100 + 120 * (i % 10), y = 90 + 130 * (i % 5);
		const struct eg_face *f = &people[who];

		eg_capture_reset(capture);
		clear();
		put(who, x, y, 40.0 * (double)f->box.height / (double)f->quality.inter_eye_px);
		show(capture, 1000 * i);
		show(capture, 1000 * i + 33);
		track = eg_capture_tracks(capture, &count);
		if (count != 1)
			fail_msg("person %d at %d,%d: %zu faces", who, x, y, count);
		assert_true(track->in_view);
		assert_true(fabsf(track->face.box.x + track->face.box.width / 2 - (float)x) < 20);
	}
	eg_capture_free(capture);
}

static void a_reset_forgets_everybody_and_the_last_frame(void **state)
{
	struct eg_capture *capture = new_capture(everywhere, false);
	struct eg_image preview = {0};
	const struct eg_track *track;
	size_t count;

	(void)state;
	clear();
	put(0, 640, 360, 220);
	show(capture, 0);
	assert_non_null(eg_capture_shot(capture, 1, 0));
	eg_capture_reset(capture);
	(void)eg_capture_tracks(capture, &count);
	assert_int_equal(count, 0);
	assert_null(eg_capture_shot(capture, 1, 0));
	assert_int_equal(eg_capture_preview(capture, NULL, 0, 320, &preview), EG_EAGAIN);
	show(capture, 33);
	track = eg_capture_tracks(capture, &count);
	assert_int_equal(track->id, 2); // ids are never used twice
	eg_capture_free(capture);
}

static void who_has_a_verdict_is_followed_and_looked_at_now_and_then(void **state)
{
	struct eg_capture *capture = new_capture(everywhere, true);
	const struct eg_track *track = NULL;
	uint32_t liveness_frames = 0;
	size_t count, looks = 0;

	(void)state;
	clear();
	put(0, 500, 340, 200);
	for (int i = 0; i < 45; i++) {
		if (i == 9) { // 0.3 s: fewer looks than liveness wants at most
			liveness_frames = track->liveness.frames;
			eg_capture_served(capture, track->id);
			eg_capture_served(capture, track->id + 1); // no such track
		}
		show(capture, 1000 + 33 * i);
		track = eg_capture_tracks(capture, &count);
		assert_int_equal(count, 1);
		assert_int_equal(track->id, 1);
		assert_true(track->in_view && track->in_zone);
		assert_true(track->shot_count > 0);
		looks += i >= 9 && track->face.has_landmarks;
	}
	assert_in_range(liveness_frames, 1, 4);
	assert_int_equal(track->liveness.frames, liveness_frames);
	// 36 frames are 1.2 s
	assert_in_range(looks, 4, 6);
	eg_capture_free(capture);
}

static void liveness_looks_at_one_face_a_frame_and_forgets_nobody(void **state)
{
	struct eg_capture *capture = new_capture(everywhere, true);
	const struct eg_track *track;
	size_t count, before = 0;

	(void)state;
	clear();
	put(0, 250, 340, 200);
	put(1, 640, 340, 200);
	put(2, 1030, 340, 200);
	for (int i = 0; i < 12; i++) { // 0.4 s
		size_t looks = 0;

		show(capture, 1000 + 33 * i);
		track = eg_capture_tracks(capture, &count);
		for (size_t k = 0; k < count; k++)
			looks += track[k].liveness.frames;
		assert_in_range(looks, before, before + 1);
		before = looks;
	}
	assert_int_equal(count, 3);
	for (size_t k = 0; k < count; k++)
		assert_in_range(track[k].liveness.frames, 3, 5);
	eg_capture_free(capture);
}

static void nothing_is_allocated_per_frame(void **state)
{
	struct eg_capture *capture = new_capture(everywhere, true);
	struct eg_image preview = {0};
	size_t before = 0, used = 0;

	(void)state;
	for (int i = 0; i < 230; i++) {
		if (i == 30) {
			before = eg_mem_count();
			used = mallinfo2().uordblks;
		}
		if (i % 10 == 0) {
			clear();
			put(0, 500 + i, 360, 200 + (i / 10) % 5 * 8);
			put(2, 1000, 300, 160);
		}
		show(capture, 33 * i);
		assert_int_equal(eg_capture_preview(capture, &(uint32_t){1}, 1, 640, &preview), 0);
	}
	// pictures that are made anew come through eg_image and so through eg_calloc; the scenes
	// are this test's own
	assert_true(eg_mem_count() - before <= 2 * 20 * 2);
	assert_true(mallinfo2().uordblks < used + (1u << 20));
	eg_image_done(&preview);
	eg_capture_free(capture);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_empty_or_black_scene_has_no_tracks),
		cmocka_unit_test(a_walking_person_is_one_track_with_good_shots),
		cmocka_unit_test(who_leaves_is_forgotten_after_a_second),
		cmocka_unit_test(bystanders_outside_the_zone_get_neither_landmarks_nor_shots),
		cmocka_unit_test(the_preview_shows_only_who_is_kept),
		cmocka_unit_test(a_shots_crop_shows_no_bystander),
		cmocka_unit_test(two_people_close_together_are_told_to_come_one_at_a_time),
		cmocka_unit_test(a_far_person_is_asked_to_come_closer_and_leaves_no_shot),
		cmocka_unit_test(a_face_in_the_dark_is_asked_for_more_light),
		cmocka_unit_test(small_faces_are_found_all_over_the_frame),
		cmocka_unit_test(a_reset_forgets_everybody_and_the_last_frame),
		cmocka_unit_test(who_has_a_verdict_is_followed_and_looked_at_now_and_then),
		cmocka_unit_test(liveness_looks_at_one_face_a_frame_and_forgets_nobody),
		cmocka_unit_test(nothing_is_allocated_per_frame),
	};

	if (eg_crypto_init(NULL) != 0)
		return 1;
	return cmocka_run_group_tests(tests, open_all, close_all);
}
