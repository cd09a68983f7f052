// SPDX-License-Identifier: Apache-2.0
//
// store/decision.c and eg_records_put_decision: what officers decide, sealed, queued and named in
// the chain.

#include "queue.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "firmware/base/file.h"
#include "store/parse.h"
#include "store/retention.h"

static struct eg_key *centre, *booth, *stranger;

static int set_up(void **state)
{
	centre = make_key();
	booth = make_key();
	stranger = make_key();
	return queue_set_up(state);
}

static int tear_down(void **state)
{
	eg_key_free(centre);
	eg_key_free(booth);
	eg_key_free(stranger);
	return queue_tear_down(state);
}

static struct eg_decision_record sample(void)
{
	struct eg_decision_record record = {
		.booth = "lane-12",
		.decision = EG_DECISION_WRONG_PERSON,
		.reason = EG_REASON_LOOK_ALIKE,
		.decided_ms = NOW_MS,
		.by = "4711",
		.second = "s.chief",
	};
	record.id = make_id();
	record.encounter = make_id();
	return record;
}

static void seal(const struct eg_decision_record *record, struct eg_buf *out)
{
	struct eg_err err = EG_ERR_INIT;
	eg_buf_init(out, EG_ENVELOPE_MAX);
	expect_ok(eg_decision_seal(record, booth, eg_key_public(centre), out, &err), &err);
}

static int open_it(struct eg_bytes sealed, struct eg_decision_record *back, struct eg_err *err)
{
	return eg_decision_open(sealed, centre, "lane-12", eg_key_public(booth), back, err);
}

static void expect_same(const struct eg_decision_record *a, const struct eg_decision_record *b)
{
	assert_memory_equal(&a->id, &b->id, sizeof(a->id));
	assert_memory_equal(&a->encounter, &b->encounter, sizeof(a->encounter));
	assert_string_equal(a->booth, b->booth);
	assert_int_equal(a->decision, b->decision);
	assert_int_equal(a->reason, b->reason);
	assert_int_equal(a->decided_ms, b->decided_ms);
	assert_string_equal(a->by, b->by);
	assert_string_equal(a->second, b->second);
}

static void sealed_decision_opens_at_the_centre_with_every_field(void **state)
{
	(void)state;
	for (int two = 0; two < 2; two++) {
		struct eg_decision_record record = sample(), back;
		struct eg_err err = EG_ERR_INIT;
		struct eg_buf sealed;
		if (two == 0)
			record.second[0] = '\0';
		seal(&record, &sealed);
		expect_ok(open_it(eg_buf_bytes(&sealed), &back, &err), &err);
		expect_same(&back, &record);
		eg_buf_done(&sealed);
	}
}

// Field by field, by a CBOR reader of another make (the actors from the definition in audit.h).
static void python_reads_the_same_record(void **state)
{
	(void)state;
	struct eg_decision_record record = sample();
	struct eg_err err = EG_ERR_INIT;
	struct eg_buf payload, out;
	char script[512], id[2 * EG_ID_SIZE + 1], encounter[2 * EG_ID_SIZE + 1], expected[1024];
	const char *source = getenv("EGRESS_SOURCE");
	if (source == NULL)
		skip();
	eg_buf_init(&payload, 1024);
	eg_buf_init(&out, 4096);
	expect_ok(eg_decision_write(&record, &payload, &err), &err);
	expect_ok(eg_file_write("decision.bin", eg_buf_bytes(&payload), 0600, &err), &err);
	(void)snprintf(script, sizeof(script),
		       "import sys,hashlib;sys.path.insert(0,'%s/tests/store')\n"
		       "from cose import whole\n"
		       "m=whole(open('decision.bin','rb').read())\n"
		       "actor=lambda a:hashlib.sha256(b'egress/actor/v1\\0'+a).digest()[:8]\n"
		       "assert m[6]==actor(b'4711') and m[7]==actor(b's.chief')\n"
		       "print(m[1].hex(),m[2].hex(),m[3],m[4],m[5],m[8],m[9],m[10],len(m))\n",
		       source);
	assert_int_equal(run((const char *const[]){"python3", "-B", "-c", script, NULL}, &out), 0);
	eg_hex(record.id.bytes, EG_ID_SIZE, id);
	eg_hex(record.encounter.bytes, EG_ID_SIZE, encounter);
	(void)snprintf(expected, sizeof(expected), "%s %s lane-12 5 4 %lld 4711 s.chief 10\n", id,
		       encounter, NOW_MS);
	assert_string_equal(eg_buf_text(&out), expected);
	eg_buf_done(&out);
	eg_buf_done(&payload);
}

static void envelope_shows_kind_and_ids_and_nothing_else(void **state)
{
	(void)state;
	struct eg_decision_record record = sample();
	struct eg_envelope_facts facts;
	struct eg_err err = EG_ERR_INIT;
	uint8_t kid[EG_KID_SIZE];
	struct eg_buf sealed, dropped;
	seal(&record, &sealed);
	eg_buf_init(&dropped, EG_ENVELOPE_MAX);
	expect_ok(eg_envelope_inspect(eg_buf_bytes(&sealed), &facts, &err), &err);
	eg_kid(eg_key_public(centre), kid);
	assert_int_equal(facts.kind, EG_ENVELOPE_DECISION);
	assert_memory_equal(&facts.id, &record.id, sizeof(facts.id));
	assert_memory_equal(facts.kid, kid, sizeof(kid));
	assert_int_equal(facts.image, EG_FACE_NONE);
	assert_null(memmem(sealed.data, sealed.size, record.encounter.bytes, EG_ID_SIZE));
	assert_null(memmem(sealed.data, sealed.size, "4711", 4));
	assert_null(memmem(sealed.data, sealed.size, "lane", 4));
	expect_code(eg_envelope_drop_image(eg_buf_bytes(&sealed), EG_FACE_EXPIRED, &dropped, &err),
		    EG_ENOENT, &err);
	assert_true(eg_envelope_same_record(eg_buf_bytes(&sealed), eg_buf_bytes(&sealed)));
	eg_buf_done(&dropped);
	eg_buf_done(&sealed);
}

static void wrong_key_booth_signer_or_kind_is_refused(void **state)
{
	(void)state;
	struct eg_decision_record record = sample(), back;
	struct eg_err err = EG_ERR_INIT;
	struct eg_encounter encounter;
	struct eg_buf sealed, plain;
	seal(&record, &sealed);
	struct eg_bytes bytes = eg_buf_bytes(&sealed);
	const uint8_t *signer = eg_key_public(booth);
	expect_code(eg_decision_open(bytes, booth, "lane-12", signer, &back, &err), EG_EAUTH, &err);
	expect_code(eg_decision_open(bytes, centre, "lane-13", signer, &back, &err), EG_EAUTH,
		    &err);
	expect_code(eg_decision_open(bytes, centre, "lane-12", eg_key_public(stranger), &back,
				     &err),
		    EG_EAUTH, &err);
	eg_buf_init_secret(&plain, EG_ENVELOPE_MAX);
	expect_code(eg_encounter_open(bytes, centre, "lane-12", signer, &plain, &encounter, &err),
		    EG_EINVAL, &err);
	eg_buf_done(&plain);
	eg_buf_done(&sealed);
}

static void every_changed_missing_or_extra_byte_is_refused(void **state)
{
	(void)state;
	struct eg_decision_record record = sample(), back;
	struct eg_err err = EG_ERR_INIT;
	struct eg_buf sealed;
	seal(&record, &sealed);
	for (size_t i = 0; i < sealed.size; i++) {
		sealed.data[i] ^= 0x04;
		assert_int_not_equal(open_it(eg_buf_bytes(&sealed), &back, &err), 0);
		sealed.data[i] ^= 0x04;
		expect_code(open_it(EG_BYTES(sealed.data, i), &back, &err), EG_EINVAL, &err);
	}
	assert_int_equal(eg_buf_put_u8(&sealed, 0), 0);
	expect_code(open_it(eg_buf_bytes(&sealed), &back, &err), EG_EINVAL, &err);
	eg_buf_done(&sealed);
}

// A decision of the same booth in the envelope of another one.
static void record_of_another_decision_inside_is_refused(void **state)
{
	(void)state;
	struct eg_decision_record record = sample(), back;
	struct eg_envelope_parts parts = {.facts = {.kind = EG_ENVELOPE_DECISION}};
	struct eg_err err = EG_ERR_INIT;
	struct eg_buf payload, message, sealed, out;
	eg_buf_init(&payload, 1024);
	eg_buf_init(&message, 1024);
	eg_buf_init(&sealed, 2048);
	eg_buf_init(&out, 4096);
	parts.facts.id = make_id();
	eg_kid(eg_key_public(centre), parts.facts.kid);
	expect_ok(eg_decision_write(&record, &payload, &err), &err);
	expect_ok(eg_cose_sign(booth, EG_BYTES_STR(EG_DECISION_CONTEXT), eg_buf_bytes(&payload),
			       &message, &err),
		  &err);
	expect_ok(eg_envelope_seal_part(&parts.facts.id, "lane-12", EG_DECISION_CONTEXT,
					eg_key_public(centre), eg_buf_bytes(&message), &sealed,
					&err),
		  &err);
	parts.record = eg_buf_bytes(&sealed);
	expect_ok(eg_envelope_put(&parts, &out, &err), &err);
	expect_code(open_it(eg_buf_bytes(&out), &back, &err), EG_EAUTH, &err);
	eg_buf_done(&out);
	eg_buf_done(&sealed);
	eg_buf_done(&message);
	eg_buf_done(&payload);
}

static void what_does_not_fit_is_not_signed(void **state)
{
	(void)state;
	struct eg_buf out;
	eg_buf_init(&out, EG_ENVELOPE_MAX);
	for (int i = 0; i < 10; i++) {
		struct eg_decision_record record = sample();
		struct eg_err err = EG_ERR_INIT;
		if (i == 0)
			record.decision = (enum eg_decision)0;
		else if (i == 1)
			record.decision = EG_DECISION_COUNT;
		else if (i == 2)
			record.reason = EG_REASON_COUNT;
		else if (i == 3)
			record.reason = EG_REASON_TRAVELLER_ASKED; // not for this decision
		else if (i == 4)
			memcpy(record.second, "4711", 5); // one person twice
		else if (i == 5)
			record.by[0] = '\0';
		else if (i == 6)
			record.by[0] = ' ';
		else if (i == 7)
			record.booth[0] = '\0';
		else if (i == 8)
			record.decided_ms = -1;
		else
			record.decided_ms = EG_TIME_MAX_MS + 1;
		expect_code(eg_decision_seal(&record, booth, eg_key_public(centre), &out, &err),
			    EG_EINVAL, &err);
		assert_int_equal(out.size, 0);
	}
	eg_buf_done(&out);
}

// Changes byte `at` of the payload: no signature protects it here, so the reader itself must.
static void record_whose_actor_is_not_the_account_is_refused(void **state)
{
	(void)state;
	struct eg_decision_record record = sample(), back;
	struct eg_err err = EG_ERR_INIT;
	struct eg_actor actor;
	struct eg_buf payload;
	eg_buf_init(&payload, 1024);
	for (int i = 0; i < 2; i++) {
		eg_buf_reset(&payload);
		expect_ok(eg_decision_write(&record, &payload, &err), &err);
		assert_int_equal(eg_actor_of(i == 0 ? record.by : record.second, &actor), 0);
		uint8_t *at = memmem(payload.data, payload.size, actor.bytes, EG_ACTOR_SIZE);
		assert_non_null(at);
		at[0] ^= 1;
		expect_code(eg_decision_read(eg_buf_bytes(&payload), &back, &err), EG_EINVAL, &err);
		at[0] ^= 1;
		expect_ok(eg_decision_read(eg_buf_bytes(&payload), &back, &err), &err);
	}
	eg_buf_done(&payload);
}

static void names_and_reasons_are_whole(void **state)
{
	(void)state;
	unsigned int used = 0;
	for (int d = EG_DECISION_CONFIRMED_BY_DOCUMENT; d < EG_DECISION_COUNT; d++) {
		size_t reasons = 0;
		assert_int_equal(eg_decision_find(eg_decision_name((enum eg_decision)d)), d);
		for (int r = EG_REASON_NONE; r < EG_REASON_COUNT; r++) {
			if (!eg_decision_allows((enum eg_decision)d, (enum eg_decision_reason)r))
				continue;
			used |= 1u << r;
			reasons++;
		}
		assert_true(reasons > 0);
	}
	assert_int_equal(used, (1u << EG_REASON_COUNT) - 1); // none that cannot be given
	for (int r = EG_REASON_NONE; r < EG_REASON_COUNT; r++)
		assert_int_equal(eg_decision_reason_find(
					 eg_decision_reason_name((enum eg_decision_reason)r)),
				 r);
	assert_int_equal(eg_decision_find("unknown"), -1);
	assert_int_equal(eg_decision_reason_find(""), -1);
	assert_string_equal(eg_decision_name(EG_DECISION_COUNT), "unknown");
	assert_string_equal(eg_decision_name((enum eg_decision)0), "unknown");
	assert_false(eg_decision_allows((enum eg_decision)0, EG_REASON_NONE));
	assert_false(eg_decision_allows(EG_DECISION_COUNT, EG_REASON_NONE));
	assert_false(eg_decision_allows(EG_DECISION_REFERRED, EG_REASON_COUNT));
}

// What was decided is in the queue, and in the chain under its encounter: both or neither.
static void put_decision_is_queued_and_in_the_chain(void **state)
{
	(void)state;
	struct eg_err err = EG_ERR_INIT;
	struct eg_buf sealed;
	for (int two = 0; two < 2; two++) {
		struct eg_decision_record record = sample();
		if (two == 0)
			record.second[0] = '\0';
		seal(&record, &sealed);
		expect_ok(eg_records_put_decision(records, &record, eg_buf_bytes(&sealed), &err),
			  &err);
		assert_int_equal(facts().queued, (uint64_t)two + 1);
		// The same once more: refused, and no entry more.
		expect_code(eg_records_put_decision(records, &record, eg_buf_bytes(&sealed), &err),
			    EG_ECONFLICT, &err);
		eg_buf_done(&sealed);
	}
	expect_sqlite("SELECT count(*) FROM audit", "4\n");
}

static int expect_events(void *user, const struct eg_audit_entry *entry)
{
	static const enum eg_audit_event events[] = {EG_AUDIT_ENCOUNTER_PUT,
						     EG_AUDIT_DECISION_OF_TWO};
	const struct eg_decision_record *record = user;
	struct eg_actor by, second;
	assert_int_equal(entry->event, events[entry->seq - 1]);
	if (entry->event == EG_AUDIT_ENCOUNTER_PUT) {
		assert_memory_equal(&entry->subject, &record->id, EG_ID_SIZE);
		return 0;
	}
	assert_int_equal(eg_actor_of(record->by, &by) | eg_actor_of(record->second, &second), 0);
	assert_memory_equal(&entry->subject, &record->encounter, EG_ID_SIZE);
	assert_memory_equal(&entry->actor, &by, sizeof(by));
	assert_memory_equal(&entry->second, &second, sizeof(second));
	assert_int_equal(entry->number, record->decision);
	return 0;
}

static void chain_names_who_decided_what(void **state)
{
	(void)state;
	struct eg_decision_record record = sample();
	struct eg_audit_report report;
	struct eg_err err = EG_ERR_INIT;
	struct eg_buf sealed;
	seal(&record, &sealed);
	expect_ok(eg_records_put_decision(records, &record, eg_buf_bytes(&sealed), &err), &err);
	expect_ok(eg_audit_list(records, 1, 9, expect_events, &record, &err), &err);
	expect_ok(eg_audit_verify(records, NULL, NULL, 0, NULL, &report, &err), &err);
	assert_int_equal(report.fault, EG_AUDIT_WHOLE);
	assert_int_equal(report.entries, 2);
	eg_buf_done(&sealed);
}

// Images go at their time; a decision has none and waits for its acknowledgement however long.
static void purge_leaves_decisions_alone(void **state)
{
	(void)state;
	static struct eg_policy policy;
	struct eg_decision_record record = sample();
	struct eg_purged purged;
	struct eg_clock clock;
	struct eg_err err = EG_ERR_INIT;
	struct eg_buf sealed, stored;
	eg_clock_fake_init(&clock, 1000000000LL, NOW_MS);
	eg_records_set_clock(records, &clock);
	policy = eg_policy_defaults;
	memset(&policy.retention, 0, sizeof(policy.retention));
	seal(&record, &sealed);
	eg_buf_init(&stored, EG_ENVELOPE_MAX);
	expect_ok(eg_records_put_decision(records, &record, eg_buf_bytes(&sealed), &err), &err);
	eg_clock_fake_advance(&clock, 90 * 86400000LL);
	expect_ok(eg_records_purge(records, &policy, &purged, &err), &err);
	assert_int_equal(purged.images, 0);
	expect_ok(eg_records_get(records, &record.id, &stored, &err), &err);
	assert_true(eg_bytes_equal(eg_buf_bytes(&stored), eg_buf_bytes(&sealed)));
	eg_buf_done(&stored);
	eg_buf_done(&sealed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
		CASE(sealed_decision_opens_at_the_centre_with_every_field),
		CASE(python_reads_the_same_record),
		CASE(envelope_shows_kind_and_ids_and_nothing_else),
		CASE(wrong_key_booth_signer_or_kind_is_refused),
		CASE(every_changed_missing_or_extra_byte_is_refused),
		CASE(record_of_another_decision_inside_is_refused),
		CASE(what_does_not_fit_is_not_signed),
		CASE(record_whose_actor_is_not_the_account_is_refused),
		CASE(names_and_reasons_are_whole),
		CASE(put_decision_is_queued_and_in_the_chain),
		CASE(chain_names_who_decided_what),
		CASE(purge_leaves_decisions_alone),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
