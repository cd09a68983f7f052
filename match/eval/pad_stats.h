// SPDX-License-Identifier: Apache-2.0
//
// Figures of presentation attack detection, in the terms of ISO/IEC 30107-3. Rules, which the tests
// work out again:
//   live            a presentation is taken for live when its score is at or over the threshold.
//   APCER           share of attacks taken for live; BPCER: share of live ones that are not.
//   non-response    a presentation in which no face was found: its share is apnrr or bpnrr, and it
//                   is in no other figure.
//   at BPCER b      with n live scores and k = ⌊n·b⌋, the threshold is the (k+1)-th lowest: at most
//                   k are below it.
//   over kinds      `apcer_at_bpcer` is over all attacks; beside it the worst kind's, which is what
//                   the standard asks to be quoted. ACER is the mean of BPCER and the worst kind's
//                   APCER.
//   auc             chance that a live presentation scores over an attack, ties half.
//   intervals       Wilson, 95 %; at a BPCER that the same data chose they leave out the
//                   threshold's own uncertainty.

#ifndef EG_EVAL_PAD_STATS_H
#define EG_EVAL_PAD_STATS_H

#include "match/eval/summary.h"

struct pad_one {
	float score; // NaN: no face found
	float model; // the liveness model alone
	bool live;
	const char *kind; // lent
};

// Puts all figures at the booth's own threshold and at chosen BPCER, fused and of the model alone.
int pad_summary(struct json *json, const struct pad_one *one, size_t count, double threshold,
		struct eg_err *err) EG_CHECKED;

#endif
