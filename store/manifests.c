// SPDX-License-Identifier: Apache-2.0
//
// manifests.db. A manifest's bytes lie in overflow pages only (`pad`), for the reason given in
// records_sql.c. Thread: as manifests.h.

#include "store/manifests.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "firmware/base/mem.h"
#include "store/salvage.h"

#define PAGE_SIZE 4096
#define PAD	  PAGE_SIZE

static const char *const migrations[] = {
	// 0 → 1
	"CREATE TABLE floor(" // stays when the manifest is gone
	"  id TEXT PRIMARY KEY,"
	"  version INTEGER NOT NULL,"
	"  digest BLOB NOT NULL" // of the wire form that raised it
	") STRICT, WITHOUT ROWID;"
	"CREATE TABLE manifest("
	"  seq INTEGER PRIMARY KEY AUTOINCREMENT,"
	"  id TEXT NOT NULL UNIQUE,"
	"  version INTEGER NOT NULL,"
	"  put_ms INTEGER NOT NULL,"
	"  not_before_ms INTEGER NOT NULL,"
	"  expires_ms INTEGER NOT NULL,"
	"  size INTEGER NOT NULL,"
	"  pad BLOB NOT NULL,"
	"  wire BLOB NOT NULL"
	") STRICT;"
	"CREATE TABLE change(one INTEGER PRIMARY KEY CHECK(one = 1), n INTEGER NOT NULL) STRICT;"
	"INSERT INTO change VALUES(1, 1);",
};

enum statement {
	FLOOR,
	RAISE,
	DROP,
	PUT,
	LIST,
	GET,
	CHANGED,
	CHANGE,
	STATEMENTS
};

static const char *const statements[STATEMENTS] = {
	[FLOOR] = "SELECT version, digest, (SELECT seq FROM manifest WHERE id = ?1) FROM floor "
		  "WHERE id = ?1",
	[RAISE] = "INSERT INTO floor(id, version, digest) VALUES(?1, ?2, ?3) "
		  "ON CONFLICT(id) DO UPDATE SET version = ?2, digest = ?3",
	[DROP] = "DELETE FROM manifest WHERE id = ?1",
	[PUT] = "INSERT INTO manifest(id, version, put_ms, not_before_ms, expires_ms, size, pad, "
		"wire) "
		"VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
	[LIST] =
		"SELECT m.id, m.version, m.put_ms, m.not_before_ms, m.expires_ms, m.size, f.digest "
		"FROM manifest m JOIN floor f ON f.id = m.id ORDER BY m.seq DESC LIMIT ?1",
	[GET] = "SELECT wire FROM manifest WHERE id = ?1",
	[CHANGED] = "UPDATE change SET n = n + 1",
	[CHANGE] = "SELECT n FROM change",
};

static const struct eg_db_schema schema = {
	.what = "manifests",
	.application_id = 0x45474d31, // "EGM1"
	.page_size = PAGE_SIZE,
	.migrations = migrations,
	.migration_count = sizeof(migrations) / sizeof(migrations[0]),
	.statements = statements,
	.statement_count = STATEMENTS,
};

struct eg_manifests {
	struct eg_db *db;
};

int eg_manifests_open(const char *path, struct eg_manifests **ret_manifests, struct eg_err *err)
{
	struct eg_manifests *manifests = eg_calloc(1, sizeof(*manifests));
	if (manifests == NULL)
		return eg_err_set(err, EG_ENOMEM, "%s: out of memory", path);
	int r = eg_db_open(path, &schema, &manifests->db, err);
	// A program may have been killed between an erasure and cutting the log.
	if (r == 0)
		(void)eg_db_flush(manifests->db);
	if (r != 0) {
		eg_manifests_close(manifests);
		return r;
	}
	*ret_manifests = manifests;
	return 0;
}

int eg_manifests_open_or_salvage(const char *path, const struct eg_clock *clock,
				 struct eg_manifests **ret_manifests, char *ret_text,
				 struct eg_err *err)
{
	static const struct eg_salvage_table tables[] = {
		{"floor", false}, {"manifest", true}, {"change", false}};
	struct eg_salvaged salvaged;
	ret_text[0] = '\0';
	int r = eg_manifests_open(path, ret_manifests, err);
	if (r != EG_ECORRUPT)
		return r;
	r = eg_db_salvage(path, &schema, tables, 3, NULL, NULL, eg_wall_ms(clock), &salvaged, err);
	if (r == 0)
		r = eg_manifests_open(path, ret_manifests, err);
	if (r == 0)
		(void)snprintf(ret_text, EG_ERR_TEXT_MAX,
			       "%.100s was damaged: %" PRIu64
			       " rows are saved%s; it is kept as %.200s",
			       path, salvaged.rows, salvaged.complete ? "" : ", others are lost",
			       salvaged.kept);
	return r;
}

bool eg_manifests_replaced(const struct eg_manifests *manifests)
{
	return eg_db_replaced(manifests->db);
}

static void flush_if_due(struct eg_manifests *manifests)
{
	if (eg_db_flush_due(manifests->db))
		(void)eg_db_flush(manifests->db); // stays due
}

void eg_manifests_close(struct eg_manifests *manifests)
{
	if (manifests == NULL)
		return;
	if (manifests->db != NULL)
		flush_if_due(manifests);
	eg_db_close(manifests->db);
	free(manifests);
}

static struct eg_db_query query_by_id(struct eg_manifests *manifests, enum statement statement,
				      const char *id)
{
	struct eg_db_query query = eg_db_query(manifests->db, statement);
	eg_db_bind_text(&query, 1, id);
	return query;
}

// 0: go on, 1: these very bytes are held, negative: refused.
static int check_floor(struct eg_manifests *manifests, const struct eg_statement *statement,
		       struct eg_bytes digest, struct eg_err *err)
{
	struct eg_db_query query = query_by_id(manifests, FLOOR, statement->id);
	int r = eg_db_step(&query, err);
	if (r == 1) {
		uint64_t floor = (uint64_t)eg_db_int(&query, 0);
		bool held = eg_db_int(&query, 2) != 0;
		if (statement->version < floor)
			r = eg_err_set(err, EG_ESTALE,
				       "manifest \"%s\": version %" PRIu64 " is older than %" PRIu64
				       ", which was here before: refused",
				       statement->id, statement->version, floor);
		else if (statement->version > floor)
			r = 0;
		else if (!eg_bytes_equal(eg_db_blob(&query, 1), digest))
			r = eg_err_set(err, EG_ECONFLICT,
				       "manifest \"%s\": there are two contents of version %" PRIu64
				       ": refused, the centre has to build a higher version",
				       statement->id, floor);
		else
			r = held ? 1 : 0;
	}
	eg_db_reset(&query);
	return r;
}

static int bump(struct eg_manifests *manifests, struct eg_err *err)
{
	struct eg_db_query query = eg_db_query(manifests->db, CHANGED);
	return eg_db_run(&query, NULL, err);
}

static int swap(struct eg_manifests *manifests, const struct eg_statement *statement,
		struct eg_bytes wire, struct eg_bytes digest, int64_t wall_ms, struct eg_err *err)
{
	struct eg_db_query raise = query_by_id(manifests, RAISE, statement->id);
	eg_db_bind_int(&raise, 2, (int64_t)statement->version);
	eg_db_bind_blob(&raise, 3, digest);
	int r = eg_db_run(&raise, NULL, err);
	if (r != 0)
		return r;
	struct eg_db_query drop = query_by_id(manifests, DROP, statement->id);
	r = eg_db_run(&drop, NULL, err);
	if (r != 0)
		return r;
	struct eg_db_query put = query_by_id(manifests, PUT, statement->id);
	eg_db_bind_int(&put, 2, (int64_t)statement->version);
	eg_db_bind_int(&put, 3, wall_ms);
	eg_db_bind_int(&put, 4, statement->not_before_ms);
	eg_db_bind_int(&put, 5, statement->expires_ms);
	eg_db_bind_int(&put, 6, (int64_t)wire.size);
	eg_db_bind_zeroes(&put, 7, PAD);
	eg_db_bind_blob(&put, 8, wire);
	r = eg_db_run(&put, NULL, err);
	return r != 0 ? r : bump(manifests, err);
}

// Ends the transaction that `r` came out of, and clears the log of what was dropped.
static int finish(struct eg_manifests *manifests, int r, struct eg_err *err)
{
	if (r != 0) {
		eg_db_rollback(manifests->db);
		return r;
	}
	r = eg_db_commit(manifests->db, err);
	if (r == 0)
		(void)eg_db_flush(manifests->db); // stays due when it cannot be now
	return r;
}

int eg_manifests_put(struct eg_manifests *manifests, const struct eg_statement *statement,
		     struct eg_bytes wire, int64_t wall_ms, struct eg_err *err)
{
	uint8_t sum[EG_SHA256_SIZE];
	struct eg_bytes digest = EG_BYTES(sum, sizeof(sum));
	if (wire.size == 0 || wire.size > EG_MANIFEST_MAX || statement->version == 0 ||
	    statement->version >= (uint64_t)INT64_MAX)
		return eg_err_set(err, EG_EINVAL,
				  "manifest \"%s\": %zu bytes of version %" PRIu64
				  ": size or version is out of range",
				  statement->id, wire.size, statement->version);
	int r = eg_sha256(wire, sum);
	if (r != 0)
		return eg_err_set(err, r, "manifest \"%s\": digest: %s", statement->id,
				  eg_code_name(r));
	r = eg_db_begin(manifests->db, err);
	if (r != 0)
		return r;
	r = check_floor(manifests, statement, digest, err);
	if (r == 1) {
		eg_db_rollback(manifests->db);
		return 0;
	}
	if (r == 0)
		r = swap(manifests, statement, wire, digest, wall_ms, err);
	return finish(manifests, r, err);
}

static int copy_name(const struct eg_db_query *row, char name[EG_NAME_MAX], struct eg_err *err)
{
	const char *id = eg_db_text(row, 0);
	size_t length = strlen(id);
	if (length >= EG_NAME_MAX)
		return eg_err_set(err, EG_ECORRUPT, "manifests: a name of %zu bytes", length);
	memcpy(name, id, length + 1);
	return 0;
}

int eg_manifests_list(struct eg_manifests *manifests, struct eg_manifest_held *ret_held, size_t max,
		      size_t *ret_count, struct eg_err *err)
{
	size_t count = 0;
	int r = 0;
	flush_if_due(manifests);
	struct eg_db_query query = eg_db_query(manifests->db, LIST);
	eg_db_bind_int(&query, 1, max < INT32_MAX ? (int64_t)max : INT32_MAX);
	while (count < max && (r = eg_db_step(&query, err)) == 1) {
		struct eg_manifest_held *held = &ret_held[count];
		r = copy_name(&query, held->id, err);
		if (r != 0)
			break;
		held->version = (uint64_t)eg_db_int(&query, 1);
		held->put_ms = eg_db_int(&query, 2);
		held->not_before_ms = eg_db_int(&query, 3);
		held->expires_ms = eg_db_int(&query, 4);
		held->bytes = (uint64_t)eg_db_int(&query, 5);
		struct eg_bytes digest = eg_db_blob(&query, 6);
		if (digest.size != sizeof(held->digest)) {
			r = eg_err_set(err, EG_ECORRUPT, "manifest \"%s\" has no digest", held->id);
			break;
		}
		memcpy(held->digest, digest.data, sizeof(held->digest));
		count++;
	}
	eg_db_reset(&query);
	if (r < 0)
		return r;
	*ret_count = count;
	return 0;
}

int eg_manifests_get(struct eg_manifests *manifests, const char *id, struct eg_buf *wire,
		     struct eg_err *err)
{
	struct eg_db_query query = query_by_id(manifests, GET, id);
	int r = eg_db_step(&query, err);
	if (r == 1) {
		struct eg_bytes bytes = eg_db_blob(&query, 0);
		r = eg_buf_put(wire, bytes.data, bytes.size);
		if (r != 0)
			r = eg_err_set(err, r, "manifest \"%s\" of %zu bytes: %s", id, bytes.size,
				       eg_code_name(r));
	} else if (r == 0) {
		r = eg_err_set(err, EG_ENOENT, "manifest \"%s\" is not held here", id);
	}
	eg_db_reset(&query);
	return r;
}

int eg_manifests_erase(struct eg_manifests *manifests, const char *id, struct eg_err *err)
{
	int64_t changed = 0;
	int r = eg_db_begin(manifests->db, err);
	if (r != 0)
		return r;
	struct eg_db_query drop = query_by_id(manifests, DROP, id);
	r = eg_db_run(&drop, &changed, err);
	if (r == 0 && changed == 0)
		r = eg_err_set(err, EG_ENOENT, "manifest \"%s\" is not held here", id);
	if (r == 0)
		r = bump(manifests, err);
	return finish(manifests, r, err);
}

int eg_manifests_change(struct eg_manifests *manifests, uint64_t *ret_change, struct eg_err *err)
{
	struct eg_db_query query = eg_db_query(manifests->db, CHANGE);
	int r = eg_db_step(&query, err);
	uint64_t change = r == 1 ? (uint64_t)eg_db_int(&query, 0) : 0;
	eg_db_reset(&query);
	if (r == 0)
		return eg_err_set(err, EG_ECORRUPT, "manifests: the row that counts is missing");
	if (r < 0)
		return r;
	*ret_change = change;
	return 0;
}
