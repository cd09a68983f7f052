// SPDX-License-Identifier: Apache-2.0
//
// eg-bench's parts: a stage is a function that does its work once; how often and how it is timed is
// the harness's business. One JSON line a stage and rival on stdout, a table of all on stderr.

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

// Who does a stage's work. A non-zero return of `once` is reported on stderr and counted in
// bench->failed.
struct bench_rival {
	const char *by; // a kernel or a library; NULL: there is only us
	int (*once)(void *user);
	void *user;
};

// Runs the rivals in turn, so that all of them meet the same neighbours on this machine, until each
// has 0.3 s and 9 runs (a run repeats `once` until 0.2 ms have passed), and prints for each
// {"stage", "n", "by", "median_us", "p95_us", "runs"}; `n` 0 and `by` NULL are left out. Times are
// the process's processor time, all threads together: what the work costs, not how long it waited.
void bench_race(struct bench *bench, const char *stage, size_t n, const struct bench_rival *rivals,
		size_t count);

// A race of one.
void bench_stage(struct bench *bench, const char *stage, const char *by, size_t n,
		 int (*once)(void *user), void *user);

// At the head of each group: with --list prints the names, else tells whether any of them was asked
// for. `stages` ends with NULL.
bool bench_group(struct bench *bench, const char *const *stages);

// True when the stage was asked for (so that what it needs has to be made).
bool bench_wants(const struct bench *bench, const char *stage);

void bench_table(void); // all that was measured, for people, on stderr

void bench_capture(struct bench *bench); // pictures: decode … extract
void bench_nets(struct bench *bench);	 // each network, and OpenCV's DNN
void bench_match(struct bench *bench);	 // kernels, identify, load and seal of the gallery
void bench_seal(struct bench *bench);	 // HPKE of one encounter

#endif
