// SPDX-License-Identifier: Apache-2.0
//
// Counting by group. The rules are in groups.h.

#include "match/eval/groups.h"

#include <math.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "firmware/base/mem.h"
#include "match/band.h"
#include "match/eval/list.h"

struct key {
	const char *name; // into the list's text
	size_t line;
};

struct eval_groups_file {
	struct eval_list list; // its first line is the header
	struct key *keys;      // one a line
	void *tree;	       // of struct key, by name
	size_t (*cell)[EVAL_AXES_MAX];
	bool *met;
};

struct eval_seen {
	const void *capture;
	bool found;
	size_t line;
	size_t stated; // cell of the first axis, EVAL_NOBODY: none
};

static void free_nothing(void *node)
{
	(void)node; // the keys are one array
}

void eval_groups_done(struct eval_groups *groups)
{
	for (size_t a = 0; a < EVAL_AXES_MAX; a++) {
		for (size_t i = 0; i < groups->axis[a].count; i++)
			free(groups->axis[a].cell[i].name);
		free(groups->axis[a].cell);
		free(groups->axis[a].name);
	}
	if (groups->file) {
		tdestroy(groups->file->tree, free_nothing);
		eval_list_done(&groups->file->list);
		free(groups->file->keys);
		free(groups->file->cell);
		free(groups->file->met);
		free(groups->file);
	}
	free(groups->seen);
	*groups = (struct eval_groups){0};
}

// The cell called `name`, made when it is new; EVAL_NOBODY: out of memory.
static size_t cell_of(struct eval_axis *axis, const char *name, int order)
{
	struct eval_cell *more;

	for (size_t i = 0; i < axis->count; i++)
		if (strcmp(axis->cell[i].name, name) == 0)
			return i;
	more = eg_realloc(axis->cell, axis->count + 1, sizeof(*more));
	if (!more)
		return EVAL_NOBODY;
	axis->cell = more;
	more[axis->count] = (struct eval_cell){.name = eg_strdup(name), .order = order};
	return more[axis->count].name ? axis->count++ : EVAL_NOBODY;
}

static size_t cell_of_field(struct eval_axis *axis, const char *text)
{
	char *end;
	long years;

	if (strcmp(text, "NA") == 0 || strcmp(text, "-") == 0)
		return cell_of(axis, "not stated", 1000);
	if (strcasecmp(axis->name, "age") != 0)
		return cell_of(axis, text, 0);
	years = strtol(text, &end, 10);
	if (*end != '\0' || eg_age_band_of_years((int)years) == EG_AGE_UNKNOWN)
		return cell_of(axis, "not stated", 1000);
	return cell_of(axis, eg_age_band_name(eg_age_band_of_years((int)years)),
		       (int)eg_age_band_of_years((int)years));
}

static int compare_keys(const void *a, const void *b)
{
	return strcmp(((const struct key *)a)->name, ((const struct key *)b)->name);
}

static int add_axis(struct eval_groups *groups, const char *name, bool stated)
{
	struct eval_axis *axis = &groups->axis[groups->axes];

	axis->name = eg_strdup(name);
	axis->stated = stated;
	groups->axes++;
	return axis->name ? 0 : EG_ENOMEM;
}

static int read_lines(struct eval_groups *groups, size_t first, struct eg_err *err)
{
	struct eval_groups_file *file = groups->file;
	size_t wanted = groups->axes - first + 1;

	for (size_t i = 1; i < file->list.count; i++) {
		const struct eval_line *line = &file->list.lines[i];
		void *node;

		if (line->fields != wanted)
			return eg_err_set(err, EG_EINVAL,
					  "%s: line %zu: %zu field(s), but the header has %zu",
					  file->list.path, line->number, line->fields, wanted);
		file->keys[i] = (struct key){line->field[0], i};
		node = tsearch(&file->keys[i], &file->tree, compare_keys);
		if (!node)
			return eg_err_set(err, EG_ENOMEM, "out of memory");
		if (*(struct key **)node != &file->keys[i])
			return eg_err_set(err, EG_EINVAL,
					  "%s: line %zu: the key \"%s\" is there twice",
					  file->list.path, line->number, line->field[0]);
		for (size_t a = first; a < groups->axes; a++) {
			file->cell[i][a] =
				cell_of_field(&groups->axis[a], line->field[a - first + 1]);
			if (file->cell[i][a] == EVAL_NOBODY)
				return eg_err_set(err, EG_ENOMEM, "out of memory");
		}
	}
	return 0;
}

static int read_file(struct eval_groups *groups, const char *path, struct eg_err *err)
{
	struct eval_groups_file *file = eg_calloc(1, sizeof(*file));
	size_t first = groups->axes;
	int r;

	if (!file)
		return eg_err_set(err, EG_ENOMEM, "out of memory");
	groups->file = file;
	r = eval_list_load(path, 2, EVAL_FIELDS_MAX, &file->list, err);
	if (r != 0)
		return r;
	for (size_t i = 1; i < file->list.lines[0].fields && r == 0; i++)
		r = add_axis(groups, file->list.lines[0].field[i], false);
	file->keys = eg_calloc(file->list.count, sizeof(*file->keys));
	file->cell = eg_calloc(file->list.count, sizeof(*file->cell));
	file->met = eg_calloc(file->list.count, sizeof(*file->met));
	if (r != 0 || !file->keys || !file->cell || !file->met)
		return eg_err_set(err, EG_ENOMEM, "%s: out of memory", path);
	return read_lines(groups, first, err);
}

int eval_groups_open(struct eval_groups *groups, const char *path, const char *column,
		     struct eg_err *err)
{
	int r = 0;

	*groups = (struct eval_groups){0};
	if (column && (r = add_axis(groups, column, true)) != 0)
		eg_err_set(err, r, "out of memory");
	if (r == 0 && path)
		r = read_file(groups, path, err);
	if (r != 0)
		eval_groups_done(groups);
	return r;
}

static size_t find_key(const struct eval_groups_file *file, const char *name, size_t length)
{
	char text[4096];
	struct key key = {.name = text};
	void *node;

	if (length == 0 || length >= sizeof(text))
		return EVAL_NOBODY;
	memcpy(text, name, length);
	text[length] = '\0';
	node = tfind(&key, &file->tree, compare_keys);
	return node ? (*(struct key **)node)->line : EVAL_NOBODY;
}

size_t eval_groups_find(const struct eval_groups *groups, const char *picture, const char *identity)
{
	const struct eval_groups_file *file = groups->file;
	size_t whole = strcspn(picture, ","), base = whole, folder, line, dot;

	if (!file)
		return EVAL_NOBODY;
	while (base > 0 && picture[base - 1] != '/')
		base--;
	for (dot = whole; dot > base && picture[dot] != '.'; dot--)
		;
	for (folder = base > 0 ? base - 1 : 0; folder > 0 && picture[folder - 1] != '/'; folder--)
		;
	if ((line = find_key(file, picture, whole)) != EVAL_NOBODY ||
	    (line = find_key(file, picture + base, whole - base)) != EVAL_NOBODY ||
	    (line = find_key(file, picture + base, dot - base)) != EVAL_NOBODY ||
	    (identity && (line = find_key(file, identity, strlen(identity))) != EVAL_NOBODY) ||
	    (line = find_key(file, picture + base, strcspn(picture + base, "_"))) != EVAL_NOBODY)
		return line;
	return base > 0 ? find_key(file, picture + folder, base - 1 - folder) : EVAL_NOBODY;
}

static void count_pair(struct eval_cell *cell, bool genuine, bool failed, bool over)
{
	if (genuine) {
		cell->genuine++;
		cell->genuine_failed += failed;
		cell->missed += failed || !over;
	} else if (!failed) {
		cell->impostors++;
		cell->matched += over;
	}
}

int eval_groups_pair(struct eval_groups *groups, size_t a, size_t b, const char *stated,
		     bool genuine, bool failed, bool over)
{
	const struct eval_groups_file *file = groups->file;

	for (size_t k = 0; k < groups->axes; k++) {
		struct eval_axis *axis = &groups->axis[k];
		size_t cell;

		if (axis->stated) {
			if (!stated || !*stated)
				continue;
			cell = cell_of(axis, stated, 0);
			if (cell == EVAL_NOBODY)
				return EG_ENOMEM;
		} else {
			if (a == EVAL_NOBODY || (!genuine && b == EVAL_NOBODY))
				continue;
			cell = file->cell[a][k];
			if (!genuine && file->cell[b][k] != cell)
				continue;
		}
		count_pair(&axis->cell[cell], genuine, failed, over);
	}
	return 0;
}

int eval_groups_capture(struct eval_groups *groups, const void *capture, bool found, size_t line,
			const char *stated)
{
	struct eval_seen *one;

	if (groups->axes == 0)
		return 0;
	if (groups->seen_count == groups->seen_room) {
		size_t room = groups->seen_room * 2 + 64;

		one = eg_realloc(groups->seen, room, sizeof(*one));
		if (!one)
			return EG_ENOMEM;
		groups->seen = one;
		groups->seen_room = room;
	}
	one = &groups->seen[groups->seen_count++];
	*one = (struct eval_seen){capture, found, line, EVAL_NOBODY};
	if (groups->axis[0].stated && stated && *stated) {
		one->stated = cell_of(&groups->axis[0], stated, 0);
		if (one->stated == EVAL_NOBODY)
			return EG_ENOMEM;
	}
	return 0;
}

static int compare_seen(const void *a, const void *b)
{
	const struct eval_seen *x = a, *y = b;

	if (x->capture != y->capture)
		return (x->capture > y->capture) - (x->capture < y->capture);
	return (x->stated > y->stated) - (x->stated < y->stated);
}

static int compare_cells(const void *a, const void *b)
{
	const struct eval_cell *x = a, *y = b;

	return x->order != y->order ? x->order - y->order : strcmp(x->name, y->name);
}

static void count_capture(struct eval_cell *cell, bool found)
{
	cell->captures++;
	cell->captures_failed += !found;
}

size_t eval_groups_finish(struct eval_groups *groups)
{
	struct eval_groups_file *file = groups->file;
	size_t unknown = 0;

	if (groups->seen_count > 0)
		qsort(groups->seen, groups->seen_count, sizeof(*groups->seen), compare_seen);
	for (size_t i = 0; i < groups->seen_count; i++) {
		const struct eval_seen *one = &groups->seen[i], *before = i ? one - 1 : NULL;
		bool again = before && before->capture == one->capture;

		if (one->stated != EVAL_NOBODY && !(again && before->stated == one->stated))
			count_capture(&groups->axis[0].cell[one->stated], one->found);
		if (again || !file)
			continue;
		unknown += one->line == EVAL_NOBODY;
		for (size_t a = 0; one->line != EVAL_NOBODY && a < groups->axes; a++) {
			struct eval_axis *axis = &groups->axis[a];

			if (axis->stated)
				continue;
			count_capture(&axis->cell[file->cell[one->line][a]], one->found);
			axis->cell[file->cell[one->line][a]].people += !file->met[one->line];
		}
		if (one->line != EVAL_NOBODY)
			file->met[one->line] = true;
	}
	for (size_t a = 0; a < groups->axes; a++)
		if (groups->axis[a].count > 0)
			qsort(groups->axis[a].cell, groups->axis[a].count, sizeof(struct eval_cell),
			      compare_cells);
	return unknown;
}

static void put_rate(struct json *json, const char *name, size_t bad, size_t n)
{
	json_number(json, name, n ? (double)bad / (double)n : NAN);
}

static void put_cell(struct json *json, const struct eval_cell *cell, bool people, bool known,
		     const char *missed, const char *matched)
{
	size_t genuine = known ? cell->genuine : 0, impostors = known ? cell->impostors : 0;

	json_open(json, cell->name, '{');
	if (people)
		json_number(json, "people", (double)cell->people);
	json_number(json, "captures", (double)cell->captures);
	json_number(json, "captures_failed", (double)cell->captures_failed);
	put_rate(json, "fta", cell->captures_failed, cell->captures);
	if (missed) {
		json_number(json, "genuine", (double)cell->genuine);
		put_rate(json, missed, cell->missed, genuine);
	}
	if (matched) {
		json_number(json, "impostors", (double)cell->impostors);
		put_rate(json, matched, cell->matched, impostors);
	}
	json_open(json, "intervals", '{');
	json_interval(json, "fta", (double)cell->captures_failed, (double)cell->captures);
	if (missed)
		json_interval(json, missed, (double)cell->missed, (double)genuine);
	if (matched)
		json_interval(json, matched, (double)cell->matched, (double)impostors);
	json_close(json, '}');
	json_close(json, '}');
}

void eval_groups_summary(struct json *json, const struct eval_groups *groups, double threshold,
			 const char *missed, const char *matched)
{
	json_number(json, "by_group_threshold", threshold);
	json_open(json, "by_group", '{');
	for (size_t a = 0; a < groups->axes; a++) {
		const struct eval_axis *axis = &groups->axis[a];

		if (axis->count == 0)
			continue;
		json_open(json, axis->name, '{');
		for (size_t i = 0; i < axis->count; i++)
			put_cell(json, &axis->cell[i], !axis->stated, !isnan(threshold), missed,
				 matched);
		json_close(json, '}');
	}
	json_close(json, '}');
}
