// SPDX-License-Identifier: Apache-2.0
//
// From an aligned face to its template, on the pack's recogniser. The network sees the face and its
// mirror image; the direction of their sum is the template's, and its length says how strong a face
// the network saw (template.h).

#include "match/template.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "firmware/base/mem.h"

struct eg_extractor {
	struct eg_net *net; // the pack's
	uint8_t model[EG_SHA256_SIZE];
	struct eg_pack_length length;
	struct eg_image mirrored;
	struct eg_image aligned; // of the careful warps
};

int eg_extractor_new(struct eg_pack *pack, struct eg_extractor **ret_extractor, struct eg_err *err)
{
	struct eg_net *net = eg_pack_net(pack, EG_MODEL_FEATURE);
	const uint8_t *digest = eg_pack_model_digest(pack, EG_MODEL_FEATURE);
	struct eg_extractor *x;
	struct eg_net_input input;
	int r;

	if (!net || !digest)
		return eg_err_set(err, EG_ENOENT,
				  "extractor: the model pack was opened without its recogniser");
	input = eg_net_input(net);
	if (input.width != EG_ALIGNED_SIDE || input.height != EG_ALIGNED_SIDE ||
	    input.channels != 3)
		return eg_err_set(err, EG_EUNSUPPORTED,
				  "extractor: the recogniser wants %d×%d×%d pixels, only "
				  "112×112×3 is supported",
				  input.width, input.height, input.channels);
	x = eg_calloc(1, sizeof(*x));
	if (!x)
		return eg_err_set(err, EG_ENOMEM, "extractor: out of memory");
	x->net = net;
	memcpy(x->model, digest, sizeof(x->model));
	x->length = eg_pack_calibration_length(pack);
	r = eg_image_init(&x->mirrored, EG_ALIGNED_SIDE, EG_ALIGNED_SIDE, 3);
	if (r == 0)
		r = eg_image_init(&x->aligned, EG_ALIGNED_SIDE, EG_ALIGNED_SIDE, 3);
	if (r != 0) {
		eg_extractor_free(x);
		return eg_err_set(err, r, "extractor: out of memory");
	}
	*ret_extractor = x;
	return 0;
}

void eg_extractor_free(struct eg_extractor *extractor)
{
	if (!extractor)
		return;
	eg_image_done(&extractor->aligned);
	eg_image_done(&extractor->mirrored);
	free(extractor);
}

static void mirror(const struct eg_image *from, struct eg_image *to)
{
	for (int y = 0; y < from->height; y++) {
		const uint8_t *in = from->data + (ptrdiff_t)y * from->stride;
		uint8_t *out = to->data + (ptrdiff_t)y * to->stride + 3 * (from->width - 1);

		for (int x = 0; x < from->width; x++, in += 3, out -= 3)
			memcpy(out, in, 3);
	}
}

// Adds the network's answer to `image`, as it comes, to `sum`.
static int add_output(struct eg_extractor *x, const struct eg_image *image,
		      double sum[EG_TEMPLATE_SIZE], struct eg_err *err)
{
	const float *output;
	size_t count = 0;
	int r;

	if ((r = eg_net_feed(x->net, image, err)) != 0 || (r = eg_net_run(x->net, err)) != 0)
		return eg_err_prefix(err, r, "extractor");
	output = eg_net_output(x->net, 0, &count);
	if (!output || count != EG_TEMPLATE_SIZE)
		return eg_err_set(err, EG_EUNSUPPORTED,
				  "extractor: the recogniser gives %zu values, only %d are "
				  "supported",
				  count, EG_TEMPLATE_SIZE);
	for (size_t k = 0; k < EG_TEMPLATE_SIZE; k++)
		sum[k] += (double)output[k];
	return 0;
}

// The template's length, from that of one answer of the network.
static double length_for(const struct eg_extractor *x, double answer)
{
	const struct eg_pack_length *l = &x->length;

	return l->power > 0 ? pow(l->weak / fmin(fmax(answer, l->weak), l->strong), l->power) : 1;
}

// Face and mirror image as one vector.
int eg_extractor_run(struct eg_extractor *extractor, const struct eg_image *aligned,
		     struct eg_template *ret_template, struct eg_err *err)
{
	double sum[EG_TEMPLATE_SIZE] = {0};
	double length = 0, factor;
	int r;

	if (aligned->width != EG_ALIGNED_SIDE || aligned->height != EG_ALIGNED_SIDE ||
	    aligned->channels != 3)
		return eg_err_set(err, EG_EINVAL,
				  "extractor: the aligned face is %d×%d×%d, it must be 112×112×3",
				  aligned->width, aligned->height, aligned->channels);
	mirror(aligned, &extractor->mirrored);
	if ((r = add_output(extractor, aligned, sum, err)) != 0 ||
	    (r = add_output(extractor, &extractor->mirrored, sum, err)) != 0)
		goto out;
	for (size_t k = 0; k < EG_TEMPLATE_SIZE; k++)
		length += sum[k] * sum[k];
	length = sqrt(length);
	if (!isfinite(length) || length < 1e-6) {
		r = eg_err_set(err, EG_EFOREIGN,
			       "extractor: the recogniser's answer has no finite length");
		goto out;
	}
	factor = length_for(extractor, length / 2) / length; // a mean of two answers
	for (size_t k = 0; k < EG_TEMPLATE_SIZE; k++)
		ret_template->value[k] = (float)(sum[k] * factor);
	memcpy(ret_template->model, extractor->model, sizeof(ret_template->model));
out:
	eg_wipe(sum, sizeof(sum));
	return r;
}

// The warps of eg_extractor_run_careful: a shift as a part of the distance between the eyes, and a
// scale about the centre of the landmarks.
static const struct {
	float dx, dy, scale;
} warps[] = {
	{0.00f, 0.00f, 1.00f},	{0.04f, 0.04f, 1.00f},	{-0.04f, 0.04f, 1.00f},
	{0.00f, -0.04f, 1.04f}, {0.00f, -0.04f, 0.96f},
};
#define WARPS (sizeof(warps) / sizeof(warps[0]))

static struct eg_point mean_point(const struct eg_point *points, size_t count)
{
	struct eg_point mean = {0, 0};

	for (size_t i = 0; i < count; i++) {
		mean.x += points[i].x / (float)count;
		mean.y += points[i].y / (float)count;
	}
	return mean;
}

// Aligning maps landmarks onto fixed points, so moving the landmarks moves the crop.
static void move_landmarks(const struct eg_face *face, size_t warp, struct eg_face *moved)
{
	struct eg_point left = mean_point(face->landmark + 36, 6);
	struct eg_point right = mean_point(face->landmark + 42, 6);
	struct eg_point centre = mean_point(face->landmark, EG_LANDMARKS);
	float eyes = hypotf(right.x - left.x, right.y - left.y);

	*moved = *face;
	for (size_t i = 0; i < EG_LANDMARKS; i++) {
		const struct eg_point *from = &face->landmark[i];
		float scale = warps[warp].scale;

		moved->landmark[i].x =
			centre.x + scale * (from->x - centre.x) + warps[warp].dx * eyes;
		moved->landmark[i].y =
			centre.y + scale * (from->y - centre.y) + warps[warp].dy * eyes;
	}
}

int eg_extractor_run_careful(struct eg_extractor *extractor, const struct eg_image *image,
			     const struct eg_face *face, struct eg_template *ret_template,
			     struct eg_err *err)
{
	struct eg_template each[WARPS];
	const struct eg_template *list[WARPS];
	struct eg_face moved;
	int r = 0;

	if (!face->has_landmarks)
		return eg_err_set(err, EG_EINVAL, "extractor: the face has no landmarks");
	for (size_t i = 0; i < WARPS && r == 0; i++) {
		list[i] = &each[i];
		move_landmarks(face, i, &moved);
		r = eg_align(image, &moved, &extractor->aligned);
		if (r != 0)
			r = eg_err_set(err, r, "extractor: the face cannot be aligned");
		else
			r = eg_extractor_run(extractor, &extractor->aligned, &each[i], err);
	}
	if (r == 0) {
		r = eg_template_fuse(list, NULL, WARPS, ret_template);
		if (r != 0)
			r = eg_err_set(err, EG_EFOREIGN,
				       "extractor: shifted crops of one face gave contrary "
				       "templates");
	}
	eg_wipe(each, sizeof(each));
	return r;
}
