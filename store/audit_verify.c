// SPDX-License-Identifier: Apache-2.0
//
// Walking the audit chain. An entry is vouched for by the one behind it (or by the head), which
// holds its digest: so where a link is broken, the first of the two entries was changed if somebody
// vouches for the second, and the second one if nobody does. Thread: as audit.h.

#include "store/audit.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "firmware/base/mem.h"
#include "store/records_internal.h"

#define HEADS_MAX 64
#define LOST_MAX  (1u << 24) // bytes

static const char *const fault_names[EG_AUDIT_FAULT_COUNT] = {
	[EG_AUDIT_WHOLE] = "whole",	    [EG_AUDIT_CHANGED] = "changed",
	[EG_AUDIT_MISSING] = "missing",	    [EG_AUDIT_REORDERED] = "reordered",
	[EG_AUDIT_TRUNCATED] = "truncated", [EG_AUDIT_REWRITTEN] = "rewritten",
	[EG_AUDIT_FORGED] = "forged",	    [EG_AUDIT_LOST] = "lost",
};

const char *eg_audit_fault_name(enum eg_audit_fault fault)
{
	return (unsigned int)fault < EG_AUDIT_FAULT_COUNT ? fault_names[fault] : "unknown";
}

struct known_head {
	uint64_t count;
	uint8_t digest[EG_SHA256_SIZE];
};

struct put_encounter {
	uint64_t seq;
	struct eg_id id;
};

struct walk {
	struct eg_records *records;
	struct eg_audit_report *report;
	struct eg_audit_head head;
	struct known_head heads[HEADS_MAX + 1]; // ascending; one more for the caller's
	size_t head_count, head_at;
	uint64_t trusted_to;		// last head that the chain led to
	uint64_t at;			// entries that were good so far
	uint8_t digest[EG_SHA256_SIZE]; // of the last of them
	bool broken;			// the link to `at` is; the next entry decides
	struct eg_buf lost;		// struct put_encounter: known to the chain only
};

static void found(struct walk *walk, enum eg_audit_fault fault, uint64_t seq, uint64_t other)
{
	if (walk->report->fault != EG_AUDIT_WHOLE)
		return;
	walk->report->fault = fault;
	walk->report->seq = seq;
	walk->report->other = other;
}

static int compare_heads(const void *a, const void *b)
{
	const struct known_head *x = a, *y = b;
	return x->count < y->count ? -1 : x->count > y->count;
}

static void add_head(struct walk *walk, uint64_t count, const uint8_t digest[EG_SHA256_SIZE])
{
	struct known_head *head = &walk->heads[walk->head_count++];
	head->count = count;
	memcpy(head->digest, digest, EG_SHA256_SIZE);
}

struct trust {
	const uint8_t *booth_pub;
	const struct eg_trusted_key *keys;
	size_t key_count;
};

static bool says(int r, const struct eg_audit_head *said, const struct eg_db_query *row)
{
	return r == 0 && said->count == (uint64_t)eg_db_int(row, 0) &&
	       eg_bytes_equal(eg_db_blob(row, 1), EG_BYTES(said->digest, EG_SHA256_SIZE));
}

// A kept head: count, digest, message, receipt or empty.
static void take_head(struct walk *walk, const struct trust *trust, const struct eg_db_query *row)
{
	struct eg_audit_head said;
	uint64_t count = (uint64_t)eg_db_int(row, 0);
	struct eg_bytes digest = eg_db_blob(row, 1), receipt = eg_db_blob(row, 3);
	bool good = digest.size == EG_SHA256_SIZE;
	if (good && trust->booth_pub != NULL)
		good = says(eg_audit_verify_head(eg_db_blob(row, 2), trust->booth_pub, &said, NULL),
			    &said, row);
	if (good && receipt.size != 0 && trust->keys != NULL)
		good = says(eg_audit_verify_receipt(receipt, trust->keys, trust->key_count, &said,
						    NULL),
			    &said, row);
	if (!good) {
		found(walk, EG_AUDIT_FORGED, count, 0);
		return;
	}
	add_head(walk, count, digest.data);
	if (count > walk->report->signed_to)
		walk->report->signed_to = count;
	if (receipt.size != 0 && count > walk->report->countersigned_to)
		walk->report->countersigned_to = count;
}

static int take_heads(struct walk *walk, const struct trust *trust,
		      const struct eg_audit_head *known, struct eg_err *err)
{
	struct eg_db_query query = eg_db_query(walk->records->db, RECORDS_AUDIT_HEADS);
	int r = 0;
	eg_db_bind_int(&query, 1, HEADS_MAX);
	while (walk->head_count < HEADS_MAX && (r = eg_db_step(&query, err)) == 1)
		take_head(walk, trust, &query);
	eg_db_reset(&query);
	if (r < 0)
		return r;
	if (known != NULL && known->count != 0)
		add_head(walk, known->count, known->digest);
	qsort(walk->heads, walk->head_count, sizeof(walk->heads[0]), compare_heads);
	return 0;
}

// An encounter that was put has to be there still, or its erasure comes later in the chain.
static int follow(struct walk *walk, const struct eg_audit_entry *entry, struct eg_err *err)
{
	if (entry->event == EG_AUDIT_ENCOUNTER_PUT) {
		struct put_encounter put = {.seq = entry->seq, .id = entry->subject};
		struct eg_db_query query = eg_db_query(walk->records->db, RECORDS_KNOWN);
		eg_db_bind_blob(&query, 1, EG_BYTES(put.id.bytes, EG_ID_SIZE));
		int r = eg_db_step(&query, err);
		eg_db_reset(&query);
		if (r == 0 && eg_buf_put(&walk->lost, &put, sizeof(put)) != 0)
			return eg_err_set(err, EG_ENOMEM, "audit: too many encounters are missing");
		return r < 0 ? r : 0;
	}
	if (entry->event != EG_AUDIT_ENVELOPE_ERASED)
		return 0;
	// Erased in about the order they were put, so it stands near the front.
	for (size_t i = 0; i < walk->lost.size; i += sizeof(struct put_encounter)) {
		struct put_encounter put;
		memcpy(&put, walk->lost.data + i, sizeof(put));
		if (eg_id_compare(&put.id, &entry->subject) != 0)
			continue;
		size_t behind = walk->lost.size - i - sizeof(put);
		memmove(walk->lost.data + i, walk->lost.data + i + sizeof(put), behind);
		walk->lost.size -= sizeof(put);
		break;
	}
	return 0;
}

static bool links(const struct eg_audit_entry *entry, const uint8_t digest[EG_SHA256_SIZE])
{
	return memcmp(entry->before, digest, EG_SHA256_SIZE) == 0;
}

// The heads that were signed when the chain ended here.
static void check_heads(struct walk *walk)
{
	for (; walk->head_at < walk->head_count; walk->head_at++) {
		const struct known_head *head = &walk->heads[walk->head_at];
		if (head->count != walk->at)
			return;
		if (memcmp(head->digest, walk->digest, sizeof(head->digest)) != 0)
			found(walk, EG_AUDIT_REWRITTEN, walk->trusted_to + 1, walk->at);
		walk->trusted_to = walk->at;
	}
}

// One row. Sets the report and returns 1 when nothing behind it matters any more.
static int visit(struct walk *walk, const struct eg_db_query *row, struct eg_err *err)
{
	struct eg_audit_entry entry;
	struct eg_bytes bytes = eg_db_blob(row, 1);
	uint64_t seq = (uint64_t)eg_db_int(row, 0), due = walk->at + 1;
	int read = eg_audit_decode(bytes, &entry, NULL);
	bool linked = read == 0 && links(&entry, walk->digest);
	if (walk->broken)
		found(walk, EG_AUDIT_CHANGED, linked ? walk->at - 1 : walk->at, 0);
	else if (seq != due)
		found(walk, EG_AUDIT_MISSING, due, 0);
	else if (read != 0)
		found(walk, EG_AUDIT_CHANGED, due, 0);
	else if (entry.seq != due)
		found(walk, EG_AUDIT_REORDERED, due, entry.seq);
	else if (!linked && due == 1)
		found(walk, EG_AUDIT_CHANGED, 1, 0);
	if (walk->report->fault != EG_AUDIT_WHOLE && walk->report->fault != EG_AUDIT_FORGED)
		return 1;
	walk->broken = !linked;
	int r = eg_sha256(bytes, walk->digest);
	if (r != 0)
		return eg_err_set(err, r, "audit: digest: %s", eg_code_name(r));
	walk->at = due;
	if (!walk->broken)
		check_heads(walk);
	return follow(walk, &entry, err);
}

static void check_end(struct walk *walk)
{
	const struct eg_audit_head *head = &walk->head;
	bool vouched = walk->at == head->count &&
		       memcmp(walk->digest, head->digest, sizeof(head->digest)) == 0;
	if (walk->broken)
		found(walk, EG_AUDIT_CHANGED, vouched ? walk->at - 1 : walk->at, 0);
	if (head->count > walk->at)
		found(walk, EG_AUDIT_TRUNCATED, walk->at + 1, head->count);
	if (walk->head_at < walk->head_count)
		found(walk, EG_AUDIT_TRUNCATED, walk->at + 1,
		      walk->heads[walk->head_count - 1].count);
	if (!vouched)
		found(walk, EG_AUDIT_CHANGED, walk->at > head->count ? head->count + 1 : walk->at,
		      0);
	if (walk->lost.size != 0 && walk->report->fault == EG_AUDIT_WHOLE) {
		struct put_encounter put;
		memcpy(&put, walk->lost.data, sizeof(put));
		found(walk, EG_AUDIT_LOST, put.seq, 0);
		walk->report->subject = put.id;
	}
}

static int walk_rows(struct walk *walk, struct eg_err *err)
{
	int r;
	struct eg_db_query query = eg_db_query(walk->records->db, RECORDS_AUDIT_LIST);
	eg_db_bind_int(&query, 1, INT64_MIN);
	eg_db_bind_int(&query, 2, INT64_MAX);
	while ((r = eg_db_step(&query, err)) == 1) {
		walk->report->entries++;
		r = visit(walk, &query, err);
		if (r != 0)
			break;
	}
	eg_db_reset(&query);
	if (r == 0)
		check_end(walk);
	return r < 0 ? r : 0;
}

int eg_audit_verify(struct eg_records *records, const uint8_t *booth_pub,
		    const struct eg_trusted_key *keys, size_t key_count,
		    const struct eg_audit_head *known, struct eg_audit_report *ret_report,
		    struct eg_err *err)
{
	struct trust trust = {.booth_pub = booth_pub, .keys = keys, .key_count = key_count};
	struct eg_audit_report report = {0};
	struct walk *walk = eg_calloc(1, sizeof(*walk));
	if (walk == NULL)
		return eg_err_set(err, EG_ENOMEM, "audit: out of memory");
	walk->records = records;
	walk->report = &report;
	eg_buf_init(&walk->lost, LOST_MAX);
	int r = eg_db_check(records->db, err);
	if (r == 0)
		r = eg_db_begin_read(records->db, err); // one snapshot, while others write on
	if (r == 0) {
		r = eg_audit_head(records, &walk->head, err);
		if (r == 0)
			r = take_heads(walk, &trust, known, err);
		if (r == 0)
			r = walk_rows(walk, err);
		eg_db_rollback(records->db);
	}
	eg_buf_done(&walk->lost);
	free(walk);
	if (r == 0)
		*ret_report = report;
	return r;
}

void eg_audit_sentence(const struct eg_audit_report *report, char *ret_text, size_t size)
{
	char id[EG_ID_TEXT_MAX];
	uint64_t seq = report->seq, other = report->other;
	switch (report->fault) {
	case EG_AUDIT_WHOLE:
		(void)snprintf(ret_text, size,
			       "whole: %" PRIu64 " entries, signed up to %" PRIu64
			       ", countersigned up to %" PRIu64,
			       report->entries, report->signed_to, report->countersigned_to);
		return;
	case EG_AUDIT_CHANGED:
		(void)snprintf(ret_text, size, "entry %" PRIu64 " was changed", seq);
		return;
	case EG_AUDIT_MISSING:
		(void)snprintf(ret_text, size, "entry %" PRIu64 " is missing", seq);
		return;
	case EG_AUDIT_REORDERED:
		(void)snprintf(ret_text, size,
			       "in place of entry %" PRIu64 " stands entry %" PRIu64, seq, other);
		return;
	case EG_AUDIT_TRUNCATED:
		(void)snprintf(ret_text, size,
			       "cut off: entries %" PRIu64 " to %" PRIu64 " are gone", seq, other);
		return;
	case EG_AUDIT_REWRITTEN:
		(void)snprintf(ret_text, size,
			       "rewritten: entries %" PRIu64 " to %" PRIu64
			       " are not the ones that were signed",
			       seq, other);
		return;
	case EG_AUDIT_FORGED:
		(void)snprintf(ret_text, size,
			       "the signature on the head of %" PRIu64
			       " entries is not the booth's or the centre's",
			       seq);
		return;
	default:
		eg_id_text(&report->subject, id);
		(void)snprintf(ret_text, size,
			       "encounter %s was put (entry %" PRIu64
			       ") and is neither queued nor erased: it was lost",
			       id, seq);
		return;
	}
}
