// SPDX-License-Identifier: Apache-2.0
//
// Counts by group on the wire: a JSON object for each week that is over, in the heartbeat's
// "counts" (net/api.yaml). Suppressed counts are null, counts of 0 are left out. Both ends use this
// file; the centre takes nothing that is not suppressed.
//
// Thread: any.

#ifndef EG_TALLY_H
#define EG_TALLY_H

#include <systemd/sd-json.h>

#include "store/counts.h"

// `counts` have been suppressed. The caller unrefs *ret_json. EG_ENOMEM.
int eg_tally_write(const struct eg_counts *counts, sd_json_variant **ret_json) EG_CHECKED;

// EG_EINVAL with the field and what is wrong: no Monday, no count, a count of 1 to 9, a part larger
// than its whole. Groups and fields that this version does not know are passed over.
int eg_tally_read(sd_json_variant *json, struct eg_counts *ret_counts,
		  struct eg_err *err) EG_CHECKED;
int eg_tally_parse(struct eg_bytes text, struct eg_counts *ret_counts,
		   struct eg_err *err) EG_CHECKED;

// "YYYY-MM-DD" both ways; EG_EINVAL: no Monday from 1970 on.
#define EG_WEEK_TEXT_MAX 11
void eg_week_text(int64_t week_ms, char ret_text[EG_WEEK_TEXT_MAX]);
int eg_week_parse(const char *text, int64_t *ret_week_ms) EG_CHECKED;

#endif
