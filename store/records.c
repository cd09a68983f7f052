// SPDX-License-Identifier: Apache-2.0
//
// records.db. Everything but choosing what to send next (records_next.c). Thread: as records.h.

#include "store/records.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-id128.h>

#include "firmware/base/mem.h"
#include "store/decision.h"
#include "store/records_internal.h"

#define MAX_QUEUED   100000
#define CUT_MS	     1000
#define SENTENCE_MAX 500

// Without /proc a reboot is told by boot time that begins anew.
static void read_boot_id(uint8_t ret_boot[EG_BOOT_ID_SIZE])
{
	sd_id128_t id = SD_ID128_NULL;
	(void)sd_id128_get_boot(&id);
	memcpy(ret_boot, id.bytes, EG_BOOT_ID_SIZE);
}

int eg_records_open(const char *path, struct eg_records **ret_records, struct eg_err *err)
{
	struct eg_records *records = eg_calloc(1, sizeof(*records));
	if (records == NULL)
		return eg_err_set(err, EG_ENOMEM, "%s: out of memory", path);
	records->max_queued = MAX_QUEUED;
	records->clock = eg_clock_system();
	read_boot_id(records->boot);
	int r = eg_db_open(path, &eg_records_schema, &records->db, err);
	// A program may have been killed between an erasure and cutting the log.
	if (r == 0)
		(void)eg_db_flush(records->db);
	if (r != 0) {
		eg_records_close(records);
		return r;
	}
	*ret_records = records;
	return 0;
}

void eg_records_set_max(struct eg_records *records, uint64_t max_queued)
{
	records->max_queued = max_queued;
}

void eg_records_set_clock(struct eg_records *records, const struct eg_clock *clock)
{
	records->clock = clock;
}

void eg_records_settle(struct eg_records *records)
{
	if (!eg_db_flush_due(records->db))
		return;
	(void)eg_db_flush(records->db); // else it stays due, and eg_records_facts says so
	records->cut = true;
	records->cut_ms = eg_boot_ms(records->clock);
}

void eg_records_cut(struct eg_records *records)
{
	const int64_t since = eg_boot_ms(records->clock) - records->cut_ms;
	if (!records->cut || since < 0 || since >= CUT_MS)
		eg_records_settle(records);
}

void eg_records_close(struct eg_records *records)
{
	if (records == NULL)
		return;
	if (records->db != NULL)
		eg_records_settle(records);
	eg_db_close(records->db);
	free(records);
}

static struct eg_bytes bytes_of(const struct eg_id *id)
{
	return EG_BYTES(id->bytes, EG_ID_SIZE);
}

static struct eg_db_query query_by_id(struct eg_records *records, enum records_statement statement,
				      const struct eg_id *id)
{
	struct eg_db_query query = eg_db_query(records->db, statement);
	eg_db_bind_blob(&query, 1, bytes_of(id));
	return query;
}

static int get_facts(struct eg_records *records, struct eg_records_facts *facts, struct eg_err *err)
{
	struct eg_db_query query = eg_db_query(records->db, RECORDS_FACTS);
	int r = eg_db_step(&query, err);
	if (r == 1) {
		facts->queued = (uint64_t)eg_db_int(&query, 0);
		facts->dead = (uint64_t)eg_db_int(&query, 1);
		facts->acknowledged = (uint64_t)eg_db_int(&query, 2);
		facts->bytes = (uint64_t)eg_db_int(&query, 3);
		facts->oldest_ms = eg_db_int(&query, 4);
		r = 0;
	} else if (r == 0) {
		r = eg_err_set(err, EG_ECORRUPT, "records: the row that counts is missing");
	}
	eg_db_reset(&query);
	return r;
}

static int check_room(struct eg_records *records, const struct eg_id *id, struct eg_err *err)
{
	struct eg_records_facts facts;
	struct eg_db_query query = query_by_id(records, RECORDS_KNOWN, id);
	int r = eg_db_step(&query, err);
	if (r == 1) {
		char text[EG_ID_TEXT_MAX];
		eg_id_text(id, text);
		r = eg_err_set(err, EG_ECONFLICT, "encounter %s is %s already", text,
			       eg_db_int(&query, 0) == 1 ? "queued" : "acknowledged");
	}
	eg_db_reset(&query);
	if (r == 0)
		r = get_facts(records, &facts, err);
	if (r == 0 && facts.queued + facts.dead >= records->max_queued)
		r = eg_err_set(err, EG_EFULL,
			       "%" PRIu64 " encounters are queued and %" PRIu64
			       " refused, at most %" PRIu64 ": restore the link to the centre",
			       facts.queued, facts.dead, records->max_queued);
	return r;
}

static int insert(struct eg_records *records, const struct eg_id *id, struct eg_bytes envelope,
		  const uint8_t digest[EG_SHA256_SIZE], int64_t wall_ms, struct eg_err *err)
{
	// What is no envelope is kept and sent all the same: the centre says what is wrong with it.
	struct eg_envelope_facts facts = {.citizenship = EG_CITIZENSHIP_UNKNOWN};
	int64_t born_ms = 0;
	eg_ignore(eg_envelope_inspect(envelope, &facts, NULL)); // see above
	int r = eg_records_advance(records, &born_ms, err);
	if (r != 0)
		return r;
	struct eg_db_query item = query_by_id(records, RECORDS_PUT_ITEM, id);
	eg_db_bind_blob(&item, 2, EG_BYTES(digest, EG_SHA256_SIZE));
	eg_db_bind_int(&item, 3, (int64_t)envelope.size);
	eg_db_bind_int(&item, 4, wall_ms);
	eg_db_bind_int(&item, 5, facts.citizenship);
	eg_db_bind_int(&item, 6, born_ms);
	eg_db_bind_int(&item, 7, facts.image == EG_FACE_PRESENT);
	r = eg_db_run(&item, NULL, err);
	if (r != 0)
		return r;
	struct eg_db_query body = query_by_id(records, RECORDS_PUT_ENVELOPE, id);
	eg_db_bind_zeroes(&body, 2, RECORDS_PAD);
	eg_db_bind_blob(&body, 3, envelope);
	return eg_db_run(&body, NULL, err);
}

// `about` (may be NULL): one more entry for the chain.
static int put(struct eg_records *records, const struct eg_id *id, struct eg_bytes envelope,
	       int64_t wall_ms, const struct eg_audit_entry *about, struct eg_err *err)
{
	uint8_t digest[EG_SHA256_SIZE];
	if (envelope.size == 0 || envelope.size > EG_ENVELOPE_MAX)
		return eg_err_set(err, EG_EINVAL, "an envelope of %zu bytes, must be 1 to %u",
				  envelope.size, EG_ENVELOPE_MAX);
	int r = eg_sha256(envelope, digest);
	if (r != 0)
		return eg_err_set(err, r, "digest of the envelope: %s", eg_code_name(r));
	r = eg_db_begin(records->db, err);
	if (r != 0)
		return r;
	r = check_room(records, id, err);
	if (r == 0)
		r = insert(records, id, envelope, digest, wall_ms, err);
	if (r == 0)
		r = eg_audit_append_about(records, EG_AUDIT_ENCOUNTER_PUT, id, digest, 0, wall_ms,
					  err);
	if (r == 0 && about != NULL)
		r = eg_audit_append(records, about, err);
	return eg_records_end(records, r, err);
}

int eg_records_put(struct eg_records *records, const struct eg_id *id, struct eg_bytes envelope,
		   int64_t wall_ms, struct eg_err *err)
{
	return put(records, id, envelope, wall_ms, NULL, err);
}

int eg_records_put_decision(struct eg_records *records, const struct eg_decision_record *record,
			    struct eg_bytes envelope, struct eg_err *err)
{
	bool two = record->second[0] != '\0';
	struct eg_audit_entry entry = {
		.event = two ? EG_AUDIT_DECISION_OF_TWO : EG_AUDIT_DECISION,
		.wall_ms = record->decided_ms,
		.subject = record->encounter,
		.number = record->decision,
	};
	int r = eg_actor_of(record->by, &entry.actor);
	if (r == 0 && two)
		r = eg_actor_of(record->second, &entry.second);
	if (r != 0)
		return eg_err_set(err, r, "naming who decided: %s", eg_code_name(r));
	return put(records, &record->id, envelope, record->decided_ms, &entry, err);
}

// Checks the item against the acknowledgement: the bytes the centre has are the bytes we have.
static int check_stored(struct eg_records *records, const struct eg_ack *ack, struct eg_err *err)
{
	char text[EG_ID_TEXT_MAX];
	eg_id_text(&ack->id, text);
	struct eg_db_query query = query_by_id(records, RECORDS_FIND, &ack->id);
	int r = eg_db_step(&query, err);
	if (r == 0) {
		r = eg_err_set(err, EG_ENOENT, "encounter %s is not in the queue", text);
	} else if (r == 1) {
		struct eg_bytes digest = EG_BYTES(ack->digest, sizeof(ack->digest));
		// Or the ones we had before the image's time was over.
		r = eg_bytes_equal(eg_db_blob(&query, 0), digest) ||
				    eg_bytes_equal(eg_db_blob(&query, 1), digest)
			    ? 0
			    : eg_err_set(err, EG_ECONFLICT,
					 "encounter %s: the centre acknowledged other bytes than "
					 "are stored here: kept",
					 text);
	}
	eg_db_reset(&query);
	return r;
}

static int erase(struct eg_records *records, const struct eg_ack *ack, int64_t wall_ms,
		 struct eg_err *err)
{
	int64_t born_ms = 0;
	int r = eg_records_advance(records, &born_ms, err);
	if (r != 0)
		return r;
	struct eg_db_query receipt = query_by_id(records, RECORDS_PUT_RECEIPT, &ack->id);
	eg_db_bind_blob(&receipt, 2, EG_BYTES(ack->digest, sizeof(ack->digest)));
	eg_db_bind_int(&receipt, 3, ack->received_ms);
	eg_db_bind_int(&receipt, 4, wall_ms);
	eg_db_bind_int(&receipt, 5, born_ms);
	r = eg_db_run(&receipt, NULL, err);
	if (r != 0)
		return r;
	struct eg_db_query body = query_by_id(records, RECORDS_DROP_ENVELOPE, &ack->id);
	r = eg_db_run(&body, NULL, err);
	if (r != 0)
		return r;
	struct eg_db_query item = query_by_id(records, RECORDS_DROP_ITEM, &ack->id);
	r = eg_db_run(&item, NULL, err);
	if (r == 0)
		r = eg_audit_append_about(records, EG_AUDIT_ENCOUNTER_ACKNOWLEDGED, &ack->id,
					  ack->digest, (uint64_t)ack->received_ms, wall_ms, err);
	if (r == 0)
		r = eg_audit_append_about(records, EG_AUDIT_ENVELOPE_ERASED, &ack->id, ack->digest,
					  0, wall_ms, err);
	return r;
}

int eg_records_acknowledge(struct eg_records *records, const struct eg_ack *ack, int64_t wall_ms,
			   struct eg_err *err)
{
	int r = eg_db_begin_yielding(records->db, err);
	if (r != 0)
		return r;
	r = check_stored(records, ack, err);
	if (r == 0)
		r = erase(records, ack, wall_ms, err);
	if (r != 0) {
		eg_db_rollback(records->db);
		return r;
	}
	r = eg_db_commit(records->db, err);
	// Gone for all to see, also when the disk did not flush it. Cutting the log costs three
	// flushes of the disk: while a queue drains, those of a second share them.
	eg_db_flush_later(records->db);
	eg_records_cut(records);
	return r;
}

// The centre's words are foreign text: one line of bounded length.
static void clean(const char *sentence, char ret_text[SENTENCE_MAX + 1])
{
	size_t size = strnlen(sentence, SENTENCE_MAX);
	// Not in the middle of a UTF-8 sequence.
	while (size > 0 && sentence[size] != '\0' && ((unsigned char)sentence[size] & 0xc0) == 0x80)
		size--;
	for (size_t i = 0; i < size; i++) {
		unsigned char c = (unsigned char)sentence[i];
		ret_text[i] = c < 0x20 || c == 0x7f ? ' ' : sentence[i];
	}
	ret_text[size] = '\0';
}

// Runs an UPDATE that must find its one row.
static int update(struct eg_db_query *query, const struct eg_id *id, const char *where,
		  struct eg_err *err)
{
	int64_t changed = 0;
	int r = eg_db_run(query, &changed, err);
	if (r != 0 || changed == 1)
		return r;
	char text[EG_ID_TEXT_MAX];
	eg_id_text(id, text);
	return eg_err_set(err, EG_ENOENT, "encounter %s is not %s", text, where);
}

int eg_records_retry(struct eg_records *records, const struct eg_id *id, int64_t retry_ms,
		     const char *sentence, struct eg_err *err)
{
	char text[SENTENCE_MAX + 1];
	clean(sentence, text);
	struct eg_db_query query = query_by_id(records, RECORDS_RETRY, id);
	eg_db_bind_int(&query, 2, retry_ms);
	eg_db_bind_text(&query, 3, text);
	return update(&query, id, "in the queue", err);
}

// Ends the transaction that moved an item, or could not (`r`).
static int move(struct eg_records *records, int r, enum eg_audit_event event,
		const struct eg_id *id, struct eg_err *err)
{
	if (r == 0)
		r = eg_audit_append_about(records, event, id, NULL, 0, 0, err);
	return eg_records_end(records, r, err);
}

int eg_records_bury(struct eg_records *records, const struct eg_id *id, const char *sentence,
		    struct eg_err *err)
{
	char text[SENTENCE_MAX + 1];
	clean(sentence, text);
	int r = eg_db_begin(records->db, err);
	if (r != 0)
		return r;
	struct eg_db_query query = query_by_id(records, RECORDS_BURY, id);
	eg_db_bind_text(&query, 2, text);
	r = update(&query, id, "in the queue", err);
	return move(records, r, EG_AUDIT_BURIED, id, err);
}

int eg_records_resend(struct eg_records *records, const struct eg_id *id, struct eg_err *err)
{
	int r = eg_db_begin(records->db, err);
	if (r != 0)
		return r;
	struct eg_db_query query = query_by_id(records, RECORDS_RESEND, id);
	r = update(&query, id, "among the refused ones", err);
	return move(records, r, EG_AUDIT_RESENT, id, err);
}

int eg_records_facts(struct eg_records *records, struct eg_records_facts *ret_facts,
		     struct eg_err *err)
{
	struct eg_records_facts facts = {.erasure_due = eg_db_flush_due(records->db)};
	int r = get_facts(records, &facts, err);
	if (r == 0)
		*ret_facts = facts;
	return r;
}

int eg_records_list(struct eg_records *records,
		    int (*row)(void *user, const struct eg_records_row *row), void *user,
		    struct eg_err *err)
{
	struct eg_db_query query = eg_db_query(records->db, RECORDS_LIST);
	int r;
	while ((r = eg_db_step(&query, err)) == 1) {
		struct eg_records_row item = {
			.dead = eg_db_int(&query, 1) != 0,
			.put_ms = eg_db_int(&query, 2),
			.retry_ms = eg_db_int(&query, 3),
			.attempts = (unsigned int)eg_db_int(&query, 4),
			.bytes = (uint64_t)eg_db_int(&query, 5),
			.sentence = eg_db_text(&query, 6),
		};
		struct eg_bytes id = eg_db_blob(&query, 0);
		if (id.size == EG_ID_SIZE)
			memcpy(item.id.bytes, id.data, EG_ID_SIZE);
		r = row(user, &item);
		if (r != 0)
			break;
	}
	eg_db_reset(&query);
	return r;
}

int eg_records_get(struct eg_records *records, const struct eg_id *id, struct eg_buf *envelope,
		   struct eg_err *err)
{
	struct eg_db_query query = eg_db_query(records->db, RECORDS_GET);
	eg_db_bind_blob(&query, 1, EG_BYTES(id->bytes, EG_ID_SIZE));
	int r = eg_db_step(&query, err);
	if (r == 1) {
		struct eg_bytes body = eg_db_blob(&query, 0);
		r = eg_buf_put(envelope, body.data, body.size);
		if (r != 0)
			(void)eg_err_set(err, r, "records: an envelope of %zu bytes", body.size);
	} else if (r == 0) {
		r = eg_err_set(err, EG_ENOENT, "records: no such encounter is queued");
	}
	eg_db_reset(&query);
	return r;
}
