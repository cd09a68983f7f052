// SPDX-License-Identifier: Apache-2.0
//
// RFC 8949 appendix A, as far as it is deterministic, both ways; and everything we refuse.

#include "test.h"

#include <math.h>

#include "firmware/base/cbor.h"

static void integers_are_those_of_appendix_a(void **state)
{
	static const struct {
		int64_t value;
		const char *hex;
	} cases[] = {
		{0, "00"},
		{1, "01"},
		{10, "0a"},
		{23, "17"},
		{24, "1818"},
		{25, "1819"},
		{100, "1864"},
		{1000, "1903e8"},
		{1000000, "1a000f4240"},
		{1000000000000, "1b000000e8d4a51000"},
		{-1, "20"},
		{-10, "29"},
		{-100, "3863"},
		{-1000, "3903e7"},
		{INT64_MAX, "1b7fffffffffffffff"},
		{INT64_MIN, "3b7fffffffffffffff"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct eg_bytes bytes = unhex(cases[i].hex);
		struct eg_cur cur = eg_cur_of(bytes);
		struct eg_buf buf;
		int64_t value;

		eg_buf_init(&buf, 16);
		assert_int_equal(eg_cbor_put_int(&buf, cases[i].value), 0);
		check_hex(buf.data, buf.size, cases[i].hex);
		assert_int_equal(eg_cbor_get_int(&cur, &value), 0);
		assert_true(value == cases[i].value);
		assert_int_equal(cur.left, 0);
		eg_buf_done(&buf);
		drop(bytes);
	}
}

static void the_largest_number_is_unsigned_only(void **state)
{
	struct eg_bytes bytes = unhex("1bffffffffffffffff"), neg = unhex("3bffffffffffffffff");
	struct eg_cur cur = eg_cur_of(bytes);
	uint64_t value;
	int64_t number;

	(void)state;
	assert_int_equal(eg_cbor_get_int(&cur, &number), EG_EINVAL);
	assert_int_equal(eg_cbor_get_uint(&cur, &value), 0);
	assert_true(value == UINT64_MAX);
	cur = eg_cur_of(neg);
	assert_int_equal(eg_cbor_get_int(&cur, &number), EG_EINVAL); // −2^64
	drop(neg);
	drop(bytes);
}

static void strings_are_those_of_appendix_a(void **state)
{
	static const struct {
		const char *text, *hex;
	} cases[] = {
		{"", "60"},
		{"a", "6161"},
		{"IETF", "6449455446"},
		{"\"\\", "62225c"},
		{"\xc3\xbc", "62c3bc"},
		{"\xe6\xb0\xb4", "63e6b0b4"},
		{"\xf0\x90\x85\x91", "64f0908591"},
	};
	struct eg_bytes bytes = unhex("4401020304"), view;
	struct eg_cur cur = eg_cur_of(bytes);
	struct eg_buf buf;
	char text[8];

	(void)state;
	assert_int_equal(eg_cbor_get_bytes(&cur, 3, &view), EG_EINVAL);
	assert_int_equal(eg_cbor_get_bytes(&cur, 4, &view), 0);
	assert_true(view.size == 4 && view.data == bytes.data + 1);
	drop(bytes);
	for (size_t i = 0; i < COUNT(cases); i++) {
		bytes = unhex(cases[i].hex);
		cur = eg_cur_of(bytes);
		eg_buf_init(&buf, 16);
		assert_int_equal(eg_cbor_put_text(&buf, cases[i].text), 0);
		check_hex(buf.data, buf.size, cases[i].hex);
		assert_int_equal(eg_cbor_get_text(&cur, text, strlen(cases[i].text)), EG_EINVAL);
		assert_int_equal(eg_cbor_get_text(&cur, text, sizeof(text)), 0);
		assert_string_equal(text, cases[i].text);
		eg_buf_done(&buf);
		drop(bytes);
	}
}

static void other_items_are_those_of_appendix_a(void **state)
{
	struct eg_cur cur;
	struct eg_buf buf;
	size_t count;
	uint64_t tag;
	double real;
	bool yes;

	(void)state;
	eg_buf_init(&buf, 64);
	assert_int_equal(eg_cbor_put_tag(&buf, 1), 0);
	assert_int_equal(eg_cbor_put_double(&buf, 1363896240.5), 0);
	assert_int_equal(eg_cbor_put_double(&buf, -4.1), 0);
	assert_int_equal(eg_cbor_put_array(&buf, 2), 0);
	assert_int_equal(eg_cbor_put_bool(&buf, false), 0);
	assert_int_equal(eg_cbor_put_bool(&buf, true), 0);
	assert_int_equal(eg_cbor_put_null(&buf), 0);
	check_hex(buf.data, buf.size,
		  "c1fb41d452d9ec200000" // 1(1363896240.5), −4.1, …
		  "fbc010666666666666"
		  "82f4f5f6");
	cur = eg_cur_of(eg_buf_bytes(&buf));
	assert_int_equal(eg_cbor_get_tag(&cur, &tag), 0);
	assert_int_equal(tag, 1);
	assert_int_equal(eg_cbor_get_double(&cur, &real), 0);
	assert_true(real >= 1363896240.5 && real <= 1363896240.5);
	assert_int_equal(eg_cbor_get_double(&cur, &real), 0);
	assert_true(real >= -4.1 && real <= -4.1);
	assert_int_equal(eg_cbor_get_array(&cur, 1, &count), EG_EINVAL);
	assert_int_equal(eg_cbor_get_array(&cur, 2, &count), 0);
	assert_int_equal(eg_cbor_get_bool(&cur, &yes), 0);
	assert_false(yes);
	assert_int_equal(eg_cbor_get_null(&cur), EG_EINVAL);
	assert_int_equal(eg_cbor_get_bool(&cur, &yes), 0);
	assert_true(yes);
	assert_int_equal(eg_cbor_get_null(&cur), 0);
	assert_int_equal(cur.left, 0);
	eg_buf_done(&buf);
}

static void tags_of_every_width_come_back(void **state)
{
	static const uint64_t tags[] = {0, 5, 6, 18, 20, 23, 24, 255, 256, 65536, 1ull << 32};
	struct eg_cur cur;
	struct eg_buf buf;
	uint64_t tag;

	(void)state;
	for (size_t i = 0; i < COUNT(tags); i++) {
		eg_buf_init(&buf, 16);
		assert_int_equal(eg_cbor_put_tag(&buf, tags[i]), 0);
		cur = eg_cur_of(eg_buf_bytes(&buf));
		assert_int_equal(eg_cbor_get_tag(&cur, &tag), 0);
		assert_int_equal(tag, tags[i]);
		assert_int_equal(cur.left, 0);
		eg_buf_done(&buf);
	}
}

static void what_is_not_finite_is_neither_written_nor_read(void **state)
{
	static const char *const bad[] = {"fb7ff0000000000000", "fb7ff8000000000000",
					  "fbfff0000000000000"};
	struct eg_buf buf;
	double real = 7;

	(void)state;
	eg_buf_init(&buf, 16);
	assert_int_equal(eg_cbor_put_double(&buf, (double)NAN), EG_EINVAL);
	assert_int_equal(eg_cbor_put_double(&buf, (double)INFINITY), EG_EINVAL);
	assert_int_equal(buf.size, 0);
	eg_buf_done(&buf);
	for (size_t i = 0; i < COUNT(bad); i++) {
		struct eg_bytes bytes = unhex(bad[i]);
		struct eg_cur cur = eg_cur_of(bytes);

		assert_int_equal(eg_cbor_get_double(&cur, &real), EG_EINVAL);
		assert_int_equal(cur.left, 9);
		drop(bytes);
	}
}

// Each is refused by peek, skip and every get, and leaves the cursor where it was.
static void what_is_not_deterministic_is_refused(void **state)
{
	static const char *const bad[] = {
		"",
		"1800",
		"1817",
		"190018",
		"1900ff",
		"1a0000ffff",
		"1b00000000ffffffff", // longer
		"3800",
		"390000",
		"3a00000000",
		"3b0000000000000000",
		"5800",
		"581700",
		"590001aa",
		"5a00000001aa",
		"5b0000000000000001aa",
		"7800",
		"79000161",
		"9800",
		"990001f6",
		"b800",
		"b90000",
		"d80100",
		"d9000100",
		"5f4101ff",
		"7f6161ff",
		"9f01ff",
		"bf0101ff",
		"ff", // indefinite
		"f93c00",
		"fa47c35000",
		"f7",
		"f0",
		"f818",
		"f8ff",
		"e0",
		"fc",
		"1c",
		"5c",
		"dc",
		"41",
		"4401",
		"5affffffff00",
		"5bffffffffffffffff00",
		"7bffffffffffffffff",
		"18",
		"19",
		"1a0000",
		"1b",
		"fb00",
		"d8", // cut
	};

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		struct eg_bytes bytes, view;
		enum eg_cbor_type type;
		struct eg_cbor_map map;
		struct eg_cur cur;
		char text[16];
		uint64_t u;
		int64_t n;
		size_t count;
		double real;
		bool yes;

		bytes = unhex(bad[i]);
		cur = eg_cur_of(bytes);
		assert_int_equal(eg_cbor_peek(&cur, &type), EG_EINVAL);
		assert_int_equal(eg_cbor_skip(&cur), EG_EINVAL);
		assert_int_equal(eg_cbor_get_uint(&cur, &u), EG_EINVAL);
		assert_int_equal(eg_cbor_get_int(&cur, &n), EG_EINVAL);
		assert_int_equal(eg_cbor_get_bytes(&cur, SIZE_MAX, &view), EG_EINVAL);
		assert_int_equal(eg_cbor_get_text(&cur, text, sizeof(text)), EG_EINVAL);
		assert_int_equal(eg_cbor_get_array(&cur, SIZE_MAX, &count), EG_EINVAL);
		assert_int_equal(eg_cbor_get_tag(&cur, &u), EG_EINVAL);
		assert_int_equal(eg_cbor_get_bool(&cur, &yes), EG_EINVAL);
		assert_int_equal(eg_cbor_get_null(&cur), EG_EINVAL);
		assert_int_equal(eg_cbor_get_double(&cur, &real), EG_EINVAL);
		assert_int_equal(eg_cbor_map_open(&cur, SIZE_MAX, &map), EG_EINVAL);
		assert_ptr_equal(cur.at, bytes.data);
		assert_int_equal(cur.left, bytes.size);
		drop(bytes);
	}
}

static void text_must_be_utf8_without_nul(void **state)
{
	static const char *const bad[] = {
		"61ff",	      "6180",	    "62c328", "62c080", // overlong
		"63e08080",   "63eda080",			// surrogate
		"64f0808080", "64f4908080",			// above U+10FFFF
		"62e6b0",     "61c3",	    "6100",   "63610062",
	};
	char text[16] = "kept";

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		struct eg_bytes bytes = unhex(bad[i]);
		struct eg_cur cur = eg_cur_of(bytes);

		assert_int_equal(eg_cbor_get_text(&cur, text, sizeof(text)), EG_EINVAL);
		assert_string_equal(text, "kept");
		drop(bytes);
	}
}

// The sum of keys × values of a map of small numbers, or what eg_cbor_map_next said.
static int64_t read_map(const char *hex, size_t max)
{
	struct eg_bytes bytes = unhex(hex);
	struct eg_cur cur = eg_cur_of(bytes);
	struct eg_cbor_map map;
	int64_t key, sum = 0;
	uint64_t value;
	int r;

	r = eg_cbor_map_open(&cur, max, &map);
	if (r == 0) {
		while ((r = eg_cbor_map_next(&map, &key)) == 1) {
			assert_int_equal(eg_cbor_get_uint(&cur, &value), 0);
			sum += key * (int64_t)value;
		}
	}
	drop(bytes);
	return r == 0 ? sum : r;
}

static void map_keys_must_rise_in_their_encoding(void **state)
{
	(void)state;
	assert_int_equal(read_map("a0", 0), 0);
	assert_int_equal(read_map("a201020304", 2), 14);	// appendix A: {1: 2, 3: 4}
	assert_int_equal(read_map("a300011818022003", 3), 45);	// 0, 24, −1
	assert_int_equal(read_map("a220012102", 2), -5);	// −1, −2
	assert_int_equal(read_map("a201020304", 1), EG_EINVAL); // over the maximum
	assert_int_equal(read_map("a201020102", 2), EG_EINVAL); // twice
	assert_int_equal(read_map("a203040102", 2), EG_EINVAL);
	assert_int_equal(read_map("a220010102", 2), EG_EINVAL); // −1 before 1
	assert_int_equal(read_map("a221012002", 2), EG_EINVAL);
	assert_int_equal(read_map("a1616102", 2), EG_EINVAL); // a text as key
	assert_int_equal(read_map("a20102", 2), EG_EINVAL);   // cut
}

static void skipping_takes_one_item_and_no_more_than_sixteen_levels(void **state)
{
	static const struct {
		const char *hex;
		size_t left; // SIZE_MAX: refused
	} cases[] = {
		{"00f6", 1},
		{"8301020304", 1},
		{"a26161016162820203f4", 1}, // appendix A: {"a": 1, "b": [2, 3]}
		{"c11a514b67b0", 0},
		{"8081", 1},
		{"81818181818181818181818181818181f6", 0},
		{"8181818181818181818181818181818181f6", SIZE_MAX},
		{"c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1f6", SIZE_MAX},
		{"81", SIZE_MAX},
		{"a101", SIZE_MAX},
		{"9bffffffffffffffff00", SIZE_MAX},
		{"bb800000000000000000", SIZE_MAX}, // 2 × 2^63 entries
		{"bb7fffffffffffffff00", SIZE_MAX},
		{"8161ff", SIZE_MAX},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct eg_bytes bytes = unhex(cases[i].hex);
		struct eg_cur cur = eg_cur_of(bytes);
		int r = eg_cbor_skip(&cur);

		assert_int_equal(r, cases[i].left == SIZE_MAX ? EG_EINVAL : 0);
		assert_int_equal(cur.left, r == 0 ? cases[i].left : bytes.size);
		drop(bytes);
	}
}

static void a_full_buffer_is_left_as_it_was(void **state)
{
	struct eg_buf buf;

	(void)state;
	eg_buf_init(&buf, 4);
	assert_int_equal(eg_cbor_put_uint(&buf, 100000), EG_ETOOBIG);
	assert_int_equal(eg_cbor_put_text(&buf, "four"), EG_ETOOBIG);
	assert_int_equal(eg_cbor_put_bytes(&buf, EG_BYTES_STR("four")), EG_ETOOBIG);
	assert_int_equal(buf.size, 0);
	assert_int_equal(eg_cbor_put_text(&buf, "thr"), 0);
	eg_buf_done(&buf);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(integers_are_those_of_appendix_a),
		cmocka_unit_test(the_largest_number_is_unsigned_only),
		cmocka_unit_test(strings_are_those_of_appendix_a),
		cmocka_unit_test(other_items_are_those_of_appendix_a),
		cmocka_unit_test(tags_of_every_width_come_back),
		cmocka_unit_test(what_is_not_finite_is_neither_written_nor_read),
		cmocka_unit_test(what_is_not_deterministic_is_refused),
		cmocka_unit_test(text_must_be_utf8_without_nul),
		cmocka_unit_test(map_keys_must_rise_in_their_encoding),
		cmocka_unit_test(skipping_takes_one_item_and_no_more_than_sixteen_levels),
		cmocka_unit_test(a_full_buffer_is_left_as_it_was),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
