// SPDX-License-Identifier: Apache-2.0
//
// See pins.h. A ring of jobs under one lock; an eventfd says that the first one is done.

#include "firmware/consoled/pins.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "firmware/base/log.h"
#include "firmware/base/mem.h"
#include "firmware/consoled/bodies.h"
#include "firmware/pin/pin.h"

struct job {
	char pin[BODY_PIN_MAX];
	struct eg_account account;
	bool nobody, right;
	pins_done done;
	void *user; // NULL: forgotten
};

struct pins {
	pthread_mutex_t lock;
	pthread_cond_t wake;
	pthread_t thread;
	bool running, stop;
	// Under the lock. `looked` of the `count` jobs are done; the next one is the thread's
	// alone.
	struct job job[PINS_WAITING_MAX];
	size_t first, count, looked;
	int fd;
	sd_event_source *source;
};

static bool is_right(const struct job *job)
{
	struct eg_err err = EG_ERR_INIT;
	int r = eg_pin_verify(job->pin, job->nobody ? NULL : &job->account, &err);

	if (r != 0 && r != EG_EAUTH)
		eg_error("a PIN could not be looked at: %s", err.text);
	return r == 0;
}

static void *work(void *user)
{
	struct pins *pins = user;
	const uint64_t one = 1;

	(void)pthread_mutex_lock(&pins->lock);
	while (!pins->stop) {
		struct job *job = &pins->job[(pins->first + pins->looked) % PINS_WAITING_MAX];

		if (pins->looked == pins->count) {
			(void)pthread_cond_wait(&pins->wake, &pins->lock);
			continue;
		}
		(void)pthread_mutex_unlock(&pins->lock);
		job->right = is_right(job);
		eg_wipe(job->pin, sizeof(job->pin));
		(void)pthread_mutex_lock(&pins->lock);
		pins->looked++;
		(void)!write(pins->fd, &one, sizeof(one));
	}
	(void)pthread_mutex_unlock(&pins->lock);
	return NULL;
}

static int on_looked(sd_event_source *source, int fd, uint32_t events, void *user)
{
	struct pins *pins = user;
	uint64_t count;

	(void)source;
	(void)events;
	(void)!read(fd, &count, sizeof(count));
	for (;;) {
		struct job job;

		(void)pthread_mutex_lock(&pins->lock);
		if (pins->looked == 0) {
			(void)pthread_mutex_unlock(&pins->lock);
			return 0;
		}
		job = pins->job[pins->first];
		pins->first = (pins->first + 1) % PINS_WAITING_MAX;
		pins->looked--;
		pins->count--;
		(void)pthread_mutex_unlock(&pins->lock);
		if (job.user != NULL)
			job.done(job.user, job.right);
	}
}

int pins_start(sd_event *event, struct pins **ret_pins, struct eg_err *err)
{
	struct pins *pins = eg_secret_alloc(sizeof(*pins));
	int r;

	if (pins == NULL)
		return eg_err_set(err, EG_ENOMEM, "out of memory");
	(void)pthread_mutex_init(&pins->lock, NULL);
	(void)pthread_cond_init(&pins->wake, NULL);
	pins->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	r = pins->fd < 0
		    ? -errno
		    : sd_event_add_io(event, &pins->source, pins->fd, EPOLLIN, on_looked, pins);
	if (r >= 0) {
		r = -pthread_create(&pins->thread, NULL, work, pins);
		pins->running = r == 0;
	}
	if (r < 0) {
		pins_stop(pins);
		return eg_err_errno(err, -r, "the thread for PINs");
	}
	*ret_pins = pins;
	return 0;
}

void pins_stop(struct pins *pins)
{
	if (pins == NULL)
		return;
	if (pins->running) {
		(void)pthread_mutex_lock(&pins->lock);
		pins->stop = true;
		(void)pthread_cond_signal(&pins->wake);
		(void)pthread_mutex_unlock(&pins->lock);
		(void)pthread_join(pins->thread, NULL);
	}
	sd_event_source_disable_unref(pins->source);
	if (pins->fd >= 0)
		(void)close(pins->fd);
	(void)pthread_cond_destroy(&pins->wake);
	(void)pthread_mutex_destroy(&pins->lock);
	eg_secret_free(pins, sizeof(*pins));
}

int pins_check(struct pins *pins, const char *pin, const struct eg_account *account, pins_done done,
	       void *user)
{
	struct job *job;
	int r = EG_EFULL;

	if (strlen(pin) >= BODY_PIN_MAX)
		return EG_ETOOBIG;
	(void)pthread_mutex_lock(&pins->lock);
	if (pins->count < PINS_WAITING_MAX) {
		job = &pins->job[(pins->first + pins->count) % PINS_WAITING_MAX];
		*job = (struct job){.done = done, .user = user, .nobody = account == NULL};
		memcpy(job->pin, pin, strlen(pin) + 1);
		if (account != NULL)
			job->account = *account;
		pins->count++;
		(void)pthread_cond_signal(&pins->wake);
		r = 0;
	}
	(void)pthread_mutex_unlock(&pins->lock);
	return r;
}

void pins_forget(struct pins *pins, const void *user)
{
	(void)pthread_mutex_lock(&pins->lock);
	for (size_t i = 0; i < pins->count; i++) {
		struct job *job = &pins->job[(pins->first + i) % PINS_WAITING_MAX];

		if (job->user == user)
			job->user = NULL;
	}
	(void)pthread_mutex_unlock(&pins->lock);
}
