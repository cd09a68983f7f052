// SPDX-License-Identifier: Apache-2.0
//
// See roster.h.

#include "net/central/roster.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "firmware/base/mem.h"
#include "net/central/csv.h"

enum column {
	COLUMN_ID,
	COLUMN_SURNAME,
	COLUMN_GIVEN,
	COLUMN_BIRTH,
	COLUMN_CITIZENSHIP,
	COLUMN_DOCUMENT,
	COLUMN_ISSUER,
	COLUMN_FLIGHT,
	COLUMN_PNR, // from here on optional
	COLUMN_SEQUENCE,
	COLUMN_SEX,
	COLUMN_REGION,
	COLUMNS
};

static const char *const column_names[COLUMNS] = {
	"id",	  "surname", "given", "birth",	  "citizenship", "document",
	"issuer", "flight",  "pnr",   "sequence", "sex",	 "region",
};

struct reader {
	struct eg_csv csv;
	size_t columns;		   // fields in each record
	size_t at[COLUMNS];	   // field of the column; columns: none
	const char *text[COLUMNS]; // of the current record, "" where there is none
};

static int at_fault(const struct reader *reader, enum column column, const char *what,
		    struct eg_err *err)
{
	return eg_err_set(err, EG_EINVAL, "line %zu, column '%s': %s", reader->csv.line,
			  column_names[column], what);
}

static int read_header(struct reader *reader, struct eg_err *err)
{
	struct eg_csv *csv = &reader->csv;
	int r = eg_csv_next(csv, err);
	if (r != 0)
		return r == EG_ENOENT ? eg_err_set(err, EG_EINVAL, "line 1: the file is empty") : r;
	reader->columns = csv->count;
	for (size_t c = 0; c < COLUMNS; c++)
		reader->at[c] = csv->count;
	for (size_t f = 0; f < csv->count; f++) {
		size_t c = 0;
		while (c < COLUMNS && strcasecmp(csv->field[f], column_names[c]) != 0)
			c++;
		if (c == COLUMNS)
			return eg_err_set(err, EG_EINVAL,
					  "line 1, column %zu: '%.40s' is no column of a traveller "
					  "list; remove it",
					  f + 1, csv->field[f]);
		if (reader->at[c] != csv->count)
			return at_fault(reader, (enum column)c, "is there twice", err);
		reader->at[c] = f;
	}
	for (size_t c = 0; c < COLUMN_PNR; c++)
		if (reader->at[c] == csv->count)
			return at_fault(reader, (enum column)c, "is missing", err);
	return 0;
}

static int copy(const struct reader *reader, enum column column, char *text, size_t size,
		struct eg_err *err)
{
	const char *field = reader->text[column];
	size_t length = strlen(field);
	if (length >= size)
		return at_fault(reader, column, "too long", err);
	if (strpbrk(field, "\r\n") != NULL)
		return at_fault(reader, column, "holds a line end", err);
	memcpy(text, field, length + 1);
	return 0;
}

static bool is_date(const char *text)
{
	static const int days[] = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	int value[3] = {0};
	if (strlen(text) != 10)
		return false;
	for (size_t i = 0, part = 0; i < 10; i++) {
		if (i == 4 || i == 7) {
			if (text[i] != '-')
				return false;
			part++;
		} else if (text[i] < '0' || text[i] > '9') {
			return false;
		} else {
			value[part] = value[part] * 10 + (text[i] - '0');
		}
	}
	const int year = value[0], month = value[1], day = value[2];
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
	return year >= 1850 && month >= 1 && month <= 12 && day >= 1 && day <= days[month - 1] &&
	       !(month == 2 && day == 29 && !leap);
}

static int read_names(const struct reader *reader, struct eg_person *person, struct eg_err *err)
{
	int r = copy(reader, COLUMN_ID, person->id, sizeof(person->id), err);
	if (r == 0 && !eg_name_is_valid(person->id))
		r = at_fault(reader, COLUMN_ID,
			     "must be 1 to 63 letters, digits, '.', '_', ':' or '-'", err);
	if (r == 0)
		r = copy(reader, COLUMN_SURNAME, person->surname, sizeof(person->surname), err);
	if (r == 0)
		r = copy(reader, COLUMN_GIVEN, person->given, sizeof(person->given), err);
	if (r == 0 && person->surname[0] == '\0' && person->given[0] == '\0')
		r = at_fault(reader, COLUMN_SURNAME, "surname and given are both empty", err);
	if (r == 0 && strlen(person->surname) + strlen(person->given) + 3 > EG_PERSON_NAME_MAX)
		r = at_fault(reader, COLUMN_SURNAME, "surname and given together are too long",
			     err);
	return r;
}

static int read_facts(const struct reader *reader, struct eg_person *person, struct eg_err *err)
{
	int r = copy(reader, COLUMN_BIRTH, person->birth, sizeof(person->birth), err);
	if (r == 0 && person->birth[0] != '\0' && !is_date(person->birth))
		r = at_fault(reader, COLUMN_BIRTH, "must be a date like 1984-02-29, or empty", err);
	if (r != 0)
		return r;
	for (int class = EG_CITIZEN; class <= EG_CITIZENSHIP_UNKNOWN; class ++)
		if (strcasecmp(reader->text[COLUMN_CITIZENSHIP],
			       eg_citizenship_name((enum eg_citizenship) class)) == 0)
			person->citizenship = (enum eg_citizenship) class;
	if (person->citizenship == 0)
		r = at_fault(reader, COLUMN_CITIZENSHIP,
			     "must be citizen, resident, visitor or unknown", err);
	return r;
}

static int read_group(const struct reader *reader, enum column column, enum eg_axis axis,
		      const char *what, int *ret_group, struct eg_err *err)
{
	const char *text = reader->text[column];
	*ret_group = text[0] == '\0' ? 0 : eg_group_find(axis, text);
	return *ret_group < 0 ? at_fault(reader, column, what, err) : 0;
}

static int read_groups(const struct reader *reader, struct eg_person *person, struct eg_err *err)
{
	int sex, region = 0;
	int r = read_group(reader, COLUMN_SEX, EG_AXIS_SEX, "must be F, M, X or empty", &sex, err);
	if (r == 0)
		r = read_group(reader, COLUMN_REGION, EG_AXIS_REGION,
			       "must be a region's name, like europe-north-america, or empty",
			       &region, err);
	if (r != 0)
		return r;
	person->sex = (enum eg_sex)sex;
	person->region = (enum eg_region)region;
	return 0;
}

static int read_document(const struct reader *reader, struct eg_person *person, struct eg_err *err)
{
	const uint8_t salt[32] = {0};
	uint8_t digest[EG_SHA256_SIZE];
	int r = copy(reader, COLUMN_DOCUMENT, person->document, sizeof(person->document), err);
	if (r == 0)
		r = copy(reader, COLUMN_ISSUER, person->issuer, sizeof(person->issuer), err);
	if (r != 0 || person->document[0] == '\0')
		return r;
	size_t length = strlen(person->issuer);
	if (length < 1 || length > 3)
		return at_fault(reader, COLUMN_ISSUER,
				"must be the issuer's 1 to 3 letters, as in the MRZ", err);
	for (size_t i = 0; i < length; i++) {
		unsigned char c = (unsigned char)person->issuer[i];
		if (!isalpha(c) || c > 127)
			return at_fault(reader, COLUMN_ISSUER,
					"must be the issuer's 1 to 3 letters, as in the MRZ", err);
	}
	// Whether it can be a number at all is decided where it will be used.
	if (eg_manifest_document_digest(salt, person->issuer, person->document, digest) != 0)
		return at_fault(reader, COLUMN_DOCUMENT, "must be letters and digits", err);
	return 0;
}

static int read_booking(const struct reader *reader, struct eg_booking *booking, struct eg_err *err)
{
	const uint8_t salt[32] = {0};
	uint8_t digest[EG_SHA256_SIZE];
	int r = copy(reader, COLUMN_FLIGHT, booking->flight, sizeof(booking->flight), err);
	if (r == 0 && !eg_name_is_valid(booking->flight))
		r = at_fault(reader, COLUMN_FLIGHT,
			     "must be 1 to 63 letters, digits, '.', '_', ':' or '-'", err);
	if (r == 0)
		r = copy(reader, COLUMN_PNR, booking->pnr, sizeof(booking->pnr), err);
	if (r == 0)
		r = copy(reader, COLUMN_SEQUENCE, booking->sequence, sizeof(booking->sequence),
			 err);
	if (r != 0 || (booking->pnr[0] == '\0' && booking->sequence[0] == '\0'))
		return r;
	if (booking->pnr[0] == '\0' || booking->sequence[0] == '\0')
		return at_fault(reader, COLUMN_PNR, "pnr and sequence go together", err);
	if (eg_manifest_pass_digest(salt, booking->pnr, booking->sequence, digest) != 0)
		return at_fault(reader, COLUMN_PNR, "pnr and sequence must be letters and digits",
				err);
	return 0;
}

static int read_row(struct reader *reader, struct eg_roster_row *row, struct eg_err *err)
{
	struct eg_csv *csv = &reader->csv;
	if (csv->count != reader->columns)
		return eg_err_set(err, EG_EINVAL,
				  "line %zu: %zu fields, but the first line has %zu", csv->line,
				  csv->count, reader->columns);
	for (size_t c = 0; c < COLUMNS; c++)
		reader->text[c] = reader->at[c] < reader->columns ? csv->field[reader->at[c]] : "";
	row->line = csv->line;
	int r = read_names(reader, &row->person, err);
	if (r == 0)
		r = read_facts(reader, &row->person, err);
	if (r == 0)
		r = read_groups(reader, &row->person, err);
	if (r == 0)
		r = read_document(reader, &row->person, err);
	if (r == 0)
		r = read_booking(reader, &row->booking, err);
	return r;
}

static int compare(const void *a, const void *b)
{
	const struct eg_roster_row *left = a, *right = b;
	int order = strcmp(left->person.id, right->person.id);
	return order != 0 ? order : strcmp(left->booking.flight, right->booking.flight);
}

static bool same_person(const struct eg_person *a, const struct eg_person *b)
{
	return strcmp(a->surname, b->surname) == 0 && strcmp(a->given, b->given) == 0 &&
	       strcmp(a->birth, b->birth) == 0 && a->citizenship == b->citizenship &&
	       a->sex == b->sex && a->region == b->region &&
	       strcmp(a->document, b->document) == 0 && strcmp(a->issuer, b->issuer) == 0;
}

static int check_repeats(const struct eg_roster *roster, struct eg_err *err)
{
	for (size_t i = 1; i < roster->count; i++) {
		const struct eg_roster_row *a = &roster->row[i - 1], *b = &roster->row[i];
		size_t first = a->line < b->line ? a->line : b->line;
		size_t second = a->line < b->line ? b->line : a->line;
		if (strcmp(a->person.id, b->person.id) != 0)
			continue;
		if (strcmp(a->booking.flight, b->booking.flight) == 0)
			return eg_err_set(err, EG_EINVAL,
					  "line %zu, column 'id': '%s' is booked on this flight in "
					  "line %zu already",
					  second, b->person.id, first);
		if (!same_person(&a->person, &b->person))
			return eg_err_set(err, EG_EINVAL,
					  "line %zu, column 'id': '%s' is somebody else in line "
					  "%zu",
					  second, b->person.id, first);
	}
	return 0;
}

static int read_rows(struct reader *reader, struct eg_roster *roster, struct eg_err *err)
{
	size_t room = 0;
	int r;
	while ((r = eg_csv_next(&reader->csv, err)) == 0) {
		if (reader->csv.count == 1 && reader->csv.field[0][0] == '\0')
			continue; // an empty line
		if (roster->count == EG_TRAVELLERS_MAX)
			return eg_err_set(err, EG_ETOOBIG, "line %zu: more than %d travellers",
					  reader->csv.line, EG_TRAVELLERS_MAX);
		if (roster->count == room) {
			room = room == 0 ? 512 : 2 * room;
			void *grown = eg_realloc(roster->row, room, sizeof(roster->row[0]));
			if (grown == NULL)
				return eg_err_set(err, EG_ENOMEM, "out of memory");
			roster->row = grown;
		}
		roster->row[roster->count] = (struct eg_roster_row){0};
		r = read_row(reader, &roster->row[roster->count], err);
		if (r != 0)
			return r;
		roster->count++;
	}
	return r == EG_ENOENT ? 0 : r;
}

int eg_roster_read(struct eg_bytes csv, struct eg_roster *ret_roster, struct eg_err *err)
{
	struct eg_roster roster = {0};
	if (csv.size > EG_ROSTER_MAX)
		return eg_err_set(err, EG_ETOOBIG, "the list is over 64 MB");
	struct reader *reader = eg_calloc(1, sizeof(*reader));
	if (reader == NULL)
		return eg_err_set(err, EG_ENOMEM, "out of memory");
	eg_csv_init(&reader->csv, csv);
	int r = read_header(reader, err);
	if (r == 0)
		r = read_rows(reader, &roster, err);
	if (r == 0 && roster.count == 0)
		r = eg_err_set(err, EG_EINVAL, "line 1: there is no traveller behind it");
	if (r == 0) {
		qsort(roster.row, roster.count, sizeof(roster.row[0]), compare);
		r = check_repeats(&roster, err);
	}
	eg_wipe(reader, sizeof(*reader));
	free(reader);
	if (r != 0) {
		eg_roster_done(&roster);
		return r;
	}
	*ret_roster = roster;
	return 0;
}

void eg_roster_done(struct eg_roster *roster)
{
	if (roster == NULL)
		return;
	if (roster->row != NULL)
		eg_wipe(roster->row, roster->count * sizeof(roster->row[0]));
	free(roster->row);
	*roster = (struct eg_roster){0};
}

const struct eg_roster_row *eg_roster_find(const struct eg_roster *roster, const char *id)
{
	size_t low = 0, high = roster->count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (strcmp(roster->row[middle].person.id, id) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low < roster->count && strcmp(roster->row[low].person.id, id) == 0
		       ? &roster->row[low]
		       : NULL;
}

// Cuts "_SOURCE_YEAR" off the end of `stem`, when it is there.
static void cut_source(char *stem, struct eg_photo_name *name)
{
	char *year = strrchr(stem, '_');
	if (year == NULL || strlen(year) != 5 || strspn(year + 1, "0123456789") != 4)
		return;
	*year = '\0';
	char *source = strrchr(stem, '_');
	for (int s = EG_PHOTO_PASSPORT; source != NULL && s <= EG_PHOTO_ENTRY; s++) {
		if (strcasecmp(source + 1, eg_photo_source_name((enum eg_photo_source)s)) != 0)
			continue;
		*source = '\0';
		name->source = (enum eg_photo_source)s;
		name->year = (unsigned int)strtoul(year + 1, NULL, 10);
		return;
	}
	*year = '_'; // the id itself ends like a year
}

int eg_roster_photo_name(const char *file, struct eg_photo_name *ret_name)
{
	struct eg_photo_name name = {.source = EG_PHOTO_PASSPORT};
	char stem[EG_NAME_MAX + 32];
	const char *dot = strrchr(file, '.');
	if (dot == NULL || (size_t)(dot - file) >= sizeof(stem) ||
	    (strcasecmp(dot, ".jpg") != 0 && strcasecmp(dot, ".jpeg") != 0 &&
	     strcasecmp(dot, ".jp2") != 0))
		return EG_EINVAL;
	(void)snprintf(stem, sizeof(stem), "%.*s", (int)(dot - file), file);
	cut_source(stem, &name);
	if (!eg_name_is_valid(stem))
		return EG_EINVAL;
	(void)snprintf(name.id, sizeof(name.id), "%.*s", EG_NAME_MAX - 1, stem);
	*ret_name = name;
	return 0;
}

void eg_person_display(const struct eg_person *person, char ret_text[EG_PERSON_NAME_MAX])
{
	bool both = person->surname[0] != '\0' && person->given[0] != '\0';
	// read_names has refused what would not fit.
	(void)snprintf(ret_text, EG_PERSON_NAME_MAX, "%.62s%s%.62s", person->surname,
		       both ? ", " : "", person->given);
}
