// SPDX-License-Identifier: Apache-2.0
//
// summary.json: a small JSON writer that numbers come out of readable (%.9g: every float exactly),
// NaN as null, and the parts that all commands share.

#ifndef EG_EVAL_SUMMARY_H
#define EG_EVAL_SUMMARY_H

#include "match/eval/faces.h"
#include "match/eval/stats.h"

struct json {
	struct eg_buf buf;
	int depth;
	bool comma; // the next value is not the first
	int r;	    // the first failure; later calls do nothing
};

void json_init(struct json *json); // begins the outermost object
void json_done(struct json *json);

// `name` NULL inside arrays.
void json_open(struct json *json, const char *name, char bracket); // '{' or '['
void json_close(struct json *json, char bracket);		   // '}' or ']'
void json_number(struct json *json, const char *name, double value);
void json_text(struct json *json, const char *name, const char *value);
void json_hex(struct json *json, const char *name, const uint8_t *data, size_t size);
void json_null(struct json *json, const char *name);
void json_interval(struct json *json, const char *name, double successes, double n);

// accuracy, eer, fta, fnmr, threshold; stats NULL: null but for fta.
void summary_figures(struct json *json, const struct eval_stats *stats,
		     const struct eval_faces *faces);
// intervals of those.
void summary_intervals(struct json *json, const struct eval_stats *stats,
		       const struct eval_faces *faces);
// models: role → SHA-256, and pack, pack_sha256; then warps and kernel.
void summary_models(struct json *json, const struct eval_faces *faces);

// Closes the outermost object and writes it. EG_ENOMEM, or what writing gives.
int json_write(struct json *json, const char *path, struct eg_err *err) EG_CHECKED;
int summary_write(struct json *json, const char *dir, struct eg_err *err) EG_CHECKED;

#endif
