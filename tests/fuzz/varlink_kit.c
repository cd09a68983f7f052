// SPDX-License-Identifier: Apache-2.0
//
// See varlink_kit.h.

#include "tests/fuzz/varlink_kit.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <systemd/sd-json.h>
#include <unistd.h>

#define LINKS_MAX  20
#define REPLY_MAX  (4u << 20)
#define ROUNDS_MAX 20000

struct link {
	int fd;
	struct eg_bytes rest; // not sent yet
	struct eg_buf reply;  // no whole message yet
};

void varlink_kit_address(char *ret_address, size_t size)
{
	(void)snprintf(ret_address, size, "@egress-fuzz-%d", (int)getpid());
}

static int open_link(const char *name)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	size_t length = strlen(name);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int r;

	assert(fd >= 0 && length < sizeof(address.sun_path));
	memcpy(address.sun_path + 1, name + 1, length - 1);
	r = connect(fd, (const struct sockaddr *)&address,
		    (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length));
	assert(r == 0);
	return fd;
}

// A reply is a JSON object with parameters, or with an error of a name with a dot.
static void check_reply(const char *text)
{
	sd_json_variant *json = NULL, *error;
	int r = sd_json_parse(text, 0, &json, NULL, NULL);

	assert(r >= 0 && sd_json_variant_is_object(json));
	error = sd_json_variant_by_key(json, "error");
	if (error != NULL)
		assert(sd_json_variant_is_string(error) &&
		       strchr(sd_json_variant_string(error), '.') != NULL);
	sd_json_variant_unref(json);
}

// Both return false when there was nothing to do.
static bool give(struct link *link)
{
	ssize_t n;

	if (link->rest.size == 0)
		return false;
	n = send(link->fd, link->rest.data, link->rest.size, MSG_NOSIGNAL);
	if (n <= 0)
		return false; // full, or the server hung up
	link->rest.data += n;
	link->rest.size -= (size_t)n;
	return true;
}

static bool take(struct link *link)
{
	static uint8_t block[65536];
	ssize_t n = recv(link->fd, block, sizeof(block), 0);
	const uint8_t *end;

	if (n <= 0)
		return false;
	assert(eg_buf_put(&link->reply, block, (size_t)n) == 0);
	while ((end = memchr(link->reply.data, 0, link->reply.size)) != NULL) {
		size_t used = (size_t)(end - link->reply.data) + 1;

		check_reply((const char *)link->reply.data);
		memmove(link->reply.data, link->reply.data + used, link->reply.size - used);
		link->reply.size -= used;
	}
	return true;
}

static void settle(sd_event *event, struct link *links, size_t count)
{
	int idle = 0, n;

	for (n = 0; idle < 2; n++) {
		bool busy = false;

		assert(n < ROUNDS_MAX);
		for (size_t i = 0; i < count; i++)
			busy = give(&links[i]) || busy;
		while (sd_event_run(event, 0) > 0)
			busy = true;
		for (size_t i = 0; i < count; i++)
			busy = take(&links[i]) || busy;
		idle = busy ? 0 : idle + 1;
	}
}

// From `at` to the next line that begins with '@'.
static size_t part_end(const struct eg_buf *text, size_t at)
{
	for (size_t i = at + 1; i < text->size; i++)
		if (text->data[i] == '@' && text->data[i - 1] == '\0')
			return i;
	return text->size;
}

void varlink_kit_talk(sd_event *event, const char *address, struct eg_bytes bytes,
		      void (*step)(void *user), void *user)
{
	struct link links[LINKS_MAX];
	size_t count = 0, at = 0, end;
	struct eg_buf text;
	int r;

	eg_buf_init(&text, REPLY_MAX);
	r = eg_buf_put(&text, bytes.data, bytes.size);
	if (r != 0)
		return;
	for (size_t i = 0; i < text.size; i++)
		if (text.data[i] == '\n')
			text.data[i] = '\0';
	for (; at < text.size && count < LINKS_MAX; at = end) {
		struct link *link = &links[count++];

		end = part_end(&text, at);
		link->fd = open_link(address);
		link->rest = (struct eg_bytes){text.data + at, end - at};
		eg_buf_init(&link->reply, REPLY_MAX);
		settle(event, links, count);
		if (step != NULL)
			step(user);
		settle(event, links, count);
	}
	for (size_t i = 0; i < count; i++) {
		(void)close(links[i].fd);
		eg_buf_done(&links[i].reply);
	}
	settle(event, links, 0);
	eg_buf_done(&text);
}
