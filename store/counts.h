// SPDX-License-Identifier: Apache-2.0
//
// The booth's own accuracy audit: how often each coarse group was captured, confirmed, or referred
// and why, and how the manifests' own photos of different people score against each other. Kept in
// records.db, by week; nothing personal, no time of day.
//
// What leaves the booth (eg_counts_closed) is only weeks that are over, with small cells suppressed
// (eg_counts_suppress), so that neither a count, nor a total less other counts, nor the difference
// between two reports says what became of a few people.
//
// Thread: as records.h.

#ifndef EG_COUNTS_H
#define EG_COUNTS_H

#include "match/gallery.h"
#include "store/group.h"
#include "store/records.h"

// encounters = captures + not_captured = confirmed + all referred, in each group.
enum eg_measure {
	EG_COUNT_ENCOUNTERS,
	EG_COUNT_CAPTURES, // a usable face was seen
	EG_COUNT_NOT_CAPTURED,
	EG_COUNT_CONFIRMED,
	EG_COUNT_REFERRED, // + cause − 1
	EG_MEASURES = EG_COUNT_REFERRED + EG_CAUSE_COUNT - 1,
};
#define EG_COUNT_OF_CAUSE(cause) (EG_COUNT_REFERRED + (int)(cause) - 1)

// Non-mated comparisons within a group, and how many reached the score that the calibration says
// strangers reach at this FMR: 1e-1 … 1e-5. [0] is all comparisons.
#define EG_COUNT_LEVELS 5
extern const double eg_count_levels[EG_COUNT_LEVELS];
extern const char *const eg_count_level_names[EG_COUNT_LEVELS]; // "1e-1", …

#define EG_COUNT_HIDDEN (-1) // suppressed
#define EG_COUNT_SMALL	10   // counts of 1 … 9 are small

// A week.
struct eg_counts {
	int64_t from_ms; // Monday, 00:00 UTC
	int64_t all[EG_MEASURES];
	int64_t group[EG_AXES][EG_GROUPS_MAX][EG_MEASURES];
	int64_t impostors[EG_AXES][EG_GROUPS_MAX][1 + EG_COUNT_LEVELS];
};

#define EG_COUNT_DAYS  7
#define EG_COUNT_WEEKS 4 // weeks that are kept, and sent at most, beside the running one
int64_t eg_counts_week(int64_t wall_ms); // when the week of this time begins

// One encounter that has ended. In a transaction of its own: after a power cut right behind
// eg_records_put one count may be missing, never an encounter.
int eg_counts_add(struct eg_records *records, const struct eg_group *group, bool captured,
		  enum eg_verdict_kind verdict, enum eg_cause cause, int64_t wall_ms,
		  struct eg_err *err) EG_CHECKED;

// Impostor scores of one manifest: at `entry` of the gallery, groups[entry]. Groups of fewer than
// ten people with a reference are left out. Zeroes *ret_counts first; only impostors are counted.
void eg_counts_compare(const struct eg_gallery *gallery, const struct eg_calib *calibration,
		       const struct eg_group *groups, struct eg_counts *ret_counts);
// Adds them to the running week; a manifest counts once a week, whatever its version and however
// often it is loaded.
int eg_counts_add_manifest(struct eg_records *records, const char *manifest,
			   const struct eg_counts *counts, int64_t wall_ms,
			   struct eg_err *err) EG_CHECKED;

// Weeks that are over at wall_ms and began after after_ms, oldest first, not yet suppressed.
int eg_counts_closed(struct eg_records *records, int64_t wall_ms, int64_t after_ms,
		     struct eg_counts ret_counts[EG_COUNT_WEEKS], size_t *ret_count,
		     struct eg_err *err) EG_CHECKED;

// The rule, in counts_suppress.c. EG_ENOMEM: nothing may be sent.
int eg_counts_suppress(struct eg_counts *counts) EG_CHECKED;

#endif
