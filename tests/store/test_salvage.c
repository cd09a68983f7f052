// SPDX-License-Identifier: Apache-2.0
//
// store/salvage.c and records_salvage.c: a damaged file is saved as far as it can be read, the rest
// is kept beside it, and nobody gets an empty queue in silence. What came out is compared by the
// sqlite3 command, which we did not write.

#include "queue.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "firmware/base/clock.h"
#include "firmware/base/file.h"
#include "store/audit.h"
#include "store/manifests.h"
#include "store/records_internal.h"
#include "store/salvage.h"

#define ITEMS 60
#define FACE  1500

static struct eg_key *booth, *centre;
static struct eg_clock clock_now;
static char text[EG_ERR_TEXT_MAX];

// A real envelope: it says itself whose it is.
static struct eg_id put_sealed(uint64_t seed)
{
	uint8_t face[FACE];
	struct eg_encounter e = {.verdict = EG_VERDICT_REFER,
				 .cause = EG_CAUSE_BELOW_THRESHOLD,
				 .mode = EG_MODE_IDENTIFY,
				 .booth = "lane-12",
				 .notice = "1",
				 .citizenship = EG_VISITOR,
				 .decided_ms = NOW_MS,
				 .face = EG_BYTES(face, sizeof(face))};
	struct eg_err err = EG_ERR_INIT;
	e.id = make_id();
	fill(face, sizeof(face), seed);
	eg_buf_reset(&envelope);
	expect_ok(eg_encounter_seal(&e, booth, eg_key_public(centre), &envelope, &err), &err);
	expect_ok(eg_records_put(records, &e.id, eg_buf_bytes(&envelope), NOW_MS, &err), &err);
	return e.id;
}

static void remove_all(void)
{
	DIR *here = opendir(".");
	assert_non_null(here);
	for (struct dirent *entry; (entry = readdir(here)) != NULL;)
		if (strncmp(entry->d_name, "records.db", 10) == 0 ||
		    strncmp(entry->d_name, "manifests.db", 12) == 0)
			assert_int_equal(unlink(entry->d_name), 0);
	closedir(here);
}

// The name of the one file that begins with `prefix`; fails when there are more.
static bool find(const char *prefix, char *ret_name, size_t size)
{
	DIR *here = opendir(".");
	size_t found = 0;
	assert_non_null(here);
	for (struct dirent *entry; (entry = readdir(here)) != NULL;)
		if (strncmp(entry->d_name, prefix, strlen(prefix)) == 0 &&
		    strstr(entry->d_name, "-wal") == NULL && ++found == 1)
			(void)snprintf(ret_name, size, "%s", entry->d_name);
	closedir(here);
	assert_true(found <= 1);
	return found == 1;
}

static void write_file(const char *path, const struct eg_buf *bytes)
{
	struct eg_err err = EG_ERR_INIT;
	expect_ok(eg_file_write(path, eg_buf_bytes(bytes), 0660, &err), &err);
}

// A queue of ITEMS sealed encounters, closed; its bytes go to `good`.
static void make_queue(struct eg_buf *good)
{
	eg_records_close(records);
	records = NULL;
	remove_all();
	queue_open();
	for (uint64_t i = 0; i < ITEMS; i++)
		(void)put_sealed(i);
	eg_records_close(records);
	records = NULL;
	read_raw(DB, good);
}

static int open_or_salvage(struct eg_err *err)
{
	return eg_records_open_or_salvage(DB, false, &clock_now, &records, text, err);
}

// What the sqlite3 command's own recovery finds in a file that was put aside.
static void expect_recoverable(const char *kept)
{
	char command[600];
	struct eg_buf out;
	eg_buf_init(&out, 1000);
	(void)snprintf(command, sizeof(command),
		       "rm -f desk.db; sqlite3 %s .recover | sqlite3 desk.db 2>/dev/null; "
		       "sqlite3 desk.db 'SELECT count(*) FROM lost_and_found WHERE nfield = 3 AND "
		       "length(c2) > 1500'",
		       kept);
	const char *const argv[] = {"sh", "-c", command, NULL};
	assert_int_equal(run(argv, &out), 0);
	print_message("sqlite3 .recover: %.*s", (int)out.size, (const char *)out.data);
	assert_true(strtol(eg_buf_text(&out), NULL, 10) >= ITEMS);
	eg_buf_done(&out);
}

// With one page after the other overwritten. No page may cost more than what lies in it: item rows
// are small, so one of their pages may hold all of them, but the envelopes speak for themselves.
static void one_page_that_is_lost_costs_no_more_than_itself(void **state)
{
	(void)state;
	struct eg_buf good, bad;
	size_t salvages = 0, most_lost = 0, chains_told = 0, roots = 0;
	eg_buf_init(&good, 64u << 20);
	eg_buf_init(&bad, 64u << 20);
	make_queue(&good);
	for (size_t page = 0; page < good.size / RECORDS_PAGE_SIZE; page++) {
		struct eg_err err = EG_ERR_INIT;
		struct eg_audit_report report;
		char kept[300];
		if (page >= 24 && page % 4 != 0) // leaves and envelopes are all alike
			continue;
		remove_all();
		eg_buf_reset(&bad);
		assert_int_equal(eg_buf_put(&bad, good.data, good.size), 0);
		memset(bad.data + page * RECORDS_PAGE_SIZE, 0xa5, RECORDS_PAGE_SIZE);
		write_file(DB, &bad);
		expect_ok(open_or_salvage(&err), &err);
		if (text[0] == '\0') { // a free page, or one whose damage only a digest shows
			assert_int_equal(facts().queued, ITEMS);
			assert_false(find(DB ".damaged-", kept, sizeof(kept)));
		} else {
			struct eg_buf is;
			salvages++;
			size_t lost = ITEMS - (size_t)facts().queued;
			if (lost >
			    2) { // a page that leads to others: their rows are in the kept file
				roots++;
				assert_true(find(DB ".damaged-", kept, sizeof(kept)));
				expect_recoverable(kept);
			} else {
				most_lost = lost > most_lost ? lost : most_lost;
			}
			// The damaged file is there, to the byte (but for what SQLite keeps in
			// its header).
			assert_true(find(DB ".damaged-", kept, sizeof(kept)));
			assert_non_null(strstr(text, kept));
			eg_buf_init(&is, 64u << 20);
			read_raw(kept, &is);
			assert_true(is.size == bad.size);
			assert_memory_equal(is.data + 200, bad.data + 200, is.size - 200);
			eg_buf_done(&is);
			expect_sqlite("PRAGMA integrity_check", "ok\n");
			expect_sqlite("SELECT count(*) FROM envelope WHERE seq NOT IN "
				      "(SELECT seq FROM item)",
				      "0\n");
			expect_ok(eg_audit_verify(records, NULL, NULL, 0, NULL, &report, &err),
				  &err);
			chains_told += report.fault != EG_AUDIT_WHOLE;
			// Whoever is lost is named by the chain, unless the chain was hit.
			if (lost != 0)
				assert_int_not_equal(report.fault, EG_AUDIT_WHOLE);
		}
		eg_records_close(records);
		records = NULL;
	}
	print_message("%zu pages, %zu salvages, at most %zu of %d lost, %zu chains told\n",
		      good.size / RECORDS_PAGE_SIZE, salvages, most_lost, ITEMS, chains_told);
	assert_true(salvages > 60);
	assert_true(chains_told > 0);
	assert_true(most_lost <= 2);
	assert_true(roots <= 1); // that of the envelopes
	eg_buf_done(&good);
	eg_buf_done(&bad);
}

// Seen to fail: a complete .salvage thrown away, half a file trusted, the part kept, the name
// forgotten.
static void power_may_go_between_any_two_steps(void **state)
{
	(void)state;
	struct eg_buf good, bad;
	struct eg_err err = EG_ERR_INIT;
	char kept[300];
	eg_buf_init(&good, 64u << 20);
	eg_buf_init(&bad, 64u << 20);
	make_queue(&good);
	assert_int_equal(eg_buf_put(&bad, good.data, good.size), 0);
	memset(bad.data + 20 * RECORDS_PAGE_SIZE, 0xa5, RECORDS_PAGE_SIZE);
	for (int step = 0; step < 4; step++) {
		remove_all();
		if (step == 2) // worse since: saving it once more would lose a lot
			memset(bad.data + 20 * RECORDS_PAGE_SIZE, 0xa5,
			       bad.size - 20 * RECORDS_PAGE_SIZE);
		write_file(DB, step < 3 ? &bad : &good);
		if (step == 0) // half-filled: begun again
			write_file(DB ".salvage-part", &bad);
		else if (step == 1) // renamed, and torn by the disk all the same
			write_file(DB ".salvage", &bad);
		else if (step == 2) // complete: this one is taken
			write_file(DB ".salvage", &good);
		else // they have changed places: only the name is missing
			write_file(DB ".salvage", &bad);
		if (step == 3) {
			struct eg_salvaged salvaged;
			expect_ok(eg_db_salvage(DB, &eg_records_schema,
						&(struct eg_salvage_table){"item", true}, 1, NULL,
						NULL, NOW_MS, &salvaged, &err),
				  &err);
			queue_open();
		} else {
			expect_ok(open_or_salvage(&err), &err);
		}
		assert_true(facts().queued >= ITEMS - 2);
		if (step >= 2)
			assert_int_equal(facts().queued, ITEMS);
		assert_true(find(DB ".damaged-", kept, sizeof(kept)));
		assert_int_not_equal(access(DB ".salvage", F_OK), 0);
		assert_int_not_equal(access(DB ".salvage-part", F_OK), 0);
		expect_sqlite("PRAGMA integrity_check", "ok\n");
		eg_records_close(records);
		records = NULL;
	}
	eg_buf_done(&good);
	eg_buf_done(&bad);
}

static void empty_file_and_rubbish_are_kept_and_said(void **state)
{
	(void)state;
	static const char rubbish[] = "this was a disk once, and now it is something else entirely";
	char kept[300];
	for (int i = 0; i < 2; i++) {
		struct eg_err err = EG_ERR_INIT;
		struct eg_buf bytes;
		eg_records_close(records);
		records = NULL;
		remove_all();
		eg_buf_init(&bytes, 1000);
		for (int k = 0; i == 1 && k < 10; k++)
			assert_int_equal(eg_buf_put(&bytes, rubbish, sizeof(rubbish)), 0);
		write_file(DB, &bytes);
		expect_ok(open_or_salvage(&err), &err);
		assert_non_null(strstr(text, "was damaged: 0 encounters are saved, others may be"));
		assert_true(find(DB ".damaged-", kept, sizeof(kept)));
		expect_sqlite("SELECT count(*) FROM item", "0\n");
		expect_sqlite("SELECT count(*) FROM audit", "1\n"); // the chain begins by saying so
		eg_buf_done(&bytes);
	}
}

static void foreign_database_and_link_are_left_alone(void **state)
{
	(void)state;
	struct eg_buf before, after;
	struct eg_err err = EG_ERR_INIT;
	struct stat st;
	eg_records_close(records);
	records = NULL;
	remove_all();
	eg_buf_init(&before, 1u << 20);
	eg_buf_init(&after, 1u << 20);
	const char *const argv[] = {"sqlite3", DB, "CREATE TABLE t(x); INSERT INTO t VALUES(7)",
				    NULL};
	assert_int_equal(run(argv, &before), 0);
	eg_buf_reset(&before);
	read_raw(DB, &before);
	expect_code(open_or_salvage(&err), EG_EUNSUPPORTED, &err);
	read_raw(DB, &after);
	assert_true(eg_bytes_equal(eg_buf_bytes(&before), eg_buf_bytes(&after)));
	assert_int_equal(rename(DB, "elsewhere.db"), 0);
	assert_int_equal(symlink("elsewhere.db", DB), 0);
	expect_code(open_or_salvage(&err), EG_EUNSUPPORTED, &err);
	assert_int_equal(lstat(DB, &st), 0);
	assert_true(S_ISLNK(st.st_mode));
	eg_buf_done(&before);
	eg_buf_done(&after);
}

// syncd has the damaged file open while boothd saves it.
static void whoever_has_the_old_file_open_is_told(void **state)
{
	(void)state;
	struct eg_buf good;
	struct eg_err err = EG_ERR_INIT;
	struct eg_records *other = NULL;
	eg_buf_init(&good, 64u << 20);
	make_queue(&good);
	expect_ok(eg_records_open(DB, &other, &err), &err);
	assert_false(eg_records_replaced(other));
	assert_int_equal(rename(DB, DB ".old"), 0);
	assert_int_equal(eg_file_write(DB, eg_buf_bytes(&good), 0660, &err), 0);
	assert_true(eg_records_replaced(other));
	eg_records_close(other);
	eg_buf_done(&good);
	queue_open();
}

// What must not be lost with a manifest is how far its version had risen.
static void floors_of_manifests_are_saved(void **state)
{
	(void)state;
	struct made_manifest made, older;
	struct eg_manifests *manifests = NULL;
	struct eg_err err = EG_ERR_INIT;
	struct eg_buf raw;
	remove_all();
	eg_buf_init(&raw, 64u << 20);
	make_manifest(&made, 40, 9000, 7);
	make_manifest(&older, 2, 100, 6);
	expect_ok(eg_manifests_open("manifests.db", &manifests, &err), &err);
	expect_ok(eg_manifests_put(manifests, &made.statement, eg_buf_bytes(&made.wire), NOW_MS,
				   &err),
		  &err);
	eg_manifests_close(manifests);
	read_raw("manifests.db", &raw);
	memset(raw.data + 20 * 4096, 0xa5, 4096); // in the midst of the manifest
	// A page of a manifest is any page for SQLite; so its first page of a tree goes too.
	memset(raw.data + 3 * 4096, 0xa5, 4096);
	write_file("manifests.db", &raw);
	(void)unlink("manifests.db-wal");
	expect_ok(eg_manifests_open_or_salvage("manifests.db", &clock_now, &manifests, text, &err),
		  &err);
	assert_non_null(strstr(text, "was damaged"));
	expect_code(eg_manifests_put(manifests, &older.statement, eg_buf_bytes(&older.wire), NOW_MS,
				     &err),
		    EG_ESTALE, &err);
	eg_manifests_close(manifests);
	free_manifest(&made);
	free_manifest(&older);
	eg_buf_done(&raw);
}

static void damaged_files_are_not_kept_for_ever(void **state)
{
	(void)state;
	struct eg_buf bytes;
	struct stat st;
	eg_buf_init(&bytes, 10);
	assert_int_equal(eg_buf_put(&bytes, "x", 1), 0);
	write_file(DB ".damaged-2026-01-01T00-00-00", &bytes);
	write_file(DB ".damaged-2026-01-01T00-00-00-wal", &bytes);
	write_file("records.dbx", &bytes);
	assert_int_equal(stat("records.dbx", &st), 0);
	const int64_t now = st.st_ctim.tv_sec * INT64_C(1000);
	eg_db_drop_damaged(DB, 3600, now + 3599000);
	assert_int_equal(access(DB ".damaged-2026-01-01T00-00-00", F_OK), 0);
	eg_db_drop_damaged(DB, 3600, now + 3602000);
	assert_int_not_equal(access(DB ".damaged-2026-01-01T00-00-00", F_OK), 0);
	assert_int_not_equal(access(DB ".damaged-2026-01-01T00-00-00-wal", F_OK), 0);
	assert_int_equal(access("records.dbx", F_OK), 0);
	(void)unlink("records.dbx");
	eg_buf_done(&bytes);
}

static int set_up_all(void **state)
{
	struct eg_err err = EG_ERR_INIT;
	(void)state;
	expect_ok(eg_crypto_init(&err), &err);
	booth = make_key();
	centre = make_key();
	eg_clock_fake_init(&clock_now, 0, NOW_MS);
	return 0;
}

static int tear_down_all(void **state)
{
	(void)state;
	eg_key_free(booth);
	eg_key_free(centre);
	remove_all();
	return 0;
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, queue_set_up, queue_tear_down)
	const struct CMUnitTest tests[] = {
		CASE(one_page_that_is_lost_costs_no_more_than_itself),
		CASE(power_may_go_between_any_two_steps),
		CASE(empty_file_and_rubbish_are_kept_and_said),
		CASE(foreign_database_and_link_are_left_alone),
		CASE(whoever_has_the_old_file_open_is_told),
		CASE(floors_of_manifests_are_saved),
		CASE(damaged_files_are_not_kept_for_ever),
	};
	return cmocka_run_group_tests(tests, set_up_all, tear_down_all);
}
