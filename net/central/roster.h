// SPDX-License-Identifier: Apache-2.0
//
// A list of travellers as CSV: the first record names the columns, in any order:
//
//   id           what the traveller is called here; also the beginning of the photos' file names
//   surname      one of surname and given may be empty
//   given
//   birth        YYYY-MM-DD, or empty
//   citizenship  citizen, resident, visitor or unknown
//   document     passport number, or empty: then only a face can find the traveller
//   issuer       of the document, 1 to 3 letters as in the MRZ; needed when there is a document
//   flight       booking; a traveller may stand in several lines with different flights
//   pnr          optional column: record locator of the boarding pass
//   sequence     optional column: check-in sequence number; pnr and sequence go together
//   sex          optional column: F, M or X as in the MRZ, or empty
//   region       optional column: a region's name (store/group.h); where it is empty, the issuer's
//                (region.h). Sex and region serve the count of errors by group and nothing else
//
// Anything else is refused with line and column: a list that is half understood lets the wrong
// people through. Foreign bytes.
//
// Thread: any.

#ifndef EG_CENTRAL_ROSTER_H
#define EG_CENTRAL_ROSTER_H

#include "net/central/ledger.h"

#define EG_ROSTER_MAX (64u << 20) // bytes of CSV

struct eg_roster_row {
	size_t line;
	struct eg_person person;
	struct eg_booking booking;
};

struct eg_roster {
	struct eg_roster_row *row; // by id, then flight
	size_t count;
};

// Reads all of it. EG_EINVAL, EG_ETOOBIG (over EG_TRAVELLERS_MAX lines).
int eg_roster_read(struct eg_bytes csv, struct eg_roster *ret_roster,
		   struct eg_err *err) EG_CHECKED;
void eg_roster_done(struct eg_roster *roster); // takes NULL and a zeroed struct

// First row of that person, NULL when there is none.
const struct eg_roster_row *eg_roster_find(const struct eg_roster *roster, const char *id);

// "P001.jpg", "P001_passport_2021.jpg": whose photo, from where and when (0: not said). Endings
// jpg, jpeg, jp2. EG_EINVAL.
struct eg_photo_name {
	char id[EG_NAME_MAX];
	enum eg_photo_source source;
	unsigned int year;
};
int eg_roster_photo_name(const char *file, struct eg_photo_name *ret_name) EG_CHECKED;

// "SURNAME, Given": what an officer sees.
void eg_person_display(const struct eg_person *person, char ret_text[EG_PERSON_NAME_MAX]);

#endif
