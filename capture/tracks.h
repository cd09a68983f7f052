// SPDX-License-Identifier: Apache-2.0
//
// Following faces from frame to frame, as ByteTrack does (Zhang et al. 2022): a Kalman filter says
// where each face should be; sure detections are given to tracks first, all at once so that the sum
// fits best, then doubtful ones to tracks that are still without. Pure: knows boxes and times, no
// pixels. Inside capture/ only.
//
// Thread: one.

#ifndef EG_TRACKS_H
#define EG_TRACKS_H

#include "capture/capture.h"
#include "capture/detect.h"
#include "capture/liveness.h"
#include "capture/tracks_filter.h"

#define EG_TRACK_TIMEOUT_MS 1000
#define EG_TRACK_SURE	    0.8f // a face as sure as this is reported at first sight, others at second
#define EG_TRACK_SHOTS	    5

struct eg_tracked {
	struct eg_track seen;		// what callers get
	struct eg_tracks_filter filter; // its motion
	struct eg_box expected;		// where eg_tracks_expect thinks it is
	uint32_t hits;			// frames it was found in
	bool reported;
	bool served;	   // has its verdict: looked at now and then
	int64_t served_ns; // when it was looked at last since then
	struct eg_liveness_history liveness;
	int shot[EG_TRACK_SHOTS]; // slots in the pool, best first; seen.shot_count of them
};

// Not more than EG_TRACKS_MAX at a time; a face beyond that is not followed (and is blurred like
// everybody who is not kept).
struct eg_tracks {
	struct eg_tracked track[EG_TRACKS_MAX]; // by rising id
	size_t count;
	uint32_t last_id;
	float width, height; // of the frame; 0: not known, nobody leaves it
};

// Ends the tracks that were not seen for a second or that have walked out of the frame (`drop` is
// called for each before it is gone), and sets `expected` of all others.
void eg_tracks_expect(struct eg_tracks *tracks, int64_t now_ns,
		      void (*drop)(void *user, struct eg_tracked *track), void *user);

// Moves the tracks to this frame's detections, after eg_tracks_expect for the same time. Faces
// above `threshold` that fit no track become new ones; faces below it only keep tracks that were
// seen a moment ago. ret_owner[i] is the index of the track that took detection i, or −1.
void eg_tracks_update(struct eg_tracks *tracks, const struct eg_detection *found, size_t count,
		      float threshold, int64_t now_ns, int *ret_owner);

#endif
