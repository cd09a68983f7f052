// SPDX-License-Identifier: Apache-2.0
//
// A gallery's memory: every allocation failing in turn, and nothing of a template left behind.

#include "test.h"

#include <stdio.h>
#include <unistd.h>

#include "firmware/base/mem.h"
#include "match/gallery.h"

static struct eg_calib *calib;

static int make_calib(void **state)
{
	static const struct eg_pack_point points[] = {{0.2, 1e-1}, {0.4, 1e-3}, {0.6, 1e-5}};

	(void)state;
	return eg_calib_new(points, 3, 1e-5, &calib, NULL);
}

static int free_calib(void **state)
{
	(void)state;
	eg_calib_free(calib);
	return 0;
}

static struct eg_template axis(size_t i)
{
	struct eg_template t = {.model = {7}};

	set_axis(t.value, EG_TEMPLATE_SIZE, i);
	return t;
}

static void memory_that_runs_out_is_reported_and_nothing_leaks(void **state)
{
	struct eg_template t = axis(0);
	size_t n = 1;
	int r;

	(void)state;
	do {
		struct eg_gallery *gallery = NULL;
		size_t i;

		eg_mem_fail_at(n++);
		r = eg_gallery_new(200, calib, &gallery, NULL);
		for (i = 0; r == 0 && i < 200; i++)
			r = eg_gallery_add(gallery, i, &t, 80, NULL);
		for (i = 0; r == 0 && i < 200; i++) // grows once
			r = eg_gallery_add(gallery, i, &t, 80, NULL);
		if (r == 0)
			r = eg_gallery_seal(gallery, NULL);
		assert_true(r == 0 || r == EG_ENOMEM);
		eg_mem_fail_at(0);
		eg_gallery_free(gallery);
	} while (r != 0 && n < 100);
	assert_true(n > 8 && n < 100);
}

// ---- nothing of a template stays in memory ----------------------------------------------------

#define MARK 16 // values of the template that is searched for

static float mark(size_t k)
{
	return (float)(0.01 + 0.003 * (double)((k * 7) % 11) + 1e-5 * (double)k);
}

static size_t marks_in(const float *values, size_t count)
{
	size_t found = 0;

	for (size_t i = 0; i + MARK <= count; i++) {
		size_t k = 0;

		while (k < MARK && memcmp(&values[i + k], &(float){mark(k)}, sizeof(float)) == 0)
			k++;
		found += k == MARK;
	}
	return found;
}

// Copies of the mark in all writable memory of this process, but for the search's own buffer.
static size_t marks_in_memory(void)
{
	static float chunk[1 << 14];
	FILE *maps = fopen("/proc/self/maps", "re"), *memory = fopen("/proc/self/mem", "re");
	char line[512];
	size_t found = 0;

	assert_non_null(maps);
	assert_non_null(memory);
	while (fgets(line, sizeof(line), maps)) {
		char *dash, *mode;
		unsigned long at = strtoul(line, &dash, 16), end = strtoul(dash + 1, &mode, 16);

		if (strncmp(mode, " rw", 3) != 0 || end - at > (256ul << 20))
			continue;
		for (; at < end; at += sizeof(chunk) - MARK * sizeof(float)) {
			size_t size = end - at < sizeof(chunk) ? end - at : sizeof(chunk);
			ssize_t got;

			if (at < (unsigned long)(chunk + (1 << 14)) &&
			    at + size > (unsigned long)chunk)
				continue;
			got = pread(fileno(memory), chunk, size, (off_t)at);
			if (got > 0)
				found += marks_in(chunk, (size_t)got / sizeof(float));
			if (size < sizeof(chunk))
				break;
		}
	}
	eg_wipe(chunk, sizeof(chunk));
	fclose(memory);
	fclose(maps);
	return found;
}

static void add_marked(struct eg_gallery *gallery)
{
	struct eg_template t = {.model = {7}};
	double sum = 0;

	for (size_t k = 0; k < MARK; k++) {
		t.value[k] = mark(k);
		sum += (double)t.value[k] * (double)t.value[k];
	}
	t.value[100] = (float)sqrt(1 - sum);
	assert_int_equal(eg_gallery_add(gallery, 0, &t, 80, NULL), 0);
	eg_template_wipe(&t);
}

static void freeing_leaves_no_copy_of_a_template_in_memory(void **state)
{
	struct eg_gallery *gallery = NULL;
	struct eg_template t = axis(200);

	(void)state;
	assert_int_equal(eg_gallery_new(200, calib, &gallery, NULL), 0);
	assert_int_equal(marks_in_memory(), 0);
	add_marked(gallery);
	for (size_t i = 0; i < 300; i++) // grows
		assert_int_equal(eg_gallery_add(gallery, 1 + i % 150, &t, 80, NULL), 0);
	assert_int_equal(eg_gallery_seal(gallery, NULL), 0);
	assert_int_equal(marks_in_memory(), 1);
	eg_gallery_free(gallery);
	assert_int_equal(marks_in_memory(), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(memory_that_runs_out_is_reported_and_nothing_leaks),
		cmocka_unit_test(freeing_leaves_no_copy_of_a_template_in_memory),
	};

	return cmocka_run_group_tests(tests, make_calib, free_calib);
}
