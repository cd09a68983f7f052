// SPDX-License-Identifier: Apache-2.0
//
// eg-eval pad: image[,image…]<TAB>live|attack<TAB>kind. One line is one presentation; its images go
// through the looks that a track gets in capture/, in order, and what the booth would know after
// the last is its score. The terms are those of ISO/IEC 30107-3; the rules are in pad_stats.h.

#include "match/eval/eval.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "capture/liveness.h"
#include "drivers/codec.h"
#include "firmware/base/log.h"
#include "firmware/base/mem.h"
#include "match/eval/list.h"
#include "match/eval/pad_report.h"

#define FACES_MAX 32

struct pad {
	const struct eval_options *options;
	struct eval_list list;
	struct eval_faces *faces; // detector, and the pack's digests
	struct eg_pack *pack;	  // the liveness model
	struct eg_liveness_model *model;
	struct eg_image image;
	struct pad_one *one; // one a line
	struct eg_liveness *result;
	struct eg_liveness_look *mean;
	size_t pictures, missing, faceless; // of the list; not there; without a face, or broken
};

static int check(const struct eval_list *list, struct eg_err *err)
{
	for (size_t i = 0; i < list->count; i++) {
		const struct eval_line *line = &list->lines[i];
		const char *label = line->field[1];

		if (strcmp(label, "live") != 0 && strcmp(label, "attack") != 0)
			return eg_err_set(err, EG_EINVAL,
					  "%s: line %zu: the second field is \"%s\", it must be "
					  "live or attack",
					  list->path, line->number, label);
		if (strstr(line->field[0], ",,") || *line->field[0] == ',' ||
		    line->field[0][strlen(line->field[0]) - 1] == ',')
			return eg_err_set(err, EG_EINVAL,
					  "%s: line %zu: an empty name between commas", list->path,
					  line->number);
	}
	return 0;
}

static int look(struct pad *p, const char *name, struct eg_liveness_history *history, int64_t at_ns,
		struct eg_err *err)
{
	struct eg_box box;
	char *path = NULL;
	bool found = false;
	int r;

	if (asprintf(&path, "%s/%s", p->list.folder, name) < 0)
		return eg_err_set(err, EG_ENOMEM, "out of memory");
	r = eval_faces_box(p->faces, *name != '/' && access(path, F_OK) == 0 ? path : name,
			   &p->image, &found, &box, err);
	free(path);
	p->pictures++;
	// One name too many in a list of thousands must not cost the run; all of them must.
	if (r == EG_ENOENT) {
		p->missing++;
		eg_warning("%s; counted as failed to acquire", err->text);
		*err = EG_ERR_INIT;
		r = 0;
	}
	p->faceless += r == 0 && !found;
	if (r == 0 && found)
		r = eg_liveness_look(p->model, &p->image, box, history, at_ns, err);
	return r;
}

static int present(struct pad *p, size_t i, struct eg_err *err)
{
	const struct eval_line *line = &p->list.lines[i];
	struct eg_liveness_history history = {0};
	char *copy = eg_strdup(line->field[0]), *rest = copy, *name;
	int64_t at_ns = 0;
	int r = copy ? 0 : eg_err_set(err, EG_ENOMEM, "out of memory");

	while (r == 0 && (name = strsep(&rest, ",")) != NULL) {
		r = look(p, name, &history, at_ns, err);
		at_ns += EG_LIVENESS_GAP_MS * 1000000LL;
	}
	free(copy);
	if (r != 0)
		return eg_err_prefix(err, r, "%s: line %zu", p->list.path, line->number);
	p->result[i] = eg_liveness_of(&history);
	p->mean[i] = eg_liveness_mean(&history);
	p->one[i] = (struct pad_one){
		.score = p->result[i].score,
		.model = p->result[i].frames > 0 ? 1 / (1 + expf(-p->mean[i].model)) : NAN,
		.live = line->field[1][0] == 'l',
		.kind = line->field[2],
	};
	eg_wipe(&history, sizeof(history));
	return 0;
}

static int write_scores(const struct pad *p, struct eg_err *err)
{
	const char *dir = p->options->out;
	FILE *file;
	int r = eval_create(dir, "scores.tsv", &file, err);

	if (r != 0)
		return r;
	fprintf(file, "#images\tlabel\tkind\tscore\treasons\tframes\tmodel_log_odds");
	for (int k = 0; k < EG_LIVE_CUES; k++)
		fprintf(file, "\t%s", eg_live_cue_names[k]);
	fprintf(file, "\n");
	for (size_t i = 0; i < p->list.count; i++) {
		const struct eval_line *line = &p->list.lines[i];

		fprintf(file, "%s\t%s\t%s\t", line->field[0], line->field[1], line->field[2]);
		if (isnan(p->one[i].score)) {
			fprintf(file, "no_face\n");
			continue;
		}
		fprintf(file, "%.9g\t%u\t%u\t%.6g", (double)p->one[i].score, p->result[i].reasons,
			p->result[i].frames, (double)p->mean[i].model);
		for (int k = 0; k < EG_LIVE_CUES; k++)
			fprintf(file, "\t%.6g", (double)p->mean[i].cue[k]);
		fprintf(file, "\n");
	}
	return eval_close(file, dir, "scores.tsv", err);
}

static int finish(const struct pad *p, struct eg_err *err)
{
	struct report report;
	struct json json;
	int r = pad_audit(&report, p->options, &p->list, p->one, p->faces, err);

	if (r != 0)
		return r;
	json_init(&json);
	r = pad_summary(&json, p->one, p->list.count, p->options->threshold, err);
	eval_groups_summary(&json, &report.groups, p->options->threshold, "bpcer", "apcer");
	json_open(&json, "pictures", '{');
	json_number(&json, "listed", (double)p->pictures);
	json_number(&json, "missing", (double)p->missing);
	json_number(&json, "without_face", (double)p->faceless);
	json_close(&json, '}');
	summary_models(&json, p->faces);
	if (r == 0)
		r = summary_write(&json, p->options->out, err);
	json_done(&json);
	if (r == 0 && p->options->report)
		r = pad_report(&report, err);
	report_done(&report);
	return r;
}

static int open_all(struct pad *p, struct eg_err *err)
{
	int r = eval_list_load(p->options->list, 3, 3, &p->list, err);

	if (r != 0 || (r = check(&p->list, err)) != 0 ||
	    (r = eval_faces_new(p->options->pack, true, false, &p->faces, err)) != 0 ||
	    (r = eg_pack_open(p->options->pack, 1u << EG_MODEL_LIVENESS, 1, &p->pack, err)) != 0)
		return r;
	p->one = eg_calloc(p->list.count, sizeof(*p->one));
	p->result = eg_calloc(p->list.count, sizeof(*p->result));
	p->mean = eg_calloc(p->list.count, sizeof(*p->mean));
	if (!p->one || !p->result || !p->mean)
		return eg_err_set(err, EG_ENOMEM, "out of memory");
	return eg_liveness_model_new(p->pack, &p->model, err);
}

static int none_there(const struct pad *p, struct eg_err *err)
{
	const struct eval_line *first = p->list.lines;

	return eg_err_set(err, EG_ENOENT,
			  "%s: line %zu: %s is not there%s; names are relative to the list's "
			  "folder or to where you stand",
			  p->list.path, first->number, first->field[0],
			  p->pictures > 1 ? ", nor is any other picture" : "");
}

int eval_pad(const struct eval_options *options, struct eg_err *err)
{
	struct pad p = {.options = options};
	int r = open_all(&p, err);

	for (size_t i = 0; r == 0 && i < p.list.count; i++) {
		r = present(&p, i, err);
		if (r == 0)
			eval_progress("pad", i + 1, p.list.count);
	}
	if (r == 0 && p.missing == p.pictures)
		r = none_there(&p, err);
	if (r == 0)
		r = write_scores(&p, err);
	if (r == 0)
		r = finish(&p, err);
	eg_liveness_model_free(p.model);
	eg_pack_free(p.pack);
	eg_image_done(&p.image);
	free(p.mean);
	free(p.result);
	free(p.one);
	eval_faces_free(p.faces);
	eval_list_done(&p.list);
	return r;
}
