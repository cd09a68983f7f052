// SPDX-License-Identifier: Apache-2.0
//
// Reads whatever items come, and writes each again: since only the deterministic encoding is read,
// the very same bytes must come out.
//
// links: eg_base

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "firmware/base/cbor.h"

static int copy_string(struct eg_cur *cur, struct eg_buf *out, enum eg_cbor_type type)
{
	struct eg_bytes view;
	char text[256];
	int r;

	if (type == EG_CBOR_BYTES) {
		r = eg_cbor_get_bytes(cur, cur->left, &view);
		return r != 0 ? r : eg_cbor_put_bytes(out, view);
	}
	r = eg_cbor_get_text(cur, text, sizeof(text));
	return r != 0 ? r : eg_cbor_put_text(out, text);
}

static int copy_head(struct eg_cur *cur, struct eg_buf *out, enum eg_cbor_type type)
{
	struct eg_cbor_map map;
	uint64_t tag;
	size_t count;
	int r;

	if (type == EG_CBOR_ARRAY) {
		r = eg_cbor_get_array(cur, cur->left, &count);
		return r != 0 ? r : eg_cbor_put_array(out, count);
	}
	if (type == EG_CBOR_MAP) {
		r = eg_cbor_map_open(cur, cur->left, &map);
		return r != 0 ? r : eg_cbor_put_map(out, map.left);
	}
	r = eg_cbor_get_tag(cur, &tag);
	return r != 0 ? r : eg_cbor_put_tag(out, tag);
}

static int copy_simple(struct eg_cur *cur, struct eg_buf *out, enum eg_cbor_type type)
{
	double real;
	bool yes;
	int r;

	if (type == EG_CBOR_BOOL) {
		r = eg_cbor_get_bool(cur, &yes);
		return r != 0 ? r : eg_cbor_put_bool(out, yes);
	}
	if (type == EG_CBOR_NULL) {
		r = eg_cbor_get_null(cur);
		return r != 0 ? r : eg_cbor_put_null(out);
	}
	r = eg_cbor_get_double(cur, &real);
	return r != 0 ? r : eg_cbor_put_double(out, real);
}

static int copy(struct eg_cur *cur, struct eg_buf *out)
{
	enum eg_cbor_type type;
	int64_t number;
	int r;

	r = eg_cbor_peek(cur, &type);
	if (r != 0)
		return r;
	switch (type) {
	case EG_CBOR_UINT:
	case EG_CBOR_NEGINT:
		r = eg_cbor_get_int(cur, &number);
		return r != 0 ? r : eg_cbor_put_int(out, number);
	case EG_CBOR_BYTES:
	case EG_CBOR_TEXT:
		return copy_string(cur, out, type);
	case EG_CBOR_ARRAY:
	case EG_CBOR_MAP:
	case EG_CBOR_TAG:
		return copy_head(cur, out, type);
	default:
		return copy_simple(cur, out, type);
	}
}

// A map with integer keys at the front, its values stepped over.
static void read_map(struct eg_cur cur)
{
	struct eg_cbor_map map;
	int64_t key;
	int r;

	if (eg_cbor_map_open(&cur, 1000, &map) != 0)
		return;
	while ((r = eg_cbor_map_next(&map, &key)) == 1)
		if (eg_cbor_skip(&cur) != 0)
			return;
	assert(r == 0 || r == EG_EINVAL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct eg_cur cur = eg_cur_of(EG_BYTES(data, size)), before = cur;
	struct eg_buf out;

	read_map(cur);
	if (eg_cbor_skip(&cur) == 0)
		assert(cur.left < size);
	else
		assert(cur.left == size && cur.at == data);

	cur = before;
	eg_buf_init(&out, size);
	while (copy(&cur, &out) == 0)
		;
	assert(out.size == size - cur.left);
	assert(out.size == 0 || memcmp(out.data, data, out.size) == 0);
	eg_buf_done(&out);
	return 0;
}
