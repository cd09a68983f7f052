// SPDX-License-Identifier: Apache-2.0

#include "drivers/image.h"

#include <stdlib.h>

#include "firmware/base/mem.h"

static int check(int width, int height, int channels)
{
	if (width < 1 || height < 1 || (channels != 1 && channels != 3))
		return EG_EINVAL;
	return width > EG_IMAGE_SIDE_MAX || height > EG_IMAGE_SIDE_MAX ? EG_ETOOBIG : 0;
}

int eg_image_resize(struct eg_image *image, int width, int height, int channels)
{
	size_t size = (size_t)width * (size_t)height * (size_t)channels;
	int r = check(width, height, channels);

	if (r != 0)
		return r;
	if (size > image->room) {
		uint8_t *data = eg_calloc(size, 1);

		if (data == NULL)
			return EG_ENOMEM;
		eg_image_done(image);
		image->data = data;
		image->room = size;
	}
	image->width = width;
	image->height = height;
	image->channels = channels;
	image->stride = width * channels;
	return 0;
}

int eg_image_init(struct eg_image *image, int width, int height, int channels)
{
	*image = (struct eg_image){0};
	return eg_image_resize(image, width, height, channels);
}

void eg_image_done(struct eg_image *image)
{
	if (image == NULL)
		return;
	if (image->room > 0) {
		eg_wipe(image->data, image->room); // it may have been a face
		free(image->data);
	}
	*image = (struct eg_image){0};
}

struct eg_image eg_image_view(const struct eg_image *image, int x, int y, int width, int height)
{
	int right = x + width, bottom = y + height;
	struct eg_image view = *image;

	x = x < 0 ? 0 : x > image->width ? image->width : x;
	y = y < 0 ? 0 : y > image->height ? image->height : y;
	right = right < x ? x : right > image->width ? image->width : right;
	bottom = bottom < y ? y : bottom > image->height ? image->height : bottom;
	view.data = image->data + (size_t)y * (size_t)image->stride +
		    (size_t)x * (size_t)image->channels;
	view.width = right - x;
	view.height = bottom - y;
	view.room = 0;
	return view;
}
