// SPDX-License-Identifier: Apache-2.0
//
// Fills the ring of live pictures (firmware/view) from the frames that the vision worker looks at:
// fifteen a second at most, only those who are being served sharp. While nobody looks or the camera
// rests it does nothing but keep the ring empty.
//
// Thread: the vision worker; new, free and fd while it does not run, fd then from any.

#ifndef EG_DISPLAY_H
#define EG_DISPLAY_H

#include "firmware/boothd/vision.h"

struct eg_display;

int eg_display_new(struct eg_display **ret_display, struct eg_err *err) EG_CHECKED;
void eg_display_free(struct eg_display *display); // takes NULL
int eg_display_fd(const struct eg_display *display);

void eg_display_set(struct eg_display *display, enum eg_view_state state, int64_t from_ns);

// The frame that eg_vision_frame saw last, and what it saw.
void eg_display_frame(struct eg_display *display, struct eg_vision *vision,
		      const struct eg_view *view, const uint32_t *served, size_t served_count);

#endif
