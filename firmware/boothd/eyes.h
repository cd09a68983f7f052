// SPDX-License-Identifier: Apache-2.0
//
// Keeps the camera honest: knows how old the last new frame is (new: of another content than the
// one before; counted where the camera gives it, so that a slow vision worker is not taken for a
// broken camera), and recovers in grades with a budget for each: restart the stream (3 times), then
// close and open again (for ever, more and more rarely), saying what it is doing. Reconnecting
// never creates a traveller: the caller resets the tracks when the generation changes.
//
// Thread: the main thread; only the sink runs on the camera's thread, and it posts and returns.

#ifndef EG_EYES_H
#define EG_EYES_H

#include "drivers/camera.h"

enum eg_eyes_state {
	EG_EYES_CLOSED,	   // not open, or being opened again
	EG_EYES_STREAMING, // new frames come
	EG_EYES_STALLED,   // open, but no new frame for too long
	EG_EYES_RESTING,   // stopped on purpose: "no camera, please"
	EG_EYES_ENDED,	   // a folder that does not loop is at its end
};
const char *eg_eyes_state_name(enum eg_eyes_state state); // closed, streaming, ...

struct eg_eyes;

// `config` and `mailbox` are lent and outlive the object. A camera that cannot be opened now is no
// error: the object keeps trying, and its state says so.
int eg_eyes_new(const struct eg_camera_ops *ops, const struct eg_camera_config *config,
		struct eg_mailbox *mailbox, struct eg_eyes **ret_eyes,
		struct eg_err *err) EG_CHECKED;
void eg_eyes_free(struct eg_eyes *eyes); // takes NULL

// To be called some ten times a second. True when something changed that should be told; then
// *ret_text (lent until the next call) is a sentence about it.
bool eg_eyes_tick(struct eg_eyes *eyes, const char **ret_text);

void eg_eyes_rest(struct eg_eyes *eyes); // frames stop at the driver
void eg_eyes_wake(struct eg_eyes *eyes);

struct eg_eyes_facts {
	enum eg_eyes_state state;
	int64_t frame_age_ms; // −1: none yet
	double frames_per_second;
	unsigned int restarts, reopens;
	struct eg_camera_stats camera;
};
void eg_eyes_facts(const struct eg_eyes *eyes, struct eg_eyes_facts *ret_facts);

#endif
