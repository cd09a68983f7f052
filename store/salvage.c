// SPDX-License-Identifier: Apache-2.0
//
// See salvage.h.

#include "store/salvage.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "firmware/base/clock.h"
#include "firmware/base/file.h"
#include "firmware/base/log.h"
#include "store/db_internal.h"

#define COLUMNS_MAX 24
#define PROBE	    5000 // row numbers tried behind a page that cannot be read

struct copy {
	sqlite3 *from, *to;
	uint64_t rows;
	bool complete;
};

static sqlite3_stmt *prepare(sqlite3 *handle, const char *before, const char *table,
			     const char *after)
{
	sqlite3_stmt *stmt = NULL;
	char sql[256];
	(void)snprintf(sql, sizeof(sql), "%s%s%s", before, table, after);
	(void)sqlite3_prepare_v2(handle, sql, -1, &stmt, NULL); // NULL when it does not fit
	return stmt;
}

// "INSERT OR REPLACE INTO table VALUES(?, …)" with as many values as `select` gives, less `skip`.
static sqlite3_stmt *prepare_put(struct copy *copy, const char *table, int columns)
{
	char sql[256];
	int length = snprintf(sql, sizeof(sql), "INSERT OR REPLACE INTO %s VALUES(?", table);
	for (int i = 1; i < columns; i++)
		length += snprintf(sql + length, sizeof(sql) - (size_t)length, ",?");
	(void)snprintf(sql + length, sizeof(sql) - (size_t)length, ")");
	sqlite3_stmt *stmt = NULL;
	(void)sqlite3_prepare_v2(copy->to, sql, -1, &stmt, NULL);
	return stmt;
}

// The row at hand, column `first` and on. A row that the new file refuses (a check, a second row
// of the same key) was damaged, too.
static void put_row(struct copy *copy, sqlite3_stmt *select, int first, sqlite3_stmt *put)
{
	int columns = sqlite3_column_count(select) - first;
	int code = SQLITE_OK;
	for (int i = 0; code == SQLITE_OK && i < columns; i++)
		code = sqlite3_bind_value(put, i + 1, sqlite3_column_value(select, first + i));
	if (code == SQLITE_OK)
		code = sqlite3_step(put);
	(void)sqlite3_reset(put);
	(void)sqlite3_clear_bindings(put);
	if (code == SQLITE_DONE)
		copy->rows++;
	else
		copy->complete = false;
}

// Every row that a plain walk meets, until it ends or breaks.
static void walk_plain(struct copy *copy, const char *table)
{
	sqlite3_stmt *select = prepare(copy->from, "SELECT * FROM ", table, "");
	sqlite3_stmt *put =
		select != NULL ? prepare_put(copy, table, sqlite3_column_count(select)) : NULL;
	int code = SQLITE_CORRUPT;
	while (put != NULL && (code = sqlite3_step(select)) == SQLITE_ROW)
		put_row(copy, select, 0, put);
	copy->complete &= code == SQLITE_DONE;
	(void)sqlite3_finalize(select);
	(void)sqlite3_finalize(put);
}

struct walk {
	struct copy *copy;
	sqlite3_stmt *next, *exact, *put;
	int64_t at; // the last row number that was seen
	int step;   // 1 or −1
};

// 1: a row was taken, 0: there are no more, −1: it breaks here.
static int take_next(struct walk *w)
{
	(void)sqlite3_bind_int64(w->next, 1, w->at);
	int code = sqlite3_step(w->next);
	if (code == SQLITE_ROW) {
		w->at = sqlite3_column_int64(w->next, 0);
		put_row(w->copy, w->next, 1, w->put);
	}
	(void)sqlite3_reset(w->next);
	return code == SQLITE_ROW ? 1 : code == SQLITE_DONE ? 0 : -1;
}

// Beyond a page that cannot be read: one number after the other, by a look-up of its own.
static bool jump(struct walk *w)
{
	for (int64_t k = 1; k <= PROBE; k++) {
		(void)sqlite3_bind_int64(w->exact, 1, w->at + k * w->step);
		int code = sqlite3_step(w->exact);
		if (code == SQLITE_ROW)
			put_row(w->copy, w->exact, 1, w->put);
		(void)sqlite3_reset(w->exact);
		if (code == SQLITE_ROW) {
			w->at += k * w->step;
			return true;
		}
	}
	return false;
}

// Upwards, and when that cannot go on, downwards from the other end.
static void walk_rows(struct copy *copy, const char *table)
{
	sqlite3_stmt *exact =
		prepare(copy->from, "SELECT rowid, * FROM ", table, " WHERE rowid = ?1");
	sqlite3_stmt *put =
		exact != NULL ? prepare_put(copy, table, sqlite3_column_count(exact) - 1) : NULL;
	bool broken = put == NULL, met = put == NULL;
	for (int turn = 0; turn < 2 && !met; turn++) {
		struct walk w = {
			.copy = copy,
			.exact = exact,
			.put = put,
			.step = turn == 0 ? 1 : -1,
			.at = turn == 0 ? 0 : INT64_MAX,
			.next = prepare(copy->from, "SELECT rowid, * FROM ", table,
					turn == 0
						? " WHERE rowid > ?1 ORDER BY rowid LIMIT 1"
						: " WHERE rowid < ?1 ORDER BY rowid DESC LIMIT 1")};
		int r;
		while (w.next != NULL && ((r = take_next(&w)) == 1 || (r == -1 && jump(&w))))
			broken |= r == -1;
		met = w.next != NULL && r == 0;
		broken |= !met;
		(void)sqlite3_finalize(w.next);
	}
	copy->complete &= !broken;
	(void)sqlite3_finalize(exact);
	(void)sqlite3_finalize(put);
}

// Somebody else's database has tables, but not ours. (Our mark in the header may be what is
// broken.)
static int check_ours(sqlite3 *handle, const char *path, const struct eg_db_schema *schema,
		      const char *table, struct eg_err *err)
{
	sqlite3_stmt *stmt = prepare(handle, "SELECT count(*), sum(name = '", table,
				     "') FROM sqlite_schema WHERE type = 'table'");
	int r = 0;
	if (stmt != NULL && sqlite3_step(stmt) == SQLITE_ROW && sqlite3_column_int(stmt, 0) > 0 &&
	    sqlite3_column_int(stmt, 1) == 0)
		r = eg_err_set(err, EG_EUNSUPPORTED,
			       "%s: is a database, but not of Egress %s: it is left as it is", path,
			       schema->what);
	(void)sqlite3_finalize(stmt);
	return r;
}

// Reads only, and leaves the log alone also when it closes.
static int open_damaged(const char *path, sqlite3 **ret_handle)
{
	int code = sqlite3_open_v2(path, ret_handle,
				   SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX |
					   SQLITE_OPEN_NOFOLLOW | SQLITE_OPEN_PRIVATECACHE,
				   NULL);
	if (code != SQLITE_OK)
		return code;
	(void)sqlite3_db_config(*ret_handle, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
	(void)sqlite3_db_config(*ret_handle, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	(void)sqlite3_exec(*ret_handle, "PRAGMA query_only = ON; PRAGMA trusted_schema = OFF", NULL,
			   NULL, NULL);
	return SQLITE_OK;
}

static bool has_header(sqlite3 *handle)
{
	return sqlite3_exec(handle, "SELECT count(*) FROM sqlite_schema", NULL, NULL, NULL) ==
	       SQLITE_OK;
}

static void lend_page(struct eg_buf *bytes, const struct eg_buf *fresh, size_t number, size_t page)
{
	if (number != 0 && number * page <= bytes->size && number * page <= fresh->size)
		memcpy(bytes->data + (number - 1) * page, fresh->data + (number - 1) * page, page);
}

static size_t big_endian(const uint8_t *at, size_t size)
{
	size_t value = 0;
	for (size_t i = 0; i < size; i++)
		value = value << 8 | at[i];
	return value;
}

// The first page, and those it points to, say where the tables begin; it is written most often, and
// so is the likeliest to be torn. A file of ours that was never migrated has the same ones as a new
// file: a copy of the damaged one gets them, with "ask the file how long it is" and "no free pages"
// (SQLite's file format, 1.3 and 1.6; a page of pointers has type 5, after the header of 100).
static int lend_header(const char *path, const char *part, const char *patched, int page_size,
		       struct eg_err *err)
{
	struct eg_buf bytes, fresh;
	eg_buf_init(&bytes, SIZE_MAX);
	eg_buf_init(&fresh, SIZE_MAX);
	int r = eg_file_read(path, &bytes, err);
	if (r == 0)
		r = eg_file_read(part, &fresh, err);
	const size_t page = (size_t)page_size;
	if (r == 0 && bytes.size >= 2 * page && fresh.size >= page) {
		const uint8_t *head = fresh.data + 100;
		lend_page(&bytes, &fresh, 1, page);
		for (size_t i = 0; head[0] == 5 && i < big_endian(head + 3, 2); i++) {
			size_t cell = big_endian(head + 12 + 2 * i, 2);
			if (cell + 4 <= page)
				lend_page(&bytes, &fresh, big_endian(fresh.data + cell, 4), page);
		}
		if (head[0] == 5)
			lend_page(&bytes, &fresh, big_endian(head + 8, 4), page);
		memset(bytes.data + 32, 0, 8);
		memset(bytes.data + 92, 0xff, 4);
	}
	if (r == 0)
		r = eg_file_write(patched, eg_buf_bytes(&bytes), 0600, err);
	eg_buf_done(&bytes);
	eg_buf_done(&fresh);
	return r;
}

static int open_from(const char *path, const char *part, const char *patched, struct copy *copy,
		     const struct eg_db_schema *schema, const char *table, struct eg_err *err)
{
	if (open_damaged(path, &copy->from) == SQLITE_OK && has_header(copy->from))
		return check_ours(copy->from, path, schema, table, err);
	(void)sqlite3_close(copy->from);
	copy->from = NULL;
	copy->complete = false;
	int r = lend_header(path, part, patched, schema->page_size, err);
	if (r == 0 && open_damaged(patched, &copy->from) != SQLITE_OK)
		eg_warning("%s: nothing of it can be read", path);
	return r;
}

static void copy_all(struct copy *copy, const struct eg_salvage_table *tables, size_t table_count)
{
	for (size_t i = 0; i < table_count; i++) {
		if (tables[i].by_rowid)
			walk_rows(copy, tables[i].name);
		else
			walk_plain(copy, tables[i].name);
	}
}

// The new file under `part`, closed and flushed.
static int fill(const char *path, const char *part, const struct eg_db_schema *schema,
		const struct eg_salvage_table *tables, size_t table_count,
		struct eg_salvaged *salvaged, struct eg_err *err)
{
	struct copy copy = {.complete = true};
	struct eg_db *fresh = NULL;
	char patched[PATH_MAX + 8];
	(void)snprintf(patched, sizeof(patched), "%s-copy", part);
	int r = eg_db_open(part, schema, &fresh, err);
	if (r == 0)
		r = open_from(path, part, patched, &copy, schema, tables[0].name, err);
	// It counts only when it is complete; then it is flushed whole.
	if (r == 0)
		r = eg_db_exec(fresh, "PRAGMA synchronous = OFF; PRAGMA foreign_keys = OFF; BEGIN",
			       "salvage", err);
	if (r == 0) {
		copy.to = fresh->handle;
		copy_all(&copy, tables, table_count);
		r = eg_db_exec(fresh, "COMMIT; PRAGMA synchronous = FULL", "salvage", err);
	}
	if (r == 0 && !eg_db_flush(fresh))
		r = eg_err_set(err, EG_EIO, "%s: cannot be flushed", part);
	eg_db_close(fresh);
	(void)sqlite3_close(copy.from);
	(void)unlink(patched);
	salvaged->rows = copy.rows;
	salvaged->complete = copy.complete;
	return r;
}

static int sync_path(const char *path, int flags, struct eg_err *err)
{
	int fd = open(path, flags | O_RDONLY | O_CLOEXEC);
	int r = fd >= 0 && fsync(fd) == 0 ? 0 : eg_err_errno(err, errno, "%s: flush", path);
	if (fd >= 0)
		(void)close(fd);
	return r;
}

static int sync_folder(const char *path, struct eg_err *err)
{
	char folder[PATH_MAX];
	const char *slash = strrchr(path, '/');
	(void)snprintf(folder, sizeof(folder), "%.*s",
		       slash == NULL   ? 1
		       : slash == path ? 1
				       : (int)(slash - path),
		       slash == NULL ? "." : path);
	return sync_path(folder, O_DIRECTORY, err);
}

static int rename_to(const char *from, const char *to, struct eg_err *err)
{
	return rename(from, to) == 0 ? 0 : eg_err_errno(err, errno, "%s: rename to %s", from, to);
}

// The damaged file's log belongs to it and to nobody else.
static int put_log_aside(const char *path, const char *kept, struct eg_err *err)
{
	char from[PATH_MAX], to[PATH_MAX];
	(void)snprintf(from, sizeof(from), "%s-shm", path);
	(void)unlink(from); // SQLite makes it anew
	(void)snprintf(from, sizeof(from), "%s-wal", path);
	(void)snprintf(to, sizeof(to), "%s-wal", kept);
	if (rename(from, to) != 0 && errno != ENOENT)
		return eg_err_errno(err, errno, "%s: rename", from);
	return sync_folder(path, err);
}

static void name_kept(const char *path, int64_t wall_ms, char *ret_kept, size_t size)
{
	char text[EG_TIME_TEXT_MAX];
	eg_time_text(wall_ms, text);
	text[19] = '\0'; // to the second
	for (char *c = text; *c != '\0'; c++)
		*c = *c == ':' ? '-' : *c;
	(void)snprintf(ret_kept, size, "%s.damaged-%s", path, text);
}

// PATH is damaged, PATH.salvage complete.
static int change_places(const char *path, const char *salvage, const char *kept,
			 struct eg_err *err)
{
	int r = put_log_aside(path, kept, err);
	if (r == 0 && renameat2(AT_FDCWD, salvage, AT_FDCWD, path, RENAME_EXCHANGE) != 0)
		r = eg_err_errno(err, errno, "%s: exchange", path);
	if (r == 0)
		r = rename_to(salvage, kept, err);
	return r == 0 ? sync_folder(path, err) : r;
}

static bool is_whole(const char *path, const struct eg_db_schema *schema)
{
	struct eg_db *db = NULL;
	if (access(path, F_OK) != 0 || eg_db_open(path, schema, &db, NULL) != 0)
		return false;
	bool whole = eg_db_check(db, NULL) == 0;
	eg_db_close(db);
	return whole;
}

int eg_db_salvage(const char *path, const struct eg_db_schema *schema,
		  const struct eg_salvage_table *tables, size_t table_count,
		  int (*mend)(void *user, const char *fresh, struct eg_err *err), void *user,
		  int64_t wall_ms, struct eg_salvaged *ret_salvaged, struct eg_err *err)
{
	struct eg_salvaged salvaged = {0};
	char part[PATH_MAX], salvage[PATH_MAX];
	struct stat st;
	int r = 0;
	(void)snprintf(part, sizeof(part), "%s.salvage-part", path);
	(void)snprintf(salvage, sizeof(salvage), "%s.salvage", path);
	if (lstat(path, &st) != 0)
		return eg_err_errno(err, errno, "%s", path);
	if (!S_ISREG(st.st_mode))
		return eg_err_set(err, EG_EUNSUPPORTED, "%s: is not a regular file", path);
	name_kept(path, wall_ms, salvaged.kept, sizeof(salvaged.kept));
	if (is_whole(path, schema)) { // all that is left to do is to name what was damaged
		salvaged.complete = true;
		if (access(salvage, F_OK) == 0)
			r = rename_to(salvage, salvaged.kept, err);
		else
			salvaged.kept[0] = '\0';
		goto out;
	}
	if (!is_whole(salvage, schema)) {
		(void)unlink(part);
		(void)unlink(salvage);
		r = fill(path, part, schema, tables, table_count, &salvaged, err);
		if (r == 0 && mend != NULL)
			r = mend(user, part, err);
		if (r == 0)
			r = sync_path(part, 0, err);
		if (r == 0)
			r = rename_to(part, salvage, err);
		if (r == 0)
			r = sync_folder(path, err);
	}
	if (r == 0)
		r = change_places(path, salvage, salvaged.kept, err);
out:
	if (r == 0)
		*ret_salvaged = salvaged;
	return r;
}

void eg_db_drop_damaged(const char *path, int64_t seconds, int64_t wall_ms)
{
	const char *slash = strrchr(path, '/');
	const char *name = slash != NULL ? slash + 1 : path;
	char folder[PATH_MAX], full[PATH_MAX], prefix[NAME_MAX + 1];
	struct stat st;
	(void)snprintf(folder, sizeof(folder), "%.*s", slash != NULL ? (int)(slash - path) : 1,
		       slash != NULL ? path : ".");
	(void)snprintf(prefix, sizeof(prefix), "%s.damaged-", name);
	DIR *directory = opendir(folder[0] != '\0' ? folder : "/");
	if (directory == NULL)
		return;
	for (struct dirent *entry; (entry = readdir(directory)) != NULL;) {
		if (strncmp(entry->d_name, prefix, strlen(prefix)) != 0 ||
		    snprintf(full, sizeof(full), "%s/%s", folder, entry->d_name) >=
			    (int)sizeof(full) ||
		    lstat(full, &st) != 0)
			continue;
		// ctime: when it was put aside.
		if (wall_ms / 1000 - st.st_ctim.tv_sec > seconds && unlink(full) == 0)
			eg_notice("%s: kept long enough, removed", full);
	}
	(void)closedir(directory);
}
