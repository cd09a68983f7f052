// SPDX-License-Identifier: Apache-2.0
//
// The vision worker's pipeline: frame → detect → follow → landmarks → quality → shots → liveness.
// Faces outside the zone are followed, and blurred, but get neither landmarks nor shots.
//
// Thread: one. All memory is made by eg_capture_new and by the first frame of a size.

#include "capture/capture.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "capture/align.h"
#include "capture/box.h"
#include "capture/detect.h"
#include "capture/liveness.h"
#include "capture/privacy.h"
#include "capture/quality.h"
#include "capture/shots.h"
#include "capture/tracks.h"
#include "firmware/base/clock.h"
#include "firmware/base/mem.h"

// Faces this sure are blurred although they are not sure enough to be followed.
#define BLUR_THRESHOLD 0.45f
// A face that was there so long ago may still be: it is blurred where it was last seen.
#define BLUR_MEMORY_MS 500

// Where the detector looks: at the whole frame always; once more, closer, round faces that it
// missed and that were there a moment ago; and when none is missed, every few frames, closer at
// one of three overlapping parts, for faces that are small in the whole.
#define MISSED_MS    500
#define MISSED_GROW  4.0f // the region round a missed face, in its widths
#define CLOSER_EVERY 3
#define CLOSER_PARTS 3

// Who has a verdict is looked at so often: enough to tell that it is still the same person.
#define SERVED_EVERY_MS 250

struct eg_capture {
	struct eg_capture_config config;
	struct eg_detector *detector;
	struct eg_liveness_model *liveness; // NULL: not wanted
	struct eg_image frame;		    // the last frame, BGR
	struct eg_image scratch, aligned;
	bool has_frame;
	unsigned int looks; // frames so far
	bool tested;	    // this frame went to the liveness model
	struct eg_tracks tracks;
	struct eg_shots shots;
	struct eg_track reported[EG_TRACKS_MAX];
	size_t reported_count;
	// everybody in the last frame, to be blurred unless kept, and whose box it is (0: nobody's)
	struct eg_box face[EG_DETECTIONS_MAX + EG_TRACKS_MAX];
	uint32_t face_track[EG_DETECTIONS_MAX + EG_TRACKS_MAX];
	size_t face_count;
};

const struct eg_capture_config eg_capture_defaults = {
	.zone = {0.2f, 0.0f, 0.8f, 1.0f},
	.detect_threshold = 0.65f,
	.inter_eye_min_px = 24,
	.quality_min = 30,
	.shot_window_ms = 1000,
	.liveness = true,
};

int eg_capture_new(const struct eg_capture_config *config, struct eg_pack *pack,
		   struct eg_capture **ret_capture, struct eg_err *err)
{
	struct eg_capture *c = eg_calloc(1, sizeof(*c));
	int r;

	if (!c)
		return eg_err_set(err, EG_ENOMEM, "out of memory");
	assert(config->detect_threshold > 0 && config->shot_window_ms > 0);
	c->config = *config;
	r = eg_detector_new(pack, &c->detector, err);
	if (r == 0 && config->liveness)
		r = eg_liveness_model_new(pack, &c->liveness, err);
	if (r == 0) {
		r = eg_image_init(&c->aligned, EG_ALIGNED_SIDE, EG_ALIGNED_SIDE, 3);
		if (r == 0)
			r = eg_shots_init(&c->shots);
		if (r != 0)
			(void)eg_err_set(err, r, "out of memory for the pool of shots");
	}
	if (r != 0) {
		eg_capture_free(c);
		return r;
	}
	*ret_capture = c;
	return 0;
}

void eg_capture_free(struct eg_capture *c)
{
	if (!c)
		return;
	eg_shots_done(&c->shots);
	eg_detector_free(c->detector);
	eg_liveness_model_free(c->liveness);
	eg_image_done(&c->frame);
	eg_image_done(&c->scratch);
	eg_image_done(&c->aligned);
	eg_wipe(c, sizeof(*c));
	free(c);
}

static void drop_track(void *user, struct eg_tracked *track)
{
	struct eg_capture *c = user;

	eg_shots_expire(&c->shots, track, 0, -1);
}

void eg_capture_reset(struct eg_capture *c)
{
	for (size_t i = 0; i < c->tracks.count; i++)
		drop_track(c, &c->tracks.track[i]);
	eg_wipe(c->tracks.track, sizeof(c->tracks.track));
	c->tracks.count = 0; // last_id stays: ids are never used twice
	eg_wipe(c->reported, sizeof(c->reported));
	c->reported_count = 0;
	c->face_count = 0;
	c->has_frame = false;
	eg_wipe(c->frame.data, c->frame.room);
	eg_wipe(c->scratch.data, c->scratch.room);
	eg_wipe(c->aligned.data, c->aligned.room);
}

static bool in_zone(const struct eg_zone *zone, const struct eg_image *frame, struct eg_box box)
{
	float x = (box.x + box.width / 2) / (float)frame->width;
	float y = (box.y + box.height / 2) / (float)frame->height;

	return x >= zone->left && x <= zone->right && y >= zone->top && y <= zone->bottom;
}

// Who is in the frame and whose box it is, for everything that is blurred.
static void remember_faces(struct eg_capture *c, const struct eg_detection *found, size_t count,
			   const int *owner, int64_t now_ns)
{
	size_t n = 0;

	for (size_t i = 0; i < count; i++) {
		c->face[n] = found[i].box;
		c->face_track[n++] = owner[i] >= 0 ? c->tracks.track[owner[i]].seen.id : 0;
	}
	for (size_t i = 0; i < c->tracks.count; i++) {
		const struct eg_track *t = &c->tracks.track[i].seen;

		if (!t->in_view && now_ns - t->last_seen_ns <= BLUR_MEMORY_MS * EG_NS_PER_MS) {
			c->face[n] = t->face.box;
			c->face_track[n++] = t->id;
		}
	}
	c->face_count = n;
}

// The part of the frame with everybody blurred but the kept tracks.
static int draw(struct eg_capture *c, struct eg_box region, const uint32_t *keep, size_t keep_count,
		struct eg_image *out)
{
	bool sharp[EG_DETECTIONS_MAX + EG_TRACKS_MAX] = {0};

	for (size_t i = 0; i < c->face_count; i++)
		for (size_t k = 0; k < keep_count; k++)
			sharp[i] |= c->face_track[i] != 0 && c->face_track[i] == keep[k];
	return eg_privacy_picture(&c->frame, region, c->face, sharp, c->face_count, &c->scratch,
				  out);
}

static int keep_shot(struct eg_capture *c, struct eg_tracked *t, const struct eg_frame *frame,
		     struct eg_err *err)
{
	const struct eg_face *face = &t->seen.face;
	struct eg_box region = eg_privacy_portrait(&c->frame, face->box);
	struct eg_shot *shot = eg_shots_offer(&c->shots, &c->tracks, t, face, frame->captured_ns);
	float shrink;
	int r;

	if (!shot)
		return 0;
	shot->sequence = frame->sequence;
	shrink = fminf(1, fminf(EG_SHOT_CROP_WIDTH / region.width,
				EG_SHOT_CROP_HEIGHT / region.height));
	for (int y = 0; y < EG_ALIGNED_SIDE; y++)
		memcpy(shot->aligned.data + (ptrdiff_t)y * shot->aligned.stride,
		       c->aligned.data + (ptrdiff_t)y * c->aligned.stride, EG_ALIGNED_SIDE * 3);
	r = eg_image_resize(&shot->crop, (int)fmaxf(region.width * shrink, 1),
			    (int)fmaxf(region.height * shrink, 1), 3);
	if (r == 0)
		r = draw(c, region, &t->seen.id, 1, &shot->crop);
	if (r != 0) {
		eg_shots_retract(&c->shots, t, shot);
		return eg_err_set(err, r, "a shot could not be cut out of the frame");
	}
	return 0;
}

// Another person so near and so large that it is not clear who is meant.
static bool crowded(const struct eg_tracks *tracks, const struct eg_track *t)
{
	for (size_t i = 0; i < tracks->count; i++) {
		const struct eg_track *o = &tracks->track[i].seen;
		const struct eg_box *a = &t->face.box, *b = &o->face.box;

		if (o != t && o->in_view && o->in_zone && b->height > 0.6f * a->height &&
		    fabsf(a->x + a->width / 2 - b->x - b->width / 2) < 1.8f * a->width)
			return true;
	}
	return false;
}

// One face in the zone: landmarks, quality, and when it is good enough a shot and a liveness score.
static int serve(struct eg_capture *c, struct eg_tracked *t, const struct eg_frame *frame,
		 struct eg_err *err)
{
	struct eg_track *seen = &t->seen;
	const int64_t now_ns = frame->captured_ns;
	const struct eg_quality_place place = {c->frame.width, c->frame.height, c->face_count};
	int r;

	r = eg_detector_landmarks(c->detector, &c->frame, &seen->face, err);
	if (r != 0)
		return r;
	// points that fall together are no face; there is nothing to keep
	if (eg_align_into(&c->frame, &seen->face, &c->scratch, &c->aligned) != 0) {
		seen->face.has_landmarks = false;
		return 0;
	}
	eg_quality_measure(&seen->face, &c->aligned, place);
	seen->hint = crowded(&c->tracks, seen)
			     ? EG_HINT_ONE_AT_A_TIME
			     : eg_quality_hint(&seen->face, c->config.inter_eye_min_px);
	if (seen->face.quality.inter_eye_px < c->config.inter_eye_min_px ||
	    seen->face.quality.overall < c->config.quality_min)
		return 0;
	if (seen->first_usable_ns == 0)
		seen->first_usable_ns = now_ns;
	// one a frame: several would make it late, and nobody waits long
	if (c->liveness && !t->served && !c->tested && eg_liveness_due(&t->liveness, now_ns)) {
		c->tested = true;
		r = eg_liveness_look(c->liveness, &c->frame, seen->face.box, &t->liveness, now_ns,
				     err);
		if (r != 0)
			return r;
		seen->liveness = eg_liveness_of(&t->liveness);
	}
	return keep_shot(c, t, frame, err);
}

// Whether a face gets landmarks and so on in this frame.
static bool due(struct eg_tracked *t, int64_t now_ns)
{
	if (!t->served)
		return true;
	if (now_ns - t->served_ns < SERVED_EVERY_MS * EG_NS_PER_MS)
		return false;
	t->served_ns = now_ns;
	return true;
}

static void report(struct eg_capture *c)
{
	c->reported_count = 0;
	for (size_t i = 0; i < c->tracks.count; i++)
		if (c->tracks.track[i].reported)
			c->reported[c->reported_count++] = c->tracks.track[i].seen;
}

// ---- looking ----------------------------------------------------------------------------------

// The first track that was just there and that no detection is near; NULL: none is missed.
static const struct eg_tracked *missed(const struct eg_capture *c, const struct eg_detection *found,
				       size_t count, int64_t now_ns)
{
	for (size_t i = 0; i < c->tracks.count; i++) {
		const struct eg_tracked *t = &c->tracks.track[i];
		bool near = false;

		for (size_t k = 0; k < count && !near; k++)
			near = eg_box_overlap(found[k].box, t->expected) > 0.3f;
		if (!near && t->reported &&
		    now_ns - t->seen.last_seen_ns <= MISSED_MS * EG_NS_PER_MS)
			return t;
	}
	return NULL;
}

// The box made 4:3 and moved into the frame as far as it goes.
static struct eg_box region_round(struct eg_box b, float grow, const struct eg_image *frame)
{
	const float width =
		fminf(fmaxf(b.width * grow, (float)frame->width / 8), (float)frame->width);
	const float height = fminf(width * 0.75f, (float)frame->height);
	const float x = b.x + b.width / 2 - width / 2, y = b.y + b.height / 2 - height / 2;

	return (struct eg_box){fmaxf(0, fminf(x, (float)frame->width - width)),
			       fmaxf(0, fminf(y, (float)frame->height - height)), width, height};
}

// A part of half the frame's width, at the height at which heads are.
static struct eg_box closer_part(const struct eg_image *frame, unsigned int part)
{
	const float width = (float)frame->width / 2, height = (float)frame->height * 2 / 3;

	return (struct eg_box){(float)part * width / (CLOSER_PARTS - 1), (float)frame->height / 12,
			       width, height};
}

static int look(struct eg_capture *c, int64_t now_ns, struct eg_detection *found, size_t *ret_count,
		struct eg_err *err)
{
	const struct eg_box whole = {0, 0, (float)c->frame.width, (float)c->frame.height};
	const float floor = fminf(BLUR_THRESHOLD, c->config.detect_threshold);
	const struct eg_tracked *t;
	struct eg_box region;
	unsigned int turn = c->looks++;
	int r = eg_detector_look(c->detector, &c->frame, whole, floor, found, ret_count, err);

	if (r != 0)
		return r;
	t = missed(c, found, *ret_count, now_ns);
	if (t)
		region = region_round(t->expected, MISSED_GROW, &c->frame);
	else if (turn % CLOSER_EVERY == 0)
		region = closer_part(&c->frame, turn / CLOSER_EVERY % CLOSER_PARTS);
	else
		return 0;
	return eg_detector_look_again(c->detector, &c->frame, region, floor, found, ret_count, err);
}

int eg_capture_frame(struct eg_capture *c, struct eg_frame *frame, struct eg_err *err)
{
	struct eg_detection found[EG_DETECTIONS_MAX];
	int owner[EG_DETECTIONS_MAX];
	size_t count = 0;
	int r;

	c->has_frame = false;
	r = eg_sample_nv12(frame, &c->frame);
	if (r != 0)
		return eg_err_set(err, r, "a frame's colours could not be converted");
	c->tracks.width = (float)frame->width;
	c->tracks.height = (float)frame->height;
	eg_tracks_expect(&c->tracks, frame->captured_ns, drop_track, c);
	r = look(c, frame->captured_ns, found, &count, err);
	if (r != 0)
		return r;
	eg_tracks_update(&c->tracks, found, count, c->config.detect_threshold, frame->captured_ns,
			 owner);
	remember_faces(c, found, count, owner, frame->captured_ns);
	c->has_frame = true;
	for (size_t i = 0; i < c->tracks.count; i++) {
		struct eg_tracked *t = &c->tracks.track[i];

		t->seen.hint = EG_HINT_NONE;
		eg_shots_expire(&c->shots, t, frame->captured_ns, c->config.shot_window_ms);
		if (t->seen.in_view)
			t->seen.in_zone = in_zone(&c->config.zone, &c->frame, t->seen.face.box);
	}
	c->tested = false;
	for (size_t i = 0; r == 0 && i < c->tracks.count; i++) {
		// in turn, so that everybody is first now and then
		struct eg_tracked *t = &c->tracks.track[(i + c->looks) % c->tracks.count];

		if (t->seen.in_view && t->seen.in_zone && t->reported && due(t, frame->captured_ns))
			r = serve(c, t, frame, err);
	}
	report(c);
	return r;
}

void eg_capture_served(struct eg_capture *c, uint32_t track_id)
{
	for (size_t i = 0; i < c->tracks.count; i++)
		if (c->tracks.track[i].seen.id == track_id)
			c->tracks.track[i].served = true;
}

void eg_capture_split(struct eg_capture *c, uint32_t track_id)
{
	struct eg_tracks *s = &c->tracks;

	for (size_t i = 0; i < s->count; i++) {
		struct eg_tracked t = s->track[i];

		if (t.seen.id != track_id)
			continue;
		drop_track(c, &s->track[i]);
		t.seen.id = ++s->last_id;
		t.seen.first_seen_ns = t.seen.last_seen_ns;
		t.seen.first_usable_ns = 0;
		t.seen.shot_count = 0;
		t.served = false;
		t.liveness = (struct eg_liveness_history){0};
		t.seen.liveness = eg_liveness_of(&t.liveness);
		// by rising id
		memmove(&s->track[i], &s->track[i + 1], (s->count - i - 1) * sizeof(t));
		s->track[s->count - 1] = t;
		report(c);
		return;
	}
}

const struct eg_track *eg_capture_tracks(const struct eg_capture *c, size_t *ret_count)
{
	*ret_count = c->reported_count;
	return c->reported;
}

const struct eg_shot *eg_capture_shot(const struct eg_capture *c, uint32_t track_id, size_t k)
{
	for (size_t i = 0; i < c->tracks.count; i++) {
		const struct eg_tracked *t = &c->tracks.track[i];

		if (t->seen.id == track_id)
			return k < t->seen.shot_count ? &c->shots.slot[t->shot[k]] : NULL;
	}
	return NULL;
}

int eg_capture_preview(struct eg_capture *c, const uint32_t *keep, size_t keep_count, int width,
		       struct eg_image *image)
{
	const struct eg_box whole = {0, 0, (float)c->frame.width, (float)c->frame.height};
	int height, r;

	if (!c->has_frame)
		return EG_EAGAIN;
	height = (int)lrintf((float)width * whole.height / whole.width);
	r = eg_image_resize(image, width, height, 3);
	if (r != 0)
		return r;
	return draw(c, whole, keep, keep_count, image);
}

// ---- still pictures ---------------------------------------------------------------------------

static int by_falling_size(const void *a, const void *b)
{
	const struct eg_detection *x = a, *y = b;
	float p = x->box.width * x->box.height, q = y->box.width * y->box.height;

	return p > q ? -1 : p < q;
}

int eg_capture_still(struct eg_capture *c, const struct eg_image *image, struct eg_face *ret_faces,
		     size_t max, size_t *ret_count, struct eg_err *err)
{
	const float threshold = c->config.detect_threshold;
	struct eg_detection found[EG_DETECTIONS_MAX];
	size_t count = 0, n = 0;
	int r;

	if (image->channels != 3)
		return eg_err_set(err, EG_EINVAL, "the picture has no colours");
	r = eg_detector_search(c->detector, image, threshold, found, &count, err);
	if (r != 0)
		return r;
	qsort(found, count, sizeof(*found), by_falling_size);
	for (size_t i = 0; i < count && n < max; i++) {
		const struct eg_quality_place place = {image->width, image->height, count};
		struct eg_face *face = &ret_faces[n];

		*face = (struct eg_face){.box = found[i].box, .score = found[i].score};
		r = eg_detector_landmarks(c->detector, image, face, err);
		if (r != 0)
			return r;
		if (eg_align_into(image, face, &c->scratch, &c->aligned) != 0)
			continue;
		eg_quality_measure(face, &c->aligned, place);
		n++;
	}
	*ret_count = n;
	return 0;
}

int eg_capture_portrait(struct eg_capture *c, const struct eg_image *image,
			const struct eg_face *faces, size_t count, int width_max, int height_max,
			struct eg_image *ret_portrait)
{
	const struct eg_box region = eg_privacy_portrait(image, faces[0].box);
	const float shrink =
		fminf(1, fminf((float)width_max / region.width, (float)height_max / region.height));
	struct eg_box box[EG_STILL_FACES_MAX];
	bool sharp[EG_STILL_FACES_MAX] = {true};
	int r;

	assert(count >= 1 && count <= EG_STILL_FACES_MAX);
	for (size_t i = 0; i < count; i++)
		box[i] = faces[i].box;
	r = eg_image_resize(ret_portrait, (int)fmaxf(region.width * shrink, 1),
			    (int)fmaxf(region.height * shrink, 1), 3);
	return r != 0 ? r
		      : eg_privacy_picture(image, region, box, sharp, count, &c->scratch,
					   ret_portrait);
}
