// SPDX-License-Identifier: Apache-2.0
//
// Specimens of ICAO Doc 9303: TD3 part 4 appendix B, TD1 part 5 appendix B, TD2 part 6 appendix B,
// MRV-A and MRV-B part 7, long numbers part 11 appendix D.2. Each one is then damaged in every
// position a check digit covers.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "drivers/mrz.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define TD1                                                                \
	"I<UTOD231458907<<<<<<<<<<<<<<<\n7408122F1204159UTO<<<<<<<<<<<6\n" \
	"ERIKSSON<<ANNA<MARIA<<<<<<<<<<"
#define TD2	  "I<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<\nD231458907UTO7408122F1204159<<<<<<<6"
#define TD3_NAMES "P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<\n"
#define TD3	  TD3_NAMES "L898902C36UTO7408122F1204159ZE184226B<<<<<10"
#define MRVA                                             \
	"V<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<\n" \
	"L8988901C4XXX4009078F96121096ZE184226B<<<<<<"
#define MRVB "V<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<\nL8988901C4XXX4009078F9612109<<<<<<<<"
#define TD1_LONG                                                           \
	"I<UTOD23145890<7349<<<<<<<<<<<\n3407127M9507122UTO<<<<<<<<<<<2\n" \
	"STEVENSON<<PETER<JOHN<<<<<<<<<"
#define TD2_LONG "I<UTOSTEVENSON<<PETER<JOHN<<<<<<<<<<\nD23145890<UTO3407127M95071227349<<<8"

static const struct {
	const char *text;
	struct eg_mrz mrz;
} specimens[] = {
	{TD1,
	 {EG_MRZ_TD1, "I", "UTO", "D23145890", "ERIKSSON", "ANNA MARIA", "UTO", "740812", "120415",
	  'F'}},
	{TD2,
	 {EG_MRZ_TD2, "I", "UTO", "D23145890", "ERIKSSON", "ANNA MARIA", "UTO", "740812", "120415",
	  'F'}},
	{TD3,
	 {EG_MRZ_TD3, "P", "UTO", "L898902C3", "ERIKSSON", "ANNA MARIA", "UTO", "740812", "120415",
	  'F'}},
	{MRVA,
	 {EG_MRZ_MRVA, "V", "UTO", "L8988901C", "ERIKSSON", "ANNA MARIA", "XXX", "400907", "961210",
	  'F'}},
	{MRVB,
	 {EG_MRZ_MRVB, "V", "UTO", "L8988901C", "ERIKSSON", "ANNA MARIA", "XXX", "400907", "961210",
	  'F'}},
	{TD1_LONG,
	 {EG_MRZ_TD1, "I", "UTO", "D23145890734", "STEVENSON", "PETER JOHN", "UTO", "340712",
	  "950712", 'M'}},
	{TD2_LONG,
	 {EG_MRZ_TD2, "I", "UTO", "D23145890734", "STEVENSON", "PETER JOHN", "UTO", "340712",
	  "950712", 'M'}},
};

static int parse(const char *text, struct eg_mrz *ret_mrz, struct eg_err *err)
{
	return eg_mrz_parse(EG_BYTES_STR(text), ret_mrz, err);
}

static void check_equal(const struct eg_mrz *a, const struct eg_mrz *b)
{
	assert_int_equal(a->format, b->format);
	assert_string_equal(a->document_code, b->document_code);
	assert_string_equal(a->issuer, b->issuer);
	assert_string_equal(a->number, b->number);
	assert_string_equal(a->surname, b->surname);
	assert_string_equal(a->given, b->given);
	assert_string_equal(a->nationality, b->nationality);
	assert_string_equal(a->birth, b->birth);
	assert_string_equal(a->expiry, b->expiry);
	assert_int_equal(a->sex, b->sex);
}

static void published_specimens_are_read(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(specimens); i++) {
		struct eg_err err = EG_ERR_INIT;
		struct eg_mrz mrz;

		if (parse(specimens[i].text, &mrz, &err) != 0)
			fail_msg("specimen %zu: %s", i, err.text);
		check_equal(&mrz, &specimens[i].mrz);
	}
}

static void line_ends_of_any_kind_or_none_are_taken(void **state)
{
	static const char *const ends[] = {"", "\r", "\r\n", "\n\n", "  \r\n"};
	char text[128];

	(void)state;
	for (size_t i = 0; i < COUNT(specimens); i++) {
		for (size_t e = 0; e < COUNT(ends); e++) {
			struct eg_mrz mrz;
			size_t size = 0;

			for (const char *c = specimens[i].text; *c != '\0'; c++)
				size += (size_t)snprintf(text + size, sizeof(text) - size, "%.*s",
							 *c == '\n' ? 9 : 1,
							 *c == '\n' ? ends[e] : c);
			assert_int_equal(parse(text, &mrz, NULL), 0);
			check_equal(&mrz, &specimens[i].mrz);
		}
	}
}

// Positions that a check digit covers, of all lines run together.
static bool is_covered(enum eg_mrz_format format, size_t i)
{
	switch (format) {
	case EG_MRZ_TD1:
		return (i >= 5 && i < 37) || (i >= 38 && i < 45) || (i >= 48 && i < 60);
	case EG_MRZ_TD2:
		return i >= 36 && (i < 46 || (i >= 49 && i < 56) || i >= 57);
	case EG_MRZ_TD3:
		return i >= 44 && (i < 54 || (i >= 57 && i < 64) || i >= 65);
	case EG_MRZ_MRVA:
		return i >= 44 && (i < 54 || (i >= 57 && i < 64) || (i >= 65 && i < 72));
	case EG_MRZ_MRVB:
		return i >= 36 && (i < 46 || (i >= 49 && i < 56) || (i >= 57 && i < 64));
	}
	return false;
}

static void every_digit_changed_is_found(void **state)
{
	size_t changed = 0;

	(void)state;
	for (size_t s = 0; s < COUNT(specimens); s++) {
		char text[128];
		size_t at = 0;

		for (size_t i = 0; specimens[s].text[i] != '\0'; i++) {
			if (specimens[s].text[i] == '\n')
				continue;
			(void)snprintf(text, sizeof(text), "%s", specimens[s].text);
			if (text[i] >= '0' && text[i] <= '9' &&
			    is_covered(specimens[s].mrz.format, at)) {
				for (char c = '0'; c <= '9'; c++) {
					struct eg_mrz mrz = {.sex = '?'};

					text[i] = c;
					if (c == specimens[s].text[i])
						continue;
					if (parse(text, &mrz, NULL) != EG_EINVAL)
						fail_msg("specimen %zu, position %zu, %c", s, at,
							 c);
					assert_int_equal(mrz.sex, '?');
					changed++;
				}
			}
			at++;
		}
	}
	assert_true(changed > 1000);
}

static void characters_that_may_not_stand_there_are_refused(void **state)
{
	static const char bad[] = {'a', '-', ' ', '\t', '\0', '\x7f', '\xff', '>'};

	(void)state;
	for (size_t s = 0; s < COUNT(specimens); s++) {
		for (size_t i = 0; specimens[s].text[i] != '\0'; i++) {
			for (size_t b = 0; b < COUNT(bad); b++) {
				char text[128];
				struct eg_mrz mrz;
				size_t size = strlen(specimens[s].text);

				(void)snprintf(text, sizeof(text), "%s", specimens[s].text);
				if (text[i] == '\n')
					continue;
				text[i] = bad[b];
				assert_int_equal(eg_mrz_parse(EG_BYTES(text, size), &mrz, NULL),
						 EG_EINVAL);
			}
		}
	}
}

static void wrong_zones_are_refused_by_the_name_of_the_field(void **state)
{
	static const struct {
		const char *text, *field;
	} cases[] = {
		{"", "empty"},
		{"\r\n  \n", "empty"},
		{TD3 "<", "no machine-readable zone"},
		{TD3 "\nP", "no machine-readable zone"},
		{TD3_NAMES, "no machine-readable zone"},
		{TD1 "\n" TD1, "no machine-readable zone"},
		{" " TD3, "no machine-readable zone"},
		{"X<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<\n"
		 "L898902C36UTO7408122F1204159ZE184226B<<<<<10",
		 "document code"},
		{"P<U<OERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<\n"
		 "L898902C36UTO7408122F1204159ZE184226B<<<<<10",
		 "issuing State"},
		{"P<UTOERIKSS0N<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<\n"
		 "L898902C36UTO7408122F1204159ZE184226B<<<<<10",
		 "name"},
		{"P<UTO<RIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<\n"
		 "L898902C36UTO7408122F1204159ZE184226B<<<<<10",
		 "name"},
		{TD3_NAMES "L898902C37UTO7408122F1204159ZE184226B<<<<<10", "document number"},
		{TD3_NAMES "L898902C3<UTO7408122F1204159ZE184226B<<<<<10", "document number"},
		{TD3_NAMES "<<<<<<<<<0UTO7408122F1204159ZE184226B<<<<<10", "document number"},
		{TD3_NAMES "L898902C36UT07408122F1204159ZE184226B<<<<<10", "nationality"},
		{TD3_NAMES "L898902C36<<<7408122F1204159ZE184226B<<<<<10", "nationality"},
		{TD3_NAMES "L898902C36UTO7408123F1204159ZE184226B<<<<<10", "date of birth"},
		{TD3_NAMES "L898902C36UTO7413128F1204159ZE184226B<<<<<10", "date of birth"},
		{TD3_NAMES "L898902C36UTO7408122Y1204159ZE184226B<<<<<10", "sex"},
		{TD3_NAMES "L898902C36UTO7408122F1204158ZE184226B<<<<<10", "date of expiry"},
		{TD3_NAMES "L898902C36UTO7408122F1204159ZE184226B<<<<<20", "personal number"},
		{TD3_NAMES "L898902C36UTO7408122F1204159ZE184226B<<<<<<0", "personal number"},
		{TD3_NAMES "L898902C36UTO7408122F1204159ZE184226B<<<<<11", "composite"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct eg_err err = EG_ERR_INIT;
		struct eg_mrz mrz;

		assert_int_equal(parse(cases[i].text, &mrz, &err), EG_EINVAL);
		if (!strstr(err.text, cases[i].field))
			fail_msg("case %zu: \"%s\" does not name %s", i, err.text, cases[i].field);
		assert_null(
			strstr(err.text, "L898902C3")); // personal data stays out of error texts
		assert_null(strstr(err.text, "ERIKSS"));
	}
}

// A TD3 zone whose check digits are made right again by Doc 9303's rule, written out here anew.
static int digit_of(const char *text, size_t size, int from)
{
	int sum = 0;

	for (size_t i = 0; i < size; i++) {
		int value = text[i] == '<' ? 0 : text[i] > '9' ? text[i] - 'A' + 10 : text[i] - '0';

		sum += value * ((int[]){7, 3, 1})[((size_t)from + i) % 3];
	}
	return sum;
}

static void repair(char *line)
{
	line[9] = (char)('0' + digit_of(line, 9, 0) % 10);
	line[19] = (char)('0' + digit_of(line + 13, 6, 0) % 10);
	line[27] = (char)('0' + digit_of(line + 21, 6, 0) % 10);
	line[42] = (char)('0' + digit_of(line + 28, 14, 0) % 10);
	line[43] = (char)('0' + (digit_of(line, 10, 0) + digit_of(line + 13, 7, 10) +
				 digit_of(line + 21, 22, 17)) %
					10);
}

static void dates_may_be_unknown_in_part_and_must_exist(void **state)
{
	static const struct {
		size_t at;
		const char *date;
		int result;
	} cases[] = {
		{13, "<<<<<<", 0},	   {13, "74<<<<", 0},	      {13, "7408<<", 0},
		{13, "<<0812", 0},	   {13, "000229", 0},	      {13, "740229", EG_EINVAL},
		{13, "740431", EG_EINVAL}, {13, "7<0812", EG_EINVAL}, {13, "740A12", EG_EINVAL},
		{13, "740800", EG_EINVAL}, {13, "740012", EG_EINVAL}, {21, "1204<<", EG_EINVAL},
		{21, "<<<<<<", EG_EINVAL}, {21, "280229", 0},	      {21, "270229", EG_EINVAL},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		char text[] = TD3;
		struct eg_mrz mrz;

		memcpy(text + 45 + cases[i].at, cases[i].date, 6);
		repair(text + 45);
		if (parse(text, &mrz, NULL) != cases[i].result)
			fail_msg("case %zu", i);
		if (cases[i].result == 0)
			assert_string_equal(cases[i].at == 13 ? mrz.birth : mrz.expiry,
					    cases[i].date);
	}
}

static void an_empty_personal_number_may_have_a_filler_for_its_digit(void **state)
{
	char text[] = TD3;
	struct eg_mrz mrz;

	(void)state;
	memset(text + 45 + 28, '<', 14);
	repair(text + 45);
	assert_int_equal(text[45 + 42], '0');
	assert_int_equal(parse(text, &mrz, NULL), 0);
	text[45 + 42] = '<'; // worth 0 as well, so the composite digit stays
	assert_int_equal(parse(text, &mrz, NULL), 0);
}

static void names_stay_as_the_document_cut_them(void **state)
{
	static const struct {
		const char *field, *surname, *given;
	} cases[] = {
		{"VAN<DER<MUELLEN<<ANNA<MARIA<<<<<<<<<<<<", "VAN DER MUELLEN", "ANNA MARIA"},
		{"ARKFREITH<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<", "ARKFREITH", ""},
		{"NILAVADHANANANDA<<CHAYAPA<DEJTHAMRONG<K", "NILAVADHANANANDA",
		 "CHAYAPA DEJTHAMRONG K"},
		{"PAPANDROPOULOUSPAPANDROPOULOUSPAPANDROP",
		 "PAPANDROPOULOUSPAPANDROPOULOUSPAPANDROP", ""},
		{"BENNELONG<WOOLOOMOOLOO<WARRANDYTE<WARNA",
		 "BENNELONG WOOLOOMOOLOO WARRANDYTE WARNA", ""},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		char text[] = TD3;
		struct eg_mrz mrz;

		assert_int_equal(strlen(cases[i].field), 39);
		memcpy(text + 5, cases[i].field, 39);
		assert_int_equal(parse(text, &mrz, NULL), 0);
		assert_string_equal(mrz.surname, cases[i].surname);
		assert_string_equal(mrz.given, cases[i].given);
	}
}

static void fillers_of_codes_and_numbers_fall_away(void **state)
{
	char text[] = TD3;
	struct eg_mrz mrz;

	(void)state;
	memcpy(text, "PDD<<", 5);
	memcpy(text + 45, "AB<12<<<<", 9);
	memcpy(text + 45 + 10, "D<<", 3);
	text[45 + 20] = '<';
	repair(text + 45);
	assert_int_equal(parse(text, &mrz, NULL), 0);
	assert_string_equal(mrz.document_code, "PD");
	assert_string_equal(mrz.issuer, "D");
	assert_string_equal(mrz.nationality, "D");
	assert_string_equal(mrz.number, "AB12");
	assert_int_equal(mrz.sex, 'X');
}

static void check_digits_are_doc_9303s(void **state)
{
	(void)state;
	assert_int_equal(eg_mrz_check_digit("520727", 6), '3');	   // part 3 appendix A, example 1
	assert_int_equal(eg_mrz_check_digit("AB2134<<<", 9), '5'); // example 2
	assert_int_equal(eg_mrz_check_digit("", 0), '0');
	assert_int_equal(eg_mrz_check_digit("ab", 2), '\0');
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(published_specimens_are_read),
		cmocka_unit_test(line_ends_of_any_kind_or_none_are_taken),
		cmocka_unit_test(every_digit_changed_is_found),
		cmocka_unit_test(characters_that_may_not_stand_there_are_refused),
		cmocka_unit_test(wrong_zones_are_refused_by_the_name_of_the_field),
		cmocka_unit_test(dates_may_be_unknown_in_part_and_must_exist),
		cmocka_unit_test(an_empty_personal_number_may_have_a_filler_for_its_digit),
		cmocka_unit_test(names_stay_as_the_document_cut_them),
		cmocka_unit_test(fillers_of_codes_and_numbers_fall_away),
		cmocka_unit_test(check_digits_are_doc_9303s),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
