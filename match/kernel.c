// SPDX-License-Identifier: Apache-2.0
//
// The plain C kernel, which the others are tested against, and the choice among them.

#include "match/kernel.h"

#include <threads.h>

#include "match/kernel_internal.h"

static bool always(void)
{
	return true;
}

static void plain_int8(const int8_t *probe, const int8_t *rows, size_t count, int32_t *ret_dots)
{
	for (size_t i = 0; i < count; i++) {
		const int8_t *row = rows + i * EG_KERNEL_SIZE;
		int32_t sum = 0;

		for (size_t k = 0; k < EG_KERNEL_SIZE; k++)
			sum += probe[k] * row[k];
		ret_dots[i] = sum;
	}
}

static void plain_float(const float *probe, const float *rows, size_t count, float *ret_dots)
{
	for (size_t i = 0; i < count; i++) {
		const float *row = rows + i * EG_KERNEL_SIZE;
		float sum = 0;

		for (size_t k = 0; k < EG_KERNEL_SIZE; k++)
			sum += probe[k] * row[k];
		ret_dots[i] = sum;
	}
}

static const struct eg_kernel plain = {
	.name = "plain",
	.available = always,
	.dot_int8 = plain_int8,
	.dot_float = plain_float,
};

static const struct eg_kernel *const list[] = {
#if defined(__x86_64__)
	&eg_kernel_avx512vnni,
	&eg_kernel_avx2,
#elif defined(__aarch64__)
	&eg_kernel_neon,
#endif
	&plain,
};

static const struct eg_kernel *best;
static once_flag chosen = ONCE_FLAG_INIT;

static void choose(void)
{
	for (size_t i = 0; i < sizeof(list) / sizeof(list[0]) && !best; i++)
		if (list[i]->available())
			best = list[i];
}

const struct eg_kernel *eg_kernel(void)
{
	call_once(&chosen, choose);
	return best;
}

void eg_kernel_use(const struct eg_kernel *kernel)
{
	call_once(&chosen, choose);
	best = kernel;
}

const char *eg_kernel_name(void)
{
	return eg_kernel()->name;
}

const struct eg_kernel *const *eg_kernel_list(size_t *ret_count)
{
	*ret_count = sizeof(list) / sizeof(list[0]);
	return list;
}
