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

static int write_summary(const struct matrix *m, const struct eval_stats *stats, struct eg_err *err)
{
	struct json json;
	int r;

	json_init(&json);
	summary_figures(&json, stats, m->faces);
	json_open(&json, "groups", '{');
	json_close(&json, '}');
	summary_intervals(&json, stats, m->faces);
	summary_models(&json, m->faces);
	r = summary_write(&json, m->options->out, err);
	json_done(&json);
	return r;
}

int eval_matrix(const struct eval_options *options, struct eg_err *err)
{
	struct matrix m = {.options = options};
	struct eval_stats stats;
	int r;

	if ((r = eval_list_load(options->list, 2, 2, &m.list, err)) != 0 ||
	    (r = eval_faces_new(options->pack, options->fast, true, &m.faces, err)) != 0 ||
	    (r = load(&m, err)) != 0 || (r = score_all(&m, err)) != 0)
		goto out;
	eval_stats_of_scores(m.genuine, m.genuine_count, m.genuine_failed, m.impostors,
			     m.impostor_count, &stats);
	if ((r = write_histogram(&m, err)) == 0 && (r = write_top(&m, err)) == 0)
		r = write_summary(&m, &stats, err);
out:
	free(m.genuine);
	free(m.capture);
	eval_faces_free(m.faces);
	eval_list_done(&m.list);
	return r;
}
