// SPDX-License-Identifier: Apache-2.0
//
// A camera, whatever is behind it. Backends are const ops tables: `eg_camera_libcamera` (real
// cameras, and libcamera's virtual one) and `eg_camera_folder` (numbered image files, for tests
// and eg-bench).
//
// Life: open → start → (stop → start)* → close. Frames and events come on the backend's threads,
// EG_CAMERA_STARTED (before the first frame) and EG_CAMERA_STOPPED on those of start's and stop's
// callers; the sink does nothing there but post and return, and calls nothing of the camera. After
// stop has returned no frame of that run comes; restarting is a normal transition and raises
// `generation`. A camera that was pulled out reports EG_CAMERA_GONE once and then wants to be
// closed; opening it again is the caller's decision (and its pace).

#ifndef EG_CAMERA_H
#define EG_CAMERA_H

#include "drivers/frame.h"
#include "firmware/base/clock.h"

struct eg_camera_config {
	const char *source; // libcamera: camera id, or "" for the first; folder: path of the folder
	int width, height;  // pixels
	int frame_rate;	    // 1 … 120 frames per second; backends that do not pace are paced
	bool loop;	    // folder: begin again after the last file, else EG_CAMERA_ENDED
	const struct eg_clock *clock;
};

enum eg_camera_event {
	EG_CAMERA_STARTED,
	EG_CAMERA_STOPPED,
	EG_CAMERA_GONE,	 // unplugged: close it
	EG_CAMERA_ENDED, // folder without loop: the last file was sent
	EG_CAMERA_FAULT, // the stream broke, told once per run: stop and start it
};

struct eg_camera_sink {
	void (*frame)(void *user, struct eg_frame *frame); // the reference is the sink's
	void (*event)(void *user, enum eg_camera_event event, const char *text);
	void *user;
};

struct eg_camera_stats {
	uint64_t frames;  // posted to the sink
	uint64_t dropped; // no free buffer in the pool
	char model[128];
};

struct eg_camera; // backend's

struct eg_camera_ops {
	const char *name; // "libcamera", "folder"
	int (*open)(const struct eg_camera_config *config, const struct eg_camera_sink *sink,
		    struct eg_camera **ret_camera, struct eg_err *err);
	int (*start)(struct eg_camera *camera, struct eg_err *err);
	void (*stop)(struct eg_camera *camera); // waits for the backend's thread to be quiet
	void (*stats)(const struct eg_camera *camera, struct eg_camera_stats *ret_stats);
	void (*close)(struct eg_camera *camera); // takes NULL; stops first
};

extern const struct eg_camera_ops eg_camera_libcamera;
extern const struct eg_camera_ops eg_camera_folder;

// By name; NULL when there is no such backend.
const struct eg_camera_ops *eg_camera_backend(const char *name);

#endif
