// SPDX-License-Identifier: Apache-2.0
//
// See booth.h.

#include "firmware/consoled/booth.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "firmware/base/file.h"
#include "firmware/base/log.h"
#include "firmware/consoled/feed.h"
#include "firmware/consoled/json.h"

#define POLL_US (2u * 1000u * 1000u)

static void keep(sd_json_variant **place, sd_json_variant *value)
{
	sd_json_variant_ref(value);
	sd_json_variant_unref(*place);
	*place = value;
}

// ---- cases --------------------------------------------------------------------------------------

static int blank(sd_json_variant **one, const char *const *keys)
{
	sd_json_variant *nothing = NULL;
	int r = sd_json_variant_new_null(&nothing);

	for (; r >= 0 && *keys != NULL; keys++)
		r = sd_json_variant_set_field(one, *keys, nothing);
	if (r >= 0)
		r = sd_json_variant_set_field_boolean(one, "faces", false);
	sd_json_variant_unref(nothing);
	return r;
}

sd_json_variant *booth_without_names(sd_json_variant *one)
{
	static const char *const keys[] = {"name", "traveller", "facesUntil", NULL};
	sd_json_variant *copy = sd_json_variant_ref(one);
	int r = blank(&copy, keys);

	if (r >= 0)
		r = sd_json_variant_set_field_string(&copy, "initials", "");
	if (r >= 0)
		r = sd_json_variant_set_field_unsigned(&copy, "referenceCount", 0);
	if (r < 0)
		copy = sd_json_variant_unref(copy);
	return copy;
}

// The same traveller: by the record's id, or, before there is one, by the session's number.
static bool same(sd_json_variant *a, sd_json_variant *b)
{
	const char *id = json_text(a, "encounter"), *other = json_text(b, "encounter");
	uint64_t session = json_number(a, "session");

	if (id[0] != '\0' && other[0] != '\0')
		return strcmp(id, other) == 0;
	return session != 0 && session == json_number(b, "session");
}

static void drop(struct booth *b, size_t index)
{
	sd_json_variant_unref(b->cases[index]);
	b->case_count--;
	memmove(&b->cases[index], &b->cases[index + 1],
		(b->case_count - index) * sizeof(b->cases[0]));
}

static void clear_cases(struct booth *b)
{
	while (b->case_count > 0)
		drop(b, b->case_count - 1);
}

static void take_case(struct booth *b, sd_json_variant *one)
{
	bool nothing = json_field(one, "encounter") == NULL &&
		       strcmp(json_text(one, "state"), "over") == 0;
	size_t i = 0;

	while (i < b->case_count && !same(one, b->cases[i]))
		i++;
	if (nothing) {
		if (i < b->case_count)
			drop(b, i);
		return;
	}
	if (i < b->case_count) {
		keep(&b->cases[i], one);
		return;
	}
	if (b->case_count == BOOTH_CASES_MAX)
		drop(b, b->case_count - 1);
	memmove(&b->cases[1], &b->cases[0], b->case_count * sizeof(b->cases[0]));
	b->case_count++;
	b->cases[0] = sd_json_variant_ref(one);
}

// ---- boothd's answers ---------------------------------------------------------------------------

static void complain(const char *method, const char *error)
{
	if (strcmp(error, LINK_GONE) != 0)
		eg_error("boothd refuses %s: %s%s", method, error,
			 strcmp(error, "io.egress.Console.NotAllowed") == 0
				 ? "; console_user in boothd.conf must name the user consoled runs "
				   "as"
				 : "");
}

static void on_cases(void *user, const char *error, sd_json_variant *reply)
{
	struct booth *b = user;
	sd_json_variant *list = json_field(reply, "cases");
	size_t count = list != NULL ? sd_json_variant_elements(list) : 0;

	if (error != NULL) {
		complain("Cases", error);
		return;
	}
	clear_cases(b);
	for (size_t i = 0; i < count && i < BOOTH_CASES_MAX; i++)
		b->cases[b->case_count++] = sd_json_variant_ref(sd_json_variant_by_index(list, i));
	b->up = true;
	eg_info("boothd is there");
	feed_snapshot(b->console);
	if (traveller_link(&b->console->traveller, true, eg_boot_ms(b->console->clock)))
		feed_traveller(b->console);
}

static void on_flight(void *user, const char *error, sd_json_variant *reply)
{
	struct booth *b = user;

	if (error != NULL) {
		complain("Flight", error);
		return;
	}
	keep(&b->flight, json_field(reply, "flight"));
	feed_flight(b->console);
}

static void on_status(void *user, const char *error, sd_json_variant *reply)
{
	struct booth *b = user;

	if (error != NULL) {
		complain("GetStatus", error);
		return;
	}
	keep(&b->status, reply);
	feed_booth(b->console);
}

static void take_policy(struct booth *b, sd_json_variant *message)
{
	struct eg_err err = EG_ERR_INIT;
	bool changed = false;
	void *bytes = NULL;
	size_t size = 0;
	int r = sd_json_variant_unbase64(message, &bytes, &size) < 0 || size > EG_POLICY_MAX
			? eg_err_set(&err, EG_EINVAL, "policy: not base64, or too large")
			: accounts_take(&b->console->accounts, EG_BYTES(bytes, size),
					&b->console->trust, &changed, &err);

	free(bytes);
	if (r != 0)
		eg_error("%s; accounts stay as they were", err.text);
	else if (changed)
		console_policy_changed(b->console);
}

static void on_policy(void *user, const char *error, sd_json_variant *reply)
{
	struct booth *b = user;
	sd_json_variant *message = json_field(reply, "message");

	if (error != NULL)
		complain("Policy", error);
	else if (message != NULL)
		take_policy(b, message);
	else
		eg_notice("there is no policy yet, so nobody can sign in");
}

static void on_view(void *user, int fd)
{
	struct booth *b = user;

	view_open(&b->console->view, fd);
}

static void ask(struct booth *b, const char *method, link_done done)
{
	int r = link_call(&b->boothd, method, NULL, done, b);

	if (r != 0)
		eg_debug("%s: %s", method, eg_code_name(r));
}

// ---- boothd's events ----------------------------------------------------------------------------

static void on_traveller(struct booth *b, sd_json_variant *event, bool verdict)
{
	struct console *c = b->console;
	const char *encounter = json_text(event, "encounter");
	bool opted_out = strcmp(json_text(event, "cause"), "opted_out") == 0;

	if (traveller_session(&c->traveller, json_number(event, "session"),
			      (uint32_t)json_number(event, "track"),
			      verdict && opted_out ? "over" : json_text(event, "state"),
			      encounter[0] != '\0' ? encounter : NULL, eg_boot_ms(c->clock)))
		feed_traveller(c);
	console_arm(c);
}

static void on_case(struct booth *b, sd_json_variant *one)
{
	struct console *c = b->console;

	if (one == NULL)
		return;
	take_case(b, one);
	feed_case(c, one);
	if (strcmp(json_text(one, "decision"), "confirmed_by_document") == 0 &&
	    traveller_let_go(&c->traveller, json_text(one, "encounter"), eg_boot_ms(c->clock)))
		feed_traveller(c);
}

static void on_event(void *user, sd_json_variant *parameters)
{
	struct booth *b = user;
	struct console *c = b->console;
	sd_json_variant *event = json_field(parameters, "event");
	const char *type = json_text(event, "type");

	if (strcmp(type, "state") == 0 || strcmp(type, "verdict") == 0) {
		on_traveller(b, event, type[0] == 'v');
	} else if (strcmp(type, "hint") == 0) {
		if (traveller_hint(&c->traveller, json_number(event, "session"),
				   traveller_hint_find(json_text(event, "hint")),
				   eg_boot_ms(c->clock)))
			feed_traveller(c);
		console_arm(c);
	} else if (strcmp(type, "case") == 0) {
		on_case(b, json_field(event, "case"));
	} else if (strcmp(type, "flight") == 0) {
		keep(&b->flight, json_field(event, "flight"));
		feed_flight(c);
	} else if (strcmp(type, "view") == 0) {
		view_look(&c->view);
	} else {
		if (strcmp(type, "policy") == 0)
			ask(b, "io.egress.Console.Policy", on_policy);
		ask(b, "io.egress.Booth.GetStatus", on_status);
	}
}

static void on_open(void *user)
{
	struct booth *b = user;

	ask(b, "io.egress.Console.Cases", on_cases);
	ask(b, "io.egress.Console.Flight", on_flight);
	ask(b, "io.egress.Console.Policy", on_policy);
	ask(b, "io.egress.Booth.GetStatus", on_status);
}

// Rows stay for the officer's eye, but faces and names went with boothd.
static void on_gone(void *user)
{
	static const char *const keys[] = {"name", "facesUntil", NULL};
	struct booth *b = user;

	if (b->up)
		eg_warning("boothd is gone");
	b->up = false;
	keep(&b->status, NULL);
	for (size_t i = b->case_count; i-- > 0;)
		if (json_field(b->cases[i], "encounter") == NULL || blank(&b->cases[i], keys) < 0)
			drop(b, i);
	view_close(&b->console->view);
	if (traveller_link(&b->console->traveller, false, eg_boot_ms(b->console->clock)))
		feed_traveller(b->console);
	feed_snapshot(b->console);
}

// ---- syncd --------------------------------------------------------------------------------------

static void on_sync(void *user, sd_json_variant *parameters)
{
	struct booth *b = user;

	keep(&b->sync, json_field(parameters, "state"));
	feed_booth(b->console);
}

static void on_sync_open(void *user)
{
	(void)user; // its first state comes by itself
}

static void on_sync_gone(void *user)
{
	struct booth *b = user;

	keep(&b->sync, NULL);
	feed_booth(b->console);
}

// ---- for pages ----------------------------------------------------------------------------------

static int link_json(const struct booth *b, sd_json_variant **ret)
{
	return sd_json_buildo(ret, SD_JSON_BUILD_PAIR_BOOLEAN("boothd", b->up),
			      SD_JSON_BUILD_PAIR_BOOLEAN("syncd", b->sync != NULL),
			      SD_JSON_BUILD_PAIR_STRING("centre",
							b->sync != NULL ? json_text(b->sync, "link")
									: "unknown"));
}

sd_json_variant *booth_status(const struct booth *booth)
{
	const struct accounts *accounts = &booth->console->accounts;
	sd_json_variant *link = NULL, *json = NULL;
	int r = link_json(booth, &link);

	if (r >= 0)
		r = sd_json_buildo(
			&json, SD_JSON_BUILD_PAIR_STRING("booth", booth->console->trust.booth),
			SD_JSON_BUILD_PAIR_STRING("version", EG_VERSION),
			SD_JSON_BUILD_PAIR_STRING("slot", booth->slot),
			SD_JSON_BUILD_PAIR_INTEGER("nowMs", eg_wall_ms(booth->console->clock)),
			SD_JSON_BUILD_PAIR_VARIANT("link", link),
			SD_JSON_BUILD_PAIR_VARIANT("status", booth->status),
			SD_JSON_BUILD_PAIR_VARIANT("sync", booth->sync),
			SD_JSON_BUILD_PAIR_INTEGER("policyExpiresMs",
						   accounts->there ? accounts->policy.expires_ms
								   : 0));
	sd_json_variant_unref(link);
	return r >= 0 ? json : NULL;
}

static int cases_json(const struct booth *b, bool faces, sd_json_variant **ret)
{
	int r = sd_json_variant_new_array(ret, NULL, 0);

	for (size_t i = 0; r >= 0 && i < b->case_count; i++) {
		sd_json_variant *one =
			faces ? sd_json_variant_ref(b->cases[i]) : booth_without_names(b->cases[i]);

		r = one == NULL ? -1 : sd_json_variant_append_array(ret, one);
		sd_json_variant_unref(one);
	}
	return r;
}

sd_json_variant *booth_snapshot(const struct booth *booth, bool faces)
{
	sd_json_variant *cases = NULL, *link = NULL, *json = NULL;
	sd_json_variant *status = booth_status(booth), *officers = feed_signed_in(booth->console);
	int r = status != NULL && officers != NULL ? cases_json(booth, faces, &cases) : -1;

	if (r >= 0)
		r = link_json(booth, &link);
	if (r >= 0)
		r = sd_json_buildo(&json, SD_JSON_BUILD_PAIR_VARIANT("cases", cases),
				   SD_JSON_BUILD_PAIR_VARIANT("flight", booth->flight),
				   SD_JSON_BUILD_PAIR_VARIANT("booth", status),
				   SD_JSON_BUILD_PAIR_VARIANT("link", link),
				   SD_JSON_BUILD_PAIR_VARIANT("officers", officers));
	sd_json_variant_unref(cases);
	sd_json_variant_unref(link);
	sd_json_variant_unref(status);
	sd_json_variant_unref(officers);
	return r >= 0 ? json : NULL;
}

// ---- start and stop -----------------------------------------------------------------------------

static int on_poll(sd_event_source *source, uint64_t usec, void *user)
{
	struct booth *b = user;

	(void)usec;
	if (b->boothd.open)
		ask(b, "io.egress.Booth.GetStatus", on_status);
	(void)sd_event_source_set_time_relative(source, POLL_US);
	return sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
}

// RAUC has the boot loader say which slot was booted.
static void find_slot(struct booth *b)
{
	static const char key[] = "rauc.slot=";
	struct eg_buf line;
	const char *text, *found;

	eg_buf_init(&line, 8192);
	if (eg_file_read("/proc/cmdline", &line, NULL) == 0 &&
	    (text = eg_buf_text(&line)) != NULL && (found = strstr(text, key)) != NULL) {
		found += sizeof(key) - 1;
		(void)snprintf(b->slot, sizeof(b->slot), "%.*s", (int)strcspn(found, " \n"), found);
	}
	eg_buf_done(&line);
}

int booth_start(struct booth *booth, struct console *console, struct eg_err *err)
{
	int r;

	booth->console = console;
	find_slot(booth);
	booth->boothd = (struct link){.name = "boothd",
				      .socket = console->config->booth_socket,
				      .watch_method = "io.egress.Console.Watch",
				      .fd_method = "io.egress.Console.OpenView",
				      .on_fd = on_view,
				      .on_open = on_open,
				      .on_event = on_event,
				      .on_gone = on_gone,
				      .user = booth};
	booth->syncd = (struct link){.name = "syncd",
				     .socket = console->config->sync_socket,
				     .watch_method = "io.egress.Sync.Watch",
				     .on_open = on_sync_open,
				     .on_event = on_sync,
				     .on_gone = on_sync_gone,
				     .user = booth};
	r = sd_event_add_time_relative(console->event, &booth->poll, CLOCK_BOOTTIME, POLL_US, 0,
				       on_poll, booth);
	if (r < 0)
		return eg_err_errno(err, -r, "event loop");
	r = link_start(&booth->boothd, console->event, err);
	return r == 0 ? link_start(&booth->syncd, console->event, err) : r;
}

void booth_stop(struct booth *booth)
{
	sd_event_source_disable_unref(booth->poll);
	booth->poll = NULL;
	link_stop(&booth->boothd);
	link_stop(&booth->syncd);
	clear_cases(booth);
	keep(&booth->status, NULL);
	keep(&booth->sync, NULL);
	keep(&booth->flight, NULL);
}
