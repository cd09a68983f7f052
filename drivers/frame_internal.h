// SPDX-License-Identifier: Apache-2.0
//
// What camera backends need of a frame beyond frame.h. Inside drivers/ only.

#ifndef EG_FRAME_INTERNAL_H
#define EG_FRAME_INTERNAL_H

#include "drivers/camera.h"

// The number of a new run of a stream.
uint32_t eg_camera_generation(void);

// EG_EINVAL with a sentence for a rate outside 1 … 120.
int eg_camera_check(const struct eg_camera_config *config, struct eg_err *err) EG_CHECKED;

uint64_t eg_frame_digest_of(const uint8_t *luma, size_t size);

// Of camera_libcamera.cpp, which exports functions only; their table is in camera.c.
int eg_camera_libcamera_open(const struct eg_camera_config *config,
			     const struct eg_camera_sink *sink, struct eg_camera **ret_camera,
			     struct eg_err *err) EG_CHECKED;
int eg_camera_libcamera_start(struct eg_camera *camera, struct eg_err *err) EG_CHECKED;
void eg_camera_libcamera_stop(struct eg_camera *camera);
void eg_camera_libcamera_stats(const struct eg_camera *camera, struct eg_camera_stats *ret_stats);
void eg_camera_libcamera_close(struct eg_camera *camera);

#endif
