// SPDX-License-Identifier: Apache-2.0
//
// The HTTPS server: libmicrohttpd on the program's own event loop. One thread does everything;
// what blocks is the ledger's commit (about a millisecond).
//
// A request goes through fixed gates, each with its answer: path (404), method (405), who is it
// (401, 403), content type (415), length (413), memory (503); only then is a body kept, and its
// handler (routes.c) runs when all of it is there.

#ifndef CENTRALD_SERVER_H
#define CENTRALD_SERVER_H

#include <microhttpd.h>
#include <systemd/sd-event.h>

#include "net/central/attempts.h"
#include "net/central/centrald/config.h"
#include "net/central/centre.h"

struct server {
	const struct config *config;
	const struct eg_clock *clock;
	struct eg_centre_public public;
	uint8_t seal_kid[EG_KID_SIZE];
	struct eg_key *sign;
	struct eg_ca *ca;
	struct eg_ledger *ledger;
	struct eg_buf server_key, server_cert;
	struct MHD_Daemon *daemon;
	sd_event_source *io, *timer;
	int port;
	size_t body_bytes;	     // reserved for bodies under way
	struct eg_attempts attempts; // bad tokens
};

// Loads keys, opens the ledger, listens. `server` is zeroed; server_done in every case.
int server_start(struct server *server, sd_event *event, const struct config *config,
		 struct eg_err *err) EG_CHECKED;
void server_done(struct server *server);

#endif
