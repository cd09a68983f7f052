// SPDX-License-Identifier: Apache-2.0
//
// Rectangles.

#include "capture/box.h"

#include <math.h>

float eg_box_overlap(struct eg_box a, struct eg_box b)
{
	float w = fminf(a.x + a.width, b.x + b.width) - fmaxf(a.x, b.x);
	float h = fminf(a.y + a.height, b.y + b.height) - fmaxf(a.y, b.y);
	float both, either;

	if (!(w > 0 && h > 0))
		return 0;
	both = w * h;
	either = a.width * a.height + b.width * b.height - both;
	return either > 0 ? both / either : 0;
}

struct eg_box eg_box_grown(struct eg_box box, float factor)
{
	return (struct eg_box){box.x - box.width * (factor - 1) / 2,
			       box.y - box.height * (factor - 1) / 2, box.width * factor,
			       box.height * factor};
}
