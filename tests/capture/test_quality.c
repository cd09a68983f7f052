// SPDX-License-Identifier: Apache-2.0
//
// Quality components on one good face made worse in one way at a time: the component that should
// fall falls, the others stay.

#include "support.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "capture/quality.h"
#include "capture/sample.h"

static struct eg_pack *pack;
static struct eg_capture *capture;
static struct eg_image picture; // a good portrait
static struct eg_face good;

static int open_all(void **state)
{
	struct eg_capture_config config = eg_capture_defaults;
	const char *folder = getenv("EGRESS_PACK");

	(void)state;
	if (!folder || eg_pack_open(folder, ROLE(DETECT) | ROLE(LANDMARK), 1, &pack, NULL) != 0)
		return 0;
	config.liveness = false;
	return eg_capture_new(&config, pack, &capture, NULL);
}

static int close_all(void **state)
{
	(void)state;
	eg_capture_free(capture);
	eg_pack_free(pack);
	eg_image_done(&picture);
	return 0;
}

static struct eg_face only_face(const struct eg_image *image)
{
	struct eg_err err = EG_ERR_INIT;
	struct eg_face faces[4];
	size_t count = 0;

	if (eg_capture_still(capture, image, faces, 4, &count, &err) != 0)
		fail_msg("%s", err.text);
	assert_int_equal(count, 1);
	return faces[0];
}

// The woman in the middle of sample3, as a portrait.
static void need_portrait(void)
{
	struct eg_image all = {0};
	const struct eg_box box = {938, 52, 500, 520};

	if (!capture)
		skip();
	if (picture.data)
		return;
	load_picture(folder_of("EGRESS_FACES"), "sample3.jpg", &all);
	assert_int_equal(eg_image_init(&picture, 500, 520, 3), 0);
	paste(&picture, 0, 0, &all, box, 1);
	eg_image_done(&all);
	good = only_face(&picture);
}

// value → gain · value + offset, cut to 0 … 255.
static struct eg_face relit(double gain, double offset)
{
	struct eg_image image = {0};
	struct eg_face face;

	assert_int_equal(eg_image_init(&image, picture.width, picture.height, 3), 0);
	for (int y = 0; y < picture.height; y++)
		for (int x = 0; x < picture.width * 3; x++) {
			double v = picture.data[(ptrdiff_t)y * picture.stride + x] * gain + offset;

			image.data[(ptrdiff_t)y * image.stride + x] =
				(uint8_t)fmin(255, fmax(0, v));
		}
	face = only_face(&image);
	eg_image_done(&image);
	return face;
}

static int part(const struct eg_face *face, enum eg_quality_component c)
{
	return face->quality.component[c];
}

static void a_good_portrait_scores_well(void **state)
{
	(void)state;
	need_portrait();
	assert_true(good.quality.overall >= 60);
	for (int c = 0; c < EG_QUALITY_COUNT; c++)
		assert_true(good.quality.component[c] >= 0 && good.quality.component[c] <= 100);
	assert_int_equal(part(&good, EG_QUALITY_SINGLE_FACE), 100);
	assert_true(part(&good, EG_QUALITY_EYES_OPEN) > 60);
	// eyes read off the picture: 108 px apart
	assert_true(fabsf(good.quality.inter_eye_px - 108) < 15);
}

static void blur_lowers_sharpness(void **state)
{
	struct eg_image small = {0}, image = {0};
	const struct eg_box all = {0, 0, 500, 520};
	struct eg_face face;

	(void)state;
	need_portrait();
	assert_int_equal(eg_image_init(&small, 50, 52, 3), 0);
	assert_int_equal(eg_image_init(&image, 500, 520, 3), 0);
	paste(&small, 0, 0, &picture, all, 0.1);
	paste(&image, 0, 0, &small, (struct eg_box){0, 0, 50, 52}, 10);
	face = only_face(&image);
	assert_true(part(&face, EG_QUALITY_SHARPNESS) + 30 < part(&good, EG_QUALITY_SHARPNESS));
	assert_true(face.quality.overall < good.quality.overall);
	assert_int_equal(eg_quality_hint(&face, 24), EG_HINT_HOLD_STILL);
	eg_image_done(&small);
	eg_image_done(&image);
}

static void darkness_and_glare_are_told_apart(void **state)
{
	struct eg_face dark, bright;

	(void)state;
	need_portrait();
	dark = relit(0.2, 0);
	assert_true(part(&dark, EG_QUALITY_LUMINANCE_MEAN) < 50);
	assert_int_equal(part(&dark, EG_QUALITY_OVER_EXPOSURE), 100);
	assert_int_equal(eg_quality_hint(&dark, 24), EG_HINT_MORE_LIGHT);
	bright = relit(1.6, 60);
	assert_true(part(&bright, EG_QUALITY_OVER_EXPOSURE) < 40);
	assert_int_equal(part(&bright, EG_QUALITY_UNDER_EXPOSURE), 100);
	assert_int_equal(eg_quality_hint(&bright, 24), EG_HINT_LESS_LIGHT);
	assert_true(dark.quality.overall < good.quality.overall);
	assert_true(bright.quality.overall < good.quality.overall);
}

static void flat_contrast_lowers_the_dynamic_range(void **state)
{
	struct eg_face flat;

	(void)state;
	need_portrait();
	flat = relit(0.3, 90);
	assert_true(part(&flat, EG_QUALITY_DYNAMIC_RANGE) + 20 <
		    part(&good, EG_QUALITY_DYNAMIC_RANGE));
	assert_true(part(&flat, EG_QUALITY_LUMINANCE_VARIANCE) <
		    part(&good, EG_QUALITY_LUMINANCE_VARIANCE));
}

static void a_turned_picture_is_seen_as_roll(void **state)
{
	const double turn = 25 * acos(-1.0) / 180;
	struct eg_image image = {0}, scratch = {0};
	struct eg_face face;
	struct eg_affine map = {{cos(turn), sin(turn), 250 - cos(turn) * 250 - sin(turn) * 260,
				 -sin(turn), cos(turn), 260 + sin(turn) * 250 - cos(turn) * 260}};

	(void)state;
	need_portrait();
	assert_int_equal(eg_image_init(&image, 500, 520, 3), 0);
	assert_int_equal(eg_sample(&picture, &map, EG_BORDER_EDGE, &scratch, &image), 0);
	face = only_face(&image);
	assert_true(fabsf(face.quality.roll_deg - good.quality.roll_deg - 25) < 5);
	assert_true(part(&face, EG_QUALITY_POSE_ROLL) < part(&good, EG_QUALITY_POSE_ROLL));
	eg_image_done(&image);
	eg_image_done(&scratch);
}

static void a_mirrored_face_looks_the_other_way(void **state)
{
	struct eg_image image = {0};
	struct eg_face face;

	(void)state;
	need_portrait();
	assert_true(good.quality.yaw_deg < -8); // she looks to the image's left
	assert_int_equal(eg_image_init(&image, 500, 520, 3), 0);
	for (int y = 0; y < 520; y++)
		for (int x = 0; x < 500; x++)
			memcpy(image.data + (ptrdiff_t)y * image.stride + x * 3,
			       picture.data + (ptrdiff_t)y * picture.stride + (499 - x) * 3, 3);
	face = only_face(&image);
	assert_true(fabsf(face.quality.yaw_deg + good.quality.yaw_deg) < 8);
	assert_true(fabsf(face.quality.roll_deg + good.quality.roll_deg) < 5);
	assert_true(fabsf(face.quality.pitch_deg - good.quality.pitch_deg) < 8);
	eg_image_done(&image);
}

static void one_side_in_shadow_lowers_uniformity(void **state)
{
	struct eg_image image = {0};
	struct eg_face face;

	(void)state;
	need_portrait();
	assert_int_equal(eg_image_init(&image, 500, 520, 3), 0);
	for (int y = 0; y < 520; y++)
		for (int x = 0; x < 500 * 3; x++) {
			double light = fmin(1, fmax(0.2, (x / 3 - 200) / 100.0));
			uint8_t was = picture.data[(ptrdiff_t)y * picture.stride + x];

			image.data[(ptrdiff_t)y * image.stride + x] = (uint8_t)(was * light);
		}
	face = only_face(&image);
	assert_true(part(&face, EG_QUALITY_ILLUMINATION_UNIFORMITY) + 15 <
		    part(&good, EG_QUALITY_ILLUMINATION_UNIFORMITY));
	eg_image_done(&image);
}

static void far_and_near_faces_get_a_hint(void **state)
{
	struct eg_face face = good;

	(void)state;
	need_portrait();
	face = good;
	assert_int_equal(eg_quality_hint(&face, 200), EG_HINT_CLOSER);
	face.quality.component[EG_QUALITY_CROP_MARGINS] = 0;
	assert_int_equal(eg_quality_hint(&face, 24), EG_HINT_BACK);
	face.has_landmarks = false;
	assert_int_equal(eg_quality_hint(&face, 24), EG_HINT_NONE);
}

static void every_component_and_hint_has_its_own_name(void **state)
{
	(void)state;
	for (int a = 0; a < EG_QUALITY_COUNT; a++)
		for (int b = 0; b < a; b++)
			assert_string_not_equal(eg_quality_name((enum eg_quality_component)a),
						eg_quality_name((enum eg_quality_component)b));
	for (int a = 0; a < EG_HINT_COUNT; a++)
		for (int b = 0; b < a; b++)
			assert_string_not_equal(eg_hint_name((enum eg_hint)a),
						eg_hint_name((enum eg_hint)b));
	assert_string_equal(eg_quality_name(EG_QUALITY_COUNT), "unknown");
	assert_string_equal(eg_hint_name(EG_HINT_CLOSER), "closer");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_good_portrait_scores_well),
		cmocka_unit_test(blur_lowers_sharpness),
		cmocka_unit_test(darkness_and_glare_are_told_apart),
		cmocka_unit_test(flat_contrast_lowers_the_dynamic_range),
		cmocka_unit_test(a_turned_picture_is_seen_as_roll),
		cmocka_unit_test(a_mirrored_face_looks_the_other_way),
		cmocka_unit_test(one_side_in_shadow_lowers_uniformity),
		cmocka_unit_test(far_and_near_faces_get_a_hint),
		cmocka_unit_test(every_component_and_hint_has_its_own_name),
	};

	if (eg_crypto_init(NULL) != 0)
		return 1;
	return cmocka_run_group_tests(tests, open_all, close_all);
}
