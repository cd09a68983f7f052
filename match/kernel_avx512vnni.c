// SPDX-License-Identifier: Apache-2.0
//
// The kernel for x86-64 with AVX-512 VNNI. vpdpbusd multiplies unsigned by signed bytes and adds
// four products into 32 bits without saturating. The row is made unsigned by adding 128 (flipping
// its sign bits), which adds 128 × Σ probe to each dot product: the same number for all rows, taken
// off at the end. Exact for every int8 value: |sum| ≤ 512 × 255 × 128 < 2^31.
//
// Functions carry their target attribute: the file is compiled for any x86-64 and only entered
// where available() says so.

#include "match/kernel_internal.h"

#if defined(__x86_64__)

#include <immintrin.h>

#define VNNI  __attribute__((target("avx512f,avx512bw,avx512vnni")))
#define PARTS (EG_KERNEL_SIZE / 64)

static bool available(void)
{
	return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
	       __builtin_cpu_supports("avx512vnni");
}

VNNI static void dot_int8(const int8_t *probe, const int8_t *rows, size_t count, int32_t *ret_dots)
{
	const __m512i flip = _mm512_set1_epi8((char)0x80);
	__m512i p[PARTS];
	int32_t offset = 0;

	for (size_t j = 0; j < PARTS; j++)
		p[j] = _mm512_loadu_si512(probe + 64 * j);
	for (size_t k = 0; k < EG_KERNEL_SIZE; k++)
		offset += 128 * probe[k];

	for (size_t i = 0; i < count; i++) {
		const int8_t *row = rows + i * EG_KERNEL_SIZE;
		__m512i a = _mm512_setzero_si512(), b = a;

		for (size_t j = 0; j < PARTS; j += 2) {
			__m512i low = _mm512_loadu_si512(row + 64 * j);
			__m512i high = _mm512_loadu_si512(row + 64 * (j + 1));

			a = _mm512_dpbusd_epi32(a, _mm512_xor_si512(low, flip), p[j]);
			b = _mm512_dpbusd_epi32(b, _mm512_xor_si512(high, flip), p[j + 1]);
		}
		ret_dots[i] = _mm512_reduce_add_epi32(_mm512_add_epi32(a, b)) - offset;
	}
}

VNNI static void dot_float(const float *probe, const float *rows, size_t count, float *ret_dots)
{
	for (size_t i = 0; i < count; i++) {
		const float *row = rows + i * EG_KERNEL_SIZE;
		__m512 part[4] = {_mm512_setzero_ps(), _mm512_setzero_ps(), _mm512_setzero_ps(),
				  _mm512_setzero_ps()};

		for (size_t k = 0; k < EG_KERNEL_SIZE; k += 64)
			for (size_t j = 0; j < 4; j++)
				part[j] =
					_mm512_fmadd_ps(_mm512_loadu_ps(probe + k + 16 * j),
							_mm512_loadu_ps(row + k + 16 * j), part[j]);
		ret_dots[i] = _mm512_reduce_add_ps(_mm512_add_ps(_mm512_add_ps(part[0], part[1]),
								 _mm512_add_ps(part[2], part[3])));
	}
}

const struct eg_kernel eg_kernel_avx512vnni = {
	.name = "avx512vnni",
	.available = available,
	.dot_int8 = dot_int8,
	.dot_float = dot_float,
};

#else
typedef int eg_kernel_avx512vnni_is_for_x86; // a file must not be empty
#endif
