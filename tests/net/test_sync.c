// SPDX-License-Identifier: Apache-2.0
//
// The policy of net/sync.h, under a clock and a dice of the test's own.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "net/sync.h"

#define DAY_MS (24 * 3600 * 1000LL)

static const struct eg_sync_rules rules = {
	.poll_ms = 60000,
	.heartbeat_ms = 30000,
	.queue_ms = 2000,
	.backoff_min_ms = 1000,
	.backoff_max_ms = 60000,
	.again_ms = 600000,
};

// A booth with a fresh certificate (wall 0 … 90 days) that has nothing due but its queue.
static void enrolled(struct eg_sync *sync)
{
	eg_sync_init(sync, &rules, 0);
	eg_sync_identity(sync, true, 0, 90 * DAY_MS, 0);
	eg_sync_keys(sync, true);
	eg_sync_done(sync, EG_SYNC_MANIFESTS, EG_SYNC_DONE, -1, 0, 0);
	eg_sync_done(sync, EG_SYNC_HEARTBEAT, EG_SYNC_DONE, -1, 0, 0);
	eg_sync_done(sync, EG_SYNC_POLICY, EG_SYNC_DONE, -1, 0, 0);
	eg_sync_done(sync, EG_SYNC_AUDIT, EG_SYNC_DONE, -1, 0, 0);
}

static enum eg_sync_task next(struct eg_sync *sync, int64_t boot_ms)
{
	int64_t wait;

	return eg_sync_next(sync, boot_ms, 1000, &wait);
}

static int64_t wait_of(struct eg_sync *sync, int64_t boot_ms)
{
	int64_t wait = -1;

	assert_int_equal(eg_sync_next(sync, boot_ms, 1000, &wait), EG_SYNC_NONE);
	return wait;
}

static void every_result_has_its_meaning(void **state)
{
	static const struct {
		enum eg_sync_task task;
		int code;
		bool refused;
		int status;
		enum eg_sync_outcome outcome;
	} cases[] = {
		{EG_SYNC_ENCOUNTER, 0, false, 200, EG_SYNC_DONE},
		{EG_SYNC_ENCOUNTER, 0, false, 201, EG_SYNC_DONE},
		{EG_SYNC_ENCOUNTER, 0, false, 202, EG_SYNC_FAILED},
		{EG_SYNC_ENCOUNTER, 0, false, 204, EG_SYNC_FAILED},
		{EG_SYNC_ENCOUNTER, 0, false, 301, EG_SYNC_FAILED},
		{EG_SYNC_ENCOUNTER, 0, false, 302, EG_SYNC_FAILED},
		{EG_SYNC_ENCOUNTER, 0, false, 304, EG_SYNC_FAILED},
		{EG_SYNC_ENCOUNTER, 0, false, 400, EG_SYNC_BURY},
		{EG_SYNC_ENCOUNTER, 0, false, 401, EG_SYNC_REFUSED},
		{EG_SYNC_ENCOUNTER, 0, false, 403, EG_SYNC_REFUSED},
		{EG_SYNC_ENCOUNTER, 0, false, 404, EG_SYNC_BURY},
		{EG_SYNC_ENCOUNTER, 0, false, 408, EG_SYNC_LINK},
		{EG_SYNC_ENCOUNTER, 0, false, 409, EG_SYNC_BURY},
		{EG_SYNC_ENCOUNTER, 0, false, 413, EG_SYNC_BURY},
		{EG_SYNC_ENCOUNTER, 0, false, 422, EG_SYNC_BURY},
		{EG_SYNC_ENCOUNTER, 0, false, 425, EG_SYNC_LINK},
		{EG_SYNC_ENCOUNTER, 0, false, 429, EG_SYNC_LINK},
		{EG_SYNC_ENCOUNTER, 0, false, 500, EG_SYNC_FAILED},
		{EG_SYNC_ENCOUNTER, 0, false, 501, EG_SYNC_FAILED},
		{EG_SYNC_ENCOUNTER, 0, false, 502, EG_SYNC_LINK},
		{EG_SYNC_ENCOUNTER, 0, false, 503, EG_SYNC_LINK},
		{EG_SYNC_ENCOUNTER, 0, false, 504, EG_SYNC_LINK},
		{EG_SYNC_ENCOUNTER, EG_ENET, false, 0, EG_SYNC_LINK},
		{EG_SYNC_ENCOUNTER, EG_ETIMEOUT, false, 0, EG_SYNC_LINK},
		{EG_SYNC_ENCOUNTER, EG_EAUTH, false, 0, EG_SYNC_LINK},
		{EG_SYNC_ENCOUNTER, EG_EAUTH, true, 0, EG_SYNC_REFUSED},
		{EG_SYNC_ENCOUNTER, EG_ETOOBIG, false, 0, EG_SYNC_FAILED},
		{EG_SYNC_ENCOUNTER, EG_ENOMEM, false, 0, EG_SYNC_FAILED},
		{EG_SYNC_HEARTBEAT, 0, false, 204, EG_SYNC_DONE},
		{EG_SYNC_HEARTBEAT, 0, false, 404, EG_SYNC_FAILED},
		{EG_SYNC_POLICY, 0, false, 200, EG_SYNC_DONE},
		{EG_SYNC_POLICY, 0, false, 304, EG_SYNC_DONE},
		{EG_SYNC_POLICY, 0, false, 204, EG_SYNC_FAILED},
		{EG_SYNC_AUDIT, 0, false, 200, EG_SYNC_DONE},
		{EG_SYNC_AUDIT, 0, false, 304, EG_SYNC_FAILED},
		{EG_SYNC_AUDIT, 0, false, 409, EG_SYNC_FAILED}, // never buried: there is one chain
		{EG_SYNC_KEYS, 0, false, 204, EG_SYNC_DONE},
		{EG_SYNC_KEYS, 0, false, 409, EG_SYNC_FAILED},
		{EG_SYNC_MANIFESTS, 0, false, 200, EG_SYNC_DONE},
		{EG_SYNC_MANIFESTS, 0, false, 304, EG_SYNC_DONE},
		{EG_SYNC_MANIFESTS, 0, false, 403, EG_SYNC_REFUSED},
		{EG_SYNC_FETCH, 0, false, 206, EG_SYNC_DONE},
		{EG_SYNC_FETCH, 0, false, 416, EG_SYNC_FAILED},
		{EG_SYNC_ENROL, 0, false, 200, EG_SYNC_DONE},
		{EG_SYNC_ENROL, 0, false, 202, EG_SYNC_FAILED},
		{EG_SYNC_ENROL, 0, false, 401, EG_SYNC_REFUSED},
		{EG_SYNC_RENEW, 0, false, 403, EG_SYNC_REFUSED},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		enum eg_sync_outcome got = eg_sync_judge(cases[i].task, cases[i].code,
							 cases[i].refused, cases[i].status);

		if (got != cases[i].outcome)
			fail_msg("%s, code %d, status %d: %s instead of %s",
				 eg_sync_task_name(cases[i].task), cases[i].code, cases[i].status,
				 eg_sync_outcome_name(got), eg_sync_outcome_name(cases[i].outcome));
	}
}

static void no_status_but_4xx_ever_buries_an_encounter(void **state)
{
	(void)state;
	for (int status = 0; status < 1000; status++)
		if (eg_sync_judge(EG_SYNC_ENCOUNTER, 0, false, status) == EG_SYNC_BURY)
			assert_in_range(status, 400, 499);
	for (int task = EG_SYNC_ENROL; task < EG_SYNC_ENCOUNTER; task++)
		for (int status = 0; status < 1000; status++)
			assert_int_not_equal(eg_sync_judge((enum eg_sync_task)task, 0, false,
							   status),
					     EG_SYNC_BURY);
}

static void without_token_and_certificate_there_is_nothing_to_do(void **state)
{
	struct eg_sync sync;

	(void)state;
	eg_sync_init(&sync, &rules, 0);
	assert_int_equal(wait_of(&sync, 0), 2000);
}

static void a_token_is_used_first_and_once(void **state)
{
	struct eg_sync sync;

	(void)state;
	eg_sync_init(&sync, &rules, 0);
	eg_sync_token(&sync, true, 0);
	assert_int_equal(next(&sync, 0), EG_SYNC_ENROL);
	eg_sync_identity(&sync, true, 0, 90 * DAY_MS, 0);
	assert_int_equal(next(&sync, 0), EG_SYNC_ENROL);
	eg_sync_done(&sync, EG_SYNC_ENROL, EG_SYNC_DONE, -1, 0, 0);
	assert_int_equal(next(&sync, 0), EG_SYNC_KEYS);
	eg_sync_done(&sync, EG_SYNC_KEYS, EG_SYNC_DONE, -1, 0, 0);
	assert_int_not_equal(next(&sync, 0), EG_SYNC_ENROL);
}

static void a_refused_token_does_not_stop_a_booth_that_has_a_certificate(void **state)
{
	struct eg_sync sync;

	(void)state;
	enrolled(&sync);
	eg_sync_token(&sync, true, 10);
	assert_int_equal(next(&sync, 10), EG_SYNC_ENROL);
	eg_sync_done(&sync, EG_SYNC_ENROL, EG_SYNC_REFUSED, -1, 0, 10);
	assert_int_equal(next(&sync, 10), EG_SYNC_ENCOUNTER);
	assert_int_not_equal(next(&sync, 10 + 599999), EG_SYNC_ENROL);
	assert_int_equal(next(&sync, 10 + 600000), EG_SYNC_ENROL);
	eg_sync_done(&sync, EG_SYNC_ENROL, EG_SYNC_REFUSED, -1, 0, 600010);
	eg_sync_token(&sync, true, 600020); // another one was put there
	assert_int_equal(next(&sync, 600020), EG_SYNC_ENROL);
}

// Seen to fail: renewed at its end.
static void a_certificate_is_renewed_at_two_thirds_of_its_life(void **state)
{
	struct eg_sync sync;
	int64_t wait;

	(void)state;
	assert_int_equal(eg_sync_renewal_ms(0, 90 * DAY_MS), 60 * DAY_MS);
	enrolled(&sync);
	assert_int_not_equal(eg_sync_next(&sync, 0, 60 * DAY_MS - 1, &wait), EG_SYNC_RENEW);
	assert_int_equal(eg_sync_next(&sync, 0, 60 * DAY_MS, &wait), EG_SYNC_RENEW);
	assert_int_equal(eg_sync_next(&sync, 0, 100 * DAY_MS, &wait), EG_SYNC_RENEW);
	eg_sync_identity(&sync, true, 60 * DAY_MS, 150 * DAY_MS, 0);
	eg_sync_done(&sync, EG_SYNC_RENEW, EG_SYNC_DONE, -1, 0, 0);
	assert_int_not_equal(eg_sync_next(&sync, 0, 60 * DAY_MS, &wait), EG_SYNC_RENEW);
	// A clock that runs years ahead: not again before a third of its life has passed.
	assert_int_not_equal(eg_sync_next(&sync, 0, 900 * DAY_MS, &wait), EG_SYNC_RENEW);
	assert_int_equal(eg_sync_next(&sync, 30 * DAY_MS, 900 * DAY_MS, &wait), EG_SYNC_RENEW);
}

static void a_failing_renewal_lets_encounters_through(void **state)
{
	struct eg_sync sync;
	int64_t boot = 0, wait;
	unsigned int renewals = 0, encounters = 0;

	(void)state;
	enrolled(&sync);
	for (int turn = 0; turn < 2000 && boot < 600000; turn++) {
		enum eg_sync_task task = eg_sync_next(&sync, boot, 70 * DAY_MS, &wait);

		if (task == EG_SYNC_NONE) {
			boot += wait;
			continue;
		}
		// renewal: sometimes an error, sometimes no answer at all
		eg_sync_done(&sync, task,
			     task != EG_SYNC_RENEW ? EG_SYNC_DONE
			     : renewals % 2	   ? EG_SYNC_LINK
						   : EG_SYNC_FAILED,
			     -1, (uint32_t)turn * 2654435761u, boot);
		boot += 500;
		renewals += task == EG_SYNC_RENEW;
		encounters += task == EG_SYNC_ENCOUNTER;
	}
	assert_in_range(renewals, 5, 60);
	assert_in_range(encounters, 500, 2000);
}

static void a_refusal_renews_once_and_then_only_after_a_while(void **state)
{
	struct eg_sync sync;

	(void)state;
	enrolled(&sync);
	eg_sync_done(&sync, EG_SYNC_ENCOUNTER, EG_SYNC_REFUSED, -1, 0, 0);
	assert_int_equal(next(&sync, 0), EG_SYNC_RENEW);
	eg_sync_identity(&sync, true, 0, 90 * DAY_MS, 0);
	eg_sync_done(&sync, EG_SYNC_RENEW, EG_SYNC_DONE, -1, 0, 0);
	assert_int_equal(next(&sync, 0), EG_SYNC_ENCOUNTER); // at once, not after its wait
	eg_sync_done(&sync, EG_SYNC_ENCOUNTER, EG_SYNC_REFUSED, -1, 0, 0);
	assert_int_equal(next(&sync, 0), EG_SYNC_NONE);
	assert_int_equal(next(&sync, 1000), EG_SYNC_ENCOUNTER);
	eg_sync_done(&sync, EG_SYNC_ENCOUNTER, EG_SYNC_REFUSED, -1, 0, 600000);
	assert_int_equal(next(&sync, 600000), EG_SYNC_RENEW);
	eg_sync_done(&sync, EG_SYNC_RENEW, EG_SYNC_REFUSED, -1, 0, 600000);
	assert_int_not_equal(next(&sync, 600001), EG_SYNC_RENEW);
}

static void the_gate_closes_for_all_and_opens_for_all(void **state)
{
	struct eg_sync sync;

	(void)state;
	enrolled(&sync);
	eg_sync_done(&sync, EG_SYNC_ENCOUNTER, EG_SYNC_LINK, -1, 0, 100000);
	assert_int_equal(wait_of(&sync, 100000), 1000);
	assert_int_equal(wait_of(&sync, 100999), 1);
	assert_int_not_equal(next(&sync, 101000), EG_SYNC_NONE);
	eg_sync_done(&sync, EG_SYNC_ENCOUNTER, EG_SYNC_LINK, -1, 0, 101000);
	assert_int_equal(wait_of(&sync, 101000), 2000);
	eg_sync_done(&sync, EG_SYNC_ENCOUNTER, EG_SYNC_DONE, -1, 0, 103000);
	eg_sync_done(&sync, EG_SYNC_ENCOUNTER, EG_SYNC_LINK, -1, 0, 103000);
	assert_int_equal(wait_of(&sync, 103000), 1000); // counting starts anew
}

static void waits_double_stay_jittered_and_never_pass_the_cap(void **state)
{
	static const int64_t full[] = {1000, 2000, 4000, 8000, 16000, 32000, 60000, 60000};

	(void)state;
	for (unsigned int n = 1; n <= 8; n++) {
		int64_t least = INT64_MAX, most = 0;

		for (uint32_t random = 0; random < 100000; random += 7) {
			int64_t wait = eg_sync_backoff(&rules, n, random);

			least = wait < least ? wait : least;
			most = wait > most ? wait : most;
		}
		assert_int_equal(most, full[n - 1]);
		assert_in_range(least, full[n - 1] / 2, full[n - 1] / 2 + 7);
	}
	assert_in_range(eg_sync_backoff(&rules, 4000000000u, 12345), 30000, 60000);
}

static void retry_after_is_obeyed_but_not_for_ever(void **state)
{
	struct eg_sync sync;

	(void)state;
	enrolled(&sync);
	eg_sync_done(&sync, EG_SYNC_ENCOUNTER, EG_SYNC_LINK, 120000, 0, 0);
	assert_int_equal(wait_of(&sync, 0), 120000);
	enrolled(&sync);
	eg_sync_done(&sync, EG_SYNC_ENCOUNTER, EG_SYNC_LINK, 5, 0, 0);
	assert_int_equal(wait_of(&sync, 0), 1000); // not shorter than our own patience
	enrolled(&sync);
	eg_sync_done(&sync, EG_SYNC_ENCOUNTER, EG_SYNC_LINK, 400 * DAY_MS, 0, 0);
	assert_int_equal(wait_of(&sync, 0), 3600000);
}

static void a_failing_task_does_not_hold_up_the_others(void **state)
{
	struct eg_sync sync;

	(void)state;
	enrolled(&sync);
	eg_sync_done(&sync, EG_SYNC_ENCOUNTER, EG_SYNC_FAILED, -1, 0, 40000);
	assert_int_equal(next(&sync, 40000), EG_SYNC_HEARTBEAT);
}

static void a_big_manifest_and_a_long_queue_share_the_time(void **state)
{
	struct eg_sync sync;
	int64_t boot = 0, spent[EG_SYNC_TASKS] = {0};

	(void)state;
	enrolled(&sync);
	eg_sync_fetching(&sync, true, 0);
	while (boot < 25000) { // before heartbeat and poll come due
		enum eg_sync_task task = next(&sync, boot);
		int64_t took = task == EG_SYNC_FETCH ? 800 : 50;

		boot += took;
		spent[task] += took;
		eg_sync_done(&sync, task, EG_SYNC_DONE, -1, 0, boot);
	}
	assert_in_range(spent[EG_SYNC_FETCH], 11000, 14000);
	assert_in_range(spent[EG_SYNC_ENCOUNTER], 11000, 14000);
}

static void a_heartbeat_that_always_hangs_costs_little(void **state)
{
	struct eg_sync sync;
	int64_t boot = 0, wait;
	unsigned int encounters = 0;

	(void)state;
	enrolled(&sync);
	sync.due_ms[EG_SYNC_HEARTBEAT] = 0;
	while (boot < 3600000) {
		enum eg_sync_task task = eg_sync_next(&sync, boot, 1000, &wait);

		boot += task == EG_SYNC_NONE ? wait : task == EG_SYNC_HEARTBEAT ? 30000 : 50;
		if (task != EG_SYNC_NONE)
			eg_sync_done(&sync, task,
				     task == EG_SYNC_HEARTBEAT ? EG_SYNC_LINK : EG_SYNC_DONE, -1, 0,
				     boot);
		encounters += task == EG_SYNC_ENCOUNTER;
	}
	assert_in_range(encounters, 3600 / 2 * 20, 3600 * 20); // at least half of the time
}

static void polls_and_heartbeats_come_at_their_jittered_time(void **state)
{
	struct eg_sync sync;

	(void)state;
	for (uint32_t random = 0; random < 1000000; random += 9973) {
		enrolled(&sync);
		eg_sync_done(&sync, EG_SYNC_MANIFESTS, EG_SYNC_DONE, -1, random, 0);
		assert_in_range(sync.due_ms[EG_SYNC_MANIFESTS], 54000, 66000);
	}
}

static void an_empty_queue_is_looked_at_again_and_a_kick_is_at_once(void **state)
{
	struct eg_sync sync;

	(void)state;
	enrolled(&sync);
	eg_sync_done(&sync, EG_SYNC_ENCOUNTER, EG_SYNC_IDLE, -1, 0, 100);
	assert_int_equal(wait_of(&sync, 100), 2000);
	eg_sync_kick(&sync, false, 200);
	assert_int_equal(next(&sync, 200), EG_SYNC_ENCOUNTER);
}

static void a_kick_does_not_break_the_gate_but_a_retry_does(void **state)
{
	struct eg_sync sync;

	(void)state;
	enrolled(&sync);
	eg_sync_done(&sync, EG_SYNC_ENCOUNTER, EG_SYNC_LINK, -1, 0, 0);
	eg_sync_kick(&sync, false, 1);
	assert_int_equal(next(&sync, 1), EG_SYNC_NONE);
	eg_sync_kick(&sync, true, 2);
	assert_int_not_equal(next(&sync, 2), EG_SYNC_NONE);
}

static void a_buried_encounter_means_the_next_at_once(void **state)
{
	struct eg_sync sync;

	(void)state;
	enrolled(&sync);
	eg_sync_done(&sync, EG_SYNC_ENCOUNTER, EG_SYNC_BURY, -1, 0, 500);
	assert_int_equal(next(&sync, 500), EG_SYNC_ENCOUNTER);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_result_has_its_meaning),
		cmocka_unit_test(no_status_but_4xx_ever_buries_an_encounter),
		cmocka_unit_test(without_token_and_certificate_there_is_nothing_to_do),
		cmocka_unit_test(a_token_is_used_first_and_once),
		cmocka_unit_test(a_refused_token_does_not_stop_a_booth_that_has_a_certificate),
		cmocka_unit_test(a_certificate_is_renewed_at_two_thirds_of_its_life),
		cmocka_unit_test(a_failing_renewal_lets_encounters_through),
		cmocka_unit_test(a_refusal_renews_once_and_then_only_after_a_while),
		cmocka_unit_test(the_gate_closes_for_all_and_opens_for_all),
		cmocka_unit_test(waits_double_stay_jittered_and_never_pass_the_cap),
		cmocka_unit_test(retry_after_is_obeyed_but_not_for_ever),
		cmocka_unit_test(a_failing_task_does_not_hold_up_the_others),
		cmocka_unit_test(a_big_manifest_and_a_long_queue_share_the_time),
		cmocka_unit_test(a_heartbeat_that_always_hangs_costs_little),
		cmocka_unit_test(polls_and_heartbeats_come_at_their_jittered_time),
		cmocka_unit_test(an_empty_queue_is_looked_at_again_and_a_kick_is_at_once),
		cmocka_unit_test(a_kick_does_not_break_the_gate_but_a_retry_does),
		cmocka_unit_test(a_buried_encounter_means_the_next_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
