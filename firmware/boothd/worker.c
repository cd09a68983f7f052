// SPDX-License-Identifier: Apache-2.0
//
// The vision thread's loop and its two queues. What it does with faces stands in vision.c; this
// file is only the hand-over. One leaf lock; nothing is called while it is held.

#include "firmware/boothd/worker.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "firmware/base/mem.h"
#include "firmware/boothd/display.h"
#include "firmware/boothd/vision.h"

#define RESULTS_MAX  (2 * EG_TRACKS_MAX)
#define COMMANDS_MAX 64

enum command_kind {
	COMMAND_TRY,
	COMMAND_CLAIM,
	COMMAND_FORGET,
	COMMAND_RESET,
	COMMAND_LOAD,
	COMMAND_TARGETS,
	COMMAND_TEST,
	COMMAND_RENEW,
	COMMAND_SHOW,
};

struct command {
	enum command_kind kind;
	uint32_t track;
	struct eg_document document;
	struct eg_buf wire;
	double fmr, fpir;
	enum eg_view_state show;
	int64_t from_ns;
};

struct eg_worker {
	pthread_t thread;
	bool started;
	struct eg_vision *vision;   // the thread's own
	struct eg_display *display; // likewise
	struct eg_mailbox *mailbox;
	int up, down; // eventfds
	atomic_bool quit;
	atomic_ulong beat;

	pthread_mutex_t lock; // protects what follows
	struct eg_view view;
	bool view_new;
	struct eg_worker_result result[RESULTS_MAX];
	size_t result_first, result_count;
	struct command command[COMMANDS_MAX];
	size_t command_first, command_count;
	struct eg_err fault;
	bool fault_new;
	struct eg_worker_manifest manifest;
	struct eg_people *people;
	uint32_t served[EG_TRACKS_MAX];
	size_t served_count;
	struct eg_err test;
	bool test_done;
};

static void kick(int fd)
{
	uint64_t one = 1;
	ssize_t n;

	do
		n = write(fd, &one, sizeof(one));
	while (n < 0 && errno == EINTR);
}

static void drain(int fd)
{
	uint64_t count;

	while (read(fd, &count, sizeof(count)) < 0 && errno == EINTR)
		;
}

void eg_worker_result_done(struct eg_worker_result *result)
{
	if (result == NULL)
		return;
	eg_buf_done(&result->face);
	eg_people_unref(result->people);
	eg_wipe(result, sizeof(*result));
}

static void command_done(struct command *command)
{
	eg_buf_done(&command->wire);
	eg_wipe(command, sizeof(*command));
}

// ---- the thread's side ----------------------------------------------------------------------

static void post_fault(struct eg_worker *w, const struct eg_err *fault)
{
	pthread_mutex_lock(&w->lock);
	w->fault = *fault;
	w->fault_new = true;
	pthread_mutex_unlock(&w->lock);
	kick(w->up);
}

static void post_view(struct eg_worker *w, const struct eg_view *view)
{
	pthread_mutex_lock(&w->lock);
	w->view = *view;
	w->view_new = true;
	pthread_mutex_unlock(&w->lock);
	kick(w->up);
}

static void post_manifest(struct eg_worker *w)
{
	struct eg_people *people = eg_people_ref(eg_vision_people(w->vision)), *old;
	struct eg_worker_manifest manifest;

	eg_vision_manifest(w->vision, &manifest);
	pthread_mutex_lock(&w->lock);
	w->manifest = manifest;
	old = w->people;
	w->people = people;
	pthread_mutex_unlock(&w->lock);
	eg_people_unref(old);
	kick(w->up);
}

// A session waits for its result before it asks again, so the ring holds what all of them can ask
// twice over. Were it full all the same, the result is dropped: that session ends in the officer's
// hands when its time is up.
static void post_result(struct eg_worker *w, struct eg_worker_result *result)
{
	bool full;

	pthread_mutex_lock(&w->lock);
	full = w->result_count == RESULTS_MAX;
	if (!full) {
		size_t at = (w->result_first + w->result_count) % RESULTS_MAX;

		w->result[at] = *result; // the buffer moves along
		w->result_count++;
	}
	pthread_mutex_unlock(&w->lock);
	if (full) {
		struct eg_err fault;

		eg_worker_result_done(result);
		(void)eg_err_set(&fault, EG_EFULL, "vision: the queue of results is full");
		post_fault(w, &fault);
	}
	kick(w->up);
}

static bool take_command(struct eg_worker *w, struct command *ret_command)
{
	bool have;

	pthread_mutex_lock(&w->lock);
	have = w->command_count > 0;
	if (have) {
		struct command *from = &w->command[w->command_first];

		*ret_command = *from;
		eg_wipe(from, sizeof(*from));
		w->command_first = (w->command_first + 1) % COMMANDS_MAX;
		w->command_count--;
	}
	pthread_mutex_unlock(&w->lock);
	return have;
}

static void carry_out(struct eg_worker *w, struct command *command)
{
	struct eg_worker_result result;
	struct eg_err err = EG_ERR_INIT;

	switch (command->kind) {
	case COMMAND_TRY:
		eg_vision_try(w->vision, command->track, &result);
		post_result(w, &result);
		break;
	case COMMAND_CLAIM:
		eg_vision_claim(w->vision, command->track, &command->document);
		break;
	case COMMAND_FORGET:
		eg_vision_forget(w->vision, command->track);
		break;
	case COMMAND_RENEW:
		eg_vision_renew(w->vision, command->track);
		break;
	case COMMAND_SHOW:
		eg_display_set(w->display, command->show, command->from_ns);
		break;
	case COMMAND_RESET:
		eg_vision_reset(w->vision);
		break;
	case COMMAND_LOAD:
		if (eg_vision_load(w->vision, eg_buf_bytes(&command->wire), &err) != 0)
			post_fault(w, &err);
		post_manifest(w);
		break;
	case COMMAND_TARGETS:
		eg_vision_targets(w->vision, command->fmr, command->fpir);
		break;
	case COMMAND_TEST:
		eg_ignore(eg_vision_self_test(w->vision, &err)); // the result travels in err
		pthread_mutex_lock(&w->lock);
		w->test = err;
		w->test_done = true;
		pthread_mutex_unlock(&w->lock);
		kick(w->up);
		break;
	}
	command_done(command);
}

static void look(struct eg_worker *w)
{
	struct eg_frame *frame = eg_mailbox_take(w->mailbox);
	struct eg_err err = EG_ERR_INIT;
	uint32_t served[EG_TRACKS_MAX];
	struct eg_view view;
	size_t count;

	if (frame == NULL)
		return;
	if (eg_vision_frame(w->vision, frame, &view, &err) == 0) {
		post_view(w, &view);
		pthread_mutex_lock(&w->lock);
		count = w->served_count;
		memcpy(served, w->served, sizeof(served));
		pthread_mutex_unlock(&w->lock);
		eg_display_frame(w->display, w->vision, &view, served, count);
	} else {
		post_fault(w, &err);
	}
	eg_frame_unref(frame);
}

static void load_some(struct eg_worker *w)
{
	struct eg_err err = EG_ERR_INIT;

	if (eg_vision_load_step(w->vision, &err) < 0)
		post_fault(w, &err);
	post_manifest(w);
}

static void *run(void *user)
{
	struct eg_worker *w = user;

	(void)pthread_setname_np(pthread_self(), "vision");
	while (!atomic_load(&w->quit)) {
		struct pollfd fds[2] = {{.fd = eg_mailbox_fd(w->mailbox), .events = POLLIN},
					{.fd = w->down, .events = POLLIN}};
		bool loading = eg_vision_loading(w->vision);
		struct command command;
		int n;

		n = poll(fds, 2, loading ? 0 : 500);
		atomic_fetch_add(&w->beat, 1);
		if (fds[1].revents != 0)
			drain(w->down);
		while (!atomic_load(&w->quit) && take_command(w, &command))
			carry_out(w, &command);
		look(w);
		// Live travellers first: photos of a new manifest are read while nobody is served.
		if (loading && (n == 0 || !eg_vision_busy(w->vision)))
			load_some(w);
	}
	return NULL;
}

// ---- the main thread's side -----------------------------------------------------------------

int eg_worker_new(const struct eg_worker_config *config, struct eg_mailbox *mailbox,
		  struct eg_worker **ret_worker, struct eg_err *err)
{
	struct eg_worker *w;
	int r;

	w = eg_calloc(1, sizeof(*w));
	if (w == NULL)
		return eg_err_set(err, EG_ENOMEM, "vision: out of memory");
	w->mailbox = mailbox;
	w->down = -1;
	pthread_mutex_init(&w->lock, NULL);
	w->up = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (w->up >= 0)
		w->down = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (w->down < 0) {
		r = eg_err_errno(err, errno, "vision: eventfd");
		goto fail;
	}
	r = eg_vision_new(config, &w->vision, err);
	if (r == 0)
		r = eg_display_new(&w->display, err);
	if (r != 0)
		goto fail;
	r = pthread_create(&w->thread, NULL, run, w);
	if (r != 0) {
		r = eg_err_errno(err, r, "vision: no thread");
		goto fail;
	}
	w->started = true;
	*ret_worker = w;
	return 0;
fail:
	eg_worker_free(w);
	return r;
}

void eg_worker_free(struct eg_worker *worker)
{
	struct eg_worker *w = worker;
	size_t i;

	if (w == NULL)
		return;
	if (w->started) {
		atomic_store(&w->quit, true);
		kick(w->down);
		pthread_join(w->thread, NULL);
	}
	eg_display_free(w->display);
	eg_vision_free(w->vision);
	eg_people_unref(w->people);
	for (i = 0; i < RESULTS_MAX; i++)
		eg_worker_result_done(&w->result[i]);
	for (i = 0; i < COMMANDS_MAX; i++)
		command_done(&w->command[i]);
	if (w->up >= 0)
		close(w->up);
	if (w->down >= 0)
		close(w->down);
	pthread_mutex_destroy(&w->lock);
	free(w);
}

int eg_worker_fd(const struct eg_worker *worker)
{
	return worker->up;
}

bool eg_worker_view(struct eg_worker *worker, struct eg_view *ret_view)
{
	bool have;

	drain(worker->up);
	pthread_mutex_lock(&worker->lock);
	have = worker->view_new;
	if (have)
		*ret_view = worker->view;
	worker->view_new = false;
	pthread_mutex_unlock(&worker->lock);
	return have;
}

bool eg_worker_result(struct eg_worker *worker, struct eg_worker_result *ret_result)
{
	bool have;

	pthread_mutex_lock(&worker->lock);
	have = worker->result_count > 0;
	if (have) {
		struct eg_worker_result *from = &worker->result[worker->result_first];

		*ret_result = *from;
		eg_wipe(from, sizeof(*from));
		worker->result_first = (worker->result_first + 1) % RESULTS_MAX;
		worker->result_count--;
	}
	pthread_mutex_unlock(&worker->lock);
	return have;
}

bool eg_worker_fault(struct eg_worker *worker, struct eg_err *ret_fault)
{
	bool have;

	pthread_mutex_lock(&worker->lock);
	have = worker->fault_new;
	if (have)
		*ret_fault = worker->fault;
	worker->fault_new = false;
	pthread_mutex_unlock(&worker->lock);
	return have;
}

void eg_worker_manifest(struct eg_worker *worker, struct eg_worker_manifest *ret_manifest)
{
	pthread_mutex_lock(&worker->lock);
	*ret_manifest = worker->manifest;
	pthread_mutex_unlock(&worker->lock);
}

struct eg_people *eg_worker_people(struct eg_worker *worker)
{
	struct eg_people *people;

	pthread_mutex_lock(&worker->lock);
	people = eg_people_ref(worker->people);
	pthread_mutex_unlock(&worker->lock);
	return people;
}

int eg_worker_view_fd(const struct eg_worker *worker)
{
	return eg_display_fd(worker->display);
}

void eg_worker_serve(struct eg_worker *worker, const uint32_t *tracks, size_t count)
{
	pthread_mutex_lock(&worker->lock);
	memcpy(worker->served, tracks, count * sizeof(*tracks));
	worker->served_count = count;
	pthread_mutex_unlock(&worker->lock);
}

const uint8_t *eg_worker_pack_digest(const struct eg_worker *worker)
{
	return eg_pack_digest(eg_vision_pack(worker->vision));
}

const char *eg_worker_pack_name(const struct eg_worker *worker)
{
	return eg_pack_name(eg_vision_pack(worker->vision));
}

uint64_t eg_worker_beat(struct eg_worker *worker)
{
	return atomic_load(&worker->beat);
}

// Takes out a waiting command that the new one makes needless: an older manifest, a test that will
// run anyway, a reset right before this one. Lock held.
static void supersede(struct eg_worker *w, enum command_kind kind, struct command *ret_old)
{
	size_t i, k;

	for (i = 0; i < w->command_count; i++) {
		struct command *c = &w->command[(w->command_first + i) % COMMANDS_MAX];
		bool last = i + 1 == w->command_count;

		if (c->kind != kind || (kind == COMMAND_RESET && !last) ||
		    (kind != COMMAND_RESET && kind != COMMAND_LOAD && kind != COMMAND_TARGETS &&
		     kind != COMMAND_TEST && kind != COMMAND_SHOW))
			continue;
		*ret_old = *c;
		for (k = i + 1; k < w->command_count; k++)
			w->command[(w->command_first + k - 1) % COMMANDS_MAX] =
				w->command[(w->command_first + k) % COMMANDS_MAX];
		w->command_count--;
		eg_wipe(&w->command[(w->command_first + w->command_count) % COMMANDS_MAX],
			sizeof(*c));
		return;
	}
}

// Takes over what the command owns, also on failure.
static int send_command(struct eg_worker *w, struct command *command)
{
	struct command old = {0};
	int r = 0;

	pthread_mutex_lock(&w->lock);
	supersede(w, command->kind, &old);
	if (w->command_count == COMMANDS_MAX) {
		r = EG_EFULL;
	} else {
		w->command[(w->command_first + w->command_count) % COMMANDS_MAX] = *command;
		w->command_count++;
	}
	pthread_mutex_unlock(&w->lock);
	if (r != 0)
		command_done(command);
	command_done(&old);
	kick(w->down);
	return r;
}

int eg_worker_try(struct eg_worker *worker, uint32_t track)
{
	return send_command(worker, &(struct command){.kind = COMMAND_TRY, .track = track});
}

int eg_worker_claim(struct eg_worker *worker, uint32_t track, const struct eg_document *document)
{
	return send_command(worker, &(struct command){.kind = COMMAND_CLAIM,
						      .track = track,
						      .document = *document});
}

int eg_worker_forget(struct eg_worker *worker, uint32_t track)
{
	return send_command(worker, &(struct command){.kind = COMMAND_FORGET, .track = track});
}

int eg_worker_renew(struct eg_worker *worker, uint32_t track)
{
	return send_command(worker, &(struct command){.kind = COMMAND_RENEW, .track = track});
}

int eg_worker_show(struct eg_worker *worker, enum eg_view_state state, int64_t from_ns)
{
	return send_command(
		worker, &(struct command){.kind = COMMAND_SHOW, .show = state, .from_ns = from_ns});
}

int eg_worker_reset(struct eg_worker *worker)
{
	return send_command(worker, &(struct command){.kind = COMMAND_RESET});
}

int eg_worker_load(struct eg_worker *worker, struct eg_buf *wire)
{
	struct command command = {.kind = COMMAND_LOAD, .wire = *wire};

	eg_buf_init(wire, wire->max);
	return send_command(worker, &command);
}

int eg_worker_targets(struct eg_worker *worker, double fmr, double fpir)
{
	return send_command(worker,
			    &(struct command){.kind = COMMAND_TARGETS, .fmr = fmr, .fpir = fpir});
}

int eg_worker_test(struct eg_worker *worker)
{
	return send_command(worker, &(struct command){.kind = COMMAND_TEST});
}

bool eg_worker_test_done(struct eg_worker *worker, struct eg_err *ret_result)
{
	bool done;

	pthread_mutex_lock(&worker->lock);
	done = worker->test_done;
	if (done)
		*ret_result = worker->test;
	worker->test_done = false;
	pthread_mutex_unlock(&worker->lock);
	return done;
}
