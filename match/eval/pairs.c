// SPDX-License-Identifier: Apache-2.0
//
// eg-eval pairs: probe<TAB>reference<TAB>0|1[<TAB>group]. scores.tsv repeats each line, with the
// score or "fta" behind it.

#include "match/eval/eval.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "firmware/base/mem.h"
#include "match/eval/list.h"
#include "match/eval/report.h"
#include "match/eval/summary.h"

struct pairs {
	const struct eval_options *options;
	struct eval_list list;
	struct eval_faces *faces;
	struct eval_pair *pair; // one a line
};

static const char *group_of(const struct eval_line *line)
{
	return line->fields > 3 ? line->field[3] : "";
}

static int check(const struct eval_list *list, struct eg_err *err)
{
	for (size_t i = 0; i < list->count; i++) {
		const char *label = list->lines[i].field[2];

		if (strcmp(label, "0") != 0 && strcmp(label, "1") != 0)
			return eg_err_set(err, EG_EINVAL,
					  "%s: line %zu: the third field is \"%s\", it must be 1 "
					  "(same person) or 0",
					  list->path, list->lines[i].number, label);
	}
	return 0;
}

static int score(struct pairs *p, size_t i, struct eg_err *err)
{
	const struct eval_line *line = &p->list.lines[i];
	const struct eval_capture *probe, *reference;
	int r;

	p->pair[i] = (struct eval_pair){NAN, line->field[2][0] == '1'};
	if ((r = eval_faces_get(p->faces, p->list.folder, line->field[0], &probe, err)) != 0 ||
	    (r = eval_faces_get(p->faces, p->list.folder, line->field[1], &reference, err)) != 0)
		return eg_err_prefix(err, r, "%s: line %zu", p->list.path, line->number);
	if (!probe->found || !reference->found)
		return 0;
	r = eg_template_compare(&probe->template, &reference->template, &p->pair[i].score);
	return r == 0 ? 0 : eg_err_set(err, r, "line %zu: templates do not compare", line->number);
}

static int write_scores(const struct pairs *p, struct eg_err *err)
{
	const char *dir = p->options->out;
	FILE *file;
	int r = eval_create(dir, "scores.tsv", &file, err);

	if (r != 0)
		return r;
	fprintf(file, "#probe\treference\tgenuine\tgroup\tscore\n");
	for (size_t i = 0; i < p->list.count; i++) {
		const struct eval_line *line = &p->list.lines[i];

		fprintf(file, "%s\t%s\t%s\t%s\t", line->field[0], line->field[1], line->field[2],
			group_of(line));
		if (isnan(p->pair[i].score))
			fprintf(file, "fta\n");
		else
			fprintf(file, "%.9g\n", (double)p->pair[i].score);
	}
	return eval_close(file, dir, "scores.tsv", err);
}

// One group at the thresholds of the whole list: that is what a policy would meet.
static void put_group(struct json *json, const struct pairs *p, const char *name,
		      const struct eval_stats *all)
{
	size_t genuine = 0, impostors = 0, failed = 0, compared = 0;
	size_t missed[EVAL_LEVELS] = {0}, matched[EVAL_LEVELS] = {0};

	for (size_t i = 0; i < p->list.count; i++) {
		double at = (double)p->pair[i].score;

		if (strcmp(group_of(&p->list.lines[i]), name) != 0)
			continue;
		failed += isnan(at) ? 1 : 0;
		if (p->pair[i].genuine)
			genuine++;
		else
			impostors++;
		compared += !p->pair[i].genuine && !isnan(at) ? 1 : 0;
		for (size_t k = 0; k < EVAL_LEVELS; k++) {
			missed[k] += p->pair[i].genuine && !(at >= all->threshold[k]);
			matched[k] += !p->pair[i].genuine && at >= all->threshold[k];
		}
	}
	json_open(json, name, '{');
	json_number(json, "genuine", (double)genuine);
	json_number(json, "impostors", (double)impostors);
	json_number(json, "pairs_failed", (double)failed);
	json_open(json, "fnmr", '{');
	for (size_t k = 0; k < EVAL_LEVELS; k++)
		json_number(json, eval_level_names[k],
			    isnan(all->threshold[k]) || !genuine
				    ? NAN
				    : (double)missed[k] / (double)genuine);
	json_close(json, '}');
	json_open(json, "fmr", '{');
	for (size_t k = 0; k < EVAL_LEVELS; k++)
		json_number(json, eval_level_names[k],
			    isnan(all->threshold[k]) || !compared
				    ? NAN
				    : (double)matched[k] / (double)compared);
	json_close(json, '}');
	json_open(json, "intervals", '{');
	json_open(json, "fnmr", '{');
	for (size_t k = 0; k < EVAL_LEVELS; k++)
		json_interval(json, eval_level_names[k], (double)missed[k],
			      isnan(all->threshold[k]) ? 0 : (double)genuine);
	json_close(json, '}');
	json_close(json, '}');
	json_close(json, '}');
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int put_groups(struct json *json, const struct pairs *p, const struct eval_stats *all,
		      struct eg_err *err)
{
	const char **names = eg_calloc(p->list.count, sizeof(*names));
	size_t count = 0;

	if (!names)
		return eg_err_set(err, EG_ENOMEM, "out of memory");
	for (size_t i = 0; i < p->list.count; i++)
		if (*group_of(&p->list.lines[i]))
			names[count++] = group_of(&p->list.lines[i]);
	if (count > 0)
		qsort(names, count, sizeof(*names), by_name);
	json_open(json, "groups", '{');
	for (size_t i = 0; i < count; i++)
		if (i == 0 || strcmp(names[i], names[i - 1]) != 0)
			put_group(json, p, names[i], all);
	json_close(json, '}');
	free(names);
	return 0;
}

static int write_summary(const struct pairs *p, const struct report *report, struct eg_err *err)
{
	struct json json;
	int r;

	json_init(&json);
	summary_figures(&json, report->stats, p->faces);
	r = put_groups(&json, p, report->stats, err);
	eval_groups_summary(&json, &report->groups, report->scores.threshold, "fnmr", "fmr");
	summary_intervals(&json, report->stats, p->faces);
	summary_models(&json, p->faces);
	if (r == 0)
		r = summary_write(&json, p->options->out, err);
	json_done(&json);
	return r;
}

static int count_line(struct pairs *p, struct report *report, size_t i, struct eg_err *err)
{
	const struct eval_line *line = &p->list.lines[i];
	const struct eval_capture *probe, *reference;
	bool failed = isnan(p->pair[i].score), genuine = p->pair[i].genuine;
	size_t a = eval_groups_find(&report->groups, line->field[0], NULL);
	size_t b = eval_groups_find(&report->groups, line->field[1], NULL);
	int r;

	if ((r = eval_faces_get(p->faces, p->list.folder, line->field[0], &probe, err)) != 0 ||
	    (r = eval_faces_get(p->faces, p->list.folder, line->field[1], &reference, err)) != 0)
		return r;
	if (eval_groups_pair(&report->groups, a, b, group_of(line), genuine, failed,
			     (double)p->pair[i].score >= report->scores.threshold) != 0 ||
	    eval_groups_capture(&report->groups, probe, probe->found, a, group_of(line)) != 0 ||
	    eval_groups_capture(&report->groups, reference, reference->found, b, NULL) != 0)
		return eg_err_set(err, EG_ENOMEM, "out of memory");
	if (!failed)
		report_keep(genuine ? &report->missed : &report->matched, genuine,
			    (struct report_example){p->pair[i].score, line->number, line->number,
						    probe->quality, reference->quality});
	return 0;
}

// Groups are counted here, for the summary and for the report.
static int audit(struct pairs *p, struct report *report, struct eg_err *err)
{
	struct page_scores *s = &report->scores;
	float *scores = eg_calloc(p->list.count + 1, sizeof(*scores));
	int r;

	report->owned = scores;
	if (!scores)
		return eg_err_set(err, EG_ENOMEM, "out of memory");
	for (size_t kind = 0; kind < 2; kind++) {
		size_t n = 0;

		for (size_t i = 0; i < p->list.count; i++)
			if (p->pair[i].genuine == (kind == 0) && !isnan(p->pair[i].score))
				scores[n++] = p->pair[i].score;
		report_set_scores(s, kind == 0, scores, n);
		scores += n;
	}
	s->wanted_failed = report->stats->genuine_failed;
	report_choose_threshold(report);
	r = eval_groups_open(&report->groups, p->options->groups, "group", err);
	for (size_t i = 0; i < p->list.count && r == 0; i++)
		r = count_line(p, report, i, err);
	report->without_group = eval_groups_finish(&report->groups);
	return r;
}

static int finish(struct pairs *p, struct eg_err *err)
{
	struct eval_stats stats;
	struct report report = {
		.options = p->options,
		.title = "Accuracy report: pairs",
		.scores = REPORT_COMPARISON_SCORES,
		.stats = &stats,
		.faces = p->faces,
	};
	int r = eval_stats_of_pairs(p->pair, p->list.count, &stats, err);

	if (r == 0)
		r = audit(p, &report, err);
	if (r == 0)
		r = write_summary(p, &report, err);
	if (r == 0 && p->options->report)
		r = report_comparisons(&report, err);
	report_done(&report);
	return r;
}

int eval_pairs(const struct eval_options *options, struct eg_err *err)
{
	struct pairs p = {.options = options};
	int r;

	if ((r = eval_list_load(options->list, 3, 4, &p.list, err)) != 0 ||
	    (r = check(&p.list, err)) != 0 ||
	    (r = eval_faces_new(options->pack, options->fast, true, &p.faces, err)) != 0)
		goto out;
	p.pair = eg_calloc(p.list.count, sizeof(*p.pair));
	if (!p.pair)
		r = eg_err_set(err, EG_ENOMEM, "out of memory");
	for (size_t i = 0; i < p.list.count && r == 0; i++) {
		r = score(&p, i, err);
		eval_progress("pairs", i + 1, p.list.count);
	}
	if (r == 0)
		r = write_scores(&p, err);
	if (r == 0)
		r = finish(&p, err);
out:
	free(p.pair);
	eval_faces_free(p.faces);
	eval_list_done(&p.list);
	return r;
}
