// SPDX-License-Identifier: Apache-2.0
//
// The picture's stages, on the demo's first photo, and whole frames of 1280×720: empty,
// and with the photo's people in the zone, without and with liveness (ten looks a second each).

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
#define WIDTH	  1280
#define HEIGHT	  720

// A camera's frame that comes again and again, 33 ms later each time.
struct clip {
	struct eg_capture *capture;
	struct eg_frame_pool *pool;
	struct eg_frame *frame;
};

struct pictures {
	struct eg_pack *pack;
	struct eg_capture *capture;
	struct eg_extractor *extractor;
	struct eg_buf jpeg;
	struct eg_image image, bgr, aligned;
	struct clip empty, people, alive;
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

	return eg_sample_nv12(p->empty.frame, &p->bgr);
}

static int once_frame(void *user)
{
	struct clip *clip = user;

	clip->frame->captured_ns += 33333333;
	return eg_capture_frame(clip->capture, clip->frame, NULL);
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

// The picture in grey as a frame of 1280×720; NULL: a smooth ground.
static int open_clip(struct clip *clip, struct eg_pack *pack, bool liveness,
		     const struct eg_image *picture, struct eg_err *err)
{
	struct eg_capture_config config = eg_capture_defaults;
	struct eg_image scaled = {0}, scratch = {0};
	uint8_t *plane[2];
	int r;

	config.liveness = liveness;
	config.zone = (struct eg_zone){0, 0, 1, 1};
	if ((r = eg_capture_new(&config, pack, &clip->capture, err)) != 0 ||
	    (r = eg_frame_pool_new(1, WIDTH, HEIGHT, NULL, &clip->pool, err)) != 0)
		return r;
	clip->frame = eg_frame_pool_take(clip->pool, plane);
	if (!clip->frame || eg_image_init(&scaled, WIDTH, HEIGHT, 3) != 0)
		return eg_err_set(err, EG_ENOMEM, "no frame");
	for (int y = 0; y < HEIGHT; y++)
		memset(scaled.data + (ptrdiff_t)y * scaled.stride, 60 + y / 8, 3 * WIDTH);
	if (picture) {
		const float width = (float)picture->height * WIDTH / HEIGHT;
		const struct eg_box box = {((float)picture->width - width) / 2, 0, width,
					   (float)picture->height};
		struct eg_affine map = eg_sample_box(box, WIDTH, HEIGHT);

		r = eg_sample(picture, &map, EG_BORDER_GREY, &scratch, &scaled);
	}
	for (int y = 0; y < HEIGHT; y++)
		for (int x = 0; x < WIDTH; x++)
			plane[0][(ptrdiff_t)y * clip->frame->stride[0] + x] =
				scaled.data[(ptrdiff_t)y * scaled.stride + 3 * x + 1];
	for (int y = 0; y < HEIGHT / 2; y++)
		memset(plane[1] + (ptrdiff_t)y * clip->frame->stride[1], 128, WIDTH);
	eg_image_done(&scratch);
	eg_image_done(&scaled);
	return r == 0 ? 0 : eg_err_set(err, r, "a frame could not be drawn");
}

static void close_clip(struct clip *clip)
{
	eg_frame_unref(clip->frame);
	eg_frame_pool_free(clip->pool);
	eg_capture_free(clip->capture);
}

static int open_all(struct bench *bench, struct pictures *p, struct eg_err *err)
{
	struct eg_capture_config config = eg_capture_defaults;
	unsigned int roles = 1u << EG_MODEL_DETECT | 1u << EG_MODEL_LANDMARK |
			     1u << EG_MODEL_FEATURE | 1u << EG_MODEL_LIVENESS;
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
	    (r = eg_capture_new(&config, p->pack, &p->capture, err)) == 0)
		r = eg_extractor_new(p->pack, &p->extractor, err);
	free(path);
	if (r != 0)
		return r;
	if (once_decode(p) != 0 || once_still(p) != 0 || p->faces == 0 || once_align(p) != 0)
		return eg_err_set(err, EG_EINVAL, "%s/sample1.jpg shows no face", bench->faces);
	if ((r = open_clip(&p->empty, p->pack, false, NULL, err)) == 0 &&
	    (r = open_clip(&p->people, p->pack, false, &p->image, err)) == 0)
		r = open_clip(&p->alive, p->pack, true, &p->image, err);
	return r;
}

void bench_capture(struct bench *bench)
{
	static const char *const stages[] = {"decode",	    "nv12_to_bgr", "still",
					     "align",	    "extract",	   "extract_careful",
					     "frame_empty", "frame",	   "frame_liveness",
					     NULL};
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
		bench_stage(bench, "frame_empty", NULL, 0, once_frame, &p->empty);
		bench_stage(bench, "frame", NULL, p->faces, once_frame, &p->people);
		bench_stage(bench, "frame_liveness", NULL, p->faces, once_frame, &p->alive);
	}
	close_clip(&p->empty);
	close_clip(&p->people);
	close_clip(&p->alive);
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
