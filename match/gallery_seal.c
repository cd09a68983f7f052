// SPDX-License-Identifier: Apache-2.0
//
// Reference against reference: the manifest's own impostor scores, by which near twins are marked
// and the threshold is raised. Every pair of different people is scored once, from the int8 rows;
// their scores are counted in a histogram (rounding moves a score by about 0.0005, one bin), and
// pairs that may be twins are scored again in float.

#include "match/gallery_internal.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

#include "firmware/base/mem.h"

#define BINS	   4000 // over scores of −1 … 1
#define PAIRS_MIN  190	// of 20 people
#define PAIRS_TAIL 20.0

// Rows scanned together, so that they stay in the processor's cache while the probes go by.
#define TILE 1024 // far fewer than EG_GALLERY_SEAL_STEP

struct pairs {
	uint64_t bin[BINS];
	uint64_t count;
};

struct eg_gallery_sealing {
	double twin;	// score from which two people are near twins
	size_t tile, i; // the next row, and the rows it is compared with
	struct pairs pairs;
};

static size_t bin_of(double score)
{
	double at = (score + 1) * (BINS / 2.0);

	return at <= 0 ? 0 : at >= BINS - 1 ? BINS - 1 : (size_t)at;
}

static void mark_twins(struct eg_gallery *gallery, size_t i, size_t j)
{
	struct gallery_entry *a = &gallery->entry[gallery->rows[i].entry];
	struct gallery_entry *b = &gallery->entry[gallery->rows[j].entry];

	gallery->near_twins += (size_t)!a->twin + (size_t)!b->twin;
	a->twin = b->twin = true;
}

// Row i against the rows first … first + count − 1, all after it.
static void score_tile(struct eg_gallery *gallery, size_t i, size_t first, size_t count)
{
	const struct gallery_row *a = &gallery->rows[i];
	const double error = (double)a->error;
	const double twin = gallery->sealing->twin, maybe = twin - 1e-5 - error;
	struct pairs *pairs = &gallery->sealing->pairs;
	size_t own = 0;

	eg_kernel()->dot_int8(gallery->quantised + i * EG_TEMPLATE_SIZE,
			      gallery->quantised + first * EG_TEMPLATE_SIZE, count, gallery->dots);
	for (size_t k = 0; k < count; k++) {
		const struct gallery_row *b = &gallery->rows[first + k];
		double score = (double)gallery->dots[k] * (double)a->scale * (double)b->scale;
		float exact;

		if (a->entry == b->entry) {
			own++;
			continue;
		}
		pairs->bin[bin_of(score)]++;
		if (score + (1 + error) * (double)b->error < maybe)
			continue;
		eg_kernel()->dot_float(gallery->matrix + i * EG_TEMPLATE_SIZE,
				       gallery->matrix + (first + k) * EG_TEMPLATE_SIZE, 1, &exact);
		if ((double)exact >= twin)
			mark_twins(gallery, i, first + k);
	}
	pairs->count += count - own;
}

// The score that `rank` pairs reach or pass.
static double score_at(const struct pairs *pairs, double rank)
{
	uint64_t seen = 0;
	size_t i = BINS;

	while (i > 0 && (double)(seen += pairs->bin[i - 1]) < rank)
		i--;
	return i > 0 ? ((double)i - 0.5) / BINS * 2 - 1 : -1; // the bin's middle
}

static double raise_of(const struct eg_gallery *gallery, const struct pairs *pairs)
{
	double n = (double)pairs->count;
	double q, k, expected;

	if (pairs->count < PAIRS_MIN)
		return 0;
	q = fmax(PAIRS_TAIL / n, eg_calib_floor(gallery->calib));
	k = q * n;
	expected = eg_calib_threshold(gallery->calib, q, NULL);
	if (score_at(pairs, k + 1.645 * sqrt(k)) <= expected)
		return 0;
	return fmax(0, score_at(pairs, k) - expected);
}

// Rows against tiles of rows until `budget` pairs are full; true when none is left.
static bool score_some(struct eg_gallery *gallery, size_t budget)
{
	struct eg_gallery_sealing *s = gallery->sealing;
	const size_t n = gallery->references;

	for (; s->tile < n; s->tile += TILE, s->i = 0) {
		size_t end = s->tile + TILE < n ? s->tile + TILE : n;

		for (; s->i + 1 < end; s->i++) {
			size_t first = s->i + 1 > s->tile ? s->i + 1 : s->tile;

			if (end - first > budget)
				return false;
			score_tile(gallery, s->i, first, end - first);
			budget -= end - first;
		}
	}
	return true;
}

static int begin(struct eg_gallery *gallery, struct eg_err *err)
{
	const size_t n = gallery->references;

	gallery->sealing = eg_calloc(1, sizeof(*gallery->sealing));
	gallery->dots = eg_calloc(n ? n : 1, sizeof(*gallery->dots));
	if (!gallery->sealing || !gallery->dots) {
		eg_gallery_seal_forget(gallery);
		return eg_err_set(err, EG_ENOMEM, "gallery: out of memory");
	}
	// Twins are measured by the unraised threshold: the more are marked, the safer.
	gallery->sealing->twin =
		eg_calib_threshold(gallery->calib, EG_GALLERY_TWIN_FPIR / (double)(n ? n : 1),
				   NULL);
	return 0;
}

void eg_gallery_seal_forget(struct eg_gallery *gallery)
{
	if (gallery->sealing)
		eg_wipe(gallery->sealing, sizeof(*gallery->sealing));
	free(gallery->sealing);
	gallery->sealing = NULL;
	if (!gallery->sealed) {
		free(gallery->dots);
		gallery->dots = NULL;
	}
}

int eg_gallery_seal_step(struct eg_gallery *gallery, struct eg_err *err)
{
	int r = gallery->sealing ? 0 : begin(gallery, err);

	assert(!gallery->sealed);
	if (r != 0)
		return r;
	if (!score_some(gallery, EG_GALLERY_SEAL_STEP))
		return 0;
	gallery->raise = raise_of(gallery, &gallery->sealing->pairs);
	gallery->sealed = true;
	eg_gallery_seal_forget(gallery);
	return 1;
}

int eg_gallery_seal(struct eg_gallery *gallery, struct eg_err *err)
{
	int r;

	do
		r = eg_gallery_seal_step(gallery, err);
	while (r == 0);
	return r < 0 ? r : 0;
}

void eg_gallery_compare(const struct eg_gallery *gallery,
			void (*pair)(void *user, size_t entry_a, size_t entry_b, float score),
			void *user)
{
	size_t step = (gallery->references + EG_GALLERY_COMPARED_MAX - 1) / EG_GALLERY_COMPARED_MAX;

	for (size_t i = 0; i < gallery->references; i += step) {
		const float *a = gallery->matrix + i * EG_TEMPLATE_SIZE;

		for (size_t j = i + step; j < gallery->references; j += step) {
			float score;

			if (gallery->rows[i].entry == gallery->rows[j].entry)
				continue;
			eg_kernel()->dot_float(a, gallery->matrix + j * EG_TEMPLATE_SIZE, 1,
					       &score);
			pair(user, gallery->rows[i].entry, gallery->rows[j].entry, score);
		}
	}
}
