// SPDX-License-Identifier: Apache-2.0
//
// Server-sent events (WHATWG HTML §9.2). Each listener has a bounded queue of messages that all
// listeners share; one whose queue overflows is closed, and its browser comes back for a fresh
// snapshot. A message that is marked `latest` replaces one of its kind that still waits.
//
// A comment every ten seconds finds listeners that are gone: libmicrohttpd does not look at a
// suspended connection.
//
// Thread: one.

#ifndef CONSOLED_EVENTS_H
#define CONSOLED_EVENTS_H

#include <microhttpd.h>
#include <stdbool.h>
#include <systemd/sd-json.h>

#include "firmware/base/buf.h"

#define HUB_LISTENERS_MAX 32
#define HUB_QUEUE_MAX	  64	       // messages of one listener
#define HUB_BYTES_MAX	  (1u << 20)   // ... and their bytes
#define HUB_MESSAGE_MAX	  (512u << 10) // bytes of one

struct message; // one event as it goes out; reference-counted

struct listener {
	bool used;
	struct hub *hub;
	struct MHD_Connection *connection;
	uint64_t session; // 0: none
	bool faces;	  // may be told of faces and names
	bool suspended, ending;
	struct message *queue[HUB_QUEUE_MAX];
	size_t first, count, bytes;
	size_t offset; // of the first message's bytes
};

struct hub {
	struct listener listener[HUB_LISTENERS_MAX];
	uint64_t dropped; // too slow
};

// "event: NAME\ndata: JSON\n\n"; NULL: out of memory, or too large. The caller's reference.
struct message *message_new(const char *name, sd_json_variant *json, bool latest);
void message_unref(struct message *message); // takes NULL
struct eg_bytes message_bytes(const struct message *message);

// A place for a listener, NULL: all are taken. hub_response() gives the body it will be sent; the
// place is free again when that is destroyed.
struct listener *hub_join(struct hub *hub, struct MHD_Connection *connection);
struct MHD_Response *hub_response(struct listener *listener);

// To one, or to all (`faces` NULL), or one kind to those who may see faces and another to the rest.
void hub_tell(struct listener *listener, struct message *message);
void hub_tell_all(struct hub *hub, struct message *message);
void hub_tell_by_faces(struct hub *hub, struct message *faces, struct message *others);

// The last message of this session's listeners, then their end.
void hub_end_session(struct hub *hub, uint64_t session, struct message *message);
void hub_end_all(struct hub *hub); // before the server stops

void hub_beat(struct hub *hub); // the comment
size_t hub_count(const struct hub *hub);

#endif
