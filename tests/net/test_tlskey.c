// SPDX-License-Identifier: Apache-2.0
//
// TLS keys in a TPM (swtpm), in sealed files and in plain ones, against the openssl command and
// tpm2-tools.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dlfcn.h>
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

static void where_a_key_is_kept_follows_the_configuration(void **state)
{
	static const struct {
		enum eg_key_want want;
		const char *tcti, *device_key;
		enum eg_key_kept kept;
	} cases[] = {
		{EG_KEY_AUTO, "device:/nonexistent/tpmrm0", "", EG_KEY_FILE},
		{EG_KEY_AUTO, "device:/nonexistent/tpmrm0", "/nonexistent/key", EG_KEY_FILE},
		{EG_KEY_AUTO, "device:/nonexistent/tpmrm0", "device.key", EG_KEY_SEALED},
		{EG_KEY_AUTO, "", "", EG_KEY_FILE},
		{EG_KEY_AUTO, "device:/dev/null", "device.key", EG_KEY_TPM}, // it is there
		{EG_KEY_AUTO, "swtpm:path=/nonexistent", "", EG_KEY_TPM},    // somebody meant it
		{EG_KEY_WANT_TPM, "device:/nonexistent/tpmrm0", "", EG_KEY_TPM},
		{EG_KEY_WANT_FILE, "device:/dev/null", "", EG_KEY_FILE},
		{EG_KEY_WANT_FILE, "device:/dev/null", "device.key", EG_KEY_SEALED},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct eg_vault *vault =
			vault_of(cases[i].want, cases[i].tcti, cases[i].device_key);

		if (eg_vault_kept(vault) != cases[i].kept)
			fail_msg("case %zu: %s", i, eg_key_kept_name(eg_vault_kept(vault)));
		eg_vault_free(vault);
	}
}

// Wants a new key and gets none; the code and a word of the sentence are as said.
static void no_key(const char *tcti, int code, const char *words)
{
	struct eg_vault *vault = vault_of(EG_KEY_WANT_TPM, tcti, "");
	struct eg_err err = EG_ERR_INIT;
	struct eg_tls_key *key;
	int r = eg_tls_key_make(vault, &key, &err);

	if (r != code || !strstr(err.text, words))
		fail_msg("wanted %d, '%s': got %d, %s", code, words, r, err.text);
	eg_vault_free(vault);
}

static void what_keeps_a_tpm_from_making_a_key_is_said(void **state)
{
	(void)state;
	no_key("device:/nonexistent/tpmrm0", EG_EIO, "/nonexistent/tpmrm0 is not there");
	no_key("device:/dev/null", EG_EIO, "cannot be reached");
	no_key("swtpm:path=/nonexistent/socket", EG_EIO, "cannot be reached");
	no_key("no-such-interface", EG_EIO, "cannot be reached");
	assert_int_equal(setenv("OPENSSL_MODULES", "/nonexistent", 1), 0);
	no_key(tpm.tcti, EG_EUNSUPPORTED, "install the package tpm2-openssl");
	assert_int_equal(unsetenv("OPENSSL_MODULES"), 0);
	assert_int_equal(tpm_tool(&tpm, NULL, WORDS("tpm2_changeauth", "-c", "owner", "secret")),
			 0);
	no_key(tpm.tcti, EG_EIO, "owner hierarchy has a password");
	assert_int_equal(tpm_tool(&tpm, NULL,
				  WORDS("tpm2_changeauth", "-c", "owner", "-p", "secret", "")),
			 0);
	tpm_off(&tpm);
	no_key(tpm.tcti, EG_EIO, "cannot be reached");
	tpm_on(&tpm);
}

static void a_locked_tpm_is_said_and_its_key_comes_back(void **state)
{
	struct eg_vault *vault = vault_of(EG_KEY_WANT_TPM, tpm.tcti, "");
	struct eg_tls_key *key = make(vault);
	struct eg_err err = EG_ERR_INIT;
	char pem[EG_TLS_KEY_PEM_MAX];
	size_t size = eg_tls_key_pem(key).size;

	(void)state;
	memcpy(pem, eg_tls_key_pem(key).data, size);
	eg_tls_key_unref(key);
	assert_int_equal(tpm_tool(&tpm, NULL,
				  WORDS("tpm2_dictionarylockout", "-s", "-n", "1", "-t", "1000",
					"-l", "1000")),
			 0);
	// A password that is guarded, tried wrongly: the TPM is locked out.
	assert_int_equal(tpm_tool(&tpm, NULL,
				  WORDS("tpm2_createprimary", "-C", "o", "-p", "right", "-c",
					"guarded.ctx")),
			 0);
	tpm_flush(&tpm);
	assert_int_not_equal(tpm_tool(&tpm, NULL,
				      WORDS("tpm2_create", "-C", "guarded.ctx", "-P", "wrong", "-u",
					    "x.pub", "-r", "x.priv")),
			     0);
	tpm_flush(&tpm);
	assert_int_equal(tpm_tool(&tpm, "cap.txt", WORDS("tpm2_getcap", "properties-variable")), 0);
	{
		char *text = pki_read(".", "cap.txt", NULL), *at = strstr(text, "inLockout:");

		assert_non_null(at);
		assert_non_null(strchr(at, '1'));
		assert_true(strchr(at, '1') < strchr(at, '\n'));
		free(text);
	}
	assert_int_equal(eg_tls_key_open(vault, EG_BYTES(pem, size), &key, &err), EG_EIO);
	assert_non_null(strstr(err.text, "locked out after wrong passwords"));
	assert_int_equal(tpm_tool(&tpm, NULL, WORDS("tpm2_dictionarylockout", "-c")), 0);
	assert_int_equal(eg_tls_key_open(vault, EG_BYTES(pem, size), &key, NULL), 0);
	// Back to many tries: pulling the plug counts as one.
	assert_int_equal(tpm_tool(&tpm, NULL,
				  WORDS("tpm2_dictionarylockout", "-s", "-n", "32", "-t", "600",
					"-l", "600")),
			 0);
	eg_tls_key_unref(key);
	eg_vault_free(vault);
}

static void a_tpm_that_went_away_is_noticed_and_its_key_comes_back_with_it(void **state)
{
	struct eg_vault *vault = vault_of(EG_KEY_WANT_TPM, tpm.tcti, "");
	struct eg_tls_key *key = make(vault), *other;
	struct eg_err err = EG_ERR_INIT;
	char pem[EG_TLS_KEY_PEM_MAX];
	size_t size = eg_tls_key_pem(key).size;
	struct eg_buf csr;

	(void)state;
	eg_buf_init(&csr, 4096);
	memcpy(pem, eg_tls_key_pem(key).data, size);
	assert_int_equal(eg_tls_key_test(key, NULL), 0);
	tpm_off(&tpm);
	assert_int_equal(eg_tls_key_test(key, &err), EG_EIO);
	assert_non_null(strstr(err.text, "TPM: does not sign"));
	assert_int_equal(eg_tls_key_request(key, "lane-12", &csr, NULL), EG_EIO);
	eg_tls_key_unref(key);
	assert_int_equal(eg_tls_key_open(vault, EG_BYTES(pem, size), &key, &err), EG_EIO);
	tpm_on(&tpm);
	assert_int_equal(eg_tls_key_open(vault, EG_BYTES(pem, size), &key, NULL), 0);
	assert_int_equal(eg_tls_key_request(key, "lane-12", &csr, NULL), 0);
	other = make(vault); // two at once, as in a renewal
	assert_int_equal(eg_tls_key_test(key, NULL), 0);
	assert_int_equal(eg_tls_key_test(other, NULL), 0);
	eg_tls_key_unref(other);
	eg_tls_key_unref(key);
	tpm_replace(&tpm);
	assert_int_equal(eg_tls_key_open(vault, EG_BYTES(pem, size), &key, &err), EG_EAUTH);
	assert_non_null(strstr(err.text, "made in another TPM"));
	eg_buf_done(&csr);
	eg_vault_free(vault);
}

static void a_sealed_key_opens_only_under_its_device_key(void **state)
{
	struct eg_vault *vault = vault_of(EG_KEY_WANT_FILE, "", "device.key");
	struct eg_tls_key *key = make(vault);
	struct eg_err err = EG_ERR_INIT;
	char pem[EG_TLS_KEY_PEM_MAX];
	size_t size = eg_tls_key_pem(key).size;
	struct {
		const char *text;
		int code;
		const char *words;
	} cases[] = {
		{"9" DEVICE_KEY "\n", EG_EAUTH, "put the right device key back"},
		{"short\n", EG_EINVAL, "one line of 32 characters"},
		{"", EG_EINVAL, "one line of 32 characters"},
	};

	(void)state;
	memcpy(pem, eg_tls_key_pem(key).data, size);
	eg_tls_key_unref(key);
	pki_write(".", "sealed.pem", pem, size);
	// Not ours to say: openssl needs the device key, and only that.
	assert_int_equal(pki_run(NULL, WORDS("openssl", "pkey", "-in", "sealed.pem", "-noout",
					     "-passin", "file:device.key")),
			 0);
	assert_int_not_equal(pki_run(NULL, WORDS("openssl", "pkey", "-in", "sealed.pem", "-noout",
						 "-passin", "pass:")),
			     0);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		write_device_key(cases[i].text);
		if (eg_tls_key_open(vault, EG_BYTES(pem, size), &key, &err) != cases[i].code ||
		    !strstr(err.text, cases[i].words))
			fail_msg("case %zu: %s", i, err.text);
	}
	write_device_key(DEVICE_KEY); // without its line's end it is the same
	assert_int_equal(eg_tls_key_open(vault, EG_BYTES(pem, size), &key, NULL), 0);
	eg_tls_key_unref(key);
	assert_int_equal(chmod("device.key", 0640), 0);
	assert_int_equal(eg_tls_key_open(vault, EG_BYTES(pem, size), &key, &err), EG_EIO);
	assert_int_equal(unlink("device.key"), 0);
	assert_int_equal(eg_tls_key_open(vault, EG_BYTES(pem, size), &key, &err), EG_EIO);
	assert_non_null(strstr(err.text, "device key, which seals"));
	eg_vault_free(vault);
	write_device_key(DEVICE_KEY "\n");
}

static void damaged_keys_do_not_open(void **state)
{
	(void)state;
	for (size_t way = 0; way < sizeof(ways) / sizeof(ways[0]); way++) {
		struct eg_vault *vault = vault_for(way);
		struct eg_tls_key *key = make(vault), *other;
		struct eg_bytes pem = eg_tls_key_pem(key);
		char copy[EG_TLS_KEY_PEM_MAX];

		for (size_t i = 0; i < pem.size; i += 11) {
			memcpy(copy, pem.data, pem.size);
			copy[i] = copy[i] == 'A' ? 'B' : 'A';
			if (eg_tls_key_open(vault, EG_BYTES(copy, pem.size), &other, NULL) != 0)
				continue;
			// A bit that means nothing, or another key: certificates tell them apart.
			assert_true(copy[i] == (char)pem.data[i] ||
				    eg_tls_key_test(other, NULL) == 0);
			eg_tls_key_unref(other);
		}
		for (size_t n = 0; n < pem.size - 30; n += 17)
			assert_int_not_equal(
				eg_tls_key_open(vault, EG_BYTES(pem.data, n), &other, NULL), 0);
		eg_tls_key_unref(key);
		eg_vault_free(vault);
	}
}

static void keys_of_another_kind_are_refused(void **state)
{
	static const char *const kinds[][2] = {
		{"rsa_keygen_bits:2048", "RSA"},
		{"ec_paramgen_curve:P-384", "EC"},
	};
	struct eg_vault *vault = vault_of(EG_KEY_WANT_FILE, "", "");
	struct eg_tls_key *key;

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		size_t size;
		char *pem;

		assert_int_equal(pki_run("other.pem", WORDS("openssl", "genpkey", "-algorithm",
							    kinds[i][1], "-pkeyopt", kinds[i][0])),
				 0);
		pem = pki_read(".", "other.pem", &size);
		assert_int_equal(eg_tls_key_open(vault, EG_BYTES(pem, size), &key, NULL),
				 EG_EINVAL);
		free(pem);
	}
	assert_int_equal(eg_tls_key_open(vault, EG_BYTES_STR("rubbish"), &key, NULL), EG_EINVAL);
	assert_int_equal(eg_tls_key_open(vault, EG_BYTES_STR(""), &key, NULL), EG_EINVAL);
	eg_vault_free(vault);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(openssl_accepts_the_request_of_every_kind_of_key),
		cmocka_unit_test(names_that_do_not_belong_in_a_certificate_are_refused),
		cmocka_unit_test(on_disk_there_is_no_private_key_in_the_clear),
		cmocka_unit_test(where_a_key_is_kept_follows_the_configuration),
		cmocka_unit_test(what_keeps_a_tpm_from_making_a_key_is_said),
		cmocka_unit_test(a_locked_tpm_is_said_and_its_key_comes_back),
		cmocka_unit_test(a_tpm_that_went_away_is_noticed_and_its_key_comes_back_with_it),
		cmocka_unit_test(a_sealed_key_opens_only_under_its_device_key),
		cmocka_unit_test(damaged_keys_do_not_open),
		cmocka_unit_test(keys_of_another_kind_are_refused),
	};
	int failed;

	// It leaks 96 bytes whenever a TPM is not reached; tests/lsan.supp finds it by its name
	// only while it is loaded.
	if (!dlopen("libtss2-tctildr.so.0", RTLD_NOW) || eg_crypto_init(NULL) != 0)
		return 1;
	write_device_key(DEVICE_KEY "\n");
	tpm_new(&tpm);
	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	tpm_free(&tpm);
	return failed;
}
