// SPDX-License-Identifier: Apache-2.0

#include "firmware/consoled/blur.h"

#include <math.h>
#include <string.h>

#include "tests/base/test.h"

#define WIDTH  640
#define HEIGHT 360

static struct eg_image image, scratch;

// A chessboard of 4 pixels: as sharp as a picture gets.
static int draw(void **state)
{
	(void)state;
	assert_int_equal(eg_image_resize(&image, WIDTH, HEIGHT, 3), 0);
	for (int y = 0; y < HEIGHT; y++)
		for (int x = 0; x < WIDTH; x++)
			memset(image.data + y * image.stride + 3 * x,
			       (x / 4 + y / 4) % 2 == 0 ? 0 : 240, 3);
	return 0;
}

static int end(void **state)
{
	(void)state;
	eg_image_done(&image);
	eg_image_done(&scratch);
	return 0;
}

static bool sharp(int x, int y)
{
	int value = image.data[y * image.stride + 3 * x];

	return value == 0 || value == 240;
}

static void all_is_blurred_when_nobody_is_served(void **state)
{
	(void)state;
	assert_int_equal(blur_all_but(&image, NULL, NULL, 0, &scratch), 0);
	for (int y = 0; y < HEIGHT; y++)
		for (int x = 0; x < WIDTH; x++)
			if (fabs(image.data[y * image.stride + 3 * x] - 120.) > 1)
				fail_msg("%d at %d, %d", image.data[y * image.stride + 3 * x], x,
					 y);
}

static void only_the_served_face_stays_sharp(void **state)
{
	const struct blur_box keep = {.25, .25, .25, .5};

	(void)state;
	assert_int_equal(blur_all_but(&image, &keep, NULL, 0, &scratch), 0);
	// The box and a quarter of it all round: 120 … 360, 45 … 315.
	for (int y = 0; y < HEIGHT; y++)
		for (int x = 0; x < WIDTH; x++)
			if (sharp(x, y) != (x >= 120 && x < 360 && y >= 45 && y < 315))
				fail_msg("%d, %d", x, y);
}

static void who_stands_over_it_is_blurred_again(void **state)
{
	const struct blur_box keep = {.25, .25, .25, .5}, other = {.45, .5, .1, .1};

	(void)state;
	assert_int_equal(blur_all_but(&image, &keep, &other, 1, &scratch), 0);
	assert_true(sharp(200, 180));
	assert_false(sharp(300, 190));
}

static void a_box_that_cannot_be_keeps_nothing(void **state)
{
	const struct blur_box boxes[] = {
		{NAN, 0, .5, .5}, {0, 0, NAN, .5},    {0, 0, INFINITY, 1}, {0, 0, -1, 1},
		{5, 5, .5, .5},	  {0, 0, 1e30, 1e30}, {-1e30, 0, .5, .5},  {0, 0, 0, 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(boxes) / sizeof(boxes[0]); i++) {
		(void)draw(NULL);
		assert_int_equal(blur_all_but(&image, &boxes[i], NULL, 0, &scratch), 0);
		for (int y = 0; y < HEIGHT; y += 5)
			for (int x = 0; x < WIDTH; x += 5)
				if (sharp(x, y))
					fail_msg("box %zu: %d, %d", i, x, y);
	}
}

static void any_size_will_do(void **state)
{
	(void)state;
	for (int width = 1; width < 70; width += 7)
		for (int height = 1; height < 70; height += 11) {
			assert_int_equal(eg_image_resize(&image, width, height, 3), 0);
			memset(image.data, 100, (size_t)height * (size_t)image.stride);
			assert_int_equal(blur_all_but(&image, NULL, NULL, 0, &scratch), 0);
			assert_int_equal(image.data[(height - 1) * image.stride + 3 * (width - 1)],
					 100);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(all_is_blurred_when_nobody_is_served, draw, end),
		cmocka_unit_test_setup_teardown(only_the_served_face_stays_sharp, draw, end),
		cmocka_unit_test_setup_teardown(who_stands_over_it_is_blurred_again, draw, end),
		cmocka_unit_test_setup_teardown(a_box_that_cannot_be_keeps_nothing, draw, end),
		cmocka_unit_test_setup_teardown(any_size_will_do, draw, end),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
