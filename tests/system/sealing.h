// SPDX-License-Identifier: Apache-2.0
//
// For the tests of the whole system: sealed envelopes of this booth, as boothd makes them. Thread:
// one.

#ifndef TESTS_SYSTEM_SEALING_H
#define TESTS_SYSTEM_SEALING_H

#include "store/encounter.h"
#include "store/trust.h"

#define SEALING_FACE_MAX 200000 // bytes

struct sealing {
	struct eg_trust trust;
	struct eg_key *key;
	struct eg_buf envelope; // the newest
	uint8_t face[SEALING_FACE_MAX];
};

int sealing_init(struct sealing *sealing, const char *trust, const char *record_key,
		 struct eg_err *err) EG_CHECKED;
void sealing_done(struct sealing *sealing);

// A confirmed visitor with random bytes for a face; the envelope is in sealing->envelope.
int sealing_one(struct sealing *sealing, size_t face_bytes, struct eg_id *ret_id,
		struct eg_err *err) EG_CHECKED;

#endif
