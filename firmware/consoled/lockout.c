// SPDX-License-Identifier: Apache-2.0
//
// See lockout.h.

#include "firmware/consoled/lockout.h"

#include <string.h>

#include "firmware/base/crypto.h"

static uint64_t key_of(const char *badge)
{
	uint8_t digest[EG_SHA256_SIZE] = {0};
	uint64_t key;

	// Without SHA-256 all badges are one: it locks too much, not too little.
	eg_ignore(eg_sha256(EG_BYTES_STR(badge), digest));
	memcpy(&key, digest, sizeof(key));
	return key == 0 ? 1 : key;
}

static const struct lockout_row *find(const struct lockout *lockout, uint64_t key)
{
	for (size_t i = 0; i < LOCKOUT_ROWS; i++)
		if (lockout->row[i].badge == key)
			return &lockout->row[i];
	return NULL;
}

int64_t lockout_left_ms(const struct lockout *lockout, const char *badge, int64_t now_ms)
{
	const struct lockout_row *row = find(lockout, key_of(badge));

	return row == NULL || row->until_ms <= now_ms ? 0 : row->until_ms - now_ms;
}

bool lockout_wrong(struct lockout *lockout, const char *badge, int64_t now_ms)
{
	uint64_t key = key_of(badge);
	struct lockout_row *row = NULL;

	for (size_t i = 0; i < LOCKOUT_ROWS; i++) {
		struct lockout_row *at = &lockout->row[i];

		if (at->badge == key) {
			row = at;
			break;
		}
		if (row == NULL || at->last_ms < row->last_ms)
			row = at; // a free row has 0
	}
	if (row->badge != key || now_ms - row->last_ms > LOCKOUT_MEMORY_MS ||
	    row->wrong >= LOCKOUT_TRIES)
		*row = (struct lockout_row){.badge = key};
	row->last_ms = now_ms;
	if (++row->wrong < LOCKOUT_TRIES)
		return false;
	row->until_ms = now_ms + LOCKOUT_MS;
	return true;
}

void lockout_right(struct lockout *lockout, const char *badge)
{
	struct lockout_row *row = (struct lockout_row *)find(lockout, key_of(badge));

	if (row != NULL)
		*row = (struct lockout_row){0};
}
