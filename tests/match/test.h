// SPDX-License-Identifier: Apache-2.0
//
// What the match tests share: cmocka, random numbers that are the same everywhere, and vectors with
// cosines that are known by construction.

#ifndef EG_TEST_MATCH_H
#define EG_TEST_MATCH_H

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static inline uint32_t random_u32(uint64_t *state) // PCG-XSH-RR
{
	uint64_t old = *state;
	uint32_t x = (uint32_t)(((old >> 18) ^ old) >> 27);
	unsigned int turn = (unsigned int)(old >> 59);

	*state = old * 6364136223846793005u + 1442695040888963407u;
	return x >> turn | x << (-turn & 31);
}

static inline double random_unit(uint64_t *state) // −1 … 1
{
	return (double)random_u32(state) / 2147483647.5 - 1;
}

// Unit vector along one axis, or in the plane of two with a given cosine to the first.
static inline void set_axis(float *value, size_t size, size_t axis)
{
	memset(value, 0, size * sizeof(*value));
	value[axis] = 1;
}

static inline void set_cosine(float *value, size_t size, size_t axis, size_t other, double cosine)
{
	memset(value, 0, size * sizeof(*value));
	value[axis] = (float)cosine;
	value[other] = (float)sqrt(1 - cosine * cosine);
}

static inline void set_random(float *value, size_t size, uint64_t *state)
{
	double sum = 0;

	for (size_t i = 0; i < size; i++) {
		double x = random_unit(state) + random_unit(state) + random_unit(state);

		value[i] = (float)x;
		sum += x * x;
	}
	for (size_t i = 0; i < size; i++)
		value[i] = (float)((double)value[i] / sqrt(sum));
}

#endif
