// SPDX-License-Identifier: Apache-2.0
//
// What several capture tests share: the model pack, the demo's photos, frames made of pictures.

#ifndef SUPPORT_H
#define SUPPORT_H

// clang-format off: cmocka wants these first
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on

#include "capture/capture.h"

#define ROLE(role) (1u << EG_MODEL_##role)

// The folder that the variable names, or the test is skipped when it is missing.
const char *folder_of(const char *variable);

// Opens EGRESS_PACK with these roles; skips when there is none.
struct eg_pack *open_pack(unsigned int roles);

// FOLDER/NAME as BGR.
void load_picture(const char *folder, const char *name, struct eg_image *image);

// A plain grey picture.
void plain_picture(struct eg_image *image, int width, int height, uint8_t grey);

// Draws the part of `from` in `box` into `to` at (x, y), `scale` times as large.
void paste(struct eg_image *to, int x, int y, const struct eg_image *from, struct eg_box box,
	   double scale);

// A frame out of `pool` that shows the picture (BGR, of the pool's size), taken at time_ms.
struct eg_frame *frame_of(struct eg_frame_pool *pool, const struct eg_image *picture,
			  int64_t time_ms);

#endif
