// SPDX-License-Identifier: Apache-2.0
//
// Runs match/kernel_neon.c's own lines here: with intrinsics of plain C (neon/arm_neon.h).

#include "kernel_cases.h"

#include "match/kernel_internal.h"

extern const struct eg_kernel eg_kernel_neon;

#undef __x86_64__
#define __aarch64__ 1
#include "match/kernel_neon.c"

static void the_neon_kernel_gives_the_exact_sums(void **state)
{
	(void)state;
	check_kernel(&eg_kernel_neon);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_neon_kernel_gives_the_exact_sums),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
