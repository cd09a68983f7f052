// SPDX-License-Identifier: Apache-2.0
//
// eg-eval detect: image[<TAB>group]; counts failures to acquire. scores.tsv has for each line the
// number of faces, the chosen one's quality and the detector's score.

#include "match/eval/eval.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "firmware/base/mem.h"
#include "match/eval/list.h"
#include "match/eval/report.h"
#include "match/eval/summary.h"

struct group {
	const char *name;
	size_t images, failed, several;
};

static struct group *find_group(struct group *groups, size_t *count, const char *name)
{
	for (size_t i = 0; i < *count; i++)
		if (strcmp(groups[i].name, name) == 0)
			return &groups[i];
	groups[*count].name = name;
	return &groups[(*count)++];
}

static int run(const struct eval_list *list, struct eval_faces *faces, FILE *file,
	       struct group *groups, size_t *ret_count, struct eg_err *err)
{
	size_t count = 0;

	fprintf(file, "#image\tgroup\tfaces\tquality\tdetector\n");
	for (size_t i = 0; i < list->count; i++) {
		const struct eval_line *line = &list->lines[i];
		const char *name = line->fields > 1 ? line->field[1] : "";
		const struct eval_capture *capture;
		struct group *group = find_group(groups, &count, name);
		int r = eval_faces_get(faces, list->folder, line->field[0], &capture, err);

		if (r != 0)
			return eg_err_prefix(err, r, "%s: line %zu", list->path, line->number);
		group->images++;
		group->failed += !capture->found;
		group->several += capture->faces > 1;
		fprintf(file, "%s\t%s\t%zu\t", line->field[0], name, capture->faces);
		if (capture->found)
			fprintf(file, "%.0f\t%.4f\n", (double)capture->quality,
				(double)capture->score);
		else
			fprintf(file, "fta\tfta\n");
		eval_progress("images", i + 1, list->count);
	}
	*ret_count = count;
	return 0;
}

static int write_summary(const struct eval_options *options, const struct eval_faces *faces,
			 const struct group *groups, size_t count, const struct report *report,
			 struct eg_err *err)
{
	struct json json;
	int r;

	json_init(&json);
	summary_figures(&json, NULL, faces);
	json_open(&json, "groups", '{');
	for (size_t i = 0; i < count; i++) {
		if (!*groups[i].name)
			continue;
		json_open(&json, groups[i].name, '{');
		json_number(&json, "fta", (double)groups[i].failed / (double)groups[i].images);
		json_number(&json, "images", (double)groups[i].images);
		json_number(&json, "failed", (double)groups[i].failed);
		json_number(&json, "several_faces", (double)groups[i].several);
		json_open(&json, "intervals", '{');
		json_interval(&json, "fta", (double)groups[i].failed, (double)groups[i].images);
		json_close(&json, '}');
		json_close(&json, '}');
	}
	json_close(&json, '}');
	eval_groups_summary(&json, &report->groups, NAN, NULL, NULL);
	summary_intervals(&json, NULL, faces);
	summary_models(&json, faces);
	r = summary_write(&json, options->out, err);
	json_done(&json);
	return r;
}

static int audit(const struct eval_list *list, struct eval_faces *faces, struct report *report,
		 struct eg_err *err)
{
	float *quality = eg_calloc(list->count + 1, sizeof(*quality));
	size_t found = 0;
	int r = eval_groups_open(&report->groups, report->options->groups, "group", err);

	report->owned = quality;
	if (r == 0 && !quality)
		r = eg_err_set(err, EG_ENOMEM, "out of memory");
	for (size_t i = 0; i < list->count && r == 0; i++) {
		const struct eval_line *line = &list->lines[i];
		const struct eval_capture *capture;

		r = eval_faces_get(faces, list->folder, line->field[0], &capture, err);
		if (r != 0)
			break;
		if (eval_groups_capture(&report->groups, capture, capture->found,
					eval_groups_find(&report->groups, line->field[0], NULL),
					line->fields > 1 ? line->field[1] : NULL) != 0)
			r = eg_err_set(err, EG_ENOMEM, "out of memory");
		if (capture->found) {
			quality[found++] = capture->quality;
			report_keep(&report->missed, true,
				    (struct report_example){capture->quality, line->number, 0,
							    capture->quality, NAN});
		}
	}
	report_set_scores(&report->scores, true, quality, found);
	report->without_group = eval_groups_finish(&report->groups);
	return r;
}

static int write_report(const struct report *report, struct eg_err *err)
{
	size_t captures, failed;
	struct page page;

	eval_faces_count(report->faces, &captures, &failed);
	report_begin(&page, report);
	page_put(&page, "<p>A failure to acquire is a picture in which no face was found, or that "
			"could not be decoded.</p>\n<ul class=\"tiles\">\n");
	report_tile(&page, "Failure to acquire", (double)failed, (double)captures);
	page_put(&page, "</ul>\n<h2>Quality</h2>\n<div class=\"charts\">\n");
	page_histogram(&page, &report->scores, "quality of the face, 0 to 100");
	page_put(&page, "</div>\n");
	report_groups(&page, report, NULL, NULL);
	report_examples(&page, report);
	return report_finish(&page, report, err);
}

int eval_detect(const struct eval_options *options, struct eg_err *err)
{
	struct eval_list list = {0};
	struct eval_faces *faces = NULL;
	struct report report = {
		.options = options,
		.title = "Accuracy report: detect",
		.scores = {.wanted_name = "quality", .threshold = NAN, .high = 100},
		.threshold_is = "none: nothing is compared",
	};
	struct group *groups = NULL;
	size_t count = 0;
	FILE *file;
	int r, closed;

	if ((r = eval_list_load(options->list, 1, 2, &list, err)) != 0 ||
	    (r = eval_faces_new(options->pack, true, false, &faces, err)) != 0)
		goto out;
	groups = eg_calloc(list.count, sizeof(*groups));
	if (!groups) {
		r = eg_err_set(err, EG_ENOMEM, "out of memory");
		goto out;
	}
	if ((r = eval_create(options->out, "scores.tsv", &file, err)) != 0)
		goto out;
	r = run(&list, faces, file, groups, &count, err);
	closed = eval_close(file, options->out, "scores.tsv", r == 0 ? err : NULL);
	if (r == 0)
		r = closed;
	report.faces = faces;
	if (r == 0)
		r = audit(&list, faces, &report, err);
	if (r == 0)
		r = write_summary(options, faces, groups, count, &report, err);
	if (r == 0 && options->report)
		r = write_report(&report, err);
out:
	report_done(&report);
	free(groups);
	eval_faces_free(faces);
	eval_list_done(&list);
	return r;
}
