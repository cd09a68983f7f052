// SPDX-License-Identifier: Apache-2.0
//
// Detection and landmarks (design.md §4). The detector was trained on pictures of 4:3; how other
// shapes are brought to its 320×240 is decided in without_distortion.
//
// Thread: one.

#include "capture/detect.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "capture/box.h"
#include "firmware/base/mem.h"

#define NMS_OVERLAP 0.4f
#define MARGIN	    1.6f // round a picture that a face fills

// A face that only shows in a treated picture, where chance and blur make faces: least score, and
// what must agree.
#define TREATED		0.8f
#define CONFIRM_GROW	2.5f
#define CONFIRM_OVERLAP 0.4f
#define CONFIRM_APART	0.07f // of the box's width

// A picture in which all but a fiftieth is darker than this is brightened for the networks, so that
// whoever stands in the dark is found and told so. Quality is measured on the pixels as they are.
#define DARK	  70
#define DARK_TO	  180
#define DARK_GAIN 12

// What a look does to its picture first. A faded picture and one full of grain or blocks hide a
// face that shows once the one is stretched to full contrast, and the other smoothed.
enum treatment {
	AS_IS,
	STRETCHED,
	SMOOTHED,
};

struct eg_detector {
	enum treatment treatment;
	struct eg_net *detect, *landmark;
	struct eg_image scratch;
	struct eg_image whole;	    // the detector's input
	struct eg_image crop, grey; // the landmark net's input
	struct eg_detection *candidates;
	size_t candidates_max;
};

int eg_detector_new(struct eg_pack *pack, struct eg_detector **ret_detector, struct eg_err *err)
{
	struct eg_detector *d = eg_calloc(1, sizeof(*d));
	struct eg_net_input in;
	size_t boxes = 0, scores = 0;
	int r;

	if (!d)
		return eg_err_set(err, EG_ENOMEM, "out of memory");
	d->detect = eg_pack_net(pack, EG_MODEL_DETECT);
	d->landmark = eg_pack_net(pack, EG_MODEL_LANDMARK);
	assert(d->detect && d->landmark);
	(void)eg_net_output(d->detect, 0, &scores);
	(void)eg_net_output(d->detect, 1, &boxes);
	if (scores % 2 != 0 || boxes != 2 * scores) {
		r = eg_err_set(err, EG_EINVAL,
			       "the detector's outputs are not N × 2 scores and N × 4 boxes");
		goto fail;
	}
	d->candidates_max = scores / 2;
	d->candidates = eg_calloc(d->candidates_max, sizeof(*d->candidates));
	r = d->candidates ? 0 : EG_ENOMEM;
	in = eg_net_input(d->detect);
	if (r == 0 && in.channels == 3)
		r = eg_image_init(&d->whole, in.width, in.height, 3);
	else if (r == 0)
		r = EG_EUNSUPPORTED;
	in = eg_net_input(d->landmark);
	if (r == 0)
		r = eg_image_init(&d->crop, in.width, in.height, 3);
	if (r == 0 && in.channels == 1)
		r = eg_image_init(&d->grey, in.width, in.height, 1);
	if (r != 0) {
		(void)eg_err_set(err, r,
				 r == EG_ENOMEM ? "out of memory"
						: "the detector's input must be a colour picture");
		goto fail;
	}
	*ret_detector = d;
	return 0;
fail:
	eg_detector_free(d);
	return r;
}

void eg_detector_free(struct eg_detector *d)
{
	if (!d)
		return;
	eg_image_done(&d->scratch);
	eg_image_done(&d->whole);
	eg_image_done(&d->crop);
	eg_image_done(&d->grey);
	free(d->candidates);
	free(d);
}

static void brighten(struct eg_image *image)
{
	const int row = image->width * image->channels;
	unsigned int histogram[256] = {0}, above = 0, limit;
	uint8_t table[256];
	int top = 255;

	for (int y = 0; y < image->height; y++)
		for (int x = 0; x < row; x++)
			histogram[image->data[(ptrdiff_t)y * image->stride + x]]++;
	limit = (unsigned int)(row * image->height) / 50;
	while (top > 0 && (above += histogram[top]) < limit)
		top--;
	if (top >= DARK)
		return;
	for (int v = 0; v < 256; v++) {
		int bright = top * DARK_GAIN < DARK_TO ? v * DARK_GAIN : v * DARK_TO / top;

		table[v] = (uint8_t)(bright < 255 ? bright : 255);
	}
	for (int y = 0; y < image->height; y++)
		for (int x = 0; x < row; x++) {
			uint8_t *p = &image->data[(ptrdiff_t)y * image->stride + x];

			*p = table[*p];
		}
}

// Full contrast between the darkest and the brightest fiftieth.
static void stretch(struct eg_image *image)
{
	const int row = image->width * image->channels;
	unsigned int histogram[256] = {0}, below = 0, above = 0, limit;
	int low = 0, high = 255;

	for (int y = 0; y < image->height; y++)
		for (int x = 0; x < row; x++)
			histogram[image->data[(ptrdiff_t)y * image->stride + x]]++;
	limit = (unsigned int)(row * image->height) / 50;
	while (low < 254 && (below += histogram[low]) <= limit)
		low++;
	while (high > low + 1 && (above += histogram[high]) <= limit)
		high--;
	for (int y = 0; y < image->height; y++)
		for (int x = 0; x < row; x++) {
			uint8_t *p = &image->data[(ptrdiff_t)y * image->stride + x];
			int v = (*p - low) * 255 / (high - low);

			*p = (uint8_t)(v < 0 ? 0 : v > 255 ? 255 : v);
		}
}

// Each pixel the mean of a 2 × 2 square, three times over.
static void smooth(struct eg_image *image)
{
	const int c = image->channels;

	for (int i = 0; i < 3; i++)
		for (int y = 0; y + 1 < image->height; y++) {
			uint8_t *p = image->data + (ptrdiff_t)y * image->stride;
			const uint8_t *q = p + image->stride;

			for (int x = 0; x < (image->width - 1) * c; x++)
				p[x] = (uint8_t)((p[x] + p[x + c] + q[x] + q[x + c] + 2) / 4);
		}
}

static int by_falling_score(const void *a, const void *b)
{
	float x = ((const struct eg_detection *)a)->score;
	float y = ((const struct eg_detection *)b)->score;

	return x > y ? -1 : x < y;
}

// Adds a detection unless a better one already covers it. `found` is by falling score.
static void keep(struct eg_detection *found, size_t *count, struct eg_detection d)
{
	for (size_t i = 0; i < *count; i++)
		if (eg_box_overlap(found[i].box, d.box) > NMS_OVERLAP)
			return;
	if (*count < EG_DETECTIONS_MAX)
		found[(*count)++] = d;
}

// Reads the detector's outputs: boxes are corners in 0 … 1 of `region`.
static size_t decode(struct eg_detector *d, struct eg_box region, float threshold,
		     struct eg_detection *found)
{
	const float *score = eg_net_output(d->detect, 0, NULL);
	const float *box = eg_net_output(d->detect, 1, NULL);
	size_t candidates = 0, count = 0;

	for (size_t i = 0; i < d->candidates_max; i++, score += 2, box += 4) {
		struct eg_box b = {region.x + box[0] * region.width,
				   region.y + box[1] * region.height,
				   (box[2] - box[0]) * region.width,
				   (box[3] - box[1]) * region.height};

		// written so that a NaN is left out
		if (score[1] >= threshold && b.width >= 2 && b.height >= 2 && fabsf(b.x) < 1e5f &&
		    fabsf(b.y) < 1e5f && b.width < 1e5f && b.height < 1e5f)
			d->candidates[candidates++] = (struct eg_detection){b, score[1]};
	}
	qsort(d->candidates, candidates, sizeof(*d->candidates), by_falling_score);
	for (size_t i = 0; i < candidates; i++)
		keep(found, &count, d->candidates[i]);
	return count;
}

// The detector's input is 4:3. A wider picture, such as a camera's frame, gets grey bars above and
// below: stretched by a third its faces score lower, on a pale ground down to a quarter of what
// they score in shape (README.md). A narrower one is stretched by up to a third, which costs
// nothing (square LFW pictures), and gets bars beyond that.
static struct eg_box without_distortion(struct eg_box region, const struct eg_image *input)
{
	const float most = 4.0f / 3, want = (float)input->width / (float)input->height;
	const float aspect = region.width / region.height;
	struct eg_box b = region;

	if (aspect < want / most)
		b.width = region.height * want / most;
	if (aspect > want)
		b.height = region.width / want;
	b.x -= (b.width - region.width) / 2;
	b.y -= (b.height - region.height) / 2;
	return b;
}

// The part of the input that shows the image and not the grey outside of it.
static struct eg_image part_inside(const struct eg_image *image, struct eg_box region,
				   const struct eg_image *input)
{
	const float sx = (float)input->width / region.width;
	const float sy = (float)input->height / region.height;
	const int x0 = (int)fmaxf(0, ceilf(-region.x * sx));
	const int y0 = (int)fmaxf(0, ceilf(-region.y * sy));
	const int x1 = (int)fminf((float)input->width, ((float)image->width - region.x) * sx);
	const int y1 = (int)fminf((float)input->height, ((float)image->height - region.y) * sy);

	return eg_image_view(input, x0, y0, x1 > x0 ? x1 - x0 : 0, y1 > y0 ? y1 - y0 : 0);
}

int eg_detector_look(struct eg_detector *d, const struct eg_image *image, struct eg_box region,
		     float threshold, struct eg_detection *ret_found, size_t *ret_count,
		     struct eg_err *err)
{
	struct eg_image inside;
	struct eg_affine map;
	int r;

	assert(image->channels == 3);
	region = without_distortion(region, &d->whole);
	map = eg_sample_box(region, d->whole.width, d->whole.height);
	r = eg_sample(image, &map, EG_BORDER_GREY, &d->scratch, &d->whole);
	if (r != 0)
		return eg_err_set(err, r,
				  "the picture could not be brought to the detector's size");
	inside = part_inside(image, region, &d->whole);
	brighten(&inside);
	if (d->treatment == STRETCHED)
		stretch(&inside);
	else if (d->treatment == SMOOTHED)
		smooth(&inside);
	r = eg_net_feed(d->detect, &d->whole, err);
	if (r == 0)
		r = eg_net_run(d->detect, err);
	if (r != 0)
		return r;
	*ret_count = decode(d, region, threshold, ret_found);
	return 0;
}

// Whether the region's border, where it is not the image's own, runs through or along the box.
static bool cut_off(const struct eg_image *image, struct eg_box region, struct eg_box b)
{
	const float near = 0.1f * b.width;

	return (region.x > 0 && b.x < region.x + near) || (region.y > 0 && b.y < region.y + near) ||
	       (region.x + region.width < (float)image->width &&
		b.x + b.width > region.x + region.width - near) ||
	       (region.y + region.height < (float)image->height &&
		b.y + b.height > region.y + region.height - near);
}

int eg_detector_look_again(struct eg_detector *d, const struct eg_image *image,
			   struct eg_box region, float threshold, struct eg_detection *found,
			   size_t *count, struct eg_err *err)
{
	struct eg_detection part[EG_DETECTIONS_MAX];
	size_t parts = 0;
	int r = eg_detector_look(d, image, region, threshold, part, &parts, err);

	for (size_t i = 0; r == 0 && i < parts; i++)
		if (!cut_off(image, region, part[i].box))
			keep(found, count, part[i]);
	return r;
}

// Overlapping quarters, 0.6 of the picture each way.
static int look_at_quarters(struct eg_detector *d, const struct eg_image *image, float threshold,
			    struct eg_detection *found, size_t *found_count, struct eg_err *err)
{
	const float width = (float)image->width, height = (float)image->height;
	struct eg_detection part[EG_DETECTIONS_MAX];

	for (int i = 0; i < 4; i++) {
		const struct eg_box quarter = {i % 2 ? width * 0.4f : 0, i / 2 ? height * 0.4f : 0,
					       width * 0.6f, height * 0.6f};
		size_t count = 0;
		int r = eg_detector_look(d, image, quarter, threshold, part, &count, err);

		if (r != 0)
			return r;
		for (size_t k = 0; k < count; k++)
			keep(found, found_count, part[k]);
	}
	return 0;
}

// ---- landmarks --------------------------------------------------------------------------------

// Adds the points that the net sees in `box` to `sum`.
static int add_points(struct eg_detector *d, const struct eg_image *image, struct eg_box box,
		      struct eg_point sum[EG_LANDMARKS], struct eg_err *err)
{
	struct eg_affine map = eg_sample_box(box, d->crop.width, d->crop.height);
	const float *out;
	int r;

	r = eg_sample(image, &map, EG_BORDER_EDGE, &d->scratch, &d->crop);
	if (r != 0)
		return eg_err_set(err, r, "a face could not be cut out of the picture");
	brighten(&d->crop);
	if (d->grey.data)
		eg_sample_grey(&d->crop, &d->grey);
	r = eg_net_feed(d->landmark, d->grey.data ? &d->grey : &d->crop, err);
	if (r == 0)
		r = eg_net_run(d->landmark, err);
	if (r != 0)
		return r;
	out = eg_net_output(d->landmark, 0, NULL);
	for (size_t i = 0; i < EG_LANDMARKS; i++) {
		if (!isfinite(out[2 * i]) || !isfinite(out[2 * i + 1]))
			return eg_err_set(err, EG_EFOREIGN, "the landmark model gave no number");
		sum[i].x += box.x + out[2 * i] * box.width;
		sum[i].y += box.y + out[2 * i + 1] * box.height;
	}
	return 0;
}

// The box that the detector would have put round these points.
static struct eg_box box_of_points(const struct eg_point *p, float shrink)
{
	float x0 = p[0].x, x1 = x0, y0 = p[0].y, y1 = y0;

	for (size_t i = 1; i < EG_LANDMARKS; i++) {
		x0 = fminf(x0, p[i].x);
		x1 = fmaxf(x1, p[i].x);
		y0 = fminf(y0, p[i].y);
		y1 = fmaxf(y1, p[i].y);
	}
	// the points end at the brows, a box at the hairline
	return (struct eg_box){x0 * shrink, (y0 - 0.18f * (y1 - y0)) * shrink, (x1 - x0) * shrink,
			       (y1 - y0) * 1.18f * shrink};
}

int eg_detector_landmarks(struct eg_detector *d, const struct eg_image *image, struct eg_face *face,
			  struct eg_err *err)
{
	struct eg_point sum[EG_LANDMARKS] = {{0}};
	struct eg_box second;
	int r;

	r = add_points(d, image, face->box, sum, err);
	if (r == 0)
		r = add_points(d, image, eg_box_grown(face->box, 1.2f), sum, err);
	if (r != 0)
		return r;
	second = box_of_points(sum, 0.5f);
	if (second.width >= 4 && second.height >= 4) {
		for (size_t i = 0; i < EG_LANDMARKS; i++)
			sum[i] = (struct eg_point){sum[i].x / 2, sum[i].y / 2};
		memcpy(face->landmark, sum, sizeof(sum));
		memset(sum, 0, sizeof(sum));
		r = add_points(d, image, second, sum, err);
		if (r == 0)
			r = add_points(d, image, eg_box_grown(second, 1.2f), sum, err);
		if (r != 0)
			return r;
		for (size_t i = 0; i < EG_LANDMARKS; i++)
			face->landmark[i] =
				(struct eg_point){face->landmark[i].x / 2 + sum[i].x / 4,
						  face->landmark[i].y / 2 + sum[i].y / 4};
	} else {
		for (size_t i = 0; i < EG_LANDMARKS; i++)
			face->landmark[i] = (struct eg_point){sum[i].x / 2, sum[i].y / 2};
	}
	face->has_landmarks = true;
	return 0;
}

// ---- still pictures ---------------------------------------------------------------------------

// Whether a face found in a treated picture is one: seen again from near, and the landmark net
// puts its points, on the picture as it is, in the same places from two crops.
static int confirm(struct eg_detector *d, const struct eg_image *image, struct eg_box box,
		   bool *ret_face, struct eg_err *err)
{
	struct eg_point near[EG_LANDMARKS] = {{0}}, far[EG_LANDMARKS] = {{0}};
	struct eg_detection again[EG_DETECTIONS_MAX];
	float apart = 0, overlap = 0;
	size_t count = 0;
	int r = eg_detector_look(d, image, eg_box_grown(box, CONFIRM_GROW), TREATED, again, &count,
				 err);

	if (r == 0)
		r = add_points(d, image, box, near, err);
	if (r == 0)
		r = add_points(d, image, eg_box_grown(box, 1.2f), far, err);
	for (size_t i = 0; i < count; i++)
		overlap = fmaxf(overlap, eg_box_overlap(again[i].box, box));
	for (size_t i = 0; i < EG_LANDMARKS; i++)
		apart += hypotf(near[i].x - far[i].x, near[i].y - far[i].y) / EG_LANDMARKS;
	*ret_face = overlap > CONFIRM_OVERLAP && apart < CONFIRM_APART * box.width;
	return r;
}

// Looks once more at a picture in which nothing was found, stretched and then smoothed.
static int look_through(struct eg_detector *d, const struct eg_image *image, float threshold,
			struct eg_detection *found, size_t *ret_count, struct eg_err *err)
{
	const struct eg_box whole = {0, 0, (float)image->width, (float)image->height};
	const struct eg_box region[] = {whole, eg_box_grown(whole, MARGIN)};
	size_t kept = 0;
	int r = 0;

	for (int i = 0; i < 4 && r == 0 && kept == 0; i++) {
		size_t count = 0;

		d->treatment = i < 2 ? STRETCHED : SMOOTHED;
		r = eg_detector_look(d, image, region[i % 2], fmaxf(threshold, TREATED), found,
				     &count, err);
		for (size_t k = 0; r == 0 && k < count; k++) {
			bool face = false;

			r = confirm(d, image, found[k].box, &face, err);
			if (face)
				found[kept++] = found[k];
		}
	}
	d->treatment = AS_IS;
	*ret_count = kept;
	return r;
}

int eg_detector_search(struct eg_detector *d, const struct eg_image *image, float threshold,
		       struct eg_detection *ret_found, size_t *ret_count, struct eg_err *err)
{
	const struct eg_box whole = {0, 0, (float)image->width, (float)image->height};
	size_t found = 0;
	int r;

	r = eg_detector_look(d, image, whole, threshold, ret_found, &found, err);
	if (r == 0 && found == 0)
		r = eg_detector_look(d, image, eg_box_grown(whole, MARGIN), threshold, ret_found,
				     &found, err);
	if (r == 0 && found == 0)
		r = look_at_quarters(d, image, threshold, ret_found, &found, err);
	if (r == 0 && found == 0)
		r = look_through(d, image, threshold, ret_found, &found, err);
	if (r == 0)
		*ret_count = found;
	return r;
}
