// SPDX-License-Identifier: Apache-2.0
//
// Calibration: which comparison score stands for which false match rate, from the model pack's
// table of measured points. Between points log10(FMR) is interpolated linearly over the score. The
// first segment begins at score −1, where the FMR is 1 by definition; beyond the last measured
// point the last slope is continued. An answer below the floor is marked as a guess.
//
// Thread: any; an eg_calib does not change.

#ifndef EG_CALIB_H
#define EG_CALIB_H

#include "capture/pack.h"

struct eg_calib;

// Points by strictly falling FMR (each > 0 and < 1) and strictly rising score (each > −1), at least
// two, all finite; EG_EINVAL otherwise. `floor_fmr` (0 < floor < 1): below this the points rest on
// too few impostors. Copies.
int eg_calib_new(const struct eg_pack_point *points, size_t count, double floor_fmr,
		 struct eg_calib **ret_calib, struct eg_err *err) EG_CHECKED;
void eg_calib_free(struct eg_calib *calib); // takes NULL

// Score whose FMR is `fmr` (0 < fmr < 1). *ret_guess (may be NULL): below the floor or beyond the
// last point. Returns +2 (a score nobody reaches), as a guess, for an fmr out of range or NaN.
double eg_calib_threshold(const struct eg_calib *calib, double fmr, bool *ret_guess);

// FMR of a threshold at `score`: the inverse. 1 at −1 and below, and for NaN.
double eg_calib_fmr(const struct eg_calib *calib, double score);

double eg_calib_floor(const struct eg_calib *calib);

#endif
