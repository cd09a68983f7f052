// SPDX-License-Identifier: Apache-2.0
//
// Cues of presentation attacks, on pictures whose content is known.

// clang-format off: cmocka wants these first
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on

#include <math.h>

#include "capture/live_cues.h"

#define WIDTH  640
#define HEIGHT 480

static struct eg_image image;
static struct eg_live_scratch scratch;
static const struct eg_box face = {240, 140, 150, 180};

static int set_up(void **state)
{
	(void)state;
	return eg_image_init(&image, WIDTH, HEIGHT, 3) | eg_live_scratch_init(&scratch);
}

static int tear_down(void **state)
{
	(void)state;
	eg_image_done(&image);
	eg_live_scratch_done(&scratch);
	return 0;
}

static uint32_t lot = 1;

static int noise(int most)
{
	lot = lot * 1664525u + 1013904223u;
	return (int)(lot >> 16) % (2 * most + 1) - most;
}

static void set(int x, int y, double value)
{
	uint8_t *p = image.data + y * image.stride + 3 * x;

	for (int k = 0; k < 3; k++)
		p[k] = (uint8_t)fmax(0, fmin(value + noise(6), 255));
}

// A soft, noisy ramp, as of skin out of focus; `period` 0 or that of a weak grid, at an angle.
static void paint(double period)
{
	for (int y = 0; y < HEIGHT; y++)
		for (int x = 0; x < WIDTH; x++) {
			double grid = 0;

			if (period > 0)
				grid = 6 * sin(2 * M_PI * (x * 0.97 + y * 0.24) / period);
			set(x, y, 100 + 40 * sin(x / 60.0) + 20 * cos(y / 45.0) + grid);
		}
}

static void outline(int left, int top, int right, int bottom)
{
	for (int y = top; y < bottom; y++)
		for (int x = left; x < right; x++)
			if (x < left + 12 || x >= right - 12 || y < top + 12)
				set(x, y, 230);
}

static void a_weak_grid_stands_out_of_the_spectrum(void **state)
{
	(void)state;
	paint(0);
	assert_true(eg_live_peak(&image, face, &scratch) < 4);
	for (double period = 2.3; period < 5; period += 0.4) {
		paint(period);
		assert_true(eg_live_peak(&image, face, &scratch) > 5);
	}
}

static void the_blocks_of_jpeg_are_no_grid(void **state)
{
	(void)state;
	paint(0);
	for (int y = 0; y < HEIGHT; y++)
		for (int x = 0; x < WIDTH; x += 8)
			set(x, y, 106 + 40 * sin(x / 60.0) + 20 * cos(y / 45.0));
	assert_true(eg_live_peak(&image, face, &scratch) < 4);
}

static void the_edges_of_a_sheet_are_a_border(void **state)
{
	float border;

	(void)state;
	paint(0);
	assert_int_equal(eg_live_border(&image, face, &scratch, &border), 0);
	assert_true(border < 0.6f);
	outline(180, 60, 450, 470);
	assert_int_equal(eg_live_border(&image, face, &scratch, &border), 0);
	assert_true(border > 0.95f);
}

static void one_door_frame_is_no_border(void **state)
{
	float border;

	(void)state;
	paint(0);
	for (int y = 0; y < HEIGHT; y++)
		for (int x = 180; x < 200; x++)
			set(x, y, 230);
	assert_int_equal(eg_live_border(&image, face, &scratch, &border), 0);
	assert_true(border < 0.6f);
}

static void the_pictures_own_edge_is_no_border(void **state)
{
	const struct eg_box wide = {170, 20, 290, 340};
	float border;

	(void)state;
	paint(0);
	assert_int_equal(eg_live_border(&image, wide, &scratch, &border), 0);
	assert_true(border < 0.6f);
}

static void glare_is_the_part_that_is_blown_out(void **state)
{
	float glare;

	(void)state;
	paint(0);
	assert_int_equal(eg_live_glare(&image, face, &scratch, &glare), 0);
	assert_true(glare == 0);
	for (int y = 140; y < 230; y++) // the face's upper half
		for (int x = 200; x < 430; x++)
			set(x, y, 300);
	assert_int_equal(eg_live_glare(&image, face, &scratch, &glare), 0);
	assert_true(fabsf(glare - 0.5f) < 0.03f);
}

static void faces_at_or_beyond_the_edge_are_measured_without_a_crash(void **state)
{
	static const struct eg_box boxes[] = {
		{-100, -100, 150, 180}, {600, 440, 150, 180}, {-900, -900, 20, 20},
		{0, 0, 2000, 2000},	{300, 200, 3, 4},
	};
	float a;

	(void)state;
	paint(0);
	for (size_t i = 0; i < sizeof(boxes) / sizeof(boxes[0]); i++) {
		assert_true(isfinite(eg_live_peak(&image, boxes[i], &scratch)));
		assert_int_equal(eg_live_border(&image, boxes[i], &scratch, &a), 0);
		assert_true(a >= 0 && a <= 1);
		assert_int_equal(eg_live_glare(&image, boxes[i], &scratch, &a), 0);
		assert_true(a >= 0 && a <= 1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_weak_grid_stands_out_of_the_spectrum),
		cmocka_unit_test(the_blocks_of_jpeg_are_no_grid),
		cmocka_unit_test(the_edges_of_a_sheet_are_a_border),
		cmocka_unit_test(one_door_frame_is_no_border),
		cmocka_unit_test(the_pictures_own_edge_is_no_border),
		cmocka_unit_test(glare_is_the_part_that_is_blown_out),
		cmocka_unit_test(faces_at_or_beyond_the_edge_are_measured_without_a_crash),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
