// SPDX-License-Identifier: Apache-2.0
//
// A Varlink service that comes and goes: one connection that watches, one for calls, both made anew
// by themselves. Calls are answered in the order they were made. Where a descriptor is passed, a
// third one asks for it: among the answers of several calls sd-varlink would lose it.
//
// A service that does not answer a call within ten seconds counts as gone.
//
// Thread: one. Nothing here waits.

#ifndef CONSOLED_LINK_H
#define CONSOLED_LINK_H

#include <stdbool.h>
#include <systemd/sd-event.h>
#include <systemd/sd-varlink.h>

#include "firmware/base/err.h"

#define LINK_CALLS_MAX 64

struct link;

// `error` NULL: it answered, `reply` is lent. Else the error's name: the service's own, or
// LINK_GONE; then `reply` may be NULL.
typedef void (*link_done)(void *user, const char *error, sd_json_variant *reply);
#define LINK_GONE "io.egress.Gone"

struct link {
	// Set by the caller before link_start.
	const char *name, *socket, *watch_method;
	const char *fd_method;		   // NULL: none
	void (*on_fd)(void *user, int fd); // takes it over
	void (*on_open)(void *user);	   // connected and watching; calls may be made
	void (*on_event)(void *user, sd_json_variant *parameters);
	void (*on_gone)(void *user); // after on_open; pending calls were ended before
	void *user;

	sd_event *event;
	sd_event_source *timer, *pump;
	sd_varlink *watch, *calls, *passed;
	bool open, failed, told;
	struct link_call {
		const char *method; // a literal
		sd_json_variant *parameters;
		link_done done;
		void *user;
	} call[LINK_CALLS_MAX];
	size_t first, count, sent;
};

int link_start(struct link *link, sd_event *event, struct eg_err *err) EG_CHECKED;
void link_stop(struct link *link); // takes a zeroed one; ends pending calls with LINK_GONE

// Calls a method; `parameters` NULL: none; a reference is taken. `done` may be NULL, and is called
// later, never from here. EG_ENET: the service is not there; EG_EFULL.
int link_call(struct link *link, const char *method, sd_json_variant *parameters, link_done done,
	      void *user) EG_CHECKED;
void link_forget(struct link *link, const void *user); // its `done` will not be called

#endif
