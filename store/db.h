// SPDX-License-Identifier: Apache-2.0
//
// The one thin, typed wrapper on SQLite: opening with care, migrations, kept prepared statements,
// transactions, and SQLite's errors turned into ours.
//
// Every file is in WAL mode with synchronous=FULL, so what eg_db_commit returned 0 for survives a
// power cut, and has secure_delete on. Rows that must be erased for real also have to leave the
// log: eg_db_flush does that. A file that is damaged, foreign or newer is never replaced.
//
// Blocks on the disk. One thread per object; several objects and programs per file.

#ifndef EG_DB_H
#define EG_DB_H

#include "firmware/base/buf.h"

struct eg_db;

// What a kind of file is: constant tables of its module.
struct eg_db_schema {
	const char *what;	       // "records", for error texts
	int32_t application_id;	       // in the file's header, tells our kinds apart
	int page_size;		       // bytes
	const char *const *migrations; // [n] takes user_version n to n + 1; only ever appended to
	size_t migration_count;
	const char *const *statements; // SQL, prepared when first used
	size_t statement_count;
};

// True when another file has taken the place of the one that is open: it was damaged, and what
// could be saved of it is in the new one (salvage.h). Close and open again.
bool eg_db_replaced(const struct eg_db *db);

// Opens `path`, making it (mode 0660, whole or not at all) when it is not there. The last part of
// the path must not be a symbolic link. Migrates it. A small file is checked whole (quick_check); a
// large one, where that takes seconds a gigabyte, is the caller's to check when there is time:
// eg_db_quick_check.
// EG_ECORRUPT: damaged, empty or not a file of ours. EG_EUNSUPPORTED: of a newer schema.
int eg_db_open(const char *path, const struct eg_db_schema *schema, struct eg_db **ret_db,
	       struct eg_err *err) EG_CHECKED;
void eg_db_close(struct eg_db *db); // takes NULL

// A transaction that writes. begin waits up to 5 s for another program's (then EG_EAGAIN). commit
// is on disk when it returns 0; when it fails it has rolled back.
int eg_db_begin(struct eg_db *db, struct eg_err *err) EG_CHECKED;
// The same for whoever writes much beside somebody who must not wait: the commit lets others write
// before the disk has flushed the log, and returns when it has. When that flush fails, others see
// what was committed, and a power cut may take it back.
int eg_db_begin_yielding(struct eg_db *db, struct eg_err *err) EG_CHECKED;
// One snapshot for several reads, while others may write; eg_db_rollback ends it.
int eg_db_begin_read(struct eg_db *db, struct eg_err *err) EG_CHECKED;
int eg_db_commit(struct eg_db *db, struct eg_err *err) EG_CHECKED;
void eg_db_rollback(struct eg_db *db); // nothing when none is open

// The whole file with its indexes, which opening does not compare with their tables (it would take
// twice as long). EG_ECORRUPT.
int eg_db_check(struct eg_db *db, struct eg_err *err) EG_CHECKED;

// The same without the indexes. Holds a snapshot meanwhile.
int eg_db_quick_check(struct eg_db *db, struct eg_err *err) EG_CHECKED;

// Copies everything into the main file and cuts the log to nothing, so that erased bytes are in
// neither. Another program in the midst of reading can prevent it for longer than the wait, which
// is short (others cannot write meanwhile), a disk can fail: then it returns false and stays due,
// and has to be called again. _later only notes that it is due.
bool eg_db_flush(struct eg_db *db);
void eg_db_flush_later(struct eg_db *db);
bool eg_db_flush_due(const struct eg_db *db);

// Statement `index` of the schema, ready to bind. Binding errors are kept and come out of step.
// Blobs and texts are lent until eg_db_reset. Positions count from 1, columns from 0.
struct eg_db_query {
	struct eg_db *db;
	void *stmt;
	int code; // SQLite's, of what failed first
};
struct eg_db_query eg_db_query(struct eg_db *db, size_t index);
void eg_db_bind_int(struct eg_db_query *query, int position, int64_t value);
void eg_db_bind_text(struct eg_db_query *query, int position, const char *text);
void eg_db_bind_blob(struct eg_db_query *query, int position, struct eg_bytes bytes);
void eg_db_bind_zeroes(struct eg_db_query *query, int position, int size);

// 1: a row is there, 0: done, negative: failed. Reset ends it in every case.
int eg_db_step(struct eg_db_query *query, struct eg_err *err) EG_CHECKED;
int64_t eg_db_int(const struct eg_db_query *query, int column);
const char *eg_db_text(const struct eg_db_query *query, int column);	 // lent until step or reset
struct eg_bytes eg_db_blob(const struct eg_db_query *query, int column); // likewise
void eg_db_reset(struct eg_db_query *query);

// For a statement without rows, all bound: step and reset. *ret_changed (may be NULL): rows.
int eg_db_run(struct eg_db_query *query, int64_t *ret_changed, struct eg_err *err) EG_CHECKED;

#endif
