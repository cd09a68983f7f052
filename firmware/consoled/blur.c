// SPDX-License-Identifier: Apache-2.0
//
// See blur.h. The blurred picture is the means of cells of 32 pixels (a face at arm's length is six
// of them wide), with straight lines between their middles.

#include "firmware/consoled/blur.h"

#include <string.h>

#define CELL   32
#define MARGIN 0.25 // of the face, all round: hair and chin

struct region {
	int left, top, right, bottom; // pixels; right and bottom outside
};

static int clip(double value, int max)
{
	return value < 0 ? 0 : value > max ? max : (int)value;
}

// NaN clips to 0 or to nothing: comparisons with it are false.
static struct region region_of(const struct blur_box *box, double margin, const struct eg_image *i)
{
	double mx = box->width * margin, my = box->height * margin;

	if (!(box->width > 0 && box->width <= 1 && box->height > 0 && box->height <= 1 &&
	      box->x > -1 && box->x < 1 && box->y > -1 && box->y < 1))
		return (struct region){0};
	return (struct region){
		.left = clip((box->x - mx) * i->width, i->width),
		.top = clip((box->y - my) * i->height, i->height),
		.right = clip((box->x + box->width + mx) * i->width, i->width),
		.bottom = clip((box->y + box->height + my) * i->height, i->height),
	};
}

static bool inside(const struct region *r, int x, int y)
{
	return x >= r->left && x < r->right && y >= r->top && y < r->bottom;
}

static void mean(const struct eg_image *image, int cx, int cy, uint8_t ret[3])
{
	int right = (cx + 1) * CELL, bottom = (cy + 1) * CELL;
	unsigned int sum[3] = {0}, count = 0;

	right = right < image->width ? right : image->width;
	bottom = bottom < image->height ? bottom : image->height;
	for (int y = cy * CELL; y < bottom; y++) {
		const uint8_t *p =
			image->data + (size_t)y * (size_t)image->stride + (size_t)cx * CELL * 3;

		for (int x = cx * CELL; x < right; x++, p += 3, count++)
			for (int c = 0; c < 3; c++)
				sum[c] += p[c];
	}
	for (int c = 0; c < 3; c++)
		ret[c] = (uint8_t)(sum[c] / (count == 0 ? 1 : count));
}

// Between the middles of the four cells round a place; at the border, the border's cell.
struct between {
	int a, b; // cells
	int part; // of b, out of CELL
};

static struct between between(int at, int cells)
{
	int low = (at - CELL / 2) < 0 ? -1 : (at - CELL / 2) / CELL;
	struct between w = {.a = low, .b = low + 1, .part = at - CELL / 2 - low * CELL};

	w.a = w.a < 0 ? 0 : w.a;
	w.b = w.b < cells ? w.b : cells - 1;
	return w;
}

static void paint_row(struct eg_image *image, const struct eg_image *cells, int y,
		      const struct region *keep, const struct region *others, size_t count)
{
	struct between v = between(y, cells->height);
	const uint8_t *up = cells->data + (size_t)v.a * (size_t)cells->stride;
	const uint8_t *down = cells->data + (size_t)v.b * (size_t)cells->stride;
	uint8_t *row = image->data + (size_t)y * (size_t)image->stride;

	for (int x = 0; x < image->width; x++) {
		struct between h = between(x, cells->width);
		bool sharp = inside(keep, x, y);

		for (size_t i = 0; sharp && i < count; i++)
			sharp = !inside(&others[i], x, y);
		for (int c = 0; !sharp && c < 3; c++) {
			int top = up[h.a * 3 + c] * (CELL - h.part) + up[h.b * 3 + c] * h.part;
			int low = down[h.a * 3 + c] * (CELL - h.part) + down[h.b * 3 + c] * h.part;

			row[x * 3 + c] =
				(uint8_t)((top * (CELL - v.part) + low * v.part) / (CELL * CELL));
		}
	}
}

int blur_all_but(struct eg_image *image, const struct blur_box *keep, const struct blur_box *others,
		 size_t count, struct eg_image *scratch)
{
	enum {
		OTHERS_MAX = 16
	};
	struct region sharp = {0}, blurred[OTHERS_MAX];
	int columns = (image->width + CELL - 1) / CELL, rows = (image->height + CELL - 1) / CELL;
	int r = eg_image_resize(scratch, columns, rows, 3);

	if (r != 0) {
		for (int y = 0; y < image->height; y++)
			memset(image->data + (size_t)y * (size_t)image->stride, 0,
			       (size_t)image->width * 3);
		return r;
	}
	for (int y = 0; y < rows; y++)
		for (int x = 0; x < columns; x++)
			mean(image, x, y,
			     scratch->data + (size_t)y * (size_t)scratch->stride + (size_t)x * 3);
	if (keep != NULL && count <= OTHERS_MAX)
		sharp = region_of(keep, MARGIN, image);
	for (size_t i = 0; i < count && i < OTHERS_MAX; i++)
		blurred[i] = region_of(&others[i], MARGIN, image);
	for (int y = 0; y < image->height; y++)
		paint_row(image, scratch, y, &sharp, blurred,
			  count < OTHERS_MAX ? count : OTHERS_MAX);
	return 0;
}
