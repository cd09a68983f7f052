// SPDX-License-Identifier: Apache-2.0
//
// TLS keys in a TPM (swtpm), in sealed files and in plain ones, against the openssl command and
// tpm2-tools.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "firmware/base/crypto.h"
#include "net/identity.h"
#include "pki.h"
#include "tpm.h"

#define WORDS(...) ((const char *const[]){__VA_ARGS__, NULL})

static struct tpm tpm;

static struct eg_vault *vault_of(enum eg_key_want want, const char *tcti, const char *device_key)
{
	struct eg_vault *vault;

	assert_int_equal(eg_vault_new(&(struct eg_vault_config){.want = want,
								.tcti = tcti,
								.device_key = device_key},
				      &vault, NULL),
			 0);
	return vault;
}

static struct eg_tls_key *make(struct eg_vault *vault)
{
	struct eg_err err = EG_ERR_INIT;
	struct eg_tls_key *key;

	if (eg_tls_key_make(vault, &key, &err) != 0)
		fail_msg("%s", err.text);
	return key;
}

static void write_device_key(const char *text)
{
	pki_write(".", "device.key", text, strlen(text));
	assert_int_equal(chmod("device.key", 0600), 0);
}

#define DEVICE_KEY "8c0f4c1f5a0f4f1c9a4b7a7f1e2d3c4b5a69788796a5b4c3"

// One vault for each way to keep a key, and what OpenSSL calls the text that lies on disk then.
static const struct {
	enum eg_key_kept kept;
	const char *name, *label;
} ways[] = {
	{EG_KEY_FILE, "file", "-----BEGIN PRIVATE KEY-----"},
	{EG_KEY_SEALED, "sealed", "-----BEGIN ENCRYPTED PRIVATE KEY-----"},
	{EG_KEY_TPM, "tpm", "-----BEGIN TSS2 PRIVATE KEY-----"},
};

static struct eg_vault *vault_for(size_t way)
{
	return vault_of(ways[way].kept == EG_KEY_TPM ? EG_KEY_WANT_TPM : EG_KEY_WANT_FILE, tpm.tcti,
			ways[way].kept == EG_KEY_SEALED ? "device.key" : "");
}

static void openssl_accepts_the_request_of_every_kind_of_key(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		struct eg_vault *vault = vault_for(i);
		struct eg_tls_key *key = make(vault), *again;
		struct eg_buf csr;
		struct eg_bytes pem = eg_tls_key_pem(key);
		char *text;

		assert_int_equal(eg_tls_key_kept(key), ways[i].kept);
		assert_string_equal(eg_key_kept_name(eg_tls_key_kept(key)), ways[i].name);
		assert_memory_equal(pem.data, ways[i].label, strlen(ways[i].label));
		eg_buf_init(&csr, 4096);
		assert_int_equal(eg_tls_key_request(key, "lane-12", &csr, NULL), 0);
		pki_write(".", "ours.csr", csr.data, csr.size);
		assert_int_equal(pki_run("ours.txt",
					 WORDS("openssl", "req", "-inform", "DER", "-in",
					       "ours.csr", "-verify", "-noout", "-text")),
				 0);
		text = pki_read(".", "ours.txt", NULL);
		assert_non_null(strstr(text, "Version: 1 (0x0)"));
		assert_non_null(strstr(text, "Subject: CN=lane-12"));
		assert_non_null(strstr(text, "prime256v1"));
		assert_non_null(strstr(text, "ecdsa-with-SHA256"));
		assert_non_null(strstr(text, "Digital Signature"));
		free(text);
		// Opened again it is the same key.
		assert_int_equal(eg_tls_key_open(vault, pem, &again, NULL), 0);
		assert_true(eg_bytes_equal(eg_tls_key_public(key), eg_tls_key_public(again)));
		assert_true(eg_bytes_equal(pem, eg_tls_key_pem(again)));
		eg_tls_key_unref(again);
		eg_buf_done(&csr);
		eg_tls_key_unref(key);
		eg_vault_free(vault);
	}
}

static void names_that_do_not_belong_in_a_certificate_are_refused(void **state)
{
	static const char *const bad[] = {
		"",
		"a,O=b",
		"a b",
		"a/b",
		"a\nb",
		"ä",
		"0123456789012345678901234567890123456789012345678901234567890123"};
	struct eg_vault *vault = vault_of(EG_KEY_WANT_FILE, "", "");
	struct eg_tls_key *key = make(vault);
	struct eg_buf csr;

	(void)state;
	eg_buf_init(&csr, 4096);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(eg_tls_key_request(key, bad[i], &csr, NULL), EG_EINVAL);
	assert_int_equal(csr.size, 0);
	eg_tls_key_unref(key);
	eg_vault_free(vault);
}

// openssl without the TPM finds no key in it; tpm2-tools find the same public key.
static void on_disk_there_is_no_private_key_in_the_clear(void **state)
{
	struct eg_vault *vault = vault_of(EG_KEY_WANT_TPM, tpm.tcti, "");
	struct eg_tls_key *key = make(vault);
	char *ours, *theirs;

	(void)state;
	pki_write(".", "key.pem", eg_tls_key_pem(key).data, eg_tls_key_pem(key).size);
	pki_write(".", "key.spki", eg_tls_key_public(key).data, eg_tls_key_public(key).size);
	eg_tls_key_unref(key); // and so lets go of the TPM
	eg_vault_free(vault);
	assert_int_not_equal(pki_run(NULL, WORDS("openssl", "pkey", "-in", "key.pem", "-noout")),
			     0);
	assert_int_equal(pki_run("ours.pem", WORDS("openssl", "pkey", "-pubin", "-inform", "DER",
						   "-in", "key.spki", "-pubout")),
			 0);
	// In the blob (ASN.1) the first OCTET STRING is the TPM's own form of the public key.
	assert_int_equal(
		pki_run(NULL,
			WORDS("sh", "-c",
			      "set -- $(openssl asn1parse -in key.pem | "
			      "sed -n 's/^ *\\([0-9]*\\):.*OCTET STRING.*/\\1/p'); "
			      "openssl asn1parse -in key.pem -strparse $1 -noout -out key.pub")),
		0);
	assert_int_equal(
		tpm_tool(&tpm, "theirs.pem",
			 WORDS("tpm2_print", "-t", "TPM2B_PUBLIC", "-f", "pem", "key.pub")),
		0);
	ours = pki_read(".", "ours.pem", NULL);
	theirs = pki_read(".", "theirs.pem", NULL);
	assert_string_equal(ours, theirs);
	free(ours);
	free(theirs);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(openssl_accepts_the_request_of_every_kind_of_key),
		cmocka_unit_test(names_that_do_not_belong_in_a_certificate_are_refused),
		cmocka_unit_test(on_disk_there_is_no_private_key_in_the_clear),
	};
	int failed;

	if (eg_crypto_init(NULL) != 0)
		return 1;
	write_device_key(DEVICE_KEY "\n");
	tpm_new(&tpm);
	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	tpm_free(&tpm);
	return failed;
}
