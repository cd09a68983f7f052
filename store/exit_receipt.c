// SPDX-License-Identifier: Apache-2.0
//
// See exit_receipt.h. Thread: any.

#include "store/exit_receipt.h"

#include <inttypes.h>
#include <string.h>

#include "store/base45.h"
#include "store/parse.h"

#define EXIT_CONTEXT "egress/exit/v1"
#define TEXT_PREFIX  "EGX1:"
#define KEYS	     8
#define KEYS_NO_NAME 7

static const char *const how_names[EG_EXIT_HOW_COUNT] = {
	[EG_EXIT_BIOMETRIC] = "biometric",
	[EG_EXIT_OFFICER] = "officer",
};

const char *eg_exit_how_name(enum eg_exit_how how)
{
	return how >= EG_EXIT_BIOMETRIC && how < EG_EXIT_HOW_COUNT ? how_names[how] : "unknown";
}

static int put_field(const struct eg_exit_receipt *receipt, unsigned int key, struct eg_buf *out)
{
	switch (key) {
	case 1:
		return eg_cbor_put_bytes(out, EG_BYTES(receipt->id.bytes, EG_ID_SIZE));
	case 2:
		return eg_cbor_put_text(out, receipt->booth);
	case 3:
		return eg_cbor_put_text(out, receipt->port);
	case 4:
		return eg_cbor_put_text(out, receipt->flight);
	case 5:
		return eg_cbor_put_text(out, receipt->manifest);
	case 6:
		return eg_cbor_put_int(out, receipt->decided_ms);
	case 7:
		return eg_cbor_put_uint(out, receipt->how);
	default:
		return eg_cbor_put_text(out, receipt->name);
	}
}

int eg_exit_receipt_write(const struct eg_exit_receipt *receipt, struct eg_buf *out,
			  struct eg_err *err)
{
	struct eg_exit_receipt check;
	unsigned int keys = receipt->name[0] != '\0' ? KEYS : KEYS_NO_NAME;
	size_t before = out->size;
	int r = eg_cbor_put_map(out, keys);
	for (unsigned int key = 1; r == 0 && key <= keys; key++) {
		r = eg_cbor_put_uint(out, key);
		if (r == 0)
			r = put_field(receipt, key, out);
	}
	if (r != 0)
		(void)eg_err_set(err, r, "writing an exit receipt: %s", eg_code_name(r));
	else // what is signed must be readable by who checks it
		r = eg_exit_receipt_read(EG_BYTES(out->data + before, out->size - before), &check,
					 err);
	if (r != 0)
		out->size = before;
	return r;
}

static int get_name(struct eg_cur *cur, char name[EG_NAME_MAX])
{
	int r = eg_cbor_get_text(cur, name, EG_NAME_MAX);
	return r == 0 && !eg_name_is_valid(name) ? EG_EINVAL : r;
}

static int get_field(struct eg_cur *cur, int64_t key, struct eg_exit_receipt *receipt)
{
	uint64_t how = 0;
	int r;
	switch (key) {
	case 1:
		return eg_parse_exact(cur, receipt->id.bytes, EG_ID_SIZE);
	case 2:
		return get_name(cur, receipt->booth);
	case 3:
		return get_name(cur, receipt->port);
	case 4:
		return get_name(cur, receipt->flight);
	case 5:
		return get_name(cur, receipt->manifest);
	case 6:
		return eg_parse_time(cur, &receipt->decided_ms);
	case 7:
		r = eg_cbor_get_uint(cur, &how);
		if (r == 0 && (how < EG_EXIT_BIOMETRIC || how >= EG_EXIT_HOW_COUNT))
			return EG_EINVAL;
		receipt->how = (enum eg_exit_how)how;
		return r;
	default:
		r = eg_parse_printable(cur, receipt->name, sizeof(receipt->name));
		return r == 0 && receipt->name[0] == '\0' ? EG_EINVAL : r;
	}
}

int eg_exit_receipt_read(struct eg_bytes payload, struct eg_exit_receipt *ret_receipt,
			 struct eg_err *err)
{
	static const char *const names[KEYS + 1] = {
		NULL, "id", "booth", "port", "flight", "manifest", "decided time", "how", "name",
	};
	struct eg_exit_receipt receipt = {0};
	struct eg_cur cur = eg_cur_of(payload);
	struct eg_cbor_map map;
	int64_t key = 0, expected = 1;
	int r = eg_cbor_map_open(&cur, KEYS, &map);
	while (r == 0 && (r = eg_cbor_map_next(&map, &key)) == 1) {
		if (key != expected) // sorted, none missing, none beyond
			return eg_err_set(err, EG_EINVAL, "exit receipt: unexpected field %" PRId64,
					  key);
		r = get_field(&cur, key, &receipt);
		if (r != 0)
			return eg_err_set(err, EG_EINVAL,
					  "exit receipt: field \"%s\" is malformed or out of range",
					  names[key]);
		expected++;
	}
	if (r != 0 || expected <= KEYS_NO_NAME || cur.left != 0)
		return eg_err_set(err, EG_EINVAL, "exit receipt: not the fields it must be");
	*ret_receipt = receipt;
	return 0;
}

int eg_exit_receipt_sign(const struct eg_exit_receipt *receipt, const struct eg_key *booth_key,
			 struct eg_buf *out, struct eg_err *err)
{
	struct eg_buf payload;
	eg_buf_init_secret(&payload, EG_EXIT_MESSAGE_MAX);
	int r = eg_exit_receipt_write(receipt, &payload, err);
	if (r == 0)
		r = eg_cose_sign(booth_key, EG_BYTES_STR(EXIT_CONTEXT), eg_buf_bytes(&payload), out,
				 err);
	eg_buf_done(&payload);
	return r;
}

int eg_exit_receipt_verify(struct eg_bytes message, const struct eg_trusted_key *keys,
			   size_t key_count, struct eg_exit_receipt *ret_receipt,
			   struct eg_err *err)
{
	struct eg_bytes payload;
	if (message.size > EG_EXIT_MESSAGE_MAX)
		return eg_err_set(err, EG_EINVAL, "exit receipt: %zu bytes, at most %d",
				  message.size, EG_EXIT_MESSAGE_MAX);
	int r = eg_cose_verify(message, EG_BYTES_STR(EXIT_CONTEXT), keys, key_count, &payload, NULL,
			       err);
	return r != 0 ? eg_err_prefix(err, r, "exit receipt")
		      : eg_exit_receipt_read(payload, ret_receipt, err);
}

// RFC 9052 §4.2: tag 18, array(4) [protected, unprotected, payload, signature].
int eg_exit_receipt_peek(struct eg_bytes message, char ret_booth[EG_NAME_MAX], struct eg_err *err)
{
	struct eg_exit_receipt receipt;
	struct eg_cur cur = eg_cur_of(message);
	struct eg_bytes payload;
	uint64_t tag;
	size_t count;
	if (eg_cbor_get_tag(&cur, &tag) != 0 || eg_cbor_get_array(&cur, 4, &count) != 0 ||
	    eg_cbor_skip(&cur) != 0 || eg_cbor_skip(&cur) != 0 ||
	    eg_cbor_get_bytes(&cur, EG_EXIT_MESSAGE_MAX, &payload) != 0)
		return eg_err_set(err, EG_EINVAL, "exit receipt: not a signed message");
	int r = eg_exit_receipt_read(payload, &receipt, err);
	if (r == 0)
		memcpy(ret_booth, receipt.booth, sizeof(receipt.booth));
	return r;
}

int eg_exit_receipt_text(struct eg_bytes message, char ret_text[EG_EXIT_TEXT_MAX],
			 struct eg_err *err)
{
	struct eg_buf text;
	eg_buf_init_secret(&text, EG_EXIT_TEXT_MAX);
	int r = message.size > EG_EXIT_MESSAGE_MAX
			? EG_ETOOBIG
			: eg_buf_put(&text, TEXT_PREFIX, strlen(TEXT_PREFIX));
	if (r == 0)
		r = eg_base45_encode(message, &text);
	if (r == 0)
		r = eg_buf_put_u8(&text, 0);
	if (r == 0)
		memcpy(ret_text, text.data, text.size);
	else
		(void)eg_err_set(err, r, "exit receipt of %zu bytes: %s", message.size,
				 eg_code_name(r));
	eg_buf_done(&text);
	return r;
}

// Without the line ends that mail and screens put in; appended.
static int unfold(struct eg_bytes text, struct eg_buf *out)
{
	int r = 0;
	for (size_t i = 0; r == 0 && i < text.size; i++)
		if (text.data[i] != '\n' && text.data[i] != '\r')
			r = eg_buf_put_u8(out, text.data[i]);
	return r;
}

int eg_exit_receipt_parse(struct eg_bytes text, struct eg_buf *message, struct eg_err *err)
{
	const size_t prefix = strlen(TEXT_PREFIX);
	struct eg_buf line;
	eg_buf_init_secret(&line, EG_EXIT_TEXT_MAX - 1);
	int r = unfold(text, &line);
	if (r != 0)
		(void)eg_err_set(err, EG_EINVAL, "exit receipt: longer than any receipt");
	else if (line.size <= prefix || memcmp(line.data, TEXT_PREFIX, prefix) != 0)
		r = eg_err_set(err, EG_EINVAL, "exit receipt: does not begin with %s", TEXT_PREFIX);
	else if (eg_base45_decode(EG_BYTES(line.data + prefix, line.size - prefix), message) != 0)
		r = eg_err_set(err, EG_EINVAL,
			       "exit receipt: a character is missing or is none of a receipt's");
	eg_buf_done(&line);
	return r == 0 ? 0 : EG_EINVAL;
}
