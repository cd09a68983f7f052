// SPDX-License-Identifier: Apache-2.0
//
// records.db: what to send next. Each step is one look-up in an index, whatever the queue's length.
// Thread: as records.h.

#include "store/records.h"

#include <string.h>

#include "store/records_internal.h"

#define FAR_MS (24LL * 3600 * EG_MS_PER_S)

// 1 and *ret_value: the statement's first row; 0: no row.
static int get_one(struct eg_records *records, enum records_statement statement, int64_t bound,
		   int64_t *ret_value, struct eg_err *err)
{
	struct eg_db_query query = eg_db_query(records->db, statement);
	if (statement != RECORDS_OLDEST && statement != RECORDS_WHEN)
		eg_db_bind_int(&query, 1, bound);
	int r = eg_db_step(&query, err);
	if (r == 1)
		*ret_value = eg_db_int(&query, 0);
	eg_db_reset(&query);
	return r;
}

static int pick(struct eg_records *records, int64_t now_ms, int64_t live_ms, int64_t *ret_seq,
		struct eg_err *err)
{
	int r = get_one(records, RECORDS_LIVE, now_ms - live_ms, ret_seq, err);
	if (r == 0)
		r = get_one(records, RECORDS_DUE, now_ms, ret_seq, err);
	if (r == 0)
		r = get_one(records, RECORDS_FAR, now_ms + FAR_MS, ret_seq, err);
	if (r == 0)
		r = get_one(records, RECORDS_OLDEST, 0, ret_seq, err);
	return r;
}

// Copies the row's item, and its envelope if that is what was put. *ret_whole says so.
static int copy_row(const struct eg_db_query *row, struct eg_queued *item, struct eg_buf *envelope,
		    bool *ret_whole, struct eg_err *err)
{
	uint8_t digest[EG_SHA256_SIZE];
	struct eg_bytes id = eg_db_blob(row, 0), stored = eg_db_blob(row, 1);
	struct eg_bytes before = eg_db_blob(row, 5);
	struct eg_bytes body = eg_db_blob(row, 4); // empty when the envelope's row is missing
	if (id.size != sizeof(item->id.bytes) || stored.size != sizeof(item->digest) ||
	    before.size != sizeof(item->whole))
		return eg_err_set(err, EG_ECORRUPT, "records: an item has no id or digest");
	memcpy(item->id.bytes, id.data, id.size);
	memcpy(item->digest, stored.data, stored.size);
	memcpy(item->whole, before.data, before.size);
	item->put_ms = eg_db_int(row, 2);
	item->attempts = (unsigned int)eg_db_int(row, 3);
	int r = eg_sha256(body, digest);
	bool whole = r == 0 && memcmp(digest, item->digest, sizeof(digest)) == 0;
	eg_buf_reset(envelope);
	if (whole)
		r = eg_buf_put(envelope, body.data, body.size);
	if (r != 0)
		return eg_err_set(err, r, "records: envelope of %zu bytes: %s", body.size,
				  eg_code_name(r));
	*ret_whole = whole;
	return 0;
}

static int fetch(struct eg_records *records, int64_t seq, struct eg_queued *item,
		 struct eg_buf *envelope, bool *ret_whole, struct eg_err *err)
{
	struct eg_db_query query = eg_db_query(records->db, RECORDS_FETCH);
	eg_db_bind_int(&query, 1, seq);
	int r = eg_db_step(&query, err);
	if (r == 1)
		r = copy_row(&query, item, envelope, ret_whole, err);
	else if (r == 0)
		r = eg_err_set(err, EG_EAGAIN, "records: the item has just gone, try again");
	eg_db_reset(&query);
	return r;
}

int eg_records_next(struct eg_records *records, int64_t now_ms, int64_t live_ms,
		    struct eg_queued *ret_item, struct eg_buf *envelope, int64_t *ret_next_ms,
		    struct eg_err *err)
{
	struct eg_queued item = {0};
	int64_t seq = 0, when = 0;
	bool whole = false;
	int r;
	eg_records_cut(records);
	while ((r = pick(records, now_ms, live_ms, &seq, err)) == 1) {
		r = fetch(records, seq, &item, envelope, &whole, err);
		if (r != 0)
			return r;
		if (whole) {
			*ret_item = item;
			return 0;
		}
		r = eg_records_bury(records, &item.id,
				    "the envelope stored on this booth is damaged", err);
		if (r != 0)
			return r;
	}
	if (r == 0)
		r = get_one(records, RECORDS_WHEN, 0, &when, err);
	if (r < 0)
		return r;
	eg_records_settle(records); // nothing more comes that could share it
	*ret_next_ms = when;
	return EG_ENOENT;
}
