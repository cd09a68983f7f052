// SPDX-License-Identifier: Apache-2.0
//
// Bar-coded boarding passes, IATA Resolution 792, format M:
//
//	M legs name(20) e-ticket(1)
//	per leg: pnr(7) from(3) to(3) carrier(3) flight(5) day(3) compartment(1) seat(4)
//	         sequence(5) status(1) size(2 hex) and that many conditional characters, which are
//	         in the first leg '>' version size(2) unique…, in each leg size(2) repeated…, and
//	         what is left is the airline's own
//	'^' type size(2 hex) security data                                            (optional)
//
// Everything is read through a bounded cursor; a nested size that leaves its surrounding one is an
// error. Personal data: error texts name the field and the rule, never what was read. Thread: any.

#include "drivers/bcbp.h"

#include <string.h>

#include "firmware/base/mem.h"

static bool is_upper(uint8_t c)
{
	return c >= 'A' && c <= 'Z';
}

static bool is_digit(uint8_t c)
{
	return c >= '0' && c <= '9';
}

static bool is_alnum(uint8_t c)
{
	return is_upper(c) || is_digit(c);
}

static bool is_print(uint8_t c)
{
	return c >= ' ' && c <= '~';
}

static int short_text(const char *field, struct eg_err *err)
{
	return eg_err_set(err, EG_EINVAL, "boarding pass: ends within %s", field);
}

static int refuse(const char *field, const char *rule, struct eg_err *err)
{
	return eg_err_set(err, EG_EINVAL, "boarding pass: %s: %s", field, rule);
}

// A field of `size` characters: allowed ones, then spaces. `ret_text` holds size + 1 characters.
static int get_text(struct eg_cur *cur, size_t size, bool (*allowed)(uint8_t), const char *field,
		    char *ret_text, struct eg_err *err)
{
	struct eg_bytes view;
	size_t length;

	if (eg_cur_get(cur, size, &view) != 0)
		return short_text(field, err);
	length = size;
	while (length > 0 && view.data[length - 1] == ' ')
		length--;
	for (size_t i = 0; i < length; i++)
		if (!allowed(view.data[i]))
			return refuse(field, "has a character that may not stand there", err);
	memcpy(ret_text, view.data, length);
	ret_text[length] = '\0';
	return 0;
}

static int get_char(struct eg_cur *cur, const char *field, char *ret_char, struct eg_err *err)
{
	uint8_t c;

	if (eg_cur_get_u8(cur, &c) != 0)
		return short_text(field, err);
	if (!is_alnum(c) && c != ' ')
		return refuse(field, "neither a letter, a digit nor a space", err);
	*ret_char = (char)c;
	return 0;
}

// Two hexadecimal digits, upper case, and the view of as many characters after them.
static int get_sized(struct eg_cur *cur, const char *field, struct eg_bytes *ret_view,
		     struct eg_err *err)
{
	struct eg_bytes digits;
	size_t size = 0;

	if (eg_cur_get(cur, 2, &digits) != 0)
		return short_text(field, err);
	for (size_t i = 0; i < 2; i++) {
		uint8_t c = digits.data[i];

		if (!is_digit(c) && !(c >= 'A' && c <= 'F'))
			return refuse(field, "its size is not two hexadecimal digits", err);
		size = size * 16 + (size_t)(is_digit(c) ? c - '0' : c - 'A' + 10);
	}
	if (eg_cur_get(cur, size, ret_view) != 0)
		return refuse(field, "its size is larger than what follows", err);
	return 0;
}

// ---- mandatory items ------------------------------------------------------------------------

static int get_airport(struct eg_cur *cur, const char *field, char ret_code[4], struct eg_err *err)
{
	int r = get_text(cur, 3, is_upper, field, ret_code, err);

	if (r == 0 && strlen(ret_code) != 3)
		return refuse(field, "not three letters", err);
	return r;
}

// Up to four digits and an operational suffix.
static int get_flight(struct eg_cur *cur, char ret_flight[6], struct eg_err *err)
{
	int r = get_text(cur, 5, is_alnum, "flight number", ret_flight, err);
	size_t digits = 0, length;

	if (r != 0)
		return r;
	length = strlen(ret_flight);
	while (is_digit((uint8_t)ret_flight[digits]))
		digits++;
	if (digits == 0 || digits > 4 || length - digits > 1)
		return refuse("flight number", "not one to four digits and at most one letter",
			      err);
	return 0;
}

static int get_day(struct eg_cur *cur, int *ret_day, struct eg_err *err)
{
	struct eg_bytes view;
	int day = 0;

	if (eg_cur_get(cur, 3, &view) != 0)
		return short_text("date of flight", err);
	for (size_t i = 0; i < 3; i++) {
		if (!is_digit(view.data[i]))
			return refuse("date of flight", "not three digits", err);
		day = day * 10 + view.data[i] - '0';
	}
	if (day < 1 || day > 366)
		return refuse("date of flight", "not a day from 001 to 366", err);
	*ret_day = day;
	return 0;
}

static int get_mandatory(struct eg_cur *cur, struct eg_bcbp_leg *leg, struct eg_err *err)
{
	int r = get_text(cur, 7, is_alnum, "record locator", leg->pnr, err);

	if (r == 0)
		r = get_airport(cur, "from airport", leg->from, err);
	if (r == 0)
		r = get_airport(cur, "to airport", leg->to, err);
	if (r == 0)
		r = get_text(cur, 3, is_alnum, "carrier", leg->carrier, err);
	if (r == 0 && strlen(leg->carrier) < 2)
		r = refuse("carrier", "shorter than two characters", err);
	if (r == 0)
		r = get_flight(cur, leg->flight, err);
	if (r == 0)
		r = get_day(cur, &leg->day_of_year, err);
	if (r == 0)
		r = get_char(cur, "compartment", &leg->compartment, err);
	if (r == 0)
		r = get_text(cur, 4, is_alnum, "seat", leg->seat, err);
	if (r == 0)
		r = get_text(cur, 5, is_alnum, "check-in sequence number", leg->sequence, err);
	if (r == 0)
		r = get_char(cur, "passenger status", &leg->status, err);
	return r;
}

// ---- conditional items ----------------------------------------------------------------------

// '>' version size unique…, in the first leg only.
static int get_unique(struct eg_cur *cur, int *ret_version, struct eg_err *err)
{
	struct eg_bytes head, unique;
	int r;

	if (eg_cur_get(cur, 2, &head) != 0)
		return short_text("version number", err);
	if (head.data[0] != '>' || !is_digit(head.data[1]) || head.data[1] == '0')
		return refuse("version number", "not > and a digit from 1 to 9", err);
	r = get_sized(cur, "unique conditional items", &unique, err);
	if (r == 0)
		*ret_version = head.data[1] - '0';
	return r;
}

static int get_conditional(struct eg_cur *cur, bool first, int *ret_version, struct eg_err *err)
{
	struct eg_bytes all, repeated;
	struct eg_cur inner;
	int r = get_sized(cur, "conditional items", &all, err);

	if (r != 0 || all.size == 0)
		return r;
	inner = eg_cur_of(all);
	if (first) {
		r = get_unique(&inner, ret_version, err);
		if (r != 0 || inner.left == 0)
			return r;
	}
	// What is left behind them is for the airline's individual use and not looked at.
	return get_sized(&inner, "repeated conditional items", &repeated, err);
}

static int get_security(struct eg_cur *cur, struct eg_bcbp *pass, struct eg_err *err)
{
	struct eg_bytes data;
	uint8_t mark;
	char type;
	int r;

	if (eg_cur_get_u8(cur, &mark) != 0)
		return 0;
	if (mark != '^')
		return refuse("end", "something other than security data follows the last leg",
			      err);
	r = get_char(cur, "type of security data", &type, err);
	if (r == 0)
		r = get_sized(cur, "security data", &data, err);
	if (r == 0 && cur->left > 0)
		r = refuse("end", "something follows the security data", err);
	if (r == 0)
		pass->has_security = true;
	return r;
}

static int get_head(struct eg_cur *cur, struct eg_bcbp *pass, struct eg_err *err)
{
	uint8_t format, legs;
	char ticket;
	int r;

	if (eg_cur_get_u8(cur, &format) != 0 || format != 'M')
		return refuse("format code", "not M", err);
	if (eg_cur_get_u8(cur, &legs) != 0 || legs < '1' || legs > '0' + EG_BCBP_LEGS_MAX)
		return refuse("number of legs", "not 1 to 4", err);
	pass->leg_count = (size_t)(legs - '0');
	r = get_text(cur, 20, is_print, "passenger name", pass->name, err);
	if (r == 0 && (pass->name[0] == '\0' || pass->name[0] == ' '))
		r = refuse("passenger name", "empty, or begins with a space", err);
	if (r == 0)
		r = get_char(cur, "electronic ticket indicator", &ticket, err);
	if (r == 0)
		pass->electronic_ticket = ticket == 'E';
	return r;
}

static int get_pass(struct eg_bytes text, struct eg_bcbp *pass, struct eg_err *err)
{
	struct eg_cur cur = eg_cur_of(text);
	int r;

	for (size_t i = 0; i < text.size; i++)
		if (!is_print(text.data[i]))
			return eg_err_set(err, EG_EINVAL,
					  "boarding pass: character %zu is not printable", i + 1);
	r = get_head(&cur, pass, err);
	for (size_t i = 0; r == 0 && i < pass->leg_count; i++) {
		r = get_mandatory(&cur, &pass->legs[i], err);
		if (r == 0)
			r = get_conditional(&cur, i == 0, &pass->version, err);
		if (r != 0)
			r = eg_err_prefix(err, r, "leg %zu", i + 1);
	}
	return r == 0 ? get_security(&cur, pass, err) : r;
}

int eg_bcbp_parse(struct eg_bytes text, struct eg_bcbp *ret_pass, struct eg_err *err)
{
	struct eg_bcbp pass = {0};
	int r = get_pass(text, &pass, err);

	if (r == 0)
		*ret_pass = pass;
	eg_wipe(&pass, sizeof(pass));
	return r;
}
