// SPDX-License-Identifier: Apache-2.0
//
// eg-attacks: simulated presentations for eg-eval pad, drawn from portraits. Desk only.

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "drivers/codec.h"
#include "firmware/base/crypto.h"
#include "firmware/base/file.h"
#include "firmware/base/log.h"
#include "match/eval/camera.h"
#include "match/eval/list.h"
#include "match/eval/scene.h"

#define FRAMES	     5
#define STILL_FRAMES 3

static const char usage_text[] =
	"usage: eg-attacks PORTRAITS.tsv --out DIR [--seed N]\n"
	"       eg-attacks --retake PAD.tsv --out DIR [--seed N]\n"
	"\n"
	"Draws, from each portrait of the list (image[<TAB>person]), a presentation on paper, one\n"
	"on a screen and one on a phone, of five frames, into DIR, with DIR/pad.tsv for eg-eval\n"
	"pad. SIMULATED: every figure made from them has to say so.\n"
	"With --retake, takes each presentation of a list for eg-eval pad again with another\n"
	"camera, drawn by lot: real live pictures and drawn attacks then differ in what was\n"
	"presented only. A single picture becomes three frames.\n"
	"Faces are written: DIR belongs where git does not look.\n";

struct attacks {
	const char *out;
	uint64_t seed;
	struct eval_list list;
	struct eg_image portrait, frame;
	bool retake;
	struct eg_buf jpeg;
	FILE *pad;
};

static int write_frame(struct attacks *a, const char *name, int quality, struct eg_err *err)
{
	char *path = NULL;
	int r;

	eg_buf_reset(&a->jpeg);
	r = eg_codec_encode_jpeg(&a->frame, quality, &a->jpeg, err);
	if (r != 0)
		return r;
	if (asprintf(&path, "%s/%s", a->out, name) < 0)
		return eg_err_set(err, EG_ENOMEM, "out of memory");
	r = eg_file_write(path, eg_buf_bytes(&a->jpeg), 0644, err);
	free(path);
	return r;
}

static int present(struct attacks *a, size_t line, enum scene_kind kind, struct eg_err *err)
{
	struct scene *scene = NULL;
	char name[64];
	int r = scene_new(kind, a->seed + line, &scene, err);

	for (int i = 0; r == 0 && i < FRAMES; i++) {
		r = scene_frame(scene, &a->portrait, &a->frame);
		if (r != 0) {
			(void)eg_err_set(err, r, "out of memory");
			break;
		}
		(void)snprintf(name, sizeof(name), "sim_%s_%04zu_%d.jpg", scene_names[kind], line,
			       i); // the portrait's place in the list
		r = write_frame(a, name, 92, err);
		fprintf(a->pad, "%s%s", i ? "," : "", name);
	}
	if (r == 0)
		fprintf(a->pad, "\tattack\tsim_%s\n", scene_names[kind]);
	scene_free(scene);
	return r;
}

static int load(struct attacks *a, const char *image, struct eg_err *err)
{
	char *path = NULL;
	int r;

	if (asprintf(&path, "%s/%s", *image == '/' ? "" : a->list.folder, image) < 0)
		return eg_err_set(err, EG_ENOMEM, "out of memory");
	r = eg_codec_load_desk(path, &a->portrait, err);
	free(path);
	return r;
}

static int draw_one(struct attacks *a, size_t line, struct eg_err *err)
{
	int r = load(a, a->list.lines[line].field[0], err);

	for (int kind = 0; r == 0 && kind < SCENE_COUNT; kind++)
		r = present(a, line, (enum scene_kind)kind, err);
	return r;
}

// Images of one presentation, one camera for all of them.
static int retake_one(struct attacks *a, size_t line, struct eg_err *err)
{
	const struct eval_line *l = &a->list.lines[line];
	const int times = strchr(l->field[0], ',') ? 1 : STILL_FRAMES;
	char *rest = l->field[0], *image, name[64];
	struct camera camera;
	int r = 0, n = 0;

	camera_init(&camera, a->seed + line);
	while (r == 0 && (image = strsep(&rest, ",")) != NULL) {
		r = load(a, image, err);
		for (int i = 0; r == 0 && i < times; i++) {
			if (camera_take(&camera, &a->portrait, &a->frame) != 0)
				r = eg_err_set(err, EG_ENOMEM, "out of memory");
			(void)snprintf(name, sizeof(name), "retaken_%05zu_%d.jpg", line, n);
			if (r == 0)
				r = write_frame(a, name, camera.quality, err);
			fprintf(a->pad, "%s%s", n++ > 0 ? "," : "", name);
		}
	}
	fprintf(a->pad, "\t%s\t%s\n", l->field[1], l->field[2]);
	camera_done(&camera);
	return r;
}

static int draw_all(struct attacks *a, const char *list, struct eg_err *err)
{
	char *path = NULL;
	int r = eval_list_load(list, a->retake ? 3 : 1, a->retake ? 3 : 2, &a->list, err);

	if (r != 0 || (r = eg_dir_make(a->out, 0755, err)) != 0)
		return r;
	if (asprintf(&path, "%s/pad.tsv", a->out) < 0)
		return eg_err_set(err, EG_ENOMEM, "out of memory");
	a->pad = fopen(path, "we");
	free(path);
	if (!a->pad)
		return eg_err_set(err, EG_EIO, "%s/pad.tsv cannot be written", a->out);
	fprintf(a->pad, "# SIMULATED presentations drawn by eg-attacks\n");
	for (size_t i = 0; r == 0 && i < a->list.count; i++) {
		r = a->retake ? retake_one(a, i, err) : draw_one(a, i, err);
		if ((i + 1) % 10 == 0 || i + 1 == a->list.count)
			fprintf(stderr, "eg-attacks: %zu of %zu\n", i + 1, a->list.count);
	}
	if (fclose(a->pad) != 0 && r == 0)
		r = eg_err_set(err, EG_EIO, "%s/pad.tsv could not be written; is the disk full?",
			       a->out);
	return r;
}

int main(int argc, char **argv)
{
	static const struct option table[] = {{"out", required_argument, NULL, 'o'},
					      {"seed", required_argument, NULL, 's'},
					      {"retake", no_argument, NULL, 'r'},
					      {"help", no_argument, NULL, 'h'},
					      {0}};
	struct attacks a = {.seed = 1000};
	struct eg_err err = EG_ERR_INIT;
	char *end = NULL;
	int c, r;

	while ((c = getopt_long(argc, argv, "h", table, NULL)) != -1) {
		switch (c) {
		case 'o':
			a.out = optarg;
			break;
		case 'r':
			a.retake = true;
			break;
		case 's':
			a.seed = strtoull(optarg, &end, 10);
			break;
		case 'h':
			fputs(usage_text, stdout);
			return 0;
		default:
			a.out = NULL;
			optind = argc;
			break;
		}
	}
	if (!a.out || argc - optind != 1 || (end && *end)) {
		fputs("eg-attacks: a list and --out DIR are wanted; see eg-attacks --help\n",
		      stderr);
		return 2;
	}
	eg_log_init("eg-attacks", EG_LOG_INFO);
	eg_buf_init(&a.jpeg, 8u << 20);
	r = eg_crypto_init(&err);
	if (r == 0)
		r = draw_all(&a, argv[optind], &err);
	if (r != 0)
		fprintf(stderr, "eg-attacks: %s\n", err.text);
	eg_image_done(&a.portrait);
	eg_image_done(&a.frame);
	eg_buf_done(&a.jpeg);
	eval_list_done(&a.list);
	return r != 0;
}
