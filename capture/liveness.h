// SPDX-License-Identifier: Apache-2.0
//
// Presentation attack evidence of one track, from the liveness model. Inside capture/ only.
//
// Thread: one.

#ifndef EG_LIVENESS_H
#define EG_LIVENESS_H

#include "capture/face.h"
#include "capture/pack.h"
#include "capture/sample.h"

#define EG_LIVENESS_FRAMES 5
#define EG_LIVENESS_GAP_MS 100 // scoring one face more often than this tells nothing new

struct eg_liveness_model; // net and pictures, shared by all tracks

// `pack` must have LIVENESS loaded; lent, outlives the object.
int eg_liveness_model_new(struct eg_pack *pack, struct eg_liveness_model **ret_model,
			  struct eg_err *err) EG_CHECKED;
void eg_liveness_model_free(struct eg_liveness_model *model); // takes NULL

// One look: 0 = attack … 1 = live.
int eg_liveness_model_run(struct eg_liveness_model *model, const struct eg_image *image,
			  struct eg_box face, float *ret_score, struct eg_err *err) EG_CHECKED;

// The last scores of one track. Zeroed is empty.
struct eg_liveness_history {
	float score[EG_LIVENESS_FRAMES];
	uint32_t count; // ever added
	int64_t last_ns;
};
void eg_liveness_add(struct eg_liveness_history *history, float score, int64_t now_ns);
bool eg_liveness_due(const struct eg_liveness_history *history, int64_t now_ns);

// What the history says; score NaN when it is empty.
struct eg_liveness eg_liveness_of(const struct eg_liveness_history *history);

#endif
