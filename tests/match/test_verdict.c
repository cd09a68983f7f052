// SPDX-License-Identifier: Apache-2.0

#include "test.h"

#include "match/verdict.h"

// The names and numbers of design.md §5; stored records hold them.
static const struct {
	enum eg_cause cause;
	int number;
	const char *name;
} wanted[] = {
	{EG_CAUSE_NONE, 0, "none"},
	{EG_CAUSE_NO_FACE, 1, "no_face"},
	{EG_CAUSE_POOR_CAPTURE, 2, "poor_capture"},
	{EG_CAUSE_LIVENESS_DOUBT, 3, "liveness_doubt"},
	{EG_CAUSE_NO_REFERENCE, 4, "no_reference"},
	{EG_CAUSE_POOR_REFERENCE, 5, "poor_reference"},
	{EG_CAUSE_BELOW_THRESHOLD, 6, "below_threshold"},
	{EG_CAUSE_AMBIGUOUS, 7, "ambiguous"},
	{EG_CAUSE_NOT_ON_MANIFEST, 8, "not_on_manifest"},
	{EG_CAUSE_SEVERAL_PEOPLE, 9, "several_people"},
	{EG_CAUSE_MANIFEST_STALE, 10, "manifest_stale"},
	{EG_CAUSE_OPTED_OUT, 11, "opted_out"},
	{EG_CAUSE_DOCUMENT_UNREADABLE, 12, "document_unreadable"},
	{EG_CAUSE_SYSTEM_FAULT, 13, "system_fault"},
};

static void causes_keep_their_numbers_and_names(void **state)
{
	(void)state;
	assert_int_equal(sizeof(wanted) / sizeof(wanted[0]), EG_CAUSE_COUNT);
	for (size_t i = 0; i < EG_CAUSE_COUNT; i++) {
		assert_int_equal(wanted[i].cause, wanted[i].number);
		assert_string_equal(eg_cause_name(wanted[i].cause), wanted[i].name);
	}
}

static void every_cause_has_a_sentence_of_its_own(void **state)
{
	(void)state;
	for (int i = 0; i < EG_CAUSE_COUNT; i++) {
		const char *text = eg_cause_sentence((enum eg_cause)i);

		assert_true(strlen(text) > 20 && text[strlen(text) - 1] == '.');
		assert_null(strstr(text, "denied"));
		for (int j = 0; j < i; j++)
			assert_string_not_equal(text, eg_cause_sentence((enum eg_cause)j));
	}
}

static void foreign_numbers_have_a_name_and_send_to_a_person(void **state)
{
	(void)state;
	assert_string_equal(eg_cause_name((enum eg_cause)99), "unknown");
	assert_string_equal(eg_cause_sentence((enum eg_cause)99),
			    eg_cause_sentence(EG_CAUSE_SYSTEM_FAULT));
	assert_string_equal(eg_verdict_name((enum eg_verdict_kind)99), "unknown");
	assert_string_equal(eg_mode_name((enum eg_mode)0), "unknown");
}

static void verdicts_and_modes_have_names(void **state)
{
	(void)state;
	assert_string_equal(eg_verdict_name(EG_VERDICT_NONE), "none");
	assert_string_equal(eg_verdict_name(EG_VERDICT_REFER), "refer");
	assert_string_equal(eg_verdict_name(EG_VERDICT_CONFIRMED), "confirmed");
	assert_string_equal(eg_mode_name(EG_MODE_IDENTIFY), "identify");
	assert_string_equal(eg_mode_name(EG_MODE_VERIFY), "verify");
}

static void a_zeroed_verdict_confirms_nobody(void **state)
{
	struct eg_verdict verdict = {0};

	(void)state;
	assert_int_equal(verdict.kind, EG_VERDICT_NONE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(causes_keep_their_numbers_and_names),
		cmocka_unit_test(every_cause_has_a_sentence_of_its_own),
		cmocka_unit_test(foreign_numbers_have_a_name_and_send_to_a_person),
		cmocka_unit_test(verdicts_and_modes_have_names),
		cmocka_unit_test(a_zeroed_verdict_confirms_nobody),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
