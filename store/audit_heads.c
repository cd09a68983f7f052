// SPDX-License-Identifier: Apache-2.0
//
// Signed heads of the audit chain and the centre's receipts for them, as they are kept in
// records.db. Thread: as audit.h.

#include "store/audit.h"

#include <inttypes.h>
#include <string.h>

#include "store/records_internal.h"

#define KEPT_MAX 16

// The newest head that is kept. 1: there is one; *ret_receipt says whether with the centre's word.
static int newest(struct eg_records *records, uint64_t *ret_count, bool *ret_receipt,
		  struct eg_buf *message, struct eg_err *err)
{
	struct eg_db_query query = eg_db_query(records->db, RECORDS_AUDIT_NEWEST);
	int r = eg_db_step(&query, err);
	if (r == 1) {
		*ret_count = (uint64_t)eg_db_int(&query, 0);
		*ret_receipt = eg_db_int(&query, 2) != 0;
		struct eg_bytes bytes = eg_db_blob(&query, 1);
		if (message != NULL && !*ret_receipt) {
			int put = eg_buf_put(message, bytes.data, bytes.size);
			if (put != 0)
				r = eg_err_set(err, put, "audit head of %zu bytes: %s", bytes.size,
					       eg_code_name(put));
		}
	}
	eg_db_reset(&query);
	return r;
}

static int keep(struct eg_records *records, const struct eg_audit_head *head,
		struct eg_bytes message, struct eg_err *err)
{
	struct eg_db_query put = eg_db_query(records->db, RECORDS_AUDIT_SIGNED);
	eg_db_bind_int(&put, 1, (int64_t)head->count);
	eg_db_bind_blob(&put, 2, EG_BYTES(head->digest, sizeof(head->digest)));
	eg_db_bind_blob(&put, 3, message);
	int r = eg_db_run(&put, NULL, err);
	if (r != 0)
		return r;
	struct eg_db_query trim = eg_db_query(records->db, RECORDS_AUDIT_TRIM);
	eg_db_bind_int(&trim, 1, KEPT_MAX - 1);
	return eg_db_run(&trim, NULL, err);
}

int eg_audit_seal(struct eg_records *records, const char *booth, const struct eg_key *booth_key,
		  bool *ret_signed, struct eg_err *err)
{
	struct eg_audit_head head;
	struct eg_buf message;
	uint64_t last = 0;
	bool receipt = false, grown = false;
	eg_buf_init(&message, EG_AUDIT_MESSAGE_MAX);
	// In a transaction, so that no entry comes in between.
	int r = eg_db_begin(records->db, err);
	if (r != 0)
		return r;
	r = eg_audit_head(records, &head, err);
	if (r == 0)
		r = newest(records, &last, &receipt, NULL, err);
	if (r >= 0) {
		grown = head.count > last;
		r = 0;
	}
	if (r == 0 && grown) {
		size_t length = strnlen(booth, sizeof(head.booth) - 1);
		memcpy(head.booth, booth, length);
		head.booth[length] = '\0';
		head.wall_ms = eg_wall_ms(records->clock);
		r = eg_audit_sign_head(&head, booth_key, &message, err);
		if (r == 0)
			r = keep(records, &head, eg_buf_bytes(&message), err);
	}
	if (r == 0)
		r = eg_db_commit(records->db, err);
	else
		eg_db_rollback(records->db);
	// Into the main file: whoever takes the log away afterwards takes nothing that was signed.
	if (r == 0 && grown)
		(void)eg_db_flush(records->db);
	if (r == 0 && ret_signed != NULL)
		*ret_signed = grown;
	eg_buf_done(&message);
	return r;
}

int eg_audit_unsent(struct eg_records *records, uint64_t *ret_count, struct eg_buf *message,
		    struct eg_err *err)
{
	uint64_t count = 0;
	bool receipt = false;
	int r = newest(records, &count, &receipt, message, err);
	if (r < 0)
		return r;
	if (r == 0 || receipt)
		return eg_err_set(err, EG_ENOENT, "audit: no signed head waits for the centre");
	*ret_count = count;
	return 0;
}

static int check_kept(struct eg_records *records, const struct eg_audit_head *head,
		      struct eg_err *err)
{
	struct eg_db_query query = eg_db_query(records->db, RECORDS_AUDIT_KEPT);
	eg_db_bind_int(&query, 1, (int64_t)head->count);
	int r = eg_db_step(&query, err);
	if (r == 0)
		r = eg_err_set(err, EG_ENOENT,
			       "audit: the centre's receipt is of a head (%" PRIu64
			       " entries) that is not kept here",
			       head->count);
	else if (r == 1)
		r = eg_bytes_equal(eg_db_blob(&query, 0),
				   EG_BYTES(head->digest, sizeof(head->digest)))
			    ? 0
			    : eg_err_set(err, EG_ECONFLICT,
					 "audit: the centre's receipt for %" PRIu64
					 " entries is of another chain than is kept here",
					 head->count);
	eg_db_reset(&query);
	return r;
}

int eg_audit_put_receipt(struct eg_records *records, const struct eg_audit_head *head,
			 struct eg_bytes message, struct eg_err *err)
{
	int r = eg_db_begin(records->db, err);
	if (r != 0)
		return r;
	r = check_kept(records, head, err);
	if (r == 0) {
		struct eg_db_query put = eg_db_query(records->db, RECORDS_AUDIT_RECEIPT);
		eg_db_bind_int(&put, 1, (int64_t)head->count);
		eg_db_bind_blob(&put, 2, message);
		r = eg_db_run(&put, NULL, err);
	}
	if (r == 0) {
		struct eg_db_query drop = eg_db_query(records->db, RECORDS_AUDIT_FORGET);
		eg_db_bind_int(&drop, 1, (int64_t)head->count);
		r = eg_db_run(&drop, NULL, err);
	}
	if (r == 0)
		return eg_db_commit(records->db, err);
	eg_db_rollback(records->db);
	return r;
}
