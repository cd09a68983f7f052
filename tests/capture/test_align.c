// SPDX-License-Identifier: Apache-2.0
//
// Geometry whose answer is known.

// clang-format off: cmocka wants these first
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "capture/align.h"
#include "capture/box.h"

static const double degree = 0.017453292519943295;

static struct eg_point mapped(const struct eg_affine *map, struct eg_point p)
{
	return (struct eg_point){(float)(map->m[0] * p.x + map->m[1] * p.y + map->m[2]),
				 (float)(map->m[3] * p.x + map->m[4] * p.y + map->m[5])};
}

static void a_similarity_is_found_exactly(void **state)
{
	(void)state;
	for (int turn = -180; turn < 180; turn += 15) {
		const double scale = 0.3 + (turn + 180) / 100.0;
		struct eg_affine map;
		struct eg_point from[5];

		for (int i = 0; i < 5; i++) {
			double x = eg_align_targets[i].x, y = eg_align_targets[i].y;

			from[i].x =
				(float)(scale * (cos(turn * degree) * x - sin(turn * degree) * y) +
					317);
			from[i].y =
				(float)(scale * (sin(turn * degree) * x + cos(turn * degree) * y) -
					41);
		}
		assert_int_equal(eg_align_map(from, eg_align_targets, 5, &map), 0);
		for (int i = 0; i < 5; i++) {
			struct eg_point p = mapped(&map, eg_align_targets[i]);

			assert_true(fabsf(p.x - from[i].x) < 0.01f);
			assert_true(fabsf(p.y - from[i].y) < 0.01f);
		}
	}
}

static void the_rest_is_spread_over_all_points(void **state)
{
	// a square whose corners are moved by (±1, 0) in turn: the best fit leaves it where it was
	const struct eg_point to[4] = {{0, 0}, {10, 0}, {10, 10}, {0, 10}};
	const struct eg_point from[4] = {{1, 0}, {9, 0}, {11, 10}, {-1, 10}};
	struct eg_affine map;

	(void)state;
	assert_int_equal(eg_align_map(from, to, 4, &map), 0);
	for (int i = 0; i < 4; i++) {
		struct eg_point p = mapped(&map, to[i]);

		assert_true(fabsf(p.x - to[i].x) < 0.3f && fabsf(p.y - to[i].y) < 0.3f);
	}
}

static void points_that_fall_together_are_refused(void **state)
{
	struct eg_point from[5] = {{3, 3}, {3, 3}, {3, 3}, {3, 3}, {3, 3}};
	struct eg_affine map;

	(void)state;
	assert_int_equal(eg_align_map(from, eg_align_targets, 5, &map), EG_EINVAL);
	from[0].x = NAN;
	assert_int_equal(eg_align_map(from, eg_align_targets, 5, &map), EG_EINVAL);
}

static void a_face_without_landmarks_is_not_aligned(void **state)
{
	struct eg_face face = {0};
	struct eg_image image = {0}, aligned = {0};

	(void)state;
	assert_int_equal(eg_image_init(&image, 50, 50, 3), 0);
	assert_int_equal(eg_align(&image, &face, &aligned), EG_EINVAL);
	assert_null(aligned.data);
	eg_image_done(&image);
}

// A head of our own making, turned and projected straight on to the image: eyes' corners, nose,
// mouth, chin (millimetres; x to image right, y down, z towards the camera).
static void project(struct eg_face *face, double yaw, double pitch, double roll)
{
	static const struct {
		int landmark;
		double x, y, z;
	} head[] = {
		{36, -45, -34, -27}, {39, -18, -34, -22}, {42, 18, -34, -22}, {45, 45, -34, -27},
		{30, 0, 0, 0},	     {48, -27, 30, -24},  {54, 27, 30, -24},  {8, 0, 66, -18},
	};

	memset(face, 0, sizeof(*face));
	for (size_t i = 0; i < sizeof(head) / sizeof(head[0]); i++) {
		double x = head[i].x, y = head[i].y, z = head[i].z, t;

		t = y * cos(pitch * degree) - z * sin(pitch * degree); // nose up for pitch > 0
		z = y * sin(pitch * degree) + z * cos(pitch * degree);
		y = t;
		t = x * cos(yaw * degree) + z * sin(yaw * degree); // nose to image right
		z = -x * sin(yaw * degree) + z * cos(yaw * degree);
		x = t;
		t = x * cos(roll * degree) - y * sin(roll * degree); // clockwise as seen
		y = x * sin(roll * degree) + y * cos(roll * degree);
		face->landmark[head[i].landmark] =
			(struct eg_point){(float)(400 + 1.7 * t), (float)(300 + 1.7 * y)};
	}
}

static void pose_is_read_off_a_turned_head(void **state)
{
	static const double turns[][3] = {{0, 0, 0},   {30, 0, 0},  {-30, 0, 0},
					  {0, 20, 0},  {0, -20, 0}, {0, 0, 25},
					  {0, 0, -25}, {20, 10, 0}, {-15, -10, 5}};

	(void)state;
	for (size_t i = 0; i < sizeof(turns) / sizeof(turns[0]); i++) {
		struct eg_face face;
		float yaw, pitch, roll;

		project(&face, turns[i][0], turns[i][1], turns[i][2]);
		eg_align_pose(&face, &yaw, &pitch, &roll);
		if (fabs(yaw - turns[i][0]) > 4 || fabs(pitch - turns[i][1]) > 4 ||
		    fabs(roll - turns[i][2]) > 4)
			fail_msg("%g %g %g came out as %g %g %g", turns[i][0], turns[i][1],
				 turns[i][2], (double)yaw, (double)pitch, (double)roll);
	}
}

static void boxes_overlap_as_areas_do(void **state)
{
	const struct eg_box a = {0, 0, 10, 10}, b = {5, 0, 10, 10}, c = {20, 0, 5, 5};
	const struct eg_box grown = eg_box_grown(a, 2);

	(void)state;
	assert_true(fabsf(eg_box_overlap(a, a) - 1) < 1e-6f);
	assert_true(fabsf(eg_box_overlap(a, b) - 1 / 3.0f) < 1e-6f);
	assert_true(eg_box_overlap(a, c) == 0);
	assert_true(grown.x == -5 && grown.y == -5 && grown.width == 20 && grown.height == 20);
}

// Against eg_frame_to_bgr, at widths that are no multiple of the registers'.
static void the_fast_colours_are_those_of_the_driver(void **state)
{
	static const int widths[] = {64, 66, 78, 96, 110};

	(void)state;
	for (size_t w = 0; w < sizeof(widths) / sizeof(*widths); w++)
		for (int limited = 0; limited < 2; limited++) {
			const int width = widths[w], height = 64;
			struct eg_image slow = {0}, fast = {0};
			struct eg_frame_pool *pool = NULL;
			struct eg_frame *frame;
			uint8_t *plane[2];
			uint32_t random = 1;

			assert_int_equal(eg_frame_pool_new(1, width, height, NULL, &pool, NULL), 0);
			frame = eg_frame_pool_take(pool, plane);
			assert_non_null(frame);
			frame->limited_range = limited != 0;
			for (int p = 0; p < 2; p++)
				for (int y = 0; y < height >> p; y++)
					for (int x = 0; x < width; x++) {
						random = random * 1664525 + 1013904223;
						plane[p][y * frame->stride[p] + x] =
							(uint8_t)(random >> 24);
					}
			assert_int_equal(eg_frame_to_bgr(frame, &slow), 0);
			assert_int_equal(eg_sample_nv12(frame, &fast), 0);
			for (int y = 0; y < height; y++)
				for (int x = 0; x < width * 3; x++) {
					int a = slow.data[(ptrdiff_t)y * slow.stride + x];
					int b = fast.data[(ptrdiff_t)y * fast.stride + x];

					if (abs(a - b) > 1)
						fail_msg("%d wide, %d,%d: %d is %d", width, x, y, a,
							 b);
				}
			eg_frame_unref(frame);
			eg_frame_pool_free(pool);
			eg_image_done(&slow);
			eg_image_done(&fast);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_similarity_is_found_exactly),
		cmocka_unit_test(the_rest_is_spread_over_all_points),
		cmocka_unit_test(points_that_fall_together_are_refused),
		cmocka_unit_test(a_face_without_landmarks_is_not_aligned),
		cmocka_unit_test(pose_is_read_off_a_turned_head),
		cmocka_unit_test(the_fast_colours_are_those_of_the_driver),
		cmocka_unit_test(boxes_overlap_as_areas_do),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
