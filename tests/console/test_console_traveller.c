// SPDX-License-Identifier: Apache-2.0

#include "firmware/consoled/traveller.h"

#include <string.h>

#include "tests/base/test.h"

#define A "0199aaaa-bbbb-7ccc-8ddd-eeeeffff0001"
#define B "0199aaaa-bbbb-7ccc-8ddd-eeeeffff0002"

static struct traveller t;

static int ready(void **state)
{
	(void)state;
	traveller_init(&t, 0);
	assert_int_equal(t.state, TRAVELLER_OUT_OF_SERVICE);
	(void)traveller_link(&t, true, 0);
	assert_int_equal(t.state, TRAVELLER_OUT_OF_SERVICE); // no picture yet
	assert_true(traveller_camera(&t, true, false, 0));
	assert_int_equal(t.state, TRAVELLER_IDLE);
	return 0;
}

static void one_walks_through(void **state)
{
	(void)state;
	assert_true(traveller_session(&t, 1, 7, "approaching", NULL, 100));
	assert_int_equal(t.state, TRAVELLER_APPROACH);
	assert_int_equal(t.since_ms, 100);
	assert_true(traveller_session(&t, 1, 7, "capturing", NULL, 200));
	assert_false(traveller_session(&t, 1, 7, "capturing", NULL, 210));
	assert_true(traveller_session(&t, 1, 7, "deciding", NULL, 300));
	assert_true(traveller_session(&t, 1, 7, "confirmed", A, 400));
	assert_int_equal(t.state, TRAVELLER_GO);
	assert_string_equal(t.encounter, A);
	assert_int_equal(traveller_track(&t), 0); // nobody is watched any more
	// Still in view: it stays.
	assert_false(traveller_session(&t, 1, 7, "leaving", NULL, 3400));
	assert_false(traveller_tick(&t, 60000));
	assert_true(traveller_session(&t, 1, 7, "over", NULL, 60000));
	assert_int_equal(t.state, TRAVELLER_IDLE);
	assert_string_equal(t.encounter, "");
}

static void a_result_stays_five_seconds_after_a_quick_leave(void **state)
{
	(void)state;
	(void)traveller_session(&t, 1, 7, "capturing", NULL, 0);
	(void)traveller_session(&t, 1, 7, "referred", A, 1000);
	assert_int_equal(t.state, TRAVELLER_OFFICER);
	assert_false(traveller_session(&t, 1, 7, "over", NULL, 1100));
	assert_int_equal(traveller_next_ms(&t), 6000);
	assert_false(traveller_tick(&t, 5999));
	assert_true(traveller_tick(&t, 6000));
	assert_int_equal(t.state, TRAVELLER_IDLE);
	assert_int_equal(traveller_next_ms(&t), INT64_MAX);
}

static void it_gives_way_to_the_next_ones_capture_after_a_glance(void **state)
{
	(void)state;
	(void)traveller_session(&t, 1, 7, "confirmed", A, 1000);
	assert_false(traveller_session(&t, 2, 8, "approaching", NULL, 1200));
	assert_false(traveller_tick(&t, 4000)); // who comes closer only, waits
	assert_true(traveller_session(&t, 2, 8, "capturing", NULL, 4000));
	assert_int_equal(t.state, TRAVELLER_CAPTURE);
	(void)traveller_session(&t, 2, 8, "confirmed", B, 5000);
	assert_false(traveller_session(&t, 3, 9, "capturing", NULL, 5100));
	assert_int_equal(traveller_next_ms(&t), 6500);
	assert_true(traveller_tick(&t, 6500));
	assert_int_equal(t.state, TRAVELLER_CAPTURE);
	assert_int_equal(t.shown, 3);
}

static void blue_goes_before_green(void **state)
{
	(void)state;
	(void)traveller_session(&t, 1, 7, "capturing", NULL, 0);
	(void)traveller_session(&t, 2, 8, "capturing", NULL, 0);
	assert_true(traveller_session(&t, 2, 8, "referred", B, 1000));
	assert_int_equal(t.state, TRAVELLER_OFFICER);
	assert_false(traveller_session(&t, 1, 7, "confirmed", A, 1500));
	assert_int_equal(t.state, TRAVELLER_OFFICER);
	assert_string_equal(t.encounter, B);
	// The other way round, blue takes over at once.
	(void)ready(NULL);
	(void)traveller_session(&t, 1, 7, "confirmed", A, 1000);
	assert_true(traveller_session(&t, 2, 8, "referred", B, 1100));
	assert_int_equal(t.state, TRAVELLER_OFFICER);
}

static void the_page_is_for_the_nearest(void **state)
{
	struct traveller_seen seen[] = {
		{.track = 7, .served = true, .x = .1, .y = .1, .width = .1, .height = .2},
		{.track = 8, .served = true, .x = .5, .y = .1, .width = .11, .height = .22},
	};

	(void)state;
	(void)traveller_session(&t, 1, 7, "capturing", NULL, 0);
	(void)traveller_session(&t, 2, 8, "approaching", NULL, 0);
	(void)traveller_seen(&t, seen, 2);
	(void)traveller_tick(&t, 10);
	assert_int_equal(t.shown, 1); // a little nearer is not much nearer
	seen[1].width = .2;
	seen[1].height = .4;
	(void)traveller_seen(&t, seen, 2);
	assert_true(traveller_tick(&t, 20));
	assert_int_equal(t.shown, 2);
	assert_int_equal(t.state, TRAVELLER_APPROACH);
	assert_int_equal(traveller_track(&t), 8);
	assert_true(traveller_session(&t, 2, 8, "over", NULL, 30));
	assert_int_equal(t.shown, 1);
}

static void a_hint_stays_800_ms(void **state)
{
	(void)state;
	(void)traveller_session(&t, 1, 7, "approaching", NULL, 0);
	assert_true(traveller_hint(&t, 1, TRAVELLER_HINT_CLOSER, 1000));
	assert_int_equal(t.hint, TRAVELLER_HINT_CLOSER);
	assert_false(traveller_hint(&t, 1, TRAVELLER_HINT_LOOK_HERE, 1100));
	assert_int_equal(t.hint, TRAVELLER_HINT_CLOSER);
	assert_int_equal(traveller_next_ms(&t), 1800);
	assert_true(traveller_tick(&t, 1800));
	assert_int_equal(t.hint, TRAVELLER_HINT_LOOK_HERE);
	// A result needs no hint, at once.
	assert_true(traveller_session(&t, 1, 7, "confirmed", A, 1900));
	assert_int_equal(t.hint, TRAVELLER_HINT_NONE);
	assert_false(traveller_hint(&t, 9, TRAVELLER_HINT_BACK, 2000)); // nobody's
}

static void no_camera_forgets_everybody(void **state)
{
	(void)state;
	(void)traveller_session(&t, 1, 7, "capturing", NULL, 0);
	assert_true(traveller_camera(&t, false, true, 100));
	assert_int_equal(t.state, TRAVELLER_NO_CAMERA);
	assert_false(traveller_session(&t, 1, 7, "referred", A, 110));
	assert_string_equal(t.encounter, "");
	assert_true(traveller_camera(&t, true, false, 20000));
	assert_int_equal(t.state, TRAVELLER_IDLE);
}

static void without_boothd_or_pictures_it_is_out_of_service(void **state)
{
	(void)state;
	(void)traveller_session(&t, 1, 7, "confirmed", A, 0);
	assert_true(traveller_camera(&t, false, false, 100));
	assert_int_equal(t.state, TRAVELLER_OUT_OF_SERVICE);
	assert_string_equal(t.encounter, A); // a picture later it is green again
	assert_true(traveller_camera(&t, true, false, 200));
	assert_int_equal(t.state, TRAVELLER_GO);
	assert_true(traveller_link(&t, false, 300));
	assert_int_equal(t.state, TRAVELLER_OUT_OF_SERVICE);
	(void)traveller_link(&t, true, 400);
	assert_int_equal(t.state, TRAVELLER_IDLE); // the new boothd knows nothing of them
	// Its numbers begin anew.
	assert_true(traveller_session(&t, 1, 7, "approaching", NULL, 500));
}

static void a_receipt_is_for_whom_it_was_asked(void **state)
{
	(void)state;
	(void)traveller_session(&t, 1, 7, "confirmed", A, 1000);
	assert_false(traveller_receipt(&t, B, "EGX1:B", 1500));
	assert_true(traveller_receipt(&t, A, "EGX1:A", 1500));
	assert_string_equal(t.receipt, "EGX1:A");
	(void)traveller_session(&t, 1, 7, "over", NULL, 1600);
	assert_false(traveller_tick(&t, 31499)); // time to scan it
	assert_true(traveller_tick(&t, 31500));
	assert_string_equal(t.receipt, "");
	(void)traveller_session(&t, 2, 8, "referred", B, 40000);
	assert_false(traveller_receipt(&t, B, "EGX1:B", 40000));
}

static void a_receipt_goes_with_its_traveller(void **state)
{
	(void)state;
	(void)traveller_session(&t, 1, 7, "confirmed", A, 1000);
	(void)traveller_receipt(&t, A, "EGX1:A", 1500);
	(void)traveller_session(&t, 2, 8, "confirmed", B, 4000);
	assert_string_equal(t.encounter, B);
	assert_string_equal(t.receipt, "");
}

static void an_officer_can_let_go_who_still_waits(void **state)
{
	(void)state;
	(void)traveller_session(&t, 1, 7, "referred", A, 1000);
	assert_false(traveller_let_go(&t, B, 2000));
	assert_true(traveller_let_go(&t, A, 2000));
	assert_int_equal(t.state, TRAVELLER_GO);
	assert_string_equal(t.encounter, A);
}

static void the_face_is_mirrored_and_only_that_of_the_one_served(void **state)
{
	struct traveller_seen seen[] = {
		{.track = 7, .served = true, .x = .1, .y = .2, .width = .2, .height = .3},
		{.track = 9, .served = false, .x = .6, .y = .2, .width = .2, .height = .3},
	};

	(void)state;
	assert_false(traveller_seen(&t, seen, 2)); // nobody's page
	(void)traveller_session(&t, 1, 7, "capturing", NULL, 0);
	assert_true(traveller_seen(&t, seen, 2));
	assert_true(t.face.there);
	assert_float_equal(t.face.x, .7, 1e-9);
	assert_float_equal(t.face.y, .2, 1e-9);
	seen[0].x = .105; // less than a hundredth
	assert_false(traveller_seen(&t, seen, 2));
	seen[0].track = 10; // the track broke, the session goes on
	seen[0].x = .3;
	assert_true(traveller_seen(&t, seen, 2));
	assert_int_equal(traveller_track(&t), 10);
	assert_true(traveller_seen(&t, seen, 0));
	assert_false(t.face.there);
}

static void more_sessions_than_rows_lose_results_first(void **state)
{
	(void)state;
	for (uint64_t i = 1; i <= 100; i++)
		(void)traveller_session(&t, i, (uint32_t)i, i % 3 == 0 ? "confirmed" : "capturing",
					i % 3 == 0 ? A : NULL, (int64_t)i);
	assert_true((unsigned int)t.state < TRAVELLER_STATE_COUNT);
	(void)traveller_session(&t, 1000, 1, "no such state", NULL, 200);
	(void)traveller_session(&t, 0, 1, "confirmed", A, 200);
}

static void names_are_the_pages(void **state)
{
	(void)state;
	assert_string_equal(traveller_state_name(TRAVELLER_NO_CAMERA), "no_camera");
	assert_string_equal(traveller_hint_name(traveller_hint_find("more_light")), "more_light");
	assert_string_equal(traveller_hint_name(traveller_hint_find("less_light")), "less_light");
	assert_string_equal(traveller_hint_name(traveller_hint_find("one_at_a_time")),
			    "one_person");
	assert_string_equal(traveller_hint_name(traveller_hint_find("rubbish")), "none");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(one_walks_through, ready),
		cmocka_unit_test_setup(a_result_stays_five_seconds_after_a_quick_leave, ready),
		cmocka_unit_test_setup(it_gives_way_to_the_next_ones_capture_after_a_glance, ready),
		cmocka_unit_test_setup(blue_goes_before_green, ready),
		cmocka_unit_test_setup(the_page_is_for_the_nearest, ready),
		cmocka_unit_test_setup(a_hint_stays_800_ms, ready),
		cmocka_unit_test_setup(no_camera_forgets_everybody, ready),
		cmocka_unit_test_setup(without_boothd_or_pictures_it_is_out_of_service, ready),
		cmocka_unit_test_setup(a_receipt_is_for_whom_it_was_asked, ready),
		cmocka_unit_test_setup(a_receipt_goes_with_its_traveller, ready),
		cmocka_unit_test_setup(an_officer_can_let_go_who_still_waits, ready),
		cmocka_unit_test_setup(the_face_is_mirrored_and_only_that_of_the_one_served, ready),
		cmocka_unit_test_setup(more_sessions_than_rows_lose_results_first, ready),
		cmocka_unit_test(names_are_the_pages),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
