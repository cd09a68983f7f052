// SPDX-License-Identifier: Apache-2.0
//
// Blurring bystanders.

#include "capture/privacy.h"

#include <math.h>

#include "capture/box.h"

#define BLUR_GROW 1.3f // hair and ears too

struct eg_box eg_privacy_portrait(const struct eg_image *image, struct eg_box face)
{
	const float height = face.height * 2.2f, width = height * 0.8f;
	const float left = face.x + face.width / 2 - width / 2, top = face.y - face.height * 0.45f;
	float x0 = floorf(fmaxf(left, 0)), x1 = ceilf(fminf(left + width, (float)image->width));
	float y0 = floorf(fmaxf(top, 0)), y1 = ceilf(fminf(top + height, (float)image->height));

	return (struct eg_box){x0, y0, fmaxf(x1 - x0, 1), fmaxf(y1 - y0, 1)};
}

// From the image's pixels to those of `out`.
static struct eg_box placed(struct eg_box box, struct eg_box region, const struct eg_image *out)
{
	const float sx = (float)out->width / region.width, sy = (float)out->height / region.height;

	return (struct eg_box){(box.x - region.x) * sx, (box.y - region.y) * sy, box.width * sx,
			       box.height * sy};
}

// Draws the part of `out` that `box` (in out's pixels) covers once more, sharp.
static int restore(const struct eg_image *image, const struct eg_affine *map, struct eg_box box,
		   struct eg_image *scratch, struct eg_image *out)
{
	const int x = (int)fmaxf(floorf(box.x), 0), y = (int)fmaxf(floorf(box.y), 0);
	const int x1 = (int)fminf(ceilf(box.x + box.width), (float)out->width);
	const int y1 = (int)fminf(ceilf(box.y + box.height), (float)out->height);
	struct eg_image view;
	struct eg_affine m = *map;

	if (x1 <= x || y1 <= y)
		return 0;
	view = eg_image_view(out, x, y, x1 - x, y1 - y);
	m.m[2] += m.m[0] * x + m.m[1] * y;
	m.m[5] += m.m[3] * x + m.m[4] * y;
	return eg_sample(image, &m, EG_BORDER_EDGE, scratch, &view);
}

int eg_privacy_picture(const struct eg_image *image, struct eg_box region,
		       const struct eg_box *faces, const bool *sharp, size_t count,
		       struct eg_image *scratch, struct eg_image *out)
{
	const struct eg_affine map = eg_sample_box(region, out->width, out->height);
	int r = eg_sample(image, &map, EG_BORDER_EDGE, scratch, out);

	for (size_t i = 0; r == 0 && i < count; i++)
		if (!sharp[i])
			r = eg_sample_blur(out,
					   placed(eg_box_grown(faces[i], BLUR_GROW), region, out));
	for (size_t i = 0; r == 0 && i < count; i++)
		if (sharp[i])
			r = restore(image, &map, placed(faces[i], region, out), scratch, out);
	return r;
}
