// SPDX-License-Identifier: Apache-2.0
//
// io.egress.Console on boothd's socket: who may call it, events with cases in them, the ring of
// live pictures, the flight. Methods about one case are in console_case.c. Whoever does not read
// is dropped; nobody is waited for.

#include "firmware/boothd/booth.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "firmware/base/log.h"
#include "firmware/base/mem.h"
#include "firmware/varlink/console.h"

#define FLIGHT_MS      1000
#define OWES_MS	       5000
#define TRAVELLERS_MAX 500

bool eg_console_allows(const struct eg_booth *booth, sd_varlink *link)
{
	uid_t uid;

	return sd_varlink_get_peer_uid(link, &uid) >= 0 &&
	       (uid == 0 || uid == geteuid() ||
		(booth->console.has_user && uid == booth->console.user));
}

static int refuse(sd_varlink *link)
{
	return sd_varlink_error(link, "io.egress.Console.NotAllowed", NULL);
}

// ---- events -------------------------------------------------------------------------------------

void eg_console_tell(struct eg_booth *booth, sd_json_variant *event)
{
	struct eg_booth *b = booth;
	size_t i = b->console.watcher_count;
	sd_varlink *link;

	while (i-- > 0) {
		link = b->console.watcher[i];
		if (sd_varlink_notifybo(link, SD_JSON_BUILD_PAIR_VARIANT("event", event)) >= 0)
			continue;
		b->console.watcher[i] = b->console.watcher[--b->console.watcher_count];
		sd_varlink_close_unref(link);
	}
}

// Takes over `value`, which may be NULL.
static void tell_of(struct eg_booth *b, const char *type, sd_json_variant *value)
{
	char now[EG_TIME_TEXT_MAX];
	sd_json_variant *event = NULL;

	eg_time_text(eg_wall_ms(b->clock), now);
	if (value != NULL && sd_json_buildo(&event, SD_JSON_BUILD_PAIR_STRING("type", type),
					    SD_JSON_BUILD_PAIR_STRING("time", now),
					    SD_JSON_BUILD_PAIR_VARIANT(type, value)) >= 0)
		eg_console_tell(b, event);
	sd_json_variant_unref(event);
	sd_json_variant_unref(value);
}

// A watcher that has not read by the time its faces are gone must not have them from our memory
// later: it is dropped.
void eg_console_owes(struct eg_booth *booth, sd_varlink *link)
{
	const int64_t until = eg_boot_ms(booth->clock) + OWES_MS;
	size_t i, free = EG_WATCHERS_MAX;

	for (i = 0; i < EG_WATCHERS_MAX; i++) {
		if (booth->console.owing[i].link == link)
			return;
		if (booth->console.owing[i].link == NULL)
			free = i;
	}
	if (free == EG_WATCHERS_MAX) // more than can be watched: none of them has read
		(void)sd_varlink_close(link);
	else
		booth->console.owing[free] =
			(__typeof__(booth->console.owing[0])){sd_varlink_ref(link), until};
}

void eg_console_case(struct eg_booth *booth, const struct eg_case *one)
{
	sd_json_variant *value = NULL;

	if (booth->console.watcher_count == 0)
		return;
	if (eg_console_case_json(booth, one, &value) < 0)
		eg_warning("console: a case could not be told: out of memory");
	tell_of(booth, "case", value);
	for (size_t i = 0; one->name[0] != '\0' && i < booth->console.watcher_count; i++)
		eg_console_owes(booth, booth->console.watcher[i]);
}

static void tick_owing(struct eg_booth *b, int64_t now)
{
	for (size_t i = 0; i < EG_WATCHERS_MAX; i++) {
		sd_varlink *link = b->console.owing[i].link;
		const int events = link == NULL ? 0 : sd_varlink_get_events(link);
		const bool reads = events < 0 || (events & (int)EPOLLOUT) == 0;

		if (link == NULL || (!reads && now < b->console.owing[i].until_ms))
			continue;
		b->console.owing[i].link = NULL;
		if (!reads) {
			eg_notice("console: a client that does not read is dropped");
			(void)sd_varlink_close(link); // its disconnection takes it off every list
		}
		sd_varlink_unref(link);
	}
}

static void tick_flight(struct eg_booth *b, int64_t now)
{
	sd_json_variant *flight = NULL;

	if (b->console.watcher_count == 0 || now - b->console.flight_ms < FLIGHT_MS ||
	    eg_console_flight_json(b, &flight) < 0)
		return;
	b->console.flight_ms = now;
	if (sd_json_variant_equal(flight, b->console.flight)) {
		sd_json_variant_unref(flight);
		return;
	}
	sd_json_variant_unref(b->console.flight);
	b->console.flight = sd_json_variant_ref(flight);
	tell_of(b, "flight", flight);
}

// ---- the view -----------------------------------------------------------------------------------

static enum eg_view_state view_state(const struct eg_booth *b)
{
	struct eg_eyes_facts facts;

	if (b->wake_ms != 0)
		return EG_VIEW_RESTING;
	eg_eyes_facts(b->eyes, &facts);
	return facts.state == EG_EYES_STREAMING ? EG_VIEW_LIVE : EG_VIEW_NONE;
}

void eg_console_view(struct eg_booth *booth)
{
	struct eg_booth *b = booth;
	const enum eg_view_state state = view_state(b);
	enum eg_view_state show = state;
	sd_json_variant *name = NULL;

	if (show == EG_VIEW_LIVE && b->console.viewer_count == 0)
		show = EG_VIEW_NONE; // nobody looks: no picture is made
	if (show != b->console.shown ||
	    (show == EG_VIEW_LIVE && b->console.shown_from_ns != b->blind_ns)) {
		if (eg_worker_show(b->worker, show, b->blind_ns) != 0) {
			eg_booth_fault(b, "vision: its queue of commands is full");
			return; // at the next tick
		}
		b->console.shown = show;
		b->console.shown_from_ns = b->blind_ns;
	}
	if (state == b->console.told)
		return;
	b->console.told = state;
	if (sd_json_variant_new_string(&name, eg_view_state_name(state)) >= 0)
		tell_of(b, "view", name);
}

// Whoever has a session may be sharp in the ring.
void eg_console_serve(struct eg_booth *booth)
{
	uint32_t track[EG_TRACKS_MAX];
	size_t n = 0;

	for (size_t i = 0; i < EG_TRACKS_MAX; i++)
		if (booth->slot[i].used && booth->slot[i].track != 0)
			track[n++] = booth->slot[i].track;
	eg_worker_serve(booth->worker, track, n);
}

void eg_console_tick(struct eg_booth *booth)
{
	const int64_t now = eg_boot_ms(booth->clock);

	eg_console_serve(booth);
	eg_console_view(booth);
	tick_flight(booth, now);
	tick_owing(booth, now);
}

static int open_view(sd_varlink *link, sd_json_variant *parameters, sd_varlink_method_flags_t flags,
		     void *user)
{
	struct eg_booth *b = user;
	size_t i;
	int r;

	(void)flags;
	r = sd_varlink_dispatch(link, parameters, (const sd_json_dispatch_field[]){{0}}, NULL);
	if (r != 0)
		return r;
	if (!eg_console_allows(b, link))
		return refuse(link);
	for (i = 0; i < b->console.viewer_count && b->console.viewer[i] != link; i++)
		;
	if (i == EG_VIEWERS_MAX)
		return sd_varlink_error(link, "io.egress.Console.TooManyWatchers", NULL);
	r = sd_varlink_set_allow_fd_passing_output(link, true);
	if (r >= 0)
		r = sd_varlink_push_dup_fd(link, eg_worker_view_fd(b->worker));
	if (r < 0)
		return r;
	if (i == b->console.viewer_count)
		b->console.viewer[b->console.viewer_count++] = sd_varlink_ref(link);
	eg_console_view(b);
	return sd_varlink_reply(link, NULL);
}

static int watch(sd_varlink *link, sd_json_variant *parameters, sd_varlink_method_flags_t flags,
		 void *user)
{
	struct eg_booth *b = user;
	int r;

	r = sd_varlink_dispatch(link, parameters, (const sd_json_dispatch_field[]){{0}}, NULL);
	if (r != 0)
		return r;
	if (!eg_console_allows(b, link))
		return refuse(link);
	if ((flags & SD_VARLINK_METHOD_MORE) == 0)
		return sd_varlink_error(link, SD_VARLINK_ERROR_EXPECTED_MORE, NULL);
	if (b->console.watcher_count == EG_WATCHERS_MAX)
		return sd_varlink_error(link, "io.egress.Console.TooManyWatchers", NULL);
	b->console.watcher[b->console.watcher_count++] = sd_varlink_ref(link);
	return 0;
}

static void drop_from(sd_varlink **list, size_t *count, sd_varlink *link)
{
	for (size_t i = 0; i < *count; i++) {
		if (list[i] != link)
			continue;
		list[i] = list[--*count];
		sd_varlink_unref(link);
		return;
	}
}

void eg_console_drop(struct eg_booth *booth, sd_varlink *link)
{
	struct eg_booth *b = booth;

	drop_from(b->console.watcher, &b->console.watcher_count, link);
	drop_from(b->console.viewer, &b->console.viewer_count, link);
	for (size_t i = 0; i < EG_WATCHERS_MAX; i++) {
		if (b->console.owing[i].link != link)
			continue;
		b->console.owing[i].link = NULL;
		sd_varlink_unref(link);
	}
}

// ---- all cases, the flight, the policy
// ------------------------------------------------------------

// Those without a verdict first, then the last ones.
static int all_cases(struct eg_booth *b, sd_json_variant **array, bool *named)
{
	struct eg_case begun;
	const struct eg_case *c;
	sd_json_variant *one;
	int r = sd_json_variant_new_array(array, NULL, 0);

	for (size_t k = 0; r >= 0 && k < EG_TRACKS_MAX + EG_CASES_MAX; k++) {
		if (k < EG_TRACKS_MAX) {
			if (!b->slot[k].used || b->slot[k].session.verdict.kind != EG_VERDICT_NONE)
				continue;
			eg_casework_of_slot(b, &b->slot[k], &begun);
			c = &begun;
		} else {
			c = eg_cases_at(b->cases, k - EG_TRACKS_MAX);
			if (c == NULL)
				break;
		}
		one = NULL;
		r = eg_console_case_json(b, c, &one);
		if (r >= 0)
			r = sd_json_variant_append_array(array, one);
		sd_json_variant_unref(one);
		*named |= c->name[0] != '\0';
	}
	return r;
}

static int cases(sd_varlink *link, sd_json_variant *parameters, sd_varlink_method_flags_t flags,
		 void *user)
{
	struct eg_booth *b = user;
	sd_json_variant *array = NULL;
	bool named = false;
	int r;

	(void)flags;
	r = sd_varlink_dispatch(link, parameters, (const sd_json_dispatch_field[]){{0}}, NULL);
	if (r != 0)
		return r;
	if (!eg_console_allows(b, link))
		return refuse(link);
	r = all_cases(b, &array, &named);
	if (r >= 0)
		r = sd_varlink_replybo(link, SD_JSON_BUILD_PAIR_VARIANT("cases", array));
	if (named)
		eg_console_owes(b, link);
	sd_json_variant_unref(array);
	return r;
}

static int flight(sd_varlink *link, sd_json_variant *parameters, sd_varlink_method_flags_t flags,
		  void *user)
{
	struct eg_booth *b = user;
	sd_json_variant *value = NULL;
	int r;

	(void)flags;
	r = sd_varlink_dispatch(link, parameters, (const sd_json_dispatch_field[]){{0}}, NULL);
	if (r != 0)
		return r;
	if (!eg_console_allows(b, link))
		return refuse(link);
	r = eg_console_flight_json(b, &value);
	if (r >= 0)
		r = sd_varlink_replybo(link, SD_JSON_BUILD_PAIR_VARIANT("flight", value));
	sd_json_variant_unref(value);
	return r;
}

static int append_person(sd_json_variant **array, const struct eg_person *person,
			 enum eg_roll_state state)
{
	sd_json_variant *row = NULL;
	int r = sd_json_buildo(&row, SD_JSON_BUILD_PAIR_STRING("initials", person->initials),
			       SD_JSON_BUILD_PAIR_STRING("name", person->name),
			       SD_JSON_BUILD_PAIR_STRING("state", eg_roll_state_name(state)));

	if (r >= 0) {
		sd_json_variant_sensitive(row);
		r = sd_json_variant_append_array(array, row);
	}
	sd_json_variant_unref(row);
	return r;
}

static int travellers(sd_varlink *link, sd_json_variant *parameters,
		      sd_varlink_method_flags_t flags, void *user)
{
	static const sd_json_dispatch_field fields[] = {
		{"filter", SD_JSON_VARIANT_STRING, sd_json_dispatch_const_string, 0,
		 SD_JSON_NULLABLE},
		{0},
	};
	struct eg_booth *b = user;
	const struct eg_people *people = eg_roll_people(b->roll);
	const char *filter = NULL;
	sd_json_variant *array = NULL;
	uint64_t total = 0;
	int r;

	(void)flags;
	r = sd_varlink_dispatch(link, parameters, fields, &filter);
	if (r != 0)
		return r;
	if (!eg_console_allows(b, link))
		return refuse(link);
	r = sd_json_variant_new_array(&array, NULL, 0);
	for (size_t i = 0; r >= 0 && i < eg_people_count(people); i++) {
		const enum eg_roll_state state = eg_roll_state_of(b->roll, i);

		if (filter != NULL && strcmp(filter, eg_roll_state_name(state)) != 0)
			continue;
		if (total++ < TRAVELLERS_MAX)
			r = append_person(&array, eg_people_at(people, i), state);
	}
	if (r >= 0)
		r = sd_varlink_replybo(link, SD_JSON_BUILD_PAIR_VARIANT("travellers", array),
				       SD_JSON_BUILD_PAIR_UNSIGNED("total", total));
	eg_console_owes(b, link);
	sd_json_variant_unref(array);
	return r;
}

static int policy(sd_varlink *link, sd_json_variant *parameters, sd_varlink_method_flags_t flags,
		  void *user)
{
	struct eg_booth *b = user;
	struct eg_err err = EG_ERR_INIT;
	struct eg_buf message;
	int r;

	(void)flags;
	r = sd_varlink_dispatch(link, parameters, (const sd_json_dispatch_field[]){{0}}, NULL);
	if (r != 0)
		return r;
	if (!eg_console_allows(b, link))
		return refuse(link);
	eg_buf_init(&message, EG_POLICY_MAX);
	r = b->records == NULL ? EG_EIO : eg_records_policy_message(b->records, &message, &err);
	if (r == 0)
		r = sd_varlink_replybo(link, SD_JSON_BUILD_PAIR_BASE64("message", message.data,
								       message.size));
	else
		r = sd_varlink_replybo(link, SD_JSON_BUILD_PAIR_NULL("message"));
	eg_buf_done(&message);
	return r;
}

static int note(sd_varlink *link, sd_json_variant *parameters, sd_varlink_method_flags_t flags,
		void *user)
{
	static const sd_json_dispatch_field fields[] = {
		{"event", SD_JSON_VARIANT_STRING, sd_json_dispatch_const_string, 0,
		 SD_JSON_MANDATORY},
		{"account", SD_JSON_VARIANT_STRING, sd_json_dispatch_const_string, sizeof(char *),
		 SD_JSON_MANDATORY},
		{0},
	};
	static const enum eg_audit_event events[] = {EG_AUDIT_SIGNED_IN, EG_AUDIT_SIGNED_OUT,
						     EG_AUDIT_LOCKED_OUT};
	const char *argument[2] = {0};
	struct eg_audit_entry entry = {0};
	struct eg_booth *b = user;
	struct eg_err err = EG_ERR_INIT;
	int r;

	(void)flags;
	r = sd_varlink_dispatch(link, parameters, fields, argument);
	if (r != 0)
		return r;
	if (!eg_console_allows(b, link))
		return refuse(link);
	for (size_t i = 0; i < sizeof(events) / sizeof(events[0]); i++)
		if (strcmp(argument[0], eg_audit_event_name(events[i])) == 0)
			entry.event = events[i];
	if (entry.event == 0 || eg_actor_of(argument[1], &entry.actor) != 0)
		return sd_varlink_errorbo(
			link, "io.egress.Console.NotFitting",
			SD_JSON_BUILD_PAIR_STRING("reason", "no such event, or no account's name"));
	if (b->records == NULL || eg_audit_note(b->records, &entry, &err) != 0)
		return sd_varlink_errorbo(link, "io.egress.Console.NotWritten",
					  SD_JSON_BUILD_PAIR_STRING("reason", err.text));
	return sd_varlink_reply(link, NULL);
}

// ---- start and stop
// -------------------------------------------------------------------------------

int eg_console_start(struct eg_booth *booth)
{
	int r = sd_varlink_server_add_interface(booth->server, &vl_interface_io_egress_Console);

	if (r >= 0)
		r = sd_varlink_server_bind_method_many(booth->server, "io.egress.Console.OpenView",
						       open_view, "io.egress.Console.Watch", watch,
						       "io.egress.Console.Cases", cases,
						       "io.egress.Console.Flight", flight,
						       "io.egress.Console.Travellers", travellers,
						       "io.egress.Console.Policy", policy,
						       "io.egress.Console.Note", note);
	return r < 0 ? r : eg_console_bind_cases(booth->server);
}

void eg_console_stop(struct eg_booth *booth)
{
	struct eg_booth *b = booth;
	int n;

	while (b->console.watcher_count > 0) {
		sd_varlink *link = b->console.watcher[--b->console.watcher_count];

		// What can be written without waiting.
		for (n = 0; n < 64 && sd_varlink_process(link) > 0; n++)
			;
		sd_varlink_close_unref(link);
	}
	while (b->console.viewer_count > 0)
		sd_varlink_unref(b->console.viewer[--b->console.viewer_count]);
	for (size_t i = 0; i < EG_WATCHERS_MAX; i++)
		b->console.owing[i].link = sd_varlink_unref(b->console.owing[i].link);
	b->console.flight = sd_json_variant_unref(b->console.flight);
}
