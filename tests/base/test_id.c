// SPDX-License-Identifier: Apache-2.0

#include "test.h"

#include <pthread.h>

#include "firmware/base/crypto.h"
#include "firmware/base/id.h"

// RFC 9562 appendix A.6.
static const char rfc_text[] = "017f22e2-79b0-7cc3-98c4-dc0c0c07398f";
#define RFC_MS 1645557742000

static void the_standards_example_is_read(void **state)
{
	char text[EG_ID_TEXT_MAX];
	struct eg_id id;
	int64_t ms = 0;

	(void)state;
	assert_int_equal(eg_id_parse("017F22E2-79B0-7CC3-98C4-DC0C0C07398F", &id), 0);
	for (int i = 0; i < 6; i++)
		ms = ms << 8 | id.bytes[i];
	assert_true(ms == RFC_MS);
	eg_id_text(&id, text);
	assert_string_equal(text, rfc_text);
}

static void a_new_id_carries_time_version_and_variant(void **state)
{
	struct eg_clock clock;
	struct eg_id id;
	char text[EG_ID_TEXT_MAX];

	(void)state;
	eg_clock_fake_init(&clock, 0, RFC_MS);
	assert_int_equal(eg_id_new(&clock, &id), 0);
	eg_id_text(&id, text);
	assert_memory_equal(text, rfc_text, 15); // time and version
	assert_non_null(strchr("89ab", text[19]));
	assert_int_equal(eg_id_parse(text, &id), 0);
}

static void ids_rise_also_when_the_clock_does_not(void **state)
{
	struct eg_clock clock;
	struct eg_id last, id;

	(void)state;
	eg_clock_fake_init(&clock, 0, RFC_MS + 5000);
	assert_int_equal(eg_id_new(&clock, &last), 0);
	for (int i = 0; i < 20000; i++) {
		if (i == 15000)
			clock.fake_wall_ms = 12; // set back by decades
		if (i == 17000)
			clock.fake_wall_ms = -5;
		assert_int_equal(eg_id_new(&clock, &id), 0);
		assert_true(eg_id_compare(&id, &last) > 0);
		last = id;
	}
}

static void other_texts_are_refused(void **state)
{
	static const char *const bad[] = {
		"",
		"017f22e279b07cc398c4dc0c0c07398f",
		"017f22e2-79b0-7cc3-98c4-dc0c0c07398",
		"017f22e2-79b0-7cc3-98c4-dc0c0c07398ff",
		"017f22e2-79b0-7cc3-98c4-dc0c0c07398g",
		"017f22e2-79b0-7cc3-98c4-dc0c0c0739-f",
		"017f22e2-79b07-cc3-98c4-dc0c0c07398f",
		"{17f22e2-79b0-7cc3-98c4-dc0c0c07398}",
		"017f22e2-79b0-4cc3-98c4-dc0c0c07398f", // version 4
		"017f22e2-79b0-7cc3-18c4-dc0c0c07398f", // variant
		"017f22e2-79b0-7cc3-c8c4-dc0c0c07398f", // variant
		"00000000-0000-0000-0000-000000000000",
	};
	struct eg_id id;

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++)
		assert_int_equal(eg_id_parse(bad[i], &id), EG_EINVAL);
}

#define THREADS	  4
#define PER_ROUND 2000

static struct eg_id made[THREADS][PER_ROUND];

static void *make(void *of)
{
	struct eg_id *ids = of;

	for (int i = 0; i < PER_ROUND; i++)
		if (eg_id_new(eg_clock_system(), &ids[i]) != 0)
			abort();
	return NULL;
}

static int by_bytes(const void *a, const void *b)
{
	return eg_id_compare(a, b);
}

static void threads_never_get_the_same_id(void **state)
{
	pthread_t thread[THREADS];
	struct eg_id *all = made[0];

	(void)state;
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&thread[i], NULL, make, made[i]), 0);
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_join(thread[i], NULL), 0);
	qsort(all, (size_t)THREADS * PER_ROUND, sizeof(*all), by_bytes);
	for (int i = 1; i < THREADS * PER_ROUND; i++)
		assert_true(eg_id_compare(&all[i - 1], &all[i]) < 0);
}

static int init(void **state)
{
	(void)state;
	return eg_crypto_init(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_standards_example_is_read),
		cmocka_unit_test(a_new_id_carries_time_version_and_variant),
		cmocka_unit_test(ids_rise_also_when_the_clock_does_not),
		cmocka_unit_test(other_texts_are_refused),
		cmocka_unit_test(threads_never_get_the_same_id),
	};

	return cmocka_run_group_tests(tests, init, NULL);
}
