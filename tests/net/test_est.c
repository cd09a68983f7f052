// SPDX-License-Identifier: Apache-2.0
//
// EST's messages and the certificates in them, against the openssl command.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "firmware/base/crypto.h"
#include "net/est.h"
#include "pki.h"

static struct eg_vault *vault; // keeps keys in files: test_tlskey.c is about other places

static struct eg_tls_key *new_key(void)
{
	struct eg_tls_key *key;

	assert_int_equal(eg_tls_key_make(vault, &key, NULL), 0);
	return key;
}

static void base64_vectors_of_rfc_4648(void **state)
{
	static const struct {
		const char *plain, *coded;
	} cases[] = {
		{"", ""},
		{"f", "Zg=="},
		{"fo", "Zm8="},
		{"foo", "Zm9v"},
		{"foob", "Zm9vYg=="},
		{"fooba", "Zm9vYmE="},
		{"foobar", "Zm9vYmFy"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct eg_buf out;

		eg_buf_init(&out, 100);
		assert_int_equal(eg_est_base64(EG_BYTES_STR(cases[i].plain), &out), 0);
		assert_true(eg_bytes_equal(eg_buf_bytes(&out), EG_BYTES_STR(cases[i].coded)));
		eg_buf_reset(&out);
		assert_int_equal(eg_est_unbase64(EG_BYTES_STR(cases[i].coded), &out), 0);
		assert_true(eg_bytes_equal(eg_buf_bytes(&out), EG_BYTES_STR(cases[i].plain)));
		eg_buf_done(&out);
	}
}

static void base64_takes_lines_and_refuses_rubbish(void **state)
{
	static const char *const bad[] = {
		"Z",	"Zg",	"Zg=",	"Z===", "====", "Zg==Zg==", "Zm9v!",
		"Zm9-", "Zh==", "Zm9=", "Zg=a", "=",	"Zg==="};
	struct eg_buf out;

	(void)state;
	eg_buf_init(&out, 100);
	assert_int_equal(eg_est_unbase64(EG_BYTES_STR("Zm9v\r\nYm\tFy \n"), &out), 0);
	assert_true(eg_bytes_equal(eg_buf_bytes(&out), EG_BYTES_STR("foobar")));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (eg_est_unbase64(EG_BYTES_STR(bad[i]), &out) == 0)
			fail_msg("taken: %s", bad[i]);
		assert_int_equal(out.size, 6); // as before
	}
	eg_buf_done(&out);
	eg_buf_init(&out, 5);
	assert_int_equal(eg_est_unbase64(EG_BYTES_STR("Zm9vYmFy"), &out), EG_ETOOBIG);
	eg_buf_done(&out);
}

static void load_certs(const char *name, struct eg_buf *der, struct eg_bytes *certs, size_t *count)
{
	char *text = pki_certs_only(".", name);

	eg_buf_init(der, EG_EST_ANSWER_MAX);
	assert_int_equal(eg_est_unbase64(EG_BYTES_STR(text), der), 0);
	assert_int_equal(eg_est_certs(eg_buf_bytes(der), certs, EG_CERTS_MAX, count, NULL), 0);
	free(text);
}

static void certificates_of_openssl_come_out_byte_for_byte(void **state)
{
	struct eg_bytes certs[EG_CERTS_MAX];
	size_t count, size;
	struct eg_buf der;
	char *want;

	(void)state;
	load_certs("ca", &der, certs, &count);
	assert_int_equal(count, 1);
	assert_int_equal(pki_run(NULL,
				 (const char *const[]){"openssl", "x509", "-in", "ca.pem",
						       "-outform", "DER", "-out", "ca.der", NULL}),
			 0);
	want = pki_read(".", "ca.der", &size);
	assert_true(eg_bytes_equal(certs[0], EG_BYTES(want, size)));
	free(want);
	eg_buf_done(&der);
}

static void no_part_of_a_message_passes_for_the_whole(void **state)
{
	struct eg_bytes certs[EG_CERTS_MAX], other[EG_CERTS_MAX];
	struct eg_buf der;
	size_t count, n;

	(void)state;
	load_certs("ca", &der, certs, &count);
	for (size_t size = 0; size < der.size; size++) {
		uint8_t *copy = malloc(size + 1); // so that ASan sees a step too far

		memcpy(copy, der.data, size);
		assert_int_equal(eg_est_certs(EG_BYTES(copy, size), other, EG_CERTS_MAX, &n, NULL),
				 EG_EINVAL);
		free(copy);
	}
	assert_int_equal(eg_buf_put_u8(&der, 0), 0);
	assert_int_equal(eg_est_certs(eg_buf_bytes(&der), other, EG_CERTS_MAX, &n, NULL),
			 EG_EINVAL);
	eg_buf_done(&der);
}

static void more_certificates_than_there_is_room_for_are_refused(void **state)
{
	struct eg_bytes certs[2];
	struct eg_buf der;
	char *one = pki_read(".", "ca.pem", NULL), *text;
	size_t count;

	(void)state;
	pki_write(".", "three.pem", "", 0);
	{
		FILE *out = fopen("three.pem", "w");

		for (int i = 0; i < 3; i++)
			(void)fputs(one, out);
		(void)fclose(out);
	}
	text = pki_certs_only(".", "three");
	eg_buf_init(&der, EG_EST_ANSWER_MAX);
	assert_int_equal(eg_est_unbase64(EG_BYTES_STR(text), &der), 0);
	assert_int_equal(eg_est_certs(eg_buf_bytes(&der), certs, 2, &count, NULL), EG_ETOOBIG);
	eg_buf_done(&der);
	free(text);
	free(one);
}

// Certifies a new key of ours under `ca` and `cn`, and tries to build an identity for lane-12.
static int try_identity(const char *ca, const char *cn, const char *from, const char *end,
			bool other_key, struct eg_identity *identity, struct eg_err *err)
{
	struct eg_bytes certs[EG_CERTS_MAX];
	struct eg_tls_key *key = new_key();
	char *ca_pem = pki_read(".", "ca.pem", NULL);
	struct eg_buf csr, der;
	size_t count;
	int r;

	eg_buf_init(&csr, 4096);
	assert_int_equal(eg_tls_key_request(key, cn, &csr, NULL), 0);
	pki_write(".", "try.csr", csr.data, csr.size);
	pki_sign_csr(".", ca, "try", from, end);
	load_certs("try", &der, certs, &count);
	if (other_key) {
		eg_tls_key_unref(key);
		key = new_key();
	}
	r = eg_identity_build(key, certs, count, "lane-12", ca_pem, identity, err);
	eg_buf_done(&der);
	eg_buf_done(&csr);
	eg_tls_key_unref(key);
	free(ca_pem);
	return r;
}

static void a_good_certificate_makes_an_identity_that_openssl_reads(void **state)
{
	struct eg_identity identity, again;
	char *ca_pem = pki_read(".", "ca.pem", NULL), *a, *b;

	(void)state;
	assert_int_equal(try_identity("ca", "lane-12", "20260101000000Z", "20270101000000Z", false,
				      &identity, NULL),
			 0);
	assert_true(identity.from_ms == 1767225600000);
	assert_true(identity.end_ms == 1798761600000);
	pki_write(".", "id.pem", identity.pem.data, identity.pem.size);
	assert_int_equal(pki_run("a", (const char *const[]){"openssl", "pkey", "-in", "id.pem",
							    "-pubout", NULL}),
			 0);
	assert_int_equal(pki_run("b", (const char *const[]){"openssl", "x509", "-in", "id.pem",
							    "-noout", "-pubkey", NULL}),
			 0);
	a = pki_read(".", "a", NULL);
	b = pki_read(".", "b", NULL);
	assert_string_equal(a, b);
	assert_int_equal(eg_identity_parse(vault, eg_buf_bytes(&identity.pem), "lane-12", ca_pem,
					   &again, NULL),
			 0);
	assert_true(eg_bytes_equal(eg_buf_bytes(&again.pem), eg_buf_bytes(&identity.pem)));
	assert_true(again.end_ms == identity.end_ms);
	eg_identity_done(&again);
	assert_int_equal(eg_identity_parse(vault, eg_buf_bytes(&identity.pem), "lane-13", ca_pem,
					   &again, NULL),
			 EG_EAUTH);
	for (size_t n = 0; n < identity.pem.size - 30; n += 13)
		assert_int_not_equal(eg_identity_parse(vault, EG_BYTES(identity.pem.data, n),
						       "lane-12", ca_pem, &again, NULL),
				     0);
	eg_identity_done(&identity);
	free(a);
	free(b);
	free(ca_pem);
}

static void a_certificate_for_another_name_is_refused(void **state)
{
	struct eg_err err = EG_ERR_INIT;
	struct eg_identity identity;

	(void)state;
	assert_int_equal(try_identity("ca", "lane-13", NULL, NULL, false, &identity, &err),
			 EG_EAUTH);
	assert_non_null(strstr(err.text, "lane-12"));
}

static void a_certificate_for_another_key_is_refused(void **state)
{
	struct eg_identity identity;

	(void)state;
	assert_int_equal(try_identity("ca", "lane-12", NULL, NULL, true, &identity, NULL),
			 EG_EAUTH);
}

static void a_certificate_by_another_authority_is_refused(void **state)
{
	struct eg_identity identity;

	(void)state;
	assert_int_equal(try_identity("other", "lane-12", NULL, NULL, false, &identity, NULL),
			 EG_EAUTH);
}

static void an_expired_certificate_is_the_policys_business(void **state)
{
	struct eg_identity identity;

	(void)state;
	assert_int_equal(try_identity("ca", "lane-12", "20200101000000Z", "20200102000000Z", false,
				      &identity, NULL),
			 0);
	assert_true(identity.end_ms == 1577923200000);
	eg_identity_done(&identity);
}

static int setup(void **state)
{
	(void)state;
	pki_ca(".", "ca");
	pki_ca(".", "other");
	assert_int_equal(eg_crypto_init(NULL), 0);
	return eg_vault_new(
		&(struct eg_vault_config){.want = EG_KEY_WANT_FILE, .tcti = "", .device_key = ""},
		&vault, NULL);
}

static int teardown(void **state)
{
	(void)state;
	eg_vault_free(vault);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(base64_vectors_of_rfc_4648),
		cmocka_unit_test(base64_takes_lines_and_refuses_rubbish),
		cmocka_unit_test(certificates_of_openssl_come_out_byte_for_byte),
		cmocka_unit_test(no_part_of_a_message_passes_for_the_whole),
		cmocka_unit_test(more_certificates_than_there_is_room_for_are_refused),
		cmocka_unit_test(a_good_certificate_makes_an_identity_that_openssl_reads),
		cmocka_unit_test(a_certificate_for_another_name_is_refused),
		cmocka_unit_test(a_certificate_for_another_key_is_refused),
		cmocka_unit_test(a_certificate_by_another_authority_is_refused),
		cmocka_unit_test(an_expired_certificate_is_the_policys_business),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
