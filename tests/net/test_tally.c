// SPDX-License-Identifier: Apache-2.0
//
// net/tally.c: counts by group as JSON. What is written is read by jq, which is not ours.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "net/tally.h"
#include "net/wire.h"
#include "pki.h"

#define MONDAY_MS 1795392000000LL // date -u -d 2026-11-23 +%s

static void expect_jq(const char *file, const char *filter)
{
	if (pki_run("jq.txt", (const char *const[]){"jq", "-e", filter, file, NULL}) != 0)
		fail_msg("not so: %s", filter);
}

static void fill(struct eg_counts *counts)
{
	*counts = (struct eg_counts){.from_ms = MONDAY_MS};
	counts->all[EG_COUNT_ENCOUNTERS] = 800;
	counts->group[EG_AXIS_AGE][EG_AGE_80_UP][EG_COUNT_ENCOUNTERS] = EG_COUNT_HIDDEN;
	counts->group[EG_AXIS_SEX][EG_SEX_FEMALE][EG_COUNT_ENCOUNTERS] = 400;
	counts->group[EG_AXIS_SEX][EG_SEX_FEMALE][EG_COUNT_CONFIRMED] = 380;
	counts->group[EG_AXIS_SEX][EG_SEX_FEMALE][EG_COUNT_OF_CAUSE(EG_CAUSE_NO_FACE)] = 20;
	counts->impostors[EG_AXIS_REGION][EG_REGION_OCEANIA][0] = 4950;
	counts->impostors[EG_AXIS_REGION][EG_REGION_OCEANIA][3] = EG_COUNT_HIDDEN;
}

static void a_heartbeat_brings_weeks_that_jq_and_the_centre_read(void **state)
{
	static struct eg_counts counts, back;
	struct eg_heartbeat beat = {.problem = "", .counts = &counts, .counts_count = 1};
	struct eg_err err = EG_ERR_INIT;
	sd_json_variant *json = NULL;
	struct eg_buf text;
	(void)state;
	fill(&counts);
	eg_buf_init(&text, 65536);
	assert_int_equal(eg_wire_put_heartbeat(&beat, &text), 0);
	pki_write(".", "beat.json", text.data, text.size);
	expect_jq("beat.json", ".counts | length == 1");
	expect_jq("beat.json", ".counts[0] | .from == \"2026-11-23\" and .days == 7");
	expect_jq("beat.json", ".counts[0].all == {\"encounters\": 800}");
	expect_jq("beat.json", ".counts[0].age == {\"80-up\": {\"encounters\": null}}");
	expect_jq("beat.json",
		  ".counts[0].sex.female | .confirmed == 380 and .referred.no_face == 20");
	expect_jq("beat.json", ".counts[0].region.oceania.impostors | .comparisons == 4950 and "
			       ".at_or_over == {\"1e-3\": null}");
	assert_int_equal(eg_tally_write(&counts, &json), 0);
	assert_int_equal(eg_tally_read(json, &back, &err), 0);
	assert_memory_equal(&back, &counts, sizeof(back));
	sd_json_variant_unref(json);
	eg_buf_done(&text);
}

static void a_heartbeat_without_weeks_says_nothing_of_them(void **state)
{
	struct eg_heartbeat beat = {.problem = ""};
	struct eg_buf text;
	(void)state;
	eg_buf_init(&text, 65536);
	assert_int_equal(eg_wire_put_heartbeat(&beat, &text), 0);
	assert_null(strstr(eg_buf_text(&text), "counts"));
	eg_buf_done(&text);
}

#define WEEK "{\"from\":\"2026-11-23\",\"days\":7"

static void what_is_wrong_is_named(void **state)
{
	static const struct {
		const char *text, *says;
	} cases[] = {
		{"", "not JSON"},
		{"{", "not JSON"},
		{"7", "must be objects"},
		{"[]", "must be objects"},
		{"{}", "from must be a Monday"},
		{"{\"from\":\"2026-11-24\",\"days\":7}", "from must be a Monday"},
		{"{\"from\":\"2026-11-23 \",\"days\":7}", "from must be a Monday"},
		{"{\"from\":\" 2026-11-23\",\"days\":7}", "from must be a Monday"},
		{"{\"from\":\"26-11-23\",\"days\":7}", "from must be a Monday"},
		{"{\"from\":\"1969-12-29\",\"days\":7}", "from must be a Monday"},
		{"{\"from\":1795392000,\"days\":7}", "from must be a Monday"},
		{"{\"from\":\"2026-11-23\",\"days\":1}", "days must be 7"},
		{"{\"from\":\"2026-11-23\"}", "days must be 7"},
		{WEEK ",\"all\":[]}", "all: must be an object"},
		{WEEK ",\"age\":3}", "age: must be an object"},
		{WEEK ",\"age\":{\"18-34\":3}}", "age, 18-34: must be an object"},
		{WEEK ",\"all\":{\"encounters\":-1}}", "all, encounters: must be 0"},
		{WEEK ",\"all\":{\"encounters\":1.5}}", "encounters: must be a whole number"},
		{WEEK ",\"all\":{\"encounters\":\"10\"}}", "encounters: must be a whole number"},
		{WEEK ",\"all\":{\"encounters\":1e300}}", "encounters: must be a whole number"},
		{WEEK ",\"all\":{\"encounters\":9223372036854775807}}", "encounters: must be 0"},
		{WEEK ",\"sex\":{\"male\":{\"captures\":9}}}",
		 "sex male, captures: counts of 1 to 9 must be null"},
		{WEEK ",\"sex\":{\"male\":{\"referred\":{\"no_face\":1}}}}",
		 "sex male, no_face: counts of 1 to 9"},
		{WEEK
		 ",\"all\":{\"encounters\":20,\"confirmed\":12,\"referred\":{\"no_face\":12}}}",
		 "fewer than their parts"},
		{WEEK ",\"all\":{\"encounters\":20,\"captures\":21}}", "fewer than their parts"},
		{WEEK ",\"sex\":{\"male\":{\"impostors\":{\"comparisons\":45,\"at_or_over\":"
		      "{\"1e-1\":46}}}}}",
		 "more than all comparisons"},
		{WEEK ",\"sex\":{\"male\":{\"impostors\":{\"comparisons\":45,\"at_or_over\":5}}}}",
		 "at_or_over: must be an object"},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct eg_counts counts = {.from_ms = 77};
		struct eg_err err = EG_ERR_INIT;
		if (eg_tally_parse(EG_BYTES_STR(cases[i].text), &counts, &err) != EG_EINVAL ||
		    strstr(err.text, cases[i].says) == NULL)
			fail_msg("%s: %s", cases[i].text, err.text);
		assert_int_equal(counts.from_ms, 77); // written only on success
	}
	assert_int_equal(eg_tally_parse(EG_BYTES(WEEK "}\0", sizeof(WEEK) + 1), NULL, NULL),
			 EG_EINVAL);
}

static void what_a_newer_booth_adds_is_passed_over(void **state)
{
	static const char text[] = WEEK ",\"weight\":{\"heavy\":{\"encounters\":3}},"
					"\"age\":{\"100-up\":{\"encounters\":3}},"
					"\"all\":{\"encounters\":10,\"smiled\":\"yes\"}}";
	struct eg_counts counts;
	struct eg_err err = EG_ERR_INIT;
	(void)state;
	if (eg_tally_parse(EG_BYTES_STR(text), &counts, &err) != 0)
		fail_msg("%s", err.text);
	assert_int_equal(counts.all[EG_COUNT_ENCOUNTERS], 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_heartbeat_brings_weeks_that_jq_and_the_centre_read),
		cmocka_unit_test(a_heartbeat_without_weeks_says_nothing_of_them),
		cmocka_unit_test(what_is_wrong_is_named),
		cmocka_unit_test(what_a_newer_booth_adds_is_passed_over),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
