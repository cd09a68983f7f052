// SPDX-License-Identifier: Apache-2.0
//
// The JSON of the wire, and the one header we parse ourselves.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "net/wire.h"
#include "pki.h"

static struct eg_listed listed[EG_WIRE_LISTED_MAX];

static int parse(const char *text, size_t *ret_count)
{
	return eg_wire_parse_list(EG_BYTES_STR(text), listed, ret_count, NULL);
}

static void a_list_is_read(void **state)
{
	size_t count = 9;

	(void)state;
	assert_int_equal(parse("[]", &count), 0);
	assert_int_equal(count, 0);
	assert_int_equal(parse("[{\"id\":\"LH-400_2026.11\",\"version\":18446744073709551615,"
			       "\"length\":12345678901,\"etag\":\"\\\"ab-c\\\"\"},"
			       "{\"etag\":\"\\\"\\\"\",\"length\":1,\"later\":[{}],\"version\":0,"
			       "\"id\":\"b\"}]",
			       &count),
			 0);
	assert_int_equal(count, 2);
	assert_string_equal(listed[0].id, "LH-400_2026.11");
	assert_true(listed[0].version == UINT64_MAX);
	assert_true(listed[0].length == 12345678901);
	assert_string_equal(listed[0].etag, "\"ab-c\"");
	assert_string_equal(listed[1].id, "b");
}

static void a_bad_list_is_refused(void **state)
{
	static const char *const bad[] = {
		"",
		" ",
		"null",
		"{}",
		"[",
		"[]]",
		"[] x",
		"[1]",
		"[{}]",
		"[{\"id\":\"a\",\"version\":1,\"length\":1}]",
		"[{\"id\":\"a\",\"version\":1,\"length\":1,\"etag\":null}]",
		"[{\"id\":\"a\",\"version\":\"1\",\"length\":1,\"etag\":\"\\\"x\\\"\"}]",
		"[{\"id\":\"a\",\"version\":-1,\"length\":1,\"etag\":\"\\\"x\\\"\"}]",
		"[{\"id\":\"a\",\"version\":1,\"length\":-5,\"etag\":\"\\\"x\\\"\"}]",
		"[{\"id\":\"a\",\"version\":1,\"length\":1,\"etag\":\"x\"}]",
		"[{\"id\":\"a\",\"version\":1,\"length\":1,\"etag\":\"\\\"x\\r\\nHost: y\\\"\"}]",
		"[{\"id\":\"\",\"version\":1,\"length\":1,\"etag\":\"\\\"x\\\"\"}]",
		"[{\"id\":\"../../etc\",\"version\":1,\"length\":1,\"etag\":\"\\\"x\\\"\"}]",
		"[{\"id\":\"..\",\"version\":1,\"length\":1,\"etag\":\"\\\"x\\\"\"}]",
		"[{\"id\":\"a?b\",\"version\":1,\"length\":1,\"etag\":\"\\\"x\\\"\"}]",
		"[{\"id\":\"a b\",\"version\":1,\"length\":1,\"etag\":\"\\\"x\\\"\"}]",
		"[{\"id\":\"0123456789012345678901234567890123456789012345678901234567890123\","
		"\"version\":1,\"length\":1,\"etag\":\"\\\"x\\\"\"}]",
	};
	size_t count = 77;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (parse(bad[i], &count) == 0)
			fail_msg("taken: %s", bad[i]);
	assert_int_equal(eg_wire_parse_list(EG_BYTES("[]\0", 3), listed, &count, NULL), EG_EINVAL);
	assert_int_equal(count, 77); // written only on success
}

static void a_list_longer_than_a_booth_takes_is_refused(void **state)
{
	struct eg_err err = EG_ERR_INIT;
	struct eg_buf text;
	size_t count;

	(void)state;
	eg_buf_init(&text, 65536);
	for (int i = 0; i <= EG_WIRE_LISTED_MAX; i++)
		assert_int_equal(eg_buf_printf(&text,
					       "%c{\"id\":\"m%d\",\"version\":1,\"length\":1,"
					       "\"etag\":\"\\\"x\\\"\"}",
					       i == 0 ? '[' : ',', i),
				 0);
	assert_int_equal(eg_buf_printf(&text, "]"), 0);
	assert_int_equal(eg_wire_parse_list(eg_buf_bytes(&text), listed, &count, &err), EG_ETOOBIG);
	assert_non_null(strstr(err.text, "65"));
	eg_buf_done(&text);
}

static void a_problem_becomes_a_sentence(void **state)
{
	static const struct {
		int status;
		const char *type, *body, *sentence;
	} cases[] = {
		{413, "application/problem+json", "{\"title\":\"T\",\"detail\":\"too large\"}",
		 "HTTP 413: too large"},
		{500, "application/problem+json", "{\"title\":\"T\"}", "HTTP 500: T"},
		{500, "application/problem+json", "{\"detail\":7}", "HTTP 500"},
		{500, "application/problem+json", "{", "HTTP 500"},
		{500, "application/problem+json", "[]", "HTTP 500"},
		{500, "application/problem+json", "{\"detail\":\"a\\nb\\u0007c\"}",
		 "HTTP 500: a b c"},
		{500, "text/html", "{\"detail\":\"no\"}", "HTTP 500"},
		{302, "", "", "HTTP 302"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct eg_http_answer answer = {.status = cases[i].status};
		char text[100];

		(void)snprintf(answer.content_type, sizeof(answer.content_type), "%s",
			       cases[i].type);
		eg_wire_problem(&answer, EG_BYTES_STR(cases[i].body), text, sizeof(text));
		assert_string_equal(text, cases[i].sentence);
	}
}

static void a_heartbeat_is_json_that_jq_reads(void **state)
{
	static const struct eg_manifest_held held[] = {
		{.id = "LH400", .version = 7, .put_ms = 1700000000000, .expires_ms = 1700003600000},
	};
	const struct eg_heartbeat beat = {
		.wall_ms = 1700000060000,
		.queue = {.queued = 3,
			  .dead = 1,
			  .acknowledged = 9,
			  .oldest_ms = 1700000050000,
			  .bytes = 6000},
		.held = held,
		.held_count = 1,
		.certificate_end_ms = 1700003600000,
		.key_kept = "tpm",
		.problem = "say \"no\"",
	};
	struct eg_buf json;
	char *text;

	(void)state;
	eg_buf_init(&json, 4096);
	assert_int_equal(eg_wire_put_heartbeat(&beat, &json), 0);
	pki_write(".", "beat.json", json.data, json.size);
	assert_int_equal(
		pki_run("beat.txt",
			(const char *const[]){
				"jq", "-r",
				"[.time, .queue.queued, .queue.dead, .queue.acknowledged, "
				".queue.oldest_s, .queue.bytes, .manifests[0].id, "
				".manifests[0].version, .manifests[0].age_s, "
				".manifests[0].expires, "
				".certificate_end, .key_kept, .problem, (.version | length > 0)] | "
				"join(\"|\")",
				"beat.json", NULL}),
		0);
	text = pki_read(".", "beat.txt", NULL);
	assert_string_equal(text,
			    "2023-11-14T22:14:20.000Z|3|1|9|10|6000|LH400|7|60|"
			    "2023-11-14T23:13:20.000Z|2023-11-14T23:13:20.000Z|tpm|say \"no\"|"
			    "true\n");
	free(text);
	eg_buf_done(&json);
}

static void an_idle_heartbeat_has_an_empty_list(void **state)
{
	const struct eg_heartbeat beat = {.key_kept = "none", .problem = ""};
	struct eg_buf json;

	(void)state;
	eg_buf_init(&json, 4096);
	assert_int_equal(eg_wire_put_heartbeat(&beat, &json), 0);
	assert_non_null(strstr(eg_buf_text(&json), "\"manifests\":[]"));
	eg_buf_done(&json);
}

static void content_ranges_are_read_strictly(void **state)
{
	static const char *const bad[] = {
		"",
		"bytes",
		"bytes 0-1/*",
		"bytes */5",
		"bytes 2-1/5",
		"bytes 0-5/5",
		"bytes 0-1/5 ",
		"bytes 0-1/5x",
		"bits 0-1/5",
		"bytes -1/5",
		"bytes 0-/5",
		"bytes 0-1/",
		"bytes  0-1/5",
		"bytes +0-1/5",
		"bytes 0-99999999999999999999/5",
	};
	uint64_t from, to, length;

	(void)state;
	assert_int_equal(eg_http_parse_range("bytes 0-0/1", &from, &to, &length), 0);
	assert_int_equal(
		eg_http_parse_range("BYTES 1048576-2097151/268435456", &from, &to, &length), 0);
	assert_int_equal(from, 1048576);
	assert_int_equal(to, 2097151);
	assert_int_equal(length, 268435456);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (eg_http_parse_range(bad[i], &from, &to, &length) == 0)
			fail_msg("taken: %s", bad[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_list_is_read),
		cmocka_unit_test(a_bad_list_is_refused),
		cmocka_unit_test(a_list_longer_than_a_booth_takes_is_refused),
		cmocka_unit_test(a_problem_becomes_a_sentence),
		cmocka_unit_test(a_heartbeat_is_json_that_jq_reads),
		cmocka_unit_test(an_idle_heartbeat_has_an_empty_list),
		cmocka_unit_test(content_ranges_are_read_strictly),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
