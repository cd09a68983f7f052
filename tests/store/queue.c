// SPDX-License-Identifier: Apache-2.0
//
// See queue.h.

#include "queue.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "firmware/base/file.h"

struct eg_records *records;
struct eg_buf envelope;

void queue_remove(const char *path)
{
	char name[256];
	static const char *const suffixes[] = {"", "-wal", "-shm"};
	for (size_t i = 0; i < 3; i++) {
		(void)snprintf(name, sizeof(name), "%s%s", path, suffixes[i]);
		(void)unlink(name);
	}
}

void queue_open(void)
{
	struct eg_err err = EG_ERR_INIT;
	expect_ok(eg_records_open(DB, &records, &err), &err);
}

int queue_set_up(void **state)
{
	struct eg_err err = EG_ERR_INIT;
	(void)state;
	expect_ok(eg_crypto_init(&err), &err);
	queue_remove(DB);
	eg_buf_init(&envelope, EG_ENVELOPE_MAX);
	queue_open();
	return 0;
}

int queue_tear_down(void **state)
{
	(void)state;
	eg_records_close(records);
	records = NULL;
	eg_buf_done(&envelope);
	queue_remove(DB);
	return 0;
}

struct eg_id put(uint64_t seed, size_t size, int64_t wall_ms)
{
	struct eg_err err = EG_ERR_INIT;
	struct eg_id id = make_id();
	uint8_t *body = malloc(size);
	assert_non_null(body);
	fill(body, size, seed);
	expect_ok(eg_records_put(records, &id, EG_BYTES(body, size), wall_ms, &err), &err);
	free(body);
	return id;
}

struct eg_ack ack_for(const struct eg_id *id, uint64_t seed, size_t size)
{
	struct eg_ack ack = {.id = *id, .booth = "lane-12", .received_ms = NOW_MS};
	uint8_t *body = malloc(size);
	assert_non_null(body);
	fill(body, size, seed);
	assert_int_equal(eg_sha256(EG_BYTES(body, size), ack.digest), 0);
	free(body);
	return ack;
}

void acknowledge(const struct eg_id *id, uint64_t seed, size_t size)
{
	struct eg_err err = EG_ERR_INIT;
	struct eg_ack ack = ack_for(id, seed, size);
	expect_ok(eg_records_acknowledge(records, &ack, NOW_MS, &err), &err);
}

void expect_next(int64_t now, const struct eg_id *id)
{
	struct eg_err err = EG_ERR_INIT;
	struct eg_queued item;
	int64_t when = 0;
	expect_ok(eg_records_next(records, now, LIVE, &item, &envelope, &when, &err), &err);
	assert_memory_equal(&item.id, id, sizeof(*id));
}

void expect_none(int64_t now, int64_t when_expected)
{
	struct eg_err err = EG_ERR_INIT;
	struct eg_queued item;
	int64_t when = -1;
	assert_int_equal(eg_records_next(records, now, LIVE, &item, &envelope, &when, &err),
			 EG_ENOENT);
	assert_int_equal(when, when_expected);
}

struct eg_records_facts facts(void)
{
	struct eg_records_facts f;
	struct eg_err err = EG_ERR_INIT;
	expect_ok(eg_records_facts(records, &f, &err), &err);
	return f;
}

void expect_sqlite(const char *sql, const char *expected)
{
	struct eg_buf out;
	eg_buf_init(&out, 65536);
	assert_int_equal(run((const char *const[]){"sqlite3", DB, sql, NULL}, &out), 0);
	assert_string_equal(eg_buf_text(&out), expected);
	eg_buf_done(&out);
}

void read_raw(const char *path, struct eg_buf *raw)
{
	struct eg_err err = EG_ERR_INIT;
	int r = eg_file_read(path, raw, &err);
	if (r != 0 && r != EG_ENOENT)
		expect_ok(r, &err);
}

size_t pieces_left(const struct eg_buf *raw, uint64_t seed, size_t size)
{
	size_t found = 0;
	uint8_t *body = malloc(size);
	assert_non_null(body);
	fill(body, size, seed);
	for (size_t i = 0; i + 8 <= size; i += 8) {
		if (memmem(raw->data, raw->size, body + i, 8) != NULL)
			found++;
	}
	free(body);
	return found;
}
