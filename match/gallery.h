// SPDX-License-Identifier: Apache-2.0
//
// The gallery of one manifest: reference templates of its travellers, and the decision.
//
// Life: new → add (references of entry 0, 1, 2, … in any order) → seal → verify/identify as often
// as wanted, by one thread at a time → free (wipes). A sealed gallery does not change; a session
// keeps the one it began with.

#ifndef EG_GALLERY_H
#define EG_GALLERY_H

#include "match/calib.h"
#include "match/template.h"
#include "match/verdict.h"

#define EG_GALLERY_REFERENCES_MAX 8 // per person

struct eg_gallery;

// `entries`: how many travellers; each starts with no reference. `calibration` is lent and outlives
// the gallery. At most 200,000 entries.
int eg_gallery_new(size_t entries, const struct eg_calib *calibration,
		   struct eg_gallery **ret_gallery, struct eg_err *err) EG_CHECKED;
void eg_gallery_free(struct eg_gallery *gallery); // takes NULL

// Adds one reference. `quality` 0 … 100 of the photo. Copies the template.
int eg_gallery_add(struct eg_gallery *gallery, size_t entry, const struct eg_template *reference,
		   float quality, struct eg_err *err) EG_CHECKED;

// Ends adding: builds the int8 matrix, compares references against each other, raises the threshold
// when they score higher than the calibration says, marks near-twins.
int eg_gallery_seal(struct eg_gallery *gallery, struct eg_err *err) EG_CHECKED;

struct eg_gallery_facts {
	size_t entries, with_reference, references;
	size_t near_twins;	// entries marked
	float threshold_raise;	// added to the calibration's threshold, ≥ 0
};
void eg_gallery_facts(const struct eg_gallery *gallery, struct eg_gallery_facts *ret_facts);

// 1:1 against entry's references at the target FMR. Fills every field of *ret_verdict; failures
// inside (non-finite scores, foreign model) come out as REFER/SYSTEM_FAULT, never as an error.
void eg_gallery_verify(const struct eg_gallery *gallery, size_t entry,
		       const struct eg_template *probe, double fmr, struct eg_verdict *ret_verdict);

// 1:few against all entries at the target FPIR: per-comparison FMR = FPIR / references.
void eg_gallery_identify(const struct eg_gallery *gallery, const struct eg_template *probe,
			 double fpir, struct eg_verdict *ret_verdict);

#endif
