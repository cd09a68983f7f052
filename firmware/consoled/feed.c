// SPDX-License-Identifier: Apache-2.0
//
// See feed.h.

#include "firmware/consoled/feed.h"

#include <string.h>

// ---- the traveller's page -----------------------------------------------------------------------

static int face_json(const struct traveller_face *face, sd_json_variant **ret)
{
	if (!face->there)
		return sd_json_variant_new_null(ret);
	return sd_json_buildo(ret, SD_JSON_BUILD_PAIR_REAL("x", face->x),
			      SD_JSON_BUILD_PAIR_REAL("y", face->y),
			      SD_JSON_BUILD_PAIR_REAL("w", face->width),
			      SD_JSON_BUILD_PAIR_REAL("h", face->height));
}

static int notice_json(const struct accounts *accounts, sd_json_variant **ret)
{
	const struct eg_policy *policy = &accounts->policy;
	sd_json_variant *texts = NULL;
	int r = sd_json_variant_new_object(&texts, NULL, 0);

	for (size_t i = 0; r >= 0 && accounts->there && i < policy->notice_count; i++)
		r = sd_json_variant_set_field_string(&texts, policy->notices[i].language,
						     policy->notices[i].text);
	if (r >= 0)
		r = sd_json_buildo(ret,
				   SD_JSON_BUILD_PAIR_STRING("version",
							     accounts->there ? policy->notice : ""),
				   SD_JSON_BUILD_PAIR_VARIANT("texts", texts));
	sd_json_variant_unref(texts);
	return r;
}

static struct message *traveller_message(const struct console *console)
{
	const struct traveller *t = &console->traveller;
	sd_json_variant *json = NULL, *face = NULL, *notice = NULL, *receipt = NULL;
	struct message *message = NULL;
	int r = face_json(&t->face, &face);

	if (r >= 0 && t->receipt[0] != '\0')
		r = sd_json_variant_new_string(&receipt, t->receipt);
	if (r >= 0)
		r = notice_json(&console->accounts, &notice);
	if (r >= 0)
		r = sd_json_buildo(
			&json, SD_JSON_BUILD_PAIR_STRING("state", traveller_state_name(t->state)),
			SD_JSON_BUILD_PAIR_STRING("hint", traveller_hint_name(t->hint)),
			SD_JSON_BUILD_PAIR_VARIANT("face", face),
			SD_JSON_BUILD_PAIR_VARIANT("receipt", receipt),
			SD_JSON_BUILD_PAIR_VARIANT("notice", notice),
			SD_JSON_BUILD_PAIR_INTEGER("since_ms",
						   eg_boot_ms(console->clock) - t->since_ms));
	if (r >= 0)
		message = message_new("state", json, false);
	sd_json_variant_unref(json);
	sd_json_variant_unref(receipt);
	sd_json_variant_unref(notice);
	sd_json_variant_unref(face);
	return message;
}

void feed_traveller(struct console *console)
{
	struct message *message = traveller_message(console);

	hub_tell_all(&console->travellers, message);
	message_unref(message);
}

void feed_face(struct console *console)
{
	sd_json_variant *json = NULL;
	struct message *message;

	if (face_json(&console->traveller.face, &json) < 0)
		return;
	message = message_new("face", json, true);
	hub_tell_all(&console->travellers, message);
	message_unref(message);
	sd_json_variant_unref(json);
}

// ---- the officer's page -------------------------------------------------------------------------

sd_json_variant *feed_signed_in(const struct console *console)
{
	const struct sessions *sessions = &console->sessions;
	int64_t now_ms = eg_boot_ms(console->clock);
	sd_json_variant *list = NULL;
	int r = sd_json_variant_new_array(&list, NULL, 0);

	for (size_t i = 0; r >= 0 && i < SESSIONS_MAX; i++) {
		const struct session *s = &sessions->row[i];
		bool told = session_left_ms(s, now_ms) == 0;

		for (size_t k = 0; k < i && !told; k++)
			told = strcmp(sessions->row[k].account, s->account) == 0 &&
			       session_left_ms(&sessions->row[k], now_ms) > 0;
		if (!told)
			r = sd_json_variant_append_arraybo(
				&list, SD_JSON_BUILD_PAIR_STRING("account", s->account),
				SD_JSON_BUILD_PAIR_STRING("display", s->display),
				SD_JSON_BUILD_PAIR_STRING("role", eg_role_name(s->role)));
	}
	if (r < 0)
		list = sd_json_variant_unref(list);
	return list;
}

// Takes the JSON over, which may be NULL.
static struct message *message_of(const char *name, sd_json_variant *json)
{
	struct message *message = json != NULL ? message_new(name, json, false) : NULL;

	sd_json_variant_unref(json);
	return message;
}

static void tell_officers(struct console *console, const char *name, sd_json_variant *json)
{
	struct message *message = message_of(name, json);

	hub_tell_all(&console->officers, message);
	message_unref(message);
}

void feed_tracks(struct console *console)
{
	const struct eg_view_picture *seen = &console->view.seen;
	sd_json_variant *list = NULL;
	struct message *message;
	int r;

	if (hub_count(&console->officers) == 0)
		return;
	r = sd_json_variant_new_array(&list, NULL, 0);
	for (size_t i = 0; r >= 0 && i < seen->face_count; i++)
		r = sd_json_variant_append_arraybo(
			&list, SD_JSON_BUILD_PAIR_UNSIGNED("track", seen->face[i].track),
			SD_JSON_BUILD_PAIR_REAL("x", (double)seen->face[i].x),
			SD_JSON_BUILD_PAIR_REAL("y", (double)seen->face[i].y),
			SD_JSON_BUILD_PAIR_REAL("w", (double)seen->face[i].width),
			SD_JSON_BUILD_PAIR_REAL("h", (double)seen->face[i].height),
			SD_JSON_BUILD_PAIR_BOOLEAN("served", seen->face[i].served));
	message = r >= 0 ? message_new("tracks", list, true) : NULL;
	hub_tell_by_faces(&console->officers, message, NULL);
	message_unref(message);
	sd_json_variant_unref(list);
}

void feed_case(struct console *console, sd_json_variant *one)
{
	struct message *faces = message_of("case", sd_json_variant_ref(one));
	struct message *others = message_of("case", booth_without_names(one));

	hub_tell_by_faces(&console->officers, faces, others);
	message_unref(faces);
	message_unref(others);
}

void feed_flight(struct console *console)
{
	tell_officers(console, "flight", sd_json_variant_ref(console->booth.flight));
}

void feed_booth(struct console *console)
{
	if (hub_count(&console->officers) > 0)
		tell_officers(console, "booth", booth_status(&console->booth));
}

void feed_officers(struct console *console)
{
	tell_officers(console, "officers", feed_signed_in(console));
}

void feed_snapshot(struct console *console)
{
	struct message *faces, *others;

	if (hub_count(&console->officers) == 0)
		return;
	faces = message_of("snapshot", booth_snapshot(&console->booth, true));
	others = message_of("snapshot", booth_snapshot(&console->booth, false));
	hub_tell_by_faces(&console->officers, faces, others);
	message_unref(faces);
	message_unref(others);
}

void feed_end(struct console *console, uint64_t session, const char *why)
{
	sd_json_variant *json = NULL;
	struct message *message = NULL;

	if (sd_json_buildo(&json, SD_JSON_BUILD_PAIR_STRING("why", why)) >= 0)
		message = message_of("gone", json);
	hub_end_session(&console->officers, session, message);
	message_unref(message);
	view_end_session(&console->view, session);
}

void feed_first(struct console *console, struct listener *listener)
{
	struct message *message =
		listener->hub == &console->travellers
			? traveller_message(console)
			: message_of("snapshot", booth_snapshot(&console->booth, listener->faces));

	hub_tell(listener, message);
	message_unref(message);
}
