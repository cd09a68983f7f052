// SPDX-License-Identifier: Apache-2.0
//
// The figures' arithmetic, on sorted arrays of scores. The rules are in stats.h.

#include "match/eval/stats.h"

#include <math.h>
#include <stdlib.h>

#include "firmware/base/mem.h"
#include "match/wilson.h"

#define FOLDS 10

const double eval_levels[EVAL_LEVELS] = {1e-2, 1e-3, 1e-4, 1e-5, 1e-6};
const char *const eval_level_names[EVAL_LEVELS] = {"1e-2", "1e-3", "1e-4", "1e-5", "1e-6"};

struct eval_interval eval_wilson(double successes, double n)
{
	struct eg_interval interval = eg_wilson(successes, n);

	return (struct eval_interval){interval.low, interval.high};
}

static int by_float(const void *a, const void *b)
{
	float x = *(const float *)a, y = *(const float *)b;

	return (x > y) - (x < y);
}

size_t eval_count_below(const float *sorted, size_t count, double threshold)
{
	size_t low = 0, high = count;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if ((double)sorted[middle] < threshold)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static double fnmr_at(const struct eval_stats *stats, const float *genuine, double threshold)
{
	size_t compared = stats->genuine - stats->genuine_failed;
	size_t missed = eval_count_below(genuine, compared, threshold) + stats->genuine_failed;

	return stats->genuine ? (double)missed / (double)stats->genuine : NAN;
}

// Every score is tried as a threshold, from the lowest.
static double eer_of(const struct eval_stats *stats, const float *genuine, const float *impostors,
		     size_t impostor_count)
{
	size_t compared = stats->genuine - stats->genuine_failed;
	double best = NAN, gap = INFINITY;
	size_t g = 0, i = 0;

	if (stats->genuine == 0 || impostor_count == 0)
		return NAN;
	while (g < compared || i < impostor_count) {
		float at = g == compared	 ? impostors[i]
			   : i == impostor_count ? genuine[g]
						 : fminf(genuine[g], impostors[i]);
		double fnmr = (double)(g + stats->genuine_failed) / (double)stats->genuine;
		double fmr = (double)(impostor_count - i) / (double)impostor_count;

		if (fabs(fmr - fnmr) < gap) {
			gap = fabs(fmr - fnmr);
			best = (fmr + fnmr) / 2;
		}
		while (g < compared && genuine[g] <= at)
			g++;
		while (i < impostor_count && impostors[i] <= at)
			i++;
	}
	return best;
}

void eval_stats_of_scores(float *genuine, size_t genuine_count, size_t genuine_failed,
			  float *impostors, size_t impostor_count, struct eval_stats *ret_stats)
{
	struct eval_stats stats = {
		.genuine = genuine_count + genuine_failed,
		.genuine_failed = genuine_failed,
		.impostors = impostor_count,
		.accuracy = NAN,
	};

	if (genuine_count > 0)
		qsort(genuine, genuine_count, sizeof(*genuine), by_float);
	if (impostor_count > 0)
		qsort(impostors, impostor_count, sizeof(*impostors), by_float);
	stats.eer = eer_of(&stats, genuine, impostors, impostor_count);
	for (size_t i = 0; i < EVAL_LEVELS; i++) {
		double n = (double)impostor_count;

		stats.threshold[i] = stats.fnmr[i] = NAN;
		if (n * eval_levels[i] < 3 * (1 - 1e-9))
			continue;
		size_t k = (size_t)floor(n * eval_levels[i] + 1e-9);

		stats.threshold[i] = (double)nextafterf(impostors[impostor_count - 1 - k], 2);
		stats.fnmr[i] = fnmr_at(&stats, genuine, stats.threshold[i]);
	}
	*ret_stats = stats;
}

// ---- ten folds ------------------------------------------------------------------------------

struct folds {
	const struct eval_pair *pairs;
	size_t count;
	float *genuine, *impostors; // scratch
};

static bool in_fold(const struct folds *folds, size_t pair, size_t fold)
{
	return pair >= fold * folds->count / FOLDS && pair < (fold + 1) * folds->count / FOLDS;
}

// The threshold that decides most of the pairs outside of `fold` rightly. With pairs failed to
// acquire it makes no difference: they are "not the same" under every threshold.
static double best_threshold(const struct folds *folds, size_t fold)
{
	size_t genuine = 0, impostors = 0, g = 0, i = 0, best_right = 0;
	double best = 2, before = -1;

	for (size_t k = 0; k < folds->count; k++) {
		const struct eval_pair *pair = &folds->pairs[k];

		if (in_fold(folds, k, fold) || isnan(pair->score))
			continue;
		if (pair->genuine)
			folds->genuine[genuine++] = pair->score;
		else
			folds->impostors[impostors++] = pair->score;
	}
	qsort(folds->genuine, genuine, sizeof(float), by_float);
	qsort(folds->impostors, impostors, sizeof(float), by_float);
	while (g < genuine || i < impostors) {
		float at = g == genuine	    ? folds->impostors[i]
			   : i == impostors ? folds->genuine[g]
					    : fminf(folds->genuine[g], folds->impostors[i]);

		if (genuine - g + i > best_right) {
			best_right = genuine - g + i;
			best = ((double)at + before) / 2;
		}
		before = (double)at;
		while (g < genuine && folds->genuine[g] <= at)
			g++;
		while (i < impostors && folds->impostors[i] <= at)
			i++;
	}
	return best_right < impostors ? 2 : best; // refusing all may be the best
}

static double accuracy_of(const struct folds *folds)
{
	double sum = 0;

	for (size_t fold = 0; fold < FOLDS; fold++) {
		double threshold = best_threshold(folds, fold);
		size_t right = 0, n = 0;

		for (size_t k = 0; k < folds->count; k++) {
			const struct eval_pair *pair = &folds->pairs[k];

			if (!in_fold(folds, k, fold))
				continue;
			n++;
			right += ((double)pair->score >= threshold) == pair->genuine;
		}
		sum += (double)right / (double)n;
	}
	return sum / FOLDS;
}

int eval_stats_of_pairs(const struct eval_pair *pairs, size_t count, struct eval_stats *ret_stats,
			struct eg_err *err)
{
	struct folds folds = {.pairs = pairs, .count = count};
	size_t genuine = 0, impostors = 0, genuine_failed = 0, impostors_failed = 0;

	folds.genuine = eg_calloc(count + 1, sizeof(float));
	folds.impostors = eg_calloc(count + 1, sizeof(float));
	if (!folds.genuine || !folds.impostors) {
		free(folds.genuine);
		free(folds.impostors);
		return eg_err_set(err, EG_ENOMEM, "out of memory");
	}
	for (size_t i = 0; i < count; i++) {
		bool failed = isnan(pairs[i].score);

		if (pairs[i].genuine && failed)
			genuine_failed++;
		else if (pairs[i].genuine)
			folds.genuine[genuine++] = pairs[i].score;
		else if (failed)
			impostors_failed++;
		else
			folds.impostors[impostors++] = pairs[i].score;
	}
	eval_stats_of_scores(folds.genuine, genuine, genuine_failed, folds.impostors, impostors,
			     ret_stats);
	ret_stats->impostors += impostors_failed;
	ret_stats->impostors_failed = impostors_failed;
	if (count >= FOLDS && ret_stats->genuine > 0 && ret_stats->impostors > 0)
		ret_stats->accuracy = accuracy_of(&folds);
	free(folds.genuine);
	free(folds.impostors);
	return 0;
}
