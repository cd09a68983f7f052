// SPDX-License-Identifier: Apache-2.0
//
// COSE_Sign1 = #6.18([protected: bstr .cbor {1: -7, 4: kid}, {}, payload: bstr, signature: bstr])
// Signed is the Sig_structure ["Signature1", protected, aad, payload] (RFC 9052 §4.4).

#include "firmware/base/cose_internal.h"

#include <string.h>

#include "firmware/base/cbor.h"

#define TAG_SIGN1	18
#define HEADER_ALG	1
#define HEADER_KID	4
#define ALG_ES256	-7
#define PROTECTED_MAX	32
#define STRUCTURE_EXTRA 64 // heads and "Signature1"

static int put_protected(struct eg_buf *buf, const uint8_t kid[EG_KID_SIZE])
{
	int r;

	r = eg_cbor_put_map(buf, 2);
	if (r == 0)
		r = eg_cbor_put_uint(buf, HEADER_ALG);
	if (r == 0)
		r = eg_cbor_put_int(buf, ALG_ES256);
	if (r == 0)
		r = eg_cbor_put_uint(buf, HEADER_KID);
	return r != 0 ? r : eg_cbor_put_bytes(buf, EG_BYTES(kid, EG_KID_SIZE));
}

int eg_cose_put_structure(struct eg_buf *buf, struct eg_bytes protected, struct eg_bytes aad,
			  struct eg_bytes payload)
{
	int r;

	r = eg_cbor_put_array(buf, 4);
	if (r == 0)
		r = eg_cbor_put_text(buf, "Signature1");
	if (r == 0)
		r = eg_cbor_put_bytes(buf, protected);
	if (r == 0)
		r = eg_cbor_put_bytes(buf, aad);
	return r != 0 ? r : eg_cbor_put_bytes(buf, payload);
}

static void init_structure(struct eg_buf *buf, struct eg_bytes aad, struct eg_bytes payload)
{
	eg_buf_init(buf, PROTECTED_MAX + STRUCTURE_EXTRA + aad.size + payload.size);
}

static int put_message(struct eg_buf *out, struct eg_bytes protected, struct eg_bytes payload,
		       const uint8_t signature[EG_P256_SIG_SIZE])
{
	int r;

	r = eg_cbor_put_tag(out, TAG_SIGN1);
	if (r == 0)
		r = eg_cbor_put_array(out, 4);
	if (r == 0)
		r = eg_cbor_put_bytes(out, protected);
	if (r == 0)
		r = eg_cbor_put_map(out, 0);
	if (r == 0)
		r = eg_cbor_put_bytes(out, payload);
	return r != 0 ? r : eg_cbor_put_bytes(out, EG_BYTES(signature, EG_P256_SIG_SIZE));
}

int eg_cose_sign(const struct eg_key *key, struct eg_bytes aad, struct eg_bytes payload,
		 struct eg_buf *out, struct eg_err *err)
{
	uint8_t signature[EG_P256_SIG_SIZE], kid[EG_KID_SIZE];
	struct eg_buf protected, structure;
	size_t before = out->size;
	int r;

	eg_buf_init(&protected, PROTECTED_MAX);
	init_structure(&structure, aad, payload);
	eg_kid(eg_key_public(key), kid);
	r = put_protected(&protected, kid);
	if (r == 0)
		r = eg_cose_put_structure(&structure, eg_buf_bytes(&protected), aad, payload);
	if (r == 0)
		r = eg_sign(key, eg_buf_bytes(&structure), signature);
	if (r == 0)
		r = put_message(out, eg_buf_bytes(&protected), payload, signature);
	if (r != 0) {
		out->size = before;
		r = eg_err_set(err, r, "a statement could not be signed: %s", eg_code_name(r));
	}
	eg_buf_done(&protected);
	eg_buf_done(&structure);
	return r;
}

struct message {
	struct eg_bytes protected, payload, signature, kid;
};

static int read_protected(struct message *m)
{
	struct eg_cur cur = eg_cur_of(m->protected);
	struct eg_cbor_map map;
	bool has_alg = false;
	int64_t key, alg;
	int r;

	r = eg_cbor_map_open(&cur, 2, &map);
	if (r != 0)
		return r;
	while ((r = eg_cbor_map_next(&map, &key)) == 1) {
		if (key == HEADER_ALG) {
			r = eg_cbor_get_int(&cur, &alg);
			if (r == 0 && alg != ALG_ES256)
				r = EG_EUNSUPPORTED;
			has_alg = true;
		} else if (key == HEADER_KID) {
			r = eg_cbor_get_bytes(&cur, EG_KID_SIZE, &m->kid);
		} else {
			r = EG_EUNSUPPORTED;
		}
		if (r != 0)
			return r;
	}
	if (r == 0 && (!has_alg || m->kid.size != EG_KID_SIZE || cur.left != 0))
		r = EG_EINVAL;
	return r;
}

static int read_message(struct eg_bytes bytes, struct message *m)
{
	struct eg_cur cur = eg_cur_of(bytes);
	struct eg_cbor_map map;
	uint64_t tag;
	size_t count;
	int r;

	r = eg_cbor_get_tag(&cur, &tag);
	if (r == 0 && tag != TAG_SIGN1)
		r = EG_EINVAL;
	if (r == 0)
		r = eg_cbor_get_array(&cur, 4, &count);
	if (r == 0 && count != 4)
		r = EG_EINVAL;
	if (r == 0)
		r = eg_cbor_get_bytes(&cur, PROTECTED_MAX, &m->protected);
	if (r == 0)
		r = eg_cbor_map_open(&cur, 0, &map); // empty
	if (r == 0)
		r = eg_cbor_get_bytes(&cur, cur.left, &m->payload);
	if (r == 0)
		r = eg_cbor_get_bytes(&cur, EG_P256_SIG_SIZE, &m->signature);
	if (r == 0 && (m->signature.size != EG_P256_SIG_SIZE || cur.left != 0))
		r = EG_EINVAL;
	return r != 0 ? r : read_protected(m);
}

static int check_signature(const struct message *m, struct eg_bytes aad,
			   const struct eg_trusted_key *key)
{
	struct eg_buf structure;
	int r;

	init_structure(&structure, aad, m->payload);
	r = eg_cose_put_structure(&structure, m->protected, aad, m->payload);
	if (r == 0)
		r = eg_verify(key->pub, eg_buf_bytes(&structure), m->signature.data);
	eg_buf_done(&structure);
	return r;
}

int eg_cose_verify(struct eg_bytes message, struct eg_bytes aad, const struct eg_trusted_key *keys,
		   size_t key_count, struct eg_bytes *ret_payload, size_t *ret_key_index,
		   struct eg_err *err)
{
	struct message m = {0};
	size_t i;
	int r;

	r = read_message(message, &m);
	if (r != 0)
		return eg_err_set(err, r == EG_EUNSUPPORTED ? r : EG_EINVAL,
				  r == EG_EUNSUPPORTED
					  ? "a signed statement uses a header or algorithm other "
					    "than ES256 with a key id"
					  : "not a signed statement (COSE_Sign1)");
	for (i = 0; i < key_count; i++)
		if (memcmp(keys[i].kid, m.kid.data, EG_KID_SIZE) == 0)
			break;
	if (i == key_count)
		return eg_err_set(err, EG_EAUTH, "signed by a key that is not trusted here");
	r = check_signature(&m, aad, &keys[i]);
	if (r != 0)
		return eg_err_set(err, r == EG_ENOMEM ? r : EG_EAUTH,
				  r == EG_ENOMEM ? "out of memory" : "the signature is wrong");
	*ret_payload = m.payload;
	if (ret_key_index != NULL)
		*ret_key_index = i;
	return 0;
}
