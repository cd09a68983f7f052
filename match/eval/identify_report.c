// SPDX-License-Identifier: Apache-2.0
//
// The page on identification: what the booth's own gallery decided.

#include "match/eval/identify_report.h"

static size_t sum(const size_t *of)
{
	size_t n = 0;

	for (size_t i = 0; i <= EG_CAUSE_COUNT; i++)
		n += of[i];
	return n;
}

static void put_causes(struct page *page, const struct identify_causes *causes)
{
	double mated = (double)sum(causes->of[1]), foreign = (double)sum(causes->of[0]);

	page_put(page, "<h2>What was decided</h2>\n<div class=\"wide\"><table><thead><tr><th></th>"
		       "<th>people in the gallery</th><th>people not in it</th></tr></thead>"
		       "<tbody>\n");
	for (size_t i = 0; i <= EG_CAUSE_COUNT; i++) {
		if (causes->of[0][i] + causes->of[1][i] == 0)
			continue;
		page_put(page, "<tr><td>%s%s</td>",
			 i == EG_CAUSE_NONE || i == EG_CAUSE_COUNT ? "confirmed as " : "referred: ",
			 i == EG_CAUSE_NONE    ? "themselves"
			 : i == EG_CAUSE_COUNT ? "somebody else"
					       : eg_cause_name((enum eg_cause)i));
		page_rate(page, (double)causes->of[1][i], mated, 0);
		page_rate(page, (double)causes->of[0][i], foreign, 0);
		page_put(page, "</tr>\n");
	}
	page_put(page, "</tbody></table></div>\n");
}

int identify_report(const struct report *report, const struct eg_gallery_facts *facts,
		    const struct identify_causes *causes, struct eg_err *err)
{
	size_t mated = sum(causes->of[1]), foreign = sum(causes->of[0]), captures, failed;
	struct page page;

	eval_faces_count(report->faces, &captures, &failed);
	report_begin(&page, report);
	page_put(&page,
		 "<p>%zu probes of people in the gallery, %zu of others, against %zu people with "
		 "%zu references. Target FPIR %g; %zu people are near twins of others; the gallery "
		 "raised its threshold by %.4f.</p>\n<ul class=\"tiles\">\n",
		 mated, foreign, facts->entries, facts->references, report->options->fpir,
		 facts->near_twins, (double)facts->threshold_raise);
	report_tile(&page, "FNIR: in the gallery, not confirmed as themselves",
		    (double)(mated - causes->of[1][EG_CAUSE_NONE]), (double)mated);
	report_tile(&page, "FPIR: not in the gallery, confirmed",
		    (double)causes->of[0][EG_CAUSE_COUNT], (double)foreign);
	report_tile(&page, "Confirmed as somebody else", (double)causes->of[1][EG_CAUSE_COUNT],
		    (double)mated);
	report_tile(&page, "Failure to acquire, references and probes", (double)failed,
		    (double)captures);
	page_put(&page, "</ul>\n");
	put_causes(&page, causes);
	page_put(&page, "<h2>Errors and scores</h2>\n<p>One comparison by one: each probe's best "
			"score with each person.</p>\n");
	report_charts(&page, report, "comparison score");
	report_groups(&page, report, "FNIR", "FPIR");
	report_examples(&page, report);
	return report_finish(&page, report, err);
}
