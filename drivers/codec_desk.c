// SPDX-License-Identifier: Apache-2.0
//
// PNG for desk tools, by libpng's simplified API, which holds no error behind a longjmp of ours.
// Its own library: nothing on a booth links this parser.

#include <string.h>

#include <png.h>

#include "drivers/codec_internal.h"
#include "firmware/base/file.h"

static int decode_png(struct eg_bytes bytes, struct eg_image *image, struct eg_err *err)
{
	png_image png = {.version = PNG_IMAGE_VERSION};
	int r;

	if (!png_image_begin_read_from_memory(&png, bytes.data, bytes.size))
		return eg_err_set(err, EG_EINVAL, "the PNG is damaged: %.100s", png.message);
	r = eg_codec_check_size(png.width, png.height, EG_CODEC_LIMITS_DESK.side_max, err);
	if (r == 0)
		r = eg_image_resize(image, (int)png.width, (int)png.height, 3);
	if (r == 0) {
		png_color white = {255, 255, 255};

		png.format = PNG_FORMAT_BGR;
		if (!png_image_finish_read(&png, &white, image->data, image->stride, NULL) ||
		    (png.warning_or_error & PNG_IMAGE_WARNING) != 0)
			r = eg_err_set(err, EG_EINVAL, "the PNG is damaged: %.100s", png.message);
	}
	png_image_free(&png);
	return r;
}

int eg_codec_load_desk(const char *path, struct eg_image *image, struct eg_err *err)
{
	struct eg_codec_limits limits = EG_CODEC_LIMITS_DESK;
	struct eg_buf bytes;
	int r;

	eg_buf_init(&bytes, limits.bytes_max);
	r = eg_file_read(path, &bytes, err);
	if (r == 0) {
		if (bytes.size >= 8 && memcmp(bytes.data, "\x89PNG\r\n\x1a\n", 8) == 0)
			r = decode_png(eg_buf_bytes(&bytes), image, err);
		else
			r = eg_codec_decode(eg_buf_bytes(&bytes), limits, image, err);
		if (r != 0)
			r = eg_err_prefix(err, r, "%s", path);
	}
	eg_buf_done(&bytes);
	return r;
}
