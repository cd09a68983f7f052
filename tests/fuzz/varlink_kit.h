// SPDX-License-Identifier: Apache-2.0
//
// Talks to a Varlink server of ours over its own socket, for fuzz targets. Thread: one.

#ifndef TESTS_FUZZ_VARLINK_KIT_H
#define TESTS_FUZZ_VARLINK_KIT_H

#include <systemd/sd-event.h>

#include "firmware/base/buf.h"

// An address that no other process has, in the abstract name space: nothing is left behind.
void varlink_kit_address(char *ret_address, size_t size);

// Connects, sends `bytes` and closes, while the loop runs the server. A line is a message (its end
// becomes Varlink's NUL); a line that begins with '@' opens a further connection, and all stay open
// until the end. `step` (may be NULL) is called after each connection has had its turn. Aborts when
// the server answers anything that is no reply, or does not come to rest.
void varlink_kit_talk(sd_event *event, const char *address, struct eg_bytes bytes,
		      void (*step)(void *user), void *user);

#endif
