// SPDX-License-Identifier: Apache-2.0
//
// Damaged databases: boothd is the one who mends them, since nobody else may have them open
// meanwhile; syncd notices a new file and opens it.

#include "firmware/boothd/booth.h"

#include "firmware/base/log.h"

int eg_salvage_open(struct eg_booth *booth, struct eg_err *err)
{
	struct eg_booth *b = booth;
	char text[EG_ERR_TEXT_MAX];
	int r = eg_records_open_or_salvage(b->config.records, false, b->clock, &b->records, text,
					   err);

	if (r == 0 && text[0] != '\0')
		eg_booth_fault(b, text);
	if (r == 0)
		r = eg_manifests_open_or_salvage(b->config.manifests, b->clock, &b->manifests, text,
						 err);
	if (r == 0 && text[0] != '\0')
		eg_booth_fault(b, text);
	return r;
}

void eg_salvage_records(struct eg_booth *booth)
{
	struct eg_booth *b = booth;
	struct eg_err err = EG_ERR_INIT;
	char text[EG_ERR_TEXT_MAX];
	int r;

	eg_policy_stop(b);
	eg_records_close(b->records);
	b->records = NULL;
	r = eg_records_open_or_salvage(b->config.records, true, b->clock, &b->records, text, &err);
	if (r == 0)
		r = eg_policy_start(b, &err);
	if (r == 0 && eg_policy_watch(b) < 0)
		r = eg_err_set(&err, EG_EFOREIGN, "event loop");
	if (r != 0) {
		eg_error("%s; ending, to begin again", err.text);
		(void)sd_event_exit(b->event, 1);
	} else if (text[0] != '\0') {
		eg_booth_fault(b, text);
	}
}
