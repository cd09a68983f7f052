// SPDX-License-Identifier: Apache-2.0
//
// The kernel for arm64. NEON is part of every arm64 processor, but the kernel still says whether it
// lets programs use it (HWCAP_ASIMD). int8 products of 16 bits (at most 128 × 128, which fits) are
// added pairwise into 32 bits: exact.

#include "match/kernel_internal.h"

#if defined(__aarch64__)

#include <arm_neon.h>
#include <sys/auxv.h>

#ifndef HWCAP_ASIMD
#define HWCAP_ASIMD (1ul << 1)
#endif

static bool available(void)
{
	return (getauxval(AT_HWCAP) & HWCAP_ASIMD) != 0;
}

static void dot_int8(const int8_t *probe, const int8_t *rows, size_t count, int32_t *ret_dots)
{
	for (size_t i = 0; i < count; i++) {
		const int8_t *row = rows + i * EG_KERNEL_SIZE;
		int32x4_t a = vdupq_n_s32(0), b = vdupq_n_s32(0);

		for (size_t k = 0; k < EG_KERNEL_SIZE; k += 16) {
			int8x16_t p = vld1q_s8(probe + k), r = vld1q_s8(row + k);

			a = vpadalq_s16(a, vmull_s8(vget_low_s8(p), vget_low_s8(r)));
			b = vpadalq_s16(b, vmull_s8(vget_high_s8(p), vget_high_s8(r)));
		}
		ret_dots[i] = vaddvq_s32(vaddq_s32(a, b));
	}
}

static void dot_float(const float *probe, const float *rows, size_t count, float *ret_dots)
{
	for (size_t i = 0; i < count; i++) {
		const float *row = rows + i * EG_KERNEL_SIZE;
		float32x4_t a = vdupq_n_f32(0), b = a, c = a, d = a;

		for (size_t k = 0; k < EG_KERNEL_SIZE; k += 16) {
			a = vfmaq_f32(a, vld1q_f32(probe + k), vld1q_f32(row + k));
			b = vfmaq_f32(b, vld1q_f32(probe + k + 4), vld1q_f32(row + k + 4));
			c = vfmaq_f32(c, vld1q_f32(probe + k + 8), vld1q_f32(row + k + 8));
			d = vfmaq_f32(d, vld1q_f32(probe + k + 12), vld1q_f32(row + k + 12));
		}
		ret_dots[i] = vaddvq_f32(vaddq_f32(vaddq_f32(a, b), vaddq_f32(c, d)));
	}
}

const struct eg_kernel eg_kernel_neon = {
	.name = "neon",
	.available = available,
	.dot_int8 = dot_int8,
	.dot_float = dot_float,
};

#else
typedef int eg_kernel_neon_is_for_arm64; // a file must not be empty
#endif
