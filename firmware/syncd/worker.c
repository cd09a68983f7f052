// SPDX-License-Identifier: Apache-2.0
//
// See worker.h.

#include "firmware/syncd/worker.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "firmware/base/crypto.h"
#include "firmware/base/log.h"
#include "firmware/base/mem.h"
#include "firmware/syncd/worker_internal.h"

#define FACTS_MS 500   // the queue is counted at most so often while it drains
#define SWEEP_MS 60000 // between two looks for expired manifests

static const char *const link_names[] = {
	[LINK_UNPROVISIONED] = "unprovisioned",
	[LINK_CONNECTING] = "connecting",
	[LINK_UP] = "up",
	[LINK_DOWN] = "down",
	[LINK_REFUSED] = "refused",
};

const char *link_state_name(enum link_state state)
{
	return link_names[state];
}

uint32_t worker_random(void)
{
	uint32_t value;

	return eg_random(&value, sizeof(value)) == 0 ? value : 0; // only jitter
}

static void ring(struct worker *worker)
{
	(void)!eventfd_write(worker->fd, 1);
}

void worker_manifests_changed(struct worker *worker)
{
	(void)pthread_mutex_lock(&worker->lock);
	worker->manifests_changed = true;
	(void)pthread_mutex_unlock(&worker->lock);
	worker->facts_ms = 0;
	ring(worker);
}

static void remember_problem(struct worker *worker, const char *text)
{
	(void)snprintf(worker->problem, sizeof(worker->problem), "%s", text);
	worker->problem_ms = eg_wall_ms(worker->clock);
}

void worker_complain(struct worker *worker, const struct eg_err *err)
{
	if (strcmp(worker->missing, err->text) != 0) {
		eg_warning("%s", err->text);
		memcpy(worker->missing, err->text, sizeof(worker->missing));
	}
	remember_problem(worker, err->text);
}

static void describe(const struct worker *worker, enum eg_sync_task task, char *text, size_t size)
{
	const struct eg_sync *sync = &worker->sync;
	const int64_t boot = eg_boot_ms(worker->clock);

	if (task != EG_SYNC_NONE)
		(void)snprintf(text, size, "%s", eg_sync_task_name(task));
	else if (worker->key_lost && !sync->token)
		(void)snprintf(text, size, "waiting for the device that keeps the TLS key");
	else if (!sync->identity && !sync->token)
		(void)snprintf(text, size, "waiting to be provisioned");
	else if (boot < sync->gate_ms)
		(void)snprintf(text, size, "trying again within %lld s",
			       (long long)(sync->gate_ms - boot + 999) / 1000);
	else
		(void)snprintf(text, size, "idle");
}

// Copies what others may know to where they may look.
static void publish(struct worker *worker, enum eg_sync_task task)
{
	const int64_t boot = eg_boot_ms(worker->clock);
	struct worker_state fresh = worker->state; // only this thread writes it
	bool changed;

	memcpy(fresh.booth, worker->trust.booth, sizeof(fresh.booth));
	memcpy(fresh.url, worker->trust.url, sizeof(fresh.url));
	fresh.link = worker->link;
	describe(worker, task, fresh.doing, sizeof(fresh.doing));
	fresh.last_success_ms = worker->last_success_ms;
	memcpy(fresh.problem, worker->problem, sizeof(fresh.problem));
	fresh.problem_ms = worker->problem_ms;
	fresh.from_ms = worker->identity.from_ms;
	fresh.end_ms = worker->identity.end_ms;
	fresh.kept = worker->kept;
	fresh.keys_sent = worker->keys_sent;
	if (worker->facts_ms == 0 || boot - worker->facts_ms >= FACTS_MS) {
		(void)!eg_records_facts(worker->records, &fresh.queue, NULL);
		(void)!eg_manifests_list(worker->manifests, fresh.held, EG_WIRE_LISTED_MAX,
					 &fresh.held_count, NULL);
		worker->facts_ms = boot;
	}
	changed = memcmp(&fresh, &worker->state, sizeof(fresh)) != 0;
	if (!changed)
		return;
	(void)pthread_mutex_lock(&worker->lock);
	worker->state = fresh;
	(void)pthread_mutex_unlock(&worker->lock);
	ring(worker);
}

static enum eg_sync_outcome perform(struct worker *worker, enum eg_sync_task task,
				    struct eg_err *err)
{
	switch (task) {
	case EG_SYNC_ENROL:
		return identity_enrol(worker, err);
	case EG_SYNC_RENEW:
		return identity_renew(worker, err);
	case EG_SYNC_KEYS:
		return outbound_keys(worker, err);
	case EG_SYNC_MANIFESTS:
		return inbound_list(worker, err);
	case EG_SYNC_FETCH:
		return inbound_fetch(worker, err);
	case EG_SYNC_HEARTBEAT:
		return outbound_heartbeat(worker, err);
	case EG_SYNC_POLICY:
		return inbound_policy(worker, err);
	case EG_SYNC_AUDIT:
		return outbound_audit(worker, err);
	case EG_SYNC_ENCOUNTER:
		return outbound_encounter(worker, err);
	case EG_SYNC_NONE:
	case EG_SYNC_TASKS:
		break;
	}
	return EG_SYNC_IDLE;
}

static void note_success(struct worker *worker, enum eg_sync_task task)
{
	if (worker->link != LINK_UP)
		eg_notice("link to %s is up", worker->trust.url);
	else if (worker->logged[task][0])
		eg_notice("%s: works again", eg_sync_task_name(task));
	worker->link = LINK_UP;
	worker->logged[task][0] = '\0';
	if (task == EG_SYNC_ENROL) // there will be no renewal for months to take it back
		worker->logged[EG_SYNC_RENEW][0] = '\0';
	worker->last_success_ms = eg_wall_ms(worker->clock);
	// A renewal that failed while the clock was wrong is not asked for any more.
	if (!worker->sync.renew_now &&
	    worker->last_success_ms < eg_sync_renewal_ms(worker->sync.from_ms, worker->sync.end_ms))
		worker->logged[EG_SYNC_RENEW][0] = '\0';
	for (size_t i = 0; i < EG_SYNC_TASKS; i++)
		if (worker->logged[i][0])
			return;
	worker->problem[0] = '\0';
	worker->problem_ms = 0;
}

// Whether two sentences say the same; numbers in them ("after 3 ms") do not count.
static bool says_the_same(const char *a, const char *b)
{
	for (;; a++, b++) {
		a += strspn(a, "0123456789");
		b += strspn(b, "0123456789");
		if (*a != *b)
			return false;
		if (!*a)
			return true;
	}
}

// Each failure is logged once: when it appears, and when its sentence changes.
static void note_failure(struct worker *worker, enum eg_sync_task task,
			 enum eg_sync_outcome outcome, const struct eg_err *err)
{
	const char *renewal = worker->logged[EG_SYNC_RENEW];
	const bool alarm = err->code == EG_EAUTH || err->code == EG_ECONFLICT ||
			   err->code == EG_EINVAL || err->code == EG_ECORRUPT;

	if (!says_the_same(worker->logged[task], err->text) || outcome == EG_SYNC_BURY)
		eg_log(alarm ? EG_LOG_ERROR : EG_LOG_WARNING, "%s: %s", eg_sync_task_name(task),
		       err->text);
	// Of all that is refused, the renewal's sentence says the way back.
	remember_problem(worker, outcome == EG_SYNC_REFUSED && renewal[0] ? renewal : err->text);
	if (outcome == EG_SYNC_BURY)
		return; // the link is fine
	memcpy(worker->logged[task], err->text, sizeof(worker->logged[task]));
	if (outcome == EG_SYNC_LINK)
		worker->link = LINK_DOWN;
	else if (outcome == EG_SYNC_REFUSED)
		worker->link = LINK_REFUSED;
}

static void do_task(struct worker *worker, enum eg_sync_task task)
{
	struct eg_err err = EG_ERR_INIT;
	enum eg_sync_outcome outcome;

	worker->exchange.retry_after_ms = -1;
	outcome = perform(worker, task, &err);
	if (err.code == EG_EIO)
		worker->key_doubt = true;
	if (err.code == EG_EAGAIN) // cancelled: the program ends
		return;
	if (outcome == EG_SYNC_DONE)
		note_success(worker, task);
	else if (outcome != EG_SYNC_IDLE)
		note_failure(worker, task, outcome, &err);
	eg_sync_done(&worker->sync, task, outcome, worker->exchange.retry_after_ms, worker_random(),
		     eg_boot_ms(worker->clock));
}

// Waits until there is something to do; true when the program ends.
static bool wait_mail(struct worker *worker, int64_t wait_ms)
{
	const int64_t most =
		(int64_t)(worker->config->queue_s * 1000); // files are looked at so often
	bool stop, kick, retry;
	struct timespec until;

	if (wait_ms > most)
		wait_ms = most;
	(void)clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += wait_ms / 1000;
	until.tv_nsec += wait_ms % 1000 * 1000000;
	if (until.tv_nsec >= 1000000000) {
		until.tv_sec++;
		until.tv_nsec -= 1000000000;
	}
	(void)pthread_mutex_lock(&worker->lock);
	while (wait_ms > 0 && !worker->stop && !worker->kick)
		if (pthread_cond_clockwait(&worker->wake, &worker->lock, CLOCK_MONOTONIC, &until) ==
		    ETIMEDOUT)
			break;
	stop = worker->stop;
	kick = worker->kick;
	retry = worker->retry;
	worker->kick = worker->retry = false;
	(void)pthread_mutex_unlock(&worker->lock);
	if (kick)
		eg_sync_kick(&worker->sync, retry, eg_boot_ms(worker->clock));
	return stop;
}

// boothd put a new file in the place of a damaged one: the old one gets no more encounters.
static void look_for_new_files(struct worker *worker)
{
	struct eg_manifests *manifests = NULL;
	struct eg_records *records = NULL;
	struct eg_err err = EG_ERR_INIT;

	if (eg_records_replaced(worker->records)) {
		if (eg_records_open(worker->config->records, &records, &err) != 0) {
			worker_complain(worker, &err);
			return;
		}
		eg_records_close(worker->records);
		worker->records = records;
		eg_notice("%s was damaged and is a new file now: opened", worker->config->records);
	}
	if (eg_manifests_replaced(worker->manifests)) {
		if (eg_manifests_open(worker->config->manifests, &manifests, &err) != 0) {
			worker_complain(worker, &err);
			return;
		}
		eg_manifests_close(worker->manifests);
		worker->manifests = manifests;
		worker->inbound.list_etag[0] = '\0'; // what was lost is fetched again
		eg_notice("%s was damaged and is a new file now: opened",
			  worker->config->manifests);
	}
}

static void *run(void *user)
{
	struct worker *worker = user;
	enum eg_sync_task task;
	int64_t wait_ms = 0;

	while (!wait_mail(worker, wait_ms)) {
		const int64_t boot = eg_boot_ms(worker->clock);

		atomic_store(&worker->beat_ms, boot);
		if (worker->looked_ms == 0 ||
		    boot - worker->looked_ms >= (int64_t)(worker->config->queue_s * 1000)) {
			identity_look(worker);
			look_for_new_files(worker);
			worker->looked_ms = boot;
		}
		if (worker->swept_ms == 0 || boot - worker->swept_ms >= SWEEP_MS) {
			inbound_sweep(worker);
			worker->swept_ms = boot;
		}
		wait_ms = 0;
		eg_secret_warn();
		task = eg_sync_next(&worker->sync, eg_boot_ms(worker->clock),
				    eg_wall_ms(worker->clock), &wait_ms);
		publish(worker, task);
		if (task != EG_SYNC_NONE)
			do_task(worker, task);
		else
			eg_records_settle(worker->records); // it rests now
	}
	return NULL;
}

static void take_rules(const struct config *config, struct eg_sync_rules *rules)
{
	rules->poll_ms = config->poll_s * 1000;
	rules->heartbeat_ms = config->heartbeat_s * 1000;
	rules->queue_ms = (int64_t)(config->queue_s * 1000);
	rules->backoff_min_ms = (int64_t)(config->backoff_min_s * 1000);
	rules->backoff_max_ms = (int64_t)(config->backoff_max_s * 1000);
	rules->again_ms = (int64_t)(config->again_s * 1000);
}

static void destroy(struct worker *worker)
{
	eg_manifests_close(worker->manifests);
	eg_records_close(worker->records);
	inbound_done(&worker->inbound);
	eg_buf_done(&worker->envelope);
	eg_identity_done(&worker->identity);
	eg_http_free(worker->http);
	eg_vault_free(worker->vault);
	(void)pthread_cond_destroy(&worker->wake);
	(void)pthread_mutex_destroy(&worker->lock);
	if (worker->fd >= 0)
		(void)close(worker->fd);
	eg_wipe(worker, sizeof(*worker));
	free(worker);
}

int worker_start(const struct config *config, struct worker **ret_worker, struct eg_err *err)
{
	struct worker *worker = eg_calloc(1, sizeof(*worker));
	struct eg_sync_rules rules;
	int r, e;

	if (!worker)
		return eg_err_set(err, EG_ENOMEM, "out of memory");
	worker->config = config;
	worker->clock = eg_clock_system();
	worker->link = LINK_UNPROVISIONED;
	(void)pthread_mutex_init(&worker->lock, NULL);
	(void)pthread_cond_init(&worker->wake, NULL);
	atomic_init(&worker->beat_ms, eg_boot_ms(worker->clock));
	inbound_init(&worker->inbound);
	eg_buf_init(&worker->envelope, EG_ENVELOPE_MAX);
	take_rules(config, &rules);
	eg_sync_init(&worker->sync, &rules, eg_boot_ms(worker->clock));
	worker->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (worker->fd < 0) {
		r = eg_err_errno(err, errno, "eventfd");
		goto fail;
	}
	r = eg_vault_new(&(struct eg_vault_config){.want = (enum eg_key_want)config->key,
						   .tcti = config->tpm,
						   .device_key = config->device_key},
			 &worker->vault, err);
	if (r == 0)
		r = eg_records_open(config->records, &worker->records, err);
	if (r == 0)
		r = eg_manifests_open(config->manifests, &worker->manifests, err);
	if (r != 0)
		goto fail;
	e = pthread_create(&worker->thread, NULL, run, worker);
	if (e != 0) {
		r = eg_err_errno(err, e, "worker thread");
		goto fail;
	}
	*ret_worker = worker;
	return 0;
fail:
	destroy(worker);
	return r;
}

void worker_stop(struct worker *worker)
{
	if (!worker)
		return;
	(void)pthread_mutex_lock(&worker->lock);
	worker->stop = true;
	if (worker->http)
		eg_http_cancel(worker->http, true);
	(void)pthread_cond_signal(&worker->wake);
	(void)pthread_mutex_unlock(&worker->lock);
	(void)pthread_join(worker->thread, NULL);
	destroy(worker);
}

void worker_kick(struct worker *worker, bool retry)
{
	(void)pthread_mutex_lock(&worker->lock);
	worker->kick = true;
	worker->retry = worker->retry || retry;
	(void)pthread_cond_signal(&worker->wake);
	(void)pthread_mutex_unlock(&worker->lock);
}

int worker_fd(const struct worker *worker)
{
	return worker->fd;
}

void worker_copy(struct worker *worker, struct worker_state *ret_state, bool *ret_manifests)
{
	eventfd_t count;

	(void)!eventfd_read(worker->fd, &count);
	(void)pthread_mutex_lock(&worker->lock);
	*ret_state = worker->state;
	*ret_manifests = worker->manifests_changed;
	worker->manifests_changed = false;
	(void)pthread_mutex_unlock(&worker->lock);
}

int64_t worker_silent_ms(struct worker *worker)
{
	return eg_boot_ms(worker->clock) - atomic_load(&worker->beat_ms);
}
