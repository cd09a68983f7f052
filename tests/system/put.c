// SPDX-License-Identifier: Apache-2.0
//
// For the tests of the whole system: puts encounters into records.db as boothd would, signed with
// the booth's own key and sealed to the centre, and prints the id of each once it is on disk.
//
// usage: system_put TRUST RECORD_KEY RECORDS COUNT [PAUSE_MS]

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <signal.h>
#include <unistd.h>

#include "store/records.h"
#include "store/trust.h"

#define FACE_BYTES 20000

struct putter {
	struct eg_trust trust;
	struct eg_key *key;
	struct eg_records *records;
	struct eg_buf envelope;
	uint8_t face[FACE_BYTES];
};

static int put_one(struct putter *p, struct eg_err *err)
{
	const struct eg_clock *clock = eg_clock_system();
	const int64_t now_ms = eg_wall_ms(clock);
	struct eg_encounter encounter = {.mode = EG_MODE_IDENTIFY,
					 .verdict = EG_VERDICT_CONFIRMED,
					 .score = 0.75,
					 .threshold = 0.5,
					 .error_target = 0.003,
					 .manifest = "EG1-TEST",
					 .manifest_version = 1,
					 .traveller = "P1",
					 .first_seen_ms = now_ms - 1000,
					 .first_usable_ms = now_ms - 500,
					 .decided_ms = now_ms,
					 .verdict_took_ms = 500,
					 .notice = "1",
					 .liveness = {.score = NAN},
					 .citizenship = EG_VISITOR,
					 .face = EG_BYTES(p->face, FACE_BYTES)};
	char id[EG_ID_TEXT_MAX];
	int r = eg_random(p->face, sizeof(p->face));

	if (r == 0)
		r = eg_id_new(clock, &encounter.id);
	if (r != 0)
		return eg_err_set(err, r, "no random bytes");
	memcpy(encounter.booth, p->trust.booth, sizeof(encounter.booth));
	eg_buf_reset(&p->envelope);
	r = eg_encounter_seal(&encounter, p->key, p->trust.seal, &p->envelope, err);
	if (r == 0)
		r = eg_records_put(p->records, &encounter.id, eg_buf_bytes(&p->envelope), now_ms,
				   err);
	if (r != 0)
		return r;
	eg_id_text(&encounter.id, id);
	(void)puts(id);
	return fflush(stdout) == 0 ? 0 : eg_err_set(err, EG_EIO, "standard output");
}

int main(int argc, char **argv)
{
	static struct putter putter;
	struct eg_err err = EG_ERR_INIT;
	unsigned long count, pause_ms;
	int r;

	if (argc < 5 || argc > 6) {
		(void)fputs("usage: system_put TRUST RECORD_KEY RECORDS COUNT [PAUSE_MS]\n",
			    stderr);
		return 2;
	}
	(void)prctl(PR_SET_PDEATHSIG, SIGTERM);
	count = strtoul(argv[4], NULL, 10);
	pause_ms = argc == 6 ? strtoul(argv[5], NULL, 10) : 0;
	eg_buf_init(&putter.envelope, EG_ENVELOPE_MAX);
	r = eg_crypto_init(&err);
	if (r == 0)
		r = eg_trust_load(argv[1], &putter.trust, &err);
	if (r == 0)
		r = eg_key_load(argv[2], &putter.key, &err);
	if (r == 0)
		r = eg_records_open(argv[3], &putter.records, &err);
	for (unsigned long i = 0; r == 0 && i < count; i++) {
		r = put_one(&putter, &err);
		if (pause_ms > 0)
			(void)usleep((useconds_t)pause_ms * 1000);
	}
	eg_records_close(putter.records);
	eg_key_free(putter.key);
	eg_buf_done(&putter.envelope);
	if (r != 0)
		(void)fprintf(stderr, "system_put: %s\n", err.text);
	return r == 0 ? 0 : 1;
}
