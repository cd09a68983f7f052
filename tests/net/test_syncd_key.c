// SPDX-License-Identifier: Apache-2.0
//
// Where syncd's TLS key is kept, and what happens to it: syncd as a process, with a real TPM in
// software (swtpm), against the tests' own centre. DIE_AT is the path of die_at.c.

#include "world.h"

#include "tpm.h"

#define WORDS(...) ((const char *const[]){__VA_ARGS__, NULL})

static struct tpm tpm;
static char in_tpm[192], gone_tpm[] = "key = auto\ntpm = device:/nonexistent/tpmrm0";

static struct world *world_with(const char *key)
{
	struct world *world = world_new(NULL);

	world->key = key;
	write_config(world, "");
	return world;
}

static bool begins(struct world *world, const char *file, const char *label)
{
	char *text = pki_read(world->dir, file, NULL);
	bool same = strncmp(text, label, strlen(label)) == 0;

	free(text);
	return same;
}

#define IN_TPM "-----BEGIN TSS2 PRIVATE KEY-----"

static void kept(struct world *world, const char *where)
{
	char words[64];

	(void)snprintf(words, sizeof(words), "\"keyKept\":\"%s\"", where);
	WAIT(world, status_has(world, words));
}

// tpm2-tools find in tls.pem's blob the key that the certificate beside it is for.
static void assert_tpm_agrees(struct world *world)
{
	char command[1024], *ours, *theirs;

	(void)snprintf(command, sizeof(command),
		       "cd '%s' && set -e; "
		       "sed '/END TSS2/q' state/tls.pem >key.pem; "
		       "set -- $(openssl asn1parse -in key.pem | "
		       "sed -n 's/^ *\\([0-9]*\\):.*OCTET STRING.*/\\1/p'); "
		       "openssl asn1parse -in key.pem -strparse $1 -noout -out key.pub; "
		       "tpm2_print -t TPM2B_PUBLIC -f pem key.pub >theirs.pem; "
		       "openssl x509 -in state/tls.pem -noout -pubkey >ours.pem",
		       world->dir);
	assert_int_equal(pki_run(NULL, WORDS("sh", "-c", command)), 0);
	ours = pki_read(world->dir, "ours.pem", NULL);
	theirs = pki_read(world->dir, "theirs.pem", NULL);
	assert_string_equal(ours, theirs);
	free(ours);
	free(theirs);
	// No key that works without the TPM lies anywhere in the state folder.
	(void)snprintf(
		command, sizeof(command),
		"cd '%s/state' && for f in *; do ! openssl pkey -in $f -noout || exit 1; done",
		world->dir);
	assert_int_equal(pki_run(NULL, WORDS("sh", "-c", command)), 0);
}

static void a_booth_with_a_tpm_makes_its_key_in_there(void **state)
{
	struct world *world = world_with(in_tpm);
	char *beat;

	(void)state;
	put_encounters(world, 5);
	syncd_start(world);
	WAIT(world, facts(world).queued == 0);
	assert_delivered_once(world);
	kept(world, "tpm");
	WAIT(world, centre_seen(world->centre, "/v1/heartbeat") >= 2);
	beat = centre_heartbeat(world->centre);
	assert_non_null(strstr(beat, "\"key_kept\":\"tpm\""));
	free(beat);
	assert_int_equal(syncd_end(world, SIGTERM), 0);
	assert_true(begins(world, "state/tls.pem", IN_TPM));
	assert_tpm_agrees(world);
	syncd_start(world); // and finds it again
	put_encounters(world, 5);
	WAIT(world, facts(world).queued == 0);
	assert_delivered_once(world);
	assert_int_equal(centre_issued(world->centre), 1);
	world_free(world);
}

static void age(struct world *world, long from_s, long end_s)
{
	const time_t now = time(NULL);
	char from[32], end[32];

	(void)strftime(from, sizeof(from), "%Y%m%d%H%M%SZ", gmtime(&(time_t){now + from_s}));
	(void)strftime(end, sizeof(end), "%Y%m%d%H%M%SZ", gmtime(&(time_t){now + end_s}));
	centre_validity(world->centre, from, end);
}

// An enrolled booth whose certificate is past two thirds of its life; syncd does not run.
static void enrol_aged(struct world *world)
{
	centre_mischief(world->centre, "/.well-known/est/simplereenroll", STATUS, -1, 500, -1);
	age(world, -80000, 3600);
	put_encounters(world, 1);
	syncd_start(world);
	WAIT(world, facts(world).queued == 0);
	assert_int_equal(syncd_end(world, SIGTERM), 0);
	centre_validity(world->centre, NULL, NULL);
	centre_mischief(world->centre, "/", NO_MISCHIEF, 0, 0, -1);
	(void)unlink(in(world, "state/tls.key.next"));
}

static bool there(struct world *world, const char *file)
{
	return access(in(world, file), F_OK) == 0;
}

static bool same_file(struct world *world, const char *a, const char *b)
{
	char *one = pki_read(world->dir, a, NULL), *two = pki_read(world->dir, b, NULL);
	bool same = strcmp(one, two) == 0;

	free(one);
	free(two);
	return same;
}

static void copy_state(struct world *world, const char *from, const char *to)
{
	assert_int_equal(pki_run(NULL, WORDS("rm", "-rf", in(world, to))), 0);
	assert_int_equal(pki_run(NULL, WORDS("cp", "-a", in(world, from), in(world, to))), 0);
}

// Starts syncd with die_at.c; true when it was killed, false when `done` came true before.
static bool run_until_step(struct world *world, int n, bool (*done)(struct world *))
{
	char number[16];
	int status = 0;
	pid_t pid = 0;

	(void)snprintf(number, sizeof(number), "%d", n);
	assert_int_equal(setenv("LD_PRELOAD", DIE_AT, 1), 0);
	assert_int_equal(setenv("DIE_IN", in(world, "state"), 1), 0);
	assert_int_equal(setenv("DIE_LOG", in(world, "state/steps"), 1), 0);
	assert_int_equal(setenv("DIE_AT", number, 1), 0);
	(void)unlink(in(world, "state/steps"));
	syncd_start(world);
	assert_int_equal(unsetenv("LD_PRELOAD"), 0);
	assert_int_equal(unsetenv("DIE_AT"), 0);
	WAIT(world, (pid = waitpid(world->pid, &status, WNOHANG)) != 0 || done(world));
	if (pid == 0) { // it goes on, and may come to its step any time
		assert_int_equal(syncd_end(world, SIGKILL), -SIGKILL);
		tpm_flush(&tpm);
		return false;
	}
	world->pid = 0;
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	tpm_flush(&tpm);
	return true;
}

static bool renewed(struct world *world)
{
	return there(world, "state/tls.pem") &&
	       !same_file(world, "state/tls.pem", "aged/tls.pem") &&
	       !there(world, "state/tls.key.next") && !there(world, "state/tls.pem.next") &&
	       facts(world).queued == 0;
}

static void said_at(struct world *world, const char *const *steps)
{
	char *text = pki_read(world->dir, "state/steps", NULL), *at = text;

	for (; *steps; steps++) {
		at = strstr(at, *steps);
		if (!at)
			fail_msg("no '%s' in order in:\n%s", *steps, text);
	}
	free(text);
}

static void a_renewal_killed_at_any_step_leaves_a_booth_that_works(void **state)
{
	struct world *world = world_with(in_tpm);
	int n;

	(void)state;
	enrol_aged(world);
	copy_state(world, "state", "aged");
	for (n = 1;; n++) {
		copy_state(world, "aged", "state");
		put_encounters(world, 1);
		if (!run_until_step(world, n, renewed))
			break;
		assert_true(there(world, "state/tls.pem"));
		syncd_start(world);
		WAIT(world, renewed(world));
		assert_true(begins(world, "state/tls.pem", IN_TPM));
		assert_int_equal(syncd_end(world, SIGTERM), 0);
	}
	said_at(world, WORDS("fsync /tls.key.next", "rename /tls.key.next", "connect", "send",
			     "fsync /tls.pem.next", "rename /tls.pem.next", "connect", "send",
			     "fsync /tls.pem.", "rename /tls.pem", "unlink /tls.key.next",
			     "unlink /tls.pem.next"));
	assert_delivered_once(world);
	assert_tpm_agrees(world);
	world_free(world);
}

static bool enrolled(struct world *world)
{
	return there(world, "state/tls.pem") && !there(world, "state/tls.key.pending") &&
	       !there(world, "state/token") && facts(world).queued == 0;
}

static void an_enrolment_killed_at_any_step_leaves_a_booth_that_works(void **state)
{
	struct world *world = world_with(in_tpm);
	char token[32];
	int n;

	(void)state;
	for (n = 1;; n++) {
		int size = snprintf(token, sizeof(token), "token-%d", n);

		centre_token(world->centre, token);
		assert_int_equal(pki_run(NULL, WORDS("rm", "-rf", in(world, "state"))), 0);
		assert_int_equal(mkdir(in(world, "state"), 0700), 0);
		pki_write(world->dir, "state/token", token, (size_t)size);
		put_encounters(world, 1);
		if (!run_until_step(world, n, enrolled))
			break;
		syncd_start(world);
		WAIT(world, enrolled(world));
		assert_int_equal(syncd_end(world, SIGTERM), 0);
	}
	said_at(world, WORDS("rename /tls.key.pending", "connect", "rename /tls.pem",
			     "unlink /token", "unlink /tls.key.pending"));
	assert_delivered_once(world);
	world_free(world);
}

static void a_certificate_the_centre_gave_but_does_not_know_is_not_taken(void **state)
{
	struct world *world = world_with(in_tpm);
	char first[65], second[65], third[65];

	(void)state;
	enrol_aged(world);
	copy_state(world, "state", "aged");
	// The renewal is the first that is done, and the list of manifests the call that tries it.
	centre_mischief(world->centre, "/v1/manifests", STATUS, 1, 403, -1);
	syncd_start(world);
	WAIT(world, logged(world, "does not accept the certificate it gave; going on under the "
				  "old one"));
	put_encounters(world, 1);
	WAIT(world, renewed(world)); // after again_s, with another key
	centre_request_key(world->centre, 0, first);
	centre_request_key(world->centre, 1, second);
	centre_request_key(world->centre, 2, third);
	assert_string_not_equal(first, second);
	assert_string_not_equal(second, third);
	assert_int_equal(centre_issued(world->centre), 3);
	assert_delivered_once(world);
	world_free(world);
}

static void a_tpm_that_goes_away_is_said_and_waited_for(void **state)
{
	struct world *world = world_with(in_tpm);
	char *before, *after;

	(void)state;
	syncd_start(world);
	WAIT(world, status_has(world, "\"link\":\"up\""));
	before = pki_read(world->dir, "state/tls.pem", NULL);
	tpm_off(&tpm);
	centre_mischief(world->centre, "/v1/", LOST, 1, 0, -1); // ends the kept connection
	put_encounters(world, 3);
	WAIT(world, logged(world, "TPM: does not sign with this booth's key"));
	WAIT(world, status_has(world, "\"link\":\"down\""));
	WAIT(world, status_has(world, "waiting for the device that keeps the TLS key"));
	kept(world, "tpm");
	assert_true(status_has(world, "TPM: cannot be reached"));
	assert_int_equal(facts(world).queued, 3);
	assert_int_equal(syncd_end(world, SIGTERM), 0);
	syncd_start(world); // without it from the start
	WAIT(world, status_has(world, "waiting for the device that keeps the TLS key"));
	kept(world, "tpm");
	put_encounters(world, 1);
	tpm_on(&tpm);
	WAIT(world, facts(world).queued == 0);
	WAIT(world, status_has(world, "\"link\":\"up\""));
	WAIT(world, status_has(world, "\"problem\":\"\""));
	assert_delivered_once(world);
	assert_int_equal(centre_issued(world->centre), 1);
	after = pki_read(world->dir, "state/tls.pem", NULL);
	assert_string_equal(before, after);
	free(before);
	free(after);
	world_free(world);
}

static void give_token(struct world *world, const char *token)
{
	centre_token(world->centre, token);
	pki_write(world->dir, "state/token", token, strlen(token));
}

static void from_a_tpm_to_a_file_only_by_decision(void **state)
{
	struct world *world = world_with(in_tpm);

	(void)state;
	syncd_start(world);
	WAIT(world, status_has(world, "\"link\":\"up\""));
	assert_int_equal(syncd_end(world, SIGTERM), 0);
	world->key = gone_tpm; // the machine has none any more
	write_config(world, "");
	put_encounters(world, 1);
	syncd_start(world);
	WAIT(world, status_has(world, "/nonexistent/tpmrm0 is not there"));
	assert_true(status_has(world, "\"link\":\"down\""));
	kept(world, "tpm");
	give_token(world, "second"); // not even then
	WAIT(world, logged(world, "it kept this booth's TLS key, and is not there now"));
	(void)usleep(1000000);
	assert_int_equal(centre_issued(world->centre), 1);
	assert_true(there(world, "state/token"));
	assert_true(begins(world, "state/tls.pem", IN_TPM));
	assert_int_equal(syncd_end(world, SIGTERM), 0);
	world->key = "key = file";
	write_config(world, "");
	syncd_start(world);
	WAIT(world, facts(world).queued == 0);
	kept(world, "file");
	assert_true(begins(world, "state/tls.pem", "-----BEGIN PRIVATE KEY-----"));
	assert_delivered_once(world);
	world_free(world);
}

static void another_tpm_in_its_place_needs_a_new_token(void **state)
{
	struct world *world = world_with(in_tpm);

	(void)state;
	syncd_start(world);
	WAIT(world, status_has(world, "\"link\":\"up\""));
	assert_int_equal(syncd_end(world, SIGTERM), 0);
	tpm_replace(&tpm);
	put_encounters(world, 2);
	syncd_start(world);
	WAIT(world, status_has(world, "made in another TPM"));
	assert_true(status_has(world, "make a new token and provision the booth again"));
	give_token(world, "second");
	WAIT(world, facts(world).queued == 0);
	kept(world, "tpm");
	assert_delivered_once(world);
	assert_int_equal(centre_issued(world->centre), 2);
	world_free(world);
}

static void a_renewal_moves_the_key_into_a_tpm_that_is_there_now(void **state)
{
	struct world *world = world_with(gone_tpm);

	(void)state;
	enrol_aged(world);
	assert_true(begins(world, "state/tls.pem", "-----BEGIN PRIVATE KEY-----"));
	copy_state(world, "state", "aged");
	world->key = in_tpm;
	write_config(world, "");
	put_encounters(world, 1);
	syncd_start(world);
	WAIT(world, renewed(world));
	kept(world, "tpm");
	assert_true(begins(world, "state/tls.pem", IN_TPM));
	assert_delivered_once(world);
	world_free(world);
}

static void a_sealed_key_waits_for_its_device_key(void **state)
{
	struct world *world = world_with("key = file\ndevice_key = device.key");
	static const char secret[] = "0123456789abcdef0123456789abcdef\n";

	(void)state;
	pki_write(world->dir, "device.key", secret, sizeof(secret) - 1);
	assert_int_equal(chmod(in(world, "device.key"), 0600), 0);
	syncd_start(world);
	WAIT(world, status_has(world, "\"link\":\"up\""));
	kept(world, "sealed");
	assert_true(begins(world, "state/tls.pem", "-----BEGIN ENCRYPTED PRIVATE KEY-----"));
	assert_int_equal(syncd_end(world, SIGTERM), 0);
	assert_int_equal(rename(in(world, "device.key"), in(world, "elsewhere")), 0);
	put_encounters(world, 1);
	syncd_start(world);
	WAIT(world, status_has(world, "device key, which seals the TLS key"));
	kept(world, "sealed");
	give_token(world, "second"); // no plain file in the place of a sealed one
	WAIT(world, logged(world, "it sealed this booth's TLS key, and is not there now"));
	assert_int_equal(centre_issued(world->centre), 1);
	assert_int_equal(unlink(in(world, "state/token")), 0);
	assert_int_equal(rename(in(world, "elsewhere"), in(world, "device.key")), 0);
	WAIT(world, facts(world).queued == 0);
	assert_delivered_once(world);
	world_free(world);
}

static int setup(void **state)
{
	char options[512];
	const char *before = getenv("ASAN_OPTIONS");

	(void)state;
	assert_int_equal(pki_run(NULL, WORDS("mkdir", "-p", "pki")), 0);
	pki_ca("pki", "ca");
	pki_leaf("pki", "ca", "server", "centre", "IP:127.0.0.1", NULL, NULL);
	tpm_new(&tpm);
	(void)snprintf(in_tpm, sizeof(in_tpm), "key = auto\ntpm = %s", tpm.tcti);
	// die_at.c stands before ASan's library; and tpm2-tss loses memory (tests/lsan.supp), which
	// nobody can name any more when syncd ends and the library is gone.
	(void)snprintf(options, sizeof(options), "%s:verify_asan_link_order=0:detect_leaks=0",
		       before ? before : "");
	assert_int_equal(setenv("ASAN_OPTIONS", options, 1), 0);
	return eg_crypto_init(NULL);
}

static int teardown(void **state)
{
	(void)state;
	tpm_free(&tpm);
	return 0;
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_booth_with_a_tpm_makes_its_key_in_there),
		cmocka_unit_test(a_renewal_killed_at_any_step_leaves_a_booth_that_works),
		cmocka_unit_test(an_enrolment_killed_at_any_step_leaves_a_booth_that_works),
		cmocka_unit_test(a_certificate_the_centre_gave_but_does_not_know_is_not_taken),
		cmocka_unit_test(a_tpm_that_goes_away_is_said_and_waited_for),
		cmocka_unit_test(from_a_tpm_to_a_file_only_by_decision),
		cmocka_unit_test(another_tpm_in_its_place_needs_a_new_token),
		cmocka_unit_test(a_renewal_moves_the_key_into_a_tpm_that_is_there_now),
		cmocka_unit_test(a_sealed_key_waits_for_its_device_key),
	};

	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests(tests, setup, teardown);
}
