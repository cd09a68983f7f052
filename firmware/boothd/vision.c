// SPDX-License-Identifier: Apache-2.0
//
// See vision.h.

#include "firmware/boothd/vision_internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "drivers/codec.h"
#include "firmware/base/mem.h"
#include "firmware/boothd/chart.h"

// New templates per attempt: the first verdict should not wait for all five shots.
#define NEW_TEMPLATES_MAX 2
#define FACE_JPEG_QUALITY 85
// A track that breaks and comes back is told from another person at this false match rate.
#define SAME_PERSON_FMR 1e-6
// ... and that a track has become somebody else, at this one: two shots in a row that are unlike
// what is known, and like each other.
#define OTHER_PERSON_FMR 1e-2
#define GUARD_EVERY_MS	 500

int eg_vision_new(const struct eg_worker_config *config, struct eg_vision **ret_vision,
		  struct eg_err *err)
{
	unsigned int roles = 1u << EG_MODEL_DETECT | 1u << EG_MODEL_LANDMARK |
			     1u << EG_MODEL_FEATURE | 1u << EG_MODEL_LIVENESS;
	struct eg_capture_config stills = eg_capture_defaults;
	const struct eg_pack_point *points;
	struct eg_vision *v;
	size_t count;
	int r;

	v = eg_calloc(1, sizeof(*v));
	if (v == NULL)
		return eg_err_set(err, EG_ENOMEM, "vision: out of memory");
	v->config = *config;
	r = eg_pack_open(config->pack_folder, roles, 1, &v->pack, err);
	if (r != 0)
		goto fail;
	points = eg_pack_calibration(v->pack, &count);
	r = eg_calib_new(points, count, eg_pack_calibration_floor(v->pack), &v->calib, err);
	if (r != 0) {
		r = eg_err_prefix(err, r, "model pack %s has no usable calibration",
				  config->pack_folder);
		goto fail;
	}
	stills.liveness = false;
	r = eg_capture_new(&config->capture, v->pack, &v->capture, err);
	if (r == 0)
		r = eg_capture_new(&stills, v->pack, &v->stills, err);
	if (r == 0)
		r = eg_extractor_new(v->pack, &v->extractor, err);
	if (r != 0)
		goto fail;
	v->subjects = eg_subjects_new();
	if (v->subjects == NULL) {
		r = eg_err_set(err, EG_ENOMEM, "vision: out of memory");
		goto fail;
	}
	*ret_vision = v;
	return 0;
fail:
	eg_vision_free(v);
	return r;
}

void eg_vision_free(struct eg_vision *vision)
{
	struct eg_vision *v = vision;

	if (v == NULL)
		return;
	eg_subjects_free(v->subjects);
	eg_book_abandon(v->maker);
	eg_book_unref(v->book);
	eg_extractor_free(v->extractor);
	eg_capture_free(v->capture);
	eg_capture_free(v->stills);
	eg_calib_free(v->calib);
	eg_pack_free(v->pack);
	free(v);
}

const struct eg_pack *eg_vision_pack(const struct eg_vision *vision)
{
	return vision->pack;
}

// ---- frames ---------------------------------------------------------------------------------

static int mean_luma(const struct eg_frame *frame)
{
	uint64_t sum = 0, n = 0;
	int x, y;

	for (y = 0; y < frame->height; y += 16)
		for (x = 0; x < frame->width; x += 16, n++)
			sum += frame->plane[0][(size_t)y * (size_t)frame->stride[0] + (size_t)x];
	return n == 0 ? 0 : (int)(sum / n);
}

static const struct eg_track *track_of(const struct eg_vision *v, uint32_t id)
{
	const struct eg_track *tracks;
	size_t i, count;

	tracks = eg_capture_tracks(v->capture, &count);
	for (i = 0; i < count; i++)
		if (tracks[i].id == id)
			return &tracks[i];
	return NULL;
}

// Subjects whose track is gone are dropped; those of living tracks learn when they were last seen.
static void follow_subjects(struct eg_vision *v)
{
	int64_t window = v->config.served_before_ms * EG_NS_PER_MS;
	size_t i;

	for (i = 0; i < EG_TRACKS_MAX; i++) {
		struct eg_subject *s = &v->subjects->subject[i];
		const struct eg_track *track;

		if (!s->used)
			continue;
		track = track_of(v, s->track);
		if (track != NULL)
			s->last_seen_ns = track->last_seen_ns;
		else if (s->done)
			eg_subject_drop(v->subjects, s);
	}
	eg_subjects_age(v->subjects, eg_boot_ns(v->config.clock), window);
}

static float other_threshold(const struct eg_vision *v)
{
	return (float)eg_calib_threshold(v->calib, OTHER_PERSON_FMR, NULL);
}

static const struct eg_shot *newest_of(const struct eg_vision *v, const struct eg_track *track)
{
	const struct eg_shot *newest = NULL;
	size_t k;

	for (k = 0; k < track->shot_count; k++) {
		const struct eg_shot *shot = eg_capture_shot(v->capture, track->id, k);

		if (shot != NULL && (newest == NULL || shot->sequence > newest->sequence))
			newest = shot;
	}
	return newest;
}

// Whether the face in a track that has its verdict is still the one that got it: somebody who steps
// into another's place must not walk past unseen. One look in half a second, one a frame.
static int guard_served(struct eg_vision *v, int64_t now_ns, struct eg_err *err)
{
	struct eg_template made;
	size_t i;
	int r;

	for (i = 0; i < EG_TRACKS_MAX; i++) {
		struct eg_subject *s = &v->subjects->subject[i];
		const struct eg_track *t = s->used && s->done ? track_of(v, s->track) : NULL;
		const struct eg_shot *shot;

		if (t == NULL || !s->has_fused || !t->in_view || !t->in_zone ||
		    now_ns - s->guard.at_ns < GUARD_EVERY_MS * EG_NS_PER_MS)
			continue;
		shot = newest_of(v, t);
		if (shot == NULL || shot->sequence <= s->guard.sequence)
			continue;
		s->guard.at_ns = now_ns;
		s->guard.sequence = shot->sequence;
		r = eg_extractor_run(v->extractor, &shot->aligned, &made, err);
		if (r == 0 && eg_guard_step(&s->guard, &s->fused, &made, other_threshold(v)) ==
				      EG_GUARD_OTHER)
			eg_capture_split(v->capture, s->track);
		eg_wipe(&made, sizeof(made));
		return r;
	}
	return 0;
}

static uint64_t newest_shot(const struct eg_vision *v, const struct eg_track *track)
{
	const struct eg_shot *newest = newest_of(v, track);

	return newest != NULL ? newest->sequence : 0;
}

int eg_vision_frame(struct eg_vision *vision, struct eg_frame *frame, struct eg_view *ret_view,
		    struct eg_err *err)
{
	struct eg_vision *v = vision;
	int64_t begin = eg_boot_ns(v->config.clock);
	bool repeated = frame->digest == v->last_digest;
	const struct eg_track *tracks;
	struct eg_view view = {0};
	size_t i, count;
	int r;

	// A restarted stream: where people were says nothing about where they are.
	if (frame->generation != v->generation && v->generation != 0) {
		eg_capture_reset(v->capture);
		eg_subjects_blinked(v->subjects, frame->captured_ns);
		repeated = false;
	}
	v->generation = frame->generation;
	// A picture that was seen already says nothing new. A camera that gives nothing else is
	// frozen: whoever watches the count restarts it.
	v->duplicates += repeated;
	v->last_digest = frame->digest;
	if (!repeated) {
		r = eg_capture_frame(v->capture, frame, err);
		if (r != 0)
			return r;
	}
	follow_subjects(v);
	r = guard_served(v, frame->captured_ns, err);
	if (r != 0)
		return r;
	tracks = eg_capture_tracks(v->capture, &count);
	v->waiting = 0;
	for (i = 0; i < count && view.count < EG_TRACKS_MAX; i++) {
		const struct eg_track *t = &tracks[i];
		struct eg_subject *s = eg_subject_find(v->subjects, t->id);

		if (t->in_view && t->in_zone && (s == NULL || !s->done))
			v->waiting++;
		view.track[view.count++] = (struct eg_view_track){
			.id = t->id,
			.in_view = t->in_view,
			.in_zone = t->in_zone,
			.hint = t->hint,
			.box = t->face.box,
			.shots = t->shot_count,
			.newest_shot = newest_shot(v, t),
			.first_seen_ns = t->first_seen_ns,
			.liveness = t->liveness,
		};
	}
	view.sequence = frame->sequence;
	view.captured_ns = frame->captured_ns;
	view.generation = frame->generation;
	view.width = frame->width;
	view.height = frame->height;
	view.mean_luma = mean_luma(frame);
	view.duplicates = v->duplicates;
	view.vision_ms = (double)(eg_boot_ns(v->config.clock) - begin) / (double)EG_NS_PER_MS;
	*ret_view = view;
	return 0;
}

int eg_vision_preview(struct eg_vision *vision, const uint32_t *keep, size_t count, int width,
		      struct eg_image *image)
{
	return eg_capture_preview(vision->capture, keep, count, width, image);
}

bool eg_vision_busy(const struct eg_vision *vision)
{
	return vision->waiting > 0;
}

void eg_vision_reset(struct eg_vision *vision)
{
	eg_capture_reset(vision->capture);
	eg_subjects_drop_all(vision->subjects);
	vision->waiting = 0;
}

// ---- comparing ------------------------------------------------------------------------------

void eg_vision_claim(struct eg_vision *vision, uint32_t track, const struct eg_document *document)
{
	struct eg_subject *s = eg_subject_get(vision->subjects, track);

	if (s == NULL || s->done)
		return;
	s->claim = *document;
	s->claimed = true;
}

void eg_vision_forget(struct eg_vision *vision, uint32_t track)
{
	struct eg_subject *s = eg_subject_find(vision->subjects, track);

	if (s != NULL)
		eg_subject_finish(s);
	eg_capture_served(vision->capture, track);
}

void eg_vision_renew(struct eg_vision *vision, uint32_t track)
{
	struct eg_subject *s = eg_subject_find(vision->subjects, track);

	if (s != NULL)
		eg_subject_renew(vision->subjects, s,
				 (float)eg_calib_threshold(vision->calib, SAME_PERSON_FMR, NULL));
	eg_capture_split(vision->capture, track);
}

// A shot that is unlike the two and more before it is held back; a second one like it means that
// somebody else has taken the place: what is known stays the first one's, and the track is split.
static void take_in(struct eg_vision *v, struct eg_subject *s, const struct eg_shot *shot,
		    const struct eg_template *made)
{
	enum eg_guard_says says = EG_GUARD_SAME;

	if (s->has_fused && s->count >= 2)
		says = eg_guard_step(&s->guard, &s->fused, made, other_threshold(v));
	if (says == EG_GUARD_SAME)
		eg_subject_add(s, shot->sequence, 1.0f + shot->face.quality.overall, made);
	else
		s->guard.sequence = shot->sequence;
	if (says == EG_GUARD_OTHER)
		eg_capture_split(v->capture, s->track);
}

// Makes templates of the best shots that have none yet.
static int extract_some(struct eg_vision *v, struct eg_subject *s, uint32_t track,
			struct eg_err *err)
{
	const struct eg_shot *shot;
	struct eg_template made;
	unsigned int fresh = 0;
	size_t k;
	int r = 0;

	for (k = 0; r == 0 && fresh < NEW_TEMPLATES_MAX; k++) {
		shot = eg_capture_shot(v->capture, track, k);
		if (shot == NULL)
			break;
		if (eg_subject_has(s, shot->sequence) || shot->sequence == s->guard.sequence)
			continue;
		r = eg_extractor_run(v->extractor, &shot->aligned, &made, err);
		if (r == 0)
			take_in(v, s, shot, &made);
		fresh++;
	}
	eg_wipe(&made, sizeof(made));
	return r;
}

static void compare(struct eg_vision *v, struct eg_subject *s, struct eg_worker_result *result)
{
	struct eg_verdict *verdict = &result->attempt.verdict;
	int entry;

	if (!s->claimed) {
		eg_gallery_identify(s->book->gallery, &s->fused, v->config.fpir, verdict);
	} else {
		entry = eg_book_find(s->book, &s->claim);
		if (entry >= 0) {
			eg_gallery_verify(s->book->gallery, (size_t)entry, &s->fused, v->config.fmr,
					  verdict);
		} else {
			*verdict = (struct eg_verdict){.kind = EG_VERDICT_REFER,
						       .cause = EG_CAUSE_NOT_ON_MANIFEST,
						       .mode = EG_MODE_VERIFY,
						       .entry = -1,
						       .score = NAN,
						       .second = NAN,
						       .threshold = NAN,
						       .error_target = v->config.fmr};
		}
	}
	if (verdict->entry >= 0 && (size_t)verdict->entry < s->book->count) {
		const struct eg_book_entry *e = &s->book->entries[verdict->entry];

		// A stranger's record must not name the traveller who happens to be most similar.
		if (verdict->kind == EG_VERDICT_CONFIRMED || s->claimed) {
			memcpy(result->traveller, e->id, sizeof(result->traveller));
			result->citizenship = e->citizenship;
			result->group = e->group;
			result->papers = e->papers;
			memcpy(result->salt, s->book->header.salt, sizeof(result->salt));
		}
		// An officer is shown the photos of the most similar one all the same.
		result->people = eg_people_ref(s->book->people);
	}
}

static void refer(struct eg_worker_result *result, enum eg_cause cause)
{
	result->attempt.verdict.kind = EG_VERDICT_REFER;
	result->attempt.verdict.cause = cause;
}

static void add_face(struct eg_worker_result *result, const struct eg_shot *shot)
{
	struct eg_err err;

	result->quality = shot->face.quality;
	result->sequence = shot->sequence;
	result->attempt.verdict.quality = shot->face.quality.overall;
	// A record without its picture is worth more than no record.
	if (eg_codec_encode_jpeg(&shot->crop, FACE_JPEG_QUALITY, &result->face, &err) != 0)
		eg_buf_reset(&result->face);
}

static void use_book(struct eg_vision *v, struct eg_subject *s, struct eg_worker_result *result)
{
	if (s->book == NULL && v->book != NULL)
		s->book = eg_book_ref(v->book);
	// While the first manifest is being read, a traveller is tried again rather than sent away.
	if (s->book == NULL) {
		result->attempt.stale = v->maker == NULL;
		return;
	}
	result->attempt.stale =
		eg_manifest_check_time(&s->book->statement, eg_wall_ms(v->config.clock), NULL) != 0;
	memcpy(result->manifest, s->book->statement.id, sizeof(result->manifest));
	result->manifest_version = s->book->statement.version;
}

// Only a face that was tracked a moment ago, shows no document of its own, and is no twin on the
// manifest. Whoever is in doubt here is compared and recorded: two records of one person are a
// nuisance, none of a second person is a loss.
static bool served_before(const struct eg_vision *v, struct eg_subject *s, const struct eg_track *t,
			  const struct eg_verdict *verdict)
{
	bool confirmed = verdict->kind == EG_VERDICT_CONFIRMED;

	s->named[0] = '\0';
	if (confirmed && verdict->entry >= 0 && (size_t)verdict->entry < s->book->count)
		memcpy(s->named, s->book->entries[verdict->entry].id, sizeof(s->named));
	if (t == NULL || s->claimed || verdict->cause == EG_CAUSE_AMBIGUOUS)
		return false;
	return eg_subjects_served(v->subjects, &s->fused, s->named,
				  (float)eg_calib_threshold(v->calib, SAME_PERSON_FMR, NULL),
				  t->first_seen_ns, v->config.served_before_ms * EG_NS_PER_MS);
}

void eg_vision_try(struct eg_vision *vision, uint32_t track, struct eg_worker_result *ret_result)
{
	struct eg_vision *v = vision;
	struct eg_worker_result *result = ret_result;
	const struct eg_track *t = track_of(v, track);
	struct eg_err err = EG_ERR_INIT;
	const struct eg_shot *best;
	struct eg_subject *s;

	*result = (struct eg_worker_result){.track = track, .citizenship = EG_CITIZENSHIP_UNKNOWN};
	result->attempt.liveness.score = NAN;
	result->attempt.verdict = (struct eg_verdict){.kind = EG_VERDICT_REFER,
						      .cause = EG_CAUSE_POOR_CAPTURE,
						      .mode = EG_MODE_IDENTIFY,
						      .entry = -1,
						      .score = NAN,
						      .second = NAN,
						      .threshold = NAN,
						      .error_target = v->config.fpir};
	eg_buf_init_secret(&result->face, EG_FACE_JPEG_MAX);
	s = eg_subject_get(v->subjects, track);
	if (s == NULL) {
		refer(result, EG_CAUSE_SYSTEM_FAULT);
		return;
	}
	if (s->claimed) {
		result->attempt.verdict.mode = EG_MODE_VERIFY;
		result->attempt.verdict.error_target = v->config.fmr;
	}
	use_book(v, s, result);
	best = eg_capture_shot(v->capture, track, 0);
	if (best != NULL)
		add_face(result, best);
	if (t != NULL)
		result->attempt.liveness = t->liveness;
	if (extract_some(v, s, track, &err) != 0) {
		refer(result, EG_CAUSE_SYSTEM_FAULT);
		return;
	}
	result->attempt.shots = (unsigned int)s->count;
	result->compared_ns = eg_boot_ns(v->config.clock);
	if (s->count == 0)
		return; // the shots aged away before they were looked at: poor capture so far
	if (eg_subject_fuse(s) != 0) {
		refer(result, EG_CAUSE_SYSTEM_FAULT);
		return;
	}
	if (s->book == NULL)
		refer(result, EG_CAUSE_MANIFEST_STALE);
	else
		compare(v, s, result);
	result->attempt.verdict.quality = result->quality.overall;
	result->attempt.served_before = served_before(v, s, t, &result->attempt.verdict);
}

void eg_vision_targets(struct eg_vision *vision, double fmr, double fpir)
{
	vision->config.fmr = fmr;
	vision->config.fpir = fpir;
}

int eg_vision_self_test(struct eg_vision *vision, struct eg_err *err)
{
	return eg_chart_test(vision->extractor, vision->stills, err);
}
