// SPDX-License-Identifier: Apache-2.0
//
// The record of an encounter: CBOR map with the keys of encounter.h. A record is the only trace of
// what happened, so writing is generous (a score that is not finite is written as absent, a class
// nobody set as unknown) and reading is strict. Thread: any.

#include "store/encounter.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "store/parse.h"

#define KEYS	      21
#define KEY(n)	      (1u << (n))
#define KEYS_OPTIONAL (KEY(9) | KEY(10) | KEY(11) | KEY(21))
#define KEYS_ALL      ((KEY(KEYS + 1) - 1) & ~KEY(0))

static const char *const field_names[KEYS + 1] = {
	NULL,		"id",	    "booth",	   "manifest",	 "manifest version", "mode",
	"verdict",	"cause",    "traveller",   "score",	 "threshold",	     "error target",
	"quality",	"liveness", "pack",	   "first seen", "first usable",     "decided",
	"verdict took", "notice",   "citizenship", "face",
};

static int put_double(struct eg_buf *out, unsigned int key, double value)
{
	if (!isfinite(value))
		return 0;
	int r = eg_cbor_put_uint(out, key);
	return r != 0 ? r : eg_cbor_put_double(out, value);
}

static int put_int(struct eg_buf *out, unsigned int key, int64_t value)
{
	int r = eg_cbor_put_uint(out, key);
	return r != 0 ? r : eg_cbor_put_int(out, value);
}

static int put_text(struct eg_buf *out, unsigned int key, const char *text)
{
	int r = eg_cbor_put_uint(out, key);
	return r != 0 ? r : eg_cbor_put_text(out, text);
}

static int put_bytes(struct eg_buf *out, unsigned int key, struct eg_bytes bytes)
{
	int r = eg_cbor_put_uint(out, key);
	return r != 0 ? r : eg_cbor_put_bytes(out, bytes);
}

static int put_quality(struct eg_buf *out, const struct eg_quality *quality)
{
	int r = eg_cbor_put_uint(out, 12);
	if (r == 0)
		r = eg_cbor_put_array(out, EG_QUALITY_COUNT + 1);
	for (size_t i = 0; r == 0 && i < EG_QUALITY_COUNT; i++)
		r = eg_cbor_put_int(out, quality->component[i]);
	if (r == 0)
		r = eg_cbor_put_int(out, quality->overall);
	return r;
}

static int put_liveness(struct eg_buf *out, const struct eg_liveness *liveness)
{
	int r = eg_cbor_put_uint(out, 13);
	if (r == 0)
		r = eg_cbor_put_array(out, 3);
	if (r == 0)
		r = isfinite(liveness->score) ? eg_cbor_put_double(out, (double)liveness->score)
					      : eg_cbor_put_null(out);
	if (r == 0)
		r = eg_cbor_put_uint(out, liveness->frames);
	if (r == 0)
		r = eg_cbor_put_uint(out, liveness->reasons);
	return r;
}

static size_t count_keys(const struct eg_encounter *e)
{
	size_t count = KEYS;
	if (!isfinite(e->score))
		count--;
	if (!isfinite(e->threshold))
		count--;
	if (!isfinite(e->error_target))
		count--;
	if (!e->has_face)
		count--;
	return count;
}

static int put_who(struct eg_buf *out, const struct eg_encounter *e)
{
	int r = put_bytes(out, 1, EG_BYTES(e->id.bytes, EG_ID_SIZE));
	if (r == 0)
		r = put_text(out, 2, e->booth);
	if (r == 0)
		r = put_text(out, 3, e->manifest);
	if (r == 0)
		r = eg_cbor_put_uint(out, 4);
	if (r == 0)
		r = eg_cbor_put_uint(out, e->manifest_version);
	return r;
}

static int put_verdict(struct eg_buf *out, const struct eg_encounter *e)
{
	int r = put_int(out, 5, e->mode);
	if (r == 0)
		r = put_int(out, 6, e->verdict);
	if (r == 0)
		r = put_int(out, 7, e->cause);
	if (r == 0)
		r = put_text(out, 8, e->traveller);
	if (r == 0)
		r = put_double(out, 9, e->score);
	if (r == 0)
		r = put_double(out, 10, e->threshold);
	if (r == 0)
		r = put_double(out, 11, e->error_target);
	return r;
}

static int put_evidence(struct eg_buf *out, const struct eg_encounter *e)
{
	int r = put_quality(out, &e->quality);
	if (r == 0)
		r = put_liveness(out, &e->liveness);
	if (r == 0)
		r = put_bytes(out, 14, EG_BYTES(e->pack, sizeof(e->pack)));
	if (r == 0)
		r = put_int(out, 15, e->first_seen_ms);
	if (r == 0)
		r = put_int(out, 16, e->first_usable_ms);
	if (r == 0)
		r = put_int(out, 17, e->decided_ms);
	if (r == 0)
		r = put_int(out, 18, e->verdict_took_ms);
	if (r == 0)
		r = put_text(out, 19, e->notice);
	if (r == 0)
		r = put_int(out, 20, e->citizenship != 0 ? e->citizenship : EG_CITIZENSHIP_UNKNOWN);
	if (r == 0 && e->has_face)
		r = put_bytes(out, 21, EG_BYTES(e->face_digest, sizeof(e->face_digest)));
	return r;
}

int eg_encounter_write(const struct eg_encounter *encounter, struct eg_buf *out, struct eg_err *err)
{
	size_t before = out->size;
	int r = eg_cbor_put_map(out, count_keys(encounter));
	if (r == 0)
		r = put_who(out, encounter);
	if (r == 0)
		r = put_verdict(out, encounter);
	if (r == 0)
		r = put_evidence(out, encounter);
	if (r != 0) {
		(void)eg_err_set(err, r, "writing the record: %s", eg_code_name(r));
	} else {
		// Read back: what is signed must be readable at the centre, or it is lost there.
		struct eg_encounter check;
		r = eg_encounter_read(EG_BYTES(out->data + before, out->size - before), &check,
				      err);
	}
	if (r != 0)
		out->size = before;
	return r;
}

static int get_small(struct eg_cur *cur, int64_t min, int64_t max, int *ret_value)
{
	int64_t value;
	int r = eg_cbor_get_int(cur, &value);
	if (r != 0)
		return r;
	if (value < min || value > max)
		return EG_EINVAL;
	*ret_value = (int)value;
	return 0;
}

static int get_name(struct eg_cur *cur, char name[EG_NAME_MAX], bool may_be_empty)
{
	int r = eg_cbor_get_text(cur, name, EG_NAME_MAX);
	if (r != 0 || eg_name_is_valid(name))
		return r;
	return name[0] == '\0' && may_be_empty ? 0 : EG_EINVAL;
}

static int get_quality(struct eg_cur *cur, struct eg_quality *quality)
{
	size_t count;
	int value = 0;
	int r = eg_cbor_get_array(cur, EG_QUALITY_COUNT + 1, &count);
	if (r != 0 || count != EG_QUALITY_COUNT + 1)
		return EG_EINVAL;
	for (size_t i = 0; i < count; i++) {
		if (get_small(cur, INT8_MIN, INT8_MAX, &value) != 0)
			return EG_EINVAL;
		if (i < EG_QUALITY_COUNT)
			quality->component[i] = (int8_t)value;
		else
			quality->overall = (int8_t)value;
	}
	return 0;
}

static int get_liveness(struct eg_cur *cur, struct eg_liveness *liveness)
{
	size_t count;
	double score = (double)NAN;
	uint64_t frames, reasons;
	if (eg_cbor_get_array(cur, 3, &count) != 0 || count != 3)
		return EG_EINVAL;
	if (eg_cbor_get_null(cur) != 0 && eg_cbor_get_double(cur, &score) != 0)
		return EG_EINVAL;
	if (eg_cbor_get_uint(cur, &frames) != 0 || frames > UINT32_MAX ||
	    eg_cbor_get_uint(cur, &reasons) != 0 || reasons > UINT32_MAX)
		return EG_EINVAL;
	liveness->score = (float)score;
	liveness->frames = (uint32_t)frames;
	liveness->reasons = (uint32_t)reasons;
	return 0;
}

static int get_verdict_field(struct eg_cur *cur, int64_t key, struct eg_encounter *e)
{
	int value = 0;
	int r;
	switch (key) {
	case 5:
		r = get_small(cur, EG_MODE_IDENTIFY, EG_MODE_VERIFY, &value);
		e->mode = (enum eg_mode)value;
		return r;
	case 6:
		r = get_small(cur, EG_VERDICT_NONE, EG_VERDICT_CONFIRMED, &value);
		e->verdict = (enum eg_verdict_kind)value;
		return r;
	case 7:
		r = get_small(cur, EG_CAUSE_NONE, EG_CAUSE_COUNT - 1, &value);
		e->cause = (enum eg_cause)value;
		return r;
	case 8:
		return eg_parse_printable(cur, e->traveller, sizeof(e->traveller));
	case 9:
		return eg_cbor_get_double(cur, &e->score);
	case 10:
		return eg_cbor_get_double(cur, &e->threshold);
	case 11:
		return eg_cbor_get_double(cur, &e->error_target);
	case 12:
		return get_quality(cur, &e->quality);
	default:
		return get_liveness(cur, &e->liveness);
	}
}

static int get_field(struct eg_cur *cur, int64_t key, struct eg_encounter *e)
{
	int value = 0;
	int r;
	switch (key) {
	case 1:
		return eg_parse_exact(cur, e->id.bytes, EG_ID_SIZE);
	case 2:
		return get_name(cur, e->booth, false);
	case 3:
		return get_name(cur, e->manifest, true);
	case 4:
		return eg_cbor_get_uint(cur, &e->manifest_version);
	case 14:
		return eg_parse_exact(cur, e->pack, sizeof(e->pack));
	case 15:
		return eg_cbor_get_int(cur, &e->first_seen_ms);
	case 16:
		return eg_cbor_get_int(cur, &e->first_usable_ms);
	case 17:
		return eg_cbor_get_int(cur, &e->decided_ms);
	case 18:
		return eg_cbor_get_int(cur, &e->verdict_took_ms);
	case 19:
		return eg_parse_printable(cur, e->notice, sizeof(e->notice));
	case 20:
		r = get_small(cur, EG_CITIZEN, EG_CITIZENSHIP_UNKNOWN, &value);
		e->citizenship = (enum eg_citizenship)value;
		return r;
	case 21:
		e->has_face = true;
		return eg_parse_exact(cur, e->face_digest, sizeof(e->face_digest));
	default:
		return get_verdict_field(cur, key, e);
	}
}

int eg_encounter_read(struct eg_bytes payload, struct eg_encounter *ret_encounter,
		      struct eg_err *err)
{
	struct eg_encounter e = {
		.score = (double)NAN,
		.threshold = (double)NAN,
		.error_target = (double)NAN,
	};
	struct eg_cur cur = eg_cur_of(payload);
	struct eg_cbor_map map;
	int64_t key = 0;
	uint32_t seen = 0;
	int r = eg_cbor_map_open(&cur, KEYS, &map);
	if (r != 0)
		return eg_err_set(err, EG_EINVAL, "the record is no CBOR map of up to %d fields",
				  KEYS);
	while ((r = eg_cbor_map_next(&map, &key)) == 1) {
		if (key < 1 || key > KEYS)
			return eg_err_set(err, EG_EINVAL, "record: unknown field %" PRId64, key);
		if (get_field(&cur, key, &e) != 0)
			return eg_err_set(err, EG_EINVAL,
					  "record: field \"%s\" is malformed or out of range",
					  field_names[key]);
		seen |= KEY((uint32_t)key);
	}
	if (r != 0)
		return eg_err_set(err, EG_EINVAL, "record: a field is there twice or unsorted");
	if ((seen | KEYS_OPTIONAL) != KEYS_ALL || cur.left != 0)
		return eg_err_set(err, EG_EINVAL, "record: %s",
				  cur.left != 0 ? "bytes left over" : "a field is missing");
	*ret_encounter = e;
	return 0;
}
