// SPDX-License-Identifier: Apache-2.0

#include "firmware/boothd/eyes.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "firmware/base/log.h"
#include "firmware/base/mem.h"

#define STALL_MS      2000 // no new frame for so long: something is wrong
#define RESTARTS_MAX  3
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
	double interval_ms; // smoothed, between frames
	int64_t last_frame_ns;
	struct eg_err why;
};

static const char *const state_names[] = {
	[EG_EYES_CLOSED] = "closed",
	[EG_EYES_STREAMING] = "streaming",
	[EG_EYES_STALLED] = "stalled",
	[EG_EYES_RESTING] = "resting",
};

const char *eg_eyes_state_name(enum eg_eyes_state state)
{
	assert(state <= EG_EYES_RESTING);
	return state_names[state];
}

static void on_frame(void *user, struct eg_frame *frame)
{
	struct eg_eyes *eyes = user;

	eg_mailbox_put(eyes->mailbox, frame);
}

static void on_event(void *user, enum eg_camera_event event, const char *text)
{
	struct eg_eyes *eyes = user;

	(void)text;
	if (event == EG_CAMERA_GONE)
		atomic_store(&eyes->gone, true);
	else if (event == EG_CAMERA_FAULT)
		atomic_store(&eyes->fault, true);
	else if (event == EG_CAMERA_ENDED)
		atomic_store(&eyes->ended, true);
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
	free(eyes);
}

void eg_eyes_saw(struct eg_eyes *eyes, int64_t captured_ns, bool is_new)
{
	double interval = (double)(captured_ns - eyes->last_frame_ns) / (double)EG_NS_PER_MS;

	if (eyes->last_frame_ns != 0 && interval > 0 && interval < STALL_MS)
		eyes->interval_ms = eyes->interval_ms <= 0
					    ? interval
					    : 0.9 * eyes->interval_ms + 0.1 * interval;
	eyes->last_frame_ns = captured_ns;
	if (!is_new)
		return;
	eyes->new_ms = now_ms(eyes);
	eyes->restarts_in_a_row = 0;
	eyes->wait_ms = REOPEN_MIN_MS;
}

static bool restart(struct eg_eyes *eyes, const char **ret_text)
{
	eyes->restarts++;
	if (eyes->restarts_in_a_row++ < RESTARTS_MAX) {
		eyes->ops->stop(eyes->camera);
		atomic_store(&eyes->fault, false);
		if (eyes->ops->start(eyes->camera, &eyes->why) == 0) {
			eyes->opened_ms = now_ms(eyes);
			*ret_text = "camera: no new pictures; the stream was restarted";
			return true;
		}
	}
	close_it(eyes);
	*ret_text =
		"camera: restarting did not help; it is closed and will be opened again. If this "
		"goes on, check its cable and power";
	return true;
}

static bool stalled(const struct eg_eyes *eyes)
{
	int64_t since = eyes->new_ms > eyes->opened_ms ? eyes->new_ms : eyes->opened_ms;

	return now_ms(eyes) - since > STALL_MS;
}

bool eg_eyes_tick(struct eg_eyes *eyes, const char **ret_text)
{
	switch (eyes->state) {
	case EG_EYES_RESTING:
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
		if (atomic_load(&eyes->ended))
			return false;
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
		.frames_per_second =
			eyes->interval_ms > 0 ? (double)EG_MS_PER_S / eyes->interval_ms : 0,
		.restarts = eyes->restarts,
		.reopens = eyes->reopens,
		.ended = atomic_load(&eyes->ended),
	};
	if (eyes->camera != NULL)
		eyes->ops->stats(eyes->camera, &ret_facts->camera);
}
