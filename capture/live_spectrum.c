// SPDX-License-Identifier: Apache-2.0
//
// Skin has no period; dots of ink, pixels of a screen and the beat of either with the sensor's
// pixels do. The power spectrum is a mean over windows of 64×64 laid half over each other on the
// face (Welch 1967), at the picture's own resolution, since shrinking would take away what is
// looked for. A bin is compared with its neighbourhood, so that the spectrum's slope, which is
// focus and texture, does not matter.

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "capture/live_cues.h"

#define N	64
#define HALF	(N / 2)
#define WINDOWS 3  // each way
#define LOW	10 // bins below are features of a face
#define TAU	6.283185307179586

void eg_live_tables_make(struct eg_live_tables *t)
{
	for (int i = 0; i < N; i++) {
		unsigned int r = 0;

		for (int b = 0; b < 6; b++)
			r |= ((unsigned int)i >> b & 1) << (5 - b);
		t->reversed[i] = (uint8_t)r;
		t->cosine[i] = (float)cos(TAU * i / N);
		t->sine[i] = (float)sin(TAU * i / N);
		t->hann[i] = 0.5f - 0.5f * (float)cos(TAU * (i + 0.5) / N);
	}
}

// In place, radix 2, of N complex numbers `step` apart.
static void transform(const struct eg_live_tables *tables, float *re, float *im, int step)
{
	for (int i = 0; i < N; i++) {
		int j = tables->reversed[i];

		if (j > i) {
			float t = re[i * step];

			re[i * step] = re[j * step];
			re[j * step] = t;
			t = im[i * step];
			im[i * step] = im[j * step];
			im[j * step] = t;
		}
	}
	for (int size = 2; size <= N; size *= 2) {
		for (int start = 0; start < N; start += size) {
			for (int k = 0; k < size / 2; k++) {
				float *ar = &re[(start + k) * step], *ai = &im[(start + k) * step];
				float *br = ar + size / 2 * step, *bi = ai + size / 2 * step;
				float c = tables->cosine[k * (N / size)];
				float s = -tables->sine[k * (N / size)];
				float tr = *br * c - *bi * s, ti = *br * s + *bi * c;

				*br = *ar - tr;
				*bi = *ai - ti;
				*ar += tr;
				*ai += ti;
			}
		}
	}
}

// Grey, without its mean, under the window.
static void load(const struct eg_image *image, int x0, int y0, const float *hann, float *re,
		 float *im)
{
	float mean = 0;

	for (int y = 0; y < N; y++) {
		const uint8_t *p = image->data + (ptrdiff_t)(y0 + y) * image->stride + 3 * x0;

		for (int x = 0; x < N; x++, p += 3) {
			re[y * N + x] =
				0.114f * (float)p[0] + 0.587f * (float)p[1] + 0.299f * (float)p[2];
			im[y * N + x] = 0;
			mean += re[y * N + x] / (N * N);
		}
	}
	for (int y = 0; y < N; y++)
		for (int x = 0; x < N; x++)
			re[y * N + x] = (re[y * N + x] - mean) * hann[x] * hann[y];
}

// Signed frequency of a bin.
static int freq(int i)
{
	return i < HALF ? i : i - N;
}

static void add_power(const float *re, const float *im, float *power)
{
	for (int i = 0; i < N * N; i++)
		power[i] += re[i] * re[i] + im[i] * im[i];
}

// JPEG's blocks of eight have their own lines, which the window spreads by one.
static bool counts(int u, int v)
{
	int fu = freq(u), fv = freq(v);
	int r2 = fu * fu + fv * fv;

	if (r2 < LOW * LOW || r2 > 31 * 31 || fu < 0)
		return false;
	return !(abs(fv) <= 1 && (fu + 1) % 8 <= 2) && !(fu <= 1 && (abs(fv) + 1) % 8 <= 2);
}

// How far a bin stands out of the 7×7 round it, without the 3×3 that its own window spreads to.
static float stands_out(const float *power, int u, int v)
{
	float sum = 0;

	for (int dv = -3; dv <= 3; dv++)
		for (int du = -3; du <= 3; du++)
			if (du * du > 1 || dv * dv > 1)
				sum += power[(v + dv + N) % N * N + (u + du + N) % N];
	return power[v * N + u] - sum / 40;
}

static float highest_peak(float *power)
{
	float best = 0;
	double sum = 0, squares = 0, n = 0;

	for (int i = 0; i < N * N; i++)
		power[i] = logf(power[i] + 1);
	for (int v = 0; v < N; v++) {
		for (int u = 0; u < HALF; u++) {
			float out;

			if (!counts(u, v))
				continue;
			out = stands_out(power, u, v);
			best = fmaxf(best, out);
			sum += (double)out;
			squares += (double)out * (double)out;
			n++;
		}
	}
	squares = sqrt(fmax(squares / n - sum / n * sum / n, 1e-4));
	return (float)(((double)best - sum / n) / squares);
}

float eg_live_peak(const struct eg_image *image, struct eg_box face,
		   struct eg_live_scratch *scratch)
{
	float *re = scratch->plane, *im = re + N * N, *power = im + N * N;
	float cx = face.x + face.width / 2, cy = face.y + face.height / 2;
	int across, down;

	if (image->width < N || image->height < N)
		return 0;
	memset(power, 0, N * N * sizeof(*power));
	across = (int)fmaxf(1, fminf((face.width * 0.9f - N) / HALF + 1, WINDOWS));
	down = (int)fmaxf(1, fminf((face.height * 0.9f - N) / HALF + 1, WINDOWS));
	for (int j = 0; j < down; j++) {
		for (int i = 0; i < across; i++) {
			float x = cx + ((float)i - (float)(across - 1) / 2) * HALF - HALF;
			float y = cy + ((float)j - (float)(down - 1) / 2) * HALF - HALF;

			load(image, (int)fmaxf(0, fminf(x, (float)(image->width - N))),
			     (int)fmaxf(0, fminf(y, (float)(image->height - N))),
			     scratch->tables.hann, re, im);
			for (int k = 0; k < N; k++)
				transform(&scratch->tables, re + k * N, im + k * N, 1);
			for (int k = 0; k < N; k++)
				transform(&scratch->tables, re + k, im + k, N);
			add_power(re, im, power);
		}
	}
	return highest_peak(power);
}
