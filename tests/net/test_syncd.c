// SPDX-License-Identifier: Apache-2.0
//
// syncd as a process, with real databases, against the tests' own centre.

#include "world.h"

static void a_new_booth_enrols_and_delivers_everything_once(void **state)
{
	struct world *world = world_new(NULL);
	uint8_t keys[512], mine[512];
	struct stat st;
	char *beat;
	size_t n;

	(void)state;
	put_encounters(world, 40);
	offer_manifest(world, NULL, "LH400", 3, 5000, wall_ms() + 3600000);
	syncd_start(world);
	WAIT(world, facts(world).queued == 0);
	assert_delivered_once(world);
	assert_int_equal(stat(in(world, "state/tls.pem"), &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_not_equal(access(in(world, "state/token"), F_OK), 0);
	assert_int_not_equal(access(in(world, "state/tls.key.pending"), F_OK), 0);
	assert_int_equal(centre_seen(world->centre, "/.well-known/est/simpleenroll"), 1);
	WAIT(world, held(world, "LH400") == 3);
	WAIT(world, centre_seen(world->centre, "/v1/booth-keys") == 1);
	n = centre_booth_keys(world->centre, keys, sizeof(keys));
	{
		char *text = pki_read(world->dir, "booth.pub", NULL);

		memcpy(mine, text, n);
		free(text);
	}
	assert_true(n > 130);
	assert_memory_equal(keys, mine, n);
	WAIT(world, centre_seen(world->centre, "/v1/heartbeat") >= 2); // so one was taken
	beat = centre_heartbeat(world->centre);
	assert_non_null(beat);
	assert_non_null(strstr(beat, "\"queue\""));
	free(beat);
	put_encounters(world, 3); // and later ones, without a kick
	WAIT(world, facts(world).queued == 0);
	assert_delivered_once(world);
	WAIT(world, status_has(world, "\"link\":\"up\""));
	WAIT(world, status_has(world, "\"acknowledged\":43"));
	assert_true(status_has(world, "\"id\":\"LH400\""));
	assert_true(status_has(world, "\"keysSent\":true"));
	assert_int_equal(syncd_end(world, SIGTERM), 0);
	syncd_start(world); // again: no token needed, nothing sent twice
	put_encounters(world, 1);
	WAIT(world, facts(world).queued == 0);
	assert_delivered_once(world);
	assert_int_equal(centre_issued(world->centre), 1);
	assert_int_equal(centre_seen(world->centre, "/v1/booth-keys"), 1);
	world_free(world);
}

static void killed_at_any_moment_it_loses_nothing_and_doubles_nothing(void **state)
{
	struct world *world = world_new(NULL);

	(void)state;
	put_encounters(world, 100);
	for (int i = 0; i < 12 && facts(world).queued > 0; i++) {
		syncd_start(world);
		(void)usleep((unsigned int)(150000 + i * 37000));
		assert_int_equal(syncd_end(world, SIGKILL), -SIGKILL);
		if (i == 8) // the centre's answers get lost as well
			centre_mischief(world->centre, "/v1/encounters", LOST, 5, 0, -1);
	}
	syncd_start(world);
	WAIT(world, facts(world).queued == 0);
	assert_delivered_once(world);
	world_free(world);
}

static void a_server_that_is_not_the_centre_gets_nothing(void **state)
{
	static const char *const servers[] = {"wrongname", "foreign", "expired"};

	(void)state;
	for (size_t i = 0; i < sizeof(servers) / sizeof(servers[0]); i++) {
		struct world *world = world_new(servers[i]);

		put_encounters(world, 2);
		syncd_start(world);
		WAIT(world, logged(world, "not the centre we trust"));
		(void)usleep(700000); // a few more attempts
		assert_int_equal(centre_seen(world->centre, ""), 0);
		assert_int_equal(facts(world).queued, 2);
		assert_int_equal(access(in(world, "state/token"), F_OK), 0);
		assert_true(status_has(world, "\"link\":\"down\""));
		world_free(world);
	}
}

static void an_acknowledgement_that_proves_nothing_erases_nothing(void **state)
{
	static const enum mischief kinds[] = {ACK_SIGNATURE, ACK_ID, ACK_BOOTH, ACK_DIGEST,
					      RUBBISH,	     HUGE,   CUT,	REDIRECT};
	struct world *world = world_new(NULL);

	(void)state;
	syncd_start(world);
	WAIT(world, status_has(world, "\"link\":\"up\""));
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		unsigned int seen = centre_seen(world->centre, "/v1/encounters");

		centre_mischief(world->centre, "/v1/encounters", kinds[i], -1, 0, -1);
		put_encounters(world, 1);
		WAIT(world, centre_seen(world->centre, "/v1/encounters") >= seen + 2);
		assert_int_equal(facts(world).queued, 1);
		assert_int_equal(facts(world).dead, 0);
		centre_mischief(world->centre, "/", NO_MISCHIEF, 0, 0, -1);
		WAIT(world, facts(world).queued == 0);
	}
	assert_true(logged(world, "acknowledgement not believed"));
	assert_delivered_once(world);
	assert_int_equal(centre_seen(world->centre, "/redirected"), 0);
	world_free(world);
}

static int find_sentence(void *user, const struct eg_records_row *row)
{
	if (row->dead)
		(void)snprintf(user, 512, "%s", row->sentence);
	return 0;
}

static void what_the_centre_never_takes_goes_to_the_dead_letters(void **state)
{
	static const int statuses[] = {400, 404, 409, 413, 422};
	struct world *world = world_new(NULL);

	(void)state;
	syncd_start(world);
	WAIT(world, status_has(world, "\"link\":\"up\""));
	for (size_t i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++) {
		char sentence[512] = "", want[32];

		centre_mischief(world->centre, "/v1/encounters", STATUS, -1, statuses[i], -1);
		put_encounters(world, 1);
		WAIT(world, facts(world).dead == 1);
		assert_int_equal(facts(world).queued, 0);
		assert_int_equal(eg_records_list(world->records, find_sentence, sentence, NULL), 0);
		(void)snprintf(want, sizeof(want), "HTTP %d", statuses[i]);
		if (!strstr(sentence, statuses[i] == 409
					      ? "the centre holds other bytes under this id"
					      : want))
			fail_msg("%d: %s", statuses[i], sentence);
		centre_mischief(world->centre, "/", NO_MISCHIEF, 0, 0, -1);
		assert_int_equal(
			eg_records_resend(world->records, &world->ids[world->items - 1], NULL), 0);
		WAIT(world, facts(world).queued == 0);
	}
	assert_delivered_once(world);
	world_free(world);
}

static void a_centre_in_trouble_is_waited_for(void **state)
{
	static const int statuses[] = {500, 502, 503, 429, 408};
	struct world *world = world_new(NULL);

	(void)state;
	syncd_start(world);
	WAIT(world, status_has(world, "\"link\":\"up\""));
	for (size_t i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++) {
		unsigned int seen = centre_seen(world->centre, "/v1/encounters");

		centre_mischief(world->centre, "/v1/", STATUS, -1, statuses[i], -1);
		put_encounters(world, 3);
		WAIT(world, centre_seen(world->centre, "/v1/encounters") >= seen + 3);
		assert_int_equal(facts(world).queued, 3);
		assert_int_equal(facts(world).dead, 0);
		centre_mischief(world->centre, "/", NO_MISCHIEF, 0, 0, -1);
		WAIT(world, facts(world).queued == 0);
	}
	assert_delivered_once(world);
	world_free(world);
}

static void retry_after_is_obeyed(void **state)
{
	struct world *world = world_new(NULL);
	int64_t start;

	(void)state;
	syncd_start(world);
	WAIT(world, status_has(world, "\"link\":\"up\""));
	centre_mischief(world->centre, "/v1/", STATUS, 1, 503, 3);
	start = boot_ms();
	WAIT(world, logged(world, "HTTP 503"));
	put_encounters(world, 1);
	WAIT(world, facts(world).queued == 0);
	assert_in_range(boot_ms() - start, 2500, 20000);
	world_free(world);
}

static void a_refused_certificate_is_renewed_with_a_new_key(void **state)
{
	struct world *world = world_new(NULL);
	char first[65], second[65];

	(void)state;
	syncd_start(world);
	WAIT(world, status_has(world, "\"link\":\"up\""));
	(void)usleep(1100000); // past again_s
	centre_revoke(world->centre);
	put_encounters(world, 2);
	WAIT(world, facts(world).queued == 0);
	assert_int_equal(centre_issued(world->centre), 2);
	assert_int_equal(centre_seen(world->centre, "/.well-known/est/simplereenroll"), 1);
	centre_request_key(world->centre, 0, first);
	centre_request_key(world->centre, 1, second);
	assert_string_not_equal(first, second);
	assert_delivered_once(world);
	world_free(world);
}

static void a_certificate_past_two_thirds_of_its_life_is_renewed(void **state)
{
	struct world *world = world_new(NULL);
	time_t now = time(NULL);
	char from[32], end[32];

	(void)state;
	(void)strftime(from, sizeof(from), "%Y%m%d%H%M%SZ", gmtime(&(time_t){now - 80000}));
	(void)strftime(end, sizeof(end), "%Y%m%d%H%M%SZ", gmtime(&(time_t){now + 3600}));
	centre_validity(world->centre, from, end);
	put_encounters(world, 1);
	syncd_start(world);
	WAIT(world, centre_issued(world->centre) >= 1);
	centre_validity(world->centre, NULL, NULL);
	WAIT(world, centre_seen(world->centre, "/.well-known/est/simplereenroll") >= 1);
	WAIT(world, facts(world).queued == 0);
	(void)usleep(500000);
	assert_in_range(centre_issued(world->centre), 2, 3);
	assert_delivered_once(world);
	world_free(world);
}

static void a_lost_enrolment_is_asked_again_with_the_same_key(void **state)
{
	struct world *world = world_new(NULL);
	char first[65], second[65];

	(void)state;
	centre_mischief(world->centre, "/.well-known/est/simpleenroll", LOST, 1, 0, -1);
	syncd_start(world);
	WAIT(world, centre_issued(world->centre) == 1);
	assert_int_equal(syncd_end(world, SIGKILL), -SIGKILL);
	syncd_start(world);
	put_encounters(world, 1);
	WAIT(world, facts(world).queued == 0);
	centre_request_key(world->centre, 0, first);
	centre_request_key(world->centre, 1, second);
	assert_string_equal(first, second);
	world_free(world);
}

static void a_refused_token_is_said_and_a_new_one_is_taken(void **state)
{
	struct world *world = world_new(NULL);

	(void)state;
	pki_write(world->dir, "state/token", "wrong", 5);
	syncd_start(world);
	WAIT(world, logged(world, "make a new token"));
	assert_true(status_has(world, "\"link\":\"refused\""));
	assert_int_equal(centre_issued(world->centre), 0);
	pki_write(world->dir, "state/token", "once-only", 9);
	put_encounters(world, 1);
	WAIT(world, facts(world).queued == 0);
	assert_delivered_once(world);
	world_free(world);
}

static void an_unprovisioned_booth_says_what_to_do_and_looks_again(void **state)
{
	struct world *world = world_new(NULL);

	(void)state;
	assert_int_equal(unlink(in(world, "state/token")), 0);
	assert_int_equal(rename(in(world, "trust.json"), in(world, "later.json")), 0);
	put_encounters(world, 1);
	syncd_start(world);
	WAIT(world, logged(world, "boothctl provision"));
	WAIT(world, status_has(world, "\"link\":\"unprovisioned\""));
	assert_int_equal(rename(in(world, "later.json"), in(world, "trust.json")), 0);
	WAIT(world, logged(world, "neither a certificate"));
	pki_write(world->dir, "state/token", "once-only", 9);
	WAIT(world, facts(world).queued == 0);
	assert_delivered_once(world);
	world_free(world);
}

static void a_big_manifest_comes_in_pieces_and_survives_cuts(void **state)
{
	struct world *world = world_new(NULL);

	(void)state;
	offer_manifest(world, NULL, "LH400", 3, 3500000, wall_ms() + 3600000);
	centre_mischief(world->centre, "/v1/manifests/", CUT, 2, 0, -1);
	syncd_start(world);
	WAIT(world, held(world, "LH400") == 3);
	// 64, 128, 256, 512 KiB, then 1 MiB each; smaller again on a slow machine.
	assert_in_range(centre_seen(world->centre, "/v1/manifests/LH400"), 2 + 7, 2 + 54);
	offer_manifest(world, NULL, "LH400", 4, 10, wall_ms() + 3600000);
	WAIT(world, held(world, "LH400") == 4);
	world_free(world);
}

static void a_manifest_that_cannot_be_trusted_is_not_stored(void **state)
{
	struct world *world = world_new(NULL);
	struct eg_key *stranger;
	unsigned int seen;

	(void)state;
	assert_int_equal(eg_key_generate(&stranger, NULL), 0);
	offer_manifest(world, stranger, "BAD", 1, 10, wall_ms() + 3600000);
	offer_manifest(world, NULL, "GOOD", 5, 10, wall_ms() + 3600000);
	syncd_start(world);
	WAIT(world, held(world, "GOOD") == 5);
	WAIT(world, logged(world, "manifest 'BAD' version 1 not taken"));
	assert_int_equal(held(world, "BAD"), 0);
	seen = centre_seen(world->centre, "/v1/manifests/BAD");
	offer_manifest(world, NULL, "GOOD", 4, 10, wall_ms() + 3600000); // a rollback
	(void)usleep(2500000);
	assert_int_equal(held(world, "GOOD"), 5);
	assert_int_equal(centre_seen(world->centre, "/v1/manifests/BAD"), seen); // not again
	eg_key_free(stranger);
	world_free(world);
}

static void an_expired_manifest_is_erased(void **state)
{
	struct world *world = world_new(NULL);
	const int64_t expires_ms = wall_ms() + 15000; // time to enrol on a busy machine

	(void)state;
	write_config(world, "keep_expired_h = 0");
	offer_manifest(world, NULL, "LH400", 1, 10, expires_ms);
	syncd_start(world);
	WAIT(world, held(world, "LH400") == 1);
	WAIT(world, wall_ms() > expires_ms);
	assert_int_equal(syncd_end(world, SIGTERM), 0);
	syncd_start(world); // looks at once when it starts
	WAIT(world, held(world, "LH400") == 0);
	WAIT(world, logged(world, "erased"));
	(void)usleep(1500000); // still listed: fetched, seen to be expired, left alone
	assert_int_equal(held(world, "LH400"), 0);
	world_free(world);
}

static void a_second_syncd_is_refused(void **state)
{
	struct world *world = world_new(NULL);
	struct world twin;
	int code = 0;

	(void)state;
	syncd_start(world);
	WAIT(world, status_has(world, "\"link\":\"up\""));
	twin = *world;
	syncd_start(&twin);
	assert_int_equal(waitpid(twin.pid, &code, 0), twin.pid);
	assert_true(WIFEXITED(code));
	assert_int_equal(WEXITSTATUS(code), 1);
	assert_true(logged(world, "another syncd is running"));
	world_free(world);
}

static void a_stalled_transfer_does_not_keep_it_from_answering_or_ending(void **state)
{
	struct world *world = world_new(NULL);
	int64_t start;

	(void)state;
	syncd_start(world);
	WAIT(world, status_has(world, "\"link\":\"up\""));
	centre_mischief(world->centre, "/v1/encounters", STALL, -1, 0, -1);
	put_encounters(world, 1);
	WAIT(world, status_has(world, "\"doing\":\"encounter\""));
	start = boot_ms();
	assert_true(status_has(world, "lane-12"));
	assert_int_equal(syncd_end(world, SIGTERM), 0);
	assert_in_range(boot_ms() - start, 0, 4000);
	assert_int_equal(facts(world).queued, 1);
	world_free(world);
}

static int setup(void **state)
{
	(void)state;
	assert_int_equal(pki_run(NULL, (const char *const[]){"mkdir", "-p", "pki", NULL}), 0);
	pki_ca("pki", "ca");
	pki_ca("pki", "other");
	pki_leaf("pki", "ca", "server", "centre", "IP:127.0.0.1", NULL, NULL);
	pki_leaf("pki", "ca", "wrongname", "centre", "DNS:elsewhere.example", NULL, NULL);
	pki_leaf("pki", "other", "foreign", "centre", "IP:127.0.0.1", NULL, NULL);
	pki_leaf("pki", "ca", "expired", "centre", "IP:127.0.0.1", "20200101000000Z",
		 "20200201000000Z");
	return eg_crypto_init(NULL);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_new_booth_enrols_and_delivers_everything_once),
		cmocka_unit_test(killed_at_any_moment_it_loses_nothing_and_doubles_nothing),
		cmocka_unit_test(a_server_that_is_not_the_centre_gets_nothing),
		cmocka_unit_test(an_acknowledgement_that_proves_nothing_erases_nothing),
		cmocka_unit_test(what_the_centre_never_takes_goes_to_the_dead_letters),
		cmocka_unit_test(a_centre_in_trouble_is_waited_for),
		cmocka_unit_test(retry_after_is_obeyed),
		cmocka_unit_test(a_refused_certificate_is_renewed_with_a_new_key),
		cmocka_unit_test(a_certificate_past_two_thirds_of_its_life_is_renewed),
		cmocka_unit_test(a_lost_enrolment_is_asked_again_with_the_same_key),
		cmocka_unit_test(a_refused_token_is_said_and_a_new_one_is_taken),
		cmocka_unit_test(an_unprovisioned_booth_says_what_to_do_and_looks_again),
		cmocka_unit_test(a_big_manifest_comes_in_pieces_and_survives_cuts),
		cmocka_unit_test(a_manifest_that_cannot_be_trusted_is_not_stored),
		cmocka_unit_test(an_expired_manifest_is_erased),
		cmocka_unit_test(a_second_syncd_is_refused),
		cmocka_unit_test(a_stalled_transfer_does_not_keep_it_from_answering_or_ending),
	};

	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests(tests, setup, NULL);
}
