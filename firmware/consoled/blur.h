// SPDX-License-Identifier: Apache-2.0
//
// The traveller's own picture: sharp is one face, everything else is blurred, so that somebody whom
// the booth did not notice is blurred as well. Thread: one at a time.

#ifndef CONSOLED_BLUR_H
#define CONSOLED_BLUR_H

#include "drivers/image.h"

// A rectangle in parts of the picture, 0 … 1.
struct blur_box {
	double x, y, width, height;
};

// Blurs `image` (BGR) in place but for `keep` and a little round it; NULL: all of it. Of what is
// kept, boxes of `others` are blurred again. EG_ENOMEM: then the picture is black.
int blur_all_but(struct eg_image *image, const struct blur_box *keep, const struct blur_box *others,
		 size_t count, struct eg_image *scratch) EG_CHECKED;

#endif
