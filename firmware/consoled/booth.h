// SPDX-License-Identifier: Apache-2.0
//
// What boothd and syncd tell, kept for pages that come later: cases, flight, status. Nothing here
// is on disk, and names go when boothd's next word about the case comes, or when its faces' time
// is over.
//
// Thread: one.

#ifndef CONSOLED_BOOTH_H
#define CONSOLED_BOOTH_H

#include "firmware/consoled/link.h"

#define BOOTH_CASES_MAX 66 // the last 50, and one for each that can be followed

struct console;

struct booth {
	struct console *console;
	struct link boothd, syncd;
	bool up;				 // boothd answers
	sd_json_variant *status;		 // GetStatus; NULL: not known
	sd_json_variant *sync;			 // syncd's State; NULL: not known
	sd_json_variant *flight;		 // Departure; NULL: not known
	sd_json_variant *cases[BOOTH_CASES_MAX]; // newest first
	size_t case_count;
	char slot[16]; // of the system image, "" where there are none
	sd_event_source *poll;
};

int booth_start(struct booth *booth, struct console *console, struct eg_err *err) EG_CHECKED;
void booth_stop(struct booth *booth); // takes a zeroed one

// For pages; each gives a new reference, or NULL when memory is out. `faces`: for somebody who may
// see faces and names.
sd_json_variant *booth_snapshot(const struct booth *booth, bool faces);
sd_json_variant *booth_status(const struct booth *booth);
// A case for somebody who may see neither faces nor names.
sd_json_variant *booth_without_names(sd_json_variant *one);

#endif
