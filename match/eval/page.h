// SPDX-License-Identifier: Apache-2.0
//
// A page of HTML in memory: style, escaping, rates with intervals, drawings as inline SVG. One file
// that fetches nothing, runs no script, follows the reader's light or dark setting and prints. The
// first failure sticks, and later calls do nothing. Thread: one.

#ifndef EG_EVAL_PAGE_H
#define EG_EVAL_PAGE_H

#include "firmware/base/buf.h"
#include "match/eval/stats.h"

struct page {
	struct eg_buf buf;
	int r;
};

void page_begin(struct page *page, const char *title);
// Closes the page and writes it to DIR/report.html. Frees the page in any case.
int page_write(struct page *page, const char *dir, struct eg_err *err) EG_CHECKED;

void page_put(struct page *page, const char *fmt, ...) EG_PRINTF(2, 3); // HTML as it is
void page_escaped(struct page *page, const char *text);
void page_percent(struct page *page, double share); // "0.97 %", three figures

// One cell of a table: the rate, its 95 % interval, and what it was counted from; "no data" for n
// 0. Over most > 0 also drawn, as a dot on a bar, on a scale from 0 to `most`.
void page_rate(struct page *page, double bad, double n, double most);

// Two kinds of sorted scores. Errors of the first are scores under a threshold, of the second
// scores at or over it.
struct page_scores {
	const float *wanted, *unwanted;
	size_t wanted_count, unwanted_count;
	size_t wanted_failed;			 // no score: an error at every threshold
	const char *wanted_name, *unwanted_name; // "genuine", "impostor"
	const char *missed, *matched;		 // what the errors are called: "FNMR", "FMR"
	double threshold;			 // NaN: none is drawn
	double low, high;			 // of the scores' axis
};

// Errors against each other on logarithmic axes, with a band of 95 %.
void page_det(struct page *page, const struct page_scores *scores);
// Shares of each kind per bin on a logarithmic axis.
void page_histogram(struct page *page, const struct page_scores *scores, const char *axis);

#endif
