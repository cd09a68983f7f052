// SPDX-License-Identifier: Apache-2.0
//
// Quality components. Each measured value is mapped to 0 … 100 by one straight ramp whose ends
// stand beside it; the ends were set on the London portraits and blurred, darkened and turned
// copies of them (README.md). The luminance ramps are wide on purpose: skin is not exposure.
//
// Thread: any.

#include "capture/quality.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "capture/align.h"

static const char *const names[EG_QUALITY_COUNT] = {
	[EG_QUALITY_SHARPNESS] = "sharpness",
	[EG_QUALITY_LUMINANCE_MEAN] = "luminance_mean",
	[EG_QUALITY_LUMINANCE_VARIANCE] = "luminance_variance",
	[EG_QUALITY_UNDER_EXPOSURE] = "under_exposure",
	[EG_QUALITY_OVER_EXPOSURE] = "over_exposure",
	[EG_QUALITY_DYNAMIC_RANGE] = "dynamic_range",
	[EG_QUALITY_ILLUMINATION_UNIFORMITY] = "illumination_uniformity",
	[EG_QUALITY_INTER_EYE_DISTANCE] = "inter_eye_distance",
	[EG_QUALITY_HEAD_SIZE] = "head_size",
	[EG_QUALITY_CROP_MARGINS] = "crop_margins",
	[EG_QUALITY_POSE_YAW] = "pose_yaw",
	[EG_QUALITY_POSE_PITCH] = "pose_pitch",
	[EG_QUALITY_POSE_ROLL] = "pose_roll",
	[EG_QUALITY_EYES_OPEN] = "eyes_open",
	[EG_QUALITY_MOUTH_CLOSED] = "mouth_closed",
	[EG_QUALITY_SINGLE_FACE] = "single_face",
};

static const char *const hints[EG_HINT_COUNT] = {
	[EG_HINT_NONE] = "none",
	[EG_HINT_CLOSER] = "closer",
	[EG_HINT_BACK] = "back",
	[EG_HINT_LOOK_HERE] = "look_here",
	[EG_HINT_HOLD_STILL] = "hold_still",
	[EG_HINT_MORE_LIGHT] = "more_light",
	[EG_HINT_LESS_LIGHT] = "less_light",
	[EG_HINT_UNCOVER] = "uncover",
	[EG_HINT_ONE_AT_A_TIME] = "one_at_a_time",
};

const char *eg_quality_name(enum eg_quality_component component)
{
	return (unsigned int)component < EG_QUALITY_COUNT ? names[component] : "unknown";
}

const char *eg_hint_name(enum eg_hint hint)
{
	return (unsigned int)hint < EG_HINT_COUNT ? hints[hint] : "unknown";
}

// 0 at `worst`, 100 at `best`, straight between, whichever is the larger. NaN gives 0.
static int8_t ramp(float value, float worst, float best)
{
	float t = (value - worst) / (best - worst);

	if (!(t > 0))
		return 0;
	return (int8_t)(t >= 1 ? 100 : lrintf(100 * t));
}

static float distance(struct eg_point a, struct eg_point b)
{
	return hypotf(a.x - b.x, a.y - b.y);
}

// ---- light and sharpness, from the aligned face ------------------------------------------------

// The part of the aligned picture that is face in any pose: brows to chin, ear to ear.
enum {
	LEFT = 20,
	RIGHT = 92,
	TOP = 28,
	BOTTOM = 106,
	WIDTH = RIGHT - LEFT,
	HEIGHT = BOTTOM - TOP
};

struct light {
	uint8_t luma[HEIGHT][WIDTH];
	int histogram[2][256]; // of the left and the right half
};

static void read_light(const struct eg_image *aligned, struct light *l)
{
	memset(l->histogram, 0, sizeof(l->histogram));
	for (int y = 0; y < HEIGHT; y++) {
		const uint8_t *p =
			aligned->data + (ptrdiff_t)(y + TOP) * aligned->stride + LEFT * 3;

		for (int x = 0; x < WIDTH; x++, p += 3) {
			l->luma[y][x] = (uint8_t)((29 * p[0] + 150 * p[1] + 77 * p[2] + 128) >> 8);
			l->histogram[x >= WIDTH / 2][l->luma[y][x]]++;
		}
	}
}

static void light_components(const struct light *l, int8_t *c)
{
	const float total = WIDTH * HEIGHT;
	double sum = 0, squares = 0, entropy = 0, common = 0, dark = 0, bright = 0, mean, deviation;

	for (int v = 0; v < 256; v++) {
		int a = l->histogram[0][v], b = l->histogram[1][v], n = a + b;
		double p = n / (double)total;

		sum += v * p;
		squares += (double)v * v * p;
		entropy -= n ? p * log2(p) : 0;
		if (v < 10)
			dark += p;
		if (v > 247)
			bright += p;
	}
	// halves are compared in 16 coarse steps: light, not texture
	for (int step = 0; step < 16; step++) {
		int a = 0, b = 0;

		for (int v = step * 16; v < step * 16 + 16; v++) {
			a += l->histogram[0][v];
			b += l->histogram[1][v];
		}
		common += (a < b ? a : b) / (double)(total / 2);
	}
	mean = sum;
	deviation = sqrt(fmax(squares - mean * mean, 0));
	c[EG_QUALITY_LUMINANCE_MEAN] =
		mean < 128 ? ramp((float)mean, 12, 60) : ramp((float)mean, 248, 200);
	c[EG_QUALITY_LUMINANCE_VARIANCE] = ramp((float)deviation, 4, 25);
	c[EG_QUALITY_UNDER_EXPOSURE] = ramp((float)dark, 0.5f, 0.1f);
	c[EG_QUALITY_OVER_EXPOSURE] = ramp((float)bright, 0.35f, 0.05f);
	c[EG_QUALITY_DYNAMIC_RANGE] = ramp((float)entropy, 3, 6.5f);
	c[EG_QUALITY_ILLUMINATION_UNIFORMITY] = ramp((float)common, 0.15f, 0.75f);
}

// How much of the contrast lies in the finest detail: the Laplacian against the luminance's own
// spread, so that soft light is not taken for bad focus.
static int8_t sharpness(const struct light *l)
{
	double fine = 0, sum = 0, squares = 0;
	const double n = (HEIGHT - 2) * (WIDTH - 2);

	for (int y = 1; y < HEIGHT - 1; y++)
		for (int x = 1; x < WIDTH - 1; x++) {
			int v = l->luma[y][x];
			int d = 4 * v - l->luma[y - 1][x] - l->luma[y + 1][x] - l->luma[y][x - 1] -
				l->luma[y][x + 1];

			fine += (double)d * d;
			sum += v;
			squares += (double)v * v;
		}
	squares = squares / n - (sum / n) * (sum / n);
	return ramp((float)sqrt(fine / n / (squares + 25)), 0.12f, 0.35f);
}

// ---- shape, from the landmarks ------------------------------------------------------------------

static float eye_opening(const struct eg_point *p)
{
	return (distance(p[1], p[5]) + distance(p[2], p[4])) / (2 * distance(p[0], p[3]) + 1e-6f);
}

static void shape_components(struct eg_face *face, struct eg_quality_place place)
{
	struct eg_quality *q = &face->quality;
	const struct eg_point *p = face->landmark;
	const struct eg_box *b = &face->box;
	int8_t *c = q->component;
	struct eg_point five[5];
	float head, margin;

	eg_align_points(face, five);
	eg_align_pose(face, &q->yaw_deg, &q->pitch_deg, &q->roll_deg);
	q->inter_eye_px = distance(five[0], five[1]);
	c[EG_QUALITY_INTER_EYE_DISTANCE] = ramp(q->inter_eye_px, 12, 60);
	head = b->height / (float)place.height;
	c[EG_QUALITY_HEAD_SIZE] = head < 0.5f ? ramp(head, 0.04f, 0.2f) : ramp(head, 1.1f, 0.8f);
	margin = fminf(fminf(b->x, (float)place.width - b->x - b->width),
		       fminf(b->y, (float)place.height - b->y - b->height));
	c[EG_QUALITY_CROP_MARGINS] = ramp(margin / b->width, -0.2f, 0.1f);
	c[EG_QUALITY_POSE_YAW] = ramp(fabsf(q->yaw_deg), 45, 10);
	c[EG_QUALITY_POSE_PITCH] = ramp(fabsf(q->pitch_deg), 40, 12);
	c[EG_QUALITY_POSE_ROLL] = ramp(fabsf(q->roll_deg), 45, 12);
	c[EG_QUALITY_EYES_OPEN] =
		ramp(fminf(eye_opening(&p[36]), eye_opening(&p[42])), 0.12f, 0.22f);
	c[EG_QUALITY_MOUTH_CLOSED] =
		ramp(distance(p[62], p[66]) / (distance(p[60], p[64]) + 1e-6f), 0.6f, 0.15f);
	c[EG_QUALITY_SINGLE_FACE] = place.faces <= 1 ? 100 : 0;
}

// One score: the geometric mean of what comparison suffers from, each with its weight. A single bad
// component pulls it down, as a single bad component spoils a comparison.
static int8_t overall(const int8_t *component)
{
	static const struct {
		enum eg_quality_component component;
		double weight;
	} parts[] = {
		{EG_QUALITY_SHARPNESS, 2},
		{EG_QUALITY_LUMINANCE_MEAN, 1},
		{EG_QUALITY_UNDER_EXPOSURE, 0.5},
		{EG_QUALITY_OVER_EXPOSURE, 1},
		{EG_QUALITY_DYNAMIC_RANGE, 0.5},
		{EG_QUALITY_ILLUMINATION_UNIFORMITY, 0.5},
		{EG_QUALITY_INTER_EYE_DISTANCE, 1.5},
		{EG_QUALITY_CROP_MARGINS, 1},
		{EG_QUALITY_POSE_YAW, 2},
		{EG_QUALITY_POSE_PITCH, 1.5},
		{EG_QUALITY_POSE_ROLL, 0.5},
		{EG_QUALITY_EYES_OPEN, 0.3},
	};
	double sum = 0, weights = 0;

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		int v = component[parts[i].component];

		sum += parts[i].weight * log(v < 1 ? 1 : v);
		weights += parts[i].weight;
	}
	return (int8_t)lrint(exp(sum / weights));
}

void eg_quality_measure(struct eg_face *face, const struct eg_image *aligned,
			struct eg_quality_place place)
{
	struct light light;

	assert(face->has_landmarks && aligned->width == EG_ALIGNED_SIDE &&
	       aligned->height == EG_ALIGNED_SIDE && aligned->channels == 3);
	read_light(aligned, &light);
	light_components(&light, face->quality.component);
	face->quality.component[EG_QUALITY_SHARPNESS] = sharpness(&light);
	shape_components(face, place);
	face->quality.overall = overall(face->quality.component);
}

static const struct {
	enum eg_quality_component component;
	int8_t below;
	enum eg_hint hint;
} wanted[] = {
	// in the order in which they are worth saying
	{EG_QUALITY_CROP_MARGINS, 30, EG_HINT_BACK},
	{EG_QUALITY_OVER_EXPOSURE, 40, EG_HINT_LESS_LIGHT},
	{EG_QUALITY_UNDER_EXPOSURE, 40, EG_HINT_MORE_LIGHT},
	{EG_QUALITY_LUMINANCE_MEAN, 50, EG_HINT_MORE_LIGHT},
	{EG_QUALITY_POSE_YAW, 50, EG_HINT_LOOK_HERE},
	{EG_QUALITY_POSE_PITCH, 50, EG_HINT_LOOK_HERE},
	{EG_QUALITY_POSE_ROLL, 50, EG_HINT_LOOK_HERE},
	{EG_QUALITY_SHARPNESS, 30, EG_HINT_HOLD_STILL},
	{EG_QUALITY_EYES_OPEN, 10, EG_HINT_UNCOVER},
};
#define WANTED (sizeof(wanted) / sizeof(wanted[0]))

int eg_quality_wanted(enum eg_quality_component component)
{
	for (size_t i = 0; i < WANTED; i++)
		if (wanted[i].component == component)
			return wanted[i].below;
	return 0;
}

enum eg_hint eg_quality_hint(const struct eg_face *face, float inter_eye_min_px)
{
	const int8_t *c = face->quality.component;

	if (!face->has_landmarks)
		return EG_HINT_NONE;
	if (face->quality.inter_eye_px < inter_eye_min_px)
		return EG_HINT_CLOSER;
	for (size_t i = 0; i < WANTED; i++)
		if (c[wanted[i].component] < wanted[i].below)
			return wanted[i].hint;
	return EG_HINT_NONE;
}
