// SPDX-License-Identifier: Apache-2.0
//
// pack.json: one good text, and every way in which it may be wrong.

// clang-format off: cmocka wants these first
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "capture/pack_spec.h"

#define SHA_A "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define SHA_B "ff112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define HEAD                                                                                \
	"{\"format\":1,\"name\":\"test\",\"version\":\"1\",\"licence\":\"MIT\",\"source\":" \
	"\"here\","
#define INPUT                                                                      \
	"\"input\":{\"width\":112,\"height\":96,\"channels\":3,\"order\":\"bgr\"," \
	"\"mean\":[127,126,125],\"scale\":[0.5,0.25,0.125]}"
#define OUTPUTS "\"outputs\":[{\"name\":\"out\",\"meaning\":\"template\"}]"
#define FEATURE                                                                                \
	"\"feature\":{\"file\":\"a.onnx\",\"sha256\":\"" SHA_A "\",\"licence\":\"MIT\"," INPUT \
	"," OUTPUTS "}"
#define CALIBRATION                                                           \
	"\"calibration\":{\"model_sha256\":\"" SHA_A "\",\"floor_fmr\":1e-6," \
	"\"length\":{\"weak\":2,\"strong\":8,\"power\":0.25},\"points\":["    \
	"{\"score\":0.25,\"fmr\":0.01},{\"score\":0.5,\"fmr\":0.0001}]}"
#define GOOD HEAD "\"models\":{" FEATURE "}," CALIBRATION "}"

static int parse(const char *text, struct eg_pack_spec *spec, struct eg_err *err)
{
	return eg_pack_spec_parse(EG_BYTES_STR(text), spec, err);
}

static void a_good_pack_is_read_whole(void **state)
{
	struct eg_pack_spec *spec = calloc(1, sizeof(*spec));
	struct eg_err err = EG_ERR_INIT;
	const struct eg_model_spec *m;

	(void)state;
	assert_non_null(spec);
	if (parse(GOOD, spec, &err) != 0)
		fail_msg("%s", err.text);
	m = &spec->model[EG_MODEL_FEATURE];
	assert_true(m->present);
	assert_false(spec->model[EG_MODEL_DETECT].present);
	assert_string_equal(spec->name, "test");
	assert_string_equal(m->file, "a.onnx");
	assert_int_equal(m->sha256[1], 0x11);
	assert_int_equal(m->input.width, 112);
	assert_int_equal(m->input.height, 96);
	assert_int_equal(m->input.channels, 3);
	assert_int_equal(m->order, EG_ORDER_BGR);
	assert_true(m->mean[1] == 126 && m->scale[2] == 0.125f);
	assert_string_equal(m->output_name[0], "out");
	assert_int_equal(spec->point_count, 2);
	assert_true(spec->point[1].score == 0.5 && spec->point[1].fmr == 0.0001);
	assert_true(spec->floor_fmr == 1e-6);
	assert_true(spec->length.weak == 2 && spec->length.strong == 8 &&
		    spec->length.power == 0.25);
	free(spec);
}

// Each row changes the good text in one place; the error must name that place.
static const struct {
	const char *what;
	const char *from, *to;
	int code;
	const char *names;
} wrong[] = {
	{"unknown key", "\"name\":\"test\"", "\"name\":\"test\",\"extra\":1", EG_EINVAL, "extra"},
	{"duplicate key", "\"name\":\"test\"", "\"name\":\"test\",\"name\":\"x\"", EG_EINVAL,
	 "name"},
	{"missing key", "\"licence\":\"MIT\",\"source\"", "\"source\"", EG_EINVAL, "licence"},
	{"other format", "\"format\":1", "\"format\":2", EG_EUNSUPPORTED, "format"},
	{"format no number", "\"format\":1", "\"format\":\"1\"", EG_EINVAL, "format"},
	{"unknown role", "\"feature\":", "\"feeture\":", EG_EINVAL, "feeture"},
	{"path as file", "a.onnx", "../a.onnx", EG_EINVAL, "models.feature.file"},
	{"slash in file", "a.onnx", "b/a.onnx", EG_EINVAL, "models.feature.file"},
	{"short digest", "\"sha256\":\"00", "\"sha256\":\"0", EG_EINVAL, "models.feature.sha256"},
	{"digest no hex", "\"sha256\":\"00", "\"sha256\":\"0g", EG_EINVAL, "models.feature.sha256"},
	{"no width", "\"width\":112", "\"width\":0", EG_EINVAL, "models.feature.width"},
	{"huge width", "\"width\":112", "\"width\":99999", EG_EINVAL, "models.feature.width"},
	{"negative height", "\"height\":96", "\"height\":-96", EG_EINVAL, "models.feature.height"},
	{"two channels", "\"channels\":3", "\"channels\":2", EG_EINVAL, "channels"},
	{"grey with three channels", "\"bgr\"", "\"grey\"", EG_EINVAL, "channels"},
	{"unknown order", "\"bgr\"", "\"gbr\"", EG_EINVAL, "order"},
	{"mean too short", "[127,126,125]", "[127,126]", EG_EINVAL, "mean"},
	{"mean too long", "[127,126,125]", "[127,126,125,1]", EG_EINVAL, "mean"},
	{"scale no number", "[0.5,0.25,0.125]", "[0.5,0.25,\"x\"]", EG_EINVAL, "scale"},
	{"no outputs", "[{\"name\":\"out\",\"meaning\":\"template\"}]", "[]", EG_EINVAL, "outputs"},
	{"wrong meaning", "\"template\"", "\"points_68\"", EG_EINVAL, "meaning"},
	{"empty name", "\"out\"", "\"\"", EG_EINVAL, "models.feature.name"},
	{"calibration of another model", "\"model_sha256\":\"" SHA_A, "\"model_sha256\":\"" SHA_B,
	 EG_EINVAL, "calibration"},
	{"rising fmr", "\"fmr\":0.0001", "\"fmr\":0.1", EG_EINVAL, "points"},
	{"falling score", "\"score\":0.5", "\"score\":0.1", EG_EINVAL, "points"},
	{"fmr of 0", "\"fmr\":0.0001", "\"fmr\":0", EG_EINVAL, "points"},
	{"one point", "{\"score\":0.25,\"fmr\":0.01},", "", EG_EINVAL, "points"},
	{"floor of 1", "1e-6", "1", EG_EINVAL, "floor_fmr"},
	{"length without a power", ",\"power\":0.25", "", EG_EINVAL, "power"},
	{"length of no power", "\"power\":0.25", "\"power\":0", EG_EINVAL, "power"},
	{"length of too much power", "\"power\":0.25", "\"power\":1.1", EG_EINVAL, "length"},
	{"weak above strong", "\"weak\":2", "\"weak\":9", EG_EINVAL, "length"},
	{"weak far below strong", "\"weak\":2", "\"weak\":0.1", EG_EINVAL, "length"},
	{"unknown key in a point", "\"score\":0.5", "\"score\":0.5,\"n\":1", EG_EINVAL, "n:"},
	{"models is a list", "\"models\":{" FEATURE "}", "\"models\":[]", EG_EINVAL, "models"},
	{"half a text", "\"points\":[", "", EG_EINVAL, "JSON"},
};

static void whatever_is_wrong_is_refused_and_named(void **state)
{
	struct eg_pack_spec *spec = calloc(1, sizeof(*spec));

	(void)state;
	assert_non_null(spec);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		struct eg_err err = EG_ERR_INIT;
		const char *at = strstr(GOOD, wrong[i].from);
		char text[4096];

		assert_non_null(at);
		(void)snprintf(text, sizeof(text), "%.*s%s%s", (int)(at - GOOD), GOOD, wrong[i].to,
			       at + strlen(wrong[i].from));
		if (parse(text, spec, &err) != wrong[i].code)
			fail_msg("%s: code %d, text '%s'", wrong[i].what, err.code, err.text);
		if (!strstr(err.text, wrong[i].names))
			fail_msg("%s: '%s' does not name %s", wrong[i].what, err.text,
				 wrong[i].names);
	}
	assert_int_equal(spec->name[0], 0); // nothing was written
	free(spec);
}

static void every_truncation_is_refused(void **state)
{
	struct eg_pack_spec *spec = calloc(1, sizeof(*spec));

	(void)state;
	assert_non_null(spec);
	for (size_t n = 0; n < strlen(GOOD); n++) {
		struct eg_err err = EG_ERR_INIT;

		assert_int_equal(eg_pack_spec_parse(EG_BYTES(GOOD, n), spec, &err), EG_EINVAL);
		assert_true(err.text[0]);
	}
	free(spec);
}

static void a_huge_text_and_nul_bytes_are_refused(void **state)
{
	struct eg_pack_spec *spec = calloc(1, sizeof(*spec));
	char *huge = calloc(1, EG_PACK_JSON_MAX + 1);

	(void)state;
	assert_non_null(spec);
	assert_non_null(huge);
	memset(huge, ' ', EG_PACK_JSON_MAX + 1);
	assert_int_equal(eg_pack_spec_parse(EG_BYTES(huge, EG_PACK_JSON_MAX + 1), spec, NULL),
			 EG_ETOOBIG);
	assert_int_equal(eg_pack_spec_parse(EG_BYTES(GOOD "\0", sizeof(GOOD)), spec, NULL),
			 EG_EINVAL);
	memset(huge, '[', 20000); // deeper than any parser likes
	assert_int_equal(eg_pack_spec_parse(EG_BYTES(huge, 20000), spec, NULL), EG_EINVAL);
	free(huge);
	free(spec);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_good_pack_is_read_whole),
		cmocka_unit_test(whatever_is_wrong_is_refused_and_named),
		cmocka_unit_test(every_truncation_is_refused),
		cmocka_unit_test(a_huge_text_and_nul_bytes_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
