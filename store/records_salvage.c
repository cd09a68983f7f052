// SPDX-License-Identifier: Apache-2.0
//
// records.db after damage: what could be read is brought in order, and the chain says that it
// happened. Thread: as records.h.

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "firmware/base/log.h"
#include "store/records_internal.h"
#include "store/salvage.h"

struct mending {
	const struct eg_clock *clock;
	uint64_t queued, lost;
};

// The chain goes on from its last entry that is here; what is missing before it, verifying says.
static int mend_head(struct eg_records *records, struct eg_err *err)
{
	struct eg_audit_head head;
	uint8_t digest[EG_SHA256_SIZE];
	int r = eg_audit_head(records, &head, err);
	if (r != 0)
		return r;
	struct eg_db_query last = eg_db_query(records->db, RECORDS_AUDIT_LAST);
	r = eg_db_step(&last, err);
	uint64_t seq = r == 1 ? (uint64_t)eg_db_int(&last, 0) : 0;
	if (r == 1 && eg_sha256(eg_db_blob(&last, 1), digest) != 0)
		r = eg_err_set(err, EG_EFOREIGN, "audit: digest of an entry");
	eg_db_reset(&last);
	if (r < 0 || seq <= head.count)
		return r < 0 ? r : 0;
	struct eg_db_query grow = eg_db_query(records->db, RECORDS_AUDIT_GROW);
	eg_db_bind_int(&grow, 1, (int64_t)seq);
	eg_db_bind_blob(&grow, 2, EG_BYTES(digest, sizeof(digest)));
	return eg_db_run(&grow, NULL, err);
}

// Its time begins anew: when it was put is what was lost.
static int adopt(struct eg_records *records, int64_t seq, struct eg_bytes body,
		 const struct eg_envelope_facts *facts, int64_t born_ms, struct eg_err *err)
{
	uint8_t digest[EG_SHA256_SIZE];
	if (eg_sha256(body, digest) != 0)
		return eg_err_set(err, EG_EFOREIGN, "digest of an envelope");
	struct eg_db_query query = eg_db_query(records->db, RECORDS_ADOPT);
	eg_db_bind_int(&query, 1, seq);
	eg_db_bind_blob(&query, 2, EG_BYTES(facts->id.bytes, EG_ID_SIZE));
	eg_db_bind_blob(&query, 3, EG_BYTES(digest, sizeof(digest)));
	eg_db_bind_int(&query, 4, (int64_t)body.size);
	eg_db_bind_int(&query, 5, eg_wall_ms(records->clock));
	eg_db_bind_int(&query, 6, facts->citizenship);
	eg_db_bind_int(&query, 7, born_ms);
	eg_db_bind_int(&query, 8, facts->image == EG_FACE_PRESENT);
	return eg_db_run(&query, NULL, err);
}

// An envelope whose row in the queue is lost says itself which encounter it is. One that does not,
// or whose encounter is here twice, is dropped with the orphans.
static int adopt_orphans(struct eg_records *records, struct eg_err *err)
{
	struct eg_envelope_facts facts;
	struct eg_buf body;
	int64_t seq = 0, born_ms = 0;
	int r;
	eg_buf_init(&body, EG_ENVELOPE_MAX);
	r = eg_db_begin(records->db, err);
	if (r == 0)
		r = eg_records_advance(records, &born_ms, err);
	while (r == 0) {
		struct eg_db_query query = eg_db_query(records->db, RECORDS_ORPHAN);
		eg_db_bind_int(&query, 1, seq);
		r = eg_db_step(&query, err);
		bool more = r == 1;
		eg_buf_reset(&body);
		if (more) {
			struct eg_bytes bytes = eg_db_blob(&query, 1);
			seq = eg_db_int(&query, 0);
			r = eg_buf_put(&body, bytes.data, bytes.size);
		}
		eg_db_reset(&query);
		if (!more)
			break;
		if (r == EG_ETOOBIG ||
		    (r == 0 && eg_envelope_inspect(eg_buf_bytes(&body), &facts, NULL) != 0))
			r = 0;
		else if (r == 0)
			r = adopt(records, seq, eg_buf_bytes(&body), &facts, born_ms, err);
		r = r == EG_ECONFLICT ? 0 : r;
	}
	eg_buf_done(&body);
	return eg_records_end(records, r, err);
}

static int drop(struct eg_records *records, enum records_statement statement, int64_t *ret_changed,
		struct eg_err *err)
{
	struct eg_db_query query = eg_db_query(records->db, statement);
	return eg_db_run(&query, ret_changed, err);
}

static int mend(void *user, const char *fresh, struct eg_err *err)
{
	struct mending *mending = user;
	struct eg_records *records = NULL;
	struct eg_records_facts facts = {0};
	int64_t empty = 0;
	int r = eg_records_open(fresh, &records, err);
	if (r != 0)
		return r;
	eg_records_set_clock(records, mending->clock);
	eg_records_set_max(records, UINT64_MAX);
	r = mend_head(records, err);
	if (r == 0)
		r = adopt_orphans(records, err);
	if (r == 0)
		r = drop(records, RECORDS_DROP_ORPHANS, NULL, err);
	if (r == 0)
		r = drop(records, RECORDS_DROP_EMPTY, &empty, err);
	if (r == 0)
		r = eg_records_facts(records, &facts, err);
	if (r == 0) {
		struct eg_audit_entry entry = {.event = EG_AUDIT_RECOVERED, .number = facts.queued};
		r = eg_audit_note(records, &entry, err);
	}
	eg_records_close(records);
	mending->queued = facts.queued;
	mending->lost = (uint64_t)empty;
	return r;
}

int eg_records_open_or_salvage(const char *path, bool damaged, const struct eg_clock *clock,
			       struct eg_records **ret_records, char *ret_text, struct eg_err *err)
{
	// The tally is kept by triggers.
	static const struct eg_salvage_table tables[] = {
		{"item", true},	  {"envelope", true},	 {"receipt", false},
		{"audit", true},  {"audit_head", false}, {"audit_signed", true},
		{"clock", false}, {"counts", false},	 {"counted", false},
		{"hold", false},  {"policy", false},
	};
	struct mending mending = {.clock = clock};
	struct eg_salvaged salvaged;
	ret_text[0] = '\0';
	int r = damaged ? EG_ECORRUPT : eg_records_open(path, ret_records, err);
	if (r != EG_ECORRUPT)
		return r;
	eg_error("%s; saving what can be read of it", !damaged && err != NULL ? err->text : path);
	r = eg_db_salvage(path, &eg_records_schema, tables, sizeof(tables) / sizeof(tables[0]),
			  mend, &mending, eg_wall_ms(clock), &salvaged, err);
	if (r == 0)
		r = eg_records_open(path, ret_records, err);
	if (r == 0 && salvaged.kept[0] != '\0')
		(void)snprintf(ret_text, EG_ERR_TEXT_MAX,
			       "%.80s was damaged: %" PRIu64
			       " encounters are saved%s; it is kept as %.160s; run boothctl "
			       "audit verify",
			       path, mending.queued,
			       salvaged.complete && mending.lost == 0 ? "" : ", others may be lost",
			       salvaged.kept);
	return r;
}

int eg_records_check(struct eg_records *records, struct eg_err *err)
{
	return eg_db_quick_check(records->db, err);
}

bool eg_records_replaced(const struct eg_records *records)
{
	return eg_db_replaced(records->db);
}
