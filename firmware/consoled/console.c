// SPDX-License-Identifier: Apache-2.0
//
// See console.h.

#include "firmware/consoled/console.h"

#include <string.h>

#include "firmware/base/log.h"
#include "firmware/consoled/feed.h"

#define SECOND_US 1000000u
#define BEAT_S	  10

void console_note(struct console *console, const char *event, const char *account)
{
	sd_json_variant *parameters = NULL;
	int r = EG_ENOMEM;

	if (sd_json_buildo(&parameters, SD_JSON_BUILD_PAIR_STRING("event", event),
			   SD_JSON_BUILD_PAIR_STRING("account", account)) >= 0)
		r = link_call(&console->booth.boothd, "io.egress.Console.Note", parameters, NULL,
			      NULL);
	sd_json_variant_unref(parameters);
	if (r != 0)
		eg_warning("the audit chain misses an event '%s': %s", event, eg_code_name(r));
}

void console_end_session(struct console *console, struct session *session, const char *why)
{
	feed_end(console, session->serial, why);
	console_note(console, "signed_out", session->account);
	session_end(session);
	feed_officers(console);
}

// Who is not in the policy any more, or is somebody else by it, is signed out.
void console_policy_changed(struct console *console)
{
	eg_info("policy version %llu: %zu accounts",
		(unsigned long long)console->accounts.policy.version,
		console->accounts.policy.account_count);
	for (size_t i = 0; i < SESSIONS_MAX; i++) {
		struct session *s = &console->sessions.row[i];
		const struct eg_account *account;

		if (s->serial == 0)
			continue;
		account = accounts_by_badge(&console->accounts, s->account);
		if (account == NULL || account->role != s->role)
			console_end_session(console, s, "account");
	}
	feed_traveller(console); // the notice
	feed_booth(console);
}

static int on_second(sd_event_source *source, uint64_t usec, void *user)
{
	struct console *c = user;
	int64_t now_ms = eg_boot_ms(c->clock);

	(void)usec;
	for (size_t i = 0; i < SESSIONS_MAX; i++)
		if (c->sessions.row[i].serial != 0 &&
		    session_left_ms(&c->sessions.row[i], now_ms) == 0)
			console_end_session(c, &c->sessions.row[i], "idle");
	if (++c->seconds % BEAT_S == 0) {
		hub_beat(&c->travellers);
		hub_beat(&c->officers);
		view_beat(&c->view);
	}
	(void)sd_event_source_set_time_relative(source, SECOND_US);
	return sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
}

static int on_tick(sd_event_source *source, uint64_t usec, void *user)
{
	struct console *c = user;

	(void)source;
	(void)usec;
	if (traveller_tick(&c->traveller, eg_boot_ms(c->clock)))
		feed_traveller(c);
	console_arm(c);
	return 0;
}

void console_arm(struct console *console)
{
	int64_t next_ms = traveller_next_ms(&console->traveller);

	if (next_ms == INT64_MAX) {
		(void)sd_event_source_set_enabled(console->tick, SD_EVENT_OFF);
		return;
	}
	(void)sd_event_source_set_time(console->tick, (uint64_t)next_ms * 1000);
	(void)sd_event_source_set_enabled(console->tick, SD_EVENT_ONESHOT);
}

static int start_timers(struct console *c, struct eg_err *err)
{
	int r = sd_event_add_time_relative(c->event, &c->second, CLOCK_BOOTTIME, SECOND_US, 0,
					   on_second, c);

	if (r >= 0)
		r = sd_event_add_time(c->event, &c->tick, CLOCK_BOOTTIME, UINT64_MAX, 1000, on_tick,
				      c);
	return r >= 0 ? 0 : eg_err_errno(err, -r, "event loop");
}

int console_start(struct console *console, sd_event *event, const struct config *config,
		  struct eg_err *err)
{
	int r;

	console->config = config;
	console->clock = eg_clock_system();
	console->event = event;
	traveller_init(&console->traveller, eg_boot_ms(console->clock));
	r = eg_trust_load(config->trust, &console->trust, err);
	if (r == 0)
		r = tls_load(&console->tls, config, console->trust.booth,
			     eg_wall_ms(console->clock), err);
	if (r == 0)
		r = pins_start(event, &console->pins, err);
	if (r == 0)
		r = start_timers(console, err);
	if (r == 0)
		r = view_start(&console->view, console, err);
	if (r == 0)
		r = server_start(console, err);
	if (r == 0)
		r = booth_start(&console->booth, console, err);
	return r;
}

void console_stop(struct console *console)
{
	server_stop(console);
	booth_stop(&console->booth);
	view_stop(&console->view);
	pins_stop(console->pins);
	sd_event_source_disable_unref(console->second);
	sd_event_source_disable_unref(console->tick);
	tls_done(&console->tls);
}
