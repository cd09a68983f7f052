// SPDX-License-Identifier: Apache-2.0
//
// records.db's schema and statements, as constant tables.
//
// An envelope's bytes have to be in one place only, or they cannot be erased. SQLite moves the part
// of a row that lies in the tree's own page when it balances the tree, and may leave a copy behind;
// what lies in overflow pages never moves and is zeroed whole when it is freed. `pad` fills the
// part in the tree's page, so that all of `body` lies in overflow pages.
//
// Thread: constant.

#include "store/records_internal.h"

static const char *const records_migrations[] = {
	// 0 → 1
	"CREATE TABLE item("
	"  seq INTEGER PRIMARY KEY AUTOINCREMENT,"
	"  id BLOB NOT NULL UNIQUE CHECK(length(id) = 16),"
	"  digest BLOB NOT NULL CHECK(length(digest) = 32),"
	"  size INTEGER NOT NULL,"
	"  put_ms INTEGER NOT NULL,"
	"  dead INTEGER NOT NULL DEFAULT 0 CHECK(dead IN (0, 1)),"
	"  retry_ms INTEGER NOT NULL DEFAULT 0," // 0: not put off
	"  attempts INTEGER NOT NULL DEFAULT 0,"
	"  sentence TEXT NOT NULL DEFAULT ''"
	") STRICT;"
	"CREATE INDEX item_age ON item(dead, put_ms);"
	"CREATE INDEX item_ready ON item(put_ms) WHERE dead = 0 AND retry_ms = 0;"
	"CREATE INDEX item_retry ON item(retry_ms) WHERE dead = 0;"
	"CREATE TABLE envelope("
	"  seq INTEGER PRIMARY KEY REFERENCES item(seq),"
	"  pad BLOB NOT NULL,"
	"  body BLOB NOT NULL"
	") STRICT;"
	"CREATE TABLE receipt("
	"  id BLOB PRIMARY KEY,"
	"  digest BLOB NOT NULL,"
	"  received_ms INTEGER NOT NULL," // the centre's clock
	"  erased_ms INTEGER NOT NULL"	  // ours
	") STRICT, WITHOUT ROWID;"
	// Counted as it changes: counting 100,000 rows at every put would not be flat.
	"CREATE TABLE tally("
	"  one INTEGER PRIMARY KEY CHECK(one = 1),"
	"  queued INTEGER NOT NULL, dead INTEGER NOT NULL,"
	"  acknowledged INTEGER NOT NULL, bytes INTEGER NOT NULL"
	") STRICT;"
	"INSERT INTO tally VALUES(1, 0, 0, 0, 0);"
	"CREATE TRIGGER item_put AFTER INSERT ON item BEGIN"
	"  UPDATE tally SET queued = queued + 1, bytes = bytes + NEW.size;"
	"END;"
	"CREATE TRIGGER item_gone AFTER DELETE ON item BEGIN"
	"  UPDATE tally SET queued = queued - (1 - OLD.dead), dead = dead - OLD.dead,"
	"    bytes = bytes - (1 - OLD.dead) * OLD.size;"
	"END;"
	"CREATE TRIGGER item_moved AFTER UPDATE OF dead ON item BEGIN"
	"  UPDATE tally SET queued = queued + OLD.dead - NEW.dead,"
	"    dead = dead + NEW.dead - OLD.dead,"
	"    bytes = bytes + (OLD.dead - NEW.dead) * NEW.size;"
	"END;"
	"CREATE TRIGGER receipt_put AFTER INSERT ON receipt BEGIN"
	"  UPDATE tally SET acknowledged = acknowledged + 1;"
	"END;",
	// 1 → 2: the audit chain
	"CREATE TABLE audit(seq INTEGER PRIMARY KEY, entry BLOB NOT NULL) STRICT;"
	"CREATE TABLE audit_head("
	"  one INTEGER PRIMARY KEY CHECK(one = 1),"
	"  count INTEGER NOT NULL, digest BLOB NOT NULL" // of the last entry
	") STRICT;"
	"INSERT INTO audit_head VALUES(1, 0, zeroblob(32));"
	"CREATE TABLE audit_signed("
	"  count INTEGER PRIMARY KEY,"
	"  digest BLOB NOT NULL,"
	"  message BLOB NOT NULL," // signed by the booth
	"  receipt BLOB"	   // and by the centre
	") STRICT;",
	// 2 → 3: retention. born_ms is booth time; `whole`: digest before the image was dropped.
	"ALTER TABLE item ADD COLUMN class INTEGER NOT NULL DEFAULT 4;"
	"ALTER TABLE item ADD COLUMN born_ms INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE item ADD COLUMN image INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE item ADD COLUMN whole BLOB;"
	"CREATE INDEX item_image ON item(class, born_ms) WHERE image = 1;"
	"CREATE TRIGGER item_shrunk AFTER UPDATE OF size ON item BEGIN"
	"  UPDATE tally SET bytes = bytes + (1 - NEW.dead) * (NEW.size - OLD.size);"
	"END;"
	"ALTER TABLE receipt ADD COLUMN class INTEGER NOT NULL DEFAULT 4;"
	"ALTER TABLE receipt ADD COLUMN born_ms INTEGER NOT NULL DEFAULT 0;"
	"CREATE INDEX receipt_born ON receipt(class, born_ms);"
	"CREATE TABLE clock("
	"  one INTEGER PRIMARY KEY CHECK(one = 1),"
	"  boot BLOB NOT NULL, boot_ms INTEGER NOT NULL, wall_ms INTEGER NOT NULL,"
	"  wall_max_ms INTEGER NOT NULL, max_at_ms INTEGER NOT NULL, now_ms INTEGER NOT NULL"
	") STRICT;"
	"INSERT INTO clock VALUES(1, x'', 0, 0, 0, 0, 0);"
	"CREATE TABLE hold("
	"  id BLOB PRIMARY KEY,"
	"  encounter BLOB NOT NULL,"
	"  reason INTEGER NOT NULL,"
	"  first BLOB NOT NULL, second BLOB NOT NULL CHECK(first <> second),"
	"  until_ms INTEGER NOT NULL" // booth time
	") STRICT, WITHOUT ROWID;"
	"CREATE INDEX hold_encounter ON hold(encounter);"
	"CREATE TABLE policy("
	"  one INTEGER PRIMARY KEY CHECK(one = 1),"
	"  version INTEGER NOT NULL, digest BLOB NOT NULL, wire BLOB NOT NULL"
	") STRICT;",
	// 3 → 4: counts by group (counts.h). Weeks begin at week_ms.
	"CREATE TABLE counts("
	"  week_ms INTEGER NOT NULL, axis INTEGER NOT NULL, grp INTEGER NOT NULL,"
	"  measure INTEGER NOT NULL, n INTEGER NOT NULL,"
	"  PRIMARY KEY(week_ms, axis, grp, measure)"
	") STRICT, WITHOUT ROWID;"
	"CREATE TABLE counted("
	"  week_ms INTEGER NOT NULL, manifest TEXT NOT NULL, PRIMARY KEY(week_ms, manifest)"
	") STRICT, WITHOUT ROWID;",
};

// INDEXED BY, because without statistics the planner takes item_age for all of them.
const char *const eg_records_statements[RECORDS_STATEMENTS] = {
	[RECORDS_KNOWN] = "SELECT 1 FROM item WHERE id = ?1 UNION ALL "
			  "SELECT 2 FROM receipt WHERE id = ?1",
	[RECORDS_PUT_ITEM] = "INSERT INTO item(id, digest, size, put_ms, class, born_ms, "
			     "image) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7)",
	[RECORDS_PUT_ENVELOPE] = "INSERT INTO envelope(seq, pad, body) "
				 "SELECT seq, ?2, ?3 FROM item WHERE id = ?1",
	[RECORDS_LIVE] = "SELECT seq FROM item INDEXED BY item_ready WHERE dead = 0 "
			 "AND retry_ms = 0 AND put_ms > ?1 ORDER BY put_ms DESC, seq DESC LIMIT 1",
	[RECORDS_DUE] = "SELECT seq FROM item INDEXED BY item_retry WHERE dead = 0 "
			"AND retry_ms BETWEEN 1 AND ?1 ORDER BY retry_ms, seq LIMIT 1",
	[RECORDS_FAR] = "SELECT seq FROM item INDEXED BY item_retry WHERE dead = 0 "
			"AND retry_ms > ?1 ORDER BY retry_ms, seq LIMIT 1",
	[RECORDS_OLDEST] = "SELECT seq FROM item INDEXED BY item_ready WHERE dead = 0 "
			   "AND retry_ms = 0 ORDER BY put_ms, seq LIMIT 1",
	[RECORDS_WHEN] = "SELECT retry_ms FROM item INDEXED BY item_retry WHERE dead = 0 "
			 "AND retry_ms >= 1 ORDER BY retry_ms LIMIT 1",
	[RECORDS_FETCH] = "SELECT item.id, item.digest, item.put_ms, item.attempts, envelope.body, "
			  "coalesce(item.whole, item.digest) "
			  "FROM item LEFT JOIN envelope ON envelope.seq = item.seq "
			  "WHERE item.seq = ?1",
	// For what was saved out of a damaged file.
	[RECORDS_ORPHAN] = "SELECT seq, body FROM envelope WHERE seq > ?1 "
			   "AND seq NOT IN (SELECT seq FROM item) ORDER BY seq LIMIT 1",
	[RECORDS_ADOPT] = "INSERT INTO item(seq, id, digest, size, put_ms, class, born_ms, image) "
			  "VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
	[RECORDS_DROP_ORPHANS] = "DELETE FROM envelope WHERE seq NOT IN (SELECT seq FROM item)",
	[RECORDS_DROP_EMPTY] = "DELETE FROM item WHERE size > 0 "
			       "AND seq NOT IN (SELECT seq FROM envelope)",
	[RECORDS_AUDIT_LAST] = "SELECT seq, entry FROM audit ORDER BY seq DESC LIMIT 1",
	[RECORDS_GET] = "SELECT envelope.body FROM item JOIN envelope ON envelope.seq = item.seq "
			"WHERE item.id = ?1",
	[RECORDS_FIND] = "SELECT digest, coalesce(whole, digest) FROM item WHERE id = ?1",
	[RECORDS_PUT_RECEIPT] = "INSERT INTO receipt(id, digest, received_ms, erased_ms, class, "
				"born_ms) SELECT ?1, ?2, ?3, ?4, class, ?5 FROM item WHERE id = ?1",
	[RECORDS_DROP_ENVELOPE] = "DELETE FROM envelope "
				  "WHERE seq = (SELECT seq FROM item WHERE id = ?1)",
	[RECORDS_DROP_ITEM] = "DELETE FROM item WHERE id = ?1",
	[RECORDS_RETRY] = "UPDATE item SET retry_ms = max(1, ?2), attempts = attempts + 1, "
			  "sentence = ?3 WHERE id = ?1 AND dead = 0",
	[RECORDS_BURY] = "UPDATE item SET dead = 1, retry_ms = 0, attempts = attempts + 1, "
			 "sentence = ?2 WHERE id = ?1 AND dead = 0",
	[RECORDS_RESEND] = "UPDATE item SET dead = 0, retry_ms = 0, attempts = 0 "
			   "WHERE id = ?1 AND dead = 1",
	[RECORDS_FACTS] = "SELECT queued, dead, acknowledged, bytes, coalesce((SELECT put_ms "
			  "FROM item WHERE item.dead = 0 ORDER BY put_ms LIMIT 1), 0) FROM tally",
	[RECORDS_LIST] = "SELECT id, dead, put_ms, retry_ms, attempts, size, sentence FROM item "
			 "ORDER BY dead, put_ms, seq",
	[RECORDS_AUDIT_HEAD] = "SELECT count, digest FROM audit_head",
	[RECORDS_AUDIT_PUT] = "INSERT INTO audit(seq, entry) VALUES(?1, ?2)",
	[RECORDS_AUDIT_GROW] = "UPDATE audit_head SET count = ?1, digest = ?2",
	[RECORDS_AUDIT_LIST] = "SELECT seq, entry FROM audit WHERE seq BETWEEN ?1 AND ?2 "
			       "ORDER BY seq",
	[RECORDS_AUDIT_NEWEST] = "SELECT count, message, receipt IS NOT NULL FROM audit_signed "
				 "ORDER BY count DESC LIMIT 1",
	[RECORDS_AUDIT_SIGNED] = "INSERT INTO audit_signed(count, digest, message) "
				 "VALUES(?1, ?2, ?3)",
	// While the link is down: the newest ones say all that the older did.
	[RECORDS_AUDIT_TRIM] = "DELETE FROM audit_signed WHERE receipt IS NULL AND count < "
			       "(SELECT count FROM audit_signed ORDER BY count DESC LIMIT 1 "
			       "OFFSET ?1)",
	[RECORDS_AUDIT_KEPT] = "SELECT digest FROM audit_signed WHERE count = ?1",
	[RECORDS_AUDIT_RECEIPT] = "UPDATE audit_signed SET receipt = ?2 WHERE count = ?1",
	[RECORDS_AUDIT_FORGET] = "DELETE FROM audit_signed WHERE count < ?1",
	[RECORDS_AUDIT_HEADS] = "SELECT count, digest, message, receipt FROM audit_signed "
				"ORDER BY count DESC LIMIT ?1",
	[RECORDS_CLOCK] =
		"SELECT boot, boot_ms, wall_ms, wall_max_ms, max_at_ms, now_ms FROM clock",
	[RECORDS_SET_CLOCK] = "UPDATE clock SET boot = ?1, boot_ms = ?2, wall_ms = ?3, "
			      "wall_max_ms = ?4, max_at_ms = ?5, now_ms = ?6",
	[RECORDS_IMAGE_DUE] = "SELECT item.seq, item.id, item.digest, envelope.body "
			      "FROM item INDEXED BY item_image LEFT JOIN envelope "
			      "ON envelope.seq = item.seq WHERE image = 1 AND class = ?1 "
			      "AND born_ms <= ?2 AND NOT EXISTS (SELECT 1 FROM hold "
			      "WHERE hold.encounter = item.id AND until_ms > ?3) "
			      "ORDER BY born_ms LIMIT 1",
	[RECORDS_SHRINK] = "UPDATE item SET whole = digest, digest = ?2, size = ?3, image = 0 "
			   "WHERE seq = ?1",
	[RECORDS_DROP_RECEIPTS] = "DELETE FROM receipt WHERE class = ?1 AND born_ms <= ?2",
	[RECORDS_HOLD_PUT] = "INSERT INTO hold SELECT ?1, ?2, ?3, ?4, ?5, ?6 FROM item "
			     "WHERE id = ?2 AND image = 1",
	[RECORDS_HOLD_FIND] = "SELECT id, encounter, reason, first, second, until_ms FROM hold "
			      "WHERE id = ?1",
	[RECORDS_HOLD_DROP] = "DELETE FROM hold WHERE id = ?1",
	[RECORDS_HOLD_OVER] = "SELECT id, encounter, reason, first, second, until_ms FROM hold "
			      "WHERE until_ms <= ?1 LIMIT 1",
	[RECORDS_HOLD_LIST] = "SELECT id, encounter, reason, first, second, until_ms, "
			      "(SELECT now_ms FROM clock) FROM hold",
	[RECORDS_POLICY] = "SELECT version, digest, wire FROM policy",
	[RECORDS_PUT_POLICY] = "INSERT INTO policy VALUES(1, ?1, ?2, ?3) ON CONFLICT(one) "
			       "DO UPDATE SET version = ?1, digest = ?2, wire = ?3",
	[RECORDS_COUNT] = "INSERT INTO counts VALUES(?1, ?2, ?3, ?4, ?5) "
			  "ON CONFLICT DO UPDATE SET n = n + excluded.n",
	[RECORDS_COUNT_MANIFEST] = "INSERT INTO counted VALUES(?1, ?2) ON CONFLICT DO NOTHING",
	[RECORDS_COUNTS] = "SELECT week_ms, axis, grp, measure, n FROM counts "
			   "WHERE week_ms >= ?1 AND week_ms < ?2 ORDER BY week_ms",
	[RECORDS_DROP_COUNTS] = "DELETE FROM counts WHERE week_ms < ?1",
	[RECORDS_DROP_COUNTED] = "DELETE FROM counted WHERE week_ms < ?1",
};

const struct eg_db_schema eg_records_schema = {
	.what = "records",
	.application_id = 0x45475231, // "EGR1"
	.page_size = RECORDS_PAGE_SIZE,
	.migrations = records_migrations,
	.migration_count = sizeof(records_migrations) / sizeof(records_migrations[0]),
	.statements = eg_records_statements,
	.statement_count = RECORDS_STATEMENTS,
};
