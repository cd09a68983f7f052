// SPDX-License-Identifier: Apache-2.0
//
// The roll of a flight: who of the manifest was here, who may go, and how well the camera does. It
// is about one manifest at a time; a newer version of it keeps what is known, another one begins
// anew. Pure but for memory.
//
// Thread: the main thread.

#ifndef EG_ROLL_H
#define EG_ROLL_H

#include "firmware/base/cbor.h"
#include "firmware/boothd/worker.h"
#include "store/decision.h"

#define EG_ROLL_BINS	 12
#define EG_ROLL_BIN_MS	 (5 * 60 * 1000LL)
#define EG_ROLL_LOW_BINS 6  // the last half hour tells whether the rate sags,
#define EG_ROLL_LOW_MIN	 10 // when at least so many came

// Numbers are in snapshots: never renumber, only append.
enum eg_roll_state {
	EG_ROLL_NOT_SEEN = 0,
	EG_ROLL_SEEN = 1,	// was here, and may not go so far
	EG_ROLL_CONFIRMED = 2,	// by the machine
	EG_ROLL_BY_OFFICER = 3, // by document
	EG_ROLL_STATE_COUNT,
};
const char *eg_roll_state_name(enum eg_roll_state state); // "not_seen", "seen", ...

struct eg_roll;

struct eg_roll *eg_roll_new(void);	 // NULL: out of memory
void eg_roll_free(struct eg_roll *roll); // takes NULL

// The manifest that is in use now, "" for none; keeps the reference. EG_ENOMEM: nothing is known of
// who was here.
int eg_roll_use(struct eg_roll *roll, const struct eg_worker_manifest *manifest,
		struct eg_people *people) EG_CHECKED;
const struct eg_people *eg_roll_people(const struct eg_roll *roll);
enum eg_roll_state eg_roll_state_of(const struct eg_roll *roll, size_t index);

// A verdict. `traveller` "": of nobody known. `captured`: a usable picture was taken.
void eg_roll_verdict(struct eg_roll *roll, const char *traveller, enum eg_verdict_kind verdict,
		     enum eg_cause cause, bool captured, int64_t now_ms);
// A decision on top of the verdict and of an earlier decision (0: there was none).
void eg_roll_decision(struct eg_roll *roll, const char *traveller, enum eg_decision before,
		      enum eg_decision decision);

struct eg_roll_facts {
	const struct eg_worker_manifest *manifest;
	size_t expected, confirmed, by_officer, opted_out, not_seen, seen;
	uint64_t tried, captured; // people with a verdict, and of them those of whom there was a
				  // usable picture; who opted out does not count
	uint64_t recent_tried, recent_captured; // in the last EG_ROLL_LOW_BINS
	double history[EG_ROLL_BINS];		// rates, oldest first; −1: nobody came
};
void eg_roll_facts(const struct eg_roll *roll, int64_t now_ms, struct eg_roll_facts *ret_facts);

// True when the last half hour is below what policy wants by more than one person's bad luck.
bool eg_roll_low(const struct eg_roll_facts *facts, double capture_min);

// For the snapshot: one CBOR item. Reading replaces everything; the states are applied when the
// same manifest comes into use. EG_EINVAL: the roll is empty then.
int eg_roll_encode(const struct eg_roll *roll, int64_t now_ms, struct eg_buf *out) EG_CHECKED;
int eg_roll_decode(struct eg_roll *roll, struct eg_cur *cur) EG_CHECKED;

#endif
