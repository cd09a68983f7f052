// SPDX-License-Identifier: Apache-2.0
//
// See base45.h. Thread: any.

#include "store/base45.h"

#include <string.h>

#define BASE 45u

static const char alphabet[BASE + 1] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:";

int eg_base45_encode(struct eg_bytes bytes, struct eg_buf *out)
{
	size_t before = out->size;
	int r = 0;
	for (size_t i = 0; r == 0 && i < bytes.size; i += 2) {
		bool pair = i + 1 < bytes.size;
		unsigned int value =
			pair ? bytes.data[i] * 256u + bytes.data[i + 1] : bytes.data[i];
		const char group[3] = {alphabet[value % BASE], alphabet[value / BASE % BASE],
				       alphabet[value / BASE / BASE]};
		r = eg_buf_put(out, group, pair ? 3 : 2);
	}
	if (r != 0)
		out->size = before;
	return r;
}

// Value of `count` characters, least first; false: one is not of the alphabet.
static bool group_value(const uint8_t *group, size_t count, unsigned int *ret_value)
{
	unsigned int value = 0;
	for (size_t i = count; i-- > 0;) {
		const char *at = memchr(alphabet, group[i], BASE);
		if (at == NULL)
			return false;
		value = value * BASE + (unsigned int)(at - alphabet);
	}
	*ret_value = value;
	return true;
}

int eg_base45_decode(struct eg_bytes text, struct eg_buf *out)
{
	size_t before = out->size;
	int r = text.size % 3 == 1 ? EG_EINVAL : 0;
	for (size_t i = 0; r == 0 && i < text.size; i += 3) {
		size_t count = text.size - i < 3 ? text.size - i : 3;
		unsigned int value = 0;
		if (!group_value(text.data + i, count, &value) ||
		    value > (count == 3 ? 0xffffu : 0xffu)) {
			r = EG_EINVAL;
			break;
		}
		const uint8_t pair[2] = {(uint8_t)(value >> 8), (uint8_t)value};
		r = eg_buf_put(out, count == 3 ? pair : pair + 1, count - 1);
	}
	if (r != 0)
		out->size = before;
	return r;
}
