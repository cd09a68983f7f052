// SPDX-License-Identifier: Apache-2.0

#include "firmware/consoled/sessions.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "firmware/consoled/lockout.h"
#include "tests/base/test.h"

#define MINUTE 60000

static struct sessions table;

static struct session *begin(const char *account, int64_t now_ms, char token[SESSION_TOKEN_MAX])
{
	struct session *session = NULL;

	assert_int_equal(sessions_begin(&table, account, "Someone", EG_ROLE_OFFICER, now_ms, token,
					&session),
			 0);
	return session;
}

static int empty(void **state)
{
	(void)state;
	memset(&table, 0, sizeof(table));
	return 0;
}

static void a_session_is_found_by_its_token_only(void **state)
{
	char token[SESSION_TOKEN_MAX], other[SESSION_TOKEN_MAX];
	struct session *session = begin("b1", 1000, token);

	(void)state;
	(void)begin("b2", 1000, other);
	assert_int_equal(strlen(token), 64);
	assert_string_not_equal(token, other);
	assert_ptr_equal(sessions_find(&table, token, 1000), session);
	token[10] = token[10] == 'a' ? 'b' : 'a';
	assert_null(sessions_find(&table, token, 1000));
	assert_null(sessions_find(&table, "", 1000));
	// What a memory dump of the table would show is no token.
	assert_null(memmem(&table, sizeof(table), other, strlen(other)));
}

static void it_ends_fifteen_minutes_after_the_last_sign_and_after_eight_hours(void **state)
{
	char token[SESSION_TOKEN_MAX];
	struct session *session = begin("b1", 0, token);
	int64_t now = 0;

	(void)state;
	assert_non_null(sessions_find(&table, token, 15 * MINUTE - 1));
	assert_null(sessions_find(&table, token, 15 * MINUTE));
	for (; now < 8 * 60 * MINUTE - 10 * MINUTE; now += 10 * MINUTE) {
		assert_ptr_equal(sessions_find(&table, token, now), session);
		session_touch(session, now);
	}
	session_touch(session, now);
	assert_int_equal(session_left_ms(session, now), 8 * 60 * MINUTE - now);
	assert_null(sessions_find(&table, token, 8 * 60 * MINUTE));
}

static void an_ended_session_is_wiped(void **state)
{
	char token[SESSION_TOKEN_MAX];
	struct session *session = begin("b1", 0, token), nothing = {0};
	uint64_t serial = session->serial;

	(void)state;
	assert_ptr_equal(sessions_by_serial(&table, serial), session);
	session_end(session);
	assert_memory_equal(session, &nothing, sizeof(nothing));
	assert_null(sessions_find(&table, token, 0));
	assert_null(sessions_by_serial(&table, serial));
	assert_null(sessions_by_serial(&table, 0));
	assert_true(begin("b1", 0, token)->serial > serial);
}

static void an_account_has_four_and_then_its_oldest_goes(void **state)
{
	char token[SESSION_TOKEN_MAX];
	struct session *first = begin("b1", 0, token);

	(void)state;
	for (int i = 0; i < 3; i++) {
		assert_null(sessions_oldest(&table, "b1", 0));
		(void)begin("b1", 0, token);
	}
	assert_ptr_equal(sessions_oldest(&table, "b1", 0), first);
	assert_null(sessions_oldest(&table, "b2", 0));
	assert_null(sessions_oldest(&table, "b1", 15 * MINUTE)); // they are over
}

static void a_full_table_refuses_until_one_is_over(void **state)
{
	char token[SESSION_TOKEN_MAX], name[16];
	struct session *session;

	(void)state;
	for (int i = 0; i < SESSIONS_MAX; i++) {
		(void)snprintf(name, sizeof(name), "b%d", i);
		(void)begin(name, i, token);
	}
	assert_int_equal(sessions_begin(&table, "one", "more", EG_ROLE_OFFICER, 100, token,
					&session),
			 EG_EFULL);
	(void)begin("later", 15 * MINUTE, token);
}

static void cookies_are_read_strictly(void **state)
{
	static const char good[] =
		"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
	static const struct {
		const char *before, *value, *after;
		bool found;
	} cases[] = {
		{"__Host-egress=", good, "", true},
		{"a=b; __Host-egress=", good, "; c=d", true},
		{"a=b;__Host-egress=", good, "", true},
		{"x__Host-egress=", good, "", false},
		{"__Host-egressx=", good, "", false},
		{"__host-egress=", good, "", false},
		{"__Host-egress=", "", "", false},
		{"__Host-egress=", good, "0", false},
		{"__Host-egress=", good + 1, "", false},
		{"__Host-egress=", good + 1, "G", false},
		{"__Host-egress=", good + 1, "A", false},
		{"__Host-egress=\"", good, "\"", false},
		{"__Host-egress=1; __Host-egress=", good, "", false},
		{"a=b; c=", good, "", false},
		{"; ; ;", "", "", false},
	};
	char token[SESSION_TOKEN_MAX], header[400];

	(void)state;
	assert_false(session_cookie(NULL, token));
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		(void)snprintf(header, sizeof(header), "%s%s%s", cases[i].before, cases[i].value,
			       cases[i].after);
		if (session_cookie(header, token) != cases[i].found)
			fail_msg("%s", header);
		if (cases[i].found)
			assert_string_equal(token, good);
	}
	(void)snprintf(header, sizeof(header), "__Host-egress=%s; __Host-egress=%s", good, good);
	assert_false(session_cookie(header, token)); // two: somebody planted one
}

// ---- lock-out -----------------------------------------------------------------------------------

static struct lockout lock;

static void the_fifth_wrong_pin_locks_for_five_minutes(void **state)
{
	(void)state;
	memset(&lock, 0, sizeof(lock));
	for (int i = 0; i < 4; i++) {
		assert_false(lockout_wrong(&lock, "b1", 1000));
		assert_int_equal(lockout_left_ms(&lock, "b1", 1000), 0);
	}
	assert_true(lockout_wrong(&lock, "b1", 1000));
	assert_int_equal(lockout_left_ms(&lock, "b1", 1000), 5 * MINUTE);
	assert_int_equal(lockout_left_ms(&lock, "b2", 1000), 0);
	assert_int_equal(lockout_left_ms(&lock, "b1", 1000 + 5 * MINUTE), 0);
	// Afterwards it counts anew.
	for (int i = 0; i < 4; i++)
		assert_false(lockout_wrong(&lock, "b1", 1000 + 5 * MINUTE));
	assert_true(lockout_wrong(&lock, "b1", 1000 + 5 * MINUTE));
}

static void a_right_pin_forgets_the_wrong_ones(void **state)
{
	(void)state;
	memset(&lock, 0, sizeof(lock));
	for (int round = 0; round < 3; round++) {
		for (int i = 0; i < 4; i++)
			assert_false(lockout_wrong(&lock, "b1", 1000));
		lockout_right(&lock, "b1");
	}
}

static void wrong_ones_are_forgotten_after_ten_minutes(void **state)
{
	(void)state;
	memset(&lock, 0, sizeof(lock));
	for (int i = 0; i < 4; i++)
		assert_false(lockout_wrong(&lock, "b1", 1000));
	assert_false(lockout_wrong(&lock, "b1", 1001 + 10 * MINUTE));
	for (int i = 0; i < 3; i++)
		assert_false(lockout_wrong(&lock, "b1", 1001 + 10 * MINUTE));
	assert_true(lockout_wrong(&lock, "b1", 1001 + 10 * MINUTE));
}

// 20 ms each: what can be tried within ten minutes.
static void nobody_is_pushed_out_of_the_table_before_their_time(void **state)
{
	char badge[24];

	(void)state;
	memset(&lock, 0, sizeof(lock));
	for (int i = 0; i < 4; i++)
		assert_false(lockout_wrong(&lock, "b1", 1000));
	for (int i = 0; i < 10 * MINUTE / 20 - 1; i += 10) { // a tenth of them: the same rows
		(void)snprintf(badge, sizeof(badge), "x%d", i);
		(void)lockout_wrong(&lock, badge, 1000 + 20 * i);
	}
	assert_true(10 * MINUTE / 20 < LOCKOUT_ROWS);
	assert_true(lockout_wrong(&lock, "b1", 1000 + 10 * MINUTE - 20));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_session_is_found_by_its_token_only, empty),
		cmocka_unit_test_setup(
			it_ends_fifteen_minutes_after_the_last_sign_and_after_eight_hours, empty),
		cmocka_unit_test_setup(an_ended_session_is_wiped, empty),
		cmocka_unit_test_setup(an_account_has_four_and_then_its_oldest_goes, empty),
		cmocka_unit_test_setup(a_full_table_refuses_until_one_is_over, empty),
		cmocka_unit_test(cookies_are_read_strictly),
		cmocka_unit_test(the_fifth_wrong_pin_locks_for_five_minutes),
		cmocka_unit_test(a_right_pin_forgets_the_wrong_ones),
		cmocka_unit_test(wrong_ones_are_forgotten_after_ten_minutes),
		cmocka_unit_test(nobody_is_pushed_out_of_the_table_before_their_time),
	};
	struct eg_err err = EG_ERR_INIT;

	if (eg_crypto_init(&err) != 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
