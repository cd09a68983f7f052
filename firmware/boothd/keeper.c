// SPDX-License-Identifier: Apache-2.0
//
// See keeper.h. What both sides touch is under the lock: the policy, the fault, wake and quit.

#include "firmware/boothd/keeper.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "firmware/base/file.h"
#include "firmware/base/log.h"
#include "firmware/base/mem.h"
#include "store/salvage.h"

// How much booth time is lost at most when the machine goes off, and how late an image may go.
#define LOOK_S 20

#define CHECK_MS (24 * 3600 * 1000LL) // between two looks through the whole file
#define DAMAGED_MIN_S \
	3600 // a damaged file is kept as long as an image may be, but an hour at least

struct eg_keeper {
	struct eg_keeper_config config;
	struct eg_records *records; // the thread's own, once it runs
	pthread_t thread;
	bool started;
	int fd;
	int64_t checked_ms; // boot time; 0: not yet

	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool quit, wake;
	struct eg_policy policy;
	bool stale, policy_new;
	struct eg_err fault;
	bool fault_new;
	struct eg_buf snapshot; // empty: none waits
};

static void ring(struct eg_keeper *keeper)
{
	(void)!eventfd_write(keeper->fd, 1);
}

static void complain(struct eg_keeper *k, const struct eg_err *err)
{
	pthread_mutex_lock(&k->lock);
	if (strcmp(k->fault.text, err->text) != 0) {
		k->fault = *err;
		k->fault_new = true;
		ring(k);
	}
	pthread_mutex_unlock(&k->lock);
}

static int read_policy(struct eg_keeper *k, struct eg_policy *policy, struct eg_err *err)
{
	bool stale = false;
	int r = eg_records_policy(k->records, k->config.keys, k->config.key_count, policy, &stale,
				  err);

	if (r != 0)
		return r;
	pthread_mutex_lock(&k->lock);
	if (policy->version != k->policy.version || stale != k->stale) {
		k->policy = *policy;
		k->stale = stale;
		k->policy_new = true;
		ring(k);
	}
	pthread_mutex_unlock(&k->lock);
	return 0;
}

// A damaged file that was put aside holds sealed faces: it goes when they would have to.
static void drop_damaged(const struct eg_keeper *k, const struct eg_policy *policy)
{
	int64_t seconds = DAMAGED_MIN_S;

	for (int class = EG_CITIZEN; class <= EG_CITIZENSHIP_UNKNOWN; class ++) {
		int64_t image = eg_retention_s(&policy->retention, EG_DATA_IMAGE,
					       (enum eg_citizenship) class);

		seconds = image > seconds ? image : seconds;
	}
	eg_db_drop_damaged(k->config.records, seconds, eg_wall_ms(k->config.clock));
	eg_db_drop_damaged(k->config.manifests, seconds, eg_wall_ms(k->config.clock));
}

static void check(struct eg_keeper *k)
{
	int64_t now = eg_boot_ms(k->config.clock);
	struct eg_err err = EG_ERR_INIT;

	if (k->checked_ms != 0 && now - k->checked_ms < CHECK_MS)
		return;
	k->checked_ms = now;
	if (eg_records_check(k->records, &err) != 0)
		complain(k, &err);
}

// Between the longer jobs, too: who is decided about must not be asked about again after a crash.
static void keep_snapshot(struct eg_keeper *k)
{
	struct eg_err err = EG_ERR_INIT;
	struct eg_buf sealed;

	pthread_mutex_lock(&k->lock);
	sealed = k->snapshot;
	eg_buf_init(&k->snapshot, sealed.max);
	pthread_mutex_unlock(&k->lock);
	if (sealed.size > 0 &&
	    eg_file_write(k->config.snapshot, eg_buf_bytes(&sealed), 0600, &err) != 0)
		complain(k, &err);
	eg_buf_done(&sealed);
}

// All of it, also when one part fails: a policy that cannot be read must not stop the head, and
// whatever cannot be purged under it goes by the defaults.
static void look(struct eg_keeper *k, struct eg_policy *policy)
{
	struct eg_purged purged = {0};
	struct eg_err err = EG_ERR_INIT;

	if (read_policy(k, policy, &err) != 0) {
		complain(k, &err);
		*policy = eg_policy_defaults;
	}
	if (eg_records_purge(k->records, policy, &purged, &err) != 0)
		complain(k, &err);
	if (purged.images + purged.receipts + purged.holds != 0)
		eg_notice("records: %" PRIu64 " images, %" PRIu64 " receipts and %" PRIu64
			  " holds were over their time and are erased",
			  purged.images, purged.receipts, purged.holds);
	drop_damaged(k, policy);
	keep_snapshot(k);
	check(k);
	keep_snapshot(k);
	if (eg_audit_seal(k->records, k->config.booth, k->config.record_key, NULL, &err) != 0)
		complain(k, &err);
	pthread_mutex_lock(&k->lock);
	if (err.code == 0)
		k->fault.text[0] = '\0'; // should it come again, it is told again
	pthread_mutex_unlock(&k->lock);
}

// True: go on; false: the program ends.
static bool rest(struct eg_keeper *k)
{
	struct timespec until;
	bool quit;

	(void)clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += LOOK_S;
	pthread_mutex_lock(&k->lock);
	while (!k->quit && !k->wake) {
		if (k->snapshot.size > 0) {
			pthread_mutex_unlock(&k->lock);
			keep_snapshot(k);
			pthread_mutex_lock(&k->lock);
		} else if (pthread_cond_clockwait(&k->changed, &k->lock, CLOCK_MONOTONIC, &until) ==
			   ETIMEDOUT) {
			break;
		}
	}
	quit = k->quit;
	k->wake = false;
	pthread_mutex_unlock(&k->lock);
	return !quit;
}

static void *run(void *user)
{
	struct eg_keeper *k = user;
	struct eg_policy *policy = eg_calloc(1, sizeof(*policy));
	struct eg_err err = EG_ERR_INIT;

	if (policy == NULL) {
		eg_err_set(&err, EG_ENOMEM, "records: out of memory; nothing is purged");
		complain(k, &err);
		return NULL;
	}
	do
		look(k, policy);
	while (rest(k));
	look(k, policy); // what was written last is in the head, too
	free(policy);
	return NULL;
}

int eg_keeper_new(const struct eg_keeper_config *config, struct eg_keeper **ret_keeper,
		  struct eg_err *err)
{
	struct eg_keeper *k = eg_calloc(1, sizeof(*k));
	struct eg_audit_entry boot = {.event = EG_AUDIT_BOOT, .number = EG_AUDIT_BOOTHD};
	int r;

	if (k == NULL)
		return eg_err_set(err, EG_ENOMEM, "records: out of memory");
	k->config = *config;
	pthread_mutex_init(&k->lock, NULL);
	pthread_cond_init(&k->changed, NULL);
	k->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	r = k->fd < 0 ? eg_err_errno(err, errno, "records: eventfd")
		      : eg_records_open(config->records, &k->records, err);
	if (r == 0)
		r = eg_audit_note(k->records, &boot, err);
	if (r == 0)
		r = eg_records_policy(k->records, config->keys, config->key_count, &k->policy,
				      &k->stale, err);
	k->policy_new = true;
	if (r == 0) {
		r = pthread_create(&k->thread, NULL, run, k);
		k->started = r == 0;
		if (r != 0)
			r = eg_err_errno(err, r, "records: no thread");
	}
	if (r != 0) {
		eg_keeper_free(k);
		return r;
	}
	*ret_keeper = k;
	return 0;
}

void eg_keeper_free(struct eg_keeper *keeper)
{
	struct eg_keeper *k = keeper;

	if (k == NULL)
		return;
	if (k->started) {
		pthread_mutex_lock(&k->lock);
		k->quit = true;
		pthread_cond_signal(&k->changed);
		pthread_mutex_unlock(&k->lock);
		pthread_join(k->thread, NULL);
	}
	eg_records_close(k->records);
	eg_buf_done(&k->snapshot);
	if (k->fd >= 0)
		close(k->fd);
	pthread_cond_destroy(&k->changed);
	pthread_mutex_destroy(&k->lock);
	free(k);
}

void eg_keeper_keep(struct eg_keeper *keeper, struct eg_buf *sealed)
{
	struct eg_buf old;

	pthread_mutex_lock(&keeper->lock);
	old = keeper->snapshot;
	keeper->snapshot = *sealed;
	pthread_cond_signal(&keeper->changed);
	pthread_mutex_unlock(&keeper->lock);
	eg_buf_init(sealed, sealed->max);
	eg_buf_done(&old);
}

void eg_keeper_wake(struct eg_keeper *keeper)
{
	pthread_mutex_lock(&keeper->lock);
	keeper->wake = true;
	pthread_cond_signal(&keeper->changed);
	pthread_mutex_unlock(&keeper->lock);
}

int eg_keeper_fd(const struct eg_keeper *keeper)
{
	return keeper->fd;
}

bool eg_keeper_policy(struct eg_keeper *keeper, struct eg_policy *ret_policy, bool *ret_stale)
{
	eventfd_t count;
	bool fresh;

	(void)!eventfd_read(keeper->fd, &count);
	pthread_mutex_lock(&keeper->lock);
	fresh = keeper->policy_new;
	if (fresh) {
		*ret_policy = keeper->policy;
		*ret_stale = keeper->stale;
		keeper->policy_new = false;
	}
	pthread_mutex_unlock(&keeper->lock);
	return fresh;
}

bool eg_keeper_fault(struct eg_keeper *keeper, struct eg_err *ret_fault)
{
	bool fresh;

	pthread_mutex_lock(&keeper->lock);
	fresh = keeper->fault_new;
	if (fresh)
		*ret_fault = keeper->fault;
	keeper->fault_new = false;
	pthread_mutex_unlock(&keeper->lock);
	return fresh;
}
