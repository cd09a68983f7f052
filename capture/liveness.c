// SPDX-License-Identifier: Apache-2.0
//
// The liveness model sees a wide crop, 2.7 times the face, since the edge of a sheet or a device is
// half of what it goes by. The crop keeps inside the picture as in training: it is shifted, then
// shrunk, never padded. One frame proves little (design.md §4), and the next one, nearly the same,
// little more; so every other look is mirrored, which costs nothing and did no harm on real live
// faces. Log odds are averaged, not probabilities, which stick to 0 and 1.
//
// Thread: one.

#include "capture/liveness.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

#include "capture/box.h"
#include "firmware/base/mem.h"

#define ATTACK_BELOW 0.5f
#define UNSTEADY     0.8f // between the best and the worst of five looks' probabilities

#define GROW 2.7f

// The third class never won on any picture we have, so it must have been rare in training; yet it
// rises on screens. In a booth it is no rarer than the second: its prior is put right.
#define RARE 4.0

// score = 1 / (1 + exp(−z)), z = BIAS + MODEL · mean log odds − Σ min(weight · (cue − from), most).
// Chosen on real live faces (LFW, London, walking clips) against drawn attacks; taken again by
// other cameras, match/eval/liveness-trial finds none that are better by more than chance. `from`
// lies beyond what real live faces show, and `most` bounds what one cue can do, since the attacks
// were simulated: a border alone, which may be a door, refers nobody whom the model likes. BIAS
// puts 0.5, the booth's default, where 1 % of the real live faces are referred; it does not change
// the order.
#define BIAS  2.1f
#define MODEL 0.3f

static const struct weight {
	float from, weight, most;
	float reason_at; // that much of z makes it a reason
	uint32_t reason;
} weights[EG_LIVE_CUES] = {
	[EG_LIVE_PEAK] = {3.4f, 1, 4, 0.5f, EG_LIVENESS_MOIRE},
	[EG_LIVE_BORDER] = {0.85f, 12, 1.8f, 1, EG_LIVENESS_BORDER},
	[EG_LIVE_GLARE] = {0.02f, 4, 1, 0.2f, EG_LIVENESS_SPECULAR},
};

const char *eg_liveness_reason_name(unsigned int bit)
{
	static const char *const names[EG_LIVENESS_REASONS] = {"model",	   "moire",  "border",
							       "specular", "motion", "unsteady"};

	assert(bit < EG_LIVENESS_REASONS);
	return names[bit];
}

struct eg_liveness_model {
	struct eg_net *net;
	struct eg_image scratch, crop;
	struct eg_live_scratch cues;
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
	if (r == 0)
		r = eg_live_scratch_init(&m->cues);
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
	eg_live_scratch_done(&m->cues);
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

static int run_model(struct eg_liveness_model *m, const struct eg_image *image, struct eg_box face,
		     bool mirrored, float *ret_odds, struct eg_err *err)
{
	struct eg_affine map = eg_sample_box(wide_crop(image, face), m->crop.width, m->crop.height);
	const float *logit;
	double others = 0, odds;
	size_t classes;
	int r;

	if (mirrored) {
		map.m[2] += map.m[0] * (m->crop.width - 1);
		map.m[0] = -map.m[0];
	}
	r = eg_sample(image, &map, EG_BORDER_EDGE, &m->scratch, &m->crop);
	if (r != 0)
		return eg_err_set(err, r, "a face could not be cut out of the picture");
	r = eg_net_feed(m->net, &m->crop, err);
	if (r == 0)
		r = eg_net_run(m->net, err);
	if (r != 0)
		return r;
	logit = eg_net_output(m->net, 0, &classes);
	for (size_t i = 1; i < classes; i++)
		others += exp((double)logit[i] - (double)logit[0] + (i > 1 ? RARE : 0));
	odds = -log(others);
	if (isnan(odds))
		return eg_err_set(err, EG_EFOREIGN, "the liveness model gave no number");
	*ret_odds = (float)fmax(-(double)EG_LIVENESS_ODDS_MAX,
				fmin(odds, (double)EG_LIVENESS_ODDS_MAX));
	return 0;
}

int eg_liveness_look(struct eg_liveness_model *m, const struct eg_image *image, struct eg_box face,
		     struct eg_liveness_history *h, int64_t now_ns, struct eg_err *err)
{
	struct eg_liveness_look look = {0};
	float *cue = look.cue;
	int r = run_model(m, image, face, h->count % 2 == 1, &look.model, err);

	if (r != 0)
		return r;
	cue[EG_LIVE_PEAK] = eg_live_peak(image, face, &m->cues);
	if ((r = eg_live_border(image, face, &m->cues, &cue[EG_LIVE_BORDER])) != 0 ||
	    (r = eg_live_glare(image, face, &m->cues, &cue[EG_LIVE_GLARE])) != 0)
		return eg_err_set(err, r, "a face's surroundings could not be looked at");
	eg_liveness_add(h, &look, now_ns);
	return 0;
}

void eg_liveness_add(struct eg_liveness_history *h, const struct eg_liveness_look *look,
		     int64_t now_ns)
{
	h->look[h->count++ % EG_LIVENESS_FRAMES] = *look;
	h->last_ns = now_ns;
}

bool eg_liveness_due(const struct eg_liveness_history *h, int64_t now_ns)
{
	return h->count == 0 || now_ns - h->last_ns >= EG_LIVENESS_GAP_MS * 1000000LL;
}

static uint32_t looks_of(const struct eg_liveness_history *h)
{
	return h->count < EG_LIVENESS_FRAMES ? h->count : EG_LIVENESS_FRAMES;
}

static float probability(float odds)
{
	return 1 / (1 + expf(-odds));
}

struct eg_liveness_look eg_liveness_mean(const struct eg_liveness_history *h)
{
	const uint32_t n = looks_of(h);
	struct eg_liveness_look mean = {0};

	for (uint32_t i = 0; i < n; i++) {
		mean.model += h->look[i].model / (float)n;
		for (int k = 0; k < EG_LIVE_CUES; k++)
			mean.cue[k] += h->look[i].cue[k] / (float)n;
	}
	return mean;
}

static bool unsteady(const struct eg_liveness_history *h)
{
	float low = 1, high = 0;

	for (uint32_t i = 0; i < looks_of(h); i++) {
		low = fminf(low, probability(h->look[i].model));
		high = fmaxf(high, probability(h->look[i].model));
	}
	return high - low > UNSTEADY;
}

struct eg_liveness eg_liveness_of(const struct eg_liveness_history *h)
{
	const struct eg_liveness_look mean = eg_liveness_mean(h);
	struct eg_liveness l = {.score = NAN, .frames = looks_of(h)};
	float z = BIAS + MODEL * mean.model;

	if (l.frames == 0)
		return l;
	if (probability(z) < ATTACK_BELOW)
		l.reasons |= EG_LIVENESS_MODEL;
	for (int k = 0; k < EG_LIVE_CUES; k++) {
		const struct weight *w = &weights[k];
		float part = fminf(w->weight * fmaxf(mean.cue[k] - w->from, 0), w->most);

		z -= part;
		if (part > w->reason_at)
			l.reasons |= w->reason;
	}
	if (unsteady(h))
		l.reasons |= EG_LIVENESS_UNSTEADY;
	l.score = probability(z);
	return l;
}
