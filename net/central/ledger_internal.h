// SPDX-License-Identifier: Apache-2.0
//
// Schema and statements of the SQLite ledger, for ledger*.c only. Thread: as ledger.h.

#ifndef EG_CENTRAL_LEDGER_INTERNAL_H
#define EG_CENTRAL_LEDGER_INTERNAL_H

#include "net/central/ledger.h"
#include "store/db.h"

enum ledger_statement {
	LEDGER_PUT_BOOTH,
	LEDGER_FIND_BOOTH,
	LEDGER_VOID_TOKENS,
	LEDGER_PUT_TOKEN,
	LEDGER_FIND_TOKEN,
	LEDGER_USE_TOKEN,
	LEDGER_REVOKE_CERTIFICATES,
	LEDGER_PUT_CERTIFICATE,
	LEDGER_FIND_CERTIFICATE,
	LEDGER_KNOWN_KEY,
	LEDGER_OPEN_BOOTH,
	LEDGER_REVOKE_BOOTH,
	LEDGER_KEYS_STATE,
	LEDGER_PUT_KEYS,
	LEDGER_KEYS_SENT,
	LEDGER_GET_KEYS,
	LEDGER_PUT_HEARTBEAT,
	LEDGER_LIST_BOOTHS,
	LEDGER_PUT_PERSON,
	LEDGER_PUT_BOOKING,
	LEDGER_PUT_PHOTO,
	LEDGER_LIST_TRAVELLERS,
	LEDGER_LIST_PHOTOS,
	LEDGER_LAST_VERSION,
	LEDGER_DROP_PIECES,
	LEDGER_PUT_MANIFEST,
	LEDGER_MANIFEST_SEQ,
	LEDGER_PUT_PIECE,
	LEDGER_LIST_MANIFESTS,
	LEDGER_FIND_MANIFEST,
	LEDGER_GET_PIECE,
	LEDGER_FIND_ENCOUNTER,
	LEDGER_PUT_ENCOUNTER,
	LEDGER_PUT_ENVELOPE,
	LEDGER_LIST_ENCOUNTERS,
	LEDGER_GET_ENVELOPE,
	LEDGER_ENVELOPE_OF,
	LEDGER_PUT_ALARM,
	LEDGER_LIST_ALARMS,
	LEDGER_ENROLLED,
	LEDGER_AUDIT_HEAD,
	LEDGER_PUT_AUDIT_HEAD,
	LEDGER_LIST_AUDIT,
	LEDGER_GET_POLICY,
	LEDGER_PUT_POLICY,
	LEDGER_PUT_COUNTS,
	LEDGER_LIST_COUNTS,
	LEDGER_STATEMENTS,
};

extern const struct eg_db_schema eg_ledger_schema;

struct eg_ledger {
	struct eg_db *db;
	bool grouped; // between eg_ledger_begin and _commit
};

// A transaction of one function: nothing when the caller has opened one. finish takes the result so
// far and returns the whole result.
int eg_ledger_enter(struct eg_ledger *ledger, struct eg_err *err) EG_CHECKED;
int eg_ledger_finish(struct eg_ledger *ledger, int r, struct eg_err *err) EG_CHECKED;

// A statement whose first parameter is the booth, bound.
struct eg_db_query eg_ledger_by_booth(struct eg_ledger *ledger, enum ledger_statement statement,
				      const char *booth);

// Copies bytes or text of a column that must fit exactly, or be a name; false: damaged.
bool eg_ledger_copy(const struct eg_db_query *query, int column, void *ret_data, size_t size);
bool eg_ledger_copy_text(const struct eg_db_query *query, int column, char *ret_text, size_t size);

// "the row is damaged", EG_ECORRUPT.
int eg_ledger_damaged(const char *what, struct eg_err *err);

#endif
