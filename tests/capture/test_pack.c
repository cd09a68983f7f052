// SPDX-License-Identifier: Apache-2.0
//
// Opening packs: the real one, and copies of it with something wrong.

#include "support.h"

#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "firmware/base/file.h"
#include "firmware/base/mem.h"

static void the_pack_opens_with_all_its_networks(void **state)
{
	struct eg_pack *pack = open_pack((1u << EG_MODEL_COUNT) - 1);
	static const struct {
		enum eg_model_role role;
		struct eg_net_input input;
		size_t count; // of output 0
	} want[] = {
		// design.md §4
		{EG_MODEL_DETECT, {320, 240, 3}, 4420 * 2}, {EG_MODEL_LANDMARK, {64, 64, 1}, 136},
		{EG_MODEL_FEATURE, {112, 112, 3}, 512},	    {EG_MODEL_LIVENESS, {128, 128, 3}, 3},
		{EG_MODEL_POSE, {224, 224, 3}, 66},	    {EG_MODEL_EYE, {24, 24, 1}, 2},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(want) / sizeof(want[0]); i++) {
		struct eg_net *net = eg_pack_net(pack, want[i].role);
		struct eg_net_input in;
		size_t count;

		assert_non_null(net);
		in = eg_net_input(net);
		assert_int_equal(in.width, want[i].input.width);
		assert_int_equal(in.height, want[i].input.height);
		assert_int_equal(in.channels, want[i].input.channels);
		assert_non_null(eg_net_output(net, 0, &count));
		assert_int_equal(count, want[i].count);
		assert_non_null(eg_pack_model_digest(pack, want[i].role));
	}
	assert_string_equal(eg_pack_name(pack), "faceplugin");
	eg_pack_free(pack);
}

static void only_the_wanted_roles_are_loaded(void **state)
{
	struct eg_pack *pack = open_pack(ROLE(EYE));

	(void)state;
	assert_non_null(eg_pack_net(pack, EG_MODEL_EYE));
	assert_null(eg_pack_net(pack, EG_MODEL_DETECT));
	assert_non_null(eg_pack_model_digest(pack, EG_MODEL_DETECT)); // known, not loaded
	eg_pack_free(pack);
}

static void a_picture_of_another_size_or_depth_is_refused(void **state)
{
	struct eg_pack *pack = open_pack(ROLE(EYE));
	struct eg_net *net = eg_pack_net(pack, EG_MODEL_EYE);
	struct eg_image image = {0};
	struct eg_err err = EG_ERR_INIT;

	(void)state;
	assert_int_equal(eg_image_init(&image, 24, 23, 1), 0);
	assert_int_equal(eg_net_feed(net, &image, &err), EG_EINVAL);
	eg_image_done(&image);
	assert_int_equal(eg_image_init(&image, 24, 24, 3), 0);
	assert_int_equal(eg_net_feed(net, &image, &err), EG_EINVAL);
	eg_image_done(&image);
	eg_pack_free(pack);
}

static void the_same_input_gives_the_same_output_and_another_does_not(void **state)
{
	struct eg_pack *pack = open_pack(ROLE(EYE));
	struct eg_net *net = eg_pack_net(pack, EG_MODEL_EYE);
	struct eg_image image = {0};
	float first[2], other[2];

	(void)state;
	assert_int_equal(eg_image_init(&image, 24, 24, 1), 0);
	memset(image.data, 90, 24 * 24);
	assert_int_equal(eg_net_feed(net, &image, NULL), 0);
	assert_int_equal(eg_net_run(net, NULL), 0);
	memcpy(first, eg_net_output(net, 0, NULL), sizeof(first));
	for (int i = 0; i < 24; i++)
		image.data[i * image.stride + i] = 255;
	assert_int_equal(eg_net_feed(net, &image, NULL), 0);
	assert_int_equal(eg_net_run(net, NULL), 0);
	memcpy(other, eg_net_output(net, 0, NULL), sizeof(other));
	assert_true(isfinite(other[0]) && isfinite(other[1]));
	assert_memory_not_equal(first, other, sizeof(first));
	for (int i = 0; i < 24; i++)
		image.data[i * image.stride + i] = 90;
	assert_int_equal(eg_net_feed(net, &image, NULL), 0);
	assert_int_equal(eg_net_run(net, NULL), 0);
	assert_memory_equal(first, eg_net_output(net, 0, NULL), sizeof(first));
	eg_image_done(&image);
	eg_pack_free(pack);
}

// ---- broken copies ------------------------------------------------------------------------------

// Makes ./NAME with the real pack.json and links to the real models; returns pack.json's text.
static char *copy_pack(const char *name)
{
	const char *files[] = {"fr_eye.onnx", "fr_landmark.onnx"};
	const char *from = folder_of("EGRESS_PACK");
	struct eg_buf json;
	char path[4096], to[4096];
	char *text;
	size_t size;

	(void)mkdir(name, 0700);
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", from, files[i]);
		(void)snprintf(to, sizeof(to), "%s/%s", name, files[i]);
		(void)unlink(to);
		assert_int_equal(symlink(path, to), 0);
	}
	(void)snprintf(path, sizeof(path), "%s/pack.json", from);
	eg_buf_init(&json, 1 << 20);
	assert_int_equal(eg_file_read(path, &json, NULL), 0);
	assert_non_null(eg_buf_text(&json));
	eg_buf_take(&json, (uint8_t **)&text, &size);
	text[size] = '\0';
	return text;
}

static void write_text(const char *path, const char *text)
{
	(void)unlink(path);
	assert_int_equal(eg_file_write(path, EG_BYTES_STR(text), 0600, NULL), 0);
}

// The pack in `folder` does not open, and the error says all of these.
static void refused(const char *folder, unsigned int roles, int code, const char *says,
		    const char *says_too)
{
	struct eg_err err = EG_ERR_INIT;
	struct eg_pack *pack = NULL;

	assert_int_equal(eg_pack_open(folder, roles, 1, &pack, &err), code);
	assert_null(pack);
	if (!strstr(err.text, says) || !strstr(err.text, says_too))
		fail_msg("'%s' does not say '%s' and '%s'", err.text, says, says_too);
}

static void a_folder_without_pack_json_is_refused(void **state)
{
	(void)state;
	refused("nowhere", ROLE(EYE), EG_ENOENT, "nowhere/pack.json", "");
}

static void a_changed_model_is_refused_by_its_digest(void **state)
{
	char *json = copy_pack("changed");

	(void)state;
	write_text("changed/pack.json", json);
	write_text("changed/fr_eye.onnx", "this is not the file it was");
	refused("changed", ROLE(EYE), EG_EAUTH, "changed/fr_eye.onnx", "SHA-256");
	free(json);
}

static void a_missing_model_is_refused(void **state)
{
	char *json = copy_pack("missing");

	(void)state;
	write_text("missing/pack.json", json);
	assert_int_equal(unlink("missing/fr_eye.onnx"), 0);
	refused("missing", ROLE(EYE), EG_ENOENT, "missing/fr_eye.onnx", "");
	free(json);
}

static void rubbish_with_the_right_digest_is_refused_as_no_model(void **state)
{
	char *json = copy_pack("rubbish"), *at = strstr(json, "fr_eye.onnx");
	uint8_t digest[EG_SHA256_SIZE];
	char text[65];

	(void)state;
	assert_int_equal(eg_sha256(EG_BYTES("rubbish", 7), digest), 0);
	eg_hex(digest, sizeof(digest), text);
	at = strstr(at, "\"sha256\": \"");
	assert_non_null(at);
	memcpy(at + strlen("\"sha256\": \""), text, 64);
	write_text("rubbish/pack.json", json);
	write_text("rubbish/fr_eye.onnx", "rubbish");
	refused("rubbish", ROLE(EYE), EG_EINVAL, "rubbish/fr_eye.onnx", "ONNX Runtime");
	free(json);
}

static void a_wrong_shape_is_refused(void **state)
{
	char *json = copy_pack("shape"), *at = strstr(json, "fr_eye.onnx");

	(void)state;
	at = strstr(at, "\"width\": 24");
	assert_non_null(at);
	memcpy(at, "\"width\": 25", strlen("\"width\": 25"));
	write_text("shape/pack.json", json);
	refused("shape", ROLE(EYE), EG_EINVAL, "fr_eye.onnx", "25");
	free(json);
}

static void an_output_that_is_not_there_is_refused(void **state)
{
	char *json = copy_pack("output"), *at = strstr(json, "fr_eye.onnx");

	(void)state;
	at = strstr(at, "\"name\": \"output\"");
	assert_non_null(at);
	memcpy(at, "\"name\": \"tuptuo\"", strlen("\"name\": \"tuptuo\""));
	write_text("output/pack.json", json);
	refused("output", ROLE(EYE), EG_EINVAL, "fr_eye.onnx", "tuptuo");
	free(json);
}

static void a_role_that_the_pack_lacks_is_named(void **state)
{
	char *json = copy_pack("lacks"), *at = strstr(json, "\"eye\"");

	(void)state;
	// the last role of the file goes: "…}, "eye": {…}" up to its closing brace
	assert_non_null(at);
	while (*at != ',')
		at--;
	{
		char *end = strstr(at, "\"outputs\"");

		assert_non_null(end);
		end = strchr(end, ']');
		assert_non_null(end);
		end = strchr(end, '}');
		assert_non_null(end);
		memmove(at, end + 1, strlen(end + 1) + 1);
	}
	write_text("lacks/pack.json", json);
	refused("lacks", ROLE(EYE), EG_ENOENT, "'eye'", "pack.json");
	free(json);
}

static void running_out_of_memory_is_an_error_at_every_point(void **state)
{
	const char *folder = folder_of("EGRESS_PACK");

	(void)state;
	for (size_t n = 1; n < 200; n++) {
		struct eg_pack *pack = NULL;
		int r;

		eg_mem_fail_at(n);
		r = eg_pack_open(folder, ROLE(EYE), 1, &pack, NULL);
		eg_mem_fail_at(0);
		if (r == 0) {
			eg_pack_free(pack);
			assert_true(n > 3);
			return;
		}
		assert_int_equal(r, EG_ENOMEM);
	}
	fail_msg("it never opens");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_pack_opens_with_all_its_networks),
		cmocka_unit_test(only_the_wanted_roles_are_loaded),
		cmocka_unit_test(a_picture_of_another_size_or_depth_is_refused),
		cmocka_unit_test(the_same_input_gives_the_same_output_and_another_does_not),
		cmocka_unit_test(a_folder_without_pack_json_is_refused),
		cmocka_unit_test(a_changed_model_is_refused_by_its_digest),
		cmocka_unit_test(a_missing_model_is_refused),
		cmocka_unit_test(rubbish_with_the_right_digest_is_refused_as_no_model),
		cmocka_unit_test(a_wrong_shape_is_refused),
		cmocka_unit_test(an_output_that_is_not_there_is_refused),
		cmocka_unit_test(a_role_that_the_pack_lacks_is_named),
		cmocka_unit_test(running_out_of_memory_is_an_error_at_every_point),
	};

	if (eg_crypto_init(NULL) != 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
