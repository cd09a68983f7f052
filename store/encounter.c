// SPDX-License-Identifier: Apache-2.0
//
// Signing, sealing and opening of an encounter's envelope. The record inside is in
// encounter_record.c. Thread: any.

#include "store/encounter.h"

#include <string.h>

#include "firmware/base/mem.h"
#include "store/parse.h"

#define ENVELOPE_VERSION 1

// id ‖ booth id: what the seal is bound to.
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

static int seal_message(const struct eg_encounter *encounter,
			const uint8_t centre[EG_P256_PUB_SIZE], struct eg_bytes message,
			struct eg_buf *sealed, struct eg_err *err)
{
	struct eg_buf aad;
	eg_buf_init(&aad, EG_ID_SIZE + EG_NAME_MAX);
	int r = put_aad(&aad, &encounter->id, encounter->booth);
	if (r != 0)
		(void)eg_err_set(err, r, "sealing: %s", eg_code_name(r));
	else
		r = eg_hpke_seal(centre, EG_BYTES_STR(EG_ENCOUNTER_CONTEXT), eg_buf_bytes(&aad),
				 message, sealed, err);
	eg_buf_done(&aad);
	return r;
}

static int put_envelope(const struct eg_id *id, const uint8_t centre[EG_P256_PUB_SIZE],
			struct eg_bytes sealed, struct eg_buf *out)
{
	uint8_t kid[EG_KID_SIZE];
	eg_kid(centre, kid);
	int r = eg_cbor_put_array(out, 4);
	if (r == 0)
		r = eg_cbor_put_uint(out, ENVELOPE_VERSION);
	if (r == 0)
		r = eg_cbor_put_bytes(out, EG_BYTES(kid, sizeof(kid)));
	if (r == 0)
		r = eg_cbor_put_bytes(out, EG_BYTES(id->bytes, EG_ID_SIZE));
	if (r == 0)
		r = eg_cbor_put_bytes(out, sealed);
	return r;
}

int eg_encounter_seal(const struct eg_encounter *encounter, const struct eg_key *booth_key,
		      const uint8_t centre[EG_P256_PUB_SIZE], struct eg_buf *out,
		      struct eg_err *err)
{
	struct eg_buf message, sealed;
	size_t before = out->size;
	eg_buf_init_secret(&message, EG_ENVELOPE_MAX);
	eg_buf_init(&sealed, EG_ENVELOPE_MAX);

	int r = sign_record(encounter, booth_key, &message, err);
	if (r == 0)
		r = seal_message(encounter, centre, eg_buf_bytes(&message), &sealed, err);
	if (r == 0) {
		r = put_envelope(&encounter->id, centre, eg_buf_bytes(&sealed), out);
		if (r == 0 && out->size - before > EG_ENVELOPE_MAX)
			r = EG_ETOOBIG;
		if (r != 0)
			(void)eg_err_set(err, r, "an envelope of %zu bytes: %s", sealed.size,
					 eg_code_name(r));
	}
	if (r != 0)
		out->size = before;
	eg_buf_done(&sealed);
	eg_buf_done(&message);
	return r == 0 ? 0 : eg_err_prefix(err, r, "encounter");
}

static int split_envelope(struct eg_bytes envelope, struct eg_id *ret_id, uint8_t *ret_kid,
			  struct eg_bytes *ret_sealed, struct eg_err *err)
{
	struct eg_cur cur = eg_cur_of(envelope);
	struct eg_id id;
	uint8_t kid[EG_KID_SIZE];
	struct eg_bytes sealed;
	size_t count;
	uint64_t version;
	if (envelope.size > EG_ENVELOPE_MAX)
		return eg_err_set(err, EG_EINVAL, "envelope: %zu bytes, at most %u", envelope.size,
				  EG_ENVELOPE_MAX);
	if (eg_cbor_get_array(&cur, 4, &count) != 0 || count != 4 ||
	    eg_cbor_get_uint(&cur, &version) != 0)
		return eg_err_set(err, EG_EINVAL, "envelope: no CBOR array of four");
	if (version != ENVELOPE_VERSION)
		return eg_err_set(err, EG_EINVAL, "envelope: version %llu, only %d is known",
				  (unsigned long long)version, ENVELOPE_VERSION);
	if (eg_parse_exact(&cur, kid, sizeof(kid)) != 0 ||
	    eg_parse_exact(&cur, id.bytes, sizeof(id.bytes)) != 0 ||
	    eg_cbor_get_bytes(&cur, EG_ENVELOPE_MAX, &sealed) != 0 || cur.left != 0)
		return eg_err_set(
			err, EG_EINVAL,
			"envelope: key id, encounter id or sealed record is malformed, or "
			"bytes are left over");
	if (sealed.size < EG_HPKE_OVERHEAD)
		return eg_err_set(err, EG_EINVAL, "envelope: the sealed record is cut short");
	*ret_id = id;
	memcpy(ret_kid, kid, sizeof(kid));
	*ret_sealed = sealed;
	return 0;
}

int eg_envelope_peek(struct eg_bytes envelope, struct eg_id *ret_id, uint8_t ret_kid[EG_KID_SIZE],
		     struct eg_err *err)
{
	struct eg_bytes sealed;
	return split_envelope(envelope, ret_id, ret_kid, &sealed, err);
}

static int open_seal(const struct eg_id *id, struct eg_bytes sealed,
		     const struct eg_key *centre_key, const char *booth, struct eg_buf *plain,
		     struct eg_err *err)
{
	struct eg_buf aad;
	eg_buf_init(&aad, EG_ID_SIZE + EG_NAME_MAX);
	int r = put_aad(&aad, id, booth);
	if (r != 0)
		(void)eg_err_set(err, r, "opening the seal: %s", eg_code_name(r));
	else
		r = eg_hpke_open(centre_key, EG_BYTES_STR(EG_ENCOUNTER_CONTEXT), eg_buf_bytes(&aad),
				 sealed, plain, err);
	eg_buf_done(&aad);
	return r;
}

// The signature by the booth's record key, then the record, which must be the one outside says.
static int read_message(struct eg_bytes message, const struct eg_id *id, const char *booth,
			const uint8_t booth_pub[EG_P256_PUB_SIZE],
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
	if (eg_id_compare(&encounter.id, id) != 0 || strcmp(encounter.booth, booth) != 0)
		return eg_err_set(err, EG_EAUTH,
				  "the record inside is of another encounter or booth than the "
				  "envelope says");
	*ret_encounter = encounter;
	return 0;
}

int eg_encounter_open(struct eg_bytes envelope, const struct eg_key *centre_key, const char *booth,
		      const uint8_t booth_pub[EG_P256_PUB_SIZE], struct eg_buf *plain,
		      struct eg_encounter *ret_encounter, struct eg_err *err)
{
	struct eg_id id;
	uint8_t kid[EG_KID_SIZE], ours[EG_KID_SIZE];
	struct eg_bytes sealed;
	char text[EG_ID_TEXT_MAX];
	size_t before = plain->size;
	int r = split_envelope(envelope, &id, kid, &sealed, err);
	if (r != 0)
		return r;
	eg_id_text(&id, text);
	eg_kid(eg_key_public(centre_key), ours);
	if (memcmp(kid, ours, sizeof(kid)) != 0)
		return eg_err_set(err, EG_EAUTH, "encounter %s: sealed to another key", text);

	r = open_seal(&id, sealed, centre_key, booth, plain, err);
	if (r == 0)
		r = read_message(EG_BYTES(plain->data + before, plain->size - before), &id, booth,
				 booth_pub, ret_encounter, err);
	if (r == 0)
		return 0;
	if (plain->size > before)
		eg_wipe(plain->data + before, plain->size - before);
	plain->size = before;
	return eg_err_prefix(err, r, "encounter %s", text);
}
