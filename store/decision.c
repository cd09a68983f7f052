// SPDX-License-Identifier: Apache-2.0
//
// See decision.h. Thread: any.

#include "store/decision.h"

#include <inttypes.h>
#include <string.h>

#include "store/parse.h"

#define KEYS	   10
#define RECORD_MAX 1024 // bytes, signed
#define KEY(n)	   (1u << (n))
#define KEYS_ALL   0x7feu
#define KEYS_TWO   (KEY(7) | KEY(10)) // only with a second person

#define MAY(reason) (1u << (EG_REASON_##reason))

static const struct {
	const char *name;
	unsigned int reasons;
} decisions[EG_DECISION_COUNT] = {
	[EG_DECISION_CONFIRMED_BY_DOCUMENT] = {"confirmed_by_document",
					       MAY(DOCUMENT_CHECKED) | MAY(POOR_REFERENCE) |
						       MAY(POOR_CAPTURE) | MAY(LOOK_ALIKE) |
						       MAY(APPEARANCE_CHANGED) |
						       MAY(NOT_ON_MANIFEST) | MAY(TRAVELLER_ASKED) |
						       MAY(EQUIPMENT)},
	[EG_DECISION_REFERRED] = {"referred", MAY(POOR_REFERENCE) | MAY(LOOK_ALIKE) |
						      MAY(APPEARANCE_CHANGED) |
						      MAY(NOT_ON_MANIFEST) | MAY(DOCUMENT_DOUBT) |
						      MAY(LIVENESS_DOUBT) | MAY(TRAVELLER_ASKED)},
	[EG_DECISION_RECAPTURE] = {"recapture", MAY(NONE) | MAY(POOR_CAPTURE) |
							MAY(APPEARANCE_CHANGED) |
							MAY(LIVENESS_DOUBT) | MAY(TRAVELLER_ASKED) |
							MAY(EQUIPMENT)},
	[EG_DECISION_OPTED_OUT] = {"opted_out", MAY(TRAVELLER_ASKED)},
	[EG_DECISION_WRONG_PERSON] = {"wrong_person", MAY(LOOK_ALIKE) | MAY(POOR_REFERENCE) |
							      MAY(DOCUMENT_CHECKED) |
							      MAY(DOCUMENT_DOUBT)},
	[EG_DECISION_SUPERVISOR_NEEDED] = {"supervisor_needed",
					   MAY(NONE) | MAY(LOOK_ALIKE) | MAY(APPEARANCE_CHANGED) |
						   MAY(NOT_ON_MANIFEST) | MAY(DOCUMENT_DOUBT) |
						   MAY(LIVENESS_DOUBT) | MAY(TRAVELLER_ASKED) |
						   MAY(EQUIPMENT) | MAY(OTHER_OFFICER)},
};

static const char *const reason_names[EG_REASON_COUNT] = {
	[EG_REASON_NONE] = "none",
	[EG_REASON_DOCUMENT_CHECKED] = "document_checked",
	[EG_REASON_POOR_REFERENCE] = "poor_reference",
	[EG_REASON_POOR_CAPTURE] = "poor_capture",
	[EG_REASON_LOOK_ALIKE] = "look_alike",
	[EG_REASON_APPEARANCE_CHANGED] = "appearance_changed",
	[EG_REASON_NOT_ON_MANIFEST] = "not_on_manifest",
	[EG_REASON_DOCUMENT_DOUBT] = "document_doubt",
	[EG_REASON_LIVENESS_DOUBT] = "liveness_doubt",
	[EG_REASON_TRAVELLER_ASKED] = "traveller_asked",
	[EG_REASON_EQUIPMENT] = "equipment",
	[EG_REASON_OTHER_OFFICER] = "other_officer",
};

static bool is_decision(uint64_t number)
{
	return number >= EG_DECISION_CONFIRMED_BY_DOCUMENT && number < EG_DECISION_COUNT;
}

const char *eg_decision_name(enum eg_decision decision)
{
	return is_decision(decision) ? decisions[decision].name : "unknown";
}

int eg_decision_find(const char *name)
{
	for (int d = EG_DECISION_CONFIRMED_BY_DOCUMENT; d < EG_DECISION_COUNT; d++)
		if (strcmp(name, decisions[d].name) == 0)
			return d;
	return -1;
}

const char *eg_decision_reason_name(enum eg_decision_reason reason)
{
	return (unsigned int)reason < EG_REASON_COUNT ? reason_names[reason] : "unknown";
}

int eg_decision_reason_find(const char *name)
{
	for (int reason = EG_REASON_NONE; reason < EG_REASON_COUNT; reason++)
		if (strcmp(name, reason_names[reason]) == 0)
			return reason;
	return -1;
}

bool eg_decision_allows(enum eg_decision decision, enum eg_decision_reason reason)
{
	return is_decision(decision) && (unsigned int)reason < EG_REASON_COUNT &&
	       (decisions[decision].reasons >> reason & 1u) != 0;
}

bool eg_decision_needs_second(enum eg_decision decision, uint32_t two_person)
{
	return is_decision(decision) && (two_person & EG_DECISION_BIT(decision)) != 0;
}

static int put_actor(const char *account, struct eg_buf *out)
{
	struct eg_actor actor;
	int r = eg_actor_of(account, &actor);
	return r != 0 ? r : eg_cbor_put_bytes(out, EG_BYTES(actor.bytes, EG_ACTOR_SIZE));
}

static int put_field(const struct eg_decision_record *record, unsigned int key, struct eg_buf *out)
{
	switch (key) {
	case 1:
		return eg_cbor_put_bytes(out, EG_BYTES(record->id.bytes, EG_ID_SIZE));
	case 2:
		return eg_cbor_put_bytes(out, EG_BYTES(record->encounter.bytes, EG_ID_SIZE));
	case 3:
		return eg_cbor_put_text(out, record->booth);
	case 4:
		return eg_cbor_put_uint(out, record->decision);
	case 5:
		return eg_cbor_put_uint(out, record->reason);
	case 6:
		return put_actor(record->by, out);
	case 7:
		return put_actor(record->second, out);
	case 8:
		return eg_cbor_put_int(out, record->decided_ms);
	case 9:
		return eg_cbor_put_text(out, record->by);
	default:
		return eg_cbor_put_text(out, record->second);
	}
}

int eg_decision_write(const struct eg_decision_record *record, struct eg_buf *out,
		      struct eg_err *err)
{
	struct eg_decision_record check;
	unsigned int keys = record->second[0] != '\0' ? KEYS_ALL : KEYS_ALL & ~KEYS_TWO;
	size_t before = out->size;
	int r = eg_cbor_put_map(out, (size_t)__builtin_popcount(keys));
	for (unsigned int key = 1; r == 0 && key <= KEYS; key++) {
		if ((keys & KEY(key)) == 0)
			continue;
		r = eg_cbor_put_uint(out, key);
		if (r == 0)
			r = put_field(record, key, out);
	}
	if (r != 0)
		(void)eg_err_set(err, r, "writing a decision: %s", eg_code_name(r));
	else // what is signed must be readable at the centre
		r = eg_decision_read(EG_BYTES(out->data + before, out->size - before), &check, err);
	if (r != 0)
		out->size = before;
	return r;
}

static int get_name(struct eg_cur *cur, char name[EG_NAME_MAX])
{
	int r = eg_cbor_get_text(cur, name, EG_NAME_MAX);
	return r == 0 && !eg_name_is_valid(name) ? EG_EINVAL : r;
}

static int get_number(struct eg_cur *cur, uint64_t max, uint64_t *ret_number)
{
	int r = eg_cbor_get_uint(cur, ret_number);
	return r == 0 && *ret_number > max ? EG_EINVAL : r;
}

struct actors {
	struct eg_actor by, second;
};

static int get_field(struct eg_cur *cur, int64_t key, struct eg_decision_record *record,
		     struct actors *actors)
{
	uint64_t number = 0;
	int r;
	switch (key) {
	case 1:
		return eg_parse_exact(cur, record->id.bytes, EG_ID_SIZE);
	case 2:
		return eg_parse_exact(cur, record->encounter.bytes, EG_ID_SIZE);
	case 3:
		return get_name(cur, record->booth);
	case 4:
		r = get_number(cur, EG_DECISION_COUNT - 1, &number);
		record->decision = (enum eg_decision)number;
		return r;
	case 5:
		r = get_number(cur, EG_REASON_COUNT - 1, &number);
		record->reason = (enum eg_decision_reason)number;
		return r;
	case 6:
		return eg_parse_exact(cur, actors->by.bytes, EG_ACTOR_SIZE);
	case 7:
		return eg_parse_exact(cur, actors->second.bytes, EG_ACTOR_SIZE);
	case 8:
		return eg_parse_time(cur, &record->decided_ms);
	case 9:
		return get_name(cur, record->by);
	default:
		return get_name(cur, record->second);
	}
}

static bool is_actor_of(const struct eg_actor *actor, const char *account)
{
	struct eg_actor real;
	return eg_actor_of(account, &real) == 0 && memcmp(&real, actor, sizeof(real)) == 0;
}

// What the fields say together.
static int check(const struct eg_decision_record *record, const struct actors *actors,
		 struct eg_err *err)
{
	bool two = record->second[0] != '\0';
	if (!eg_decision_allows(record->decision, record->reason))
		return eg_err_set(err, EG_EINVAL, "decision: \"%s\" does not go with \"%s\"",
				  eg_decision_reason_name(record->reason),
				  eg_decision_name(record->decision));
	if (!is_actor_of(&actors->by, record->by) ||
	    (two && !is_actor_of(&actors->second, record->second)))
		return eg_err_set(err, EG_EINVAL, "decision: an actor is not the account's");
	if (two && strcmp(record->by, record->second) == 0)
		return eg_err_set(err, EG_EINVAL, "decision: the second person is the first");
	return 0;
}

int eg_decision_read(struct eg_bytes payload, struct eg_decision_record *ret_record,
		     struct eg_err *err)
{
	static const char *const names[KEYS + 1] = {
		NULL,	 "id",	  "encounter",	  "booth",   "decision", "reason",
		"actor", "actor", "decided time", "account", "second",
	};
	struct eg_decision_record record = {0};
	struct actors actors = {0};
	struct eg_cur cur = eg_cur_of(payload);
	struct eg_cbor_map map;
	int64_t key = 0;
	unsigned int seen = 0;
	int r = eg_cbor_map_open(&cur, KEYS, &map);
	while (r == 0 && (r = eg_cbor_map_next(&map, &key)) == 1) {
		if (key < 1 || key > KEYS)
			return eg_err_set(err, EG_EINVAL, "decision: unknown field %" PRId64, key);
		r = get_field(&cur, key, &record, &actors);
		if (r != 0)
			return eg_err_set(err, EG_EINVAL,
					  "decision: field \"%s\" is malformed or out of range",
					  names[key]);
		seen |= KEY((unsigned int)key);
	}
	if (r != 0 || cur.left != 0 || (seen != KEYS_ALL && seen != (KEYS_ALL & ~KEYS_TWO)))
		return eg_err_set(err, EG_EINVAL, "decision: not the fields it must be");
	r = check(&record, &actors, err);
	if (r == 0)
		*ret_record = record;
	return r;
}

static int sign(const struct eg_decision_record *record, const struct eg_key *booth_key,
		struct eg_buf *message, struct eg_err *err)
{
	struct eg_buf payload;
	eg_buf_init_secret(&payload, RECORD_MAX);
	int r = eg_decision_write(record, &payload, err);
	if (r == 0)
		r = eg_cose_sign(booth_key, EG_BYTES_STR(EG_DECISION_CONTEXT),
				 eg_buf_bytes(&payload), message, err);
	eg_buf_done(&payload);
	return r;
}

int eg_decision_seal(const struct eg_decision_record *record, const struct eg_key *booth_key,
		     const uint8_t centre[EG_P256_PUB_SIZE], struct eg_buf *out, struct eg_err *err)
{
	struct eg_buf message, sealed;
	eg_buf_init_secret(&message, RECORD_MAX);
	eg_buf_init(&sealed, RECORD_MAX + EG_HPKE_OVERHEAD);
	int r = sign(record, booth_key, &message, err);
	if (r == 0)
		r = eg_envelope_seal_part(&record->id, record->booth, EG_DECISION_CONTEXT, centre,
					  eg_buf_bytes(&message), &sealed, err);
	if (r == 0) {
		struct eg_envelope_parts parts = {
			.facts = {.kind = EG_ENVELOPE_DECISION, .id = record->id},
			.record = eg_buf_bytes(&sealed),
		};
		eg_kid(centre, parts.facts.kid);
		r = eg_envelope_put(&parts, out, err);
	}
	eg_buf_done(&sealed);
	eg_buf_done(&message);
	return r;
}

// The signature by the booth's record key, then the record, which must be the one outside says.
static int read_message(struct eg_bytes message, const struct eg_id *id, const char *booth,
			const uint8_t booth_pub[EG_P256_PUB_SIZE],
			struct eg_decision_record *ret_record, struct eg_err *err)
{
	struct eg_trusted_key key;
	struct eg_bytes payload;
	struct eg_decision_record record;
	memcpy(key.pub, booth_pub, sizeof(key.pub));
	eg_kid(booth_pub, key.kid);
	int r = eg_cose_verify(message, EG_BYTES_STR(EG_DECISION_CONTEXT), &key, 1, &payload, NULL,
			       err);
	if (r == 0)
		r = eg_decision_read(payload, &record, err);
	if (r != 0)
		return r;
	if (eg_id_compare(&record.id, id) != 0 || strcmp(record.booth, booth) != 0)
		return eg_err_set(err, EG_EAUTH,
				  "the record inside is of another decision or booth than the "
				  "envelope says");
	*ret_record = record;
	return 0;
}

int eg_decision_open(struct eg_bytes envelope, const struct eg_key *centre_key, const char *booth,
		     const uint8_t booth_pub[EG_P256_PUB_SIZE],
		     struct eg_decision_record *ret_record, struct eg_err *err)
{
	struct eg_envelope_parts parts;
	char text[EG_ID_TEXT_MAX];
	struct eg_buf plain;
	int r = eg_envelope_split(envelope, &parts, err);
	if (r == 0 && parts.facts.kind != EG_ENVELOPE_DECISION)
		r = eg_err_set(err, EG_EINVAL, "envelope: of an encounter, not of a decision");
	if (r != 0)
		return r;
	eg_buf_init_secret(&plain, EG_ENVELOPE_MAX);
	r = eg_envelope_open_part(&parts.facts, booth, EG_DECISION_CONTEXT, parts.record,
				  centre_key, &plain, err);
	if (r == 0)
		r = read_message(eg_buf_bytes(&plain), &parts.facts.id, booth, booth_pub,
				 ret_record, err);
	eg_buf_done(&plain);
	eg_id_text(&parts.facts.id, text);
	return r == 0 ? 0 : eg_err_prefix(err, r, "decision %s", text);
}
