// SPDX-License-Identifier: Apache-2.0
//
// Several travellers, one light, documents and opt-outs: lane.c with its neighbours played here
// (the vision worker, the records, the watchers), so that every order of events can be tried.

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "firmware/boothd/booth.h"

static struct {
	struct eg_booth booth;
	unsigned int tries, claims, forgets, renews, records, faults, texts;
	uint32_t tried, claimed;
	enum eg_cause cause;	   // of the last record
	enum eg_verdict_kind kind; // of the last record
	bool face;		   // the last record had a result at hand
	int failing;		   // so many writes fail
	bool queue_full;
	struct eg_clock clock;
} world;

// ---- the neighbours -------------------------------------------------------------------------

int eg_worker_try(struct eg_worker *worker, uint32_t track)
{
	(void)worker;
	world.tries++;
	world.tried = track;
	return world.queue_full ? EG_EFULL : 0;
}

int eg_worker_claim(struct eg_worker *worker, uint32_t track, const struct eg_document *document)
{
	(void)worker;
	(void)document;
	world.claims++;
	world.claimed = track;
	return 0;
}

int eg_worker_renew(struct eg_worker *worker, uint32_t track)
{
	(void)worker;
	world.renews++;
	world.tried = track;
	return world.queue_full ? EG_EFULL : 0;
}

int eg_worker_forget(struct eg_worker *worker, uint32_t track)
{
	(void)worker;
	(void)track;
	world.forgets++;
	return 0;
}

void eg_worker_result_done(struct eg_worker_result *result)
{
	eg_buf_done(&result->face);
	memset(result, 0, sizeof(*result));
}

int eg_record_write(struct eg_booth *booth, const struct eg_slot *slot, char ret_id[EG_ID_TEXT_MAX],
		    struct eg_err *err)
{
	(void)booth;
	if (world.failing > 0) {
		world.failing--;
		return eg_err_set(err, EG_EFULL, "the disk is full");
	}
	world.records++;
	world.kind = slot->session.verdict.kind;
	world.cause = slot->session.verdict.cause;
	world.face = slot->has_result;
	(void)snprintf(ret_id, EG_ID_TEXT_MAX, "id-%u", world.records);
	return 0;
}

void eg_booth_fault(struct eg_booth *booth, const char *text)
{
	(void)booth;
	(void)text;
	world.faults++;
}

void eg_live_state(struct eg_booth *booth, const struct eg_slot *slot, const char *encounter)
{
	(void)booth;
	(void)slot;
	(void)encounter;
}

void eg_live_hint(struct eg_booth *booth, const struct eg_slot *slot)
{
	(void)booth;
	(void)slot;
}

void eg_live_text(struct eg_booth *booth, const char *type, const char *text)
{
	(void)booth;
	(void)type;
	(void)text;
	world.texts++;
}

void eg_live_kick_sync(struct eg_booth *booth)
{
	(void)booth;
}

// ---- the world ------------------------------------------------------------------------------

static int set_up(void **state)
{
	struct eg_err err;

	(void)state;
	memset(&world, 0, sizeof(world));
	eg_clock_fake_init(&world.clock, 1000 * EG_NS_PER_MS, 1780000000000);
	world.booth.clock = &world.clock;
	world.booth.policy = eg_session_defaults;
	world.booth.config.serve = EG_BOOTHD_EVERY;
	world.booth.signal_ops = &eg_signal_record;
	return world.booth.signal_ops->open("", &world.booth.signal, &err);
}

static int tear_down(void **state)
{
	(void)state;
	eg_lane_clear(&world.booth);
	world.booth.signal_ops->close(world.booth.signal);
	return 0;
}

static enum eg_light light(void)
{
	return world.booth.signal_ops->get(world.booth.signal);
}

static void wait_ms(int64_t ms)
{
	while (ms > 0) {
		int64_t step = ms < 100 ? ms : 100;

		eg_clock_fake_advance(&world.clock, step);
		eg_lane_tick(&world.booth);
		ms -= step;
	}
}

// A picture with those people in it, track numbers ended by 0; each has a new shot and a width of
// 0.1 + its number / 100.
static void picture(const uint32_t *tracks)
{
	struct eg_view *view = &world.booth.view;

	view->sequence++;
	view->captured_ns = eg_boot_ns(&world.clock);
	for (view->count = 0; *tracks != 0; tracks++)
		view->track[view->count++] = (struct eg_view_track){
			.id = *tracks,
			.in_view = true,
			.in_zone = true,
			.box = {.width = 0.1f + (float)*tracks / 100},
			.shots = 1,
			.newest_shot = view->sequence,
			.first_seen_ns = 1,
		};
	eg_lane_view(&world.booth);
}
#define PICTURE(...) picture((const uint32_t[]){__VA_ARGS__})

static void answer(uint32_t track, enum eg_verdict_kind kind, enum eg_cause cause,
		   enum eg_mode mode)
{
	struct eg_worker_result result = {
		.track = track,
		.attempt = {.verdict = {.kind = kind, .cause = cause, .mode = mode, .entry = 0},
			    .liveness = {.score = 0.9f, .frames = 5},
			    .shots = 5},
		.traveller = "P01",
	};

	eg_buf_init_secret(&result.face, 100);
	assert_int_equal(eg_buf_put(&result.face, "face", 4), 0);
	eg_lane_result(&world.booth, &result);
}

static void confirm(uint32_t track)
{
	answer(track, EG_VERDICT_CONFIRMED, EG_CAUSE_NONE, EG_MODE_IDENTIFY);
}

// As confirm(), of the traveller whose document has that number.
static void confirm_named(uint32_t track, const char *number)
{
	struct eg_worker_result result = {
		.track = track,
		.attempt = {.verdict = {.kind = EG_VERDICT_CONFIRMED, .mode = EG_MODE_IDENTIFY},
			    .liveness = {.score = 0.9f, .frames = 5},
			    .shots = 5},
		.papers = {.has_document = true},
		.salt = {7},
	};

	assert_int_equal(
		eg_manifest_document_digest(result.salt, "UTO", number, result.papers.document), 0);
	eg_lane_result(&world.booth, &result);
}

static void send_away(uint32_t track)
{
	answer(track, EG_VERDICT_REFER, EG_CAUSE_SYSTEM_FAULT, EG_MODE_IDENTIFY);
}

static struct eg_document document(const char *number)
{
	struct eg_document d = {.kind = EG_DOCUMENT_MRZ, .mrz = {.issuer = "UTO"}};

	(void)snprintf(d.mrz.number, sizeof(d.mrz.number), "%s", number);
	return d;
}

// ---- the light ------------------------------------------------------------------------------

static void green_comes_only_after_the_record(void **state)
{
	(void)state;
	PICTURE(1, 0);
	assert_int_equal(world.tries, 1);
	confirm(1);
	assert_int_equal(world.records, 1);
	assert_int_equal(light(), EG_LIGHT_GREEN);
	wait_ms(3100);
	assert_int_equal(light(), EG_LIGHT_OFF);
}

static void a_record_that_fails_turns_green_into_blue_and_is_a_referral(void **state)
{
	(void)state;
	world.failing = 1;
	PICTURE(1, 0);
	confirm(1);
	assert_int_equal(light(), EG_LIGHT_BLUE);
	assert_int_equal(world.faults, 1);
	assert_int_equal(world.records, 1);
	assert_int_equal(world.kind, EG_VERDICT_REFER);
	assert_int_equal(world.cause, EG_CAUSE_SYSTEM_FAULT);
	assert_int_equal(world.booth.confirmed, 0);
}

static void one_persons_green_does_not_hide_anothers_blue(void **state)
{
	(void)state;
	PICTURE(1, 2, 0);
	send_away(1);
	assert_int_equal(light(), EG_LIGHT_BLUE);
	wait_ms(1000);
	PICTURE(1, 2, 0);
	confirm(2);
	assert_int_equal(light(), EG_LIGHT_BLUE);
	wait_ms(2100); // the first one's time is over, the second one's is not
	assert_int_equal(light(), EG_LIGHT_GREEN);
	wait_ms(1000);
	assert_int_equal(light(), EG_LIGHT_OFF);
}

static void an_early_end_of_one_does_not_darken_the_others_light(void **state)
{
	(void)state;
	PICTURE(1, 2, 0);
	confirm(2);
	PICTURE(2, 0); // the first one left
	wait_ms(200);
	assert_int_equal(light(), EG_LIGHT_GREEN);
}

// ---- documents ------------------------------------------------------------------------------

static void a_document_goes_to_the_nearest_who_has_shown_none(void **state)
{
	struct eg_document a = document("A"), b = document("B");

	(void)state;
	PICTURE(1, 2, 0);
	eg_lane_document(&world.booth, &a);
	assert_int_equal(world.claimed, 2);
	eg_lane_document(&world.booth, &b);
	assert_int_equal(world.claimed, 1);
}

static void a_document_read_twice_is_not_the_next_persons(void **state)
{
	struct eg_document a = document("A");

	(void)state;
	PICTURE(1, 2, 0);
	eg_lane_document(&world.booth, &a);
	eg_lane_document(&world.booth, &a);
	assert_int_equal(world.claims, 1);
	answer(2, EG_VERDICT_CONFIRMED, EG_CAUSE_NONE, EG_MODE_VERIFY);
	eg_lane_document(&world.booth, &a); // also not after the verdict, while that one is there
	assert_int_equal(world.claims, 1);
	PICTURE(1, 2, 3, 0);
	assert_int_equal(world.claims, 1);
}

static void a_document_that_waits_is_not_spent_on_a_glimpse(void **state)
{
	struct eg_document a = document("A");

	(void)state;
	eg_lane_document(&world.booth, &a);
	PICTURE(0);
	world.booth.view.count = 1; // somebody far away, not usable
	world.booth.view.track[0] =
		(struct eg_view_track){.id = 1, .in_view = true, .in_zone = true};
	eg_lane_view(&world.booth);
	assert_int_equal(world.booth.sessions, 1);
	assert_int_equal(world.claims, 0);
	PICTURE(2, 0);
	assert_int_equal(world.claimed, 2);
	assert_int_equal(world.tries, 1); // and it was compared after the claim, once
}

static void a_document_nobody_comes_for_is_forgotten(void **state)
{
	struct eg_document a = document("A");

	(void)state;
	eg_lane_document(&world.booth, &a);
	wait_ms(10100);
	assert_string_equal(world.booth.pending.mrz.number, "");
	PICTURE(1, 0);
	assert_int_equal(world.claims, 0);
}

static void a_confirmed_travellers_late_document_is_not_the_next_persons(void **state)
{
	struct eg_document own = document("OWN"), other = document("OTHER");

	(void)state;
	PICTURE(1, 0);
	confirm_named(1, "OWN");
	wait_ms(3100);
	PICTURE(0);			      // gone
	eg_lane_document(&world.booth, &own); // nobody there: it must not wait for the next one
	PICTURE(2, 0);
	assert_int_equal(world.claims, 0);
	eg_lane_document(&world.booth, &own); // nor go to the one who is there
	assert_int_equal(world.claims, 0);
	assert_int_equal(world.texts, 2); // it was told, each time
	eg_lane_document(&world.booth, &other);
	assert_int_equal(world.claimed, 2);
}

static void a_travellers_document_counts_again_after_a_moment(void **state)
{
	struct eg_document own = document("OWN");

	(void)state;
	PICTURE(1, 0);
	confirm_named(1, "OWN");
	wait_ms(3100);
	PICTURE(0);
	wait_ms(7000);
	PICTURE(2, 0);
	eg_lane_document(&world.booth, &own);
	assert_int_equal(world.claimed, 2);
}

static void an_answer_from_before_the_document_neither_confirms_nor_names(void **state)
{
	struct eg_document a = document("A");

	(void)state;
	PICTURE(1, 0);
	eg_lane_document(&world.booth, &a);
	confirm(1);
	assert_int_equal(light(), EG_LIGHT_OFF);
	assert_int_equal(world.tries, 2);
	assert_false(world.booth.slot[0].has_result);
	answer(1, EG_VERDICT_CONFIRMED, EG_CAUSE_NONE, EG_MODE_VERIFY);
	assert_int_equal(light(), EG_LIGHT_GREEN);
}

// ---- who is served --------------------------------------------------------------------------

static void booth_mode_serves_the_nearest_and_one_only(void **state)
{
	(void)state;
	world.booth.config.serve = EG_BOOTHD_ONE;
	PICTURE(1, 5, 3, 0);
	assert_int_equal(world.booth.sessions, 1);
	assert_int_equal(world.booth.slot[0].track, 5);
}

static void nobody_is_lost_when_more_come_than_there_are_sessions(void **state)
{
	uint32_t tracks[EG_TRACKS_MAX + 1] = {0}, others[EG_TRACKS_MAX + 1] = {0};
	uint32_t i;

	(void)state;
	for (i = 0; i < EG_TRACKS_MAX; i++) {
		tracks[i] = i + 1;
		others[i] = i + 101;
	}
	picture(tracks);
	for (i = 0; i < EG_TRACKS_MAX; i++)
		send_away(tracks[i]);
	picture(others); // the first ones' verdicts are still being shown
	wait_ms(3100);
	picture(others);
	for (i = 0; i < EG_TRACKS_MAX; i++)
		send_away(others[i]);
	assert_int_equal(world.records, 2 * EG_TRACKS_MAX);
}

static void a_worker_that_takes_no_more_ends_in_the_officers_hands(void **state)
{
	(void)state;
	world.queue_full = true;
	PICTURE(1, 0);
	assert_int_equal(world.records, 1);
	assert_int_equal(world.cause, EG_CAUSE_SYSTEM_FAULT);
	assert_int_equal(light(), EG_LIGHT_BLUE);
}

// ---- no camera, please ----------------------------------------------------------------------

static void everybody_who_is_served_opts_out_and_no_face_stays(void **state)
{
	(void)state;
	PICTURE(1, 2, 0);
	confirm(1);
	answer(2, EG_VERDICT_REFER, EG_CAUSE_AMBIGUOUS, EG_MODE_IDENTIFY);
	assert_true(world.booth.slot[1].has_result || world.booth.slot[0].has_result);
	world.booth.blind_ns = INT64_MAX;
	eg_lane_opt_out(&world.booth);
	assert_int_equal(world.records, 2);
	assert_int_equal(world.cause, EG_CAUSE_OPTED_OUT);
	assert_false(world.booth.slot[0].has_result || world.booth.slot[1].has_result);
	// A picture that was under way when the camera stopped begins nothing.
	PICTURE(3, 0);
	assert_int_equal(world.booth.sessions, 2);
	// No picture will tell that they left; their places are free all the same.
	wait_ms(3100);
	assert_false(world.booth.slot[0].used || world.booth.slot[1].used);
}

static void opting_out_again_and_again_is_recorded_each_time(void **state)
{
	int i;

	(void)state;
	world.booth.blind_ns = INT64_MAX;
	for (i = 0; i < EG_TRACKS_MAX; i++) {
		eg_lane_opt_out(&world.booth);
		assert_int_equal(world.records, i + 1);
		assert_int_equal(world.cause, EG_CAUSE_OPTED_OUT);
	}
	eg_lane_opt_out(&world.booth); // no place left: said, not swallowed
	assert_int_equal(world.faults, 1);
	wait_ms(25000);
	assert_int_equal(world.records, EG_TRACKS_MAX); // and none comes later, with another cause
}

static void stopping_sends_who_is_served_to_the_officer_on_record(void **state)
{
	(void)state;
	PICTURE(1, 2, 0);
	confirm(2);
	eg_lane_fault_all(&world.booth);
	assert_int_equal(world.records, 2);
	assert_int_equal(world.cause, EG_CAUSE_SYSTEM_FAULT);
	assert_int_equal(world.booth.confirmed, 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(green_comes_only_after_the_record),
		TEST(a_record_that_fails_turns_green_into_blue_and_is_a_referral),
		TEST(one_persons_green_does_not_hide_anothers_blue),
		TEST(an_early_end_of_one_does_not_darken_the_others_light),
		TEST(a_document_goes_to_the_nearest_who_has_shown_none),
		TEST(a_document_read_twice_is_not_the_next_persons),
		TEST(a_document_that_waits_is_not_spent_on_a_glimpse),
		TEST(a_document_nobody_comes_for_is_forgotten),
		TEST(a_confirmed_travellers_late_document_is_not_the_next_persons),
		TEST(a_travellers_document_counts_again_after_a_moment),
		TEST(an_answer_from_before_the_document_neither_confirms_nor_names),
		TEST(booth_mode_serves_the_nearest_and_one_only),
		TEST(nobody_is_lost_when_more_come_than_there_are_sessions),
		TEST(a_worker_that_takes_no_more_ends_in_the_officers_hands),
		TEST(everybody_who_is_served_opts_out_and_no_face_stays),
		TEST(opting_out_again_and_again_is_recorded_each_time),
		TEST(stopping_sends_who_is_served_to_the_officer_on_record),
	};

	if (eg_crypto_init(NULL) != 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
