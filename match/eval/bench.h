// SPDX-License-Identifier: Apache-2.0
//
// eg-bench's parts: a stage is a function that does its work once; how often and how it is timed is
// the harness's business. One JSON line a stage on stdout.

#ifndef EG_BENCH_H
#define EG_BENCH_H

#include <stdbool.h>
#include <stddef.h>

struct bench {
	const char *pack, *faces; // folders
	char **wanted;		  // stages named on the command line; NULL: all
	size_t wanted_count;
	size_t known; // of the wanted, how many there are
	bool list;    // print the stages' names only
	int failed;
};

// Runs `once` until 0.3 s and 9 runs are full (a run repeats it until 0.2 ms have passed) and
// prints
// {"stage", "n", "kernel", "median_us", "p95_us", "runs"}; `n` 0 and `kernel` NULL are left out.
// A non-zero return of `once` is reported on stderr and counted in bench->failed.
void bench_stage(struct bench *bench, const char *stage, const char *kernel, size_t n,
		 int (*once)(void *user), void *user);

// At the head of each group: with --list prints the names, else tells whether any of them was asked
// for. `stages` ends with NULL.
bool bench_group(struct bench *bench, const char *const *stages);

// True when the stage was asked for (so that what it needs has to be made).
bool bench_wants(const struct bench *bench, const char *stage);

void bench_capture(struct bench *bench); // pictures: decode … extract
void bench_match(struct bench *bench);	 // kernels, identify, seal of the gallery
void bench_seal(struct bench *bench);	 // HPKE of one encounter

#endif
