// SPDX-License-Identifier: Apache-2.0

#include "firmware/boothd/eyes.h"

#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "firmware/base/log.h"
#include "firmware/base/mem.h"

#define STALL_MS      2000 // no new frame for so long: something is wrong
#define RESTARTS_MAX  3
#define RATE_MS	      2000 // the frame rate is counted over so long
#define REOPEN_MIN_MS 1000
#define REOPEN_MAX_MS 30000

struct eg_eyes {
	const struct eg_camera_ops *ops;
	const struct eg_camera_config *config;
	struct eg_mailbox *mailbox;
	struct eg_camera *camera;
	enum eg_eyes_state state;
	atomic_bool gone, fault, ended; // set by the camera's thread
	int64_t opened_ms, new_ms, retry_ms, wait_ms;
	unsigned int restarts_in_a_row, restarts, reopens;
	uint64_t digest;      // the camera's thread: of the last frame
	atomic_ullong frames; // so many so far
	atomic_llong new_ns;  // when the last new one was taken; 0: none yet
	uint64_t counted;
	int64_t counted_ms;
	double frames_per_second;
	struct eg_err why;
	pthread_mutex_t lock; // protects broke
	char broke[160];      // what the camera said with its last fault
	char text[EG_ERR_TEXT_MAX];
};

static const char *const state_names[] = {
	[EG_EYES_CLOSED] = "closed",   [EG_EYES_STREAMING] = "streaming",
	[EG_EYES_STALLED] = "stalled", [EG_EYES_RESTING] = "resting",
	[EG_EYES_ENDED] = "ended",
};

const char *eg_eyes_state_name(enum eg_eyes_state state)
{
	assert(state <= EG_EYES_ENDED);
	return state_names[state];
}

static void on_frame(void *user, struct eg_frame *frame)
{
	struct eg_eyes *eyes = user;

	atomic_fetch_add(&eyes->frames, 1);
	if (frame->digest != eyes->digest)
		atomic_store(&eyes->new_ns, frame->captured_ns);
	eyes->digest = frame->digest;
	eg_mailbox_put(eyes->mailbox, frame);
}

static void on_event(void *user, enum eg_camera_event event, const char *text)
{
	struct eg_eyes *eyes = user;

	if (event == EG_CAMERA_GONE) {
		atomic_store(&eyes->gone, true);
	} else if (event == EG_CAMERA_ENDED) {
		atomic_store(&eyes->ended, true);
	} else if (event == EG_CAMERA_FAULT) {
		pthread_mutex_lock(&eyes->lock);
		(void)snprintf(eyes->broke, sizeof(eyes->broke), "%s", text);
		pthread_mutex_unlock(&eyes->lock);
		atomic_store(&eyes->fault, true);
	}
}

static int64_t now_ms(const struct eg_eyes *eyes)
{
	return eg_boot_ms(eyes->config->clock);
}

static void close_it(struct eg_eyes *eyes)
{
	eyes->ops->close(eyes->camera);
	eyes->camera = NULL;
	eyes->state = EG_EYES_CLOSED;
	eyes->retry_ms = now_ms(eyes) + eyes->wait_ms;
	eyes->wait_ms = eyes->wait_ms * 2 > REOPEN_MAX_MS ? REOPEN_MAX_MS : eyes->wait_ms * 2;
}

static int open_it(struct eg_eyes *eyes)
{
	struct eg_camera_sink sink = {.frame = on_frame, .event = on_event, .user = eyes};
	int r;

	atomic_store(&eyes->gone, false);
	atomic_store(&eyes->fault, false);
	atomic_store(&eyes->ended, false);
	eyes->why = EG_ERR_INIT;
	r = eyes->ops->open(eyes->config, &sink, &eyes->camera, &eyes->why);
	if (r == 0)
		r = eyes->ops->start(eyes->camera, &eyes->why);
	if (r != 0) {
		close_it(eyes);
		return r;
	}
	eyes->state = EG_EYES_STREAMING;
	eyes->opened_ms = now_ms(eyes);
	eyes->restarts_in_a_row = 0;
	return 0;
}

int eg_eyes_new(const struct eg_camera_ops *ops, const struct eg_camera_config *config,
		struct eg_mailbox *mailbox, struct eg_eyes **ret_eyes, struct eg_err *err)
{
	struct eg_eyes *eyes = eg_calloc(1, sizeof(*eyes));

	if (eyes == NULL)
		return eg_err_set(err, EG_ENOMEM, "camera: out of memory");
	eyes->ops = ops;
	eyes->config = config;
	eyes->mailbox = mailbox;
	eyes->wait_ms = REOPEN_MIN_MS;
	eyes->new_ms = -1;
	pthread_mutex_init(&eyes->lock, NULL);
	if (open_it(eyes) != 0)
		eg_warning("camera %s: %s; trying again", ops->name, eyes->why.text);
	*ret_eyes = eyes;
	return 0;
}

void eg_eyes_free(struct eg_eyes *eyes)
{
	if (eyes == NULL)
		return;
	eyes->ops->close(eyes->camera);
	pthread_mutex_destroy(&eyes->lock);
	free(eyes);
}

// What the camera's thread counted since the last call.
static void look(struct eg_eyes *eyes)
{
	int64_t new_ms = atomic_load(&eyes->new_ns) / EG_NS_PER_MS, span;
	uint64_t frames = atomic_load(&eyes->frames);

	span = now_ms(eyes) - eyes->counted_ms;
	if (span >= RATE_MS) {
		eyes->frames_per_second =
			(double)(frames - eyes->counted) * EG_MS_PER_S / (double)span;
		eyes->counted = frames;
		eyes->counted_ms = now_ms(eyes);
	}
	if (new_ms == 0 || new_ms == eyes->new_ms)
		return;
	eyes->new_ms = new_ms;
	eyes->restarts_in_a_row = 0;
	eyes->wait_ms = REOPEN_MIN_MS;
}

// "camera: WHY; WHAT"
static void say(struct eg_eyes *eyes, const char *what, const char **ret_text)
{
	pthread_mutex_lock(&eyes->lock);
	(void)snprintf(eyes->text, sizeof(eyes->text), "camera: %s; %s",
		       eyes->broke[0] != '\0' ? eyes->broke : "no new pictures", what);
	eyes->broke[0] = '\0';
	pthread_mutex_unlock(&eyes->lock);
	*ret_text = eyes->text;
}

static bool restart(struct eg_eyes *eyes, const char **ret_text)
{
	eyes->restarts++;
	if (eyes->restarts_in_a_row++ < RESTARTS_MAX) {
		eyes->ops->stop(eyes->camera);
		atomic_store(&eyes->fault, false);
		if (eyes->ops->start(eyes->camera, &eyes->why) == 0) {
			eyes->opened_ms = now_ms(eyes);
			say(eyes, "the stream was restarted", ret_text);
			return true;
		}
	}
	close_it(eyes);
	say(eyes,
	    "restarting did not help, so it is closed and will be opened again. If this goes on, "
	    "check its cable and power",
	    ret_text);
	return true;
}

static bool stalled(const struct eg_eyes *eyes)
{
	int64_t since = eyes->new_ms > eyes->opened_ms ? eyes->new_ms : eyes->opened_ms;

	return now_ms(eyes) - since > STALL_MS;
}

bool eg_eyes_tick(struct eg_eyes *eyes, const char **ret_text)
{
	look(eyes);
	switch (eyes->state) {
	case EG_EYES_RESTING:
	case EG_EYES_ENDED:
		return false;
	case EG_EYES_CLOSED:
		if (now_ms(eyes) < eyes->retry_ms)
			return false;
		eyes->reopens++;
		if (open_it(eyes) != 0)
			*ret_text = eyes->why.text;
		else
			*ret_text = "camera: open";
		return true;
	case EG_EYES_STREAMING:
		if (atomic_load(&eyes->gone)) {
			close_it(eyes);
			*ret_text = "camera: it was unplugged; waiting for it to come back";
			return true;
		}
		if (atomic_load(&eyes->ended)) {
			eyes->state = EG_EYES_ENDED;
			*ret_text = "camera: the last picture of the folder was shown";
			return true;
		}
		if (!atomic_load(&eyes->fault) && !stalled(eyes))
			return false;
		eyes->state = EG_EYES_STALLED;
		return restart(eyes, ret_text);
	case EG_EYES_STALLED:
		if (atomic_load(&eyes->gone)) {
			close_it(eyes);
			*ret_text = "camera: it was unplugged; waiting for it to come back";
			return true;
		}
		if (!atomic_load(&eyes->fault) && eyes->new_ms > eyes->opened_ms) {
			eyes->state = EG_EYES_STREAMING;
			*ret_text = "camera: new pictures again";
			return true;
		}
		return stalled(eyes) || atomic_load(&eyes->fault) ? restart(eyes, ret_text) : false;
	}
	return false;
}

void eg_eyes_rest(struct eg_eyes *eyes)
{
	if (eyes->camera != NULL)
		eyes->ops->stop(eyes->camera);
	eg_frame_unref(eg_mailbox_take(eyes->mailbox));
	eyes->state = EG_EYES_RESTING;
}

void eg_eyes_wake(struct eg_eyes *eyes)
{
	if (eyes->state != EG_EYES_RESTING)
		return;
	eyes->state = EG_EYES_CLOSED;
	eyes->retry_ms = 0;
	if (eyes->camera == NULL)
		return;
	if (eyes->ops->start(eyes->camera, &eyes->why) != 0) {
		close_it(eyes);
		return;
	}
	eyes->opened_ms = now_ms(eyes);
	eyes->state = EG_EYES_STREAMING;
}

void eg_eyes_facts(const struct eg_eyes *eyes, struct eg_eyes_facts *ret_facts)
{
	*ret_facts = (struct eg_eyes_facts){
		.state = eyes->state,
		.frame_age_ms = eyes->new_ms < 0 ? -1 : now_ms(eyes) - eyes->new_ms,
		.frames_per_second = eyes->state == EG_EYES_STREAMING ? eyes->frames_per_second : 0,
		.restarts = eyes->restarts,
		.reopens = eyes->reopens,
	};
	if (eyes->camera != NULL)
		eyes->ops->stats(eyes->camera, &ret_facts->camera);
}
