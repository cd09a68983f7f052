// SPDX-License-Identifier: Apache-2.0
//
// store/manifests.c: floors, swapping, erasing.

#include "common.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "firmware/base/file.h"
#include "store/manifests.h"

#define DB "manifests.db"

static struct eg_manifests *manifests;

static void remove_files(void)
{
	(void)unlink(DB);
	(void)unlink(DB "-wal");
	(void)unlink(DB "-shm");
}

static int set_up(void **state)
{
	struct eg_err err = EG_ERR_INIT;
	(void)state;
	expect_ok(eg_crypto_init(&err), &err);
	remove_files();
	expect_ok(eg_manifests_open(DB, &manifests, &err), &err);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	eg_manifests_close(manifests);
	manifests = NULL;
	remove_files();
	return 0;
}

static struct eg_statement statement_of(const char *id, uint64_t version)
{
	struct eg_statement s = {
		.version = version,
		.not_before_ms = NOW_MS - 1000,
		.expires_ms = NOW_MS + 1000,
	};
	(void)snprintf(s.id, sizeof(s.id), "%s", id);
	return s;
}

static int put(const char *id, uint64_t version, const char *wire, struct eg_err *err)
{
	struct eg_statement s = statement_of(id, version);
	return eg_manifests_put(manifests, &s, EG_BYTES_STR(wire), NOW_MS, err);
}

static void expect_held(const char *id, const char *wire)
{
	struct eg_err err = EG_ERR_INIT;
	struct eg_buf got;
	eg_buf_init(&got, EG_MANIFEST_MAX);
	expect_ok(eg_manifests_get(manifests, id, &got, &err), &err);
	assert_string_equal(eg_buf_text(&got), wire);
	eg_buf_done(&got);
}

static void expect_not_held(const char *id)
{
	struct eg_err err = EG_ERR_INIT;
	struct eg_buf got;
	eg_buf_init(&got, EG_MANIFEST_MAX);
	expect_code(eg_manifests_get(manifests, id, &got, &err), EG_ENOENT, &err);
	assert_int_equal(got.size, 0);
	eg_buf_done(&got);
}

static uint64_t change(void)
{
	struct eg_err err = EG_ERR_INIT;
	uint64_t n = 0;
	expect_ok(eg_manifests_change(manifests, &n, &err), &err);
	return n;
}

static void higher_version_is_swapped_in_whole(void **state)
{
	(void)state;
	struct eg_err err = EG_ERR_INIT;
	struct eg_manifest_held held[4];
	size_t count = 0;
	expect_ok(put("UA1", 5, "five", &err), &err);
	expect_ok(put("UA2", 1, "other", &err), &err);
	expect_ok(put("UA1", 6, "sixth", &err), &err);
	expect_held("UA1", "sixth");
	expect_held("UA2", "other");
	expect_ok(eg_manifests_list(manifests, held, 4, &count, &err), &err);
	assert_int_equal(count, 2);
	assert_string_equal(held[0].id, "UA1"); // put last
	assert_int_equal(held[0].version, 6);
	assert_int_equal(held[0].bytes, 5);
	assert_int_equal(held[0].put_ms, NOW_MS);
	assert_int_equal(held[0].expires_ms, NOW_MS + 1000);
	assert_string_equal(held[1].id, "UA2");
	expect_ok(eg_manifests_list(manifests, held, 1, &count, &err), &err);
	assert_int_equal(count, 1);
	expect_ok(eg_manifests_list(manifests, held, 0, &count, &err), &err);
	assert_int_equal(count, 0);
}

static void lower_version_is_refused_also_after_erasing_and_reopening(void **state)
{
	(void)state;
	struct eg_err err = EG_ERR_INIT;
	expect_ok(put("UA1", 5, "five", &err), &err);
	expect_code(put("UA1", 4, "four", &err), EG_ESTALE, &err);
	assert_non_null(strstr(err.text, "UA1"));
	expect_held("UA1", "five");
	expect_ok(eg_manifests_erase(manifests, "UA1", &err), &err);
	expect_not_held("UA1");
	expect_code(put("UA1", 4, "four", &err), EG_ESTALE, &err);
	eg_manifests_close(manifests);
	expect_ok(eg_manifests_open(DB, &manifests, &err), &err);
	expect_code(put("UA1", 4, "four", &err), EG_ESTALE, &err);
	expect_not_held("UA1");
	// The very same may come back (withdrawn by mistake), a higher one too.
	expect_ok(put("UA1", 5, "five", &err), &err);
	expect_held("UA1", "five");
	expect_ok(put("UA1", 7, "seven", &err), &err);
	expect_held("UA1", "seven");
}

static void equal_version_with_other_bytes_is_a_conflict(void **state)
{
	(void)state;
	struct eg_err err = EG_ERR_INIT;
	expect_ok(put("UA1", 5, "five", &err), &err);
	expect_code(put("UA1", 5, "FIVE", &err), EG_ECONFLICT, &err);
	expect_held("UA1", "five");
	expect_ok(eg_manifests_erase(manifests, "UA1", &err), &err);
	expect_code(put("UA1", 5, "FIVE", &err), EG_ECONFLICT, &err);
	expect_not_held("UA1");
}

static void same_bytes_again_write_nothing(void **state)
{
	(void)state;
	struct eg_err err = EG_ERR_INIT;
	expect_ok(put("UA1", 5, "five", &err), &err);
	uint64_t before = change();
	expect_ok(put("UA1", 5, "five", &err), &err);
	assert_int_equal(change(), before);
}

static void every_change_is_seen_by_the_other_program(void **state)
{
	(void)state;
	struct eg_manifests *other = NULL;
	struct eg_err err = EG_ERR_INIT;
	uint64_t start = change();
	expect_ok(eg_manifests_open(DB, &other, &err), &err);
	struct eg_statement s = statement_of("UA1", 1);
	expect_ok(eg_manifests_put(other, &s, EG_BYTES_STR("one"), NOW_MS, &err), &err);
	uint64_t put_by_other = change();
	assert_true(put_by_other > start);
	expect_ok(eg_manifests_erase(other, "UA1", &err), &err);
	assert_true(change() > put_by_other);
	eg_manifests_close(other);
}

static void erasing_what_is_not_there_says_so(void **state)
{
	(void)state;
	struct eg_err err = EG_ERR_INIT;
	uint64_t before = change();
	expect_code(eg_manifests_erase(manifests, "UA1", &err), EG_ENOENT, &err);
	assert_int_equal(change(), before);
}

static void versions_out_of_range_are_refused(void **state)
{
	(void)state;
	struct eg_err err = EG_ERR_INIT;
	expect_code(put("UA1", 0, "x", &err), EG_EINVAL, &err);
	expect_code(put("UA1", UINT64_MAX, "x", &err), EG_EINVAL, &err);
	expect_code(put("UA1", 1, "", &err), EG_EINVAL, &err);
}

static size_t pieces_left(uint64_t seed, size_t size)
{
	struct eg_err err = EG_ERR_INIT;
	struct eg_buf raw;
	size_t found = 0;
	uint8_t *body = malloc(size);
	assert_non_null(body);
	fill(body, size, seed);
	eg_buf_init(&raw, 64u << 20);
	expect_ok(eg_file_read(DB, &raw, &err), &err);
	if (access(DB "-wal", F_OK) == 0)
		expect_ok(eg_file_read(DB "-wal", &raw, &err), &err);
	for (size_t i = 0; i + 8 <= size; i += 64)
		found += memmem(raw.data, raw.size, body + i, 8) != NULL;
	eg_buf_done(&raw);
	free(body);
	return found;
}

static void put_big(const char *id, uint64_t version, uint64_t seed, size_t size)
{
	struct eg_err err = EG_ERR_INIT;
	struct eg_statement s = statement_of(id, version);
	uint8_t *body = malloc(size);
	assert_non_null(body);
	fill(body, size, seed);
	expect_ok(eg_manifests_put(manifests, &s, EG_BYTES(body, size), NOW_MS, &err), &err);
	free(body);
}

static void erased_and_swapped_manifests_are_in_no_raw_file_any_more(void **state)
{
	(void)state;
	struct eg_err err = EG_ERR_INIT;
	struct stat st;
	put_big("UA1", 1, 1, 50001);
	put_big("UA2", 1, 2, 3000);
	put_big("UA3", 1, 3, 100);
	assert_int_not_equal(pieces_left(1, 50001), 0);
	assert_int_not_equal(pieces_left(3, 100), 0);
	put_big("UA1", 2, 4, 40000); // swapped
	assert_int_equal(pieces_left(1, 50001), 0);
	expect_ok(eg_manifests_erase(manifests, "UA2", &err), &err);
	expect_ok(eg_manifests_erase(manifests, "UA3", &err), &err);
	assert_int_equal(pieces_left(2, 3000), 0);
	assert_int_equal(pieces_left(3, 100), 0);
	assert_int_not_equal(pieces_left(4, 40000), 0);
	assert_int_equal(stat(DB "-wal", &st), 0);
	assert_int_equal(st.st_size, 0);
}

static void manifest_of_20_megabytes_is_put_and_got(void **state)
{
	(void)state;
	struct eg_err err = EG_ERR_INIT;
	struct eg_buf got;
	eg_buf_init(&got, EG_MANIFEST_MAX);
	double start = now_ms();
	put_big("UA1", 1, 1, 20u << 20);
	double put_at = now_ms();
	expect_ok(eg_manifests_get(manifests, "UA1", &got, &err), &err);
	print_message("20 MB: put %.0f ms, get %.0f ms\n", put_at - start, now_ms() - put_at);
	assert_int_equal(got.size, 20u << 20);
	eg_buf_done(&got);
	// A buffer too small refuses and stays as it was.
	eg_buf_init(&got, 1000);
	expect_code(eg_manifests_get(manifests, "UA1", &got, &err), EG_ETOOBIG, &err);
	assert_int_equal(got.size, 0);
	eg_buf_done(&got);
}

static void records_file_is_no_manifests_file(void **state)
{
	(void)state;
	struct eg_manifests *other = NULL;
	struct eg_err err = EG_ERR_INIT;
	struct eg_buf out;
	eg_buf_init(&out, 4096);
	eg_manifests_close(manifests);
	manifests = NULL;
	assert_int_equal(run((const char *const[]){"sqlite3", DB,
						   "PRAGMA application_id = 0x45475231", NULL},
			     &out),
			 0);
	expect_code(eg_manifests_open(DB, &other, &err), EG_ECORRUPT, &err);
	eg_buf_done(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
		CASE(higher_version_is_swapped_in_whole),
		CASE(lower_version_is_refused_also_after_erasing_and_reopening),
		CASE(equal_version_with_other_bytes_is_a_conflict),
		CASE(same_bytes_again_write_nothing),
		CASE(every_change_is_seen_by_the_other_program),
		CASE(erasing_what_is_not_there_says_so),
		CASE(versions_out_of_range_are_refused),
		CASE(erased_and_swapped_manifests_are_in_no_raw_file_any_more),
		CASE(manifest_of_20_megabytes_is_put_and_got),
		CASE(records_file_is_no_manifests_file),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
