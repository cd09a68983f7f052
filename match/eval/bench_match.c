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
#include "match/eval/bench_rivals.h"
#include "match/gallery.h"

#define BIGGEST 100000

static const size_t sizes[] = {420, 10000, BIGGEST};
#define SIZES (sizeof(sizes) / sizeof(sizes[0]))

#define KERNELS_MAX 4

struct vectors {
	size_t n;
	int8_t *rows8;
	float *rows;
	int32_t *dots8;
	float *dots;
	struct eg_calib *calib;
	struct eg_gallery *gallery;
	struct eg_template probe;
	struct bench_faiss *faiss;
};

struct on_kernel { // a rival of the race
	const struct eg_kernel *kernel;
	struct vectors *v;
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
	struct on_kernel *k = user;

	k->kernel->dot_int8(k->v->rows8, k->v->rows8, k->v->n, k->v->dots8);
	return 0;
}

static int once_float(void *user)
{
	struct on_kernel *k = user;

	k->kernel->dot_float(k->v->rows, k->v->rows, k->v->n, k->v->dots);
	return 0;
}

static int once_identify(void *user)
{
	struct on_kernel *k = user;
	struct eg_verdict verdict;

	eg_kernel_use(k->kernel);
	eg_gallery_identify(k->v->gallery, &k->v->probe, 3e-3, &verdict);
	return verdict.cause == EG_CAUSE_SYSTEM_FAULT;
}

static int once_faiss(void *user)
{
	struct vectors *v = user;
	long long best[2];

	return bench_faiss_search(v->faiss, v->probe.value, best);
}

static int fill_gallery(struct vectors *v)
{
	struct eg_template t = {.model = {0}};

	eg_gallery_free(v->gallery);
	v->gallery = NULL;
	if (eg_gallery_new(v->n, v->calib, &v->gallery, NULL) != 0)
		return -1;
	for (size_t i = 0; i < v->n; i++) {
		memcpy(t.value, v->rows + i * EG_TEMPLATE_SIZE, sizeof(t.value));
		if (eg_gallery_add(v->gallery, i, &t, 80, NULL) != 0)
			return -1;
	}
	return 0;
}

static int once_load(void *user)
{
	struct vectors *v = user;

	return fill_gallery(v) == 0 ? eg_gallery_seal(v->gallery, NULL) : -1;
}

// One step of sealing 100,000: the longest that the worker is away from its frames.
static int once_step(void *user)
{
	struct vectors *v = user;

	return eg_gallery_seal_step(v->gallery, NULL) < 0;
}

static size_t available(struct vectors *v, struct on_kernel kernels[KERNELS_MAX])
{
	size_t all, count = 0;
	const struct eg_kernel *const *list = eg_kernel_list(&all);

	for (size_t i = 0; i < all && count < KERNELS_MAX; i++)
		if (list[i]->available())
			kernels[count++] = (struct on_kernel){list[i], v};
	return count;
}

static void race(struct bench *bench, const char *stage, int (*once)(void *user), struct vectors *v)
{
	struct on_kernel kernels[KERNELS_MAX];
	struct bench_rival rivals[KERNELS_MAX + 1];
	size_t count = available(v, kernels);

	for (size_t i = 0; i < count; i++)
		rivals[i] = (struct bench_rival){kernels[i].kernel->name, once, &kernels[i]};
	if (v->faiss)
		rivals[count++] = (struct bench_rival){"faiss_flat_ip", once_faiss, v};
	bench_race(bench, stage, v->n, rivals, count);
	eg_kernel_use(kernels[0].kernel); // the best one
}

static void race_identify(struct bench *bench, struct vectors *v)
{
	if (!bench_wants(bench, "identify"))
		return;
	v->faiss = bench_faiss_new(v->rows, v->n, EG_TEMPLATE_SIZE);
	if (!v->faiss || once_load(v) != 0)
		bench->failed++;
	else
		race(bench, "identify", once_identify, v);
	bench_faiss_free(v->faiss);
	v->faiss = NULL;
}

static void run_gallery(struct bench *bench, struct vectors *v)
{
	for (size_t s = 0; s < SIZES; s++) {
		v->n = sizes[s];
		race(bench, "compare_int8", once_int8, v);
		race(bench, "compare_float", once_float, v);
	}
	for (size_t s = 0; s < SIZES; s++) {
		v->n = sizes[s];
		race_identify(bench, v);
	}
	// 100,000 only for who names the stage: it takes half a minute a time
	for (size_t s = 0; s < (bench->wanted_count > 0 ? SIZES : SIZES - 1); s++) {
		v->n = sizes[s];
		bench_stage(bench, "gallery_load", eg_kernel_name(), v->n, once_load, v);
	}
	v->n = BIGGEST;
	if (!bench_wants(bench, "seal_step"))
		return;
	if (fill_gallery(v) != 0)
		bench->failed++;
	else
		bench_stage(bench, "seal_step", eg_kernel_name(), v->n, once_step, v);
}

void bench_match(struct bench *bench)
{
	static const char *const stages[] = {"compare_int8", "compare_float", "gallery_load",
					     "identify",     "seal_step",     NULL};
	static const struct eg_pack_point points[] = {{0.2, 1e-1}, {0.6, 1e-5}};
	struct vectors v = {0};

	if (!bench_group(bench, stages))
		return;
	v.rows8 = eg_calloc(BIGGEST, EG_TEMPLATE_SIZE);
	v.rows = eg_calloc(BIGGEST, EG_TEMPLATE_SIZE * sizeof(float));
	v.dots8 = eg_calloc(BIGGEST, sizeof(*v.dots8));
	v.dots = eg_calloc(BIGGEST, sizeof(*v.dots));
	if (!v.rows8 || !v.rows || !v.dots8 || !v.dots ||
	    eg_calib_new(points, 2, 1e-5, &v.calib, NULL) != 0) {
		fprintf(stderr, "eg-bench: out of memory\n");
		bench->failed++;
		goto out;
	}
	for (size_t i = 0; i < BIGGEST; i++) {
		fill_unit(v.rows + i * EG_TEMPLATE_SIZE);
		for (size_t j = 0; j < EG_TEMPLATE_SIZE; j++)
			v.rows8[i * EG_TEMPLATE_SIZE + j] =
				(int8_t)(v.rows[i * EG_TEMPLATE_SIZE + j] * 500);
	}
	fill_unit(v.probe.value);
	run_gallery(bench, &v);
out:
	eg_gallery_free(v.gallery);
	eg_calib_free(v.calib);
	free(v.dots);
	free(v.dots8);
	free(v.rows);
	free(v.rows8);
}
