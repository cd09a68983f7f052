// SPDX-License-Identifier: Apache-2.0

#include "test.h"

#include <errno.h>

#include "firmware/base/err.h"

static void a_text_is_prefixed_on_the_way_up(void **state)
{
	struct eg_err err = EG_ERR_INIT;

	(void)state;
	assert_int_equal(eg_err_set(&err, EG_ESTALE, "expired at %d", 7), EG_ESTALE);
	assert_int_equal(eg_err_prefix(&err, EG_EIO, "manifest %s", "m1"), EG_ESTALE);
	assert_int_equal(eg_err_prefix(&err, EG_EIO, "booth"), EG_ESTALE);
	assert_string_equal(err.text, "booth: manifest m1: expired at 7");
}

static void a_prefix_before_nothing_names_the_code(void **state)
{
	struct eg_err err = EG_ERR_INIT;

	(void)state;
	assert_int_equal(eg_err_prefix(&err, EG_ENOMEM, "gallery"), EG_ENOMEM);
	assert_string_equal(err.text, "gallery: out of memory");
}

static void without_an_object_only_the_code_comes_back(void **state)
{
	(void)state;
	assert_int_equal(eg_err_set(NULL, EG_EINVAL, "x"), EG_EINVAL);
	assert_int_equal(eg_err_prefix(NULL, EG_EAUTH, "x"), EG_EAUTH);
	assert_int_equal(eg_err_errno(NULL, EACCES, "x"), EG_EAUTH);
}

static void errno_becomes_a_code_and_a_sentence(void **state)
{
	static const struct {
		int number, code;
		const char *text;
	} cases[] = {
		{ENOENT, EG_ENOENT, "a: No such file or directory"},
		{ENOMEM, EG_ENOMEM, "a: Cannot allocate memory"},
		{EACCES, EG_EAUTH, "a: Permission denied"},
		{EPERM, EG_EAUTH, "a: Operation not permitted"},
		{ENOSPC, EG_EFULL, "a: No space left on device"},
		{EDQUOT, EG_EFULL, "a: Disk quota exceeded"},
		{EIO, EG_EIO, "a: Input/output error"},
		{EBADF, EG_EIO, "a: Bad file descriptor"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct eg_err err = EG_ERR_INIT;

		assert_int_equal(eg_err_errno(&err, cases[i].number, "a"), cases[i].code);
		assert_string_equal(err.text, cases[i].text);
	}
}

static void long_texts_are_cut_and_stay_terminated(void **state)
{
	char big[2 * EG_ERR_TEXT_MAX];
	struct eg_err err = EG_ERR_INIT;

	(void)state;
	memset(big, 'x', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	(void)eg_err_set(&err, EG_EIO, "%s", big);
	assert_int_equal(strlen(err.text), EG_ERR_TEXT_MAX - 1);
	for (size_t left = 0; left < 6; left++) { // prefixes that fit all but so many bytes
		big[EG_ERR_TEXT_MAX - 1 - left] = '\0';
		(void)eg_err_set(&err, EG_EIO, "why");
		(void)eg_err_prefix(&err, EG_EIO, "%s", big);
		assert_true(strlen(err.text) < EG_ERR_TEXT_MAX);
		assert_memory_equal(err.text, big, strlen(big));
		(void)eg_err_errno(&err, EIO, "%s", big);
		assert_true(strlen(err.text) < EG_ERR_TEXT_MAX);
	}
	assert_string_equal(err.text + EG_ERR_TEXT_MAX - 6, ": Inp");
}

static void every_code_has_a_name_of_its_own(void **state)
{
	(void)state;
	for (int i = 0; i >= EG_EFOREIGN; i--)
		for (int k = i - 1; k >= EG_EFOREIGN; k--)
			assert_string_not_equal(eg_code_name(i), eg_code_name(k));
	assert_string_equal(eg_code_name(-99), "unknown error");
	assert_string_equal(eg_code_name(1), "unknown error");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_text_is_prefixed_on_the_way_up),
		cmocka_unit_test(a_prefix_before_nothing_names_the_code),
		cmocka_unit_test(without_an_object_only_the_code_comes_back),
		cmocka_unit_test(errno_becomes_a_code_and_a_sentence),
		cmocka_unit_test(long_texts_are_cut_and_stay_terminated),
		cmocka_unit_test(every_code_has_a_name_of_its_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
