// SPDX-License-Identifier: Apache-2.0

#include "test.h"

static void a_buffer_grows_to_its_maximum_and_no_further(void **state)
{
	struct eg_buf buf;
	size_t i;

	(void)state;
	for (size_t max = 0; max < 300; max += 23) {
		eg_buf_init(&buf, max);
		for (i = 0; i < max; i++)
			assert_int_equal(eg_buf_put_u8(&buf, (uint8_t)i), 0);
		assert_int_equal(eg_buf_put_u8(&buf, 1), EG_ETOOBIG);
		assert_int_equal(buf.size, max);
		for (i = 0; i < max; i++)
			assert_int_equal(buf.data[i], (uint8_t)i);
		assert_non_null(eg_buf_text(&buf)); // the NUL fits also when full
		assert_int_equal(eg_buf_text(&buf)[max], '\0');
		eg_buf_done(&buf);
		assert_null(buf.data);
	}
	eg_buf_done(NULL);
}

static void what_does_not_fit_changes_nothing(void **state)
{
	struct eg_buf buf;

	(void)state;
	eg_buf_init(&buf, 8);
	assert_int_equal(eg_buf_put(&buf, "abcde", 5), 0);
	assert_int_equal(eg_buf_put(&buf, "wxyz", 4), EG_ETOOBIG);
	assert_int_equal(eg_buf_put_be32(&buf, 1), EG_ETOOBIG);
	assert_int_equal(eg_buf_printf(&buf, "%s", "wxyz"), EG_ETOOBIG);
	assert_int_equal(eg_buf_put(&buf, "x", SIZE_MAX), EG_ETOOBIG);
	assert_string_equal(eg_buf_text(&buf), "abcde");
	assert_int_equal(eg_buf_printf(&buf, "%03d", 7), 0);
	assert_string_equal(eg_buf_text(&buf), "abcde007");
	eg_buf_done(&buf);
}

static void numbers_are_big_endian_both_ways(void **state)
{
	struct eg_cur cur;
	struct eg_buf buf;
	uint32_t four;
	uint16_t two;
	uint8_t one;

	(void)state;
	eg_buf_init(&buf, 64);
	assert_int_equal(eg_buf_put_u8(&buf, 0x01), 0);
	assert_int_equal(eg_buf_put_be16(&buf, 0x0203), 0);
	assert_int_equal(eg_buf_put_be32(&buf, 0x04050607), 0);
	assert_int_equal(eg_buf_put_be64(&buf, 0x08090a0b0c0d0e0fu), 0);
	check_hex(buf.data, buf.size, "0102030405060708090a0b0c0d0e0f");
	cur = eg_cur_of(eg_buf_bytes(&buf));
	assert_int_equal(eg_cur_get_u8(&cur, &one), 0);
	assert_int_equal(eg_cur_get_be16(&cur, &two), 0);
	assert_int_equal(eg_cur_get_be32(&cur, &four), 0);
	assert_int_equal(one, 1);
	assert_int_equal(two, 0x0203);
	assert_int_equal(four, 0x04050607);
	assert_int_equal(cur.left, 8);
	eg_buf_done(&buf);
}

static void a_cursor_never_steps_outside(void **state)
{
	struct eg_bytes bytes = unhex("010203"), view = {0};
	struct eg_cur cur = eg_cur_of(bytes);
	uint32_t four = 77;
	uint16_t two = 77;
	uint8_t one = 77;

	(void)state;
	assert_int_equal(eg_cur_get_be32(&cur, &four), EG_EINVAL);
	assert_int_equal(eg_cur_get(&cur, 4, &view), EG_EINVAL);
	assert_int_equal(eg_cur_get(&cur, SIZE_MAX, &view), EG_EINVAL);
	assert_ptr_equal(cur.at, bytes.data);
	assert_int_equal(four, 77);
	assert_int_equal(eg_cur_get(&cur, 3, &view), 0);
	assert_int_equal(eg_cur_get_u8(&cur, &one), EG_EINVAL);
	assert_int_equal(eg_cur_get_be16(&cur, &two), EG_EINVAL);
	assert_int_equal(eg_cur_get(&cur, 0, &view), 0);
	cur = eg_cur_of((struct eg_bytes){0});
	assert_int_equal(eg_cur_get(&cur, 0, &view), 0);
	assert_int_equal(eg_cur_get(&cur, 1, &view), EG_EINVAL);
	drop(bytes);
}

static void secret_bytes_move_between_counted_blocks(void **state)
{
	size_t before = eg_secret_count();
	struct eg_buf buf;

	(void)state;
	eg_buf_init_secret(&buf, 100000);
	for (int i = 0; i < 20000; i++)
		assert_int_equal(eg_buf_put_be32(&buf, (uint32_t)i), 0);
	assert_int_equal(eg_secret_count(), before + 1); // the outgrown blocks are gone
	for (uint32_t i = 0; i < 20000; i++)
		assert_int_equal(buf.data[4 * i + 3], (uint8_t)i);
	eg_buf_reset(&buf);
	assert_int_equal(buf.size, 0);
	for (size_t i = 0; i < 80000; i++)
		assert_int_equal(buf.data[i], 0);
	eg_buf_done(&buf);
	assert_int_equal(eg_secret_count(), before);
}

static void taken_bytes_belong_to_the_taker(void **state)
{
	struct eg_buf buf;
	uint8_t *data;
	size_t size;

	(void)state;
	eg_buf_init(&buf, 10);
	assert_int_equal(eg_buf_put(&buf, "abc", 3), 0);
	eg_buf_take(&buf, &data, &size);
	assert_int_equal(size, 3);
	assert_memory_equal(data, "abc", 3);
	assert_int_equal(eg_buf_put(&buf, "0123456789", 10), 0);
	eg_buf_done(&buf);
	free(data);
}

static void hexadecimal_wants_all_its_digits(void **state)
{
	static const char *const bad[] = {"", "0", "0g", "000", "0 ", " 0", "0x", "-1"};
	uint8_t byte = 77;

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++)
		assert_int_equal(eg_unhex(bad[i], &byte, 1), EG_EINVAL);
	assert_int_equal(byte, 77);
	assert_int_equal(eg_unhex("aF", &byte, 1), 0);
	assert_int_equal(byte, 0xaf);
	assert_int_equal(eg_unhex("", &byte, 0), 0);
}

static void equality_needs_the_same_length(void **state)
{
	(void)state;
	assert_true(eg_bytes_equal((struct eg_bytes){0}, EG_BYTES("x", 0)));
	assert_true(eg_bytes_equal(EG_BYTES_STR("ab"), EG_BYTES("abc", 2)));
	assert_false(eg_bytes_equal(EG_BYTES_STR("ab"), EG_BYTES_STR("abc")));
	assert_false(eg_bytes_equal(EG_BYTES_STR("ab"), EG_BYTES_STR("ac")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_buffer_grows_to_its_maximum_and_no_further),
		cmocka_unit_test(what_does_not_fit_changes_nothing),
		cmocka_unit_test(numbers_are_big_endian_both_ways),
		cmocka_unit_test(a_cursor_never_steps_outside),
		cmocka_unit_test(secret_bytes_move_between_counted_blocks),
		cmocka_unit_test(taken_bytes_belong_to_the_taker),
		cmocka_unit_test(hexadecimal_wants_all_its_digits),
		cmocka_unit_test(equality_needs_the_same_length),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
