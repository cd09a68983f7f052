// SPDX-License-Identifier: Apache-2.0
//
// A simulated camera in front of a simulated presentation: a portrait on paper, on a monitor, or on
// a phone held before a background. Desk only. What comes out is a drawing, good for finding cues
// and regressions, and no measure of real attacks.
//
// Thread: one an object.

#ifndef EG_EVAL_SCENE_H
#define EG_EVAL_SCENE_H

#include "drivers/image.h"

#define SCENE_WIDTH  640
#define SCENE_HEIGHT 480

enum scene_kind {
	SCENE_PRINT,
	SCENE_SCREEN,
	SCENE_PHONE,
	SCENE_COUNT,
};
extern const char *const scene_names[SCENE_COUNT];

struct scene; // everything that is drawn by lot: geometry, light, camera

// The same seed gives the same pictures. EG_ENOMEM.
int scene_new(enum scene_kind kind, uint64_t seed, struct scene **ret_scene,
	      struct eg_err *err) EG_CHECKED;
void scene_free(struct scene *scene); // takes NULL

// The next frame, BGR, of a portrait whose face is about 0.38 of its width wide, centred at 0.5 of
// the width and 0.48 of the height, on a plain background. EG_ENOMEM.
int scene_frame(struct scene *scene, const struct eg_image *portrait,
		struct eg_image *frame) EG_CHECKED;

#endif
