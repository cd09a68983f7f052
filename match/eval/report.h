// SPDX-License-Identifier: Apache-2.0
//
// report.html: one self-contained page on a run of eg-eval pairs, for an accuracy audit. Numbers
// and drawings only: no face, no file name, nothing fetched, no script.

#ifndef EG_EVAL_REPORT_H
#define EG_EVAL_REPORT_H

#include "match/eval/faces.h"
#include "match/eval/stats.h"

struct report_group {
	const char *name;
	size_t genuine, impostors; // pairs in which both have a template …
	size_t missed, matched;	   // … at the report's threshold
	size_t genuine_failed;	   // genuine pairs in which one has none: they count as missed
	size_t captures, captures_failed; // distinct probes
};

struct report {
	const char *list; // as the command line named it
	const struct eval_pair *pair;
	size_t count;
	const struct eval_stats *stats;
	const struct eval_faces *faces;
	struct report_group *group;
	size_t group_count;
	double threshold; // at which groups were counted; NaN: none could be set
	const char *threshold_is;
};

// The threshold that groups are reported at: the booth's own for FMR 1e-4 when the pack has a
// calibration, else the run's own at the lowest FMR that it has.
void report_choose_threshold(struct report *report);

int report_write(const struct report *report, const char *dir, struct eg_err *err) EG_CHECKED;

#endif
