// SPDX-License-Identifier: Apache-2.0
//
// Holds. Thread: as retention.h.

#include <string.h>

#include "store/records_internal.h"
#include "store/retention.h"

static const char *const reason_names[EG_HOLD_REASON_COUNT] = {
	[EG_HOLD_INVESTIGATION] = "investigation",
	[EG_HOLD_COMPLAINT] = "complaint",
	[EG_HOLD_COURT_ORDER] = "court_order",
};

static bool is_reason(int64_t reason)
{
	return reason >= EG_HOLD_INVESTIGATION && reason < EG_HOLD_REASON_COUNT;
}

const char *eg_hold_reason_name(enum eg_hold_reason reason)
{
	return is_reason(reason) ? reason_names[reason] : "unknown";
}

static bool is_nobody(const struct eg_actor *actor)
{
	static const struct eg_actor nobody;
	return memcmp(actor, &nobody, sizeof(nobody)) == 0;
}

static int check(const struct eg_policy *policy, enum eg_hold_reason reason,
		 const struct eg_actor *first, const struct eg_actor *second, uint32_t seconds,
		 struct eg_err *err)
{
	if (is_nobody(first) || is_nobody(second) || memcmp(first, second, sizeof(*first)) == 0)
		return eg_err_set(err, EG_EINVAL, "a hold needs two people");
	if (!is_reason(reason))
		return eg_err_set(err, EG_EINVAL, "a hold needs one of the known reasons");
	if (seconds == 0 || seconds > policy->hold_max_s)
		return eg_err_set(err, EG_EINVAL,
				  "a hold needs an end, after %u seconds at the latest",
				  (unsigned int)policy->hold_max_s);
	return 0;
}

static int insert(struct eg_records *records, const struct eg_hold *hold, int64_t until_ms,
		  struct eg_err *err)
{
	int64_t changed = 0;
	struct eg_db_query query = eg_db_query(records->db, RECORDS_HOLD_PUT);
	eg_db_bind_blob(&query, 1, EG_BYTES(hold->id.bytes, EG_ID_SIZE));
	eg_db_bind_blob(&query, 2, EG_BYTES(hold->encounter.bytes, EG_ID_SIZE));
	eg_db_bind_int(&query, 3, hold->reason);
	eg_db_bind_blob(&query, 4, EG_BYTES(hold->first.bytes, EG_ACTOR_SIZE));
	eg_db_bind_blob(&query, 5, EG_BYTES(hold->second.bytes, EG_ACTOR_SIZE));
	eg_db_bind_int(&query, 6, until_ms);
	int r = eg_db_run(&query, &changed, err);
	if (r == 0 && changed == 0)
		r = eg_err_set(err, EG_ENOENT,
			       "no encounter with an image waits here under that id");
	return r;
}

int eg_records_hold(struct eg_records *records, const struct eg_policy *policy,
		    const struct eg_id *encounter, enum eg_hold_reason reason,
		    const struct eg_actor *first, const struct eg_actor *second, uint32_t seconds,
		    struct eg_id *ret_id, struct eg_err *err)
{
	struct eg_hold hold = {
		.encounter = *encounter, .reason = reason, .first = *first, .second = *second};
	int64_t now = 0;
	int r = check(policy, reason, first, second, seconds, err);
	if (r == 0 && eg_id_new(records->clock, &hold.id) != 0)
		r = eg_err_set(err, EG_EFOREIGN, "no random numbers for an id");
	if (r == 0)
		r = eg_db_begin(records->db, err);
	if (r != 0)
		return r;
	r = eg_records_advance(records, &now, err);
	if (r == 0)
		r = insert(records, &hold, now + EG_MS_PER_S * (int64_t)seconds, err);
	if (r == 0) {
		struct eg_audit_entry entry = {.event = EG_AUDIT_HOLD_SET,
					       .subject = *encounter,
					       .number = reason,
					       .actor = *first,
					       .second = *second};
		r = eg_audit_append(records, &entry, err);
	}
	r = eg_records_end(records, r, err);
	if (r == 0)
		*ret_id = hold.id;
	return r;
}

static void copy(struct eg_bytes from, void *to, size_t size)
{
	if (from.size == size)
		memcpy(to, from.data, size);
}

static void read_row(const struct eg_db_query *query, int64_t now, struct eg_hold *hold)
{
	memset(hold, 0, sizeof(*hold));
	copy(eg_db_blob(query, 0), hold->id.bytes, EG_ID_SIZE);
	copy(eg_db_blob(query, 1), hold->encounter.bytes, EG_ID_SIZE);
	hold->reason = (enum eg_hold_reason)eg_db_int(query, 2);
	copy(eg_db_blob(query, 3), hold->first.bytes, EG_ACTOR_SIZE);
	copy(eg_db_blob(query, 4), hold->second.bytes, EG_ACTOR_SIZE);
	hold->left_ms = eg_db_int(query, 5) - now;
}

// Within the caller's transaction. `number` and `actor` as the chain has them.
static int end(struct eg_records *records, const struct eg_hold *hold, uint64_t number,
	       const struct eg_actor *actor, struct eg_err *err)
{
	struct eg_audit_entry entry = {.event = EG_AUDIT_HOLD_ENDED,
				       .subject = hold->encounter,
				       .number = number,
				       .actor = *actor};
	struct eg_db_query query = eg_db_query(records->db, RECORDS_HOLD_DROP);
	eg_db_bind_blob(&query, 1, EG_BYTES(hold->id.bytes, EG_ID_SIZE));
	int r = eg_db_run(&query, NULL, err);
	return r != 0 ? r : eg_audit_append(records, &entry, err);
}

int eg_records_hold_end(struct eg_records *records, const struct eg_id *id,
			const struct eg_actor *actor, struct eg_err *err)
{
	struct eg_hold hold;
	if (is_nobody(actor))
		return eg_err_set(err, EG_EINVAL, "a hold is ended by somebody");
	int r = eg_db_begin(records->db, err);
	if (r != 0)
		return r;
	struct eg_db_query query = eg_db_query(records->db, RECORDS_HOLD_FIND);
	eg_db_bind_blob(&query, 1, EG_BYTES(id->bytes, EG_ID_SIZE));
	r = eg_db_step(&query, err);
	if (r == 1)
		read_row(&query, 0, &hold);
	eg_db_reset(&query);
	if (r == 0)
		r = eg_err_set(err, EG_ENOENT, "there is no such hold");
	else if (r == 1)
		r = end(records, &hold, 1, actor, err);
	return eg_records_end(records, r, err);
}

int eg_records_end_holds(struct eg_records *records, int64_t now, uint64_t *ret_count,
			 struct eg_err *err)
{
	static const struct eg_actor machine;
	struct eg_hold hold;
	uint64_t count = 0;
	int r;
	for (;;) {
		struct eg_db_query query = eg_db_query(records->db, RECORDS_HOLD_OVER);
		eg_db_bind_int(&query, 1, now);
		r = eg_db_step(&query, err);
		if (r == 1)
			read_row(&query, now, &hold);
		eg_db_reset(&query);
		if (r != 1)
			break;
		r = end(records, &hold, 0, &machine, err);
		if (r != 0)
			break;
		count++;
	}
	if (r == 0)
		*ret_count = count;
	return r;
}

int eg_records_holds(struct eg_records *records, int (*row)(void *user, const struct eg_hold *hold),
		     void *user, struct eg_err *err)
{
	struct eg_hold hold;
	struct eg_db_query query = eg_db_query(records->db, RECORDS_HOLD_LIST);
	int r;
	while ((r = eg_db_step(&query, err)) == 1) {
		read_row(&query, eg_db_int(&query, 6), &hold);
		r = row(user, &hold);
		if (r != 0)
			break;
	}
	eg_db_reset(&query);
	return r;
}
