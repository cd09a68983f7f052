// SPDX-License-Identifier: Apache-2.0
//
// The SQLite ledger: opening, transactions, helpers. Thread: as ledger.h.

#include "net/central/ledger.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "firmware/base/mem.h"
#include "net/central/ledger_internal.h"

int eg_ledger_open(const char *path, struct eg_ledger **ret_ledger, struct eg_err *err)
{
	struct eg_ledger *ledger = eg_calloc(1, sizeof(*ledger));
	if (ledger == NULL)
		return eg_err_set(err, EG_ENOMEM, "%s: out of memory", path);
	int r = eg_db_open(path, &eg_ledger_schema, &ledger->db, err);
	if (r != 0) {
		free(ledger);
		return r;
	}
	*ret_ledger = ledger;
	return 0;
}

void eg_ledger_close(struct eg_ledger *ledger)
{
	if (ledger == NULL)
		return;
	eg_ledger_rollback(ledger);
	eg_db_close(ledger->db);
	free(ledger);
}

int eg_ledger_begin(struct eg_ledger *ledger, struct eg_err *err)
{
	assert(!ledger->grouped);
	int r = eg_db_begin(ledger->db, err);
	ledger->grouped = r == 0;
	return r;
}

int eg_ledger_commit(struct eg_ledger *ledger, struct eg_err *err)
{
	assert(ledger->grouped);
	ledger->grouped = false;
	return eg_db_commit(ledger->db, err);
}

void eg_ledger_rollback(struct eg_ledger *ledger)
{
	eg_db_rollback(ledger->db);
	ledger->grouped = false;
}

int eg_ledger_enter(struct eg_ledger *ledger, struct eg_err *err)
{
	return ledger->grouped ? 0 : eg_db_begin(ledger->db, err);
}

int eg_ledger_finish(struct eg_ledger *ledger, int r, struct eg_err *err)
{
	if (ledger->grouped)
		return r; // the caller rolls back
	if (r == 0)
		return eg_db_commit(ledger->db, err);
	eg_db_rollback(ledger->db);
	return r;
}

bool eg_ledger_copy(const struct eg_db_query *query, int column, void *ret_data, size_t size)
{
	struct eg_bytes blob = eg_db_blob(query, column);
	if (blob.size != size)
		return false;
	memcpy(ret_data, blob.data, size);
	return true;
}

bool eg_ledger_copy_text(const struct eg_db_query *query, int column, char *ret_text, size_t size)
{
	const char *text = eg_db_text(query, column);
	size_t length = strlen(text);
	if (length >= size)
		return false;
	memcpy(ret_text, text, length + 1);
	return true;
}

int eg_ledger_damaged(const char *what, struct eg_err *err)
{
	return eg_err_set(err, EG_ECORRUPT, "central ledger: a row of '%s' is damaged", what);
}

struct eg_db_query eg_ledger_by_booth(struct eg_ledger *ledger, enum ledger_statement statement,
				      const char *booth)
{
	struct eg_db_query query = eg_db_query(ledger->db, statement);
	eg_db_bind_text(&query, 1, booth);
	return query;
}
