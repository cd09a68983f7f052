// SPDX-License-Identifier: Apache-2.0
//
// Scores and verdicts. A verdict starts as REFER/SYSTEM_FAULT and only what has been shown changes
// it, so that a forgotten case refers.

#include "match/gallery_internal.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "firmware/base/mem.h"

// The two best people of a scan; row −1: nobody.
struct ranking {
	int entry, other;
	double score, second;
};

static void begin(struct eg_verdict *verdict, enum eg_mode mode, double target)
{
	*verdict = (struct eg_verdict){
		.kind = EG_VERDICT_REFER,
		.cause = EG_CAUSE_SYSTEM_FAULT,
		.mode = mode,
		.entry = -1,
		.score = NAN,
		.second = NAN,
		.threshold = NAN,
		.error_target = target,
		.quality = -1,
	};
}

static bool usable(const struct eg_gallery *gallery, const struct eg_template *probe, double target)
{
	return target > 0 && target < 1 && eg_template_check(probe) == 0 &&
	       (gallery->references == 0 ||
		memcmp(probe->model, gallery->model, sizeof(probe->model)) == 0);
}

static double threshold_of(const struct eg_gallery *gallery, double fmr)
{
	return eg_calib_threshold(gallery->calib, fmr, NULL) + gallery->raise;
}

static bool poor(const struct eg_gallery *gallery, int entry)
{
	float quality = gallery->entry[entry].quality;

	return quality >= 0 && quality < EG_GALLERY_QUALITY_MIN;
}

static double exact_score(const struct eg_gallery *gallery, const struct eg_template *probe,
			  size_t row)
{
	float score;

	eg_kernel()->dot_float(probe->value, gallery->matrix + row * EG_TEMPLATE_SIZE, 1, &score);
	return (double)score;
}

static void rank(struct ranking *ranking, int entry, double score)
{
	if (entry == ranking->entry) {
		ranking->score = fmax(ranking->score, score);
	} else if (score > ranking->score) {
		ranking->other = ranking->entry;
		ranking->second = ranking->score;
		ranking->entry = entry;
		ranking->score = score;
	} else if (score > ranking->second) {
		ranking->other = entry;
		ranking->second = score;
	}
}

// The least int8 sum that a row needs to reach `score`, whatever the row's scale and rounding; the
// sums of almost all rows lie under it.
static double least_dot(const struct eg_gallery *gallery, double score, double scale, double error)
{
	double off = error + (1 + error) * gallery->error_max + 1e-5;

	return score > off ? (score - off) / (scale * gallery->scale_max) * (1 - 1e-9) : -INFINITY;
}

// int8 says within which bounds each row's score lies; a row whose upper bound is under the exact
// score of the second person so far cannot change the ranking. Rows are taken as they come, so the
// first ones are scored in float without need; that costs less than sorting.
static struct ranking scan(const struct eg_gallery *gallery, const struct eg_template *probe)
{
	struct ranking ranking = {-1, -1, -INFINITY, -INFINITY};
	int8_t quantised[EG_TEMPLATE_SIZE];
	double least = -INFINITY;
	float scale, error;

	eg_template_quantise(probe, quantised, &scale, &error);
	eg_kernel()->dot_int8(quantised, gallery->quantised, gallery->references, gallery->dots);
	for (size_t i = 0; i < gallery->references; i++) {
		const struct gallery_row *row = &gallery->rows[i];
		double score, off;

		if ((double)gallery->dots[i] < least)
			continue;
		score = (double)gallery->dots[i] * (double)scale * (double)row->scale;
		off = (double)error + (1 + (double)error) * (double)row->error + 1e-5;
		if (score + off < ranking.second)
			continue;
		rank(&ranking, (int)row->entry, exact_score(gallery, probe, i));
		least = least_dot(gallery, ranking.second, (double)scale, (double)error);
	}
	eg_wipe(quantised, sizeof(quantised));
	eg_wipe(gallery->dots, gallery->references * sizeof(*gallery->dots));
	return ranking;
}

static bool too_close(const struct eg_gallery *gallery, const struct ranking *ranking)
{
	double first, second;

	if (ranking->other < 0)
		return false;
	first = log10(eg_calib_fmr(gallery->calib, ranking->score - gallery->raise));
	second = log10(eg_calib_fmr(gallery->calib, ranking->second - gallery->raise));
	return !(second - first >= EG_GALLERY_MARGIN_DECADES);
}

static enum eg_cause cause_below(const struct eg_gallery *gallery, const struct ranking *ranking)
{
	double resembles =
		threshold_of(gallery, EG_GALLERY_RESEMBLES_FPIR / (double)gallery->references);

	if (!(ranking->score >= resembles))
		return EG_CAUSE_NOT_ON_MANIFEST;
	return poor(gallery, ranking->entry) ? EG_CAUSE_POOR_REFERENCE : EG_CAUSE_BELOW_THRESHOLD;
}

static enum eg_cause cause_identify(const struct eg_gallery *gallery, const struct ranking *ranking,
				    double threshold)
{
	if (!isfinite(ranking->score) || !isfinite(threshold))
		return EG_CAUSE_SYSTEM_FAULT;
	if (!(ranking->score >= threshold))
		return cause_below(gallery, ranking);
	if (gallery->entry[ranking->entry].twin || ranking->second >= threshold ||
	    too_close(gallery, ranking))
		return EG_CAUSE_AMBIGUOUS;
	return EG_CAUSE_NONE;
}

static void conclude(struct eg_verdict *verdict, enum eg_cause cause)
{
	verdict->cause = cause;
	if (cause == EG_CAUSE_NONE)
		verdict->kind = EG_VERDICT_CONFIRMED;
}

void eg_gallery_identify(const struct eg_gallery *gallery, const struct eg_template *probe,
			 double fpir, struct eg_verdict *ret_verdict)
{
	struct ranking ranking;
	double threshold;

	assert(gallery->sealed);
	begin(ret_verdict, EG_MODE_IDENTIFY, fpir);
	if (!usable(gallery, probe, fpir))
		return;
	if (gallery->references == 0) {
		ret_verdict->cause =
			gallery->entries ? EG_CAUSE_NO_REFERENCE : EG_CAUSE_NOT_ON_MANIFEST;
		return;
	}
	threshold = threshold_of(gallery, fpir / (double)gallery->references);
	ranking = scan(gallery, probe);
	ret_verdict->score = (float)ranking.score;
	ret_verdict->second = ranking.other >= 0 ? (float)ranking.second : NAN;
	ret_verdict->threshold = (float)threshold;
	conclude(ret_verdict, cause_identify(gallery, &ranking, threshold));
	if (ret_verdict->cause != EG_CAUSE_NOT_ON_MANIFEST)
		ret_verdict->entry = ranking.entry;
}

static enum eg_cause cause_verify(const struct eg_gallery *gallery, size_t entry, double score,
				  double threshold)
{
	if (!isfinite(score) || !isfinite(threshold))
		return EG_CAUSE_SYSTEM_FAULT;
	if (!(score >= threshold))
		return poor(gallery, (int)entry) ? EG_CAUSE_POOR_REFERENCE
						 : EG_CAUSE_BELOW_THRESHOLD;
	return gallery->entry[entry].twin ? EG_CAUSE_AMBIGUOUS : EG_CAUSE_NONE;
}

void eg_gallery_verify(const struct eg_gallery *gallery, size_t entry,
		       const struct eg_template *probe, double fmr, struct eg_verdict *ret_verdict)
{
	double best = -INFINITY, threshold;

	assert(gallery->sealed);
	begin(ret_verdict, EG_MODE_VERIFY, fmr);
	if (!usable(gallery, probe, fmr) || entry >= gallery->entries)
		return;
	ret_verdict->entry = (int)entry;
	if (gallery->entry[entry].references == 0) {
		ret_verdict->cause = EG_CAUSE_NO_REFERENCE;
		return;
	}
	threshold = threshold_of(gallery, fmr / gallery->entry[entry].references);
	for (size_t i = 0; i < gallery->references; i++)
		if (gallery->rows[i].entry == entry)
			best = fmax(best, exact_score(gallery, probe, i));
	ret_verdict->score = (float)best;
	ret_verdict->threshold = (float)threshold;
	conclude(ret_verdict, cause_verify(gallery, entry, best, threshold));
}
