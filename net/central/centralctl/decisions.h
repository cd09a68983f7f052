// SPDX-License-Identifier: Apache-2.0
//
// Officers' decisions, opened, in the order in which `encounters list` shows them. Thread: one.

#ifndef CENTRALCTL_DECISIONS_H
#define CENTRALCTL_DECISIONS_H

#include <systemd/sd-json.h>

#include "net/central/ledger.h"

struct decisions {
	struct eg_buf entries; // of struct entry, decisions.c
};
void decisions_init(struct decisions *decisions);
void decisions_done(struct decisions *decisions);

// Opens one. EG_EAUTH and EG_EINVAL: it cannot be; EG_ETOOBIG: too many.
int decisions_add(struct decisions *decisions, struct eg_ledger *ledger, const struct eg_key *open,
		  const struct eg_encounter_row *row, struct eg_bytes envelope,
		  struct eg_err *err) EG_CHECKED;
// After the last was added, before any is shown.
void decisions_sort(struct decisions *decisions);

// Those about this encounter of this booth, the oldest first: as lines, or as field "decisions".
void decisions_print(struct decisions *decisions, const struct eg_encounter_row *encounter);
int decisions_put_json(struct decisions *decisions, const struct eg_encounter_row *encounter,
		       sd_json_variant **json) EG_CHECKED;
// Those whose encounter has not come, or is another booth's.
int decisions_print_rest(struct decisions *decisions, bool json, struct eg_err *err) EG_CHECKED;

#endif
