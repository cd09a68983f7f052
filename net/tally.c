// SPDX-License-Identifier: Apache-2.0
//
// See tally.h.

#include "net/tally.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define COUNT_MAX 1000000000000LL // more than a booth can do in a week

static const char *const measure_names[EG_COUNT_REFERRED] = {
	[EG_COUNT_ENCOUNTERS] = "encounters",
	[EG_COUNT_CAPTURES] = "captures",
	[EG_COUNT_NOT_CAPTURED] = "not_captured",
	[EG_COUNT_CONFIRMED] = "confirmed",
};

void eg_week_text(int64_t week_ms, char ret_text[EG_WEEK_TEXT_MAX])
{
	time_t at = (time_t)(week_ms / 1000);
	struct tm day = {0};

	if (!gmtime_r(&at, &day) ||
	    strftime(ret_text, EG_WEEK_TEXT_MAX, "%Y-%m-%d", &day) != EG_WEEK_TEXT_MAX - 1)
		memcpy(ret_text, "-", 2);
}

int eg_week_parse(const char *text, int64_t *ret_week_ms)
{
	char again[EG_WEEK_TEXT_MAX];
	struct tm day = {0};
	char *end = strptime(text, "%Y-%m-%d", &day);
	int64_t at;

	if (!end || *end != '\0')
		return EG_EINVAL;
	at = (int64_t)timegm(&day) * 1000;
	eg_week_text(at, again);
	if (at <= 0 || strcmp(again, text) != 0 || eg_counts_week(at) != at)
		return EG_EINVAL;
	*ret_week_ms = at;
	return 0;
}

// ---- writing ----------------------------------------------------------------------------------

static int put(sd_json_variant **object, const char *name, int64_t count)
{
	if (count == 0)
		return 0;
	if (count == EG_COUNT_HIDDEN)
		return sd_json_variant_merge_objectbo(object, SD_JSON_BUILD_PAIR_NULL(name));
	return sd_json_variant_merge_objectbo(object, SD_JSON_BUILD_PAIR_INTEGER(name, count));
}

static int put_object(sd_json_variant **object, const char *name, sd_json_variant *value)
{
	if (!value)
		return 0;
	return sd_json_variant_merge_objectbo(object, SD_JSON_BUILD_PAIR_VARIANT(name, value));
}

// *row stays NULL when all are 0.
static int put_measures(sd_json_variant **row, const int64_t values[EG_MEASURES])
{
	sd_json_variant *referred = NULL;
	int r = 0;

	for (int m = 0; m < EG_COUNT_REFERRED && r >= 0; m++)
		r = put(row, measure_names[m], values[m]);
	for (int c = 1; c < EG_CAUSE_COUNT && r >= 0; c++)
		r = put(&referred, eg_cause_name((enum eg_cause)c), values[EG_COUNT_OF_CAUSE(c)]);
	if (r >= 0)
		r = put_object(row, "referred", referred);
	sd_json_variant_unref(referred);
	return r;
}

static int put_impostors(sd_json_variant **row, const int64_t values[1 + EG_COUNT_LEVELS])
{
	sd_json_variant *impostors = NULL, *levels = NULL;
	int r = put(&impostors, "comparisons", values[0]);

	for (int l = 0; l < EG_COUNT_LEVELS && r >= 0; l++)
		r = put(&levels, eg_count_level_names[l], values[1 + l]);
	if (r >= 0)
		r = put_object(&impostors, "at_or_over", levels);
	if (r >= 0)
		r = put_object(row, "impostors", impostors);
	sd_json_variant_unref(levels);
	sd_json_variant_unref(impostors);
	return r;
}

static int put_axis(sd_json_variant **week, const struct eg_counts *counts, enum eg_axis axis)
{
	sd_json_variant *groups = NULL;
	int r = 0;

	for (size_t g = 0; g < eg_axis_groups(axis) && r >= 0; g++) {
		sd_json_variant *row = NULL;

		r = put_measures(&row, counts->group[axis][g]);
		if (r >= 0)
			r = put_impostors(&row, counts->impostors[axis][g]);
		if (r >= 0)
			r = put_object(&groups, eg_group_name(axis, g), row);
		sd_json_variant_unref(row);
	}
	if (r >= 0)
		r = put_object(week, eg_axis_name(axis), groups);
	sd_json_variant_unref(groups);
	return r;
}

int eg_tally_write(const struct eg_counts *counts, sd_json_variant **ret_json)
{
	sd_json_variant *week = NULL, *all = NULL;
	char from[EG_WEEK_TEXT_MAX];
	int r;

	eg_week_text(counts->from_ms, from);
	r = sd_json_buildo(&week, SD_JSON_BUILD_PAIR_STRING("from", from),
			   SD_JSON_BUILD_PAIR_INTEGER("days", EG_COUNT_DAYS));
	if (r >= 0)
		r = put_measures(&all, counts->all);
	if (r >= 0)
		r = put_object(&week, "all", all);
	for (int a = 0; a < EG_AXES && r >= 0; a++)
		r = put_axis(&week, counts, (enum eg_axis)a);
	sd_json_variant_unref(all);
	if (r < 0) {
		sd_json_variant_unref(week);
		return EG_ENOMEM;
	}
	*ret_json = week;
	return 0;
}

// ---- reading ----------------------------------------------------------------------------------

// What stands where, for the error's text.
struct place {
	const char *axis, *group;
	struct eg_err *err;
};

static int bad(const struct place *at, const char *field, const char *what)
{
	return eg_err_set(at->err, EG_EINVAL, "counts: %s%s%s, %s: %s", at->axis,
			  at->group ? " " : "", at->group ? at->group : "", field, what);
}

// NULL when there is none, or it is no object.
static int get_object(sd_json_variant *from, const char *name, const struct place *at,
		      sd_json_variant **ret_object)
{
	*ret_object = sd_json_variant_by_key(from, name);
	if (*ret_object && !sd_json_variant_is_object(*ret_object))
		return bad(at, name, "must be an object");
	return 0;
}

static int get(sd_json_variant *object, const char *name, const struct place *at,
	       int64_t *ret_count)
{
	sd_json_variant *value = sd_json_variant_by_key(object, name);
	int64_t count;

	*ret_count = 0;
	if (!value)
		return 0;
	if (sd_json_variant_is_null(value)) {
		*ret_count = EG_COUNT_HIDDEN;
		return 0;
	}
	if (!sd_json_variant_is_integer(value))
		return bad(at, name, "must be a whole number or null");
	count = sd_json_variant_integer(value);
	if (count < 0 || count > COUNT_MAX)
		return bad(at, name, "must be 0 to 1e12");
	if (count > 0 && count < EG_COUNT_SMALL)
		return bad(at, name, "counts of 1 to 9 must be null");
	*ret_count = count;
	return 0;
}

static int get_measures(sd_json_variant *row, const struct place *at, int64_t values[EG_MEASURES])
{
	sd_json_variant *referred;
	int64_t whole, parts = 0;
	int r = get_object(row, "referred", at, &referred);

	for (int m = 0; m < EG_COUNT_REFERRED && r == 0; m++)
		r = get(row, measure_names[m], at, &values[m]);
	for (int c = 1; c < EG_CAUSE_COUNT && r == 0 && referred; c++)
		r = get(referred, eg_cause_name((enum eg_cause)c), at,
			&values[EG_COUNT_OF_CAUSE(c)]);
	if (r != 0)
		return r;
	whole = values[EG_COUNT_ENCOUNTERS];
	for (int m = EG_COUNT_CONFIRMED; m < EG_MEASURES; m++)
		parts += values[m] > 0 ? values[m] : 0;
	if (whole >= 0 && (parts > whole || values[EG_COUNT_CAPTURES] > whole ||
			   values[EG_COUNT_NOT_CAPTURED] > whole))
		return bad(at, "encounters", "are fewer than their parts");
	return 0;
}

static int get_impostors(sd_json_variant *row, const struct place *at,
			 int64_t values[1 + EG_COUNT_LEVELS])
{
	sd_json_variant *impostors, *levels = NULL;
	int r = get_object(row, "impostors", at, &impostors);

	if (r != 0 || !impostors)
		return r;
	r = get(impostors, "comparisons", at, &values[0]);
	if (r == 0)
		r = get_object(impostors, "at_or_over", at, &levels);
	for (int l = 0; l < EG_COUNT_LEVELS && r == 0 && levels; l++) {
		r = get(levels, eg_count_level_names[l], at, &values[1 + l]);
		if (r == 0 && values[0] >= 0 && values[1 + l] > values[0])
			r = bad(at, eg_count_level_names[l], "more than all comparisons");
	}
	return r;
}

static int get_axis(sd_json_variant *week, enum eg_axis axis, struct eg_counts *counts,
		    struct eg_err *err)
{
	struct place at = {.axis = eg_axis_name(axis), .err = err};
	sd_json_variant *groups, *row;
	int r = get_object(week, eg_axis_name(axis), &at, &groups);

	for (size_t g = 0; r == 0 && groups && g < eg_axis_groups(axis); g++) {
		at.group = NULL;
		r = get_object(groups, eg_group_name(axis, g), &at, &row);
		at.group = eg_group_name(axis, g);
		if (r == 0 && row)
			r = get_measures(row, &at, counts->group[axis][g]);
		if (r == 0 && row)
			r = get_impostors(row, &at, counts->impostors[axis][g]);
	}
	return r;
}

int eg_tally_read(sd_json_variant *json, struct eg_counts *ret_counts, struct eg_err *err)
{
	struct place at = {.axis = "all", .err = err};
	struct eg_counts counts = {0};
	sd_json_variant *from, *days, *all = NULL;
	int r;

	if (!sd_json_variant_is_object(json))
		return eg_err_set(err, EG_EINVAL, "counts: must be objects, one a week");
	from = sd_json_variant_by_key(json, "from");
	days = sd_json_variant_by_key(json, "days");
	if (!from || !sd_json_variant_is_string(from) ||
	    eg_week_parse(sd_json_variant_string(from), &counts.from_ms) != 0)
		return eg_err_set(err, EG_EINVAL, "counts: from must be a Monday, YYYY-MM-DD");
	if (!days || !sd_json_variant_is_integer(days) ||
	    sd_json_variant_integer(days) != EG_COUNT_DAYS)
		return eg_err_set(err, EG_EINVAL, "counts: days must be %d", EG_COUNT_DAYS);
	r = get_object(json, "all", &at, &all);
	if (r == 0 && all)
		r = get_measures(all, &at, counts.all);
	for (int a = 0; a < EG_AXES && r == 0; a++)
		r = get_axis(json, (enum eg_axis)a, &counts, err);
	if (r == 0)
		*ret_counts = counts;
	return r;
}

int eg_tally_parse(struct eg_bytes text, struct eg_counts *ret_counts, struct eg_err *err)
{
	sd_json_variant *json = NULL;
	struct eg_buf copy;
	const char *terminated;
	int r = EG_EINVAL;

	eg_buf_init(&copy, text.size + 1);
	if (text.size > 0 && !memchr(text.data, 0, text.size) &&
	    eg_buf_put(&copy, text.data, text.size) == 0 && (terminated = eg_buf_text(&copy)) &&
	    sd_json_parse(terminated, 0, &json, NULL, NULL) >= 0)
		r = eg_tally_read(json, ret_counts, err);
	else
		eg_err_set(err, r, "counts: not JSON");
	sd_json_variant_unref(json);
	eg_buf_done(&copy);
	return r;
}
