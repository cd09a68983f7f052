// SPDX-License-Identifier: Apache-2.0
//
// A manifest that is swapped in the middle of a traveller's session: the session goes on with the
// one it began with, the next one takes the new one. The worker with its models, and a face.
//
// Seen to fail: the book taken anew at each comparison (use_book of vision.c).

// clang-format off: cmocka's are in there, and it wants them first
#include "tests/store/common.h"
// clang-format on

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "capture/sample.h"
#include "drivers/codec.h"
#include "firmware/base/crypto.h"
#include "firmware/boothd/worker.h"

#define WIDTH	640
#define HEIGHT	360
#define FRAMES	60 // at most, until a face has a shot
#define WAIT_MS 60000

struct stage {
	struct eg_mailbox *mailbox;
	struct eg_worker *worker;
	struct eg_frame_pool *pool;
	struct eg_image scene;
	uint64_t sequence;
	struct eg_view view;
};

static void await(struct stage *s)
{
	struct pollfd fd = {.fd = eg_worker_fd(s->worker), .events = POLLIN};
	struct eg_err fault;

	assert_int_equal(poll(&fd, 1, WAIT_MS), 1);
	if (eg_worker_fault(s->worker, &fault))
		fail_msg("%s", fault.text);
}

static void show(struct stage *s)
{
	uint8_t *plane[2];
	struct eg_frame *frame = eg_frame_pool_take(s->pool, plane);

	assert_non_null(frame);
	for (int y = 0; y < HEIGHT; y++)
		for (int x = 0; x < WIDTH; x++)
			plane[0][(ptrdiff_t)y * frame->stride[0] + x] =
				s->scene.data[(ptrdiff_t)y * s->scene.stride + 3 * x + 1];
	for (int y = 0; y < HEIGHT / 2; y++)
		memset(plane[1] + (ptrdiff_t)y * frame->stride[1], 128, WIDTH);
	frame->sequence = frame->digest = ++s->sequence;
	frame->captured_ns = (int64_t)s->sequence * 33333333;
	frame->generation = 1;
	eg_mailbox_put(s->mailbox, frame);
	do
		await(s);
	while (!eg_worker_view(s->worker, &s->view) || s->view.sequence != s->sequence);
}

// The first track that can be compared.
static uint32_t somebody(struct stage *s)
{
	for (int i = 0; i < FRAMES; i++) {
		show(s);
		for (size_t k = 0; k < s->view.count; k++)
			if (s->view.track[k].in_view && s->view.track[k].shots > 0)
				return s->view.track[k].id;
	}
	fail_msg("no face in %d frames", FRAMES);
	return 0;
}

static uint64_t version_compared(struct stage *s, uint32_t track)
{
	struct eg_worker_result result;
	uint64_t version;

	assert_int_equal(eg_worker_try(s->worker, track), 0);
	while (!eg_worker_result(s->worker, &result))
		await(s);
	assert_int_equal(result.track, track);
	assert_string_equal(result.manifest, "UA1");
	version = result.manifest_version;
	eg_worker_result_done(&result);
	return version;
}

static void load(struct stage *s, const struct made_manifest *made, uint64_t version)
{
	struct eg_statement statement = made->statement;
	struct eg_worker_manifest now;
	struct eg_buf wire;

	statement.version = version;
	eg_buf_init(&wire, EG_MANIFEST_MAX);
	assert_int_equal(eg_manifest_build(&statement, eg_buf_bytes(&made->content),
					   eg_key_public(made->booth), made->centre, &wire, NULL),
			 0);
	assert_int_equal(eg_worker_load(s->worker, &wire), 0);
	for (eg_worker_manifest(s->worker, &now); now.version != version;
	     eg_worker_manifest(s->worker, &now))
		await(s);
	eg_buf_done(&wire);
}

static void begin(struct stage *s, const struct made_manifest *made, const char *pack,
		  const struct eg_image *photo)
{
	const struct eg_box all = {0, 0, (float)photo->width, (float)photo->height};
	struct eg_affine map = eg_sample_box(all, WIDTH, HEIGHT);
	struct eg_worker_config config = {
		.pack_folder = pack,
		.capture = eg_capture_defaults,
		.fmr = 1e-4,
		.fpir = 3e-3,
		.served_before_ms = 2500,
		.booth = "lane-12",
		.keys = &made->trusted,
		.key_count = 1,
		.seal_key = made->booth,
		.clock = eg_clock_system(),
	};
	struct eg_image scratch = {0};
	struct eg_err err = EG_ERR_INIT;

	config.capture.zone = (struct eg_zone){0, 0, 1, 1};
	config.capture.quality_min = 0;
	assert_int_equal(eg_image_init(&s->scene, WIDTH, HEIGHT, 3), 0);
	assert_int_equal(eg_sample(photo, &map, EG_BORDER_EDGE, &scratch, &s->scene), 0);
	eg_image_done(&scratch);
	expect_ok(eg_mailbox_new(&s->mailbox, &err), &err);
	expect_ok(eg_frame_pool_new(4, WIDTH, HEIGHT, NULL, &s->pool, &err), &err);
	expect_ok(eg_worker_new(&config, s->mailbox, &s->worker, &err), &err);
}

static void a_swap_in_the_middle_of_a_session_changes_nothing_for_it(void **state)
{
	const char *pack = getenv("EGRESS_PACK"), *faces = getenv("EGRESS_FACES");
	static struct stage s;
	struct made_manifest made;
	struct eg_image photo = {0};
	char path[4096];
	uint32_t track;

	(void)state;
	(void)snprintf(path, sizeof(path), "%s/sample3.jpg", faces ? faces : "");
	if (!pack || eg_codec_load(path, EG_CODEC_LIMITS_DESK, &photo, NULL) != 0) {
		print_message("skipped: no model pack or no faces\n");
		skip();
	}
	make_manifest(&made, 2, 100, 5);
	begin(&s, &made, pack, &photo);
	load(&s, &made, 5);
	track = somebody(&s);
	assert_int_equal(version_compared(&s, track), 5);
	load(&s, &made, 6);
	assert_int_equal(version_compared(&s, track), 5);
	assert_int_equal(eg_worker_reset(s.worker), 0); // the sessions end
	assert_int_equal(version_compared(&s, somebody(&s)), 6);

	eg_worker_free(s.worker);
	eg_mailbox_free(s.mailbox);
	eg_frame_pool_free(s.pool);
	eg_image_done(&s.scene);
	eg_image_done(&photo);
	free_manifest(&made);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_swap_in_the_middle_of_a_session_changes_nothing_for_it)};

	if (eg_crypto_init(NULL) != 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
