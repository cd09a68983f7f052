// SPDX-License-Identifier: Apache-2.0
//
// CSV as RFC 4180 has it: comma, double quotes, quotes doubled inside quotes, CRLF or LF at the end
// of a record, the last one may lack it. A byte order mark in front is passed over.
//
// Refused: a quote inside an unquoted field, anything behind a closing quote, a quote that is never
// closed, control characters (but line ends within quotes), text that is not UTF-8, over-long
// fields, too many columns. Foreign bytes.
//
// Thread: any.

#ifndef EG_CENTRAL_CSV_H
#define EG_CENTRAL_CSV_H

#include "firmware/base/buf.h"

#define EG_CSV_COLUMNS_MAX 64
#define EG_CSV_FIELD_MAX   1024 // bytes, with NUL

struct eg_csv {
	struct eg_cur cur;
	size_t line; // of the record that was read last, from 1
	size_t next_line;
	size_t count; // its fields
	char field[EG_CSV_COLUMNS_MAX][EG_CSV_FIELD_MAX];
};

// `bytes` are lent while it is read. The struct is large: keep it on the heap.
void eg_csv_init(struct eg_csv *csv, struct eg_bytes bytes);

// The next record into csv->field. EG_ENOENT at the end; EG_EINVAL, EG_ETOOBIG name line and
// column number. An empty line is a record with one empty field.
int eg_csv_next(struct eg_csv *csv, struct eg_err *err) EG_CHECKED;

#endif
