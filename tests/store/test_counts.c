// SPDX-License-Identifier: Apache-2.0
//
// store/counts.c and store/counts_suppress.c. What a reader could work out of suppressed counts is
// worked out here in another way: by elimination modulo a prime, from the rules in counts.h alone.

#include "queue.h"

#include <stdlib.h>
#include <string.h>

#include "store/counts.h"

#define MONDAY_MS 1795392000000LL // date -u -d 2026-11-23 +%s
#define WEEK_MS	  (7 * 86400000LL)
#define PRIME	  1000000007LL
#define ROWS	  (1 + EG_AXES * EG_GROUPS_MAX)
#define CELLS	  (ROWS * EG_MEASURES)

static void weeks_begin_on_monday(void **state)
{
	(void)state;
	assert_int_equal(eg_counts_week(MONDAY_MS), MONDAY_MS);
	assert_int_equal(eg_counts_week(MONDAY_MS - 1), MONDAY_MS - WEEK_MS);
	assert_int_equal(eg_counts_week(MONDAY_MS + WEEK_MS - 1), MONDAY_MS);
	assert_int_equal(eg_counts_week(0), 4 * 86400000LL); // 1970-01-05
}

static const struct eg_group young_woman = {.of = {EG_AGE_18_34, EG_SEX_FEMALE, EG_REGION_OCEANIA}};

static void add(const struct eg_group *group, bool captured, enum eg_cause cause, int64_t at)
{
	struct eg_err err = EG_ERR_INIT;
	expect_ok(eg_counts_add(records, group, captured,
				cause == EG_CAUSE_NONE ? EG_VERDICT_CONFIRMED : EG_VERDICT_REFER,
				cause, at, &err),
		  &err);
}

static size_t closed(int64_t now, int64_t after, struct eg_counts counts[EG_COUNT_WEEKS])
{
	struct eg_err err = EG_ERR_INIT;
	size_t n = 99;
	expect_ok(eg_counts_closed(records, now, after, counts, &n, &err), &err);
	return n;
}

static void a_week_is_given_when_it_is_over_and_survives_a_restart(void **state)
{
	static struct eg_counts counts[EG_COUNT_WEEKS];
	static const struct eg_group nobody;
	(void)state;
	add(&young_woman, true, EG_CAUSE_NONE, MONDAY_MS);
	add(&young_woman, true, EG_CAUSE_BELOW_THRESHOLD, MONDAY_MS + WEEK_MS - 1);
	eg_records_close(records);
	queue_open();
	add(&nobody, false, EG_CAUSE_NO_FACE, MONDAY_MS + 5);
	assert_int_equal(closed(MONDAY_MS + WEEK_MS - 1, 0, counts), 0); // still running
	assert_int_equal(closed(MONDAY_MS + WEEK_MS, 0, counts), 1);
	assert_int_equal(counts[0].from_ms, MONDAY_MS);
	assert_int_equal(counts[0].all[EG_COUNT_ENCOUNTERS], 3);
	assert_int_equal(counts[0].all[EG_COUNT_CAPTURES], 2);
	assert_int_equal(counts[0].all[EG_COUNT_NOT_CAPTURED], 1);
	assert_int_equal(counts[0].all[EG_COUNT_CONFIRMED], 1);
	const int64_t *of = counts[0].group[EG_AXIS_REGION][EG_REGION_OCEANIA];
	assert_int_equal(of[EG_COUNT_ENCOUNTERS], 2);
	assert_int_equal(of[EG_COUNT_OF_CAUSE(EG_CAUSE_BELOW_THRESHOLD)], 1);
	assert_int_equal(of[EG_COUNT_OF_CAUSE(EG_CAUSE_NO_FACE)], 0);
	of = counts[0].group[EG_AXIS_SEX][EG_SEX_UNKNOWN];
	assert_int_equal(of[EG_COUNT_OF_CAUSE(EG_CAUSE_NO_FACE)], 1);
	assert_int_equal(closed(MONDAY_MS + WEEK_MS, MONDAY_MS, counts), 0); // sent already
	expect_sqlite("SELECT sum(n) FROM counts WHERE axis = 1 AND measure = 0", "3\n");
}

static void a_referral_without_a_known_cause_is_a_fault(void **state)
{
	static struct eg_counts counts[EG_COUNT_WEEKS];
	struct eg_err err = EG_ERR_INIT;
	(void)state;
	const struct eg_group odd = {.of = {200, 200, 200}};
	expect_ok(eg_counts_add(records, &odd, true, EG_VERDICT_NONE, EG_CAUSE_NONE, MONDAY_MS,
				&err),
		  &err);
	expect_ok(eg_counts_add(records, &odd, true, EG_VERDICT_REFER, EG_CAUSE_COUNT, MONDAY_MS,
				&err),
		  &err);
	assert_int_equal(closed(MONDAY_MS + WEEK_MS, 0, counts), 1);
	assert_int_equal(counts[0].group[EG_AXIS_AGE][EG_AGE_UNKNOWN]
					[EG_COUNT_OF_CAUSE(EG_CAUSE_SYSTEM_FAULT)],
			 2);
}

static void old_weeks_go(void **state)
{
	static struct eg_counts counts[EG_COUNT_WEEKS];
	(void)state;
	for (int w = 0; w < 8; w++)
		add(&young_woman, true, EG_CAUSE_NONE, MONDAY_MS + w * WEEK_MS);
	assert_int_equal(closed(MONDAY_MS + 7 * WEEK_MS, 0, counts), EG_COUNT_WEEKS);
	assert_int_equal(counts[0].from_ms, MONDAY_MS + 3 * WEEK_MS);
	assert_int_equal(counts[3].from_ms, MONDAY_MS + 6 * WEEK_MS);
	expect_sqlite("SELECT count(DISTINCT week_ms) FROM counts", "5\n");
}

static void a_manifest_counts_once_a_week(void **state)
{
	static struct eg_counts counts[EG_COUNT_WEEKS], manifest;
	struct eg_err err = EG_ERR_INIT;
	(void)state;
	manifest.impostors[EG_AXIS_SEX][EG_SEX_MALE][0] = 4950;
	manifest.impostors[EG_AXIS_SEX][EG_SEX_MALE][2] = 50;
	for (int i = 0; i < 3; i++)
		expect_ok(eg_counts_add_manifest(records, "EG1", &manifest, MONDAY_MS + i, &err),
			  &err);
	expect_ok(eg_counts_add_manifest(records, "EG2", &manifest, MONDAY_MS, &err), &err);
	expect_ok(eg_counts_add_manifest(records, "EG1", &manifest, MONDAY_MS + WEEK_MS, &err),
		  &err);
	assert_int_equal(closed(MONDAY_MS + 2 * WEEK_MS, 0, counts), 2);
	const int64_t *of = counts[0].impostors[EG_AXIS_SEX][EG_SEX_MALE];
	assert_int_equal(of[0], 9900);
	assert_int_equal(of[1], 0);
	assert_int_equal(of[2], 100);
	assert_int_equal(counts[1].impostors[EG_AXIS_SEX][EG_SEX_MALE][0], 4950);
	assert_int_equal(counts[0].all[EG_COUNT_ENCOUNTERS], 0);
}

// 12 people on one plane around an axis: all pairs of neighbours score alike. 9 others: too few.
static void impostors_are_counted_within_groups_of_ten_and_more(void **state)
{
	static const struct eg_pack_point points[] = {{.fmr = 1e-1, .score = 0.2},
						      {.fmr = 1e-2, .score = 0.4},
						      {.fmr = 1e-3, .score = 0.6},
						      {.fmr = 1e-4, .score = 0.8},
						      {.fmr = 1e-5, .score = 0.95}};
	static struct eg_counts counts;
	struct eg_group groups[21] = {0};
	struct eg_gallery *gallery = NULL;
	struct eg_calib *calib = NULL;
	struct eg_err err = EG_ERR_INIT;
	(void)state;
	expect_ok(eg_calib_new(points, 5, 1e-5, &calib, &err), &err);
	expect_ok(eg_gallery_new(21, calib, &gallery, &err), &err);
	for (size_t i = 0; i < 21; i++) {
		struct eg_template t = {0};
		// Cosine of any two: 0.7² = 0.49; two references of the same person do not count.
		t.value[0] = 0.7f;
		t.value[1 + i] = 0.71414284f;
		groups[i].of[EG_AXIS_SEX] = i < 12 ? EG_SEX_FEMALE : EG_SEX_MALE;
		groups[i].of[EG_AXIS_AGE] = EG_AGE_35_49;
		expect_ok(eg_gallery_add(gallery, i, &t, 80, &err), &err);
		if (i == 3)
			expect_ok(eg_gallery_add(gallery, i, &t, 80, &err), &err);
	}
	expect_ok(eg_gallery_seal(gallery, &err), &err);
	eg_counts_compare(gallery, calib, groups, &counts);
	// 12 women: 66 pairs of people, and 11 more for the second photo
	assert_int_equal(counts.impostors[EG_AXIS_SEX][EG_SEX_FEMALE][0], 77);
	assert_int_equal(counts.impostors[EG_AXIS_SEX][EG_SEX_FEMALE][1], 77); // 0.49 ≥ 0.2
	assert_int_equal(counts.impostors[EG_AXIS_SEX][EG_SEX_FEMALE][2], 77); // ≥ 0.4
	assert_int_equal(counts.impostors[EG_AXIS_SEX][EG_SEX_FEMALE][3], 0);  // < 0.6
	assert_int_equal(counts.impostors[EG_AXIS_SEX][EG_SEX_MALE][0], 0);    // nine people
	assert_int_equal(counts.impostors[EG_AXIS_AGE][EG_AGE_35_49][0], 210 + 20);
	eg_gallery_free(gallery);
	eg_calib_free(calib);
}

// ---- suppression ----------------------------------------------------------------------------

static uint32_t random_state;
static uint32_t random_below(uint32_t n)
{
	random_state = random_state * 1664525u + 1013904223u;
	return (random_state >> 8) % n;
}

// People whose groups are unevenly spread, confirmed mostly; each in one group of each axis.
static void make_week(struct eg_counts *counts, size_t people)
{
	*counts = (struct eg_counts){.from_ms = MONDAY_MS};
	uint32_t spread = 1 + random_below(8), failing = 2 + random_below(40);
	for (size_t i = 0; i < people; i++) {
		int64_t *rows[1 + EG_AXES] = {counts->all};
		for (size_t a = 0; a < EG_AXES; a++) {
			uint32_t g = random_below(spread);
			if (random_below(3) == 0)
				g = random_below(8);
			rows[1 + a] = counts->group[a][g % eg_axis_groups((enum eg_axis)a)];
		}
		bool refer = random_below(failing) == 0, seen = !refer || random_below(3) > 0;
		size_t outcome =
			EG_COUNT_CONFIRMED + (refer ? 1 + random_below(EG_CAUSE_COUNT - 1) : 0);
		for (size_t r = 0; r <= EG_AXES; r++) {
			rows[r][EG_COUNT_ENCOUNTERS]++;
			rows[r][seen ? EG_COUNT_CAPTURES : EG_COUNT_NOT_CAPTURED]++;
			rows[r][outcome]++;
		}
	}
}

static int64_t power(int64_t base, int64_t exponent)
{
	int64_t result = 1;
	for (; exponent > 0; exponent >>= 1, base = base * base % PRIME)
		if (exponent & 1)
			result = result * base % PRIME;
	return result;
}

static int64_t value_of(const struct eg_counts *counts, size_t row, size_t measure)
{
	return row == 0 ? counts->all[measure]
			: counts->group[(row - 1) / EG_GROUPS_MAX][(row - 1) % EG_GROUPS_MAX]
				       [measure];
}

// The reader's view: unknown cells are columns, what ties them are rows.
static int64_t matrix[2 * ROWS + EG_AXES * EG_MEASURES][CELLS];
static size_t unknown[CELLS], unknowns, equations;

static void tie(size_t cell, int64_t sign, size_t equation)
{
	if (unknown[cell] != SIZE_MAX)
		matrix[equation][unknown[cell]] = sign;
}

static void write_equations(const struct eg_counts *shown)
{
	unknowns = equations = 0;
	memset(matrix, 0, sizeof(matrix));
	for (size_t c = 0; c < CELLS; c++)
		unknown[c] = value_of(shown, c / EG_MEASURES, c % EG_MEASURES) == EG_COUNT_HIDDEN
				     ? unknowns++
				     : SIZE_MAX;
	for (size_t row = 0; row < ROWS; row++, equations += 2) {
		tie(row * EG_MEASURES + EG_COUNT_ENCOUNTERS, PRIME - 1, equations);
		tie(row * EG_MEASURES + EG_COUNT_ENCOUNTERS, PRIME - 1, equations + 1);
		tie(row * EG_MEASURES + EG_COUNT_CAPTURES, 1, equations);
		tie(row * EG_MEASURES + EG_COUNT_NOT_CAPTURED, 1, equations);
		for (size_t m = EG_COUNT_CONFIRMED; m < EG_MEASURES; m++)
			tie(row * EG_MEASURES + m, 1, equations + 1);
	}
	for (size_t a = 0; a < EG_AXES; a++)
		for (size_t m = 0; m < EG_MEASURES; m++, equations++) {
			tie(m, PRIME - 1, equations);
			for (size_t g = 0; g < EG_GROUPS_MAX; g++)
				tie((1 + a * EG_GROUPS_MAX + g) * EG_MEASURES + m, 1, equations);
		}
}

// How many unknown cells can be worked out.
static size_t worked_out(const struct eg_counts *shown)
{
	size_t rank = 0, found = 0;
	write_equations(shown);
	for (size_t c = 0; c < unknowns && rank < equations; c++) {
		size_t pivot = rank;
		while (pivot < equations && matrix[pivot][c] == 0)
			pivot++;
		if (pivot == equations)
			continue;
		for (size_t k = 0; k < unknowns; k++) {
			int64_t kept = matrix[rank][k];
			matrix[rank][k] = matrix[pivot][k];
			matrix[pivot][k] = kept;
		}
		int64_t inverse = power(matrix[rank][c], PRIME - 2);
		for (size_t k = 0; k < unknowns; k++)
			matrix[rank][k] = matrix[rank][k] * inverse % PRIME;
		for (size_t i = 0; i < equations; i++) {
			int64_t times = matrix[i][c];
			if (i == rank || times == 0)
				continue;
			for (size_t k = 0; k < unknowns; k++)
				matrix[i][k] =
					(matrix[i][k] + (PRIME - times) * matrix[rank][k]) % PRIME;
		}
		rank++;
	}
	for (size_t i = 0; i < rank; i++) {
		size_t entries = 0;
		for (size_t k = 0; k < unknowns; k++)
			entries += matrix[i][k] != 0;
		found += entries == 1;
	}
	return found;
}

// A sum that is shown, less its parts that are shown, is nobody or at least ten people.
static void expect_remainder(const struct eg_counts *shown, size_t row, size_t first, size_t end)
{
	int64_t left = value_of(shown, row, EG_COUNT_ENCOUNTERS);
	if (left == EG_COUNT_HIDDEN)
		return;
	for (size_t m = first; m < end; m++)
		left -= value_of(shown, row, m) > 0 ? value_of(shown, row, m) : 0;
	assert_true(left == 0 || left >= EG_COUNT_SMALL);
}

static void expect_safe(const struct eg_counts *counts, const struct eg_counts *shown)
{
	for (size_t row = 0; row < ROWS; row++) {
		for (size_t m = 0; m < EG_MEASURES; m++) {
			int64_t was = value_of(counts, row, m), is = value_of(shown, row, m);
			assert_true(is == was || is == EG_COUNT_HIDDEN);
			assert_false(is > 0 && is < EG_COUNT_SMALL);
			assert_false(is == EG_COUNT_HIDDEN && was == 0);
		}
		expect_remainder(shown, row, EG_COUNT_CAPTURES, EG_COUNT_CONFIRMED);
		expect_remainder(shown, row, EG_COUNT_CONFIRMED, EG_MEASURES);
	}
	for (size_t a = 0; a < EG_AXES; a++)
		for (size_t m = 0; m < EG_MEASURES; m++) {
			int64_t left = shown->all[m];
			for (size_t g = 0; g < EG_GROUPS_MAX && left >= 0; g++)
				left -= shown->group[a][g][m] > 0 ? shown->group[a][g][m] : 0;
			assert_true(left <= 0 || left >= EG_COUNT_SMALL);
		}
	assert_int_equal(worked_out(shown), 0);
}

static void nothing_hidden_can_be_worked_out(void **state)
{
	static const size_t people[] = {0, 1, 9, 10, 25, 60, 200, 1000, 5000};
	static struct eg_counts counts, shown;
	(void)state;
	random_state = 417;
	for (size_t round = 0; round < 15; round++)
		for (size_t i = 0; i < sizeof(people) / sizeof(people[0]); i++) {
			make_week(&counts, people[i]);
			shown = counts;
			assert_int_equal(eg_counts_suppress(&shown), 0);
			expect_safe(&counts, &shown);
		}
}

static void the_reader_of_this_test_does_find_what_is_badly_hidden(void **state)
{
	static struct eg_counts shown;
	(void)state;
	random_state = 7;
	make_week(&shown, 3000);
	shown.group[EG_AXIS_SEX][EG_SEX_MALE][EG_COUNT_CONFIRMED] = EG_COUNT_HIDDEN;
	assert_int_equal(worked_out(&shown), 1);
	shown.group[EG_AXIS_SEX][EG_SEX_FEMALE][EG_COUNT_CONFIRMED] = EG_COUNT_HIDDEN;
	assert_int_equal(worked_out(&shown), 2); // each from its own row
}

// Two squares of hidden cells, joined by one: every row and column has two hidden and ten people,
// and yet the one that joins follows, as rows 1 and 2 less columns 2 and 3.
static void what_follows_from_many_sums_at_once_is_hidden_too(void **state)
{
	static const struct {
		size_t group, cause;
		int64_t n;
	} cells[] = {{1, 1, 4}, {1, 2, 5}, {1, 3, 5}, {2, 2, 5}, {2, 3, 5},
		     {3, 1, 5}, {4, 1, 5}, {3, 4, 5}, {4, 4, 5}};
	static struct eg_counts counts, shown;
	(void)state;
	for (size_t i = 0; i < sizeof(cells) / sizeof(cells[0]); i++)
		counts.group[EG_AXIS_AGE][cells[i].group][EG_COUNT_OF_CAUSE(cells[i].cause)] =
			cells[i].n;
	for (size_t g = 1; g < 5; g++) {
		int64_t *row = counts.group[EG_AXIS_AGE][g];
		row[EG_COUNT_CONFIRMED] = 100;
		for (size_t m = EG_COUNT_CONFIRMED; m < EG_MEASURES; m++)
			row[EG_COUNT_ENCOUNTERS] += row[m];
		row[EG_COUNT_CAPTURES] = row[EG_COUNT_ENCOUNTERS];
		for (size_t m = 0; m < EG_MEASURES; m++)
			counts.all[m] += row[m];
	}
	for (size_t a = EG_AXIS_SEX; a < EG_AXES; a++)
		memcpy(counts.group[a][0], counts.all, sizeof(counts.all));
	shown = counts;
	for (size_t g = 1; g < 5; g++)
		for (size_t m = 0; m < EG_MEASURES; m++)
			if (shown.group[EG_AXIS_AGE][g][m] > 0 &&
			    shown.group[EG_AXIS_AGE][g][m] < 10)
				shown.group[EG_AXIS_AGE][g][m] = EG_COUNT_HIDDEN;
	assert_int_equal(worked_out(&shown), 1);
	shown = counts;
	assert_int_equal(eg_counts_suppress(&shown), 0);
	expect_safe(&counts, &shown);
}

static void large_counts_are_shown(void **state)
{
	static struct eg_counts counts, shown;
	(void)state;
	// two groups of each axis, 400 people each, 40 of them referred as ambiguous
	for (size_t a = 0; a < EG_AXES; a++)
		for (size_t g = 1; g < 3; g++) {
			counts.group[a][g][EG_COUNT_ENCOUNTERS] = 400;
			counts.group[a][g][EG_COUNT_CAPTURES] = 400;
			counts.group[a][g][EG_COUNT_CONFIRMED] = 360;
			counts.group[a][g][EG_COUNT_OF_CAUSE(EG_CAUSE_AMBIGUOUS)] = 40;
		}
	for (size_t m = 0; m < EG_MEASURES; m++)
		counts.all[m] = 2 * counts.group[0][1][m];
	shown = counts;
	assert_int_equal(eg_counts_suppress(&shown), 0);
	assert_memory_equal(&shown, &counts, sizeof(shown));
	// Three of one group had another cause: that cell, and no more than it takes to keep it.
	counts.group[EG_AXIS_AGE][1][EG_COUNT_OF_CAUSE(EG_CAUSE_AMBIGUOUS)] -= 3;
	counts.group[EG_AXIS_AGE][1][EG_COUNT_OF_CAUSE(EG_CAUSE_NO_FACE)] += 3;
	for (size_t a = 1; a < EG_AXES; a++) {
		counts.group[a][2][EG_COUNT_OF_CAUSE(EG_CAUSE_AMBIGUOUS)] -= 3;
		counts.group[a][2][EG_COUNT_OF_CAUSE(EG_CAUSE_NO_FACE)] += 3;
	}
	counts.all[EG_COUNT_OF_CAUSE(EG_CAUSE_AMBIGUOUS)] -= 3;
	counts.all[EG_COUNT_OF_CAUSE(EG_CAUSE_NO_FACE)] += 3;
	shown = counts;
	assert_int_equal(eg_counts_suppress(&shown), 0);
	expect_safe(&counts, &shown);
	assert_int_equal(shown.all[EG_COUNT_ENCOUNTERS], 800);
	assert_int_equal(shown.group[EG_AXIS_AGE][2][EG_COUNT_CONFIRMED], 360);
	assert_int_equal(shown.group[EG_AXIS_AGE][1][EG_COUNT_OF_CAUSE(EG_CAUSE_NO_FACE)],
			 EG_COUNT_HIDDEN);
}

static void small_impostor_counts_are_hidden(void **state)
{
	static struct eg_counts counts;
	(void)state;
	int64_t *of = counts.impostors[EG_AXIS_AGE][EG_AGE_18_34];
	of[0] = 4950;
	of[1] = 495;
	of[2] = 10;
	of[3] = 9;
	of[4] = 1;
	assert_int_equal(eg_counts_suppress(&counts), 0);
	static const int64_t wanted[] = {4950, 495, 10, EG_COUNT_HIDDEN, EG_COUNT_HIDDEN, 0};
	assert_memory_equal(of, wanted, sizeof(wanted));
}

static void groups_have_names_that_lead_back(void **state)
{
	(void)state;
	for (int a = 0; a < EG_AXES; a++)
		for (size_t g = 0; g < eg_axis_groups((enum eg_axis)a); g++)
			assert_int_equal(eg_group_find((enum eg_axis)a,
						       eg_group_name((enum eg_axis)a, g)),
					 g);
	assert_int_equal(eg_group_find(EG_AXIS_SEX, "F"), EG_SEX_FEMALE);
	assert_int_equal(eg_group_find(EG_AXIS_SEX, "m"), EG_SEX_MALE);
	assert_int_equal(eg_group_find(EG_AXIS_SEX, "X"), EG_SEX_UNSPECIFIED);
	assert_int_equal(eg_group_find(EG_AXIS_SEX, "FF"), -1);
	assert_int_equal(eg_group_find(EG_AXIS_SEX, ""), -1);
	assert_int_equal(eg_group_find(EG_AXIS_REGION, "f"), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(weeks_begin_on_monday),
		cmocka_unit_test(groups_have_names_that_lead_back),
		cmocka_unit_test_setup_teardown(
			a_week_is_given_when_it_is_over_and_survives_a_restart, queue_set_up,
			queue_tear_down),
		cmocka_unit_test_setup_teardown(a_referral_without_a_known_cause_is_a_fault,
						queue_set_up, queue_tear_down),
		cmocka_unit_test_setup_teardown(old_weeks_go, queue_set_up, queue_tear_down),
		cmocka_unit_test_setup_teardown(a_manifest_counts_once_a_week, queue_set_up,
						queue_tear_down),
		cmocka_unit_test(impostors_are_counted_within_groups_of_ten_and_more),
		cmocka_unit_test(nothing_hidden_can_be_worked_out),
		cmocka_unit_test(the_reader_of_this_test_does_find_what_is_badly_hidden),
		cmocka_unit_test(what_follows_from_many_sums_at_once_is_hidden_too),
		cmocka_unit_test(large_counts_are_shown),
		cmocka_unit_test(small_impostor_counts_are_hidden),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
