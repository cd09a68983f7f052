// SPDX-License-Identifier: Apache-2.0
//
// The page on presentation attack detection. The rules of its figures are in pad_stats.h.

#include "match/eval/pad_report.h"

#include <math.h>
#include <stdlib.h>

#include "firmware/base/mem.h"

static int count_line(struct report *report, const struct eval_line *line,
		      const struct pad_one *one, struct eg_err *err)
{
	bool missing = isnan(one->score), live = one->live;
	size_t group = eval_groups_find(&report->groups, line->field[0], NULL);

	// an attack counts with the person that it shows
	if ((!missing && eval_groups_pair(&report->groups, group, group, one->kind, live, false,
					  (double)one->score >= report->scores.threshold) != 0) ||
	    eval_groups_capture(&report->groups, one, !missing, group, one->kind) != 0)
		return eg_err_set(err, EG_ENOMEM, "out of memory");
	if (!missing)
		report_keep(live ? &report->missed : &report->matched, live,
			    (struct report_example){one->score, line->number, 0, NAN, NAN});
	return 0;
}

int pad_audit(struct report *ret_report, const struct eval_options *options,
	      const struct eval_list *list, const struct pad_one *one,
	      const struct eval_faces *faces, struct eg_err *err)
{
	struct report *report = ret_report;
	float *scores = eg_calloc(list->count + 1, sizeof(*scores));
	int r = 0;

	*report = (struct report){
		.options = options,
		.title = "Presentation attack detection report",
		.scores = {.wanted_name = "live",
			   .unwanted_name = "attack",
			   .missed = "BPCER",
			   .matched = "APCER",
			   .threshold = options->threshold,
			   .high = 1},
		.faces = faces,
		.threshold_is = "the booth's own, or --threshold",
		.owned = scores,
	};
	if (!scores)
		return eg_err_set(err, EG_ENOMEM, "out of memory");
	for (size_t kind = 0; kind < 2; kind++) {
		size_t n = 0;

		for (size_t i = 0; i < list->count; i++)
			if (one[i].live == (kind == 0) && !isnan(one[i].score))
				scores[n++] = one[i].score;
		report_set_scores(&report->scores, kind == 0, scores, n);
		scores += n;
	}
	r = eval_groups_open(&report->groups, options->groups, "kind", err);
	for (size_t i = 0; i < list->count && r == 0; i++)
		r = count_line(report, &list->lines[i], &one[i], err);
	report->without_group = eval_groups_finish(&report->groups);
	if (r != 0)
		report_done(report);
	return r;
}

static size_t at_or_over(const float *sorted, size_t count, double threshold)
{
	size_t n = 0;

	while (n < count && (double)sorted[count - 1 - n] >= threshold)
		n++;
	return n;
}

static void put_levels(struct page *page, const struct page_scores *s)
{
	static const double levels[] = {0.01, 0.03, 0.05};

	page_put(page, "<h3>At a chosen BPCER</h3>\n<div class=\"wide\"><table><thead><tr>"
		       "<th>BPCER at most</th><th>threshold</th><th>APCER, all attacks</th></tr>"
		       "</thead><tbody>\n");
	for (size_t k = 0; k < sizeof(levels) / sizeof(levels[0]) && s->wanted_count > 0; k++) {
		double at =
			(double)s
				->wanted[(size_t)floor((double)s->wanted_count * levels[k] + 1e-9)];

		page_put(page, "<tr><td>%.0f&nbsp;%%</td><td>%.4f</td>", 100 * levels[k], at);
		page_rate(page, (double)at_or_over(s->unwanted, s->unwanted_count, at),
			  (double)s->unwanted_count, 0);
		page_put(page, "</tr>\n");
	}
	page_put(page, "</tbody></table></div>\n");
}

int pad_report(const struct report *report, struct eg_err *err)
{
	const struct page_scores *s = &report->scores;
	size_t missing = 0, all = 0;
	struct page page;

	for (size_t i = 0; i < report->groups.axis[0].count; i++) {
		missing += report->groups.axis[0].cell[i].captures_failed;
		all += report->groups.axis[0].cell[i].captures;
	}
	report_begin(&page, report);
	page_put(&page,
		 "<p>Terms of ISO/IEC 30107-3: APCER is the share of attacks taken for live, BPCER "
		 "that of live presentations that are not; one in which no face was found is a "
		 "non-response and in neither. At threshold %.4f.</p>\n<ul class=\"tiles\">\n",
		 s->threshold);
	report_tile(&page, "BPCER",
		    (double)(s->wanted_count -
			     at_or_over(s->wanted, s->wanted_count, s->threshold)),
		    (double)s->wanted_count);
	report_tile(&page, "APCER, all attacks",
		    (double)at_or_over(s->unwanted, s->unwanted_count, s->threshold),
		    (double)s->unwanted_count);
	report_tile(&page, "Non-response", (double)missing, (double)all);
	page_put(&page, "</ul>\n<h2>Errors and scores</h2>\n");
	report_charts(&page, report, "liveness score");
	put_levels(&page, s);
	report_groups(&page, report, "BPCER", "APCER");
	report_examples(&page, report);
	return report_finish(&page, report, err);
}
