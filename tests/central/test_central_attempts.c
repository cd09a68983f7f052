// SPDX-License-Identifier: Apache-2.0

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
// clang-format off
#include <cmocka.h>
// clang-format on

#include "net/central/attempts.h"

static struct eg_attempts table;

static int empty(void **state)
{
	(void)state;
	table = (struct eg_attempts){0};
	return 0;
}

static void fail_times(const char *name, int times, int64_t now)
{
	for (int i = 0; i < times; i++)
		eg_attempts_failed(&table, name, now);
}

static void twenty_failures_are_free_and_the_next_waits(void **state)
{
	(void)state;
	assert_int_equal(eg_attempts_wait_ms(&table, "booth a", 1000), 0);
	fail_times("booth a", 19, 1000);
	assert_int_equal(eg_attempts_wait_ms(&table, "booth a", 1000), 0);
	fail_times("booth a", 1, 1000);
	assert_int_equal(eg_attempts_wait_ms(&table, "booth a", 1000), 10000);
	assert_int_equal(eg_attempts_wait_ms(&table, "booth a", 6000), 5000);
	assert_int_equal(eg_attempts_wait_ms(&table, "booth a", 11000), 0);
	assert_int_equal(eg_attempts_wait_ms(&table, "booth b", 1000), 0);
}

static void one_attempt_comes_back_every_ten_seconds(void **state)
{
	(void)state;
	fail_times("x", 20, 0);
	for (int64_t now = 10000; now <= 100000; now += 10000) {
		assert_int_equal(eg_attempts_wait_ms(&table, "x", now), 0);
		fail_times("x", 1, now);
		assert_int_equal(eg_attempts_wait_ms(&table, "x", now), 10000);
	}
	assert_int_equal(eg_attempts_wait_ms(&table, "x", 1000000), 0); // whole again
	fail_times("x", 19, 1000000);
	assert_int_equal(eg_attempts_wait_ms(&table, "x", 1000000), 0);
}

static void a_flood_of_names_does_not_free_who_is_held_back(void **state)
{
	char name[32];

	(void)state;
	fail_times("held", 25, 0);
	for (int i = 0; i < 5 * EG_ATTEMPTS_ROWS; i++) {
		(void)snprintf(name, sizeof(name), "flood %d", i);
		fail_times(name, 1, 10);
	}
	assert_true(eg_attempts_wait_ms(&table, "held", 10) > 0);
	assert_int_equal(eg_attempts_wait_ms(&table, name, 10), 0);
}

static void a_long_name_is_cut_and_still_counts(void **state)
{
	char name[200];

	(void)state;
	for (size_t i = 0; i < sizeof(name); i++)
		name[i] = i + 1 < sizeof(name) ? 'n' : '\0';
	fail_times(name, 20, 0);
	assert_int_equal(eg_attempts_wait_ms(&table, name, 0), 10000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(twenty_failures_are_free_and_the_next_waits, empty),
		cmocka_unit_test_setup(one_attempt_comes_back_every_ten_seconds, empty),
		cmocka_unit_test_setup(a_flood_of_names_does_not_free_who_is_held_back, empty),
		cmocka_unit_test_setup(a_long_name_is_cut_and_still_counts, empty),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
