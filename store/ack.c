// SPDX-License-Identifier: Apache-2.0
//
// The centre's signed acknowledgement: the only thing that lets a booth erase. Thread: any.

#include "store/encounter.h"

#include <inttypes.h>
#include <string.h>

#include "store/parse.h"

#define KEYS 4

static int put_payload(const struct eg_ack *ack, struct eg_buf *out)
{
	if (ack->received_ms < 0 || !eg_name_is_valid(ack->booth))
		return EG_EINVAL;
	int r = eg_cbor_put_map(out, KEYS);
	if (r == 0)
		r = eg_cbor_put_uint(out, 1);
	if (r == 0)
		r = eg_cbor_put_bytes(out, EG_BYTES(ack->id.bytes, EG_ID_SIZE));
	if (r == 0)
		r = eg_cbor_put_uint(out, 2);
	if (r == 0)
		r = eg_cbor_put_text(out, ack->booth);
	if (r == 0)
		r = eg_cbor_put_uint(out, 3);
	if (r == 0)
		r = eg_cbor_put_bytes(out, EG_BYTES(ack->digest, sizeof(ack->digest)));
	if (r == 0)
		r = eg_cbor_put_uint(out, 4);
	if (r == 0)
		r = eg_cbor_put_uint(out, (uint64_t)ack->received_ms);
	return r;
}

int eg_ack_sign(const struct eg_ack *ack, const struct eg_key *centre, struct eg_buf *out,
		struct eg_err *err)
{
	struct eg_buf payload;
	eg_buf_init(&payload, 256);
	int r = put_payload(ack, &payload);
	if (r != 0)
		(void)eg_err_set(err, r, "acknowledgement: booth or time: %s", eg_code_name(r));
	else
		r = eg_cose_sign(centre, EG_BYTES_STR(EG_ACK_CONTEXT), eg_buf_bytes(&payload), out,
				 err);
	eg_buf_done(&payload);
	return r;
}

static int get_field(struct eg_cur *cur, int64_t key, struct eg_ack *ack)
{
	int r;
	switch (key) {
	case 1:
		return eg_parse_exact(cur, ack->id.bytes, EG_ID_SIZE);
	case 2:
		r = eg_cbor_get_text(cur, ack->booth, sizeof(ack->booth));
		return r == 0 && !eg_name_is_valid(ack->booth) ? EG_EINVAL : r;
	case 3:
		return eg_parse_exact(cur, ack->digest, sizeof(ack->digest));
	case 4:
		return eg_parse_time(cur, &ack->received_ms);
	default:
		return EG_EINVAL;
	}
}

static int get_payload(struct eg_bytes payload, struct eg_ack *ret_ack, struct eg_err *err)
{
	struct eg_ack ack = {0};
	struct eg_cur cur = eg_cur_of(payload);
	struct eg_cbor_map map;
	int64_t key = 0;
	size_t count = 0;
	int r = eg_cbor_map_open(&cur, KEYS, &map);
	while (r == 0 && (r = eg_cbor_map_next(&map, &key)) == 1) {
		r = get_field(&cur, key, &ack);
		if (r != 0)
			return eg_err_set(err, EG_EINVAL,
					  "acknowledgement: field %" PRId64
					  " is unknown or malformed",
					  key);
		count++;
	}
	if (r != 0 || count != KEYS || cur.left != 0)
		return eg_err_set(err, EG_EINVAL,
				  "acknowledgement: not the four fields it must be");
	*ret_ack = ack;
	return 0;
}

int eg_ack_verify(struct eg_bytes message, const struct eg_trusted_key *keys, size_t key_count,
		  struct eg_ack *ret_ack, struct eg_err *err)
{
	struct eg_bytes payload;
	int r = eg_cose_verify(message, EG_BYTES_STR(EG_ACK_CONTEXT), keys, key_count, &payload,
			       NULL, err);
	if (r != 0)
		return eg_err_prefix(err, r, "acknowledgement");
	return get_payload(payload, ret_ack, err);
}
