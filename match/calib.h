// SPDX-License-Identifier: Apache-2.0
//
// Calibration: which comparison score stands for which false match rate, from the model pack's
// table of measured points. Between points log10(FMR) is interpolated linearly; beyond the last
// measured point the last slope is continued and the answer is marked as a guess.

#ifndef EG_CALIB_H
#define EG_CALIB_H

#include "capture/pack.h"

struct eg_calib;

// Points by falling FMR and rising score, at least two; EG_EINVAL otherwise. `floor_fmr`: below this
// the points rest on too few impostors. Copies.
int eg_calib_new(const struct eg_pack_point *points, size_t count, double floor_fmr,
		 struct eg_calib **ret_calib, struct eg_err *err) EG_CHECKED;
void eg_calib_free(struct eg_calib *calib); // takes NULL

// Score whose FMR is `fmr` (0 < fmr < 1). *ret_guess (may be NULL): beyond the data. Returns +2
// (unreachable) for an fmr out of range.
double eg_calib_threshold(const struct eg_calib *calib, double fmr, bool *ret_guess);
double eg_calib_fmr(const struct eg_calib *calib, double score);

#endif
