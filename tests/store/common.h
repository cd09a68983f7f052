// SPDX-License-Identifier: Apache-2.0
//
// What the tests of store/ share. Thread: one.

#ifndef TESTS_STORE_COMMON_H
#define TESTS_STORE_COMMON_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "store/encounter.h"
#include "store/manifest.h"

#define NOW_MS 1780000000000LL

// Fails the test with the sentence of `err`.
void expect_ok(int r, const struct eg_err *err);
// The code must be `code`, and there must be a sentence.
void expect_code(int r, int code, const struct eg_err *err);

struct eg_key *make_key(void);
struct eg_trusted_key trust_in(const struct eg_key *key);
struct eg_id make_id(void);

// `size` bytes that no other seed gives.
void fill(uint8_t *data, size_t size, uint64_t seed);

// Runs a program (argv ends with NULL), its output appended to `out`; returns its exit status.
int run(const char *const argv[], struct eg_buf *out);

double now_ms(void); // monotonic

// A content of `count` travellers with one photo of photo_bytes each, sealed and signed for
// "lane-12". The statement's id is "UA1".
struct made_manifest {
	struct eg_key *centre, *booth;
	struct eg_trusted_key trusted;
	struct eg_statement statement;
	struct eg_buf content, wire;
};
void make_manifest(struct made_manifest *made, size_t count, size_t photo_bytes, uint64_t version);
void free_manifest(struct made_manifest *made);

#endif
