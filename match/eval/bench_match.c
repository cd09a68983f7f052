// SPDX-License-Identifier: Apache-2.0
//
// The comparison's stages, on random unit vectors: kernels of every implementation this processor
// can run, identify through a gallery, and loading a gallery.

#include "match/eval/bench.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "firmware/base/mem.h"
#include "match/gallery.h"

#define BIGGEST 100000

static const size_t sizes[] = {420, 10000, BIGGEST};
#define SIZES (sizeof(sizes) / sizeof(sizes[0]))

struct kernels {
	const struct eg_kernel *kernel;
	size_t n;
	int8_t *rows8;
	float *rows;
	int32_t *dots8;
	float *dots;
	struct eg_calib *calib;
	struct eg_gallery *gallery;
	struct eg_template probe;
};

static uint64_t state = 1;

static float next(void)
{
	state = state * 6364136223846793005u + 1442695040888963407u;
	return (float)(state >> 40) / 8388608.0f - 1;
}

static void fill_unit(float *row)
{
	float sum = 0;

	for (size_t k = 0; k < EG_TEMPLATE_SIZE; k++) {
		row[k] = next() + next() + next();
		sum += row[k] * row[k];
	}
	for (size_t k = 0; k < EG_TEMPLATE_SIZE; k++)
		row[k] /= sqrtf(sum);
}

static int once_int8(void *user)
{
	struct kernels *k = user;

	k->kernel->dot_int8(k->rows8, k->rows8, k->n, k->dots8);
	return 0;
}

static int once_float(void *user)
{
	struct kernels *k = user;

	k->kernel->dot_float(k->rows, k->rows, k->n, k->dots);
	return 0;
}

static int once_identify(void *user)
{
	struct kernels *k = user;
	struct eg_verdict verdict;

	eg_gallery_identify(k->gallery, &k->probe, 3e-3, &verdict);
	return verdict.cause == EG_CAUSE_SYSTEM_FAULT;
}

static int load_gallery(struct kernels *k)
{
	struct eg_template t = {.model = {0}};

	if (eg_gallery_new(k->n, k->calib, &k->gallery, NULL) != 0)
		return -1;
	for (size_t i = 0; i < k->n; i++) {
		memcpy(t.value, k->rows + i * EG_TEMPLATE_SIZE, sizeof(t.value));
		if (eg_gallery_add(k->gallery, i, &t, 80, NULL) != 0)
			return -1;
	}
	return eg_gallery_seal(k->gallery, NULL);
}

static int once_load(void *user)
{
	struct kernels *k = user;
	int r;

	eg_gallery_free(k->gallery);
	k->gallery = NULL;
	r = load_gallery(k);
	return r;
}

static void run_kernels(struct bench *bench, struct kernels *k)
{
	size_t count;
	const struct eg_kernel *const *list = eg_kernel_list(&count);

	for (size_t s = 0; s < SIZES; s++) {
		for (size_t i = 0; i < count; i++) {
			if (!list[i]->available())
				continue;
			k->kernel = list[i];
			k->n = sizes[s];
			bench_stage(bench, "compare_int8", list[i]->name, k->n, once_int8, k);
			bench_stage(bench, "compare_float", list[i]->name, k->n, once_float, k);
		}
	}
}

static void run_gallery(struct bench *bench, struct kernels *k)
{
	k->n = 420;
	bench_stage(bench, "gallery_load", eg_kernel_name(), k->n, once_load, k);
	k->n = 10000;
	bench_stage(bench, "gallery_load", eg_kernel_name(), k->n, once_load, k);
	for (size_t s = 0; s < 2; s++) {
		k->n = sizes[s];
		if (bench_wants(bench, "identify") && once_load(k) != 0) {
			bench->failed++;
			return;
		}
		bench_stage(bench, "identify", eg_kernel_name(), k->n, once_identify, k);
	}
}

void bench_match(struct bench *bench)
{
	static const char *const stages[] = {"compare_int8", "compare_float", "gallery_load",
					     "identify", NULL};
	static const struct eg_pack_point points[] = {{0.2, 1e-1}, {0.6, 1e-5}};
	struct kernels k = {0};

	if (!bench_group(bench, stages))
		return;
	k.rows8 = eg_calloc(BIGGEST, EG_TEMPLATE_SIZE);
	k.rows = eg_calloc(BIGGEST, EG_TEMPLATE_SIZE * sizeof(float));
	k.dots8 = eg_calloc(BIGGEST, sizeof(*k.dots8));
	k.dots = eg_calloc(BIGGEST, sizeof(*k.dots));
	if (!k.rows8 || !k.rows || !k.dots8 || !k.dots ||
	    eg_calib_new(points, 2, 1e-5, &k.calib, NULL) != 0) {
		fprintf(stderr, "eg-bench: out of memory\n");
		bench->failed++;
		goto out;
	}
	for (size_t i = 0; i < BIGGEST; i++) {
		fill_unit(k.rows + i * EG_TEMPLATE_SIZE);
		for (size_t j = 0; j < EG_TEMPLATE_SIZE; j++)
			k.rows8[i * EG_TEMPLATE_SIZE + j] =
				(int8_t)(k.rows[i * EG_TEMPLATE_SIZE + j] * 500);
	}
	fill_unit(k.probe.value);
	run_kernels(bench, &k);
	run_gallery(bench, &k);
out:
	eg_gallery_free(k.gallery);
	eg_calib_free(k.calib);
	free(k.dots);
	free(k.dots8);
	free(k.rows);
	free(k.rows8);
}
