// SPDX-License-Identifier: Apache-2.0

#include "match/band.h"
#include "tests/match/test.h"

// 2026-11-24T00:00:00Z, from `date -u -d 2026-11-24 +%s`.
#define NOW_MS 1795478400000

static void band_changes_on_the_birthday(void **state)
{
	(void)state;
	static const struct {
		const char *birth;
		enum eg_age_band band;
	} cases[] = {
		{"2012-11-24", EG_AGE_14_17}, {"2012-11-25", EG_AGE_0_13},
		{"2012-12-01", EG_AGE_0_13},  {"2026-11-24", EG_AGE_0_13},
		{"2008-11-24", EG_AGE_18_34}, {"2008-11-25", EG_AGE_14_17},
		{"1991-11-24", EG_AGE_35_49}, {"1991-11-25", EG_AGE_18_34},
		{"1976-11-24", EG_AGE_50_64}, {"1961-11-24", EG_AGE_65_79},
		{"1946-11-25", EG_AGE_65_79}, {"1946-11-24", EG_AGE_80_UP},
		{"1900-01-01", EG_AGE_80_UP}, {"2004-02-29", EG_AGE_18_34},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(eg_age_band_at(cases[i].birth, NOW_MS), cases[i].band);
}

static void what_is_no_birth_date_is_unknown(void **state)
{
	(void)state;
	static const char *const cases[] = {
		"",	      "1984",	    "1984-2-29",  "1984-02-29 ", "1984/02/29",
		"19840229  ", "1984-13-01", "1984-00-01", "1984-01-32",	 "1984-01-00",
		"-984-01-01", "2027-01-01", "1850-01-01", "198a-01-01",
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(eg_age_band_at(cases[i], NOW_MS), EG_AGE_UNKNOWN);
}

static void names_are_what_reports_have(void **state)
{
	(void)state;
	assert_string_equal(eg_age_band_name(EG_AGE_0_13), "0-13");
	assert_string_equal(eg_age_band_name(EG_AGE_80_UP), "80-up");
	assert_string_equal(eg_age_band_name(EG_AGE_BANDS), "unknown");
	assert_int_equal(eg_age_band_of_years(-1), EG_AGE_UNKNOWN);
	assert_int_equal(eg_age_band_of_years(131), EG_AGE_UNKNOWN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(band_changes_on_the_birthday),
		cmocka_unit_test(what_is_no_birth_date_is_unknown),
		cmocka_unit_test(names_are_what_reports_have),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
