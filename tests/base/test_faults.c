// SPDX-License-Identifier: Apache-2.0
//
// Each allocation made through mem.h fails in turn, until a run gets through without reaching it.
// A failed run must say "out of memory", leave what it was given alone, and lose nothing: ASan
// looks at the heap, eg_secret_count() at the rest.

#include "test.h"

#include <unistd.h>

#include "firmware/base/conf.h"
#include "firmware/base/cose.h"
#include "firmware/base/file.h"
#include "firmware/base/hpke.h"

static struct eg_key *key;
static struct eg_buf statement, sealed;
static struct eg_bytes aad, payload;

// What each fault test runs. `out` holds "before" and must still hold it when the run fails.
struct operation {
	int (*run)(struct eg_buf *out, struct eg_err *err);
	bool secret;  // kind of `out`
	size_t least; // allocations it is known to make, so that the test cannot pass by testing
		      // none
};

static void fail_each(const struct operation *op)
{
	size_t secrets = eg_secret_count(), n;
	int r = EG_ENOMEM;

	for (n = 1; r != 0; n++) {
		struct eg_err err = EG_ERR_INIT;
		struct eg_buf out;

		if (op->secret)
			eg_buf_init_secret(&out, 1 << 16);
		else
			eg_buf_init(&out, 1 << 16);
		assert_int_equal(eg_buf_put(&out, "before", 6), 0);
		eg_mem_fail_at(n);
		r = op->run(&out, &err);
		eg_mem_fail_at(0);
		if (r != 0) {
			assert_int_equal(r, EG_ENOMEM);
			assert_int_equal(err.code, EG_ENOMEM);
			assert_non_null(strstr(err.text, "out of memory"));
			assert_int_equal(out.size, 6);
		}
		assert_memory_equal(out.data, "before", 6);
		eg_buf_done(&out);
		assert_int_equal(eg_secret_count(), secrets);
		assert_true(n < 1000);
	}
	assert_true(n - 2 >= op->least); // that many runs failed
}

static int sign(struct eg_buf *out, struct eg_err *err)
{
	return eg_cose_sign(key, aad, payload, out, err);
}

static int verify(struct eg_buf *out, struct eg_err *err)
{
	struct eg_trusted_key trusted;
	struct eg_bytes got = {0};
	int r;

	(void)out;
	memcpy(trusted.pub, eg_key_public(key), sizeof(trusted.pub));
	eg_kid(trusted.pub, trusted.kid);
	r = eg_cose_verify(eg_buf_bytes(&statement), aad, &trusted, 1, &got, NULL, err);
	assert_true(r == 0 || got.data == NULL);
	return r;
}

static int seal(struct eg_buf *out, struct eg_err *err)
{
	return eg_hpke_seal(eg_key_public(key), aad, aad, payload, out, err);
}

static int open_sealed(struct eg_buf *out, struct eg_err *err)
{
	return eg_hpke_open(key, aad, aad, eg_buf_bytes(&sealed), out, err);
}

static int read_whole(struct eg_buf *out, struct eg_err *err)
{
	return eg_file_read("file", out, err);
}

static int load_conf(struct eg_buf *out, struct eg_err *err)
{
	static const struct eg_conf_key table[] = {
		{"a", "b", EG_CONF_INT, .min = 0, .max = 9, .def = "1", .help = "x"},
		{0},
	};
	long long value = 0;
	int r = eg_conf_load("test.conf", table, &value, err);

	(void)out;
	assert_true(r != 0 || value == 5);
	return r;
}

static int load_key(struct eg_buf *out, struct eg_err *err)
{
	struct eg_key *loaded = NULL;
	int r = eg_key_load("key.pem", &loaded, err);

	(void)out;
	assert_true((r == 0) == (loaded != NULL));
	eg_key_free(loaded);
	return r;
}

static int make_key(struct eg_buf *out, struct eg_err *err)
{
	struct eg_key *made = NULL;
	int r;

	(void)out;
	(void)unlink("new.pem");
	r = eg_key_load_or_make("new.pem", &made, NULL, err);
	assert_true((r == 0) == (made != NULL));
	assert_true((r == 0) == (access("new.pem", F_OK) == 0)); // whole or not at all
	eg_key_free(made);
	return r;
}

static void signing_survives_each_failed_allocation(void **state)
{
	(void)state;
	fail_each(&(struct operation){sign, .least = 3});
}

static void verifying_survives_each_failed_allocation(void **state)
{
	(void)state;
	fail_each(&(struct operation){verify, .least = 1});
}

static void sealing_survives_each_failed_allocation(void **state)
{
	(void)state;
	fail_each(&(struct operation){seal, .least = 10});
}

static void opening_survives_each_failed_allocation(void **state)
{
	(void)state;
	fail_each(&(struct operation){open_sealed, .secret = true, .least = 8});
}

static void reading_a_file_survives_each_failed_allocation(void **state)
{
	(void)state;
	fail_each(&(struct operation){read_whole, .least = 1});
}

static void loading_a_configuration_survives_each_failed_allocation(void **state)
{
	(void)state;
	fail_each(&(struct operation){load_conf, .least = 2});
}

static void loading_a_key_survives_each_failed_allocation(void **state)
{
	(void)state;
	fail_each(&(struct operation){load_key, .least = 2});
}

static void making_a_key_survives_each_failed_allocation(void **state)
{
	(void)state;
	fail_each(&(struct operation){make_key, .least = 1});
}

static int init(void **state)
{
	static char big[40000];

	(void)state;
	aad = EG_BYTES_STR("egress/test/v1");
	payload = EG_BYTES_STR("payload");
	memset(big, 'x', sizeof(big) - 1);
	write_text("file", big);
	write_text("test.conf", "[a]\nb = 5\n");
	eg_buf_init(&statement, 4096);
	eg_buf_init(&sealed, 4096);
	if (eg_crypto_init(NULL) != 0 || eg_key_generate(&key, NULL) != 0 ||
	    eg_key_save(key, "key.pem", NULL) != 0)
		return -1;
	if (eg_cose_sign(key, aad, payload, &statement, NULL) != 0)
		return -1;
	return eg_hpke_seal(eg_key_public(key), aad, aad, payload, &sealed, NULL);
}

static int done(void **state)
{
	(void)state;
	eg_buf_done(&sealed);
	eg_buf_done(&statement);
	eg_key_free(key);
	return eg_secret_count() == 0 ? 0 : -1;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(signing_survives_each_failed_allocation),
		cmocka_unit_test(verifying_survives_each_failed_allocation),
		cmocka_unit_test(sealing_survives_each_failed_allocation),
		cmocka_unit_test(opening_survives_each_failed_allocation),
		cmocka_unit_test(reading_a_file_survives_each_failed_allocation),
		cmocka_unit_test(loading_a_configuration_survives_each_failed_allocation),
		cmocka_unit_test(loading_a_key_survives_each_failed_allocation),
		cmocka_unit_test(making_a_key_survives_each_failed_allocation),
	};

	return cmocka_run_group_tests(tests, init, done);
}
