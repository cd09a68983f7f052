// SPDX-License-Identifier: Apache-2.0
//
// The calibration table: checked once, then two lookups that are each other's inverse.

#include "match/calib.h"

#include <math.h>
#include <stdlib.h>

#include "firmware/base/mem.h"

struct eg_calib {
	double floor_fmr;
	size_t count;
	struct point {
		double score, log_fmr; // log10
	} point[];
};

static int check_points(const struct eg_pack_point *points, size_t count, double floor_fmr,
			struct eg_err *err)
{
	if (count < 2)
		return eg_err_set(err, EG_EINVAL,
				  "calibration: %zu points, at least 2 are needed; make the table "
				  "with eg-eval calibrate",
				  count);
	if (!(floor_fmr > 0 && floor_fmr < 1))
		return eg_err_set(err, EG_EINVAL, "calibration: floor %g is not between 0 and 1",
				  floor_fmr);
	for (size_t i = 0; i < count; i++) {
		double score = points[i].score, fmr = points[i].fmr;

		if (!isfinite(score) || score <= -1 || !(fmr > 0 && fmr < 1))
			return eg_err_set(
				err, EG_EINVAL,
				"calibration: point %zu (score %g, FMR %g): the score must "
				"be above -1 and the FMR between 0 and 1",
				i, score, fmr);
		if (i > 0 && (score <= points[i - 1].score || fmr >= points[i - 1].fmr))
			return eg_err_set(err, EG_EINVAL,
					  "calibration: point %zu (score %g, FMR %g): scores must "
					  "rise and FMRs fall from point to point",
					  i, score, fmr);
	}
	return 0;
}

int eg_calib_new(const struct eg_pack_point *points, size_t count, double floor_fmr,
		 struct eg_calib **ret_calib, struct eg_err *err)
{
	struct eg_calib *calib;
	int r = check_points(points, count, floor_fmr, err);

	if (r != 0)
		return r;
	calib = eg_calloc(1, sizeof(*calib) + (count + 1) * sizeof(calib->point[0]));
	if (!calib)
		return eg_err_set(err, EG_ENOMEM, "calibration: out of memory");

	calib->floor_fmr = floor_fmr;
	calib->count = count + 1;
	calib->point[0] = (struct point){-1, 0};
	for (size_t i = 0; i < count; i++)
		calib->point[i + 1] = (struct point){points[i].score, log10(points[i].fmr)};
	*ret_calib = calib;
	return 0;
}

void eg_calib_free(struct eg_calib *calib)
{
	free(calib);
}

double eg_calib_threshold(const struct eg_calib *calib, double fmr, bool *ret_guess)
{
	double wanted = fmr > 0 && fmr < 1 ? log10(fmr) : NAN;
	size_t i = 1;
	bool guess = true;
	double score = 2;

	if (!isnan(wanted)) {
		while (i < calib->count - 1 && calib->point[i].log_fmr > wanted)
			i++;
		const struct point *a = &calib->point[i - 1], *b = &calib->point[i];

		score = a->score +
			(wanted - a->log_fmr) * (b->score - a->score) / (b->log_fmr - a->log_fmr);
		guess = fmr < calib->floor_fmr || wanted < calib->point[calib->count - 1].log_fmr;
	}
	if (ret_guess)
		*ret_guess = guess;
	return score;
}

double eg_calib_fmr(const struct eg_calib *calib, double score)
{
	size_t i = 1;

	if (isnan(score) || score <= -1)
		return 1;
	while (i < calib->count - 1 && calib->point[i].score < score)
		i++;
	const struct point *a = &calib->point[i - 1], *b = &calib->point[i];

	return pow(10, a->log_fmr + (score - a->score) * (b->log_fmr - a->log_fmr) /
					    (b->score - a->score));
}

double eg_calib_floor(const struct eg_calib *calib)
{
	return calib->floor_fmr;
}
