// SPDX-License-Identifier: Apache-2.0
//
// Pixels in memory: 8-bit BGR (3 channels) or grey (1), rows `stride` bytes apart. This is what
// leaves the camera side once a frame's NV12 has been converted, and what JPEG decodes into.
//
// Ownership: eg_image owns `data` until eg_image_done, unless made as a view (eg_image_view).
// Thread: one at a time.

#ifndef EG_IMAGE_H
#define EG_IMAGE_H

#include "firmware/base/buf.h"

// Nothing wider or higher is ever decoded or made.
#define EG_IMAGE_SIDE_MAX 8192

struct eg_image {
	uint8_t *data;
	int width, height;
	int channels; // 3 = B, G, R; 1 = grey
	int stride;   // bytes from row to row
	size_t room;  // bytes allocated; 0: a view, done() frees nothing
};

// Zeroed pixels; EG_ETOOBIG over EG_IMAGE_SIDE_MAX, EG_EINVAL for sizes below 1. Wiped on done.
int eg_image_init(struct eg_image *image, int width, int height, int channels) EG_CHECKED;

// Makes `image` this size, reusing its memory when it is large enough (no allocation per frame).
// `image` is zeroed or was initialised before. Content is undefined.
int eg_image_resize(struct eg_image *image, int width, int height, int channels) EG_CHECKED;

void eg_image_done(struct eg_image *image); // takes NULL and a zeroed struct

// A rectangle of `image`, sharing its pixels; clipped to it. Width or height may come out as 0.
struct eg_image eg_image_view(const struct eg_image *image, int x, int y, int width, int height);

#endif
