// SPDX-License-Identifier: Apache-2.0
//
// eg-eval matrix: image<TAB>identity; every image against every other. Writes histogram.tsv (what
// calibrate reads: "#step W", then score, impostors, genuine per bin; a bin begins at its score)
// and in scores.tsv the impostor pairs that score highest, where wrong labels show.

#include "match/eval/eval.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "firmware/base/mem.h"
#include "match/eval/list.h"
#include "match/eval/report.h"
#include "match/eval/summary.h"

#define BINS 4000
#define TOP  100

struct matrix {
	const struct eval_options *options;
	struct eval_list list;
	struct eval_faces *faces;
	const struct eval_capture **capture;
	float *genuine, *impostors; // scores, room for all pairs together in one block
	size_t genuine_count, genuine_failed, impostor_count;
	struct top {
		float score;
		size_t a, b; // lines
	} top[TOP];
	size_t top_count;
};

static void keep_top(struct matrix *m, float score, size_t a, size_t b)
{
	size_t at;

	if (m->top_count == TOP && score <= m->top[TOP - 1].score)
		return;
	at = m->top_count < TOP ? m->top_count++ : TOP - 1;
	for (; at > 0 && m->top[at - 1].score < score; at--)
		m->top[at] = m->top[at - 1];
	m->top[at] = (struct top){score, a, b};
}

static int load(struct matrix *m, struct eg_err *err)
{
	size_t n = m->list.count;

	m->capture = eg_calloc(n, sizeof(const struct eval_capture *));
	// genuine scores grow from the front of the block, impostor scores from its end
	m->genuine = eg_calloc(n * (n - 1) / 2 + 1, sizeof(float));
	if (!m->capture || !m->genuine)
		return eg_err_set(err, EG_ENOMEM, "out of memory for %zu images", n);
	m->impostors = m->genuine + n * (n - 1) / 2;
	for (size_t i = 0; i < n; i++) {
		const struct eval_line *line = &m->list.lines[i];
		int r = eval_faces_get(m->faces, m->list.folder, line->field[0], &m->capture[i],
				       err);

		if (r != 0)
			return eg_err_prefix(err, r, "%s: line %zu", m->list.path, line->number);
		eval_progress("images", i + 1, n);
	}
	return 0;
}

static int score_all(struct matrix *m, struct eg_err *err)
{
	for (size_t i = 0; i < m->list.count; i++) {
		for (size_t j = 0; j < i; j++) {
			const struct eval_capture *a = m->capture[i], *b = m->capture[j];
			bool same =
				strcmp(m->list.lines[i].field[1], m->list.lines[j].field[1]) == 0;
			float score;

			if (!a->found || !b->found) {
				m->genuine_failed += same;
				continue;
			}
			eg_kernel()->dot_float(a->template.value, b->template.value, 1, &score);
			if (!isfinite(score))
				return eg_err_set(err, EG_EINVAL, "a score is not finite");
			if (same) {
				m->genuine[m->genuine_count++] = score;
			} else {
				*--m->impostors = score;
				m->impostor_count++;
				keep_top(m, score, i, j);
			}
		}
		eval_progress("rows", i + 1, m->list.count);
	}
	return 0;
}

static int write_histogram(const struct matrix *m, struct eg_err *err)
{
	static const char name[] = "histogram.tsv";
	FILE *file;
	size_t g = 0, i = 0;
	int r = eval_create(m->options->out, name, &file, err);

	if (r != 0)
		return r;
	fprintf(file, "#step\t%.9g\n#score\timpostors\tgenuine\n", 2.0 / BINS);
	for (size_t bin = 0; bin <= BINS; bin++) {
		double low = -1 + 2.0 * (double)bin / BINS, end = low + 2.0 / BINS;
		size_t impostors = 0, genuine = 0;

		for (; g < m->genuine_count && ((double)m->genuine[g] < end || bin == BINS); g++)
			genuine++;
		for (; i < m->impostor_count && ((double)m->impostors[i] < end || bin == BINS); i++)
			impostors++;
		if (impostors + genuine > 0)
			fprintf(file, "%.9g\t%zu\t%zu\n", low, impostors, genuine);
	}
	return eval_close(file, m->options->out, name, err);
}

static int write_top(const struct matrix *m, struct eg_err *err)
{
	FILE *file;
	int r = eval_create(m->options->out, "scores.tsv", &file, err);

	if (r != 0)
		return r;
	fprintf(file, "#probe\treference\tgenuine\tgroup\tscore\n");
	for (size_t i = 0; i < m->top_count; i++)
		fprintf(file, "%s\t%s\t0\t\t%.9g\n", m->list.lines[m->top[i].a].field[0],
			m->list.lines[m->top[i].b].field[0], (double)m->top[i].score);
	return eval_close(file, m->options->out, "scores.tsv", err);
}

static size_t *find_groups(const struct matrix *m, struct report *report)
{
	size_t *line = eg_calloc(m->list.count, sizeof(*line));

	for (size_t i = 0; line && i < m->list.count; i++)
		line[i] = eval_groups_find(&report->groups, m->list.lines[i].field[0],
					   m->list.lines[i].field[1]);
	return line;
}

static struct report_example example_of(const struct matrix *m, float score, size_t a, size_t b)
{
	return (struct report_example){score, m->list.lines[a].number, m->list.lines[b].number,
				       m->capture[a]->quality, m->capture[b]->quality};
}

static int count_pair(const struct matrix *m, struct report *report, const size_t *line, size_t a,
		      size_t b)
{
	bool failed = !m->capture[a]->found || !m->capture[b]->found;
	bool same = strcmp(m->list.lines[a].field[1], m->list.lines[b].field[1]) == 0;
	float score = NAN;

	if (!same && (line[a] == EVAL_NOBODY || line[b] == EVAL_NOBODY))
		return 0;
	if (!failed)
		eg_kernel()->dot_float(m->capture[a]->template.value, m->capture[b]->template.value,
				       1, &score);
	if (same && !failed)
		report_keep(&report->missed, true, example_of(m, score, a, b));
	return eval_groups_pair(&report->groups, line[a], line[b], NULL, same, failed,
				(double)score >= report->scores.threshold);
}

// Scores are worked out once more, for the threshold is known only now: cheap beside templates.
static int audit(const struct matrix *m, struct report *report, struct eg_err *err)
{
	size_t *line;
	int r = eval_groups_open(&report->groups, m->options->groups, NULL, err);

	if (r != 0)
		return r;
	report_set_scores(&report->scores, true, m->genuine, m->genuine_count);
	report_set_scores(&report->scores, false, m->impostors, m->impostor_count);
	report->scores.wanted_failed = m->genuine_failed;
	report_choose_threshold(report);
	line = find_groups(m, report);
	r = line ? 0 : EG_ENOMEM;
	for (size_t i = 0; i < m->list.count && r == 0; i++) {
		r = eval_groups_capture(&report->groups, m->capture[i], m->capture[i]->found,
					line[i], NULL);
		for (size_t j = 0; j < i && r == 0; j++)
			r = count_pair(m, report, line, i, j);
	}
	free(line);
	for (size_t i = 0; i < m->top_count; i++)
		report_keep(&report->matched, false,
			    example_of(m, m->top[i].score, m->top[i].a, m->top[i].b));
	report->without_group = eval_groups_finish(&report->groups);
	return r == 0 ? 0 : eg_err_set(err, r, "out of memory");
}

static int write_summary(const struct matrix *m, const struct report *report, struct eg_err *err)
{
	struct json json;
	int r;

	json_init(&json);
	summary_figures(&json, report->stats, m->faces);
	json_open(&json, "groups", '{');
	json_close(&json, '}');
	eval_groups_summary(&json, &report->groups, report->scores.threshold, "fnmr", "fmr");
	summary_intervals(&json, report->stats, m->faces);
	summary_models(&json, m->faces);
	r = summary_write(&json, m->options->out, err);
	json_done(&json);
	return r;
}

static int finish(struct matrix *m, struct eg_err *err)
{
	struct eval_stats stats;
	struct report report = {
		.options = m->options,
		.title = "Accuracy report: matrix",
		.scores = REPORT_COMPARISON_SCORES,
		.stats = &stats,
		.faces = m->faces,
	};
	int r;

	eval_stats_of_scores(m->genuine, m->genuine_count, m->genuine_failed, m->impostors,
			     m->impostor_count, &stats);
	if ((r = write_histogram(m, err)) == 0 && (r = write_top(m, err)) == 0 &&
	    (r = audit(m, &report, err)) == 0 && (r = write_summary(m, &report, err)) == 0 &&
	    m->options->report)
		r = report_comparisons(&report, err);
	report_done(&report);
	return r;
}

int eval_matrix(const struct eval_options *options, struct eg_err *err)
{
	struct matrix m = {.options = options};
	int r;

	if ((r = eval_list_load(options->list, 2, 2, &m.list, err)) == 0 &&
	    (r = eval_faces_new(options->pack, options->fast, true, &m.faces, err)) == 0 &&
	    (r = load(&m, err)) == 0 && (r = score_all(&m, err)) == 0)
		r = finish(&m, err);
	free(m.genuine);
	free(m.capture);
	eval_faces_free(m.faces);
	eval_list_done(&m.list);
	return r;
}
