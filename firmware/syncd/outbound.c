// SPDX-License-Identifier: Apache-2.0
//
// What leaves the booth: encounters, the booth's public keys, the heartbeat.
//
// Worker thread.

#include "firmware/base/file.h"
#include "firmware/base/log.h"
#include "firmware/syncd/worker_internal.h"

// booth.pub, as boothd wrote it; its bytes are appended to `file`. EG_ENOENT: boothd has not run
// yet.
static int load_keys(const struct worker *worker, struct eg_buf *file, struct eg_booth_keys *keys,
		     struct eg_err *err)
{
	int r = eg_file_read(worker->config->booth_keys, file, err);

	if (r != 0)
		return r;
	r = eg_booth_keys_decode(eg_buf_bytes(file), keys, err);
	return r != 0 ? eg_err_prefix(err, r, "%s", worker->config->booth_keys) : 0;
}

enum eg_sync_outcome outbound_keys(struct worker *worker, struct eg_err *err)
{
	enum eg_sync_outcome outcome = EG_SYNC_FAILED;
	struct eg_booth_keys keys;
	struct eg_buf file;
	int r;

	eg_buf_init(&file, EG_BOOTH_KEYS_MAX);
	r = load_keys(worker, &file, &keys, err);
	if (r != 0) {
		outcome = r == EG_ENOENT ? EG_SYNC_IDLE : EG_SYNC_FAILED;
		goto out;
	}
	outcome = eg_exchange_keys(&worker->exchange, eg_buf_bytes(&file), err);
	if (outcome != EG_SYNC_DONE)
		goto out;
	if (identity_keys_marker(worker, eg_buf_bytes(&file), err) != 0)
		outcome = EG_SYNC_FAILED;
	else
		worker->keys_sent = true;
out:
	eg_buf_done(&file);
	return outcome;
}

// The newest head that boothd signed, if the centre has not countersigned it. It is verified here
// first, so that nobody but boothd can have the centre vouch for a chain.
enum eg_sync_outcome outbound_audit(struct worker *worker, struct eg_err *err)
{
	enum eg_sync_outcome outcome = EG_SYNC_FAILED;
	struct eg_buf file, message, receipt;
	struct eg_booth_keys keys;
	struct eg_audit_head head;
	uint64_t count;
	int r;

	eg_buf_init(&file, EG_BOOTH_KEYS_MAX);
	eg_buf_init(&message, EG_AUDIT_MESSAGE_MAX);
	eg_buf_init(&receipt, EG_AUDIT_MESSAGE_MAX);
	r = eg_audit_unsent(worker->records, &count, &message, err);
	if (r == 0)
		r = load_keys(worker, &file, &keys, err);
	if (r == EG_ENOENT) {
		outcome = EG_SYNC_IDLE;
		goto out;
	}
	if (r == 0)
		r = eg_audit_verify_head(eg_buf_bytes(&message), keys.sign, &head, err);
	if (r != 0)
		goto out;
	outcome =
		eg_exchange_audit(&worker->exchange, &head, eg_buf_bytes(&message), &receipt, err);
	if (outcome != EG_SYNC_DONE)
		goto out;
	r = eg_audit_put_receipt(worker->records, &head, eg_buf_bytes(&receipt), err);
	if (r != 0 && r != EG_ENOENT) // a head that was dropped meanwhile: the next one comes
		outcome = EG_SYNC_FAILED;
out:
	eg_buf_done(&receipt);
	eg_buf_done(&message);
	eg_buf_done(&file);
	return outcome;
}

// The weeks that are over and were not sent since this program started. What cannot be read or
// suppressed is left out: a heartbeat matters more.
static void add_counts(struct worker *worker, struct eg_heartbeat *beat,
		       struct eg_counts counts[EG_COUNT_WEEKS])
{
	struct eg_err err = EG_ERR_INIT;

	if (eg_counts_closed(worker->records, beat->wall_ms, worker->counts_sent_ms, counts,
			     &beat->counts_count, &err) != 0)
		eg_warning("counts by group: %s", err.text);
	for (size_t i = 0; i < beat->counts_count; i++)
		if (eg_counts_suppress(&counts[i]) != 0)
			beat->counts_count = 0;
	beat->counts = counts;
}

enum eg_sync_outcome outbound_heartbeat(struct worker *worker, struct eg_err *err)
{
	struct eg_manifest_held held[EG_WIRE_LISTED_MAX];
	struct eg_counts counts[EG_COUNT_WEEKS];
	struct eg_heartbeat beat = {
		.wall_ms = eg_wall_ms(worker->clock),
		.held = held,
		.certificate_end_ms = worker->identity.end_ms,
		.key_kept = eg_key_kept_name(worker->kept),
		.problem = worker->problem,
	};
	enum eg_sync_outcome outcome = EG_SYNC_FAILED;
	struct eg_buf json;
	int r;

	eg_buf_init(&json, EG_WIRE_LIST_MAX);
	r = eg_records_facts(worker->records, &beat.queue, err);
	if (r == 0)
		r = eg_manifests_list(worker->manifests, held, EG_WIRE_LISTED_MAX, &beat.held_count,
				      err);
	if (r != 0)
		goto out;
	add_counts(worker, &beat, counts);
	r = eg_wire_put_heartbeat(&beat, &json);
	if (r != 0) {
		eg_err_set(err, r, "heartbeat: cannot be written");
		goto out;
	}
	outcome = eg_exchange_heartbeat(&worker->exchange, eg_buf_bytes(&json), err);
	if (outcome == EG_SYNC_DONE && beat.counts_count > 0)
		worker->counts_sent_ms = counts[beat.counts_count - 1].from_ms;
out:
	eg_buf_done(&json);
	return outcome;
}

// The next due item. Retry times are wall times on disk: when the clock was set back since, they
// would lie far ahead, so more than the longest wait ahead counts as due.
static int next_due(struct worker *worker, struct eg_queued *ret_item, struct eg_err *err)
{
	const int64_t live_ms = worker->config->live_s * 1000;
	const int64_t now = eg_wall_ms(worker->clock);
	int64_t next_ms = 0;
	int r = eg_records_next(worker->records, now, live_ms, ret_item, &worker->envelope,
				&next_ms, err);

	if (r == EG_ENOENT && next_ms - now > worker->sync.rules.backoff_max_ms + 60000)
		r = eg_records_next(worker->records, next_ms, live_ms, ret_item, &worker->envelope,
				    &next_ms, err);
	return r;
}

// An encounter that failed lets the others go first; how long, depends on how often it failed.
static void put_back(struct worker *worker, const struct eg_queued *item, const char *sentence)
{
	const int64_t wait =
		eg_sync_backoff(&worker->sync.rules, item->attempts + 1, worker_random());
	struct eg_err err = EG_ERR_INIT;

	if (eg_records_retry(worker->records, &item->id, eg_wall_ms(worker->clock) + wait, sentence,
			     &err) != 0)
		eg_error("%s", err.text);
}

static enum eg_sync_outcome settle(struct worker *worker, const struct eg_queued *item,
				   const struct eg_ack *ack, struct eg_err *err)
{
	int r = eg_records_acknowledge(worker->records, ack, eg_wall_ms(worker->clock), err);

	if (r == EG_ENOENT) // erased meanwhile: what we wanted
		r = 0;
	if (r != 0) {
		put_back(worker, item, err->text);
		return EG_SYNC_FAILED;
	}
	eg_debug("encounter acknowledged and erased");
	return EG_SYNC_DONE;
}

enum eg_sync_outcome outbound_encounter(struct worker *worker, struct eg_err *err)
{
	char id[EG_ID_TEXT_MAX];
	struct eg_queued item;
	enum eg_sync_outcome outcome;
	struct eg_ack ack;
	int r;

	r = next_due(worker, &item, err);
	if (r == EG_ENOENT)
		return EG_SYNC_IDLE;
	if (r != 0)
		return EG_SYNC_FAILED;
	eg_id_text(&item.id, id);
	outcome = eg_exchange_encounter(&worker->exchange, &item, eg_buf_bytes(&worker->envelope),
					&ack, err);
	switch (outcome) {
	case EG_SYNC_DONE:
		return settle(worker, &item, &ack, err);
	case EG_SYNC_BURY:
		r = eg_records_bury(worker->records, &item.id, err->text, NULL);
		eg_err_prefix(err, err->code, r == 0 ? "%s, to the dead-letter list" : "%s", id);
		return r == 0 ? EG_SYNC_BURY : EG_SYNC_FAILED;
	case EG_SYNC_LINK:
	case EG_SYNC_FAILED:
		if (err->code != EG_EAGAIN) // cancelled: it did nothing wrong
			put_back(worker, &item, err->text);
		return outcome;
	case EG_SYNC_REFUSED: // not this encounter's fault
	case EG_SYNC_IDLE:
	case EG_SYNC_OUTCOMES:
		break;
	}
	return outcome;
}
