// SPDX-License-Identifier: Apache-2.0
//
// One item at a time through libcbor's streaming coder. Every get decodes one head into a struct
// item, checks it, and only then moves the cursor.

#include "firmware/base/cbor.h"

#include <cbor.h>
#include <math.h>
#include <string.h>

#define DEPTH_MAX 16
#define HEAD_MAX  9

// ---- writing --------------------------------------------------------------------------------

static int put_head(struct eg_buf *buf, uint64_t value,
		    size_t (*encode)(uint64_t value, unsigned char *to, size_t room))
{
	uint8_t head[HEAD_MAX];
	size_t size = encode(value, head, sizeof(head));

	return size == 0 ? EG_EINVAL : eg_buf_put(buf, head, size);
}

static size_t encode_size(size_t (*encode)(size_t value, unsigned char *to, size_t room),
			  size_t value, uint8_t head[HEAD_MAX])
{
	return encode(value, head, HEAD_MAX);
}

int eg_cbor_put_uint(struct eg_buf *buf, uint64_t value)
{
	return put_head(buf, value, cbor_encode_uint);
}

int eg_cbor_put_int(struct eg_buf *buf, int64_t value)
{
	if (value >= 0)
		return eg_cbor_put_uint(buf, (uint64_t)value);
	return put_head(buf, (uint64_t)(-1 - value), cbor_encode_negint);
}

static int put_string(struct eg_buf *buf, struct eg_bytes bytes,
		      size_t (*encode)(size_t value, unsigned char *to, size_t room))
{
	uint8_t head[HEAD_MAX];
	size_t before = buf->size;
	int r;

	r = eg_buf_put(buf, head, encode_size(encode, bytes.size, head));
	if (r == 0)
		r = eg_buf_put(buf, bytes.data, bytes.size);
	if (r != 0)
		buf->size = before;
	return r;
}

int eg_cbor_put_bytes(struct eg_buf *buf, struct eg_bytes bytes)
{
	return put_string(buf, bytes, cbor_encode_bytestring_start);
}

int eg_cbor_put_text(struct eg_buf *buf, const char *text)
{
	return put_string(buf, EG_BYTES_STR(text), cbor_encode_string_start);
}

int eg_cbor_put_array(struct eg_buf *buf, size_t count)
{
	uint8_t head[HEAD_MAX];

	return eg_buf_put(buf, head, encode_size(cbor_encode_array_start, count, head));
}

int eg_cbor_put_map(struct eg_buf *buf, size_t count)
{
	uint8_t head[HEAD_MAX];

	return eg_buf_put(buf, head, encode_size(cbor_encode_map_start, count, head));
}

int eg_cbor_put_tag(struct eg_buf *buf, uint64_t tag)
{
	return put_head(buf, tag, cbor_encode_tag);
}

int eg_cbor_put_bool(struct eg_buf *buf, bool value)
{
	uint8_t head[HEAD_MAX];

	return eg_buf_put(buf, head, cbor_encode_bool(value, head, sizeof(head)));
}

int eg_cbor_put_null(struct eg_buf *buf)
{
	uint8_t head[HEAD_MAX];

	return eg_buf_put(buf, head, cbor_encode_null(head, sizeof(head)));
}

int eg_cbor_put_double(struct eg_buf *buf, double value)
{
	uint8_t head[HEAD_MAX];

	if (!isfinite(value))
		return EG_EINVAL;
	return eg_buf_put(buf, head, cbor_encode_double(value, head, sizeof(head)));
}

// ---- reading --------------------------------------------------------------------------------

struct item {
	enum eg_cbor_type type;
	uint64_t value; // number, length, count, tag or truth
	double real;
	const uint8_t *data; // of a string
	bool known;	     // a type we read, in its shortest form
};

static void found(struct item *item, enum eg_cbor_type type, uint64_t value, uint64_t least)
{
	item->type = type;
	item->value = value;
	item->known = value >= least;
}

// Integers come with their width: a value that would have fitted a smaller one is refused.
static void on_uint8(void *to, uint8_t v)
{
	found(to, EG_CBOR_UINT, v, 0);
}
static void on_uint16(void *to, uint16_t v)
{
	found(to, EG_CBOR_UINT, v, 0x100);
}
static void on_uint32(void *to, uint32_t v)
{
	found(to, EG_CBOR_UINT, v, 0x10000);
}
static void on_uint64(void *to, uint64_t v)
{
	found(to, EG_CBOR_UINT, v, 0x100000000);
}
static void on_negint8(void *to, uint8_t v)
{
	found(to, EG_CBOR_NEGINT, v, 0);
}
static void on_negint16(void *to, uint16_t v)
{
	found(to, EG_CBOR_NEGINT, v, 0x100);
}
static void on_negint32(void *to, uint32_t v)
{
	found(to, EG_CBOR_NEGINT, v, 0x10000);
}
static void on_negint64(void *to, uint64_t v)
{
	found(to, EG_CBOR_NEGINT, v, 0x100000000);
}
static void on_bytes(void *to, cbor_data data, uint64_t size)
{
	struct item *item = to;

	found(item, EG_CBOR_BYTES, size, 0);
	item->data = data;
}
static void on_text(void *to, cbor_data data, uint64_t size)
{
	struct item *item = to;

	found(item, EG_CBOR_TEXT, size, 0);
	item->data = data;
}
static void on_array(void *to, uint64_t count)
{
	found(to, EG_CBOR_ARRAY, count, 0);
}
static void on_map(void *to, uint64_t count)
{
	found(to, EG_CBOR_MAP, count, 0);
}
static void on_bool(void *to, bool value)
{
	found(to, EG_CBOR_BOOL, value, 0);
}
static void on_null(void *to)
{
	found(to, EG_CBOR_NULL, 0, 0);
}
static void on_double(void *to, double value)
{
	struct item *item = to;

	found(item, EG_CBOR_DOUBLE, 0, 0);
	item->real = value;
}
// What is left: indefinite lengths, breaks, undefined, short floats. `known` stays false.
static void on_other(void *to)
{
	((struct item *)to)->known = false;
}
static void on_float(void *to, float value)
{
	(void)value;
	on_other(to);
}

static const struct cbor_callbacks callbacks = {
	.uint8 = on_uint8,
	.uint16 = on_uint16,
	.uint32 = on_uint32,
	.uint64 = on_uint64,
	.negint8 = on_negint8,
	.negint16 = on_negint16,
	.negint32 = on_negint32,
	.negint64 = on_negint64,
	.byte_string_start = on_other,
	.byte_string = on_bytes,
	.string = on_text,
	.string_start = on_other,
	.indef_array_start = on_other,
	.array_start = on_array,
	.indef_map_start = on_other,
	.map_start = on_map,
	.float2 = on_float,
	.float4 = on_float,
	.float8 = on_double,
	.undefined = on_other,
	.null = on_null,
	.boolean = on_bool,
	.indef_break = on_other,
};

// Size of the head that the shortest form of a length, count or tag has.
static size_t head_size(uint64_t value)
{
	if (value < 24)
		return 1;
	return value <= 0xff ? 2 : value <= 0xffff ? 3 : value <= 0xffffffff ? 5 : 9;
}

static bool shortest(const struct item *item, const uint8_t *at, size_t head)
{
	switch (item->type) {
	case EG_CBOR_UINT:
	case EG_CBOR_NEGINT: // an 8-bit value below 24 hides behind the same callback
	case EG_CBOR_ARRAY:
	case EG_CBOR_MAP:
	case EG_CBOR_TAG:
		return head == head_size(item->value);
	case EG_CBOR_BYTES:
	case EG_CBOR_TEXT:
		return (size_t)(item->data - at) == head_size(item->value);
	default:
		return true;
	}
}

// libcbor's decoder refuses the tags 6 to 20, COSE's 18 among them, as unassigned. The head of a
// tag is that of an unsigned integer but for its first three bits, so it is decoded as one.
static struct cbor_decoder_result decode_tag(const struct eg_cur *cur, struct item *item)
{
	struct cbor_decoder_result result;
	uint8_t head[HEAD_MAX];
	size_t size = cur->left < HEAD_MAX ? cur->left : HEAD_MAX;

	memcpy(head, cur->at, size);
	head[0] &= 0x1f;
	result = cbor_stream_decode(head, size, &callbacks, item);
	item->type = EG_CBOR_TAG;
	return result;
}

// Decodes the item at the cursor; *ret_size is how far a get would move.
static int decode(const struct eg_cur *cur, struct item *ret_item, size_t *ret_size)
{
	struct cbor_decoder_result result;

	*ret_item = (struct item){0};
	if (cur->left == 0)
		return EG_EINVAL;
	if (cur->at[0] >> 5 == 6)
		result = decode_tag(cur, ret_item);
	else
		result = cbor_stream_decode(cur->at, cur->left, &callbacks, ret_item);
	if (result.status != CBOR_DECODER_FINISHED || !ret_item->known ||
	    !shortest(ret_item, cur->at, result.read))
		return EG_EINVAL;
	*ret_size = result.read;
	return 0;
}

static int get(struct eg_cur *cur, enum eg_cbor_type type, struct item *ret_item)
{
	size_t size;
	int r;

	r = decode(cur, ret_item, &size);
	if (r != 0)
		return r;
	if (ret_item->type != type)
		return EG_EINVAL;
	cur->at += size;
	cur->left -= size;
	return 0;
}

int eg_cbor_peek(const struct eg_cur *cur, enum eg_cbor_type *ret_type)
{
	struct item item;
	size_t size;
	int r;

	r = decode(cur, &item, &size);
	if (r == 0)
		*ret_type = item.type;
	return r;
}

int eg_cbor_get_uint(struct eg_cur *cur, uint64_t *ret_value)
{
	struct item item;
	int r;

	r = get(cur, EG_CBOR_UINT, &item);
	if (r == 0)
		*ret_value = item.value;
	return r;
}

int eg_cbor_get_int(struct eg_cur *cur, int64_t *ret_value)
{
	struct eg_cur begin = *cur;
	struct item item;
	size_t size;
	int r;

	r = decode(cur, &item, &size);
	if (r != 0)
		return r;
	if ((item.type != EG_CBOR_UINT && item.type != EG_CBOR_NEGINT) || item.value > INT64_MAX)
		return EG_EINVAL;
	cur->at = begin.at + size;
	cur->left = begin.left - size;
	*ret_value = item.type == EG_CBOR_UINT ? (int64_t)item.value : -1 - (int64_t)item.value;
	return 0;
}

int eg_cbor_get_bytes(struct eg_cur *cur, size_t max, struct eg_bytes *ret_view)
{
	struct eg_cur at = *cur;
	struct item item;
	int r;

	r = get(&at, EG_CBOR_BYTES, &item);
	if (r != 0)
		return r;
	if (item.value > max)
		return EG_EINVAL;
	*ret_view = EG_BYTES(item.data, (size_t)item.value);
	*cur = at;
	return 0;
}

// RFC 3629: shortest form, no surrogates, nothing above U+10FFFF.
static bool is_utf8(const uint8_t *s, size_t size)
{
	size_t i = 0, k, more;
	uint32_t c, least;

	while (i < size) {
		c = s[i++];
		if (c < 0x80)
			continue;
		if (c >= 0xc2 && c <= 0xdf)
			more = 1, c &= 0x1f, least = 0x80;
		else if (c >= 0xe0 && c <= 0xef)
			more = 2, c &= 0x0f, least = 0x800;
		else if (c >= 0xf0 && c <= 0xf4)
			more = 3, c &= 0x07, least = 0x10000;
		else
			return false;
		for (k = 0; k < more; k++, i++) {
			if (i >= size || (s[i] & 0xc0) != 0x80)
				return false;
			c = c << 6 | (s[i] & 0x3f);
		}
		if (c < least || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
			return false;
	}
	return true;
}

int eg_cbor_get_text(struct eg_cur *cur, char *text, size_t size)
{
	struct eg_cur at = *cur;
	struct item item;
	int r;

	r = get(&at, EG_CBOR_TEXT, &item);
	if (r != 0)
		return r;
	if (item.value >= size || !is_utf8(item.data, (size_t)item.value) ||
	    (item.value > 0 && memchr(item.data, 0, (size_t)item.value) != NULL))
		return EG_EINVAL;
	if (item.value > 0)
		memcpy(text, item.data, (size_t)item.value);
	text[item.value] = '\0';
	*cur = at;
	return 0;
}

int eg_cbor_get_array(struct eg_cur *cur, size_t max, size_t *ret_count)
{
	struct eg_cur at = *cur;
	struct item item;
	int r;

	r = get(&at, EG_CBOR_ARRAY, &item);
	if (r != 0)
		return r;
	if (item.value > max)
		return EG_EINVAL;
	*ret_count = (size_t)item.value;
	*cur = at;
	return 0;
}

int eg_cbor_get_tag(struct eg_cur *cur, uint64_t *ret_tag)
{
	struct item item;
	int r;

	r = get(cur, EG_CBOR_TAG, &item);
	if (r == 0)
		*ret_tag = item.value;
	return r;
}

int eg_cbor_get_bool(struct eg_cur *cur, bool *ret_value)
{
	struct item item;
	int r;

	r = get(cur, EG_CBOR_BOOL, &item);
	if (r == 0)
		*ret_value = item.value != 0;
	return r;
}

int eg_cbor_get_null(struct eg_cur *cur)
{
	struct item item;

	return get(cur, EG_CBOR_NULL, &item);
}

int eg_cbor_get_double(struct eg_cur *cur, double *ret_value)
{
	struct eg_cur at = *cur;
	struct item item;
	int r;

	r = get(&at, EG_CBOR_DOUBLE, &item);
	if (r != 0)
		return r;
	if (!isfinite(item.real))
		return EG_EINVAL;
	*ret_value = item.real;
	*cur = at;
	return 0;
}

int eg_cbor_map_open(struct eg_cur *cur, size_t max, struct eg_cbor_map *ret_map)
{
	struct eg_cur at = *cur;
	struct item item;
	int r;

	r = get(&at, EG_CBOR_MAP, &item);
	if (r != 0)
		return r;
	if (item.value > max)
		return EG_EINVAL;
	*cur = at;
	*ret_map = (struct eg_cbor_map){.cur = cur, .left = (size_t)item.value};
	return 0;
}

// Order of the encodings: 0, 1, 2, … then −1, −2, …
static bool after(int64_t key, int64_t last)
{
	if ((key < 0) != (last < 0))
		return key < 0;
	return key < 0 ? key < last : key > last;
}

int eg_cbor_map_next(struct eg_cbor_map *map, int64_t *ret_key)
{
	int64_t key;
	int r;

	if (map->left == 0)
		return 0;
	r = eg_cbor_get_int(map->cur, &key);
	if (r != 0)
		return r;
	if (map->any && !after(key, map->last))
		return EG_EINVAL;
	map->any = true;
	map->last = key;
	map->left--;
	*ret_key = key;
	return 1;
}

static int skip(struct eg_cur *cur, int depth)
{
	struct item item;
	uint64_t items, i;
	size_t size;
	int r;

	r = decode(cur, &item, &size);
	if (r != 0)
		return r;
	if (item.type == EG_CBOR_TEXT && !is_utf8(item.data, (size_t)item.value))
		return EG_EINVAL;
	cur->at += size;
	cur->left -= size;
	if (item.type == EG_CBOR_TAG)
		items = 1;
	else if (item.type == EG_CBOR_ARRAY || item.type == EG_CBOR_MAP)
		items = item.value;
	else
		return 0;
	if (items > cur->left) // each takes a byte at least; so the doubling cannot overflow
		return EG_EINVAL;
	if (item.type == EG_CBOR_MAP)
		items *= 2;
	if (items > 0 && depth == 0)
		return EG_EINVAL;
	for (i = 0; r == 0 && i < items; i++)
		r = skip(cur, depth - 1);
	return r;
}

int eg_cbor_skip(struct eg_cur *cur)
{
	struct eg_cur at = *cur;
	int r;

	r = skip(&at, DEPTH_MAX);
	if (r == 0)
		*cur = at;
	return r;
}
