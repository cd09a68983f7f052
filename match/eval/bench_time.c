// SPDX-License-Identifier: Apache-2.0
//
// The harness: how often a stage is run, how it is timed, how it is told.

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "match/eval/bench.h"

#define RUNS_MIN   9
#define RUNS_MAX   2000
#define STAGE_S	   0.3
#define LONG_S	   20.0 // who takes so long need not run RUNS_MIN times
#define RUN_S	   2e-4
#define RIVALS_MAX 8
#define ROWS_MAX   128

static struct row {
	char stage[32], by[32];
	size_t n;
	double median_us, p95_us;
	bool first; // of its race
} rows[ROWS_MAX];
static size_t row_count;

struct lane {
	double seconds[RUNS_MAX];
	size_t runs, repeat;
	double spent;
	bool failed;
};

static double now_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static int by_double(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

// Seconds that one `once` takes, or −1 when it failed.
static double run(size_t repeat, const struct bench_rival *rival)
{
	double start = now_s();

	for (size_t i = 0; i < repeat; i++)
		if (rival->once(rival->user) != 0)
			return -1;
	return (now_s() - start) / (double)repeat;
}

static size_t repeats_for(double once_s)
{
	return once_s < RUN_S ? (size_t)(RUN_S / (once_s > 1e-9 ? once_s : 1e-9)) + 1 : 1;
}

static void warm_up(struct lane *lane, const struct bench_rival *rival)
{
	double once = run(1, rival);

	if (once >= 0 && once < 1)
		once = run(1, rival); // the first one filled caches
	lane->failed = once < 0;
	lane->repeat = repeats_for(once);
}

static bool unfinished(const struct lane *lane)
{
	return !lane->failed && lane->runs < RUNS_MAX && lane->spent < LONG_S &&
	       (lane->runs < RUNS_MIN || lane->spent < STAGE_S);
}

static void run_lane(struct lane *lane, const struct bench_rival *rival)
{
	double seconds = run(lane->repeat, rival);

	if (seconds < 0) {
		lane->failed = true;
		return;
	}
	lane->seconds[lane->runs++] = seconds;
	lane->spent += seconds * (double)lane->repeat;
}

static void tell(const char *stage, const char *by, size_t n, struct lane *lane, bool first)
{
	double median, p95;

	qsort(lane->seconds, lane->runs, sizeof(lane->seconds[0]), by_double);
	median = lane->seconds[lane->runs / 2] * 1e6;
	p95 = lane->seconds[lane->runs * 95 / 100] * 1e6;
	printf("{\"stage\": \"%s\"", stage);
	if (by)
		printf(", \"by\": \"%s\"", by);
	if (n > 0)
		printf(", \"n\": %zu", n);
	printf(", \"median_us\": %.3f, \"p95_us\": %.3f, \"runs\": %zu}\n", median, p95,
	       lane->runs);
	fflush(stdout);
	if (row_count < ROWS_MAX) {
		struct row *row = &rows[row_count++];

		*row = (struct row){.n = n, .median_us = median, .p95_us = p95, .first = first};
		(void)snprintf(row->stage, sizeof(row->stage), "%s", stage);
		(void)snprintf(row->by, sizeof(row->by), "%s", by ? by : "");
	}
}

void bench_race(struct bench *bench, const char *stage, size_t n, const struct bench_rival *rivals,
		size_t count)
{
	static struct lane lanes[RIVALS_MAX];
	bool any = true;

	if (!bench_wants(bench, stage) || count == 0)
		return;
	if (count > RIVALS_MAX)
		count = RIVALS_MAX;
	memset(lanes, 0, sizeof(lanes));
	for (size_t i = 0; i < count; i++)
		warm_up(&lanes[i], &rivals[i]);
	while (any) {
		any = false;
		for (size_t i = 0; i < count; i++) {
			if (!unfinished(&lanes[i]))
				continue;
			run_lane(&lanes[i], &rivals[i]);
			any = true;
		}
	}
	for (size_t i = 0; i < count; i++) {
		if (lanes[i].failed) {
			fprintf(stderr, "eg-bench: stage %s failed (%s)\n", stage,
				rivals[i].by ? rivals[i].by : "ours");
			bench->failed++;
		} else {
			tell(stage, rivals[i].by, n, &lanes[i], i == 0);
		}
	}
}

void bench_stage(struct bench *bench, const char *stage, const char *by, size_t n,
		 int (*once)(void *user), void *user)
{
	const struct bench_rival only = {by, once, user};

	bench_race(bench, stage, n, &only, 1);
}

void bench_table(void)
{
	double base = 1;

	fprintf(stderr, "\n%-16s %8s  %-14s %12s %12s  %s\n", "stage", "n", "by", "median ms",
		"95 % ms", "of the first");
	for (size_t i = 0; i < row_count; i++) {
		const struct row *row = &rows[i];

		if (row->first)
			base = row->median_us;
		fprintf(stderr, "%-16s ", row->stage);
		if (row->n > 0)
			fprintf(stderr, "%8zu  ", row->n);
		else
			fprintf(stderr, "%8s  ", "");
		fprintf(stderr, "%-14s %12.4f %12.4f", row->by, row->median_us / 1e3,
			row->p95_us / 1e3);
		if (!row->first)
			fprintf(stderr, "  %.2f ×", row->median_us / base);
		fputc('\n', stderr);
	}
}
