// SPDX-License-Identifier: Apache-2.0
//
// store/audit*.c: entries, heads, and every way to tamper with a chain. Tampering goes through the
// sqlite3 command, as it would on a stolen disk.
//
// How each was seen to fail stands in the table of store/README.md.

#include "queue.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "firmware/base/file.h"
#include "store/audit.h"

static struct eg_key *booth, *centre, *stranger;

static int set_up(void **state)
{
	booth = make_key();
	centre = make_key();
	stranger = make_key();
	return queue_set_up(state);
}

static int tear_down(void **state)
{
	eg_key_free(booth);
	eg_key_free(centre);
	eg_key_free(stranger);
	return queue_tear_down(state);
}

static struct eg_audit_report verify_against(const struct eg_audit_head *known)
{
	struct eg_trusted_key trusted = trust_in(centre);
	struct eg_audit_report report;
	struct eg_err err = EG_ERR_INIT;
	expect_ok(eg_audit_verify(records, eg_key_public(booth), &trusted, 1, known, &report, &err),
		  &err);
	return report;
}

static void expect_report(enum eg_audit_fault fault, uint64_t seq, uint64_t other)
{
	struct eg_audit_report report = verify_against(NULL);
	char text[256];
	eg_audit_sentence(&report, text, sizeof(text));
	if (report.fault != fault || report.seq != seq || report.other != other)
		fail_msg("%s %d %d: %s", eg_audit_fault_name(report.fault), (int)report.seq,
			 (int)report.other, text);
}

static void note(enum eg_audit_event event, uint64_t number)
{
	struct eg_audit_entry entry = {.event = event, .number = number, .wall_ms = NOW_MS};
	struct eg_err err = EG_ERR_INIT;
	fill(entry.digest, sizeof(entry.digest), number);
	expect_ok(eg_audit_note(records, &entry, &err), &err);
}

static struct eg_audit_head head_now(void)
{
	struct eg_audit_head head;
	struct eg_err err = EG_ERR_INIT;
	expect_ok(eg_audit_head(records, &head, &err), &err);
	return head;
}

// Entry `seq` as it lies there, hashed by the sha256sum command.
static void hash_outside(uint64_t seq, char ret_hex[2 * EG_SHA256_SIZE + 1])
{
	char command[256];
	struct eg_buf out;
	eg_buf_init(&out, 4096);
	(void)snprintf(command, sizeof(command),
		       "sqlite3 " DB " \"SELECT writefile('entry.bin', entry) FROM audit WHERE seq "
		       "= %d\" >/dev/null && sha256sum entry.bin",
		       (int)seq);
	assert_int_equal(run((const char *const[]){"sh", "-c", command, NULL}, &out), 0);
	memcpy(ret_hex, eg_buf_text(&out), 2 * EG_SHA256_SIZE);
	ret_hex[2 * EG_SHA256_SIZE] = '\0';
	eg_buf_done(&out);
}

static void tamper(const char *sql)
{
	expect_sqlite(sql, "");
}

static void ten_entries(void)
{
	for (uint64_t i = 1; i <= 10; i++)
		note(EG_AUDIT_MANIFEST_PUT, i);
}

static int keep_event(void *user, const struct eg_audit_entry *entry)
{
	struct eg_buf *text = user;
	return eg_buf_printf(text, "%s ", eg_audit_event_name(entry->event));
}

static void every_change_of_the_queue_is_in_the_chain_in_order(void **state)
{
	(void)state;
	struct eg_err err = EG_ERR_INIT;
	struct eg_buf text;
	eg_buf_init(&text, 4096);
	struct eg_id a = put(1, 3000, NOW_MS), b = put(2, 3000, NOW_MS);
	expect_ok(eg_records_bury(records, &b, "why", &err), &err);
	expect_ok(eg_records_resend(records, &b, &err), &err);
	acknowledge(&a, 1, 3000);
	expect_ok(eg_audit_list(records, 1, UINT64_MAX, keep_event, &text, &err), &err);
	assert_string_equal(eg_buf_text(&text),
			    "encounter_put encounter_put buried resent encounter_acknowledged "
			    "envelope_erased ");
	expect_report(EG_AUDIT_WHOLE, 0, 0);
	eg_buf_done(&text);
}

// What did not happen leaves no entry: both are one transaction.
static void refused_change_leaves_no_entry(void **state)
{
	(void)state;
	struct eg_err err = EG_ERR_INIT;
	struct eg_id a = put(1, 3000, NOW_MS);
	struct eg_ack ack = ack_for(&a, 2, 3000);
	expect_code(eg_records_acknowledge(records, &ack, NOW_MS, &err), EG_ECONFLICT, &err);
	expect_code(eg_records_put(records, &a, EG_BYTES("x", 1), NOW_MS, &err), EG_ECONFLICT,
		    &err);
	struct eg_id none = make_id();
	expect_code(eg_records_bury(records, &none, "why", &err), EG_ENOENT, &err);
	expect_code(eg_records_resend(records, &a, &err), EG_ENOENT, &err);
	assert_int_equal(head_now().count, 1);
}

static void each_entry_holds_the_digest_of_the_one_before(void **state)
{
	(void)state;
	char hex[2 * EG_SHA256_SIZE + 1], ours[2 * EG_SHA256_SIZE + 1], sql[256];
	ten_entries();
	struct eg_audit_head head = head_now();
	hash_outside(10, hex);
	eg_hex(head.digest, sizeof(head.digest), ours);
	assert_string_equal(ours, hex);
	for (uint64_t seq = 1; seq < 10; seq++) {
		hash_outside(seq, hex);
		(void)snprintf(sql, sizeof(sql),
			       "SELECT instr(entry, unhex('%s')) > 0 FROM audit WHERE seq = %d",
			       hex, (int)seq + 1);
		expect_sqlite(sql, "1\n");
	}
	(void)unlink("entry.bin");
}

// Entry `seq` replaced by other bytes, behind our back.
static void replace(sqlite3 *db, int seq, const uint8_t *bytes, size_t size)
{
	sqlite3_stmt *stmt = NULL;
	assert_int_equal(sqlite3_prepare_v2(db, "UPDATE audit SET entry = ?1 WHERE seq = ?2", -1,
					    &stmt, NULL),
			 SQLITE_OK);
	assert_int_equal(sqlite3_bind_blob(stmt, 1, bytes, (int)size, SQLITE_TRANSIENT), SQLITE_OK);
	assert_int_equal(sqlite3_bind_int(stmt, 2, seq), SQLITE_OK);
	assert_int_equal(sqlite3_step(stmt), SQLITE_DONE);
	assert_int_equal(sqlite3_finalize(stmt), SQLITE_OK);
}

static size_t entry_bytes(sqlite3 *db, int seq, uint8_t *bytes, size_t room)
{
	sqlite3_stmt *stmt = NULL;
	assert_int_equal(sqlite3_prepare_v2(db, "SELECT entry FROM audit WHERE seq = ?1", -1, &stmt,
					    NULL),
			 SQLITE_OK);
	assert_int_equal(sqlite3_bind_int(stmt, 1, seq), SQLITE_OK);
	assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
	size_t size = (size_t)sqlite3_column_bytes(stmt, 0);
	assert_true(size <= room);
	memcpy(bytes, sqlite3_column_blob(stmt, 0), size);
	assert_int_equal(sqlite3_finalize(stmt), SQLITE_OK);
	return size;
}

static void changed_entry_is_named_wherever_it_stands(void **state)
{
	(void)state;
	static const int at[] = {1, 2, 5, 9, 10};
	sqlite3 *db = NULL;
	uint8_t bytes[512];
	size_t named = 0;
	ten_entries();
	assert_int_equal(sqlite3_open(DB, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "PRAGMA synchronous = OFF", NULL, NULL, NULL), SQLITE_OK);
	for (size_t i = 0; i < 5; i++) {
		size_t size = entry_bytes(db, at[i], bytes, sizeof(bytes));
		for (size_t bit = 0; bit < 8 * size; bit += 3) {
			bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
			replace(db, at[i], bytes, size);
			bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
			struct eg_audit_report report = verify_against(NULL);
			bool renumbered = report.fault == EG_AUDIT_REORDERED; // its own number
			if ((report.fault != EG_AUDIT_CHANGED && !renumbered) ||
			    report.seq != (uint64_t)at[i])
				fail_msg("entry %d bit %zu: %s %d", at[i], bit,
					 eg_audit_fault_name(report.fault), (int)report.seq);
			named += !renumbered;
		}
		replace(db, at[i], bytes, size);
		expect_report(EG_AUDIT_WHOLE, 0, 0);
	}
	assert_true(named > 500);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

static void missing_reordered_and_cut_entries_are_named(void **state)
{
	(void)state;
	ten_entries();
	tamper("CREATE TABLE spare AS SELECT * FROM audit");
	tamper("DELETE FROM audit WHERE seq = 4");
	expect_report(EG_AUDIT_MISSING, 4, 0);
	tamper("DELETE FROM audit; INSERT INTO audit SELECT * FROM spare WHERE seq > 1");
	expect_report(EG_AUDIT_MISSING, 1, 0);
	// Closed up, so that no number is missing.
	tamper("DELETE FROM audit; INSERT INTO audit SELECT seq - (seq > 4), entry FROM spare "
	       "WHERE seq <> 4");
	expect_report(EG_AUDIT_REORDERED, 4, 5);
	tamper("DELETE FROM audit; INSERT INTO audit SELECT CASE seq WHEN 6 THEN 7 WHEN 7 THEN 6 "
	       "ELSE seq END, entry FROM spare");
	expect_report(EG_AUDIT_REORDERED, 6, 7);
	tamper("DELETE FROM audit; INSERT INTO audit SELECT * FROM spare WHERE seq < 8");
	expect_report(EG_AUDIT_TRUNCATED, 8, 10);
	tamper("DELETE FROM audit");
	expect_report(EG_AUDIT_TRUNCATED, 1, 10);
	tamper("INSERT INTO audit SELECT * FROM spare; INSERT INTO audit SELECT 11, entry FROM "
	       "spare WHERE seq = 10");
	expect_report(EG_AUDIT_REORDERED, 11, 10);
	tamper("DELETE FROM audit WHERE seq = 11; UPDATE audit_head SET count = 9");
	expect_report(EG_AUDIT_CHANGED, 10, 0);
}

static void seal_head(bool expected)
{
	struct eg_err err = EG_ERR_INIT;
	bool grown = !expected;
	expect_ok(eg_audit_seal(records, "lane-12", booth, &grown, &err), &err);
	assert_int_equal(grown, expected);
}

// The centre's part: verify, countersign.
static uint64_t countersign(void)
{
	struct eg_trusted_key trusted = trust_in(centre);
	struct eg_audit_head head, again;
	struct eg_err err = EG_ERR_INIT;
	struct eg_buf message, receipt;
	uint64_t count = 0;
	eg_buf_init(&message, 4096);
	eg_buf_init(&receipt, 4096);
	expect_ok(eg_audit_unsent(records, &count, &message, &err), &err);
	expect_ok(eg_audit_verify_head(eg_buf_bytes(&message), eg_key_public(booth), &head, &err),
		  &err);
	assert_int_equal(head.count, count);
	assert_string_equal(head.booth, "lane-12");
	expect_ok(eg_audit_sign_receipt(&head, centre, &receipt, &err), &err);
	expect_ok(eg_audit_verify_receipt(eg_buf_bytes(&receipt), &trusted, 1, &again, &err), &err);
	expect_ok(eg_audit_put_receipt(records, &again, eg_buf_bytes(&receipt), &err), &err);
	assert_int_equal(eg_audit_unsent(records, &count, &message, &err), EG_ENOENT);
	eg_buf_done(&message);
	eg_buf_done(&receipt);
	return head.count;
}

static void chain_cut_back_before_a_countersigned_head_is_found(void **state)
{
	(void)state;
	ten_entries();
	seal_head(true);
	seal_head(false);
	assert_int_equal(countersign(), 10);
	struct eg_audit_head known = head_now();
	note(EG_AUDIT_BOOT, EG_AUDIT_BOOTHD);
	struct eg_audit_report report = verify_against(NULL);
	assert_int_equal(report.fault, EG_AUDIT_WHOLE);
	assert_int_equal(report.entries, 11);
	assert_int_equal(report.countersigned_to, 10);
	// Cut with its head made to fit: only the receipt tells.
	tamper("CREATE TABLE spare AS SELECT * FROM audit");
	tamper("DELETE FROM audit WHERE seq > 7");
	char hex[2 * EG_SHA256_SIZE + 1], sql[256];
	hash_outside(7, hex);
	(void)unlink("entry.bin");
	(void)snprintf(sql, sizeof(sql), "UPDATE audit_head SET count = 7, digest = unhex('%s')",
		       hex);
	tamper(sql);
	expect_report(EG_AUDIT_TRUNCATED, 8, 10);
	// The receipt taken away too: then the head that the centre keeps tells.
	tamper("DELETE FROM audit_signed");
	expect_report(EG_AUDIT_WHOLE, 0, 0);
	report = verify_against(&known);
	assert_int_equal(report.fault, EG_AUDIT_TRUNCATED);
	assert_int_equal(report.seq, 8);
	assert_int_equal(report.other, 10);
}

// A chain of one's own that is right in itself, under a head that was signed.
static void rewritten_chain_does_not_lead_to_the_signed_head(void **state)
{
	(void)state;
	ten_entries();
	seal_head(true);
	tamper("DELETE FROM audit; UPDATE audit_head SET count = 0, digest = zeroblob(32)");
	for (uint64_t i = 1; i <= 12; i++)
		note(EG_AUDIT_MANIFEST_PUT, i == 3 ? 99 : i);
	expect_report(EG_AUDIT_REWRITTEN, 1, 10);
}

static void forged_head_and_receipt_are_refused(void **state)
{
	(void)state;
	struct eg_err err = EG_ERR_INIT;
	struct eg_trusted_key trusted = trust_in(centre);
	struct eg_buf message;
	char *sql = NULL, hex[2048];
	eg_buf_init(&message, 512);
	ten_entries();
	seal_head(true);
	struct eg_audit_head head = head_now(), back;
	(void)snprintf(head.booth, sizeof(head.booth), "lane-12");
	head.wall_ms = NOW_MS;
	expect_ok(eg_audit_sign_head(&head, stranger, &message, &err), &err);
	expect_code(eg_audit_verify_head(eg_buf_bytes(&message), eg_key_public(booth), &back, &err),
		    EG_EAUTH, &err);
	eg_hex(message.data, message.size, hex);
	assert_true(asprintf(&sql, "UPDATE audit_signed SET message = unhex('%s')", hex) > 0);
	tamper(sql);
	free(sql);
	expect_report(EG_AUDIT_FORGED, 10, 0);
	// The booth's own signature is no receipt.
	eg_buf_reset(&message);
	expect_ok(eg_audit_sign_head(&head, centre, &message, &err), &err);
	expect_code(eg_audit_verify_receipt(eg_buf_bytes(&message), &trusted, 1, &back, &err),
		    EG_EAUTH, &err);
	eg_buf_done(&message);
}

static void receipt_of_another_chain_is_not_kept(void **state)
{
	(void)state;
	struct eg_err err = EG_ERR_INIT;
	ten_entries();
	seal_head(true);
	struct eg_audit_head head = head_now();
	head.count = 9;
	expect_code(eg_audit_put_receipt(records, &head, EG_BYTES("x", 1), &err), EG_ENOENT, &err);
	head = head_now();
	head.digest[0] ^= 1;
	expect_code(eg_audit_put_receipt(records, &head, EG_BYTES("x", 1), &err), EG_ECONFLICT,
		    &err);
}

static void heads_that_wait_for_the_link_do_not_pile_up(void **state)
{
	(void)state;
	for (uint64_t i = 0; i < 40; i++) {
		note(EG_AUDIT_BOOT, EG_AUDIT_SYNCD);
		seal_head(true);
	}
	expect_sqlite("SELECT count(*), min(count), max(count) FROM audit_signed", "16|25|40\n");
	assert_int_equal(countersign(), 40);
	expect_sqlite("SELECT count(*) FROM audit_signed", "1\n");
}

static void encounter_that_vanished_from_the_queue_is_named(void **state)
{
	(void)state;
	struct eg_id a = put(1, 3000, NOW_MS), b = put(2, 3000, NOW_MS);
	acknowledge(&a, 1, 3000);
	tamper("DELETE FROM receipt"); // a receipt may go: the chain says that it was erased
	expect_report(EG_AUDIT_WHOLE, 0, 0);
	tamper("DELETE FROM envelope; DELETE FROM item");
	struct eg_audit_report report = verify_against(NULL);
	assert_int_equal(report.fault, EG_AUDIT_LOST);
	assert_int_equal(report.seq, 2);
	assert_int_equal(eg_id_compare(&report.subject, &b), 0);
}

static void every_event_keeps_its_fields_and_takes_no_other(void **state)
{
	(void)state;
	for (int event = EG_AUDIT_BOOT; event < EG_AUDIT_EVENT_COUNT; event++) {
		struct eg_audit_entry entry = {
			.seq = 7, .event = (enum eg_audit_event)event, .number = 300};
		struct eg_audit_entry back;
		struct eg_err err = EG_ERR_INIT;
		struct eg_buf out;
		eg_buf_init(&out, 1024);
		entry.wall_ms = -5;
		entry.subject = make_id();
		fill(entry.before, sizeof(entry.before), 4);
		assert_int_equal(eg_actor_of("anna", &entry.actor), 0);
		assert_int_equal(eg_audit_encode(&entry, &out), 0);
		expect_ok(eg_audit_decode(eg_buf_bytes(&out), &back, &err), &err);
		assert_int_equal(back.event, event);
		assert_int_equal(back.wall_ms, -5);
		assert_memory_equal(back.before, entry.before, sizeof(back.before));
		for (size_t i = 0; i < out.size; i++)
			assert_int_equal(eg_audit_decode(EG_BYTES(out.data, i), &back, &err),
					 EG_EINVAL);
		assert_int_equal(eg_buf_put_u8(&out, 0), 0);
		assert_int_equal(eg_audit_decode(eg_buf_bytes(&out), &back, &err), EG_EINVAL);
		assert_string_not_equal(eg_audit_event_name((enum eg_audit_event)event), "unknown");
		eg_buf_done(&out);
	}
	struct eg_actor anna, ben;
	assert_int_equal(eg_actor_of("anna", &anna), 0);
	assert_int_equal(eg_actor_of("ben", &ben), 0);
	assert_memory_not_equal(&anna, &ben, sizeof(anna));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
		CASE(every_change_of_the_queue_is_in_the_chain_in_order),
		CASE(refused_change_leaves_no_entry),
		CASE(each_entry_holds_the_digest_of_the_one_before),
		CASE(changed_entry_is_named_wherever_it_stands),
		CASE(missing_reordered_and_cut_entries_are_named),
		CASE(chain_cut_back_before_a_countersigned_head_is_found),
		CASE(rewritten_chain_does_not_lead_to_the_signed_head),
		CASE(forged_head_and_receipt_are_refused),
		CASE(receipt_of_another_chain_is_not_kept),
		CASE(heads_that_wait_for_the_link_do_not_pile_up),
		CASE(encounter_that_vanished_from_the_queue_is_named),
		CASE(every_event_keeps_its_fields_and_takes_no_other),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
