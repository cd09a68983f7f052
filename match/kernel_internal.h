// SPDX-License-Identifier: Apache-2.0
//
// The implementations behind kernel.h, for kernel.c only.

#ifndef EG_KERNEL_INTERNAL_H
#define EG_KERNEL_INTERNAL_H

#include "match/kernel.h"

#if defined(__x86_64__)
extern const struct eg_kernel eg_kernel_avx2;
extern const struct eg_kernel eg_kernel_avx512vnni;
#elif defined(__aarch64__)
extern const struct eg_kernel eg_kernel_neon;
#endif

#endif
