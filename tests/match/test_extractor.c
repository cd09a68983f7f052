// SPDX-License-Identifier: Apache-2.0
//
// The recogniser on real faces: the demo's six photos. Faces within one photo are different people,
// whoever they are; one person stands in samples 1 and 3.

#include "test.h"

#include <stdio.h>

#include "drivers/codec.h"
#include "match/template.h"

#define PHOTOS	  6
#define FACES_MAX 8

static struct eg_pack *pack;
static struct eg_capture *capture;
static struct eg_extractor *extractor;
static struct eg_image image[PHOTOS];
static struct eg_face face[PHOTOS][FACES_MAX];
static struct eg_template template[PHOTOS][FACES_MAX];
static size_t faces[PHOTOS];

static int open_photo(const char *folder, size_t i, struct eg_err *err)
{
	char path[512];
	int r;

	snprintf(path, sizeof(path), "%s/sample%zu.jpg", folder, i + 1);
	if ((r = eg_codec_load(path, EG_CODEC_LIMITS_BOOTH, &image[i], err)) != 0)
		return r;
	return eg_capture_still(capture, &image[i], face[i], FACES_MAX, &faces[i], err);
}

static int open_all(void **state)
{
	const char *models = getenv("EGRESS_PACK"), *photos = getenv("EGRESS_FACES");
	struct eg_capture_config config = eg_capture_defaults;
	struct eg_err err = EG_ERR_INIT;
	int r;

	(void)state;
	if (!models || !*models || !photos || !*photos) {
		print_message("EGRESS_PACK or EGRESS_FACES is not set; ./booth check sets them\n");
		exit(77);
	}
	config.liveness = false;
	if ((r = eg_crypto_init(&err)) != 0 ||
	    (r = eg_pack_open(models,
			      1u << EG_MODEL_DETECT | 1u << EG_MODEL_LANDMARK |
				      1u << EG_MODEL_FEATURE,
			      1, &pack, &err)) != 0 ||
	    (r = eg_capture_new(&config, pack, &capture, &err)) != 0 ||
	    (r = eg_extractor_new(pack, &extractor, &err)) != 0)
		goto out;
	for (size_t i = 0; i < PHOTOS && r == 0; i++) {
		r = open_photo(photos, i, &err);
		for (size_t k = 0; k < faces[i] && r == 0; k++)
			r = eg_extractor_run_careful(extractor, &image[i], &face[i][k],
						     &template[i][k], &err);
	}
out:
	if (r != 0)
		print_error("%s\n", err.text);
	return r;
}

static int close_all(void **state)
{
	(void)state;
	for (size_t i = 0; i < PHOTOS; i++)
		eg_image_done(&image[i]);
	eg_extractor_free(extractor);
	eg_capture_free(capture);
	eg_pack_free(pack);
	return 0;
}

static float score(const struct eg_template *a, const struct eg_template *b)
{
	float s = NAN;

	assert_int_equal(eg_template_compare(a, b, &s), 0);
	return s;
}

static void templates_pass_their_check_and_are_of_the_packs_model(void **state)
{
	size_t total = 0;

	(void)state;
	for (size_t i = 0; i < PHOTOS; i++) {
		for (size_t k = 0; k < faces[i]; k++) {
			assert_int_equal(eg_template_check(&template[i][k]), 0);
			assert_memory_equal(template[i][k].model,
					    eg_pack_model_digest(pack, EG_MODEL_FEATURE),
					    EG_SHA256_SIZE);
			total++;
		}
	}
	assert_true(total >= 15); // 22 usable faces, says the issue
}

static void the_same_person_in_two_photos_scores_above_all_strangers(void **state)
{
	float same = -1, strangers = -1;

	(void)state;
	for (size_t i = 0; i < faces[0]; i++)
		for (size_t k = 0; k < faces[2]; k++)
			same = fmaxf(same, score(&template[0][i], &template[2][k]));
	for (size_t p = 0; p < PHOTOS; p++)
		for (size_t i = 0; i < faces[p]; i++)
			for (size_t k = 0; k < i; k++)
				strangers =
					fmaxf(strangers, score(&template[p][i], &template[p][k]));
	print_message("same person %.3f, best of strangers %.3f\n", (double)same,
		      (double)strangers);
	assert_true(same > strangers + 0.1f);
}

static float cosine(const struct eg_template *a, const struct eg_template *b)
{
	return score(a, b) / sqrtf(score(a, a) * score(b, b));
}

static void one_warp_and_five_agree(void **state)
{
	struct eg_image aligned = {0};
	struct eg_template plain;

	(void)state;
	assert_true(faces[0] > 0);
	assert_int_equal(eg_align(&image[0], &face[0][0], &aligned), 0);
	assert_int_equal(eg_extractor_run(extractor, &aligned, &plain, NULL), 0);
	assert_true(cosine(&plain, &template[0][0]) > 0.9f);
	eg_image_done(&aligned);
}

static void a_mirrored_face_has_the_same_template(void **state)
{
	struct eg_image aligned = {0}, mirrored = {0};
	struct eg_template a, b;

	(void)state;
	assert_int_equal(eg_align(&image[0], &face[0][0], &aligned), 0);
	assert_int_equal(eg_image_init(&mirrored, 112, 112, 3), 0);
	for (int y = 0; y < 112; y++)
		for (int x = 0; x < 112; x++)
			memcpy(mirrored.data + y * mirrored.stride + 3 * (111 - x),
			       aligned.data + y * aligned.stride + 3 * x, 3);
	assert_int_equal(eg_extractor_run(extractor, &aligned, &a, NULL), 0);
	assert_int_equal(eg_extractor_run(extractor, &mirrored, &b, NULL), 0);
	assert_true(cosine(&a, &b) > 0.9999f);
	eg_image_done(&mirrored);
	eg_image_done(&aligned);
}

// What the network says of `picture` itself, added to `sum`.
static void ask_network(const struct eg_image *picture, double sum[EG_TEMPLATE_SIZE])
{
	struct eg_net *net = eg_pack_net(pack, EG_MODEL_FEATURE);
	const float *out;
	size_t count;

	assert_int_equal(eg_net_feed(net, picture, NULL), 0);
	assert_int_equal(eg_net_run(net, NULL), 0);
	out = eg_net_output(net, 0, &count);
	for (size_t k = 0; k < EG_TEMPLATE_SIZE; k++)
		sum[k] += (double)out[k] / 2;
}

// The weaker the network's answer, the longer the template, as the pack says.
static void a_templates_length_is_what_the_pack_makes_of_the_answers(void **state)
{
	const struct eg_pack_length pack_says = eg_pack_calibration_length(pack);
	struct eg_image aligned = {0}, mirrored = {0};

	(void)state;
	assert_int_equal(eg_image_init(&mirrored, 112, 112, 3), 0);
	for (size_t i = 0; i < PHOTOS; i++) {
		double sum[EG_TEMPLATE_SIZE] = {0}, answer = 0, want = 1;
		struct eg_template t;

		assert_true(faces[i] > 0);
		assert_int_equal(eg_align(&image[i], &face[i][0], &aligned), 0);
		for (int y = 0; y < 112; y++)
			for (int x = 0; x < 112; x++)
				memcpy(mirrored.data + y * mirrored.stride + 3 * (111 - x),
				       aligned.data + y * aligned.stride + 3 * x, 3);
		ask_network(&aligned, sum);
		ask_network(&mirrored, sum);
		for (size_t k = 0; k < EG_TEMPLATE_SIZE; k++)
			answer += sum[k] * sum[k];
		answer = fmax(pack_says.weak, fmin(pack_says.strong, sqrt(answer)));
		if (pack_says.power > 0)
			want = exp(pack_says.power * (log(pack_says.weak) - log(answer)));
		assert_int_equal(eg_extractor_run(extractor, &aligned, &t, NULL), 0);
		assert_true(fabs(sqrt((double)score(&t, &t)) - want) < 1e-4);
	}
	eg_image_done(&mirrored);
	eg_image_done(&aligned);
}

static void what_is_not_an_aligned_face_is_refused(void **state)
{
	struct eg_face without = face[0][0];
	struct eg_image grey = {0};
	struct eg_err err = EG_ERR_INIT;
	struct eg_template t;

	(void)state;
	assert_int_equal(eg_extractor_run(extractor, &image[0], &t, &err), EG_EINVAL);
	assert_non_null(strstr(err.text, "112×112×3"));
	assert_int_equal(eg_image_init(&grey, 112, 112, 1), 0);
	assert_int_equal(eg_extractor_run(extractor, &grey, &t, &err), EG_EINVAL);
	without.has_landmarks = false;
	assert_int_equal(eg_extractor_run_careful(extractor, &image[0], &without, &t, &err),
			 EG_EINVAL);
	eg_image_done(&grey);
}

static void a_pack_without_recogniser_is_refused(void **state)
{
	struct eg_pack *other = NULL;
	struct eg_extractor *none = NULL;
	struct eg_err err = EG_ERR_INIT;

	(void)state;
	assert_int_equal(
		eg_pack_open(getenv("EGRESS_PACK"), 1u << EG_MODEL_LANDMARK, 1, &other, NULL), 0);
	assert_int_equal(eg_extractor_new(other, &none, &err), EG_ENOENT);
	assert_null(none);
	eg_pack_free(other);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(templates_pass_their_check_and_are_of_the_packs_model),
		cmocka_unit_test(the_same_person_in_two_photos_scores_above_all_strangers),
		cmocka_unit_test(one_warp_and_five_agree),
		cmocka_unit_test(a_mirrored_face_has_the_same_template),
		cmocka_unit_test(a_templates_length_is_what_the_pack_makes_of_the_answers),
		cmocka_unit_test(what_is_not_an_aligned_face_is_refused),
		cmocka_unit_test(a_pack_without_recogniser_is_refused),
	};

	return cmocka_run_group_tests(tests, open_all, close_all);
}
