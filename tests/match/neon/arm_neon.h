// SPDX-License-Identifier: Apache-2.0
//
// The few NEON intrinsics that match/kernel_neon.c uses, in plain C after Arm's "Intrinsics
// Reference", so that its code is run by the tests on a machine that is no arm64.

#ifndef EG_TEST_ARM_NEON_H
#define EG_TEST_ARM_NEON_H

#include <math.h>
#include <stdint.h>
#include <string.h>

typedef struct {
	int8_t v[16];
} int8x16_t;
typedef struct {
	int8_t v[8];
} int8x8_t;
typedef struct {
	int16_t v[8];
} int16x8_t;
typedef struct {
	int32_t v[4];
} int32x4_t;
typedef struct {
	float v[4];
} float32x4_t;

static inline int8x16_t vld1q_s8(const int8_t *at)
{
	int8x16_t r;

	memcpy(r.v, at, sizeof(r.v));
	return r;
}

static inline int8x8_t vget_low_s8(int8x16_t a)
{
	int8x8_t r;

	memcpy(r.v, a.v, 8);
	return r;
}

static inline int8x8_t vget_high_s8(int8x16_t a)
{
	int8x8_t r;

	memcpy(r.v, a.v + 8, 8);
	return r;
}

static inline int16x8_t vmull_s8(int8x8_t a, int8x8_t b)
{
	int16x8_t r;

	for (int i = 0; i < 8; i++)
		r.v[i] = (int16_t)(a.v[i] * b.v[i]);
	return r;
}

static inline int32x4_t vpadalq_s16(int32x4_t a, int16x8_t b)
{
	for (int i = 0; i < 4; i++)
		a.v[i] += b.v[2 * i] + b.v[2 * i + 1];
	return a;
}

static inline int32x4_t vdupq_n_s32(int32_t x)
{
	return (int32x4_t){{x, x, x, x}};
}

static inline int32x4_t vaddq_s32(int32x4_t a, int32x4_t b)
{
	for (int i = 0; i < 4; i++)
		a.v[i] += b.v[i];
	return a;
}

static inline int32_t vaddvq_s32(int32x4_t a)
{
	return a.v[0] + a.v[1] + a.v[2] + a.v[3];
}

static inline float32x4_t vdupq_n_f32(float x)
{
	return (float32x4_t){{x, x, x, x}};
}

static inline float32x4_t vld1q_f32(const float *at)
{
	float32x4_t r;

	memcpy(r.v, at, sizeof(r.v));
	return r;
}

static inline float32x4_t vfmaq_f32(float32x4_t a, float32x4_t b, float32x4_t c)
{
	for (int i = 0; i < 4; i++)
		a.v[i] = fmaf(b.v[i], c.v[i], a.v[i]);
	return a;
}

static inline float32x4_t vaddq_f32(float32x4_t a, float32x4_t b)
{
	for (int i = 0; i < 4; i++)
		a.v[i] += b.v[i];
	return a;
}

static inline float vaddvq_f32(float32x4_t a)
{
	return (a.v[0] + a.v[1]) + (a.v[2] + a.v[3]);
}

#endif
