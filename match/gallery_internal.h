// SPDX-License-Identifier: Apache-2.0
//
// The inside of a gallery, shared by gallery.c (life), gallery_seal.c (reference against reference)
// and gallery_decide.c (verdicts).

#ifndef EG_GALLERY_INTERNAL_H
#define EG_GALLERY_INTERNAL_H

#include "match/gallery.h"

struct eg_gallery {
	const struct eg_calib *calib;
	size_t entries;
	bool sealed;
	uint8_t model[EG_SHA256_SIZE]; // of the first reference

	// One row a reference, in secret memory, room for `room` rows.
	size_t references, room;
	float *matrix;	   // rows of EG_TEMPLATE_SIZE
	int8_t *quantised; // rows of EG_TEMPLATE_SIZE
	struct gallery_row {
		uint32_t entry;
		float scale, error; // of the quantised row
	} *rows;
	double scale_max, error_max;	    // over all rows
	int32_t *dots;			    // scratch of a scan, one a row; made by seal
	struct eg_gallery_sealing *sealing; // NULL: not being sealed

	struct gallery_entry {
		uint8_t references;
		bool twin;
		float quality; // of the best reference; −1: not measured
	} *entry;

	size_t with_reference, near_twins;
	double raise;
};

void eg_gallery_seal_forget(struct eg_gallery *gallery); // ends a seal that was not finished

#endif
