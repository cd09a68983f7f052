// SPDX-License-Identifier: Apache-2.0
//
// From a finished session to an encounter on disk: signed, sealed to the centre, one transaction.

#include "firmware/boothd/booth.h"

#include <math.h>
#include <string.h>

#include "firmware/base/log.h"

#define RETRY_MS 2000

static void fill(const struct eg_booth *b, const struct eg_slot *slot, struct eg_encounter *e)
{
	const struct eg_session *s = &slot->session;
	const struct eg_worker_result *r = &slot->result;
	bool opted_out = s->verdict.cause == EG_CAUSE_OPTED_OUT;
	int64_t now = eg_wall_ms(b->clock);
	size_t i;

	memcpy(e->booth, b->trust.booth, sizeof(e->booth));
	memcpy(e->notice, b->config.notice, sizeof(e->notice));
	memcpy(e->pack, eg_worker_pack_digest(b->worker), sizeof(e->pack));
	e->mode = s->verdict.mode != 0		       ? s->verdict.mode
		  : b->config.mode == EG_BOOTHD_VERIFY ? EG_MODE_VERIFY
						       : EG_MODE_IDENTIFY;
	e->verdict = s->verdict.kind;
	e->cause = s->verdict.cause;
	e->score = e->threshold = NAN;
	e->error_target = e->mode == EG_MODE_VERIFY ? b->config.fmr : b->config.fpir;
	e->liveness.score = NAN;
	e->citizenship = EG_CITIZENSHIP_UNKNOWN;
	e->first_seen_ms = slot->seen_wall_ms;
	e->first_usable_ms = slot->usable_wall_ms;
	e->decided_ms = now;
	if (s->usable_ms != 0)
		e->verdict_took_ms = s->verdict_ms - s->usable_ms;
	for (i = 0; i < EG_QUALITY_COUNT; i++)
		e->quality.component[i] = -1;
	e->quality.overall = -1;
	if (!slot->has_result) {
		memcpy(e->manifest, b->manifest, sizeof(e->manifest));
		e->manifest_version = b->manifest_version;
		return;
	}
	memcpy(e->manifest, r->manifest, sizeof(e->manifest));
	e->manifest_version = r->manifest_version;
	if (opted_out) // no face, no score, no name: only that somebody chose the officer
		return;
	memcpy(e->traveller, r->traveller, sizeof(e->traveller));
	e->citizenship = r->citizenship;
	e->score = (double)s->verdict.score;
	e->threshold = (double)s->verdict.threshold;
	e->error_target = s->verdict.error_target;
	e->quality = r->quality;
	e->liveness = r->attempt.liveness;
	e->face = eg_buf_bytes(&r->face);
	// Citizens' pictures are kept only where the law needs them: when an officer has to look.
	if (e->citizenship == EG_CITIZEN && e->verdict == EG_VERDICT_CONFIRMED)
		e->face = (struct eg_bytes){0};
}

// The record itself is in the chain already; this says why it holds no face.
static void note_opt_out(struct eg_booth *b, const struct eg_id *id)
{
	struct eg_audit_entry entry = {.event = EG_AUDIT_OPT_OUT, .subject = *id};
	struct eg_err err = EG_ERR_INIT;

	if (b->records != NULL && eg_audit_note(b->records, &entry, &err) != 0)
		eg_booth_fault(b, err.text);
}

static void keep(struct eg_booth *b, const struct eg_encounter *encounter, struct eg_buf *envelope)
{
	struct eg_unwritten *u = &b->unwritten;

	if (u->count == EG_UNWRITTEN_MAX) {
		eg_booth_fault(b,
			       "records: no room left for one that cannot be written; it is lost");
		return;
	}
	u->item[u->count].id = encounter->id;
	u->item[u->count].wall_ms = encounter->decided_ms;
	u->item[u->count].opted_out = encounter->cause == EG_CAUSE_OPTED_OUT;
	u->item[u->count].envelope = *envelope;
	eg_buf_init(envelope, EG_ENVELOPE_MAX); // its bytes have moved
	u->count++;
	u->retry_ms = eg_boot_ms(b->clock) + RETRY_MS;
}

// How it went with travellers like this one. A count that is lost is no reason to stop anybody.
static void tally(struct eg_booth *b, const struct eg_slot *slot, const struct eg_encounter *e)
{
	static const struct eg_group nobody;
	bool known = slot->has_result && e->cause != EG_CAUSE_OPTED_OUT;
	struct eg_err err = EG_ERR_INIT;

	if (b->records != NULL && eg_counts_add(b->records, known ? &slot->result.group : &nobody,
						slot->session.usable_ms != 0, e->verdict, e->cause,
						e->decided_ms, &err) != 0)
		eg_warning("counts by group: %s", err.text);
}

void eg_record_tally_manifest(struct eg_booth *booth)
{
	int64_t now = eg_wall_ms(booth->clock);
	struct eg_worker_manifest m;
	struct eg_err err = EG_ERR_INIT;

	eg_worker_manifest(booth->worker, &m);
	if (m.id[0] == '\0' ||
	    (strcmp(m.id, booth->tallied) == 0 && booth->tallied_week_ms == eg_counts_week(now)))
		return;
	booth->tallied_week_ms = eg_counts_week(now);
	memcpy(booth->tallied, m.id, sizeof(booth->tallied));
	if (booth->records != NULL &&
	    eg_counts_add_manifest(booth->records, m.id, &m.impostors, now, &err) != 0)
		eg_warning("counts by group: %s", err.text);
}

// A file that is found damaged now is salvaged, and what could not be written is tried again.
static int put(struct eg_booth *b, const struct eg_id *id, struct eg_bytes envelope,
	       int64_t wall_ms, struct eg_err *err)
{
	int r = b->records != NULL ? eg_records_put(b->records, id, envelope, wall_ms, err)
				   : eg_err_set(err, EG_EIO, "records: the file is not open");

	if (r == EG_ECORRUPT)
		eg_salvage_records(b);
	return r;
}

int eg_record_write(struct eg_booth *booth, const struct eg_slot *slot, char ret_id[EG_ID_TEXT_MAX],
		    struct eg_err *err)
{
	struct eg_encounter encounter = {0};
	struct eg_buf envelope;
	int r;

	eg_buf_init(&envelope, EG_ENVELOPE_MAX);
	fill(booth, slot, &encounter);
	r = eg_id_new(booth->clock, &encounter.id);
	if (r != 0) {
		r = eg_err_set(err, r, "no random numbers for an id");
		goto out;
	}
	r = eg_encounter_seal(&encounter, booth->record_key, booth->trust.seal, &envelope, err);
	if (r != 0)
		goto out;
	r = put(booth, &encounter.id, eg_buf_bytes(&envelope), encounter.decided_ms, err);
	if (r == 0)
		eg_id_text(&encounter.id, ret_id);
	if (r == 0 && encounter.cause == EG_CAUSE_OPTED_OUT)
		note_opt_out(booth, &encounter.id);
	if (r != 0 && encounter.verdict != EG_VERDICT_CONFIRMED)
		keep(booth, &encounter, &envelope);
	if (r == 0 || encounter.verdict != EG_VERDICT_CONFIRMED) {
		tally(booth, slot, &encounter);
		eg_casework_record(booth, slot, &encounter);
	}
out:
	eg_buf_done(&envelope);
	return r;
}

bool eg_record_retry(struct eg_booth *booth, bool now)
{
	struct eg_unwritten *u = &booth->unwritten;
	struct eg_err err = EG_ERR_INIT;
	size_t i;
	int r;

	while (u->count > 0 && (now || eg_boot_ms(booth->clock) >= u->retry_ms)) {
		r = put(booth, &u->item[0].id, eg_buf_bytes(&u->item[0].envelope),
			u->item[0].wall_ms, &err);
		// A conflict: it was written, only the answer was a failure.
		if (r != 0 && r != EG_ECONFLICT) {
			u->retry_ms = eg_boot_ms(booth->clock) + RETRY_MS;
			break;
		}
		if (u->item[0].opted_out)
			note_opt_out(booth, &u->item[0].id);
		eg_notice("records: one that could not be written before is on disk now");
		eg_buf_done(&u->item[0].envelope);
		for (i = 1; i < u->count; i++)
			u->item[i - 1] = u->item[i];
		u->count--;
		eg_live_kick_sync(booth);
	}
	return u->count == 0;
}

void eg_record_done(struct eg_booth *booth)
{
	size_t i;

	for (i = 0; i < booth->unwritten.count; i++)
		eg_buf_done(&booth->unwritten.item[i].envelope);
	booth->unwritten.count = 0;
}
