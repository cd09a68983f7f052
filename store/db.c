// SPDX-License-Identifier: Apache-2.0
//
// See db.h. Statements, transactions and errors; opening is in db_open.c. Thread: as db.h.

#include "store/db_internal.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#define FLUSH_WAIT_MS 10

// A full disk does not always come as SQLITE_FULL: quotas and file size limits are I/O errors.
static bool is_full(sqlite3 *handle, int code)
{
	if ((code & 0xff) == SQLITE_FULL)
		return true;
	if ((code & 0xff) != SQLITE_IOERR || handle == NULL)
		return false;
	int number = sqlite3_system_errno(handle);
	return number == ENOSPC || number == EDQUOT || number == EFBIG;
}

static int code_of(sqlite3 *handle, int code)
{
	if (is_full(handle, code))
		return EG_EFULL;
	if (code == SQLITE_IOERR_NOMEM)
		return EG_ENOMEM;
	switch (code & 0xff) {
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return EG_EAGAIN;
	case SQLITE_NOMEM:
		return EG_ENOMEM;
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		return EG_ECORRUPT;
	case SQLITE_CONSTRAINT:
		return EG_ECONFLICT;
	case SQLITE_TOOBIG:
		return EG_ETOOBIG;
	case SQLITE_PERM:
	case SQLITE_READONLY:
	case SQLITE_AUTH:
		return EG_EAUTH;
	case SQLITE_IOERR:
	case SQLITE_CANTOPEN:
		return EG_EIO;
	default:
		return EG_EFOREIGN;
	}
}

int eg_db_fail(struct eg_db *db, int code, const char *doing, struct eg_err *err)
{
	int ours = code_of(db->handle, code);
	const char *advice = "";
	if (ours == EG_EFULL)
		advice = ": the disk is full, make room";
	else if (ours == EG_ECORRUPT)
		advice = ": the file is left as it is, keep a copy and call a technician";
	else if (ours == EG_EAGAIN)
		advice = ": another program holds the file, try again";
	return eg_err_set(err, ours, "%s: %s: %s%s", db->path, doing, sqlite3_errstr(code), advice);
}

int eg_db_exec(struct eg_db *db, const char *sql, const char *doing, struct eg_err *err)
{
	int code = sqlite3_exec(db->handle, sql, NULL, NULL, NULL);
	return code == SQLITE_OK ? 0 : eg_db_fail(db, code, doing, err);
}

int eg_db_begin(struct eg_db *db, struct eg_err *err)
{
	assert(sqlite3_get_autocommit(db->handle) != 0);
	return eg_db_exec(db, "BEGIN IMMEDIATE", "begin", err);
}

int eg_db_begin_yielding(struct eg_db *db, struct eg_err *err)
{
	assert(sqlite3_get_autocommit(db->handle) != 0);
	int r = eg_db_exec(db, "PRAGMA synchronous = NORMAL", "begin", err);
	if (r != 0)
		return r;
	db->yielding = true;
	r = eg_db_begin(db, err);
	if (r != 0)
		eg_db_rollback(db);
	return r;
}

int eg_db_begin_read(struct eg_db *db, struct eg_err *err)
{
	assert(sqlite3_get_autocommit(db->handle) != 0);
	return eg_db_exec(db, "BEGIN", "begin", err);
}

// What NORMAL left out of the commit. The log's file is SQLite's own, so it goes by the same way.
static int sync_log(struct eg_db *db, struct eg_err *err)
{
	sqlite3_file *log = NULL;
	int code = sqlite3_file_control(db->handle, NULL, SQLITE_FCNTL_JOURNAL_POINTER, &log);
	if (code == SQLITE_OK && log != NULL && log->pMethods != NULL)
		code = log->pMethods->xSync(log, SQLITE_SYNC_NORMAL);
	return code == SQLITE_OK ? 0 : eg_db_fail(db, code, "flush of the log", err);
}

static void yield_no_more(struct eg_db *db)
{
	if (db->yielding)
		(void)sqlite3_exec(db->handle, "PRAGMA synchronous = FULL", NULL, NULL, NULL);
	db->yielding = false;
}

int eg_db_commit(struct eg_db *db, struct eg_err *err)
{
	bool unflushed = db->yielding;
	int r = eg_db_exec(db, "COMMIT", "commit", err);
	if (r != 0) {
		eg_db_rollback(db);
		return r;
	}
	yield_no_more(db);
	return unflushed ? sync_log(db, err) : 0;
}

void eg_db_rollback(struct eg_db *db)
{
	// After a full disk or an I/O error SQLite has rolled back itself.
	if (sqlite3_get_autocommit(db->handle) == 0)
		(void)sqlite3_exec(db->handle, "ROLLBACK", NULL, NULL, NULL);
	yield_no_more(db);
}

bool eg_db_flush(struct eg_db *db)
{
	// Cutting the log keeps all others from writing until it is done, and it waits for readers.
	// So first what nobody needs to wait for, the copying; and the waiting is short: a reader
	// may take minutes, as a check of a large file does.
	(void)sqlite3_wal_checkpoint_v2(db->handle, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
	db->wait_ms = FLUSH_WAIT_MS;
	int code =
		sqlite3_wal_checkpoint_v2(db->handle, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
	db->wait_ms = DB_WAIT_MS;
	db->flush_due = code != SQLITE_OK;
	return !db->flush_due;
}

void eg_db_flush_later(struct eg_db *db)
{
	db->flush_due = true;
}

bool eg_db_flush_due(const struct eg_db *db)
{
	return db->flush_due;
}

struct eg_db_query eg_db_query(struct eg_db *db, size_t index)
{
	assert(index < db->schema->statement_count);
	struct eg_db_query query = {.db = db, .code = SQLITE_OK};
	if (db->stmt[index] == NULL)
		query.code = sqlite3_prepare_v3(db->handle, db->schema->statements[index], -1,
						SQLITE_PREPARE_PERSISTENT, &db->stmt[index], NULL);
	query.stmt = db->stmt[index];
	return query;
}

static void keep(struct eg_db_query *query, int code)
{
	if (query->code == SQLITE_OK)
		query->code = code;
}

void eg_db_bind_int(struct eg_db_query *query, int position, int64_t value)
{
	if (query->code == SQLITE_OK)
		keep(query, sqlite3_bind_int64(query->stmt, position, value));
}

void eg_db_bind_text(struct eg_db_query *query, int position, const char *text)
{
	if (query->code == SQLITE_OK)
		keep(query, sqlite3_bind_text(query->stmt, position, text, -1, SQLITE_STATIC));
}

void eg_db_bind_blob(struct eg_db_query *query, int position, struct eg_bytes bytes)
{
	if (query->code == SQLITE_OK)
		keep(query, sqlite3_bind_blob64(query->stmt, position, bytes.data, bytes.size,
						SQLITE_STATIC));
}

void eg_db_bind_zeroes(struct eg_db_query *query, int position, int size)
{
	if (query->code == SQLITE_OK)
		keep(query, sqlite3_bind_zeroblob(query->stmt, position, size));
}

int eg_db_step(struct eg_db_query *query, struct eg_err *err)
{
	if (query->code == SQLITE_OK) {
		int code = sqlite3_step(query->stmt);
		if (code == SQLITE_ROW)
			return 1;
		if (code == SQLITE_DONE)
			return 0;
		query->code = code;
	}
	return eg_db_fail(query->db, query->code, query->db->schema->what, err);
}

int64_t eg_db_int(const struct eg_db_query *query, int column)
{
	return sqlite3_column_int64(query->stmt, column);
}

const char *eg_db_text(const struct eg_db_query *query, int column)
{
	const char *text = (const char *)sqlite3_column_text(query->stmt, column);
	return text != NULL ? text : "";
}

struct eg_bytes eg_db_blob(const struct eg_db_query *query, int column)
{
	const void *data = sqlite3_column_blob(query->stmt, column);
	int size = sqlite3_column_bytes(query->stmt, column);
	return data != NULL && size > 0 ? EG_BYTES(data, (size_t)size) : (struct eg_bytes){0};
}

void eg_db_reset(struct eg_db_query *query)
{
	if (query->stmt == NULL)
		return;
	(void)sqlite3_reset(query->stmt);
	(void)sqlite3_clear_bindings(query->stmt);
}

int eg_db_run(struct eg_db_query *query, int64_t *ret_changed, struct eg_err *err)
{
	int r = eg_db_step(query, err);
	assert(r <= 0);
	if (r == 0 && ret_changed != NULL)
		*ret_changed = sqlite3_changes64(query->db->handle);
	eg_db_reset(query);
	return r;
}
