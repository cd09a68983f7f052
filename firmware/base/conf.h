// SPDX-License-Identifier: Apache-2.0
//
// Configuration: INI files through inih, one const keyword table per program that states section,
// name, type, range, default and help in one place. An unknown or duplicate key, a value out of
// range or an over-long line is an error that names file and line; all bad lines are reported (on
// the log, at error level) before the load fails.
//
// Thread: any; the loaded struct is the caller's.

#ifndef EG_CONF_H
#define EG_CONF_H

#include <stdio.h>

#include "firmware/base/buf.h"

enum eg_conf_type {
	EG_CONF_INT,	// long long, `min` … `max`
	EG_CONF_DOUBLE, // double, `min` … `max`
	EG_CONF_BOOL,	// bool: yes/no/true/false/1/0
	EG_CONF_TEXT,	// char[size], may be empty
	EG_CONF_PATH,	// char[size], absolute after loading: relative ones are below the file's
			// folder
	EG_CONF_ENUM,	// int: index into the NULL-terminated `words`
};

struct eg_conf_key {
	const char *section;
	const char *name;
	enum eg_conf_type type;
	size_t offset; // into the program's struct
	size_t size;   // of a TEXT or PATH array
	double min, max;
	const char *const *words;
	const char *def;  // as it would stand in the file; NULL: must be given
	const char *help; // one line, printed by --print-config
};

// The table ends with a row whose section is NULL. Fills `config` with defaults, then with the
// file's values. path NULL: defaults only.
int eg_conf_load(const char *path, const struct eg_conf_key *table, void *config,
		 struct eg_err *err) EG_CHECKED;

// The whole configuration with its help lines, as a file that loads again.
void eg_conf_print(FILE *out, const struct eg_conf_key *table, const void *config);

#endif
