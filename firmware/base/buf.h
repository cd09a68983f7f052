// SPDX-License-Identifier: Apache-2.0
//
// Bytes with a maximum. struct eg_buf grows up to the maximum it was given when it was made and
// refuses beyond; struct eg_cur reads foreign bytes and can never step outside of them.
//
// Ownership: an eg_buf owns its bytes until eg_buf_done or eg_buf_take; an eg_cur and an eg_bytes
// only look at bytes that somebody else keeps alive.
// Thread: one at a time.

#ifndef EG_BUF_H
#define EG_BUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "firmware/base/err.h"

// A view of bytes that somebody else owns. {NULL, 0} is empty.
struct eg_bytes {
	const uint8_t *data;
	size_t size;
};

#define EG_BYTES(pointer, length) ((struct eg_bytes){(const uint8_t *)(pointer), (length)})

// The text of a string literal or array, without its NUL.
#define EG_BYTES_STR(text) EG_BYTES((text), strlen(text))

bool eg_bytes_equal(struct eg_bytes a, struct eg_bytes b); // not constant time

struct eg_buf {
	uint8_t *data;
	size_t size; // bytes in use
	size_t room; // bytes allocated
	size_t max;  // never more than this
	bool secret; // wiped when freed or moved
};

void eg_buf_init(struct eg_buf *buf, size_t max);
void eg_buf_init_secret(struct eg_buf *buf, size_t max);
void eg_buf_done(
	struct eg_buf *buf); // takes NULL and a zeroed struct; leaves it zeroed but for max
void eg_buf_reset(struct eg_buf *buf); // empty, memory kept (wiped if secret)

// Append. EG_ETOOBIG over the maximum, EG_ENOMEM; on failure the buffer is as before.
int eg_buf_put(struct eg_buf *buf, const void *data, size_t size) EG_CHECKED;
int eg_buf_put_u8(struct eg_buf *buf, uint8_t value) EG_CHECKED;
int eg_buf_put_be16(struct eg_buf *buf, uint16_t value) EG_CHECKED;
int eg_buf_put_be32(struct eg_buf *buf, uint32_t value) EG_CHECKED;
int eg_buf_put_be64(struct eg_buf *buf, uint64_t value) EG_CHECKED;
int eg_buf_printf(struct eg_buf *buf, const char *fmt, ...) EG_CHECKED EG_PRINTF(2, 3);

// Room for `size` more bytes at *ret_space, already counted in buf->size: write all of them.
int eg_buf_extend(struct eg_buf *buf, size_t size, uint8_t **ret_space) EG_CHECKED;

// Makes sure a NUL stands behind the bytes (not counted) and returns them as text, NULL on ENOMEM.
const char *eg_buf_text(struct eg_buf *buf);

struct eg_bytes eg_buf_bytes(const struct eg_buf *buf);

// Hands the bytes over: the caller frees *ret_data with free(). The buffer is empty afterwards.
void eg_buf_take(struct eg_buf *buf, uint8_t **ret_data, size_t *ret_size);

// Reader. After a failed get nothing has moved.
struct eg_cur {
	const uint8_t *at;
	size_t left;
};

struct eg_cur eg_cur_of(struct eg_bytes bytes);
int eg_cur_get(struct eg_cur *cur, size_t size, struct eg_bytes *ret_view) EG_CHECKED; // EG_EINVAL
int eg_cur_get_u8(struct eg_cur *cur, uint8_t *ret_value) EG_CHECKED;
int eg_cur_get_be16(struct eg_cur *cur, uint16_t *ret_value) EG_CHECKED;
int eg_cur_get_be32(struct eg_cur *cur, uint32_t *ret_value) EG_CHECKED;

// Hexadecimal. eg_hex writes 2 × size + 1 bytes. eg_unhex wants exactly 2 × size digits.
void eg_hex(const void *data, size_t size, char *ret_text);
int eg_unhex(const char *text, void *ret_data, size_t size) EG_CHECKED; // EG_EINVAL

#endif
