// SPDX-License-Identifier: Apache-2.0
//
// What the files of the worker share: worker.c (thread, loop, mailbox), identity.c (who we are),
// enrol.c (how we come by it), inbound.c (manifests, policy), outbound.c (encounters, keys,
// heartbeat, audit heads). All but the part under `lock` belongs to the
// worker thread.

#ifndef EG_SYNCD_WORKER_INTERNAL_H
#define EG_SYNCD_WORKER_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>

#include "firmware/base/clock.h"
#include "firmware/syncd/partial.h"
#include "firmware/syncd/worker.h"
#include "net/exchange.h"
#include "store/retention.h"

#define TOKEN_MAX      128
#define STATE_PATH_MAX (CONFIG_PATH_MAX + 32)

// A manifest we looked at and did not take; not fetched again before `until_ms` (boot).
struct rejected {
	struct eg_listed listed;
	int64_t until_ms;
};

struct inbound {
	char list_etag[EG_HTTP_ETAG_MAX];
	struct eg_listed listed[EG_WIRE_LISTED_MAX];
	size_t listed_count;
	bool fetching;
	struct eg_listed target; // while fetching
	struct partial partial;	 // what came of it
	struct rejected rejected[EG_WIRE_LISTED_MAX];
	size_t next_rejected;
};

struct worker {
	const struct config *config;
	const struct eg_clock *clock;
	pthread_t thread;
	int fd;
	atomic_llong beat_ms; // boot time of the last turn of the loop

	pthread_mutex_t lock; // guards the next five
	pthread_cond_t wake;
	bool stop, kick, retry, manifests_changed;
	struct worker_state state;
	struct eg_http *http; // made and freed by the thread under the lock, used without it

	struct eg_sync sync;
	bool trusted;
	struct eg_trust trust;
	struct eg_exchange exchange;
	struct eg_vault *vault;
	struct eg_identity identity;
	enum eg_key_kept kept;	   // of tls.pem, usable or not
	bool key_doubt;		   // a call failed in a way that may be the key's fault
	bool key_lost;		   // it is kept in a device that does not answer
	unsigned int key_failures; // in a row
	int64_t key_retry_ms;	   // boot
	char token[TOKEN_MAX];	   // as last seen; "" none
	bool keys_sent;
	struct eg_records *records;
	struct eg_manifests *manifests;
	struct inbound inbound;
	char policy_etag[EG_HTTP_ETAG_MAX];
	struct eg_buf envelope;
	int64_t looked_ms, swept_ms, facts_ms; // boot
	char logged[EG_SYNC_TASKS][EG_ERR_TEXT_MAX];
	char missing[EG_ERR_TEXT_MAX]; // the last complaint about files
	char problem[EG_ERR_TEXT_MAX];
	int64_t problem_ms, last_success_ms; // wall
	enum link_state link;
	int64_t counts_sent_ms; // the last week of counts by group that the centre took
};

// identity.c
void identity_look(struct worker *worker); // reads what changed among trust, token, tls.pem, keys
void identity_look_at_keys(struct worker *worker); // whether the centre has those in booth.pub
// Makes `identity` the one in use (moved).
int identity_use(struct worker *worker, struct eg_identity *identity,
		 struct eg_err *err) EG_CHECKED;
void token_forget(struct worker *worker); // it was used
void state_path(const struct worker *worker, const char *name, char path[STATE_PATH_MAX]);
void state_forget(const struct worker *worker, const char *name); // a file of the state folder
int identity_keys_marker(struct worker *worker, struct eg_bytes keys,
			 struct eg_err *err) EG_CHECKED;

// enrol.c
enum eg_sync_outcome identity_enrol(struct worker *worker, struct eg_err *err);
enum eg_sync_outcome identity_renew(struct worker *worker, struct eg_err *err);
void identity_tidy(struct worker *worker); // after one that was cut when it had succeeded

// inbound.c
void inbound_init(struct inbound *inbound);
void inbound_done(struct inbound *inbound);
enum eg_sync_outcome inbound_list(struct worker *worker, struct eg_err *err);
enum eg_sync_outcome inbound_fetch(struct worker *worker, struct eg_err *err);
enum eg_sync_outcome inbound_policy(struct worker *worker, struct eg_err *err);
void inbound_sweep(struct worker *worker); // erases what expired long enough ago

// outbound.c
enum eg_sync_outcome outbound_keys(struct worker *worker, struct eg_err *err);
enum eg_sync_outcome outbound_heartbeat(struct worker *worker, struct eg_err *err);
enum eg_sync_outcome outbound_audit(struct worker *worker, struct eg_err *err);
enum eg_sync_outcome outbound_encounter(struct worker *worker, struct eg_err *err);

// worker.c
void worker_manifests_changed(struct worker *worker);
void worker_complain(struct worker *worker, const struct eg_err *err); // about files, once
uint32_t worker_random(void);

#endif
