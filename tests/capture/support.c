// SPDX-License-Identifier: Apache-2.0
//
// Shared by capture tests.

#include "support.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "capture/sample.h"
#include "drivers/codec.h"

const char *folder_of(const char *variable)
{
	const char *folder = getenv(variable);

	if (!folder || access(folder, R_OK) != 0) {
		print_message("skipped: %s names no folder\n", variable);
		skip();
	}
	return folder;
}

struct eg_pack *open_pack(unsigned int roles)
{
	struct eg_err err = EG_ERR_INIT;
	struct eg_pack *pack = NULL;

	if (eg_pack_open(folder_of("EGRESS_PACK"), roles, 1, &pack, &err) != 0)
		fail_msg("%s", err.text);
	return pack;
}

void load_picture(const char *folder, const char *name, struct eg_image *image)
{
	struct eg_err err = EG_ERR_INIT;
	char path[4096];

	assert_true(snprintf(path, sizeof(path), "%s/%s", folder, name) < (int)sizeof(path));
	if (eg_codec_load(path, EG_CODEC_LIMITS_DESK, image, &err) != 0)
		fail_msg("%s", err.text);
}

void plain_picture(struct eg_image *image, int width, int height, uint8_t grey)
{
	assert_int_equal(eg_image_resize(image, width, height, 3), 0);
	for (int y = 0; y < height; y++)
		memset(image->data + (ptrdiff_t)y * image->stride, grey, (size_t)width * 3);
}

void paste(struct eg_image *to, int x, int y, const struct eg_image *from, struct eg_box box,
	   double scale)
{
	int width = (int)lrint((double)box.width * scale);
	int height = (int)lrint((double)box.height * scale);
	struct eg_image view = eg_image_view(to, x, y, width, height), scratch = {0};
	struct eg_affine map = eg_sample_box(box, width, height);

	assert_int_equal(eg_sample(from, &map, EG_BORDER_EDGE, &scratch, &view), 0);
	eg_image_done(&scratch);
}

// BT.601, full range, as frame.h says.
static void to_nv12(const struct eg_image *p, uint8_t *plane[2], const int stride[2])
{
	for (int y = 0; y < p->height; y++)
		for (int x = 0; x < p->width; x++) {
			const uint8_t *c = p->data + (ptrdiff_t)y * p->stride + x * 3;
			double b = c[0], g = c[1], r = c[2];
			double luma = 0.299 * r + 0.587 * g + 0.114 * b;

			plane[0][(ptrdiff_t)y * stride[0] + x] = (uint8_t)lrint(luma);
			if (x % 2 == 0 && y % 2 == 0) {
				uint8_t *uv = plane[1] + (ptrdiff_t)(y / 2) * stride[1] + x;

				uv[0] = (uint8_t)fmin(255, round(128 + (b - luma) * 0.564));
				uv[1] = (uint8_t)fmin(255, round(128 + (r - luma) * 0.713));
			}
		}
}

struct eg_frame *frame_of(struct eg_frame_pool *pool, const struct eg_image *picture,
			  int64_t time_ms)
{
	static uint64_t sequence;
	uint8_t *plane[2];
	struct eg_frame *frame = eg_frame_pool_take(pool, plane);

	assert_non_null(frame);
	assert_int_equal(frame->width, picture->width);
	assert_int_equal(frame->height, picture->height);
	to_nv12(picture, plane, frame->stride);
	frame->captured_ns = time_ms * 1000000;
	frame->sequence = ++sequence;
	frame->generation = 1;
	return frame;
}
