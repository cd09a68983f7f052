// SPDX-License-Identifier: Apache-2.0
//
// What every kernel has to do, whichever it is: checked against sums written out here in wider
// arithmetic, with random and extreme rows, odd counts and unaligned rows.

#ifndef EG_TEST_KERNEL_CASES_H
#define EG_TEST_KERNEL_CASES_H

#include "match/kernel.h"

#include "test.h"

#define ROWS 67

enum fill {
	FILL_RANDOM,
	FILL_LOWEST,  // −128
	FILL_HIGHEST, // 127
	FILL_ALTERNATING,
	FILL_LIMIT, // −127 or 127 at random: what saturating arithmetic fails at
	FILL_COUNT,
};

static inline int8_t fill_value(enum fill fill, size_t k, uint64_t *state)
{
	switch (fill) {
	case FILL_LOWEST:
		return -128;
	case FILL_HIGHEST:
		return 127;
	case FILL_ALTERNATING:
		return k % 2 ? 127 : -128;
	case FILL_LIMIT:
		return random_u32(state) % 2 ? 127 : -127;
	default:
		return (int8_t)(random_u32(state) & 0xff);
	}
}

static inline void check_int8(const struct eg_kernel *kernel, enum fill probe_fill,
			      enum fill row_fill, size_t count, size_t shift, uint64_t *state)
{
	// one block for both, so that a sanitizer sees a read too far
	int8_t *probe = malloc(EG_KERNEL_SIZE + shift);
	int8_t *rows = malloc(count * EG_KERNEL_SIZE + shift + 1);
	int32_t dots[ROWS + 1];

	assert_non_null(probe);
	assert_non_null(rows);
	for (size_t k = 0; k < EG_KERNEL_SIZE; k++)
		probe[shift + k] = fill_value(probe_fill, k, state);
	for (size_t k = 0; k < count * EG_KERNEL_SIZE; k++)
		rows[shift + k] = fill_value(row_fill, k, state);
	dots[count] = 0x5a5a5a5a;
	kernel->dot_int8(probe + shift, rows + shift, count, dots);
	for (size_t i = 0; i < count; i++) {
		int64_t sum = 0;

		for (size_t k = 0; k < EG_KERNEL_SIZE; k++)
			sum += (int64_t)probe[shift + k] * rows[shift + i * EG_KERNEL_SIZE + k];
		assert_int_equal(dots[i], sum);
	}
	assert_int_equal(dots[count], 0x5a5a5a5a);
	free(rows);
	free(probe);
}

static inline void check_float(const struct eg_kernel *kernel, size_t count, uint64_t *state)
{
	float *probe = malloc(EG_KERNEL_SIZE * sizeof(float));
	float *rows = malloc((count * EG_KERNEL_SIZE + 1) * sizeof(float));
	float dots[ROWS + 1];

	assert_non_null(probe);
	assert_non_null(rows);
	set_random(probe, EG_KERNEL_SIZE, state);
	for (size_t i = 0; i < count; i++)
		set_random(rows + i * EG_KERNEL_SIZE, EG_KERNEL_SIZE, state);
	dots[count] = 42;
	kernel->dot_float(probe, rows, count, dots);
	for (size_t i = 0; i < count; i++) {
		double sum = 0;

		for (size_t k = 0; k < EG_KERNEL_SIZE; k++)
			sum += (double)probe[k] * (double)rows[i * EG_KERNEL_SIZE + k];
		assert_true(fabs((double)dots[i] - sum) < 1e-6);
	}
	assert_true(dots[count] == 42);
	free(rows);
	free(probe);
}

static inline void check_kernel(const struct eg_kernel *kernel)
{
	static const size_t counts[] = {0, 1, 2, 3, 7, 16, 33, ROWS};
	uint64_t state = 20261124;

	for (size_t c = 0; c < sizeof(counts) / sizeof(counts[0]); c++) {
		for (int p = 0; p < FILL_COUNT; p++)
			for (int r = 0; r < FILL_COUNT; r++)
				check_int8(kernel, (enum fill)p, (enum fill)r, counts[c], c % 4,
					   &state);
		check_float(kernel, counts[c], &state);
	}
	for (int i = 0; i < 200; i++)
		check_int8(kernel, FILL_RANDOM, FILL_RANDOM, 1 + random_u32(&state) % ROWS,
			   random_u32(&state) % 64, &state);
}

#endif
