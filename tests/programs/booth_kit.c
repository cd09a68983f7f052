// SPDX-License-Identifier: Apache-2.0
//
// The rest of the world for tests of boothd: a centre's keys, manifests (good and bad ones) put
// where syncd would put them, and what the booth recorded, opened with the centre's key.
//
// usage: booth_kit centre DIR                    centre.key, other.key, etc/trust.json, provision
//        booth_kit manifest DIR VERSION KIND PHOTO:ID:CLASS...
//        booth_kit policy DIR VERSION            into records.db: officers anna and bert,
//        supervisor
//                                                sam, technician tech; wrong_person takes two
//        booth_kit records DIR                   one line an encounter or decision, see show()
//        booth_kit view SOCKET SECONDS           holds the live view: a line a picture, see
//                                                booth_view.c
//        booth_kit face DIR N                    the face of the n-th encounter (1 = first) on
//        stdout
//        booth_kit grid FOLDER JPEG...           the pictures as a coarse screen would show them
//
// KIND: good, expired, unsigned (another centre's key), foreign (another booth's).

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "drivers/codec.h"
#include "drivers/document.h"
#include "firmware/base/file.h"
#include "firmware/base/mem.h"
#include "store/decision.h"
#include "store/encounter.h"
#include "store/manifests.h"
#include "store/records.h"
#include "store/retention.h"
#include "store/trust.h"
#include "tests/programs/booth_view.h"

#define BOOTH  "lane-1"
#define FLIGHT "EG417"
#define HOUR   3600000LL

static const char *path_of(const char *dir, const char *name)
{
	static char path[1024];

	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	return path;
}

static int make_centre(const char *dir, struct eg_err *err)
{
	static struct eg_trust trust = {
		.booth = BOOTH,
		.url = "https://localhost:8443",
		.ca_pem = "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n",
		.sign_count = 1,
	};
	struct eg_key *key = NULL, *other = NULL;
	int r;

	r = eg_key_load_or_make(path_of(dir, "centre.key"), &key, NULL, err);
	if (r == 0)
		r = eg_key_load_or_make(path_of(dir, "other.key"), &other, NULL, err);
	if (r == 0)
		r = eg_dir_make(path_of(dir, "etc"), 0755, err);
	if (r == 0) {
		memcpy(trust.sign[0].pub, eg_key_public(key), EG_P256_PUB_SIZE);
		eg_kid(trust.sign[0].pub, trust.sign[0].kid);
		memcpy(trust.seal, eg_key_public(key), EG_P256_PUB_SIZE);
		r = eg_trust_save(&trust, false, path_of(dir, "etc/trust.json"), err);
	}
	if (r == 0) {
		(void)snprintf(trust.token, sizeof(trust.token), "once-only-token");
		r = eg_trust_save(&trust, true, path_of(dir, "booth.provision"), err);
	}
	eg_key_free(key);
	eg_key_free(other);
	return r;
}

static int read_keys(const char *dir, struct eg_booth_keys *ret_keys, struct eg_err *err)
{
	struct eg_buf file;
	int r;

	eg_buf_init(&file, 4096);
	r = eg_file_read(path_of(dir, "state/booth.pub"), &file, err);
	if (r == 0)
		r = eg_booth_keys_decode(eg_buf_bytes(&file), ret_keys, err);
	eg_buf_done(&file);
	return r;
}

// PHOTO:ID:CLASS. The document's number is the traveller's id, its issuer UTO.
static int put_traveller(const char *text, const uint8_t salt[32], struct eg_buf *content,
			 struct eg_err *err)
{
	struct eg_traveller t = {.has_document = true, .photo_count = 1};
	const char *id = strchr(text, ':'), *class = id == NULL ? NULL : strchr(id + 1, ':');
	char path[512];
	struct eg_buf photo;
	int r;

	if (class == NULL)
		return eg_err_set(err, EG_EINVAL, "%s: not PHOTO:ID:CLASS", text);
	(void)snprintf(path, sizeof(path), "%.*s", (int)(id - text), text);
	(void)snprintf(t.id, sizeof(t.id), "%.*s", (int)(class - id - 1), id + 1);
	(void)snprintf(t.name, sizeof(t.name), "SECRETNAME %s", t.id);
	(void)snprintf(t.birth, sizeof(t.birth), "1990-01-01");
	t.citizenship = strcmp(class + 1, "citizen") == 0 ? EG_CITIZEN : EG_VISITOR;
	eg_buf_init(&photo, EG_PHOTO_MAX);
	r = eg_file_read(path, &photo, err);
	if (r == 0)
		r = eg_manifest_document_digest(salt, "UTO", t.id, t.document);
	t.photo[0] = (struct eg_photo){
		.source = EG_PHOTO_PASSPORT, .year = 2024, .jpeg = eg_buf_bytes(&photo)};
	if (r == 0)
		r = eg_manifest_put_traveller(content, &t);
	eg_buf_done(&photo);
	return r == 0 ? 0 : eg_err_prefix(err, r, "%s", text);
}

static int put_manifest(const char *dir, const char *version, const char *kind, char **people,
			struct eg_err *err)
{
	bool expired = strcmp(kind, "expired") == 0, foreign = strcmp(kind, "foreign") == 0;
	bool is_unsigned = strcmp(kind, "unsigned") == 0;
	int64_t now = eg_wall_ms(eg_clock_system());
	struct eg_statement statement = {
		.id = "EG417-1",
		.flight = FLIGHT,
		.version = strtoull(version, NULL, 10),
		.not_before_ms = now - 2 * HOUR,
		.expires_ms = expired ? now - HOUR : now + HOUR,
	};
	struct eg_manifest_header header = {
		.salt = {7}, .flight = FLIGHT, .port = "UTX", .departs_ms = now + HOUR};
	struct eg_manifests *manifests = NULL;
	struct eg_booth_keys keys;
	struct eg_buf content, wire;
	struct eg_key *key = NULL;
	size_t i;
	int r;

	eg_buf_init_secret(&content, 64 << 20);
	eg_buf_init(&wire, 64 << 20);
	(void)snprintf(statement.scope, sizeof(statement.scope), "%s", foreign ? "lane-2" : BOOTH);
	while (people[header.count] != NULL)
		header.count++;
	statement.travellers = header.count;
	r = read_keys(dir, &keys, err);
	if (r == 0)
		r = eg_key_load_or_make(path_of(dir, is_unsigned ? "other.key" : "centre.key"),
					&key, NULL, err);
	if (r == 0)
		r = eg_manifest_put_header(&content, &header);
	for (i = 0; r == 0 && i < header.count; i++)
		r = put_traveller(people[i], header.salt, &content, err);
	if (r == 0)
		r = eg_manifest_build(&statement, eg_buf_bytes(&content), keys.seal, key, &wire,
				      err);
	if (r == 0)
		r = eg_manifests_open(path_of(dir, "state/manifests.db"), &manifests, err);
	if (r == 0)
		r = eg_manifests_put(manifests, &statement, eg_buf_bytes(&wire), now, err);
	eg_manifests_close(manifests);
	eg_key_free(key);
	eg_buf_done(&content);
	eg_buf_done(&wire);
	return r;
}

static int put_policy(const char *dir, const char *version, struct eg_err *err)
{
	static const struct eg_account accounts[] = {
		{.name = "anna", .display = "Anna", .role = EG_ROLE_OFFICER},
		{.name = "bert", .display = "Bert", .role = EG_ROLE_OFFICER},
		{.name = "sam", .display = "Sam", .role = EG_ROLE_SUPERVISOR},
		{.name = "tech", .display = "Tech", .role = EG_ROLE_TECHNICIAN},
	};
	// PINs 482915, 739104, 604718, 351862, by the argon2 tool:
	// printf 482915 | argon2 egress-test-salt -id -t 3 -k 19456 -p 1 -l 32 -r
	static const char salt[] = "egress-test-salt";
	static const char *const hashes[] = {
		"d9d59006cd18cadf0af0a524287cfc92b57cec383954b0b9ec57f3d5e8176d5d",
		"a959e9f94e20d9733f4a3f0b2e9605d86276789500cf5366987685cbeeac61b7",
		"a422ff9cfb43936f700407e5d528bfd935354e6e142a6251f04ba7ec33e51944",
		"bf1aae060d15daa5fc805c2e5868690a16d0a5635b9e11e47ddc365a00f83bed",
	};
	static struct eg_policy policy;
	int64_t now = eg_wall_ms(eg_clock_system());
	struct eg_trusted_key trusted;
	struct eg_records *records = NULL;
	struct eg_key *centre = NULL;
	struct eg_buf message;
	int r;

	policy = eg_policy_defaults;
	(void)snprintf(policy.id, sizeof(policy.id), "port-1");
	policy.version = strtoull(version, NULL, 10);
	policy.not_before_ms = now - HOUR;
	policy.expires_ms = now + HOUR;
	policy.account_count = sizeof(accounts) / sizeof(accounts[0]);
	memcpy(policy.accounts, accounts, sizeof(accounts));
	for (size_t i = 0; i < policy.account_count; i++) {
		memcpy(policy.accounts[i].salt, salt, EG_PIN_SALT_SIZE);
		eg_ignore(eg_unhex(hashes[i], policy.accounts[i].hash, EG_PIN_HASH_SIZE));
	}
	eg_buf_init(&message, EG_POLICY_MAX);
	r = eg_key_load_or_make(path_of(dir, "centre.key"), &centre, NULL, err);
	if (r == 0)
		r = eg_policy_sign(&policy, centre, &message, err);
	if (r == 0)
		r = eg_records_open(path_of(dir, "state/records.db"), &records, err);
	if (r == 0) {
		memcpy(trusted.pub, eg_key_public(centre), sizeof(trusted.pub));
		eg_kid(trusted.pub, trusted.kid);
		r = eg_records_put_policy(records, eg_buf_bytes(&message), &trusted, 1, err);
	}
	eg_records_close(records);
	eg_key_free(centre);
	eg_buf_done(&message);
	return r;
}

struct reading {
	const struct eg_key *centre;
	const uint8_t *booth;
};

static int show_decision(const struct reading *reading, struct eg_bytes envelope,
			 struct eg_err *err)
{
	struct eg_decision_record d;
	char encounter[EG_ID_TEXT_MAX];
	int r = eg_decision_open(envelope, reading->centre, BOOTH, reading->booth, &d, err);

	if (r != 0)
		return r;
	eg_id_text(&d.encounter, encounter);
	(void)printf("decision %s %s by=%s second=%s encounter=%s\n", eg_decision_name(d.decision),
		     eg_decision_reason_name(d.reason), d.by, d.second, encounter);
	return 0;
}

static int show(const struct reading *reading, struct eg_bytes envelope, struct eg_err *err)
{
	struct eg_envelope_facts facts;
	struct eg_encounter e;
	struct eg_buf plain;
	int r;

	r = eg_envelope_inspect(envelope, &facts, err);
	if (r == 0 && facts.kind == EG_ENVELOPE_DECISION)
		return show_decision(reading, envelope, err);
	if (r != 0)
		return r;
	eg_buf_init_secret(&plain, 4 << 20);
	r = eg_encounter_open(envelope, reading->centre, BOOTH, reading->booth, &plain, &e, err);
	if (r == 0)
		(void)printf("%s %s %s traveller=%s manifest=%s/%" PRIu64 " face=%zu\n",
			     eg_mode_name(e.mode), eg_verdict_name(e.verdict),
			     eg_cause_name(e.cause), e.traveller, e.manifest, e.manifest_version,
			     e.face.size);
	eg_buf_done(&plain);
	return r;
}

// In the order in which they were put. Takes each out of a copy of the file, so that the booth's
// own stays as it is: the caller gives a folder with a copy.
static int read_records(const char *dir, struct eg_err *err)
{
	struct reading reading = {0};
	struct eg_records *records = NULL;
	struct eg_booth_keys keys;
	struct eg_queued item;
	struct eg_buf envelope;
	struct eg_key *centre = NULL;
	int64_t next;
	int r;

	eg_buf_init(&envelope, EG_ENVELOPE_MAX);
	r = read_keys(dir, &keys, err);
	reading.booth = keys.sign;
	if (r == 0)
		r = eg_key_load_or_make(path_of(dir, "centre.key"), &centre, NULL, err);
	reading.centre = centre;
	if (r == 0)
		r = eg_records_open(path_of(dir, "copy/records.db"), &records, err);
	while (r == 0) {
		// live_ms 0: the oldest first
		r = eg_records_next(records, eg_wall_ms(eg_clock_system()), 0, &item, &envelope,
				    &next, err);
		if (r == 0)
			r = show(&reading, eg_buf_bytes(&envelope), err);
		if (r == 0)
			r = eg_records_bury(records, &item.id, "seen", err);
	}
	eg_records_close(records);
	eg_key_free(centre);
	eg_buf_done(&envelope);
	return r == EG_ENOENT ? 0 : r;
}

// Dots 3.2 pixels apart, a third darker between them: far more than any camera makes of skin.
static int draw_grid(const char *folder, const char *from, struct eg_err *err)
{
	const char *name = strrchr(from, '/') != NULL ? strrchr(from, '/') + 1 : from;
	struct eg_image image = {0};
	struct eg_buf jpeg;
	int r;

	eg_buf_init(&jpeg, 8u << 20);
	r = eg_codec_load(from, EG_CODEC_LIMITS_BOOTH, &image, err);
	for (int y = 0; r == 0 && y < image.height; y++) {
		for (int x = 0; x < 3 * image.width; x++) {
			uint8_t *p = image.data + (ptrdiff_t)y * image.stride + x;
			double wave = cos(x / 3 * 2 * M_PI / 3.2) * cos(y * 2 * M_PI / 3.2);

			*p = (uint8_t)(*p * (1 - 0.35 * (0.5 - 0.5 * wave)));
		}
	}
	if (r == 0)
		r = eg_codec_encode_jpeg(&image, 92, &jpeg, err);
	if (r == 0)
		r = eg_file_write(path_of(folder, name), eg_buf_bytes(&jpeg), 0644, err);
	eg_buf_done(&jpeg);
	eg_image_done(&image);
	return r;
}

int main(int argc, char **argv)
{
	struct eg_err err = EG_ERR_INIT;
	const char *what = argc > 2 ? argv[1] : "";
	int r;

	r = eg_crypto_init(&err);
	if (r == 0 && strcmp(what, "centre") == 0)
		r = make_centre(argv[2], &err);
	else if (r == 0 && strcmp(what, "manifest") == 0 && argc > 5)
		r = put_manifest(argv[2], argv[3], argv[4], argv + 5, &err);
	else if (r == 0 && strcmp(what, "policy") == 0 && argc > 3)
		r = put_policy(argv[2], argv[3], &err);
	else if (r == 0 && strcmp(what, "view") == 0 && argc > 3)
		r = booth_view(argv[2], strtod(argv[3], NULL), &err);
	else if (r == 0 && strcmp(what, "records") == 0)
		r = read_records(argv[2], &err);
	else if (r == 0 && strcmp(what, "grid") == 0)
		for (int i = 3; r == 0 && i < argc; i++)
			r = draw_grid(argv[2], argv[i], &err);
	else if (r == 0)
		r = eg_err_set(&err, EG_EINVAL, "usage: see the head of booth_kit.c");
	if (r != 0)
		(void)fprintf(stderr, "booth_kit: %s\n", err.text);
	return r == 0 ? 0 : 1;
}
