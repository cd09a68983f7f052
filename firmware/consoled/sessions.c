// SPDX-License-Identifier: Apache-2.0
//
// See sessions.h.

#include "firmware/consoled/sessions.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "firmware/base/mem.h"

static const char cookie_name[] = "__Host-egress";

int64_t session_left_ms(const struct session *session, int64_t now_ms)
{
	int64_t idle = session->active_ms + SESSION_IDLE_MS - now_ms;
	int64_t life = session->began_ms + SESSION_LIFE_MS - now_ms;
	int64_t left = idle < life ? idle : life;

	return session->serial == 0 || left < 0 ? 0 : left;
}

void session_touch(struct session *session, int64_t now_ms)
{
	session->active_ms = now_ms;
}

void session_end(struct session *session)
{
	eg_wipe(session, sizeof(*session));
}

struct session *sessions_oldest(struct sessions *sessions, const char *account, int64_t now_ms)
{
	struct session *oldest = NULL;
	size_t own = 0;

	for (struct session *row = sessions->row; row < sessions->row + SESSIONS_MAX; row++) {
		if (session_left_ms(row, now_ms) == 0 || strcmp(row->account, account) != 0)
			continue;
		own++;
		if (oldest == NULL || row->serial < oldest->serial)
			oldest = row;
	}
	return own < SESSIONS_OF_ACCOUNT ? NULL : oldest;
}

static struct session *free_row(struct sessions *sessions, int64_t now_ms)
{
	for (struct session *row = sessions->row; row < sessions->row + SESSIONS_MAX; row++)
		if (session_left_ms(row, now_ms) == 0)
			return row;
	return NULL;
}

int sessions_begin(struct sessions *sessions, const char *account, const char *display,
		   enum eg_role role, int64_t now_ms, char ret_token[SESSION_TOKEN_MAX],
		   struct session **ret_session)
{
	uint8_t token[(SESSION_TOKEN_MAX - 1) / 2], csrf[(SESSION_CSRF_MAX - 1) / 2];
	struct session *row = free_row(sessions, now_ms);
	int r;

	assert(strlen(account) < EG_NAME_MAX && strlen(display) < EG_ACCOUNT_DISPLAY_MAX);
	if (row == NULL)
		return EG_EFULL;
	r = eg_random(token, sizeof(token));
	if (r == 0)
		r = eg_random(csrf, sizeof(csrf));
	session_end(row);
	if (r == 0) {
		eg_hex(token, sizeof(token), ret_token);
		r = eg_sha256(EG_BYTES(ret_token, SESSION_TOKEN_MAX - 1), row->token_digest);
	}
	eg_wipe(token, sizeof(token));
	if (r != 0)
		return r;
	eg_hex(csrf, sizeof(csrf), row->csrf);
	(void)snprintf(row->account, sizeof(row->account), "%s", account);
	(void)snprintf(row->display, sizeof(row->display), "%s", display);
	row->role = role;
	row->began_ms = row->active_ms = now_ms;
	row->serial = ++sessions->last_serial;
	*ret_session = row;
	return 0;
}

struct session *sessions_find(struct sessions *sessions, const char *token, int64_t now_ms)
{
	uint8_t digest[EG_SHA256_SIZE];
	struct session *found = NULL;

	if (eg_sha256(EG_BYTES_STR(token), digest) != 0)
		return NULL;
	for (struct session *row = sessions->row; row < sessions->row + SESSIONS_MAX; row++)
		if (eg_equal_ct(row->token_digest, digest, sizeof(digest)) &&
		    session_left_ms(row, now_ms) > 0)
			found = row;
	return found;
}

struct session *sessions_by_serial(struct sessions *sessions, uint64_t serial)
{
	for (struct session *row = sessions->row; row < sessions->row + SESSIONS_MAX; row++)
		if (serial != 0 && row->serial == serial)
			return row;
	return NULL;
}

bool session_cookie(const char *header, char ret_token[SESSION_TOKEN_MAX])
{
	const size_t name = sizeof(cookie_name) - 1;
	const char *found = NULL;

	while (header != NULL && *header != '\0') {
		size_t length;

		header += strspn(header, "; \t");
		length = strcspn(header, ";");
		if (strncmp(header, cookie_name, name) == 0 && header[name] == '=') {
			if (found != NULL || length != name + SESSION_TOKEN_MAX)
				return false;
			found = header + name + 1;
		}
		header += length;
	}
	if (found == NULL || strspn(found, "0123456789abcdef") != SESSION_TOKEN_MAX - 1)
		return false;
	memcpy(ret_token, found, SESSION_TOKEN_MAX - 1);
	ret_token[SESSION_TOKEN_MAX - 1] = '\0';
	return true;
}
