// SPDX-License-Identifier: Apache-2.0

#include "firmware/base/buf.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "firmware/base/mem.h"

#define ROOM_MIN 64

bool eg_bytes_equal(struct eg_bytes a, struct eg_bytes b)
{
	return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

void eg_buf_init(struct eg_buf *buf, size_t max)
{
	*buf = (struct eg_buf){.max = max};
}

void eg_buf_init_secret(struct eg_buf *buf, size_t max)
{
	*buf = (struct eg_buf){.max = max, .secret = true};
}

// Secret bytes live in eg_secret_* memory, which is locked and kept out of core dumps.
static void drop(struct eg_buf *buf)
{
	if (buf->secret)
		eg_secret_free(buf->data, buf->room);
	else
		free(buf->data);
}

void eg_buf_done(struct eg_buf *buf)
{
	if (buf == NULL)
		return;
	drop(buf);
	buf->data = NULL;
	buf->size = buf->room = 0;
}

void eg_buf_reset(struct eg_buf *buf)
{
	if (buf->secret)
		eg_wipe(buf->data, buf->size);
	buf->size = 0;
}

static int grow(struct eg_buf *buf, size_t want)
{
	size_t room = buf->room < ROOM_MIN ? ROOM_MIN : buf->room;
	uint8_t *data;

	while (room < want)
		room = room > SIZE_MAX / 2 ? want : room * 2;
	// One byte beyond the maximum, for the NUL of eg_buf_text.
	if (room > buf->max && want <= buf->max)
		room = buf->max + 1;
	if (buf->secret) {
		data = eg_secret_alloc(room);
		if (data == NULL)
			return EG_ENOMEM;
		if (buf->size > 0)
			memcpy(data, buf->data, buf->size);
		drop(buf);
	} else {
		data = eg_realloc(buf->data, room, 1);
		if (data == NULL)
			return EG_ENOMEM;
	}
	buf->data = data;
	buf->room = room;
	return 0;
}

int eg_buf_extend(struct eg_buf *buf, size_t size, uint8_t **ret_space)
{
	size_t want;
	int r;

	assert(buf->size <= buf->max);
	if (size > buf->max - buf->size)
		return EG_ETOOBIG;
	want = buf->size + size;
	if (want > buf->room || buf->data == NULL) {
		r = grow(buf, want);
		if (r != 0)
			return r;
	}
	*ret_space = buf->data + buf->size;
	buf->size = want;
	return 0;
}

int eg_buf_put(struct eg_buf *buf, const void *data, size_t size)
{
	uint8_t *space;
	int r;

	r = eg_buf_extend(buf, size, &space);
	if (r == 0 && size > 0)
		memcpy(space, data, size);
	return r;
}

int eg_buf_put_u8(struct eg_buf *buf, uint8_t value)
{
	return eg_buf_put(buf, &value, 1);
}

static int put_be(struct eg_buf *buf, uint64_t value, size_t size)
{
	uint8_t *space;
	int r;

	r = eg_buf_extend(buf, size, &space);
	for (; r == 0 && size > 0; size--) {
		space[size - 1] = (uint8_t)value;
		value >>= 8;
	}
	return r;
}

int eg_buf_put_be16(struct eg_buf *buf, uint16_t value)
{
	return put_be(buf, value, 2);
}

int eg_buf_put_be32(struct eg_buf *buf, uint32_t value)
{
	return put_be(buf, value, 4);
}

int eg_buf_put_be64(struct eg_buf *buf, uint64_t value)
{
	return put_be(buf, value, 8);
}

int eg_buf_printf(struct eg_buf *buf, const char *fmt, ...)
{
	uint8_t *space;
	va_list args;
	int n, r;

	va_start(args, fmt);
	n = vsnprintf(NULL, 0, fmt, args);
	va_end(args);
	if (n < 0)
		return EG_EINVAL;
	if ((size_t)n > buf->max - buf->size)
		return EG_ETOOBIG;
	// vsnprintf writes a NUL behind the text: make room for it, then leave it uncounted.
	if (buf->size + (size_t)n + 1 > buf->room) {
		r = grow(buf, buf->size + (size_t)n + 1);
		if (r != 0)
			return r;
	}
	space = buf->data + buf->size;
	va_start(args, fmt);
	(void)vsnprintf((char *)space, (size_t)n + 1, fmt, args);
	va_end(args);
	buf->size += (size_t)n;
	return 0;
}

const char *eg_buf_text(struct eg_buf *buf)
{
	if (buf->size + 1 > buf->room && grow(buf, buf->size + 1) != 0)
		return NULL;
	buf->data[buf->size] = 0;
	return (const char *)buf->data;
}

struct eg_bytes eg_buf_bytes(const struct eg_buf *buf)
{
	return EG_BYTES(buf->data, buf->size);
}

void eg_buf_take(struct eg_buf *buf, uint8_t **ret_data, size_t *ret_size)
{
	assert(!buf->secret); // the taker could not free it with free()
	*ret_data = buf->data;
	*ret_size = buf->size;
	buf->data = NULL;
	buf->size = buf->room = 0;
}

struct eg_cur eg_cur_of(struct eg_bytes bytes)
{
	return (struct eg_cur){.at = bytes.data, .left = bytes.size};
}

int eg_cur_get(struct eg_cur *cur, size_t size, struct eg_bytes *ret_view)
{
	if (size > cur->left)
		return EG_EINVAL;
	*ret_view = EG_BYTES(cur->at, size);
	if (size > 0)
		cur->at += size;
	cur->left -= size;
	return 0;
}

static int get_be(struct eg_cur *cur, size_t size, uint64_t *ret_value)
{
	struct eg_bytes view;
	uint64_t value = 0;
	int r;

	r = eg_cur_get(cur, size, &view);
	if (r != 0)
		return r;
	for (size_t i = 0; i < size; i++)
		value = value << 8 | view.data[i];
	*ret_value = value;
	return 0;
}

int eg_cur_get_u8(struct eg_cur *cur, uint8_t *ret_value)
{
	uint64_t value;
	int r = get_be(cur, 1, &value);

	if (r == 0)
		*ret_value = (uint8_t)value;
	return r;
}

int eg_cur_get_be16(struct eg_cur *cur, uint16_t *ret_value)
{
	uint64_t value;
	int r = get_be(cur, 2, &value);

	if (r == 0)
		*ret_value = (uint16_t)value;
	return r;
}

int eg_cur_get_be32(struct eg_cur *cur, uint32_t *ret_value)
{
	uint64_t value;
	int r = get_be(cur, 4, &value);

	if (r == 0)
		*ret_value = (uint32_t)value;
	return r;
}

void eg_hex(const void *data, size_t size, char *ret_text)
{
	static const char digits[] = "0123456789abcdef";
	const uint8_t *bytes = data;

	for (size_t i = 0; i < size; i++) {
		ret_text[2 * i] = digits[bytes[i] >> 4];
		ret_text[2 * i + 1] = digits[bytes[i] & 15];
	}
	ret_text[2 * size] = '\0';
}

static int nibble(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

int eg_unhex(const char *text, void *ret_data, size_t size)
{
	uint8_t *bytes = ret_data;
	size_t i;

	if (strlen(text) != 2 * size)
		return EG_EINVAL;
	for (i = 0; i < 2 * size; i++)
		if (nibble(text[i]) < 0)
			return EG_EINVAL;
	for (i = 0; i < size; i++)
		bytes[i] = (uint8_t)(nibble(text[2 * i]) << 4 | nibble(text[2 * i + 1]));
	return 0;
}
