// SPDX-License-Identifier: Apache-2.0
//
// Schema and statements of records.db, for records.c, records_next.c and the test that looks at the
// query plans.
//
// Thread: as records.h.

#ifndef EG_RECORDS_INTERNAL_H
#define EG_RECORDS_INTERNAL_H

#include "store/db.h"
#include "store/records.h"

#define RECORDS_PAGE_SIZE 1024
#define RECORDS_PAD	  RECORDS_PAGE_SIZE // more than a page ever keeps of one row

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
	RECORDS_FIND,
	RECORDS_PUT_RECEIPT,
	RECORDS_DROP_ENVELOPE,
	RECORDS_DROP_ITEM,
	RECORDS_RETRY,
	RECORDS_BURY,
	RECORDS_RESEND,
	RECORDS_FACTS,
	RECORDS_LIST,
	RECORDS_STATEMENTS,
};

extern const char *const eg_records_statements[RECORDS_STATEMENTS];
extern const struct eg_db_schema eg_records_schema;

struct eg_records {
	struct eg_db *db;
	uint64_t max_queued;
};

// Tries again to cut the log, if an acknowledgement could not.
void eg_records_flush_if_due(struct eg_records *records);

#endif
