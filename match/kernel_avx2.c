// SPDX-License-Identifier: Apache-2.0
//
// The kernel for x86-64 with AVX2 and FMA. int8 is widened to int16 and multiplied with pmaddwd,
// whose pairwise sums of 32 bits are exact; maddubs would be shorter, but it saturates.
//
// Functions carry their target attribute: the file is compiled for any x86-64 and only entered
// where available() says so.

#include "match/kernel_internal.h"

#if defined(__x86_64__)

#include <immintrin.h>

#include "firmware/base/mem.h"

#define AVX2 __attribute__((target("avx2,fma")))

static bool available(void)
{
	return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
}

AVX2 static __m256i widen(const int8_t *at)
{
	return _mm256_cvtepi8_epi16(_mm_loadu_si128((const __m128i *)(const void *)at));
}

AVX2 static int32_t sum_of(__m256i a)
{
	__m128i sum = _mm_add_epi32(_mm256_castsi256_si128(a), _mm256_extracti128_si256(a, 1));

	sum = _mm_add_epi32(sum, _mm_shuffle_epi32(sum, 0x4e));
	sum = _mm_add_epi32(sum, _mm_shuffle_epi32(sum, 0xb1));
	return _mm_cvtsi128_si32(sum);
}

AVX2 static __m256i add_product(__m256i sum, __m256i probe, const int8_t *row)
{
	return _mm256_add_epi32(sum, _mm256_madd_epi16(probe, widen(row)));
}

// The probe is widened once; four rows share each load of it.
AVX2 static void dot_int8(const int8_t *probe, const int8_t *rows, size_t count, int32_t *ret_dots)
{
	__m256i wide[EG_KERNEL_SIZE / 16];
	size_t i = 0;

	for (size_t k = 0; k < EG_KERNEL_SIZE / 16; k++)
		wide[k] = widen(probe + 16 * k);
	for (; i + 4 <= count; i += 4) {
		const int8_t *row = rows + i * EG_KERNEL_SIZE;
		__m256i a = _mm256_setzero_si256(), b = a, c = a, d = a;

		for (size_t k = 0; k < EG_KERNEL_SIZE / 16; k++, row += 16) {
			// one of the next rows' cache lines a step, when there are any
			if (i + 12 <= count)
				_mm_prefetch(rows + (i + 8) * EG_KERNEL_SIZE + 64 * k, _MM_HINT_T0);
			a = add_product(a, wide[k], row);
			b = add_product(b, wide[k], row + EG_KERNEL_SIZE);
			c = add_product(c, wide[k], row + 2 * EG_KERNEL_SIZE);
			d = add_product(d, wide[k], row + 3 * EG_KERNEL_SIZE);
		}
		ret_dots[i] = sum_of(a);
		ret_dots[i + 1] = sum_of(b);
		ret_dots[i + 2] = sum_of(c);
		ret_dots[i + 3] = sum_of(d);
	}
	for (; i < count; i++) {
		__m256i a = _mm256_setzero_si256();

		for (size_t k = 0; k < EG_KERNEL_SIZE / 16; k++)
			a = add_product(a, wide[k], rows + i * EG_KERNEL_SIZE + 16 * k);
		ret_dots[i] = sum_of(a);
	}
	eg_wipe(wide, sizeof(wide));
}

AVX2 static void dot_float(const float *probe, const float *rows, size_t count, float *ret_dots)
{
	for (size_t i = 0; i < count; i++) {
		const float *row = rows + i * EG_KERNEL_SIZE;
		__m256 part[4] = {_mm256_setzero_ps(), _mm256_setzero_ps(), _mm256_setzero_ps(),
				  _mm256_setzero_ps()};

		for (size_t k = 0; k < EG_KERNEL_SIZE; k += 32)
			for (size_t j = 0; j < 4; j++)
				part[j] =
					_mm256_fmadd_ps(_mm256_loadu_ps(probe + k + 8 * j),
							_mm256_loadu_ps(row + k + 8 * j), part[j]);
		part[0] = _mm256_add_ps(_mm256_add_ps(part[0], part[1]),
					_mm256_add_ps(part[2], part[3]));

		__m128 sum = _mm_add_ps(_mm256_castps256_ps128(part[0]),
					_mm256_extractf128_ps(part[0], 1));
		sum = _mm_add_ps(sum, _mm_movehl_ps(sum, sum));
		sum = _mm_add_ss(sum, _mm_shuffle_ps(sum, sum, 1));
		ret_dots[i] = _mm_cvtss_f32(sum);
	}
}

const struct eg_kernel eg_kernel_avx2 = {
	.name = "avx2",
	.available = available,
	.dot_int8 = dot_int8,
	.dot_float = dot_float,
};

#else
typedef int eg_kernel_avx2_is_for_x86; // a file must not be empty
#endif
