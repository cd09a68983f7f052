// SPDX-License-Identifier: Apache-2.0
//
// Booth time and the purge. Thread: as retention.h.

#include "store/retention.h"

#include <string.h>

#include "store/records_internal.h"

#define BATCH 64 // images a transaction: other programs wait no longer than that

static int64_t later(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

void eg_age_step(struct eg_age *age, const struct eg_moment *now)
{
	if (!age->begun) {
		*age = (struct eg_age){.last = *now, .begun = true, .wall_max_ms = now->wall_ms};
		return;
	}
	bool same = memcmp(age->last.boot, now->boot, sizeof(now->boot)) == 0 &&
		    now->boot_ms >= age->last.boot_ms;
	// A new boot has lasted boot_ms at least.
	int64_t passed = same ? now->boot_ms - age->last.boot_ms : later(now->boot_ms, 0);
	if (now->wall_ms >= age->wall_max_ms) {
		age->now_ms = later(age->now_ms + passed,
				    age->max_at_ms + (now->wall_ms - age->wall_max_ms));
		age->wall_max_ms = now->wall_ms;
		age->max_at_ms = age->now_ms;
	} else {
		// Set back: the wall clock tells only how long the machine was off since.
		if (!same)
			passed = later(passed, now->wall_ms - age->last.wall_ms);
		age->now_ms += passed;
	}
	age->last = *now;
}

static int load_age(struct eg_records *records, struct eg_age *age, struct eg_err *err)
{
	struct eg_db_query query = eg_db_query(records->db, RECORDS_CLOCK);
	int r = eg_db_step(&query, err);
	if (r == 1) {
		struct eg_bytes boot = eg_db_blob(&query, 0);
		*age = (struct eg_age){
			.begun = boot.size == EG_BOOT_ID_SIZE,
			.last = {.boot_ms = eg_db_int(&query, 1), .wall_ms = eg_db_int(&query, 2)},
			.wall_max_ms = eg_db_int(&query, 3),
			.max_at_ms = eg_db_int(&query, 4),
			.now_ms = eg_db_int(&query, 5),
		};
		if (age->begun)
			memcpy(age->last.boot, boot.data, boot.size);
		r = 0;
	} else if (r == 0) {
		r = eg_err_set(err, EG_ECORRUPT, "records: the row of the clock is missing");
	}
	eg_db_reset(&query);
	return r;
}

int eg_records_advance(struct eg_records *records, int64_t *ret_now_ms, struct eg_err *err)
{
	struct eg_age age;
	struct eg_moment now = {.boot_ms = eg_boot_ms(records->clock),
				.wall_ms = eg_wall_ms(records->clock)};
	memcpy(now.boot, records->boot, sizeof(now.boot));
	int r = load_age(records, &age, err);
	if (r != 0)
		return r;
	eg_age_step(&age, &now);
	struct eg_db_query set = eg_db_query(records->db, RECORDS_SET_CLOCK);
	eg_db_bind_blob(&set, 1, EG_BYTES(age.last.boot, sizeof(age.last.boot)));
	eg_db_bind_int(&set, 2, age.last.boot_ms);
	eg_db_bind_int(&set, 3, age.last.wall_ms);
	eg_db_bind_int(&set, 4, age.wall_max_ms);
	eg_db_bind_int(&set, 5, age.max_at_ms);
	eg_db_bind_int(&set, 6, age.now_ms);
	r = eg_db_run(&set, NULL, err);
	if (r == 0)
		*ret_now_ms = age.now_ms;
	return r;
}

int eg_records_end(struct eg_records *records, int r, struct eg_err *err)
{
	if (r == 0)
		return eg_db_commit(records->db, err);
	eg_db_rollback(records->db);
	return r;
}

int eg_records_tick(struct eg_records *records, struct eg_err *err)
{
	int64_t now = 0;
	int r = eg_db_begin(records->db, err);
	if (r != 0)
		return r;
	r = eg_records_advance(records, &now, err);
	return eg_records_end(records, r, err);
}

struct due {
	int64_t seq;
	struct eg_id id;
	uint8_t digest[EG_SHA256_SIZE];
};

// Copies the oldest image of the class whose time is over, and its envelope. 0: there is none.
static int find_due(struct eg_records *records, enum eg_citizenship class, int64_t born_max,
		    int64_t now, struct due *due, struct eg_buf *envelope, struct eg_err *err)
{
	struct eg_db_query query = eg_db_query(records->db, RECORDS_IMAGE_DUE);
	eg_db_bind_int(&query, 1, class);
	eg_db_bind_int(&query, 2, born_max);
	eg_db_bind_int(&query, 3, now);
	int r = eg_db_step(&query, err);
	if (r == 1) {
		struct eg_bytes id = eg_db_blob(&query, 1), digest = eg_db_blob(&query, 2);
		struct eg_bytes body = eg_db_blob(&query, 3);
		due->seq = eg_db_int(&query, 0);
		eg_buf_reset(envelope);
		int put = eg_buf_put(envelope, body.data, body.size);
		if (id.size != EG_ID_SIZE || digest.size != sizeof(due->digest)) {
			r = eg_err_set(err, EG_ECORRUPT, "records: an item has no id or digest");
		} else if (put != 0) {
			r = eg_err_set(err, put, "records: an envelope of %zu bytes", body.size);
		} else {
			memcpy(due->id.bytes, id.data, id.size);
			memcpy(due->digest, digest.data, digest.size);
		}
	}
	eg_db_reset(&query);
	return r;
}

// The row goes and, unless it is damaged, comes again without the image: pages that are freed are
// zeroed whole, while a row that is written over may leave its old pages behind.
static int rewrite(struct eg_records *records, const struct due *due, struct eg_bytes left,
		   struct eg_err *err)
{
	uint8_t digest[EG_SHA256_SIZE];
	struct eg_db_query drop = eg_db_query(records->db, RECORDS_DROP_ENVELOPE);
	eg_db_bind_blob(&drop, 1, EG_BYTES(due->id.bytes, EG_ID_SIZE));
	int r = eg_db_run(&drop, NULL, err);
	if (r == 0 && eg_sha256(left, digest) != 0)
		r = eg_err_set(err, EG_EFOREIGN, "records: digest of an envelope");
	if (r == 0 && left.size != 0) {
		struct eg_db_query put = eg_db_query(records->db, RECORDS_PUT_ENVELOPE);
		eg_db_bind_blob(&put, 1, EG_BYTES(due->id.bytes, EG_ID_SIZE));
		eg_db_bind_zeroes(&put, 2, RECORDS_PAD);
		eg_db_bind_blob(&put, 3, left);
		r = eg_db_run(&put, NULL, err);
	}
	if (r == 0) {
		struct eg_db_query shrink = eg_db_query(records->db, RECORDS_SHRINK);
		eg_db_bind_int(&shrink, 1, due->seq);
		// With nothing left it keeps its digest: that it does not fit says so.
		eg_db_bind_blob(&shrink, 2,
				EG_BYTES(left.size != 0 ? digest : due->digest, sizeof(digest)));
		eg_db_bind_int(&shrink, 3, (int64_t)left.size);
		r = eg_db_run(&shrink, NULL, err);
	}
	if (r == 0)
		r = eg_audit_append_about(records, EG_AUDIT_IMAGE_EXPIRED, &due->id, digest,
					  records->purging_version, 0, err);
	return r;
}

static int expire(struct eg_records *records, const struct due *due, const struct eg_buf *envelope,
		  struct eg_buf *left, struct eg_err *err)
{
	uint8_t digest[EG_SHA256_SIZE];
	eg_buf_reset(left);
	int r = eg_sha256(eg_buf_bytes(envelope), digest);
	if (r != 0)
		return eg_err_set(err, r, "records: digest of an envelope");
	// A damaged one cannot be cut; it could not have been sent either. It goes whole.
	if (memcmp(digest, due->digest, sizeof(digest)) == 0) {
		r = eg_envelope_drop_image(eg_buf_bytes(envelope), EG_FACE_EXPIRED, left, err);
		if (r == EG_ENOMEM)
			return r;
	}
	return rewrite(records, due, eg_buf_bytes(left), err);
}

static int purge_images(struct eg_records *records, const struct eg_retention *retention,
			int64_t now, struct eg_purged *purged, bool *ret_more, struct eg_err *err)
{
	struct eg_buf envelope, left;
	struct due due;
	size_t done = 0;
	int r = 0;
	eg_buf_init(&envelope, EG_ENVELOPE_MAX);
	eg_buf_init(&left, EG_ENVELOPE_MAX);
	for (int class = EG_CITIZEN; r == 0 && class <= EG_CITIZENSHIP_UNKNOWN; class ++) {
		enum eg_citizenship citizenship = (enum eg_citizenship) class;
		int64_t born_max =
			now - EG_MS_PER_S * (int64_t)eg_retention_s(retention, EG_DATA_IMAGE,
								    citizenship);
		while (done < BATCH && (r = find_due(records, citizenship, born_max, now, &due,
						     &envelope, err)) == 1) {
			r = expire(records, &due, &envelope, &left, err);
			if (r != 0)
				break;
			done++;
		}
	}
	eg_buf_done(&left);
	eg_buf_done(&envelope);
	purged->images += done;
	*ret_more = done == BATCH;
	return r < 0 ? r : 0;
}

static int purge_receipts(struct eg_records *records, const struct eg_retention *retention,
			  int64_t now, struct eg_purged *purged, struct eg_err *err)
{
	uint64_t gone = 0;
	int r = 0;
	for (int class = EG_CITIZEN; r == 0 && class <= EG_CITIZENSHIP_UNKNOWN; class ++) {
		int64_t changed = 0;
		struct eg_db_query query = eg_db_query(records->db, RECORDS_DROP_RECEIPTS);
		eg_db_bind_int(&query, 1, class);
		eg_db_bind_int(
			&query, 2,
			now - EG_MS_PER_S * (int64_t)eg_retention_s(retention, EG_DATA_RECEIPT,
								    (enum eg_citizenship) class));
		r = eg_db_run(&query, &changed, err);
		gone += (uint64_t)changed;
	}
	if (r == 0 && gone != 0) {
		struct eg_audit_entry entry = {.event = EG_AUDIT_RECEIPTS_ERASED, .number = gone};
		r = eg_audit_append(records, &entry, err);
	}
	purged->receipts += gone;
	return r;
}

int eg_records_purge(struct eg_records *records, const struct eg_policy *policy,
		     struct eg_purged *ret_purged, struct eg_err *err)
{
	struct eg_purged purged = {0};
	bool more = true;
	int r = 0;
	records->purging_version = policy->version;
	while (r == 0 && more) {
		struct eg_purged batch = {0};
		int64_t now = 0;
		r = eg_db_begin(records->db, err);
		if (r != 0)
			break;
		r = eg_records_advance(records, &now, err);
		if (r == 0)
			r = eg_records_end_holds(records, now, &batch.holds, err);
		if (r == 0)
			r = purge_images(records, &policy->retention, now, &batch, &more, err);
		if (r == 0)
			r = purge_receipts(records, &policy->retention, now, &batch, err);
		r = eg_records_end(records, r, err);
		if (r != 0)
			break;
		purged.images += batch.images;
		purged.receipts += batch.receipts;
		purged.holds += batch.holds;
	}
	// What went in earlier batches is gone, whatever came after.
	if (purged.images + purged.receipts != 0)
		(void)eg_db_flush(records->db);
	else
		eg_records_settle(records);
	if (r == 0)
		*ret_purged = purged;
	return r;
}
