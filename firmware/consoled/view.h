// SPDX-License-Identifier: Apache-2.0
//
// The live view as Motion JPEG (multipart/x-mixed-replace). Each picture is encoded once for all
// officers and once, with everybody but the traveller blurred, for the traveller's page, and only
// while somebody looks. Whoever reads slowly skips pictures: each viewer holds the one it is being
// sent, and goes on with the newest.
//
// When no picture may be shown (no camera, please; boothd gone), viewers get a dark one, at once,
// so that the last face does not stay on a screen.
//
// Thread: one.

#ifndef CONSOLED_VIEW_H
#define CONSOLED_VIEW_H

#include <microhttpd.h>
#include <systemd/sd-event.h>

#include "firmware/view/view.h"

#define VIEW_VIEWERS_MAX 16

struct console;
struct view_picture; // an encoded one; reference-counted

struct viewer {
	bool used, traveller, suspended, ending, greeted;
	struct view *view;
	struct MHD_Connection *connection;
	uint64_t session;	      // 0: none
	struct view_picture *picture; // being sent; NULL: none
	size_t offset;
	uint64_t sent; // number of the last picture begun
};

struct view {
	struct console *console;
	struct eg_view_reader *reader; // NULL: no link
	sd_event_source *timer;
	enum eg_view_state state;
	struct eg_image image, blurred, cells;
	struct eg_view_picture seen;	// the newest picture's facts
	uint64_t number;		// rises with each picture to show
	struct view_picture *newest[2]; // officers', traveller's
	struct viewer viewer[VIEW_VIEWERS_MAX];
	uint64_t encoded; // pictures, for tests
};

int view_start(struct view *view, struct console *console, struct eg_err *err) EG_CHECKED;
void view_stop(struct view *view); // takes a zeroed one; nobody looks any more

void view_open(struct view *view, int fd); // takes the descriptor of a ring over
void view_close(struct view *view);
void view_look(struct view *view); // something may be new: look now

// A place for somebody who looks, NULL: all are taken; and the body that is sent to it.
struct viewer *view_join(struct view *view, struct MHD_Connection *connection, bool traveller);
struct MHD_Response *view_response(struct viewer *viewer);
// Sends the newest picture again to those who wait for another: finds out who is gone.
void view_beat(struct view *view);
void view_end_session(struct view *view, uint64_t session);
void view_end_all(struct view *view); // before the server stops

#endif
