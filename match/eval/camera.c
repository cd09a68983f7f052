// SPDX-License-Identifier: Apache-2.0
//
// In the order of a real one: lens, sensor, then the processor's corrections.

#include "match/eval/camera.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "firmware/base/mem.h"

#define SIDE_MAX 1280 // larger pictures are taken from further away
#define REACH	 4    // of the lens, pixels

static uint64_t next(struct camera *c)
{
	uint64_t z = c->lot += 0x9e3779b97f4a7c15u;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

static float between(struct camera *c, float low, float high)
{
	return low + (high - low) * (float)(next(c) >> 40) / 16777216.0f;
}

// About normal, deviation 1.
static float normal(struct camera *c)
{
	uint64_t z = next(c);
	float sum = 0;

	for (int i = 0; i < 4; i++, z >>= 16)
		sum += (float)(z & 0xffff) / 65536.0f;
	return (sum - 2) * 1.7320508f;
}

void camera_init(struct camera *camera, uint64_t seed)
{
	float exposure;

	*camera = (struct camera){.lot = seed * 0x2545f4914f6cdd1du};
	camera->scale = between(camera, 0.6f, 1.3f);
	camera->blur = between(camera, 0.2f, 1.1f);
	exposure = between(camera, 0.8f, 1.2f);
	for (int k = 0; k < 3; k++)
		camera->gain[k] = exposure * between(camera, 0.9f, 1.1f);
	camera->gamma = between(camera, 0.8f, 1.25f);
	camera->noise = between(camera, 0.3f, 5);
	camera->denoise = between(camera, 0, 1) < 0.5f ? between(camera, 0, 0.7f) : 0;
	camera->sharpen = between(camera, 0, 1) < 0.6f ? between(camera, 0, 1.2f) : 0;
	camera->quality = (int)between(camera, 55, 97);
}

void camera_done(struct camera *camera)
{
	if (camera->plane)
		eg_wipe(camera->plane, camera->floats * sizeof(float));
	if (camera->work)
		eg_wipe(camera->work, camera->floats * sizeof(float));
	free(camera->plane);
	free(camera->work);
	*camera = (struct camera){0};
}

static int room(struct camera *c, size_t floats)
{
	if (floats <= c->floats)
		return 0;
	free(c->plane);
	free(c->work);
	c->floats = 0;
	c->plane = eg_calloc(floats, sizeof(float));
	c->work = eg_calloc(floats, sizeof(float));
	if (!c->plane || !c->work)
		return EG_ENOMEM;
	c->floats = floats;
	return 0;
}

static int clamp(int value, int most)
{
	return value < 0 ? 0 : value > most ? most : value;
}

// Of a Gaussian at `at`; the first belongs to pixel *ret_first.
static void weigh(float at, float sigma, float weight[2 * REACH + 1], int *ret_first)
{
	float total = 0;

	*ret_first = (int)floorf(at + 0.5f) - REACH;
	for (int i = 0; i <= 2 * REACH; i++) {
		float d = (float)(*ret_first + i) - at;

		weight[i] = expf(-d * d / (2 * sigma * sigma));
		total += weight[i];
	}
	for (int i = 0; i <= 2 * REACH; i++)
		weight[i] /= total;
}

// The picture as the lens shows it to one pixel.
static void lens(const struct eg_image *p, float x, float y, float sigma, float bgr[3])
{
	float across[2 * REACH + 1], down[2 * REACH + 1];
	int x0, y0;

	weigh(x, sigma, across, &x0);
	weigh(y, sigma, down, &y0);
	bgr[0] = bgr[1] = bgr[2] = 0;
	for (int j = 0; j <= 2 * REACH; j++) {
		const uint8_t *row = p->data + (ptrdiff_t)clamp(y0 + j, p->height - 1) * p->stride;

		if (down[j] < 1e-4f)
			continue;
		for (int i = 0; i <= 2 * REACH; i++) {
			const uint8_t *from = row + 3 * clamp(x0 + i, p->width - 1);
			float w = across[i] * down[j];

			for (int k = 0; k < 3; k++)
				bgr[k] += w * (float)from[k];
		}
	}
}

static void sense(struct camera *c, const struct eg_image *picture, int width, int height,
		  float scale)
{
	// never narrower than a pixel of the sensor, which is an average, too
	const float sigma = sqrtf(c->blur * c->blur + 0.3f * 0.3f) / scale;
	float move_x = between(c, -1, 1), move_y = between(c, -1, 1), bgr[3];
	float *to = c->plane;

	for (int y = 0; y < height; y++) {
		for (int x = 0; x < width; x++, to += 3) {
			lens(picture, ((float)x + move_x) / scale, ((float)y + move_y) / scale,
			     sigma, bgr);
			for (int k = 0; k < 3; k++)
				to[k] = fminf(255 * powf(bgr[k] / 255 * c->gain[k], c->gamma),
					      255) +
					c->noise * normal(c);
		}
	}
}

static float mean9(const float *plane, int width, int height, int x, int y, int k)
{
	float sum = 0;

	for (int j = -1; j <= 1; j++)
		for (int i = -1; i <= 1; i++)
			sum += plane[((size_t)clamp(y + j, height - 1) * (size_t)width +
				      (size_t)clamp(x + i, width - 1)) *
					     3 +
				     (size_t)k];
	return sum / 9;
}

// Moves each value by `part` towards (or, negative, away from) the mean round it.
static void smooth(struct camera *c, int width, int height, float part)
{
	float *swap = c->plane;

	if (part == 0)
		return;
	for (int y = 0; y < height; y++)
		for (int x = 0; x < width; x++)
			for (int k = 0; k < 3; k++) {
				size_t at = ((size_t)y * (size_t)width + (size_t)x) * 3 + (size_t)k;
				float mean = mean9(c->plane, width, height, x, y, k);

				c->work[at] = c->plane[at] + part * (mean - c->plane[at]);
			}
	c->plane = c->work;
	c->work = swap;
}

int camera_take(struct camera *camera, const struct eg_image *picture, struct eg_image *ret_file)
{
	int longer = picture->width > picture->height ? picture->width : picture->height;
	float scale = fminf(camera->scale, (float)SIDE_MAX / (float)longer);
	int width = (int)((float)picture->width * scale) & ~1;
	int height = (int)((float)picture->height * scale) & ~1;
	int r;

	width = width < 2 ? 2 : width;
	height = height < 2 ? 2 : height;
	r = room(camera, (size_t)width * (size_t)height * 3);
	if (r == 0)
		r = eg_image_resize(ret_file, width, height, 3);
	if (r != 0)
		return r;
	sense(camera, picture, width, height, scale);
	smooth(camera, width, height, camera->denoise);
	smooth(camera, width, height, -camera->sharpen);
	for (int y = 0; y < height; y++)
		for (int x = 0; x < 3 * width; x++) {
			float v = camera->plane[(size_t)y * (size_t)width * 3 + (size_t)x];

			ret_file->data[(ptrdiff_t)y * ret_file->stride + x] =
				(uint8_t)fmaxf(0, fminf(v + 0.5f, 255));
		}
	return 0;
}
