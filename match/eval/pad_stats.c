// SPDX-License-Identifier: Apache-2.0
//
// Counting presentations. The rules are in pad_stats.h.

#include "match/eval/pad_stats.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "firmware/base/mem.h"

#define LEVELS 3

static const double levels[LEVELS] = {0.01, 0.03, 0.05};
static const char *const level_names[LEVELS] = {"0.01", "0.03", "0.05"};

struct figures {
	const struct pad_one *one;
	size_t count;
	bool model;	    // of the model alone
	const char **kinds; // of attacks, sorted
	size_t kind_count;
	float *live; // sorted scores
	size_t live_count, attack_count, live_missing, attack_missing;
	double at[LEVELS]; // thresholds
};

static float score_of(const struct figures *f, size_t i)
{
	return f->model ? f->one[i].model : f->one[i].score;
}

static int by_float(const void *a, const void *b)
{
	float x = *(const float *)a, y = *(const float *)b;

	return (x > y) - (x < y);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void find_kinds(struct figures *f)
{
	size_t n = 0;

	for (size_t i = 0; i < f->count; i++)
		if (!f->one[i].live)
			f->kinds[n++] = f->one[i].kind;
	if (n > 0)
		qsort(f->kinds, n, sizeof(*f->kinds), by_name);
	for (size_t i = 0; i < n; i++)
		if (i == 0 || strcmp(f->kinds[i], f->kinds[f->kind_count - 1]) != 0)
			f->kinds[f->kind_count++] = f->kinds[i];
}

static int prepare(struct figures *f, struct eg_err *err)
{
	f->kinds = eg_calloc(f->count + 1, sizeof(*f->kinds));
	f->live = eg_calloc(f->count + 1, sizeof(*f->live));
	if (!f->kinds || !f->live)
		return eg_err_set(err, EG_ENOMEM, "out of memory");
	find_kinds(f);
	for (size_t i = 0; i < f->count; i++) {
		bool missing = isnan(score_of(f, i));

		if (f->one[i].live && !missing)
			f->live[f->live_count++] = score_of(f, i);
		f->live_missing += f->one[i].live && missing;
		f->attack_missing += !f->one[i].live && missing;
		f->attack_count += !f->one[i].live && !missing;
	}
	if (f->live_count > 0)
		qsort(f->live, f->live_count, sizeof(*f->live), by_float);
	for (size_t k = 0; k < LEVELS; k++)
		f->at[k] = f->live_count > 0 ? (double)f->live[(size_t)floor(
						       (double)f->live_count * levels[k] + 1e-9)]
					     : NAN;
	return 0;
}

// Attacks of one kind (NULL: any) with a face, and how many of them pass.
static void passing(const struct figures *f, const char *kind, double threshold, double *ret_passed,
		    double *ret_n)
{
	*ret_passed = *ret_n = 0;
	for (size_t i = 0; i < f->count; i++) {
		if (f->one[i].live || isnan(score_of(f, i)) ||
		    (kind && strcmp(kind, f->one[i].kind) != 0))
			continue;
		*ret_n += 1;
		*ret_passed += (double)score_of(f, i) >= threshold;
	}
}

static double apcer(const struct figures *f, const char *kind, double threshold)
{
	double passed, n;

	passing(f, kind, threshold, &passed, &n);
	return n > 0 && !isnan(threshold) ? passed / n : NAN;
}

static double worst_apcer(const struct figures *f, double threshold)
{
	double worst = NAN;

	for (size_t k = 0; k < f->kind_count; k++)
		worst = fmax(worst, apcer(f, f->kinds[k], threshold)); // fmax passes NaN over
	return worst;
}

static double rejected(const struct figures *f, double threshold)
{
	size_t n = 0;

	while (n < f->live_count && (double)f->live[n] < threshold)
		n++;
	return (double)n;
}

static double auc(const struct figures *f)
{
	double sum = 0;

	if (f->live_count == 0 || f->attack_count == 0)
		return NAN;
	for (size_t i = 0; i < f->count; i++) {
		float at = score_of(f, i);

		if (f->one[i].live || isnan(at))
			continue;
		for (size_t k = 0; k < f->live_count; k++)
			sum += f->live[k] > at ? 1 : f->live[k] == at ? 0.5 : 0;
	}
	return sum / (double)f->live_count / (double)f->attack_count;
}

static void put_levels(struct json *json, const struct figures *f, const char *kind)
{
	json_open(json, "apcer_at_bpcer", '{');
	for (size_t k = 0; k < LEVELS; k++)
		json_number(json, level_names[k], apcer(f, kind, f->at[k]));
	json_close(json, '}');
}

static void put_level_intervals(struct json *json, const struct figures *f, const char *kind)
{
	double passed, n;

	json_open(json, "apcer_at_bpcer", '{');
	for (size_t k = 0; k < LEVELS; k++) {
		passing(f, kind, f->at[k], &passed, &n);
		json_interval(json, level_names[k], passed, isnan(f->at[k]) ? 0 : n);
	}
	json_close(json, '}');
}

static void put_kind(struct json *json, const struct figures *f, const char *kind, double threshold)
{
	double passed, n;

	passing(f, kind, threshold, &passed, &n);
	json_open(json, kind, '{');
	json_number(json, "attacks", n);
	json_number(json, "apcer", n > 0 ? passed / n : NAN);
	put_levels(json, f, kind);
	json_open(json, "intervals", '{');
	json_interval(json, "apcer", passed, n);
	put_level_intervals(json, f, kind);
	json_close(json, '}');
	json_close(json, '}');
}

// BPCER of each kind of live presentation, at the booth's own threshold.
static void put_live_kinds(struct json *json, const struct figures *f, double threshold)
{
	const char **names = f->kinds + f->kind_count; // room for all lines was made
	size_t n = 0;

	for (size_t i = 0; i < f->count; i++)
		if (f->one[i].live && f->kind_count + n < f->count)
			names[n++] = f->one[i].kind;
	if (n > 0)
		qsort(names, n, sizeof(*names), by_name);
	json_open(json, "live_kinds", '{');
	for (size_t k = 0; k < n; k++) {
		double bad = 0, all = 0;

		if (k > 0 && strcmp(names[k], names[k - 1]) == 0)
			continue;
		for (size_t i = 0; i < f->count; i++) {
			if (!f->one[i].live || strcmp(f->one[i].kind, names[k]) != 0 ||
			    isnan(score_of(f, i)))
				continue;
			all++;
			bad += (double)score_of(f, i) < threshold;
		}
		json_open(json, names[k], '{');
		json_number(json, "live", all);
		json_number(json, "bpcer", all > 0 ? bad / all : NAN);
		json_open(json, "intervals", '{');
		json_interval(json, "bpcer", bad, all);
		json_close(json, '}');
		json_close(json, '}');
	}
	json_close(json, '}');
}

static void put_counts(struct json *json, const struct figures *f)
{
	double live = (double)(f->live_count + f->live_missing);
	double attacks = (double)(f->attack_count + f->attack_missing);

	json_number(json, "bpnrr", live > 0 ? (double)f->live_missing / live : NAN);
	json_number(json, "apnrr", attacks > 0 ? (double)f->attack_missing / attacks : NAN);
	json_open(json, "counts", '{');
	json_number(json, "live", live);
	json_number(json, "attacks", attacks);
	json_number(json, "live_without_face", (double)f->live_missing);
	json_number(json, "attacks_without_face", (double)f->attack_missing);
	json_close(json, '}');
}

static void put_all(struct json *json, const struct figures *f, double threshold)
{
	double passed, n, bad = rejected(f, threshold), live = (double)f->live_count;

	passing(f, NULL, threshold, &passed, &n);
	put_levels(json, f, NULL);
	json_open(json, "apcer_worst_kind_at_bpcer", '{');
	for (size_t k = 0; k < LEVELS; k++)
		json_number(json, level_names[k], worst_apcer(f, f->at[k]));
	json_close(json, '}');
	json_open(json, "threshold_at_bpcer", '{');
	for (size_t k = 0; k < LEVELS; k++)
		json_number(json, level_names[k], f->at[k]);
	json_close(json, '}');
	json_number(json, "auc", auc(f));
	json_number(json, "threshold", threshold);
	json_number(json, "apcer", n > 0 ? passed / n : NAN);
	json_number(json, "bpcer", live > 0 ? bad / live : NAN);
	json_number(json, "acer", live > 0 ? (worst_apcer(f, threshold) + bad / live) / 2 : NAN);
	json_open(json, "intervals", '{');
	put_level_intervals(json, f, NULL);
	json_interval(json, "apcer", passed, n);
	json_interval(json, "bpcer", bad, live);
	json_close(json, '}');
}

int pad_summary(struct json *json, const struct pad_one *one, size_t count, double threshold,
		struct eg_err *err)
{
	struct figures fused = {.one = one, .count = count};
	struct figures model = {.one = one, .count = count, .model = true};
	int r = prepare(&fused, err);

	if (r == 0)
		r = prepare(&model, err);
	if (r != 0)
		goto out;
	put_all(json, &fused, threshold);
	json_open(json, "kinds", '{');
	for (size_t k = 0; k < fused.kind_count; k++)
		put_kind(json, &fused, fused.kinds[k], threshold);
	json_close(json, '}');
	put_live_kinds(json, &fused, threshold);
	put_counts(json, &fused);
	json_open(json, "model_alone", '{');
	put_all(json, &model, threshold);
	json_open(json, "kinds", '{');
	for (size_t k = 0; k < model.kind_count; k++)
		put_kind(json, &model, model.kinds[k], threshold);
	json_close(json, '}');
	json_close(json, '}');
out:
	free(fused.live);
	free(model.live);
	free(fused.kinds);
	free(model.kinds);
	return r;
}
