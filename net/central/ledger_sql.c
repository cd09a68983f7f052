// SPDX-License-Identifier: Apache-2.0
//
// The ledger's schema and statements, as constant tables. Plain SQL that PostgreSQL knows too,
// where there is a choice.
//
// A manifest lies in pieces, so that a download never holds more than one piece in memory. An
// envelope lies in a table of its own, so that lists do not walk through them.
//
// Thread: constant.

#include "net/central/ledger_internal.h"

#define APPLICATION_ID 0x45674365 // "EgCe"

static const char *const migrations[] = {
	// 0 → 1
	"CREATE TABLE booth("
	"  id TEXT PRIMARY KEY,"
	"  made_ms INTEGER NOT NULL,"
	"  revoked_ms INTEGER NOT NULL DEFAULT 0," // 0: not
	"  keys_open INTEGER NOT NULL DEFAULT 0,"  // may send its keys
	"  heartbeat BLOB NOT NULL DEFAULT x'',"
	"  heartbeat_ms INTEGER NOT NULL DEFAULT 0"
	") STRICT, WITHOUT ROWID;"
	"CREATE TABLE token("
	"  hash BLOB PRIMARY KEY CHECK(length(hash) = 32),"
	"  booth TEXT NOT NULL REFERENCES booth(id),"
	"  made_ms INTEGER NOT NULL,"
	"  expires_ms INTEGER NOT NULL,"
	"  used_ms INTEGER NOT NULL DEFAULT 0," // 0: not yet
	"  certificate BLOB"			// digest of what it got
	") STRICT, WITHOUT ROWID;"
	"CREATE INDEX token_booth ON token(booth);"
	"CREATE TABLE certificate("
	"  digest BLOB PRIMARY KEY CHECK(length(digest) = 32),"
	"  serial BLOB NOT NULL UNIQUE CHECK(length(serial) = 16),"
	"  booth TEXT NOT NULL REFERENCES booth(id),"
	"  pub BLOB NOT NULL UNIQUE CHECK(length(pub) = 65)," // no key is certified twice
	"  from_ms INTEGER NOT NULL,"
	"  end_ms INTEGER NOT NULL,"
	"  issued_ms INTEGER NOT NULL,"
	"  revoked_ms INTEGER NOT NULL DEFAULT 0,"
	"  der BLOB NOT NULL"
	") STRICT, WITHOUT ROWID;"
	"CREATE INDEX certificate_booth ON certificate(booth, end_ms);"
	"CREATE TABLE booth_keys("
	"  seq INTEGER PRIMARY KEY AUTOINCREMENT,"
	"  booth TEXT NOT NULL REFERENCES booth(id),"
	"  at_ms INTEGER NOT NULL,"
	"  body BLOB NOT NULL"
	") STRICT;"
	"CREATE INDEX booth_keys_booth ON booth_keys(booth, seq);"
	"CREATE TABLE person("
	"  id TEXT PRIMARY KEY,"
	"  surname TEXT NOT NULL, given TEXT NOT NULL, birth TEXT NOT NULL,"
	"  citizenship INTEGER NOT NULL CHECK(citizenship BETWEEN 1 AND 4),"
	"  document TEXT NOT NULL, issuer TEXT NOT NULL,"
	"  at_ms INTEGER NOT NULL"
	") STRICT, WITHOUT ROWID;"
	"CREATE TABLE booking("
	"  flight TEXT NOT NULL,"
	"  person TEXT NOT NULL REFERENCES person(id),"
	"  pnr TEXT NOT NULL, sequence TEXT NOT NULL,"
	"  PRIMARY KEY(flight, person)"
	") STRICT, WITHOUT ROWID;"
	"CREATE TABLE photo("
	"  person TEXT NOT NULL REFERENCES person(id),"
	"  source INTEGER NOT NULL CHECK(source BETWEEN 1 AND 3),"
	"  year INTEGER NOT NULL,"
	"  jpeg BLOB NOT NULL,"
	"  PRIMARY KEY(person, source, year)"
	") STRICT;"
	"CREATE TABLE manifest("
	"  seq INTEGER PRIMARY KEY AUTOINCREMENT,"
	"  id TEXT NOT NULL, booth TEXT NOT NULL REFERENCES booth(id),"
	"  version INTEGER NOT NULL CHECK(version > 0),"
	"  flight TEXT NOT NULL,"
	"  not_before_ms INTEGER NOT NULL, expires_ms INTEGER NOT NULL,"
	"  published_ms INTEGER NOT NULL,"
	"  travellers INTEGER NOT NULL, length INTEGER NOT NULL,"
	"  digest BLOB NOT NULL CHECK(length(digest) = 32),"
	"  UNIQUE(booth, id, version)"
	") STRICT;"
	"CREATE TABLE manifest_piece("
	"  manifest INTEGER NOT NULL REFERENCES manifest(seq),"
	"  n INTEGER NOT NULL,"
	"  body BLOB NOT NULL,"
	"  PRIMARY KEY(manifest, n)"
	") STRICT;"
	"CREATE TABLE encounter("
	"  seq INTEGER PRIMARY KEY AUTOINCREMENT,"
	"  id BLOB NOT NULL UNIQUE CHECK(length(id) = 16),"
	"  booth TEXT NOT NULL REFERENCES booth(id),"
	"  received_ms INTEGER NOT NULL,"
	"  size INTEGER NOT NULL,"
	"  digest BLOB NOT NULL CHECK(length(digest) = 32),"
	"  ack BLOB NOT NULL"
	") STRICT;"
	"CREATE INDEX encounter_booth ON encounter(booth);"
	"CREATE TABLE envelope("
	"  encounter INTEGER PRIMARY KEY REFERENCES encounter(seq),"
	"  body BLOB NOT NULL"
	") STRICT;"
	"CREATE TABLE alarm("
	"  seq INTEGER PRIMARY KEY AUTOINCREMENT,"
	"  at_ms INTEGER NOT NULL,"
	"  kind INTEGER NOT NULL,"
	"  booth TEXT NOT NULL,"
	"  subject TEXT NOT NULL"
	") STRICT;",

	// 1 → 2
	"CREATE TABLE audit_head("
	"  booth TEXT NOT NULL REFERENCES booth(id),"
	"  enrolled_ms INTEGER NOT NULL," // a new enrolment may begin a new chain
	"  count INTEGER NOT NULL CHECK(count > 0),"
	"  digest BLOB NOT NULL CHECK(length(digest) = 32),"
	"  at_ms INTEGER NOT NULL,"
	"  receipt BLOB NOT NULL,"
	"  PRIMARY KEY(booth, enrolled_ms)"
	") STRICT, WITHOUT ROWID;"
	"CREATE TABLE policy("
	"  version INTEGER PRIMARY KEY CHECK(version > 0),"
	"  signed_ms INTEGER NOT NULL,"
	"  body BLOB NOT NULL"
	") STRICT;",
	// 2 → 3: groups that accuracy is counted by, and the booths' counts
	"ALTER TABLE person ADD COLUMN sex INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE person ADD COLUMN region INTEGER NOT NULL DEFAULT 0;"
	"CREATE TABLE counts("
	"  booth TEXT NOT NULL REFERENCES booth(id),"
	"  week_ms INTEGER NOT NULL,"
	"  at_ms INTEGER NOT NULL,"
	"  body BLOB NOT NULL,"
	"  PRIMARY KEY(booth, week_ms)"
	") STRICT, WITHOUT ROWID;",
	// 3 → 4: officers' decisions beside the encounters (enum eg_envelope_kind)
	"ALTER TABLE encounter ADD COLUMN kind INTEGER NOT NULL DEFAULT 2;",
};

#define MANIFEST_COLUMNS                                                                     \
	"seq, id, booth, flight, version, length, not_before_ms, expires_ms, published_ms, " \
	"travellers, digest"

static const char *const statements[LEDGER_STATEMENTS] = {
	[LEDGER_PUT_BOOTH] = "INSERT INTO booth(id, made_ms) VALUES(?1, ?2) "
			     "ON CONFLICT(id) DO NOTHING",
	[LEDGER_FIND_BOOTH] = "SELECT revoked_ms FROM booth WHERE id = ?1",
	[LEDGER_VOID_TOKENS] = "DELETE FROM token WHERE booth = ?1 AND used_ms = 0",
	[LEDGER_PUT_TOKEN] = "INSERT INTO token(hash, booth, made_ms, expires_ms) "
			     "VALUES(?1, ?2, ?3, ?4)",
	[LEDGER_FIND_TOKEN] = "SELECT t.booth, t.expires_ms, t.used_ms, c.pub, c.der, "
			      "  coalesce(c.revoked_ms, 0) "
			      "FROM token t LEFT JOIN certificate c ON c.digest = t.certificate "
			      "WHERE t.hash = ?1",
	[LEDGER_USE_TOKEN] = "UPDATE token SET used_ms = ?3, certificate = ?4 "
			     "WHERE hash = ?1 AND booth = ?2 AND used_ms = 0 AND expires_ms > ?3",
	[LEDGER_REVOKE_CERTIFICATES] = "UPDATE certificate SET revoked_ms = ?2 "
				       "WHERE booth = ?1 AND revoked_ms = 0",
	[LEDGER_PUT_CERTIFICATE] =
		"INSERT INTO certificate(digest, serial, booth, pub, from_ms, end_ms, issued_ms, "
		"der) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
	[LEDGER_FIND_CERTIFICATE] =
		"SELECT c.booth, c.serial, c.pub, c.from_ms, c.end_ms, "
		"  c.revoked_ms <> 0 OR b.revoked_ms <> 0 "
		"FROM certificate c JOIN booth b ON b.id = c.booth WHERE c.digest = ?1",
	[LEDGER_KNOWN_KEY] = "SELECT booth, revoked_ms, der FROM certificate WHERE pub = ?1",
	[LEDGER_OPEN_BOOTH] = "UPDATE booth SET revoked_ms = 0, keys_open = 1 WHERE id = ?1",
	[LEDGER_REVOKE_BOOTH] = "UPDATE booth SET revoked_ms = ?2, keys_open = 0 WHERE id = ?1",
	[LEDGER_KEYS_STATE] = "SELECT keys_open FROM booth WHERE id = ?1",
	[LEDGER_PUT_KEYS] = "INSERT INTO booth_keys(booth, at_ms, body) VALUES(?1, ?2, ?3)",
	[LEDGER_KEYS_SENT] = "UPDATE booth SET keys_open = 0 WHERE id = ?1",
	[LEDGER_GET_KEYS] = "SELECT body FROM booth_keys WHERE booth = ?1 "
			    "ORDER BY seq DESC LIMIT 1 OFFSET ?2",
	[LEDGER_PUT_HEARTBEAT] = "UPDATE booth SET heartbeat = ?2, heartbeat_ms = ?3 "
				 "WHERE id = ?1",
	[LEDGER_LIST_BOOTHS] = "SELECT id, revoked_ms, heartbeat_ms, heartbeat, "
			       "  coalesce((SELECT max(end_ms) FROM certificate c "
			       "    WHERE c.booth = b.id AND c.revoked_ms = 0), 0), "
			       "  EXISTS(SELECT 1 FROM booth_keys k WHERE k.booth = b.id), "
			       "  (SELECT count(*) FROM encounter e WHERE e.booth = b.id "
			       "    AND e.kind = 2) "
			       "FROM booth b ORDER BY id",
	[LEDGER_PUT_PERSON] =
		"INSERT INTO person(id, surname, given, birth, citizenship, document, issuer, "
		"at_ms, sex, region) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10) "
		"ON CONFLICT(id) DO UPDATE SET sex = excluded.sex, region = excluded.region, "
		"surname = excluded.surname, given = excluded.given, birth = excluded.birth, "
		"citizenship = excluded.citizenship, document = excluded.document, "
		"issuer = excluded.issuer, at_ms = excluded.at_ms",
	[LEDGER_PUT_BOOKING] =
		"INSERT INTO booking(flight, person, pnr, sequence) VALUES(?1, ?2, ?3, ?4) "
		"ON CONFLICT(flight, person) DO UPDATE SET "
		"pnr = excluded.pnr, sequence = excluded.sequence",
	[LEDGER_PUT_PHOTO] = "INSERT INTO photo(person, source, year, jpeg) VALUES(?1, ?2, ?3, ?4) "
			     "ON CONFLICT(person, source, year) DO UPDATE SET jpeg = excluded.jpeg",
	[LEDGER_LIST_TRAVELLERS] =
		"SELECT p.id, p.surname, p.given, p.birth, p.citizenship, p.document, p.issuer, "
		"b.flight, b.pnr, b.sequence, p.sex, p.region FROM booking b JOIN person p ON p.id "
		"= b.person "
		"WHERE b.flight = ?1 ORDER BY p.id",
	[LEDGER_LIST_PHOTOS] = "SELECT source, year, jpeg FROM photo WHERE person = ?1 "
			       "ORDER BY year DESC, source LIMIT ?2",
	[LEDGER_LAST_VERSION] = "SELECT coalesce(max(version), 0) FROM manifest "
				"WHERE booth = ?2 AND id = ?1",
	[LEDGER_DROP_PIECES] = "DELETE FROM manifest_piece WHERE manifest IN "
			       "(SELECT seq FROM manifest WHERE booth = ?2 AND id = ?1)",
	[LEDGER_PUT_MANIFEST] =
		"INSERT INTO manifest(id, booth, flight, version, length, not_before_ms, "
		"expires_ms, published_ms, travellers, digest) "
		"VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
	[LEDGER_MANIFEST_SEQ] = "SELECT seq FROM manifest "
				"WHERE booth = ?2 AND id = ?1 AND version = ?3",
	[LEDGER_PUT_PIECE] = "INSERT INTO manifest_piece(manifest, n, body) VALUES(?1, ?2, ?3)",
	[LEDGER_LIST_MANIFESTS] =
		"SELECT " MANIFEST_COLUMNS " FROM manifest m "
		"WHERE (?1 = '' OR booth = ?1) AND expires_ms > ?2 AND version = "
		"(SELECT max(version) FROM manifest n WHERE n.booth = m.booth AND n.id = m.id) "
		"ORDER BY expires_ms, id, booth",
	[LEDGER_FIND_MANIFEST] = "SELECT " MANIFEST_COLUMNS " FROM manifest "
				 "WHERE booth = ?2 AND id = ?1 ORDER BY version DESC LIMIT 1",
	[LEDGER_GET_PIECE] = "SELECT body FROM manifest_piece WHERE manifest = ?1 AND n = ?2",
	[LEDGER_FIND_ENCOUNTER] = "SELECT booth, digest, received_ms, size, ack FROM encounter "
				  "WHERE id = ?1",
	[LEDGER_PUT_ENCOUNTER] = "INSERT INTO encounter(id, booth, received_ms, size, digest, "
				 "ack, kind) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7) "
				 "ON CONFLICT(id) DO NOTHING",
	[LEDGER_PUT_ENVELOPE] = "INSERT INTO envelope(encounter, body) "
				"SELECT seq, ?2 FROM encounter WHERE id = ?1",
	[LEDGER_LIST_ENCOUNTERS] = "SELECT id, booth, digest, received_ms, size, seq, kind "
				   "FROM encounter WHERE ?1 = 0 OR kind = ?1 ORDER BY seq",
	[LEDGER_GET_ENVELOPE] = "SELECT body FROM envelope WHERE encounter = ?1",
	[LEDGER_ENVELOPE_OF] = "SELECT body FROM envelope WHERE encounter = "
			       "(SELECT seq FROM encounter WHERE id = ?1)",
	// What goes on being wrong is said once an hour, not with each attempt.
	[LEDGER_PUT_ALARM] = "INSERT INTO alarm(at_ms, kind, booth, subject) "
			     "SELECT ?1, ?2, ?3, ?4 WHERE NOT EXISTS(SELECT 1 FROM alarm "
			     "WHERE kind = ?2 AND booth = ?3 AND subject = ?4 "
			     "AND at_ms BETWEEN ?1 - 3600000 AND ?1)",
	[LEDGER_PUT_COUNTS] =
		"INSERT INTO counts VALUES(?1, ?2, ?3, ?4) ON CONFLICT(booth, week_ms) "
		"DO UPDATE SET at_ms = excluded.at_ms, body = excluded.body",
	[LEDGER_LIST_COUNTS] = "SELECT booth, body FROM counts WHERE (?1 = '' OR booth = ?1) "
			       "AND week_ms >= ?2 ORDER BY booth, week_ms",
	[LEDGER_LIST_ALARMS] = "SELECT at_ms, kind, booth, subject FROM alarm ORDER BY seq",
	[LEDGER_ENROLLED] = "SELECT coalesce(max(used_ms), 0) FROM token WHERE booth = ?1",
	[LEDGER_AUDIT_HEAD] = "SELECT count, digest, receipt FROM audit_head "
			      "WHERE booth = ?1 AND enrolled_ms = ?2",
	[LEDGER_PUT_AUDIT_HEAD] =
		"INSERT INTO audit_head(booth, enrolled_ms, count, digest, at_ms, receipt) "
		"VALUES(?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT(booth, enrolled_ms) DO UPDATE SET "
		"count = excluded.count, digest = excluded.digest, at_ms = excluded.at_ms, "
		"receipt = excluded.receipt",
	[LEDGER_LIST_AUDIT] = "SELECT booth, count, digest, at_ms, enrolled_ms, receipt "
			      "FROM audit_head WHERE ?1 = '' OR booth = ?1 "
			      "ORDER BY booth, enrolled_ms DESC",
	[LEDGER_GET_POLICY] = "SELECT version, body FROM policy ORDER BY version DESC LIMIT 1",
	[LEDGER_PUT_POLICY] = "INSERT INTO policy(version, signed_ms, body) "
			      "SELECT ?1, ?2, ?3 WHERE ?1 > "
			      "(SELECT coalesce(max(version), 0) FROM policy)",
};

const struct eg_db_schema eg_ledger_schema = {
	.what = "central ledger",
	.application_id = APPLICATION_ID,
	.page_size = 8192,
	.migrations = migrations,
	.migration_count = sizeof(migrations) / sizeof(migrations[0]),
	.statements = statements,
	.statement_count = LEDGER_STATEMENTS,
};
