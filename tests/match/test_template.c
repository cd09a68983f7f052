// SPDX-License-Identifier: Apache-2.0

#include "test.h"

#include "match/template.h"

static struct eg_template with_cosine(size_t axis, double cosine)
{
	struct eg_template t = {.model = {1, 2, 3}};

	set_cosine(t.value, EG_TEMPLATE_SIZE, axis, 511, cosine);
	return t;
}

static void scores_are_the_cosines_of_the_angle(void **state)
{
	static const double cosines[] = {-1, -0.5, 0, 0.25, 0.7, 1};
	struct eg_template a = with_cosine(3, 1);

	(void)state;
	for (size_t i = 0; i < sizeof(cosines) / sizeof(cosines[0]); i++) {
		struct eg_template b = with_cosine(3, cosines[i]);
		float score = 9;

		assert_int_equal(eg_template_compare(&a, &b, &score), 0);
		assert_true(fabs((double)score - cosines[i]) < 1e-6);
		assert_true(score <= 1 && score >= -1);
	}
}

static void templates_of_different_models_do_not_compare(void **state)
{
	struct eg_template a = with_cosine(0, 1), b = a;
	float score = 9;

	(void)state;
	b.model[31] ^= 1;
	assert_int_equal(eg_template_compare(&a, &b, &score), EG_EINVAL);
	assert_true(score == 9);
}

static struct eg_template scaled(struct eg_template t, float length)
{
	for (size_t k = 0; k < EG_TEMPLATE_SIZE; k++)
		t.value[k] *= length;
	return t;
}

static void lengths_weigh_the_score(void **state)
{
	struct eg_template a = scaled(with_cosine(3, 1), 0.5f);
	struct eg_template b = scaled(with_cosine(3, 0.8), 0.75f);
	float score = 9;

	(void)state;
	assert_int_equal(eg_template_compare(&a, &b, &score), 0);
	assert_true(fabsf(score - 0.3f) < 1e-6f); // 0.5 · 0.75 · 0.8
}

static void what_is_no_finite_vector_of_a_fair_length_does_not_compare(void **state)
{
	static const float bad[] = {NAN, INFINITY, -INFINITY, 1e30f, 2};
	struct eg_template good = with_cosine(0, 1), zero = {.model = {1, 2, 3}};
	struct eg_template weak = scaled(good, 0.09f), strong = scaled(good, 1.01f);
	float score = 9;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct eg_template t = good;

		t.value[17] = bad[i];
		assert_int_equal(eg_template_check(&t), EG_EINVAL);
		assert_int_equal(eg_template_compare(&good, &t, &score), EG_EINVAL);
		assert_int_equal(eg_template_compare(&t, &good, &score), EG_EINVAL);
	}
	assert_int_equal(eg_template_check(&zero), EG_EINVAL);
	assert_int_equal(eg_template_check(&weak), EG_EINVAL);
	assert_int_equal(eg_template_check(&strong), EG_EINVAL);
	assert_int_equal(eg_template_check(&good), 0);
	assert_true(score == 9);
}

static void fusing_gives_the_weighted_mean_at_unit_length(void **state)
{
	struct eg_template a = with_cosine(0, 1), b = with_cosine(1, 1), fused;
	const struct eg_template *list[] = {&a, &b};
	const float weights[] = {3, 4};

	(void)state;
	assert_int_equal(eg_template_fuse(list, NULL, 2, &fused), 0);
	assert_true(fabsf(fused.value[0] - (float)M_SQRT1_2) < 1e-6f);
	assert_true(fabsf(fused.value[1] - (float)M_SQRT1_2) < 1e-6f);
	assert_memory_equal(fused.model, a.model, sizeof(a.model));

	assert_int_equal(eg_template_fuse(list, weights, 2, &a), 0); // may be one of its inputs
	assert_true(fabsf(a.value[0] - 0.6f) < 1e-6f);
	assert_true(fabsf(a.value[1] - 0.8f) < 1e-6f);
}

// A long template does not pull harder than a short one; the lengths have a mean of their own.
static void fusing_takes_the_mean_of_directions_and_of_lengths(void **state)
{
	struct eg_template a = scaled(with_cosine(0, 1), 0.2f), b = with_cosine(1, 1), fused;
	const struct eg_template *list[] = {&a, &b};
	const float weights[] = {3, 4};

	(void)state;
	assert_int_equal(eg_template_fuse(list, weights, 2, &fused), 0);
	// direction (0.6, 0.8), length (3 · 0.2 + 4 · 1) / 7
	assert_true(fabsf(fused.value[0] - 0.6f * 4.6f / 7) < 1e-6f);
	assert_true(fabsf(fused.value[1] - 0.8f * 4.6f / 7) < 1e-6f);
}

static void fusing_refuses_what_has_no_mean(void **state)
{
	struct eg_template a = with_cosine(0, 1), b = with_cosine(0, -1), other = a, fused;
	struct eg_template broken = a;
	const struct eg_template *opposite[] = {&a, &b}, *models[] = {&a, &other},
				 *faulty[] = {&a, &broken};
	static const float weights[][2] = {{1, 0}, {1, -1}, {1, NAN}, {INFINITY, 1}};

	(void)state;
	memset(&fused, 0x5a, sizeof(fused));
	struct eg_template before = fused;

	other.model[0] ^= 1;
	broken.value[5] = NAN;
	assert_int_equal(eg_template_fuse(opposite, NULL, 2, &fused), EG_EINVAL);
	assert_int_equal(eg_template_fuse(models, NULL, 2, &fused), EG_EINVAL);
	assert_int_equal(eg_template_fuse(faulty, NULL, 2, &fused), EG_EINVAL);
	assert_int_equal(eg_template_fuse(opposite, NULL, 0, &fused), EG_EINVAL);
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(eg_template_fuse(models, weights[i], 2, &fused), EG_EINVAL);
	assert_memory_equal(&fused, &before, sizeof(fused));
}

static void int8_scores_keep_within_the_stated_bound(void **state)
{
	struct eg_template a = {0}, b = {0};
	uint64_t random = 7;

	(void)state;
	for (int round = 0; round < 300; round++) {
		int8_t qa[EG_TEMPLATE_SIZE], qb[EG_TEMPLATE_SIZE];
		float scale_a, scale_b, error_a, error_b;
		double exact = 0, rounded = 0;

		set_random(a.value, EG_TEMPLATE_SIZE, &random);
		set_random(b.value, EG_TEMPLATE_SIZE, &random);
		if (round % 3 == 0) // alike
			for (size_t k = 0; k < EG_TEMPLATE_SIZE; k++)
				b.value[k] = a.value[k];
		if (round % 5 == 0)
			set_axis(b.value, EG_TEMPLATE_SIZE, (size_t)round);
		eg_template_quantise(&a, qa, &scale_a, &error_a);
		eg_template_quantise(&b, qb, &scale_b, &error_b);
		for (size_t k = 0; k < EG_TEMPLATE_SIZE; k++) {
			exact += (double)a.value[k] * (double)b.value[k];
			rounded += qa[k] * qb[k];
			assert_true(qa[k] >= -127);
		}
		rounded *= (double)scale_a * (double)scale_b;
		assert_true(fabs(exact - rounded) <=
			    (double)error_a + (1 + (double)error_a) * (double)error_b + 1e-6);
		assert_true(error_a < 0.02f);
	}
}

static void wiping_leaves_nothing(void **state)
{
	struct eg_template t = with_cosine(0, 0.5), zero = {0};

	(void)state;
	eg_template_wipe(&t);
	assert_memory_equal(&t, &zero, sizeof(t));
	eg_template_wipe(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(scores_are_the_cosines_of_the_angle),
		cmocka_unit_test(templates_of_different_models_do_not_compare),
		cmocka_unit_test(lengths_weigh_the_score),
		cmocka_unit_test(what_is_no_finite_vector_of_a_fair_length_does_not_compare),
		cmocka_unit_test(fusing_gives_the_weighted_mean_at_unit_length),
		cmocka_unit_test(fusing_takes_the_mean_of_directions_and_of_lengths),
		cmocka_unit_test(fusing_refuses_what_has_no_mean),
		cmocka_unit_test(int8_scores_keep_within_the_stated_bound),
		cmocka_unit_test(wiping_leaves_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
