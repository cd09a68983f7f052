// SPDX-License-Identifier: Apache-2.0
//
// Signing, sealing and opening of an encounter's envelope. The record inside is in
// encounter_record.c. Thread: any.

#include "store/encounter.h"

#include <assert.h>
#include <string.h>

#include "firmware/base/mem.h"
#include "store/parse.h"

#define ENVELOPE_VERSION 2

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

// id ‖ booth id: what both seals are bound to.
static int put_aad(struct eg_buf *aad, const struct eg_id *id, const char *booth)
{
	int r = eg_buf_put(aad, id->bytes, EG_ID_SIZE);
	return r != 0 ? r : eg_buf_put(aad, booth, strlen(booth));
}

static int sign_record(const struct eg_encounter *encounter, const struct eg_key *booth_key,
		       struct eg_buf *message, struct eg_err *err)
{
	struct eg_buf record;
	eg_buf_init_secret(&record, EG_ENVELOPE_MAX);
	int r = eg_encounter_write(encounter, &record, err);
	if (r == 0)
		r = eg_cose_sign(booth_key, EG_BYTES_STR(EG_ENCOUNTER_CONTEXT),
				 eg_buf_bytes(&record), message, err);
	eg_buf_done(&record);
	return r;
}

static int seal_part(const struct eg_encounter *encounter, const char *context,
		     const uint8_t centre[EG_P256_PUB_SIZE], struct eg_bytes plain,
		     struct eg_buf *sealed, struct eg_err *err)
{
	struct eg_buf aad;
	eg_buf_init(&aad, EG_ID_SIZE + EG_NAME_MAX);
	int r = put_aad(&aad, &encounter->id, encounter->booth);
	if (r != 0)
		(void)eg_err_set(err, r, "sealing: %s", eg_code_name(r));
	else
		r = eg_hpke_seal(centre, EG_BYTES_STR(context), eg_buf_bytes(&aad), plain, sealed,
				 err);
	eg_buf_done(&aad);
	return r;
}

// What stands in an envelope; all views.
struct parts {
	struct eg_envelope_facts facts;
	struct eg_bytes record; // sealed
	struct eg_bytes image;	// sealed, or empty
};

static int put_envelope(const struct parts *parts, struct eg_buf *out, struct eg_err *err)
{
	const struct eg_envelope_facts *facts = &parts->facts;
	size_t before = out->size;
	int r = eg_cbor_put_array(out, 6);
	if (r == 0)
		r = eg_cbor_put_uint(out, ENVELOPE_VERSION);
	if (r == 0)
		r = eg_cbor_put_bytes(out, EG_BYTES(facts->kid, sizeof(facts->kid)));
	if (r == 0)
		r = eg_cbor_put_bytes(out, EG_BYTES(facts->id.bytes, EG_ID_SIZE));
	if (r == 0)
		r = eg_cbor_put_uint(out, facts->citizenship);
	if (r == 0)
		r = eg_cbor_put_bytes(out, parts->record);
	if (r == 0)
		r = facts->image == EG_FACE_PRESENT ? eg_cbor_put_bytes(out, parts->image)
						    : eg_cbor_put_uint(out, facts->image);
	if (r == 0 && out->size - before > EG_ENVELOPE_MAX)
		r = EG_ETOOBIG;
	if (r == 0)
		return 0;
	out->size = before;
	return eg_err_set(err, r, "an envelope of %zu bytes: %s",
			  parts->record.size + parts->image.size, eg_code_name(r));
}

// `full`: the encounter with what its record says of the image.
static int describe_face(const struct eg_encounter *encounter, struct eg_encounter *full,
			 struct eg_err *err)
{
	*full = *encounter;
	full->has_face = encounter->face.size != 0;
	full->image = full->has_face ? EG_FACE_PRESENT : EG_FACE_NONE;
	if (encounter->face.size > EG_FACE_JPEG_MAX)
		return eg_err_set(err, EG_ETOOBIG, "face image of %zu bytes, at most %u",
				  encounter->face.size, EG_FACE_JPEG_MAX);
	int r = full->has_face ? eg_sha256(encounter->face, full->face_digest) : 0;
	return r == 0 ? 0 : eg_err_set(err, r, "digest of the face image: %s", eg_code_name(r));
}

int eg_encounter_seal(const struct eg_encounter *encounter, const struct eg_key *booth_key,
		      const uint8_t centre[EG_P256_PUB_SIZE], struct eg_buf *out,
		      struct eg_err *err)
{
	struct eg_buf message, sealed, image;
	struct eg_encounter full;
	eg_buf_init_secret(&message, EG_ENVELOPE_MAX);
	eg_buf_init(&sealed, EG_ENVELOPE_MAX);
	eg_buf_init(&image, EG_ENVELOPE_MAX);

	int r = describe_face(encounter, &full, err);
	if (r == 0)
		r = sign_record(&full, booth_key, &message, err);
	if (r == 0)
		r = seal_part(&full, EG_ENCOUNTER_CONTEXT, centre, eg_buf_bytes(&message), &sealed,
			      err);
	if (r == 0 && full.has_face)
		r = seal_part(&full, EG_IMAGE_CONTEXT, centre, full.face, &image, err);
	if (r == 0) {
		struct parts parts = {
			.facts = {.id = full.id,
				  .citizenship = full.citizenship != 0 ? full.citizenship
								       : EG_CITIZENSHIP_UNKNOWN,
				  .image = full.image},
			.record = eg_buf_bytes(&sealed),
			.image = eg_buf_bytes(&image),
		};
		eg_kid(centre, parts.facts.kid);
		r = put_envelope(&parts, out, err);
	}
	eg_buf_done(&image);
	eg_buf_done(&sealed);
	eg_buf_done(&message);
	return r == 0 ? 0 : eg_err_prefix(err, r, "encounter");
}

static int split_image(struct eg_cur *cur, struct parts *parts)
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

static int split_envelope(struct eg_bytes envelope, struct parts *ret_parts, struct eg_err *err)
{
	struct eg_cur cur = eg_cur_of(envelope);
	struct parts parts = {0};
	size_t count;
	uint64_t version, class = 0;
	if (envelope.size > EG_ENVELOPE_MAX)
		return eg_err_set(err, EG_EINVAL, "envelope: %zu bytes, at most %u", envelope.size,
				  EG_ENVELOPE_MAX);
	if (eg_cbor_get_array(&cur, 6, &count) != 0 || eg_cbor_get_uint(&cur, &version) != 0)
		return eg_err_set(err, EG_EINVAL, "envelope: no CBOR array of six");
	if (version != ENVELOPE_VERSION)
		return eg_err_set(err, EG_EINVAL, "envelope: version %llu, only %d is known",
				  (unsigned long long)version, ENVELOPE_VERSION);
	if (count != 6 || eg_parse_exact(&cur, parts.facts.kid, sizeof(parts.facts.kid)) != 0 ||
	    eg_parse_exact(&cur, parts.facts.id.bytes, EG_ID_SIZE) != 0 ||
	    eg_cbor_get_uint(&cur, &class) != 0 || class < EG_CITIZEN ||
	    class > EG_CITIZENSHIP_UNKNOWN ||
	    eg_cbor_get_bytes(&cur, EG_ENVELOPE_MAX, &parts.record) != 0)
		return eg_err_set(err, EG_EINVAL,
				  "envelope: key id, encounter id, class or sealed record is "
				  "malformed");
	if (parts.record.size < EG_HPKE_OVERHEAD)
		return eg_err_set(err, EG_EINVAL, "envelope: the sealed record is cut short");
	if (split_image(&cur, &parts) != 0 || cur.left != 0)
		return eg_err_set(err, EG_EINVAL,
				  "envelope: the image part is malformed, or bytes are left over");
	parts.facts.citizenship = (enum eg_citizenship) class;
	*ret_parts = parts;
	return 0;
}

int eg_envelope_inspect(struct eg_bytes envelope, struct eg_envelope_facts *ret_facts,
			struct eg_err *err)
{
	struct parts parts;
	int r = split_envelope(envelope, &parts, err);
	if (r == 0)
		*ret_facts = parts.facts;
	return r;
}

int eg_envelope_peek(struct eg_bytes envelope, struct eg_id *ret_id, uint8_t ret_kid[EG_KID_SIZE],
		     struct eg_err *err)
{
	struct parts parts;
	int r = split_envelope(envelope, &parts, err);
	if (r != 0)
		return r;
	*ret_id = parts.facts.id;
	memcpy(ret_kid, parts.facts.kid, EG_KID_SIZE);
	return 0;
}

int eg_envelope_drop_image(struct eg_bytes envelope, enum eg_face_part why, struct eg_buf *out,
			   struct eg_err *err)
{
	struct parts parts;
	assert(why == EG_FACE_EXPIRED || why == EG_FACE_WITHDRAWN);
	int r = split_envelope(envelope, &parts, err);
	if (r != 0)
		return r;
	if (parts.facts.image != EG_FACE_PRESENT)
		return eg_err_set(err, EG_ENOENT, "envelope: has no image");
	parts.facts.image = why;
	return put_envelope(&parts, out, err);
}

bool eg_envelope_same_record(struct eg_bytes a, struct eg_bytes b)
{
	struct parts x, y;
	if (split_envelope(a, &x, NULL) != 0 || split_envelope(b, &y, NULL) != 0)
		return false;
	return memcmp(x.facts.kid, y.facts.kid, sizeof(x.facts.kid)) == 0 &&
	       eg_id_compare(&x.facts.id, &y.facts.id) == 0 &&
	       x.facts.citizenship == y.facts.citizenship && eg_bytes_equal(x.record, y.record);
}

static int open_part(const struct eg_envelope_facts *facts, const char *context,
		     struct eg_bytes sealed, const struct eg_key *centre_key, const char *booth,
		     struct eg_buf *plain, struct eg_err *err)
{
	struct eg_buf aad;
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

// The signature by the booth's record key, then the record, which must be the one outside says.
static int read_message(struct eg_bytes message, const struct eg_envelope_facts *facts,
			const char *booth, const uint8_t booth_pub[EG_P256_PUB_SIZE],
			struct eg_encounter *ret_encounter, struct eg_err *err)
{
	struct eg_trusted_key key;
	struct eg_bytes payload;
	struct eg_encounter encounter;
	memcpy(key.pub, booth_pub, sizeof(key.pub));
	eg_kid(booth_pub, key.kid);
	int r = eg_cose_verify(message, EG_BYTES_STR(EG_ENCOUNTER_CONTEXT), &key, 1, &payload, NULL,
			       err);
	if (r == 0)
		r = eg_encounter_read(payload, &encounter, err);
	if (r != 0)
		return r;
	if (eg_id_compare(&encounter.id, &facts->id) != 0 || strcmp(encounter.booth, booth) != 0)
		return eg_err_set(err, EG_EAUTH,
				  "the record inside is of another encounter or booth than the "
				  "envelope says");
	if (encounter.citizenship != facts->citizenship)
		return eg_err_set(err, EG_EAUTH,
				  "the record inside is of another class than the envelope says");
	if (encounter.has_face != (facts->image != EG_FACE_NONE))
		return eg_err_set(err, EG_EAUTH,
				  "the record inside and the envelope do not agree on whether an "
				  "image was taken");
	encounter.image = facts->image;
	*ret_encounter = encounter;
	return 0;
}

// Behind the record in `plain`; must be the one that the signed record names.
static int read_image(const struct parts *parts, const struct eg_key *centre_key, const char *booth,
		      struct eg_buf *plain, struct eg_encounter *encounter, struct eg_err *err)
{
	uint8_t digest[EG_SHA256_SIZE];
	size_t before = plain->size;
	int r = open_part(&parts->facts, EG_IMAGE_CONTEXT, parts->image, centre_key, booth, plain,
			  err);
	if (r != 0)
		return r;
	encounter->face = EG_BYTES(plain->data + before, plain->size - before);
	r = eg_sha256(encounter->face, digest);
	if (r != 0)
		return eg_err_set(err, r, "digest of the face image: %s", eg_code_name(r));
	if (memcmp(digest, encounter->face_digest, sizeof(digest)) != 0)
		return eg_err_set(err, EG_EAUTH, "the image is not the one that the record names");
	return encounter->face.size <= EG_FACE_JPEG_MAX
		       ? 0
		       : eg_err_set(err, EG_ETOOBIG, "face image of %zu bytes, at most %u",
				    encounter->face.size, EG_FACE_JPEG_MAX);
}

int eg_encounter_open(struct eg_bytes envelope, const struct eg_key *centre_key, const char *booth,
		      const uint8_t booth_pub[EG_P256_PUB_SIZE], struct eg_buf *plain,
		      struct eg_encounter *ret_encounter, struct eg_err *err)
{
	struct parts parts;
	struct eg_encounter encounter;
	uint8_t ours[EG_KID_SIZE];
	char text[EG_ID_TEXT_MAX];
	size_t before = plain->size;
	int r = split_envelope(envelope, &parts, err);
	if (r != 0)
		return r;
	eg_id_text(&parts.facts.id, text);
	eg_kid(eg_key_public(centre_key), ours);
	if (memcmp(parts.facts.kid, ours, sizeof(ours)) != 0)
		return eg_err_set(err, EG_EAUTH, "encounter %s: sealed to another key", text);

	r = open_part(&parts.facts, EG_ENCOUNTER_CONTEXT, parts.record, centre_key, booth, plain,
		      err);
	if (r == 0)
		r = read_message(EG_BYTES(plain->data + before, plain->size - before), &parts.facts,
				 booth, booth_pub, &encounter, err);
	if (r == 0 && parts.facts.image == EG_FACE_PRESENT)
		r = read_image(&parts, centre_key, booth, plain, &encounter, err);
	if (r == 0) {
		*ret_encounter = encounter;
		return 0;
	}
	if (plain->size > before)
		eg_wipe(plain->data + before, plain->size - before);
	plain->size = before;
	return eg_err_prefix(err, r, "encounter %s", text);
}
