// SPDX-License-Identifier: Apache-2.0
//
// store/policy.c and records_policy.c: what a signed policy may say, and which one is in force.
//
// How each was seen to fail stands in the table of store/README.md.

#include "queue.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/decision.h"
#include "store/retention.h"

static struct eg_key *centre, *stranger;
static struct eg_clock clock_;
static struct eg_policy back;

static int set_up(void **state)
{
	centre = make_key();
	stranger = make_key();
	int r = queue_set_up(state);
	eg_clock_fake_init(&clock_, 1000000000LL, NOW_MS);
	eg_records_set_clock(records, &clock_);
	return r;
}

static int tear_down(void **state)
{
	eg_key_free(centre);
	eg_key_free(stranger);
	return queue_tear_down(state);
}

static struct eg_policy *sample(uint64_t version)
{
	static struct eg_policy policy;
	policy = eg_policy_defaults;
	memcpy(policy.id, "national", sizeof("national"));
	policy.version = version;
	policy.not_before_ms = NOW_MS - 1000;
	policy.expires_ms = NOW_MS + 86400000;
	policy.retention.seconds[EG_DATA_IMAGE - 1][EG_CITIZEN - 1] = 0;
	policy.retention.seconds[EG_DATA_IMAGE - 1][EG_VISITOR - 1] = 86400;
	policy.notice_count = 2;
	memcpy(policy.notices[0].language, "en", 3);
	memcpy(policy.notices[0].text, "Your photo is taken.", 21);
	memcpy(policy.notices[1].language, "pt-BR", 6);
	memcpy(policy.notices[1].text, "Sua foto é tirada.", 20);
	policy.account_count = 2;
	policy.accounts[0] = (struct eg_account){
		.name = "4711", .display = "R. Amundsen", .role = EG_ROLE_OFFICER};
	fill(policy.accounts[0].salt, EG_PIN_SALT_SIZE, 1);
	fill(policy.accounts[0].hash, EG_PIN_HASH_SIZE, 2);
	policy.accounts[1] = (struct eg_account){.name = "s.chief",
						 .display = "Großmann",
						 .role = EG_ROLE_SUPERVISOR,
						 .has_certificate = true};
	fill(policy.accounts[1].certificate, EG_SHA256_SIZE, 3);
	policy.two_person = EG_DECISION_BIT(EG_DECISION_WRONG_PERSON) |
			    EG_DECISION_BIT(EG_DECISION_CONFIRMED_BY_DOCUMENT);
	policy.capture_min = 0.9;
	return &policy;
}

static int put_policy(const struct eg_policy *policy, const struct eg_key *key, struct eg_err *err)
{
	struct eg_trusted_key trusted = trust_in(centre);
	struct eg_buf message;
	eg_buf_init(&message, EG_POLICY_MAX);
	expect_ok(eg_policy_sign(policy, key, &message, err), err);
	int r = eg_records_put_policy(records, eg_buf_bytes(&message), &trusted, 1, err);
	eg_buf_done(&message);
	return r;
}

static bool in_force(void)
{
	struct eg_trusted_key trusted = trust_in(centre);
	struct eg_err err = EG_ERR_INIT;
	bool stale = false;
	expect_ok(eg_records_policy(records, &trusted, 1, &back, &stale, &err), &err);
	return stale;
}

static void defaults_hold_until_there_is_a_policy(void **state)
{
	(void)state;
	assert_false(in_force());
	assert_int_equal(back.version, 0);
	for (int class = EG_CITIZEN; class <= EG_CITIZENSHIP_UNKNOWN; class ++)
		assert_int_equal(eg_retention_s(&back.retention, EG_DATA_IMAGE,
						(enum eg_citizenship) class),
				 12 * 3600);
	assert_int_equal(back.account_count, 0);
	assert_null(eg_policy_account(&back, ""));
	assert_true(back.capture_min == 0.95);
	for (int d = EG_DECISION_CONFIRMED_BY_DOCUMENT; d < EG_DECISION_COUNT; d++)
		assert_int_equal(eg_decision_needs_second((enum eg_decision)d, back.two_person),
				 d == EG_DECISION_WRONG_PERSON);
}

static void signed_policy_is_in_force_with_every_field(void **state)
{
	(void)state;
	struct eg_err err = EG_ERR_INIT;
	expect_ok(put_policy(sample(3), centre, &err), &err);
	assert_false(in_force());
	const struct eg_policy *p = sample(3);
	assert_string_equal(back.id, p->id);
	assert_int_equal(back.version, 3);
	assert_memory_equal(&back.retention, &p->retention, sizeof(p->retention));
	assert_true(back.fmr == 1e-4 && back.fpir == 3e-3 && back.liveness_min == 0.5);
	assert_int_equal(back.hold_max_s, p->hold_max_s);
	assert_string_equal(back.notices[1].language, "pt-BR");
	assert_string_equal(back.notices[1].text, "Sua foto é tirada.");
	assert_int_equal(back.account_count, 2);
	assert_memory_equal(back.accounts, p->accounts, sizeof(p->accounts));
	assert_ptr_equal(eg_policy_account(&back, "s.chief"), &back.accounts[1]);
	assert_null(eg_policy_account(&back, "S.chief"));
	assert_int_equal(back.two_person, p->two_person);
	assert_true(back.capture_min == 0.9);
	expect_sqlite("SELECT count(*) FROM audit", "1\n");
}

static void version_only_rises(void **state)
{
	(void)state;
	struct eg_err err = EG_ERR_INIT;
	struct eg_trusted_key trusted = trust_in(centre);
	struct eg_buf message;
	eg_buf_init(&message, EG_POLICY_MAX);
	expect_ok(eg_policy_sign(sample(3), centre, &message, &err), &err);
	for (int i = 0; i < 2; i++) // the same again is no news
		expect_ok(eg_records_put_policy(records, eg_buf_bytes(&message), &trusted, 1, &err),
			  &err);
	expect_sqlite("SELECT count(*) FROM audit", "1\n");
	expect_code(put_policy(sample(2), centre, &err), EG_ESTALE, &err);
	expect_code(put_policy(sample(3), centre, &err), EG_ECONFLICT, &err); // signed anew
	expect_ok(put_policy(sample(4), centre, &err), &err);
	assert_false(in_force());
	assert_int_equal(back.version, 4);
	eg_buf_done(&message);
}

static void strangers_expired_and_future_policies_are_refused(void **state)
{
	(void)state;
	struct eg_err err = EG_ERR_INIT;
	expect_code(put_policy(sample(3), stranger, &err), EG_EAUTH, &err);
	struct eg_policy *p = sample(3);
	p->expires_ms = NOW_MS;
	expect_code(put_policy(p, centre, &err), EG_ESTALE, &err);
	p = sample(3);
	p->not_before_ms = NOW_MS + 1;
	expect_code(put_policy(p, centre, &err), EG_ESTALE, &err);
	assert_false(in_force());
	assert_int_equal(back.version, 0);
	expect_sqlite("SELECT count(*) FROM audit", "0\n");
}

// A centre that is cut off cannot make a booth keep things for longer than the defaults.
static void expired_policy_keeps_nothing_longer_than_the_defaults(void **state)
{
	(void)state;
	struct eg_err err = EG_ERR_INIT;
	expect_ok(put_policy(sample(3), centre, &err), &err);
	eg_clock_fake_advance(&clock_, 2 * 86400000LL);
	assert_true(in_force());
	assert_int_equal(back.version, 3);
	assert_int_equal(eg_retention_s(&back.retention, EG_DATA_IMAGE, EG_VISITOR), 12 * 3600);
	assert_int_equal(eg_retention_s(&back.retention, EG_DATA_IMAGE, EG_CITIZEN), 0);
}

static void policy_changed_on_the_disk_is_not_believed(void **state)
{
	(void)state;
	struct eg_trusted_key trusted = trust_in(centre);
	struct eg_err err = EG_ERR_INIT;
	bool stale;
	expect_ok(put_policy(sample(3), centre, &err), &err);
	expect_sqlite("UPDATE policy SET wire = CAST(substr(wire, 1, 100) || x'00' || "
		      "substr(wire, 102) AS BLOB)",
		      "");
	assert_int_not_equal(eg_records_policy(records, &trusted, 1, &back, &stale, &err), 0);
}

static void values_out_of_range_are_not_signed(void **state)
{
	(void)state;
	struct eg_buf out;
	eg_buf_init(&out, EG_POLICY_MAX);
	for (int i = 0; i < 21; i++) {
		struct eg_policy *p = sample(3);
		struct eg_err err = EG_ERR_INIT;
		if (i == 0)
			p->version = 0;
		else if (i == 1)
			p->expires_ms = p->not_before_ms;
		else if (i == 2)
			p->retention.seconds[1][2] = EG_RETENTION_MAX_S + 1;
		else if (i == 3)
			p->fmr = 0;
		else if (i == 4)
			p->fpir = 0.2;
		else if (i == 5)
			p->liveness_min = 1.5;
		else if (i == 6)
			p->notice[0] = '\0';
		else if (i == 7)
			p->notice_count = EG_POLICY_NOTICES_MAX + 1;
		else if (i == 8)
			memcpy(p->notices[1].language, "en", 3);
		else if (i == 9)
			p->notices[0].text[0] = '\n';
		else if (i == 10) // one badge twice
			memcpy(p->accounts[1].name, "4711", 5);
		else if (i == 11)
			p->accounts[0].name[0] = ' ';
		else if (i == 12)
			p->accounts[0].display[0] = '\0';
		else if (i == 13)
			p->accounts[0].role = (enum eg_role)0;
		else if (i == 14)
			p->accounts[0].role = EG_ROLE_COUNT;
		else if (i == 15)
			p->account_count = EG_POLICY_ACCOUNTS_MAX + 1;
		else if (i == 16)
			p->two_person = 1; // no decision has that bit
		else if (i == 17)
			p->two_person = EG_DECISION_BIT(EG_DECISION_COUNT);
		else if (i == 18)
			p->capture_min = 1.1;
		else if (i == 19) { // one certificate twice
			p->accounts[0].has_certificate = true;
			fill(p->accounts[0].certificate, EG_SHA256_SIZE, 3);
		} else
			p->hold_max_s = UINT32_MAX;
		expect_code(eg_policy_sign(p, centre, &out, &err), EG_EINVAL, &err);
		assert_int_equal(out.size, 0);
	}
	eg_buf_done(&out);
}

static void every_cut_and_every_extra_byte_is_refused(void **state)
{
	(void)state;
	struct eg_err err = EG_ERR_INIT;
	struct eg_buf payload;
	eg_buf_init(&payload, EG_POLICY_MAX);
	expect_ok(eg_policy_write(sample(3), &payload, &err), &err);
	for (size_t i = 0; i < payload.size; i++)
		expect_code(eg_policy_read(EG_BYTES(payload.data, i), &back, &err), EG_EINVAL,
			    &err);
	assert_int_equal(eg_buf_put_u8(&payload, 0), 0);
	expect_code(eg_policy_read(eg_buf_bytes(&payload), &back, &err), EG_EINVAL, &err);
	eg_buf_done(&payload);
}

// As many accounts and notices as there may be, each as long as it may be, fit what is sent.
static void fullest_policy_fits(void **state)
{
	(void)state;
	struct eg_err err = EG_ERR_INIT;
	struct eg_policy *p = sample(3);
	p->notice_count = EG_POLICY_NOTICES_MAX;
	for (size_t i = 0; i < EG_POLICY_NOTICES_MAX; i++) {
		(void)snprintf(p->notices[i].language, sizeof(p->notices[i].language), "x-l%zu", i);
		memset(p->notices[i].text, 'n', EG_POLICY_TEXT_MAX - 1);
	}
	p->account_count = EG_POLICY_ACCOUNTS_MAX;
	for (size_t i = 0; i < EG_POLICY_ACCOUNTS_MAX; i++) {
		struct eg_account *account = &p->accounts[i];
		memset(account->name, 'a', EG_NAME_MAX - 1);
		account->name[0] = (char)('A' + i % 26);
		account->name[1] = (char)('A' + i / 26);
		memset(account->display, 'd', EG_ACCOUNT_DISPLAY_MAX - 1);
		account->role = EG_ROLE_TECHNICIAN;
		account->has_certificate = true;
		fill(account->certificate, EG_SHA256_SIZE, i);
	}
	expect_ok(put_policy(p, centre, &err), &err);
	assert_false(in_force());
	assert_memory_equal(back.accounts, p->accounts, sizeof(p->accounts));
}

// The rule that `centralctl account hash` keeps new PINs to.
static void pins_that_anybody_tries_first_are_refused(void **state)
{
	(void)state;
	static const char *const bad[] = {
		"",	  "12345",	  "1234567890123", "12345a", "123456 ", "123456",
		"000000", "999999999999", "654321",	   "345678", "890123",	"210987",
		"121212", "12121212",	  "123123",	   "474474", "１２３",
	};
	static const char *const good[] = {"472915", "112233", "190283", "100000", "385017264950"};
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct eg_err err = EG_ERR_INIT;
		expect_code(eg_pin_check_new(bad[i], &err), EG_EINVAL, &err);
	}
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		struct eg_err err = EG_ERR_INIT;
		expect_ok(eg_pin_check_new(good[i], &err), &err);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
		CASE(defaults_hold_until_there_is_a_policy),
		CASE(signed_policy_is_in_force_with_every_field),
		CASE(version_only_rises),
		CASE(strangers_expired_and_future_policies_are_refused),
		CASE(expired_policy_keeps_nothing_longer_than_the_defaults),
		CASE(policy_changed_on_the_disk_is_not_believed),
		CASE(values_out_of_range_are_not_signed),
		CASE(every_cut_and_every_extra_byte_is_refused),
		CASE(fullest_policy_fits),
		CASE(pins_that_anybody_tries_first_are_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
