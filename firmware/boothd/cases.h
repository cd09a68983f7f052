// SPDX-License-Identifier: Apache-2.0
//
// The last 50 travellers, for the officer's screen: what the machine said, what was decided, and,
// for a short time, their faces and names. These live in secret memory only; what is over its time
// is wiped. The rest survives a restart in a snapshot that only this booth can open (cases_keep.c).
//
// The record of an encounter and that of a decision are elsewhere, signed and on their way to the
// centre (record.c): a case is a picture of them, not the truth.
//
// Thread: the main thread.

#ifndef EG_CASES_H
#define EG_CASES_H

#include "firmware/boothd/roll.h"
#include "firmware/boothd/worker.h"
#include "store/exit_receipt.h"

#define EG_CASES_MAX	    50
#define EG_CASE_SHOWN_MAX   8
#define EG_CASE_DECIDED_MS  (30 * 1000LL)  // so long faces stay after a decision
#define EG_CASE_HELD_MS	    (120 * 1000LL) // so long somebody looks after a case
#define EG_CASES_SEALED_MAX (32u << 20)

struct eg_case {
	bool used;
	struct eg_id encounter; // of a session without verdict: zero
	uint64_t session;	// 0: of a boothd that ran before
	uint32_t track;
	enum eg_session_state state;
	enum eg_verdict_kind verdict;
	enum eg_cause cause;
	enum eg_mode mode; // 0: none
	int64_t wall_ms;   // of the verdict
	int64_t boot_ms;
	char manifest[EG_NAME_MAX], flight[EG_NAME_MAX], port[EG_NAME_MAX];
	char traveller[EG_NAME_MAX]; // "" when nobody is known, not even a similar one
	bool candidate;		     // only the most similar one
	char initials[EG_INITIALS_MAX];
	double score, threshold; // NaN: not compared
	struct eg_quality quality;
	struct eg_liveness liveness;
	float liveness_min;

	enum eg_decision decision; // the last; 0: none
	enum eg_decision_reason reason;
	char by[EG_NAME_MAX];	   // account
	char counted[EG_NAME_MAX]; // whom of the manifest the decision was taken to be about
	int64_t by_ms;		   // wall time
	char held_by[EG_NAME_MAX];
	int64_t held_until_ms;
	bool has_receipt;
	struct eg_id receipt;

	int64_t faces_until_ms;	       // boot time; 0: what follows is gone
	char name[EG_PERSON_NAME_MAX]; // "" for nobody
	struct eg_buf probe;	       // JPEG; empty: none was taken
	size_t reference_count;
	struct eg_portrait reference[EG_PHOTOS_MAX];
	size_t shown_count; // to whom, so that the chain says so once
	struct eg_actor shown[EG_CASE_SHOWN_MAX];
};

struct eg_cases {
	struct eg_case item[EG_CASES_MAX]; // a ring, `next` is the oldest
	size_t next;
};

struct eg_cases *eg_cases_new(void);	    // secret memory; NULL: out of memory
void eg_cases_free(struct eg_cases *cases); // takes NULL; wipes

// Room for a new case, in place of the oldest.
struct eg_case *eg_cases_make(struct eg_cases *cases);
// The k-th newest, 0 first; NULL: there are no more.
struct eg_case *eg_cases_at(struct eg_cases *cases, size_t k);
struct eg_case *eg_cases_find(struct eg_cases *cases, const struct eg_id *encounter);
struct eg_case *eg_cases_of_session(struct eg_cases *cases, uint64_t session);

// Takes copies of the person's name and portraits into the case; what memory has no room for is
// left out. NULL: nobody.
void eg_case_show(struct eg_case *one, const struct eg_person *person, struct eg_bytes probe,
		  int64_t until_ms);
void eg_case_hide(struct eg_case *one); // wipes faces and name

bool eg_case_attention(const struct eg_case *one); // a referral that nobody has decided
bool eg_case_may_go(const struct eg_case *one);	   // an exit to give a receipt of

// The snapshot: cases without faces and names, and the roll; sealed to this booth. Appends to
// `out`, replaces `cases` and `roll`. EG_EAUTH: not by this booth, or changed; EG_EINVAL.
int eg_cases_seal(const struct eg_cases *cases, const struct eg_roll *roll,
		  const struct eg_key *seal_key, int64_t now_ms, struct eg_buf *out) EG_CHECKED;
int eg_cases_open(struct eg_bytes sealed, const struct eg_key *seal_key, struct eg_cases *cases,
		  struct eg_roll *roll) EG_CHECKED;

#endif
