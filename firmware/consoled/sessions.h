// SPDX-License-Identifier: Apache-2.0
//
// Who is signed in. A session is a row of a fixed table, found by a random token of which only the
// digest is kept. Pure: no I/O but random numbers, time is the caller's.
//
// A session ends after 15 minutes without a sign of the person, after 8 hours, when it is signed
// out, when the account changes in the policy, or when the account's fifth session begins (its
// oldest goes). A session whose time is over is never found again, whether somebody ended it or
// not.
//
// Thread: one.

#ifndef CONSOLED_SESSIONS_H
#define CONSOLED_SESSIONS_H

#include "store/account.h"

#define SESSIONS_MAX	    32
#define SESSIONS_OF_ACCOUNT 4
#define SESSION_IDLE_MS	    (15 * 60 * 1000)
#define SESSION_LIFE_MS	    (8 * 3600 * 1000)
#define SESSION_TOKEN_MAX   65 // 32 random bytes in hexadecimal, with NUL
#define SESSION_CSRF_MAX    33

struct session {
	uint64_t serial; // 0: a free row; never used twice
	char account[EG_NAME_MAX];
	char display[EG_ACCOUNT_DISPLAY_MAX];
	enum eg_role role;
	char csrf[SESSION_CSRF_MAX];
	uint8_t token_digest[EG_SHA256_SIZE];
	int64_t began_ms, active_ms; // boot time
};

struct sessions {
	struct session row[SESSIONS_MAX];
	uint64_t last_serial;
};

// The session that has to end before the account may have another one; NULL: none.
struct session *sessions_oldest(struct sessions *sessions, const char *account, int64_t now_ms);

// A new session. The token goes into the cookie and nowhere else. EG_EFULL: all rows are taken;
// EG_EFOREIGN: no random numbers.
int sessions_begin(struct sessions *sessions, const char *account, const char *display,
		   enum eg_role role, int64_t now_ms, char ret_token[SESSION_TOKEN_MAX],
		   struct session **ret_session) EG_CHECKED;

// The session of this token, or NULL. Takes equally long for every token of the right length.
struct session *sessions_find(struct sessions *sessions, const char *token, int64_t now_ms);
struct session *sessions_by_serial(struct sessions *sessions, uint64_t serial);

// Milliseconds until it ends if the person does nothing more; 0: it is over.
int64_t session_left_ms(const struct session *session, int64_t now_ms);
void session_touch(struct session *session, int64_t now_ms); // a sign of the person
void session_end(struct session *session);		     // the row is free and wiped

// "__Host-egress=TOKEN" among the cookies of a Cookie header; false when there is none, when there
// are two, or when it is not of a token's form.
bool session_cookie(const char *header, char ret_token[SESSION_TOKEN_MAX]);

#endif
