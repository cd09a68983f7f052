// SPDX-License-Identifier: Apache-2.0
//
// The roll of a flight, the cases and their snapshot, without a booth round them.

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "firmware/base/mem.h"
#include "firmware/boothd/cases.h"

#define NOW 1780000000000LL

static struct eg_people *people_of(size_t count)
{
	struct eg_people *people = eg_people_new(count);
	char id[24];

	assert_non_null(people);
	for (size_t i = 0; i < count; i++) {
		(void)snprintf(id, sizeof(id), "P%02zu", count - i); // not in order
		eg_people_name(people, i, id, "Anna Maria Eriksson");
	}
	assert_int_equal(eg_people_finish(people), 0);
	return people;
}

static struct eg_roll *roll_of(size_t count, const char *id, uint64_t version)
{
	struct eg_worker_manifest m = {.version = version};
	struct eg_roll *roll = eg_roll_new();

	assert_non_null(roll);
	(void)snprintf(m.id, sizeof(m.id), "%s", id);
	assert_int_equal(eg_roll_use(roll, &m, people_of(count)), 0);
	return roll;
}

static struct eg_roll_facts facts_of(const struct eg_roll *roll, int64_t now)
{
	struct eg_roll_facts facts;

	eg_roll_facts(roll, now, &facts);
	return facts;
}

#define CONFIRM(id) eg_roll_verdict(roll, id, EG_VERDICT_CONFIRMED, EG_CAUSE_NONE, true, NOW)
#define REFER(id)   eg_roll_verdict(roll, id, EG_VERDICT_REFER, EG_CAUSE_POOR_CAPTURE, false, NOW)
#define IS(e, c, o, n, s)                                     \
	do {                                                  \
		struct eg_roll_facts f = facts_of(roll, NOW); \
		assert_int_equal(f.expected, e);              \
		assert_int_equal(f.confirmed, c);             \
		assert_int_equal(f.by_officer, o);            \
		assert_int_equal(f.not_seen, n);              \
		assert_int_equal(f.seen, s);                  \
	} while (0)

static void everybody_is_counted_once_whatever_is_decided(void **state)
{
	struct eg_roll *roll = roll_of(5, "M", 1);

	(void)state;
	IS(5, 0, 0, 5, 0);
	CONFIRM("P01");
	REFER("P02");
	REFER("P02");
	REFER(""); // a stranger
	IS(5, 1, 0, 3, 1);
	REFER("P01"); // another look does not send back who may go
	IS(5, 1, 0, 3, 1);
	eg_roll_decision(roll, "P02", 0, EG_DECISION_CONFIRMED_BY_DOCUMENT);
	eg_roll_decision(roll, "", 0, EG_DECISION_CONFIRMED_BY_DOCUMENT);
	IS(5, 1, 2, 3, 0);
	eg_roll_decision(roll, "", EG_DECISION_CONFIRMED_BY_DOCUMENT, EG_DECISION_WRONG_PERSON);
	eg_roll_decision(roll, "P02", EG_DECISION_CONFIRMED_BY_DOCUMENT, EG_DECISION_REFERRED);
	eg_roll_decision(roll, "P01", 0, EG_DECISION_WRONG_PERSON);
	IS(5, 0, 0, 3, 2);
	eg_roll_verdict(roll, "", EG_VERDICT_REFER, EG_CAUSE_OPTED_OUT, false, NOW);
	assert_int_equal(facts_of(roll, NOW).opted_out, 1);
	assert_int_equal(facts_of(roll, NOW).tried, 5); // who opted out was not tried
	eg_roll_free(roll);
}

static void a_newer_version_keeps_who_was_here_and_another_manifest_does_not(void **state)
{
	struct eg_roll *roll = roll_of(3, "M", 1);
	struct eg_worker_manifest m = {.id = "M", .version = 2};

	(void)state;
	CONFIRM("P01");
	REFER("P03");
	assert_int_equal(eg_roll_use(roll, &m, people_of(5)), 0);
	IS(5, 1, 0, 3, 1);
	// erased for a while: no name is kept, but who was here is
	assert_int_equal(eg_roll_use(roll, &(struct eg_worker_manifest){0}, NULL), 0);
	assert_null(eg_roll_people(roll));
	IS(0, 0, 0, 0, 0);
	assert_int_equal(eg_roll_use(roll, &m, people_of(5)), 0);
	IS(5, 1, 0, 3, 1);
	(void)snprintf(m.id, sizeof(m.id), "N");
	assert_int_equal(eg_roll_use(roll, &m, people_of(4)), 0);
	IS(4, 0, 0, 4, 0);
	assert_int_equal(facts_of(roll, NOW).tried, 0);
	eg_roll_free(roll);
}

static void the_capture_rate_sags_and_recovers(void **state)
{
	static const int64_t later[] = {0, 31 * 60000LL};
	struct eg_roll *roll = roll_of(60, "M", 1);
	struct eg_roll_facts f;

	(void)state;
	for (int i = 0; i < 9; i++)
		eg_roll_verdict(roll, "", EG_VERDICT_REFER, EG_CAUSE_POOR_CAPTURE, false, NOW);
	f = facts_of(roll, NOW);
	assert_false(eg_roll_low(&f, 0.95)); // too few to say
	CONFIRM("P01");
	f = facts_of(roll, NOW);
	assert_true(eg_roll_low(&f, 0.95));
	assert_true(fabs(f.history[EG_ROLL_BINS - 1] - 0.1) < 1e-9);
	assert_true(f.history[0] < 0);
	// half an hour later they do not count any more, but in the whole flight
	f = facts_of(roll, NOW + later[1]);
	assert_false(eg_roll_low(&f, 0.95));
	assert_int_equal(f.tried, 10);
	assert_int_equal(f.captured, 1);
	for (int i = 0; i < 12; i++)
		eg_roll_verdict(roll, "", EG_VERDICT_REFER, EG_CAUSE_BELOW_THRESHOLD, i != 0,
				NOW + later[1]);
	f = facts_of(roll, NOW + later[1]);
	assert_int_equal(f.recent_tried, 12);
	assert_false(eg_roll_low(&f, 0.95)); // 11 of 12: one person's bad luck
	// a clock set back by a day
	f = facts_of(roll, NOW - 86400000LL);
	assert_int_equal(f.recent_tried, 0);
	eg_roll_free(roll);
}

static void initials_are_of_each_word(void **state)
{
	static const char *const table[][2] = {
		{"Anna Maria Eriksson", "A. M. E."},
		{"KELLER, ANNA", "K. A."},
		{"Séamus O'Neill", "S. O."},
		{"", ""},
		{"Jean-Luc Picard", "J. L. P."},
		{"a b c d e f", "a. b. c. d."},
		{"王 小明", "王. 小."},
		{"  --  ", ""},
		{"محمد علي", "م. ع."},
		{"KELLER<<ANNA", "K. A."},
		{"\xf0\x9f\x98", "\xf0\x9f\x98."},
		{"\x80", "\x80."},
	};
	char text[EG_INITIALS_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		eg_initials(table[i][0], text);
		assert_string_equal(text, table[i][1]);
	}
}

static struct eg_case *add(struct eg_cases *cases, uint8_t number)
{
	struct eg_case *c = eg_cases_make(cases);

	c->encounter.bytes[0] = number;
	c->wall_ms = NOW + number;
	c->session = number;
	c->verdict = EG_VERDICT_REFER;
	c->cause = EG_CAUSE_AMBIGUOUS;
	c->mode = EG_MODE_IDENTIFY;
	c->score = 0.5;
	c->threshold = NAN;
	c->liveness.score = 0.25f;
	c->liveness.reasons = EG_LIVENESS_MOIRE;
	c->quality.overall = 70;
	c->quality.component[EG_QUALITY_SHARPNESS] = 31;
	(void)snprintf(c->initials, sizeof(c->initials), "A. E.");
	(void)snprintf(c->name, sizeof(c->name), "Anna Eriksson");
	return c;
}

static void the_last_fifty_come_newest_first(void **state)
{
	struct eg_cases *cases = eg_cases_new();

	(void)state;
	assert_null(eg_cases_at(cases, 0));
	for (uint8_t i = 1; i <= EG_CASES_MAX + 3; i++)
		(void)add(cases, i);
	assert_int_equal(eg_cases_at(cases, 0)->session, EG_CASES_MAX + 3);
	assert_int_equal(eg_cases_at(cases, EG_CASES_MAX - 1)->session, 4);
	assert_null(eg_cases_at(cases, EG_CASES_MAX));
	assert_null(eg_cases_of_session(cases, 3));
	assert_non_null(eg_cases_of_session(cases, 4));
	eg_cases_free(cases);
}

static void a_hidden_case_holds_no_secret_block(void **state)
{
	static const uint8_t jpeg[] = {0xff, 0xd8, 0xff, 0xe0};
	struct eg_cases *cases = eg_cases_new();
	struct eg_people *people = people_of(1);
	size_t before;
	struct eg_case *c;

	(void)state;
	c = add(cases, 1);
	before = eg_secret_count();
	eg_people_unref(people);
	people = eg_people_new(1);
	eg_people_name(people, 0, "P01", "Anna Eriksson");
	assert_int_equal(eg_people_add(people, 0, EG_PHOTO_VISA, 2024, EG_BYTES(jpeg, 4)), 0);
	assert_int_equal(eg_people_finish(people), 0);
	eg_case_show(c, eg_people_at(people, 0), EG_BYTES(jpeg, 4), 5);
	eg_people_unref(people);
	assert_int_equal(c->reference_count, 1);
	assert_memory_equal(c->reference[0].jpeg.data, jpeg, 4);
	assert_memory_equal(c->probe.data, jpeg, 4);
	assert_true(eg_secret_count() > before - 1);
	eg_case_hide(c);
	assert_int_equal(eg_secret_count(), before - 1); // all but the first people's
	assert_int_equal(c->faces_until_ms, 0);
	assert_string_equal(c->name, "");
	assert_string_equal(c->initials, "A. E.");
	eg_cases_free(cases);
}

static void a_snapshot_comes_back_without_names_and_only_to_its_booth(void **state)
{
	struct eg_cases *cases = eg_cases_new(), *back = eg_cases_new();
	struct eg_roll *roll = roll_of(5, "M", 1), *after = eg_roll_new();
	struct eg_key *key = NULL, *other = NULL;
	struct eg_err err = EG_ERR_INIT;
	struct eg_buf sealed;
	struct eg_case *c;

	(void)state;
	assert_int_equal(eg_key_generate(&key, &err), 0);
	assert_int_equal(eg_key_generate(&other, &err), 0);
	CONFIRM("P02");
	(void)add(cases, 1);
	c = add(cases, 2);
	c->decision = EG_DECISION_REFERRED;
	c->reason = EG_REASON_DOCUMENT_DOUBT;
	c->by_ms = NOW;
	(void)snprintf(c->by, sizeof(c->by), "anna");
	eg_buf_init(&sealed, EG_CASES_SEALED_MAX);
	assert_int_equal(eg_cases_seal(cases, roll, key, NOW, &sealed), 0);
	assert_null(memmem(sealed.data, sealed.size, "anna", 4));
	assert_int_equal(eg_cases_open(eg_buf_bytes(&sealed), other, back, after), EG_EAUTH);
	for (size_t i = 0; i < sealed.size; i += 7) { // any changed byte
		sealed.data[i] ^= 1;
		assert_int_equal(eg_cases_open(eg_buf_bytes(&sealed), key, back, after), EG_EAUTH);
		sealed.data[i] ^= 1;
	}
	for (size_t size = 0; size < sealed.size; size += 11)
		assert_true(eg_cases_open(EG_BYTES(sealed.data, size), key, back, after) < 0);
	assert_null(eg_cases_at(back, 0));
	assert_int_equal(eg_cases_open(eg_buf_bytes(&sealed), key, back, after), 0);
	c = eg_cases_at(back, 0);
	assert_int_equal(c->encounter.bytes[0], 2);
	assert_int_equal(c->decision, EG_DECISION_REFERRED);
	assert_int_equal(c->reason, EG_REASON_DOCUMENT_DOUBT);
	assert_string_equal(c->by, "anna");
	assert_string_equal(c->initials, "A. E.");
	assert_string_equal(c->name, "");
	assert_int_equal(c->session, 0);
	assert_int_equal(c->state, EG_SESSION_OVER);
	assert_true(c->score == 0.5 && isnan(c->threshold));
	assert_int_equal(c->quality.component[EG_QUALITY_SHARPNESS], 31);
	assert_int_equal(c->liveness.reasons, EG_LIVENESS_MOIRE);
	assert_int_equal(eg_cases_at(back, 1)->encounter.bytes[0], 1);
	assert_null(eg_cases_at(back, 2));
	eg_roll_free(roll);
	roll = after;
	{
		struct eg_worker_manifest m = {.id = "M", .version = 1};

		assert_int_equal(eg_roll_use(roll, &m, people_of(5)), 0);
	}
	IS(5, 1, 0, 4, 0);
	assert_int_equal(facts_of(roll, NOW).tried, 1);
	eg_roll_free(roll);
	eg_buf_done(&sealed);
	eg_cases_free(cases);
	eg_cases_free(back);
	eg_key_free(key);
	eg_key_free(other);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(everybody_is_counted_once_whatever_is_decided),
		cmocka_unit_test(a_newer_version_keeps_who_was_here_and_another_manifest_does_not),
		cmocka_unit_test(the_capture_rate_sags_and_recovers),
		cmocka_unit_test(initials_are_of_each_word),
		cmocka_unit_test(the_last_fifty_come_newest_first),
		cmocka_unit_test(a_hidden_case_holds_no_secret_block),
		cmocka_unit_test(a_snapshot_comes_back_without_names_and_only_to_its_booth),
	};

	if (eg_crypto_init(NULL) != 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
