// SPDX-License-Identifier: Apache-2.0
//
// Reference against reference: the manifest's own impostor scores, by which near twins are marked
// and the threshold is raised. Every pair of different people is scored once, from the int8 rows;
// their scores are counted in a histogram (rounding moves a score by about 0.0005, one bin), and
// pairs that may be twins are scored again in float.

#include "match/gallery_internal.h"

#include <math.h>
#include <stdlib.h>

#include "firmware/base/mem.h"

#define BINS	   4000 // over scores of −1 … 1
#define PAIRS_MIN  190	// of 20 people
#define PAIRS_TAIL 20.0

// Rows scanned together, so that they stay in the processor's cache while the probes go by.
#define TILE 1024

struct pairs {
	uint64_t bin[BINS];
	uint64_t count;
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
static void score_tile(struct eg_gallery *gallery, size_t i, size_t first, size_t count,
		       double twin, struct pairs *pairs)
{
	const struct gallery_row *a = &gallery->rows[i];
	const float *values = gallery->matrix + i * EG_TEMPLATE_SIZE;

	eg_kernel()->dot_int8(gallery->quantised + i * EG_TEMPLATE_SIZE,
			      gallery->quantised + first * EG_TEMPLATE_SIZE, count, gallery->dots);
	for (size_t k = 0; k < count; k++) {
		const struct gallery_row *b = &gallery->rows[first + k];
		double score = (double)gallery->dots[k] * (double)a->scale * (double)b->scale;
		double off = (double)a->error + (1 + (double)a->error) * (double)b->error;
		float exact;

		if (a->entry == b->entry)
			continue;
		pairs->bin[bin_of(score)]++;
		pairs->count++;
		if (score + off + 1e-5 < twin)
			continue;
		eg_kernel()->dot_float(values, gallery->matrix + (first + k) * EG_TEMPLATE_SIZE, 1,
				       &exact);
		if ((double)exact >= twin)
			mark_twins(gallery, i, first + k);
	}
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

static void score_all(struct eg_gallery *gallery, double twin, struct pairs *pairs)
{
	for (size_t tile = 0; tile < gallery->references; tile += TILE) {
		size_t end = tile + TILE < gallery->references ? tile + TILE : gallery->references;

		for (size_t i = 0; i + 1 < end; i++) {
			size_t first = i + 1 > tile ? i + 1 : tile;

			score_tile(gallery, i, first, end - first, twin, pairs);
		}
	}
}

int eg_gallery_seal(struct eg_gallery *gallery, struct eg_err *err)
{
	struct pairs *pairs = eg_calloc(1, sizeof(*pairs));

	free(gallery->dots); // of a seal that had failed
	gallery->dots =
		eg_calloc(gallery->references ? gallery->references : 1, sizeof(*gallery->dots));
	if (!pairs || !gallery->dots) {
		free(pairs);
		return eg_err_set(err, EG_ENOMEM, "gallery: out of memory");
	}
	// Twins are measured by the unraised threshold: the more are marked, the safer.
	if (gallery->references > 1)
		score_all(gallery,
			  eg_calib_threshold(gallery->calib,
					     EG_GALLERY_TWIN_FPIR / (double)gallery->references,
					     NULL),
			  pairs);
	gallery->raise = raise_of(gallery, pairs);
	gallery->sealed = true;
	eg_wipe(pairs, sizeof(*pairs));
	free(pairs);
	return 0;
}
