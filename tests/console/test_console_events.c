// SPDX-License-Identifier: Apache-2.0
//
// Framing after WHATWG HTML §9.2.6: fields end with a line end, an event with an empty line.

#include "firmware/consoled/events.h"

#include <stdlib.h>
#include <string.h>

#include "tests/base/test.h"

static struct message *make(const char *name, const char *json)
{
	sd_json_variant *value = NULL;
	struct message *message;

	assert_true(sd_json_parse(json, 0, &value, NULL, NULL) >= 0);
	message = message_new(name, value, false);
	sd_json_variant_unref(value);
	return message;
}

static void is(struct message *message, const char *wanted)
{
	struct eg_bytes bytes = message_bytes(message);

	assert_int_equal(bytes.size, strlen(wanted));
	assert_memory_equal(bytes.data, wanted, bytes.size);
	message_unref(message);
}

static void an_event_is_two_lines_and_an_empty_one(void **state)
{
	(void)state;
	is(make("case", "{ \"a\" : 1 }"), "event: case\ndata: {\"a\":1}\n\n");
}

// A line end within the text would end the field: JSON escapes it.
static void texts_cannot_leave_their_line(void **state)
{
	(void)state;
	is(make("state", "{\"a\":\"x\\n\\ndata: y\\r\"}"),
	   "event: state\ndata: {\"a\":\"x\\n\\ndata: y\\r\"}\n\n");
}

static void what_is_too_large_is_lost_not_cut(void **state)
{
	size_t size = HUB_MESSAGE_MAX;
	char *text = calloc(1, size + 1);
	sd_json_variant *value = NULL;

	(void)state;
	assert_non_null(text);
	memset(text, 'x', size);
	assert_true(sd_json_variant_new_string(&value, text) >= 0);
	assert_null(message_new("case", value, false));
	sd_json_variant_unref(value);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_event_is_two_lines_and_an_empty_one),
		cmocka_unit_test(texts_cannot_leave_their_line),
		cmocka_unit_test(what_is_too_large_is_lost_not_cut),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
