// SPDX-License-Identifier: Apache-2.0
//
// Signing, sealing and opening of an encounter's envelope. The record inside is in
// encounter_record.c. Thread: any.

#include "store/encounter.h"

#include <string.h>

#include "firmware/base/mem.h"
#include "store/parse.h"

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
		r = eg_envelope_seal_part(&full.id, full.booth, EG_ENCOUNTER_CONTEXT, centre,
					  eg_buf_bytes(&message), &sealed, err);
	if (r == 0 && full.has_face)
		r = eg_envelope_seal_part(&full.id, full.booth, EG_IMAGE_CONTEXT, centre, full.face,
					  &image, err);
	if (r == 0) {
		struct eg_envelope_parts parts = {
			.facts = {.kind = EG_ENVELOPE_ENCOUNTER,
				  .id = full.id,
				  .citizenship = full.citizenship != 0 ? full.citizenship
								       : EG_CITIZENSHIP_UNKNOWN,
				  .image = full.image},
			.record = eg_buf_bytes(&sealed),
			.image = eg_buf_bytes(&image),
		};
		eg_kid(centre, parts.facts.kid);
		r = eg_envelope_put(&parts, out, err);
	}
	eg_buf_done(&image);
	eg_buf_done(&sealed);
	eg_buf_done(&message);
	return r == 0 ? 0 : eg_err_prefix(err, r, "encounter");
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
static int read_image(const struct eg_envelope_parts *parts, const struct eg_key *centre_key,
		      const char *booth, struct eg_buf *plain, struct eg_encounter *encounter,
		      struct eg_err *err)
{
	uint8_t digest[EG_SHA256_SIZE];
	size_t before = plain->size;
	int r = eg_envelope_open_part(&parts->facts, booth, EG_IMAGE_CONTEXT, parts->image,
				      centre_key, plain, err);
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
	struct eg_envelope_parts parts;
	struct eg_encounter encounter;
	char text[EG_ID_TEXT_MAX];
	size_t before = plain->size;
	int r = eg_envelope_split(envelope, &parts, err);
	if (r == 0 && parts.facts.kind != EG_ENVELOPE_ENCOUNTER)
		r = eg_err_set(err, EG_EINVAL, "envelope: of a decision, not of an encounter");
	if (r != 0)
		return r;
	eg_id_text(&parts.facts.id, text);
	r = eg_envelope_open_part(&parts.facts, booth, EG_ENCOUNTER_CONTEXT, parts.record,
				  centre_key, plain, err);
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
