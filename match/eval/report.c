// SPDX-License-Identifier: Apache-2.0
//
// Writing report.html out of a page's parts.

#include "match/eval/report.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "match/calib.h"
#include "match/kernel.h"

void report_done(struct report *report)
{
	eval_groups_done(&report->groups);
	free(report->owned);
}

static int by_float(const void *a, const void *b)
{
	float x = *(const float *)a, y = *(const float *)b;

	return (x > y) - (x < y);
}

void report_set_scores(struct page_scores *scores, bool wanted, float *of, size_t count)
{
	if (count > 0)
		qsort(of, count, sizeof(*of), by_float);
	if (wanted) {
		scores->wanted = of;
		scores->wanted_count = count;
	} else {
		scores->unwanted = of;
		scores->unwanted_count = count;
	}
}

void report_choose_threshold(struct report *report)
{
	static const char *const texts[EVAL_LEVELS] = {"this run's own at FMR 1e-2",
						       "this run's own at FMR 1e-3",
						       "this run's own at FMR 1e-4",
						       "this run's own at FMR 1e-5",
						       "this run's own at FMR 1e-6"};
	const struct eg_pack *pack = eval_faces_pack(report->faces);
	struct eg_calib *calib = NULL;
	size_t count;
	const struct eg_pack_point *points = eg_pack_calibration(pack, &count);

	report->scores.threshold = NAN;
	report->threshold_is = "none: too few impostors, and the pack has no calibration";
	if (count > 1 &&
	    eg_calib_new(points, count, eg_pack_calibration_floor(pack), &calib, NULL) == 0) {
		report->scores.threshold = eg_calib_threshold(calib, 1e-4, NULL);
		report->threshold_is = "the booth's own for FMR 1e-4, from the pack's calibration";
		eg_calib_free(calib);
		return;
	}
	for (size_t i = 0; i < EVAL_LEVELS; i++) {
		if (isnan(report->stats->threshold[i]))
			continue;
		report->scores.threshold = report->stats->threshold[i];
		report->threshold_is = texts[i];
	}
}

void report_keep(struct report_examples *examples, bool lowest, struct report_example one)
{
	size_t at = examples->count;
	struct report_example *of = examples->of;

	if (at == REPORT_EXAMPLES) {
		if (lowest ? one.score >= of[at - 1].score : one.score <= of[at - 1].score)
			return;
		at--;
	} else {
		examples->count++;
	}
	for (; at > 0 && (lowest ? of[at - 1].score > one.score : of[at - 1].score < one.score);
	     at--)
		of[at] = of[at - 1];
	of[at] = one;
}

// ---- parts ------------------------------------------------------------------------------------

void report_begin(struct page *page, const struct report *report)
{
	page_begin(page, report->title);
	page_put(page, "<h1>%s</h1>\n<p class=\"soft\">", report->title);
	page_escaped(page, report->options->list ? report->options->list : report->options->probes);
	page_put(page, "</p>\n");
}

void report_tile(struct page *page, const char *name, double bad, double n)
{
	struct eval_interval interval = eval_wilson(bad, n);

	page_put(page, "<li>%s<b>", name);
	if (!(n > 0)) {
		page_put(page, "no data</b></li>\n");
		return;
	}
	page_percent(page, bad / n);
	page_put(page, " %%</b><small>");
	page_percent(page, interval.low);
	page_put(page, " to ");
	page_percent(page, interval.high);
	page_put(page, " %%; %.0f of %.0f</small></li>\n", bad, n);
}

void report_charts(struct page *page, const struct report *report, const char *axis)
{
	page_put(page, "<div class=\"charts\">\n");
	page_det(page, &report->scores);
	page_histogram(page, &report->scores, axis);
	page_put(page, "</div>\n");
}

static double highest(const struct eval_axis *axis, int which)
{
	double most = 0;

	for (size_t i = 0; i < axis->count; i++) {
		const struct eval_cell *c = &axis->cell[i];
		struct eval_interval interval =
			which == 0   ? eval_wilson((double)c->missed, (double)c->genuine)
			: which == 1 ? eval_wilson((double)c->matched, (double)c->impostors)
				     : eval_wilson((double)c->captures_failed, (double)c->captures);

		if (interval.high > most)
			most = interval.high;
	}
	return most;
}

static void put_cell(struct page *page, const struct report *report, const struct eval_axis *axis,
		     const struct eval_cell *c, bool missed, bool matched)
{
	bool known = !isnan(report->scores.threshold);

	if (c->genuine + c->impostors + c->captures == 0)
		return;
	page_put(page, "<tr><td>");
	page_escaped(page, c->name);
	page_put(page, "</td>");
	if (!axis->stated)
		page_put(page, "<td>%zu</td>", c->people);
	if (missed)
		page_rate(page, (double)c->missed, known ? (double)c->genuine : 0,
			  highest(axis, 0));
	if (matched)
		page_rate(page, (double)c->matched, known ? (double)c->impostors : 0,
			  highest(axis, 1));
	page_rate(page, (double)c->captures_failed, (double)c->captures, highest(axis, 2));
	page_put(page, "</tr>\n");
}

static void put_axis(struct page *page, const struct report *report, const struct eval_axis *axis,
		     const char *missed, const char *within)
{
	page_put(page, "<h3>");
	page_escaped(page, axis->name);
	page_put(page, "%s</h3>\n<div class=\"wide\"><table><thead><tr><th>group</th>%s",
		 axis->stated ? ", as the list says" : "", axis->stated ? "" : "<th>people</th>");
	if (missed)
		page_put(page, "<th>%s</th>", missed);
	if (within)
		page_put(page, "<th>%s</th>", axis->stated ? report->scores.matched : within);
	page_put(page, "<th>failure to acquire</th></tr></thead><tbody>\n");
	for (size_t i = 0; i < axis->count; i++)
		put_cell(page, report, axis, &axis->cell[i], missed != NULL, within != NULL);
	page_put(page, "</tbody></table></div>\n");
}

static void put_threshold(struct page *page, const struct report *report)
{
	if (!isnan(report->scores.threshold))
		page_put(page, "threshold %.4f, ", report->scores.threshold);
	page_escaped(page, report->threshold_is);
}

void report_groups(struct page *page, const struct report *report, const char *missed,
		   const char *within)
{
	size_t shown = 0;

	page_put(page, "<h2>By group</h2>\n");
	for (size_t i = 0; i < report->groups.axes; i++)
		shown += report->groups.axis[i].count > 0;
	if (shown == 0) {
		page_put(page, "<p class=\"soft\">The list names no groups and no --groups file "
			       "was given, so nothing can be said by group.</p>\n");
		return;
	}
	page_put(page, "<p>");
	if (missed) {
		page_put(page, "At ");
		put_threshold(page, report);
		page_put(page, ". ");
	}
	page_put(page,
		 "Each figure is followed by its 95&nbsp;%% interval and by what it was "
		 "counted from. Where two groups' intervals overlap, these data do not show a "
		 "difference between them; a group with few people has a wide interval, and that "
		 "is what is known of it.</p>\n");
	if (report->groups.file && report->without_group > 0)
		page_put(page,
			 "<p>%zu capture(s) have no line in the --groups file and are in no group "
			 "of it.</p>\n",
			 report->without_group);
	for (size_t i = 0; i < report->groups.axes; i++)
		if (report->groups.axis[i].count > 0)
			put_axis(page, report, &report->groups.axis[i], missed, within);
}

static void put_quality(struct page *page, float quality)
{
	if (isnan(quality))
		page_put(page, "<td class=\"soft\">none</td>");
	else
		page_put(page, "<td>%.0f</td>", (double)quality);
}

static void put_list(struct page *page, const char *title, const struct report_examples *examples)
{
	const struct report_example *first = &examples->of[0];
	bool quality = !isnan(first->probe_quality);

	if (examples->count == 0)
		return;
	page_put(page,
		 "<div><h3>%s</h3><div class=\"wide\"><table><thead><tr><th>score</th>"
		 "<th>probe</th>%s%s%s</tr></thead><tbody>\n",
		 title, first->reference ? "<th>reference</th>" : "",
		 quality ? "<th>quality</th>" : "", quality && first->reference ? "<th></th>" : "");
	for (size_t i = 0; i < examples->count; i++) {
		const struct report_example *e = &examples->of[i];

		page_put(page, "<tr><td>%.4f</td><td>%zu</td>", (double)e->score, e->probe);
		if (first->reference)
			page_put(page, "<td>%zu</td>", e->reference);
		if (quality)
			put_quality(page, e->probe_quality);
		if (quality && first->reference)
			put_quality(page, e->reference_quality);
		page_put(page, "</tr>\n");
	}
	page_put(page, "</tbody></table></div></div>\n");
}

void report_examples(struct page *page, const struct report *report)
{
	char title[96];

	if (report->missed.count + report->matched.count == 0)
		return;
	page_put(page, "<h2>Where it is hardest</h2>\n<p>Named by line of the list (of a folder: "
		       "place in the order of file names), never by name. Quality is 0 to 100, of "
		       "probe and reference. Look first for wrong labels.</p>\n"
		       "<div class=\"charts\">\n");
	snprintf(title, sizeof(title), "Lowest %s scores", report->scores.wanted_name);
	put_list(page, title, &report->missed);
	snprintf(title, sizeof(title), "Highest %s scores", report->scores.unwanted_name);
	put_list(page, title, &report->matched);
	page_put(page, "</div>\n");
}

// ---- provenance -------------------------------------------------------------------------------

static void put_digest(struct page *page, const char *name, const uint8_t *digest)
{
	char text[2 * EG_SHA256_SIZE + 1];

	if (!digest)
		return;
	eg_hex(digest, EG_SHA256_SIZE, text);
	page_put(page, "<tr><td>%s</td><td class=\"text\"><code>%s</code></td></tr>\n", name, text);
}

static void put_processor(struct page *page)
{
	FILE *file = fopen("/proc/cpuinfo", "re");
	char line[512];

	while (file && fgets(line, sizeof(line), file)) {
		char *colon = strchr(line, ':');

		if (!colon || strncmp(line, "model name", 10) != 0)
			continue;
		colon[1 + strcspn(colon + 1, "\n")] = '\0';
		page_escaped(page, colon + 2);
		page_put(page, ", ");
		break;
	}
	if (file)
		(void)fclose(file);
}

static void put_run(struct page *page, const struct report *report)
{
	struct utsname machine;
	time_t now = time(NULL);
	struct tm utc;
	char date[32] = "unknown";

	if (gmtime_r(&now, &utc))
		(void)strftime(date, sizeof(date), "%Y-%m-%d %H:%M UTC", &utc);
	page_put(page, "<tr><td>command</td><td class=\"text\"><code>");
	page_escaped(page, report->options->command_line);
	page_put(page,
		 "</code></td></tr>\n<tr><td>date</td><td>%s</td></tr>\n"
		 "<tr><td>machine</td><td class=\"text\">",
		 date);
	put_processor(page);
	page_put(page, "%ld processor(s)", sysconf(_SC_NPROCESSORS_ONLN));
	if (uname(&machine) == 0) {
		page_put(page, ", ");
		page_escaped(page, machine.sysname);
		page_put(page, " ");
		page_escaped(page, machine.machine);
	}
	page_put(page, "</td></tr>\n");
}

static void put_provenance(struct page *page, const struct report *report)
{
	const struct eg_pack *pack = eval_faces_pack(report->faces);

	page_put(page, "<h2>How this was made</h2>\n<div class=\"wide\"><table><tbody>\n");
	put_run(page, report);
	page_put(page,
		 "<tr><td>program</td><td>Egress %s, %d warp(s) a template, kernel %s</td>"
		 "</tr>\n<tr><td>threshold</td><td class=\"text\">",
		 EG_VERSION, eval_faces_fast(report->faces) ? 1 : 5, eg_kernel_name());
	put_threshold(page, report);
	page_put(page, "</td></tr>\n<tr><td>model pack</td><td>");
	page_escaped(page, eg_pack_name(pack));
	page_put(page, "</td></tr>\n");
	put_digest(page, "pack.json with its calibration, SHA-256", eg_pack_digest(pack));
	put_digest(page, "detector", eg_pack_model_digest(pack, EG_MODEL_DETECT));
	put_digest(page, "landmarks", eg_pack_model_digest(pack, EG_MODEL_LANDMARK));
	put_digest(page, "recogniser", eg_pack_model_digest(pack, EG_MODEL_FEATURE));
	put_digest(page, "liveness", eg_pack_model_digest(pack, EG_MODEL_LIVENESS));
	page_put(page, "</tbody></table></div>\n<p class=\"soft\">Intervals are Wilson's, "
		       "95&nbsp;%%, and take what was counted as independent; pairs of one person "
		       "are not, so the true intervals are wider. The page holds figures only: no "
		       "picture, template or name.</p>\n");
}

int report_finish(struct page *page, const struct report *report, struct eg_err *err)
{
	put_provenance(page, report);
	return page_write(page, report->options->out, err);
}

// ---- comparisons ------------------------------------------------------------------------------

static void put_levels(struct page *page, const struct eval_stats *s)
{
	page_put(page, "<div class=\"wide\"><table><thead><tr><th>FMR</th><th>threshold</th>"
		       "<th>FNMR</th></tr></thead><tbody>\n");
	for (size_t i = 0; i < EVAL_LEVELS; i++) {
		page_put(page, "<tr><td>%s</td>", eval_level_names[i]);
		if (isnan(s->threshold[i])) {
			page_put(page,
				 "<td class=\"soft\" colspan=\"2\">it takes %.0f impostor "
				 "comparisons to say</td></tr>\n",
				 3 / eval_levels[i]);
			continue;
		}
		page_put(page, "<td>%.4f</td>", s->threshold[i]);
		page_rate(page, rint(s->fnmr[i] * (double)s->genuine), (double)s->genuine, 0);
		page_put(page, "</tr>\n");
	}
	page_put(page, "</tbody></table></div>\n");
}

static size_t over(const float *sorted, size_t count, double threshold)
{
	size_t n = 0;

	while (n < count && (double)sorted[count - 1 - n] >= threshold)
		n++;
	return n;
}

int report_comparisons(const struct report *report, struct eg_err *err)
{
	const struct page_scores *s = &report->scores;
	const struct eval_stats *stats = report->stats;
	bool known = !isnan(s->threshold);
	size_t captures, failed;
	struct page page;

	eval_faces_count(report->faces, &captures, &failed);
	report_begin(&page, report);
	page_put(&page,
		 "<p>%zu genuine and %zu impostor comparisons. A failure to acquire counts "
		 "as a non-match. First figures at ",
		 stats->genuine, stats->impostors);
	put_threshold(&page, report);
	page_put(&page, ".</p>\n<ul class=\"tiles\">\n");
	report_tile(&page, "False non-match rate",
		    (double)(stats->genuine - over(s->wanted, s->wanted_count, s->threshold)),
		    known ? (double)stats->genuine : 0);
	report_tile(&page, "False match rate",
		    (double)over(s->unwanted, s->unwanted_count, s->threshold),
		    known ? (double)s->unwanted_count : 0);
	report_tile(&page, "Failure to acquire", (double)failed, (double)captures);
	if (!isnan(stats->accuracy))
		report_tile(&page, "Accuracy, ten folds",
			    stats->accuracy * (double)(stats->genuine + stats->impostors),
			    (double)(stats->genuine + stats->impostors));
	if (!isnan(stats->eer)) {
		page_put(&page, "<li>Equal error rate<b>");
		page_percent(&page, stats->eer);
		page_put(&page, " %%</b></li>\n");
	}
	page_put(&page, "</ul>\n<h2>Errors and scores</h2>\n");
	report_charts(&page, report, "comparison score");
	page_put(&page, "<h3>This run's own thresholds</h3>\n");
	put_levels(&page, stats);
	report_groups(&page, report, "FNMR", "FMR within the group");
	report_examples(&page, report);
	return report_finish(&page, report, err);
}
