// SPDX-License-Identifier: Apache-2.0
//
// What pages are told by events. See README.md for the events and their fields.
//
// Thread: one.

#ifndef CONSOLED_FEED_H
#define CONSOLED_FEED_H

#include "firmware/consoled/console.h"

// To all that listen.
void feed_traveller(struct console *console); // the traveller's state changed
void feed_face(struct console *console);      // only where the face is
void feed_tracks(struct console *console);    // the faces in the newest picture
void feed_case(struct console *console, sd_json_variant *one);
void feed_flight(struct console *console);
void feed_booth(struct console *console);
void feed_officers(struct console *console);				   // somebody came or went
void feed_snapshot(struct console *console);				   // everything is another
void feed_end(struct console *console, uint64_t session, const char *why); // and no more

// To one that has just begun to listen.
void feed_first(struct console *console, struct listener *listener);

// JSON of who is signed in: [{account, display, role}], each account once. NULL: out of memory.
sd_json_variant *feed_signed_in(const struct console *console);

#endif
