// SPDX-License-Identifier: Apache-2.0
//
// The traveller's session, by its budgets and promises (design.md §5, §6): no way out without a
// verdict on record, nothing but a match confirms, time limits hold.

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <string.h>

#include "firmware/boothd/session.h"

static struct eg_attempt attempt(enum eg_verdict_kind kind, enum eg_cause cause, unsigned int shots)
{
	struct eg_attempt a = {
		.verdict = {.kind = kind,
			    .cause = cause,
			    .mode = EG_MODE_IDENTIFY,
			    .entry = 0,
			    .score = 0.7f,
			    .second = 0.1f,
			    .threshold = 0.5f},
		.liveness = {.score = 0.9f, .frames = 5},
		.shots = shots,
	};

	return a;
}

static unsigned int feed(struct eg_session *s, enum eg_session_event event, int64_t ms)
{
	return eg_session_step(s, &eg_session_defaults, event, NULL, ms);
}

static unsigned int answer(struct eg_session *s, struct eg_attempt a, int64_t ms)
{
	return eg_session_step(s, &eg_session_defaults, EG_SESSION_ATTEMPT, &a, ms);
}

// Somebody in the zone with a first usable shot at 100 ms, a comparison under way.
static struct eg_session deciding(void)
{
	struct eg_session s = {0};

	(void)feed(&s, EG_SESSION_SEEN, 0);
	assert_true(feed(&s, EG_SESSION_SHOT, 100) & EG_SESSION_DO_TRY);
	assert_int_equal(s.state, EG_SESSION_DECIDING);
	return s;
}

static void a_zeroed_session_is_idle_and_has_no_verdict(void **state)
{
	struct eg_session s = {0};

	(void)state;
	assert_int_equal(s.state, EG_SESSION_IDLE);
	assert_int_equal(s.verdict.kind, EG_VERDICT_NONE);
}

static void a_live_match_on_two_shots_is_confirmed_recorded_and_green(void **state)
{
	struct eg_session s = deciding();
	unsigned int actions;

	(void)state;
	actions = answer(&s, attempt(EG_VERDICT_CONFIRMED, EG_CAUSE_NONE, 2), 400);
	assert_int_equal(s.state, EG_SESSION_CONFIRMED);
	assert_int_equal(s.verdict.kind, EG_VERDICT_CONFIRMED);
	assert_true(actions & EG_SESSION_DO_RECORD);
	assert_true(actions & EG_SESSION_DO_GREEN);
	assert_false(actions & EG_SESSION_DO_BLUE);
	assert_int_equal(s.verdict_ms - s.usable_ms, 300);
}

static void one_shot_does_not_confirm_but_is_tried_again(void **state)
{
	struct eg_session s = deciding();

	(void)state;
	(void)answer(&s, attempt(EG_VERDICT_CONFIRMED, EG_CAUSE_NONE, 1), 200);
	assert_int_equal(s.state, EG_SESSION_CAPTURING);
	assert_true(feed(&s, EG_SESSION_SHOT, 300) & EG_SESSION_DO_TRY);
}

static void a_match_that_was_not_measured_alive_goes_to_the_officer(void **state)
{
	struct eg_attempt a = attempt(EG_VERDICT_CONFIRMED, EG_CAUSE_NONE, 5);
	const float scores[] = {NAN, 0.1f, -INFINITY};
	size_t i;

	(void)state;
	for (i = 0; i < 3; i++) {
		struct eg_session s = deciding();

		a.liveness.score = scores[i];
		(void)answer(&s, a, 200);
		assert_int_equal(s.state, EG_SESSION_CAPTURING);
		(void)feed(&s, EG_SESSION_SHOT, 1650);
		assert_true(answer(&s, a, 1700) & EG_SESSION_DO_BLUE);
		assert_int_equal(s.verdict.cause, EG_CAUSE_LIVENESS_DOUBT);
	}
}

static void a_non_match_is_final_after_enough_shots_and_time_and_not_before(void **state)
{
	struct eg_attempt a = attempt(EG_VERDICT_REFER, EG_CAUSE_BELOW_THRESHOLD, 4);
	struct eg_session s = deciding();

	(void)state;
	(void)answer(&s, a, 500);
	assert_int_equal(s.state, EG_SESSION_CAPTURING);
	(void)feed(&s, EG_SESSION_SHOT, 1650);
	assert_true(answer(&s, a, 1700) & EG_SESSION_DO_RECORD);
	assert_int_equal(s.verdict.kind, EG_VERDICT_REFER);
	assert_int_equal(s.verdict.cause, EG_CAUSE_BELOW_THRESHOLD);
}

static void nobody_is_tried_for_longer_than_six_seconds(void **state)
{
	struct eg_session s = deciding();

	(void)state;
	(void)answer(&s, attempt(EG_VERDICT_REFER, EG_CAUSE_AMBIGUOUS, 1), 500);
	assert_int_equal(feed(&s, EG_SESSION_TICK, 6099), 0);
	assert_true(feed(&s, EG_SESSION_TICK, 6100) & EG_SESSION_DO_BLUE);
	assert_int_equal(s.verdict.cause, EG_CAUSE_AMBIGUOUS);
}

static void a_comparison_that_never_comes_back_is_a_system_fault(void **state)
{
	struct eg_session s = deciding();

	(void)state;
	assert_true(feed(&s, EG_SESSION_TICK, 7000) & EG_SESSION_DO_RECORD);
	assert_int_equal(s.verdict.cause, EG_CAUSE_SYSTEM_FAULT);
	// and when it comes after all, it changes nothing
	assert_int_equal(answer(&s, attempt(EG_VERDICT_CONFIRMED, EG_CAUSE_NONE, 5), 7100), 0);
	assert_int_equal(s.verdict.kind, EG_VERDICT_REFER);
}

static void a_face_never_usable_is_poor_capture_after_twenty_seconds(void **state)
{
	struct eg_session s = {0};

	(void)state;
	(void)feed(&s, EG_SESSION_SEEN, 0);
	assert_int_equal(feed(&s, EG_SESSION_TICK, 19999), 0);
	assert_true(feed(&s, EG_SESSION_TICK, 20000) & EG_SESSION_DO_BLUE);
	assert_int_equal(s.verdict.cause, EG_CAUSE_POOR_CAPTURE);
}

static void a_glimpse_leaves_no_record_but_a_passer_by_does(void **state)
{
	struct eg_session glimpse = {0}, passer = {0};

	(void)state;
	// A track is dropped a second after its face was seen last: the glimpse lasted 900 ms.
	(void)feed(&glimpse, EG_SESSION_SEEN, 0);
	(void)feed(&glimpse, EG_SESSION_SEEN, 900);
	assert_false(feed(&glimpse, EG_SESSION_LOST, 1900) & EG_SESSION_DO_RECORD);
	assert_int_equal(glimpse.state, EG_SESSION_OVER);
	(void)feed(&passer, EG_SESSION_SEEN, 0);
	(void)feed(&passer, EG_SESSION_SEEN, 1000);
	assert_true(feed(&passer, EG_SESSION_LOST, 2000) & EG_SESSION_DO_RECORD);
	assert_int_equal(passer.verdict.cause, EG_CAUSE_POOR_CAPTURE);
}

static void who_walks_out_while_being_compared_still_gets_the_verdict(void **state)
{
	struct eg_session s = deciding();

	(void)state;
	assert_int_equal(feed(&s, EG_SESSION_LOST, 300), 0);
	assert_true(answer(&s, attempt(EG_VERDICT_CONFIRMED, EG_CAUSE_NONE, 2), 400) &
		    EG_SESSION_DO_GREEN);
	(void)feed(&s, EG_SESSION_TICK, 4000);
	assert_int_equal(s.state, EG_SESSION_OVER);
}

static void who_walks_out_and_does_not_match_is_referred_at_once(void **state)
{
	struct eg_session s = deciding();

	(void)state;
	(void)feed(&s, EG_SESSION_LOST, 300);
	assert_true(answer(&s, attempt(EG_VERDICT_REFER, EG_CAUSE_NOT_ON_MANIFEST, 1), 400) &
		    EG_SESSION_DO_RECORD);
	assert_int_equal(s.verdict.cause, EG_CAUSE_NOT_ON_MANIFEST);
}

static void a_stale_manifest_confirms_nobody(void **state)
{
	struct eg_attempt a = attempt(EG_VERDICT_CONFIRMED, EG_CAUSE_NONE, 5);
	struct eg_session s = deciding();

	(void)state;
	a.stale = true;
	(void)answer(&s, a, 300);
	assert_int_equal(s.verdict.kind, EG_VERDICT_REFER);
	assert_int_equal(s.verdict.cause, EG_CAUSE_MANIFEST_STALE);
}

static void who_was_just_served_makes_no_second_record(void **state)
{
	struct eg_attempt a = attempt(EG_VERDICT_CONFIRMED, EG_CAUSE_NONE, 5);
	struct eg_session s = deciding();

	(void)state;
	a.served_before = true;
	assert_false(answer(&s, a, 300) & (EG_SESSION_DO_RECORD | EG_SESSION_DO_GREEN));
	// It waits while the face is there, or it would begin again with the next picture.
	assert_int_equal(s.state, EG_SESSION_LEAVING);
	assert_int_equal(feed(&s, EG_SESSION_SHOT, 400), 0);
	assert_int_equal(feed(&s, EG_SESSION_TICK, 60000), 0);
	(void)feed(&s, EG_SESSION_LOST, 60001);
	assert_int_equal(s.state, EG_SESSION_OVER);
	assert_int_equal(s.verdict.kind, EG_VERDICT_NONE);
}

static void a_second_person_in_the_zone_stops_a_confirmation(void **state)
{
	struct eg_session s = deciding();

	(void)state;
	(void)feed(&s, EG_SESSION_CROWD, 200);
	(void)answer(&s, attempt(EG_VERDICT_CONFIRMED, EG_CAUSE_NONE, 5), 300);
	assert_int_equal(s.state, EG_SESSION_CAPTURING);
	(void)feed(&s, EG_SESSION_CROWD, 6000);
	(void)feed(&s, EG_SESSION_TICK, 6100);
	assert_int_equal(s.verdict.cause, EG_CAUSE_SEVERAL_PEOPLE);
}

static void a_second_person_who_leaves_does_not_spoil_the_session(void **state)
{
	struct eg_session s = deciding();

	(void)state;
	(void)feed(&s, EG_SESSION_CROWD, 200);
	(void)answer(&s, attempt(EG_VERDICT_CONFIRMED, EG_CAUSE_NONE, 3), 300);
	assert_int_equal(feed(&s, EG_SESSION_TICK, 1100), 0);
	assert_true(feed(&s, EG_SESSION_TICK, 1200) & EG_SESSION_DO_TRY);
	assert_true(answer(&s, attempt(EG_VERDICT_CONFIRMED, EG_CAUSE_NONE, 3), 1300) &
		    EG_SESSION_DO_GREEN);
}

static void a_match_made_before_a_document_came_is_not_the_documents(void **state)
{
	struct eg_attempt identified = attempt(EG_VERDICT_CONFIRMED, EG_CAUSE_NONE, 5);
	struct eg_attempt verified = identified;
	struct eg_session s = deciding(), gone = deciding();

	(void)state;
	verified.verdict.mode = EG_MODE_VERIFY;
	// The document comes while everybody is being compared: that answer must not confirm.
	assert_int_equal(feed(&s, EG_SESSION_CLAIM, 200), 0);
	assert_int_equal(answer(&s, identified, 300) & EG_SESSION_DO_GREEN, 0);
	assert_int_equal(s.state, EG_SESSION_DECIDING);
	assert_false(s.tried);
	assert_true(answer(&s, verified, 400) & EG_SESSION_DO_GREEN);
	assert_int_equal(s.verdict.mode, EG_MODE_VERIFY);
	// And who has left meanwhile goes to the officer.
	(void)feed(&gone, EG_SESSION_CLAIM, 200);
	(void)feed(&gone, EG_SESSION_LOST, 250);
	assert_true(answer(&gone, identified, 300) & EG_SESSION_DO_BLUE);
	assert_int_equal(gone.verdict.kind, EG_VERDICT_REFER);
}

static void opting_out_ends_in_the_officers_hands_from_every_serving_state(void **state)
{
	struct eg_session s = {0}, d = deciding();

	(void)state;
	(void)feed(&s, EG_SESSION_SEEN, 0);
	assert_true(feed(&s, EG_SESSION_OPT_OUT, 10) & EG_SESSION_DO_RECORD);
	assert_int_equal(s.verdict.cause, EG_CAUSE_OPTED_OUT);
	assert_true(feed(&d, EG_SESSION_OPT_OUT, 200) & EG_SESSION_DO_FORGET);
	assert_int_equal(d.verdict.cause, EG_CAUSE_OPTED_OUT);
}

static void a_record_that_cannot_be_written_takes_the_confirmation_back(void **state)
{
	struct eg_session s = deciding();

	(void)state;
	(void)answer(&s, attempt(EG_VERDICT_CONFIRMED, EG_CAUSE_NONE, 3), 300);
	assert_true(feed(&s, EG_SESSION_FAULT, 301) & EG_SESSION_DO_BLUE);
	assert_int_equal(s.verdict.kind, EG_VERDICT_REFER);
	assert_int_equal(s.verdict.cause, EG_CAUSE_SYSTEM_FAULT);
}

static void verify_compares_nothing_before_a_document(void **state)
{
	struct eg_session_policy policy = eg_session_defaults;
	struct eg_session s = {0};

	(void)state;
	policy.needs_document = true;
	(void)eg_session_step(&s, &policy, EG_SESSION_SEEN, NULL, 0);
	assert_int_equal(eg_session_step(&s, &policy, EG_SESSION_SHOT, NULL, 100), 0);
	assert_int_equal(eg_session_step(&s, &policy, EG_SESSION_TICK, NULL, 8000), 0);
	assert_true(eg_session_step(&s, &policy, EG_SESSION_CLAIM, NULL, 8100) & EG_SESSION_DO_TRY);
}

static void three_misread_documents_are_enough(void **state)
{
	struct eg_session_policy policy = eg_session_defaults;
	struct eg_session s = {0};

	(void)state;
	policy.needs_document = true;
	(void)eg_session_step(&s, &policy, EG_SESSION_SEEN, NULL, 0);
	assert_int_equal(eg_session_step(&s, &policy, EG_SESSION_MISREAD, NULL, 1), 0);
	assert_int_equal(eg_session_step(&s, &policy, EG_SESSION_MISREAD, NULL, 2), 0);
	assert_true(eg_session_step(&s, &policy, EG_SESSION_MISREAD, NULL, 3) &
		    EG_SESSION_DO_RECORD);
	assert_int_equal(s.verdict.cause, EG_CAUSE_DOCUMENT_UNREADABLE);
}

// Whatever comes in whatever order: legal events never lead out of the states without a record once
// the face was there for a second, and only a CONFIRMED attempt ever confirms.
static void random_walks_keep_the_promises(void **state)
{
	uint32_t seed = 12345;
	int walk, step;

	(void)state;
	for (walk = 0; walk < 20000; walk++) {
		struct eg_session s = {0};
		bool recorded = false, matched = false;
		int64_t now = 0;

		for (step = 0; step < 60 && s.state != EG_SESSION_OVER; step++) {
			enum eg_session_event event;
			struct eg_attempt a;
			unsigned int actions;

			seed = seed * 1664525u + 1013904223u;
			event = (seed >> 16) % EG_SESSION_EVENT_COUNT;
			now += (seed >> 8) % 700;
			if (!eg_session_legal(s.state, event))
				continue;
			a = attempt((seed >> 20) % 2 ? EG_VERDICT_CONFIRMED : EG_VERDICT_REFER,
				    EG_CAUSE_BELOW_THRESHOLD, (seed >> 4) % 6);
			if (a.verdict.kind == EG_VERDICT_CONFIRMED)
				a.verdict.cause = EG_CAUSE_NONE;
			if (event == EG_SESSION_ATTEMPT && s.state == EG_SESSION_DECIDING)
				matched = matched || a.verdict.kind == EG_VERDICT_CONFIRMED;
			actions = eg_session_step(&s, &eg_session_defaults, event,
						  event == EG_SESSION_ATTEMPT ? &a : NULL, now);
			recorded = recorded || (actions & EG_SESSION_DO_RECORD);
			if (actions & EG_SESSION_DO_GREEN)
				assert_true(matched);
			if (s.state == EG_SESSION_CONFIRMED || s.state == EG_SESSION_REFERRED)
				assert_true(recorded);
			assert_false((actions & EG_SESSION_DO_GREEN) &&
				     (actions & EG_SESSION_DO_BLUE));
		}
		if (s.state == EG_SESSION_OVER && s.usable_ms == 0 && now - s.seen_ms > 100000)
			assert_true(recorded);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_zeroed_session_is_idle_and_has_no_verdict),
		cmocka_unit_test(a_live_match_on_two_shots_is_confirmed_recorded_and_green),
		cmocka_unit_test(one_shot_does_not_confirm_but_is_tried_again),
		cmocka_unit_test(a_match_that_was_not_measured_alive_goes_to_the_officer),
		cmocka_unit_test(a_non_match_is_final_after_enough_shots_and_time_and_not_before),
		cmocka_unit_test(nobody_is_tried_for_longer_than_six_seconds),
		cmocka_unit_test(a_comparison_that_never_comes_back_is_a_system_fault),
		cmocka_unit_test(a_face_never_usable_is_poor_capture_after_twenty_seconds),
		cmocka_unit_test(a_glimpse_leaves_no_record_but_a_passer_by_does),
		cmocka_unit_test(who_walks_out_while_being_compared_still_gets_the_verdict),
		cmocka_unit_test(who_walks_out_and_does_not_match_is_referred_at_once),
		cmocka_unit_test(a_stale_manifest_confirms_nobody),
		cmocka_unit_test(who_was_just_served_makes_no_second_record),
		cmocka_unit_test(a_second_person_in_the_zone_stops_a_confirmation),
		cmocka_unit_test(a_second_person_who_leaves_does_not_spoil_the_session),
		cmocka_unit_test(a_match_made_before_a_document_came_is_not_the_documents),
		cmocka_unit_test(opting_out_ends_in_the_officers_hands_from_every_serving_state),
		cmocka_unit_test(a_record_that_cannot_be_written_takes_the_confirmation_back),
		cmocka_unit_test(verify_compares_nothing_before_a_document),
		cmocka_unit_test(three_misread_documents_are_enough),
		cmocka_unit_test(random_walks_keep_the_promises),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
