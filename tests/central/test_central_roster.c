// SPDX-License-Identifier: Apache-2.0
//
// Lists of travellers: what is taken, and what is refused with which line and column.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "net/central/csv.h"
#include "net/central/region.h"
#include "net/central/roster.h"

#define HEAD "id,surname,given,birth,citizenship,document,issuer,flight,pnr,sequence\n"

static void a_list_with_quotes_and_line_ends_is_read(void **state)
{
	static const char text[] =
		"\xef\xbb\xbf"
		"Flight,id,surname,given,birth,citizenship,document,issuer\r\n"
		"EG1,b,\"O\"\"Neil, Jr.\",\"\",1984-02-29,Citizen,C01X00T47,D\r\n"
		"\r\n"
		"EG2,b,\"O\"\"Neil, Jr.\",,1984-02-29,citizen,C01X00T47,D\n"
		"EG1,a,,Ænn,,unknown,,";
	struct eg_roster roster = {0};
	struct eg_err err = EG_ERR_INIT;
	char name[EG_PERSON_NAME_MAX];
	(void)state;
	if (eg_roster_read(EG_BYTES_STR(text), &roster, &err) != 0)
		fail_msg("%s", err.text);
	assert_int_equal(roster.count, 3);
	assert_string_equal(roster.row[0].person.given, "Ænn");
	assert_int_equal(roster.row[0].line, 5);
	assert_int_equal(roster.row[0].person.citizenship, EG_CITIZENSHIP_UNKNOWN);
	assert_string_equal(roster.row[1].person.surname, "O\"Neil, Jr.");
	assert_string_equal(roster.row[2].booking.flight, "EG2");
	eg_person_display(&roster.row[0].person, name);
	assert_string_equal(name, "Ænn");
	assert_ptr_equal(eg_roster_find(&roster, "b"), &roster.row[1]);
	assert_null(eg_roster_find(&roster, "c"));
	eg_roster_done(&roster);
}

static void sex_and_region_are_read_where_they_are_given(void **state)
{
	static const char text[] =
		"id,surname,given,birth,citizenship,document,issuer,flight,sex,region\n"
		"a,b,c,,citizen,,,EG1,f,Oceania\nb,b,c,,citizen,,,EG1,,\nc,b,c,,citizen,,,EG1,X,\n";
	struct eg_roster roster = {0};
	struct eg_err err = EG_ERR_INIT;
	(void)state;
	if (eg_roster_read(EG_BYTES_STR(text), &roster, &err) != 0)
		fail_msg("%s", err.text);
	assert_int_equal(roster.row[0].person.sex, EG_SEX_FEMALE);
	assert_int_equal(roster.row[0].person.region, EG_REGION_OCEANIA);
	assert_int_equal(roster.row[1].person.sex, EG_SEX_UNKNOWN);
	assert_int_equal(roster.row[1].person.region, EG_REGION_UNKNOWN);
	assert_int_equal(roster.row[2].person.sex, EG_SEX_UNSPECIFIED);
	eg_roster_done(&roster);
}

// Places on the globe, not our table: one or two of each UN geographic sub-region.
static void issuers_lie_in_their_regions(void **state)
{
	static const struct {
		const char *issuers;
		enum eg_region region;
	} cases[] = {
		{"KEN NGA ZAF MDG SSD", EG_REGION_SUB_SAHARAN_AFRICA},
		{"EGY MAR SDN TUR ISR CYP ARM", EG_REGION_NORTH_AFRICA_WEST_ASIA},
		{"IND AFG IRN KAZ MDV", EG_REGION_CENTRAL_SOUTH_ASIA},
		{"CHN JPN MNG VNM PHL TLS", EG_REGION_EAST_SOUTH_EAST_ASIA},
		{"MEX BRA CUB HTI FLK", EG_REGION_LATIN_AMERICA},
		{"AUS NZL FJI WSM GUM", EG_REGION_OCEANIA},
		{"D DEU GBR GBD USA CAN RUS ISL GRL RKS usa", EG_REGION_EUROPE_NORTH_AMERICA},
		{"UTO UNO XXA ZZZ E DE US EU A", EG_REGION_UNKNOWN},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char text[64], *rest = text, *issuer;
		(void)snprintf(text, sizeof(text), "%s", cases[i].issuers);
		while ((issuer = strsep(&rest, " ")) != NULL)
			if (eg_region_of_issuer(issuer) != cases[i].region)
				fail_msg("%s", issuer);
	}
	assert_int_equal(eg_region_of_issuer(""), EG_REGION_UNKNOWN);
	assert_int_equal(eg_region_of_issuer("USA "), EG_REGION_UNKNOWN);
	assert_int_equal(eg_region_of_issuer(" "), EG_REGION_UNKNOWN);
}

static void what_is_wrong_is_named_by_line_and_column(void **state)
{
	static const struct {
		const char *text, *says;
	} cases[] = {
		{"", "line 1: the file is empty"},
		{HEAD, "no traveller"},
		{"id,surname\n", "column 'given': is missing"},
		{"id,id,surname\n", "column 'id': is there twice"},
		{"id,colour\n", "'colour' is no column"},
		{HEAD "a,b,c,,citizen,,,EG1,,,\n", "line 2: 11 fields"},
		{HEAD "a,b,c,,citizen,,,EG1,\n", "line 2: 9 fields"},
		{HEAD "a/b,b,c,,citizen,,,EG1,,\n", "line 2, column 'id'"},
		{HEAD ",b,c,,citizen,,,EG1,,\n", "line 2, column 'id'"},
		{HEAD "a,,,,citizen,,,EG1,,\n", "column 'surname'"},
		{HEAD "a,b,c,1983-02-29,citizen,,,EG1,,\n", "column 'birth'"},
		{HEAD "a,b,c,1900-02-29,citizen,,,EG1,,\n", "column 'birth'"},
		{HEAD "a,b,c,29.02.1984,citizen,,,EG1,,\n", "column 'birth'"},
		{HEAD "a,b,c,1984-00-10,citizen,,,EG1,,\n", "column 'birth'"},
		{HEAD "a,b,c,,martian,,,EG1,,\n", "column 'citizenship'"},
		{HEAD "a,b,c,,citizen,X1,,EG1,,\n", "column 'issuer'"},
		{HEAD "a,b,c,,citizen,X1,D3,EG1,,\n", "column 'issuer'"},
		{HEAD "a,b,c,,citizen,\xc3\xa9,D,EG1,,\n", "column 'document'"},
		{HEAD "a,b,c,,citizen,---,D,EG1,,\n", "column 'document'"},
		{HEAD "a,b,c,,citizen,,,,,\n", "column 'flight'"},
		{HEAD "a,b,c,,citizen,,,EG 1,,\n", "column 'flight'"},
		{HEAD "a,b,c,,citizen,,,EG1,ABC123,\n", "column 'pnr'"},
		{HEAD "a,\"b\nc\",c,,citizen,,,EG1,,\n", "column 'surname': holds a line end"},
		{HEAD "a,b,c,,citizen,,,EG1,,\na,b,c,,citizen,,,EG1,,\n",
		 "line 3, column 'id': 'a' is booked on this flight in line 2"},
		{HEAD "a,b,c,,citizen,,,EG1,,\na,x,c,,citizen,,,EG2,,\n",
		 "somebody else in line 2"},
		{"id,surname,given,birth,citizenship,document,issuer,flight,sex\n"
		 "a,b,c,,citizen,,,EG1,W\n",
		 "line 2, column 'sex': must be F, M, X"},
		{"id,surname,given,birth,citizenship,document,issuer,flight,region\n"
		 "a,b,c,,citizen,,,EG1,atlantis\n",
		 "line 2, column 'region': must be a region"},
		{"id,surname,given,birth,citizenship,document,issuer,flight,sex\n"
		 "a,b,c,,citizen,,,EG1,F\na,b,c,,citizen,,,EG2,M\n",
		 "somebody else in line 2"},
		{HEAD "a,\"b,c\n", "line 2, column 2: a quote is opened"},
		{HEAD "a,b\"c,d,,citizen,,,EG1,,\n", "line 2, column 2: a quote inside"},
		{HEAD "a,\"b\"c,d,,citizen,,,EG1,,\n", "line 2, column 2: text behind"},
		{HEAD "a,b\x01,d,,citizen,,,EG1,,\n", "line 2, column 2: a control"},
		{HEAD "a,b\r,d,,citizen,,,EG1,,\n", "line 2, column 2: a control"},
		{HEAD "a,\xc0\xaf,d,,citizen,,,EG1,,\n", "line 2, column 2: not UTF-8"},
		{HEAD "a,\xed\xa0\x80,d,,citizen,,,EG1,,\n", "line 2, column 2: not UTF-8"},
		{HEAD "a,\xe2\x82", "line 2, column 2: not UTF-8"},
		{",,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,\n",
		 "more than 64 columns"},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct eg_roster roster = {0};
		struct eg_err err = EG_ERR_INIT;
		int r = eg_roster_read(EG_BYTES_STR(cases[i].text), &roster, &err);
		if (r == 0 || strstr(err.text, cases[i].says) == NULL)
			fail_msg("case %zu: wanted '%s', got %d '%s'", i, cases[i].says, r,
				 err.text);
		assert_null(roster.row);
	}
}

static void an_overlong_field_is_refused(void **state)
{
	char text[sizeof(HEAD) + 1200];
	struct eg_roster roster = {0};
	struct eg_err err = EG_ERR_INIT;
	(void)state;
	memset(text, 'a', sizeof(text));
	memcpy(text, HEAD, sizeof(HEAD) - 1);
	assert_int_equal(eg_roster_read(EG_BYTES(text, sizeof(text)), &roster, &err), EG_ETOOBIG);
	assert_non_null(strstr(err.text, "line 2, column 1: longer"));
}

static void photos_are_named_by_traveller_source_and_year(void **state)
{
	static const struct {
		const char *file, *id; // id NULL: refused
		enum eg_photo_source source;
		unsigned int year;
	} cases[] = {
		{"P001.jpg", "P001", EG_PHOTO_PASSPORT, 0},
		{"P001_passport_2021.jpg", "P001", EG_PHOTO_PASSPORT, 2021},
		{"P001_VISA_2019.JPEG", "P001", EG_PHOTO_VISA, 2019},
		{"a_b_entry_2020.jp2", "a_b", EG_PHOTO_ENTRY, 2020},
		{"a_2020.jpg", "a_2020", EG_PHOTO_PASSPORT, 0},
		{"a_selfie_2020.jpg", "a_selfie_2020", EG_PHOTO_PASSPORT, 0},
		{"a_visa_20.jpg", "a_visa_20", EG_PHOTO_PASSPORT, 0},
		{"a.png", NULL, 0, 0},
		{".jpg", NULL, 0, 0},
		{"noending", NULL, 0, 0},
		{"a b.jpg", NULL, 0, 0},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct eg_photo_name name = {0};
		int r = eg_roster_photo_name(cases[i].file, &name);
		assert_int_equal(r, cases[i].id != NULL ? 0 : EG_EINVAL);
		if (r != 0)
			continue;
		assert_string_equal(name.id, cases[i].id);
		assert_int_equal(name.source, cases[i].source);
		assert_int_equal(name.year, cases[i].year);
	}
}

static int start_crypto(void **state)
{
	struct eg_err err = EG_ERR_INIT;
	(void)state;
	return eg_crypto_init(&err);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_list_with_quotes_and_line_ends_is_read),
		cmocka_unit_test(sex_and_region_are_read_where_they_are_given),
		cmocka_unit_test(issuers_lie_in_their_regions),
		cmocka_unit_test(what_is_wrong_is_named_by_line_and_column),
		cmocka_unit_test(an_overlong_field_is_refused),
		cmocka_unit_test(photos_are_named_by_traveller_source_and_year),
	};
	return cmocka_run_group_tests(tests, start_crypto, NULL);
}
