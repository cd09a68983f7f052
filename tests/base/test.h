// SPDX-License-Identifier: Apache-2.0
//
// What the base tests share: cmocka, bytes from hexadecimal text, files.

#ifndef EG_TEST_BASE_H
#define EG_TEST_BASE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "firmware/base/buf.h"
#include "firmware/base/mem.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

// Bytes of a vector, in an exactly sized block so that ASan sees each step beyond it.
static inline struct eg_bytes unhex(const char *text)
{
	size_t size = strlen(text) / 2;
	uint8_t *data = test_malloc(size + (size == 0));

	assert_int_equal(eg_unhex(text, data, size), 0);
	return EG_BYTES(data, size);
}

static inline void drop(struct eg_bytes bytes)
{
	test_free((void *)(uintptr_t)bytes.data);
}

static inline void check_hex(const void *data, size_t size, const char *expected)
{
	char *text = test_malloc(2 * size + 1);

	eg_hex(data, size, text);
	assert_string_equal(text, expected);
	test_free(text);
}

static inline void write_text(const char *path, const char *text)
{
	FILE *file = fopen(path, "we");

	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

#endif
