// SPDX-License-Identifier: Apache-2.0
//
// The booths' counts by group, as they came. Thread: as ledger.h.

#include "net/central/ledger_internal.h"

int eg_ledger_put_counts(struct eg_ledger *ledger, const char *booth, int64_t week_ms,
			 struct eg_bytes json, int64_t now_ms, struct eg_err *err)
{
	struct eg_db_query query = eg_db_query(ledger->db, LEDGER_PUT_COUNTS);
	eg_db_bind_text(&query, 1, booth);
	eg_db_bind_int(&query, 2, week_ms);
	eg_db_bind_int(&query, 3, now_ms);
	eg_db_bind_blob(&query, 4, json);
	return eg_db_run(&query, NULL, err);
}

int eg_ledger_list_counts(struct eg_ledger *ledger, const char *booth, int64_t from_ms,
			  int (*row)(void *user, const char *booth, struct eg_bytes json),
			  void *user, struct eg_err *err)
{
	struct eg_db_query query = eg_db_query(ledger->db, LEDGER_LIST_COUNTS);
	int r;
	eg_db_bind_text(&query, 1, booth != NULL ? booth : "");
	eg_db_bind_int(&query, 2, from_ms);
	while ((r = eg_db_step(&query, err)) == 1) {
		r = row(user, eg_db_text(&query, 0), eg_db_blob(&query, 1));
		if (r != 0)
			break;
	}
	eg_db_reset(&query);
	return r;
}
