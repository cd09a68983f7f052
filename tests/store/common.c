// SPDX-License-Identifier: Apache-2.0
//
// See common.h.

#include "common.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

void expect_ok(int r, const struct eg_err *err)
{
	if (r != 0)
		fail_msg("%s: %s", eg_code_name(r), err->text);
}

void expect_code(int r, int code, const struct eg_err *err)
{
	if (r != code)
		fail_msg("%s instead of %s: %s", eg_code_name(r), eg_code_name(code), err->text);
	assert_int_equal(err->code, code);
	assert_true(err->text[0] != '\0');
}

struct eg_key *make_key(void)
{
	struct eg_key *key = NULL;
	struct eg_err err = EG_ERR_INIT;
	expect_ok(eg_crypto_init(&err), &err);
	expect_ok(eg_key_generate(&key, &err), &err);
	return key;
}

struct eg_trusted_key trust_in(const struct eg_key *key)
{
	struct eg_trusted_key trusted;
	memcpy(trusted.pub, eg_key_public(key), sizeof(trusted.pub));
	eg_kid(trusted.pub, trusted.kid);
	return trusted;
}

struct eg_id make_id(void)
{
	struct eg_id id;
	assert_int_equal(eg_id_new(eg_clock_system(), &id), 0);
	return id;
}

void fill(uint8_t *data, size_t size, uint64_t seed)
{
	uint64_t x = seed * 0x9e3779b97f4a7c15u + 0x1234567u;
	for (size_t i = 0; i < size; i++) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		data[i] = (uint8_t)(x >> 32);
	}
}

int run(const char *const argv[], struct eg_buf *out)
{
	int ends[2], status = 0;
	assert_int_equal(pipe(ends), 0);
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		(void)dup2(ends[1], STDOUT_FILENO);
		(void)close(ends[0]);
		(void)close(ends[1]);
		// The tools are not built with our sanitizers, nor to be judged by them.
		(void)execvp(argv[0], (char *const *)(uintptr_t)argv);
		_exit(127);
	}
	(void)close(ends[1]);
	uint8_t piece[4096];
	ssize_t got;
	while ((got = read(ends[0], piece, sizeof(piece))) > 0)
		assert_int_equal(eg_buf_put(out, piece, (size_t)got), 0);
	(void)close(ends[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

double now_ms(void)
{
	struct timespec ts;
	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec * 1e3 + (double)ts.tv_nsec / 1e6;
}

static void put_travellers(struct eg_buf *content, size_t count, size_t photo_bytes)
{
	uint8_t *jpeg = malloc(photo_bytes);
	assert_non_null(jpeg);
	for (size_t i = 0; i < count; i++) {
		struct eg_traveller traveller = {
			.name = "DESMARAIS, LUC",
			.birth = "1974-08-12",
			.citizenship = EG_VISITOR,
			.has_document = true,
			.photo_count = 1,
		};
		(void)snprintf(traveller.id, sizeof(traveller.id), "P%04zu", i);
		fill(traveller.document, sizeof(traveller.document), i + 1);
		fill(jpeg, photo_bytes, i + 100);
		traveller.photo[0] = (struct eg_photo){
			.source = EG_PHOTO_PASSPORT,
			.year = 2019,
			.jpeg = EG_BYTES(jpeg, photo_bytes),
		};
		assert_int_equal(eg_manifest_put_traveller(content, &traveller), 0);
	}
	free(jpeg);
}

void make_manifest(struct made_manifest *made, size_t count, size_t photo_bytes, uint64_t version)
{
	struct eg_err err = EG_ERR_INIT;
	struct eg_manifest_header header = {
		.flight = "UA 1",
		.port = "IAD",
		.departs_ms = NOW_MS + 7200000,
		.count = count,
	};
	memset(made, 0, sizeof(*made));
	made->centre = make_key();
	made->booth = make_key();
	made->trusted = trust_in(made->centre);
	eg_buf_init_secret(&made->content, EG_MANIFEST_MAX);
	eg_buf_init(&made->wire, EG_MANIFEST_MAX);
	fill(header.salt, sizeof(header.salt), 7);
	assert_int_equal(eg_manifest_put_header(&made->content, &header), 0);
	put_travellers(&made->content, count, photo_bytes);
	made->statement = (struct eg_statement){
		.id = "UA1",
		.scope = "lane-12",
		.flight = "UA 1",
		.version = version,
		.not_before_ms = NOW_MS - 1000,
		.expires_ms = NOW_MS + 86400000,
		.travellers = count,
	};
	expect_ok(eg_manifest_build(&made->statement, eg_buf_bytes(&made->content),
				    eg_key_public(made->booth), made->centre, &made->wire, &err),
		  &err);
}

void free_manifest(struct made_manifest *made)
{
	eg_buf_done(&made->wire);
	eg_buf_done(&made->content);
	eg_key_free(made->booth);
	eg_key_free(made->centre);
}
