// SPDX-License-Identifier: Apache-2.0
//
// Pictures in which only chosen people can be recognised. Everything that capture lets out of a
// frame goes through here. Inside capture/ only.
//
// Thread: any, with its own scratch.

#ifndef EG_PRIVACY_H
#define EG_PRIVACY_H

#include "capture/sample.h"

// Fills `out` (its size is set) with `region` of the image and blurs all `faces` but the `sharp`
// ones, whose own boxes stay sharp also where another face overlaps them.
int eg_privacy_picture(const struct eg_image *image, struct eg_box region,
		       const struct eg_box *faces, const bool *sharp, size_t count,
		       struct eg_image *scratch, struct eg_image *out) EG_CHECKED;

// Head and shoulders round a face, clipped to the picture.
struct eg_box eg_privacy_portrait(const struct eg_image *image, struct eg_box face);

#endif
