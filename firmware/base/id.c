// SPDX-License-Identifier: Apache-2.0

#include "firmware/base/id.h"

#include <pthread.h>
#include <string.h>

#include "firmware/base/buf.h"
#include "firmware/base/crypto.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int64_t last_ms;	 // protected by lock
static uint16_t counter; // 12 bits, protected by lock

// The 12 bits of rand_a count within a millisecond; when they run over, or the clock was set back,
// the time in the id runs ahead of the clock instead.
static void next(int64_t now_ms, uint16_t start, int64_t *ret_ms, uint16_t *ret_counter)
{
	pthread_mutex_lock(&lock);
	if (now_ms > last_ms) {
		last_ms = now_ms;
		counter = start & 0x7ff; // the top bit is left free, so that counting has room
	} else if (counter == 0xfff) {
		last_ms++;
		counter = start & 0x7ff;
	} else {
		counter++;
	}
	*ret_ms = last_ms;
	*ret_counter = counter;
	pthread_mutex_unlock(&lock);
}

int eg_id_new(const struct eg_clock *clock, struct eg_id *ret_id)
{
	int64_t now = eg_wall_ms(clock);
	struct eg_id id;
	uint16_t count;
	int64_t ms;
	int r;

	r = eg_random(id.bytes, sizeof(id.bytes));
	if (r != 0)
		return r;
	next(now < 0 ? 0 : now, (uint16_t)(id.bytes[6] << 8 | id.bytes[7]), &ms, &count);
	for (int i = 0; i < 6; i++)
		id.bytes[i] = (uint8_t)(ms >> (40 - 8 * i));
	id.bytes[6] = (uint8_t)(0x70 | count >> 8);
	id.bytes[7] = (uint8_t)count;
	id.bytes[8] = (uint8_t)(0x80 | (id.bytes[8] & 0x3f));
	*ret_id = id;
	return 0;
}

void eg_id_text(const struct eg_id *id, char ret_text[EG_ID_TEXT_MAX])
{
	static const size_t group[] = {4, 2, 2, 2, 6};
	char hex[2 * EG_ID_SIZE + 1];
	char *to = ret_text;
	size_t from = 0;

	eg_hex(id->bytes, sizeof(id->bytes), hex);
	for (size_t g = 0; g < 5; g++) {
		if (g > 0)
			*to++ = '-';
		memcpy(to, hex + from, 2 * group[g]);
		to += 2 * group[g];
		from += 2 * group[g];
	}
	*to = '\0';
}

int eg_id_parse(const char *text, struct eg_id *ret_id)
{
	char hex[2 * EG_ID_SIZE + 1];
	struct eg_id id;
	size_t i, n = 0;

	if (strlen(text) != EG_ID_TEXT_MAX - 1)
		return EG_EINVAL;
	for (i = 0; i < EG_ID_TEXT_MAX - 1; i++) {
		bool hyphen = i == 8 || i == 13 || i == 18 || i == 23;

		if (hyphen != (text[i] == '-'))
			return EG_EINVAL;
		if (!hyphen)
			hex[n++] = text[i];
	}
	hex[n] = '\0';
	if (eg_unhex(hex, id.bytes, sizeof(id.bytes)) != 0 || id.bytes[6] >> 4 != 7 ||
	    id.bytes[8] >> 6 != 2)
		return EG_EINVAL;
	*ret_id = id;
	return 0;
}

int eg_id_compare(const struct eg_id *a, const struct eg_id *b)
{
	return memcmp(a->bytes, b->bytes, sizeof(a->bytes));
}
