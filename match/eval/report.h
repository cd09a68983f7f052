// SPDX-License-Identifier: Apache-2.0
//
// report.html: one self-contained page on one run of eg-eval, for an accuracy audit. Numbers and
// drawings only: no face, no name of a picture or person, nothing fetched, no script. Its figures
// are those of summary.json.

#ifndef EG_EVAL_REPORT_H
#define EG_EVAL_REPORT_H

#include "match/eval/eval.h"
#include "match/eval/groups.h"
#include "match/eval/page.h"

#define REPORT_EXAMPLES 10

// One comparison or presentation, named by line numbers of its list (or by position in its sorted
// folder) so that whoever holds the list can look it up.
struct report_example {
	float score;
	size_t probe, reference;		// 0: none
	float probe_quality, reference_quality; // NaN: none
};

struct report_examples {
	struct report_example of[REPORT_EXAMPLES]; // worst first
	size_t count;
};

struct report {
	const struct eval_options *options;
	const char *title;
	struct page_scores scores;
	const struct eval_stats *stats; // NULL: no comparisons
	const struct eval_faces *faces;
	struct eval_groups groups;
	size_t without_group;	  // captures that the side file has no line for
	const char *threshold_is; // what scores.threshold stands for
	float *owned;		  // freed with the report
	struct report_examples missed, matched;
};

// Names and range of comparison scores.
#define REPORT_COMPARISON_SCORES             \
	{                                    \
		.wanted_name = "genuine",    \
		.unwanted_name = "impostor", \
		.missed = "FNMR",            \
		.matched = "FMR",            \
		.low = -0.4,                 \
		.high = 1,                   \
	}

void report_done(struct report *report); // groups and what it owns

// Sorts `scores` in place and lends them to the report.
void report_set_scores(struct page_scores *scores, bool wanted, float *of, size_t count);

// The threshold that pairs are counted at by group: the booth's own for FMR 1e-4 when the pack has
// a calibration, else the run's own at the lowest FMR that it has. NaN: none could be set.
void report_choose_threshold(struct report *report);

// Keeps the `lowest` or highest scores.
void report_keep(struct report_examples *examples, bool lowest, struct report_example one);

// What all reports share. Each command calls begin, its own parts, finish.
void report_begin(struct page *page, const struct report *report);
void report_tile(struct page *page, const char *name, double bad, double n);
void report_charts(struct page *page, const struct report *report, const char *axis);
// The groups' table; `within`: what the second rate is of ("FMR within the group"), NULL: none.
void report_groups(struct page *page, const struct report *report, const char *missed,
		   const char *within);
void report_examples(struct page *page, const struct report *report);
// Provenance; writes the file and frees the page.
int report_finish(struct page *page, const struct report *report, struct eg_err *err) EG_CHECKED;

// The whole page on comparisons, for pairs and matrix.
int report_comparisons(const struct report *report, struct eg_err *err) EG_CHECKED;

#endif
