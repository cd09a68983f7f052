// SPDX-License-Identifier: Apache-2.0
//
// How long records.db keeps what: the clock that retention goes by, the purge, holds, and the
// signed policy that says it all (policy.h).
//
// Ages are measured in booth time, which only goes forward and survives reboots: it counts boot
// time while the machine runs, and the wall clock's progress while it is off. A wall clock that is
// set back does not make anything younger; one that is set forward makes images go early (their
// records stay), because from here it cannot be told from a booth that was off.
//
// Blocks on the disk. Thread: as records.h.

#ifndef EG_RETENTION_H
#define EG_RETENTION_H

#include "store/audit.h"
#include "store/policy.h"
#include "store/records.h"

#define EG_BOOT_ID_SIZE 16

struct eg_moment {
	uint8_t boot[EG_BOOT_ID_SIZE]; // the kernel's id of this boot
	int64_t boot_ms, wall_ms;
};
struct eg_age {
	struct eg_moment last;
	bool begun;	     // `last` is something
	int64_t wall_max_ms; // the latest wall time ever seen, and the booth time it was seen at
	int64_t max_at_ms;
	int64_t now_ms; // booth time
};
// Pure: the booth time at `now`.
void eg_age_step(struct eg_age *age, const struct eg_moment *now);

// Brings booth time up to date on the disk; puts and purges do it too. To be called every few
// minutes, so that little is lost when the machine goes off.
int eg_records_tick(struct eg_records *records, struct eg_err *err) EG_CHECKED;

// Everything whose time is over: images of queued and refused encounters (the record stays, without
// its image, and says so), receipts, holds. What it removed is in no raw file any more when it
// returns 0 and facts say nothing is due. `policy` as eg_records_policy gave it.
struct eg_purged {
	uint64_t images, receipts, holds;
};
int eg_records_purge(struct eg_records *records, const struct eg_policy *policy,
		     struct eg_purged *ret_purged, struct eg_err *err) EG_CHECKED;

// A hold keeps the image of one queued encounter beyond its time: two people, a reason, an end.
// Numbers are in stored rows: only append.
enum eg_hold_reason {
	EG_HOLD_INVESTIGATION = 1,
	EG_HOLD_COMPLAINT = 2,
	EG_HOLD_COURT_ORDER = 3,
	EG_HOLD_REASON_COUNT,
};
const char *eg_hold_reason_name(enum eg_hold_reason reason); // "investigation", ...

struct eg_hold {
	struct eg_id id, encounter;
	enum eg_hold_reason reason;
	struct eg_actor first, second;
	int64_t left_ms;
};
// EG_EINVAL: one person twice or nobody, no reason, no end, or an end later than the policy allows.
// EG_ENOENT: no encounter with an image is queued under that id.
int eg_records_hold(struct eg_records *records, const struct eg_policy *policy,
		    const struct eg_id *encounter, enum eg_hold_reason reason,
		    const struct eg_actor *first, const struct eg_actor *second, uint32_t seconds,
		    struct eg_id *ret_id, struct eg_err *err) EG_CHECKED;
int eg_records_hold_end(struct eg_records *records, const struct eg_id *id,
			const struct eg_actor *actor, struct eg_err *err) EG_CHECKED;
int eg_records_holds(struct eg_records *records, int (*row)(void *user, const struct eg_hold *hold),
		     void *user, struct eg_err *err) EG_CHECKED;

// Verifies and keeps `message`. EG_ESTALE: expired, not yet valid, or of a version below the one
// that is here. EG_ECONFLICT: other bytes of the same version. 0 and no write: the same again.
int eg_records_put_policy(struct eg_records *records, struct eg_bytes message,
			  const struct eg_trusted_key *keys, size_t key_count,
			  struct eg_err *err) EG_CHECKED;

// The message of the policy that is kept, as the centre signed it, for others to verify. EG_ENOENT:
// there is none.
int eg_records_policy_message(struct eg_records *records, struct eg_buf *out,
			      struct eg_err *err) EG_CHECKED;

// What is in force: the kept policy, verified anew, or the defaults. *ret_stale: it has expired;
// then nothing is kept longer than the defaults would.
int eg_records_policy(struct eg_records *records, const struct eg_trusted_key *keys,
		      size_t key_count, struct eg_policy *ret_policy, bool *ret_stale,
		      struct eg_err *err) EG_CHECKED;

#endif
