// SPDX-License-Identifier: Apache-2.0
//
// The examples of Resolution 792, attachment B (versions 5 and 6), and passes damaged in their
// structure. A boarding pass has no check digits: what can be found is found by form.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "drivers/bcbp.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define SECURITY                                                                                   \
	"^164GIWVC5EH7JNT684FVNJ91W2QA4DVN5J8K4F0L0GEQ3DF5TGBN8709HKT5D3DW3GBHFCVHMY7J5T6HFR41W2Q" \
	"A4DVN5J8K4F0L0GE"
#define ONE "M1DESMARAIS/LUC       EABC123 YULFRAAC 0834 226F001A0025 100"
#define ONE_LONG                                                                      \
	"M1DESMARAIS/LUC       EAB12C3 YULFRAAC 0834 326J003A0027 167>5321WW1325BAC " \
	"001412345600200"                                                             \
	"1412346700100141234789012A0141234567890 1AC AC 1234567890123    4PCYLX58Z"
#define TWO_V6                                                                              \
	"M2DESMARAIS/LUC       EABC123 YULFRAAC 0834 226F001A0025 14D>6181WW6225BAC "       \
	"00141234560032A"                                                                   \
	"0141234567890 1AC AC 1234567890123    20KYLX58ZDEF456 FRAGVALH 3664 227C012C0002 " \
	"12E2A01409"                                                                        \
	"87654321 1AC AC 1234567890123    2PCNWQ"
#define TWO_V5                                                                                     \
	"M2GRANDMAIRE/MELANIE  EABC123 GVACDGAF 0123 339C002F0025 130>5002A0571234567890  AF AF "  \
	"1234"                                                                                     \
	"567890123456 20KYDEF456 CDGDTWNW 0049 339F001A0002 12C2A012098765432101                 " \
	"    "                                                                                     \
	"  2PC "

static const struct {
	const char *text;
	struct eg_bcbp pass;
} specimens[] = {
	{ONE,
	 {"DESMARAIS/LUC",
	  true,
	  0,
	  1,
	  {{"ABC123", "YUL", "FRA", "AC", "0834", 226, 'F', "001A", "0025", '1'}},
	  false}},
	{ONE SECURITY,
	 {"DESMARAIS/LUC",
	  true,
	  0,
	  1,
	  {{"ABC123", "YUL", "FRA", "AC", "0834", 226, 'F', "001A", "0025", '1'}},
	  true}},
	{ONE_LONG SECURITY,
	 {"DESMARAIS/LUC",
	  true,
	  5,
	  1,
	  {{"AB12C3", "YUL", "FRA", "AC", "0834", 326, 'J', "003A", "0027", '1'}},
	  true}},
	{TWO_V6 SECURITY,
	 {"DESMARAIS/LUC",
	  true,
	  6,
	  2,
	  {{"ABC123", "YUL", "FRA", "AC", "0834", 226, 'F', "001A", "0025", '1'},
	   {"DEF456", "FRA", "GVA", "LH", "3664", 227, 'C', "012C", "0002", '1'}},
	  true}},
	{TWO_V5 SECURITY,
	 {"GRANDMAIRE/MELANIE",
	  true,
	  5,
	  2,
	  {{"ABC123", "GVA", "CDG", "AF", "0123", 339, 'C', "002F", "0025", '1'},
	   {"DEF456", "CDG", "DTW", "NW", "0049", 339, 'F', "001A", "0002", '1'}},
	  true}},
};

static int parse(const char *text, struct eg_bcbp *ret_pass, struct eg_err *err)
{
	return eg_bcbp_parse(EG_BYTES_STR(text), ret_pass, err);
}

static void check_leg(const struct eg_bcbp_leg *a, const struct eg_bcbp_leg *b)
{
	assert_string_equal(a->pnr, b->pnr);
	assert_string_equal(a->from, b->from);
	assert_string_equal(a->to, b->to);
	assert_string_equal(a->carrier, b->carrier);
	assert_string_equal(a->flight, b->flight);
	assert_int_equal(a->day_of_year, b->day_of_year);
	assert_int_equal(a->compartment, b->compartment);
	assert_string_equal(a->seat, b->seat);
	assert_string_equal(a->sequence, b->sequence);
	assert_int_equal(a->status, b->status);
}

static void published_examples_are_read(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(specimens); i++) {
		const struct eg_bcbp *expected = &specimens[i].pass;
		struct eg_err err = EG_ERR_INIT;
		struct eg_bcbp pass;

		if (parse(specimens[i].text, &pass, &err) != 0)
			fail_msg("example %zu: %s", i, err.text);
		assert_string_equal(pass.name, expected->name);
		assert_int_equal(pass.electronic_ticket, expected->electronic_ticket);
		assert_int_equal(pass.version, expected->version);
		assert_int_equal(pass.has_security, expected->has_security);
		assert_int_equal(pass.leg_count, expected->leg_count);
		for (size_t leg = 0; leg < expected->leg_count; leg++)
			check_leg(&pass.legs[leg], &expected->legs[leg]);
	}
}

static void a_pass_cut_anywhere_is_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(specimens); i++) {
		const char *text = specimens[i].text;
		const char *security = strchr(text, '^');

		for (size_t size = 0; size < strlen(text); size++) {
			struct eg_bcbp pass;

			// Without its security data, which is optional, a pass is whole.
			if (security && size == (size_t)(security - text))
				continue;
			assert_int_equal(eg_bcbp_parse(EG_BYTES(text, size), &pass, NULL),
					 EG_EINVAL);
		}
	}
}

static void characters_that_are_not_printable_are_refused(void **state)
{
	static const char bad[] = {'\0', '\n', '\t', '\x1d', '\x7f', '\xc3'};
	char text[512];

	(void)state;
	for (size_t i = 0; i < strlen(TWO_V6 SECURITY); i++) {
		for (size_t b = 0; b < COUNT(bad); b++) {
			struct eg_bcbp pass;

			(void)snprintf(text, sizeof(text), "%s", TWO_V6 SECURITY);
			text[i] = bad[b];
			assert_int_equal(eg_bcbp_parse(EG_BYTES(text, strlen(TWO_V6 SECURITY)),
						       &pass, NULL),
					 EG_EINVAL);
		}
	}
}

static void a_damaged_field_is_named(void **state)
{
	static const struct {
		const char *text, *field;
	} cases[] = {
		{"", "format code"},
		{"S1DESMARAIS/LUC       EABC123 YULFRAAC 0834 226F001A0025 100", "format code"},
		{"M0DESMARAIS/LUC       EABC123 YULFRAAC 0834 226F001A0025 100", "number of legs"},
		{"M5DESMARAIS/LUC       EABC123 YULFRAAC 0834 226F001A0025 100", "number of legs"},
		{"M2DESMARAIS/LUC       EABC123 YULFRAAC 0834 226F001A0025 100", "leg 2"},
		{"M1                    EABC123 YULFRAAC 0834 226F001A0025 100", "passenger name"},
		{"M1DESMARAIS/LUC       /ABC123 YULFRAAC 0834 226F001A0025 100",
		 "ticket indicator"},
		{"M1DESMARAIS/LUC       EABC-23 YULFRAAC 0834 226F001A0025 100", "record locator"},
		{"M1DESMARAIS/LUC       EABC123 YU1FRAAC 0834 226F001A0025 100", "from airport"},
		{"M1DESMARAIS/LUC       EABC123 YULFR AC 0834 226F001A0025 100", "to airport"},
		{"M1DESMARAIS/LUC       EABC123 YULFRAA  0834 226F001A0025 100", "carrier"},
		{"M1DESMARAIS/LUC       EABC123 YULFRAAC OPEN 226F001A0025 100", "flight number"},
		{"M1DESMARAIS/LUC       EABC123 YULFRAAC 08345226F001A0025 100", "flight number"},
		{"M1DESMARAIS/LUC       EABC123 YULFRAAC 0834 000F001A0025 100", "date of flight"},
		{"M1DESMARAIS/LUC       EABC123 YULFRAAC 0834 367F001A0025 100", "date of flight"},
		{"M1DESMARAIS/LUC       EABC123 YULFRAAC 0834 22 F001A0025 100", "date of flight"},
		{"M1DESMARAIS/LUC       EABC123 YULFRAAC 0834 226/001A0025 100", "compartment"},
		{"M1DESMARAIS/LUC       EABC123 YULFRAAC 0834 226F001-0025 100", "seat"},
		{"M1DESMARAIS/LUC       EABC123 YULFRAAC 0834 226F001A00?5 100", "sequence number"},
		{"M1DESMARAIS/LUC       EABC123 YULFRAAC 0834 226F001A0025 /00",
		 "passenger status"},
		{"M1DESMARAIS/LUC       EABC123 YULFRAAC 0834 226F001A0025 10G",
		 "conditional items"},
		{"M1DESMARAIS/LUC       EABC123 YULFRAAC 0834 226F001A0025 10a",
		 "conditional items"},
		{"M1DESMARAIS/LUC       EABC123 YULFRAAC 0834 226F001A0025 101",
		 "conditional items"},
		{ONE "X", "end"},
		{ONE " ", "end"},
		{ONE "^104ABC", "security data"},
		{ONE "^103ABCD", "end"},
		{"M1DESMARAIS/LUC       EABC123 YULFRAAC 0834 226F001A0025 106<60000", "version"},
		{"M1DESMARAIS/LUC       EABC123 YULFRAAC 0834 226F001A0025 106>00000", "version"},
		{"M1DESMARAIS/LUC       EABC123 YULFRAAC 0834 226F001A0025 101>", "version"},
		{"M1DESMARAIS/LUC       EABC123 YULFRAAC 0834 226F001A0025 106>603AB", "unique"},
		{"M1DESMARAIS/LUC       EABC123 YULFRAAC 0834 226F001A0025 106>60001", "repeated"},
		{"M1DESMARAIS/LUC       EABC123 YULFRAAC 0834 226F001A0025 105>6000", "repeated"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct eg_bcbp pass = {.version = 77};
		struct eg_err err = EG_ERR_INIT;

		assert_int_equal(parse(cases[i].text, &pass, &err), EG_EINVAL);
		if (!strstr(err.text, cases[i].field))
			fail_msg("case %zu: \"%s\" does not name %s", i, err.text, cases[i].field);
		assert_null(strstr(err.text, "DESM"));
		assert_int_equal(pass.version, 77);
	}
}

static void sizes_of_nothing_and_suffixes_are_taken(void **state)
{
	struct eg_bcbp pass;

	(void)state;
	assert_int_equal(parse("M1DESMARAIS/LUC       EABC123 YULFRAAC 0834 226F001A0025 106>60000",
			       &pass, NULL),
			 0);
	assert_int_equal(pass.version, 6);
	// Only unique items, of size 0; an infant without a seat; a paper ticket; a flight suffix.
	assert_int_equal(parse("M1DESMARAIS/LUC        ABC123 YULFRAACA0834A226FINF 0025 104>600",
			       &pass, NULL),
			 0);
	assert_false(pass.electronic_ticket);
	assert_string_equal(pass.legs[0].carrier, "ACA");
	assert_string_equal(pass.legs[0].flight, "0834A");
	assert_string_equal(pass.legs[0].seat, "INF");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(published_examples_are_read),
		cmocka_unit_test(a_pass_cut_anywhere_is_refused),
		cmocka_unit_test(characters_that_are_not_printable_are_refused),
		cmocka_unit_test(a_damaged_field_is_named),
		cmocka_unit_test(sizes_of_nothing_and_suffixes_are_taken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
