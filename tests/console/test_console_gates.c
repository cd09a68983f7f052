// SPDX-License-Identifier: Apache-2.0

#include <stdio.h>
#include <string.h>

#include "firmware/consoled/request.h"
#include "tests/base/test.h"

#define ID "0199aaaa-bbbb-7ccc-8ddd-eeeeffff0001"

static void paths_match_exactly_or_not_at_all(void **state)
{
	static const struct {
		const char *pattern, *url;
		bool matches;
		unsigned int number;
	} cases[] = {
		{"/session", "/session", true, 0},
		{"/session", "/session/", false, 0},
		{"/session", "/session%00", false, 0},
		{"/session", "/Session", false, 0},
		{"/session", "//session", false, 0},
		{"/session", "/./session", false, 0},
		{"/session", "/cases/../session", false, 0},
		{"/session", "/sessio", false, 0},
		{"/session", "", false, 0},
		{"/cases/{id}/hold", "/cases/" ID "/hold", true, 0},
		{"/cases/{id}/hold", "/cases/" ID "/hold/", false, 0},
		{"/cases/{id}/hold", "/cases/" ID "%2Fhold", false, 0},
		{"/cases/{id}/hold", "/cases/" ID "/../hold", false, 0},
		{"/cases/{id}/hold", "/cases//hold", false, 0},
		{"/cases/{id}/hold", "/cases/..%2f..%2f0199aaaa-bbbb-7ccc-8ddd/hold", false, 0},
		{"/cases/{id}/hold", "/cases/0199aaaa-bbbb-4ccc-8ddd-eeeeffff0001/hold", false, 0},
		{"/cases/{id}/hold", "/cases/0199aaaa", false, 0},
		{"/cases/{id}/reference/{n}.jpg", "/cases/" ID "/reference/7.jpg", true, 7},
		{"/cases/{id}/reference/{n}.jpg", "/cases/" ID "/reference/12.jpg", true, 12},
		{"/cases/{id}/reference/{n}.jpg", "/cases/" ID "/reference/123.jpg", false, 0},
		{"/cases/{id}/reference/{n}.jpg", "/cases/" ID "/reference/-1.jpg", false, 0},
		{"/cases/{id}/reference/{n}.jpg", "/cases/" ID "/reference/.jpg", false, 0},
		{"/cases/{id}/reference/{n}.jpg", "/cases/" ID "/reference/%37.jpg", false, 0},
	};
	char id[EG_ID_TEXT_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		unsigned int number = 0;

		memset(id, 0, sizeof(id));
		if (route_matches(cases[i].pattern, cases[i].url, id, &number) != cases[i].matches)
			fail_msg("%s for %s", cases[i].url, cases[i].pattern);
		if (cases[i].matches)
			assert_int_equal(number, cases[i].number);
		if (cases[i].matches && strstr(cases[i].pattern, "{id}") != NULL)
			assert_string_equal(id, ID);
	}
}

static void an_id_has_one_spelling(void **state)
{
	char id[EG_ID_TEXT_MAX];
	unsigned int number;

	(void)state;
	assert_true(route_matches("/cases/{id}/hold",
				  "/cases/0199AAAA-BBBB-7CCC-8DDD-EEEEFFFF0001/hold", id, &number));
	assert_string_equal(id, ID);
}

static void an_origin_is_ours_or_foreign(void **state)
{
	(void)state;
	assert_true(origin_matches("https://booth:8443", "https", "booth:8443"));
	assert_true(origin_matches("https://Booth:8443", "https", "booth:8443"));
	assert_false(origin_matches("http://booth:8443", "https", "booth:8443"));
	assert_false(origin_matches("https://booth:8444", "https", "booth:8443"));
	assert_false(origin_matches("https://booth", "https", "booth:8443"));
	assert_false(origin_matches("https://booth:8443.evil.example", "https", "booth:8443"));
	assert_false(origin_matches("https://evil.example", "https", "booth:8443"));
	assert_false(origin_matches("null", "https", "booth:8443"));
	assert_false(origin_matches("", "https", ""));
	assert_false(origin_matches(NULL, "https", "booth:8443"));
	assert_false(origin_matches("https://booth:8443", "https", NULL));
}

static void the_travellers_page_has_two_names(void **state)
{
	(void)state;
	assert_true(host_is_loopback("127.0.0.1:8080", 8080));
	assert_true(host_is_loopback("localhost:8080", 8080));
	assert_true(host_is_loopback("localhost", 80));
	assert_false(host_is_loopback("localhost", 8080));
	assert_false(host_is_loopback("localhost:8081", 8080));
	assert_false(host_is_loopback("evil.example:8080", 8080));
	assert_false(host_is_loopback("127.0.0.1.evil.example:8080", 8080));
	assert_false(host_is_loopback("", 8080));
	assert_false(host_is_loopback(NULL, 8080));
}

// Who may do what: each row of the officer's table, as the issue has it.
static void a_technician_gets_no_face_no_name_no_view(void **state)
{
	static const char *const open[] = {"/session", "/sign-in",   "/sign-out",
					   "/events",  "/no-camera", "/camera-ok"};

	(void)state;
	for (size_t i = 0; i < officer_route_count; i++) {
		const struct route *route = &officer_routes[i];
		bool listed = false;

		for (size_t k = 0; k < sizeof(open) / sizeof(open[0]); k++)
			listed = listed || strcmp(route->path, open[k]) == 0;
		if (((route->may & MAY_TECHNICIAN) != 0 || route->may == MAY_ALL) != listed)
			fail_msg("%s %s", route->method, route->path);
		if (route->may == MAY_ALL && strcmp(route->path, "/sign-in") != 0 &&
		    strcmp(route->path, "/session") != 0)
			fail_msg("%s %s needs no session", route->method, route->path);
	}
}

// ---- bodies -------------------------------------------------------------------------------------

static void sign_ins_are_read_strictly(void **state)
{
	static const struct {
		const char *body;
		int result;
	} cases[] = {
		{"{\"badge\":\"b1\",\"pin\":\"482915\"}", 0},
		{" {\"pin\":\"482915\" , \"badge\":\"b1\"} ", 0},
		{"{\"certificate\":true}", 0},
		{"{\"certificate\":false}", EG_EINVAL},
		{"{\"certificate\":1}", EG_EINVAL},
		{"{\"certificate\":true,\"badge\":\"b1\",\"pin\":\"482915\"}", EG_EINVAL},
		{"{\"badge\":\"b1\"}", EG_EINVAL},
		{"{\"badge\":\"b1\",\"pin\":482915}", EG_EINVAL},
		{"{\"badge\":\"b1\",\"pin\":\"\"}", EG_EINVAL},
		{"{\"badge\":\"b1\",\"pin\":null}", EG_EINVAL},
		{"{\"badge\":\"b1\",\"pin\":\"482915\",\"role\":\"supervisor\"}", EG_EINVAL},
		{"{\"badge\":\"b1\",\"pin\":\"482915\",\"pin\":\"111111\"}", EG_EINVAL},
		{"{\"badge\":\"b1\",\"pin\":\"482915\"} trailing", EG_EINVAL},
		{"[\"b1\",\"482915\"]", EG_EINVAL},
		{"\"b1\"", EG_EINVAL},
		{"", EG_EINVAL},
		{"{", EG_EINVAL},
		{"{\"badge\":\"\\u0000\",\"pin\":\"482915\"}", EG_EINVAL},
		{"{\"badge\":\"\xff\",\"pin\":\"482915\"}", EG_EINVAL},
	};
	struct body_sign_in body;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct eg_err err = EG_ERR_INIT;

		if (body_read_sign_in(EG_BYTES_STR(cases[i].body), &body, &err) != cases[i].result)
			fail_msg("%s: %s", cases[i].body, err.text);
		if (cases[i].result != 0)
			assert_null(strstr(err.text, "482915"));
	}
	assert_int_equal(body_read_sign_in(EG_BYTES_STR("{\"badge\":\"b1\",\"pin\":\"482915\"}"),
					   &body, NULL),
			 0);
	assert_string_equal(body.badge, "b1");
	assert_string_equal(body.pin, "482915");
	assert_false(body.certificate);
}

static void what_is_too_long_is_refused(void **state)
{
	char body[BODY_MAX + 64], badge[BODY_BADGE_MAX + 1];
	struct body_sign_in sign_in;
	struct body_document document;

	(void)state;
	memset(badge, 'b', sizeof(badge));
	badge[BODY_BADGE_MAX] = '\0';
	(void)snprintf(body, sizeof(body), "{\"badge\":\"%s\",\"pin\":\"482915\"}", badge);
	assert_int_equal(body_read_sign_in(EG_BYTES_STR(body), &sign_in, NULL), EG_EINVAL);
	badge[BODY_BADGE_MAX - 1] = '\0';
	(void)snprintf(body, sizeof(body), "{\"badge\":\"%s\",\"pin\":\"482915\"}", badge);
	assert_int_equal(body_read_sign_in(EG_BYTES_STR(body), &sign_in, NULL), 0);
	memset(body, ' ', sizeof(body));
	assert_int_equal(body_read_document(EG_BYTES(body, sizeof(body)), &document, NULL),
			 EG_EINVAL);
}

static void decisions_may_bring_a_second_person(void **state)
{
	struct body_decision d;

	(void)state;
	assert_int_equal(body_read_decision(EG_BYTES_STR("{\"decision\":\"referred\"}"), &d, NULL),
			 0);
	assert_string_equal(d.decision, "referred");
	assert_string_equal(d.reason, "");
	assert_false(d.has_second);
	assert_int_equal(
		body_read_decision(EG_BYTES_STR("{\"decision\":\"wrong_person\",\"reason\":"
						"\"look_alike\",\"second\":{\"badge\":\"s1\","
						"\"pin\":\"739104\"}}"),
				   &d, NULL),
		0);
	assert_true(d.has_second);
	assert_string_equal(d.second.badge, "s1");
	assert_string_equal(d.second.pin, "739104");
	assert_int_equal(
		body_read_decision(EG_BYTES_STR("{\"decision\":\"referred\",\"second\":null}"), &d,
				   NULL),
		0);
	assert_false(d.has_second);
	assert_int_equal(
		body_read_decision(
			EG_BYTES_STR("{\"decision\":\"referred\",\"second\":{\"badge\":\"s1\"}}"),
			&d, NULL),
		EG_EINVAL);
	assert_int_equal(body_read_decision(EG_BYTES_STR("{\"decision\":\"referred\",\"second\":"
							 "{\"certificate\":true}}"),
					    &d, NULL),
			 EG_EINVAL);
	assert_int_equal(body_read_decision(EG_BYTES_STR("{\"decision\":\"referred\","
							 "\"account\":\"someone\"}"),
					    &d, NULL),
			 EG_EINVAL);
}

static void an_empty_body_is_empty(void **state)
{
	struct eg_err err = EG_ERR_INIT;

	(void)state;
	assert_int_equal(body_read_empty(EG_BYTES(NULL, 0), &err), 0);
	assert_int_equal(body_read_empty(EG_BYTES_STR("{}"), &err), 0);
	assert_int_equal(body_read_empty(EG_BYTES_STR("{\"a\":1}"), &err), EG_EINVAL);
	assert_int_equal(body_read_empty(EG_BYTES_STR("x"), &err), EG_EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(paths_match_exactly_or_not_at_all),
		cmocka_unit_test(an_id_has_one_spelling),
		cmocka_unit_test(an_origin_is_ours_or_foreign),
		cmocka_unit_test(the_travellers_page_has_two_names),
		cmocka_unit_test(a_technician_gets_no_face_no_name_no_view),
		cmocka_unit_test(sign_ins_are_read_strictly),
		cmocka_unit_test(what_is_too_long_is_refused),
		cmocka_unit_test(decisions_may_bring_a_second_person),
		cmocka_unit_test(an_empty_body_is_empty),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
