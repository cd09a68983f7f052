// SPDX-License-Identifier: Apache-2.0
//
// Pictures are made here with libjpeg and OpenJPEG directly, so that the decoder is measured
// against the libraries and not against our own encoder.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <jpeglib.h>
#include <openjpeg.h>

#include "drivers/codec.h"
#include "firmware/base/file.h"

#define W 48
#define H 32

// Four quarters: red, green / blue, white.
static void rgb_at(int x, int y, uint8_t rgb[3])
{
	static const uint8_t quarter[4][3] = {
		{220, 30, 30}, {30, 200, 40}, {40, 50, 210}, {250, 250, 250}};

	memcpy(rgb, quarter[(y >= H / 2) * 2 + (x >= W / 2)], 3);
}

// `script`: scans of a progressive picture, NULL for a baseline one.
static struct eg_bytes make_jpeg_scans(J_COLOR_SPACE space, int components,
				       const jpeg_scan_info *script, int scans)
{
	struct jpeg_compress_struct info = {0};
	struct jpeg_error_mgr errors;
	unsigned char *data = NULL;
	unsigned long size = 0;

	info.err = jpeg_std_error(&errors);
	jpeg_create_compress(&info);
	jpeg_mem_dest(&info, &data, &size);
	info.image_width = W;
	info.image_height = H;
	info.input_components = components;
	info.in_color_space = space;
	jpeg_set_defaults(&info);
	jpeg_set_quality(&info, 95, TRUE);
	info.scan_info = script;
	info.num_scans = scans;
	jpeg_start_compress(&info, TRUE);
	for (int y = 0; y < H; y++) {
		uint8_t line[W * 4] = {0};
		JSAMPROW row = line;

		for (int x = 0; x < W; x++) {
			uint8_t rgb[3];

			rgb_at(x, y, rgb);
			memcpy(line + x * components, rgb, components == 1 ? 1 : 3);
		}
		(void)jpeg_write_scanlines(&info, &row, 1);
	}
	jpeg_finish_compress(&info);
	jpeg_destroy_compress(&info);
	return EG_BYTES(data, size);
}

static struct eg_bytes make_jpeg(J_COLOR_SPACE space, int components)
{
	return make_jpeg_scans(space, components, NULL, 0);
}

static void drop(struct eg_bytes bytes)
{
	free((void *)(uintptr_t)bytes.data);
}

// The JPEG with an APP1 segment behind its SOI.
static struct eg_bytes with_app1(struct eg_bytes jpeg, const uint8_t *payload, size_t size)
{
	uint8_t *data = malloc(jpeg.size + size + 4);

	assert_non_null(data);
	memcpy(data, jpeg.data, 2);
	data[2] = 0xff;
	data[3] = 0xe1;
	data[4] = (uint8_t)((size + 2) >> 8);
	data[5] = (uint8_t)(size + 2);
	memcpy(data + 6, payload, size);
	memcpy(data + 6 + size, jpeg.data + 2, jpeg.size - 2);
	return EG_BYTES(data, jpeg.size + size + 4);
}

static int decode(struct eg_bytes bytes, struct eg_image *image)
{
	struct eg_err err = EG_ERR_INIT;
	int r = eg_codec_decode(bytes, EG_CODEC_LIMITS_BOOTH, image, &err);

	if (r != 0)
		assert_true(err.text[0] != '\0');
	return r;
}

static void check_pixel(const struct eg_image *image, int x, int y, const uint8_t rgb[3])
{
	const uint8_t *p = image->data + (ptrdiff_t)y * image->stride + (ptrdiff_t)x * 3;

	for (int c = 0; c < 3; c++)
		assert_in_range(p[2 - c] + 6, rgb[c], rgb[c] + 12);
}

static void check_upright(const struct eg_image *image)
{
	uint8_t rgb[3];

	assert_int_equal(image->width, W);
	assert_int_equal(image->height, H);
	for (int k = 0; k < 4; k++) {
		int x = W / 4 + (k & 1) * W / 2, y = H / 4 + (k >> 1) * H / 2;

		rgb_at(x, y, rgb);
		check_pixel(image, x, y, rgb);
	}
}

static void colour_and_grey_jpegs_are_read_and_cmyk_is_refused(void **state)
{
	struct eg_bytes colour = make_jpeg(JCS_RGB, 3), grey = make_jpeg(JCS_GRAYSCALE, 1);
	struct eg_bytes cmyk = make_jpeg(JCS_CMYK, 4);
	const uint8_t value[3] = {220, 220, 220};
	struct eg_image image = {0};

	(void)state;
	assert_int_equal(decode(colour, &image), 0);
	check_upright(&image);
	assert_int_equal(decode(grey, &image), 0);
	assert_int_equal(image.channels, 3);
	check_pixel(&image, W / 4, H / 4, value);
	assert_int_equal(decode(cmyk, &image), EG_EUNSUPPORTED);
	eg_image_done(&image);
	drop(colour);
	drop(grey);
	drop(cmyk);
}

// Where the stored picture's quarters (0 1 / 2 3) stand once upright: EXIF 2.32, tag 0x0112.
static void all_exif_orientations_are_applied(void **state)
{
	static const int upright[9][4] = {{0},		{0, 1, 2, 3}, {1, 0, 3, 2},
					  {3, 2, 1, 0}, {2, 3, 0, 1}, {0, 2, 1, 3},
					  {2, 0, 3, 1}, {3, 1, 2, 0}, {1, 3, 0, 2}};
	struct eg_bytes jpeg = make_jpeg(JCS_RGB, 3);

	(void)state;
	for (int k = 0; k < 16; k++) {
		bool little = k >= 8;
		int o = k % 8 + 1;
		uint8_t exif[] =
			"Exif\0\0MM\0\x2a\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\0\0\0\0";
		const uint8_t intel[] =
			"Exif\0\0II\x2a\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\0\0\0\0\0";
		struct eg_image image = {0};
		struct eg_bytes turned;

		if (little)
			memcpy(exif, intel, sizeof(intel));
		exif[little ? 24 : 25] = (uint8_t)o;
		turned = with_app1(jpeg, exif, sizeof(exif) - 1);
		assert_int_equal(decode(turned, &image), 0);
		assert_int_equal(image.width, o >= 5 ? H : W);
		assert_int_equal(image.height, o >= 5 ? W : H);
		for (int q = 0; q < 4; q++) {
			uint8_t rgb[3];
			int from = upright[o][q];

			rgb_at((from & 1) * W / 2, (from >> 1) * H / 2, rgb);
			check_pixel(&image, image.width / 4 + (q & 1) * image.width / 2,
				    image.height / 4 + (q >> 1) * image.height / 2, rgb);
		}
		eg_image_done(&image);
		drop(turned);
	}
	drop(jpeg);
}

static void broken_exif_leaves_the_picture_upright(void **state)
{
	static const char *const broken[] = {"Exif", "Exif\0\0MM\0\x2a\xff\xff\xff\xff\0\1\1\x12",
					     "Exif\0\0II\x2a\0\x08\0\0\0\xff\xff\x13\1\3\0\1\0"};
	static const size_t sizes[] = {4, 18, 22};
	struct eg_bytes jpeg = make_jpeg(JCS_RGB, 3);
	struct eg_image image = {0};

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct eg_bytes bytes = with_app1(jpeg, (const uint8_t *)broken[i], sizes[i]);

		assert_int_equal(decode(bytes, &image), 0);
		check_upright(&image);
		drop(bytes);
	}
	eg_image_done(&image);
	drop(jpeg);
}

static void exif_is_found_behind_xmp(void **state)
{
	static const uint8_t exif[] =
		"Exif\0\0MM\0\x2a\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0";
	static const uint8_t xmp[] = "http://ns.adobe.com/xap/1.0/\0<x:xmpmeta/>";
	struct eg_bytes jpeg = make_jpeg(JCS_RGB, 3);
	struct eg_bytes inner = with_app1(jpeg, exif, sizeof(exif) - 1);
	struct eg_bytes both = with_app1(inner, xmp, sizeof(xmp) - 1);
	struct eg_image image = {0};

	(void)state;
	assert_int_equal(decode(both, &image), 0);
	assert_int_equal(image.width, H); // orientation 6: turned by a quarter
	eg_image_done(&image);
	drop(both);
	drop(inner);
	drop(jpeg);
}

// One scan for the DC values and one for each of `high` AC coefficients of each component.
static struct eg_bytes make_progressive(int high)
{
	jpeg_scan_info script[1 + 3 * 63] = {
		{.comps_in_scan = 3, .component_index = {0, 1, 2}, .Ss = 0, .Se = 0}};
	int n = 1;

	for (int k = 0; k < 3; k++)
		for (int i = 1; i <= high; i++)
			script[n++] = (jpeg_scan_info){.comps_in_scan = 1,
						       .component_index = {k},
						       .Ss = i,
						       .Se = i == high ? 63 : i};
	return make_jpeg_scans(JCS_RGB, 3, script, n);
}

static void progressive_jpegs_are_read_but_not_with_a_hundred_scans(void **state)
{
	struct eg_bytes ten = make_progressive(3), many = make_progressive(63);
	struct eg_image image = {0};
	struct eg_err err = EG_ERR_INIT;

	(void)state;
	assert_int_equal(decode(ten, &image), 0);
	check_upright(&image);
	assert_int_equal(eg_codec_decode(many, EG_CODEC_LIMITS_DESK, &image, &err), EG_EINVAL);
	assert_non_null(strstr(err.text, "more than 50 scans"));
	eg_image_done(&image);
	drop(ten);
	drop(many);
}

static void check_truncations(struct eg_bytes whole)
{
	struct eg_image image = {0};

	assert_int_equal(decode(whole, &image), 0);
	for (size_t i = 0; i < 16; i++) {
		size_t size = whole.size * i / 16;
		uint8_t *part = malloc(size + 1); // its own block: ASan sees a read beyond

		assert_non_null(part);
		part = realloc(part, size > 0 ? size : 1);
		memcpy(part, whole.data, size);
		assert_int_equal(decode(EG_BYTES(part, size), &image), EG_EINVAL);
		free(part);
	}
	eg_image_done(&image);
}

// `tune`: may ask the encoder for something unusual; NULL for a plain picture.
static struct eg_bytes make_jp2_tuned(void (*tune)(opj_cparameters_t *parameters))
{
	opj_cparameters_t parameters;
	opj_image_cmptparm_t part[3] = {0};
	struct eg_buf bytes;
	opj_image_t *image;
	opj_codec_t *codec = opj_create_compress(OPJ_CODEC_JP2);
	opj_stream_t *stream = opj_stream_create_default_file_stream("made.jp2", OPJ_FALSE);
	uint8_t *data;
	size_t size;

	for (int k = 0; k < 3; k++)
		part[k] = (opj_image_cmptparm_t){.dx = 1, .dy = 1, .w = W, .h = H, .prec = 8};
	image = opj_image_create(3, part, OPJ_CLRSPC_SRGB);
	assert_non_null(image);
	image->x1 = W;
	image->y1 = H;
	for (int i = 0; i < W * H; i++) {
		uint8_t rgb[3];

		rgb_at(i % W, i / W, rgb);
		for (int k = 0; k < 3; k++)
			image->comps[k].data[i] = rgb[k];
	}
	opj_set_default_encoder_parameters(&parameters);
	parameters.tcp_numlayers = 1;
	parameters.cp_disto_alloc = 1;
	parameters.numresolution = 4;
	if (tune != NULL)
		tune(&parameters);
	assert_true(opj_setup_encoder(codec, &parameters, image));
	assert_true(opj_start_compress(codec, image, stream) && opj_encode(codec, stream) &&
		    opj_end_compress(codec, stream));
	opj_stream_destroy(stream);
	opj_destroy_codec(codec);
	opj_image_destroy(image);
	eg_buf_init(&bytes, 1u << 20);
	assert_int_equal(eg_file_read("made.jp2", &bytes, NULL), 0);
	eg_buf_take(&bytes, &data, &size);
	return EG_BYTES(data, size);
}

static struct eg_bytes make_jp2(void)
{
	return make_jp2_tuned(NULL);
}

static void tiny_tiles(opj_cparameters_t *parameters)
{
	parameters->tile_size_on = OPJ_TRUE;
	parameters->cp_tdx = parameters->cp_tdy = 1;
	parameters->numresolution = 1;
}

static void some_tiles(opj_cparameters_t *parameters)
{
	parameters->tile_size_on = OPJ_TRUE;
	parameters->cp_tdx = parameters->cp_tdy = 16;
}

static void tiny_blocks(opj_cparameters_t *parameters)
{
	parameters->cblockw_init = parameters->cblockh_init = 4;
}

static void jpeg_2000_in_tiles_is_read_and_in_crumbs_refused(void **state)
{
	struct eg_bytes some = make_jp2_tuned(some_tiles), tiles = make_jp2_tuned(tiny_tiles);
	struct eg_bytes blocks = make_jp2_tuned(tiny_blocks);
	struct eg_image image = {0};

	(void)state;
	assert_int_equal(decode(some, &image), 0);
	check_upright(&image);
	assert_int_equal(decode(tiles, &image), EG_ETOOBIG); // 1536 tiles
	assert_int_equal(decode(blocks, &image), EG_ETOOBIG);
	eg_image_done(&image);
	drop(some);
	drop(tiles);
	drop(blocks);
}

// Where `marker` first stands behind the box of the codestream.
static size_t find_marker(struct eg_bytes jp2, uint8_t marker)
{
	size_t i;

	for (i = 0; i + 4 < jp2.size && memcmp(jp2.data + i, "\xff\x4f\xff\x51", 4) != 0; i++)
		;
	for (; i + 1 < jp2.size && !(jp2.data[i] == 0xff && jp2.data[i + 1] == marker); i++)
		;
	assert_true(i + 1 < jp2.size);
	return i;
}

static void jpeg_2000_headers_that_ask_for_too_much_are_refused(void **state)
{
	struct eg_bytes jp2 = make_jp2();
	uint8_t *bad = malloc(jp2.size);
	size_t siz = find_marker(jp2, 0x51), cod = find_marker(jp2, 0x52);
	struct eg_image image = {0};

	(void)state;
	assert_non_null(bad);
	memcpy(bad, jp2.data, jp2.size); // 65535 layers
	memcpy(bad + cod + 6, "\xff\xff", 2);
	assert_int_equal(decode(EG_BYTES(bad, jp2.size), &image), EG_ETOOBIG);
	memcpy(bad, jp2.data, jp2.size); // a picture and one tile of 2^30 each way
	memcpy(bad + siz + 6, "\x40\0\0\0\x40\0\0\0", 8);
	memcpy(bad + siz + 22, "\x40\0\0\0\x40\0\0\0", 8);
	assert_true(decode(EG_BYTES(bad, jp2.size), &image) != 0);
	memcpy(bad, jp2.data, jp2.size); // part 2's segments, and one that is not there
	bad[find_marker(jp2, 0x5c) + 1] = 0x75;
	assert_int_equal(decode(EG_BYTES(bad, jp2.size), &image), EG_EUNSUPPORTED);
	free(bad);
	eg_image_done(&image);
	drop(jp2);
}

static void a_coding_style_in_a_tile_is_refused(void **state)
{
	struct eg_bytes jp2 = make_jp2();
	size_t box = find_marker(jp2, 0x4f), cod = find_marker(jp2, 0x52);
	size_t sot = find_marker(jp2, 0x90), size = 2u + jp2.data[cod + 3];
	size_t whole = jp2.size - box + size, at = sot - box + 12;
	uint8_t *raw = malloc(whole);
	struct eg_image image = {0};
	uint32_t length;

	(void)state;
	assert_non_null(raw);
	assert_int_equal(decode(EG_BYTES(jp2.data + box, jp2.size - box), &image), 0);
	memcpy(raw, jp2.data + box, at);
	memcpy(raw + at, jp2.data + cod, size);
	memcpy(raw + at + size, jp2.data + box + at, jp2.size - box - at);
	length = (uint32_t)(raw[at - 6] << 24 | raw[at - 5] << 16 | raw[at - 4] << 8 | raw[at - 3]);
	length += (uint32_t)size;
	raw[at - 5] = (uint8_t)(length >> 16);
	raw[at - 4] = (uint8_t)(length >> 8);
	raw[at - 3] = (uint8_t)length;
	assert_int_equal(decode(EG_BYTES(raw, whole), &image), EG_EUNSUPPORTED);
	free(raw);
	eg_image_done(&image);
	drop(jp2);
}

static void jpeg_2000_is_read_exactly(void **state)
{
	struct eg_bytes jp2 = make_jp2();
	struct eg_image image = {0};

	(void)state;
	assert_int_equal(decode(jp2, &image), 0);
	check_upright(&image);
	eg_image_done(&image);
	drop(jp2);
}

static void a_truncated_picture_is_an_error_at_every_sixteenth(void **state)
{
	struct eg_bytes jpeg = make_jpeg(JCS_RGB, 3), jp2 = make_jp2();

	(void)state;
	check_truncations(jpeg);
	check_truncations(jp2);
	drop(jpeg);
	drop(jp2);
}

static void limits_are_kept_before_a_pixel_is_decoded(void **state)
{
	struct eg_bytes jpeg = make_jpeg(JCS_RGB, 3);
	struct eg_image image = {0};
	uint8_t *huge = malloc(jpeg.size);
	size_t i;

	(void)state;
	assert_int_equal(
		eg_codec_decode(jpeg, (struct eg_codec_limits){W, jpeg.size}, &image, NULL), 0);
	assert_int_equal(eg_codec_decode(jpeg, (struct eg_codec_limits){W - 1, 1u << 20}, &image,
					 NULL),
			 EG_ETOOBIG);
	assert_int_equal(eg_codec_decode(jpeg, (struct eg_codec_limits){W, jpeg.size - 1}, &image,
					 NULL),
			 EG_ETOOBIG);
	// SOF0 that claims 65500 by 65500.
	assert_non_null(huge);
	memcpy(huge, jpeg.data, jpeg.size);
	for (i = 0; i + 9 < jpeg.size && !(huge[i] == 0xff && huge[i + 1] == 0xc0); i++)
		;
	memcpy(huge + i + 5, "\xff\xdc\xff\xdc", 4);
	assert_int_equal(decode(EG_BYTES(huge, jpeg.size), &image), EG_ETOOBIG);
	free(huge);
	eg_image_done(&image);
	drop(jpeg);
}

static void what_is_no_picture_is_refused(void **state)
{
	struct eg_image image = {0};
	uint32_t seed = 7;

	(void)state;
	assert_int_equal(decode(EG_BYTES("", 0), &image), EG_EINVAL);
	assert_int_equal(decode(EG_BYTES("\x89PNG\r\n\x1a\n", 8), &image), EG_EUNSUPPORTED);
	assert_int_equal(decode(EG_BYTES("GIF89a", 6), &image), EG_EUNSUPPORTED);
	for (int i = 0; i < 200; i++) {
		uint8_t rubbish[300];

		for (size_t k = 0; k < sizeof(rubbish); k++)
			rubbish[k] = (uint8_t)((seed = seed * 1664525 + 1013904223) >> 24);
		memcpy(rubbish, i % 2 == 0 ? "\xff\xd8\xff" : "\xff\x4f\xff\x51",
		       i % 2 == 0 ? 3 : 4);
		assert_true(decode(EG_BYTES(rubbish, sizeof(rubbish)), &image) != 0);
	}
	eg_image_done(&image);
}

static void what_is_encoded_can_be_read_down_to_one_pixel(void **state)
{
	struct eg_image image, back = {0};
	struct eg_buf out;

	(void)state;
	for (int channels = 1; channels <= 3; channels += 2) {
		assert_int_equal(eg_image_init(&image, 1, 1, channels), 0);
		memset(image.data, 90, (size_t)channels);
		eg_buf_init(&out, 4096);
		assert_int_equal(eg_buf_put(&out, "before", 6), 0);
		assert_int_equal(eg_codec_encode_jpeg(&image, 95, &out, NULL), 0);
		assert_memory_equal(out.data, "before", 6);
		assert_int_equal(decode(EG_BYTES(out.data + 6, out.size - 6), &back), 0);
		assert_int_equal(back.width, 1);
		check_pixel(&back, 0, 0, (const uint8_t[]){90, 90, 90});
		eg_buf_done(&out);
		eg_buf_init(&out, 20);
		assert_int_equal(eg_codec_encode_jpeg(&image, 95, &out, NULL), EG_ETOOBIG);
		assert_int_equal(out.size, 0);
		eg_buf_done(&out);
		eg_image_done(&image);
	}
	eg_image_done(&back);
}

static void a_missing_file_is_named(void **state)
{
	struct eg_image image = {0};
	struct eg_err err = EG_ERR_INIT;

	(void)state;
	assert_int_equal(eg_codec_load("nowhere.jpg", EG_CODEC_LIMITS_BOOTH, &image, &err),
			 EG_ENOENT);
	assert_non_null(strstr(err.text, "nowhere.jpg"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(colour_and_grey_jpegs_are_read_and_cmyk_is_refused),
		cmocka_unit_test(all_exif_orientations_are_applied),
		cmocka_unit_test(broken_exif_leaves_the_picture_upright),
		cmocka_unit_test(exif_is_found_behind_xmp),
		cmocka_unit_test(progressive_jpegs_are_read_but_not_with_a_hundred_scans),
		cmocka_unit_test(jpeg_2000_is_read_exactly),
		cmocka_unit_test(jpeg_2000_in_tiles_is_read_and_in_crumbs_refused),
		cmocka_unit_test(jpeg_2000_headers_that_ask_for_too_much_are_refused),
		cmocka_unit_test(a_coding_style_in_a_tile_is_refused),
		cmocka_unit_test(a_truncated_picture_is_an_error_at_every_sixteenth),
		cmocka_unit_test(limits_are_kept_before_a_pixel_is_decoded),
		cmocka_unit_test(what_is_no_picture_is_refused),
		cmocka_unit_test(what_is_encoded_can_be_read_down_to_one_pixel),
		cmocka_unit_test(a_missing_file_is_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
