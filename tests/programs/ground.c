// SPDX-License-Identifier: Apache-2.0

#include "ground.h"

#include <stddef.h>

#define FADE 40 // px

void ground_blend(struct eg_image *frame, const struct eg_image *place, int left, int width)
{
	for (int y = 0; y < frame->height; y++) {
		const uint8_t *from = place->data + (ptrdiff_t)y * place->stride;
		uint8_t *to = frame->data + (ptrdiff_t)y * frame->stride + 3 * left;

		for (int x = 0; x < width; x++) {
			int side = x < width - 1 - x ? x : width - 1 - x;
			int part = side < FADE ? side * 256 / FADE : 256;

			for (int c = 0; c < 3; c++)
				to[3 * x + c] =
					(uint8_t)((from[3 * x + c] * part + GROUND * (256 - part)) /
						  256);
		}
	}
}
