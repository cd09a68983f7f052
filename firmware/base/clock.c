// SPDX-License-Identifier: Apache-2.0

#include "firmware/base/clock.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "firmware/base/err.h"

static int64_t system_boot_ns(const struct eg_clock *clock)
{
	struct timespec t;

	(void)clock;
	(void)clock_gettime(CLOCK_BOOTTIME, &t);
	return (int64_t)t.tv_sec * 1000 * EG_NS_PER_MS + t.tv_nsec;
}

static int64_t system_wall_ms(const struct eg_clock *clock)
{
	struct timespec t;

	(void)clock;
	(void)clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t)t.tv_sec * EG_MS_PER_S + t.tv_nsec / EG_NS_PER_MS;
}

const struct eg_clock *eg_clock_system(void)
{
	static const struct eg_clock clock = {.boot_ns = system_boot_ns, .wall_ms = system_wall_ms};

	return &clock;
}

static int64_t fake_boot_ns(const struct eg_clock *clock)
{
	return clock->fake_boot_ns;
}

static int64_t fake_wall_ms(const struct eg_clock *clock)
{
	return clock->fake_wall_ms;
}

void eg_clock_fake_init(struct eg_clock *clock, int64_t boot_ns, int64_t wall_ms)
{
	*clock = (struct eg_clock){.boot_ns = fake_boot_ns,
				   .wall_ms = fake_wall_ms,
				   .fake_boot_ns = boot_ns,
				   .fake_wall_ms = wall_ms};
}

void eg_clock_fake_advance(struct eg_clock *clock, int64_t ms)
{
	clock->fake_boot_ns += ms * EG_NS_PER_MS;
	clock->fake_wall_ms += ms;
}

void eg_time_text(int64_t wall_ms, char ret_text[EG_TIME_TEXT_MAX])
{
	time_t seconds = (time_t)(wall_ms / EG_MS_PER_S);
	struct tm tm;
	char whole[32];

	(void)snprintf(ret_text, EG_TIME_TEXT_MAX, "-");
	if (wall_ms < 0 || gmtime_r(&seconds, &tm) == NULL || tm.tm_year + 1900 > 9999)
		return;
	if (strftime(whole, sizeof(whole), "%Y-%m-%dT%H:%M:%S", &tm) != 19)
		return;
	(void)snprintf(ret_text, EG_TIME_TEXT_MAX, "%.19s.%03dZ", whole,
		       (int)(wall_ms % EG_MS_PER_S));
}

// Fixed digits at fixed places; anything else is refused.
static bool number(const char *text, size_t digits, int min, int max, int *ret_value)
{
	int value = 0;

	for (size_t i = 0; i < digits; i++) {
		if (text[i] < '0' || text[i] > '9')
			return false;
		value = value * 10 + (text[i] - '0');
	}
	*ret_value = value;
	return value >= min && value <= max;
}

int eg_time_parse(const char *text, int64_t *ret_wall_ms)
{
	size_t length = strlen(text);
	struct tm tm = {0}, back;
	int milliseconds = 0;
	time_t seconds;

	if ((length != 20 && length != 24) || text[4] != '-' || text[7] != '-' || text[10] != 'T' ||
	    text[13] != ':' || text[16] != ':' || text[length - 1] != 'Z')
		return EG_EINVAL;
	if (length == 24 && (text[19] != '.' || !number(text + 20, 3, 0, 999, &milliseconds)))
		return EG_EINVAL;
	if (!number(text, 4, 1970, 9999, &tm.tm_year) || !number(text + 5, 2, 1, 12, &tm.tm_mon) ||
	    !number(text + 8, 2, 1, 31, &tm.tm_mday) || !number(text + 11, 2, 0, 23, &tm.tm_hour) ||
	    !number(text + 14, 2, 0, 59, &tm.tm_min) || !number(text + 17, 2, 0, 59, &tm.tm_sec))
		return EG_EINVAL;
	tm.tm_year -= 1900;
	tm.tm_mon -= 1;
	back = tm;
	seconds = timegm(&back);
	if (back.tm_mday != tm.tm_mday || back.tm_mon != tm.tm_mon) // 31 February
		return EG_EINVAL;
	*ret_wall_ms = (int64_t)seconds * EG_MS_PER_S + milliseconds;
	return 0;
}
