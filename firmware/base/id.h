// SPDX-License-Identifier: Apache-2.0
//
// UUID version 7 (RFC 9562 §5.7): 48 bits of wall-clock milliseconds, then random bits. Within one
// process ids only rise, also when the clock stands still or is set back (§6.2, method 1: the 12
// bits of rand_a count).
//
// Thread: any.

#ifndef EG_ID_H
#define EG_ID_H

#include "firmware/base/clock.h"
#include "firmware/base/err.h"

#define EG_ID_SIZE     16
#define EG_ID_TEXT_MAX 37

struct eg_id {
	uint8_t bytes[EG_ID_SIZE];
};

int eg_id_new(const struct eg_clock *clock,
	      struct eg_id *ret_id) EG_CHECKED; // EG_EFOREIGN: no random
void eg_id_text(const struct eg_id *id, char ret_text[EG_ID_TEXT_MAX]);

// Lower- or upper-case text with hyphens of a version-7 id; EG_EINVAL for everything else.
int eg_id_parse(const char *text, struct eg_id *ret_id) EG_CHECKED;

int eg_id_compare(const struct eg_id *a, const struct eg_id *b);

#endif
