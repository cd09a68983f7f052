// SPDX-License-Identifier: Apache-2.0
//
// Figures by group. Groups come from a list's own column, from a side file, or both; each column is
// an axis of its own.
//
// The side file (--groups) is TSV: a first line whose first field names the key and whose
// others name the axes, then a line for each person or picture. A key
// is, first found first: the picture as the list has it, its file name, that without its ending,
// the list's identity column, the file name up to the first "_", the folder's name. "NA" or "-" is
// "not stated"; a column called "age" (years) is counted in bands (match/band.h).
//
// Counting rules, which the tests work out again: a genuine pair counts in its probe's group; an
// impostor pair counts in a group when both sides are in it (the FMR within the group, which is the
// one that differs; where the list's column says, the line's group); a capture counts once however
// many pairs it is in.

#ifndef EG_EVAL_GROUPS_H
#define EG_EVAL_GROUPS_H

#include "match/eval/list.h"
#include "match/eval/summary.h"

#define EVAL_AXES_MAX EVAL_FIELDS_MAX // the list's own, and all but the side file's key
#define EVAL_NOBODY   SIZE_MAX

struct eval_cell {
	char *name;
	int order;			  // among the axis' groups; then by name
	size_t genuine, genuine_failed;	  // pairs; of them with a failure to acquire
	size_t missed;			  // genuine pairs under the threshold, failed ones included
	size_t impostors, matched;	  // pairs with a score; at or over the threshold
	size_t captures, captures_failed; // distinct
	size_t people;			  // lines of the side file that were met
};

struct eval_axis {
	char *name;
	bool stated; // by the list's own column
	struct eval_cell *cell;
	size_t count;
};

struct eval_groups {
	struct eval_axis axis[EVAL_AXES_MAX];
	size_t axes;
	struct eval_groups_file *file; // NULL: no side file
	struct eval_seen *seen;
	size_t seen_count, seen_room;
};

// `path` NULL: no side file. `column`: name of the list's own group column, NULL when it has none.
int eval_groups_open(struct eval_groups *groups, const char *path, const char *column,
		     struct eg_err *err) EG_CHECKED;
void eval_groups_done(struct eval_groups *groups); // takes a zeroed struct

// The side file's line for a picture (or captures parted by commas: the first one), EVAL_NOBODY
// when there is none. `identity` may be NULL.
size_t eval_groups_find(const struct eval_groups *groups, const char *picture,
			const char *identity);

// One pair. `a`, `b`: lines of probe and reference; `stated`: the list's group, NULL or "" for
// none. `failed`: one side has no template (an impostor pair then counts nowhere); `over`: its
// score reached the threshold.
int eval_groups_pair(struct eval_groups *groups, size_t a, size_t b, const char *stated,
		     bool genuine, bool failed, bool over) EG_CHECKED; // EG_ENOMEM

// One capture; the same `capture` counts once in each group that it is named with.
int eval_groups_capture(struct eval_groups *groups, const void *capture, bool found, size_t line,
			const char *stated) EG_CHECKED; // EG_ENOMEM

// After the last: counts the captures and sorts the groups. How many pictures no line was found
// for.
size_t eval_groups_finish(struct eval_groups *groups);

// "by_group": {axis: {group: counts, rates and intervals}}, with the rates under the names given;
// NULL: without that rate.
void eval_groups_summary(struct json *json, const struct eval_groups *groups, double threshold,
			 const char *missed, const char *matched);

#endif
