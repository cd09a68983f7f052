// SPDX-License-Identifier: Apache-2.0
//
// One traveller's session, as a pure state machine: no I/O, no clock of its own, no memory.
//
//	idle → approaching → capturing ⇄ deciding → confirmed / referred → leaving → over
//
// The caller feeds events with the boot time and carries out the actions that come back. Events
// that have no meaning in a state are legal only where the table in session.c says so; any other is
// a caller's bug (assert). Every way out of a started session ends in a record: confirmed, or
// referred to the officer with a cause. Only a face that came and went in less than `presence_ms`
// leaves none, and one that belongs to somebody who was just served: that session waits, without a
// light, until the face is gone.
//
// Thread: one.

#ifndef EG_SESSION_H
#define EG_SESSION_H

#include "capture/capture.h"
#include "match/verdict.h"

enum eg_session_state {
	EG_SESSION_IDLE,
	EG_SESSION_APPROACHING, // a face is in the zone, no usable shot yet
	EG_SESSION_CAPTURING,	// shots come, none compared right now
	EG_SESSION_DECIDING,	// a comparison is under way
	EG_SESSION_CONFIRMED,
	EG_SESSION_REFERRED,
	EG_SESSION_LEAVING, // verdict shown long enough, the traveller is still in view
	EG_SESSION_OVER,    // the caller frees the slot
	EG_SESSION_STATE_COUNT,
};
const char *eg_session_state_name(enum eg_session_state state);

enum eg_session_event {
	EG_SESSION_SEEN,    // the track is in view; the first one begins the session
	EG_SESSION_SHOT,    // a usable shot that was not there before
	EG_SESSION_ATTEMPT, // a comparison came back
	EG_SESSION_CLAIM,   // a document named who this should be
	EG_SESSION_MISREAD, // a document could not be read
	EG_SESSION_CROWD,   // more people in the zone than are served at once; holds for a second
	EG_SESSION_OPT_OUT, // "no camera, please"
	EG_SESSION_LOST,    // the track is gone
	EG_SESSION_FAULT,   // camera, models or disk failed
	EG_SESSION_TICK,    // time passed
	EG_SESSION_EVENT_COUNT,
};

// What the caller has to do, in this order.
enum eg_session_action {
	EG_SESSION_DO_TRY = 1u << 0, // compare the shots at hand
	EG_SESSION_DO_RECORD =
		1u << 1, // write the encounter; on failure feed FAULT before the light
	EG_SESSION_DO_GREEN = 1u << 2,	  // from now on the state asks for green,
	EG_SESSION_DO_BLUE = 1u << 3,	  // for blue,
	EG_SESSION_DO_DARK = 1u << 4,	  // for no light
	EG_SESSION_DO_ANNOUNCE = 1u << 5, // tell watchers that the state changed
	EG_SESSION_DO_FORGET = 1u << 6,	  // drop what is kept of the face
};

struct eg_session_policy {
	bool needs_document; // verify only: compare nothing before a claim
	bool needs_liveness; // without it a match is referred
	float liveness_min;
	unsigned int liveness_frames;
	unsigned int confirm_shots; // fused shots a confirmation rests on at least
	unsigned int refer_shots;   // after so many, and
	int refer_ms;		    // so long, a non-match is final
	int try_ms;		    // hard stop since the first usable shot
	int patience_ms;       // hard stop since first seen, with no usable shot or no document
	int presence_ms;       // a face seen for less leaves no record
	int show_ms;	       // the light stays on
	unsigned int misreads; // document reads that may fail
};
extern const struct eg_session_policy eg_session_defaults;

// A comparison's outcome.
struct eg_attempt {
	struct eg_verdict verdict;
	struct eg_liveness liveness;
	unsigned int shots; // fused
	bool served_before; // the same person had a verdict a moment ago
	bool stale;	    // the manifest in use has expired, or there is none
};

struct eg_session {
	enum eg_session_state state;
	int64_t seen_ms, usable_ms, verdict_ms; // boot time; 0: not yet
	int64_t last_seen_ms;
	int64_t crowd_ms; // when somebody else was last in the zone; 0: nobody
	unsigned int misread_count;
	bool claimed;
	bool more; // a shot came while deciding
	bool gone; // the track was lost
	bool tried;
	struct eg_attempt last;	   // the latest attempt, if tried
	struct eg_verdict verdict; // final
};

// Feeds one event. `attempt` only with ATTEMPT, else NULL. Returns actions as bits.
unsigned int eg_session_step(struct eg_session *session, const struct eg_session_policy *policy,
			     enum eg_session_event event, const struct eg_attempt *attempt,
			     int64_t now_ms);

// True for a comparison that began before a document named who this is: whatever it says, it does
// not count, and the session asks for another one.
bool eg_session_outdated(const struct eg_session *session, const struct eg_attempt *attempt);

// True where the table allows the event in the state; for tests and for eg_session_step's assert.
bool eg_session_legal(enum eg_session_state state, enum eg_session_event event);

#endif
