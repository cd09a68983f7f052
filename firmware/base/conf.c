// SPDX-License-Identifier: Apache-2.0
//
// inih reads the lines; we hand them to it one by one, so that a complaint can name the line.

#include "firmware/base/conf.h"

#include <ini.h>
#include <limits.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "firmware/base/file.h"
#include "firmware/base/log.h"
#include "firmware/base/mem.h"

#define FILE_MAX_BYTES (256u << 10)
#define LINE_MAX_BYTES 190 // inih's own limit is 200, and it cuts longer lines in silence

struct load {
	const struct eg_conf_key *table;
	char *config;
	const char *path; // NULL: defaults
	char *text;	  // what is left to read
	unsigned int line;
	unsigned int bad;
	bool *seen; // per row
	char first[EG_ERR_TEXT_MAX];
};

static void complain(struct load *load, const char *fmt, ...) EG_PRINTF(2, 3);
static void complain(struct load *load, const char *fmt, ...)
{
	char what[256], whole[EG_ERR_TEXT_MAX];
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(what, sizeof(what), fmt, args);
	va_end(args);
	(void)snprintf(whole, sizeof(whole), "%s:%u: %s", load->path, load->line, what);
	if (load->bad++ == 0)
		(void)snprintf(load->first, sizeof(load->first), "%s", whole);
	else
		eg_error("%s", whole); // the first one is the returned error's text
}

static bool set_number(const struct eg_conf_key *key, char *to, const char *value, char why[128])
{
	double real;
	char *end;

	if (key->type == EG_CONF_INT) {
		long long whole = strtoll(value, &end, 10);

		real = (double)whole;
		if (end == value || *end != '\0') {
			(void)snprintf(why, 128, "is no whole number");
			return false;
		}
		if (real >= key->min && real <= key->max)
			*(long long *)(void *)to = whole;
	} else {
		real = strtod(value, &end);
		if (end == value || *end != '\0' || !isfinite(real)) {
			(void)snprintf(why, 128, "is no number");
			return false;
		}
		if (real >= key->min && real <= key->max)
			*(double *)(void *)to = real;
	}
	if (real < key->min || real > key->max) {
		(void)snprintf(why, 128, "is not within %g and %g", key->min, key->max);
		return false;
	}
	return true;
}

static bool set_bool(char *to, const char *value, char why[128])
{
	static const char *const yes[] = {"yes", "true", "1"}, *const no[] = {"no", "false", "0"};
	size_t i;

	for (i = 0; i < 3; i++) {
		if (strcmp(value, yes[i]) == 0 || strcmp(value, no[i]) == 0) {
			*(bool *)(void *)to = strcmp(value, yes[i]) == 0;
			return true;
		}
	}
	(void)snprintf(why, 128, "is neither yes nor no");
	return false;
}

static bool set_enum(const struct eg_conf_key *key, char *to, const char *value, char why[128])
{
	size_t used = 0;
	int i;

	for (i = 0; key->words[i] != NULL; i++) {
		if (strcmp(value, key->words[i]) == 0) {
			*(int *)(void *)to = i;
			return true;
		}
	}
	used += (size_t)snprintf(why, 128, "is none of");
	for (i = 0; key->words[i] != NULL && used < 128; i++)
		used += (size_t)snprintf(why + used, 128 - used, "%s %s", i == 0 ? "" : ",",
					 key->words[i]);
	return false;
}

// Relative paths are below the folder of the file they stand in.
static bool set_text(const struct load *load, const struct eg_conf_key *key, char *to,
		     const char *value, char why[128])
{
	const char *slash = load->path == NULL ? NULL : strrchr(load->path, '/');
	bool relative = key->type == EG_CONF_PATH && value[0] != '/' && value[0] != '\0';
	char folder[PATH_MAX] = ".";
	int n;

	if (value[0] == ';') { // with a space before it, it would be read as a comment
		(void)snprintf(why, 128, "begins with a semicolon");
		return false;
	}
	if (relative && slash != NULL)
		(void)snprintf(folder, sizeof(folder), "%.*s", (int)(slash - load->path),
			       load->path);
	if (relative && folder[0] != '/') {
		char cwd[PATH_MAX];

		if (realpath(folder[0] == '\0' ? "/" : folder, cwd) == NULL) {
			(void)snprintf(why, 128, "is relative to a folder that is not there");
			return false;
		}
		(void)snprintf(folder, sizeof(folder), "%s", cwd);
	}
	n = relative ? snprintf(to, key->size, "%s/%s", folder, value)
		     : snprintf(to, key->size, "%s", value);
	if (n < 0 || (size_t)n >= key->size) {
		(void)snprintf(why, 128, "is longer than %zu characters", key->size - 1);
		to[0] = '\0';
		return false;
	}
	return true;
}

static bool set(const struct load *load, const struct eg_conf_key *key, const char *value,
		char why[128])
{
	char *to = load->config + key->offset;

	switch (key->type) {
	case EG_CONF_INT:
	case EG_CONF_DOUBLE:
		return set_number(key, to, value, why);
	case EG_CONF_BOOL:
		return set_bool(to, value, why);
	case EG_CONF_ENUM:
		return set_enum(key, to, value, why);
	case EG_CONF_TEXT:
	case EG_CONF_PATH:
		return set_text(load, key, to, value, why);
	}
	return false;
}

// inih's callback: 1 goes on. Complaints are counted, so that all bad lines are named at once.
static int on_value(void *user, const char *section, const char *name, const char *value)
{
	struct load *load = user;
	char why[128];
	size_t i;

	for (i = 0; load->table[i].section != NULL; i++) {
		const struct eg_conf_key *key = &load->table[i];

		if (strcmp(key->section, section) != 0 || strcmp(key->name, name) != 0)
			continue;
		if (load->seen[i])
			complain(load,
				 "[%s] %s is given twice (an indented line goes on with the one "
				 "above)",
				 section, name);
		else if (!set(load, key, value, why))
			complain(load, "[%s] %s: '%.60s' %s", section, name, value, why);
		load->seen[i] = true;
		return 1;
	}
	complain(load, "[%s] %s is no key that this program knows; --print-config lists them",
		 section, name);
	return 1;
}

// inih's reader: one line at a time, like fgets.
static char *next_line(char *line, int room, void *stream)
{
	struct load *load = stream;
	size_t size;
	char *end;

	if (*load->text == '\0')
		return NULL;
	load->line++;
	end = strchr(load->text, '\n');
	size = end == NULL ? strlen(load->text) : (size_t)(end - load->text) + 1;
	if (size > LINE_MAX_BYTES) {
		complain(load, "the line is longer than %d bytes", LINE_MAX_BYTES - 1);
		(void)snprintf(line, (size_t)room, "\n");
	} else {
		(void)snprintf(line, (size_t)room, "%.*s", (int)size, load->text);
	}
	load->text += size;
	return line;
}

static int read_file(struct load *load, struct eg_err *err)
{
	struct eg_buf text;
	int r, line;

	eg_buf_init(&text, FILE_MAX_BYTES);
	r = eg_file_read(load->path, &text, err);
	if (r == 0 && eg_buf_text(&text) == NULL)
		r = eg_err_set(err, EG_ENOMEM, "%s: out of memory", load->path);
	if (r == 0 && text.size > 0 && memchr(text.data, 0, text.size) != NULL)
		r = eg_err_set(err, EG_EINVAL, "%s is no text file", load->path);
	if (r == 0) {
		load->text = (char *)text.data;
		line = ini_parse_stream(next_line, load, on_value, load);
		if (line > 0) {
			load->line = (unsigned int)line;
			complain(load, "neither a [section] nor a key = value");
		} else if (line < 0) {
			r = eg_err_set(err, EG_ENOMEM, "%s: out of memory", load->path);
		}
	}
	eg_buf_done(&text);
	return r;
}

static int set_defaults(struct load *load, struct eg_err *err)
{
	char why[128];
	size_t i;

	for (i = 0; load->table[i].section != NULL; i++) {
		const struct eg_conf_key *key = &load->table[i];

		if (key->def != NULL && !set(load, key, key->def, why))
			return eg_err_set(err, EG_EINVAL, "default of [%s] %s: '%s' %s",
					  key->section, key->name, key->def, why);
	}
	return 0;
}

int eg_conf_load(const char *path, const struct eg_conf_key *table, void *config,
		 struct eg_err *err)
{
	struct load load = {.table = table, .config = config, .path = path};
	size_t i, rows = 0;
	int r;

	while (table[rows].section != NULL)
		rows++;
	load.seen = eg_calloc(rows + 1, sizeof(*load.seen));
	if (load.seen == NULL)
		return eg_err_set(err, EG_ENOMEM, "configuration: out of memory");
	r = set_defaults(&load, err);
	if (r == 0 && path != NULL)
		r = read_file(&load, err);
	for (i = 0; r == 0 && path != NULL && i < rows; i++)
		if (table[i].def == NULL && !load.seen[i])
			complain(&load, "[%s] %s must be given", table[i].section, table[i].name);
	if (r == 0 && load.bad > 0)
		r = eg_err_set(err, EG_EINVAL, "%s%s", load.first,
			       load.bad > 1 ? " (and more, see above)" : "");
	free(load.seen);
	return r;
}

// As a person would write it, when that reads back as the same number: 0.95.
static void print_double(FILE *out, double value)
{
	char text[32];
	(void)snprintf(text, sizeof(text), "%.15g", value);
	(void)fprintf(out, "%.*g", strtod(text, NULL) == value ? 15 : 17, value);
}

static void print_value(FILE *out, const struct eg_conf_key *key, const char *from)
{
	switch (key->type) {
	case EG_CONF_INT:
		(void)fprintf(out, "%lld", *(const long long *)(const void *)from);
		break;
	case EG_CONF_DOUBLE:
		print_double(out, *(const double *)(const void *)from);
		break;
	case EG_CONF_BOOL:
		(void)fputs(*(const bool *)(const void *)from ? "yes" : "no", out);
		break;
	case EG_CONF_ENUM:
		(void)fputs(key->words[*(const int *)(const void *)from], out);
		break;
	case EG_CONF_TEXT:
	case EG_CONF_PATH:
		(void)fputs(from, out);
		break;
	}
}

void eg_conf_print(FILE *out, const struct eg_conf_key *table, const void *config)
{
	const char *section = NULL;
	size_t i;

	for (i = 0; table[i].section != NULL; i++) {
		const struct eg_conf_key *key = &table[i];

		if (section == NULL || strcmp(section, key->section) != 0)
			(void)fprintf(out, "%s[%s]\n", section == NULL ? "" : "\n", key->section);
		section = key->section;
		(void)fprintf(out, "# %s\n%s = ", key->help, key->name);
		print_value(out, key, (const char *)config + key->offset);
		(void)fputc('\n', out);
	}
}
