// SPDX-License-Identifier: Apache-2.0
//
// See csv.h.

#include "net/central/csv.h"

#include <string.h>

void eg_csv_init(struct eg_csv *csv, struct eg_bytes bytes)
{
	static const uint8_t mark[] = {0xef, 0xbb, 0xbf};
	memset(csv, 0, sizeof(*csv));
	csv->cur = eg_cur_of(bytes);
	csv->next_line = 1;
	if (bytes.size >= sizeof(mark) && memcmp(bytes.data, mark, sizeof(mark)) == 0) {
		csv->cur.at += sizeof(mark);
		csv->cur.left -= sizeof(mark);
	}
}

// Length of the UTF-8 sequence at the cursor (RFC 3629), 0 when it is none.
static size_t utf8_length(const struct eg_cur *cur)
{
	const uint8_t *at = cur->at;
	size_t n = at[0] < 0x80 ? 1 : at[0] < 0xc2 ? 0 : at[0] < 0xe0 ? 2 : at[0] < 0xf0 ? 3 : 4;
	if (n == 0 || at[0] > 0xf4 || n > cur->left)
		return 0;
	for (size_t i = 1; i < n; i++)
		if ((at[i] & 0xc0) != 0x80)
			return 0;
	if ((at[0] == 0xe0 && at[1] < 0xa0) || (at[0] == 0xed && at[1] > 0x9f) ||
	    (at[0] == 0xf0 && at[1] < 0x90) || (at[0] == 0xf4 && at[1] > 0x8f))
		return 0;
	return n;
}

static int at_fault(const struct eg_csv *csv, int code, const char *what, struct eg_err *err)
{
	return eg_err_set(err, code, "line %zu, column %zu: %s", csv->line, csv->count + 1, what);
}

static void step(struct eg_csv *csv, size_t n)
{
	csv->cur.at += n;
	csv->cur.left -= n;
}

static bool at_line_end(const struct eg_csv *csv)
{
	const struct eg_cur *cur = &csv->cur;
	return cur->left == 0 || cur->at[0] == '\n' ||
	       (cur->at[0] == '\r' && cur->left > 1 && cur->at[1] == '\n');
}

// Copies the character at the cursor. `quoted`: line ends are text.
static int copy(struct eg_csv *csv, size_t *length, bool quoted, struct eg_err *err)
{
	size_t n = utf8_length(&csv->cur);
	uint8_t c = csv->cur.at[0];
	if (n == 0)
		return at_fault(csv, EG_EINVAL, "not UTF-8", err);
	if ((c < ' ' || c == 0x7f) && !(quoted && (c == '\n' || c == '\r')))
		return at_fault(csv, EG_EINVAL, "a control character", err);
	if (*length + n >= EG_CSV_FIELD_MAX)
		return at_fault(csv, EG_ETOOBIG, "longer than 1023 bytes", err);
	if (c == '\n')
		csv->next_line++;
	memcpy(csv->field[csv->count] + *length, csv->cur.at, n);
	*length += n;
	step(csv, n);
	return 0;
}

static int quoted_field(struct eg_csv *csv, struct eg_err *err)
{
	size_t length = 0;
	step(csv, 1);
	while (csv->cur.left > 0) {
		if (csv->cur.at[0] == '"') {
			step(csv, 1);
			if (csv->cur.left == 0 || csv->cur.at[0] != '"') {
				csv->field[csv->count][length] = '\0';
				return 0;
			}
		}
		int r = copy(csv, &length, true, err);
		if (r != 0)
			return r;
	}
	return at_fault(csv, EG_EINVAL, "a quote is opened and never closed", err);
}

static int plain_field(struct eg_csv *csv, struct eg_err *err)
{
	size_t length = 0;
	while (!at_line_end(csv) && csv->cur.at[0] != ',') {
		if (csv->cur.at[0] == '"')
			return at_fault(csv, EG_EINVAL,
					"a quote inside a field: put the field in quotes and "
					"double the quote",
					err);
		int r = copy(csv, &length, false, err);
		if (r != 0)
			return r;
	}
	csv->field[csv->count][length] = '\0';
	return 0;
}

static void end_line(struct eg_csv *csv)
{
	if (csv->cur.left > 0 && csv->cur.at[0] == '\r')
		step(csv, 1);
	if (csv->cur.left > 0)
		step(csv, 1);
	csv->next_line++;
}

int eg_csv_next(struct eg_csv *csv, struct eg_err *err)
{
	csv->count = 0;
	csv->line = csv->next_line;
	if (csv->cur.left == 0)
		return EG_ENOENT;
	for (;;) {
		if (csv->count == EG_CSV_COLUMNS_MAX)
			return at_fault(csv, EG_ETOOBIG, "more than 64 columns", err);
		int r = csv->cur.left > 0 && csv->cur.at[0] == '"' ? quoted_field(csv, err)
								   : plain_field(csv, err);
		if (r != 0)
			return r;
		if (!at_line_end(csv) && csv->cur.at[0] != ',')
			return at_fault(csv, EG_EINVAL, "text behind the closing quote", err);
		csv->count++;
		if (at_line_end(csv))
			break;
		step(csv, 1);
	}
	end_line(csv);
	return 0;
}
