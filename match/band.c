// SPDX-License-Identifier: Apache-2.0
//
// Age bands: one table of names and first years.

#include "match/band.h"

#include <stddef.h>
#include <string.h>
#include <time.h>

#define YEARS_MAX 130

static const struct {
	const char *name;
	int first; // years
} bands[EG_AGE_BANDS] = {
	[EG_AGE_UNKNOWN] = {"unknown", 0}, [EG_AGE_0_13] = {"0-13", 0},
	[EG_AGE_14_17] = {"14-17", 14},	   [EG_AGE_18_34] = {"18-34", 18},
	[EG_AGE_35_49] = {"35-49", 35},	   [EG_AGE_50_64] = {"50-64", 50},
	[EG_AGE_65_79] = {"65-79", 65},	   [EG_AGE_80_UP] = {"80-up", 80},
};

const char *eg_age_band_name(enum eg_age_band band)
{
	return bands[(unsigned int)band < EG_AGE_BANDS ? band : EG_AGE_UNKNOWN].name;
}

enum eg_age_band eg_age_band_of_years(int years)
{
	enum eg_age_band band = EG_AGE_BANDS - 1;

	if (years < 0 || years > YEARS_MAX)
		return EG_AGE_UNKNOWN;
	while (years < bands[band].first)
		band--;
	return band;
}

// Digits only; −1 when there is anything else.
static int number(const char *text, size_t digits)
{
	int value = 0;

	for (size_t i = 0; i < digits; i++) {
		if (text[i] < '0' || text[i] > '9')
			return -1;
		value = value * 10 + (text[i] - '0');
	}
	return value;
}

enum eg_age_band eg_age_band_at(const char *birth, int64_t wall_ms)
{
	time_t at = (time_t)(wall_ms / 1000);
	int year, month, day, years;
	struct tm now;

	if (strlen(birth) != 10 || birth[4] != '-' || birth[7] != '-' || !gmtime_r(&at, &now))
		return EG_AGE_UNKNOWN;
	year = number(birth, 4);
	month = number(birth + 5, 2);
	day = number(birth + 8, 2);
	if (year < 0 || month < 1 || month > 12 || day < 1 || day > 31)
		return EG_AGE_UNKNOWN;
	years = now.tm_year + 1900 - year;
	if (now.tm_mon + 1 < month || (now.tm_mon + 1 == month && now.tm_mday < day))
		years--;
	return eg_age_band_of_years(years);
}
