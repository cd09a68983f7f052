// SPDX-License-Identifier: Apache-2.0
//
// Runs a fuzz target without a fuzzer: over nothing, every file of a corpus folder, every
// truncation of it, and random mutations from a fixed seed. The same inputs in the same order each
// time, so that what fails here fails again; only on a slow machine the last ones are left out.
// Each input lies in a block of exactly its size, for ASan.

#include <dirent.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define FILES_MAX     512
#define FILE_SIZE_MAX (1u << 20)
#define TRUNCATE_MAX  4096
#define MUTATIONS     2000
#define INPUT_MAX     (FILE_SIZE_MAX + 4096)
#define SECONDS	      30
#define SEED	      0x9e3779b97f4a7c15u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct input {
	uint8_t *data;
	size_t size;
};

static struct input corpus[FILES_MAX];
static size_t corpus_count, runs;
static time_t end;
static uint64_t random_state = SEED;

static uint32_t random_below(size_t limit) // xorshift64*
{
	random_state ^= random_state >> 12;
	random_state ^= random_state << 25;
	random_state ^= random_state >> 27;
	return (uint32_t)((random_state * 0x2545f4914f6cdd1du) >> 33) % (uint32_t)limit;
}

static time_t now(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec;
}

// False when the time is up.
static bool run(const uint8_t *data, size_t size)
{
	uint8_t *copy = malloc(size > 0 ? size : 1);

	if (copy == NULL)
		abort();
	if (size > 0)
		memcpy(copy, data, size);
	(void)LLVMFuzzerTestOneInput(copy, size);
	free(copy);
	runs++;
	return now() < end;
}

static void load(const char *folder, const char *name)
{
	struct input *input = &corpus[corpus_count];
	char path[4096];
	FILE *file;

	(void)snprintf(path, sizeof(path), "%s/%s", folder, name);
	file = fopen(path, "rbe");
	input->data = malloc(FILE_SIZE_MAX);
	if (file == NULL || input->data == NULL) {
		fprintf(stderr, "%s cannot be read\n", path);
		exit(1);
	}
	input->size = fread(input->data, 1, FILE_SIZE_MAX, file);
	(void)fclose(file);
	corpus_count++;
}

static int visible(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

static void load_all(const char *folder)
{
	struct dirent **names;
	int count = scandir(folder, &names, visible, alphasort);

	for (int i = 0; i < count; i++) {
		if (corpus_count < FILES_MAX)
			load(folder, names[i]->d_name);
		free(names[i]);
	}
	if (count >= 0)
		free(names);
}

static size_t mutate_once(uint8_t *data, size_t size)
{
	static const uint8_t interesting[] = {0, 1, 0x7f, 0x80, 0xff, 0x1b, 0x3b, 0x5b, 0x9f};
	size_t at = random_below(size + 1), n = 1 + random_below(8);

	switch (random_below(5)) {
	case 0: // insert
		if (size + n > INPUT_MAX)
			return size;
		memmove(data + at + n, data + at, size - at);
		for (size_t i = 0; i < n; i++)
			data[at + i] = (uint8_t)random_below(256);
		return size + n;
	case 1: // delete
		if (n > size - at)
			n = size - at;
		memmove(data + at, data + at + n, size - at - n);
		return size - n;
	case 2: // a bit
		if (at < size)
			data[at] ^= (uint8_t)(1u << random_below(8));
		return size;
	case 3: // a value that often matters
		if (at < size)
			data[at] = interesting[random_below(sizeof(interesting))];
		return size;
	default: // any value
		if (at < size)
			data[at] = (uint8_t)random_below(256);
		return size;
	}
}

static bool mutate(void)
{
	static uint8_t data[INPUT_MAX + 8];
	size_t size = 0, times = 1 + random_below(4);

	if (corpus_count > 0) {
		const struct input *input = &corpus[random_below(corpus_count)];

		size = input->size;
		memcpy(data, input->data, size);
	}
	for (size_t i = 0; i < times; i++)
		size = mutate_once(data, size);
	return run(data, size);
}

static bool run_all(void)
{
	if (!run(NULL, 0))
		return false;
	for (size_t i = 0; i < corpus_count; i++)
		if (!run(corpus[i].data, corpus[i].size))
			return false;
	for (size_t i = 0; i < MUTATIONS / 2; i++) // half before the truncations, which may be many
		if (!mutate())
			return false;
	for (size_t i = 0; i < corpus_count; i++)
		for (size_t size = 1; size < corpus[i].size && size <= TRUNCATE_MAX; size++)
			if (!run(corpus[i].data, size))
				return false;
	for (size_t i = 0; i < MUTATIONS / 2; i++)
		if (!mutate())
			return false;
	return true;
}

int main(int argc, char **argv)
{
	bool complete;

	if (argc != 2) {
		fprintf(stderr, "usage: %s CORPUS_FOLDER\n", argv[0]);
		return 2;
	}
	load_all(argv[1]);
	end = now() + SECONDS;
	complete = run_all();
	printf("%zu inputs from %zu files%s\n", runs, corpus_count,
	       complete ? "" : ", stopped by the clock");
	for (size_t i = 0; i < corpus_count; i++)
		free(corpus[i].data);
	return 0;
}
