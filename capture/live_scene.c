// SPDX-License-Identifier: Apache-2.0
//
// What lies round a face, straight edges of a sheet or device, and how light falls on it.

#include <math.h>
#include <stdlib.h>

#include "capture/box.h"
#include "capture/live_cues.h"
#include "firmware/base/mem.h"

#define SIDE	96   // of the picture in which lines are looked for
#define GROW	3.2f // that many face widths
#define STEP_OF 6    // grey levels over two pixels that make an edge
#define LIGHT	64
#define PLANE	(3 * 64 * 64) // floats

const char *const eg_live_cue_names[EG_LIVE_CUES] = {"peak", "border", "glare"};

int eg_live_scratch_init(struct eg_live_scratch *scratch)
{
	eg_live_tables_make(&scratch->tables);
	scratch->plane = eg_calloc(PLANE, sizeof(*scratch->plane));
	return scratch->plane ? 0 : EG_ENOMEM;
}

void eg_live_scratch_done(struct eg_live_scratch *scratch)
{
	eg_image_done(&scratch->small);
	eg_image_done(&scratch->colour);
	eg_image_done(&scratch->grey);
	if (scratch->plane)
		eg_wipe(scratch->plane, PLANE * sizeof(*scratch->plane));
	free(scratch->plane);
	scratch->plane = NULL;
}

// A square of the frame, in grey, `side` pixels wide.
static int cut(const struct eg_image *image, struct eg_box box, int side, struct eg_live_scratch *s)
{
	struct eg_affine map = eg_sample_box(box, side, side);
	int r = eg_image_resize(&s->colour, side, side, 3);

	if (r == 0)
		r = eg_image_resize(&s->grey, side, side, 1);
	if (r == 0)
		r = eg_sample(image, &map, EG_BORDER_EDGE, &s->small, &s->colour);
	if (r == 0)
		eg_sample_grey(&s->colour, &s->grey);
	return r;
}

static struct eg_box square(struct eg_box face, float widths)
{
	float side = widths * sqrtf(face.width * face.height);

	return (struct eg_box){face.x + (face.width - side) / 2, face.y + (face.height - side) / 2,
			       side, side};
}

// ---- border -----------------------------------------------------------------------------------

// Grey at `along` down and `across` from the left; or transposed, for lines that lie.
static int at(const struct eg_image *grey, bool lying, int across, int along)
{
	return lying ? grey->data[across * grey->stride + along]
		     : grey->data[along * grey->stride + across];
}

// How much lighter the right (or lower) side is, beyond what it is on either side of here anyway:
// a sheet ends within a pixel, shade does not.
static int step_at(const struct eg_image *grey, bool lying, int x, int i)
{
	int here = at(grey, lying, x + 1, i) - at(grey, lying, x - 1, i);
	int before = at(grey, lying, x - 2, i) - at(grey, lying, x - 4, i);
	int behind = at(grey, lying, x + 4, i) - at(grey, lying, x + 2, i);
	int slope = (before + behind) / 2;

	return here > 0 ? here - (slope > 0 ? slope : 0) : here - (slope < 0 ? slope : 0);
}

// The share of a nearly straight line's points at which it is an edge, always with the same side
// lighter; the best of all lines that cross the middle between `from` and `to`. Points outside of
// `inside` are none: the picture's own edge is not a sheet's.
static float clearest(const struct eg_image *grey, struct eg_box inside, bool lying, int from,
		      int to)
{
	const int begin = SIDE * 3 / 16, end = SIDE * 13 / 16;
	const float low = (lying ? inside.y : inside.x) + 2;
	const float high = low + (lying ? inside.height : inside.width) - 5;
	const float first = lying ? inside.x : inside.y;
	const float last = first + (lying ? inside.width : inside.height) - 1;
	const int i0 = (int)fmaxf((float)begin, first), i1 = (int)fminf((float)end, last);
	int best = 0;

	for (int slope = -10; slope <= 10; slope += 2) { // of 50
		for (int a = from; a < to; a++) {
			int up = 0, down = 0;

			for (int i = i0; i < i1; i++) {
				int x = a + (slope * (i - SIDE / 2)) / 50, step;

				if ((float)x < low || (float)x > high || x < 4 || x > SIDE - 5)
					continue;
				step = step_at(grey, lying, x, i);
				up += step >= STEP_OF;
				down += step <= -STEP_OF;
			}
			best = up > best ? up : best;
			best = down > best ? down : best;
		}
	}
	return (float)best / (float)(end - begin);
}

int eg_live_border(const struct eg_image *image, struct eg_box face,
		   struct eg_live_scratch *scratch, float *ret_border)
{
	// the face is from 33 to 63
	const struct eg_box whole = square(face, GROW);
	const float scale = SIDE / whole.width;
	const struct eg_box inside = {-whole.x * scale, -whole.y * scale,
				      (float)image->width * scale, (float)image->height * scale};
	int r = cut(image, whole, SIDE, scratch);
	float left, right, top, low, high;

	if (r != 0)
		return r;
	left = clearest(&scratch->grey, inside, false, 4, 31);
	right = clearest(&scratch->grey, inside, false, 65, SIDE - 4);
	top = clearest(&scratch->grey, inside, true, 4, 28);
	low = fminf(left, fminf(right, top));
	high = fmaxf(left, fmaxf(right, top));
	*ret_border = left + right + top - low - high;
	return 0;
}

// ---- light ------------------------------------------------------------------------------------

int eg_live_glare(const struct eg_image *image, struct eg_box face, struct eg_live_scratch *scratch,
		  float *ret_glare)
{
	int r = cut(image, eg_box_grown(face, 0.9f), LIGHT, scratch), sum = 0;

	if (r != 0)
		return r;
	for (int y = 0; y < LIGHT; y++)
		for (int x = 0; x < LIGHT; x++)
			sum += scratch->grey.data[y * scratch->grey.stride + x] >= 248;
	*ret_glare = (float)sum / (LIGHT * LIGHT);
	return 0;
}
