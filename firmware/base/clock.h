// SPDX-License-Identifier: Apache-2.0
//
// Time. Deadlines and ages use boot time (CLOCK_BOOTTIME, never steps back, counts suspend);
// records use wall time (UTC, may be wrong and may step). Code asks the eg_clock it was given,
// so that tests own time.
//
// Thread: safe from any thread.

#ifndef EG_CLOCK_H
#define EG_CLOCK_H

#include <stdint.h>

#define EG_NS_PER_MS 1000000LL
#define EG_MS_PER_S  1000LL

struct eg_clock {
	int64_t (*boot_ns)(const struct eg_clock *clock);
	int64_t (*wall_ms)(const struct eg_clock *clock); // milliseconds since 1970, UTC
	int64_t fake_boot_ns;				  // used by eg_clock_fake only
	int64_t fake_wall_ms;
};

// The machine's clocks. Lives for ever.
const struct eg_clock *eg_clock_system(void);

// A clock that stands still until the test moves it.
void eg_clock_fake_init(struct eg_clock *clock, int64_t boot_ns, int64_t wall_ms);
void eg_clock_fake_advance(struct eg_clock *clock, int64_t ms); // both clocks

static inline int64_t eg_boot_ns(const struct eg_clock *clock)
{
	return clock->boot_ns(clock);
}

static inline int64_t eg_boot_ms(const struct eg_clock *clock)
{
	return clock->boot_ns(clock) / EG_NS_PER_MS;
}

static inline int64_t eg_wall_ms(const struct eg_clock *clock)
{
	return clock->wall_ms(clock);
}

// "2026-11-24T10:15:57.123Z"; needs 25 bytes. Times outside 1970 … 9999 give "-".
#define EG_TIME_TEXT_MAX 25
void eg_time_text(int64_t wall_ms, char ret_text[EG_TIME_TEXT_MAX]);

// Reads "2026-11-24T10:15:57Z" with optional milliseconds. EG_EINVAL.
int eg_time_parse(const char *text, int64_t *ret_wall_ms);

#endif
