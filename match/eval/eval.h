// SPDX-License-Identifier: Apache-2.0
//
// eg-eval's parts. A desk tool: one thread, templates only in memory, figures into files.

#ifndef EG_EVAL_H
#define EG_EVAL_H

#include <stdio.h>

#include "match/template.h"

struct eval_options {
	const char *pack;	      // folder
	const char *out;	      // folder, made when missing; calibrate: file
	const char *list;	      // first file named
	const char *portraits;	      // calibrate: second file named
	const char *gallery, *probes; // identify
	double fpir;		      // identify
	size_t frames;		      // identify: pictures a probe; 0 is 1
	double threshold;	      // pad: the booth's own
	const char *groups;	      // TSV of groups by person or picture; NULL: none
	const char *command_line;     // for the report
	bool report;		      // write report.html too
	bool fast;		      // one warp instead of five
};

int eval_pairs(const struct eval_options *options, struct eg_err *err) EG_CHECKED;
int eval_matrix(const struct eval_options *options, struct eg_err *err) EG_CHECKED;
int eval_identify(const struct eval_options *options, struct eg_err *err) EG_CHECKED;
int eval_detect(const struct eval_options *options, struct eg_err *err) EG_CHECKED;
int eval_pad(const struct eval_options *options, struct eg_err *err) EG_CHECKED;
int eval_calibrate(const struct eval_options *options, struct eg_err *err) EG_CHECKED;

// Opens DIR/name for writing; DIR exists.
int eval_create(const char *dir, const char *name, FILE **ret_file, struct eg_err *err) EG_CHECKED;
// Closes; EG_EIO when anything that was written did not get there.
int eval_close(FILE *file, const char *dir, const char *name, struct eg_err *err) EG_CHECKED;

// One line on stderr, at most twice a second; done == total always shows.
void eval_progress(const char *what, size_t done, size_t total);

#endif
