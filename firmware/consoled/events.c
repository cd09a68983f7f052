// SPDX-License-Identifier: Apache-2.0
//
// See events.h.

#include "firmware/consoled/events.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "firmware/base/log.h"
#include "firmware/base/mem.h"

#define BLOCK 8192u // bytes asked for at once

struct message {
	size_t refs;
	const char *name; // a literal
	bool latest;
	struct eg_buf text;
};

static struct message *message_of(const char *name, const char *text, bool latest)
{
	struct message *message = eg_calloc(1, sizeof(*message));
	int r;

	if (message == NULL)
		return NULL;
	*message = (struct message){.refs = 1, .name = name, .latest = latest};
	eg_buf_init_secret(&message->text, HUB_MESSAGE_MAX); // it may hold a name
	r = name[0] == '\0' ? eg_buf_put(&message->text, text, strlen(text))
			    : eg_buf_printf(&message->text, "event: %s\ndata: %s\n\n", name, text);
	if (r != 0) {
		message_unref(message);
		return NULL;
	}
	return message;
}

struct message *message_new(const char *name, sd_json_variant *json, bool latest)
{
	struct message *message = NULL;
	char *text = NULL;

	// Without line ends: each would need a "data:" of its own.
	if (sd_json_variant_format(json, 0, &text) >= 0) {
		assert(strchr(text, '\n') == NULL);
		message = message_of(name, text, latest);
		eg_wipe(text, strlen(text));
	}
	free(text);
	if (message == NULL)
		eg_error("an event '%s' was lost: out of memory, or too large", name);
	return message;
}

static struct message *message_ref(struct message *message)
{
	message->refs++;
	return message;
}

void message_unref(struct message *message)
{
	if (message == NULL || --message->refs > 0)
		return;
	eg_buf_done(&message->text);
	free(message);
}

struct eg_bytes message_bytes(const struct message *message)
{
	return eg_buf_bytes(&message->text);
}

// ---- a listener's queue -------------------------------------------------------------------------

static struct message **at(struct listener *l, size_t index)
{
	return &l->queue[(l->first + index) % HUB_QUEUE_MAX];
}

static void pop(struct listener *l)
{
	struct message *message = *at(l, 0);

	l->bytes -= message->text.size;
	l->first = (l->first + 1) % HUB_QUEUE_MAX;
	l->count--;
	l->offset = 0;
	message_unref(message);
}

static void clear(struct listener *l)
{
	while (l->count > 0)
		pop(l);
}

// libmicrohttpd finds the connection closed, and ends it.
static void cut(struct listener *l)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(l->connection, MHD_CONNECTION_INFO_CONNECTION_FD);

	if (info != NULL)
		(void)shutdown(info->connect_fd, SHUT_RDWR);
}

static void resume(struct listener *l)
{
	if (!l->suspended)
		return;
	l->suspended = false;
	MHD_resume_connection(l->connection);
}

// The newest waiting message of this kind, unless a part of it was sent.
static bool replace(struct listener *l, struct message *message)
{
	for (size_t i = l->count; i-- > (l->offset > 0 ? 1u : 0u);) {
		struct message **waiting = at(l, i);

		if (strcmp((*waiting)->name, message->name) != 0)
			continue;
		l->bytes += message->text.size - (*waiting)->text.size;
		message_unref(*waiting);
		*waiting = message_ref(message);
		return true;
	}
	return false;
}

void hub_tell(struct listener *listener, struct message *message)
{
	struct listener *l = listener;

	if (message == NULL || l->ending)
		return;
	if (message->latest && replace(l, message))
		return;
	if (l->count == HUB_QUEUE_MAX || l->bytes + message->text.size > HUB_BYTES_MAX) {
		l->ending = true;
		l->hub->dropped++;
		clear(l);
		cut(l);
		eg_warning("a page that does not read its events was cut off");
	} else {
		*at(l, l->count++) = message_ref(message);
		l->bytes += message->text.size;
	}
	resume(l);
}

void hub_tell_by_faces(struct hub *hub, struct message *faces, struct message *others)
{
	for (struct listener *l = hub->listener; l < hub->listener + HUB_LISTENERS_MAX; l++)
		if (l->used)
			hub_tell(l, l->faces ? faces : others);
}

void hub_tell_all(struct hub *hub, struct message *message)
{
	hub_tell_by_faces(hub, message, message);
}

void hub_end_session(struct hub *hub, uint64_t session, struct message *message)
{
	for (struct listener *l = hub->listener; l < hub->listener + HUB_LISTENERS_MAX; l++) {
		if (!l->used || l->session != session)
			continue;
		hub_tell(l, message);
		l->ending = true;
		resume(l);
	}
}

void hub_end_all(struct hub *hub)
{
	for (struct listener *l = hub->listener; l < hub->listener + HUB_LISTENERS_MAX; l++) {
		if (!l->used)
			continue;
		l->ending = true;
		resume(l);
	}
}

void hub_beat(struct hub *hub)
{
	struct message *beat = message_of("", ": \n\n", true);

	if (beat != NULL)
		hub_tell_all(hub, beat);
	message_unref(beat);
}

size_t hub_count(const struct hub *hub)
{
	size_t count = 0;

	for (size_t i = 0; i < HUB_LISTENERS_MAX; i++)
		count += hub->listener[i].used;
	return count;
}

struct listener *hub_join(struct hub *hub, struct MHD_Connection *connection)
{
	for (struct listener *l = hub->listener; l < hub->listener + HUB_LISTENERS_MAX; l++) {
		if (l->used)
			continue;
		memset(l, 0, sizeof(*l));
		*l = (struct listener){.used = true, .hub = hub, .connection = connection};
		return l;
	}
	return NULL;
}

// ---- what libmicrohttpd asks for ----------------------------------------------------------------

static ssize_t read_more(void *user, uint64_t position, char *buffer, size_t room)
{
	struct listener *l = user;
	struct message *message;
	size_t size;

	(void)position;
	if (l->count == 0) {
		if (l->ending)
			return MHD_CONTENT_READER_END_OF_STREAM;
		l->suspended = true;
		MHD_suspend_connection(l->connection);
		return 0;
	}
	message = *at(l, 0);
	size = message->text.size - l->offset;
	size = size < room ? size : room;
	memcpy(buffer, message->text.data + l->offset, size);
	l->offset += size;
	if (l->offset == message->text.size)
		pop(l);
	return (ssize_t)size;
}

static void leave(void *user)
{
	struct listener *l = user;

	clear(l);
	l->used = false;
}

struct MHD_Response *hub_response(struct listener *listener)
{
	struct MHD_Response *response =
		MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, BLOCK, read_more, listener,
						  leave);

	if (response == NULL) {
		leave(listener);
		return NULL;
	}
	(void)MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, "text/event-stream");
	return response;
}
