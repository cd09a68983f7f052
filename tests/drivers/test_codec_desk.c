// SPDX-License-Identifier: Apache-2.0
//
// PNG for desk tools. The pictures are made here with libpng's own writer, row by row.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <png.h>

#include "drivers/codec.h"

#define W 8
#define H 4

// Left half 200, 40, 90 and right half 10, 160, 250 (R, G, B).
static const uint8_t half[2][3] = {{200, 40, 90}, {10, 160, 250}};

// A pixel as it is stored in this kind of PNG; alpha is 0 on the right.
static size_t put_pixel(uint8_t *to, int type, int depth, bool right)
{
	size_t n = 0;

	if (type == PNG_COLOR_TYPE_PALETTE) {
		to[n++] = right;
		return n;
	}
	for (int c = 0; c < 3; c++) {
		to[n++] = half[right][c];
		if (depth == 16)
			to[n++] = half[right][c]; // v × 257
	}
	if (type == PNG_COLOR_TYPE_RGB_ALPHA)
		to[n++] = right ? 0 : 255;
	return n;
}

static void write_png(const char *path, int type, int depth)
{
	png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, NULL, NULL, NULL);
	png_infop info = png_create_info_struct(png);
	FILE *file = fopen(path, "we");
	png_color palette[2];

	assert_non_null(info);
	assert_non_null(file);
	png_init_io(png, file);
	png_set_IHDR(png, info, W, H, depth, type, PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT,
		     PNG_FILTER_TYPE_DEFAULT);
	png_set_sRGB(png, info, PNG_sRGB_INTENT_PERCEPTUAL);
	for (int i = 0; i < 2; i++)
		palette[i] = (png_color){half[i][0], half[i][1], half[i][2]};
	if (type == PNG_COLOR_TYPE_PALETTE)
		png_set_PLTE(png, info, palette, 2);
	png_write_info(png, info);
	for (int y = 0; y < H; y++) {
		uint8_t row[W * 6];
		size_t n = 0;

		for (int x = 0; x < W; x++)
			n += put_pixel(row + n, type, depth, x >= W / 2);
		png_write_row(png, row);
	}
	png_write_end(png, info);
	png_destroy_write_struct(&png, &info);
	assert_int_equal(fclose(file), 0);
}

static void check(const char *path, const uint8_t right[3])
{
	struct eg_image image = {0};
	struct eg_err err = EG_ERR_INIT;

	if (eg_codec_load_desk(path, &image, &err) != 0)
		fail_msg("%s", err.text);
	assert_int_equal(image.width, W);
	assert_int_equal(image.height, H);
	assert_int_equal(image.channels, 3);
	for (int y = 0; y < H; y++) {
		for (int x = 0; x < W; x++) {
			const uint8_t *p = image.data + y * image.stride + x * 3;

			for (int c = 0; c < 3; c++)
				assert_in_range(p[2 - c] + 1, (x < W / 2 ? half[0] : right)[c],
						(x < W / 2 ? half[0] : right)[c] + 2);
		}
	}
	eg_image_done(&image);
}

static void pngs_of_8_and_16_bits_and_with_a_palette_are_read(void **state)
{
	(void)state;
	write_png("rgb.png", PNG_COLOR_TYPE_RGB, 8);
	check("rgb.png", half[1]);
	write_png("deep.png", PNG_COLOR_TYPE_RGB, 16);
	check("deep.png", half[1]);
	write_png("palette.png", PNG_COLOR_TYPE_PALETTE, 8);
	check("palette.png", half[1]);
}

static void what_is_transparent_becomes_white(void **state)
{
	(void)state;
	write_png("alpha.png", PNG_COLOR_TYPE_RGB_ALPHA, 8);
	check("alpha.png", (const uint8_t[]){255, 255, 255});
}

static void refuse(const uint8_t *data, size_t size, int code)
{
	struct eg_image image = {0};
	struct eg_err err = EG_ERR_INIT;
	FILE *file = fopen("bad.png", "we");

	assert_non_null(file);
	assert_int_equal(fwrite(data, 1, size, file), size);
	assert_int_equal(fclose(file), 0);
	assert_int_equal(eg_codec_load_desk("bad.png", &image, &err), code);
	assert_non_null(strstr(err.text, "bad.png"));
	eg_image_done(&image);
}

static void cut_damaged_and_huge_pngs_are_refused_by_name(void **state)
{
	// 100000 × 100000 pixels, header with its true CRC (from Python's zlib.crc32).
	static const uint8_t huge[] = {0x89, 'P',  'N',	 'G',  '\r', '\n', 0x1a, '\n', 0,
				       0,    0,	   13,	 'I',  'H',  'D',  'R',	 0,    1,
				       0x86, 0xa0, 0,	 1,    0x86, 0xa0, 8,	 2,    0,
				       0,    0,	   0x27, 0x30, 0x9c, 0x9f, 0,	 0,    0,
				       0,    'I',  'D',	 'A',  'T',  0x35, 0xaf, 0x06, 0x1e};
	uint8_t data[4096];
	size_t size;
	FILE *file;

	(void)state;
	write_png("whole.png", PNG_COLOR_TYPE_RGB, 8);
	file = fopen("whole.png", "re");
	assert_non_null(file);
	size = fread(data, 1, sizeof(data), file);
	assert_int_equal(fclose(file), 0);
	assert_in_range(size, 60, sizeof(data) - 1);
	for (size_t part = 8; part < size - 12;
	     part += 5) // up to the pixels' end; IEND is not needed
		refuse(data, part, EG_EINVAL);
	data[size - 20] ^= 0xff; // within the pixels' checksums
	refuse(data, size, EG_EINVAL);
	refuse(huge, sizeof(huge), EG_ETOOBIG);
}

static void other_pictures_still_come_from_the_booths_decoder(void **state)
{
	static const uint8_t grey[16];
	struct eg_image image = {.data = (uint8_t *)(uintptr_t)grey,
				 .width = 4,
				 .height = 4,
				 .channels = 1,
				 .stride = 4};
	struct eg_image back = {0};
	struct eg_buf jpeg;
	FILE *file = fopen("grey.jpg", "we");

	(void)state;
	assert_non_null(file);
	eg_buf_init(&jpeg, 1u << 16);
	assert_int_equal(eg_codec_encode_jpeg(&image, 90, &jpeg, NULL), 0);
	assert_int_equal(fwrite(jpeg.data, 1, jpeg.size, file), jpeg.size);
	assert_int_equal(fclose(file), 0);
	eg_buf_done(&jpeg);
	assert_int_equal(eg_codec_load_desk("grey.jpg", &back, NULL), 0);
	assert_int_equal(back.width, 4);
	eg_image_done(&back);
	assert_int_equal(eg_codec_load_desk("nowhere.png", &back, NULL), EG_ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pngs_of_8_and_16_bits_and_with_a_palette_are_read),
		cmocka_unit_test(what_is_transparent_becomes_white),
		cmocka_unit_test(cut_damaged_and_huge_pngs_are_refused_by_name),
		cmocka_unit_test(other_pictures_still_come_from_the_booths_decoder),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
