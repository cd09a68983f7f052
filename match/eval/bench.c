// SPDX-License-Identifier: Apache-2.0
//
// eg-bench: how long each stage takes on this machine, one thread.

#include "match/eval/bench.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "firmware/base/crypto.h"
#include "firmware/base/log.h"

#define RUNS_MIN 9
#define RUNS_MAX 2000
#define STAGE_S	 0.3
#define RUN_S	 2e-4

static double now_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static int by_double(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

bool bench_wants(const struct bench *bench, const char *stage)
{
	if (bench->list)
		return false;
	for (size_t i = 0; i < bench->wanted_count; i++)
		if (strcmp(bench->wanted[i], stage) == 0)
			return true;
	return bench->wanted_count == 0;
}

bool bench_group(struct bench *bench, const char *const *stages)
{
	bool any = false;

	for (; *stages; stages++) {
		if (bench->list)
			printf("%s\n", *stages);
		else if (bench_wants(bench, *stages))
			any = true;
		bench->known += any && bench->wanted_count > 0 && bench_wants(bench, *stages);
	}
	return any;
}

// Seconds that one `once` takes, or −1 when it failed.
static double run(size_t repeat, int (*once)(void *user), void *user)
{
	double start = now_s();

	for (size_t i = 0; i < repeat; i++)
		if (once(user) != 0)
			return -1;
	return (now_s() - start) / (double)repeat;
}

static size_t repeats_for(double once_s)
{
	return once_s < RUN_S ? (size_t)(RUN_S / (once_s > 1e-9 ? once_s : 1e-9)) + 1 : 1;
}

void bench_stage(struct bench *bench, const char *stage, const char *kernel, size_t n,
		 int (*once)(void *user), void *user)
{
	static double seconds[RUNS_MAX];
	double begin, warm;
	size_t runs = 0, repeat;

	if (!bench_wants(bench, stage))
		return;
	warm = run(1, once, user);
	if (warm >= 0)
		warm = run(1, once, user); // the first one filled caches
	repeat = repeats_for(warm);
	begin = now_s();
	while (warm >= 0 && runs < RUNS_MAX && (runs < RUNS_MIN || now_s() - begin < STAGE_S)) {
		seconds[runs] = run(repeat, once, user);
		if (seconds[runs] < 0)
			warm = -1;
		runs++;
	}
	if (warm < 0) {
		fprintf(stderr, "eg-bench: stage %s failed\n", stage);
		bench->failed++;
		return;
	}
	qsort(seconds, runs, sizeof(seconds[0]), by_double);
	printf("{\"stage\": \"%s\"", stage);
	if (kernel)
		printf(", \"kernel\": \"%s\"", kernel);
	if (n > 0)
		printf(", \"n\": %zu", n);
	printf(", \"median_us\": %.3f, \"p95_us\": %.3f, \"runs\": %zu}\n", seconds[runs / 2] * 1e6,
	       seconds[runs * 95 / 100] * 1e6, runs);
	fflush(stdout);
}

static const char usage_text[] =
	"usage: eg-bench [--pack DIR] [--faces DIR] [STAGE...]\n"
	"\n"
	"Times each stage (or those named) on one thread of this machine: JSON lines with the "
	"median\n"
	"and the 95th percentile in microseconds.\n"
	"\n"
	"  --pack DIR    the model pack; default: the environment's EGRESS_PACK\n"
	"  --faces DIR   folder with sample1.jpg; default: the environment's EGRESS_FACES\n"
	"  --list        names of the stages\n";

int main(int argc, char **argv)
{
	static const struct option table[] = {{"pack", required_argument, NULL, 'p'},
					      {"faces", required_argument, NULL, 'f'},
					      {"list", no_argument, NULL, 'l'},
					      {"help", no_argument, NULL, 'h'},
					      {0}};
	struct bench bench = {.pack = getenv("EGRESS_PACK"), .faces = getenv("EGRESS_FACES")};
	struct eg_err err = EG_ERR_INIT;
	int c;

	while ((c = getopt_long(argc, argv, "h", table, NULL)) != -1) {
		switch (c) {
		case 'p':
			bench.pack = optarg;
			break;
		case 'f':
			bench.faces = optarg;
			break;
		case 'l':
			bench.list = true;
			break;
		case 'h':
			fputs(usage_text, stdout);
			return 0;
		default:
			fputs("eg-bench: unknown option; see eg-bench --help\n", stderr);
			return 2;
		}
	}
	bench.wanted = argv + optind;
	bench.wanted_count = (size_t)(argc - optind);
	eg_log_init("eg-bench", EG_LOG_INFO);
	if (eg_crypto_init(&err) != 0) {
		fprintf(stderr, "eg-bench: %s\n", err.text);
		return 1;
	}
	bench_capture(&bench);
	bench_match(&bench);
	bench_seal(&bench);
	if (!bench.list && bench.known < bench.wanted_count) {
		fputs("eg-bench: a stage was named that there is not (or named twice); see "
		      "eg-bench --list\n",
		      stderr);
		return 2;
	}
	return bench.failed ? 1 : 0;
}
