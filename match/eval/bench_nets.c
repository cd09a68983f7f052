// SPDX-License-Identifier: Apache-2.0
//
// Each network of the pack on ONNX Runtime, as the booth runs it, beside OpenCV's DNN on the same
// file and the same numbers. That both compute the same is checked, so that neither wins by doing
// less.

#include "match/eval/bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "capture/pack_spec.h"
#include "drivers/image.h"
#include "firmware/base/file.h"
#include "firmware/base/mem.h"
#include "match/eval/bench_rivals.h"

#define PATH_SIZE 4096
#define OFF_MAX	  1e-2 // between the two libraries' outputs, as a part of the largest number

struct nets {
	struct eg_pack *pack;
	struct eg_pack_spec spec;
	struct eg_net *net; // the one being run
	struct eg_net_input size;
	struct eg_image input;
	float *planes; // the same picture as the model takes it
	struct bench_dnn *dnn;
};

static int once_ours(void *user)
{
	struct nets *n = user;
	int r = eg_net_feed(n->net, &n->input, NULL);

	return r == 0 ? eg_net_run(n->net, NULL) : r;
}

static int once_dnn(void *user)
{
	struct nets *n = user;

	return eg_bench_dnn_run(n->dnn, n->planes, n->size.channels, n->size.height, n->size.width);
}

static int draw(struct nets *n, const struct eg_model_spec *model)
{
	const int channels = n->size.channels;
	float *to;

	free(n->planes);
	n->planes = eg_calloc((size_t)(n->size.width * n->size.height * channels), sizeof(float));
	if (!n->planes || eg_image_resize(&n->input, n->size.width, n->size.height, channels) != 0)
		return -1;
	for (int y = 0; y < n->size.height; y++)
		for (int x = 0; x < n->size.width * channels; x++)
			n->input.data[(ptrdiff_t)y * n->input.stride + x] =
				(uint8_t)(64 + x / 2 % 64 + y % 97);
	to = n->planes;
	for (int plane = 0; plane < channels; plane++) {
		const int from = model->order == EG_ORDER_RGB ? 2 - plane : plane;

		for (int y = 0; y < n->size.height; y++)
			for (int x = 0; x < n->size.width; x++)
				*to++ = ((float)n->input.data[(ptrdiff_t)y * n->input.stride +
							      x * channels + from] -
					 model->mean[plane]) *
					model->scale[plane];
	}
	return 0;
}

// True when both libraries give the same numbers.
static bool same(struct nets *n, const struct eg_model_spec *model)
{
	const float *ours[EG_PACK_OUTPUTS_MAX];
	size_t counts[EG_PACK_OUTPUTS_MAX];
	double off;

	if (once_ours(n) != 0 || once_dnn(n) != 0)
		return false;
	for (size_t i = 0; i < model->output_count; i++)
		ours[i] = eg_net_output(n->net, i, &counts[i]);
	return eg_bench_dnn_off(n->dnn, ours, counts, &off) == 0 && off < OFF_MAX;
}

static void race(struct bench *bench, struct nets *n, enum eg_model_role role)
{
	const struct eg_model_spec *model = &n->spec.model[role];
	const struct bench_rival rivals[] = {{"onnxruntime", once_ours, n},
					     {"opencv_dnn", once_dnn, n}};
	const char *names[EG_PACK_OUTPUTS_MAX];
	char stage[32], path[PATH_SIZE];
	size_t count = 1;

	(void)snprintf(stage, sizeof(stage), "net_%s", eg_model_role_name(role));
	if (!bench_wants(bench, stage))
		return;
	n->net = eg_pack_net(n->pack, role);
	n->size = eg_net_input(n->net);
	for (size_t i = 0; i < model->output_count; i++)
		names[i] = model->output_name[i];
	(void)snprintf(path, sizeof(path), "%s/%s", bench->pack, model->file);
	n->dnn = eg_bench_dnn_new(path, names, model->output_count);
	if (draw(n, model) != 0) {
		bench->failed++;
	} else {
		if (n->dnn && same(n, model))
			count = 2;
		else
			fprintf(stderr, "eg-bench: OpenCV's DNN does not run %s as it is meant\n",
				model->file);
		bench_race(bench, stage, 0, rivals, count);
	}
	eg_bench_dnn_free(n->dnn);
	n->dnn = NULL;
}

static int open_pack(const struct bench *bench, struct nets *n, struct eg_err *err)
{
	char path[PATH_SIZE];
	struct eg_buf json;
	int r;

	if (!bench->pack)
		return eg_err_set(err, EG_ENOENT, "--pack is wanted (or EGRESS_PACK)");
	(void)snprintf(path, sizeof(path), "%s/pack.json", bench->pack);
	eg_buf_init(&json, 1u << 20);
	r = eg_file_read(path, &json, err);
	if (r == 0)
		r = eg_pack_spec_parse(eg_buf_bytes(&json), &n->spec, err);
	if (r == 0)
		r = eg_pack_open(bench->pack, (1u << EG_MODEL_COUNT) - 1, 1, &n->pack, err);
	eg_buf_done(&json);
	return r;
}

void bench_nets(struct bench *bench)
{
	static const char *const stages[] = {"net_detect",  "net_landmark",
					     "net_feature", "net_liveness",
					     "net_pose",    "net_eye",
					     NULL};
	struct eg_err err = EG_ERR_INIT;
	struct nets *n;

	if (!bench_group(bench, stages))
		return;
	n = eg_calloc(1, sizeof(*n));
	if (!n || open_pack(bench, n, &err) != 0) {
		fprintf(stderr, "eg-bench: %s\n", n ? err.text : "out of memory");
		bench->failed++;
	} else {
		for (int role = 0; role < EG_MODEL_COUNT; role++)
			race(bench, n, (enum eg_model_role)role);
	}
	if (n) {
		eg_pack_free(n->pack);
		eg_image_done(&n->input);
		free(n->planes);
	}
	free(n);
}
