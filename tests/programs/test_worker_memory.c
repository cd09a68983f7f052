// SPDX-License-Identifier: Apache-2.0
//
// Nothing allocates per frame: the whole worker loop, with two people in view before and after they
// got their verdicts. Everything of ours goes through firmware/base/mem.h (lint_banned sees to
// that), which counts; sanitizers count what libraries take and give back, too.

// clang-format off: cmocka wants these first
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on

#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "capture/sample.h"
#include "drivers/codec.h"
#include "firmware/base/crypto.h"
#include "firmware/base/mem.h"
#include "firmware/boothd/worker.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define HAVE_HOOKS 1
// GCC installs no header for it.
int __sanitizer_install_malloc_and_free_hooks(void (*on_malloc)(const volatile void *, size_t),
					      void (*on_free)(const volatile void *));
#else
#define HAVE_HOOKS 0
#endif

#define WIDTH  1280
#define HEIGHT 720
#define WARM   60  // frames until all memory is made
#define STEADY 120 // frames that are counted
#define SCENES 4

static atomic_long blocks; // taken and not given back
static atomic_ulong taken; // since the start

#if HAVE_HOOKS
static void on_malloc(const volatile void *block, size_t size)
{
	(void)block, (void)size;
	atomic_fetch_add(&blocks, 1);
	atomic_fetch_add(&taken, 1);
}

static void on_free(const volatile void *block)
{
	if (block)
		atomic_fetch_sub(&blocks, 1);
}
#endif

struct stage {
	struct eg_mailbox *mailbox;
	struct eg_worker *worker;
	struct eg_frame_pool *pool;
	struct eg_image photo, scene[SCENES];
	uint64_t sequence;
	struct eg_view view;
};

// The photo's people, moved a little from scene to scene.
static void draw(struct stage *s)
{
	struct eg_image scratch = {0};

	for (int i = 0; i < SCENES; i++) {
		const struct eg_box box = {(float)(4 * i), (float)(3 * i),
					   (float)s->photo.width - 16, (float)s->photo.height - 16};
		struct eg_affine map = eg_sample_box(box, WIDTH, HEIGHT);

		assert_int_equal(eg_image_init(&s->scene[i], WIDTH, HEIGHT, 3), 0);
		assert_int_equal(eg_sample(&s->photo, &map, EG_BORDER_EDGE, &scratch, &s->scene[i]),
				 0);
	}
	eg_image_done(&scratch);
}

// The scene in grey: colours are not what is tested.
static struct eg_frame *frame_of(struct stage *s, const struct eg_image *scene)
{
	uint8_t *plane[2];
	struct eg_frame *frame = eg_frame_pool_take(s->pool, plane);

	assert_non_null(frame);
	for (int y = 0; y < HEIGHT; y++)
		for (int x = 0; x < WIDTH; x++)
			plane[0][(ptrdiff_t)y * frame->stride[0] + x] =
				scene->data[(ptrdiff_t)y * scene->stride + 3 * x + 1];
	for (int y = 0; y < HEIGHT / 2; y++)
		memset(plane[1] + (ptrdiff_t)y * frame->stride[1], 128, WIDTH);
	frame->sequence = ++s->sequence;
	frame->captured_ns = (int64_t)s->sequence * 33333333;
	frame->generation = 1;
	frame->digest = s->sequence;
	return frame;
}

// Posts a frame and waits until the worker has looked at it.
static void show(struct stage *s)
{
	uint32_t track[EG_TRACKS_MAX];
	struct eg_err fault;

	eg_mailbox_put(s->mailbox, frame_of(s, &s->scene[s->sequence % SCENES]));
	do {
		struct pollfd fd = {.fd = eg_worker_fd(s->worker), .events = POLLIN};

		assert_int_equal(poll(&fd, 1, 60000), 1);
		if (eg_worker_fault(s->worker, &fault))
			fail_msg("%s", fault.text);
	} while (!eg_worker_view(s->worker, &s->view) || s->view.sequence != s->sequence);
	for (size_t i = 0; i < s->view.count; i++) // everybody is sharp in the live view
		track[i] = s->view.track[i].id;
	eg_worker_serve(s->worker, track, s->view.count);
}

static void count_frames(struct stage *s, const char *when)
{
	size_t ours = eg_mem_count();
	unsigned long all = atomic_load(&taken);
	long kept = atomic_load(&blocks);

	for (int i = 0; i < STEADY; i++)
		show(s);
	kept = atomic_load(&blocks) - kept;
	print_message("%s: ours %zu; by libraries, and given back: %.1f a frame; kept: %ld\n", when,
		      eg_mem_count() - ours, (double)(atomic_load(&taken) - all) / STEADY, kept);
	assert_int_equal(eg_mem_count() - ours, 0);
	// what a library keeps, such as a table for a size it has not met, does not come every
	// frame
	assert_true(kept < STEADY / 4);
}

// Asks for a verdict on everybody; there is no manifest, so nobody gets a good one.
static void try_all(struct stage *s)
{
	for (size_t i = 0; i < s->view.count; i++) {
		struct eg_worker_result result;

		assert_int_equal(eg_worker_try(s->worker, s->view.track[i].id), 0);
		while (!eg_worker_result(s->worker, &result)) {
			struct pollfd fd = {.fd = eg_worker_fd(s->worker), .events = POLLIN};

			assert_int_equal(poll(&fd, 1, 60000), 1);
			(void)eg_worker_view(s->worker, &s->view);
		}
		assert_true(result.attempt.shots > 0);
		eg_worker_result_done(&result);
		assert_int_equal(eg_worker_forget(s->worker, s->view.track[i].id), 0);
	}
}

static void no_frame_allocates(void **state)
{
	static struct stage s;
	const char *pack = getenv("EGRESS_PACK"), *faces = getenv("EGRESS_FACES");
	struct eg_worker_config config = {
		.capture = eg_capture_defaults,
		.fmr = 1e-4,
		.fpir = 3e-3,
		.served_before_ms = 2500,
		.booth = "lane-1",
		.clock = eg_clock_system(),
	};
	struct eg_view_reader *reader = NULL;
	struct eg_view_picture picture;
	struct eg_image shown = {0};
	struct eg_err err = EG_ERR_INIT;
	char path[4096];
	size_t usable = 0;

	(void)state;
	(void)snprintf(path, sizeof(path), "%s/sample3.jpg", faces ? faces : "");
	if (!pack || eg_codec_load(path, EG_CODEC_LIMITS_DESK, &s.photo, &err) != 0) {
		print_message("skipped: no model pack or no faces\n");
		skip();
	}
	config.pack_folder = pack;
	config.capture.zone = (struct eg_zone){0, 0, 1, 1};
	config.capture.quality_min = 0;
	draw(&s);
	assert_int_equal(eg_mailbox_new(&s.mailbox, &err), 0);
	assert_int_equal(eg_frame_pool_new(4, WIDTH, HEIGHT, NULL, &s.pool, &err), 0);
	if (eg_worker_new(&config, s.mailbox, &s.worker, &err) != 0)
		fail_msg("%s", err.text);
	assert_int_equal(eg_worker_show(s.worker, EG_VIEW_LIVE, 0), 0); // somebody looks
	for (int i = 0; i < WARM; i++)
		show(&s);
	for (size_t i = 0; i < s.view.count; i++)
		usable += s.view.track[i].in_view && s.view.track[i].shots > 0;
	assert_true(usable >= 2);
	assert_int_equal(eg_view_reader_new(dup(eg_worker_view_fd(s.worker)), &reader, &err), 0);
	assert_int_equal(eg_view_read(reader, 0, &picture, &shown), 0);
	assert_true(picture.face_count >= 2 && picture.face[0].served);
	count_frames(&s, "before the verdicts");
	try_all(&s);
	show(&s);
	count_frames(&s, "after the verdicts");

	eg_view_reader_free(reader);
	eg_image_done(&shown);
	eg_worker_free(s.worker);
	eg_mailbox_free(s.mailbox);
	eg_frame_pool_free(s.pool);
	eg_image_done(&s.photo);
	for (int i = 0; i < SCENES; i++)
		eg_image_done(&s.scene[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(no_frame_allocates)};

#if HAVE_HOOKS
	__sanitizer_install_malloc_and_free_hooks(on_malloc, on_free);
#endif
	if (eg_crypto_init(NULL) != 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
