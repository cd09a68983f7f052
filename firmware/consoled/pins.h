// SPDX-License-Identifier: Apache-2.0
//
// PINs against their Argon2id hashes, on a thread of its own: some 50 ms and 19 MiB each, during
// which everybody else's events go on. One at a time, which also is the limit on guessing.
//
// Thread: all functions on the event loop's; `done` is called there.

#ifndef CONSOLED_PINS_H
#define CONSOLED_PINS_H

#include <stdbool.h>
#include <systemd/sd-event.h>

#include "store/policy.h"

#define PINS_WAITING_MAX 8

struct pins;

typedef void (*pins_done)(void *user, bool right);

int pins_start(sd_event *event, struct pins **ret_pins, struct eg_err *err) EG_CHECKED;
void pins_stop(struct pins *pins); // takes NULL; waits for the one that is being looked at

// Looks at a PIN. `account` NULL: nobody has this badge, which takes as long and is never right.
// The PIN is copied and wiped. EG_EFULL: as many wait as may; EG_ETOOBIG.
int pins_check(struct pins *pins, const char *pin, const struct eg_account *account, pins_done done,
	       void *user) EG_CHECKED;

// `user` is gone: its `done` will not be called.
void pins_forget(struct pins *pins, const void *user);

#endif
