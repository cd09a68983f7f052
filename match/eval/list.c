// SPDX-License-Identifier: Apache-2.0
//
// Reading TSV lists in place: the file's text is kept and cut at tabs and line ends.

#include "match/eval/list.h"

#include <stdlib.h>
#include <string.h>

#include "firmware/base/file.h"
#include "firmware/base/mem.h"

#define LIST_MAX_BYTES (1u << 30)

void eval_list_done(struct eval_list *list)
{
	free(list->folder);
	free(list->lines);
	free(list->text);
	*list = (struct eval_list){0};
}

static int read_text(struct eval_list *list, size_t *ret_lines, struct eg_err *err)
{
	struct eg_buf buf;
	uint8_t *bytes;
	size_t size;
	int r;

	eg_buf_init(&buf, LIST_MAX_BYTES);
	r = eg_file_read(list->path, &buf, err);
	if (r != 0)
		goto out;
	if (memchr(buf.data ? buf.data : (const uint8_t *)"", 0, buf.size)) {
		r = eg_err_set(err, EG_EINVAL, "%s: is not a text file", list->path);
		goto out;
	}
	if (!eg_buf_text(&buf)) {
		r = eg_err_set(err, EG_ENOMEM, "%s: out of memory", list->path);
		goto out;
	}
	eg_buf_take(&buf, &bytes, &size);
	list->text = (char *)bytes;
	*ret_lines = 1;
	for (size_t i = 0; i < size; i++)
		*ret_lines += list->text[i] == '\n';
out:
	eg_buf_done(&buf);
	return r;
}

static int cut_line(const struct eval_list *list, char *text, size_t least, size_t most,
		    struct eval_line *line, struct eg_err *err)
{
	char *tab;

	line->fields = 0;
	do {
		tab = strchr(text, '\t');
		if (tab)
			*tab = '\0';
		if (*text == '\0' || line->fields == most)
			return eg_err_set(err, EG_EINVAL,
					  "%s: line %zu: %s; %zu to %zu fields parted by one tab "
					  "are wanted",
					  list->path, line->number,
					  *text ? "too many fields" : "an empty field", least,
					  most);
		line->field[line->fields++] = text;
		text = tab ? tab + 1 : NULL;
	} while (text);
	if (line->fields < least)
		return eg_err_set(err, EG_EINVAL,
				  "%s: line %zu: %zu field(s); %zu to %zu fields parted by one tab "
				  "are wanted",
				  list->path, line->number, line->fields, least, most);
	return 0;
}

static int cut_lines(struct eval_list *list, size_t least, size_t most, struct eg_err *err)
{
	char *at = list->text;
	size_t number = 0;
	int r = 0;

	while (at && r == 0) {
		char *end = strchr(at, '\n');
		size_t length = end ? (size_t)(end - at) : strlen(at);

		number++;
		at[length] = '\0';
		if (length > 0 && at[length - 1] == '\r')
			at[length - 1] = '\0';
		if (*at != '\0' && *at != '#') {
			struct eval_line *line = &list->lines[list->count++];

			line->number = number;
			r = cut_line(list, at, least, most, line, err);
		}
		at = end ? end + 1 : NULL;
	}
	if (r == 0 && list->count == 0)
		r = eg_err_set(err, EG_EINVAL, "%s: the list has no lines", list->path);
	return r;
}

int eval_list_load(const char *path, size_t least, size_t most, struct eval_list *ret_list,
		   struct eg_err *err)
{
	struct eval_list list = {.path = path};
	const char *slash = strrchr(path, '/');
	size_t lines = 0;
	int r = read_text(&list, &lines, err);

	if (r != 0)
		return r;
	list.folder = eg_strdup(slash ? path : ".");
	list.lines = eg_calloc(lines, sizeof(*list.lines));
	if (!list.folder || !list.lines) {
		r = eg_err_set(err, EG_ENOMEM, "%s: out of memory", path);
	} else {
		if (slash)
			list.folder[slash - path] = '\0';
		r = cut_lines(&list, least, most, err);
	}
	if (r != 0)
		eval_list_done(&list);
	else
		*ret_list = list;
	return r;
}
