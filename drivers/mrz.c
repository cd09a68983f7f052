// SPDX-License-Identifier: Apache-2.0
//
// Machine-readable zones of ICAO Doc 9303. One table says for each format where its fields stand;
// the rest reads that table.
//
// Untrusted input, personal data: error texts name the line, the field and the rule, never what
// was read. Thread: any.

#include "drivers/mrz.h"

#include <string.h>

#include "firmware/base/mem.h"

#define LINES_MAX    3
#define LINE_MAX     44
#define PARTS_MAX    5
#define LONG_NUMBERS 1 // a number may overflow into optional data (parts 5 and 6, note j)

// A field: `size` characters from `at` on line `line`, all counted from 0.
struct place {
	int line, at, size;
};

struct layout {
	enum eg_mrz_format format;
	const char *name;
	int lines, width;
	const char *first_letters; // of the document code
	int flags;
	struct place name_field, number, birth, sex, expiry, nationality, optional;
	bool has_personal_check;       // optional data carries its own check digit behind it
	struct place composite;	       // size 0: none
	struct place parts[PARTS_MAX]; // what the composite digit covers, in this order
};

static const struct layout layouts[] = {
	{
		.format = EG_MRZ_TD1,
		.name = "TD1",
		.lines = 3,
		.width = 30,
		.first_letters = "ACI",
		.flags = LONG_NUMBERS,
		.name_field = {2, 0, 30},
		.number = {0, 5, 9},
		.birth = {1, 0, 6},
		.sex = {1, 7, 1},
		.expiry = {1, 8, 6},
		.nationality = {1, 15, 3},
		.optional = {0, 15, 15},
		.composite = {1, 29, 1},
		.parts = {{0, 5, 25}, {1, 0, 7}, {1, 8, 7}, {1, 18, 11}},
	},
	{
		.format = EG_MRZ_TD2,
		.name = "TD2",
		.lines = 2,
		.width = 36,
		.first_letters = "ACI",
		.flags = LONG_NUMBERS,
		.name_field = {0, 5, 31},
		.number = {1, 0, 9},
		.birth = {1, 13, 6},
		.sex = {1, 20, 1},
		.expiry = {1, 21, 6},
		.nationality = {1, 10, 3},
		.optional = {1, 28, 7},
		.composite = {1, 35, 1},
		.parts = {{1, 0, 10}, {1, 13, 7}, {1, 21, 14}},
	},
	{
		.format = EG_MRZ_TD3,
		.name = "TD3",
		.lines = 2,
		.width = 44,
		.first_letters = "PACI",
		.name_field = {0, 5, 39},
		.number = {1, 0, 9},
		.birth = {1, 13, 6},
		.sex = {1, 20, 1},
		.expiry = {1, 21, 6},
		.nationality = {1, 10, 3},
		.optional = {1, 28, 14},
		.has_personal_check = true,
		.composite = {1, 43, 1},
		.parts = {{1, 0, 10}, {1, 13, 7}, {1, 21, 22}},
	},
	{
		.format = EG_MRZ_MRVA,
		.name = "MRV-A",
		.lines = 2,
		.width = 44,
		.first_letters = "V",
		.name_field = {0, 5, 39},
		.number = {1, 0, 9},
		.birth = {1, 13, 6},
		.sex = {1, 20, 1},
		.expiry = {1, 21, 6},
		.nationality = {1, 10, 3},
		.optional = {1, 28, 16},
	},
	{
		.format = EG_MRZ_MRVB,
		.name = "MRV-B",
		.lines = 2,
		.width = 36,
		.first_letters = "V",
		.name_field = {0, 5, 31},
		.number = {1, 0, 9},
		.birth = {1, 13, 6},
		.sex = {1, 20, 1},
		.expiry = {1, 21, 6},
		.nationality = {1, 10, 3},
		.optional = {1, 28, 8},
	},
};

#define LAYOUT_COUNT (sizeof(layouts) / sizeof(layouts[0]))

// The zone, its lines cut apart.
struct zone {
	const struct layout *layout;
	char lines[LINES_MAX][LINE_MAX];
};

static bool is_letter(char c)
{
	return c >= 'A' && c <= 'Z';
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

// Value of a character in a check digit (part 3 §4.9), -1 for one that may stand in no MRZ.
static int value_of(char c)
{
	if (is_digit(c))
		return c - '0';
	if (is_letter(c))
		return c - 'A' + 10;
	return c == '<' ? 0 : -1;
}

// A sum that runs over several fields, as the composite digit and overflowing numbers need it.
struct check {
	int sum;
	size_t count;
};

static bool check_add(struct check *check, const char *field, size_t size)
{
	static const int weights[3] = {7, 3, 1};

	for (size_t i = 0; i < size; i++) {
		int value = value_of(field[i]);

		if (value < 0)
			return false;
		check->sum = (check->sum + value * weights[check->count++ % 3]) % 10;
	}
	return true;
}

char eg_mrz_check_digit(const char *field, size_t size)
{
	struct check check = {0};

	return check_add(&check, field, size) ? (char)('0' + check.sum) : '\0';
}

static const char *at(const struct zone *zone, struct place place)
{
	return &zone->lines[place.line][place.at];
}

static int refuse(const struct zone *zone, int line, const char *field, const char *rule,
		  struct eg_err *err)
{
	return eg_err_set(err, EG_EINVAL, "%s, line %d, %s: %s", zone->layout->name, line + 1,
			  field, rule);
}

// ---- cutting the text into lines ------------------------------------------------------------

struct text_line {
	const char *at;
	size_t size;
};

// Non-empty lines without spaces at their ends. At most LINES_MAX + 1 are counted.
static int cut(struct eg_bytes text, struct text_line lines[LINES_MAX])
{
	int count = 0;
	size_t from = 0;

	for (size_t i = 0; i <= text.size; i++) {
		size_t end = i;

		if (i < text.size && text.data[i] != '\r' && text.data[i] != '\n')
			continue;
		while (end > from && text.data[end - 1] == ' ')
			end--;
		if (end > from) {
			if (count == LINES_MAX)
				return LINES_MAX + 1;
			lines[count].at = (const char *)text.data + from;
			lines[count++].size = end - from;
		}
		from = i + 1;
	}
	return count;
}

static bool fits(const struct layout *layout, const struct text_line *lines, int count)
{
	size_t width = (size_t)layout->width;
	bool visa = lines[0].at[0] == 'V';

	if (visa != (layout->first_letters[0] == 'V'))
		return false;
	if (count == 1)
		return lines[0].size == width * (size_t)layout->lines;
	for (int i = 0; i < count; i++)
		if (lines[i].size != width)
			return false;
	return count == layout->lines;
}

static int find_layout(struct eg_bytes text, struct zone *zone, struct eg_err *err)
{
	struct text_line lines[LINES_MAX];
	int count = cut(text, lines);

	if (count == 0)
		return eg_err_set(err, EG_EINVAL, "the machine-readable zone is empty");
	for (size_t i = 0; count <= LINES_MAX && i < LAYOUT_COUNT; i++) {
		const struct layout *layout = &layouts[i];
		size_t width = (size_t)layout->width;

		if (!fits(layout, lines, count))
			continue;
		zone->layout = layout;
		for (int line = 0; line < layout->lines; line++)
			memcpy(zone->lines[line],
			       count == 1 ? lines[0].at + width * (size_t)line : lines[line].at,
			       width);
		return 0;
	}
	return eg_err_set(err, EG_EINVAL,
			  "no machine-readable zone: neither 3 lines of 30 nor 2 of 36 or 44 "
			  "characters; read the document again");
}

static int check_characters(const struct zone *zone, struct eg_err *err)
{
	for (int line = 0; line < zone->layout->lines; line++)
		for (int i = 0; i < zone->layout->width; i++)
			if (value_of(zone->lines[line][i]) < 0)
				return eg_err_set(err, EG_EINVAL,
						  "%s, line %d, character %d: not one of A-Z 0-9 <",
						  zone->layout->name, line + 1, i + 1);
	return 0;
}

// ---- fields ---------------------------------------------------------------------------------

static int check_digit(const struct zone *zone, struct place place, const char *field,
		       struct eg_err *err)
{
	const char *text = at(zone, place);

	if (eg_mrz_check_digit(text, (size_t)place.size) != text[place.size])
		return refuse(zone, place.line, field, "wrong check digit", err);
	return 0;
}

// An ICAO code: letters, then fillers. `ret_code` holds `place.size` + 1 characters.
static int read_code(const struct zone *zone, struct place place, const char *field, char *ret_code,
		     struct eg_err *err)
{
	const char *text = at(zone, place);
	int size = 0;

	while (size < place.size && is_letter(text[size]))
		size++;
	for (int i = size; i < place.size; i++)
		if (text[i] != '<')
			return refuse(zone, place.line, field, "not letters followed by <", err);
	if (size == 0)
		return refuse(zone, place.line, field, "empty", err);
	memcpy(ret_code, text, (size_t)size);
	ret_code[size] = '\0';
	return 0;
}

static int read_document_code(const struct zone *zone, struct eg_mrz *mrz, struct eg_err *err)
{
	int r = read_code(zone, (struct place){0, 0, 2}, "document code", mrz->document_code, err);

	if (r != 0)
		return r;
	if (!strchr(zone->layout->first_letters, mrz->document_code[0]))
		return refuse(zone, 0, "document code", "not one this format has", err);
	return 0;
}

static void put_number(struct eg_mrz *mrz, const char *text, size_t size)
{
	size_t length = strlen(mrz->number);

	for (size_t i = 0; i < size; i++)
		if (text[i] != '<' && length + 1 < sizeof(mrz->number))
			mrz->number[length++] = text[i];
	mrz->number[length] = '\0';
}

// Parts 5 and 6, note j: a number longer than nine characters has '<' for its check digit, and goes
// on in the optional data with its last characters, then its check digit, then a filler.
static int read_long_number(const struct zone *zone, struct eg_mrz *mrz, struct eg_err *err)
{
	struct place number = zone->layout->number, optional = zone->layout->optional;
	const char *rest = at(zone, optional);
	struct check check = {0};
	size_t size = 0;

	while (size < (size_t)optional.size && rest[size] != '<')
		size++;
	if (size < 2)
		return refuse(
			zone, number.line, "document number",
			"its check digit is missing, and it does not go on in the optional data",
			err);
	if (!check_add(&check, at(zone, number), (size_t)number.size) ||
	    !check_add(&check, rest, size - 1) || rest[size - 1] != '0' + check.sum)
		return refuse(zone, optional.line, "document number", "wrong check digit", err);
	put_number(mrz, at(zone, number), (size_t)number.size);
	put_number(mrz, rest, size - 1);
	return 0;
}

static int read_number(const struct zone *zone, struct eg_mrz *mrz, struct eg_err *err)
{
	struct place place = zone->layout->number;
	const char *text = at(zone, place);
	int r;

	if (text[0] == '<')
		return refuse(zone, place.line, "document number", "empty, or begins with <", err);
	if (text[place.size] == '<' && text[place.size - 1] != '<' &&
	    (zone->layout->flags & LONG_NUMBERS) != 0)
		return read_long_number(zone, mrz, err);
	r = check_digit(zone, place, "document number", err);
	if (r == 0)
		put_number(mrz, text, (size_t)place.size);
	return r;
}

// Two digits; -1 when both are unknown, -2 when they are neither.
static int two_digits(const char *text)
{
	if (text[0] == '<' && text[1] == '<')
		return -1;
	return is_digit(text[0]) && is_digit(text[1]) ? (text[0] - '0') * 10 + text[1] - '0' : -2;
}

static int read_date(const struct zone *zone, struct place place, bool parts_may_be_unknown,
		     const char *field, char ret_date[7], struct eg_err *err)
{
	// February has 29: the century is not written.
	static const int days_in[] = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	const char *text = at(zone, place);
	int lowest = parts_may_be_unknown ? -1 : 0;
	int year = two_digits(text), month = two_digits(text + 2), day = two_digits(text + 4);
	int r = check_digit(zone, place, field, err);

	if (r != 0)
		return r;
	if (year < lowest || month < lowest || day < lowest)
		return refuse(zone, place.line, field, "not six digits YYMMDD", err);
	if (month == 0 || month > 12 || day == 0 || day > (month > 0 ? days_in[month - 1] : 31))
		return refuse(zone, place.line, field, "no such day", err);
	if (year % 4 != 0 && year > 0 && month == 2 && day == 29)
		return refuse(zone, place.line, field, "no such day", err);
	memcpy(ret_date, text, 6);
	ret_date[6] = '\0';
	return 0;
}

static int read_sex(const struct zone *zone, struct eg_mrz *mrz, struct eg_err *err)
{
	char sex = *at(zone, zone->layout->sex);

	if (sex != 'M' && sex != 'F' && sex != '<')
		return refuse(zone, zone->layout->sex.line, "sex", "not M, F or <", err);
	mrz->sex = sex == '<' ? 'X' : sex;
	return 0;
}

// Words parted by single spaces, whatever number of fillers stands between them.
static void put_words(const char *text, size_t size, char *ret_words)
{
	size_t length = 0;

	for (size_t i = 0; i < size; i++) {
		if (text[i] != '<')
			ret_words[length++] = text[i];
		else if (length > 0 && ret_words[length - 1] != ' ')
			ret_words[length++] = ' ';
	}
	if (length > 0 && ret_words[length - 1] == ' ')
		length--;
	ret_words[length] = '\0';
}

static int read_names(const struct zone *zone, struct eg_mrz *mrz, struct eg_err *err)
{
	struct place place = zone->layout->name_field;
	const char *text = at(zone, place);
	size_t size = (size_t)place.size, surname = 0;

	for (size_t i = 0; i < size; i++)
		if (is_digit(text[i]))
			return refuse(zone, place.line, "name", "has a digit", err);
	if (text[0] == '<')
		return refuse(zone, place.line, "name", "empty, or begins with <", err);
	while (surname < size &&
	       !(text[surname] == '<' && surname + 1 < size && text[surname + 1] == '<'))
		surname++;
	put_words(text, surname, mrz->surname);
	put_words(text + surname, size - surname, mrz->given);
	return 0;
}

// TD3's personal number: the digit may be '<' when the field is empty (part 4 §4.2.2.2).
static int check_personal_number(const struct zone *zone, struct eg_err *err)
{
	struct place place = zone->layout->optional;
	const char *text = at(zone, place);
	int used = 0;

	if (!zone->layout->has_personal_check)
		return 0;
	while (used < place.size && text[used] == '<')
		used++;
	if (used == place.size && text[place.size] == '<')
		return 0;
	return check_digit(zone, place, "personal number", err);
}

static int check_composite(const struct zone *zone, struct eg_err *err)
{
	const struct layout *layout = zone->layout;
	struct check check = {0};

	if (layout->composite.size == 0)
		return 0;
	for (size_t i = 0; i < PARTS_MAX; i++)
		if (!check_add(&check, at(zone, layout->parts[i]), (size_t)layout->parts[i].size))
			return refuse(zone, layout->composite.line, "composite", "not A-Z 0-9 <",
				      err);
	if (*at(zone, layout->composite) != '0' + check.sum)
		return refuse(zone, layout->composite.line, "composite", "wrong check digit", err);
	return 0;
}

static int read_zone(const struct zone *zone, struct eg_mrz *mrz, struct eg_err *err)
{
	const struct layout *layout = zone->layout;
	int r = check_characters(zone, err);

	mrz->format = layout->format;
	if (r == 0)
		r = read_document_code(zone, mrz, err);
	if (r == 0)
		r = read_code(zone, (struct place){0, 2, 3}, "issuing State", mrz->issuer, err);
	if (r == 0)
		r = read_number(zone, mrz, err);
	if (r == 0)
		r = read_date(zone, layout->birth, true, "date of birth", mrz->birth, err);
	if (r == 0)
		r = read_sex(zone, mrz, err);
	if (r == 0)
		r = read_date(zone, layout->expiry, false, "date of expiry", mrz->expiry, err);
	if (r == 0)
		r = read_code(zone, layout->nationality, "nationality", mrz->nationality, err);
	if (r == 0)
		r = read_names(zone, mrz, err);
	if (r == 0)
		r = check_personal_number(zone, err);
	if (r == 0)
		r = check_composite(zone, err);
	return r;
}

int eg_mrz_parse(struct eg_bytes text, struct eg_mrz *ret_mrz, struct eg_err *err)
{
	struct zone zone = {0};
	struct eg_mrz mrz = {0};
	int r = find_layout(text, &zone, err);

	if (r == 0)
		r = read_zone(&zone, &mrz, err);
	if (r == 0)
		*ret_mrz = mrz;
	eg_wipe(&zone, sizeof(zone));
	eg_wipe(&mrz, sizeof(mrz));
	return r;
}
