// SPDX-License-Identifier: Apache-2.0
//
// The figures. Rules, which the tests recompute on their own:
//   score NaN       a pair with a failure to acquire: "not the same" at every threshold. It counts
//                   as a non-match among genuine pairs (in fnmr, eer and accuracy: the traveller
//                   was not recognised); among impostors it counts in accuracy only, not in FMR.
//   threshold at f  with n impostor scores and k = ⌊n·f⌋: the smallest float above the (k+1)-th
//                   highest one, so that at most k reach it. null where n < 3 / f: with no false
//                   match among fewer, one could not say with 95 % that the FMR is under f.
//   accuracy        ten folds, contiguous in file order (fold i from ⌊i·n/10⌋); each is decided by
//                   the threshold that does best on the other nine (the lowest of equals; half-way
//                   between that score and the next lower one); mean over the folds.
//   eer             mean of FMR and FNMR where they are closest (the lowest such threshold).
//   intervals       Wilson, 95 %, pairs taken as independent (those of one person are not, so the
//                   true intervals are somewhat wider).

#ifndef EG_EVAL_STATS_H
#define EG_EVAL_STATS_H

#include "firmware/base/err.h"

#include <stdbool.h>
#include <stddef.h>

#define EVAL_LEVELS 5 // FMR 1e-2 … 1e-6
extern const double eval_levels[EVAL_LEVELS];
extern const char *const eval_level_names[EVAL_LEVELS];

struct eval_pair {
	float score; // NaN: failure to acquire
	bool genuine;
};

struct eval_interval {
	double low, high; // NaN: n was 0
};

struct eval_stats {
	size_t genuine, genuine_failed; // pairs; of them with a failure to acquire
	size_t impostors, impostors_failed;
	double accuracy; // NaN: fewer than ten pairs or only one kind
	double eer;	 // NaN: one kind missing
	double threshold[EVAL_LEVELS], fnmr[EVAL_LEVELS]; // NaN: too few impostors
};

// For matrices: scores without order. Sorts both arrays in place; failed genuine pairs are only
// counted. Accuracy comes out as NaN.
void eval_stats_of_scores(float *genuine, size_t genuine_count, size_t genuine_failed,
			  float *impostors, size_t impostor_count, struct eval_stats *ret_stats);

// For lists of pairs in file order. EG_ENOMEM.
int eval_stats_of_pairs(const struct eval_pair *pairs, size_t count, struct eval_stats *ret_stats,
			struct eg_err *err) EG_CHECKED;

// How many of `count` scores, sorted upwards, lie below the threshold.
size_t eval_count_below(const float *sorted, size_t count, double threshold);

struct eval_interval eval_wilson(double successes, double n);

#endif
