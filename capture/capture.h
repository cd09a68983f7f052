// SPDX-License-Identifier: Apache-2.0
//
// From frames to one good, live, aligned face per track. eg_capture_frame takes one frame through
// detect → follow → landmarks → quality → liveness, keeps the best recent shots of every track,
// and reports what is in view. It does not know who anybody is.
//
// Thread: one (the vision worker). Nothing allocates per frame once the first frame has been seen.

#ifndef EG_CAPTURE_H
#define EG_CAPTURE_H

#include "capture/face.h"
#include "capture/pack.h"
#include "drivers/frame.h"

#define EG_TRACKS_MAX	16
#define EG_ALIGNED_SIDE 112

// Part of the frame, each 0 … 1 of its width or height. Faces whose centre is outside are
// bystanders.
struct eg_zone {
	float left, top, right, bottom;
};

struct eg_capture_config {
	struct eg_zone zone;
	float detect_threshold; // 0 … 1
	float inter_eye_min_px; // below: too far, no shot is kept
	int quality_min;	// 0 … 100; below: no shot is kept
	int shot_window_ms;	// shots older than this are dropped
	bool liveness;		// run the liveness model on candidate shots
};
extern const struct eg_capture_config eg_capture_defaults;

// A candidate picture of one face: aligned for the extractor, cropped for the record.
struct eg_shot {
	struct eg_face face;
	int64_t captured_ns;
	uint64_t sequence;
	struct eg_image aligned; // 112×112 BGR, on the five ArcFace points
	struct eg_image crop;	 // head and shoulders, BGR, others' faces blurred, at most 480×600
};

enum eg_hint { // for the traveller; at most one at a time
	EG_HINT_NONE,
	EG_HINT_CLOSER,
	EG_HINT_BACK,
	EG_HINT_LOOK_HERE,
	EG_HINT_HOLD_STILL,
	EG_HINT_MORE_LIGHT,
	EG_HINT_LESS_LIGHT,
	EG_HINT_UNCOVER,
	EG_HINT_ONE_AT_A_TIME,
	EG_HINT_COUNT,
};
const char *eg_hint_name(enum eg_hint hint); // "closer", "look_here", ...

struct eg_track {
	uint32_t id;	     // rises, never reused while the program runs
	struct eg_face face; // latest
	bool in_view;	     // seen in the latest frame
	bool in_zone;
	int64_t first_seen_ns, last_seen_ns, first_usable_ns; // 0: never usable so far
	enum eg_hint hint;
	struct eg_liveness liveness;
	size_t shot_count; // kept shots, best first
};

struct eg_capture;

// `pack` must have DETECT and LANDMARK, LIVENESS when config->liveness; lent, outlives the object.
int eg_capture_new(const struct eg_capture_config *config, struct eg_pack *pack,
		   struct eg_capture **ret_capture, struct eg_err *err) EG_CHECKED;
void eg_capture_free(struct eg_capture *capture); // takes NULL; wipes shots

// One frame. Tracks not seen for a second are dropped.
int eg_capture_frame(struct eg_capture *capture, struct eg_frame *frame,
		     struct eg_err *err) EG_CHECKED;

// The track's verdict is there: from now on it is followed, but gets landmarks, quality and shots
// only a few times a second, and no liveness. A track that is gone is no error.
void eg_capture_served(struct eg_capture *capture, uint32_t track_id);

// Somebody else stands where this track was: it ends without its shots, and a new one begins in the
// same place. A track that is gone is no error.
void eg_capture_split(struct eg_capture *capture, uint32_t track_id);

// Forgets all tracks and shots (a new stream generation, an opt-out, an idle booth).
void eg_capture_reset(struct eg_capture *capture);

// Tracks as of the last frame. Lent until the next call of frame or reset.
const struct eg_track *eg_capture_tracks(const struct eg_capture *capture, size_t *ret_count);

// The k-th best shot of a track (0 = best), NULL when there is none. Lent likewise.
const struct eg_shot *eg_capture_shot(const struct eg_capture *capture, uint32_t track_id,
				      size_t k);

// The last frame, scaled to `width`, everyone blurred but the tracks of `keep`. EG_EAGAIN: there is
// no frame.
int eg_capture_preview(struct eg_capture *capture, const uint32_t *keep, size_t keep_count,
		       int width, struct eg_image *image) EG_CHECKED;

// For still pictures (references, eg-eval): all faces of an image with landmarks and quality,
// largest first, at most `max`. Lent detector state; same thread.
int eg_capture_still(struct eg_capture *capture, const struct eg_image *image,
		     struct eg_face *ret_faces, size_t max, size_t *ret_count,
		     struct eg_err *err) EG_CHECKED;

// Head and shoulders of the first face of a still picture, the others blurred; shrunk, never grown,
// to fit width_max × height_max. `count`, with the first: at most EG_STILL_FACES_MAX.
#define EG_STILL_FACES_MAX 8
int eg_capture_portrait(struct eg_capture *capture, const struct eg_image *image,
			const struct eg_face *faces, size_t count, int width_max, int height_max,
			struct eg_image *ret_portrait) EG_CHECKED;

// The value below which a component of quality is worth a hint to the traveller; 0: none is.
int eg_quality_wanted(enum eg_quality_component component);

// Warps a face onto the five ArcFace points, 112×112 BGR.
int eg_align(const struct eg_image *image, const struct eg_face *face,
	     struct eg_image *ret_aligned) EG_CHECKED;

#endif
