// SPDX-License-Identifier: Apache-2.0
//
// The policy that is in force, kept in records.db. Thread: as retention.h.

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "firmware/base/mem.h"
#include "store/records_internal.h"
#include "store/retention.h"

// 0: go on, 1: these very bytes are here, negative: refused.
static int check_version(struct eg_records *records, const struct eg_policy *policy,
			 struct eg_bytes digest, struct eg_err *err)
{
	struct eg_db_query query = eg_db_query(records->db, RECORDS_POLICY);
	int r = eg_db_step(&query, err);
	if (r == 1) {
		uint64_t here = (uint64_t)eg_db_int(&query, 0);
		if (policy->version < here)
			r = eg_err_set(err, EG_ESTALE,
				       "policy: version %" PRIu64 " is older than %" PRIu64
				       ", which is here: refused",
				       policy->version, here);
		else if (policy->version > here)
			r = 0;
		else if (!eg_bytes_equal(eg_db_blob(&query, 1), digest))
			r = eg_err_set(err, EG_ECONFLICT,
				       "policy: there are two of version %" PRIu64
				       ": refused, the centre has to sign a higher version",
				       here);
	}
	eg_db_reset(&query);
	return r;
}

static int insert(struct eg_records *records, const struct eg_policy *policy,
		  struct eg_bytes message, const uint8_t digest[EG_SHA256_SIZE], struct eg_err *err)
{
	struct eg_audit_entry entry = {.event = EG_AUDIT_POLICY_PUT, .number = policy->version};
	struct eg_db_query put = eg_db_query(records->db, RECORDS_PUT_POLICY);
	eg_db_bind_int(&put, 1, (int64_t)policy->version);
	eg_db_bind_blob(&put, 2, EG_BYTES(digest, EG_SHA256_SIZE));
	eg_db_bind_blob(&put, 3, message);
	int r = eg_db_run(&put, NULL, err);
	memcpy(entry.digest, digest, sizeof(entry.digest));
	return r != 0 ? r : eg_audit_append(records, &entry, err);
}

static int put_verified(struct eg_records *records, const struct eg_policy *policy,
			struct eg_bytes message, struct eg_err *err)
{
	uint8_t digest[EG_SHA256_SIZE];
	int64_t now = eg_wall_ms(records->clock);
	if (now >= policy->expires_ms || now < policy->not_before_ms)
		return eg_err_set(err, EG_ESTALE, "policy: version %" PRIu64 " %s", policy->version,
				  now >= policy->expires_ms ? "has expired" : "is not valid yet");
	int r = eg_sha256(message, digest);
	if (r != 0)
		return eg_err_set(err, r, "policy: digest: %s", eg_code_name(r));
	r = eg_db_begin(records->db, err);
	if (r != 0)
		return r;
	r = check_version(records, policy, EG_BYTES(digest, sizeof(digest)), err);
	if (r == 1) {
		eg_db_rollback(records->db);
		return 0;
	}
	if (r == 0)
		r = insert(records, policy, message, digest, err);
	return eg_records_end(records, r, err);
}

int eg_records_put_policy(struct eg_records *records, struct eg_bytes message,
			  const struct eg_trusted_key *keys, size_t key_count, struct eg_err *err)
{
	struct eg_policy *policy = eg_calloc(1, sizeof(*policy));
	if (policy == NULL)
		return eg_err_set(err, EG_ENOMEM, "policy: out of memory");
	int r = eg_policy_verify(message, keys, key_count, policy, err);
	if (r == 0)
		r = put_verified(records, policy, message, err);
	free(policy);
	return r;
}

static void shorten(struct eg_retention *retention)
{
	for (size_t data = 0; data < EG_DATA_CLASSES; data++) {
		for (size_t class = 0; class < EG_CITIZENSHIP_CLASSES; class ++) {
			uint32_t most = eg_policy_defaults.retention.seconds[data][class];
			uint32_t *ours = &retention->seconds[data][class];
			if (*ours > most)
				*ours = most;
		}
	}
}

int eg_records_policy_message(struct eg_records *records, struct eg_buf *out, struct eg_err *err)
{
	struct eg_db_query query = eg_db_query(records->db, RECORDS_POLICY);
	int r = eg_db_step(&query, err);
	if (r == 1) {
		struct eg_bytes message = eg_db_blob(&query, 2);

		r = eg_buf_put(out, message.data, message.size);
		if (r != 0)
			r = eg_err_set(err, r, "policy: out of memory");
	} else if (r == 0) {
		r = eg_err_set(err, EG_ENOENT, "policy: there is none");
	}
	eg_db_reset(&query);
	return r;
}

int eg_records_policy(struct eg_records *records, const struct eg_trusted_key *keys,
		      size_t key_count, struct eg_policy *ret_policy, bool *ret_stale,
		      struct eg_err *err)
{
	struct eg_db_query query = eg_db_query(records->db, RECORDS_POLICY);
	int r = eg_db_step(&query, err);
	if (r == 1) {
		r = eg_policy_verify(eg_db_blob(&query, 2), keys, key_count, ret_policy, err);
		if (r == 0) {
			*ret_stale = eg_wall_ms(records->clock) >= ret_policy->expires_ms;
			if (*ret_stale)
				shorten(&ret_policy->retention);
		}
	} else if (r == 0) {
		*ret_policy = eg_policy_defaults;
		*ret_stale = false;
	}
	eg_db_reset(&query);
	return r;
}
