// SPDX-License-Identifier: Apache-2.0
//
// What eg_records promises when programs are killed, two use one file, memory runs out at any
// allocation, and the queue is long.

#include "common.h"

#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "firmware/base/mem.h"
#include "store/manifests.h"
#include "store/records.h"

#define DB   "durable.db"
#define LIVE 60000

static void remove_files(const char *path)
{
	char name[256];
	static const char *const suffixes[] = {"", "-wal", "-shm"};
	for (size_t i = 0; i < 3; i++) {
		(void)snprintf(name, sizeof(name), "%s%s", path, suffixes[i]);
		(void)unlink(name);
	}
}

static int set_up(void **state)
{
	struct eg_err err = EG_ERR_INIT;
	(void)state;
	expect_ok(eg_crypto_init(&err), &err);
	remove_files(DB);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	remove_files(DB);
	return 0;
}

static void expect_integrity(const char *path)
{
	struct eg_buf out;
	eg_buf_init(&out, 4096);
	assert_int_equal(run((const char *const[]){"sqlite3", path, "PRAGMA integrity_check", NULL},
			     &out),
			 0);
	assert_string_equal(eg_buf_text(&out), "ok\n");
	eg_buf_done(&out);
}

// In a child: no cmocka there, the exit code tells.
static int put_one(struct eg_records *records, struct eg_id *ret_id, size_t size)
{
	uint8_t body[8192];
	if (eg_id_new(eg_clock_system(), ret_id) != 0)
		return -1;
	fill(body, size, (uint64_t)ret_id->bytes[15] + 1);
	return eg_records_put(records, ret_id, EG_BYTES(body, size), NOW_MS, NULL);
}

static void put_until_killed(int out)
{
	struct eg_records *records = NULL;
	struct eg_id id;
	if (eg_records_open(DB, &records, NULL) != 0)
		_exit(3);
	for (size_t i = 0;; i++) {
		if (put_one(records, &id, 500 + i % 7 * 1000) != 0)
			_exit(4);
		if (write(out, &id, sizeof(id)) != sizeof(id))
			_exit(5);
	}
}

static int count_known(void *user, const struct eg_records_row *row)
{
	struct eg_buf *ids = user;
	return eg_buf_put(ids, &row->id, sizeof(row->id));
}

static void expect_all_there(const struct eg_buf *promised)
{
	struct eg_records *records = NULL;
	struct eg_err err = EG_ERR_INIT;
	struct eg_buf there;
	eg_buf_init(&there, 64u << 20);
	expect_ok(eg_records_open(DB, &records, &err), &err);
	expect_ok(eg_records_list(records, count_known, &there, &err), &err);
	for (size_t i = 0; i < promised->size; i += EG_ID_SIZE) {
		bool found = false;
		for (size_t j = 0; j < there.size && !found; j += EG_ID_SIZE)
			found = memcmp(promised->data + i, there.data + j, EG_ID_SIZE) == 0;
		if (!found)
			fail_msg("number %zu of %zu is lost", i / EG_ID_SIZE,
				 promised->size / EG_ID_SIZE);
	}
	eg_records_close(records);
	eg_buf_done(&there);
}

static void every_put_that_was_promised_survives_kill_9(void **state)
{
	(void)state;
	struct eg_buf promised;
	eg_buf_init(&promised, 64u << 20);
	for (int round = 0; round < 15; round++) {
		int ends[2], status = 0;
		struct eg_id id;
		assert_int_equal(pipe(ends), 0);
		pid_t pid = fork();
		assert_true(pid >= 0);
		if (pid == 0) {
			(void)close(ends[0]);
			put_until_killed(ends[1]);
		}
		(void)close(ends[1]);
		// The first rounds hit the making of the file, later ones a put: after `round` of
		// them, at some moment of the next.
		for (int i = 5; i < round; i++) {
			assert_int_equal(read(ends[0], &id, sizeof(id)), sizeof(id));
			assert_int_equal(eg_buf_put(&promised, &id, sizeof(id)), 0);
		}
		(void)usleep((useconds_t)(round < 5 ? 500 + round * 4000 : round * 331 % 3000));
		assert_int_equal(kill(pid, SIGKILL), 0);
		while (read(ends[0], &id, sizeof(id)) == (ssize_t)sizeof(id))
			assert_int_equal(eg_buf_put(&promised, &id, sizeof(id)), 0);
		(void)close(ends[0]);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		if (WIFEXITED(status))
			fail_msg("the child ended by itself with %d", WEXITSTATUS(status));
		expect_all_there(&promised);
	}
	print_message("15 kills, %zu puts promised, all there\n", promised.size / EG_ID_SIZE);
	assert_true(promised.size > 0);
	expect_integrity(DB);
	eg_buf_done(&promised);
}

static int put_many(size_t count)
{
	struct eg_records *records = NULL;
	struct eg_id id;
	if (eg_records_open(DB, &records, NULL) != 0)
		return 3;
	for (size_t i = 0; i < count; i++) {
		if (put_one(records, &id, 2000) != 0)
			return 4;
	}
	eg_records_close(records);
	return 0;
}

static size_t drain(struct eg_records *records, size_t wanted)
{
	struct eg_err err = EG_ERR_INIT;
	struct eg_buf envelope;
	struct eg_queued item;
	size_t done = 0;
	int64_t when = 0;
	double end = now_ms() + 60000;
	eg_buf_init(&envelope, EG_ENVELOPE_MAX);
	while (done < wanted && now_ms() < end) {
		int r = eg_records_next(records, NOW_MS + 1, LIVE, &item, &envelope, &when, &err);
		if (r == EG_ENOENT) {
			(void)usleep(1000);
			continue;
		}
		expect_ok(r, &err);
		struct eg_ack ack = {.id = item.id, .booth = "lane-12"};
		memcpy(ack.digest, item.digest, sizeof(ack.digest));
		expect_ok(eg_records_acknowledge(records, &ack, NOW_MS, &err), &err);
		done++;
	}
	eg_buf_done(&envelope);
	return done;
}

static void two_programs_put_and_acknowledge_at_once(void **state)
{
	(void)state;
	struct eg_records *records = NULL;
	struct eg_records_facts facts;
	struct eg_err err = EG_ERR_INIT;
	int status = 0;
	// Both make the file at the same moment.
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		_exit(put_many(150));
	expect_ok(eg_records_open(DB, &records, &err), &err);
	assert_int_equal(drain(records, 150), 150);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	expect_ok(eg_records_facts(records, &facts, &err), &err);
	assert_int_equal(facts.acknowledged, 150);
	assert_int_equal(facts.queued, 0);
	eg_records_close(records);
	expect_integrity(DB);
}

static void acknowledge_until_killed(int out)
{
	struct eg_records *records = NULL;
	struct eg_buf envelope;
	struct eg_queued item;
	int64_t when = 0;
	eg_buf_init(&envelope, EG_ENVELOPE_MAX);
	if (eg_records_open(DB, &records, NULL) != 0)
		_exit(3);
	while (eg_records_next(records, NOW_MS + 1, LIVE, &item, &envelope, &when, NULL) == 0) {
		struct eg_ack ack = {.id = item.id, .booth = "lane-12"};
		memcpy(ack.digest, item.digest, sizeof(ack.digest));
		if (eg_records_acknowledge(records, &ack, NOW_MS, NULL) != 0)
			_exit(4);
		if (write(out, &ack.id, sizeof(ack.id)) != sizeof(ack.id))
			_exit(5);
	}
	for (;;)
		(void)pause();
}

// Whatever was not acknowledged is queued, whatever was is gone: nothing is both or neither.
static void kill_9_in_acknowledgements_neither_loses_nor_doubles(void **state)
{
	(void)state;
	struct eg_records *records = NULL;
	struct eg_records_facts facts;
	struct eg_err err = EG_ERR_INIT;
	uint64_t told = 0;
	assert_int_equal(put_many(300), 0);
	for (int round = 0; round < 10; round++) {
		int ends[2];
		struct eg_id id;
		assert_int_equal(pipe(ends), 0);
		pid_t pid = fork();
		assert_true(pid >= 0);
		if (pid == 0) {
			(void)close(ends[0]);
			acknowledge_until_killed(ends[1]);
		}
		(void)close(ends[1]);
		(void)usleep((useconds_t)(10000 + round * 7000));
		assert_int_equal(kill(pid, SIGKILL), 0);
		while (read(ends[0], &id, sizeof(id)) == (ssize_t)sizeof(id))
			told++;
		(void)close(ends[0]);
		assert_int_equal(waitpid(pid, NULL, 0), pid);
		expect_ok(eg_records_open(DB, &records, &err), &err);
		expect_ok(eg_records_facts(records, &facts, &err), &err);
		eg_records_close(records);
		assert_int_equal(facts.queued + facts.acknowledged, 300);
		assert_true(facts.acknowledged >= told && facts.acknowledged <= told + 10);
	}
	expect_integrity(DB);
}

// The whole cycle with the n-th allocation failing, for every n: each call either works or says
// that memory is out, nothing leaks (sanitizer), and the file stays whole.
static int cycle(struct eg_err *err)
{
	struct eg_records *records = NULL;
	struct eg_records_facts facts;
	struct eg_buf envelope;
	struct eg_queued item;
	struct eg_id id;
	int64_t when = 0;
	uint8_t body[3000];
	eg_buf_init(&envelope, EG_ENVELOPE_MAX);
	fill(body, sizeof(body), 5);
	int r = eg_id_new(eg_clock_system(), &id);
	if (r == 0)
		r = eg_records_open(DB, &records, err);
	if (r == 0)
		r = eg_records_put(records, &id, EG_BYTES(body, sizeof(body)), NOW_MS, err);
	if (r == 0)
		r = eg_records_next(records, NOW_MS, LIVE, &item, &envelope, &when, err);
	if (r == 0) {
		struct eg_ack ack = {.id = item.id, .booth = "lane-12"};
		memcpy(ack.digest, item.digest, sizeof(ack.digest));
		r = eg_records_acknowledge(records, &ack, NOW_MS, err);
	}
	if (r == 0)
		r = eg_records_facts(records, &facts, err);
	eg_records_close(records);
	eg_buf_done(&envelope);
	return r;
}

static void every_allocation_of_ours_may_fail(void **state)
{
	(void)state;
	struct eg_err err = EG_ERR_INIT;
	size_t before = eg_mem_count();
	expect_ok(cycle(&err), &err);
	size_t count = eg_mem_count() - before;
	assert_true(count > 0);
	for (size_t n = 1; n <= count + 1; n++) {
		if (n % 3 == 0)
			remove_files(DB); // making the file is in it too
		eg_mem_fail_at(n);
		int r = cycle(&err);
		eg_mem_fail_at(0);
		if (r != 0)
			assert_int_equal(r, EG_ENOMEM);
	}
	expect_ok(cycle(&err), &err);
	expect_integrity(DB);
}

// SQLite's own allocator, with the n-th allocation failing.
static sqlite3_mem_methods real;
static long fail_in; // 0: never

static void *failing_malloc(int size)
{
	return fail_in > 0 && --fail_in == 0 ? NULL : real.xMalloc(size);
}

static void *failing_realloc(void *old, int size)
{
	return fail_in > 0 && --fail_in == 0 ? NULL : real.xRealloc(old, size);
}

static void every_allocation_of_sqlite_may_fail(void **state)
{
	(void)state;
	struct eg_err err = EG_ERR_INIT;
	size_t failed = 0;
	expect_ok(cycle(&err), &err);
	for (long n = 1;; n += 1 + n / 40) {
		if (n % 5 == 0)
			remove_files(DB);
		fail_in = n;
		int r = cycle(&err);
		bool reached = fail_in == 0;
		fail_in = 0;
		if (r != 0) {
			// NOMEM can come disguised as "cannot open" from deep inside.
			if (r != EG_ENOMEM && r != EG_EIO && r != EG_EFOREIGN)
				fail_msg("allocation %ld: %s: %s", n, eg_code_name(r), err.text);
			failed++;
		}
		if (!reached)
			break;
	}
	print_message("%zu cycles failed cleanly\n", failed);
	assert_true(failed > 20);
	expect_ok(cycle(&err), &err);
	expect_integrity(DB);
}

// A VFS between SQLite and the disk, with the n-th write or flush failing.
static int (*real_write)(sqlite3_file *, const void *, int, sqlite3_int64);
static int (*real_sync)(sqlite3_file *, int);
static int (*real_open)(sqlite3_vfs *, sqlite3_filename, sqlite3_file *, int, int *);
static long write_fails_in; // 0: never
static int write_fails_with;

static bool fails_now(void)
{
	return write_fails_in > 0 && --write_fails_in == 0;
}

static int failing_write(sqlite3_file *file, const void *data, int size, sqlite3_int64 at)
{
	return fails_now() ? write_fails_with : real_write(file, data, size, at);
}

static int failing_sync(sqlite3_file *file, int flags)
{
	return fails_now() ? SQLITE_IOERR_FSYNC : real_sync(file, flags);
}

static int wrapping_open(sqlite3_vfs *vfs, sqlite3_filename name, sqlite3_file *file, int flags,
			 int *ret_flags)
{
	// The main file's methods lock, the log's do not: one set each.
	static sqlite3_io_methods sets[2];
	sqlite3_io_methods *methods = &sets[(flags & SQLITE_OPEN_MAIN_DB) != 0];
	int code = real_open(vfs, name, file, flags, ret_flags);
	if (code != SQLITE_OK || file->pMethods == NULL)
		return code;
	real_write = file->pMethods->xWrite;
	real_sync = file->pMethods->xSync;
	*methods = *file->pMethods;
	methods->xWrite = failing_write;
	methods->xSync = failing_sync;
	file->pMethods = methods;
	return code;
}

// What a put promised is there after reopening, queued or acknowledged, whatever failed since.
static void check_promise(const struct eg_id *id, bool promised, long n)
{
	struct eg_records *records = NULL;
	struct eg_err err = EG_ERR_INIT;
	expect_ok(eg_records_open(DB, &records, &err), &err);
	int r = eg_records_put(records, id, EG_BYTES("x", 1), NOW_MS, &err);
	if (promised && r != EG_ECONFLICT)
		fail_msg("write %ld failed and a promised put is lost", n);
	eg_records_close(records);
}

static int put_and_acknowledge(struct eg_id *ret_id, bool *ret_promised)
{
	struct eg_records *records = NULL;
	struct eg_err err = EG_ERR_INIT;
	uint8_t body[3000];
	fill(body, sizeof(body), 5);
	assert_int_equal(eg_id_new(eg_clock_system(), ret_id), 0);
	int r = eg_records_open(DB, &records, &err);
	if (r != 0)
		return r;
	r = eg_records_put(records, ret_id, EG_BYTES(body, sizeof(body)), NOW_MS, &err);
	*ret_promised = r == 0;
	if (r == 0) {
		struct eg_ack ack = {.id = *ret_id, .booth = "lane-12"};
		assert_int_equal(eg_sha256(EG_BYTES(body, sizeof(body)), ack.digest), 0);
		r = eg_records_acknowledge(records, &ack, NOW_MS, &err);
	}
	eg_records_close(records);
	return r;
}

static void every_write_and_flush_may_fail(void **state)
{
	(void)state;
	sqlite3_vfs *real_vfs = sqlite3_vfs_find(NULL);
	sqlite3_vfs vfs = *real_vfs;
	size_t failed = 0;
	real_open = vfs.xOpen;
	vfs.xOpen = wrapping_open;
	vfs.zName = "failing";
	assert_int_equal(sqlite3_vfs_register(&vfs, 1), SQLITE_OK);
	for (int kind = 0; kind < 2; kind++) {
		bool reached = true;
		write_fails_with = kind == 0 ? SQLITE_FULL : SQLITE_IOERR_WRITE;
		for (long n = 1; reached; n++) {
			struct eg_id id;
			bool promised = false;
			if (n % 4 == 0)
				remove_files(DB);
			write_fails_in = n;
			int r = put_and_acknowledge(&id, &promised);
			reached = write_fails_in == 0;
			write_fails_in = 0;
			if (r != 0) {
				failed++;
				if (r != EG_EFULL && r != EG_EIO)
					fail_msg("write %ld: %s", n, eg_code_name(r));
			}
			check_promise(&id, promised, n);
		}
	}
	assert_int_equal(sqlite3_vfs_unregister(&vfs), SQLITE_OK);
	print_message("%zu writes and flushes failed, nothing promised was lost\n", failed);
	assert_true(failed > 10);
	expect_integrity(DB);
}

// Straight through SQLite in one transaction: 100,000 durable puts would take minutes. The older
// half is put off, so that a look-up by age alone would have to step over it. Every body is "hi"
// and 2,000 zero bytes; the digest is sha256sum's.
static void bulk_fill(size_t count)
{
	static const char digest[] =
		"7cee5df71f94036e6551e67062456c1a91a4b35b055689a055e8ef874f7b02a0";
	char *sql = NULL;
	struct eg_buf out;
	eg_buf_init(&out, 4096);
	assert_true(asprintf(&sql,
			     "BEGIN;"
			     "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n "
			     "WHERE i < %zu)"
			     "INSERT INTO item(id, digest, size, put_ms, retry_ms) SELECT "
			     "unhex(printf('%%032x', i)), unhex('%s'), 2002, %lld + i, "
			     "CASE WHEN i <= %zu THEN %lld ELSE 0 END FROM n;"
			     "INSERT INTO envelope SELECT seq, zeroblob(1024), "
			     "CAST(CAST('hi' AS BLOB) || zeroblob(2000) AS BLOB) FROM item;"
			     "COMMIT",
			     count, digest, NOW_MS - 86400000, count / 2, NOW_MS + 3600000) > 0);
	assert_int_equal(run((const char *const[]){"sqlite3", DB, sql, NULL}, &out), 0);
	free(sql);
	eg_buf_done(&out);
}

static double time_next(struct eg_records *records, int64_t now, uint8_t expected_low)
{
	enum {
		COUNT = 500
	};
	struct eg_err err = EG_ERR_INIT;
	struct eg_buf envelope;
	struct eg_queued item;
	int64_t when = 0;
	eg_buf_init(&envelope, EG_ENVELOPE_MAX);
	double begun = now_ms();
	for (size_t i = 0; i < COUNT; i++) {
		expect_ok(eg_records_next(records, now, LIVE, &item, &envelope, &when, &err), &err);
		assert_int_equal(item.id.bytes[EG_ID_SIZE - 1], expected_low);
	}
	double each = (now_ms() - begun) / COUNT;
	eg_buf_done(&envelope);
	return each;
}

// Prints what it measures; the slower of the two kinds of look-up comes back.
static double measure(size_t queued)
{
	struct eg_records *records = NULL;
	struct eg_err err = EG_ERR_INIT;
	struct eg_id id;
	remove_files(DB);
	expect_ok(eg_records_open(DB, &records, &err), &err);
	eg_records_close(records);
	bulk_fill(queued);
	double start = now_ms();
	expect_ok(eg_records_open(DB, &records, &err), &err);
	double opened = now_ms();
	double oldest = time_next(records, NOW_MS, (uint8_t)(queued / 2 + 1));
	double due = time_next(records, NOW_MS + 3600000, 1);
	double begun = now_ms();
	for (size_t i = 0; i < 20; i++)
		expect_ok(put_one(records, &id, 2000), &err);
	double put = (now_ms() - begun) / 20;
	print_message("%zu queued: open and check %.0f ms, next %.3f and %.3f ms, put %.2f ms\n",
		      queued, opened - start, oldest, due, put);
	eg_records_close(records);
	return oldest > due ? oldest : due;
}

// The right item comes at either size; that no scan finds it is asserted on the query plans in
// test_records.c. Times are printed only: a busy machine must not fail a test.
static void next_finds_its_item_among_100_and_100000_queued(void **state)
{
	(void)state;
	double few = measure(100), many = measure(99900);
	print_message("next: %.1f times as long among 99,900 as among 100\n", many / few);
}

int main(void)
{
	assert_int_equal(sqlite3_config(SQLITE_CONFIG_GETMALLOC, &real), SQLITE_OK);
	sqlite3_mem_methods methods = real;
	methods.xMalloc = failing_malloc;
	methods.xRealloc = failing_realloc;
	assert_int_equal(sqlite3_config(SQLITE_CONFIG_MALLOC, &methods), SQLITE_OK);
	// Look-aside memory would hide most allocations from the one above.
	assert_int_equal(sqlite3_config(SQLITE_CONFIG_LOOKASIDE, 0, 0), SQLITE_OK);
	const struct CMUnitTest tests[] = {
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
		CASE(every_put_that_was_promised_survives_kill_9),
		CASE(two_programs_put_and_acknowledge_at_once),
		CASE(kill_9_in_acknowledgements_neither_loses_nor_doubles),
		CASE(every_allocation_of_ours_may_fail),
		CASE(every_allocation_of_sqlite_may_fail),
		CASE(every_write_and_flush_may_fail),
		CASE(next_finds_its_item_among_100_and_100000_queued),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
