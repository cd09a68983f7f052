// SPDX-License-Identifier: Apache-2.0
//
// TSV lists: UTF-8 text, one record a line, fields parted by one tab; empty lines and lines that
// begin with "#" are skipped. CR at a line's end is taken off.

#ifndef EG_EVAL_LIST_H
#define EG_EVAL_LIST_H

#include "firmware/base/buf.h"

#define EVAL_FIELDS_MAX 8

struct eval_line {
	size_t number; // in the file, from 1
	size_t fields;
	char *field[EVAL_FIELDS_MAX]; // into the list's text
};

struct eval_list {
	const char *path; // the caller's
	char *folder;	  // of the file; relative image paths are looked for here first
	char *text;
	struct eval_line *lines;
	size_t count;
};

// EG_EINVAL for a line with fewer than `least` or more than `most` fields, or with an empty one;
// the text names file and line.
int eval_list_load(const char *path, size_t least, size_t most, struct eval_list *ret_list,
		   struct eg_err *err) EG_CHECKED;
void eval_list_done(struct eval_list *list); // takes a zeroed struct

#endif
