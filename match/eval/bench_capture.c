// SPDX-License-Identifier: Apache-2.0
//
// The picture's stages, on the demo's first photo and on a grey 1280×720 frame.

#include "match/eval/bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "capture/sample.h"
#include "drivers/codec.h"
#include "firmware/base/file.h"
#include "firmware/base/mem.h"
#include "match/template.h"

#define FACES_MAX 16

struct pictures {
	struct eg_pack *pack;
	struct eg_capture *capture;
	struct eg_extractor *extractor;
	struct eg_buf jpeg;
	struct eg_image image, bgr, aligned;
	struct eg_frame_pool *pool;
	struct eg_frame *frame;
	struct eg_face face[FACES_MAX];
	size_t faces;
	struct eg_template template;
};

static int once_decode(void *user)
{
	struct pictures *p = user;

	return eg_codec_decode(eg_buf_bytes(&p->jpeg), EG_CODEC_LIMITS_BOOTH, &p->image, NULL);
}

static int once_bgr(void *user)
{
	struct pictures *p = user;

	return eg_sample_nv12(p->frame, &p->bgr);
}

static int once_still(void *user)
{
	struct pictures *p = user;

	return eg_capture_still(p->capture, &p->image, p->face, FACES_MAX, &p->faces, NULL);
}

static int once_align(void *user)
{
	struct pictures *p = user;

	return eg_align(&p->image, &p->face[0], &p->aligned);
}

static int once_extract(void *user)
{
	struct pictures *p = user;

	return eg_extractor_run(p->extractor, &p->aligned, &p->template, NULL);
}

static int once_careful(void *user)
{
	struct pictures *p = user;

	return eg_extractor_run_careful(p->extractor, &p->image, &p->face[0], &p->template, NULL);
}

static int open_all(struct bench *bench, struct pictures *p, struct eg_err *err)
{
	struct eg_capture_config config = eg_capture_defaults;
	unsigned int roles =
		1u << EG_MODEL_DETECT | 1u << EG_MODEL_LANDMARK | 1u << EG_MODEL_FEATURE;
	uint8_t *plane[2];
	char *path = NULL;
	int r;

	if (!bench->pack || !bench->faces)
		return eg_err_set(err, EG_ENOENT,
				  "--pack and --faces are wanted (or EGRESS_PACK "
				  "and EGRESS_FACES)");
	if (asprintf(&path, "%s/sample1.jpg", bench->faces) < 0)
		return eg_err_set(err, EG_ENOMEM, "out of memory");
	config.liveness = false;
	if ((r = eg_file_read(path, &p->jpeg, err)) == 0 &&
	    (r = eg_pack_open(bench->pack, roles, 1, &p->pack, err)) == 0 &&
	    (r = eg_capture_new(&config, p->pack, &p->capture, err)) == 0 &&
	    (r = eg_extractor_new(p->pack, &p->extractor, err)) == 0)
		r = eg_frame_pool_new(1, 1280, 720, NULL, &p->pool, err);
	free(path);
	if (r != 0)
		return r;
	p->frame = eg_frame_pool_take(p->pool, plane);
	if (!p->frame)
		return eg_err_set(err, EG_ENOMEM, "no frame");
	for (int y = 0; y < 720; y++)
		memset(plane[0] + (ptrdiff_t)y * p->frame->stride[0], y & 0xff, 1280);
	for (int y = 0; y < 360; y++)
		memset(plane[1] + (ptrdiff_t)y * p->frame->stride[1], 128, 1280);
	if (once_decode(p) != 0 || once_still(p) != 0 || p->faces == 0 || once_align(p) != 0)
		return eg_err_set(err, EG_EINVAL, "%s/sample1.jpg shows no face", bench->faces);
	return 0;
}

void bench_capture(struct bench *bench)
{
	static const char *const stages[] = {"decode",	"nv12_to_bgr",	   "still", "align",
					     "extract", "extract_careful", NULL};
	struct pictures *p = NULL;
	struct eg_err err = EG_ERR_INIT;

	if (!bench_group(bench, stages))
		return;
	p = eg_calloc(1, sizeof(*p));
	if (!p) {
		bench->failed++;
		return;
	}
	eg_buf_init(&p->jpeg, 4u << 20);
	if (open_all(bench, p, &err) != 0) {
		fprintf(stderr, "eg-bench: %s\n", err.text);
		bench->failed++;
	} else {
		bench_stage(bench, "decode", NULL, 0, once_decode, p);
		bench_stage(bench, "nv12_to_bgr", NULL, 0, once_bgr, p);
		bench_stage(bench, "still", NULL, p->faces, once_still, p);
		bench_stage(bench, "align", NULL, 0, once_align, p);
		bench_stage(bench, "extract", NULL, 0, once_extract, p);
		bench_stage(bench, "extract_careful", NULL, 0, once_careful, p);
	}
	eg_frame_unref(p->frame);
	eg_frame_pool_free(p->pool);
	eg_extractor_free(p->extractor);
	eg_capture_free(p->capture);
	eg_pack_free(p->pack);
	eg_image_done(&p->aligned);
	eg_image_done(&p->bgr);
	eg_image_done(&p->image);
	eg_buf_done(&p->jpeg);
	eg_template_wipe(&p->template);
	free(p);
}
