// SPDX-License-Identifier: Apache-2.0
//
// The HTTPS client against servers that are not what they should be.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "centre.h"
#include "net/http.h"
#include "pki.h"

static char *ca_pem;
static struct eg_vault *vault;

static struct centre *start(const char *server, const char *priorities)
{
	return centre_start(&(struct centre_options){.dir = ".",
						     .server = server,
						     .priorities = priorities,
						     .booth = "lane-12",
						     .token = "secret"});
}

static struct eg_http *connect_to(const char *url)
{
	const struct eg_http_config config = {.url = url,
					      .ca_pem = ca_pem,
					      .connect_ms = 3000,
					      .stall_ms = 1000,
					      .total_ms = 10000};
	struct eg_http *http;

	assert_int_equal(eg_http_new(&config, &http, NULL), 0);
	return http;
}

// Presents the client certificate NAME.pem.
static void identify(struct eg_http *http, const char *name)
{
	struct eg_tls_key *tls_key;
	char file[64], *key, *cert;
	struct eg_buf pem;

	eg_buf_init(&pem, 16384);
	(void)snprintf(file, sizeof(file), "%s.key", name);
	key = pki_read(".", file, NULL);
	(void)snprintf(file, sizeof(file), "%s.pem", name);
	cert = pki_read(".", file, NULL);
	assert_int_equal(eg_buf_printf(&pem, "%s%s", key, cert), 0);
	assert_int_equal(eg_tls_key_open(vault, eg_buf_bytes(&pem), &tls_key, NULL), 0);
	assert_int_equal(eg_http_identity(http, tls_key, eg_buf_bytes(&pem), NULL), 0);
	eg_tls_key_unref(tls_key);
	eg_buf_done(&pem);
	free(key);
	free(cert);
}

static int get(struct eg_http *http, const char *path, struct eg_http_answer *answer, bool *refused,
	       struct eg_err *err)
{
	struct eg_http_request request = {.path = path};
	struct eg_buf body;
	int r;

	eg_buf_init(&body, 100000);
	r = eg_http_do(http, &request, &body, answer, refused, err);
	eg_buf_done(&body);
	return r;
}

static void plain_http_is_not_spoken(void **state)
{
	static const char *const urls[] = {
		"http://127.0.0.1:1", "HTTPS://127.0.0.1", "file:///etc", "ftp://x", "",
		"127.0.0.1"};
	struct eg_http *http;

	(void)state;
	for (size_t i = 0; i < sizeof(urls) / sizeof(urls[0]); i++)
		assert_int_equal(
			eg_http_new(&(struct eg_http_config){.url = urls[i], .ca_pem = ca_pem},
				    &http, NULL),
			EG_EINVAL);
}

static void a_server_that_is_not_the_centre_sees_no_request(void **state)
{
	static const struct {
		const char *server, *priorities, *what;
		int code;
	} cases[] = {
		{"wrongname", NULL, "another host's name", EG_EAUTH},
		{"foreign", NULL, "another authority", EG_EAUTH},
		{"expired", NULL, "an expired certificate", EG_EAUTH},
		{"selfsigned", NULL, "a certificate of its own", EG_EAUTH},
		{"server", "NORMAL:-VERS-ALL:+VERS-TLS1.1", "TLS 1.1", EG_ENET},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct centre *centre = start(cases[i].server, cases[i].priorities);
		struct eg_http *http = connect_to(centre_url(centre));
		struct eg_err err = EG_ERR_INIT;
		struct eg_http_answer answer;
		bool refused;
		int r;

		identify(http, "client");
		r = get(http, "/.well-known/est/cacerts", &answer, &refused, &err);
		if (r != cases[i].code || refused)
			fail_msg("%s: %d, %s", cases[i].what, r, err.text);
		assert_non_null(strstr(err.text, "nothing was sent"));
		assert_int_equal(centre_seen(centre, ""), 0);
		eg_http_free(http);
		centre_stop(centre);
	}
}

// Variables by which curl and OpenSSL are usually led elsewhere.
static void the_environment_changes_nothing(void **state)
{
	struct centre *foreign = start("foreign", NULL), *good = start(NULL, NULL);
	struct eg_http_answer answer;
	struct eg_http *http;
	bool refused;

	(void)state;
	assert_int_equal(setenv("CURL_CA_BUNDLE", "other.pem", 1), 0);
	assert_int_equal(setenv("SSL_CERT_FILE", "other.pem", 1), 0);
	assert_int_equal(setenv("https_proxy", "http://127.0.0.1:1", 1), 0);
	assert_int_equal(setenv("ALL_PROXY", "http://127.0.0.1:1", 1), 0);
	http = connect_to(centre_url(foreign));
	assert_int_equal(get(http, "/.well-known/est/cacerts", &answer, &refused, NULL), EG_EAUTH);
	assert_int_equal(centre_seen(foreign, ""), 0);
	eg_http_free(http);
	http = connect_to(centre_url(good));
	assert_int_equal(get(http, "/.well-known/est/cacerts", &answer, &refused, NULL), 0);
	assert_int_equal(answer.status, 200);
	eg_http_free(http);
	assert_int_equal(unsetenv("CURL_CA_BUNDLE"), 0);
	assert_int_equal(unsetenv("SSL_CERT_FILE"), 0);
	assert_int_equal(unsetenv("https_proxy"), 0);
	assert_int_equal(unsetenv("ALL_PROXY"), 0);
	centre_stop(foreign);
	centre_stop(good);
}

static void the_client_certificate_is_shown_and_can_be_taken_away(void **state)
{
	struct centre *centre = start(NULL, NULL);
	struct eg_http *http = connect_to(centre_url(centre));
	struct eg_http_answer answer;
	bool refused;

	(void)state;
	assert_int_equal(get(http, "/v1/manifests", &answer, &refused, NULL), 0);
	assert_int_equal(answer.status, 401);
	identify(http, "client");
	assert_int_equal(get(http, "/v1/manifests", &answer, &refused, NULL), 0);
	assert_int_equal(answer.status, 200);
	assert_string_equal(answer.content_type, "application/json");
	identify(http, "stranger"); // by the other authority
	if (get(http, "/v1/manifests", &answer, &refused, NULL) == 0)
		assert_int_equal(answer.status, 401);
	else
		assert_true(refused);
	assert_int_equal(eg_http_identity(http, NULL, (struct eg_bytes){0}, NULL), 0);
	assert_int_equal(get(http, "/v1/manifests", &answer, &refused, NULL), 0);
	assert_int_equal(answer.status, 401);
	eg_http_free(http);
	centre_stop(centre);
}

static void a_redirect_is_not_followed(void **state)
{
	struct centre *centre = start(NULL, NULL);
	struct eg_http *http = connect_to(centre_url(centre));
	struct eg_http_answer answer;

	(void)state;
	centre_mischief(centre, "/", REDIRECT, -1, 0, -1);
	assert_int_equal(get(http, "/v1/manifests", &answer, NULL, NULL), 0);
	assert_int_equal(answer.status, 302);
	assert_int_equal(centre_seen(centre, "/redirected"), 0);
	eg_http_free(http);
	centre_stop(centre);
}

static void statuses_and_retry_after_come_through(void **state)
{
	static const int statuses[] = {400, 401, 403, 404, 409, 429, 500, 503, 599};
	struct centre *centre = start(NULL, NULL);
	struct eg_http *http = connect_to(centre_url(centre));
	struct eg_http_answer answer;

	(void)state;
	for (size_t i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++) {
		centre_mischief(centre, "/", STATUS, -1, statuses[i], (int)i * 7 + 1);
		assert_int_equal(get(http, "/v1/x", &answer, NULL, NULL), 0);
		assert_int_equal(answer.status, statuses[i]);
		assert_int_equal(answer.retry_after_ms, (i * 7 + 1) * 1000);
		assert_string_equal(answer.content_type, "application/problem+json");
	}
	centre_mischief(centre, "/", STATUS, -1, 503, -1);
	assert_int_equal(get(http, "/v1/x", &answer, NULL, NULL), 0);
	assert_int_equal(answer.retry_after_ms, -1);
	eg_http_free(http);
	centre_stop(centre);
}

static int64_t now_ms(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

// Seen to fail: what is too much read on and thrown away (HUGE; the others not broken).
static void endless_stalled_and_cut_answers_are_errors(void **state)
{
	static const struct {
		enum mischief mischief;
		int code;
	} cases[] = {{HUGE, EG_ETOOBIG}, {STALL, EG_ETIMEOUT}, {CUT, EG_ENET}};
	struct centre *centre = start(NULL, NULL);
	struct eg_http *http = connect_to(centre_url(centre));
	struct eg_http_answer answer;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct eg_err err = EG_ERR_INIT;
		int64_t start_ms = now_ms();

		centre_mischief(centre, "/", cases[i].mischief, -1, 0, -1);
		assert_int_equal(get(http, "/v1/x", &answer, NULL, &err), cases[i].code);
		assert_true(strlen(err.text) > 10);
		assert_in_range(now_ms() - start_ms, 0, 9000);
	}
	centre_mischief(centre, "/", NO_MISCHIEF, 0, 0, -1);
	assert_int_equal(get(http, "/.well-known/est/cacerts", &answer, NULL, NULL), 0);
	assert_int_equal(answer.status, 200); // and the client still works
	eg_http_free(http);
	centre_stop(centre);
}

static void nobody_there_is_a_network_error(void **state)
{
	struct eg_http *http = connect_to("https://127.0.0.1:1");
	struct eg_http_answer answer;
	bool refused = true;

	(void)state;
	assert_int_equal(get(http, "/v1/x", &answer, &refused, NULL), EG_ENET);
	assert_false(refused);
	eg_http_free(http);
	http = connect_to("https://no-such-host.invalid");
	assert_int_equal(get(http, "/v1/x", &answer, &refused, NULL), EG_ENET);
	eg_http_free(http);
}

static void *cancel_soon(void *user)
{
	(void)usleep(200000);
	eg_http_cancel(user, true);
	return NULL;
}

static void a_call_that_runs_can_be_cancelled(void **state)
{
	struct centre *centre = start(NULL, NULL);
	const struct eg_http_config config = {.url = centre_url(centre),
					      .ca_pem = ca_pem,
					      .connect_ms = 3000,
					      .stall_ms = 60000,
					      .total_ms = 60000};
	struct eg_http_answer answer;
	struct eg_http *http;
	pthread_t thread;
	int64_t start_ms = now_ms();

	(void)state;
	assert_int_equal(eg_http_new(&config, &http, NULL), 0);
	centre_mischief(centre, "/", STALL, -1, 0, -1);
	assert_int_equal(pthread_create(&thread, NULL, cancel_soon, http), 0);
	assert_int_equal(get(http, "/v1/x", &answer, NULL, NULL), EG_EAGAIN);
	assert_in_range(now_ms() - start_ms, 150, 3000);
	(void)pthread_join(thread, NULL);
	assert_int_equal(get(http, "/v1/x", &answer, NULL, NULL), EG_EAGAIN);
	eg_http_cancel(http, false);
	centre_mischief(centre, "/", NO_MISCHIEF, 0, 0, -1);
	assert_int_equal(get(http, "/.well-known/est/cacerts", &answer, NULL, NULL), 0);
	eg_http_free(http);
	centre_stop(centre);
}

static void ranges_are_asked_for_and_told(void **state)
{
	struct centre *centre = start(NULL, NULL);
	struct eg_http *http = connect_to(centre_url(centre));
	struct eg_http_request request = {
		.path = "/v1/manifests/m", .ranged = true, .from = 3, .to = 6};
	struct eg_http_answer answer;
	struct eg_buf body;

	(void)state;
	centre_manifest(centre, "m", 1, EG_BYTES_STR("0123456789"));
	identify(http, "client");
	eg_buf_init(&body, 100);
	assert_int_equal(eg_http_do(http, &request, &body, &answer, NULL, NULL), 0);
	assert_int_equal(answer.status, 206);
	assert_true(answer.ranged);
	assert_int_equal(answer.from, 3);
	assert_int_equal(answer.to, 6);
	assert_int_equal(answer.length, 10);
	assert_int_equal(answer.etag[0], '"');
	assert_true(eg_bytes_equal(eg_buf_bytes(&body), EG_BYTES_STR("3456")));
	eg_buf_done(&body);
	eg_http_free(http);
	centre_stop(centre);
}

static int setup(void **state)
{
	(void)state;
	pki_ca(".", "ca");
	pki_ca(".", "other");
	pki_leaf(".", "ca", "server", "centre", "IP:127.0.0.1", NULL, NULL);
	pki_leaf(".", "ca", "wrongname", "127.0.0.1", "DNS:elsewhere.example,IP:127.0.0.2", NULL,
		 NULL);
	pki_leaf(".", "other", "foreign", "centre", "IP:127.0.0.1", NULL, NULL);
	pki_leaf(".", "ca", "expired", "centre", "IP:127.0.0.1", "20200101000000Z",
		 "20200201000000Z");
	pki_ca(".", "selfsigned");
	pki_leaf(".", "ca", "client", "lane-12", NULL, NULL, NULL);
	pki_leaf(".", "other", "stranger", "lane-12", NULL, NULL, NULL);
	ca_pem = pki_read(".", "ca.pem", NULL);
	assert_int_equal(eg_crypto_init(NULL), 0);
	return eg_vault_new(&(struct eg_vault_config){.tcti = "", .device_key = ""}, &vault, NULL);
}

static int teardown(void **state)
{
	(void)state;
	eg_vault_free(vault);
	free(ca_pem);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(plain_http_is_not_spoken),
		cmocka_unit_test(a_server_that_is_not_the_centre_sees_no_request),
		cmocka_unit_test(the_environment_changes_nothing),
		cmocka_unit_test(the_client_certificate_is_shown_and_can_be_taken_away),
		cmocka_unit_test(a_redirect_is_not_followed),
		cmocka_unit_test(statuses_and_retry_after_come_through),
		cmocka_unit_test(endless_stalled_and_cut_answers_are_errors),
		cmocka_unit_test(nobody_there_is_a_network_error),
		cmocka_unit_test(a_call_that_runs_can_be_cancelled),
		cmocka_unit_test(ranges_are_asked_for_and_told),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
