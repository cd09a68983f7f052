// SPDX-License-Identifier: Apache-2.0
//
// Manifests in: the list, the pieces, the check, the database; and out again when they expired. The
// policy, which boothd goes by.
// What is downloaded (partial.h) is looked at when it is whole, and verified before it is parsed.
//
// Worker thread.

#include <string.h>

#include "firmware/base/log.h"
#include "firmware/syncd/worker_internal.h"

#define REJECTED_FOR_MS (60 * 60 * 1000LL) // an unusable manifest is not fetched again for so long

void inbound_init(struct inbound *inbound)
{
	partial_init(&inbound->partial);
}

void inbound_done(struct inbound *inbound)
{
	partial_done(&inbound->partial);
}

static bool same(const struct eg_listed *a, const struct eg_listed *b)
{
	return strcmp(a->id, b->id) == 0 && a->version == b->version && a->length == b->length &&
	       strcmp(a->etag, b->etag) == 0;
}

static void reject(struct worker *worker, const struct eg_listed *listed)
{
	struct inbound *in = &worker->inbound;

	in->rejected[in->next_rejected] =
		(struct rejected){.listed = *listed,
				  .until_ms = eg_boot_ms(worker->clock) + REJECTED_FOR_MS};
	in->next_rejected = (in->next_rejected + 1) % EG_WIRE_LISTED_MAX;
}

static bool is_rejected(const struct worker *worker, const struct eg_listed *listed)
{
	const int64_t boot = eg_boot_ms(worker->clock);

	for (size_t i = 0; i < EG_WIRE_LISTED_MAX; i++)
		if (worker->inbound.rejected[i].until_ms > boot &&
		    same(&worker->inbound.rejected[i].listed, listed))
			return true;
	return false;
}

static void set_fetching(struct worker *worker, bool fetching)
{
	worker->inbound.fetching = fetching;
	if (!fetching)
		partial_drop(&worker->inbound.partial);
	eg_sync_fetching(&worker->sync, fetching, eg_boot_ms(worker->clock));
}

static bool is_held(const struct eg_manifest_held *held, size_t count,
		    const struct eg_listed *listed)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(held[i].id, listed->id) == 0)
			return held[i].version >= listed->version;
	return false;
}

// The next listed manifest that we lack becomes the target; a download under way goes on.
static int pick(struct worker *worker, struct eg_err *err)
{
	struct eg_manifest_held held[EG_WIRE_LISTED_MAX];
	struct inbound *in = &worker->inbound;
	size_t count;
	int r = eg_manifests_list(worker->manifests, held, EG_WIRE_LISTED_MAX, &count, err);

	if (r != 0)
		return r;
	for (size_t i = 0; i < in->listed_count; i++) {
		const struct eg_listed *listed = &in->listed[i];

		if (is_held(held, count, listed) || is_rejected(worker, listed))
			continue;
		if (listed->length == 0 || listed->length > EG_MANIFEST_MAX) {
			eg_error("manifest '%s': length %llu is impossible; not fetched",
				 listed->id, (unsigned long long)listed->length);
			reject(worker, listed);
			continue;
		}
		if (!in->fetching || !same(&in->target, listed)) {
			in->target = *listed;
			partial_begin(&in->partial, worker->config->state, listed);
		}
		set_fetching(worker, true);
		return 0;
	}
	set_fetching(worker, false);
	return 0;
}

enum eg_sync_outcome inbound_list(struct worker *worker, struct eg_err *err)
{
	struct inbound *in = &worker->inbound;
	struct eg_listed listed[EG_WIRE_LISTED_MAX];
	enum eg_sync_outcome outcome;
	bool changed = false;
	size_t count = 0;

	outcome = eg_exchange_list(&worker->exchange, in->list_etag, listed, &count, &changed, err);
	if (outcome != EG_SYNC_DONE)
		return outcome;
	if (changed) {
		memcpy(in->listed, listed, count * sizeof(listed[0]));
		in->listed_count = count;
	}
	return pick(worker, err) == 0 ? EG_SYNC_DONE : EG_SYNC_FAILED;
}

static bool long_expired(const struct worker *worker, int64_t expires_ms)
{
	const int64_t keep_ms = worker->config->keep_expired_h * 3600 * 1000;

	return eg_wall_ms(worker->clock) >= expires_ms + keep_ms;
}

// The manifests are in a file of their own, so the audit entry comes after the change; a failure is
// logged, and the change stands.
static void note_manifest(struct worker *worker, enum eg_audit_event event, uint64_t version,
			  const uint8_t digest[EG_SHA256_SIZE])
{
	struct eg_audit_entry entry = {.event = event, .number = version};
	struct eg_err err = EG_ERR_INIT;

	memcpy(entry.digest, digest, sizeof(entry.digest));
	if (eg_audit_note(worker->records, &entry, &err) != 0)
		eg_error("audit: %s not noted: %s", eg_audit_event_name(event), err.text);
}

// A whole download: believed only now. boothd verifies again before it opens it.
static int take(struct worker *worker, struct eg_err *err)
{
	const struct eg_listed *target = &worker->inbound.target;
	const struct eg_bytes wire = eg_buf_bytes(&worker->inbound.partial.wire);
	const struct eg_trust *trust = &worker->trust;
	struct eg_statement statement;
	uint8_t digest[EG_SHA256_SIZE];
	struct eg_bytes sealed;
	int r;

	r = eg_manifest_verify(wire, trust->booth, trust->sign, trust->sign_count, &statement,
			       &sealed, err);
	if (r != 0)
		return r;
	if (strcmp(statement.id, target->id) != 0 || statement.version != target->version)
		return eg_err_set(err, EG_EAUTH, "is '%s' version %llu, not what the list said",
				  statement.id, (unsigned long long)statement.version);
	if (long_expired(worker, statement.expires_ms))
		return eg_err_set(err, EG_ESTALE,
				  "expired; not kept (if that is wrong, set the "
				  "booth's clock)");
	if (eg_sha256(wire, digest) != 0)
		return eg_err_set(err, EG_EFOREIGN, "digest of %zu bytes", wire.size);
	r = eg_manifests_put(worker->manifests, &statement, wire, eg_wall_ms(worker->clock), err);
	if (r != 0)
		return r;
	eg_notice("manifest '%s' version %llu: %zu travellers, stored", statement.id,
		  (unsigned long long)statement.version, statement.travellers);
	note_manifest(worker, EG_AUDIT_MANIFEST_PUT, statement.version, digest);
	worker_manifests_changed(worker);
	return 0;
}

static bool is_our_trouble(int r)
{
	return r == EG_EFULL || r == EG_EIO || r == EG_ENOMEM;
}

// Whether a download that was not taken may be damaged by a power cut instead of being bad.
static bool is_damaged(const struct partial *partial, int r)
{
	return partial->resumed && r != 0 && r != EG_ESTALE && !is_our_trouble(r);
}

static enum eg_sync_outcome fetch_piece(struct worker *worker, bool *ret_whole, bool *ret_gone,
					struct eg_err *err)
{
	struct inbound *in = &worker->inbound;
	enum eg_sync_outcome outcome;

	*ret_gone = false;
	*ret_whole = in->partial.wire.size == in->target.length;
	if (*ret_whole)
		return EG_SYNC_DONE;
	outcome = eg_exchange_piece(&worker->exchange, &in->target, &in->partial.wire, ret_whole,
				    ret_gone, err);
	partial_keep(&in->partial);
	return outcome;
}

enum eg_sync_outcome inbound_fetch(struct worker *worker, struct eg_err *err)
{
	struct inbound *in = &worker->inbound;
	enum eg_sync_outcome outcome;
	bool whole, gone;
	int r;

	if (!in->fetching)
		return EG_SYNC_IDLE;
	outcome = fetch_piece(worker, &whole, &gone, err);
	if (gone) // withdrawn since the list was made
		outcome = EG_SYNC_DONE;
	else if (outcome != EG_SYNC_DONE || !whole)
		return outcome;
	r = gone ? 0 : take(worker, err);
	if (is_damaged(&in->partial, r)) {
		partial_drop(&in->partial);
		eg_err_prefix(err, r,
			      "manifest '%s': what was kept of it is damaged; fetching it anew",
			      in->target.id);
		return EG_SYNC_FAILED;
	}
	if (r != 0)
		eg_err_prefix(err, r, "manifest '%s' version %llu not taken", in->target.id,
			      (unsigned long long)in->target.version);
	if (is_our_trouble(r)) // later again, without asking for it again
		return EG_SYNC_FAILED;
	if (r != 0 || gone)
		reject(worker, &in->target);
	set_fetching(worker, false);
	if (r != 0 && outcome == EG_SYNC_DONE) {
		eg_error("%s", err->text); // one bad manifest must not hold up the others
		*err = EG_ERR_INIT;
	}
	if (outcome == EG_SYNC_DONE && pick(worker, err) != 0)
		outcome = EG_SYNC_FAILED;
	return outcome;
}

void inbound_sweep(struct worker *worker)
{
	struct eg_manifest_held held[EG_WIRE_LISTED_MAX];
	struct eg_err err = EG_ERR_INIT;
	char expired[EG_TIME_TEXT_MAX];
	size_t count;

	partial_sweep(&worker->inbound.partial, worker->config->state, eg_wall_ms(worker->clock));
	if (eg_manifests_list(worker->manifests, held, EG_WIRE_LISTED_MAX, &count, &err) != 0) {
		eg_error("%s", err.text);
		return;
	}
	for (size_t i = 0; i < count; i++) {
		if (!long_expired(worker, held[i].expires_ms))
			continue;
		eg_time_text(held[i].expires_ms, expired);
		if (eg_manifests_erase(worker->manifests, held[i].id, &err) != 0) {
			eg_error("manifest '%s' expired, but cannot be erased: %s", held[i].id,
				 err.text);
			continue;
		}
		note_manifest(worker, EG_AUDIT_MANIFEST_ERASED, held[i].version, held[i].digest);
		eg_notice("manifest '%s' version %llu expired %s: erased", held[i].id,
			  (unsigned long long)held[i].version, expired);
		worker_manifests_changed(worker);
	}
}

// A policy that is not better than the one we hold is no failure of the link: it is said, and the
// one we hold stays in force.
enum eg_sync_outcome inbound_policy(struct worker *worker, struct eg_err *err)
{
	const struct eg_trust *trust = &worker->trust;
	char etag[EG_HTTP_ETAG_MAX];
	enum eg_sync_outcome outcome;
	struct eg_buf message;
	bool changed;
	int r;

	memcpy(etag, worker->policy_etag, sizeof(etag));
	eg_buf_init(&message, EG_POLICY_MAX);
	outcome = eg_exchange_policy(&worker->exchange, etag, &message, &changed, err);
	if (outcome == EG_SYNC_DONE && changed) {
		r = eg_records_put_policy(worker->records, eg_buf_bytes(&message), trust->sign,
					  trust->sign_count, err);
		if (r == 0) {
			memcpy(worker->policy_etag, etag, sizeof(etag));
			eg_notice("policy: taken from the centre");
			worker_manifests_changed(worker); // boothd looks at both
		} else {
			outcome = EG_SYNC_FAILED;
		}
	}
	eg_buf_done(&message);
	return outcome;
}
