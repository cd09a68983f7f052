// SPDX-License-Identifier: Apache-2.0

#include "kernel_cases.h"

static void every_available_kernel_gives_the_exact_sums(void **state)
{
	size_t count, tried = 0;
	const struct eg_kernel *const *list = eg_kernel_list(&count);

	(void)state;
	for (size_t i = 0; i < count; i++) {
		if (!list[i]->available()) {
			print_message("%s: not available on this processor\n", list[i]->name);
			continue;
		}
		print_message("%s\n", list[i]->name);
		check_kernel(list[i]);
		tried++;
	}
	assert_true(tried >= 1);
}

static void the_plain_kernel_is_last_and_always_there(void **state)
{
	size_t count;
	const struct eg_kernel *const *list = eg_kernel_list(&count);

	(void)state;
	assert_true(count >= 1);
	assert_string_equal(list[count - 1]->name, "plain");
	assert_true(list[count - 1]->available());
}

static void the_chosen_kernel_is_the_first_available_one(void **state)
{
	size_t count, i = 0;
	const struct eg_kernel *const *list = eg_kernel_list(&count);

	(void)state;
	while (!list[i]->available())
		i++;
	assert_ptr_equal(eg_kernel(), list[i]);
	assert_string_equal(eg_kernel_name(), list[i]->name);
}

static void another_kernel_can_be_used_for_measuring(void **state)
{
	size_t count;
	const struct eg_kernel *const *list = eg_kernel_list(&count);
	const struct eg_kernel *before = eg_kernel();

	(void)state;
	eg_kernel_use(list[count - 1]);
	assert_string_equal(eg_kernel_name(), "plain");
	eg_kernel_use(before);
	assert_ptr_equal(eg_kernel(), before);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_available_kernel_gives_the_exact_sums),
		cmocka_unit_test(the_plain_kernel_is_last_and_always_there),
		cmocka_unit_test(the_chosen_kernel_is_the_first_available_one),
		cmocka_unit_test(another_kernel_can_be_used_for_measuring),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
