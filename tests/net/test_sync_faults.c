// SPDX-License-Identifier: Apache-2.0
//
// A booth's day with every write, flush, cut and removal of its two databases going wrong in turn,
// in every way of faulty.h: boothd puts encounters, keeps the chain signed and purges; syncd's own
// code delivers, is acknowledged, erases, fetches a manifest and the policy, has the chain
// countersigned; the centre is real as far as the wire goes. When the power goes, the network goes
// too. Afterwards both start again, and go on without faults until nothing is left to do.
//
// Then: every confirmed encounter is at the centre once, none is left in the queue; what was
// acknowledged or expired before the fault was in no raw file when the booth came up again, and
// nothing is in the end; the manifest was the old or the new one; the chain leads to the head that
// the centre had.
//
// Seen to fail: acknowledged before the centre answered (power cut at call 81: encounter lost),
// synchronous=OFF (power cut at call 50: put and receipt forgotten), secure_delete off (an expired
// image can be read).
//
// With EG_SOAK (./booth check --soak) at every call; else at every STRIDE-th.

#include "common.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "centre.h"
#include "faulty.h"
#include "firmware/base/file.h"
#include "firmware/base/log.h"
#include "firmware/syncd/worker_internal.h"
#include "pki.h"

#define RECORDS	  "records.db"
#define MANIFESTS "manifests.db"
#define ITEMS	  3
#define FACE	  3000
#define TAIL	  1000	// into an envelope: from here on it is the image
#define PHOTO	  70000 // more than one piece of a manifest
#define HOUR_MS	  (3600 * 1000LL)
#define STRIDE	  31

static const char *const fault_names[FAULT_COUNT] = {"full",	  "I/O error",	    "short write",
						     "power cut", "torn power cut", "read-only"};

// What boothd and syncd are; both have the files open at once.
static struct {
	struct eg_clock clock;
	struct eg_records *records; // boothd's
	struct worker syncd;
} booth;

// What stays over all days.
static struct centre *centre;
static struct eg_http *http;
static struct eg_vault *vault;
static struct eg_key *booth_key;
static struct eg_trust trust;
static struct eg_id id[ITEMS];
static struct eg_buf sealed[ITEMS], dropped[ITEMS]; // dropped: without its image
static struct eg_buf wire[2];			    // manifest, old and new
static const struct config config = {
	.state = "state",
	.booth_keys = "booth.pub",
	.live_s = 60,
	.keep_expired_h = 24,
};
static const struct eg_sync_rules rules = {
	.poll_ms = 60000,
	.heartbeat_ms = 30000,
	.queue_ms = 2000,
	.backoff_min_ms = 1000,
	.backoff_max_ms = 60000,
	.again_ms = 600000,
};

static char what[64]; // went wrong

// What the booth said is so, before the fault.
struct promised {
	bool put[ITEMS], expired[ITEMS];
	bool delivered; // and erased: the first
	bool manifest, policy;
};

static void seal_one(size_t i)
{
	uint8_t face[FACE];
	struct eg_encounter e = {.booth = "lane-12",
				 .mode = EG_MODE_IDENTIFY,
				 .score = 0.5,
				 .threshold = 0.4,
				 .error_target = 0.001,
				 .notice = "1",
				 .citizenship = EG_VISITOR,
				 .face = EG_BYTES(face, sizeof(face))};
	struct eg_err err = EG_ERR_INIT;
	fill(face, sizeof(face), i + 1);
	e.id = id[i] = make_id();
	eg_buf_init(&sealed[i], EG_ENVELOPE_MAX);
	eg_buf_init(&dropped[i], EG_ENVELOPE_MAX);
	expect_ok(eg_encounter_seal(&e, booth_key, trust.seal, &sealed[i], &err), &err);
	expect_ok(eg_envelope_drop_image(eg_buf_bytes(&sealed[i]), EG_FACE_EXPIRED, &dropped[i],
					 &err),
		  &err);
}

static void make_trust(void)
{
	char *ca = pki_read(".", "ca.pem", NULL);
	trust.sign[0] = trust_in(centre_key(centre));
	trust.sign_count = 1;
	memcpy(trust.seal, trust.sign[0].pub, sizeof(trust.seal));
	memcpy(trust.booth, "lane-12", sizeof("lane-12"));
	(void)snprintf(trust.url, sizeof(trust.url), "%s", centre_url(centre));
	(void)snprintf(trust.ca_pem, sizeof(trust.ca_pem), "%s", ca);
	free(ca);
}

static void make_wire(uint64_t version, struct eg_buf *out)
{
	static uint8_t photo[PHOTO];
	struct eg_manifest_header header = {.flight = "LH400", .port = "FRA", .count = 1};
	struct eg_traveller traveller = {.id = "t1",
					 .name = "TEST",
					 .birth = "1990-01-01",
					 .citizenship = EG_VISITOR,
					 .photo_count = 1};
	struct eg_statement statement = {.id = "LH400",
					 .scope = "lane-12",
					 .version = version,
					 .not_before_ms = NOW_MS - 1000,
					 .expires_ms = NOW_MS + 240 * HOUR_MS,
					 .flight = "LH400",
					 .travellers = 1};
	struct eg_err err = EG_ERR_INIT;
	struct eg_buf content;
	fill(photo, sizeof(photo), version);
	traveller.photo[0] = (struct eg_photo){EG_PHOTO_VISA, 2020, EG_BYTES(photo, PHOTO)};
	eg_buf_init_secret(&content, EG_MANIFEST_MAX);
	eg_buf_init(out, EG_MANIFEST_MAX);
	assert_int_equal(eg_manifest_put_header(&content, &header), 0);
	assert_int_equal(eg_manifest_put_traveller(&content, &traveller), 0);
	expect_ok(eg_manifest_build(&statement, eg_buf_bytes(&content), eg_key_public(booth_key),
				    centre_key(centre), out, &err),
		  &err);
	eg_buf_done(&content);
}

// Images of visitors go after 6 h instead of the 12 of the defaults.
static void offer_policy(void)
{
	static struct eg_policy policy;
	struct eg_err err = EG_ERR_INIT;
	struct eg_buf message;
	policy = eg_policy_defaults;
	memcpy(policy.id, "national", sizeof("national"));
	policy.version = 1;
	policy.not_before_ms = NOW_MS - 1000;
	policy.expires_ms = NOW_MS + 240 * HOUR_MS;
	policy.retention.seconds[EG_DATA_IMAGE - 1][EG_VISITOR - 1] = 6 * 3600;
	eg_buf_init(&message, EG_POLICY_MAX);
	expect_ok(eg_policy_sign(&policy, centre_key(centre), &message, &err), &err);
	centre_policy(centre, eg_buf_bytes(&message));
	eg_buf_done(&message);
}

static void connect_to_centre(void)
{
	const struct eg_http_config to = {.url = trust.url,
					  .ca_pem = trust.ca_pem,
					  .connect_ms = 10000,
					  .stall_ms = 10000,
					  .total_ms = 30000};
	char *key = pki_read(".", "booth.key", NULL), *cert = pki_read(".", "booth.pem", NULL);
	struct eg_tls_key *tls_key = NULL;
	struct eg_err err = EG_ERR_INIT;
	struct eg_buf pem;
	eg_buf_init(&pem, 16384);
	assert_int_equal(eg_buf_printf(&pem, "%s%s", key, cert), 0);
	expect_ok(eg_vault_new(&(struct eg_vault_config){.want = EG_KEY_WANT_FILE,
							 .tcti = "",
							 .device_key = ""},
			       &vault, &err),
		  &err);
	expect_ok(eg_tls_key_open(vault, eg_buf_bytes(&pem), &tls_key, &err), &err);
	expect_ok(eg_http_new(&to, &http, &err), &err);
	expect_ok(eg_http_identity(http, tls_key, eg_buf_bytes(&pem), &err), &err);
	eg_tls_key_unref(tls_key);
	eg_buf_done(&pem);
	free(key);
	free(cert);
}

static void tell_keys(void)
{
	struct eg_exchange exchange = {.http = http, .trust = &trust};
	struct eg_booth_keys keys;
	struct eg_err err = EG_ERR_INIT;
	struct eg_buf out;
	memcpy(keys.seal, eg_key_public(booth_key), sizeof(keys.seal));
	memcpy(keys.sign, eg_key_public(booth_key), sizeof(keys.sign));
	eg_buf_init(&out, EG_BOOTH_KEYS_MAX);
	assert_int_equal(eg_booth_keys_encode(&keys, &out), 0);
	expect_ok(eg_file_write(config.booth_keys, eg_buf_bytes(&out), 0644, &err), &err);
	assert_int_equal(eg_exchange_keys(&exchange, eg_buf_bytes(&out), &err), EG_SYNC_DONE);
	eg_buf_done(&out);
}

static void no_network(void)
{
	eg_http_cancel(http, true);
}

static int syncd_open(struct eg_err *err)
{
	struct worker *w = &booth.syncd;
	*w = (struct worker){.config = &config, .clock = &booth.clock, .fd = -1};
	w->trust = trust;
	w->exchange = (struct eg_exchange){.http = http, .trust = &w->trust};
	(void)pthread_mutex_init(&w->lock, NULL);
	inbound_init(&w->inbound);
	eg_buf_init(&w->envelope, EG_ENVELOPE_MAX);
	eg_sync_init(&w->sync, &rules, eg_boot_ms(&booth.clock));
	int r = eg_records_open(RECORDS, &w->records, err);
	if (r == 0)
		eg_records_set_clock(w->records, &booth.clock);
	return r == 0 ? eg_manifests_open(MANIFESTS, &w->manifests, err) : r;
}

static int booth_open(struct eg_err *err)
{
	int r = eg_records_open(RECORDS, &booth.records, err);
	if (r == 0)
		eg_records_set_clock(booth.records, &booth.clock);
	int r2 = syncd_open(r == 0 ? err : NULL);
	return r != 0 ? r : r2;
}

static void booth_close(void)
{
	struct worker *w = &booth.syncd;
	eg_manifests_close(w->manifests);
	eg_records_close(w->records);
	inbound_done(&w->inbound);
	eg_buf_done(&w->envelope);
	(void)pthread_mutex_destroy(&w->lock);
	eg_records_close(booth.records);
	booth.records = NULL;
}

static void remove_all(void)
{
	static const char *const names[] = {RECORDS,   RECORDS "-wal",	 RECORDS "-shm",
					    MANIFESTS, MANIFESTS "-wal", MANIFESTS "-shm"};
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		(void)unlink(names[i]);
}

static void copy_file(const char *from, const char *to)
{
	size_t size;
	char *bytes = pki_read(".", from, &size);
	pki_write(".", to, bytes, size);
	free(bytes);
}

// A booth that holds the old manifest and no encounter.
static void make_templates(void)
{
	struct eg_statement old = {.id = "LH400",
				   .version = 1,
				   .not_before_ms = NOW_MS - 1000,
				   .expires_ms = NOW_MS + 240 * HOUR_MS};
	struct eg_err err = EG_ERR_INIT;
	remove_all();
	expect_ok(booth_open(&err), &err);
	expect_ok(eg_manifests_put(booth.syncd.manifests, &old, eg_buf_bytes(&wire[0]), NOW_MS,
				   &err),
		  &err);
	booth_close();
	copy_file(RECORDS, "template-records");
	copy_file(MANIFESTS, "template-manifests");
}

static int set_up(void **state)
{
	struct eg_err err = EG_ERR_INIT;
	(void)state;
	eg_log_init("test_sync_faults", EG_LOG_ERROR);
	expect_ok(eg_crypto_init(&err), &err);
	assert_int_equal(pki_run(NULL, (const char *const[]){"mkdir", "-p", "state", NULL}), 0);
	pki_ca(".", "ca");
	pki_leaf(".", "ca", "server", "centre", "IP:127.0.0.1", NULL, NULL);
	pki_leaf(".", "ca", "booth", "lane-12", NULL, NULL, NULL);
	centre = centre_start(&(struct centre_options){.dir = ".", .booth = "lane-12"});
	booth_key = make_key();
	make_trust();
	for (size_t i = 0; i < ITEMS; i++)
		seal_one(i);
	for (uint64_t i = 0; i < 2; i++)
		make_wire(i + 1, &wire[i]);
	centre_manifest(centre, "LH400", 2, eg_buf_bytes(&wire[1]));
	offer_policy();
	connect_to_centre();
	tell_keys();
	eg_clock_fake_init(&booth.clock, 1000000000LL, NOW_MS);
	faulty_install();
	faulty_on_cut(no_network);
	make_templates();
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	faulty_on_cut(NULL);
	eg_http_free(http);
	eg_vault_free(vault);
	centre_stop(centre);
	eg_key_free(booth_key);
	for (size_t i = 0; i < ITEMS; i++) {
		eg_buf_done(&sealed[i]);
		eg_buf_done(&dropped[i]);
	}
	for (size_t i = 0; i < 2; i++)
		eg_buf_done(&wire[i]);
	remove_all();
	return 0;
}

static bool put(size_t i)
{
	struct eg_err err = EG_ERR_INIT;
	return !faulty_dead() && eg_records_put(booth.records, &id[i], eg_buf_bytes(&sealed[i]),
						eg_wall_ms(&booth.clock), &err) == 0;
}

// One turn of syncd; not after the power went.
static enum eg_sync_outcome turn(enum eg_sync_outcome (*task)(struct worker *, struct eg_err *),
				 struct eg_err *err)
{
	*err = EG_ERR_INIT;
	if (faulty_dead())
		return EG_SYNC_FAILED;
	return task(&booth.syncd, err);
}

static bool fetched(struct eg_err *err)
{
	enum eg_sync_outcome outcome = turn(inbound_list, err);
	bool any = outcome == EG_SYNC_DONE && booth.syncd.inbound.fetching;
	for (int i = 0; i < 10 && any && booth.syncd.inbound.fetching; i++)
		outcome = turn(inbound_fetch, err);
	return any && outcome == EG_SYNC_DONE && !booth.syncd.inbound.fetching;
}

// What boothd's keeper does when it looks (keeper.c). True: the policy was known and it purged.
static bool keep(struct eg_err *err)
{
	static struct eg_policy policy;
	struct eg_purged purged;
	bool stale = false;
	if (faulty_dead())
		return false;
	if (eg_records_policy(booth.records, trust.sign, trust.sign_count, &policy, &stale, err) !=
	    0)
		policy = eg_policy_defaults;
	bool done = eg_records_purge(booth.records, &policy, &purged, err) == 0;
	eg_ignore(eg_audit_seal(booth.records, "lane-12", booth_key, NULL, err)); // the next does
	return done && policy.version == 1;
}

// The first is delivered; the second arrives, but its acknowledgement is lost; the third is never
// sent. The images of those two expire.
static void live(struct promised *promised)
{
	struct eg_err err = EG_ERR_INIT;
	eg_clock_fake_init(&booth.clock, 1000000000LL, NOW_MS);
	if (booth_open(&err) != 0)
		goto out;
	promised->put[0] = put(0);
	promised->delivered = turn(outbound_encounter, &err) == EG_SYNC_DONE;
	promised->put[1] = put(1);
	centre_mischief(centre, "/v1/encounters", LOST, 1, 0, -1);
	(void)turn(outbound_encounter, &err);
	centre_mischief(centre, "/v1/encounters", NO_MISCHIEF, 0, 0, -1);
	(void)keep(&err);
	(void)turn(outbound_audit, &err);
	promised->manifest = fetched(&err);
	promised->policy = turn(inbound_policy, &err) == EG_SYNC_DONE;
	promised->put[2] = put(2);
	eg_clock_fake_advance(&booth.clock, 7 * HOUR_MS);
	if (keep(&err))
		promised->expired[1] = promised->expired[2] = true;
	(void)turn(outbound_audit, &err);
out:
	booth_close();
}

static void read_raw(const char *path, struct eg_buf *raw)
{
	struct eg_err err = EG_ERR_INIT;
	int r = eg_file_read(path, raw, &err);
	if (r != 0 && r != EG_ENOENT)
		expect_ok(r, &err);
}

static void expect_gone(const struct eg_buf *raw, size_t i, size_t from, const char *when)
{
	for (size_t at = from; at + 16 <= sealed[i].size; at += 48)
		if (memmem(raw->data, raw->size, sealed[i].data + at, 16) != NULL)
			fail_msg("%s: encounter %zu, byte %zu, can be read %s", what, i, at, when);
}

static void expect_chain(const char *when)
{
	struct eg_audit_head head = centre_head(centre);
	struct eg_audit_report report;
	struct eg_err err = EG_ERR_INIT;
	expect_ok(eg_audit_verify(booth.records, eg_key_public(booth_key), trust.sign,
				  trust.sign_count, head.count != 0 ? &head : NULL, &report, &err),
		  &err);
	if (report.fault != EG_AUDIT_WHOLE)
		fail_msg("%s: chain %s at %d %s", what, eg_audit_fault_name(report.fault),
			 (int)report.seq, when);
}

static bool holds(const struct eg_buf *manifest)
{
	struct eg_err err = EG_ERR_INIT;
	struct eg_buf got;
	eg_buf_init(&got, EG_MANIFEST_MAX);
	expect_ok(eg_manifests_get(booth.syncd.manifests, "LH400", &got, &err), &err);
	bool same = eg_bytes_equal(eg_buf_bytes(&got), eg_buf_bytes(manifest));
	eg_buf_done(&got);
	return same;
}

// Both programs have started again and done nothing yet.
static void check_start(const struct promised *promised)
{
	static struct eg_policy policy;
	struct eg_err err = EG_ERR_INIT;
	struct eg_buf raw;
	bool stale;
	eg_buf_init(&raw, 64u << 20);
	read_raw(RECORDS, &raw);
	read_raw(RECORDS "-wal", &raw);
	if (promised->delivered)
		expect_gone(&raw, 0, 64, "after it was acknowledged");
	for (size_t i = 1; i < ITEMS; i++)
		if (promised->expired[i])
			expect_gone(&raw, i, TAIL, "after it expired");
	eg_buf_done(&raw);
	if (!holds(&wire[1]) && (promised->manifest || !holds(&wire[0])))
		fail_msg("%s: the manifest is not what it should be", what);
	expect_ok(eg_records_policy(booth.records, trust.sign, 1, &policy, &stale, &err), &err);
	if (promised->policy && policy.version != 1)
		fail_msg("%s: the policy is lost", what);
	expect_chain("when they started again");
}

static void expect_done(enum eg_sync_outcome outcome, const char *task, const struct eg_err *err)
{
	if (outcome != EG_SYNC_DONE && outcome != EG_SYNC_IDLE)
		fail_msg("%s: then %s: %s: %s", what, task, eg_sync_outcome_name(outcome),
			 err->text);
}

static void go_on(void)
{
	struct eg_err err = EG_ERR_INIT;
	enum eg_sync_outcome outcome;
	eg_clock_fake_advance(&booth.clock, HOUR_MS);
	expect_done(turn(inbound_policy, &err), "policy", &err);
	(void)keep(&err);
	do {
		outcome = turn(outbound_encounter, &err);
		expect_done(outcome, "encounter", &err);
	} while (outcome != EG_SYNC_IDLE);
	(void)fetched(&err);
	(void)keep(&err);
	expect_done(turn(outbound_audit, &err), "audit", &err);
	eg_records_settle(booth.syncd.records);
}

static void check_end(const struct promised *promised)
{
	struct eg_records_facts facts;
	struct eg_err err = EG_ERR_INIT;
	unsigned int there = 0;
	struct eg_buf raw;
	for (size_t i = 0; i < ITEMS; i++) {
		bool whole = centre_has(centre, &id[i], eg_buf_bytes(&sealed[i]));
		bool cut = centre_has(centre, &id[i], eg_buf_bytes(&dropped[i]));
		if (promised->put[i] && !whole && !cut)
			fail_msg("%s: encounter %zu is lost", what, i);
		if (i == 2 && promised->expired[i] && whole)
			fail_msg("%s: an image that had expired was sent", what);
		there += whole + cut;
	}
	if (centre_stored(centre) != there || centre_conflicts(centre) != 0)
		fail_msg("%s: the centre has %u encounters, %u with the right bytes, %u conflicts",
			 what, centre_stored(centre), there, centre_conflicts(centre));
	expect_ok(eg_records_facts(booth.records, &facts, &err), &err);
	if (facts.queued != 0 || facts.dead != 0 || facts.acknowledged != there)
		fail_msg("%s: %d queued, %d dead, %d acknowledged of %u", what, (int)facts.queued,
			 (int)facts.dead, (int)facts.acknowledged, there);
	if (!holds(&wire[1]))
		fail_msg("%s: the new manifest never came", what);
	if (centre_setbacks(centre) != 0)
		fail_msg("%s: the chain went back behind a head that the centre has", what);
	expect_chain("in the end");
	eg_buf_init(&raw, 64u << 20);
	read_raw(RECORDS, &raw);
	read_raw(RECORDS "-wal", &raw);
	for (size_t i = 0; i < ITEMS; i++)
		expect_gone(&raw, i, 64, "in the end");
	eg_buf_done(&raw);
}

// True: the n-th call was reached.
static bool one_day(enum fault fault, long n, size_t *broken)
{
	struct promised promised = {0};
	struct eg_err err = EG_ERR_INIT;
	(void)snprintf(what, sizeof(what), "%s at call %ld", fault_names[fault], n);
	remove_all();
	copy_file("template-records", RECORDS);
	copy_file("template-manifests", MANIFESTS);
	centre_forget(centre);
	faulty_arm(fault, n);
	live(&promised);
	bool reached = faulty_reached();
	*broken += !promised.delivered || !promised.manifest || !promised.expired[2];
	if (faulty_dead()) { // memory, gone with the power
		(void)unlink(RECORDS "-shm");
		(void)unlink(MANIFESTS "-shm");
	}
	faulty_off();
	eg_http_cancel(http, false);
	expect_ok(booth_open(&err), &err);
	check_start(&promised);
	go_on();
	check_end(&promised);
	booth_close();
	return reached;
}

static void nothing_goes_wrong(void **state)
{
	size_t broken = 0;
	(void)state;
	assert_false(one_day(FAULT_FULL, LONG_MAX, &broken));
	assert_int_equal(broken, 0);
}

static void every_write_flush_cut_and_removal_may_go_wrong(void **state)
{
	const long stride = getenv("EG_SOAK") != NULL ? 1 : STRIDE;
	size_t all = 0;
	(void)state;
	for (enum fault fault = FAULT_FULL; fault < FAULT_READONLY; fault++) {
		size_t broken = 0, days = 0;
		long n = 1 + (long)fault * stride / FAULT_READONLY;
		for (; one_day(fault, n, &broken); n += stride)
			days++;
		print_message("%s: %zu days up to call %ld, %zu incomplete, nothing lost\n",
			      fault_names[fault], days, n - stride, broken);
		assert_true(days > 5);
		all += broken;
	}
	assert_true(all > 10); // or the faults do not reach what they should break
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_goes_wrong),
		cmocka_unit_test(every_write_flush_cut_and_removal_may_go_wrong),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
