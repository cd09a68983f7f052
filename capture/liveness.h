// SPDX-License-Identifier: Apache-2.0
//
// Presentation attack evidence of one track: the liveness model and the cues of live_cues.h, over
// its last looks, as one score. Inside capture/, and for eg-eval.
//
// Thread: one.

#ifndef EG_LIVENESS_H
#define EG_LIVENESS_H

#include "capture/face.h"
#include "capture/live_cues.h"
#include "capture/pack.h"
#include "capture/sample.h"

#define EG_LIVENESS_FRAMES 5
#define EG_LIVENESS_GAP_MS 100 // scoring one face more often than this tells nothing new

struct eg_liveness_model; // net and pictures, shared by all tracks

// `pack` must have LIVENESS loaded; lent, outlives the object.
int eg_liveness_model_new(struct eg_pack *pack, struct eg_liveness_model **ret_model,
			  struct eg_err *err) EG_CHECKED;
void eg_liveness_model_free(struct eg_liveness_model *model); // takes NULL

// What one look at a face gave.
struct eg_liveness_look {
	float model; // log odds of being live, within ±EG_LIVENESS_ODDS_MAX
	float cue[EG_LIVE_CUES];
};
#define EG_LIVENESS_ODDS_MAX 8.0f

// The last looks at one track. Zeroed is empty.
struct eg_liveness_history {
	struct eg_liveness_look look[EG_LIVENESS_FRAMES];
	uint32_t count; // ever added
	int64_t last_ns;
};

// Looks at a face and adds that to its history. On failure the history stays as it was.
int eg_liveness_look(struct eg_liveness_model *model, const struct eg_image *image,
		     struct eg_box face, struct eg_liveness_history *history, int64_t now_ns,
		     struct eg_err *err) EG_CHECKED;

void eg_liveness_add(struct eg_liveness_history *history, const struct eg_liveness_look *look,
		     int64_t now_ns);
bool eg_liveness_due(const struct eg_liveness_history *history, int64_t now_ns);

// Means over the looks; zeroed when there is none.
struct eg_liveness_look eg_liveness_mean(const struct eg_liveness_history *history);

// What the history says; score NaN when it is empty.
struct eg_liveness eg_liveness_of(const struct eg_liveness_history *history);

#endif
