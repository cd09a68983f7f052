// SPDX-License-Identifier: Apache-2.0
//
// Another camera: what is done to a picture between lens and file, drawn by lot within what cheap
// and good cameras do. Live pictures and attacks go through the same ones, so that they differ in
// what was presented only. Desk only.
//
// Thread: one an object.

#ifndef EG_EVAL_CAMERA_H
#define EG_EVAL_CAMERA_H

#include "drivers/image.h"
#include "firmware/base/err.h"

struct camera {
	uint64_t lot;
	float scale;   // pixels of the file a pixel of the picture
	float blur;    // deviation, pixels
	float gain[3]; // exposure and white balance: B, G, R
	float gamma;
	float noise;   // deviation, grey levels
	float denoise; // part of a 3×3 mean put in its place
	float sharpen; // part of the difference from a 3×3 mean that is added
	int quality;   // of the JPEG file, its colours at half size
	float *plane, *work;
	size_t floats;
};

// The same seed gives the same camera.
void camera_init(struct camera *camera, uint64_t seed);
void camera_done(struct camera *camera);

// What the camera makes of a picture, BGR. It is moved by less than two pixels from one to the
// next, as by a person or a hand. EG_ENOMEM.
int camera_take(struct camera *camera, const struct eg_image *picture,
		struct eg_image *ret_file) EG_CHECKED;

#endif
