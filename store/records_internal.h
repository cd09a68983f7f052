// SPDX-License-Identifier: Apache-2.0
//
// Schema and statements of records.db, for records.c, records_next.c and the test that looks at the
// query plans.
//
// Thread: as records.h.

#ifndef EG_RECORDS_INTERNAL_H
#define EG_RECORDS_INTERNAL_H

#include "store/audit.h"
#include "store/db.h"
#include "store/records.h"
#include "store/retention.h"

#define RECORDS_PAGE_SIZE  1024
#define RECORDS_PAD	   RECORDS_PAGE_SIZE // more than a page ever keeps of one row
#define EG_AUDIT_ENTRY_MAX 256		     // bytes

enum records_statement {
	RECORDS_KNOWN,
	RECORDS_PUT_ITEM,
	RECORDS_PUT_ENVELOPE,
	RECORDS_LIVE,
	RECORDS_DUE,
	RECORDS_FAR,
	RECORDS_OLDEST,
	RECORDS_WHEN,
	RECORDS_FETCH,
	RECORDS_ORPHAN,
	RECORDS_ADOPT,
	RECORDS_DROP_ORPHANS,
	RECORDS_DROP_EMPTY,
	RECORDS_AUDIT_LAST,
	RECORDS_GET,
	RECORDS_FIND,
	RECORDS_PUT_RECEIPT,
	RECORDS_DROP_ENVELOPE,
	RECORDS_DROP_ITEM,
	RECORDS_RETRY,
	RECORDS_BURY,
	RECORDS_RESEND,
	RECORDS_FACTS,
	RECORDS_LIST,
	RECORDS_AUDIT_HEAD,
	RECORDS_AUDIT_PUT,
	RECORDS_AUDIT_GROW,
	RECORDS_AUDIT_LIST,
	RECORDS_AUDIT_NEWEST,
	RECORDS_AUDIT_SIGNED,
	RECORDS_AUDIT_TRIM,
	RECORDS_AUDIT_KEPT,
	RECORDS_AUDIT_RECEIPT,
	RECORDS_AUDIT_FORGET,
	RECORDS_AUDIT_HEADS,
	RECORDS_CLOCK,
	RECORDS_SET_CLOCK,
	RECORDS_IMAGE_DUE,
	RECORDS_SHRINK,
	RECORDS_DROP_RECEIPTS,
	RECORDS_HOLD_PUT,
	RECORDS_HOLD_FIND,
	RECORDS_HOLD_DROP,
	RECORDS_HOLD_OVER,
	RECORDS_HOLD_LIST,
	RECORDS_POLICY,
	RECORDS_PUT_POLICY,
	RECORDS_COUNT,
	RECORDS_COUNT_MANIFEST,
	RECORDS_COUNTS,
	RECORDS_DROP_COUNTS,
	RECORDS_DROP_COUNTED,
	RECORDS_STATEMENTS,
};

extern const char *const eg_records_statements[RECORDS_STATEMENTS];
extern const struct eg_db_schema eg_records_schema;

struct eg_records {
	struct eg_db *db;
	const struct eg_clock *clock;
	uint64_t max_queued;
	uint8_t boot[EG_BOOT_ID_SIZE];
	uint64_t purging_version; // of the policy, for the chain
	bool cut;		  // the log, at cut_ms (boot time), after an acknowledgement
	int64_t cut_ms;
};

// Within the caller's transaction, at the end of the chain.
int eg_audit_append(struct eg_records *records, const struct eg_audit_entry *entry,
		    struct eg_err *err) EG_CHECKED;
// The same about one encounter; `digest` may be NULL; fields the event does not have are ignored.
int eg_audit_append_about(struct eg_records *records, enum eg_audit_event event,
			  const struct eg_id *subject, const uint8_t *digest, uint64_t number,
			  int64_t wall_ms, struct eg_err *err) EG_CHECKED;

// Within the caller's transaction: brings booth time up to date.
int eg_records_advance(struct eg_records *records, int64_t *ret_now_ms,
		       struct eg_err *err) EG_CHECKED;
// Likewise: ends the holds that are over.
int eg_records_end_holds(struct eg_records *records, int64_t now_ms, uint64_t *ret_count,
			 struct eg_err *err) EG_CHECKED;
// Commits when `r` is 0, else rolls back and returns it.
int eg_records_end(struct eg_records *records, int r, struct eg_err *err) EG_CHECKED;

// Cuts the log if that is due, but not twice within CUT_MS. _settle (records.h) does not wait.
void eg_records_cut(struct eg_records *records);

#endif
