// SPDX-License-Identifier: Apache-2.0
//
// See sync.h.

#include "net/sync.h"

#include <stddef.h>

// The centre may ask for patience, but not for ever: a booth that is told "in a year" asks hourly.
#define RETRY_AFTER_MAX_MS (60 * 60 * 1000LL)

static const char *const task_names[EG_SYNC_TASKS] = {
	[EG_SYNC_NONE] = "none",	   [EG_SYNC_ENROL] = "enrol",
	[EG_SYNC_RENEW] = "renew",	   [EG_SYNC_KEYS] = "booth-keys",
	[EG_SYNC_MANIFESTS] = "manifests", [EG_SYNC_FETCH] = "fetch",
	[EG_SYNC_HEARTBEAT] = "heartbeat", [EG_SYNC_POLICY] = "policy",
	[EG_SYNC_AUDIT] = "audit",	   [EG_SYNC_ENCOUNTER] = "encounter",
};

static const char *const outcome_names[EG_SYNC_OUTCOMES] = {
	[EG_SYNC_DONE] = "done",     [EG_SYNC_IDLE] = "idle",	    [EG_SYNC_LINK] = "link",
	[EG_SYNC_FAILED] = "failed", [EG_SYNC_REFUSED] = "refused", [EG_SYNC_BURY] = "bury",
};

const char *eg_sync_task_name(enum eg_sync_task task)
{
	return (unsigned int)task < EG_SYNC_TASKS ? task_names[task] : "?";
}

const char *eg_sync_outcome_name(enum eg_sync_outcome outcome)
{
	return (unsigned int)outcome < EG_SYNC_OUTCOMES ? outcome_names[outcome] : "?";
}

static bool succeeded(enum eg_sync_task task, int status)
{
	switch (task) {
	case EG_SYNC_ENROL:
	case EG_SYNC_RENEW:
	case EG_SYNC_AUDIT:
		return status == 200;
	case EG_SYNC_KEYS:
	case EG_SYNC_HEARTBEAT:
		return status == 204 || status == 200;
	case EG_SYNC_MANIFESTS:
	case EG_SYNC_POLICY:
		return status == 200 || status == 304;
	case EG_SYNC_FETCH:
		return status == 200 || status == 206;
	case EG_SYNC_ENCOUNTER:
		return status == 200 || status == 201;
	case EG_SYNC_NONE:
	case EG_SYNC_TASKS:
		break;
	}
	return false;
}

enum eg_sync_outcome eg_sync_judge(enum eg_sync_task task, int code, bool refused, int status)
{
	if (code == EG_ENET || code == EG_ETIMEOUT || code == EG_EIO)
		return EG_SYNC_LINK;
	if (code == EG_EAUTH)
		return refused ? EG_SYNC_REFUSED : EG_SYNC_LINK;
	if (code != 0)
		return EG_SYNC_FAILED;
	if (succeeded(task, status))
		return EG_SYNC_DONE;
	switch (status) {
	case 408: // request time-out
	case 425: // too early
	case 429: // too many requests
	case 502:
	case 503:
	case 504: // a gateway in front of the centre: nobody there
		return EG_SYNC_LINK;
	case 401:
	case 403:
		return EG_SYNC_REFUSED;
	default:
		break;
	}
	// 4xx: these bytes will never be taken. A redirect, a strange success or a 5xx says
	// nothing about them, so they stay in the queue.
	if (task == EG_SYNC_ENCOUNTER && status >= 400 && status < 500)
		return EG_SYNC_BURY;
	return EG_SYNC_FAILED;
}

void eg_sync_init(struct eg_sync *sync, const struct eg_sync_rules *rules, int64_t boot_ms)
{
	*sync = (struct eg_sync){.rules = *rules};
	for (size_t i = 0; i < EG_SYNC_TASKS; i++)
		sync->due_ms[i] = boot_ms;
}

static void open_gate(struct eg_sync *sync)
{
	sync->gate_ms = 0;
	sync->link_failures = 0;
}

void eg_sync_token(struct eg_sync *sync, bool token, int64_t boot_ms)
{
	if (token) {
		sync->due_ms[EG_SYNC_ENROL] = boot_ms;
		sync->failures[EG_SYNC_ENROL] = 0;
		open_gate(sync);
	}
	sync->token = token;
}

void eg_sync_identity(struct eg_sync *sync, bool identity, int64_t from_ms, int64_t end_ms,
		      int64_t boot_ms)
{
	sync->identity = identity;
	sync->from_ms = from_ms;
	sync->end_ms = end_ms;
	// What waited because of who we were need not wait any longer.
	for (size_t i = 0; identity && i < EG_SYNC_TASKS; i++)
		if (sync->failures[i] > 0 && i != EG_SYNC_ENROL) {
			sync->failures[i] = 0;
			sync->due_ms[i] = boot_ms;
		}
}

void eg_sync_keys(struct eg_sync *sync, bool sent)
{
	sync->keys_sent = sent;
}

void eg_sync_fetching(struct eg_sync *sync, bool fetching, int64_t boot_ms)
{
	if (fetching && !sync->fetching && sync->failures[EG_SYNC_FETCH] == 0)
		sync->due_ms[EG_SYNC_FETCH] = boot_ms;
	sync->fetching = fetching;
}

void eg_sync_kick(struct eg_sync *sync, bool retry, int64_t boot_ms)
{
	if (sync->failures[EG_SYNC_ENCOUNTER] == 0)
		sync->due_ms[EG_SYNC_ENCOUNTER] = boot_ms;
	if (!retry)
		return;
	open_gate(sync);
	for (size_t i = 0; i < EG_SYNC_TASKS; i++) {
		sync->failures[i] = 0;
		sync->due_ms[i] = boot_ms;
	}
}

int64_t eg_sync_renewal_ms(int64_t from_ms, int64_t end_ms)
{
	return from_ms + (end_ms - from_ms) / 3 * 2;
}

// Whether `task` is wanted at all, and then when.
static bool wanted(const struct eg_sync *sync, enum eg_sync_task task, int64_t wall_ms)
{
	switch (task) {
	case EG_SYNC_ENROL:
		return sync->token;
	case EG_SYNC_RENEW:
		return sync->identity &&
		       (sync->renew_now ||
			wall_ms >= eg_sync_renewal_ms(sync->from_ms, sync->end_ms));
	case EG_SYNC_KEYS:
		return sync->identity && !sync->keys_sent;
	case EG_SYNC_FETCH:
		return sync->identity && sync->fetching;
	case EG_SYNC_AUDIT: // a head is worth nothing before the centre has the booth's keys
		return sync->identity && sync->keys_sent;
	case EG_SYNC_MANIFESTS:
	case EG_SYNC_HEARTBEAT:
	case EG_SYNC_POLICY:
	case EG_SYNC_ENCOUNTER:
		return sync->identity;
	case EG_SYNC_NONE:
	case EG_SYNC_TASKS:
		break;
	}
	return false;
}

// Of two tasks that are due: the one that waits longer; but of a manifest's pieces and encounters
// the one that had less of the time.
static bool goes_before(const struct eg_sync *sync, enum eg_sync_task a, enum eg_sync_task b)
{
	if (a == EG_SYNC_ENCOUNTER && b == EG_SYNC_FETCH)
		return sync->spent_ms[a] <= sync->spent_ms[b];
	return sync->due_ms[a] < sync->due_ms[b];
}

enum eg_sync_task eg_sync_next(struct eg_sync *sync, int64_t boot_ms, int64_t wall_ms,
			       int64_t *ret_wait_ms)
{
	enum eg_sync_task best = EG_SYNC_NONE;
	int64_t wait = sync->rules.queue_ms;

	if (boot_ms < sync->gate_ms) {
		*ret_wait_ms = sync->gate_ms - boot_ms;
		return EG_SYNC_NONE;
	}
	for (int i = EG_SYNC_ENROL; i < EG_SYNC_TASKS; i++) {
		const enum eg_sync_task task = (enum eg_sync_task)i;

		if (!wanted(sync, task, wall_ms))
			continue;
		if (sync->due_ms[i] > boot_ms) {
			if (sync->due_ms[i] - boot_ms < wait)
				wait = sync->due_ms[i] - boot_ms;
			continue;
		}
		if (task <= EG_SYNC_KEYS) { // who we are comes before what we do
			best = task;
			break;
		}
		if (best == EG_SYNC_NONE || goes_before(sync, task, best))
			best = task;
	}
	sync->begun_ms = boot_ms;
	*ret_wait_ms = best == EG_SYNC_NONE ? wait : 0;
	return best;
}

int64_t eg_sync_backoff(const struct eg_sync_rules *rules, unsigned int failures, uint32_t random)
{
	int64_t wait = rules->backoff_min_ms;

	for (unsigned int i = 1; i < failures && wait < rules->backoff_max_ms; i++)
		wait *= 2;
	if (wait > rules->backoff_max_ms)
		wait = rules->backoff_max_ms;
	return wait - (int64_t)(random % (uint32_t)(wait / 2 + 1));
}

static int64_t patience(int64_t wait_ms, int64_t retry_after_ms)
{
	if (retry_after_ms > RETRY_AFTER_MAX_MS)
		retry_after_ms = RETRY_AFTER_MAX_MS;
	return retry_after_ms > wait_ms ? retry_after_ms : wait_ms;
}

// 0.9 … 1.1 of it, so that a fleet that was switched on together does not stay in step.
static int64_t jittered(int64_t ms, uint32_t random)
{
	return ms - ms / 10 + (int64_t)(random % (uint32_t)(ms / 5 + 1));
}

static void succeed(struct eg_sync *sync, enum eg_sync_task task, uint32_t random, int64_t boot_ms)
{
	sync->failures[task] = 0;
	sync->due_ms[task] = boot_ms;
	open_gate(sync);
	switch (task) {
	case EG_SYNC_ENROL:
		sync->token = false;
		sync->renew_now = false;
		break;
	case EG_SYNC_RENEW:
		sync->renew_now = false;
		sync->renewed = true;
		sync->renewed_ms = boot_ms;
		sync->due_ms[task] = boot_ms + (sync->end_ms - sync->from_ms) / 3;
		break;
	case EG_SYNC_KEYS:
		sync->keys_sent = true;
		break;
	case EG_SYNC_MANIFESTS:
	case EG_SYNC_POLICY:
		sync->due_ms[task] = boot_ms + jittered(sync->rules.poll_ms, random);
		break;
	case EG_SYNC_HEARTBEAT:
	case EG_SYNC_AUDIT:
		sync->due_ms[task] = boot_ms + jittered(sync->rules.heartbeat_ms, random);
		break;
	case EG_SYNC_FETCH:
	case EG_SYNC_ENCOUNTER:
	case EG_SYNC_NONE:
	case EG_SYNC_TASKS:
		break; // the next one at once
	}
}

static void refused(struct eg_sync *sync, enum eg_sync_task task, int64_t wait_ms, int64_t boot_ms)
{
	const int64_t again = sync->rules.again_ms;

	if (task == EG_SYNC_ENROL || task == EG_SYNC_RENEW) {
		// A token that was refused once will be again, and so will a renewal. With a
		// certificate in hand we go on under it; a new token is tried at once.
		sync->due_ms[task] = boot_ms + (again > wait_ms ? again : wait_ms);
		if (task == EG_SYNC_RENEW) {
			sync->renew_now = false;
			sync->renewed = true;
			sync->renewed_ms = boot_ms;
		}
		return;
	}
	sync->due_ms[task] = boot_ms + wait_ms;
	if (!sync->renewed || boot_ms - sync->renewed_ms >= again) {
		sync->renew_now = true;
		sync->due_ms[EG_SYNC_RENEW] = boot_ms;
	}
}

// Keeps the account of who had how much of the time; it begins anew when one side has had enough.
static void share(struct eg_sync *sync, enum eg_sync_task task, enum eg_sync_outcome outcome,
		  int64_t boot_ms)
{
	if (task != EG_SYNC_FETCH && task != EG_SYNC_ENCOUNTER)
		return;
	if (outcome == EG_SYNC_IDLE || !sync->fetching)
		sync->spent_ms[EG_SYNC_FETCH] = sync->spent_ms[EG_SYNC_ENCOUNTER] = 0;
	else
		sync->spent_ms[task] += boot_ms - sync->begun_ms;
}

void eg_sync_done(struct eg_sync *sync, enum eg_sync_task task, enum eg_sync_outcome outcome,
		  int64_t retry_after_ms, uint32_t random, int64_t boot_ms)
{
	int64_t wait;

	share(sync, task, outcome, boot_ms);
	switch (outcome) {
	case EG_SYNC_DONE:
	case EG_SYNC_BURY:
		succeed(sync, task, random, boot_ms);
		return;
	case EG_SYNC_IDLE:
		sync->failures[task] = 0;
		sync->due_ms[task] = boot_ms + sync->rules.queue_ms;
		return;
	case EG_SYNC_LINK:
		sync->link_failures++;
		sync->failures[task]++;
		wait = patience(eg_sync_backoff(&sync->rules, sync->link_failures, random),
				retry_after_ms);
		sync->gate_ms = boot_ms + wait;
		sync->due_ms[task] = sync->gate_ms;
		// Behind the gate encounters get their turn first: another call that always hangs
		// must not hold them up.
		if (sync->identity && task != EG_SYNC_ENCOUNTER)
			sync->due_ms[task] +=
				eg_sync_backoff(&sync->rules, sync->failures[task], random);
		return;
	case EG_SYNC_FAILED:
	case EG_SYNC_REFUSED:
		sync->failures[task]++;
		wait = patience(eg_sync_backoff(&sync->rules, sync->failures[task], random),
				retry_after_ms);
		if (outcome == EG_SYNC_REFUSED)
			refused(sync, task, wait, boot_ms);
		else
			sync->due_ms[task] = boot_ms + wait;
		return;
	case EG_SYNC_OUTCOMES:
		break;
	}
}
