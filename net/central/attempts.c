// SPDX-License-Identifier: Apache-2.0
//
// See attempts.h. A row keeps one time: each failure moves it on by EG_ATTEMPTS_BACK_MS, and who is
// EG_ATTEMPTS failures ahead of now has to wait.

#include "net/central/attempts.h"

#include <stdio.h>
#include <string.h>

#define BUDGET_MS ((int64_t)EG_ATTEMPTS * EG_ATTEMPTS_BACK_MS)

static size_t find(const struct eg_attempts *attempts, const char *name)
{
	size_t i = 0;

	while (i < EG_ATTEMPTS_ROWS &&
	       strncmp(attempts->row[i].name, name, EG_ATTEMPTS_NAME - 1) != 0)
		i++;
	return i;
}

int64_t eg_attempts_wait_ms(const struct eg_attempts *attempts, const char *name, int64_t boot_ms)
{
	const size_t i = find(attempts, name);
	int64_t over_ms;

	if (i == EG_ATTEMPTS_ROWS)
		return 0;
	over_ms = attempts->row[i].whole_ms - boot_ms + EG_ATTEMPTS_BACK_MS - BUDGET_MS;
	return over_ms > 0 ? over_ms : 0;
}

void eg_attempts_failed(struct eg_attempts *attempts, const char *name, int64_t boot_ms)
{
	size_t i = find(attempts, name);
	struct eg_attempts_row *row;

	if (i == EG_ATTEMPTS_ROWS) {
		i = 0;
		for (size_t k = 1; k < EG_ATTEMPTS_ROWS; k++)
			if (attempts->row[k].whole_ms < attempts->row[i].whole_ms)
				i = k;
		attempts->row[i] = (struct eg_attempts_row){0};
		(void)snprintf(attempts->row[i].name, EG_ATTEMPTS_NAME, "%s", name);
	}
	row = &attempts->row[i];
	row->whole_ms = (row->whole_ms > boot_ms ? row->whole_ms : boot_ms) + EG_ATTEMPTS_BACK_MS;
}
