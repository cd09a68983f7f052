// SPDX-License-Identifier: Apache-2.0
//
// Opening a database file, making it where there is none, and bringing it up to date.
//
// A new file is made under another name and linked into place complete, so that a file with the
// right name and nothing in it is always damage, and two programs that start at once end up with
// one file. The main file is never opened beside SQLite: closing such a descriptor would drop
// SQLite's locks of the whole process. Thread: as db.h.

#include "store/db_internal.h"

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

#include "firmware/base/mem.h"

#define LOG_MAX	  (8 << 20) // bytes
#define NAP_US	  500
#define FILE_MODE 0660
#define CHECK_MAX (32u << 20) // bytes of a file that is checked whole when it is opened

// Per connection. Nothing in a file's schema is trusted; temporary data never goes to a disk.
static const char settings[] = "PRAGMA trusted_schema = OFF;"
			       "PRAGMA cell_size_check = ON;"
			       "PRAGMA foreign_keys = ON;"
			       "PRAGMA secure_delete = ON;"
			       "PRAGMA temp_store = MEMORY;"
			       "PRAGMA synchronous = FULL;"
			       "PRAGMA journal_size_limit = 1048576;";

// Folder resolved (state folders may be links), last part as given. Free with free().
static int resolve(const char *path, char **ret_folder, char **ret_path, struct eg_err *err)
{
	const char *slash = strrchr(path, '/');
	const char *name = slash != NULL ? slash + 1 : path;
	char *copy = eg_strdup(path), *folder = NULL, *full = NULL;
	int r = EG_ENOMEM;
	if (copy == NULL)
		goto out;
	if (slash != NULL)
		copy[slash - path + (slash == path ? 1 : 0)] = '\0';
	folder = realpath(slash != NULL ? copy : ".", NULL);
	if (folder == NULL) {
		r = eg_err_errno(err, errno, "%s: its folder", path);
		goto out;
	}
	size_t size = strlen(folder) + strlen(name) + 2;
	full = eg_calloc(size, 1);
	if (full == NULL)
		goto out;
	(void)snprintf(full, size, "%s/%s", strcmp(folder, "/") == 0 ? "" : folder, name);
	r = 0;
out:
	free(copy);
	if (r == EG_ENOMEM && folder == NULL)
		(void)eg_err_set(err, r, "%s: out of memory", path);
	if (r != 0) {
		free(folder);
		return r;
	}
	*ret_folder = folder;
	*ret_path = full;
	return 0;
}

static void close_handle(struct eg_db *db)
{
	(void)sqlite3_close(db->handle);
	db->handle = NULL;
}

// Another program holds the file. SQLite's own waiting would soon sleep 25 ms and more at a time,
// many times as long as a commit takes, and others would slip in between: short naps are what keeps
// boothd's commits quick while syncd drains a queue.
static int wait_a_little(void *user, int times)
{
	const struct eg_db *db = user;
	const struct timespec nap = {.tv_nsec = NAP_US * 1000L};
	if ((int64_t)times * NAP_US >= db->wait_ms * 1000)
		return 0;
	(void)nanosleep(&nap, NULL);
	return 1;
}

static int open_handle(struct eg_db *db, const char *path, struct eg_err *err)
{
	// NOMUTEX: one thread per object is the rule here anyway.
	int code =
		sqlite3_open_v2(path, &db->handle,
				SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_NOFOLLOW |
					SQLITE_OPEN_EXRESCODE | SQLITE_OPEN_PRIVATECACHE,
				NULL);
	if (code != SQLITE_OK) {
		int number = db->handle != NULL ? sqlite3_system_errno(db->handle) : 0;
		int r = number != 0 ? eg_err_errno(err, number, "%s: open", path)
				    : eg_db_fail(db, code, "open", err);
		close_handle(db);
		return r;
	}
	db->wait_ms = DB_WAIT_MS;
	// Copying the log into the file falls to whoever's commit makes it this long: rarely
	// boothd's, since its keeper and syncd cut the log (eg_db_flush) long before.
	(void)sqlite3_wal_autocheckpoint(db->handle, LOG_MAX / db->schema->page_size);
	(void)sqlite3_busy_handler(db->handle, wait_a_little, db);
	(void)sqlite3_db_config(db->handle, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	(void)sqlite3_db_config(db->handle, SQLITE_DBCONFIG_DQS_DML, 0, NULL);
	(void)sqlite3_db_config(db->handle, SQLITE_DBCONFIG_DQS_DDL, 0, NULL);
	return eg_db_exec(db, settings, "settings", err);
}

static int get_pragma(struct eg_db *db, const char *sql, int64_t *ret_value, struct eg_err *err)
{
	sqlite3_stmt *stmt = NULL;
	int code = sqlite3_prepare_v2(db->handle, sql, -1, &stmt, NULL);
	if (code == SQLITE_OK)
		code = sqlite3_step(stmt);
	if (code == SQLITE_ROW)
		*ret_value = sqlite3_column_int64(stmt, 0);
	(void)sqlite3_finalize(stmt);
	return code == SQLITE_ROW ? 0 : eg_db_fail(db, code, "header", err);
}

// One step: the migration's SQL and the new user_version in the same transaction. Another program
// may have done it while this one waited for its turn.
static int migrate_once(struct eg_db *db, int64_t version, struct eg_err *err)
{
	char sql[64];
	int64_t now = 0;
	int r = eg_db_begin(db, err);
	if (r != 0)
		return r;
	r = get_pragma(db, "PRAGMA user_version", &now, err);
	if (r == 0 && now == version) {
		(void)snprintf(sql, sizeof(sql), "PRAGMA user_version = %" PRId64, version + 1);
		r = eg_db_exec(db, db->schema->migrations[version], "migration", err);
		if (r == 0)
			r = eg_db_exec(db, sql, "migration", err);
	}
	if (r == 0)
		return eg_db_commit(db, err);
	eg_db_rollback(db);
	return r;
}

static int migrate(struct eg_db *db, struct eg_err *err)
{
	int64_t version = 0;
	int64_t newest = (int64_t)db->schema->migration_count;
	int r;
	while ((r = get_pragma(db, "PRAGMA user_version", &version, err)) == 0) {
		if (version > newest)
			return eg_err_set(err, EG_EUNSUPPORTED,
					  "%s: schema %" PRId64
					  ", this program knows up to %" PRId64
					  ": install the newer software",
					  db->path, version, newest);
		if (version == newest)
			return 0;
		r = migrate_once(db, version, err);
		if (r != 0)
			return r;
	}
	return r;
}

// Everything a complete file has, in the temporary one: SQLite's own rollback journal until the
// last step, so that no log has to be carried along.
static int fill_new(struct eg_db *db, const char *path, struct eg_err *err)
{
	char sql[128];
	int64_t version = 0;
	(void)snprintf(sql, sizeof(sql), "PRAGMA page_size = %d; PRAGMA application_id = %" PRId32,
		       db->schema->page_size, db->schema->application_id);
	int r = open_handle(db, path, err);
	if (r != 0)
		return r;
	r = eg_db_exec(db, sql, "header", err);
	while (r == 0 && version < (int64_t)db->schema->migration_count)
		r = migrate_once(db, version++, err);
	if (r == 0)
		r = eg_db_exec(db, "PRAGMA journal_mode = WAL", "journal mode", err);
	close_handle(db);
	return r;
}

static int sync_folder(const char *folder, struct eg_err *err)
{
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int r = 0;
	if (fd < 0 || fsync(fd) != 0)
		r = eg_err_errno(err, errno, "%s: flush", folder);
	if (fd >= 0)
		(void)close(fd);
	return r;
}

static int make(struct eg_db *db, const char *folder, struct eg_err *err)
{
	static const char suffix[] = ".new-XXXXXX";
	int r = EG_ENOMEM;
	size_t size = strlen(db->path) + sizeof(suffix);
	char *temporary = eg_calloc(size, 1);
	if (temporary == NULL)
		return eg_err_set(err, r, "%s: out of memory", db->path);
	(void)snprintf(temporary, size, "%s%s", db->path, suffix);
	int fd = mkostemp(temporary, O_CLOEXEC);
	if (fd < 0) {
		r = eg_err_errno(err, errno, "%s: make", db->path);
		goto out;
	}
	r = fchmod(fd, FILE_MODE) == 0 ? 0 : eg_err_errno(err, errno, "%s: mode", db->path);
	(void)close(fd);
	if (r == 0)
		r = fill_new(db, temporary, err);
	// EEXIST: another program was faster, and its file is as good.
	if (r == 0 && link(temporary, db->path) != 0 && errno != EEXIST)
		r = eg_err_errno(err, errno, "%s: make", db->path);
	(void)unlink(temporary);
	if (r == 0)
		r = sync_folder(folder, err);
out:
	free(temporary);
	return r;
}

// What lies there under the name, without opening it. EG_ENOENT: nothing.
static int check_file(const struct eg_db *db, struct eg_err *err)
{
	struct stat st;
	if (lstat(db->path, &st) != 0)
		return eg_err_errno(err, errno, "%s", db->path);
	if (!S_ISREG(st.st_mode))
		return eg_err_set(err, EG_ECORRUPT, "%s: is not a regular file", db->path);
	if (st.st_size == 0)
		return eg_err_set(
			err, EG_ECORRUPT,
			"%s: is empty, but files are made whole: its content was lost. Move "
			"it away to begin anew",
			db->path);
	return 0;
}

static int check_health(struct eg_db *db, const char *pragma, struct eg_err *err)
{
	sqlite3_stmt *stmt = NULL;
	int r = 0;
	int code = sqlite3_prepare_v2(db->handle, pragma, -1, &stmt, NULL);
	if (code == SQLITE_OK)
		code = sqlite3_step(stmt);
	const char *answer = code == SQLITE_ROW ? (const char *)sqlite3_column_text(stmt, 0) : NULL;
	if (code != SQLITE_ROW)
		r = eg_db_fail(db, code, "check", err);
	else if (answer == NULL || strcmp(answer, "ok") != 0)
		r = eg_db_fail(db, SQLITE_CORRUPT, "check", err);
	(void)sqlite3_finalize(stmt);
	return r;
}

int eg_db_check(struct eg_db *db, struct eg_err *err)
{
	return check_health(db, "PRAGMA integrity_check(1)", err);
}

int eg_db_quick_check(struct eg_db *db, struct eg_err *err)
{
	return check_health(db, "PRAGMA quick_check(1)", err);
}

bool eg_db_replaced(const struct eg_db *db)
{
	struct stat st;
	return lstat(db->path, &st) == 0 && (st.st_dev != db->device || st.st_ino != db->inode);
}

// Which file it is. Opened by now, so it stays this one.
static int remember_file(struct eg_db *db, struct eg_err *err)
{
	struct stat st;
	if (lstat(db->path, &st) != 0)
		return eg_err_errno(err, errno, "%s", db->path);
	db->device = st.st_dev;
	db->inode = st.st_ino;
	db->size = (uint64_t)st.st_size;
	return 0;
}

static int open_checked(struct eg_db *db, struct eg_err *err)
{
	int64_t id = 0;
	int r = open_handle(db, db->path, err);
	if (r == 0)
		r = remember_file(db, err);
	if (r == 0)
		r = get_pragma(db, "PRAGMA application_id", &id, err);
	if (r == 0 && id != db->schema->application_id)
		r = eg_err_set(err, EG_ECORRUPT,
			       "%s: is a database, but not of Egress %s: it is left as it is",
			       db->path, db->schema->what);
	// It is made so; a tool may have changed it.
	if (r == 0)
		r = eg_db_exec(db, "PRAGMA journal_mode = WAL", "journal mode", err);
	// The version before the check: a newer schema is no damage.
	if (r == 0)
		r = migrate(db, err);
	if (r == 0 && db->size <= CHECK_MAX)
		r = eg_db_quick_check(db, err);
	return r;
}

int eg_db_open(const char *path, const struct eg_db_schema *schema, struct eg_db **ret_db,
	       struct eg_err *err)
{
	char *folder = NULL;
	struct eg_db *db = eg_calloc(1, sizeof(*db));
	int r = EG_ENOMEM;
	if (db != NULL)
		db->stmt = eg_calloc(schema->statement_count, sizeof(*db->stmt));
	if (db == NULL || db->stmt == NULL) {
		r = eg_err_set(err, r, "%s: out of memory", path);
		goto fail;
	}
	db->schema = schema;
	r = resolve(path, &folder, &db->path, err);
	if (r == 0) {
		r = check_file(db, err);
		if (r == EG_ENOENT)
			r = make(db, folder, err);
	}
	if (r == 0)
		r = open_checked(db, err);
	if (r != 0)
		goto fail;
	free(folder);
	*ret_db = db;
	return 0;
fail:
	free(folder);
	eg_db_close(db);
	return r;
}

void eg_db_close(struct eg_db *db)
{
	if (db == NULL)
		return;
	for (size_t i = 0; db->stmt != NULL && i < db->schema->statement_count; i++)
		(void)sqlite3_finalize(db->stmt[i]);
	// The last connection of all programs copies the log into the file and removes it.
	(void)sqlite3_close(db->handle);
	free(db->stmt);
	free(db->path);
	free(db);
}
