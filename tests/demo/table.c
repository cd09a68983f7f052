// SPDX-License-Identifier: Apache-2.0

#include "tests/demo/table.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "firmware/base/buf.h"
#include "firmware/base/file.h"

#define COLUMNS_MAX 16

// Cuts a line at its tabs, in place.
static size_t cut(char *line, char *columns[COLUMNS_MAX])
{
	size_t count = 0;

	while (line != NULL && count < COLUMNS_MAX)
		columns[count++] = strsep(&line, "\t");
	return count;
}

static bool copy(char *to, size_t size, const char *from)
{
	int n = snprintf(to, size, "%s", from);

	return n >= 0 && (size_t)n < size;
}

#define COPY(to, from) copy((to), sizeof(to), (from))

// "3:0.37:0.374"
static bool place(const char *text, struct eg_place *ret_place)
{
	char *end;
	long sample = strtol(text, &end, 10);

	if (*end != ':' || sample < 1 || sample > 6)
		return false;
	ret_place->sample = (int)sample;
	ret_place->x = strtof(end + 1, &end);
	if (*end != ':')
		return false;
	ret_place->y = strtof(end + 1, &end);
	return *end == '\0';
}

static bool cast_row(struct eg_table *table, char **c, size_t count)
{
	struct eg_cast *cast = &table->cast[table->cast_count];

	if (table->cast_count == EG_CAST_MAX || count != 9)
		return false;
	table->cast_count++;
	return COPY(cast->id, c[0]) && place(c[1], &cast->place) && COPY(cast->surname, c[2]) &&
	       COPY(cast->given, c[3]) && COPY(cast->birth, c[4]) &&
	       COPY(cast->citizenship, c[5]) && COPY(cast->document, c[6]) &&
	       COPY(cast->pnr, c[7]) && COPY(cast->sequence, c[8]);
}

static bool scene_row(struct eg_table *table, char **c, size_t count)
{
	struct eg_scene *scene = &table->scene[table->scene_count];
	char *rest, *one;

	if (table->scene_count == EG_SCENES_MAX || count != 8 || !COPY(scene->name, c[0]))
		return false;
	table->scene_count++;
	rest = c[1];
	while ((one = strsep(&rest, ",")) != NULL) {
		if (scene->people == EG_SCENE_PEOPLE || !place(one, &scene->place[scene->people++]))
			return false;
	}
	scene->degraded = strcmp(c[2], "degraded") == 0;
	return scene->degraded || strcmp(c[2], "plain") == 0;
}

static int load(const char *path, struct eg_table *table,
		bool (*row)(struct eg_table *table, char **columns, size_t count),
		struct eg_err *err)
{
	char *columns[COLUMNS_MAX], *rest, *line;
	unsigned int number = 0;
	struct eg_buf text;
	int r;

	eg_buf_init(&text, 1 << 16);
	r = eg_file_read(path, &text, err);
	if (r != 0)
		goto out;
	rest = eg_buf_text(&text) == NULL ? NULL : (char *)text.data;
	while (r == 0 && (line = strsep(&rest, "\n")) != NULL) {
		number++;
		if (line[0] == '#' || line[0] == '\0')
			continue;
		if (!row(table, columns, cut(line, columns)))
			r = eg_err_set(err, EG_EINVAL, "%s:%u: not as the head of the file says",
				       path, number);
	}
out:
	eg_buf_done(&text);
	return r;
}

int eg_table_load(const char *cast_path, const char *scenes_path, struct eg_table *ret_table,
		  struct eg_err *err)
{
	int r;

	memset(ret_table, 0, sizeof(*ret_table));
	r = load(cast_path, ret_table, cast_row, err);
	return r != 0 ? r : load(scenes_path, ret_table, scene_row, err);
}
