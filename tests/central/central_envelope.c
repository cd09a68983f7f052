// SPDX-License-Identifier: Apache-2.0
//
// For test_central_open.sh: plays a booth. central_envelope BOOTH SEAL.PUB KEYS ENVELOPE writes the
// booth's public keys and one sealed encounter, and prints the encounter's id.

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "firmware/base/file.h"
#include "store/encounter.h"
#include "store/trust.h"

static int play(char **argv, struct eg_err *err)
{
	struct eg_encounter encounter = {.mode = EG_MODE_IDENTIFY,
					 .verdict = EG_VERDICT_CONFIRMED,
					 .score = 0.75,
					 .threshold = 0.5,
					 .error_target = 0.003,
					 .manifest_version = 3,
					 .first_seen_ms = 1000,
					 .first_usable_ms = 2000,
					 .decided_ms = 3000,
					 .citizenship = EG_VISITOR};
	uint8_t centre[EG_P256_PUB_SIZE];
	struct eg_booth_keys keys;
	struct eg_buf text, out;
	struct eg_key *sign = NULL;
	char id[EG_ID_TEXT_MAX];
	eg_buf_init(&text, 1024);
	eg_buf_init(&out, EG_ENVELOPE_MAX);
	(void)snprintf(encounter.booth, sizeof(encounter.booth), "%s", argv[1]);
	(void)snprintf(encounter.manifest, sizeof(encounter.manifest), "EG1-20261124");
	(void)snprintf(encounter.traveller, sizeof(encounter.traveller), "P1");
	(void)snprintf(encounter.notice, sizeof(encounter.notice), "1");
	encounter.liveness.score = NAN;
	int r = eg_file_read(argv[2], &text, err);
	if (r == 0) {
		text.size = 2 * sizeof(centre);
		r = eg_unhex(eg_buf_text(&text), centre, sizeof(centre));
	}
	if (r == 0)
		r = eg_key_generate(&sign, err);
	if (r == 0)
		r = eg_id_new(eg_clock_system(), &encounter.id);
	if (r == 0) {
		memcpy(keys.seal, eg_key_public(sign), sizeof(keys.seal));
		memcpy(keys.sign, eg_key_public(sign), sizeof(keys.sign));
		r = eg_booth_keys_encode(&keys, &out);
	}
	if (r == 0)
		r = eg_file_write(argv[3], eg_buf_bytes(&out), 0644, err);
	eg_buf_reset(&out);
	if (r == 0)
		r = eg_encounter_seal(&encounter, sign, centre, &out, err);
	if (r == 0)
		r = eg_file_write(argv[4], eg_buf_bytes(&out), 0644, err);
	eg_id_text(&encounter.id, id);
	if (r == 0)
		(void)puts(id);
	eg_key_free(sign);
	eg_buf_done(&text);
	eg_buf_done(&out);
	return r;
}

int main(int argc, char **argv)
{
	struct eg_err err = EG_ERR_INIT;
	if (argc != 5 || eg_crypto_init(&err) != 0)
		return 2;
	if (play(argv, &err) == 0)
		return 0;
	(void)fprintf(stderr, "central_envelope: %s\n", err.text);
	return 1;
}
