// SPDX-License-Identifier: Apache-2.0
//
// The two HTTP servers: libmicrohttpd, driven by the program's own event loop.
//
//	traveller  plain HTTP on 127.0.0.1: whoever sits at the booth's own browser
//	officer    HTTPS: sessions, and client certificates where an account has one
//
// A request goes through fixed gates (gates.c), each with its answer: host (421), path (404),
// method (405), where it comes from (403), session (401), CSRF token (403), role (403), content
// type (415), length (413); only then is a body kept, and its handler runs when all of it is there.
//
// Thread: the event loop's.

#ifndef CONSOLED_SERVER_H
#define CONSOLED_SERVER_H

#include <microhttpd.h>
#include <systemd/sd-event.h>

#include "firmware/consoled/config.h"

struct console;
struct request;
struct route;

struct site {
	struct console *console;
	const char *scheme; // "http" or "https"
	const char *page;   // the file that "/" is
	const struct route *routes;
	size_t route_count;
	bool officer; // sessions, TLS, any host name
	struct MHD_Daemon *daemon;
	sd_event_source *io, *timer;
	int port;
	struct request *waiting; // for a PIN or for boothd; a list
};

// Both listen. Ports are in the sites then, and in config->port_file.
int server_start(struct console *console, struct eg_err *err) EG_CHECKED;
void server_stop(struct console *console);

#endif
