// SPDX-License-Identifier: Apache-2.0
//
// Heads of the booths' audit chains, and the policies that were signed. Thread: as ledger.h.

#include <inttypes.h>
#include <string.h>

#include "net/central/ledger_internal.h"

static int enrolled(struct eg_ledger *ledger, const char *booth, int64_t *ret_ms,
		    struct eg_err *err)
{
	struct eg_db_query query = eg_ledger_by_booth(ledger, LEDGER_ENROLLED, booth);
	int r = eg_db_step(&query, err);
	if (r == 1)
		*ret_ms = eg_db_int(&query, 0);
	eg_db_reset(&query);
	return r < 0 ? r : 0;
}

// 0: the head is newer than what is here, 1: this very head is here, and its receipt was appended.
static int compare(struct eg_ledger *ledger, const char *booth, int64_t enrolled_ms,
		   const struct eg_audit_head *head, struct eg_buf *known, struct eg_err *err)
{
	struct eg_db_query query = eg_ledger_by_booth(ledger, LEDGER_AUDIT_HEAD, booth);
	eg_db_bind_int(&query, 2, enrolled_ms);
	int r = eg_db_step(&query, err);
	if (r == 1) {
		uint64_t count = (uint64_t)eg_db_int(&query, 0);
		bool same = eg_bytes_equal(eg_db_blob(&query, 1),
					   EG_BYTES(head->digest, sizeof(head->digest)));
		struct eg_bytes receipt = eg_db_blob(&query, 2);
		if (head->count > count)
			r = 0;
		else if (head->count < count || !same)
			r = eg_err_set(err, EG_ECONFLICT,
				       "booth '%s': its audit chain had %" PRIu64
				       " entries before; this head of %" PRIu64
				       " does not go on from there",
				       booth, count, head->count);
		else if (eg_buf_put(known, receipt.data, receipt.size) != 0)
			r = eg_err_set(err, EG_ENOMEM, "audit receipt: out of memory");
	}
	eg_db_reset(&query);
	return r;
}

static int insert(struct eg_ledger *ledger, const char *booth, int64_t enrolled_ms,
		  const struct eg_audit_head *head, struct eg_bytes receipt, int64_t now_ms,
		  struct eg_err *err)
{
	struct eg_db_query query = eg_ledger_by_booth(ledger, LEDGER_PUT_AUDIT_HEAD, booth);
	eg_db_bind_int(&query, 2, enrolled_ms);
	eg_db_bind_int(&query, 3, (int64_t)head->count);
	eg_db_bind_blob(&query, 4, EG_BYTES(head->digest, sizeof(head->digest)));
	eg_db_bind_int(&query, 5, now_ms);
	eg_db_bind_blob(&query, 6, receipt);
	return eg_db_run(&query, NULL, err);
}

int eg_ledger_put_audit_head(struct eg_ledger *ledger, const char *booth,
			     const struct eg_audit_head *head, struct eg_bytes receipt,
			     int64_t now_ms, struct eg_buf *known, struct eg_err *err)
{
	int64_t enrolled_ms = 0;
	int r = eg_ledger_enter(ledger, err);
	if (r != 0)
		return r;
	r = enrolled(ledger, booth, &enrolled_ms, err);
	if (r == 0)
		r = compare(ledger, booth, enrolled_ms, head, known, err);
	if (r == 0) {
		r = insert(ledger, booth, enrolled_ms, head, receipt, now_ms, err);
		if (r == 0 && eg_buf_put(known, receipt.data, receipt.size) != 0)
			r = eg_err_set(err, EG_ENOMEM, "audit receipt: out of memory");
	}
	return eg_ledger_finish(ledger, r > 0 ? 0 : r, err);
}

int eg_ledger_list_audit(struct eg_ledger *ledger, const char *booth,
			 int (*row)(void *user, const struct eg_audit_row *row), void *user,
			 struct eg_err *err)
{
	struct eg_db_query query =
		eg_ledger_by_booth(ledger, LEDGER_LIST_AUDIT, booth != NULL ? booth : "");
	int r;
	while ((r = eg_db_step(&query, err)) == 1) {
		struct eg_audit_row found = {
			.count = (uint64_t)eg_db_int(&query, 1),
			.at_ms = eg_db_int(&query, 3),
			.enrolled_ms = eg_db_int(&query, 4),
			.receipt = eg_db_blob(&query, 5),
		};
		if (!eg_ledger_copy_text(&query, 0, found.booth, sizeof(found.booth)) ||
		    !eg_ledger_copy(&query, 2, found.digest, sizeof(found.digest)))
			r = eg_ledger_damaged("audit head", err);
		else
			r = row(user, &found);
		if (r != 0 || booth != NULL) // of one booth only the newest
			break;
	}
	eg_db_reset(&query);
	return r;
}

int eg_ledger_put_policy(struct eg_ledger *ledger, uint64_t version, struct eg_bytes message,
			 int64_t now_ms, struct eg_err *err)
{
	struct eg_db_query query = eg_db_query(ledger->db, LEDGER_PUT_POLICY);
	int64_t changed = 0;
	eg_db_bind_int(&query, 1, (int64_t)version);
	eg_db_bind_int(&query, 2, now_ms);
	eg_db_bind_blob(&query, 3, message);
	int r = eg_db_run(&query, &changed, err);
	if (r == 0 && changed == 0)
		r = eg_err_set(err, EG_ECONFLICT,
			       "policy: version %" PRIu64 " or a higher one is signed already",
			       version);
	return r;
}

int eg_ledger_get_policy(struct eg_ledger *ledger, uint64_t *ret_version, struct eg_buf *message,
			 struct eg_err *err)
{
	struct eg_db_query query = eg_db_query(ledger->db, LEDGER_GET_POLICY);
	int r = eg_db_step(&query, err);
	if (r == 1) {
		struct eg_bytes body = eg_db_blob(&query, 1);
		*ret_version = (uint64_t)eg_db_int(&query, 0);
		r = eg_buf_put(message, body.data, body.size);
		if (r != 0)
			(void)eg_err_set(err, r, "policy of %zu bytes", body.size);
	} else if (r == 0) {
		r = eg_err_set(err, EG_ENOENT,
			       "no policy is signed yet; booths go by their defaults");
	}
	eg_db_reset(&query);
	return r;
}
