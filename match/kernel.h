// SPDX-License-Identifier: Apache-2.0
//
// The comparison kernel: dot products of one probe with many rows of EG_KERNEL_SIZE elements. One
// const ops table per implementation; the best one this processor can run is chosen once, at run
// time. The int8 results are exact in 32 bits, so every implementation gives the very same numbers;
// the float results may differ in the last places (another order of adding).
//
// Rows lie one behind the other, need no alignment, and there may be any number of them.
// Thread: any.

#ifndef EG_KERNEL_H
#define EG_KERNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define EG_KERNEL_SIZE 512 // elements of a row

struct eg_kernel {
	const char *name;
	bool (*available)(void); // can this processor run it?
	// ret_dots[i] = Σ probe[k] · rows[i × 512 + k]. All of −128 … 127 is allowed.
	void (*dot_int8)(const int8_t *probe, const int8_t *rows, size_t count, int32_t *ret_dots);
	void (*dot_float)(const float *probe, const float *rows, size_t count, float *ret_dots);
};

// The best available one. Lives for ever.
const struct eg_kernel *eg_kernel(void);
const char *eg_kernel_name(void); // "plain", "avx2", "avx512vnni" or "neon"

// All that were compiled in, best first, the plain one last; also those that are not available
// here. For tests and eg-bench.
const struct eg_kernel *const *eg_kernel_list(size_t *ret_count);

// From now on eg_kernel() is this one, which must be available. For tests and eg-bench, while no
// other thread compares.
void eg_kernel_use(const struct eg_kernel *kernel);

#endif
