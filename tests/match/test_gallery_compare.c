// SPDX-License-Identifier: Apache-2.0
//
// References of different people against each other, as they are counted by group.

#include "match/gallery.h"
#include "tests/match/test.h"

static const struct eg_pack_point points[] = {{.fmr = 1e-1, .score = 0.2},
					      {.fmr = 1e-4, .score = 0.5}};
static struct eg_calib *calib;

static struct eg_gallery *new_gallery(size_t entries)
{
	struct eg_gallery *gallery = NULL;

	if (!calib)
		assert_int_equal(eg_calib_new(points, 2, 1e-5, &calib, NULL), 0);
	assert_int_equal(eg_gallery_new(entries, calib, &gallery, NULL), 0);
	return gallery;
}

static void add(struct eg_gallery *gallery, size_t entry, const struct eg_template *t,
		float quality)
{
	assert_int_equal(eg_gallery_add(gallery, entry, t, quality, NULL), 0);
}

struct compared {
	size_t pairs, own, odd;
	double sum;
};

static void take_pair(void *user, size_t a, size_t b, float score)
{
	struct compared *c = user;

	c->pairs++;
	c->own += a == b;
	c->odd += a % 2 + b % 2;
	c->sum += (double)score;
}

// Every pair of people with a photo once; two photos of one person never.
static void references_are_compared_with_each_other(void **state)
{
	struct eg_gallery *gallery = new_gallery(5);
	struct compared c = {0};
	struct eg_template t = {.model = {7}};

	(void)state;
	for (size_t i = 0; i < 4; i++) {			    // the fifth has none
		set_cosine(t.value, EG_TEMPLATE_SIZE, i, 400, 0.6); // any two: 0.8 · 0.8
		add(gallery, i, &t, 80);
	}
	add(gallery, 1, &t, 80);
	assert_int_equal(eg_gallery_seal(gallery, NULL), 0);
	eg_gallery_compare(gallery, take_pair, &c);
	assert_int_equal(c.pairs, 6 + 3);
	assert_int_equal(c.own, 0);
	assert_true(fabs(c.sum - (8 * 0.64 + 1)) < 1e-4); // the fifth photo is the fourth's copy
	assert_int_equal(eg_gallery_references(gallery, 1), 2);
	assert_int_equal(eg_gallery_references(gallery, 4), 0);
	assert_int_equal(eg_gallery_references(gallery, 5), 0);
	eg_gallery_free(gallery);
}

static void of_many_references_every_second_is_compared(void **state)
{
	const size_t n = 2 * EG_GALLERY_COMPARED_MAX;
	struct eg_gallery *gallery = new_gallery(n);
	struct compared c = {0};

	(void)state;
	for (size_t i = 0; i < n; i++) {
		struct eg_template t = {.model = {7}};

		set_axis(t.value, EG_TEMPLATE_SIZE, i % EG_TEMPLATE_SIZE);
		add(gallery, i, &t, 80);
	}
	eg_gallery_compare(gallery, take_pair, &c);
	assert_int_equal(c.pairs, (n / 2) * (n / 2 - 1) / 2);
	assert_int_equal(c.odd, 0);
	eg_gallery_free(gallery);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(references_are_compared_with_each_other),
		cmocka_unit_test(of_many_references_every_second_is_compared),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);

	eg_calib_free(calib);
	return failed;
}
