// SPDX-License-Identifier: Apache-2.0
//
// The liveness model sees a wide crop, 2.7 times the face, since the edge of a sheet or a device is
// half of what it goes by. The crop keeps inside the picture as in training: it is shifted, then
// shrunk, never padded. One frame proves little (design.md §4), so a track's evidence is the mean
// of its last five.
//
// Thread: one.

#include "capture/liveness.h"

#include <math.h>
#include <stdlib.h>

#include "capture/box.h"
#include "firmware/base/mem.h"

#define GROW	     2.7f
#define ATTACK_BELOW 0.5f
#define UNSTEADY     0.8f // between the best and the worst of five frames

struct eg_liveness_model {
	struct eg_net *net;
	struct eg_image scratch, crop;
};

int eg_liveness_model_new(struct eg_pack *pack, struct eg_liveness_model **ret_model,
			  struct eg_err *err)
{
	struct eg_liveness_model *m = eg_calloc(1, sizeof(*m));
	struct eg_net_input in;
	int r;

	if (!m)
		return eg_err_set(err, EG_ENOMEM, "out of memory");
	m->net = eg_pack_net(pack, EG_MODEL_LIVENESS);
	in = eg_net_input(m->net);
	r = in.channels == 3 ? eg_image_init(&m->crop, in.width, in.height, 3) : EG_EUNSUPPORTED;
	if (r != 0) {
		(void)eg_err_set(err, r,
				 r == EG_ENOMEM
					 ? "out of memory"
					 : "the liveness model's input must be a colour picture");
		eg_liveness_model_free(m);
		return r;
	}
	*ret_model = m;
	return 0;
}

void eg_liveness_model_free(struct eg_liveness_model *m)
{
	if (!m)
		return;
	eg_image_done(&m->scratch);
	eg_image_done(&m->crop);
	free(m);
}

static struct eg_box wide_crop(const struct eg_image *image, struct eg_box face)
{
	const float width = (float)image->width, height = (float)image->height;
	float grow = fminf(GROW, fminf((width - 1) / face.width, (height - 1) / face.height));
	struct eg_box b = eg_box_grown(face, grow);

	b.x = fmaxf(0, fminf(b.x, width - b.width));
	b.y = fmaxf(0, fminf(b.y, height - b.height));
	return b;
}

int eg_liveness_model_run(struct eg_liveness_model *m, const struct eg_image *image,
			  struct eg_box face, float *ret_score, struct eg_err *err)
{
	struct eg_affine map = eg_sample_box(wide_crop(image, face), m->crop.width, m->crop.height);
	const float *logit;
	double sum = 0, score;
	size_t classes;
	int r;

	r = eg_sample(image, &map, EG_BORDER_EDGE, &m->scratch, &m->crop);
	if (r != 0)
		return eg_err_set(err, r, "a face could not be cut out of the picture");
	r = eg_net_feed(m->net, &m->crop, err);
	if (r == 0)
		r = eg_net_run(m->net, err);
	if (r != 0)
		return r;
	logit = eg_net_output(m->net, 0, &classes);
	for (size_t i = 0; i < classes; i++)
		sum += exp((double)logit[i] - (double)logit[0]);
	score = 1 / sum;
	if (!(score >= 0 && score <= 1))
		return eg_err_set(err, EG_EFOREIGN, "the liveness model gave no number");
	*ret_score = (float)score;
	return 0;
}

void eg_liveness_add(struct eg_liveness_history *h, float score, int64_t now_ns)
{
	h->score[h->count++ % EG_LIVENESS_FRAMES] = score;
	h->last_ns = now_ns;
}

bool eg_liveness_due(const struct eg_liveness_history *h, int64_t now_ns)
{
	return h->count == 0 || now_ns - h->last_ns >= EG_LIVENESS_GAP_MS * 1000000LL;
}

struct eg_liveness eg_liveness_of(const struct eg_liveness_history *h)
{
	struct eg_liveness l = {.score = NAN};
	float sum = 0, low = 1, high = 0;

	l.frames = h->count < EG_LIVENESS_FRAMES ? h->count : EG_LIVENESS_FRAMES;
	if (l.frames == 0)
		return l;
	for (uint32_t i = 0; i < l.frames; i++) {
		sum += h->score[i];
		low = fminf(low, h->score[i]);
		high = fmaxf(high, h->score[i]);
	}
	l.score = sum / (float)l.frames;
	if (l.score < ATTACK_BELOW)
		l.reasons |= EG_LIVENESS_MODEL;
	if (high - low > UNSTEADY)
		l.reasons |= EG_LIVENESS_UNSTEADY;
	return l;
}
