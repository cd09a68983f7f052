// SPDX-License-Identifier: Apache-2.0
//
// Finding faces in real pictures. How many people a picture shows, and where their eyes are, was
// read off the pictures by eye.

#include "support.h"

#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "capture/align.h"

static struct eg_pack *pack;
static struct eg_capture *capture;

static int open_all(void **state)
{
	struct eg_capture_config config = eg_capture_defaults;
	const char *folder = getenv("EGRESS_PACK");

	(void)state;
	if (!folder || eg_pack_open(folder, ROLE(DETECT) | ROLE(LANDMARK), 1, &pack, NULL) != 0)
		return 0; // each test then says that it is skipped
	config.liveness = false;
	return eg_capture_new(&config, pack, &capture, NULL);
}

static int close_all(void **state)
{
	(void)state;
	eg_capture_free(capture);
	eg_pack_free(pack);
	return 0;
}

static size_t faces_of(const struct eg_image *image, struct eg_face *faces, size_t max)
{
	struct eg_err err = EG_ERR_INIT;
	size_t count = 0;

	if (!capture)
		skip();
	if (eg_capture_still(capture, image, faces, max, &count, &err) != 0)
		fail_msg("%s", err.text);
	return count;
}

static void every_usable_face_of_the_demo_photos_is_found(void **state)
{
	static const size_t people[] = {3, 3, 3, 4, 5, 4};
	const char *folder = folder_of("EGRESS_FACES");
	struct eg_image image = {0};
	struct eg_face faces[16];

	(void)state;
	for (int i = 0; i < 6; i++) {
		char name[] = "sample1.jpg";

		name[6] = (char)('1' + i);
		load_picture(folder, name, &image);
		assert_int_equal(faces_of(&image, faces, 16), people[i]);
		for (size_t k = 1; k < people[i]; k++)
			assert_true(faces[k].box.width * faces[k].box.height <=
				    faces[k - 1].box.width * faces[k - 1].box.height);
		assert_int_equal(faces_of(&image, faces, 2), 2); // no more than there is room for
	}
	eg_image_done(&image);
}

// The face nearest to a point.
static const struct eg_face *nearest(const struct eg_face *faces, size_t count, float x, float y)
{
	const struct eg_face *best = NULL;
	float best_distance = 150;

	for (size_t i = 0; i < count; i++) {
		float d = hypotf(faces[i].box.x + faces[i].box.width / 2 - x,
				 faces[i].box.y + faces[i].box.height / 2 - y);

		if (d < best_distance) {
			best_distance = d;
			best = &faces[i];
		}
	}
	return best;
}

static void landmarks_lie_where_the_eyes_and_mouths_are(void **state)
{
	// eye, eye, mouth (image left first): full-size pixels, read to about 8 px
	static const struct {
		const char *name;
		struct eg_point eye[2], mouth;
	} people[] = {
		{"sample1.jpg", {{436, 463}, {516, 461}}, {480, 552}},
		{"sample1.jpg", {{1560, 276}, {1616, 336}}, {1523, 373}},
		{"sample3.jpg", {{625, 430}, {725, 431}}, {675, 540}},
		{"sample3.jpg", {{1112, 316}, {1217, 340}}, {1147, 439}},
		{"sample6.jpg", {{316, 607}, {424, 596}}, {387, 711}},
	};
	const char *folder = folder_of("EGRESS_FACES");
	struct eg_image image = {0};
	struct eg_face faces[16];

	(void)state;
	for (size_t i = 0; i < sizeof(people) / sizeof(people[0]); i++) {
		const struct eg_point *e = people[i].eye;
		const struct eg_face *face;
		struct eg_point five[5], mouth;
		size_t count;
		float off;

		load_picture(folder, people[i].name, &image);
		count = faces_of(&image, faces, 16);
		face = nearest(faces, count, (e[0].x + e[1].x) / 2, (e[0].y + e[1].y) / 2 + 30);
		assert_non_null(face);
		assert_true(face->has_landmarks);
		eg_align_points(face, five);
		mouth = (struct eg_point){(five[3].x + five[4].x) / 2, (five[3].y + five[4].y) / 2};
		off = fmaxf(fmaxf(hypotf(five[0].x - e[0].x, five[0].y - e[0].y),
				  hypotf(five[1].x - e[1].x, five[1].y - e[1].y)),
			    hypotf(mouth.x - people[i].mouth.x, mouth.y - people[i].mouth.y));
		if (off > 16)
			fail_msg("%s, person %zu: %.0f px off; eyes %.0f,%.0f %.0f,%.0f mouth "
				 "%.0f,%.0f",
				 people[i].name, i, (double)off, (double)five[0].x,
				 (double)five[0].y, (double)five[1].x, (double)five[1].y,
				 (double)mouth.x, (double)mouth.y);
	}
	eg_image_done(&image);
}

static void an_aligned_face_has_its_eyes_on_the_arcface_points(void **state)
{
	const char *folder = folder_of("EGRESS_FACES");
	struct eg_image image = {0}, aligned = {0}, wide = {0};
	struct eg_face faces[16], again[4];
	const int margin = 60;
	size_t count;

	(void)state;
	load_picture(folder, "sample3.jpg", &image);
	count = faces_of(&image, faces, 16);
	assert_int_equal(count, 3);
	for (size_t i = 0; i < count; i++) {
		const struct eg_box all = {0, 0, EG_ALIGNED_SIDE, EG_ALIGNED_SIDE};
		struct eg_point five[5];

		assert_int_equal(eg_align(&image, &faces[i], &aligned), 0);
		assert_int_equal(aligned.width, EG_ALIGNED_SIDE);
		assert_int_equal(aligned.height, EG_ALIGNED_SIDE);
		// the fit spreads what five points of a turned head are off: up to 3 px;
		// look at the aligned picture afresh, twice as large and with grey round it
		plain_picture(&wide, 2 * (EG_ALIGNED_SIDE + margin), 2 * (EG_ALIGNED_SIDE + margin),
			      127);
		paste(&wide, margin, margin, &aligned, all, 2);
		assert_int_equal(faces_of(&wide, again, 4), 1);
		eg_align_points(&again[0], five);
		for (int eye = 0; eye < 2; eye++) {
			float x = (five[eye].x - (float)margin) / 2;
			float y = (five[eye].y - (float)margin) / 2;

			if (hypotf(x - eg_align_targets[eye].x, y - eg_align_targets[eye].y) > 3)
				fail_msg("face %zu: eye %d is at %.1f,%.1f", i, eye, (double)x,
					 (double)y);
		}
	}
	eg_image_done(&image);
	eg_image_done(&aligned);
	eg_image_done(&wide);
}

static void a_face_that_fills_the_picture_is_found(void **state)
{
	const char *folder = folder_of("EGRESS_FACES");
	struct eg_image image = {0}, view;
	struct eg_face whole[3], faces[4];

	(void)state;
	load_picture(folder, "sample3.jpg", &image);
	assert_int_equal(faces_of(&image, whole, 3), 3);
	for (int i = 0; i < 3; i++) {
		const struct eg_box *box = &whole[i].box;
		float ratio;

		view = eg_image_view(&image, (int)box->x, (int)box->y, (int)box->width,
				     (int)box->height);
		assert_int_equal(faces_of(&view, faces, 4), 1);
		// and its eyes are where they were
		ratio = faces[0].quality.inter_eye_px / whole[i].quality.inter_eye_px;
		if (!(ratio > 0.85f && ratio < 1.15f))
			fail_msg("face %d: eyes %.2f times as far apart", i, (double)ratio);
	}
	eg_image_done(&image);
}

static void a_small_face_in_a_large_picture_is_found(void **state)
{
	const char *folder = folder_of("EGRESS_FACES");
	struct eg_image image = {0}, large = {0};
	struct eg_face faces[16];
	struct eg_box box;

	(void)state;
	load_picture(folder, "sample3.jpg", &image);
	assert_int_equal(faces_of(&image, faces, 16), 3);
	box = faces[0].box;
	box = (struct eg_box){box.x - box.width / 2, box.y - box.height / 2, 2 * box.width,
			      2 * box.height};
	plain_picture(&large, 2400, 1600, 100);
	paste(&large, 1700, 1000, &image, box, 0.25); // a face of 56 × 78 pixels
	assert_int_equal(faces_of(&large, faces, 16), 1);
	assert_true(fabsf(faces[0].box.x - (1700 + 0.25f * box.width / 4)) < 15);
	eg_image_done(&image);
	eg_image_done(&large);
}

// The two largest faces of sample3, each by itself, at an eighth of its contrast, and in grain of
// ±64.
static void a_faded_or_grainy_face_is_found(void **state)
{
	const char *folder = folder_of("EGRESS_FACES");
	struct eg_image image = {0}, worse = {0};
	struct eg_face whole[3], faces[4];
	uint32_t random = 1;

	(void)state;
	load_picture(folder, "sample3.jpg", &image);
	assert_int_equal(faces_of(&image, whole, 3), 3);
	for (int i = 0; i < 4; i++) {
		const struct eg_box b = whole[i / 2].box;

		plain_picture(&worse, 200, 200, 127);
		paste(&worse, 0, 0, &image,
		      (struct eg_box){b.x - b.height / 2, b.y - b.height / 2, 2 * b.height,
				      2 * b.height},
		      100 / (double)b.height);
		for (int y = 0; y < worse.height; y++)
			for (int x = 0; x < worse.width * 3; x++) {
				uint8_t *p = &worse.data[(ptrdiff_t)y * worse.stride + x];
				int v = 118 + (*p - 128) / 8;

				random = random * 1664525u + 1013904223u;
				if (i % 2)
					v = *p + ((int)(random >> 24) - 128) / 2;
				*p = (uint8_t)(v < 0 ? 0 : v > 255 ? 255 : v);
			}
		if (faces_of(&worse, faces, 4) < 1 ||
		    fabsf(faces[0].box.x + faces[0].box.width / 2 -
			  100 * (0.5f + b.width / 2 / b.height)) > 15)
			fail_msg("face %d, %s, is not found", i / 2, i % 2 ? "grainy" : "faded");
	}
	eg_image_done(&image);
	eg_image_done(&worse);
}

static void nothing_is_found_where_nobody_is(void **state)
{
	struct eg_image image = {0};
	struct eg_face faces[4];

	(void)state;
	for (int grey = 0; grey <= 255; grey += 51) {
		plain_picture(&image, 640, 480, (uint8_t)grey);
		assert_int_equal(faces_of(&image, faces, 4), 0);
	}
	plain_picture(&image, 1, 1, 127);
	assert_int_equal(faces_of(&image, faces, 4), 0);
	plain_picture(&image, 3000, 2, 127);
	assert_int_equal(faces_of(&image, faces, 4), 0);
	for (int y = 0; y < image.height; y++) // stripes
		for (int x = 0; x < image.width * 3; x++)
			image.data[(ptrdiff_t)y * image.stride + x] = (uint8_t)(x / 24 % 2 * 255);
	assert_int_equal(faces_of(&image, faces, 4), 0);
	eg_image_done(&image);
}

static void a_grey_picture_is_refused(void **state)
{
	struct eg_image image = {0};
	struct eg_err err = EG_ERR_INIT;
	struct eg_face face;
	size_t count = 7;

	(void)state;
	if (!capture)
		skip();
	assert_int_equal(eg_image_init(&image, 64, 64, 1), 0);
	assert_int_equal(eg_capture_still(capture, &image, &face, 1, &count, &err), EG_EINVAL);
	assert_int_equal(count, 7);
	eg_image_done(&image);
}

// Every London portrait shows one person, looking ahead, in good light.
static void every_london_portrait_has_one_good_face(void **state)
{
	static const char *const folders[] = {"london/neutral_front", "london/smiling_front"};
	const char *data = folder_of("EGRESS_DATA");
	struct eg_image image = {0};
	struct eg_face faces[4];
	size_t seen = 0;

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		char path[4096];
		DIR *dir;

		(void)snprintf(path, sizeof(path), "%s/%s", data, folders[i]);
		dir = opendir(path);
		if (!dir)
			skip();
		for (struct dirent *entry; (entry = readdir(dir));) {
			if (!strstr(entry->d_name, ".jpg"))
				continue;
			load_picture(path, entry->d_name, &image);
			if (faces_of(&image, faces, 4) != 1 || faces[0].quality.overall < 70 ||
			    fabsf(faces[0].quality.roll_deg) > 12)
				fail_msg("%s: not one good face (quality %d)", entry->d_name,
					 faces[0].quality.overall);
			seen++;
		}
		(void)closedir(dir);
	}
	assert_int_equal(seen, 204);
	eg_image_done(&image);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_usable_face_of_the_demo_photos_is_found),
		cmocka_unit_test(landmarks_lie_where_the_eyes_and_mouths_are),
		cmocka_unit_test(an_aligned_face_has_its_eyes_on_the_arcface_points),
		cmocka_unit_test(a_face_that_fills_the_picture_is_found),
		cmocka_unit_test(a_small_face_in_a_large_picture_is_found),
		cmocka_unit_test(a_faded_or_grainy_face_is_found),
		cmocka_unit_test(nothing_is_found_where_nobody_is),
		cmocka_unit_test(a_grey_picture_is_refused),
		cmocka_unit_test(every_london_portrait_has_one_good_face),
	};

	if (eg_crypto_init(NULL) != 0)
		return 1;
	return cmocka_run_group_tests(tests, open_all, close_all);
}
