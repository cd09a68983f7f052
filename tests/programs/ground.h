// SPDX-License-Identifier: Apache-2.0
//
// What stands behind the people whom bench_scene and booth_film draw. Thread: any.

#ifndef GROUND_H
#define GROUND_H

#include "drivers/image.h"

#define GROUND 0xb4 // a flat grey

// Puts the `width` first columns of `place` into the frame from column `left` on, faded into the
// ground from both sides, so that no photo has an edge that liveness could see. Both are BGR and of
// the same height.
void ground_blend(struct eg_image *frame, const struct eg_image *place, int left, int width);

#endif
