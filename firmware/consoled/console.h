// SPDX-License-Identifier: Apache-2.0
//
// The whole of consoled: one struct, one thread with one event loop, and a helper thread for PINs.

#ifndef CONSOLED_CONSOLE_H
#define CONSOLED_CONSOLE_H

#include "firmware/base/clock.h"
#include "firmware/consoled/accounts.h"
#include "firmware/consoled/booth.h"
#include "firmware/consoled/events.h"
#include "firmware/consoled/lockout.h"
#include "firmware/consoled/pins.h"
#include "firmware/consoled/server.h"
#include "firmware/consoled/sessions.h"
#include "firmware/consoled/tls.h"
#include "firmware/consoled/traveller.h"
#include "firmware/consoled/view.h"
#include "store/trust.h"

struct console {
	const struct config *config;
	const struct eg_clock *clock;
	sd_event *event;
	struct eg_trust trust;
	struct tls tls;
	struct accounts accounts;
	struct sessions sessions;
	struct lockout lockout;
	struct pins *pins;
	struct booth booth; // what boothd and syncd tell
	struct view view;
	struct traveller traveller;
	struct hub travellers, officers; // who listens to events
	struct site traveller_site, officer_site;
	sd_event_source *second; // each second: what ends by time
	sd_event_source *tick;	 // when the traveller's page changes by time
	unsigned int seconds;
};

// `console` is zeroed; console_stop() in every case.
int console_start(struct console *console, sd_event *event, const struct config *config,
		  struct eg_err *err) EG_CHECKED;
void console_stop(struct console *console); // takes a half-built one

void console_arm(struct console *console); // the traveller's state machine moved: its next tick
void console_policy_changed(struct console *console);
// A sign-in's event for the audit chain; nobody waits for it.
void console_note(struct console *console, const char *event, const char *account);
// A session ends: its pages are told why, and the audit chain.
void console_end_session(struct console *console, struct session *session, const char *why);

#endif
