// SPDX-License-Identifier: Apache-2.0
//
// Encounters and alarms. Thread: as ledger.h.

#include <string.h>

#include "net/central/ledger_internal.h"

static struct eg_db_query by_id(struct eg_ledger *ledger, enum ledger_statement statement,
				const struct eg_id *id)
{
	struct eg_db_query query = eg_db_query(ledger->db, statement);
	eg_db_bind_blob(&query, 1, EG_BYTES(id->bytes, EG_ID_SIZE));
	return query;
}

int eg_ledger_find_encounter(struct eg_ledger *ledger, const struct eg_id *id,
			     struct eg_encounter_row *ret_row, struct eg_buf *ack,
			     struct eg_err *err)
{
	struct eg_encounter_row found = {.id = *id};
	struct eg_db_query query = by_id(ledger, LEDGER_FIND_ENCOUNTER, id);
	int r = eg_db_step(&query, err);
	if (r == 0) {
		r = eg_err_set(err, EG_ENOENT, "there is no such encounter");
	} else if (r == 1) {
		struct eg_bytes stored = eg_db_blob(&query, 4);
		found.received_ms = eg_db_int(&query, 2);
		found.size = (uint64_t)eg_db_int(&query, 3);
		r = eg_ledger_copy_text(&query, 0, found.booth, sizeof(found.booth)) &&
				    eg_ledger_copy(&query, 1, found.digest, sizeof(found.digest))
			    ? 0
			    : eg_ledger_damaged("encounter", err);
		if (r == 0) {
			r = eg_buf_put(ack, stored.data, stored.size);
			if (r != 0)
				(void)eg_err_set(err, r, "no room for an acknowledgement");
		}
	}
	eg_db_reset(&query);
	if (r == 0)
		*ret_row = found;
	return r;
}

int eg_ledger_get_envelope(struct eg_ledger *ledger, const struct eg_id *id,
			   struct eg_buf *envelope, struct eg_err *err)
{
	struct eg_db_query query = by_id(ledger, LEDGER_ENVELOPE_OF, id);
	int r = eg_db_step(&query, err);
	if (r == 0) {
		r = eg_err_set(err, EG_ENOENT, "there is no such encounter");
	} else if (r == 1) {
		struct eg_bytes body = eg_db_blob(&query, 0);
		r = eg_buf_put(envelope, body.data, body.size);
		if (r != 0)
			(void)eg_err_set(err, r, "no room for an envelope of %zu bytes", body.size);
	}
	eg_db_reset(&query);
	return r;
}

int eg_ledger_put_encounter(struct eg_ledger *ledger, const struct eg_encounter_row *row,
			    struct eg_bytes envelope, struct eg_bytes ack, struct eg_err *err)
{
	int64_t changed = 0;
	int r = eg_ledger_enter(ledger, err);
	if (r != 0)
		return r;
	struct eg_db_query query = by_id(ledger, LEDGER_PUT_ENCOUNTER, &row->id);
	eg_db_bind_text(&query, 2, row->booth);
	eg_db_bind_int(&query, 3, row->received_ms);
	eg_db_bind_int(&query, 4, (int64_t)envelope.size);
	eg_db_bind_blob(&query, 5, EG_BYTES(row->digest, EG_SHA256_SIZE));
	eg_db_bind_blob(&query, 6, ack);
	eg_db_bind_int(&query, 7, row->kind);
	r = eg_db_run(&query, &changed, err);
	if (r == 0 && changed == 0)
		r = eg_err_set(err, EG_ECONFLICT, "the encounter is there already");
	if (r == 0) {
		query = by_id(ledger, LEDGER_PUT_ENVELOPE, &row->id);
		eg_db_bind_blob(&query, 2, envelope);
		r = eg_db_run(&query, NULL, err);
	}
	return eg_ledger_finish(ledger, r, err);
}

static int pass_on(struct eg_ledger *ledger, const struct eg_db_query *listed, bool with_envelope,
		   int (*row)(void *user, const struct eg_encounter_row *row,
			      struct eg_bytes envelope),
		   void *user, struct eg_err *err)
{
	struct eg_encounter_row found = {
		.received_ms = eg_db_int(listed, 3),
		.size = (uint64_t)eg_db_int(listed, 4),
		.kind = (enum eg_envelope_kind)eg_db_int(listed, 6),
	};
	struct eg_bytes envelope = {0};
	int r;
	if (!eg_ledger_copy(listed, 0, found.id.bytes, EG_ID_SIZE) ||
	    !eg_ledger_copy_text(listed, 1, found.booth, sizeof(found.booth)) ||
	    !eg_ledger_copy(listed, 2, found.digest, sizeof(found.digest)))
		return eg_ledger_damaged("encounter", err);
	if (!with_envelope)
		return row(user, &found, envelope);
	struct eg_db_query query = eg_db_query(ledger->db, LEDGER_GET_ENVELOPE);
	eg_db_bind_int(&query, 1, eg_db_int(listed, 5));
	r = eg_db_step(&query, err);
	if (r == 0)
		r = eg_ledger_damaged("envelope", err);
	if (r == 1)
		r = row(user, &found, eg_db_blob(&query, 0));
	eg_db_reset(&query);
	return r;
}

int eg_ledger_list_encounters(struct eg_ledger *ledger, int kind, bool with_envelope,
			      int (*row)(void *user, const struct eg_encounter_row *row,
					 struct eg_bytes envelope),
			      void *user, struct eg_err *err)
{
	struct eg_db_query query = eg_db_query(ledger->db, LEDGER_LIST_ENCOUNTERS);
	int r;
	eg_db_bind_int(&query, 1, kind);
	while ((r = eg_db_step(&query, err)) == 1) {
		r = pass_on(ledger, &query, with_envelope, row, user, err);
		if (r != 0)
			break;
	}
	eg_db_reset(&query);
	return r;
}

const char *eg_alarm_name(enum eg_alarm alarm)
{
	static const char *const names[] = {
		[EG_ALARM_ENCOUNTER_CONFLICT] = "encounter_conflict",
		[EG_ALARM_KEYS_CONFLICT] = "keys_conflict",
		[EG_ALARM_AUDIT_CONFLICT] = "audit_conflict",
	};
	size_t index = (size_t)alarm;
	return index < sizeof(names) / sizeof(names[0]) && names[index] ? names[index] : "unknown";
}

int eg_ledger_put_alarm(struct eg_ledger *ledger, enum eg_alarm alarm, const char *booth,
			const char *subject, int64_t now_ms, struct eg_err *err)
{
	struct eg_db_query query = eg_db_query(ledger->db, LEDGER_PUT_ALARM);
	eg_db_bind_int(&query, 1, now_ms);
	eg_db_bind_int(&query, 2, alarm);
	eg_db_bind_text(&query, 3, booth);
	eg_db_bind_text(&query, 4, subject);
	return eg_db_run(&query, NULL, err);
}

int eg_ledger_list_alarms(struct eg_ledger *ledger,
			  int (*row)(void *user, enum eg_alarm alarm, const char *booth,
				     const char *subject, int64_t at_ms),
			  void *user, struct eg_err *err)
{
	struct eg_db_query query = eg_db_query(ledger->db, LEDGER_LIST_ALARMS);
	int r;
	while ((r = eg_db_step(&query, err)) == 1) {
		r = row(user, (enum eg_alarm)eg_db_int(&query, 1), eg_db_text(&query, 2),
			eg_db_text(&query, 3), eg_db_int(&query, 0));
		if (r != 0)
			break;
	}
	eg_db_reset(&query);
	return r;
}
