// SPDX-License-Identifier: Apache-2.0
//
// The policy of synchronisation: what to do next, and what a failure means. Pure: no clock, no
// file, no network; times and random numbers come in as arguments, so that tests own them. The
// worker (firmware/syncd/worker.c) asks eg_sync_next, does it, and tells eg_sync_done.
//
// The rules:
//   - A one-time token is used first; then a certificate is renewed at two thirds of its life, or
//     at once when the centre refuses us (401, 403, or by a TLS alert), but then not again within
//     `again_ms`. After a renewal a third of the new certificate's life must pass in boot time:
//     a clock that runs far ahead makes it look due at once.
//   - No answer at all, and 408, 425, 429, 502, 503, 504, close the gate: nothing is tried until a
//     jittered, doubling wait is over, for ever, capped at `backoff_max_ms`. Retry-After is obeyed.
//   - Any other failure delays only the task that had it; so no task can starve another.
//   - Whatever is due longest goes first. A large manifest comes in pieces, and the pieces and the
//     encounters of a long queue get equal shares of the time.
//
// Times: *_ms of "boot" are boot time, of "wall" wall time. Thread: one at a time.

#ifndef EG_SYNC_H
#define EG_SYNC_H

#include <stdbool.h>
#include <stdint.h>

#include "firmware/base/err.h"

enum eg_sync_task {
	EG_SYNC_NONE,
	EG_SYNC_ENROL,
	EG_SYNC_RENEW,
	EG_SYNC_KEYS,	   // PUT /v1/booth-keys
	EG_SYNC_MANIFESTS, // GET /v1/manifests
	EG_SYNC_FETCH,	   // one piece of one manifest
	EG_SYNC_HEARTBEAT,
	EG_SYNC_POLICY,	   // GET /v1/policy
	EG_SYNC_AUDIT,	   // PUT /v1/audit/{head}
	EG_SYNC_ENCOUNTER, // one encounter
	EG_SYNC_TASKS
};
const char *eg_sync_task_name(enum eg_sync_task task); // "enrol", …; never NULL

enum eg_sync_outcome {
	EG_SYNC_DONE,	 // what was asked for happened
	EG_SYNC_IDLE,	 // there was nothing to do
	EG_SYNC_LINK,	 // nobody there, too slow, too busy, not the centre, or our key's device
			 // does not answer: the gate closes
	EG_SYNC_FAILED,	 // an answer that is no use: this task waits
	EG_SYNC_REFUSED, // the centre does not accept who we are
	EG_SYNC_BURY,	 // it will never take these bytes: dead-letter list, and on with the next
	EG_SYNC_OUTCOMES
};
const char *eg_sync_outcome_name(enum eg_sync_outcome outcome);

// What the result of a call means. `code` is what eg_http_do returned, `refused` what it said, and
// `status` the answer's when code is 0. Says DONE only for a status that `task` can succeed with;
// the body is the caller's to judge.
enum eg_sync_outcome eg_sync_judge(enum eg_sync_task task, int code, bool refused, int status);

struct eg_sync_rules {
	int64_t poll_ms;      // between two looks for manifests, ± a tenth
	int64_t heartbeat_ms; // ± a tenth
	int64_t queue_ms;     // between two looks into an empty queue or at missing files
	int64_t backoff_min_ms, backoff_max_ms;
	int64_t again_ms; // after a refusal: before the next token or renewal attempt
};

struct eg_sync {
	struct eg_sync_rules rules;
	bool token, identity, keys_sent, fetching;
	int64_t from_ms, end_ms; // of the certificate, wall
	bool renew_now;		 // the centre refused us
	bool renewed;
	int64_t renewed_ms;		      // last renewal or attempt, boot
	int64_t gate_ms;		      // nothing before, boot
	unsigned int link_failures;	      // in a row
	unsigned int failures[EG_SYNC_TASKS]; // in a row
	int64_t due_ms[EG_SYNC_TASKS];	      // boot
	int64_t begun_ms;		      // boot time of the task under way
	int64_t spent_ms[EG_SYNC_TASKS];      // FETCH and ENCOUNTER, while both want to run
};

void eg_sync_init(struct eg_sync *sync, const struct eg_sync_rules *rules, int64_t boot_ms);

// Facts, told whenever they change.
void eg_sync_token(struct eg_sync *sync, bool token, int64_t boot_ms); // a (new) token is there
void eg_sync_identity(struct eg_sync *sync, bool identity, int64_t from_ms, int64_t end_ms,
		      int64_t boot_ms);
void eg_sync_keys(struct eg_sync *sync, bool sent);
void eg_sync_fetching(struct eg_sync *sync, bool fetching, int64_t boot_ms);
// There may be something new in the queue. With `retry`, waits after failures end as well.
void eg_sync_kick(struct eg_sync *sync, bool retry, int64_t boot_ms);

// What to do now; or EG_SYNC_NONE, and *ret_wait_ms says how long not.
enum eg_sync_task eg_sync_next(struct eg_sync *sync, int64_t boot_ms, int64_t wall_ms,
			       int64_t *ret_wait_ms);

// How it went. `retry_after_ms`: −1 when the answer did not say; `random`: 32 random bits.
void eg_sync_done(struct eg_sync *sync, enum eg_sync_task task, enum eg_sync_outcome outcome,
		  int64_t retry_after_ms, uint32_t random, int64_t boot_ms);

// The wait before attempt `failures` + 1: doubling from the minimum, capped, the upper half of it
// random. What the worker gives a single encounter as its own retry time.
int64_t eg_sync_backoff(const struct eg_sync_rules *rules, unsigned int failures, uint32_t random);

// When a certificate is renewed: two thirds of its life after it began.
int64_t eg_sync_renewal_ms(int64_t from_ms, int64_t end_ms);

#endif
