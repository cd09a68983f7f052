// SPDX-License-Identifier: Apache-2.0
//
// The decision, on templates whose scores are known by construction: reference i is axis i. The
// calibration is 0.1 a decade: a threshold of 0.2 at FMR 1e-1, 0.4 at 1e-3, 0.6 at 1e-5.

#include "test.h"

#include "firmware/base/mem.h"
#include "match/gallery.h"

#define PEOPLE 10

static struct eg_calib *calib;

static int make_calib(void **state)
{
	static const struct eg_pack_point points[] = {
		{0.2, 1e-1}, {0.3, 1e-2}, {0.4, 1e-3}, {0.5, 1e-4}, {0.6, 1e-5}};

	(void)state;
	return eg_calib_new(points, 5, 1e-5, &calib, NULL);
}

static int free_calib(void **state)
{
	(void)state;
	eg_calib_free(calib);
	return 0;
}

static struct eg_gallery *new_gallery(size_t entries)
{
	struct eg_gallery *gallery = NULL;

	assert_int_equal(eg_gallery_new(entries, calib, &gallery, NULL), 0);
	return gallery;
}

static struct eg_template axis(size_t i)
{
	struct eg_template t = {.model = {7}};

	set_axis(t.value, EG_TEMPLATE_SIZE, i);
	return t;
}

// A probe with these scores to axis a and b, and none to any other reference.
static struct eg_template probe(size_t a, double score_a, size_t b, double score_b)
{
	struct eg_template t = {.model = {7}};

	t.value[a] = (float)score_a;
	t.value[b] = (float)score_b;
	t.value[511] = (float)sqrt(1 - score_a * score_a - score_b * score_b);
	return t;
}

static void add(struct eg_gallery *gallery, size_t entry, const struct eg_template *t,
		float quality)
{
	assert_int_equal(eg_gallery_add(gallery, entry, t, quality, NULL), 0);
}

static struct eg_gallery *ten_people(void)
{
	struct eg_gallery *gallery = new_gallery(PEOPLE);

	for (size_t i = 0; i < PEOPLE; i++) {
		struct eg_template t = axis(i);

		add(gallery, i, &t, i == 2 ? 20 : 80);
	}
	assert_int_equal(eg_gallery_seal(gallery, NULL), 0);
	return gallery;
}

static void check_verdict(const struct eg_verdict *verdict, enum eg_cause cause, int entry)
{
	assert_string_equal(eg_cause_name(verdict->cause), eg_cause_name(cause));
	assert_int_equal(verdict->kind,
			 cause == EG_CAUSE_NONE ? EG_VERDICT_CONFIRMED : EG_VERDICT_REFER);
	assert_int_equal(verdict->entry, entry);
	if (verdict->kind == EG_VERDICT_CONFIRMED)
		assert_true(verdict->score >= verdict->threshold);
}

static void identify_decides_by_this_table(void **state)
{
	// FPIR 1e-2 of 10 references: FMR 1e-3, threshold 0.4; resembles from 0.3
	static const struct {
		size_t a;
		double score_a;
		size_t b;
		double score_b;
		enum eg_cause cause;
		int entry;
	} table[] = {
		{0, 0.70, 1, 0.00, EG_CAUSE_NONE, 0},
		{9, 0.401, 1, 0.00, EG_CAUSE_NONE, 9},
		{9, 0.399, 1, 0.00, EG_CAUSE_BELOW_THRESHOLD, 9},
		{9, 0.301, 1, 0.00, EG_CAUSE_BELOW_THRESHOLD, 9},
		{9, 0.299, 1, 0.00, EG_CAUSE_NOT_ON_MANIFEST, -1},
		{9, -0.90, 1, 0.00, EG_CAUSE_NOT_ON_MANIFEST, -1},
		{0, 0.70, 1, 0.41, EG_CAUSE_AMBIGUOUS, 0}, // both over the threshold
		{1, 0.45, 0, 0.36, EG_CAUSE_AMBIGUOUS, 1}, // less than a decade behind
		{1, 0.45, 0, 0.34, EG_CAUSE_NONE, 1},
		{2, 0.35, 1, 0.00, EG_CAUSE_POOR_REFERENCE, 2},
		{2, 0.25, 1, 0.00, EG_CAUSE_NOT_ON_MANIFEST, -1},
		{2, 0.45, 1, 0.00, EG_CAUSE_NONE, 2}, // a poor photo that matches is a match
	};
	struct eg_gallery *gallery = ten_people();

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct eg_template t =
			probe(table[i].a, table[i].score_a, table[i].b, table[i].score_b);
		struct eg_verdict verdict;

		memset(&verdict, 0x5a, sizeof(verdict));
		eg_gallery_identify(gallery, &t, 1e-2, &verdict);
		check_verdict(&verdict, table[i].cause, table[i].entry);
		assert_int_equal(verdict.mode, EG_MODE_IDENTIFY);
		assert_true(fabsf(verdict.threshold - 0.4f) < 1e-6f);
		assert_true(verdict.error_target == 1e-2 && verdict.quality == -1);
		assert_true(fabs((double)verdict.score - fmax(table[i].score_a, 0)) < 1e-6);
		if (table[i].score_a > 0)
			assert_true(fabs((double)verdict.second - table[i].score_b) < 1e-6);
	}
	eg_gallery_free(gallery);
}

static void verify_decides_by_this_table(void **state)
{
	static const struct {
		size_t entry;
		double score;
		enum eg_cause cause;
	} table[] = {
		{0, 0.70, EG_CAUSE_NONE},
		{0, 0.501, EG_CAUSE_NONE},
		{0, 0.499, EG_CAUSE_BELOW_THRESHOLD},
		{0, -0.50, EG_CAUSE_BELOW_THRESHOLD},
		{2, 0.499, EG_CAUSE_POOR_REFERENCE},
		{2, 0.501, EG_CAUSE_NONE},
	};
	struct eg_gallery *gallery = ten_people();

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct eg_template t = probe(table[i].entry, table[i].score, 5, 0);
		struct eg_verdict verdict;

		memset(&verdict, 0x5a, sizeof(verdict));
		eg_gallery_verify(gallery, table[i].entry, &t, 1e-4, &verdict);
		check_verdict(&verdict, table[i].cause, (int)table[i].entry);
		assert_int_equal(verdict.mode, EG_MODE_VERIFY);
		assert_true(fabsf(verdict.threshold - 0.5f) < 1e-6f);
		assert_true(isnan(verdict.second));
	}
	eg_gallery_free(gallery);
}

static void verify_looks_at_the_claimed_traveller_only(void **state)
{
	struct eg_gallery *gallery = ten_people();
	struct eg_template t = axis(4);
	struct eg_verdict verdict;

	(void)state;
	eg_gallery_verify(gallery, 5, &t, 1e-4, &verdict);
	check_verdict(&verdict, EG_CAUSE_BELOW_THRESHOLD, 5);
	eg_gallery_free(gallery);
}

static void the_best_of_several_references_counts(void **state)
{
	struct eg_gallery *gallery = new_gallery(2);
	struct eg_template first = axis(0), second = axis(1), other = axis(2);
	struct eg_template t = probe(1, 0.7, 3, 0);
	struct eg_gallery_facts facts;
	struct eg_verdict verdict;

	(void)state;
	add(gallery, 0, &first, 10);
	add(gallery, 1, &other, 80);
	add(gallery, 0, &second, 90);
	assert_int_equal(eg_gallery_seal(gallery, NULL), 0);
	eg_gallery_identify(gallery, &t, 3e-3, &verdict);
	check_verdict(&verdict, EG_CAUSE_NONE, 0);
	assert_true(fabsf(verdict.second) < 1e-6f); // the other person, not the other photo
	assert_true(fabsf(verdict.threshold - 0.4f) < 1e-6f); // 3e-3 over three references
	eg_gallery_verify(gallery, 0, &t, 2e-3, &verdict);
	check_verdict(&verdict, EG_CAUSE_NONE, 0);
	assert_true(fabsf(verdict.threshold - 0.4f) < 1e-6f); // 2e-3 over two references
	eg_gallery_facts(gallery, &facts);
	assert_int_equal(facts.entries, 2);
	assert_int_equal(facts.references, 3);
	assert_int_equal(facts.with_reference, 2);
	eg_gallery_free(gallery);
}

static void near_twins_go_to_the_officer_in_both_modes(void **state)
{
	struct eg_gallery *gallery = new_gallery(PEOPLE + 1);
	struct eg_template twin = {.model = {7}}, t;
	struct eg_gallery_facts facts;
	struct eg_verdict verdict;

	(void)state;
	for (size_t i = 0; i < PEOPLE; i++) {
		t = axis(i);
		add(gallery, i, &t, 80);
	}
	set_cosine(twin.value, EG_TEMPLATE_SIZE, 3, 400, 0.9);
	add(gallery, PEOPLE, &twin, 80);
	assert_int_equal(eg_gallery_seal(gallery, NULL), 0);
	eg_gallery_facts(gallery, &facts);
	assert_int_equal(facts.near_twins, 2);
	assert_true(facts.threshold_raise == 0);

	// 0.7 and 0.63 is a clear first, but a twin's
	t = probe(3, 0.7, 4, 0);
	eg_gallery_identify(gallery, &t, 1e-2, &verdict);
	check_verdict(&verdict, EG_CAUSE_AMBIGUOUS, 3);
	eg_gallery_verify(gallery, 3, &t, 1e-3, &verdict);
	check_verdict(&verdict, EG_CAUSE_AMBIGUOUS, 3);
	eg_gallery_verify(gallery, PEOPLE, &twin, 1e-3, &verdict);
	check_verdict(&verdict, EG_CAUSE_AMBIGUOUS, PEOPLE);
	t = axis(4);
	eg_gallery_identify(gallery, &t, 1e-2, &verdict);
	check_verdict(&verdict, EG_CAUSE_NONE, 4);
	eg_gallery_free(gallery);
}

static void two_photos_of_one_person_are_no_twins(void **state)
{
	struct eg_gallery *gallery = new_gallery(1);
	struct eg_template t = axis(0);
	struct eg_gallery_facts facts;

	(void)state;
	add(gallery, 0, &t, 80);
	add(gallery, 0, &t, 80);
	assert_int_equal(eg_gallery_seal(gallery, NULL), 0);
	eg_gallery_facts(gallery, &facts);
	assert_int_equal(facts.near_twins, 0);
	eg_gallery_free(gallery);
}

// People who all score 0.45 with each other.
static struct eg_gallery *alike(size_t people)
{
	struct eg_gallery *gallery = new_gallery(people);

	for (size_t i = 0; i < people; i++) {
		struct eg_template t = {.model = {7}};

		set_cosine(t.value, EG_TEMPLATE_SIZE, 500, i, sqrt(0.45));
		add(gallery, i, &t, 80);
	}
	assert_int_equal(eg_gallery_seal(gallery, NULL), 0);
	return gallery;
}

static void a_manifest_of_similar_faces_raises_the_threshold(void **state)
{
	struct eg_gallery *gallery = alike(40);
	// 780 pairs; the calibration expects 20 of them at 20/780, which is a score of 0.2591
	double expected = 0.2 + 0.1 * (log10(0.1) - log10(20.0 / 780));
	struct eg_gallery_facts facts;
	struct eg_verdict verdict;
	struct eg_template t = axis(0);

	(void)state;
	eg_gallery_facts(gallery, &facts);
	assert_true(fabs((double)facts.threshold_raise - (0.45 - expected)) < 0.002);
	assert_int_equal(facts.near_twins, 0);
	eg_gallery_identify(gallery, &t, 4e-2, &verdict); // 1e-3 each: 0.4 before the raise
	assert_true(fabs((double)verdict.threshold - (0.4 + 0.45 - expected)) < 0.002);
	eg_gallery_verify(gallery, 0, &t, 1e-3, &verdict);
	assert_true(fabs((double)verdict.threshold - (0.4 + 0.45 - expected)) < 0.002);
	eg_gallery_free(gallery);
}

static void a_small_manifest_raises_nothing(void **state)
{
	struct eg_gallery *gallery = alike(19); // 171 pairs
	struct eg_gallery_facts facts;

	(void)state;
	eg_gallery_facts(gallery, &facts);
	assert_true(facts.threshold_raise == 0);
	eg_gallery_free(gallery);
}

static void a_few_twins_do_not_move_everybodys_threshold(void **state)
{
	struct eg_gallery *gallery = new_gallery(45);
	struct eg_gallery_facts facts;

	(void)state;
	for (size_t i = 0; i < 45; i++) {
		struct eg_template t = axis(i < 40 ? i : i - 40); // five people stand in it twice

		add(gallery, i, &t, 80);
	}
	assert_int_equal(eg_gallery_seal(gallery, NULL), 0);
	eg_gallery_facts(gallery, &facts);
	assert_true(facts.threshold_raise == 0);
	assert_int_equal(facts.near_twins, 10);
	eg_gallery_free(gallery);
}

static void a_probe_that_is_no_unit_vector_is_a_system_fault(void **state)
{
	static const float bad[] = {NAN, INFINITY, -INFINITY, 1e30f, 3};
	struct eg_gallery *gallery = ten_people();
	struct eg_verdict verdict;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct eg_template t = axis(1);

		t.value[300] = bad[i];
		eg_gallery_identify(gallery, &t, 1e-2, &verdict);
		check_verdict(&verdict, EG_CAUSE_SYSTEM_FAULT, -1);
		eg_gallery_verify(gallery, 1, &t, 1e-2, &verdict);
		check_verdict(&verdict, EG_CAUSE_SYSTEM_FAULT, -1);
	}
	eg_gallery_free(gallery);
}

static void another_models_probe_is_a_system_fault(void **state)
{
	struct eg_gallery *gallery = ten_people();
	struct eg_template t = axis(1);
	struct eg_verdict verdict;

	(void)state;
	t.model[31] ^= 1;
	eg_gallery_identify(gallery, &t, 1e-2, &verdict);
	check_verdict(&verdict, EG_CAUSE_SYSTEM_FAULT, -1);
	eg_gallery_verify(gallery, 1, &t, 1e-2, &verdict);
	check_verdict(&verdict, EG_CAUSE_SYSTEM_FAULT, -1);
	eg_gallery_free(gallery);
}

static void a_target_out_of_range_confirms_nobody(void **state)
{
	static const double bad[] = {0, -1, 1, 5, NAN, INFINITY};
	struct eg_gallery *gallery = ten_people();
	struct eg_template t = axis(1);
	struct eg_verdict verdict;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		eg_gallery_identify(gallery, &t, bad[i], &verdict);
		check_verdict(&verdict, EG_CAUSE_SYSTEM_FAULT, -1);
		eg_gallery_verify(gallery, 1, &t, bad[i], &verdict);
		check_verdict(&verdict, EG_CAUSE_SYSTEM_FAULT, -1);
	}
	eg_gallery_verify(gallery, PEOPLE, &t, 1e-3, &verdict);
	check_verdict(&verdict, EG_CAUSE_SYSTEM_FAULT, -1);
	eg_gallery_verify(gallery, SIZE_MAX, &t, 1e-3, &verdict);
	check_verdict(&verdict, EG_CAUSE_SYSTEM_FAULT, -1);
	eg_gallery_free(gallery);
}

static void without_references_there_is_no_match(void **state)
{
	struct eg_gallery *nobody = new_gallery(0), *bare = new_gallery(3);
	struct eg_template t = axis(1);
	struct eg_verdict verdict;

	(void)state;
	assert_int_equal(eg_gallery_seal(nobody, NULL), 0);
	eg_gallery_identify(nobody, &t, 1e-2, &verdict);
	check_verdict(&verdict, EG_CAUSE_NOT_ON_MANIFEST, -1);
	assert_int_equal(eg_gallery_seal(bare, NULL), 0);
	eg_gallery_identify(bare, &t, 1e-2, &verdict);
	check_verdict(&verdict, EG_CAUSE_NO_REFERENCE, -1);
	eg_gallery_verify(bare, 2, &t, 1e-2, &verdict);
	check_verdict(&verdict, EG_CAUSE_NO_REFERENCE, 2);
	assert_true(isnan(verdict.score));
	eg_gallery_free(bare);
	eg_gallery_free(nobody);
	eg_gallery_free(NULL);
}

static void bad_references_are_refused(void **state)
{
	struct eg_gallery *gallery = new_gallery(2);
	struct eg_template t = axis(0), broken = t, foreign = t;
	struct eg_err err = EG_ERR_INIT;

	(void)state;
	broken.value[3] = NAN;
	foreign.model[0] ^= 1;
	assert_int_equal(eg_gallery_add(gallery, 2, &t, 80, &err), EG_EINVAL);
	assert_int_equal(eg_gallery_add(gallery, 0, &broken, 80, &err), EG_EINVAL);
	assert_int_equal(eg_gallery_add(gallery, 0, &t, NAN, &err), EG_EINVAL);
	for (size_t i = 0; i < EG_GALLERY_REFERENCES_MAX; i++)
		add(gallery, 0, &t, 80);
	assert_int_equal(eg_gallery_add(gallery, 0, &t, 80, &err), EG_EFULL);
	assert_non_null(strstr(err.text, "entry 0 has 8 references"));
	assert_int_equal(eg_gallery_add(gallery, 1, &foreign, 80, &err), EG_EINVAL);
	assert_non_null(strstr(err.text, "another model"));
	eg_gallery_free(gallery);

	assert_int_equal(eg_gallery_new(EG_GALLERY_ENTRIES_MAX + 1, calib, &gallery, &err),
			 EG_ETOOBIG);
}

// Against a search written out here, in double, over the float templates.
static void identify_ranks_as_the_float_scores_do(void **state)
{
	enum {
		ROWS = 1500,
		ENTRIES = 700
	};
	struct eg_template *all = calloc(ROWS, sizeof(*all)), t = {.model = {7}};
	size_t entry_of[ROWS];
	struct eg_gallery *gallery = new_gallery(ENTRIES);
	uint64_t random = 42;
	size_t added = 0;

	(void)state;
	assert_non_null(all);
	for (size_t i = 0; i < ROWS; i++) {
		size_t entry = random_u32(&random) % ENTRIES;

		all[added].model[0] = 7;
		set_random(all[added].value, EG_TEMPLATE_SIZE, &random);
		if (eg_gallery_add(gallery, entry, &all[added], 80, NULL) == 0)
			entry_of[added++] = entry;
	}
	assert_int_equal(eg_gallery_seal(gallery, NULL), 0);
	for (int round = 0; round < 200; round++) {
		double best[ENTRIES], first = -2, second = -2;
		struct eg_verdict verdict;
		int who = -1;

		set_random(t.value, EG_TEMPLATE_SIZE, &random);
		for (size_t e = 0; e < ENTRIES; e++)
			best[e] = -2;
		for (size_t i = 0; i < added; i++) {
			double sum = 0;

			for (size_t k = 0; k < EG_TEMPLATE_SIZE; k++)
				sum += (double)all[i].value[k] * (double)t.value[k];
			best[entry_of[i]] = fmax(best[entry_of[i]], sum);
		}
		for (size_t e = 0; e < ENTRIES; e++) {
			if (best[e] > first) {
				second = first;
				first = best[e];
				who = (int)e;
			} else {
				second = fmax(second, best[e]);
			}
		}
		eg_gallery_identify(gallery, &t, 0.999, &verdict);
		if (first - second > 1e-5 && verdict.entry >= 0)
			assert_int_equal(verdict.entry, who);
		assert_true(fabs((double)verdict.score - first) < 1e-5);
		assert_true(fabs((double)verdict.second - second) < 1e-5);
	}
	eg_gallery_free(gallery);
	free(all);
}

// Sealing in steps must find what a comparison of all pairs finds: 3,000 references are more than
// one step's budget, and the twins lie in the first and the last rows and across tiles.
static void sealing_in_steps_finds_every_twin(void **state)
{
	enum {
		COUNT = 3000
	};
	static const size_t twins[][2] = {{0, 2999}, {1, 2}, {1023, 1024}, {500, 2047}};
	struct eg_gallery *gallery = new_gallery(COUNT);
	struct eg_gallery_facts facts;
	int steps = 0, r;

	(void)state;
	for (size_t i = 0; i < COUNT; i++) {
		struct eg_template t = {.model = {7}};
		uint64_t seed = i;

		for (size_t k = 0; k < 4; k++)
			seed = i == twins[k][1] ? twins[k][0] : seed;
		seed += 1000;
		set_random(t.value, EG_TEMPLATE_SIZE, &seed);
		add(gallery, i, &t, 80);
	}
	do {
		r = eg_gallery_seal_step(gallery, NULL);
		steps++;
	} while (r == 0);
	assert_int_equal(r, 1);
	assert_int_equal(steps, (COUNT * (COUNT - 1) / 2 - 1) / EG_GALLERY_SEAL_STEP + 1);
	eg_gallery_facts(gallery, &facts);
	assert_int_equal(facts.near_twins, 8);
	eg_gallery_free(gallery);
}

static void a_seal_may_be_left_unfinished(void **state)
{
	struct eg_gallery *gallery = new_gallery(3000);
	const struct eg_template t = axis(3);

	(void)state;
	for (size_t i = 0; i < 3000; i++)
		add(gallery, i, &t, 80);
	assert_int_equal(eg_gallery_seal_step(gallery, NULL), 0);
	eg_gallery_free(gallery);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(identify_decides_by_this_table),
		cmocka_unit_test(verify_decides_by_this_table),
		cmocka_unit_test(verify_looks_at_the_claimed_traveller_only),
		cmocka_unit_test(the_best_of_several_references_counts),
		cmocka_unit_test(near_twins_go_to_the_officer_in_both_modes),
		cmocka_unit_test(two_photos_of_one_person_are_no_twins),
		cmocka_unit_test(a_manifest_of_similar_faces_raises_the_threshold),
		cmocka_unit_test(a_small_manifest_raises_nothing),
		cmocka_unit_test(a_few_twins_do_not_move_everybodys_threshold),
		cmocka_unit_test(a_probe_that_is_no_unit_vector_is_a_system_fault),
		cmocka_unit_test(another_models_probe_is_a_system_fault),
		cmocka_unit_test(a_target_out_of_range_confirms_nobody),
		cmocka_unit_test(without_references_there_is_no_match),
		cmocka_unit_test(bad_references_are_refused),
		cmocka_unit_test(identify_ranks_as_the_float_scores_do),
		cmocka_unit_test(sealing_in_steps_finds_every_twin),
		cmocka_unit_test(a_seal_may_be_left_unfinished),
	};

	return cmocka_run_group_tests(tests, make_calib, free_calib);
}
