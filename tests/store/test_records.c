// SPDX-License-Identifier: Apache-2.0
//
// store/records*.c: order, states, refusals, and look-ups driven by an index.

#include "queue.h"

#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "store/records_internal.h"

static void put_item_comes_back_with_its_bytes(void **state)
{
	(void)state;
	struct eg_err err = EG_ERR_INIT;
	struct eg_queued item;
	int64_t when = 0;
	uint8_t body[5000], digest[EG_SHA256_SIZE];
	fill(body, sizeof(body), 1);
	assert_int_equal(eg_sha256(EG_BYTES(body, sizeof(body)), digest), 0);
	struct eg_id id = put(1, sizeof(body), NOW_MS);
	expect_ok(eg_records_next(records, NOW_MS, LIVE, &item, &envelope, &when, &err), &err);
	assert_memory_equal(&item.id, &id, sizeof(id));
	assert_int_equal(item.put_ms, NOW_MS);
	assert_int_equal(item.attempts, 0);
	assert_memory_equal(item.digest, digest, sizeof(digest));
	assert_true(eg_bytes_equal(eg_buf_bytes(&envelope), EG_BYTES(body, sizeof(body))));
	assert_int_equal(facts().queued, 1);
	assert_int_equal(facts().bytes, sizeof(body));
	assert_int_equal(facts().oldest_ms, NOW_MS);
	expect_sqlite("PRAGMA integrity_check", "ok\n");
	expect_sqlite("PRAGMA journal_mode", "wal\n");
	struct stat st;
	assert_int_equal(stat(DB, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0660);
}

static void live_travellers_go_before_the_backlog_and_then_the_oldest(void **state)
{
	(void)state;
	struct eg_id old1 = put(1, 100, NOW_MS - 3600000), old2 = put(2, 100, NOW_MS - 1800000);
	struct eg_id live1 = put(3, 100, NOW_MS - 30000), live2 = put(4, 100, NOW_MS - 1000);
	expect_next(NOW_MS, &live2);
	expect_next(NOW_MS, &live2); // the same until something happens to it
	acknowledge(&live2, 4, 100);
	expect_next(NOW_MS, &live1);
	acknowledge(&live1, 3, 100);
	expect_next(NOW_MS, &old1);
	acknowledge(&old1, 1, 100);
	expect_next(NOW_MS, &old2);
	acknowledge(&old2, 2, 100);
	expect_none(NOW_MS, 0);
	assert_int_equal(facts().acknowledged, 4);
	assert_int_equal(facts().queued, 0);
	assert_int_equal(facts().bytes, 0);
	assert_int_equal(facts().oldest_ms, 0);
}

static void item_put_off_waits_for_its_time(void **state)
{
	(void)state;
	struct eg_err err = EG_ERR_INIT;
	struct eg_id a = put(1, 100, NOW_MS - 3600000), b = put(2, 100, NOW_MS - 3500000);
	expect_ok(eg_records_retry(records, &a, NOW_MS + 5000, "503 from the centre", &err), &err);
	expect_next(NOW_MS, &b);
	expect_ok(eg_records_retry(records, &b, NOW_MS + 2000, "503", &err), &err);
	expect_none(NOW_MS, NOW_MS + 2000);
	expect_next(NOW_MS + 2000, &b);
	expect_next(NOW_MS + 5000, &b); // due longest
	acknowledge(&b, 2, 100);
	expect_next(NOW_MS + 5000, &a);
	struct eg_queued item;
	int64_t when = 0;
	expect_ok(eg_records_next(records, NOW_MS + 5000, LIVE, &item, &envelope, &when, &err),
		  &err);
	assert_int_equal(item.attempts, 1);
	assert_int_equal(facts().queued, 1);
}

static void clock_set_back_does_not_strand_what_was_put_off(void **state)
{
	(void)state;
	struct eg_err err = EG_ERR_INIT;
	struct eg_id a = put(1, 100, NOW_MS);
	expect_ok(eg_records_retry(records, &a, NOW_MS + 5000, "503", &err), &err);
	expect_next(NOW_MS - 365LL * 86400000, &a);
}

static int collect(void *user, const struct eg_records_row *row)
{
	struct eg_buf *text = user;
	return eg_buf_printf(text, "%s %u %llu '%s'\n", row->dead ? "dead" : "queued",
			     row->attempts, (unsigned long long)row->bytes, row->sentence);
}

static int stop(void *user, const struct eg_records_row *row)
{
	(void)row;
	++*(int *)user;
	return EG_ETIMEOUT;
}

static void refused_item_is_kept_apart_with_its_sentence_and_can_be_resent(void **state)
{
	(void)state;
	struct eg_err err = EG_ERR_INIT;
	struct eg_buf text;
	int calls = 0;
	eg_buf_init(&text, 4096);
	struct eg_id a = put(1, 100, NOW_MS - 2), b = put(2, 200, NOW_MS - 1);
	expect_ok(eg_records_bury(records, &a, "409: other bytes\nare there", &err), &err);
	expect_next(NOW_MS, &b);
	assert_int_equal(facts().queued, 1);
	assert_int_equal(facts().dead, 1);
	assert_int_equal(facts().bytes, 200);
	expect_ok(eg_records_list(records, collect, &text, &err), &err);
	assert_string_equal(eg_buf_text(&text),
			    "queued 0 200 ''\ndead 1 100 '409: other bytes are there'\n");
	assert_int_equal(eg_records_list(records, stop, &calls, &err), EG_ETIMEOUT);
	assert_int_equal(calls, 1);
	expect_code(eg_records_bury(records, &a, "again", &err), EG_ENOENT, &err);
	expect_code(eg_records_retry(records, &a, NOW_MS, "again", &err), EG_ENOENT, &err);
	expect_code(eg_records_resend(records, &b, &err), EG_ENOENT, &err);
	expect_ok(eg_records_resend(records, &a, &err), &err);
	assert_int_equal(facts().queued, 2);
	assert_int_equal(facts().dead, 0);
	assert_int_equal(facts().bytes, 300);
	acknowledge(&b, 2, 200);
	expect_next(NOW_MS, &a);
	eg_buf_done(&text);
}

static void long_sentence_is_cut_at_a_whole_character(void **state)
{
	(void)state;
	struct eg_err err = EG_ERR_INIT;
	struct eg_buf text;
	char sentence[700];
	eg_buf_init(&text, 4096);
	struct eg_id a = put(1, 100, NOW_MS);
	memset(sentence, 'x', sizeof(sentence));
	memcpy(sentence + 499, "\xe2\x82\xac", 3); // a euro sign across the limit
	sentence[sizeof(sentence) - 1] = '\0';
	expect_ok(eg_records_bury(records, &a, sentence, &err), &err);
	expect_ok(eg_records_list(records, collect, &text, &err), &err);
	assert_int_equal(text.size, strlen("dead 1 100 ''\n") + 499);
	eg_buf_done(&text);
}

static void equal_id_is_a_conflict_also_after_acknowledgement(void **state)
{
	(void)state;
	struct eg_err err = EG_ERR_INIT;
	struct eg_id a = put(1, 100, NOW_MS);
	expect_code(eg_records_put(records, &a, EG_BYTES("x", 1), NOW_MS, &err), EG_ECONFLICT,
		    &err);
	assert_int_equal(facts().queued, 1);
	acknowledge(&a, 1, 100);
	expect_code(eg_records_put(records, &a, EG_BYTES("x", 1), NOW_MS, &err), EG_ECONFLICT,
		    &err);
	assert_int_equal(facts().queued, 0);
}

static void acknowledgement_of_other_bytes_erases_nothing(void **state)
{
	(void)state;
	struct eg_err err = EG_ERR_INIT;
	struct eg_id a = put(1, 100, NOW_MS), unknown = make_id();
	struct eg_ack ack = ack_for(&a, 2, 100);
	expect_code(eg_records_acknowledge(records, &ack, NOW_MS, &err), EG_ECONFLICT, &err);
	expect_next(NOW_MS, &a);
	ack = ack_for(&unknown, 1, 100);
	expect_code(eg_records_acknowledge(records, &ack, NOW_MS, &err), EG_ENOENT, &err);
	acknowledge(&a, 1, 100);
	ack = ack_for(&a, 1, 100);
	expect_code(eg_records_acknowledge(records, &ack, NOW_MS, &err), EG_ENOENT, &err);
}

static void full_queue_refuses_and_keeps_what_it_has(void **state)
{
	(void)state;
	struct eg_err err = EG_ERR_INIT;
	struct eg_id id = make_id();
	eg_records_set_max(records, 3);
	struct eg_id a = put(1, 100, NOW_MS - 3);
	(void)put(2, 100, NOW_MS - 2);
	(void)put(3, 100, NOW_MS - 1);
	expect_code(eg_records_put(records, &id, EG_BYTES("x", 1), NOW_MS, &err), EG_EFULL, &err);
	expect_ok(eg_records_bury(records, &a, "refused", &err), &err);
	expect_code(eg_records_put(records, &id, EG_BYTES("x", 1), NOW_MS, &err), EG_EFULL, &err);
	assert_int_equal(facts().queued, 2);
	acknowledge(&a, 1, 100);
	expect_ok(eg_records_put(records, &id, EG_BYTES("x", 1), NOW_MS, &err), &err);
}

static void empty_and_oversized_envelopes_are_refused(void **state)
{
	(void)state;
	struct eg_err err = EG_ERR_INIT;
	struct eg_id id = make_id();
	uint8_t *big = calloc(1, EG_ENVELOPE_MAX + 1);
	assert_non_null(big);
	expect_code(eg_records_put(records, &id, EG_BYTES(big, 0), NOW_MS, &err), EG_EINVAL, &err);
	expect_code(eg_records_put(records, &id, EG_BYTES(big, EG_ENVELOPE_MAX + 1), NOW_MS, &err),
		    EG_EINVAL, &err);
	expect_ok(eg_records_put(records, &id, EG_BYTES(big, EG_ENVELOPE_MAX), NOW_MS, &err), &err);
	free(big);
}

static int note_plan(void *user, int columns, char **values, char **names)
{
	struct eg_buf *plan = user;
	(void)names;
	return eg_buf_printf(plan, "%s\n", columns > 3 ? values[3] : "");
}

// No look-up of eg_records_next, _put or _facts may scan or sort.
static void every_statement_of_the_queue_is_driven_by_an_index(void **state)
{
	(void)state;
	sqlite3 *db = NULL;
	assert_int_equal(sqlite3_open(DB, &db), SQLITE_OK);
	for (size_t i = 0; i < RECORDS_STATEMENTS; i++) {
		struct eg_buf plan;
		char *sql = sqlite3_mprintf("EXPLAIN QUERY PLAN %s", eg_records_statements[i]);
		eg_buf_init(&plan, 65536);
		assert_int_equal(sqlite3_exec(db, sql, note_plan, &plan, NULL), SQLITE_OK);
		const char *text = eg_buf_text(&plan);
		assert_non_null(text);
		assert_null(strstr(text, "TEMP B-TREE"));
		const char *scan = strstr(text, "SCAN item");
		if (scan != NULL && strstr(scan, "USING") == NULL)
			fail_msg("%s: %s", eg_records_statements[i], text);
		if (i == RECORDS_LIVE || i == RECORDS_OLDEST)
			assert_non_null(strstr(text, "item_ready"));
		if (i == RECORDS_DUE || i == RECORDS_FAR || i == RECORDS_WHEN)
			assert_non_null(strstr(text, "item_retry"));
		sqlite3_free(sql);
		eg_buf_done(&plan);
	}
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define CASE(name) cmocka_unit_test_setup_teardown(name, queue_set_up, queue_tear_down)
		CASE(put_item_comes_back_with_its_bytes),
		CASE(live_travellers_go_before_the_backlog_and_then_the_oldest),
		CASE(item_put_off_waits_for_its_time),
		CASE(clock_set_back_does_not_strand_what_was_put_off),
		CASE(refused_item_is_kept_apart_with_its_sentence_and_can_be_resent),
		CASE(long_sentence_is_cut_at_a_whole_character),
		CASE(equal_id_is_a_conflict_also_after_acknowledgement),
		CASE(acknowledgement_of_other_bytes_erases_nothing),
		CASE(full_queue_refuses_and_keeps_what_it_has),
		CASE(empty_and_oversized_envelopes_are_refused),
		CASE(every_statement_of_the_queue_is_driven_by_an_index),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
