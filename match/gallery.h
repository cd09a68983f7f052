// SPDX-License-Identifier: Apache-2.0
//
// The gallery of one manifest: reference templates of its travellers, and the decision.
//
// Life: new → add (references of entry 0, 1, 2, … in any order) → seal → verify/identify as often
// as wanted, by one thread at a time → free (wipes). A sealed gallery does not change; a session
// keeps the one it began with.
//
// CONFIRMED comes out only when a finite score reaches the threshold and nothing speaks against it;
// everything else is REFER with one of these causes:
//   system_fault     probe no template (eg_template_check), another model's, error target not in 0
//   … 1,
//                    entry out of range
//   no_reference     the claimed traveller has no reference; identify: nobody has one
//   ambiguous        the entry is a near twin of another; identify: a second person reaches the
//                    threshold too, or is less than EG_GALLERY_MARGIN_DECADES of FMR behind
//   poor_reference   under the threshold, and the entry's best photo is below
//                    EG_GALLERY_QUALITY_MIN
//   below_threshold  under the threshold; identify: but stranger scores seldom get that high
//                    (the FPIR of that score is under EG_GALLERY_RESEMBLES_FPIR)
//   not_on_manifest  identify: the best score is one that strangers get; entry is −1

#ifndef EG_GALLERY_H
#define EG_GALLERY_H

#include "match/calib.h"
#include "match/template.h"
#include "match/verdict.h"

#define EG_GALLERY_REFERENCES_MAX 8 // per person
#define EG_GALLERY_ENTRIES_MAX	  200000

// Photos below this overall quality are poor references.
#define EG_GALLERY_QUALITY_MIN 30.0f

// The second person's score must stand for an FMR at least ten times that of the first: in the
// calibration's units, so that it means the same for every model. Two frames of one capture differ
// by about half as much, so the next frame could have turned a closer order round.
#define EG_GALLERY_MARGIN_DECADES 1.0

// Two persons are near twins when the photo of one, shown to the booth, would be confirmed as the
// other at this FPIR (design.md's example for a flight).
#define EG_GALLERY_TWIN_FPIR 0.003

// Under the threshold, the best entry is still named while strangers reach its score on fewer than
// one passage in ten.
#define EG_GALLERY_RESEMBLES_FPIR 0.1

struct eg_gallery;

// `entries`: how many travellers; each starts with no reference. `calibration` is lent and outlives
// the gallery. EG_ETOOBIG over EG_GALLERY_ENTRIES_MAX.
int eg_gallery_new(size_t entries, const struct eg_calib *calibration,
		   struct eg_gallery **ret_gallery, struct eg_err *err) EG_CHECKED;
void eg_gallery_free(struct eg_gallery *gallery); // takes NULL

// Adds one reference. `quality` 0 … 100 of the photo, below 0 when it was not measured (then it is
// not poor). Copies the template. EG_EINVAL: no template, another model than the first
// reference's, no such entry, quality NaN. EG_EFULL: the entry has EG_GALLERY_REFERENCES_MAX.
int eg_gallery_add(struct eg_gallery *gallery, size_t entry, const struct eg_template *reference,
		   float quality, struct eg_err *err) EG_CHECKED;

// Ends adding: compares the references of different entries with each other, raises the threshold
// when they score higher than the calibration says, marks near twins. With n references it takes
// n²/2 comparisons of some 5 ns: a millisecond for 420, a quarter of a second for 10,000, half a
// minute for 100,000. Therefore it is done in steps: a call makes at most EG_GALLERY_SEAL_STEP
// comparisons and returns 1 when that was the last of them, 0 when it has to be called again, or an
// error, after which it begins anew. Nothing may be added between the steps.
//
// The raise: with M pairs, take q = max(20 / M, the calibration's floor) and T(q), the score that
// k = q · M pairs should reach. When more than k + 1.645 √k pairs do (95 % one-sided, Poisson), the
// threshold is raised by what the k-th highest score lies over T(q). 20 and more pairs, because a
// few twins or a family must not move everybody's threshold; under 190 pairs (20 people) nothing is
// raised, for q would say nothing of the tail.
#define EG_GALLERY_SEAL_STEP (4u << 20) // some 20 ms
int eg_gallery_seal_step(struct eg_gallery *gallery, struct eg_err *err) EG_CHECKED;

// All steps at once.
int eg_gallery_seal(struct eg_gallery *gallery, struct eg_err *err) EG_CHECKED;

struct eg_gallery_facts {
	size_t entries, with_reference, references;
	size_t near_twins;     // entries marked
	float threshold_raise; // added to the calibration's threshold, ≥ 0
};
void eg_gallery_facts(const struct eg_gallery *gallery, struct eg_gallery_facts *ret_facts);

size_t eg_gallery_references(const struct eg_gallery *gallery, size_t entry);

// Calls `pair` with the score of every two references of different entries, a < b not implied. Over
// EG_GALLERY_COMPARED_MAX references only every second, third, … is taken, evenly.
#define EG_GALLERY_COMPARED_MAX 1500 // some 30 ms
void eg_gallery_compare(const struct eg_gallery *gallery,
			void (*pair)(void *user, size_t entry_a, size_t entry_b, float score),
			void *user);

// 1:1 against entry's references at the target FMR; with k references each is held to FMR / k.
// Fills every field of *ret_verdict (quality with −1: the caller knows the probe's); failures
// inside (non-finite scores, foreign model) come out as REFER/SYSTEM_FAULT, never as an error.
void eg_gallery_verify(const struct eg_gallery *gallery, size_t entry,
		       const struct eg_template *probe, double fmr, struct eg_verdict *ret_verdict);

// 1:few against all entries at the target FPIR: per-comparison FMR = FPIR / references. Scores are
// those of the float templates: int8 only tells which rows cannot be among the first two people.
void eg_gallery_identify(const struct eg_gallery *gallery, const struct eg_template *probe,
			 double fpir, struct eg_verdict *ret_verdict);

#endif
