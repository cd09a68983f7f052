// SPDX-License-Identifier: Apache-2.0
//
// CBOR (RFC 8949), deterministic encoding (§4.2.1) only, on libcbor's streaming coder: bounded, no
// tree, no allocation. Writing appends to an eg_buf; reading pulls items out of an eg_cur.
//
// What we refuse on reading, always EG_EINVAL: indefinite lengths, integers not in their shortest
// form, lengths beyond the bytes at hand, text that is not UTF-8, duplicate or unsorted map keys
// (checked by eg_cbor_map), bytes left over where the caller says "end".
//
// Thread: any.

#ifndef EG_CBOR_H
#define EG_CBOR_H

#include "firmware/base/buf.h"

// Writing. All return 0, EG_ETOOBIG or EG_ENOMEM.
int eg_cbor_put_uint(struct eg_buf *buf, uint64_t value) EG_CHECKED;
int eg_cbor_put_int(struct eg_buf *buf, int64_t value) EG_CHECKED;
int eg_cbor_put_bytes(struct eg_buf *buf, struct eg_bytes bytes) EG_CHECKED;
int eg_cbor_put_text(struct eg_buf *buf, const char *text) EG_CHECKED;
int eg_cbor_put_array(struct eg_buf *buf, size_t count) EG_CHECKED;
int eg_cbor_put_map(struct eg_buf *buf, size_t count) EG_CHECKED;
int eg_cbor_put_tag(struct eg_buf *buf, uint64_t tag) EG_CHECKED;
int eg_cbor_put_bool(struct eg_buf *buf, bool value) EG_CHECKED;
int eg_cbor_put_null(struct eg_buf *buf) EG_CHECKED;
int eg_cbor_put_double(struct eg_buf *buf, double value) EG_CHECKED; // always 64 bits, never NaN

// Reading. After a failed get the cursor stands where it stood.
enum eg_cbor_type {
	EG_CBOR_UINT,
	EG_CBOR_NEGINT,
	EG_CBOR_BYTES,
	EG_CBOR_TEXT,
	EG_CBOR_ARRAY,
	EG_CBOR_MAP,
	EG_CBOR_TAG,
	EG_CBOR_BOOL,
	EG_CBOR_NULL,
	EG_CBOR_DOUBLE,
};

int eg_cbor_peek(const struct eg_cur *cur, enum eg_cbor_type *ret_type) EG_CHECKED;
int eg_cbor_get_uint(struct eg_cur *cur, uint64_t *ret_value) EG_CHECKED;
int eg_cbor_get_int(struct eg_cur *cur, int64_t *ret_value) EG_CHECKED;
int eg_cbor_get_bytes(struct eg_cur *cur, size_t max, struct eg_bytes *ret_view) EG_CHECKED;
// Copies into `text` with a NUL; EG_EINVAL when longer than size − 1 or holding a NUL.
int eg_cbor_get_text(struct eg_cur *cur, char *text, size_t size) EG_CHECKED;
int eg_cbor_get_array(struct eg_cur *cur, size_t max, size_t *ret_count) EG_CHECKED;
int eg_cbor_get_tag(struct eg_cur *cur, uint64_t *ret_tag) EG_CHECKED;
int eg_cbor_get_bool(struct eg_cur *cur, bool *ret_value) EG_CHECKED;
int eg_cbor_get_null(struct eg_cur *cur) EG_CHECKED;
int eg_cbor_get_double(struct eg_cur *cur, double *ret_value) EG_CHECKED; // finite only

// Map with integer keys, in ascending order of their encoding (so 0, 1, 2, …, −1, −2, …):
//
//	struct eg_cbor_map map;
//	if ((r = eg_cbor_map_open(&cur, 8, &map)) != 0) ...
//	while ((r = eg_cbor_map_next(&map, &key)) == 1)
//		switch (key) { case 1: r = eg_cbor_get_uint(&cur, &x); ... default: r = EG_EINVAL }
//	// r is 0 at the end of the map, negative on a duplicate or unsorted key
struct eg_cbor_map {
	struct eg_cur *cur;
	size_t left;
	bool any;
	int64_t last;
};
int eg_cbor_map_open(struct eg_cur *cur, size_t max, struct eg_cbor_map *ret_map) EG_CHECKED;
int eg_cbor_map_next(struct eg_cbor_map *map, int64_t *ret_key) EG_CHECKED;

// Steps over one whole item, at most 16 levels deep.
int eg_cbor_skip(struct eg_cur *cur) EG_CHECKED;

#endif
