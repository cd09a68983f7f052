// SPDX-License-Identifier: Apache-2.0
//
// Pixels out of a picture through an affine map: how crops, aligned faces and network inputs are
// made. Shrinking averages first (by whole factors), then interpolates, so that nothing aliases.
// Inside capture/ and match/.
//
// Thread: any, with its own scratch.

#ifndef EG_SAMPLE_H
#define EG_SAMPLE_H

#include "capture/face.h"
#include "drivers/frame.h"

// Output pixel (x, y) comes from image pixel (m[0]·x + m[1]·y + m[2], m[3]·x + m[4]·y + m[5]).
struct eg_affine {
	double m[6];
};

enum eg_border {
	EG_BORDER_EDGE, // outside of the image: its nearest edge pixel
	EG_BORDER_GREY, // ... 127 in every channel
};

// eg_frame_to_bgr on vector registers: the same within 1, in a fraction of the time.
int eg_sample_nv12(const struct eg_frame *frame, struct eg_image *image) EG_CHECKED;

// Fills `out`, whose size and channels (those of `image`) the caller has set. `scratch` is zeroed
// or was used here before; it grows once and is kept. EG_ENOMEM, EG_EFOREIGN (OpenCV failed).
int eg_sample(const struct eg_image *image, const struct eg_affine *map, enum eg_border border,
	      struct eg_image *scratch, struct eg_image *out) EG_CHECKED;

// Makes a rectangle unrecognisable: what is left is finer than 1/6 of its smaller side nowhere.
// Clipped to the image.
int eg_sample_blur(struct eg_image *image, struct eg_box box) EG_CHECKED;

// The map that fills width × height pixels with `box` of the image.
struct eg_affine eg_sample_box(struct eg_box box, int width, int height);

// BGR to grey (BT.601); sizes equal.
void eg_sample_grey(const struct eg_image *bgr, struct eg_image *grey);

#endif
