// SPDX-License-Identifier: Apache-2.0
//
// For the tests of the centre: plays a booth. central_envelope BOOTH SEAL.PUB FOLDER writes into
// FOLDER: keys (the booth's public ones), envelope (a sealed encounter), decision (sealed, about
// it), alone (another, about an encounter that nobody sends) and receipt (the text of an exit
// receipt), and prints the encounter's id and those of the two decisions.

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "firmware/base/file.h"
#include "store/decision.h"
#include "store/encounter.h"
#include "store/exit_receipt.h"
#include "store/trust.h"

static const char *folder;

static int save(const char *name, struct eg_bytes bytes, struct eg_err *err)
{
	char path[512];
	(void)snprintf(path, sizeof(path), "%s/%s", folder, name);
	return eg_file_write(path, bytes, 0644, err);
}

static int write_keys(const struct eg_key *key, struct eg_err *err)
{
	struct eg_booth_keys keys;
	struct eg_buf out;
	eg_buf_init(&out, EG_BOOTH_KEYS_MAX);
	memcpy(keys.seal, eg_key_public(key), sizeof(keys.seal));
	memcpy(keys.sign, eg_key_public(key), sizeof(keys.sign));
	int r = eg_booth_keys_encode(&keys, &out);
	if (r == 0)
		r = save("keys", eg_buf_bytes(&out), err);
	eg_buf_done(&out);
	return r;
}

static int write_encounter(const char *booth, const struct eg_key *key, const uint8_t *centre,
			   struct eg_id *ret_id, struct eg_err *err)
{
	struct eg_encounter encounter = {.mode = EG_MODE_IDENTIFY,
					 .verdict = EG_VERDICT_CONFIRMED,
					 .score = 0.75,
					 .threshold = 0.5,
					 .error_target = 0.003,
					 .manifest = "EG1-20261124",
					 .manifest_version = 3,
					 .traveller = "P1",
					 .notice = "1",
					 .first_seen_ms = 1000,
					 .first_usable_ms = 2000,
					 .decided_ms = 3000,
					 .citizenship = EG_VISITOR};
	struct eg_buf out;
	eg_buf_init(&out, EG_ENVELOPE_MAX);
	(void)snprintf(encounter.booth, sizeof(encounter.booth), "%s", booth);
	encounter.liveness.score = NAN;
	int r = eg_id_new(eg_clock_system(), &encounter.id);
	if (r == 0)
		r = eg_encounter_seal(&encounter, key, centre, &out, err);
	if (r == 0)
		r = save("envelope", eg_buf_bytes(&out), err);
	*ret_id = encounter.id;
	eg_buf_done(&out);
	return r;
}

static int write_decision(const char *booth, const struct eg_key *key, const uint8_t *centre,
			  const struct eg_id *encounter, const char *name, struct eg_id *ret_id,
			  struct eg_err *err)
{
	struct eg_decision_record record = {.encounter = *encounter,
					    .decision = EG_DECISION_WRONG_PERSON,
					    .reason = EG_REASON_LOOK_ALIKE,
					    .decided_ms = 1780000000000,
					    .by = "4711",
					    .second = "s.chief"};
	struct eg_buf out;
	eg_buf_init(&out, EG_ENVELOPE_MAX);
	(void)snprintf(record.booth, sizeof(record.booth), "%s", booth);
	int r = eg_id_new(eg_clock_system(), &record.id);
	if (r == 0)
		r = eg_decision_seal(&record, key, centre, &out, err);
	if (r == 0)
		r = save(name, eg_buf_bytes(&out), err);
	*ret_id = record.id;
	eg_buf_done(&out);
	return r;
}

static int write_receipt(const char *booth, const struct eg_key *key, struct eg_err *err)
{
	struct eg_exit_receipt receipt = {.port = "KEF",
					  .flight = "EG1",
					  .manifest = "EG1-20261124",
					  .decided_ms = 1780000000000,
					  .how = EG_EXIT_OFFICER,
					  .name = "<b>Ana & Co</b>"};
	char text[EG_EXIT_TEXT_MAX];
	struct eg_buf out;
	eg_buf_init(&out, EG_EXIT_MESSAGE_MAX);
	(void)snprintf(receipt.booth, sizeof(receipt.booth), "%s", booth);
	int r = eg_id_new(eg_clock_system(), &receipt.id);
	if (r == 0)
		r = eg_exit_receipt_sign(&receipt, key, &out, err);
	if (r == 0)
		r = eg_exit_receipt_text(eg_buf_bytes(&out), text, err);
	if (r == 0)
		r = save("receipt", EG_BYTES_STR(text), err);
	eg_buf_done(&out);
	return r;
}

static int play(const char *booth, const char *seal, struct eg_err *err)
{
	uint8_t centre[EG_P256_PUB_SIZE];
	struct eg_id encounter, decision, alone, nowhere;
	struct eg_key *key = NULL;
	char one[EG_ID_TEXT_MAX], two[EG_ID_TEXT_MAX], three[EG_ID_TEXT_MAX];
	struct eg_buf text;
	eg_buf_init(&text, 1024);
	int r = eg_file_read(seal, &text, err);
	if (r == 0) {
		text.size = 2 * sizeof(centre);
		r = eg_unhex(eg_buf_text(&text), centre, sizeof(centre));
	}
	if (r == 0)
		r = eg_key_generate(&key, err);
	if (r == 0)
		r = write_keys(key, err);
	if (r == 0)
		r = write_encounter(booth, key, centre, &encounter, err);
	if (r == 0)
		r = write_decision(booth, key, centre, &encounter, "decision", &decision, err);
	if (r == 0)
		r = eg_id_new(eg_clock_system(), &nowhere);
	if (r == 0)
		r = write_decision(booth, key, centre, &nowhere, "alone", &alone, err);
	if (r == 0)
		r = write_receipt(booth, key, err);
	if (r == 0) {
		eg_id_text(&encounter, one);
		eg_id_text(&decision, two);
		eg_id_text(&alone, three);
		(void)printf("%s %s %s\n", one, two, three);
	}
	eg_key_free(key);
	eg_buf_done(&text);
	return r;
}

int main(int argc, char **argv)
{
	struct eg_err err = EG_ERR_INIT;
	if (argc != 4 || eg_crypto_init(&err) != 0)
		return 2;
	folder = argv[3];
	if (play(argv[1], argv[2], &err) == 0)
		return 0;
	(void)fprintf(stderr, "central_envelope: %s\n", err.text);
	return 1;
}
