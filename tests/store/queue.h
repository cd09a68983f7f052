// SPDX-License-Identifier: Apache-2.0
//
// One open records.db for the tests of store/records*.c. Thread: one.

#ifndef TESTS_STORE_QUEUE_H
#define TESTS_STORE_QUEUE_H

#include "common.h"

#include "store/records.h"

#define DB   "records.db"
#define LIVE 60000

extern struct eg_records *records;
extern struct eg_buf envelope; // for eg_records_next

void queue_remove(const char *path); // the file and what belongs to it
void queue_open(void);
int queue_set_up(void **state);
int queue_tear_down(void **state);

// Puts `size` bytes that `seed` gives.
struct eg_id put(uint64_t seed, size_t size, int64_t wall_ms);
struct eg_ack ack_for(const struct eg_id *id, uint64_t seed, size_t size);
void acknowledge(const struct eg_id *id, uint64_t seed, size_t size);

void expect_next(int64_t now, const struct eg_id *id);
void expect_none(int64_t now, int64_t when_expected);
struct eg_records_facts facts(void);

// The answer of the sqlite3 command, an independent reader.
void expect_sqlite(const char *sql, const char *expected);

// Appends a raw file; a missing one is empty.
void read_raw(const char *path, struct eg_buf *raw);
// How many 8-byte pieces of what `seed` gives are in the raw bytes.
size_t pieces_left(const struct eg_buf *raw, uint64_t seed, size_t size);

#endif
