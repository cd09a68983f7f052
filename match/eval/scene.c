// SPDX-License-Identifier: Apache-2.0
//
// Each pixel of a frame is the mean of four points; each point is traced back on to the held plane,
// or past it to the background. Then the lens blurs, the sensor adds noise.
//
// Lengths on the plane are in widths of the portrait, with its centre as origin.

#include "match/eval/scene.h"

#include <math.h>
#include <stdlib.h>

#include "firmware/base/mem.h"

#define BOXES	  14
#define NOISE_MAX 64
#define TAU	  6.283185307f

const char *const scene_names[SCENE_COUNT] = {"print", "screen", "phone"};

struct colour {
	float c[3]; // B, G, R, 0 … 255
};

struct furniture {
	float x, y, w, h; // pixels
	struct colour colour;
};

struct scene {
	enum scene_kind kind;
	uint64_t lot;
	// the background
	struct colour wall, tint;
	struct furniture box[BOXES];
	float grain[NOISE_MAX][NOISE_MAX];
	// where the plane is: pixels a width, centre, angle; and how it moves
	float size, x, y, angle, dx, dy, da, sway;
	float bend, tilt;
	float left, right, top, bottom; // the picture's part of the portrait
	float rim;			// paper's margin or device's bezel
	float rim_grey;
	// the medium
	float pitch, depth; // dots or pixels: frame pixels each, and how deep between them
	float black, white, faded, cold;
	float glare, glare_x, glare_y, glare_size;
	float band, band_count, band_phase;
	// the camera
	float exposure, shake, blur, noise, shade_y;
	float cosine, sine; // of the angle now
	struct eg_image drawn;
	struct colour behind[SCENE_HEIGHT][SCENE_WIDTH];
};

static uint64_t next(struct scene *s)
{
	uint64_t z = s->lot += 0x9e3779b97f4a7c15u;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

static float between(struct scene *s, float low, float high)
{
	return low + (high - low) * (float)(next(s) >> 40) / 16777216.0f;
}

static bool one_in(struct scene *s, unsigned int n)
{
	return next(s) % n == 0;
}

// About normal, deviation 1.
static float normal(struct scene *s)
{
	uint64_t z = next(s);
	float sum = 0;

	for (int i = 0; i < 4; i++, z >>= 16)
		sum += (float)(z & 0xffff) / 65536.0f;
	return (sum - 2) * 1.7320508f;
}

static struct colour some_colour(struct scene *s, float low, float high)
{
	float grey = between(s, low, high);

	return (struct colour){{grey + between(s, -25, 25), grey + between(s, -15, 15),
				grey + between(s, -20, 30)}};
}

static void furnish(struct scene *s)
{
	s->wall = some_colour(s, 60, 190);
	for (int i = 0; i < BOXES; i++) {
		bool tall = one_in(s, 2);

		s->box[i] = (struct furniture){
			.x = between(s, -60, SCENE_WIDTH),
			.y = between(s, -60, SCENE_HEIGHT),
			.w = tall ? between(s, 8, 110) : between(s, 60, 420),
			.h = tall ? between(s, 120, 600) : between(s, 6, 120),
			.colour = some_colour(s, 20, 230),
		};
	}
	for (int y = 0; y < NOISE_MAX; y++)
		for (int x = 0; x < NOISE_MAX; x++)
			s->grain[y][x] = between(s, -14, 14);
}

// What holds the portrait: a sheet, a monitor or tablet, a phone.
static void choose_medium(struct scene *s)
{
	s->left = -0.5f;
	s->right = 0.5f;
	s->top = -0.5f;
	s->bottom = 0.5f;
	s->black = 0;
	s->white = 1;
	s->faded = 1;
	switch (s->kind) {
	case SCENE_PRINT: {
		float half = between(s, 0.3f, 0.5f);

		s->left = -half;
		s->right = half;
		s->bottom = fminf(0.5f, half * between(s, 1.0f, 1.4f));
		s->rim = one_in(s, 3) ? 0 : between(s, 0.01f, 0.08f);
		s->rim_grey = between(s, 200, 240);
		s->bend = between(s, -0.12f, 0.12f);
		s->black = between(s, 12, 45);
		s->white = between(s, 0.62f, 0.92f);
		s->faded = between(s, 0.6f, 1.0f);
		s->pitch = between(s, 0.7f, 2.8f);
		s->depth = one_in(s, 3) ? 0 : between(s, 0.05f, 0.3f);
		s->glare = one_in(s, 3) ? between(s, 20, 90) : 0;
		break;
	}
	case SCENE_SCREEN:
		s->rim = between(s, 0.03f, 0.1f);
		s->rim_grey = between(s, 8, 45);
		s->black = between(s, 3, 22);
		s->white = between(s, 0.8f, 1.15f);
		s->cold = between(s, -0.05f, 0.15f);
		s->pitch = between(s, 0.55f, 2.2f);
		s->depth = between(s, 0.1f, 0.6f);
		s->glare = one_in(s, 2) ? between(s, 15, 120) : 0;
		s->band = one_in(s, 2) ? between(s, 0.02f, 0.14f) : 0;
		break;
	case SCENE_PHONE:
		s->left = -between(s, 0.24f, 0.4f);
		s->right = -s->left;
		s->rim = between(s, 0.01f, 0.05f);
		s->rim_grey = between(s, 5, 60);
		s->black = between(s, 2, 15);
		s->white = between(s, 0.85f, 1.2f);
		s->cold = between(s, -0.05f, 0.12f);
		s->pitch = between(s, 0.35f, 1.2f);
		s->depth = between(s, 0.05f, 0.4f);
		s->glare = one_in(s, 2) ? between(s, 15, 150) : 0;
		s->band = one_in(s, 2) ? between(s, 0.02f, 0.1f) : 0;
		break;
	case SCENE_COUNT:
		break;
	}
	s->glare_x = between(s, -0.35f, 0.35f);
	s->glare_y = between(s, -0.4f, 0.3f);
	s->glare_size = between(s, 0.04f, 0.2f);
	s->band_count = between(s, 0.6f, 3.5f);
	s->band_phase = between(s, 0, TAU);
}

static struct colour paint(const struct scene *s, float x, float y)
{
	struct colour out = s->wall;
	int gx = (int)(x / 3 + 1000) % NOISE_MAX, gy = (int)(y / 3 + 1000) % NOISE_MAX;

	for (int i = 0; i < BOXES; i++) {
		const struct furniture *b = &s->box[i];

		if (x >= b->x && x < b->x + b->w && y >= b->y && y < b->y + b->h)
			out = b->colour;
	}
	for (int k = 0; k < 3; k++)
		out.c[k] += s->grain[gy][gx] + 20 * s->shade_y * y / SCENE_HEIGHT;
	return out;
}

int scene_new(enum scene_kind kind, uint64_t seed, struct scene **ret_scene, struct eg_err *err)
{
	struct scene *s = eg_calloc(1, sizeof(*s));

	if (!s)
		return eg_err_set(err, EG_ENOMEM, "out of memory");
	s->kind = kind;
	s->lot = seed * 4 + (uint64_t)kind;
	furnish(s);
	choose_medium(s);
	s->size = between(s, 300, 560);
	// The best attacks fill the picture, and their dots are too fine to be seen.
	if (one_in(s, 3))
		s->size *= 1.5f;
	if (one_in(s, 3))
		s->depth = 0;
	s->x = between(s, 0.4f, 0.6f) * SCENE_WIDTH;
	s->y = between(s, 0.45f, 0.6f) * SCENE_HEIGHT;
	s->angle = between(s, -0.12f, 0.12f);
	s->tilt = between(s, -0.25f, 0.25f);
	s->sway = one_in(s, 4) ? between(s, 0, 0.5f) : between(s, 1, 6);
	s->shake = one_in(s, 4) ? between(s, 0.3f, 1.5f) : 0;
	s->exposure = between(s, 0.7f, 1.15f);
	s->blur = between(s, 0.35f, 1.1f);
	s->noise = between(s, 1, 5);
	s->shade_y = between(s, -0.2f, 0.1f);
	for (int y = 0; y < SCENE_HEIGHT; y++)
		for (int x = 0; x < SCENE_WIDTH; x++)
			s->behind[y][x] = paint(s, (float)x, (float)y);
	*ret_scene = s;
	return 0;
}

void scene_free(struct scene *s)
{
	if (!s)
		return;
	eg_image_done(&s->drawn);
	free(s);
}

static struct colour background(const struct scene *s, float x, float y)
{
	return s->behind[(int)fmaxf(0, fminf(y, SCENE_HEIGHT - 1))]
			[(int)fmaxf(0, fminf(x, SCENE_WIDTH - 1))];
}

// The portrait at (u, v), between its pixels.
static struct colour portrait_at(const struct eg_image *portrait, float u, float v)
{
	float x = (u + 0.5f) * (float)portrait->width - 0.5f;
	float y = v * (float)portrait->width + 0.48f * (float)portrait->height - 0.5f;
	int left = (int)fmaxf(0, fminf(x, (float)(portrait->width - 2)));
	int top = (int)fmaxf(0, fminf(y, (float)(portrait->height - 2)));
	float fx = fmaxf(0, fminf(x - (float)left, 1)), fy = fmaxf(0, fminf(y - (float)top, 1));
	const uint8_t *p = portrait->data + (ptrdiff_t)top * portrait->stride + left * 3;
	const uint8_t *q = p + portrait->stride;
	struct colour out;

	for (int k = 0; k < 3; k++)
		out.c[k] = ((float)p[k] * (1 - fx) + (float)p[k + 3] * fx) * (1 - fy) +
			   ((float)q[k] * (1 - fx) + (float)q[k + 3] * fx) * fy;
	return out;
}

// Ink dots on paper, coloured stripes on a screen.
static void texture(const struct scene *s, float u, float v, struct colour *c)
{
	float x = u * s->size / s->pitch, y = v * s->size / s->pitch;

	if (s->kind == SCENE_PRINT) {
		// each ink's screen at its own angle: 15, 45, 75 degrees
		static const float cosine[] = {0.9659f, 0.7071f, 0.2588f};

		for (int k = 0; k < 3; k++) {
			float a = x * cosine[k] - y * cosine[2 - k];
			float b = x * cosine[2 - k] + y * cosine[k];

			c->c[k] *= 1 - s->depth * (0.5f - 0.5f * cosf(TAU * a) * cosf(TAU * b));
		}
		return;
	}
	x -= floorf(x);
	y -= floorf(y);
	for (int k = 0; k < 3; k++) {
		bool lit = (int)(x * 3) == 2 - k && y < 0.8f;

		c->c[k] *= 1 + s->depth * (lit ? 2.75f : -1);
	}
}

static struct colour held(const struct scene *s, const struct eg_image *portrait, float u, float v)
{
	struct colour c;
	float dx = u - s->glare_x, dy = v - s->glare_y;
	float grey, glare = s->glare * expf(-(dx * dx + dy * dy) / (s->glare_size * s->glare_size));

	if (u < s->left || u > s->right || v < s->top || v > s->bottom) {
		for (int k = 0; k < 3; k++)
			c.c[k] = s->rim_grey + glare / 2;
		return c;
	}
	c = portrait_at(portrait, u, v);
	grey = 0.114f * c.c[0] + 0.587f * c.c[1] + 0.299f * c.c[2];
	for (int k = 0; k < 3; k++) {
		c.c[k] = grey + s->faded * (c.c[k] - grey);
		c.c[k] = s->black + s->white * c.c[k] * (1 + s->cold * (float)(1 - k));
	}
	if (s->depth > 0)
		texture(s, u, v, &c);
	for (int k = 0; k < 3; k++)
		c.c[k] = c.c[k] * (1 + s->bend * 2 * u) + glare;
	return c;
}

static struct colour point(const struct scene *s, const struct eg_image *portrait, float x, float y)
{
	float px = (x - s->x - s->dx) / s->size, py = (y - s->y - s->dy) / s->size;
	float u = px * s->cosine + py * s->sine, v = py * s->cosine - px * s->sine, deep;

	deep = 1 + s->tilt * u; // a plane seen at an angle
	u /= deep;
	v /= deep;
	u += s->bend * (u * u - 0.1f);
	if (u < s->left - s->rim || u > s->right + s->rim || v < s->top - s->rim ||
	    v > s->bottom + s->rim)
		return background(s, x, y);
	return held(s, portrait, u, v);
}

static void move(struct scene *s)
{
	s->dx = 0.6f * s->dx + s->sway * normal(s);
	s->dy = 0.6f * s->dy + 0.6f * s->sway * normal(s);
	s->da = 0.6f * s->da + 0.003f * s->sway * normal(s);
	s->cosine = cosf(s->angle + s->da);
	s->sine = sinf(s->angle + s->da);
	s->size *= 1 + 0.002f * s->sway * normal(s);
	s->band_phase += between(s, 0.5f, 2.5f);
}

static void draw(struct scene *s, const struct eg_image *portrait, float gain)
{
	float shake_x = s->shake * normal(s), shake_y = s->shake * normal(s);

	for (int y = 0; y < SCENE_HEIGHT; y++) {
		uint8_t *row = s->drawn.data + (ptrdiff_t)y * s->drawn.stride;
		float band = 1 + s->band * sinf(TAU * s->band_count * (float)y / SCENE_HEIGHT +
						s->band_phase);

		for (int x = 0; x < SCENE_WIDTH; x++) {
			struct colour sum = {{0, 0, 0}};

			for (int i = 0; i < 4; i++) {
				float fx = (float)x + shake_x + (float)(i % 2) / 2 +
					   (float)(i / 2) / 4;
				float fy = (float)y + shake_y + (float)(i / 2) / 2 +
					   (float)(i % 2) / 4;
				struct colour c = point(s, portrait, fx, fy);

				for (int k = 0; k < 3; k++)
					sum.c[k] += c.c[k] / 4;
			}
			for (int k = 0; k < 3; k++)
				row[3 * x + k] =
					(uint8_t)fmaxf(0, fminf(sum.c[k] * gain * band, 255));
		}
	}
}

// Lens (five taps each way), then the sensor's noise.
static void expose(struct scene *s, struct eg_image *frame)
{
	float tap[5], total = 0;

	for (int i = 0; i < 5; i++)
		total += tap[i] = expf(-0.5f * (float)((i - 2) * (i - 2)) / (s->blur * s->blur));
	for (int y = 0; y < SCENE_HEIGHT; y++) {
		uint8_t *row = frame->data + (ptrdiff_t)y * frame->stride;

		for (int x = 0; x < 3 * SCENE_WIDTH; x++) {
			float sum = 0;

			for (int j = 0; j < 5; j++) {
				int sy = y + j - 2 < 0		     ? 0
					 : y + j - 2 >= SCENE_HEIGHT ? SCENE_HEIGHT - 1
								     : y + j - 2;
				const uint8_t *from =
					s->drawn.data + (ptrdiff_t)sy * s->drawn.stride;

				for (int i = 0; i < 5; i++) {
					int sx = x + 3 * (i - 2);

					sx = sx < 0 ? x : sx >= 3 * SCENE_WIDTH ? x : sx;
					sum += tap[i] * tap[j] * (float)from[sx];
				}
			}
			sum = sum / (total * total) + s->noise * normal(s);
			row[x] = (uint8_t)fmaxf(0, fminf(sum + 0.5f, 255));
		}
	}
}

int scene_frame(struct scene *s, const struct eg_image *portrait, struct eg_image *frame)
{
	int r = eg_image_resize(&s->drawn, SCENE_WIDTH, SCENE_HEIGHT, 3);

	if (r == 0)
		r = eg_image_resize(frame, SCENE_WIDTH, SCENE_HEIGHT, 3);
	if (r != 0)
		return r;
	move(s);
	draw(s, portrait, s->exposure * between(s, 0.97f, 1.03f));
	expose(s, frame);
	return 0;
}
