// SPDX-License-Identifier: Apache-2.0

#include "test.h"

#include "firmware/base/clock.h"

static void a_fake_clock_stands_still_until_moved(void **state)
{
	struct eg_clock clock;

	(void)state;
	eg_clock_fake_init(&clock, 5000000, 1000);
	assert_int_equal(eg_boot_ms(&clock), 5);
	assert_int_equal(eg_wall_ms(&clock), 1000);
	eg_clock_fake_advance(&clock, 250);
	assert_int_equal(eg_boot_ns(&clock), 255000000);
	assert_int_equal(eg_wall_ms(&clock), 1250);
}

static void the_systems_clocks_run(void **state)
{
	const struct eg_clock *clock = eg_clock_system();
	int64_t before = eg_boot_ns(clock);

	(void)state;
	assert_true(before > 0);
	while (eg_boot_ns(clock) == before)
		;
	assert_true(eg_boot_ns(clock) > before);
	assert_true(eg_wall_ms(clock) > 1700000000000); // 2023
}

// Expected values are from `date -u -d TEXT +%s`.
static void times_are_written_and_read(void **state)
{
	static const struct {
		int64_t ms;
		const char *text;
	} cases[] = {
		{0, "1970-01-01T00:00:00.000Z"},
		{951782400123, "2000-02-29T00:00:00.123Z"},
		{1795515357999, "2026-11-24T10:15:57.999Z"},
		{253402300799999, "9999-12-31T23:59:59.999Z"},
	};
	char text[EG_TIME_TEXT_MAX];
	int64_t ms;

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		eg_time_text(cases[i].ms, text);
		assert_string_equal(text, cases[i].text);
		assert_int_equal(eg_time_parse(text, &ms), 0);
		assert_true(ms == cases[i].ms);
	}
	assert_int_equal(eg_time_parse("2000-02-29T00:00:00Z", &ms), 0);
	assert_true(ms == 951782400000);
	eg_time_text(-1, text);
	assert_string_equal(text, "-");
	eg_time_text(253402300800000, text);
	assert_string_equal(text, "-");
	eg_time_text(INT64_MAX, text);
	assert_string_equal(text, "-");
}

static void other_forms_of_time_are_refused(void **state)
{
	static const char *const bad[] = {
		"",
		"Z",
		"2026-11-24",
		"2026-11-24T10:15:57",
		"2026-11-24 10:15:57Z",
		"2026-11-24T10:15:57z",
		"2026-13-24T10:15:57Z",
		"2026-00-24T10:15:57Z",
		"2026-02-29T10:15:57Z",
		"2026-11-31T10:15:57Z",
		"2026-11-24T24:00:00Z",
		"2026-11-24T10:15:60Z",
		"1969-12-31T23:59:59Z",
		"2026-11-24T10:15:57.1Z",
		"2026-11-24T10:15:57,123Z",
		"2026-11-24T10:15:57.12xZ",
		"+026-11-24T10:15:57Z",
		"2026-11-24T10:15:57.123Z ",
	};
	int64_t ms = 77;

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++)
		assert_int_equal(eg_time_parse(bad[i], &ms), EG_EINVAL);
	assert_int_equal(ms, 77);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_fake_clock_stands_still_until_moved),
		cmocka_unit_test(the_systems_clocks_run),
		cmocka_unit_test(times_are_written_and_read),
		cmocka_unit_test(other_forms_of_time_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
