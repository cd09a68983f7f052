// SPDX-License-Identifier: Apache-2.0
//
// What the traveller's page shows, as a pure state machine: boothd's events in, one state out. No
// I/O, no clock of its own.
//
//	idle → approach → capture → deciding → go / officer → idle
//	no_camera, out_of_service: whatever else goes on
//
// Several sessions may be under way; the page is for the one that is nearest to the camera, and
// stays with it until it is over or another one is much nearer. A verdict takes the page at once,
// blue before green. It stays long enough to be read, also when the traveller has walked on, but
// gives way to the next traveller's capture.
//
// Thread: one.

#ifndef CONSOLED_TRAVELLER_H
#define CONSOLED_TRAVELLER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TRAVELLER_SESSIONS_MAX 16
#define TRAVELLER_HINT_MS      800   // a hint is shown at least so long,
#define TRAVELLER_GLANCE_MS    1500  // a result while others wait,
#define TRAVELLER_RESULT_MS    5000  // while nobody does,
#define TRAVELLER_RECEIPT_MS   30000 // and with a receipt to scan
#define TRAVELLER_ID_MAX       37    // of an encounter, with NUL
#define TRAVELLER_RECEIPT_MAX  1024  // text of a receipt, with NUL

enum traveller_state {
	TRAVELLER_IDLE,
	TRAVELLER_APPROACH,
	TRAVELLER_CAPTURE,
	TRAVELLER_DECIDING,
	TRAVELLER_GO,
	TRAVELLER_OFFICER,
	TRAVELLER_NO_CAMERA,
	TRAVELLER_OUT_OF_SERVICE,
	TRAVELLER_STATE_COUNT,
};
const char *traveller_state_name(enum traveller_state state); // as the page gets it

enum traveller_hint {
	TRAVELLER_HINT_NONE,
	TRAVELLER_HINT_CLOSER,
	TRAVELLER_HINT_BACK,
	TRAVELLER_HINT_LOOK_HERE,
	TRAVELLER_HINT_UNCOVER,
	TRAVELLER_HINT_MORE_LIGHT,
	TRAVELLER_HINT_LESS_LIGHT,
	TRAVELLER_HINT_ONE_PERSON,
	TRAVELLER_HINT_HOLD_STILL,
	TRAVELLER_HINT_COUNT,
};
const char *traveller_hint_name(enum traveller_hint hint);
enum traveller_hint traveller_hint_find(const char *name); // boothd's name; NONE when unknown

// Part of the mirrored picture, 0 … 1.
struct traveller_face {
	bool there;
	double x, y, width, height;
};

// A face in the live view.
struct traveller_seen {
	uint32_t track;
	bool served;
	double x, y, width, height; // not mirrored
};

struct traveller {
	// What the page shows.
	enum traveller_state state;
	int64_t since_ms;
	enum traveller_hint hint;
	struct traveller_face face;
	char encounter[TRAVELLER_ID_MAX];    // of the result that is shown, "" else
	char receipt[TRAVELLER_RECEIPT_MAX]; // "" until asked for

	// What it knows.
	bool link, working, resting;
	struct traveller_session {
		uint64_t number; // 0: a free row
		uint32_t track;
		enum traveller_state state;
		enum traveller_hint hint;
		char encounter[TRAVELLER_ID_MAX];
		bool over;   // only a result still to be shown
		double size; // part of the picture
	} session[TRAVELLER_SESSIONS_MAX];
	uint64_t shown;	   // number of the session the page is for; 0: none
	int64_t result_ms; // when its result came
	int64_t hint_ms;   // when the hint began
};

// Each returns true when state, hint, encounter or receipt changed. Times are boot time.
void traveller_init(struct traveller *t, int64_t now_ms); // out of service until there is a link
bool traveller_link(struct traveller *t, bool up, int64_t now_ms);
// The camera's truth: working: pictures come; resting: "no camera, please".
bool traveller_camera(struct traveller *t, bool working, bool resting, int64_t now_ms);
// boothd's session states by name: "approaching", …, "over". `encounter` may be NULL.
bool traveller_session(struct traveller *t, uint64_t number, uint32_t track, const char *state,
		       const char *encounter, int64_t now_ms);
bool traveller_hint(struct traveller *t, uint64_t number, enum traveller_hint hint, int64_t now_ms);
// An officer let this one go.
bool traveller_let_go(struct traveller *t, const char *encounter, int64_t now_ms);
bool traveller_receipt(struct traveller *t, const char *encounter, const char *text,
		       int64_t now_ms);
bool traveller_tick(struct traveller *t, int64_t now_ms);
// When to tick at the latest; INT64_MAX: never.
int64_t traveller_next_ms(const struct traveller *t);

// Faces of the newest picture. True when `face` changed: by more than a hundredth.
bool traveller_seen(struct traveller *t, const struct traveller_seen *seen, size_t count);
// The track whose face stays sharp in the traveller's view; 0: none.
uint32_t traveller_track(const struct traveller *t);

#endif
