// SPDX-License-Identifier: Apache-2.0
//
// store/retention.c and records_hold.c: images, receipts and holds go when their time is over,
// whatever the clock does; the record stays, opens at the centre and says why.
//
// How each was seen to fail stands in the table of store/README.md.

#include "queue.h"

#include <math.h>
#include <string.h>

#include "store/records_internal.h"

#define HOUR_MS (3600 * 1000LL)
#define FACE	20000

static struct eg_key *booth, *centre;
static struct eg_clock clock_;
static struct eg_actor anna, ben;
static uint8_t face[FACE];

static int set_up(void **state)
{
	booth = make_key();
	centre = make_key();
	int r = queue_set_up(state);
	eg_clock_fake_init(&clock_, 10 * EG_MS_PER_S * EG_NS_PER_MS, NOW_MS);
	eg_records_set_clock(records, &clock_);
	assert_int_equal(eg_actor_of("anna", &anna), 0);
	assert_int_equal(eg_actor_of("ben", &ben), 0);
	return r;
}

static int tear_down(void **state)
{
	eg_key_free(booth);
	eg_key_free(centre);
	return queue_tear_down(state);
}

// A real envelope; `seed` makes the face.
static struct eg_id put_face(uint64_t seed, enum eg_citizenship class, struct eg_buf *out)
{
	struct eg_encounter e = {.booth = "lane-12",
				 .mode = EG_MODE_IDENTIFY,
				 .score = (double)NAN,
				 .threshold = (double)NAN,
				 .error_target = (double)NAN,
				 .notice = "1",
				 .citizenship = class,
				 .face = EG_BYTES(face, sizeof(face))};
	struct eg_err err = EG_ERR_INIT;
	fill(face, sizeof(face), seed);
	e.id = make_id();
	eg_buf_reset(out);
	expect_ok(eg_encounter_seal(&e, booth, eg_key_public(centre), out, &err), &err);
	expect_ok(eg_records_put(records, &e.id, eg_buf_bytes(out), eg_wall_ms(&clock_), &err),
		  &err);
	return e.id;
}

static uint64_t purge(void)
{
	struct eg_purged purged;
	struct eg_err err = EG_ERR_INIT;
	expect_ok(eg_records_purge(records, &eg_policy_defaults, &purged, &err), &err);
	return purged.images;
}

static void expect_chain_whole(void)
{
	struct eg_audit_report report;
	struct eg_err err = EG_ERR_INIT;
	expect_ok(eg_audit_verify(records, NULL, NULL, 0, NULL, &report, &err), &err);
	assert_int_equal(report.fault, EG_AUDIT_WHOLE);
}

static void record_outlives_its_image_and_says_why(void **state)
{
	(void)state;
	struct eg_err err = EG_ERR_INIT;
	struct eg_encounter e;
	struct eg_queued item;
	struct eg_buf whole, plain;
	int64_t when = 0;
	eg_buf_init(&whole, EG_ENVELOPE_MAX);
	eg_buf_init_secret(&plain, EG_ENVELOPE_MAX);
	struct eg_id id = put_face(1, EG_VISITOR, &whole);
	eg_clock_fake_advance(&clock_, 12 * HOUR_MS - 1000);
	assert_int_equal(purge(), 0);
	eg_clock_fake_advance(&clock_, 1000);
	assert_int_equal(purge(), 1);
	assert_int_equal(purge(), 0);
	expect_ok(eg_records_next(records, eg_wall_ms(&clock_), LIVE, &item, &envelope, &when,
				  &err),
		  &err);
	assert_int_equal(eg_id_compare(&item.id, &id), 0);
	expect_ok(eg_encounter_open(eg_buf_bytes(&envelope), centre, "lane-12",
				    eg_key_public(booth), &plain, &e, &err),
		  &err);
	assert_int_equal(e.image, EG_FACE_EXPIRED);
	assert_int_equal(facts().queued, 1);
	assert_int_equal(facts().bytes, envelope.size);
	struct eg_ack ack = {.id = id, .booth = "lane-12"};
	memcpy(ack.digest, item.digest, sizeof(ack.digest));
	expect_ok(eg_records_acknowledge(records, &ack, NOW_MS, &err), &err);
	assert_int_equal(facts().bytes, 0);
	expect_chain_whole();
	eg_buf_done(&plain);
	eg_buf_done(&whole);
}

// Sent, stored at the centre, acknowledgement lost; then the image's time is over.
static void late_acknowledgement_of_the_whole_envelope_counts(void **state)
{
	(void)state;
	struct eg_err err = EG_ERR_INIT;
	struct eg_queued item;
	struct eg_buf whole;
	int64_t when = 0;
	eg_buf_init(&whole, EG_ENVELOPE_MAX);
	struct eg_ack ack = {.id = put_face(1, EG_VISITOR, &whole), .booth = "lane-12"};
	assert_int_equal(eg_sha256(eg_buf_bytes(&whole), ack.digest), 0);
	eg_clock_fake_advance(&clock_, 13 * HOUR_MS);
	assert_int_equal(purge(), 1);
	expect_ok(eg_records_next(records, eg_wall_ms(&clock_), LIVE, &item, &envelope, &when,
				  &err),
		  &err);
	assert_memory_equal(item.whole, ack.digest, sizeof(ack.digest));
	assert_memory_not_equal(item.digest, ack.digest, sizeof(ack.digest));
	expect_ok(eg_records_acknowledge(records, &ack, NOW_MS, &err), &err);
	assert_int_equal(facts().queued, 0);
	eg_buf_done(&whole);
}

static size_t pieces_in(const struct eg_buf *raw, const struct eg_buf *of, size_t from)
{
	size_t found = 0;
	for (size_t i = from; i + 16 <= of->size; i += 112) // far closer than a page
		found += memmem(raw->data, raw->size, of->data + i, 16) != NULL;
	return found;
}

// The sealed bytes too, not only the face: a key that leaks later opens nothing.
static void expired_image_is_in_no_raw_file_any_more(void **state)
{
	(void)state;
	enum {
		COUNT = 90 // more than one transaction's worth
	};
	static struct eg_buf whole[COUNT];
	struct eg_buf raw;
	eg_buf_init(&raw, 64u << 20);
	for (size_t i = 0; i < COUNT; i++) {
		eg_buf_init(&whole[i], EG_ENVELOPE_MAX);
		(void)put_face(i, EG_RESIDENT, &whole[i]);
	}
	struct eg_err err = EG_ERR_INIT;
	struct eg_id dead;
	memcpy(dead.bytes, whole[7].data + 12, EG_ID_SIZE); // refused ones expire as well
	expect_ok(eg_records_bury(records, &dead, "why", &err), &err);
	read_raw(DB, &raw);
	read_raw(DB "-wal", &raw);
	assert_true(pieces_in(&raw, &whole[COUNT - 1], 1000) > 100);
	eg_clock_fake_advance(&clock_, 13 * HOUR_MS);
	assert_int_equal(purge(), COUNT);
	assert_false(facts().erasure_due);
	eg_buf_reset(&raw);
	read_raw(DB, &raw);
	read_raw(DB "-wal", &raw);
	for (size_t i = 0; i < COUNT; i++) {
		size_t left = pieces_in(&raw, &whole[i], 1000);
		if (left != 0)
			fail_msg("%zu pieces of image %zu are left", left, i);
		eg_buf_done(&whole[i]);
	}
	assert_int_equal(facts().queued, COUNT - 1);
	assert_int_equal(facts().dead, 1);
	expect_chain_whole();
	expect_sqlite("PRAGMA integrity_check", "ok\n");
	eg_buf_done(&raw);
}

static void class_of_zero_seconds_goes_at_once_and_others_stay(void **state)
{
	(void)state;
	struct eg_policy policy = eg_policy_defaults;
	struct eg_purged purged;
	struct eg_err err = EG_ERR_INIT;
	struct eg_buf whole;
	eg_buf_init(&whole, EG_ENVELOPE_MAX);
	(void)put_face(1, EG_CITIZEN, &whole);
	(void)put_face(2, EG_VISITOR, &whole);
	policy.retention.seconds[EG_DATA_IMAGE - 1][EG_CITIZEN - 1] = 0;
	expect_ok(eg_records_purge(records, &policy, &purged, &err), &err);
	assert_int_equal(purged.images, 1);
	expect_sqlite("SELECT class, image FROM item ORDER BY seq", "1|0\n3|1\n");
	eg_buf_done(&whole);
}

static int64_t left_of_hold;
static int keep_left(void *user, const struct eg_hold *hold)
{
	(void)user;
	left_of_hold = hold->left_ms;
	return hold->reason == EG_HOLD_COMPLAINT ? 0 : 1;
}

static void hold_of_two_people_keeps_an_image_until_its_end(void **state)
{
	(void)state;
	const struct eg_policy *policy = &eg_policy_defaults;
	static const struct eg_actor nobody;
	struct eg_err err = EG_ERR_INIT;
	struct eg_id hold, none = make_id();
	struct eg_buf whole;
	eg_buf_init(&whole, EG_ENVELOPE_MAX);
	struct eg_id a = put_face(1, EG_VISITOR, &whole), b = put_face(2, EG_VISITOR, &whole);
#define HOLD(id, reason, x, y, s) \
	eg_records_hold(records, policy, &(id), (reason), &(x), &(y), (s), &hold, &err)
	expect_code(HOLD(a, EG_HOLD_COMPLAINT, anna, anna, 10), EG_EINVAL, &err);
	expect_code(HOLD(a, EG_HOLD_COMPLAINT, anna, nobody, 10), EG_EINVAL, &err);
	expect_code(HOLD(a, (enum eg_hold_reason)0, anna, ben, 10), EG_EINVAL, &err);
	expect_code(HOLD(a, EG_HOLD_COMPLAINT, anna, ben, 0), EG_EINVAL, &err);
	expect_code(HOLD(a, EG_HOLD_COMPLAINT, anna, ben, policy->hold_max_s + 1), EG_EINVAL, &err);
	expect_code(HOLD(none, EG_HOLD_COMPLAINT, anna, ben, 10), EG_ENOENT, &err);
	expect_ok(HOLD(a, EG_HOLD_COMPLAINT, anna, ben, 20 * 3600), &err);
	expect_ok(HOLD(b, EG_HOLD_COMPLAINT, ben, anna, 20 * 3600), &err);
	expect_ok(eg_records_holds(records, keep_left, NULL, &err), &err);
	assert_int_equal(left_of_hold, 20 * HOUR_MS);
	eg_clock_fake_advance(&clock_, 13 * HOUR_MS);
	assert_int_equal(purge(), 0);
	expect_ok(eg_records_hold_end(records, &hold, &anna, &err), &err);
	expect_code(eg_records_hold_end(records, &hold, &anna, &err), EG_ENOENT, &err);
	assert_int_equal(purge(), 1); // b's
	eg_clock_fake_advance(&clock_, 7 * HOUR_MS);
	assert_int_equal(purge(), 1); // a's hold is over by itself
	expect_sqlite("SELECT count(*) FROM hold", "0\n");
	expect_chain_whole();
	eg_buf_done(&whole);
}

static void receipts_go_after_their_time(void **state)
{
	(void)state;
	struct eg_purged purged;
	struct eg_err err = EG_ERR_INIT;
	struct eg_id a = put(1, 3000, NOW_MS);
	acknowledge(&a, 1, 3000);
	eg_clock_fake_advance(&clock_, 30 * 24 * HOUR_MS - 1);
	expect_ok(eg_records_purge(records, &eg_policy_defaults, &purged, &err), &err);
	assert_int_equal(purged.receipts, 0);
	eg_clock_fake_advance(&clock_, 1);
	expect_ok(eg_records_purge(records, &eg_policy_defaults, &purged, &err), &err);
	assert_int_equal(purged.receipts, 1);
	expect_chain_whole();
}

// Steps: new boot?, boot ms, wall hours since NOW, booth hours expected.
static void booth_time_survives_reboots_and_clocks_that_are_set(void **state)
{
	(void)state;
	static const struct {
		int boot;
		double boot_h, wall_h, expected_h;
		const char *why;
	} steps[] = {
		{1, 1, 0, 0, "first"},
		{1, 2, 1, 1, "running"},
		{2, 0, 4, 4, "off for three hours"},
		{2, 1, -8755, 5, "set back a year"},
		{2, 3, -8753, 7, "running on, set back"},
		{3, 0, -8751, 9, "off for two hours, still set back"},
		{3, 1, 10, 10, "set right again"},
		{4, 0.5, -400000, 10.5, "no clock at boot"},
		{4, 1, 30, 30, "set by the network: it had been off for long"},
		{5, 0.25, 30.25, 30.25, "off and on"},
		{5, 1, 8790, 8790, "set forward a year: counts"},
		{5, 2, 32, 8791, "and right again"},
		{6, 1, 40, 8799, "off for eight hours after that"},
	};
	struct eg_age age = {0};
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		struct eg_moment now = {.boot_ms = (int64_t)(steps[i].boot_h * (double)HOUR_MS),
					.wall_ms = NOW_MS +
						   (int64_t)(steps[i].wall_h * (double)HOUR_MS)};
		int64_t before = age.now_ms;
		memset(now.boot, steps[i].boot, sizeof(now.boot));
		eg_age_step(&age, &now);
		int64_t expected = (int64_t)(steps[i].expected_h * (double)HOUR_MS);
		if (age.now_ms != expected)
			fail_msg("%s: %.2f h instead of %.2f", steps[i].why,
				 (double)age.now_ms / (double)HOUR_MS, steps[i].expected_h);
		assert_true(age.now_ms >= before);
	}
}

static void image_expires_on_time_across_a_reboot_with_the_clock_set_back(void **state)
{
	(void)state;
	struct eg_err err = EG_ERR_INIT;
	struct eg_buf whole;
	eg_buf_init(&whole, EG_ENVELOPE_MAX);
	(void)put_face(1, EG_VISITOR, &whole);
	eg_clock_fake_advance(&clock_, 5 * HOUR_MS);
	expect_ok(eg_records_tick(records, &err), &err);
	eg_records_close(records);
	queue_open();
	eg_clock_fake_init(&clock_, 0, NOW_MS - 8760 * HOUR_MS);
	eg_records_set_clock(records, &clock_);
	memset(records->boot, 7, sizeof(records->boot));
	eg_clock_fake_advance(&clock_, 7 * HOUR_MS - 1000);
	assert_int_equal(purge(), 0);
	eg_clock_fake_advance(&clock_, 1000);
	assert_int_equal(purge(), 1);
	eg_buf_done(&whole);
}

// Its bytes cannot be cut, so they go whole; the chain says so and the item is never sent.
static void damaged_envelope_is_erased_when_its_image_is_due(void **state)
{
	(void)state;
	struct eg_buf whole;
	eg_buf_init(&whole, EG_ENVELOPE_MAX);
	(void)put_face(1, EG_VISITOR, &whole);
	expect_sqlite("UPDATE envelope SET body = CAST(substr(body, 1, 500) || x'00' || "
		      "substr(body, 502) AS BLOB)",
		      "");
	eg_clock_fake_advance(&clock_, 13 * HOUR_MS);
	assert_int_equal(purge(), 1);
	expect_sqlite("SELECT count(*) FROM envelope", "0\n");
	expect_none(eg_wall_ms(&clock_), 0);
	assert_int_equal(facts().dead, 1);
	eg_buf_done(&whole);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
		CASE(record_outlives_its_image_and_says_why),
		CASE(late_acknowledgement_of_the_whole_envelope_counts),
		CASE(expired_image_is_in_no_raw_file_any_more),
		CASE(class_of_zero_seconds_goes_at_once_and_others_stay),
		CASE(hold_of_two_people_keeps_an_image_until_its_end),
		CASE(receipts_go_after_their_time),
		CASE(booth_time_survives_reboots_and_clocks_that_are_set),
		CASE(image_expires_on_time_across_a_reboot_with_the_clock_set_back),
		CASE(damaged_envelope_is_erased_when_its_image_is_due),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
