// SPDX-License-Identifier: Apache-2.0
//
// Wrong PINs. The fifth in a row locks the badge for five minutes, also for the right PIN. A badge
// that does not exist counts in the same way, so that nobody learns by it which ones do. Pure.
//
// The table forgets a badge ten minutes after its last wrong PIN, and the one that was wrong
// longest ago when it is full. Nobody can push a badge out before its time: PINs are tried one
// after the other, each costs more than 20 ms (pins.h), so there are fewer attempts in ten minutes
// than rows.
//
// Thread: one.

#ifndef CONSOLED_LOCKOUT_H
#define CONSOLED_LOCKOUT_H

#include <stdbool.h>
#include <stdint.h>

#define LOCKOUT_TRIES	  5
#define LOCKOUT_MS	  (5 * 60 * 1000)
#define LOCKOUT_MEMORY_MS (10 * 60 * 1000)
#define LOCKOUT_ROWS	  32768

struct lockout {
	struct lockout_row {
		uint64_t badge; // beginning of its SHA-256; 0: a free row
		int64_t last_ms, until_ms;
		unsigned int wrong;
	} row[LOCKOUT_ROWS];
};

// Milliseconds the badge is still locked, 0: it is not. Asked before a PIN is looked at.
int64_t lockout_left_ms(const struct lockout *lockout, const char *badge, int64_t now_ms);

// A wrong PIN. True when this is the one that locks.
bool lockout_wrong(struct lockout *lockout, const char *badge, int64_t now_ms);

void lockout_right(struct lockout *lockout, const char *badge);

#endif
