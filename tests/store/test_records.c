// SPDX-License-Identifier: Apache-2.0
//
// store/records*.c and db*.c: order, states, refusals, damage, and erasing for real.

#include "common.h"

#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "firmware/base/file.h"
#include "store/records.h"
#include "store/records_internal.h"

#define DB   "records.db"
#define LIVE 60000

static struct eg_records *records;
static struct eg_buf envelope;

static void remove_files(const char *path)
{
	char name[256];
	static const char *const suffixes[] = {"", "-wal", "-shm"};
	for (size_t i = 0; i < 3; i++) {
		(void)snprintf(name, sizeof(name), "%s%s", path, suffixes[i]);
		(void)unlink(name);
	}
}

static void open_it(void)
{
	struct eg_err err = EG_ERR_INIT;
	expect_ok(eg_records_open(DB, &records, &err), &err);
}

static int set_up(void **state)
{
	struct eg_err err = EG_ERR_INIT;
	(void)state;
	expect_ok(eg_crypto_init(&err), &err);
	remove_files(DB);
	eg_buf_init(&envelope, EG_ENVELOPE_MAX);
	open_it();
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	eg_records_close(records);
	records = NULL;
	eg_buf_done(&envelope);
	remove_files(DB);
	return 0;
}

static void body_of(uint64_t seed, uint8_t *body, size_t size)
{
	fill(body, size, seed);
}

static struct eg_id put(uint64_t seed, size_t size, int64_t wall_ms)
{
	struct eg_err err = EG_ERR_INIT;
	struct eg_id id = make_id();
	uint8_t *body = malloc(size);
	assert_non_null(body);
	body_of(seed, body, size);
	expect_ok(eg_records_put(records, &id, EG_BYTES(body, size), wall_ms, &err), &err);
	free(body);
	return id;
}

static struct eg_ack ack_for(const struct eg_id *id, uint64_t seed, size_t size)
{
	struct eg_ack ack = {.id = *id, .booth = "lane-12", .received_ms = NOW_MS};
	uint8_t *body = malloc(size);
	assert_non_null(body);
	body_of(seed, body, size);
	assert_int_equal(eg_sha256(EG_BYTES(body, size), ack.digest), 0);
	free(body);
	return ack;
}

static void acknowledge(const struct eg_id *id, uint64_t seed, size_t size)
{
	struct eg_err err = EG_ERR_INIT;
	struct eg_ack ack = ack_for(id, seed, size);
	expect_ok(eg_records_acknowledge(records, &ack, NOW_MS, &err), &err);
}

static void expect_next(int64_t now, const struct eg_id *id)
{
	struct eg_err err = EG_ERR_INIT;
	struct eg_queued item;
	int64_t when = 0;
	expect_ok(eg_records_next(records, now, LIVE, &item, &envelope, &when, &err), &err);
	assert_memory_equal(&item.id, id, sizeof(*id));
}

static void expect_none(int64_t now, int64_t when_expected)
{
	struct eg_err err = EG_ERR_INIT;
	struct eg_queued item;
	int64_t when = -1;
	assert_int_equal(eg_records_next(records, now, LIVE, &item, &envelope, &when, &err),
			 EG_ENOENT);
	assert_int_equal(when, when_expected);
}

static struct eg_records_facts facts(void)
{
	struct eg_records_facts f;
	struct eg_err err = EG_ERR_INIT;
	expect_ok(eg_records_facts(records, &f, &err), &err);
	return f;
}

// The answer of the sqlite3 command, an independent reader.
static void expect_sqlite(const char *sql, const char *expected)
{
	struct eg_buf out;
	eg_buf_init(&out, 65536);
	assert_int_equal(run((const char *const[]){"sqlite3", DB, sql, NULL}, &out), 0);
	assert_string_equal(eg_buf_text(&out), expected);
	eg_buf_done(&out);
}

static void put_item_comes_back_with_its_bytes(void **state)
{
	(void)state;
	struct eg_err err = EG_ERR_INIT;
	struct eg_queued item;
	int64_t when = 0;
	uint8_t body[5000], digest[EG_SHA256_SIZE];
	body_of(1, body, sizeof(body));
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

// Reads a raw file; a missing one is empty.
static void read_raw(const char *path, struct eg_buf *raw)
{
	struct eg_err err = EG_ERR_INIT;
	int r = eg_file_read(path, raw, &err);
	if (r != 0 && r != EG_ENOENT)
		expect_ok(r, &err);
}

// How many 8-byte pieces of what body_of(seed) gives are in the raw files.
static size_t pieces_left(const struct eg_buf *raw, uint64_t seed, size_t size)
{
	size_t found = 0;
	uint8_t *body = malloc(size);
	assert_non_null(body);
	body_of(seed, body, size);
	for (size_t i = 0; i + 8 <= size; i += 8) {
		if (memmem(raw->data, raw->size, body + i, 8) != NULL)
			found++;
	}
	free(body);
	return found;
}

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

static void log_stays_small_however_much_is_put(void **state)
{
	(void)state;
	struct stat st;
	off_t largest = 0;
	for (uint64_t i = 0; i < 400; i++) {
		(void)put(i, 20000, NOW_MS);
		assert_int_equal(stat(DB "-wal", &st), 0);
		if (st.st_size > largest)
			largest = st.st_size;
	}
	print_message("8 MB put, log at most %lld bytes\n", (long long)largest);
	assert_true(largest < 2 << 20);
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
	remove_files(DB);

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
	remove_files(DB);

	sqlite3 *foreign = NULL;
	assert_int_equal(sqlite3_open(DB, &foreign), SQLITE_OK);
	assert_int_equal(sqlite3_exec(foreign, "CREATE TABLE t(x)", NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_close(foreign), SQLITE_OK);
	expect_open_fails(DB, EG_ECORRUPT);
	remove_files(DB);

	write_raw("elsewhere.db", good.data, good.size);
	assert_int_equal(symlink("elsewhere.db", DB), 0);
	expect_open_fails(DB, EG_ECORRUPT);
	remove_files(DB);
	remove_files("elsewhere.db");

	write_raw(DB, good.data, good.size); // and the good one is still good
	open_it();
	assert_int_equal(facts().queued, 50);
	eg_buf_done(&good);
}

static void file_of_a_newer_schema_is_unsupported_and_left_alone(void **state)
{
	(void)state;
	eg_records_close(records);
	records = NULL;
	expect_sqlite("PRAGMA user_version = 99", "");
	expect_open_fails(DB, EG_EUNSUPPORTED);
	expect_sqlite("PRAGMA user_version = 1", "");
	open_it();
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
		body_of(done, body, sizeof(body));
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
	open_it();
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
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
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
		CASE(acknowledged_envelope_is_in_no_raw_file_any_more),
		CASE(opening_cuts_the_log_of_a_killed_program),
		CASE(erasure_that_a_reader_delays_is_made_up_for),
		CASE(log_stays_small_however_much_is_put),
		CASE(damaged_foreign_or_empty_file_is_refused_and_left_alone),
		CASE(file_of_a_newer_schema_is_unsupported_and_left_alone),
		CASE(missing_folder_is_named),
		CASE(envelope_damaged_on_disk_is_buried_not_sent),
		CASE(full_disk_refuses_the_put_and_loses_nothing),
		CASE(every_statement_of_the_queue_is_driven_by_an_index),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
