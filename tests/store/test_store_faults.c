// SPDX-License-Identifier: Apache-2.0
//
// A whole life of the store (put, acknowledge, purge, chain, policy swap of manifests) with every
// write, flush, cut and removal going wrong in turn, in every way of faulty.h; and the files
// damaged from outside. Afterwards: what was promised is so, nothing is readable that should be
// gone, the chain verifies.
//
// How each was seen to fail stands in the table of store/README.md.

#include "faulty.h"
#include "queue.h"

#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "firmware/base/file.h"
#include "store/manifests.h"
#include "store/records_internal.h"

#define MANIFESTS "manifests.db"
#define FACE	  6000
#define TAIL	  1000 // into an envelope: from here on it is the image

static const char *const fault_names[FAULT_COUNT] = {"full",	  "I/O error",	    "short write",
						     "power cut", "torn power cut", "read-only"};

static struct eg_key *booth, *centre;
static struct eg_clock clock_;
static struct eg_id id[2];
static struct eg_buf sealed[2], dropped; // dropped: sealed[1] without its image
static uint8_t wire[2][9000];

static void seal_one(size_t i)
{
	uint8_t face[FACE];
	struct eg_encounter e = {.booth = "lane-12",
				 .mode = EG_MODE_IDENTIFY,
				 .score = (double)NAN,
				 .threshold = (double)NAN,
				 .error_target = (double)NAN,
				 .notice = "1",
				 .citizenship = EG_VISITOR,
				 .face = EG_BYTES(face, sizeof(face))};
	struct eg_err err = EG_ERR_INIT;
	fill(face, sizeof(face), i);
	e.id = id[i] = make_id();
	eg_buf_init(&sealed[i], EG_ENVELOPE_MAX);
	expect_ok(eg_encounter_seal(&e, booth, eg_key_public(centre), &sealed[i], &err), &err);
}

static int set_up_all(void **state)
{
	struct eg_err err = EG_ERR_INIT;
	(void)state;
	booth = make_key();
	centre = make_key();
	for (size_t i = 0; i < 2; i++) {
		seal_one(i);
		fill(wire[i], sizeof(wire[i]), 50 + i);
	}
	eg_buf_init(&dropped, EG_ENVELOPE_MAX);
	expect_ok(eg_envelope_drop_image(eg_buf_bytes(&sealed[1]), EG_FACE_EXPIRED, &dropped, &err),
		  &err);
	eg_buf_init(&envelope, EG_ENVELOPE_MAX);
	faulty_install();
	return 0;
}

static int tear_down_all(void **state)
{
	(void)state;
	for (size_t i = 0; i < 2; i++)
		eg_buf_done(&sealed[i]);
	eg_buf_done(&dropped);
	eg_buf_done(&envelope);
	eg_key_free(booth);
	eg_key_free(centre);
	queue_remove(DB);
	queue_remove(MANIFESTS);
	(void)unlink("template-records");
	(void)unlink("template-manifests");
	return 0;
}

struct promised {
	bool put[2], acknowledged, purged, manifest[2];
};

static int live_records(struct promised *promised, struct eg_err *err)
{
	struct eg_ack ack = {.id = id[0], .booth = "lane-12", .received_ms = NOW_MS};
	struct eg_purged purged;
	struct eg_records *mine = NULL;
	assert_int_equal(eg_sha256(eg_buf_bytes(&sealed[0]), ack.digest), 0);
	eg_clock_fake_init(&clock_, 1000000000LL, NOW_MS);
	int r = eg_records_open(DB, &mine, err);
	if (r != 0)
		return r;
	eg_records_set_clock(mine, &clock_);
	for (size_t i = 0; r == 0 && i < 2; i++) {
		r = eg_records_put(mine, &id[i], eg_buf_bytes(&sealed[i]), NOW_MS, err);
		promised->put[i] = r == 0;
	}
	if (r == 0) {
		r = eg_records_acknowledge(mine, &ack, NOW_MS, err);
		promised->acknowledged = r == 0;
	}
	eg_clock_fake_advance(&clock_, 13 * 3600 * 1000);
	if (r == 0) {
		r = eg_records_purge(mine, &eg_policy_defaults, &purged, err);
		promised->purged = r == 0;
	}
	if (r == 0)
		r = eg_audit_seal(mine, "lane-12", booth, NULL, err);
	eg_records_close(mine);
	return r;
}

static int live_manifests(struct promised *promised, struct eg_err *err)
{
	struct eg_manifests *manifests = NULL;
	int r = eg_manifests_open(MANIFESTS, &manifests, err);
	for (size_t i = 0; r == 0 && i < 2; i++) {
		struct eg_statement statement = {.id = "UA1", .version = i + 1};
		r = eg_manifests_put(manifests, &statement, EG_BYTES(wire[i], sizeof(wire[i])),
				     NOW_MS, err);
		promised->manifest[i] = r == 0;
	}
	eg_manifests_close(manifests);
	return r;
}

static int find_ids(void *user, const struct eg_records_row *row)
{
	size_t *seen = user;
	for (size_t i = 0; i < 2; i++)
		seen[i] += eg_id_compare(&row->id, &id[i]) == 0;
	return 0;
}

static size_t left_of(const struct eg_buf *raw, const struct eg_buf *of, size_t from)
{
	size_t found = 0;
	for (size_t i = from; i + 16 <= of->size; i += 48)
		found += memmem(raw->data, raw->size, of->data + i, 16) != NULL;
	return found;
}

static void check_records(const struct promised *promised, const char *what)
{
	struct eg_audit_report report;
	struct eg_err err = EG_ERR_INIT;
	struct eg_buf raw;
	size_t seen[2] = {0, 0};
	if (access(DB, F_OK) != 0) { // it was never made
		assert_false(promised->put[0]);
		return;
	}
	queue_open();
	expect_ok(eg_records_list(records, find_ids, seen, &err), &err);
	bool erased =
		eg_records_put(records, &id[0], EG_BYTES("x", 1), NOW_MS, &err) == EG_ECONFLICT &&
		seen[0] == 0;
	if (promised->put[0] && seen[0] + erased != 1)
		fail_msg("%s: encounter 0 is lost or there twice", what);
	if (promised->put[1] && seen[1] != 1)
		fail_msg("%s: encounter 1 is lost", what);
	if (promised->acknowledged && !erased)
		fail_msg("%s: what was erased is back", what);
	expect_ok(eg_audit_verify(records, eg_key_public(booth), NULL, 0, NULL, &report, &err),
		  &err);
	if (report.fault != EG_AUDIT_WHOLE)
		fail_msg("%s: chain %s at %d", what, eg_audit_fault_name(report.fault),
			 (int)report.seq);
	eg_buf_init(&raw, 64u << 20);
	read_raw(DB, &raw);
	read_raw(DB "-wal", &raw);
	if (promised->acknowledged && left_of(&raw, &sealed[0], 64) != 0)
		fail_msg("%s: what was erased can be read", what);
	if (promised->purged && left_of(&raw, &sealed[1], TAIL) != 0)
		fail_msg("%s: the expired image can be read", what);
	eg_buf_done(&raw);
	struct eg_queued item;
	int64_t when = 0;
	while (seen[1] == 1 && eg_records_next(records, NOW_MS + 2 * LIVE, LIVE, &item, &envelope,
					       &when, &err) == 0) {
		if (eg_id_compare(&item.id, &id[1]) == 0) {
			const struct eg_buf *as =
				envelope.size == dropped.size ? &dropped : &sealed[1];
			if (!eg_bytes_equal(eg_buf_bytes(&envelope), eg_buf_bytes(as)))
				fail_msg("%s: encounter 1 is not what it was", what);
			seen[1] = 2;
		}
		expect_ok(eg_records_retry(records, &item.id, NOW_MS + 3600000, "seen", &err),
			  &err);
	}
	assert_int_not_equal(seen[1], 1);
	eg_records_close(records);
	records = NULL;
}

static void check_manifests(const struct promised *promised, const char *what)
{
	struct eg_manifests *manifests = NULL;
	struct eg_err err = EG_ERR_INIT;
	struct eg_buf held;
	if (access(MANIFESTS, F_OK) != 0) {
		assert_false(promised->manifest[0]);
		return;
	}
	eg_buf_init(&held, EG_MANIFEST_MAX);
	expect_ok(eg_manifests_open(MANIFESTS, &manifests, &err), &err);
	int r = eg_manifests_get(manifests, "UA1", &held, &err);
	bool first = held.size == sizeof(wire[0]) && memcmp(held.data, wire[0], held.size) == 0;
	bool second = held.size == sizeof(wire[1]) && memcmp(held.data, wire[1], held.size) == 0;
	if (promised->manifest[1]   ? !second
	    : promised->manifest[0] ? !first && !second
				    : r == 0 && !first)
		fail_msg("%s: the manifest is neither the old nor the new one", what);
	eg_manifests_close(manifests);
	eg_buf_done(&held);
}

static void copy_file(const char *from, const char *to)
{
	struct eg_err err = EG_ERR_INIT;
	struct eg_buf bytes;
	eg_buf_init(&bytes, 64u << 20);
	expect_ok(eg_file_read(from, &bytes, &err), &err);
	expect_ok(eg_file_write(to, eg_buf_bytes(&bytes), 0660, &err), &err);
	eg_buf_done(&bytes);
}

// Files without content yet, so that not every life begins with making them.
static void make_templates(void)
{
	struct eg_manifests *manifests = NULL;
	struct eg_err err = EG_ERR_INIT;
	queue_remove(DB);
	queue_remove(MANIFESTS);
	faulty_arm(FAULT_FULL, 0);
	queue_open();
	eg_records_close(records);
	records = NULL;
	expect_ok(eg_manifests_open(MANIFESTS, &manifests, &err), &err);
	eg_manifests_close(manifests);
	copy_file(DB, "template-records");
	copy_file(MANIFESTS, "template-manifests");
}

// Making the files: they are whole or not there.
static void every_step_of_making_the_files_may_go_wrong(void **state)
{
	(void)state;
	for (enum fault fault = FAULT_FULL; fault < FAULT_READONLY; fault++) {
		long n = 1;
		for (bool reached = true; reached; n++) {
			struct promised promised = {0};
			struct eg_err err = EG_ERR_INIT;
			char what[64];
			(void)snprintf(what, sizeof(what), "%s at call %ld", fault_names[fault], n);
			queue_remove(DB);
			faulty_arm(fault, n);
			int r = eg_records_open(DB, &records, &err);
			reached = faulty_reached();
			if (r == 0)
				eg_records_close(records);
			records = NULL;
			faulty_off();
			check_records(&promised, what);
		}
		print_message("%s: %ld calls while making\n", fault_names[fault], n - 2);
		assert_true(n > 20);
	}
}

static void every_write_flush_cut_and_removal_may_go_wrong(void **state)
{
	(void)state;
	make_templates();
	for (enum fault fault = FAULT_FULL; fault < FAULT_READONLY; fault++) {
		long n = 1;
		size_t failed = 0;
		for (bool reached = true; reached; n++) {
			struct promised promised = {0};
			struct eg_err err = EG_ERR_INIT;
			char what[64];
			(void)snprintf(what, sizeof(what), "%s at call %ld", fault_names[fault], n);
			queue_remove(DB);
			queue_remove(MANIFESTS);
			copy_file("template-records", DB);
			copy_file("template-manifests", MANIFESTS);
			faulty_arm(fault, n);
			int r = live_records(&promised, &err);
			bool in_records = faulty_reached();
			if (!in_records)
				r = live_manifests(&promised, &err);
			reached = faulty_reached();
			faulty_off();
			failed += r != 0;
			(void)unlink(DB "-shm"); // memory, gone with the power
			(void)unlink(MANIFESTS "-shm");
			if (in_records || !reached)
				check_records(&promised, what);
			if (!in_records)
				check_manifests(&promised, what);
		}
		print_message("%s: %ld calls, %zu lives failed, nothing promised was broken\n",
			      fault_names[fault], n - 2, failed);
		assert_true(failed > 20);
	}
}

static void live_once(void)
{
	struct promised promised = {0};
	struct eg_err err = EG_ERR_INIT;
	queue_remove(DB);
	queue_remove(MANIFESTS);
	faulty_arm(FAULT_FULL, 0);
	expect_ok(live_records(&promised, &err), &err);
	expect_ok(live_manifests(&promised, &err), &err);
}

static void read_only_file_system_is_said_and_nothing_is_replaced(void **state)
{
	(void)state;
	struct eg_manifests *manifests = NULL;
	struct eg_err err = EG_ERR_INIT;
	struct eg_buf before, after;
	eg_buf_init(&before, 64u << 20);
	eg_buf_init(&after, 64u << 20);
	live_once();
	read_raw(DB, &before);
	faulty_arm(FAULT_READONLY, 1);
	int r = eg_records_open(DB, &records, &err);
	assert_true(r == EG_EAUTH || r == EG_EIO);
	assert_non_null(strstr(err.text, DB));
	r = eg_manifests_open(MANIFESTS, &manifests, &err);
	assert_true(r == EG_EAUTH || r == EG_EIO);
	assert_non_null(strstr(err.text, MANIFESTS));
	faulty_off();
	read_raw(DB, &after);
	assert_true(eg_bytes_equal(eg_buf_bytes(&before), eg_buf_bytes(&after)));
	queue_open();
	assert_int_equal(facts().queued, 1);
	eg_records_close(records);
	records = NULL;
	eg_buf_done(&before);
	eg_buf_done(&after);
}

// A log that is taken away takes with it what was not copied into the file yet: the rest is a file
// in good order. A head from before shows what is missing.
static void deleted_log_is_found_by_a_head_from_before(void **state)
{
	(void)state;
	struct eg_audit_head head = {0};
	struct eg_audit_report report;
	struct eg_err err = EG_ERR_INIT;
	int ends[2];
	live_once();
	assert_int_equal(pipe(ends), 0);
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		struct eg_id other;
		if (eg_records_open(DB, &records, NULL) != 0 ||
		    eg_id_new(eg_clock_system(), &other) != 0 ||
		    eg_records_put(records, &other, eg_buf_bytes(&sealed[0]), NOW_MS, NULL) != 0 ||
		    eg_audit_head(records, &head, NULL) != 0 ||
		    write(ends[1], &head, sizeof(head)) != sizeof(head))
			_exit(1);
		(void)raise(SIGKILL);
	}
	assert_int_equal(read(ends[0], &head, sizeof(head)), sizeof(head));
	(void)close(ends[0]);
	(void)close(ends[1]);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_int_equal(unlink(DB "-wal"), 0);
	(void)unlink(DB "-shm");
	queue_open();
	assert_int_equal(facts().queued, 1); // what was in the file is all there
	expect_ok(eg_audit_verify(records, NULL, NULL, 0, NULL, &report, &err), &err);
	assert_int_equal(report.fault, EG_AUDIT_WHOLE);
	expect_ok(eg_audit_verify(records, NULL, NULL, 0, &head, &report, &err), &err);
	assert_int_equal(report.fault, EG_AUDIT_TRUNCATED);
	assert_int_equal(report.other, head.count);
	eg_records_close(records);
	records = NULL;
}

// A log of which no more than the end of a signed head is lost: signing copies it into the file.
// Seen to fail: that left out.
static void signed_head_survives_a_deleted_log(void **state)
{
	(void)state;
	struct eg_audit_report before, report;
	struct eg_err err = EG_ERR_INIT;
	live_once();
	queue_open();
	expect_ok(eg_audit_verify(records, NULL, NULL, 0, NULL, &before, &err), &err);
	eg_records_close(records);
	records = NULL;
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		struct eg_audit_entry entry = {.event = EG_AUDIT_BOOT, .number = EG_AUDIT_BOOTHD};
		if (eg_records_open(DB, &records, NULL) != 0 ||
		    eg_audit_note(records, &entry, NULL) != 0 ||
		    eg_audit_seal(records, "lane-12", booth, NULL, NULL) != 0)
			_exit(1);
		(void)raise(SIGKILL);
	}
	int status = 0;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	(void)unlink(DB "-wal");
	(void)unlink(DB "-shm");
	queue_open();
	expect_ok(eg_audit_verify(records, eg_key_public(booth), NULL, 0, NULL, &report, &err),
		  &err);
	assert_int_equal(report.fault, EG_AUDIT_WHOLE);
	assert_int_equal(report.signed_to, report.entries);
	assert_int_equal(report.entries, before.entries + 1);
	eg_records_close(records);
	records = NULL;
}

enum page {
	PAGE_HEADER,
	PAGE_TABLE_LEAF,
	PAGE_TABLE_TREE,
	PAGE_INDEX_LEAF,
	PAGE_INDEX_TREE,
	PAGE_OTHER, // overflow, free list
	PAGE_COUNT,
};

static enum page page_class(const uint8_t *page, size_t number)
{
	if (number == 0)
		return PAGE_HEADER;
	switch (page[0]) {
	case 0x0d:
		return PAGE_TABLE_LEAF;
	case 0x05:
		return PAGE_TABLE_TREE;
	case 0x0a:
		return PAGE_INDEX_LEAF;
	case 0x02:
		return PAGE_INDEX_TREE;
	default:
		return PAGE_OTHER;
	}
}

#define ITEMS 120

static int collect(void *user, const struct eg_records_row *row)
{
	return eg_buf_put(user, &row->id, sizeof(row->id));
}

static int compare_ids(const void *a, const void *b)
{
	return memcmp(a, b, EG_ID_SIZE);
}

static bool same_ids(const struct eg_buf *known)
{
	struct eg_buf ids;
	bool same = false;
	eg_buf_init(&ids, 1u << 20);
	if (eg_records_list(records, collect, &ids, NULL) == 0) {
		if (ids.size != 0)
			qsort(ids.data, ids.size / EG_ID_SIZE, EG_ID_SIZE, compare_ids);
		same = eg_bytes_equal(eg_buf_bytes(&ids), eg_buf_bytes(known));
	}
	eg_buf_done(&ids);
	return same;
}

// With one bit of the file flipped: refused when it is opened, or noticed by the chain, or every
// encounter is still there, and what comes out to be sent is what was put. Never an empty queue.
static bool noticed_or_harmless(const struct eg_buf *known, bool *ret_refused)
{
	struct eg_err err = EG_ERR_INIT;
	struct eg_audit_report report = {0};
	int r = eg_records_open(DB, &records, &err);
	*ret_refused = r != 0;
	if (r != 0)
		return (r == EG_ECORRUPT || r == EG_EUNSUPPORTED || r == EG_EIO ||
			r == EG_EFOREIGN) &&
		       strstr(err.text, DB) != NULL;
	r = eg_audit_verify(records, NULL, NULL, 0, NULL, &report, &err);
	bool good = r != 0 || report.fault != EG_AUDIT_WHOLE || same_ids(known);
	eg_records_close(records);
	records = NULL;
	return good;
}

static void one_flipped_bit_in_any_page_is_noticed_or_harmless(void **state)
{
	(void)state;
	static const char *const names[PAGE_COUNT] = {"header",	    "table leaf", "table tree",
						      "index leaf", "index tree", "other"};
	size_t pages[PAGE_COUNT] = {0}, refused[PAGE_COUNT] = {0}, flips[PAGE_COUNT] = {0};
	struct eg_buf good, known;
	struct eg_err err = EG_ERR_INIT;
	faulty_off();
	queue_remove(DB);
	queue_open();
	eg_buf_init(&good, 64u << 20);
	eg_buf_init(&known, 1u << 20);
	for (uint64_t i = 0; i < ITEMS; i++) {
		struct eg_id one = put(i, 1500, NOW_MS + (int64_t)i);
		if (i % 4 == 3)
			acknowledge(&one, i, 1500);
		else
			assert_int_equal(eg_buf_put(&known, &one, sizeof(one)), 0);
	}
	qsort(known.data, known.size / EG_ID_SIZE, EG_ID_SIZE, compare_ids);
	eg_records_close(records);
	records = NULL;
	read_raw(DB, &good);
	for (size_t page = 0; page < good.size / RECORDS_PAGE_SIZE; page++) {
		enum page class = page_class(good.data + page * RECORDS_PAGE_SIZE, page);
		if (pages[class]++ >= 12)
			continue;
		for (size_t k = 0; k < 12; k++) {
			// The page's head, its cell pointers, then all over it.
			size_t byte = k < 8 ? k * 3 : (k * 2654435761u + page * 97) % 1024;
			size_t at = page * RECORDS_PAGE_SIZE + byte;
			uint8_t bit = (uint8_t)(1u << (k + page) % 8);
			bool stopped = false;
			queue_remove(DB);
			good.data[at] ^= bit;
			expect_ok(eg_file_write(DB, eg_buf_bytes(&good), 0660, &err), &err);
			if (!noticed_or_harmless(&known, &stopped))
				fail_msg("%s, page %zu byte %zu bit %d: nobody noticed",
					 names[class], page, byte, bit);
			good.data[at] ^= bit;
			flips[class]++;
			refused[class] += stopped;
		}
	}
	for (size_t i = 0; i < PAGE_COUNT; i++) {
		print_message("%s: %zu pages, %zu flips, %zu refused at opening\n", names[i],
			      pages[i], flips[i], refused[i]);
		assert_true(pages[i] > 0);
	}
	eg_buf_done(&good);
	eg_buf_done(&known);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_step_of_making_the_files_may_go_wrong),
		cmocka_unit_test(every_write_flush_cut_and_removal_may_go_wrong),
		cmocka_unit_test(read_only_file_system_is_said_and_nothing_is_replaced),
		cmocka_unit_test(deleted_log_is_found_by_a_head_from_before),
		cmocka_unit_test(signed_head_survives_a_deleted_log),
		cmocka_unit_test(one_flipped_bit_in_any_page_is_noticed_or_harmless),
	};
	return cmocka_run_group_tests(tests, set_up_all, tear_down_all);
}
