// SPDX-License-Identifier: Apache-2.0
//
// What the vision thread does with faces: follow, compare, make books. Owns the models, the tracks,
// the subjects and the book. worker.c carries frames, commands and results to and from it.
//
// Thread: the vision worker only; eg_vision_new and eg_vision_free while no worker runs.

#ifndef EG_VISION_H
#define EG_VISION_H

#include "firmware/boothd/worker.h"

struct eg_vision;

int eg_vision_new(const struct eg_worker_config *config, struct eg_vision **ret_vision,
		  struct eg_err *err) EG_CHECKED;
void eg_vision_free(struct eg_vision *vision); // takes NULL

const struct eg_pack *eg_vision_pack(const struct eg_vision *vision);

// One frame of the camera.
int eg_vision_frame(struct eg_vision *vision, struct eg_frame *frame, struct eg_view *ret_view,
		    struct eg_err *err) EG_CHECKED;

// Compares the track's shots with the book. Never fails: what goes wrong is in the verdict.
void eg_vision_try(struct eg_vision *vision, uint32_t track, struct eg_worker_result *ret_result);
void eg_vision_claim(struct eg_vision *vision, uint32_t track, const struct eg_document *document);
void eg_vision_forget(struct eg_vision *vision, uint32_t track);
// Another look at somebody who has a verdict: forgets this face and begins a new track in its
// place.
void eg_vision_renew(struct eg_vision *vision, uint32_t track);
void eg_vision_reset(struct eg_vision *vision);

// The last frame, `width` wide, everybody blurred but the tracks of `keep`. EG_EAGAIN: none.
int eg_vision_preview(struct eg_vision *vision, const uint32_t *keep, size_t count, int width,
		      struct eg_image *image) EG_CHECKED;

// True while somebody in the zone waits for a verdict.
bool eg_vision_busy(const struct eg_vision *vision);

// Begins a new book; the old one stays in use until the new one is whole. Empty wire: none.
int eg_vision_load(struct eg_vision *vision, struct eg_bytes wire, struct eg_err *err) EG_CHECKED;
bool eg_vision_loading(const struct eg_vision *vision);
int eg_vision_load_step(struct eg_vision *vision, struct eg_err *err) EG_CHECKED;
void eg_vision_manifest(const struct eg_vision *vision, struct eg_worker_manifest *ret_manifest);

// Names and portraits of the book in use; lent, NULL: there is none.
struct eg_people *eg_vision_people(const struct eg_vision *vision);

// Other error targets, from the next comparison on.
void eg_vision_targets(struct eg_vision *vision, double fmr, double fpir);

// Runs every model once on a drawn chart and checks what must come out.
int eg_vision_self_test(struct eg_vision *vision, struct eg_err *err) EG_CHECKED;

#endif
