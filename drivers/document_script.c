// SPDX-License-Identifier: Apache-2.0
//
// A document reader for tests and the demo: a text file, one document a paragraph, the next one at
// each call. The file is read whole when it is opened (64 kB at most).
//
// Thread: the caller's.

#include "drivers/document.h"

#include <stdlib.h>
#include <string.h>

#include "firmware/base/file.h"
#include "firmware/base/mem.h"

#define SCRIPT_MAX (64u << 10)

struct eg_document_reader {
	struct eg_buf text;
	size_t at;
};

static void script_close(struct eg_document_reader *reader)
{
	if (!reader)
		return;
	eg_buf_done(&reader->text);
	free(reader);
}

static int script_open(const char *source, struct eg_document_reader **ret_reader,
		       struct eg_err *err)
{
	struct eg_document_reader *reader = eg_calloc(1, sizeof(*reader));
	int r = 0;

	if (!reader)
		return eg_err_set(err, EG_ENOMEM, "document script: out of memory");
	eg_buf_init_secret(&reader->text, SCRIPT_MAX);
	if (source[0] != '\0')
		r = eg_file_read(source, &reader->text, err);
	if (r != 0) {
		script_close(reader);
		return eg_err_prefix(err, r, "document script");
	}
	*ret_reader = reader;
	return 0;
}

static int script_fd(const struct eg_document_reader *reader)
{
	(void)reader;
	return -1;
}

static size_t line_end(const struct eg_buf *text, size_t at)
{
	while (at < text->size && text->data[at] != '\n')
		at++;
	return at;
}

static bool is_blank(const struct eg_buf *text, size_t from, size_t to)
{
	while (from < to && (text->data[from] == ' ' || text->data[from] == '\r'))
		from++;
	return from == to;
}

// The next run of lines that are not blank.
static struct eg_bytes next_paragraph(struct eg_document_reader *reader)
{
	const struct eg_buf *text = &reader->text;
	size_t from = text->size, to = text->size;

	while (reader->at < text->size) {
		size_t start = reader->at, end = line_end(text, start);
		bool blank = is_blank(text, start, end);

		if (blank && from != text->size)
			break;
		reader->at = end < text->size ? end + 1 : end;
		if (blank)
			continue;
		if (from == text->size)
			from = start;
		to = end;
	}
	return from < to ? EG_BYTES(text->data + from, to - from) : EG_BYTES(NULL, 0);
}

static int script_read(struct eg_document_reader *reader, bool timed_out,
		       struct eg_document *ret_document, struct eg_err *err)
{
	struct eg_bytes paragraph = next_paragraph(reader);

	(void)timed_out;
	if (paragraph.size == 0)
		return eg_err_set(err, EG_EAGAIN, "document script: nothing left");
	return eg_document_parse(paragraph, ret_document, err);
}

const struct eg_document_ops eg_document_script = {
	.name = "script",
	.open = script_open,
	.fd = script_fd,
	.read = script_read,
	.close = script_close,
};
