// SPDX-License-Identifier: Apache-2.0
//
// See sealing.h.

#include "sealing.h"

#include <assert.h>
#include <math.h>
#include <string.h>

int sealing_init(struct sealing *sealing, const char *trust, const char *record_key,
		 struct eg_err *err)
{
	eg_buf_init(&sealing->envelope, EG_ENVELOPE_MAX);
	int r = eg_crypto_init(err);
	if (r == 0)
		r = eg_trust_load(trust, &sealing->trust, err);
	if (r == 0)
		r = eg_key_load(record_key, &sealing->key, err);
	return r;
}

void sealing_done(struct sealing *sealing)
{
	eg_key_free(sealing->key);
	eg_buf_done(&sealing->envelope);
}

int sealing_one(struct sealing *sealing, size_t face_bytes, struct eg_id *ret_id,
		struct eg_err *err)
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
					 .liveness = {.score = (double)NAN},
					 .citizenship = EG_VISITOR,
					 .face = EG_BYTES(sealing->face, face_bytes)};
	assert(face_bytes <= sizeof(sealing->face));
	int r = eg_random(sealing->face, face_bytes);
	if (r == 0)
		r = eg_id_new(clock, &encounter.id);
	if (r != 0)
		return eg_err_set(err, r, "no random bytes");
	memcpy(encounter.booth, sealing->trust.booth, sizeof(encounter.booth));
	eg_buf_reset(&sealing->envelope);
	r = eg_encounter_seal(&encounter, sealing->key, sealing->trust.seal, &sealing->envelope,
			      err);
	if (r == 0)
		*ret_id = encounter.id;
	return r;
}
