// SPDX-License-Identifier: Apache-2.0
//
// What the vision worker keeps of the people in view while it decides: templates of each track's
// shots, the book the session began with, the claim. And, for a few seconds, the templates of
// those just served, so that a track that breaks, or a camera that had to be restarted, does not
// make a second traveller.
//
// All of it is secret memory and is wiped when a subject is forgotten. Thread: the vision worker.

#ifndef EG_SUBJECT_H
#define EG_SUBJECT_H

#include "firmware/boothd/book.h"
#include "firmware/boothd/guard.h"
#include "firmware/boothd/worker.h"

#define EG_SUBJECT_SHOTS 5

struct eg_subject {
	bool used;
	bool done; // has its verdict; only `fused` is kept, until the track ends
	uint32_t track;
	int64_t last_seen_ns;
	struct eg_book *book; // as it was at the first attempt; a reference
	bool claimed;
	struct eg_document claim;
	size_t count;
	uint64_t sequence[EG_SUBJECT_SHOTS];
	float weight[EG_SUBJECT_SHOTS];
	struct eg_template shot[EG_SUBJECT_SHOTS];
	struct eg_template fused;
	bool has_fused;
	struct eg_guard guard;
	char named[EG_NAME_MAX]; // whom the last comparison confirmed; "" nobody
};

struct eg_served {
	int64_t last_seen_ns; // 0: free
	struct eg_template fused;
	char named[EG_NAME_MAX];
};

#define EG_SERVED_MAX 8

struct eg_subjects {
	struct eg_subject subject[EG_TRACKS_MAX];
	struct eg_served served[EG_SERVED_MAX];
	size_t next_served;
};

struct eg_subjects *eg_subjects_new(void); // NULL: out of memory
void eg_subjects_free(struct eg_subjects *subjects);

// The track's subject, made when there is none; NULL when all slots are taken.
struct eg_subject *eg_subject_get(struct eg_subjects *subjects, uint32_t track);
struct eg_subject *eg_subject_find(struct eg_subjects *subjects, uint32_t track);

// Takes in a shot's template, replacing the weakest when full.
void eg_subject_add(struct eg_subject *subject, uint64_t sequence, float weight,
		    const struct eg_template *shot);
bool eg_subject_has(const struct eg_subject *subject, uint64_t sequence);
int eg_subject_fuse(struct eg_subject *subject) EG_CHECKED;

// Its verdict is there: wipes the shots and the claim.
void eg_subject_finish(struct eg_subject *subject);

// The track ended: wipes the subject; the template of one that had its verdict is remembered for a
// moment.
void eg_subject_drop(struct eg_subjects *subjects, struct eg_subject *subject);
// An officer wants another look: wipes the subject, and what is remembered of the same person (at
// comparison scores of `threshold` and above).
void eg_subject_renew(struct eg_subjects *subjects, struct eg_subject *subject, float threshold);
void eg_subjects_drop_all(struct eg_subjects *subjects); // those just served too

// The camera was blind until now_ns: all tracks end, and those just served count as seen until now.
void eg_subjects_blinked(struct eg_subjects *subjects, int64_t now_ns);

// True when `probe`, whose track began at first_seen_ns, belongs to somebody whose track was
// seen last less than `window_ns` before, at comparison scores of `threshold` and above. `named` is
// whom the probe was confirmed as, "" nobody; it must be the same for both: two people with two
// names on the manifest are never taken for one, however alike.
bool eg_subjects_served(const struct eg_subjects *subjects, const struct eg_template *probe,
			const char *named, float threshold, int64_t first_seen_ns,
			int64_t window_ns);
// Wipes served templates older than `window_ns`.
void eg_subjects_age(struct eg_subjects *subjects, int64_t now_ns, int64_t window_ns);

#endif
