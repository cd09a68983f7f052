// SPDX-License-Identifier: Apache-2.0
//
// pack.json into a struct, through sd-json's dispatch tables: they consume the keys they know and
// refuse unknown, duplicate and missing ones. The first thing found wrong is named with its place.
//
// Thread: any.

#include "capture/pack_spec.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-json.h>

#include "firmware/base/mem.h"

static const struct role {
	const char *name;
	size_t output_count;
	enum eg_output_meaning output[EG_PACK_OUTPUTS_MAX];
} roles[EG_MODEL_COUNT] = {
	[EG_MODEL_DETECT] = {"detect", 2, {EG_OUTPUT_FACE_SCORES, EG_OUTPUT_FACE_BOXES}},
	[EG_MODEL_LANDMARK] = {"landmark", 1, {EG_OUTPUT_POINTS_68}},
	[EG_MODEL_FEATURE] = {"feature", 1, {EG_OUTPUT_TEMPLATE}},
	[EG_MODEL_LIVENESS] = {"liveness", 1, {EG_OUTPUT_LIVE_LOGITS}},
	[EG_MODEL_POSE] = {"pose",
			   3,
			   {EG_OUTPUT_YAW_BINS, EG_OUTPUT_PITCH_BINS, EG_OUTPUT_ROLL_BINS}},
	[EG_MODEL_EYE] = {"eye", 1, {EG_OUTPUT_OPEN_LOGITS}},
};

static const struct {
	const char *name;
	size_t size; // floats; 0: as the model has it
} meanings[EG_OUTPUT_COUNT] = {
	[EG_OUTPUT_FACE_SCORES] = {"face_scores", 0}, [EG_OUTPUT_FACE_BOXES] = {"face_boxes", 0},
	[EG_OUTPUT_POINTS_68] = {"points_68", 136},   [EG_OUTPUT_TEMPLATE] = {"template", 0},
	[EG_OUTPUT_LIVE_LOGITS] = {"live_logits", 0}, [EG_OUTPUT_YAW_BINS] = {"yaw_bins", 66},
	[EG_OUTPUT_PITCH_BINS] = {"pitch_bins", 66},  [EG_OUTPUT_ROLL_BINS] = {"roll_bins", 66},
	[EG_OUTPUT_OPEN_LOGITS] = {"open_logits", 2},
};

static const char *const orders[] = {
	[EG_ORDER_GREY] = "grey", [EG_ORDER_BGR] = "bgr", [EG_ORDER_RGB] = "rgb"};

const char *eg_model_role_name(enum eg_model_role role)
{
	return (unsigned int)role < EG_MODEL_COUNT ? roles[role].name : "unknown";
}

const enum eg_output_meaning *eg_role_outputs(enum eg_model_role role, size_t *ret_count)
{
	*ret_count = roles[role].output_count;
	return roles[role].output;
}

size_t eg_output_size(enum eg_output_meaning meaning)
{
	return meanings[meaning].size;
}

// What the callbacks share: the struct being filled and where we are, for the error text.
struct context {
	struct eg_pack_spec *spec;
	struct eg_err *err;
	bool failed;	  // err has been set
	const char *role; // NULL: outside of `models`
	uint8_t calibration_model[EG_SHA256_SIZE];
	bool has_calibration;
	uint64_t format;
};

// One object being read: the shared part, and the place that its fields go to.
struct scope {
	struct context *context;
	void *into;
	size_t index;
};

static int refuse(struct context *c, const char *field, const char *what)
{
	if (!c->failed)
		(void)eg_err_set(c->err, EG_EINVAL, "%s%s%s%s: %s", c->role ? "models." : "",
				 c->role ? c->role : "", c->role ? "." : "", field, what);
	c->failed = true;
	return -EINVAL;
}

static int dispatch(sd_json_variant *v, const sd_json_dispatch_field *table, struct scope *scope,
		    const char *name)
{
	const char *bad = NULL;
	int r;

	if (!sd_json_variant_is_object(v))
		return refuse(scope->context, name, "must be an object");
	r = sd_json_dispatch_full(v, table, NULL, 0, scope, &bad);
	if (r >= 0)
		return 0;
	if (r == -EADDRNOTAVAIL)
		return refuse(scope->context, bad ? bad : name,
			      "unknown key; remove it, or use a firmware that knows it");
	if (r == -ENOTUNIQ)
		return refuse(scope->context, bad ? bad : name, "stands there twice");
	if (r == -ENXIO)
		return refuse(scope->context, bad ? bad : name, "is missing");
	return refuse(scope->context, bad ? bad : name, "has the wrong type");
}

static int take_text(struct context *c, const char *name, sd_json_variant *v, char *text,
		     size_t size)
{
	const char *from = sd_json_variant_is_string(v) ? sd_json_variant_string(v) : NULL;
	size_t n = from ? strlen(from) : 0;

	if (n == 0 || n >= size)
		return refuse(c, name, "must be a text, not empty and not over-long");
	for (size_t i = 0; i < n; i++)
		if ((unsigned char)from[i] < 0x20)
			return refuse(c, name, "must not have control characters");
	memcpy(text, from, n + 1);
	return 0;
}

static int take_digest(struct context *c, const char *name, sd_json_variant *v, uint8_t *digest)
{
	const char *from = sd_json_variant_is_string(v) ? sd_json_variant_string(v) : NULL;

	if (!from || eg_unhex(from, digest, EG_SHA256_SIZE) != 0)
		return refuse(c, name, "must be a SHA-256 of 64 hexadecimal digits");
	return 0;
}

static int take_number(struct context *c, const char *name, sd_json_variant *v, double *ret)
{
	double value = sd_json_variant_is_number(v) ? sd_json_variant_real(v) : NAN;

	if (!isfinite(value) || fabs(value) > 1e9)
		return refuse(c, name, "must be a finite number");
	*ret = value;
	return 0;
}

static int take_int(struct context *c, const char *name, sd_json_variant *v, int max, int *ret)
{
	uint64_t value = sd_json_variant_is_unsigned(v) ? sd_json_variant_unsigned(v) : 0;

	if (value < 1 || value > (uint64_t)max)
		return refuse(c, name, "must be a whole number in its range");
	*ret = (int)value;
	return 0;
}

// ---- models.ROLE.input ------------------------------------------------------------------------

static int input_side(const char *name, sd_json_variant *v, sd_json_dispatch_flags_t flags,
		      void *userdata)
{
	struct scope *s = userdata;
	struct eg_model_spec *m = s->into;
	int *into = strcmp(name, "width") == 0 ? &m->input.width : &m->input.height;

	(void)flags;
	return take_int(s->context, name, v, EG_PACK_INPUT_SIDE_MAX, into);
}

static int input_channels(const char *name, sd_json_variant *v, sd_json_dispatch_flags_t flags,
			  void *userdata)
{
	struct scope *s = userdata;

	(void)flags;
	return take_int(s->context, name, v, 3, &((struct eg_model_spec *)s->into)->input.channels);
}

static int input_order(const char *name, sd_json_variant *v, sd_json_dispatch_flags_t flags,
		       void *userdata)
{
	struct scope *s = userdata;
	const char *text = sd_json_variant_is_string(v) ? sd_json_variant_string(v) : "";

	(void)flags;
	for (size_t i = 0; i < sizeof(orders) / sizeof(orders[0]); i++)
		if (strcmp(text, orders[i]) == 0) {
			((struct eg_model_spec *)s->into)->order = (enum eg_channel_order)i;
			return 0;
		}
	return refuse(s->context, name, "must be \"rgb\", \"bgr\" or \"grey\"");
}

// mean and scale: one number a channel. The others stay NaN, so that input() sees how many came.
static int input_numbers(const char *name, sd_json_variant *v, sd_json_dispatch_flags_t flags,
			 void *userdata)
{
	struct scope *s = userdata;
	struct eg_model_spec *m = s->into;
	float *into = strcmp(name, "mean") == 0 ? m->mean : m->scale;
	size_t n = sd_json_variant_is_array(v) ? sd_json_variant_elements(v) : 0;

	(void)flags;
	if (n < 1 || n > 3)
		return refuse(s->context, name, "must be an array with one number a channel");
	for (size_t i = 0; i < 3; i++) {
		double value = NAN;
		int r = i < n ? take_number(s->context, name, sd_json_variant_by_index(v, i),
					    &value)
			      : 0;

		if (r != 0)
			return r;
		into[i] = (float)value;
	}
	return 0;
}

static int input(const char *name, sd_json_variant *v, sd_json_dispatch_flags_t flags,
		 void *userdata)
{
	static const sd_json_dispatch_field table[] = {
		{"width", _SD_JSON_VARIANT_TYPE_INVALID, input_side, 0, SD_JSON_MANDATORY},
		{"height", _SD_JSON_VARIANT_TYPE_INVALID, input_side, 0, SD_JSON_MANDATORY},
		{"channels", _SD_JSON_VARIANT_TYPE_INVALID, input_channels, 0, SD_JSON_MANDATORY},
		{"order", _SD_JSON_VARIANT_TYPE_INVALID, input_order, 0, SD_JSON_MANDATORY},
		{"mean", _SD_JSON_VARIANT_TYPE_INVALID, input_numbers, 0, SD_JSON_MANDATORY},
		{"scale", _SD_JSON_VARIANT_TYPE_INVALID, input_numbers, 0, SD_JSON_MANDATORY},
		{0},
	};
	struct scope *s = userdata;
	struct eg_model_spec *m = s->into;
	int r;

	(void)flags;
	r = dispatch(v, table, s, name);
	if (r != 0)
		return r;
	if (m->input.channels != (m->order == EG_ORDER_GREY ? 1 : 3))
		return refuse(s->context, "channels", "must be 1 for grey and 3 for rgb or bgr");
	for (int i = 0; i < 3; i++)
		if (isnan(m->mean[i]) != (i >= m->input.channels) ||
		    isnan(m->scale[i]) != (i >= m->input.channels))
			return refuse(s->context, name,
				      "mean and scale must have one number a channel");
	return 0;
}

// ---- models.ROLE ------------------------------------------------------------------------------

static int output_name(const char *name, sd_json_variant *v, sd_json_dispatch_flags_t flags,
		       void *userdata)
{
	struct scope *s = userdata;

	(void)flags;
	return take_text(s->context, name, v,
			 ((struct eg_model_spec *)s->into)->output_name[s->index],
			 EG_PACK_OUTPUT_NAME_MAX);
}

static int output_meaning(const char *name, sd_json_variant *v, sd_json_dispatch_flags_t flags,
			  void *userdata)
{
	struct scope *s = userdata;
	struct eg_model_spec *m = s->into;
	const struct role *role = &roles[m - s->context->spec->model];
	const char *text = sd_json_variant_is_string(v) ? sd_json_variant_string(v) : "";

	(void)flags;
	if (strcmp(text, meanings[role->output[s->index]].name) != 0)
		return refuse(s->context, name,
			      "is not the one that stands there for this role (capture/README.md)");
	return 0;
}

static int outputs(const char *name, sd_json_variant *v, sd_json_dispatch_flags_t flags,
		   void *userdata)
{
	static const sd_json_dispatch_field table[] = {
		{"name", _SD_JSON_VARIANT_TYPE_INVALID, output_name, 0, SD_JSON_MANDATORY},
		{"meaning", _SD_JSON_VARIANT_TYPE_INVALID, output_meaning, 0, SD_JSON_MANDATORY},
		{0},
	};
	struct scope *s = userdata;
	struct eg_model_spec *m = s->into;
	size_t want = roles[m - s->context->spec->model].output_count;

	(void)flags;
	if (!sd_json_variant_is_array(v) || sd_json_variant_elements(v) != want)
		return refuse(s->context, name, "must be an array with the role's outputs");
	for (s->index = 0; s->index < want; s->index++) {
		int r = dispatch(sd_json_variant_by_index(v, s->index), table, s, name);

		if (r != 0)
			return r;
	}
	m->output_count = want;
	return 0;
}

static int model_file(const char *name, sd_json_variant *v, sd_json_dispatch_flags_t flags,
		      void *userdata)
{
	struct scope *s = userdata;
	struct eg_model_spec *m = s->into;
	int r = take_text(s->context, name, v, m->file, sizeof(m->file));

	(void)flags;
	if (r == 0 && (m->file[0] == '.' || strchr(m->file, '/')))
		return refuse(s->context, name, "must be a plain file name inside the pack");
	return r;
}

static int model_digest(const char *name, sd_json_variant *v, sd_json_dispatch_flags_t flags,
			void *userdata)
{
	struct scope *s = userdata;

	(void)flags;
	return take_digest(s->context, name, v, ((struct eg_model_spec *)s->into)->sha256);
}

static int model_licence(const char *name, sd_json_variant *v, sd_json_dispatch_flags_t flags,
			 void *userdata)
{
	struct scope *s = userdata;

	(void)flags;
	return take_text(s->context, name, v, ((struct eg_model_spec *)s->into)->licence,
			 EG_PACK_TEXT_MAX);
}

static int model(const char *name, sd_json_variant *v, sd_json_dispatch_flags_t flags,
		 void *userdata)
{
	static const sd_json_dispatch_field table[] = {
		{"file", _SD_JSON_VARIANT_TYPE_INVALID, model_file, 0, SD_JSON_MANDATORY},
		{"sha256", _SD_JSON_VARIANT_TYPE_INVALID, model_digest, 0, SD_JSON_MANDATORY},
		{"licence", _SD_JSON_VARIANT_TYPE_INVALID, model_licence, 0, SD_JSON_MANDATORY},
		{"input", _SD_JSON_VARIANT_TYPE_INVALID, input, 0, SD_JSON_MANDATORY},
		{"outputs", _SD_JSON_VARIANT_TYPE_INVALID, outputs, 0, SD_JSON_MANDATORY},
		{0},
	};
	struct scope *above = userdata;
	struct context *c = above->context;
	int r;

	(void)flags;
	for (size_t i = 0; i < EG_MODEL_COUNT; i++)
		if (strcmp(name, roles[i].name) == 0) {
			struct scope s = {.context = c, .into = &c->spec->model[i]};

			c->role = roles[i].name;
			r = dispatch(v, table, &s, "model");
			c->role = NULL;
			if (r == 0)
				c->spec->model[i].present = true;
			return r;
		}
	return refuse(c, name, "is no role that we know");
}

static int models(const char *name, sd_json_variant *v, sd_json_dispatch_flags_t flags,
		  void *userdata)
{
	static const sd_json_dispatch_field table[] = {
		{"detect", _SD_JSON_VARIANT_TYPE_INVALID, model, 0, 0},
		{"landmark", _SD_JSON_VARIANT_TYPE_INVALID, model, 0, 0},
		{"feature", _SD_JSON_VARIANT_TYPE_INVALID, model, 0, 0},
		{"liveness", _SD_JSON_VARIANT_TYPE_INVALID, model, 0, 0},
		{"pose", _SD_JSON_VARIANT_TYPE_INVALID, model, 0, 0},
		{"eye", _SD_JSON_VARIANT_TYPE_INVALID, model, 0, 0},
		{0},
	};

	(void)flags;
	return dispatch(v, table, userdata, name);
}

// ---- calibration ------------------------------------------------------------------------------

static int point_number(const char *name, sd_json_variant *v, sd_json_dispatch_flags_t flags,
			void *userdata)
{
	struct scope *s = userdata;
	struct eg_pack_point *p = s->into;

	(void)flags;
	return take_number(s->context, name, v, strcmp(name, "fmr") == 0 ? &p->fmr : &p->score);
}

static int points(const char *name, sd_json_variant *v, sd_json_dispatch_flags_t flags,
		  void *userdata)
{
	static const sd_json_dispatch_field table[] = {
		{"score", _SD_JSON_VARIANT_TYPE_INVALID, point_number, 0, SD_JSON_MANDATORY},
		{"fmr", _SD_JSON_VARIANT_TYPE_INVALID, point_number, 0, SD_JSON_MANDATORY},
		{0},
	};
	struct context *c = ((struct scope *)userdata)->context;
	struct eg_pack_spec *spec = c->spec;
	size_t n = sd_json_variant_is_array(v) ? sd_json_variant_elements(v) : 0;

	(void)flags;
	if (n < 2 || n > EG_PACK_POINTS_MAX)
		return refuse(c, name, "must be an array of 2 to 512 points");
	for (size_t i = 0; i < n; i++) {
		struct eg_pack_point *p = &spec->point[i];
		struct scope s = {.context = c, .into = p};
		int r = dispatch(sd_json_variant_by_index(v, i), table, &s, name);

		if (r != 0)
			return r;
		if (!(p->fmr > 0 && p->fmr <= 1 && p->score >= -1 && p->score <= 1))
			return refuse(c, name, "fmr must be in 0 … 1 and score in -1 … 1");
		if (i > 0 && !(p->fmr < p[-1].fmr && p->score > p[-1].score))
			return refuse(c, name, "must have falling fmr and rising score");
	}
	spec->point_count = n;
	return 0;
}

static int calibration_floor(const char *name, sd_json_variant *v, sd_json_dispatch_flags_t flags,
			     void *userdata)
{
	struct context *c = ((struct scope *)userdata)->context;
	int r = take_number(c, name, v, &c->spec->floor_fmr);

	(void)flags;
	if (r == 0 && !(c->spec->floor_fmr > 0 && c->spec->floor_fmr < 1))
		return refuse(c, name, "must be between 0 and 1");
	return r;
}

static int length_number(const char *name, sd_json_variant *v, sd_json_dispatch_flags_t flags,
			 void *userdata)
{
	struct scope *s = userdata;
	struct eg_pack_length *l = s->into;
	double *into = *name == 'w' ? &l->weak : *name == 's' ? &l->strong : &l->power;
	int r = take_number(s->context, name, v, into);

	(void)flags;
	return r == 0 && *into <= 0 ? refuse(s->context, name, "must be above 0") : r;
}

static int calibration_length(const char *name, sd_json_variant *v, sd_json_dispatch_flags_t flags,
			      void *userdata)
{
	static const sd_json_dispatch_field table[] = {
		{"weak", _SD_JSON_VARIANT_TYPE_INVALID, length_number, 0, SD_JSON_MANDATORY},
		{"strong", _SD_JSON_VARIANT_TYPE_INVALID, length_number, 0, SD_JSON_MANDATORY},
		{"power", _SD_JSON_VARIANT_TYPE_INVALID, length_number, 0, SD_JSON_MANDATORY},
		{0},
	};
	struct context *c = ((struct scope *)userdata)->context;
	struct eg_pack_length *l = &c->spec->length;
	struct scope s = {.context = c, .into = l};
	int r = dispatch(v, table, &s, name);

	(void)flags;
	if (r == 0 && !(l->weak < l->strong && l->power <= 1 && l->strong / l->weak <= 10))
		return refuse(c, name, "strong must be 1 to 10 times weak, power at most 1");
	return r;
}

static int calibration_digest(const char *name, sd_json_variant *v, sd_json_dispatch_flags_t flags,
			      void *userdata)
{
	struct context *c = ((struct scope *)userdata)->context;

	(void)flags;
	return take_digest(c, name, v, c->calibration_model);
}

static int calibration(const char *name, sd_json_variant *v, sd_json_dispatch_flags_t flags,
		       void *userdata)
{
	static const sd_json_dispatch_field table[] = {
		{"model_sha256", _SD_JSON_VARIANT_TYPE_INVALID, calibration_digest, 0,
		 SD_JSON_MANDATORY},
		{"floor_fmr", _SD_JSON_VARIANT_TYPE_INVALID, calibration_floor, 0,
		 SD_JSON_MANDATORY},
		{"length", _SD_JSON_VARIANT_TYPE_INVALID, calibration_length, 0, 0},
		{"points", _SD_JSON_VARIANT_TYPE_INVALID, points, 0, SD_JSON_MANDATORY},
		{0},
	};
	struct scope *s = userdata;

	(void)flags;
	s->context->has_calibration = true;
	return dispatch(v, table, s, name);
}

// ---- the whole --------------------------------------------------------------------------------

static int head_text(const char *name, sd_json_variant *v, sd_json_dispatch_flags_t flags,
		     void *userdata)
{
	struct context *c = ((struct scope *)userdata)->context;
	char *into = strcmp(name, "name") == 0	    ? c->spec->name
		     : strcmp(name, "version") == 0 ? c->spec->version
		     : strcmp(name, "licence") == 0 ? c->spec->licence
						    : c->spec->source;

	(void)flags;
	return take_text(c, name, v, into, EG_PACK_TEXT_MAX);
}

static int head_format(const char *name, sd_json_variant *v, sd_json_dispatch_flags_t flags,
		       void *userdata)
{
	struct context *c = ((struct scope *)userdata)->context;

	(void)flags;
	if (!sd_json_variant_is_unsigned(v))
		return refuse(c, name, "must be a whole number");
	c->format = sd_json_variant_unsigned(v);
	return 0;
}

static int check(struct context *c)
{
	const struct eg_model_spec *feature = &c->spec->model[EG_MODEL_FEATURE];

	if (!c->has_calibration)
		return 0;
	if (!feature->present || memcmp(feature->sha256, c->calibration_model, EG_SHA256_SIZE) != 0)
		return refuse(c, "calibration.model_sha256",
			      "is not the digest of models.feature; measure the calibration again");
	return 0;
}

static int parse_text(const char *text, struct eg_pack_spec *spec, struct eg_err *err)
{
	static const sd_json_dispatch_field table[] = {
		{"format", _SD_JSON_VARIANT_TYPE_INVALID, head_format, 0, SD_JSON_MANDATORY},
		{"name", _SD_JSON_VARIANT_TYPE_INVALID, head_text, 0, SD_JSON_MANDATORY},
		{"version", _SD_JSON_VARIANT_TYPE_INVALID, head_text, 0, SD_JSON_MANDATORY},
		{"licence", _SD_JSON_VARIANT_TYPE_INVALID, head_text, 0, SD_JSON_MANDATORY},
		{"source", _SD_JSON_VARIANT_TYPE_INVALID, head_text, 0, SD_JSON_MANDATORY},
		{"models", _SD_JSON_VARIANT_TYPE_INVALID, models, 0, SD_JSON_MANDATORY},
		{"calibration", _SD_JSON_VARIANT_TYPE_INVALID, calibration, 0, 0},
		{0},
	};
	struct context c = {.spec = spec, .err = err};
	struct scope s = {.context = &c};
	sd_json_variant *v = NULL;
	unsigned int line = 0, column = 0;
	int r;

	r = sd_json_parse(text, 0, &v, &line, &column);
	if (r == -ENOMEM)
		return eg_err_set(err, EG_ENOMEM, "out of memory");
	if (r < 0)
		return eg_err_set(err, EG_EINVAL, "line %u, column %u: this is no JSON", line,
				  column);
	r = dispatch(v, table, &s, "the whole");
	if (r == 0)
		r = check(&c);
	sd_json_variant_unref(v);
	if (r != 0)
		return EG_EINVAL;
	if (c.format != 1)
		return eg_err_set(err, EG_EUNSUPPORTED, "format: only 1 is known to this firmware");
	return 0;
}

int eg_pack_spec_parse(struct eg_bytes json, struct eg_pack_spec *ret_spec, struct eg_err *err)
{
	struct eg_pack_spec *spec;
	char *text;
	int r;

	if (json.size > EG_PACK_JSON_MAX)
		return eg_err_set(err, EG_ETOOBIG, "over %u bytes", EG_PACK_JSON_MAX);
	if (json.size == 0 || memchr(json.data, 0, json.size))
		return eg_err_set(err, EG_EINVAL, "empty, or has NUL bytes: this is no JSON");
	text = eg_calloc(1, json.size + 1);
	spec = eg_calloc(1, sizeof(*spec));
	if (!text || !spec) {
		r = eg_err_set(err, EG_ENOMEM, "out of memory");
	} else {
		memcpy(text, json.data, json.size);
		r = parse_text(text, spec, err);
		if (r == 0)
			*ret_spec = *spec;
	}
	free(spec);
	free(text);
	return r;
}
