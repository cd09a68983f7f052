// SPDX-License-Identifier: Apache-2.0
//
// The snapshot's format:
//
//	sealed   nonce bytes(12) ‖ AES-256-GCM of the content, under a key that HKDF-SHA256 makes
//		 of the booth's sealing key (its agreement with itself; info "egress/cases/v1")
//	content  CBOR array(2) [roll (roll.c), array of cases, oldest first]
//	case     CBOR map with the keys below; what is not known is left out
//
// Who has the disk but not seal.key can neither read nor make one, but can put an older one back.

#include "firmware/boothd/cases.h"

#include <math.h>
#include <string.h>

#include "firmware/base/mem.h"

#define NONCE_SIZE 12
#define TAG_SIZE   16

static int key_of(const struct eg_key *seal_key, uint8_t ret_key[32])
{
	static const char info[] = "egress/cases/v1";
	uint8_t shared[32], prk[EG_SHA256_SIZE];
	int r = eg_ecdh(seal_key, eg_key_public(seal_key), shared);

	if (r == 0)
		r = eg_hkdf_extract((struct eg_bytes){0}, EG_BYTES(shared, sizeof(shared)), prk);
	if (r == 0)
		r = eg_hkdf_expand(prk, EG_BYTES_STR(info), ret_key, 32);
	eg_wipe(shared, sizeof(shared));
	eg_wipe(prk, sizeof(prk));
	return r;
}

// ---- writing ------------------------------------------------------------------------------------

// One field of a map. The first pass counts those that are there, the second writes them.
struct pen {
	struct eg_buf *out; // NULL: count
	size_t count;
	int r;
};

static bool wants(struct pen *pen, uint64_t key, bool there)
{
	if (!there || pen->r != 0)
		return false;
	pen->count++;
	if (pen->out == NULL)
		return false;
	pen->r = eg_cbor_put_uint(pen->out, key);
	return pen->r == 0;
}

static void put_uint(struct pen *pen, uint64_t key, uint64_t value)
{
	if (wants(pen, key, value != 0))
		pen->r = eg_cbor_put_uint(pen->out, value);
}

static void put_text(struct pen *pen, uint64_t key, const char *text)
{
	if (wants(pen, key, text[0] != '\0'))
		pen->r = eg_cbor_put_text(pen->out, text);
}

static void put_real(struct pen *pen, uint64_t key, double value)
{
	if (wants(pen, key, isfinite(value)))
		pen->r = eg_cbor_put_double(pen->out, value);
}

static void put_id(struct pen *pen, uint64_t key, const struct eg_id *id, bool there)
{
	if (wants(pen, key, there))
		pen->r = eg_cbor_put_bytes(pen->out, EG_BYTES(id->bytes, sizeof(id->bytes)));
}

static void put_quality(struct pen *pen, uint64_t key, const struct eg_quality *quality)
{
	if (!wants(pen, key, quality->overall >= 0))
		return;
	pen->r = eg_cbor_put_array(pen->out, EG_QUALITY_COUNT + 1);
	for (size_t i = 0; pen->r == 0 && i < EG_QUALITY_COUNT; i++)
		pen->r = eg_cbor_put_int(pen->out, quality->component[i]);
	if (pen->r == 0)
		pen->r = eg_cbor_put_int(pen->out, quality->overall);
}

enum {
	KEY_ENCOUNTER = 1,
	KEY_WALL,
	KEY_VERDICT,
	KEY_CAUSE,
	KEY_MODE,
	KEY_MANIFEST,
	KEY_FLIGHT,
	KEY_PORT,
	KEY_TRAVELLER,
	KEY_CANDIDATE,
	KEY_INITIALS,
	KEY_SCORE,
	KEY_THRESHOLD,
	KEY_QUALITY,
	KEY_LIVENESS,
	KEY_REASONS,
	KEY_LIVENESS_MIN,
	KEY_DECISION,
	KEY_REASON,
	KEY_BY,
	KEY_COUNTED,
	KEY_BY_TIME,
	KEY_RECEIPT,
	KEY_END,
};

static void put_fields(struct pen *pen, const struct eg_case *c)
{
	put_id(pen, KEY_ENCOUNTER, &c->encounter, true);
	put_uint(pen, KEY_WALL, (uint64_t)c->wall_ms);
	put_uint(pen, KEY_VERDICT, c->verdict);
	put_uint(pen, KEY_CAUSE, c->cause);
	put_uint(pen, KEY_MODE, c->mode);
	put_text(pen, KEY_MANIFEST, c->manifest);
	put_text(pen, KEY_FLIGHT, c->flight);
	put_text(pen, KEY_PORT, c->port);
	put_text(pen, KEY_TRAVELLER, c->traveller);
	put_uint(pen, KEY_CANDIDATE, c->candidate);
	put_text(pen, KEY_INITIALS, c->initials);
	put_real(pen, KEY_SCORE, c->score);
	put_real(pen, KEY_THRESHOLD, c->threshold);
	put_quality(pen, KEY_QUALITY, &c->quality);
	put_real(pen, KEY_LIVENESS, (double)c->liveness.score);
	put_uint(pen, KEY_REASONS, c->liveness.reasons);
	put_real(pen, KEY_LIVENESS_MIN, (double)c->liveness_min);
	put_uint(pen, KEY_DECISION, c->decision);
	put_uint(pen, KEY_REASON, c->reason);
	put_text(pen, KEY_BY, c->by);
	put_text(pen, KEY_COUNTED, c->counted);
	put_uint(pen, KEY_BY_TIME, (uint64_t)c->by_ms);
	put_id(pen, KEY_RECEIPT, &c->receipt, c->has_receipt);
}

static int put_case(const struct eg_case *c, struct eg_buf *out)
{
	struct pen pen = {0};

	put_fields(&pen, c);
	pen = (struct pen){.out = out, .r = eg_cbor_put_map(out, pen.count)};
	put_fields(&pen, c);
	return pen.r;
}

// Cases with a verdict. (Those without are made anew for who stands there.)
static int put_all(const struct eg_cases *cases, struct eg_buf *out)
{
	size_t i, n = 0;
	int r;

	for (i = 0; i < EG_CASES_MAX; i++)
		n += cases->item[i].used;
	r = eg_cbor_put_array(out, n);
	for (i = 0; r == 0 && i < EG_CASES_MAX; i++) {
		const struct eg_case *c = &cases->item[(cases->next + i) % EG_CASES_MAX];

		if (c->used)
			r = put_case(c, out);
	}
	return r;
}

int eg_cases_seal(const struct eg_cases *cases, const struct eg_roll *roll,
		  const struct eg_key *seal_key, int64_t now_ms, struct eg_buf *out)
{
	uint8_t key[32], nonce[NONCE_SIZE], *room;
	struct eg_buf plain;
	int r;

	eg_buf_init_secret(&plain, EG_CASES_SEALED_MAX - NONCE_SIZE - TAG_SIZE);
	r = key_of(seal_key, key);
	if (r == 0)
		r = eg_random(nonce, sizeof(nonce));
	if (r == 0)
		r = eg_cbor_put_array(&plain, 2);
	if (r == 0)
		r = eg_roll_encode(roll, now_ms, &plain);
	if (r == 0)
		r = put_all(cases, &plain);
	if (r == 0)
		r = eg_buf_put(out, nonce, sizeof(nonce));
	if (r == 0)
		r = eg_buf_extend(out, plain.size + TAG_SIZE, &room);
	if (r == 0)
		r = eg_aead_seal(key, nonce, (struct eg_bytes){0}, eg_buf_bytes(&plain), room);
	eg_buf_done(&plain);
	eg_wipe(key, sizeof(key));
	return r;
}

// ---- reading ------------------------------------------------------------------------------------

static int get_quality(struct eg_cur *cur, struct eg_quality *quality)
{
	size_t count;
	int64_t value;
	int r = eg_cbor_get_array(cur, EG_QUALITY_COUNT + 1, &count);

	if (r == 0 && count != EG_QUALITY_COUNT + 1)
		r = EG_EINVAL;
	for (size_t i = 0; r == 0 && i < count; i++) {
		r = eg_cbor_get_int(cur, &value);
		if (r == 0 && (value < -1 || value > 100))
			r = EG_EINVAL;
		if (r == 0 && i < EG_QUALITY_COUNT)
			quality->component[i] = (int8_t)value;
		else if (r == 0)
			quality->overall = (int8_t)value;
	}
	return r;
}

static int get_id(struct eg_cur *cur, struct eg_id *id)
{
	struct eg_bytes bytes;
	int r = eg_cbor_get_bytes(cur, sizeof(id->bytes), &bytes);

	if (r == 0 && bytes.size != sizeof(id->bytes))
		r = EG_EINVAL;
	if (r == 0)
		memcpy(id->bytes, bytes.data, sizeof(id->bytes));
	return r;
}

// A number of an enumeration, below `end`.
static int get_below(struct eg_cur *cur, uint64_t end, uint64_t *ret)
{
	int r = eg_cbor_get_uint(cur, ret);

	return r == 0 && *ret >= end ? EG_EINVAL : r;
}

static int get_real(struct eg_cur *cur, float *ret)
{
	double value;
	int r = eg_cbor_get_double(cur, &value);

	if (r == 0)
		*ret = (float)value;
	return r;
}

#define TEXT(field) eg_cbor_get_text(cur, c->field, sizeof(c->field))

static int get_field(struct eg_cur *cur, int64_t key, struct eg_case *c)
{
	uint64_t n = 0;
	int r;

	switch (key) {
	case KEY_ENCOUNTER:
		return get_id(cur, &c->encounter);
	case KEY_WALL:
		r = get_below(cur, INT64_MAX, &n);
		c->wall_ms = (int64_t)n;
		return r;
	case KEY_VERDICT:
		r = get_below(cur, EG_VERDICT_CONFIRMED + 1, &n);
		c->verdict = (enum eg_verdict_kind)n;
		return r;
	case KEY_CAUSE:
		r = get_below(cur, EG_CAUSE_COUNT, &n);
		c->cause = (enum eg_cause)n;
		return r;
	case KEY_MODE:
		r = get_below(cur, EG_MODE_VERIFY + 1, &n);
		c->mode = (enum eg_mode)n;
		return r;
	case KEY_MANIFEST:
		return TEXT(manifest);
	case KEY_FLIGHT:
		return TEXT(flight);
	case KEY_PORT:
		return TEXT(port);
	case KEY_TRAVELLER:
		return TEXT(traveller);
	case KEY_CANDIDATE:
		r = get_below(cur, 2, &n);
		c->candidate = n != 0;
		return r;
	case KEY_INITIALS:
		return TEXT(initials);
	case KEY_SCORE:
		return eg_cbor_get_double(cur, &c->score);
	case KEY_THRESHOLD:
		return eg_cbor_get_double(cur, &c->threshold);
	case KEY_QUALITY:
		return get_quality(cur, &c->quality);
	case KEY_LIVENESS:
		return get_real(cur, &c->liveness.score);
	case KEY_REASONS:
		r = get_below(cur, 1u << EG_LIVENESS_REASONS, &n);
		c->liveness.reasons = (uint32_t)n;
		return r;
	case KEY_LIVENESS_MIN:
		return get_real(cur, &c->liveness_min);
	case KEY_DECISION:
		r = get_below(cur, EG_DECISION_COUNT, &n);
		c->decision = (enum eg_decision)n;
		return r;
	case KEY_REASON:
		r = get_below(cur, EG_REASON_COUNT, &n);
		c->reason = (enum eg_decision_reason)n;
		return r;
	case KEY_BY:
		return TEXT(by);
	case KEY_COUNTED:
		return TEXT(counted);
	case KEY_BY_TIME:
		r = get_below(cur, INT64_MAX, &n);
		c->by_ms = (int64_t)n;
		return r;
	case KEY_RECEIPT:
		c->has_receipt = true;
		return get_id(cur, &c->receipt);
	default:
		return EG_EINVAL;
	}
}

static int get_case(struct eg_cur *cur, struct eg_case *c)
{
	struct eg_cbor_map map;
	bool named = false;
	int64_t key;
	int r;

	c->score = c->threshold = NAN;
	c->liveness.score = NAN;
	c->quality.overall = -1;
	memset(c->quality.component, -1, sizeof(c->quality.component));
	c->state = EG_SESSION_OVER;
	r = eg_cbor_map_open(cur, KEY_END - 1, &map);
	if (r != 0)
		return r;
	while ((r = eg_cbor_map_next(&map, &key)) == 1) {
		named |= key == KEY_ENCOUNTER;
		r = get_field(cur, key, c);
		if (r != 0)
			return r;
	}
	return r == 0 && !named ? EG_EINVAL : r;
}

static int read_content(struct eg_bytes plain, struct eg_cases *cases, struct eg_roll *roll)
{
	struct eg_cur cur = eg_cur_of(plain);
	size_t two, count = 0;
	int r = eg_cbor_get_array(&cur, 2, &two);

	if (r == 0 && two != 2)
		r = EG_EINVAL;
	if (r == 0)
		r = eg_roll_decode(roll, &cur);
	if (r == 0)
		r = eg_cbor_get_array(&cur, EG_CASES_MAX, &count);
	for (size_t i = 0; r == 0 && i < count; i++)
		r = get_case(&cur, eg_cases_make(cases));
	return r == 0 && cur.left != 0 ? EG_EINVAL : r;
}

int eg_cases_open(struct eg_bytes sealed, const struct eg_key *seal_key, struct eg_cases *cases,
		  struct eg_roll *roll)
{
	struct eg_buf plain;
	uint8_t key[32], *room;
	int r;

	if (sealed.size < NONCE_SIZE + TAG_SIZE || sealed.size > EG_CASES_SEALED_MAX)
		return EG_EINVAL;
	eg_buf_init_secret(&plain, EG_CASES_SEALED_MAX);
	r = key_of(seal_key, key);
	if (r == 0)
		r = eg_buf_extend(&plain, sealed.size - NONCE_SIZE - TAG_SIZE, &room);
	if (r == 0)
		r = eg_aead_open(key, sealed.data, (struct eg_bytes){0},
				 EG_BYTES(sealed.data + NONCE_SIZE, sealed.size - NONCE_SIZE),
				 room);
	if (r == 0)
		r = read_content(eg_buf_bytes(&plain), cases, roll);
	if (r != 0) // half of it is worse than nothing
		eg_wipe(cases, sizeof(*cases));
	eg_buf_done(&plain);
	eg_wipe(key, sizeof(key));
	return r;
}
