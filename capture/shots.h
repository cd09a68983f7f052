// SPDX-License-Identifier: Apache-2.0
//
// The pool of kept shots: all their memory is made at start. Each track holds up to EG_TRACK_SHOTS
// of the best of its recent past, apart in time, since frames next to each other say the same.
// When the pool is empty, the worst shot of the track that has most makes room for a track that has
// none (there are more slots than tracks, so one such exists); else the track's own worst does.
// Inside capture/ only.
//
// Thread: one.

#ifndef EG_SHOTS_H
#define EG_SHOTS_H

#include "capture/tracks.h"

#define EG_SHOTS_MAX	    32
#define EG_SHOT_GAP_MS	    100
#define EG_SHOT_CROP_WIDTH  480
#define EG_SHOT_CROP_HEIGHT 600

struct eg_shots {
	struct eg_shot slot[EG_SHOTS_MAX];
	bool taken[EG_SHOTS_MAX];
};

int eg_shots_init(struct eg_shots *shots) EG_CHECKED; // EG_ENOMEM
void eg_shots_done(struct eg_shots *shots);	      // takes a zeroed struct; wipes

// Drops and wipes the track's shots that are older than window_ms; all of them when it is negative.
void eg_shots_expire(struct eg_shots *shots, struct eg_tracked *track, int64_t now_ns,
		     int window_ms);

// A slot for a shot of this face, already in its place in the track's list, or NULL when what is
// kept is better. The caller fills the pictures; when that fails, eg_shots_retract.
struct eg_shot *eg_shots_offer(struct eg_shots *shots, struct eg_tracks *tracks,
			       struct eg_tracked *track, const struct eg_face *face,
			       int64_t now_ns);
void eg_shots_retract(struct eg_shots *shots, struct eg_tracked *track, struct eg_shot *shot);

#endif
