// SPDX-License-Identifier: Apache-2.0
//
// syncd's one worker thread: it owns everything that blocks (the network, the two databases, the
// files of the booth's identity) and does one thing after the other, in the order that net/sync.h
// says. The main thread keeps its event loop free for Varlink and the watchdog; the two meet only
// here: commands go down through a mailbox, and up goes a wake-up (an eventfd) to come and copy
// the state.
//
// Thread: worker_* from the main thread.

#ifndef EG_SYNCD_WORKER_H
#define EG_SYNCD_WORKER_H

#include "firmware/syncd/config.h"
#include "net/tlskey.h"
#include "net/wire.h"

enum link_state {
	LINK_UNPROVISIONED,
	LINK_CONNECTING,
	LINK_UP,
	LINK_DOWN,
	LINK_REFUSED
};
const char *link_state_name(enum link_state state);

// What others may know. All of it a copy.
struct worker_state {
	char booth[EG_NAME_MAX];
	char url[256];
	enum link_state link;
	char doing[64];
	int64_t last_success_ms; // wall
	char problem[EG_ERR_TEXT_MAX];
	int64_t problem_ms;	 // wall
	int64_t from_ms, end_ms; // of the certificate
	enum eg_key_kept kept;
	bool keys_sent;
	struct eg_records_facts queue;
	struct eg_manifest_held held[EG_WIRE_LISTED_MAX];
	size_t held_count;
};

struct worker;

// Opens the databases and starts the thread. Missing trust, token or certificate is no error: the
// worker says what is missing and looks again.
int worker_start(const struct config *config, struct worker **ret_worker,
		 struct eg_err *err) EG_CHECKED;
void worker_stop(struct worker *worker); // takes NULL; waits for the thread, at most a second or so

void worker_kick(struct worker *worker, bool retry);
int worker_fd(const struct worker *worker); // readable when the state changed; lent
// Empties the fd. *ret_manifests: a manifest came or went since the last time.
void worker_copy(struct worker *worker, struct worker_state *ret_state, bool *ret_manifests);
int64_t worker_silent_ms(struct worker *worker); // since the thread last came by its loop

#endif
