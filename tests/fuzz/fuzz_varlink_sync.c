// SPDX-License-Identifier: Apache-2.0
// links: eg_syncd
// with: varlink_kit.c
//
// What anybody who may open syncd's socket can send: its own Varlink server, the worker played
// here. A line is a message; see varlink_kit.h.

#include <assert.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "firmware/base/log.h"
#include "firmware/syncd/serve.h"
#include "tests/fuzz/varlink_kit.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct worker {
	int fd;
	unsigned int kicks;
};

static struct config config = {.booth_socket = "/nowhere"};
static struct worker worker;

const char *link_state_name(enum link_state state)
{
	(void)state;
	return "up";
}

void worker_kick(struct worker *to, bool retry)
{
	(void)retry;
	to->kicks++;
	assert(eventfd_write(to->fd, 1) == 0); // the state changed: watchers are told
}

int worker_fd(const struct worker *of)
{
	return of->fd;
}

void worker_copy(struct worker *of, struct worker_state *ret_state, bool *ret_manifests)
{
	eventfd_t value;

	(void)eventfd_read(of->fd, &value);
	memset(ret_state, 0, sizeof(*ret_state));
	memcpy(ret_state->booth, "lane-1", 7);
	ret_state->queue.queued = of->kicks % 2;
	memcpy(ret_state->held[0].id, "EG1", 4);
	ret_state->held_count = 1;
	*ret_manifests = of->kicks % 2 == 1;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static sd_event *event;
	static struct serve *serve;

	if (event == NULL) {
		eg_log_init("fuzz", (enum eg_log_level)0); // quiet
		varlink_kit_address(config.socket, sizeof(config.socket));
		worker.fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
		assert(worker.fd >= 0 && sd_event_new(&event) >= 0);
		assert(serve_start(event, &config, &worker, &serve, NULL) == 0);
	}
	varlink_kit_talk(event, config.socket, EG_BYTES(data, size), NULL, NULL);
	return 0;
}
