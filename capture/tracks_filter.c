// SPDX-License-Identifier: Apache-2.0
//
// A face is about 15 cm wide. From that the noise: a box's edges tremble by a twentieth of it, a
// walker starts with up to 1.4 m/s (9 widths per second), and changes his speed by about half of
// that within a second.
//
// Thread: any.

#include "capture/tracks_filter.h"

#include <math.h>

#define TREMBLE	    0.05f // of a width
#define RATE_FIRST  9.0f  // widths per second
#define RATE_CHANGE 5.0f  // widths per second, within a second

#define AREA_TREMBLE	 0.12f // of an area
#define AREA_RATE_FIRST	 1.5f  // areas per second
#define AREA_RATE_CHANGE 1.5f

#define SHAPE_GAIN 0.2f

static float square(float v)
{
	return v * v;
}

static float seconds(int64_t from_ns, int64_t to_ns)
{
	return (float)((double)(to_ns - from_ns) / 1e9);
}

static struct eg_tracks_axis first(float value, float unit, float tremble, float rate)
{
	return (struct eg_tracks_axis){
		.value = value, .vv = square(tremble * unit), .rr = square(rate * unit)};
}

void eg_tracks_filter_begin(struct eg_tracks_filter *f, struct eg_box box, int64_t now_ns)
{
	const float area = box.width * box.height, w = box.width;

	f->x = first(box.x + box.width / 2, w, TREMBLE, RATE_FIRST);
	f->y = first(box.y + box.height / 2, w, TREMBLE, RATE_FIRST);
	f->area = first(area, area, AREA_TREMBLE, AREA_RATE_FIRST);
	f->shape = box.width / box.height;
	f->seen_ns = now_ns;
}

// Predict over dt (white noise in the acceleration), then correct with the measured value.
static void step(struct eg_tracks_axis *a, float measured, float dt, float tremble, float change)
{
	const float q = square(change);
	float gain, gain_rate, error;

	a->value += a->rate * dt;
	a->vv += 2 * dt * a->vr + dt * dt * a->rr + q * dt * dt * dt / 3;
	a->vr += dt * a->rr + q * dt * dt / 2;
	a->rr += q * dt;

	error = measured - a->value;
	gain = a->vv / (a->vv + square(tremble));
	gain_rate = a->vr / (a->vv + square(tremble));
	a->value += gain * error;
	a->rate += gain_rate * error;
	a->rr -= gain_rate * a->vr;
	a->vr -= gain * a->vr;
	a->vv -= gain * a->vv;
}

void eg_tracks_filter_see(struct eg_tracks_filter *f, struct eg_box box, int64_t now_ns)
{
	const float dt = seconds(f->seen_ns, now_ns), w = box.width;
	const float area = box.width * box.height;

	step(&f->x, box.x + box.width / 2, dt, TREMBLE * w, RATE_CHANGE * w);
	step(&f->y, box.y + box.height / 2, dt, TREMBLE * w, RATE_CHANGE * w);
	step(&f->area, area, dt, AREA_TREMBLE * area, AREA_RATE_CHANGE * area);
	f->shape += SHAPE_GAIN * (box.width / box.height - f->shape);
	f->seen_ns = now_ns;
}

struct eg_box eg_tracks_filter_at(const struct eg_tracks_filter *f, int64_t now_ns)
{
	const float dt = seconds(f->seen_ns, now_ns);
	// nobody doubles or halves his distance within the second for which a face is remembered
	const float area = fmaxf(fminf(f->area.value + f->area.rate * dt, 4 * f->area.value),
				 0.25f * f->area.value);
	const float width = sqrtf(area * f->shape), height = sqrtf(area / f->shape);

	return (struct eg_box){f->x.value + f->x.rate * dt - width / 2,
			       f->y.value + f->y.rate * dt - height / 2, width, height};
}
