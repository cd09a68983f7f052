// SPDX-License-Identifier: Apache-2.0
//
// Entries and heads of the audit chain: names, formats, appending. Verifying is in audit_verify.c.
// Thread: as audit.h.

#include "store/audit.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include "firmware/base/clock.h"
#include "store/parse.h"
#include "store/records_internal.h"

#define HEAD_CONTEXT	"egress/audit/v1"
#define RECEIPT_CONTEXT "egress/audit-receipt/v1"
#define ACTOR_CONTEXT	"egress/actor/v1" // with its NUL
#define HEAD_MAX	512
#define KEYS_MAX	9

// Which of the fields 5 to 9 an event has: all of them, and no other.
#define SUBJECT (1u << 5)
#define DIGEST	(1u << 6)
#define NUMBER	(1u << 7)
#define ACTOR	(1u << 8)
#define SECOND	(1u << 9)

static const struct {
	const char *name;
	unsigned int fields;
} events[EG_AUDIT_EVENT_COUNT] = {
	[EG_AUDIT_BOOT] = {"boot", NUMBER},
	[EG_AUDIT_ENCOUNTER_PUT] = {"encounter_put", SUBJECT | DIGEST},
	[EG_AUDIT_ENCOUNTER_ACKNOWLEDGED] = {"encounter_acknowledged", SUBJECT | DIGEST | NUMBER},
	[EG_AUDIT_ENVELOPE_ERASED] = {"envelope_erased", SUBJECT | DIGEST},
	[EG_AUDIT_IMAGE_EXPIRED] = {"image_expired", SUBJECT | DIGEST | NUMBER},
	[EG_AUDIT_BURIED] = {"buried", SUBJECT},
	[EG_AUDIT_RESENT] = {"resent", SUBJECT},
	[EG_AUDIT_MANIFEST_PUT] = {"manifest_put", DIGEST | NUMBER},
	[EG_AUDIT_MANIFEST_ERASED] = {"manifest_erased", DIGEST | NUMBER},
	[EG_AUDIT_OPT_OUT] = {"opt_out", SUBJECT},
	[EG_AUDIT_DECISION] = {"decision", SUBJECT | NUMBER | ACTOR},
	[EG_AUDIT_POLICY_PUT] = {"policy_put", DIGEST | NUMBER},
	[EG_AUDIT_HOLD_SET] = {"hold_set", SUBJECT | NUMBER | ACTOR | SECOND},
	[EG_AUDIT_HOLD_ENDED] = {"hold_ended", SUBJECT | NUMBER | ACTOR},
	[EG_AUDIT_MAINTENANCE_ENTERED] = {"maintenance_entered", ACTOR},
	[EG_AUDIT_MAINTENANCE_LEFT] = {"maintenance_left", ACTOR},
	[EG_AUDIT_RECEIPTS_ERASED] = {"receipts_erased", NUMBER},
	[EG_AUDIT_RECOVERED] = {"recovered", NUMBER},
	[EG_AUDIT_DECISION_OF_TWO] = {"decision_of_two", SUBJECT | NUMBER | ACTOR | SECOND},
	[EG_AUDIT_SIGNED_IN] = {"signed_in", ACTOR},
	[EG_AUDIT_SIGNED_OUT] = {"signed_out", ACTOR},
	[EG_AUDIT_LOCKED_OUT] = {"locked_out", ACTOR},
	[EG_AUDIT_FACES_SHOWN] = {"faces_shown", SUBJECT | ACTOR},
};

static bool is_event(uint64_t number)
{
	return number >= EG_AUDIT_BOOT && number < EG_AUDIT_EVENT_COUNT;
}

const char *eg_audit_event_name(enum eg_audit_event event)
{
	return is_event(event) ? events[event].name : "unknown";
}

int eg_actor_of(const char *account, struct eg_actor *ret_actor)
{
	uint8_t digest[EG_SHA256_SIZE];
	struct eg_buf text;
	eg_buf_init(&text, 1024);
	int r = eg_buf_put(&text, ACTOR_CONTEXT, sizeof(ACTOR_CONTEXT));
	if (r == 0)
		r = eg_buf_put(&text, account, strlen(account));
	if (r == 0)
		r = eg_sha256(eg_buf_bytes(&text), digest);
	if (r == 0)
		memcpy(ret_actor->bytes, digest, sizeof(ret_actor->bytes));
	eg_buf_done(&text);
	return r;
}

static int put_bytes(struct eg_buf *out, unsigned int key, const void *data, size_t size)
{
	int r = eg_cbor_put_uint(out, key);
	return r != 0 ? r : eg_cbor_put_bytes(out, EG_BYTES(data, size));
}

static int put_number(struct eg_buf *out, unsigned int key, uint64_t value)
{
	int r = eg_cbor_put_uint(out, key);
	return r != 0 ? r : eg_cbor_put_uint(out, value);
}

static int put_fields(const struct eg_audit_entry *entry, unsigned int fields, struct eg_buf *out)
{
	int r = 0;
	if ((fields & SUBJECT) != 0)
		r = put_bytes(out, 5, entry->subject.bytes, EG_ID_SIZE);
	if (r == 0 && (fields & DIGEST) != 0)
		r = put_bytes(out, 6, entry->digest, EG_SHA256_SIZE);
	if (r == 0 && (fields & NUMBER) != 0)
		r = put_number(out, 7, entry->number);
	if (r == 0 && (fields & ACTOR) != 0)
		r = put_bytes(out, 8, entry->actor.bytes, EG_ACTOR_SIZE);
	if (r == 0 && (fields & SECOND) != 0)
		r = put_bytes(out, 9, entry->second.bytes, EG_ACTOR_SIZE);
	return r;
}

int eg_audit_encode(const struct eg_audit_entry *entry, struct eg_buf *out)
{
	if (!is_event(entry->event) || entry->seq == 0 || entry->seq > INT64_MAX)
		return EG_EINVAL;
	unsigned int fields = events[entry->event].fields;
	size_t before = out->size;
	int r = eg_cbor_put_map(out, 4 + (size_t)__builtin_popcount(fields));
	if (r == 0)
		r = put_number(out, 1, entry->seq);
	if (r == 0)
		r = put_bytes(out, 2, entry->before, EG_SHA256_SIZE);
	if (r == 0)
		r = put_number(out, 3, entry->event);
	if (r == 0)
		r = eg_cbor_put_uint(out, 4);
	if (r == 0)
		r = eg_cbor_put_int(out, entry->wall_ms);
	if (r == 0)
		r = put_fields(entry, fields, out);
	if (r != 0)
		out->size = before;
	return r;
}

static int get_field(struct eg_cur *cur, int64_t key, struct eg_audit_entry *entry)
{
	uint64_t number = 0;
	int r;
	switch (key) {
	case 1:
		r = eg_cbor_get_uint(cur, &entry->seq);
		return r == 0 && (entry->seq == 0 || entry->seq > INT64_MAX) ? EG_EINVAL : r;
	case 2:
		return eg_parse_exact(cur, entry->before, EG_SHA256_SIZE);
	case 3:
		r = eg_cbor_get_uint(cur, &number);
		if (r == 0 && !is_event(number))
			return EG_EINVAL;
		entry->event = (enum eg_audit_event)number;
		return r;
	case 4:
		return eg_cbor_get_int(cur, &entry->wall_ms);
	case 5:
		return eg_parse_exact(cur, entry->subject.bytes, EG_ID_SIZE);
	case 6:
		return eg_parse_exact(cur, entry->digest, EG_SHA256_SIZE);
	case 7:
		return eg_cbor_get_uint(cur, &entry->number);
	case 8:
		return eg_parse_exact(cur, entry->actor.bytes, EG_ACTOR_SIZE);
	case 9:
		return eg_parse_exact(cur, entry->second.bytes, EG_ACTOR_SIZE);
	default:
		return EG_EINVAL;
	}
}

int eg_audit_decode(struct eg_bytes bytes, struct eg_audit_entry *ret_entry, struct eg_err *err)
{
	struct eg_audit_entry entry = {0};
	struct eg_cur cur = eg_cur_of(bytes);
	struct eg_cbor_map map;
	int64_t key = 0;
	unsigned int seen = 0;
	int r = eg_cbor_map_open(&cur, KEYS_MAX, &map);
	while (r == 0 && (r = eg_cbor_map_next(&map, &key)) == 1) {
		r = get_field(&cur, key, &entry);
		if (r != 0)
			return eg_err_set(err, EG_EINVAL,
					  "audit entry: field %" PRId64 " is unknown or malformed",
					  key);
		seen |= 1u << key;
	}
	if (r != 0 || !is_event(entry.event) || cur.left != 0 ||
	    seen != (0x1eu | events[entry.event].fields))
		return eg_err_set(err, EG_EINVAL, "audit entry: not the fields its event has");
	*ret_entry = entry;
	return 0;
}

static int put_head(const struct eg_audit_head *head, struct eg_buf *out)
{
	if (!eg_name_is_valid(head->booth) || head->count == 0 || head->count > INT64_MAX ||
	    head->wall_ms < 0 || head->wall_ms > EG_TIME_MAX_MS)
		return EG_EINVAL;
	int r = eg_cbor_put_map(out, 4);
	if (r == 0)
		r = eg_cbor_put_uint(out, 1);
	if (r == 0)
		r = eg_cbor_put_text(out, head->booth);
	if (r == 0)
		r = put_number(out, 2, head->count);
	if (r == 0)
		r = put_bytes(out, 3, head->digest, EG_SHA256_SIZE);
	if (r == 0)
		r = put_number(out, 4, (uint64_t)head->wall_ms);
	return r;
}

static int get_head_field(struct eg_cur *cur, int64_t key, struct eg_audit_head *head)
{
	int r;
	switch (key) {
	case 1:
		r = eg_cbor_get_text(cur, head->booth, sizeof(head->booth));
		return r == 0 && !eg_name_is_valid(head->booth) ? EG_EINVAL : r;
	case 2:
		r = eg_cbor_get_uint(cur, &head->count);
		return r == 0 && (head->count == 0 || head->count > INT64_MAX) ? EG_EINVAL : r;
	case 3:
		return eg_parse_exact(cur, head->digest, EG_SHA256_SIZE);
	case 4:
		return eg_parse_time(cur, &head->wall_ms);
	default:
		return EG_EINVAL;
	}
}

static int get_head(struct eg_bytes payload, struct eg_audit_head *ret_head, struct eg_err *err)
{
	struct eg_audit_head head = {0};
	struct eg_cur cur = eg_cur_of(payload);
	struct eg_cbor_map map;
	int64_t key = 0;
	size_t count = 0;
	int r = eg_cbor_map_open(&cur, 4, &map);
	while (r == 0 && (r = eg_cbor_map_next(&map, &key)) == 1) {
		r = get_head_field(&cur, key, &head);
		count++;
	}
	if (r != 0 || count != 4 || cur.left != 0)
		return eg_err_set(err, EG_EINVAL, "audit head: not the four fields it must be");
	*ret_head = head;
	return 0;
}

static int sign(const struct eg_audit_head *head, const char *context, const struct eg_key *key,
		struct eg_buf *out, struct eg_err *err)
{
	struct eg_buf payload;
	eg_buf_init(&payload, HEAD_MAX);
	int r = put_head(head, &payload);
	if (r != 0)
		(void)eg_err_set(err, r, "audit head: booth, count or time is out of range");
	else
		r = eg_cose_sign(key, EG_BYTES_STR(context), eg_buf_bytes(&payload), out, err);
	eg_buf_done(&payload);
	return r;
}

static int verify(struct eg_bytes message, const char *context, const struct eg_trusted_key *keys,
		  size_t key_count, struct eg_audit_head *ret_head, struct eg_err *err)
{
	struct eg_bytes payload;
	int r = eg_cose_verify(message, EG_BYTES_STR(context), keys, key_count, &payload, NULL,
			       err);
	return r != 0 ? eg_err_prefix(err, r, "audit head") : get_head(payload, ret_head, err);
}

int eg_audit_sign_head(const struct eg_audit_head *head, const struct eg_key *booth_key,
		       struct eg_buf *out, struct eg_err *err)
{
	return sign(head, HEAD_CONTEXT, booth_key, out, err);
}

int eg_audit_verify_head(struct eg_bytes message, const uint8_t booth_pub[EG_P256_PUB_SIZE],
			 struct eg_audit_head *ret_head, struct eg_err *err)
{
	struct eg_trusted_key key;
	memcpy(key.pub, booth_pub, sizeof(key.pub));
	eg_kid(booth_pub, key.kid);
	return verify(message, HEAD_CONTEXT, &key, 1, ret_head, err);
}

int eg_audit_sign_receipt(const struct eg_audit_head *head, const struct eg_key *centre,
			  struct eg_buf *out, struct eg_err *err)
{
	return sign(head, RECEIPT_CONTEXT, centre, out, err);
}

int eg_audit_verify_receipt(struct eg_bytes message, const struct eg_trusted_key *keys,
			    size_t key_count, struct eg_audit_head *ret_head, struct eg_err *err)
{
	return verify(message, RECEIPT_CONTEXT, keys, key_count, ret_head, err);
}

int eg_audit_head(struct eg_records *records, struct eg_audit_head *ret_head, struct eg_err *err)
{
	struct eg_audit_head head = {0};
	struct eg_db_query query = eg_db_query(records->db, RECORDS_AUDIT_HEAD);
	int r = eg_db_step(&query, err);
	if (r == 1) {
		struct eg_bytes digest = eg_db_blob(&query, 1);
		head.count = (uint64_t)eg_db_int(&query, 0);
		r = digest.size == EG_SHA256_SIZE ? 0 : EG_ECORRUPT;
		if (r == 0)
			memcpy(head.digest, digest.data, digest.size);
	} else if (r == 0) {
		r = EG_ECORRUPT;
	}
	eg_db_reset(&query);
	if (r == EG_ECORRUPT)
		return eg_err_set(err, r, "audit: the row of the chain's head is missing");
	if (r == 0)
		*ret_head = head;
	return r;
}

static int insert(struct eg_records *records, uint64_t seq, struct eg_bytes bytes,
		  struct eg_err *err)
{
	uint8_t digest[EG_SHA256_SIZE];
	int r = eg_sha256(bytes, digest);
	if (r != 0)
		return eg_err_set(err, r, "audit: digest: %s", eg_code_name(r));
	struct eg_db_query put = eg_db_query(records->db, RECORDS_AUDIT_PUT);
	eg_db_bind_int(&put, 1, (int64_t)seq);
	eg_db_bind_blob(&put, 2, bytes);
	r = eg_db_run(&put, NULL, err);
	if (r != 0)
		return r;
	struct eg_db_query grow = eg_db_query(records->db, RECORDS_AUDIT_GROW);
	eg_db_bind_int(&grow, 1, (int64_t)seq);
	eg_db_bind_blob(&grow, 2, EG_BYTES(digest, sizeof(digest)));
	return eg_db_run(&grow, NULL, err);
}

int eg_audit_append(struct eg_records *records, const struct eg_audit_entry *entry,
		    struct eg_err *err)
{
	struct eg_audit_entry full = *entry;
	struct eg_audit_head head;
	struct eg_buf bytes;
	int r = eg_audit_head(records, &head, err);
	if (r != 0)
		return r;
	full.seq = head.count + 1;
	memcpy(full.before, head.digest, sizeof(full.before));
	if (full.wall_ms == 0)
		full.wall_ms = eg_wall_ms(records->clock);
	eg_buf_init(&bytes, EG_AUDIT_ENTRY_MAX);
	r = eg_audit_encode(&full, &bytes);
	if (r != 0)
		(void)eg_err_set(err, r, "audit: an entry of event %d: %s", (int)entry->event,
				 eg_code_name(r));
	else
		r = insert(records, full.seq, eg_buf_bytes(&bytes), err);
	eg_buf_done(&bytes);
	return r;
}

int eg_audit_append_about(struct eg_records *records, enum eg_audit_event event,
			  const struct eg_id *subject, const uint8_t *digest, uint64_t number,
			  int64_t wall_ms, struct eg_err *err)
{
	struct eg_audit_entry entry = {
		.event = event, .subject = *subject, .number = number, .wall_ms = wall_ms};
	if (digest != NULL)
		memcpy(entry.digest, digest, sizeof(entry.digest));
	return eg_audit_append(records, &entry, err);
}

int eg_audit_note(struct eg_records *records, const struct eg_audit_entry *entry,
		  struct eg_err *err)
{
	int r = eg_db_begin(records->db, err);
	if (r != 0)
		return r;
	r = eg_audit_append(records, entry, err);
	if (r == 0)
		return eg_db_commit(records->db, err);
	eg_db_rollback(records->db);
	return r;
}

int eg_audit_list(struct eg_records *records, uint64_t first, uint64_t last,
		  int (*row)(void *user, const struct eg_audit_entry *entry), void *user,
		  struct eg_err *err)
{
	struct eg_audit_entry entry;
	int r;
	struct eg_db_query query = eg_db_query(records->db, RECORDS_AUDIT_LIST);
	eg_db_bind_int(&query, 1, first < INT64_MAX ? (int64_t)first : INT64_MAX);
	eg_db_bind_int(&query, 2, last < INT64_MAX ? (int64_t)last : INT64_MAX);
	while ((r = eg_db_step(&query, err)) == 1) {
		r = eg_audit_decode(eg_db_blob(&query, 1), &entry, err);
		if (r != 0) {
			r = eg_err_set(err, EG_ECORRUPT,
				       "audit entry %" PRId64 " is damaged: verify the chain",
				       eg_db_int(&query, 0));
			break;
		}
		r = row(user, &entry);
		if (r != 0)
			break;
	}
	eg_db_reset(&query);
	return r;
}
