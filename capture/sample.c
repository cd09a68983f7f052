// SPDX-License-Identifier: Apache-2.0
//
// The part of sampling that needs no OpenCV.

#include "capture/sample.h"

#include <assert.h>

struct eg_affine eg_sample_box(struct eg_box box, int width, int height)
{
	double sx = (double)box.width / width, sy = (double)box.height / height;

	// pixels are squares with their centre half a pixel in
	return (struct eg_affine){
		{sx, 0, (double)box.x + 0.5 * sx - 0.5, 0, sy, (double)box.y + 0.5 * sy - 0.5}};
}

void eg_sample_grey(const struct eg_image *bgr, struct eg_image *grey)
{
	assert(bgr->channels == 3 && grey->channels == 1 && bgr->width == grey->width &&
	       bgr->height == grey->height);
	for (int y = 0; y < bgr->height; y++) {
		const uint8_t *from = bgr->data + (ptrdiff_t)y * bgr->stride;
		uint8_t *to = grey->data + (ptrdiff_t)y * grey->stride;

		for (int x = 0; x < bgr->width; x++, from += 3)
			to[x] = (uint8_t)((29 * from[0] + 150 * from[1] + 77 * from[2] + 128) >> 8);
	}
}
