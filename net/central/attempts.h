// SPDX-License-Identifier: Apache-2.0
//
// How often somebody may fail: a budget of EG_ATTEMPTS failures for each name (a booth, an
// address), of which one comes back every EG_ATTEMPTS_BACK_MS. Tokens cannot be guessed, they are
// random and long; this keeps guessing from costing the centre its time and its log.
//
// A table of fixed size. When it is full, whoever is nearest to a whole budget is forgotten, so a
// flood of names takes nothing from those who are being held back hardest.
//
// Thread: one per table.

#ifndef EG_CENTRAL_ATTEMPTS_H
#define EG_CENTRAL_ATTEMPTS_H

#include <stddef.h>
#include <stdint.h>

#define EG_ATTEMPTS	    20
#define EG_ATTEMPTS_BACK_MS 10000
#define EG_ATTEMPTS_ROWS    512
#define EG_ATTEMPTS_NAME    72 // bytes with the end

struct eg_attempts {
	struct eg_attempts_row {
		char name[EG_ATTEMPTS_NAME]; // "": free
		int64_t whole_ms;	     // boot time at which the budget is whole again
	} row[EG_ATTEMPTS_ROWS];
}; // zeroed at first

// Milliseconds to wait before the next attempt under this name; 0: none. Names longer than the
// table holds count as one with all that begin alike.
int64_t eg_attempts_wait_ms(const struct eg_attempts *attempts, const char *name, int64_t boot_ms);

// One attempt failed.
void eg_attempts_failed(struct eg_attempts *attempts, const char *name, int64_t boot_ms);

#endif
