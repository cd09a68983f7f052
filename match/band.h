// SPDX-License-Identifier: Apache-2.0
//
// The coarse groups by which accuracy is counted, on the booth and in eg-eval alike. Age bands: the
// years at both ends are those that exit rules and published audits part by (under 14, over 79).

#ifndef EG_BAND_H
#define EG_BAND_H

#include <stdint.h>

enum eg_age_band {
	EG_AGE_UNKNOWN = 0, // no birth date, or none that can be
	EG_AGE_0_13,
	EG_AGE_14_17,
	EG_AGE_18_34,
	EG_AGE_35_49,
	EG_AGE_50_64,
	EG_AGE_65_79,
	EG_AGE_80_UP,
	EG_AGE_BANDS,
};

const char *eg_age_band_name(enum eg_age_band band); // "unknown", "0-13", …, "80-up"

enum eg_age_band eg_age_band_of_years(int years); // below 0 or over 130: unknown

// From a birth date "YYYY-MM-DD" (anything else is unknown) at a time in milliseconds since 1970,
// UTC: full years, so a band changes on the birthday.
enum eg_age_band eg_age_band_at(const char *birth, int64_t wall_ms);

#endif
