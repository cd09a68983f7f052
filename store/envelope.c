// SPDX-License-Identifier: Apache-2.0
//
// See envelope.h; sealing and opening of what stands inside, for encounter.c and decision.c.
// Thread: any.

#include "store/envelope.h"

#include <assert.h>
#include <string.h>

#include "store/parse.h"

#define ENCOUNTER_PARTS 6
#define DECISION_PARTS	4

static const char *const image_names[] = {
	[EG_FACE_NONE] = "none",
	[EG_FACE_EXPIRED] = "image_expired",
	[EG_FACE_WITHDRAWN] = "image_withdrawn",
	[EG_FACE_PRESENT] = "present",
};

const char *eg_face_part_name(enum eg_face_part image)
{
	return (unsigned int)image <= EG_FACE_PRESENT ? image_names[image] : "unknown";
}

const char *eg_envelope_kind_name(enum eg_envelope_kind kind)
{
	return kind == EG_ENVELOPE_ENCOUNTER  ? "encounter"
	       : kind == EG_ENVELOPE_DECISION ? "decision"
					      : "unknown";
}

static int put_image(const struct eg_envelope_parts *parts, struct eg_buf *out)
{
	return parts->facts.image == EG_FACE_PRESENT ? eg_cbor_put_bytes(out, parts->image)
						     : eg_cbor_put_uint(out, parts->facts.image);
}

int eg_envelope_put(const struct eg_envelope_parts *parts, struct eg_buf *out, struct eg_err *err)
{
	const struct eg_envelope_facts *facts = &parts->facts;
	bool encounter = facts->kind == EG_ENVELOPE_ENCOUNTER;
	size_t before = out->size;
	int r = eg_cbor_put_array(out, encounter ? ENCOUNTER_PARTS : DECISION_PARTS);
	if (r == 0)
		r = eg_cbor_put_uint(out, facts->kind);
	if (r == 0)
		r = eg_cbor_put_bytes(out, EG_BYTES(facts->kid, sizeof(facts->kid)));
	if (r == 0)
		r = eg_cbor_put_bytes(out, EG_BYTES(facts->id.bytes, EG_ID_SIZE));
	if (r == 0 && encounter)
		r = eg_cbor_put_uint(out, facts->citizenship);
	if (r == 0)
		r = eg_cbor_put_bytes(out, parts->record);
	if (r == 0 && encounter)
		r = put_image(parts, out);
	if (r == 0 && out->size - before > EG_ENVELOPE_MAX)
		r = EG_ETOOBIG;
	if (r == 0)
		return 0;
	out->size = before;
	return eg_err_set(err, r, "an envelope of %zu bytes: %s",
			  parts->record.size + parts->image.size, eg_code_name(r));
}

static int split_image(struct eg_cur *cur, struct eg_envelope_parts *parts)
{
	uint64_t why = 0;
	if (eg_cbor_get_bytes(cur, EG_ENVELOPE_MAX, &parts->image) == 0) {
		parts->facts.image = EG_FACE_PRESENT;
		return parts->image.size > EG_HPKE_OVERHEAD ? 0 : EG_EINVAL;
	}
	if (eg_cbor_get_uint(cur, &why) != 0 || why >= EG_FACE_PRESENT)
		return EG_EINVAL;
	parts->facts.image = (enum eg_face_part)why;
	return 0;
}

// The array's head: its kind, and that it has as many parts as that kind must.
static int split_head(struct eg_cur *cur, enum eg_envelope_kind *ret_kind, struct eg_err *err)
{
	size_t count;
	uint64_t kind = 0;
	if (eg_cbor_get_array(cur, ENCOUNTER_PARTS, &count) != 0 ||
	    eg_cbor_get_uint(cur, &kind) != 0)
		return eg_err_set(err, EG_EINVAL,
				  "envelope: no CBOR array that begins with a kind");
	if (kind != EG_ENVELOPE_ENCOUNTER && kind != EG_ENVELOPE_DECISION)
		return eg_err_set(err, EG_EINVAL, "envelope: kind %llu, only %d and %d are known",
				  (unsigned long long)kind, EG_ENVELOPE_ENCOUNTER,
				  EG_ENVELOPE_DECISION);
	if (count != (kind == EG_ENVELOPE_ENCOUNTER ? ENCOUNTER_PARTS : DECISION_PARTS))
		return eg_err_set(err, EG_EINVAL, "envelope: %zu parts are not those of its kind",
				  count);
	*ret_kind = (enum eg_envelope_kind)kind;
	return 0;
}

int eg_envelope_split(struct eg_bytes envelope, struct eg_envelope_parts *ret_parts,
		      struct eg_err *err)
{
	struct eg_cur cur = eg_cur_of(envelope);
	struct eg_envelope_parts parts = {
		.facts = {.citizenship = EG_CITIZENSHIP_UNKNOWN, .image = EG_FACE_NONE}};
	struct eg_envelope_facts *facts = &parts.facts;
	uint64_t class = EG_CITIZENSHIP_UNKNOWN;
	if (envelope.size > EG_ENVELOPE_MAX)
		return eg_err_set(err, EG_EINVAL, "envelope: %zu bytes, at most %u", envelope.size,
				  EG_ENVELOPE_MAX);
	int r = split_head(&cur, &facts->kind, err);
	if (r != 0)
		return r;
	bool encounter = facts->kind == EG_ENVELOPE_ENCOUNTER;
	if (eg_parse_exact(&cur, facts->kid, sizeof(facts->kid)) != 0 ||
	    eg_parse_exact(&cur, facts->id.bytes, EG_ID_SIZE) != 0 ||
	    (encounter && eg_cbor_get_uint(&cur, &class) != 0) || class < EG_CITIZEN ||
	    class > EG_CITIZENSHIP_UNKNOWN ||
	    eg_cbor_get_bytes(&cur, EG_ENVELOPE_MAX, &parts.record) != 0)
		return eg_err_set(err, EG_EINVAL,
				  "envelope: key id, id, class or sealed record is malformed");
	if (parts.record.size < EG_HPKE_OVERHEAD)
		return eg_err_set(err, EG_EINVAL, "envelope: the sealed record is cut short");
	if ((encounter && split_image(&cur, &parts) != 0) || cur.left != 0)
		return eg_err_set(err, EG_EINVAL,
				  "envelope: the image part is malformed, or bytes are left over");
	facts->citizenship = (enum eg_citizenship) class;
	*ret_parts = parts;
	return 0;
}

int eg_envelope_inspect(struct eg_bytes envelope, struct eg_envelope_facts *ret_facts,
			struct eg_err *err)
{
	struct eg_envelope_parts parts;
	int r = eg_envelope_split(envelope, &parts, err);
	if (r == 0)
		*ret_facts = parts.facts;
	return r;
}

int eg_envelope_drop_image(struct eg_bytes envelope, enum eg_face_part why, struct eg_buf *out,
			   struct eg_err *err)
{
	struct eg_envelope_parts parts;
	assert(why == EG_FACE_EXPIRED || why == EG_FACE_WITHDRAWN);
	int r = eg_envelope_split(envelope, &parts, err);
	if (r != 0)
		return r;
	if (parts.facts.image != EG_FACE_PRESENT)
		return eg_err_set(err, EG_ENOENT, "envelope: has no image");
	parts.facts.image = why;
	return eg_envelope_put(&parts, out, err);
}

bool eg_envelope_same_record(struct eg_bytes a, struct eg_bytes b)
{
	struct eg_envelope_parts x, y;
	if (eg_envelope_split(a, &x, NULL) != 0 || eg_envelope_split(b, &y, NULL) != 0)
		return false;
	return x.facts.kind == y.facts.kind &&
	       memcmp(x.facts.kid, y.facts.kid, sizeof(x.facts.kid)) == 0 &&
	       eg_id_compare(&x.facts.id, &y.facts.id) == 0 &&
	       x.facts.citizenship == y.facts.citizenship && eg_bytes_equal(x.record, y.record);
}

// id ‖ booth id: what every seal is bound to.
static int put_aad(struct eg_buf *aad, const struct eg_id *id, const char *booth)
{
	int r = eg_buf_put(aad, id->bytes, EG_ID_SIZE);
	return r != 0 ? r : eg_buf_put(aad, booth, strlen(booth));
}

int eg_envelope_seal_part(const struct eg_id *id, const char *booth, const char *context,
			  const uint8_t centre[EG_P256_PUB_SIZE], struct eg_bytes plain,
			  struct eg_buf *sealed, struct eg_err *err)
{
	struct eg_buf aad;
	eg_buf_init(&aad, EG_ID_SIZE + EG_NAME_MAX);
	int r = put_aad(&aad, id, booth);
	if (r != 0)
		(void)eg_err_set(err, r, "sealing: %s", eg_code_name(r));
	else
		r = eg_hpke_seal(centre, EG_BYTES_STR(context), eg_buf_bytes(&aad), plain, sealed,
				 err);
	eg_buf_done(&aad);
	return r;
}

int eg_envelope_open_part(const struct eg_envelope_facts *facts, const char *booth,
			  const char *context, struct eg_bytes sealed,
			  const struct eg_key *centre_key, struct eg_buf *plain, struct eg_err *err)
{
	uint8_t ours[EG_KID_SIZE];
	struct eg_buf aad;
	eg_kid(eg_key_public(centre_key), ours);
	if (memcmp(facts->kid, ours, sizeof(ours)) != 0)
		return eg_err_set(err, EG_EAUTH, "sealed to another key");
	eg_buf_init(&aad, EG_ID_SIZE + EG_NAME_MAX);
	int r = put_aad(&aad, &facts->id, booth);
	if (r != 0)
		(void)eg_err_set(err, r, "opening the seal: %s", eg_code_name(r));
	else
		r = eg_hpke_open(centre_key, EG_BYTES_STR(context), eg_buf_bytes(&aad), sealed,
				 plain, err);
	eg_buf_done(&aad);
	return r;
}
