// SPDX-License-Identifier: Apache-2.0
//
// Counting by group, in records.db. See counts.h.

#include "store/counts.h"

#include <string.h>

#include "store/records_internal.h"

#define DAY_MS	   86400000LL
#define WEEK_MS	   (EG_COUNT_DAYS * DAY_MS)
#define MONDAY_MS  (4 * DAY_MS) // 1970-01-05
#define IMPOSTORS  100		// measures from here on are those of impostors
#define PEOPLE_MIN EG_COUNT_SMALL

const double eg_count_levels[EG_COUNT_LEVELS] = {1e-1, 1e-2, 1e-3, 1e-4, 1e-5};
const char *const eg_count_level_names[EG_COUNT_LEVELS] = {"1e-1", "1e-2", "1e-3", "1e-4", "1e-5"};

int64_t eg_counts_week(int64_t wall_ms)
{
	if (wall_ms < MONDAY_MS)
		return MONDAY_MS; // a clock that was never set
	return (wall_ms - MONDAY_MS) / WEEK_MS * WEEK_MS + MONDAY_MS;
}

static int count(struct eg_records *records, int64_t week, size_t axis, size_t group, int measure,
		 int64_t n, struct eg_err *err)
{
	struct eg_db_query query = eg_db_query(records->db, RECORDS_COUNT);
	eg_db_bind_int(&query, 1, week);
	eg_db_bind_int(&query, 2, (int64_t)axis);
	eg_db_bind_int(&query, 3, (int64_t)group);
	eg_db_bind_int(&query, 4, measure);
	eg_db_bind_int(&query, 5, n);
	return eg_db_run(&query, NULL, err);
}

static int forget_old(struct eg_records *records, int64_t week, struct eg_err *err)
{
	static const enum records_statement drops[] = {RECORDS_DROP_COUNTS, RECORDS_DROP_COUNTED};
	int r = 0;
	for (size_t i = 0; r == 0 && i < sizeof(drops) / sizeof(drops[0]); i++) {
		struct eg_db_query query = eg_db_query(records->db, drops[i]);
		eg_db_bind_int(&query, 1, week - EG_COUNT_WEEKS * WEEK_MS);
		r = eg_db_run(&query, NULL, err);
	}
	return r;
}

int eg_counts_add(struct eg_records *records, const struct eg_group *group, bool captured,
		  enum eg_verdict_kind verdict, enum eg_cause cause, int64_t wall_ms,
		  struct eg_err *err)
{
	int64_t week = eg_counts_week(wall_ms);
	bool confirmed = verdict == EG_VERDICT_CONFIRMED;
	if (!confirmed && (cause <= EG_CAUSE_NONE || cause >= EG_CAUSE_COUNT))
		cause = EG_CAUSE_SYSTEM_FAULT;
	const int measures[] = {
		EG_COUNT_ENCOUNTERS,
		captured ? EG_COUNT_CAPTURES : EG_COUNT_NOT_CAPTURED,
		confirmed ? EG_COUNT_CONFIRMED : EG_COUNT_OF_CAUSE(cause),
	};
	int r = eg_db_begin(records->db, err);
	if (r != 0)
		return r;
	for (size_t a = 0; r == 0 && a < EG_AXES; a++) {
		size_t g = group->of[a] < eg_axis_groups((enum eg_axis)a) ? group->of[a] : 0;
		for (size_t m = 0; r == 0 && m < sizeof(measures) / sizeof(measures[0]); m++)
			r = count(records, week, a, g, measures[m], 1, err);
	}
	if (r == 0)
		r = forget_old(records, week, err);
	return eg_records_end(records, r, err);
}

// 1: now it is counted, 0: it was before.
static int note_manifest(struct eg_records *records, int64_t week, const char *manifest,
			 struct eg_err *err)
{
	int64_t changed = 0;
	struct eg_db_query query = eg_db_query(records->db, RECORDS_COUNT_MANIFEST);
	eg_db_bind_int(&query, 1, week);
	eg_db_bind_text(&query, 2, manifest);
	int r = eg_db_run(&query, &changed, err);
	return r != 0 ? r : changed > 0;
}

int eg_counts_add_manifest(struct eg_records *records, const char *manifest,
			   const struct eg_counts *counts, int64_t wall_ms, struct eg_err *err)
{
	int64_t week = eg_counts_week(wall_ms);
	int r = eg_db_begin(records->db, err);
	if (r != 0)
		return r;
	r = note_manifest(records, week, manifest, err);
	bool fresh = r == 1;
	r = r == 1 ? 0 : r;
	for (size_t a = 0; fresh && r == 0 && a < EG_AXES; a++)
		for (size_t g = 0; r == 0 && g < eg_axis_groups((enum eg_axis)a); g++)
			for (int l = 0; r == 0 && l <= EG_COUNT_LEVELS; l++)
				if (counts->impostors[a][g][l] > 0)
					r = count(records, week, a, g, IMPOSTORS + l,
						  counts->impostors[a][g][l], err);
	return eg_records_end(records, r, err);
}

// Puts one row into its week; a number this version does not know is left out.
static void take(struct eg_counts *counts, const struct eg_db_query *query)
{
	int64_t a = eg_db_int(query, 1), g = eg_db_int(query, 2), m = eg_db_int(query, 3);
	int64_t n = eg_db_int(query, 4);
	if (a < 0 || a >= EG_AXES || g < 0 || g >= (int64_t)eg_axis_groups((enum eg_axis)a) ||
	    n < 0)
		return;
	if (m >= 0 && m < EG_MEASURES) {
		counts->group[a][g][m] = n;
		// Everybody is in one group of each axis, so one axis adds up to all.
		counts->all[m] += a == EG_AXIS_AGE ? n : 0;
	} else if (m >= IMPOSTORS && m <= IMPOSTORS + EG_COUNT_LEVELS) {
		counts->impostors[a][g][m - IMPOSTORS] = n;
	}
}

int eg_counts_closed(struct eg_records *records, int64_t wall_ms, int64_t after_ms,
		     struct eg_counts ret_counts[EG_COUNT_WEEKS], size_t *ret_count,
		     struct eg_err *err)
{
	int64_t running = eg_counts_week(wall_ms), oldest = running - EG_COUNT_WEEKS * WEEK_MS;
	size_t n = 0;
	struct eg_db_query query = eg_db_query(records->db, RECORDS_COUNTS);
	eg_db_bind_int(&query, 1, after_ms >= oldest ? after_ms + 1 : oldest);
	eg_db_bind_int(&query, 2, running);
	int r;
	while ((r = eg_db_step(&query, err)) == 1) {
		int64_t week = eg_db_int(&query, 0);
		if (n == 0 || ret_counts[n - 1].from_ms != week) {
			if (n == EG_COUNT_WEEKS || eg_counts_week(week) != week)
				continue; // damaged: there are not more
			ret_counts[n++] = (struct eg_counts){.from_ms = week};
		}
		take(&ret_counts[n - 1], &query);
	}
	eg_db_reset(&query);
	if (r == 0)
		*ret_count = n;
	return r;
}

// ---- impostor scores of a manifest ----------------------------------------------------------

struct comparing {
	const struct eg_group *groups;
	double threshold[EG_COUNT_LEVELS];
	bool enough[EG_AXES][EG_GROUPS_MAX];
	struct eg_counts *counts;
};

static void compare(void *user, size_t a, size_t b, float score)
{
	struct comparing *c = user;
	for (size_t axis = 0; axis < EG_AXES; axis++) {
		uint8_t group = c->groups[a].of[axis];
		if (group >= EG_GROUPS_MAX || c->groups[b].of[axis] != group ||
		    !c->enough[axis][group])
			continue;
		int64_t *of = c->counts->impostors[axis][group];
		of[0]++;
		for (size_t l = 0; l < EG_COUNT_LEVELS; l++)
			of[1 + l] += (double)score >= c->threshold[l];
	}
}

void eg_counts_compare(const struct eg_gallery *gallery, const struct eg_calib *calibration,
		       const struct eg_group *groups, struct eg_counts *ret_counts)
{
	struct comparing c = {.groups = groups, .counts = ret_counts};
	size_t people[EG_AXES][EG_GROUPS_MAX] = {0};
	struct eg_gallery_facts facts;

	*ret_counts = (struct eg_counts){0};
	for (size_t l = 0; l < EG_COUNT_LEVELS; l++)
		c.threshold[l] = eg_calib_threshold(calibration, eg_count_levels[l], NULL);
	eg_gallery_facts(gallery, &facts);
	for (size_t i = 0; i < facts.entries; i++)
		for (size_t a = 0; a < EG_AXES; a++)
			if (groups[i].of[a] < EG_GROUPS_MAX &&
			    eg_gallery_references(gallery, i) > 0)
				people[a][groups[i].of[a]]++;
	for (size_t a = 0; a < EG_AXES; a++)
		for (size_t g = 0; g < EG_GROUPS_MAX; g++)
			c.enough[a][g] = people[a][g] >= PEOPLE_MIN;
	eg_gallery_compare(gallery, compare, &c);
}
