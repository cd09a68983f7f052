// SPDX-License-Identifier: Apache-2.0
//
// store/records*.c and db*.c against the disk: erasing for real, damage, foreign files, a full
// disk.

#include "queue.h"

#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "firmware/base/file.h"
#include "store/records_internal.h"

// Many sizes, erased in an order that makes the tree balance in all ways.
static void acknowledged_envelope_is_in_no_raw_file_any_more(void **state)
{
	(void)state;
	enum {
		COUNT = 120
	};
	struct eg_id ids[COUNT];
	size_t sizes[COUNT];
	struct eg_buf raw;
	eg_buf_init(&raw, 64u << 20);
	for (size_t i = 0; i < COUNT; i++) {
		sizes[i] = 64 + i * 37 % 900 + (i % 7 == 0 ? 3000 : 0);
		ids[i] = put(1000 + i, sizes[i], NOW_MS + (int64_t)i);
	}
	read_raw(DB, &raw);
	read_raw(DB "-wal", &raw);
	for (size_t i = 0; i < COUNT; i++) // the search does find what is there
		assert_int_not_equal(pieces_left(&raw, 1000 + i, sizes[i]), 0);
	for (size_t n = 0; n < COUNT - 10; n++) {
		size_t i = n * 53 % COUNT;
		acknowledge(&ids[i], 1000 + i, sizes[i]);
		if (n % 10 != 9)
			continue;
		eg_records_settle(records);
		eg_buf_reset(&raw);
		read_raw(DB, &raw);
		read_raw(DB "-wal", &raw);
		for (size_t m = 0; m <= n; m++) {
			size_t j = m * 53 % COUNT;
			size_t left = pieces_left(&raw, 1000 + j, sizes[j]);
			if (left != 0)
				fail_msg("after %zu erasures %zu pieces of number %zu (%zu bytes)",
					 n + 1, left, j, sizes[j]);
		}
	}
	struct stat st;
	assert_int_equal(stat(DB "-wal", &st), 0);
	assert_int_equal(st.st_size, 0);
	assert_false(facts().erasure_due);
	expect_sqlite("PRAGMA integrity_check", "ok\n");
	expect_sqlite("SELECT count(*) FROM receipt", "110\n");
	eg_buf_done(&raw);
}

// Killed between the commit of an erasure and cutting the log: opening makes up for it.
static void opening_cuts_the_log_of_a_killed_program(void **state)
{
	(void)state;
	struct eg_records *other = NULL;
	struct eg_err err = EG_ERR_INIT;
	struct eg_buf raw;
	struct stat st;
	eg_buf_init(&raw, 64u << 20);
	(void)put(1, 5000, NOW_MS);
	assert_int_equal(stat(DB "-wal", &st), 0);
	assert_int_not_equal(st.st_size, 0);
	expect_ok(eg_records_open(DB, &other, &err), &err);
	assert_int_equal(stat(DB "-wal", &st), 0);
	assert_int_equal(st.st_size, 0);
	eg_records_close(other);
	eg_buf_done(&raw);
}

// A reader in another program holds its snapshot: the log cannot be cut, and that is not forgotten.
static void erasure_that_a_reader_delays_is_made_up_for(void **state)
{
	(void)state;
	sqlite3 *reader = NULL;
	struct eg_buf raw;
	eg_buf_init(&raw, 64u << 20);
	struct eg_id a = put(1, 5000, NOW_MS);
	assert_int_equal(sqlite3_open(DB, &reader), SQLITE_OK);
	assert_int_equal(sqlite3_exec(reader, "BEGIN; SELECT count(*) FROM item", NULL, NULL, NULL),
			 SQLITE_OK);
	acknowledge(&a, 1, 5000);
	assert_true(facts().erasure_due);
	assert_int_equal(sqlite3_exec(reader, "COMMIT", NULL, NULL, NULL), SQLITE_OK);
	expect_none(NOW_MS, 0);
	assert_false(facts().erasure_due);
	read_raw(DB, &raw);
	read_raw(DB "-wal", &raw);
	assert_int_equal(pieces_left(&raw, 1, 5000), 0);
	assert_int_equal(sqlite3_close(reader), SQLITE_OK);
	eg_buf_done(&raw);
}

// While a queue drains, the erasures of a second share one cutting of the log; it is never
// forgotten.
static void log_is_cut_once_a_second_and_before_a_rest(void **state)
{
	(void)state;
	struct eg_clock clock;
	struct eg_id ids[4];
	struct stat st;
	eg_clock_fake_init(&clock, 1000000000LL, NOW_MS);
	eg_records_set_clock(records, &clock);
	for (uint64_t i = 0; i < 4; i++)
		ids[i] = put(i, 5000, NOW_MS);
	acknowledge(&ids[0], 0, 5000);
	assert_false(facts().erasure_due); // the first at once
	acknowledge(&ids[1], 1, 5000);
	assert_true(facts().erasure_due);
	eg_clock_fake_advance(&clock, 1000);
	expect_next(NOW_MS, &ids[3]);
	assert_false(facts().erasure_due); // when the second is over
	acknowledge(&ids[2], 2, 5000);
	assert_true(facts().erasure_due);
	eg_records_settle(records);
	assert_false(facts().erasure_due); // before a rest
	acknowledge(&ids[3], 3, 5000);
	assert_true(facts().erasure_due);
	expect_none(NOW_MS, 0);
	assert_false(facts().erasure_due); // and when the queue is empty
	assert_int_equal(stat(DB "-wal", &st), 0);
	assert_int_equal(st.st_size, 0);
	eg_records_set_clock(records, eg_clock_system());
}

static void log_stays_small_however_much_is_put(void **state)
{
	(void)state;
	struct stat st;
	off_t largest = 0;
	for (uint64_t i = 0; i < 400; i++) {
		(void)put(i, 60000, NOW_MS);
		assert_int_equal(stat(DB "-wal", &st), 0);
		if (st.st_size > largest)
			largest = st.st_size;
	}
	print_message("24 MB put, log at most %lld bytes\n", (long long)largest);
	assert_true(largest < 10 << 20);
}

static void expect_open_fails(const char *path, int code)
{
	struct eg_records *other = NULL;
	struct eg_err err = EG_ERR_INIT;
	struct eg_buf before, after;
	eg_buf_init(&before, 64u << 20);
	eg_buf_init(&after, 64u << 20);
	read_raw(path, &before);
	expect_code(eg_records_open(path, &other, &err), code, &err);
	assert_null(other);
	assert_non_null(strstr(err.text, path));
	read_raw(path, &after);
	assert_true(eg_bytes_equal(eg_buf_bytes(&before), eg_buf_bytes(&after)));
	eg_buf_done(&before);
	eg_buf_done(&after);
}

static void write_raw(const char *path, const void *data, size_t size)
{
	struct eg_err err = EG_ERR_INIT;
	expect_ok(eg_file_write(path, EG_BYTES(data, size), 0660, &err), &err);
}

static void damaged_foreign_or_empty_file_is_refused_and_left_alone(void **state)
{
	(void)state;
	struct eg_buf good;
	eg_buf_init(&good, 64u << 20);
	for (uint64_t i = 0; i < 50; i++)
		(void)put(i, 3000, NOW_MS);
	eg_records_close(records);
	records = NULL;
	read_raw(DB, &good);
	queue_remove(DB);

	write_raw(DB, "", 0);
	expect_open_fails(DB, EG_ECORRUPT);
	write_raw(DB,
		  "not a database, but a text that is long enough to have a header of 100 bytes "
		  "or so, if only it were one",
		  100);
	expect_open_fails(DB, EG_ECORRUPT);
	write_raw(DB, good.data, good.size / 2); // cut in half
	expect_open_fails(DB, EG_ECORRUPT);
	uint8_t *bad = malloc(good.size);
	assert_non_null(bad);
	memcpy(bad, good.data, good.size);
	memset(bad + 4 * RECORDS_PAGE_SIZE, 0xa5, RECORDS_PAGE_SIZE); // a page of a tree
	write_raw(DB, bad, good.size);
	expect_open_fails(DB, EG_ECORRUPT);
	free(bad);
	queue_remove(DB);

	sqlite3 *foreign = NULL;
	assert_int_equal(sqlite3_open(DB, &foreign), SQLITE_OK);
	assert_int_equal(sqlite3_exec(foreign, "CREATE TABLE t(x)", NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_close(foreign), SQLITE_OK);
	expect_open_fails(DB, EG_ECORRUPT);
	queue_remove(DB);

	write_raw("elsewhere.db", good.data, good.size);
	assert_int_equal(symlink("elsewhere.db", DB), 0);
	expect_open_fails(DB, EG_ECORRUPT);
	queue_remove(DB);
	queue_remove("elsewhere.db");

	write_raw(DB, good.data, good.size); // and the good one is still good
	queue_open();
	assert_int_equal(facts().queued, 50);
	eg_buf_done(&good);
}

static void file_of_a_newer_schema_is_unsupported_and_left_alone(void **state)
{
	char sql[64];
	(void)state;
	eg_records_close(records);
	records = NULL;
	expect_sqlite("PRAGMA user_version = 99", "");
	expect_open_fails(DB, EG_EUNSUPPORTED);
	(void)snprintf(sql, sizeof(sql), "PRAGMA user_version = %zu",
		       eg_records_schema.migration_count);
	expect_sqlite(sql, "");
	queue_open();
}

static void missing_folder_is_named(void **state)
{
	(void)state;
	struct eg_records *other = NULL;
	struct eg_err err = EG_ERR_INIT;
	expect_code(eg_records_open("no/such/records.db", &other, &err), EG_ENOENT, &err);
	assert_non_null(strstr(err.text, "no/such"));
}

// A byte of an envelope flipped on the disk: never sent, kept apart, the rest goes on.
static void envelope_damaged_on_disk_is_buried_not_sent(void **state)
{
	(void)state;
	struct eg_id a = put(1, 3000, NOW_MS - 7200000), b = put(2, 3000, NOW_MS - 3600000);
	(void)a;
	expect_sqlite("UPDATE envelope SET body = zeroblob(3000) WHERE seq = 1", "");
	expect_next(NOW_MS, &b);
	assert_int_equal(facts().dead, 1);
	expect_sqlite("DELETE FROM envelope WHERE seq = 2", "");
	expect_none(NOW_MS, 0);
	assert_int_equal(facts().dead, 2);
}

// RLIMIT_FSIZE stands for the full disk: a write beyond it fails as one would there.
static void full_disk_refuses_the_put_and_loses_nothing(void **state)
{
	(void)state;
	struct eg_err err = EG_ERR_INIT;
	struct rlimit before, limit;
	size_t done = 0;
	int r = 0;
	(void)signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	limit = before;
	limit.rlim_cur = 300000;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	uint8_t body[20000];
	while (r == 0 && done < 100) {
		struct eg_id id = make_id();
		fill(body, sizeof(body), done);
		r = eg_records_put(records, &id, EG_BYTES(body, sizeof(body)),
				   NOW_MS + (int64_t)done, &err);
		if (r == 0)
			done++;
	}
	struct eg_id id = make_id();
	int again = eg_records_put(records, &id, EG_BYTES(body, sizeof(body)), NOW_MS, &err);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	expect_code(r, EG_EFULL, &err);
	assert_int_equal(again, EG_EFULL);
	assert_true(done > 5);
	assert_int_equal(facts().queued, done);
	eg_records_close(records);
	queue_open();
	assert_int_equal(facts().queued, done);
	expect_sqlite("PRAGMA integrity_check", "ok\n");
	(void)put(999, 20000, NOW_MS);	 // room again: it goes on
	for (size_t i = 0; i < 2; i++) { // and every byte is there
		struct eg_queued item;
		int64_t when = 0;
		expect_ok(eg_records_next(records, NOW_MS + LIVE * 2, LIVE, &item, &envelope, &when,
					  &err),
			  &err);
		assert_int_equal(envelope.size, 20000);
		struct eg_ack ack = {.id = item.id, .booth = "lane-12"};
		memcpy(ack.digest, item.digest, sizeof(ack.digest));
		expect_ok(eg_records_acknowledge(records, &ack, NOW_MS, &err), &err);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define CASE(name) cmocka_unit_test_setup_teardown(name, queue_set_up, queue_tear_down)
		CASE(acknowledged_envelope_is_in_no_raw_file_any_more),
		CASE(opening_cuts_the_log_of_a_killed_program),
		CASE(erasure_that_a_reader_delays_is_made_up_for),
		CASE(log_is_cut_once_a_second_and_before_a_rest),
		CASE(log_stays_small_however_much_is_put),
		CASE(damaged_foreign_or_empty_file_is_refused_and_left_alone),
		CASE(file_of_a_newer_schema_is_unsupported_and_left_alone),
		CASE(missing_folder_is_named),
		CASE(envelope_damaged_on_disk_is_buried_not_sent),
		CASE(full_disk_refuses_the_put_and_loses_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
