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

#endif
