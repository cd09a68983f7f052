// SPDX-License-Identifier: Apache-2.0

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "drivers/image.h"

static void sizes_out_of_bounds_are_refused(void **state)
{
	struct eg_image image = {0};

	(void)state;
	assert_int_equal(eg_image_init(&image, 0, 1, 3), EG_EINVAL);
	assert_int_equal(eg_image_init(&image, 1, -1, 3), EG_EINVAL);
	assert_int_equal(eg_image_init(&image, 1, 1, 2), EG_EINVAL);
	assert_int_equal(eg_image_init(&image, EG_IMAGE_SIDE_MAX + 1, 1, 1), EG_ETOOBIG);
	assert_int_equal(eg_image_init(&image, 1, EG_IMAGE_SIDE_MAX + 1, 1), EG_ETOOBIG);
	assert_int_equal(eg_image_init(&image, EG_IMAGE_SIDE_MAX, 1, 1), 0);
	eg_image_done(&image);
	eg_image_done(&image);
	eg_image_done(NULL);
}

static void new_pixels_are_zero_and_a_smaller_size_reuses_memory(void **state)
{
	static const uint8_t zero[6 * 4 * 3];
	struct eg_image image;
	const uint8_t *data;

	(void)state;
	assert_int_equal(eg_image_init(&image, 6, 4, 3), 0);
	assert_memory_equal(image.data, zero, sizeof(zero));
	data = image.data;
	assert_int_equal(eg_image_resize(&image, 3, 5, 1), 0);
	assert_ptr_equal(image.data, data);
	assert_int_equal(image.stride, 3);
	assert_int_equal(eg_image_resize(&image, 100, 50, 3), 0);
	assert_int_equal(image.stride, 300);
	assert_true(image.room >= 15000);
	eg_image_done(&image);
}

static void a_view_is_clipped_to_its_image(void **state)
{
	static const struct {
		int x, y, width, height, at, right, bottom;
	} cases[] = {
		{1, 1, 2, 2, 5, 2, 2},	{-1, -1, 3, 3, 0, 2, 2}, {2, 2, 9, 9, 10, 2, 1},
		{9, 9, 1, 1, 16, 0, 0}, {1, 1, -5, 2, 5, 0, 2},
	};
	struct eg_image image;

	(void)state;
	assert_int_equal(eg_image_init(&image, 4, 3, 1), 0);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct eg_image view = eg_image_view(&image, cases[i].x, cases[i].y, cases[i].width,
						     cases[i].height);

		assert_int_equal(view.data - image.data, cases[i].at);
		assert_int_equal(view.width, cases[i].right);
		assert_int_equal(view.height, cases[i].bottom);
		assert_int_equal(view.stride, 4);
		eg_image_done(&view); // frees nothing
	}
	eg_image_done(&image);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sizes_out_of_bounds_are_refused),
		cmocka_unit_test(new_pixels_are_zero_and_a_smaller_size_reuses_memory),
		cmocka_unit_test(a_view_is_clipped_to_its_image),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
