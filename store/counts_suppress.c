// SPDX-License-Identifier: Apache-2.0
//
// Suppressing small cells, so that a week's counts say nothing of a few people.
//
// The cells are, on each axis, group × measure, and the row "all". They are tied by equations:
// encounters = captures + not captured = confirmed + referred, in each group and in all; and on
// each axis the groups add up to all. A reader knows the equations. So:
//   1. a cell of 1 … 9 is hidden. 0 is shown: there is nobody in it.
//   2. an equation with hidden parts has at least two of them, and when its sum is shown they hold
//      at least ten people together; else its smallest part that is shown and not 0 is hidden too.
//   3. no hidden cell follows from all that is shown by all equations together (Gauss–Jordan); else
//      an equation that it stands in loses its smallest shown cell.
// Repeated until nothing changes. Where no cell is left to hide, all are.
//
// Not covered: bounds. That a hidden cell lies in 1 … 9, or below a shown sum, is known.
// Impostor comparisons are no people and have no sums: 1 … 9 is hidden, and groups of fewer than
// ten people were never counted.

#include "store/counts.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "firmware/base/mem.h"

#define ROWS	      (1 + EG_AXES * EG_GROUPS_MAX) // all, then the groups of each axis
#define CELLS	      (ROWS * EG_MEASURES)
#define PARTS_MAX     (EG_MEASURES + EG_GROUPS_MAX)
#define EQUATIONS_MAX (2 * ROWS + (size_t)EG_AXES * EG_MEASURES)

struct equation { // cell[0] is the sum of the others
	size_t cell[PARTS_MAX];
	size_t count;
};

struct work {
	int64_t *value[CELLS]; // NULL: no such group
	bool hidden[CELLS];
	struct equation equation[EQUATIONS_MAX];
	size_t equations;
	size_t column[CELLS]; // of a hidden cell in the matrix
	double matrix[EQUATIONS_MAX][CELLS];
};

static size_t cell_of(size_t row, size_t measure)
{
	return row * EG_MEASURES + measure;
}

static void add_row(struct work *w, size_t row, int64_t *values)
{
	struct equation *captured = &w->equation[w->equations++];
	struct equation *decided = &w->equation[w->equations++];

	for (size_t m = 0; m < EG_MEASURES; m++)
		w->value[cell_of(row, m)] = &values[m];
	captured->cell[captured->count++] = cell_of(row, EG_COUNT_ENCOUNTERS);
	captured->cell[captured->count++] = cell_of(row, EG_COUNT_CAPTURES);
	captured->cell[captured->count++] = cell_of(row, EG_COUNT_NOT_CAPTURED);
	decided->cell[decided->count++] = cell_of(row, EG_COUNT_ENCOUNTERS);
	for (size_t m = EG_COUNT_CONFIRMED; m < EG_MEASURES; m++)
		decided->cell[decided->count++] = cell_of(row, m);
}

static void lay_out(struct work *w, struct eg_counts *counts)
{
	add_row(w, 0, counts->all);
	for (size_t a = 0; a < EG_AXES; a++)
		for (size_t g = 0; g < eg_axis_groups((enum eg_axis)a); g++)
			add_row(w, 1 + a * EG_GROUPS_MAX + g, counts->group[a][g]);
	for (size_t a = 0; a < EG_AXES; a++) {
		for (size_t m = 0; m < EG_MEASURES; m++) {
			struct equation *column = &w->equation[w->equations++];

			column->cell[column->count++] = cell_of(0, m);
			for (size_t g = 0; g < eg_axis_groups((enum eg_axis)a); g++)
				column->cell[column->count++] =
					cell_of(1 + a * EG_GROUPS_MAX + g, m);
		}
	}
}

// Hides the smallest shown part that is not 0, else the sum; false: there is none.
static bool hide_one(struct work *w, const struct equation *e)
{
	size_t best = CELLS;

	for (size_t i = 1; i < e->count; i++) {
		size_t cell = e->cell[i];

		if (!w->hidden[cell] && *w->value[cell] > 0 &&
		    (best == CELLS || *w->value[cell] < *w->value[best]))
			best = cell;
	}
	if (best == CELLS && !w->hidden[e->cell[0]] && *w->value[e->cell[0]] > 0)
		best = e->cell[0];
	if (best == CELLS)
		return false;
	w->hidden[best] = true;
	return true;
}

// Rule 2. True: something was hidden.
static bool guard_sum(struct work *w, const struct equation *e)
{
	size_t hidden = w->hidden[e->cell[0]];
	int64_t people = 0;

	for (size_t i = 1; i < e->count; i++) {
		hidden += w->hidden[e->cell[i]];
		people += w->hidden[e->cell[i]] ? *w->value[e->cell[i]] : 0;
	}
	if (hidden == 0 || (hidden >= 2 && (w->hidden[e->cell[0]] || people >= EG_COUNT_SMALL)))
		return false;
	return hide_one(w, e);
}

static size_t fill_matrix(struct work *w)
{
	size_t columns = 0;

	for (size_t c = 0; c < CELLS; c++)
		w->column[c] = w->hidden[c] ? columns++ : SIZE_MAX;
	memset(w->matrix, 0, sizeof(w->matrix));
	for (size_t i = 0; i < w->equations; i++)
		for (size_t k = 0; k < w->equation[i].count; k++)
			if (w->hidden[w->equation[i].cell[k]])
				w->matrix[i][w->column[w->equation[i].cell[k]]] = k == 0 ? -1 : 1;
	return columns;
}

static void subtract(double *row, const double *pivot, double times, size_t columns)
{
	for (size_t c = 0; c < columns; c++)
		row[c] -= times * pivot[c];
}

static void reduce(struct work *w, size_t columns)
{
	size_t done = 0;

	for (size_t c = 0; c < columns && done < w->equations; c++) {
		size_t best = done;
		double row[CELLS];

		for (size_t i = done; i < w->equations; i++)
			if (fabs(w->matrix[i][c]) > fabs(w->matrix[best][c]))
				best = i;
		if (fabs(w->matrix[best][c]) < 1e-9)
			continue;
		memcpy(row, w->matrix[best], sizeof(row));
		memcpy(w->matrix[best], w->matrix[done], sizeof(row));
		for (size_t k = 0; k < columns; k++)
			w->matrix[done][k] = row[k] / row[c];
		for (size_t i = 0; i < w->equations; i++)
			if (i != done && fabs(w->matrix[i][c]) > 1e-9)
				subtract(w->matrix[i], w->matrix[done], w->matrix[i][c], columns);
		done++;
	}
}

// The column of a cell that follows from what is shown, `columns` when none does: a row of the
// reduced matrix that has one entry only.
static size_t find_betrayed(struct work *w)
{
	size_t columns = fill_matrix(w);

	reduce(w, columns);
	for (size_t i = 0; i < w->equations; i++) {
		size_t entries = 0, last = 0;

		for (size_t c = 0; c < columns; c++) {
			if (fabs(w->matrix[i][c]) < 1e-9)
				continue;
			entries++;
			last = c;
		}
		if (entries == 1)
			return last;
	}
	return SIZE_MAX;
}

static void hide_all(struct work *w)
{
	for (size_t c = 0; c < CELLS; c++)
		w->hidden[c] = w->value[c] != NULL;
}

// Rule 3. True: something was hidden.
static bool guard_all(struct work *w)
{
	size_t column = find_betrayed(w);

	if (column == SIZE_MAX)
		return false;
	for (size_t i = 0; i < w->equations; i++)
		for (size_t k = 0; k < w->equation[i].count; k++)
			if (w->column[w->equation[i].cell[k]] == column &&
			    hide_one(w, &w->equation[i]))
				return true;
	hide_all(w);
	return false;
}

int eg_counts_suppress(struct eg_counts *counts)
{
	struct work *w = eg_calloc(1, sizeof(*w));
	bool again = true;

	if (!w)
		return EG_ENOMEM;
	lay_out(w, counts);
	for (size_t c = 0; c < CELLS; c++)
		w->hidden[c] = w->value[c] && *w->value[c] > 0 && *w->value[c] < EG_COUNT_SMALL;
	while (again) {
		again = false;
		for (size_t i = 0; i < w->equations; i++)
			again = guard_sum(w, &w->equation[i]) || again;
		if (!again)
			again = guard_all(w);
	}
	for (size_t c = 0; c < CELLS; c++)
		if (w->hidden[c])
			*w->value[c] = EG_COUNT_HIDDEN;
	for (size_t a = 0; a < EG_AXES; a++)
		for (size_t g = 0; g < EG_GROUPS_MAX; g++)
			for (size_t l = 0; l <= EG_COUNT_LEVELS; l++)
				if (counts->impostors[a][g][l] > 0 &&
				    counts->impostors[a][g][l] < EG_COUNT_SMALL)
					counts->impostors[a][g][l] = EG_COUNT_HIDDEN;
	free(w);
	return 0;
}
