// SPDX-License-Identifier: Apache-2.0
//
// Rectangles. Inside capture/ and match/. Thread: any.

#ifndef EG_BOX_H
#define EG_BOX_H

#include "capture/face.h"

// Overlap: intersection over union, 0 … 1.
float eg_box_overlap(struct eg_box a, struct eg_box b);

// Grown about its centre by `factor`.
struct eg_box eg_box_grown(struct eg_box box, float factor);

#endif
