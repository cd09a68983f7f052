// SPDX-License-Identifier: Apache-2.0
//
// eg-eval calibrate LARGE.tsv PORTRAITS.tsv: from two histograms of matrix to the calibration that
// a pack carries.
//
// LARGE has many impostor pairs (celebrities in the wild), so it reaches far down, but a model may
// have been trained on such faces and portraits score higher. PORTRAITS is what a booth compares,
// but has few pairs, and its tail falls more slowly. An FMR is measured in a set when at least
// PAIRS_MIN impostor pairs reach its threshold. A point's score is the highest of
//   - portraits' own threshold, where it is measured;
//   - from TAIL_FROM for two decades down, portraits' tail as an exponential one, with the 95 %
//     upper bound of its mean excess: one look-alike couple more or less decides what the last
//     decade measures, so the bound is taken, with couples and not their photos as what is
//     independent;
//   - below, large's threshold moved up by what that tail's end lies above large's (never down);
//   - large's own threshold.
// The floor is the lowest FMR that large measures. How lengths count (capture/pack.h) is taken over
// from the pack that the histograms were made with.

#include "match/eval/eval.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "firmware/base/file.h"
#include "firmware/base/mem.h"
#include "match/eval/list.h"
#include "match/eval/summary.h"

#define PAIRS_MIN 20.0 // relative error of an FMR about 1 / √20 = 22 %
#define TAIL_FROM 1e-2

static const double grid[] = {3e-1, 1e-1, 3e-2, 1e-2, 3e-3, 1e-3, 3e-4,
			      1e-4, 3e-5, 1e-5, 3e-6, 1e-6, 3e-7, 1e-7};
#define GRID (sizeof(grid) / sizeof(grid[0]))

struct histogram {
	size_t count, impostors, genuine;
	double *score;
	size_t *number; // impostors in the bin that begins at score
};

static void histogram_done(struct histogram *h)
{
	free(h->score);
	free(h->number);
}

static int parse_number(const struct eval_list *list, const struct eval_line *line, size_t field,
			double *ret_value, struct eg_err *err)
{
	char *end;
	double value = strtod(line->field[field], &end);

	if (*end != '\0' || !isfinite(value))
		return eg_err_set(err, EG_EINVAL, "%s: line %zu: \"%s\" is not a number",
				  list->path, line->number, line->field[field]);
	*ret_value = value;
	return 0;
}

static int histogram_load(const char *path, struct histogram *h, struct eg_err *err)
{
	struct eval_list list = {0};
	int r = eval_list_load(path, 3, 3, &list, err);

	if (r != 0)
		return r;
	h->score = eg_calloc(list.count, sizeof(*h->score));
	h->number = eg_calloc(list.count, sizeof(*h->number));
	if (!h->score || !h->number)
		r = eg_err_set(err, EG_ENOMEM, "out of memory");
	for (size_t i = 0; i < list.count && r == 0; i++) {
		double number = 0, genuine = 0;

		if ((r = parse_number(&list, &list.lines[i], 0, &h->score[i], err)) != 0 ||
		    (r = parse_number(&list, &list.lines[i], 1, &number, err)) != 0 ||
		    (r = parse_number(&list, &list.lines[i], 2, &genuine, err)) != 0)
			break;
		if (number < 0 || number > 1e15 || genuine < 0 || genuine > 1e15 ||
		    (i > 0 && h->score[i] <= h->score[i - 1])) {
			r = eg_err_set(err, EG_EINVAL,
				       "%s: line %zu: scores must rise and counts not be negative",
				       path, list.lines[i].number);
			break;
		}
		h->number[i] = (size_t)number;
		h->impostors += h->number[i];
		h->genuine += (size_t)genuine;
		h->count++;
	}
	eval_list_done(&list);
	return r;
}

// Lowest bin edge that no more than a share `fmr` of the impostors reach; NaN: not measured.
static double threshold_at(const struct histogram *h, double fmr)
{
	double allowed = fmr * (double)h->impostors, above = 0;

	if (allowed < PAIRS_MIN)
		return NAN;
	for (size_t i = h->count; i-- > 0;) {
		above += (double)h->number[i];
		if (above > allowed)
			return i + 1 < h->count ? h->score[i + 1] : 1;
	}
	return NAN;
}

// How many photo pairs one couple of people gives: the square of the photos a person, which is
// 1 + 2 · genuine / photos, and all pairs are photos · (photos − 1) / 2.
static double pairs_a_couple(const struct histogram *h)
{
	double pairs = (double)(h->impostors + h->genuine);
	double photos = (1 + sqrt(1 + 8 * pairs)) / 2;
	double each = 1 + 2 * (double)h->genuine / photos;

	return each * each;
}

// Portraits' tail: score = from + excess · ln(TAIL_FROM / fmr) down to `end`, `shift` above large's
// from there on.
struct tail {
	double from, mean_excess, excess, couples;
	double end, shift;
};

static double tail_score(const struct tail *tail, double fmr)
{
	return tail->from + tail->excess * log(TAIL_FROM / fmr);
}

static int find_tail(const struct histogram *large, const struct histogram *portraits,
		     struct tail *ret_tail)
{
	struct tail t = {.from = threshold_at(portraits, TAIL_FROM), .end = TAIL_FROM};
	double pairs = 0;

	for (size_t i = 0; i < portraits->count; i++) {
		double over = portraits->score[i] - t.from, number = (double)portraits->number[i];

		if (!(over >= 0))
			continue;
		pairs += number;
		t.mean_excess += number * over;
	}
	t.mean_excess /= pairs;
	t.couples = pairs / pairs_a_couple(portraits);
	if (!(t.couples >= PAIRS_MIN) || !(t.mean_excess > 0))
		return EG_EINVAL;
	t.excess = t.mean_excess * (1 + 1.645 / sqrt(t.couples));
	for (size_t i = 0; i < GRID; i++) {
		double wide = threshold_at(large, grid[i]);

		if (grid[i] > TAIL_FROM || grid[i] < TAIL_FROM * 0.0099 || isnan(wide))
			continue;
		t.end = grid[i];
		t.shift = fmax(0, tail_score(&t, t.end) - wide);
	}
	*ret_tail = t;
	return 0;
}

static double score_at(const struct histogram *large, const struct histogram *portraits,
		       const struct tail *tail, double fmr)
{
	double wide = threshold_at(large, fmr), own = threshold_at(portraits, fmr);
	double score = fmr < tail->end * 0.99 ? wide + tail->shift : wide;

	if (fmr <= TAIL_FROM && fmr >= tail->end * 0.99)
		score = fmax(score, tail_score(tail, fmr));
	return isnan(own) ? score : fmax(score, own);
}

static void put_points(struct json *json, const struct histogram *large,
		       const struct histogram *portraits, const struct tail *tail,
		       double *ret_floor)
{
	double before = -1;

	json_open(json, "points", '[');
	for (size_t i = 0; i < GRID; i++) {
		double own = threshold_at(portraits, grid[i]);
		double wide = threshold_at(large, grid[i]);
		double score = score_at(large, portraits, tail, grid[i]);

		if (isnan(wide) || score <= before || score >= 1)
			continue;
		json_open(json, NULL, '{');
		json_number(json, "score", score);
		json_number(json, "fmr", grid[i]);
		json_number(json, "large", wide);
		json_number(json, "portraits", own);
		json_close(json, '}');
		before = score;
		*ret_floor = grid[i];
	}
	json_close(json, ']');
}

static int write_calibration(const struct eval_options *options, const struct eg_pack *pack,
			     const struct histogram *large, const struct histogram *portraits,
			     struct eg_err *err)
{
	const struct eg_pack_length length = eg_pack_calibration_length(pack);
	double floor_fmr = NAN;
	struct tail tail;
	struct json json;
	int r;

	if (find_tail(large, portraits, &tail) != 0)
		return eg_err_set(err, EG_EINVAL,
				  "%s: too few impostor pairs (%zu) to measure an FMR below %g; "
				  "photos of about 70 people or more are needed",
				  options->portraits, portraits->impostors, TAIL_FROM);

	json_init(&json);
	json_hex(&json, "model_sha256", eg_pack_model_digest(pack, EG_MODEL_FEATURE),
		 EG_SHA256_SIZE);
	if (length.power > 0) {
		json_open(&json, "length", '{');
		json_number(&json, "weak", length.weak);
		json_number(&json, "strong", length.strong);
		json_number(&json, "power", length.power);
		json_close(&json, '}');
	}
	put_points(&json, large, portraits, &tail, &floor_fmr);
	json_number(&json, "floor_fmr", floor_fmr);
	json_number(&json, "portraits_tail_to", tail.end);
	json_number(&json, "portraits_mean_excess", tail.mean_excess);
	json_number(&json, "portraits_excess_bound", tail.excess);
	json_number(&json, "portraits_couples_in_tail", tail.couples);
	json_number(&json, "shift", tail.shift);
	json_number(&json, "large_impostors", (double)large->impostors);
	json_number(&json, "portraits_impostors", (double)portraits->impostors);
	json_text(&json, "made_by", "eg-eval calibrate; see match/README.md");
	if (isnan(floor_fmr))
		r = eg_err_set(err, EG_EINVAL,
			       "%s: too few impostor pairs (%zu) to calibrate anything",
			       options->list, large->impostors);
	else
		r = json_write(&json, options->out, err);
	json_done(&json);
	return r;
}

int eval_calibrate(const struct eval_options *options, struct eg_err *err)
{
	struct histogram large = {0}, portraits = {0};
	struct eg_pack *pack = NULL;
	int r;

	if ((r = eg_pack_open(options->pack, 1u << EG_MODEL_FEATURE, 1, &pack, err)) == 0 &&
	    (r = histogram_load(options->list, &large, err)) == 0 &&
	    (r = histogram_load(options->portraits, &portraits, err)) == 0)
		r = write_calibration(options, pack, &large, &portraits, err);
	histogram_done(&portraits);
	histogram_done(&large);
	eg_pack_free(pack);
	return r;
}
