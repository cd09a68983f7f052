// SPDX-License-Identifier: Apache-2.0
//
// Shared by db.c and db_open.c only. Thread: as db.h.

#ifndef EG_DB_INTERNAL_H
#define EG_DB_INTERNAL_H

#include <sqlite3.h>

#include "store/db.h"

#define DB_WAIT_MS 5000

struct eg_db {
	const struct eg_db_schema *schema;
	sqlite3 *handle;
	sqlite3_stmt **stmt; // schema->statement_count of them, NULL until first used
	char *path;	     // as opened, its folder resolved
	bool flush_due, yielding;
	int64_t wait_ms;	      // how long to wait for another program's lock
	uint64_t device, inode, size; // of the file that was opened
};

// The sentence for SQLite's `code` while `doing`; returns our code.
int eg_db_fail(struct eg_db *db, int code, const char *doing, struct eg_err *err);
int eg_db_exec(struct eg_db *db, const char *sql, const char *doing, struct eg_err *err) EG_CHECKED;

#endif
