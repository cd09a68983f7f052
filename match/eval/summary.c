// SPDX-License-Identifier: Apache-2.0
//
// Writing summary.json.

#include "match/eval/summary.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "firmware/base/file.h"

#define JSON_MAX (16u << 20)

static void put(struct json *json, const char *text)
{
	if (json->r == 0)
		json->r = eg_buf_put(&json->buf, text, strlen(text));
}

static void put_quoted(struct json *json, const char *text)
{
	char escaped[8];

	put(json, "\"");
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;

		if (c == '"' || c == '\\')
			snprintf(escaped, sizeof(escaped), "\\%c", c);
		else if (c < 0x20)
			snprintf(escaped, sizeof(escaped), "\\u%04x", c);
		else
			snprintf(escaped, sizeof(escaped), "%c", c);
		put(json, escaped);
	}
	put(json, "\"");
}

// Comma, new line, indent, name.
static void begin(struct json *json, const char *name)
{
	put(json, json->comma ? ",\n" : "\n");
	for (int i = 0; i < json->depth; i++)
		put(json, "  ");
	if (name) {
		put_quoted(json, name);
		put(json, ": ");
	}
	json->comma = true;
}

void json_init(struct json *json)
{
	*json = (struct json){.depth = 1};
	eg_buf_init(&json->buf, JSON_MAX);
	put(json, "{");
}

void json_done(struct json *json)
{
	eg_buf_done(&json->buf);
}

void json_open(struct json *json, const char *name, char bracket)
{
	begin(json, name);
	put(json, bracket == '{' ? "{" : "[");
	json->depth++;
	json->comma = false;
}

void json_close(struct json *json, char bracket)
{
	json->depth--;
	if (json->comma) {
		put(json, "\n");
		for (int i = 0; i < json->depth; i++)
			put(json, "  ");
	}
	put(json, bracket == '}' ? "}" : "]");
	json->comma = true;
}

void json_number(struct json *json, const char *name, double value)
{
	char text[32];

	if (!isfinite(value)) {
		json_null(json, name);
		return;
	}
	snprintf(text, sizeof(text), "%.9g", value);
	begin(json, name);
	put(json, text);
}

void json_text(struct json *json, const char *name, const char *value)
{
	begin(json, name);
	put_quoted(json, value);
}

void json_hex(struct json *json, const char *name, const uint8_t *data, size_t size)
{
	char text[2 * EG_SHA256_SIZE + 1];

	if (!data || size > EG_SHA256_SIZE) {
		json_null(json, name);
		return;
	}
	eg_hex(data, size, text);
	json_text(json, name, text);
}

void json_null(struct json *json, const char *name)
{
	begin(json, name);
	put(json, "null");
}

void json_interval(struct json *json, const char *name, double successes, double n)
{
	struct eval_interval interval = eval_wilson(successes, n);

	if (!isfinite(interval.low)) {
		json_null(json, name);
		return;
	}
	json_open(json, name, '[');
	json_number(json, NULL, interval.low);
	json_number(json, NULL, interval.high);
	json_close(json, ']');
}

static double fta_of(const struct eval_faces *faces, size_t *ret_captures, size_t *ret_failed)
{
	eval_faces_count(faces, ret_captures, ret_failed);
	return *ret_captures ? (double)*ret_failed / (double)*ret_captures : NAN;
}

void summary_figures(struct json *json, const struct eval_stats *stats,
		     const struct eval_faces *faces)
{
	size_t captures, failed;

	json_number(json, "accuracy", stats ? stats->accuracy : NAN);
	json_number(json, "eer", stats ? stats->eer : NAN);
	json_number(json, "fta", fta_of(faces, &captures, &failed));
	json_open(json, "fnmr", '{');
	for (size_t i = 0; i < EVAL_LEVELS; i++)
		json_number(json, eval_level_names[i], stats ? stats->fnmr[i] : NAN);
	json_close(json, '}');
	json_open(json, "threshold", '{');
	for (size_t i = 0; i < EVAL_LEVELS; i++)
		json_number(json, eval_level_names[i], stats ? stats->threshold[i] : NAN);
	json_close(json, '}');
	json_open(json, "counts", '{');
	json_number(json, "captures", (double)captures);
	json_number(json, "captures_failed", (double)failed);
	if (stats) {
		json_number(json, "genuine", (double)stats->genuine);
		json_number(json, "genuine_failed", (double)stats->genuine_failed);
		json_number(json, "impostors", (double)stats->impostors);
		json_number(json, "impostors_failed", (double)stats->impostors_failed);
	}
	json_close(json, '}');
}

static void share(struct json *json, const char *name, double rate, double n)
{
	json_interval(json, name, rate * n, isfinite(rate) ? n : 0);
}

void summary_intervals(struct json *json, const struct eval_stats *stats,
		       const struct eval_faces *faces)
{
	size_t captures, failed;
	double fta = fta_of(faces, &captures, &failed);
	double genuine = stats ? (double)stats->genuine : 0;
	double impostors = stats ? (double)(stats->impostors - stats->impostors_failed) : 0;

	json_open(json, "intervals", '{');
	share(json, "accuracy", stats ? stats->accuracy : NAN,
	      stats ? (double)(stats->genuine + stats->impostors) : 0);
	share(json, "eer", stats ? stats->eer : NAN, fmin(genuine, impostors));
	share(json, "fta", fta, (double)captures);
	json_open(json, "fnmr", '{');
	for (size_t i = 0; i < EVAL_LEVELS; i++)
		share(json, eval_level_names[i], stats ? stats->fnmr[i] : NAN, genuine);
	json_close(json, '}');
	json_close(json, '}');
}

void summary_models(struct json *json, const struct eval_faces *faces)
{
	static const struct {
		const char *name;
		enum eg_model_role role;
	} roles[] = {
		{"detect", EG_MODEL_DETECT},
		{"landmark", EG_MODEL_LANDMARK},
		{"feature", EG_MODEL_FEATURE},
		{"liveness", EG_MODEL_LIVENESS},
	};
	const struct eg_pack *pack = eval_faces_pack(faces);

	json_open(json, "models", '{');
	json_text(json, "pack", eg_pack_name(pack));
	json_hex(json, "pack_sha256", eg_pack_digest(pack), EG_SHA256_SIZE);
	for (size_t i = 0; i < sizeof(roles) / sizeof(roles[0]); i++)
		json_hex(json, roles[i].name, eg_pack_model_digest(pack, roles[i].role),
			 EG_SHA256_SIZE);
	json_close(json, '}');
	json_number(json, "warps", eval_faces_fast(faces) ? 1 : 5);
	json_text(json, "kernel", eg_kernel_name());
}

int json_write(struct json *json, const char *path, struct eg_err *err)
{
	json_close(json, '}');
	put(json, "\n");
	if (json->r != 0)
		return eg_err_set(err, json->r, "%s: out of memory or over %u bytes", path,
				  JSON_MAX);
	return eg_file_write(path, eg_buf_bytes(&json->buf), 0644, err);
}

int summary_write(struct json *json, const char *dir, struct eg_err *err)
{
	char *path = NULL;
	int r;

	if (asprintf(&path, "%s/summary.json", dir) < 0)
		return eg_err_set(err, EG_ENOMEM, "out of memory");
	r = json_write(json, path, err);
	free(path);
	return r;
}
