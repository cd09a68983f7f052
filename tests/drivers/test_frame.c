// SPDX-License-Identifier: Apache-2.0

#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <poll.h>
#include <pthread.h>

#include "drivers/frame.h"
#include "drivers/frame_internal.h"

static struct eg_frame_pool *new_pool(size_t count, const struct eg_frame_pool_ops *ops)
{
	struct eg_frame_pool *pool = NULL;

	assert_int_equal(eg_frame_pool_new(count, 32, 16, ops, &pool, NULL), 0);
	return pool;
}

static void an_empty_pool_gives_nothing_until_a_frame_comes_back(void **state)
{
	struct eg_frame_pool *pool = new_pool(2, NULL);
	struct eg_frame *a, *b;
	uint8_t *plane[2];

	(void)state;
	a = eg_frame_pool_take(pool, plane);
	b = eg_frame_pool_take(pool, plane);
	assert_non_null(a);
	assert_non_null(b);
	assert_null(eg_frame_pool_take(pool, plane));
	assert_ptr_equal(eg_frame_ref(a), a);
	eg_frame_unref(a);
	assert_null(eg_frame_pool_take(pool, plane));
	eg_frame_unref(a);
	assert_ptr_equal(eg_frame_pool_take(pool, plane), a);
	eg_frame_unref(a);
	eg_frame_unref(b);
	eg_frame_unref(NULL);
	eg_frame_pool_free(pool);
	eg_frame_pool_free(NULL);
}

static void a_frame_outlives_its_pool(void **state)
{
	struct eg_frame_pool *pool = new_pool(2, NULL);
	uint8_t *plane[2];
	struct eg_frame *frame = eg_frame_pool_take(pool, plane);

	(void)state;
	memset(plane[0], 77, 32 * 16);
	eg_frame_pool_free(pool);
	assert_int_equal(frame->plane[0][32 * 16 - 1], 77);
	eg_frame_unref(frame); // ASan would see a leak or a use after free
}

static void on_release(void *user, struct eg_frame *frame)
{
	(void)frame;
	atomic_fetch_add((atomic_int *)user, 1);
}

static void release_is_told_once_per_frame(void **state)
{
	atomic_int released = 0;
	struct eg_frame_pool *pool =
		new_pool(1, &(struct eg_frame_pool_ops){.release = on_release, .user = &released});
	uint8_t *plane[2];
	struct eg_frame *frame = eg_frame_pool_take(pool, plane);

	(void)state;
	eg_frame_ref(frame);
	eg_frame_unref(frame);
	assert_int_equal(released, 0);
	eg_frame_unref(frame);
	assert_int_equal(released, 1);
	eg_frame_pool_free(pool);
}

static void odd_and_oversized_pools_are_refused(void **state)
{
	struct eg_frame_pool *pool = NULL;
	static const int sizes[][2] = {{33, 16}, {32, 17}, {0, 16}, {8194, 16}, {32, -2}};

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
		assert_int_equal(eg_frame_pool_new(1, sizes[i][0], sizes[i][1], NULL, &pool, NULL),
				 EG_EINVAL);
	assert_int_equal(eg_frame_pool_new(0, 32, 16, NULL, &pool, NULL), EG_EINVAL);
	assert_null(pool);
}

// ITU-R BT.601: white, black and the three primaries, limited range and JFIF's full range.
static void colours_follow_bt601_in_both_ranges(void **state)
{
	static const struct {
		bool limited;
		uint8_t y, cb, cr, bgr[3];
	} cases[] = {
		{true, 235, 128, 128, {255, 255, 255}}, {true, 16, 128, 128, {0, 0, 0}},
		{true, 81, 90, 240, {0, 0, 255}},	{true, 145, 54, 34, {0, 255, 0}},
		{true, 41, 240, 110, {255, 0, 0}},	{false, 255, 128, 128, {255, 255, 255}},
		{false, 0, 128, 128, {0, 0, 0}},	{false, 76, 85, 255, {0, 0, 255}},
		{false, 150, 44, 21, {0, 255, 0}},	{false, 29, 255, 107, {255, 0, 0}},
	};
	struct eg_frame_pool *pool = new_pool(1, NULL);
	struct eg_image image = {0};
	uint8_t *plane[2];
	struct eg_frame *frame = eg_frame_pool_take(pool, plane);

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		memset(plane[0], cases[i].y, 32 * 16);
		for (int k = 0; k < 32 * 8; k += 2) {
			plane[1][k] = cases[i].cb;
			plane[1][k + 1] = cases[i].cr;
		}
		frame->limited_range = cases[i].limited;
		assert_int_equal(eg_frame_to_bgr(frame, &image), 0);
		for (int c = 0; c < 3; c++)
			assert_in_range(image.data[32 * 16 * 3 - 3 + c] + 2, cases[i].bgr[c],
					cases[i].bgr[c] + 4);
	}
	assert_int_equal(eg_frame_luma(frame).channels, 1);
	assert_ptr_equal(eg_frame_luma(frame).data, plane[0]);
	eg_image_done(&image);
	eg_frame_unref(frame);
	eg_frame_pool_free(pool);
}

static bool readable(const struct eg_mailbox *box)
{
	struct pollfd fd = {.fd = eg_mailbox_fd(box), .events = POLLIN};

	return poll(&fd, 1, 0) == 1;
}

static void the_latest_frame_wins_and_replaced_ones_go_home(void **state)
{
	struct eg_frame_pool *pool = new_pool(2, NULL);
	struct eg_mailbox *box = NULL;
	struct eg_frame *first, *second;
	uint8_t *plane[2];

	(void)state;
	assert_int_equal(eg_mailbox_new(&box, NULL), 0);
	assert_false(readable(box));
	assert_null(eg_mailbox_take(box));
	first = eg_frame_pool_take(pool, plane);
	second = eg_frame_pool_take(pool, plane);
	eg_mailbox_put(box, first);
	eg_mailbox_put(box, second);
	assert_true(readable(box));
	assert_int_equal(eg_mailbox_replaced(box), 1);
	assert_ptr_equal(eg_frame_pool_take(pool, plane), first);
	assert_ptr_equal(eg_mailbox_take(box), second);
	assert_false(readable(box));
	assert_null(eg_mailbox_take(box));
	eg_mailbox_put(box, first);
	eg_mailbox_free(box); // with a frame inside
	eg_mailbox_free(NULL);
	eg_frame_unref(second);
	eg_frame_pool_free(pool);
}

#define ROUNDS 20000

struct race {
	struct eg_frame_pool *pool;
	struct eg_mailbox *box;
	atomic_bool ended;
	int taken, wrong;
};

static void *consume(void *user)
{
	struct race *race = user;

	for (;;) {
		bool ended = atomic_load(&race->ended);
		struct eg_frame *frame = eg_mailbox_take(race->box);

		if (frame == NULL && ended)
			return NULL;
		if (frame == NULL)
			continue;
		race->taken++;
		race->wrong += frame->plane[0][0] != (uint8_t)frame->sequence ||
			       frame->plane[1][0] != (uint8_t)frame->sequence;
		eg_frame_unref(frame);
	}
}

static void frames_pass_between_threads_whole_and_none_is_lost(void **state)
{
	struct race race = {.pool = new_pool(3, NULL)};
	struct eg_frame *home[3];
	pthread_t thread;
	int posted = 0;
	uint8_t *plane[2];

	(void)state;
	assert_int_equal(eg_mailbox_new(&race.box, NULL), 0);
	assert_int_equal(pthread_create(&thread, NULL, consume, &race), 0);
	for (uint64_t i = 0; i < ROUNDS; i++) {
		struct eg_frame *frame = eg_frame_pool_take(race.pool, plane);

		if (frame == NULL)
			continue;
		plane[0][0] = plane[1][0] = (uint8_t)i;
		frame->sequence = i;
		eg_mailbox_put(race.box, frame);
		posted++;
	}
	atomic_store(&race.ended, true);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_true(race.taken > 0);
	assert_int_equal(race.wrong, 0);
	assert_int_equal((uint64_t)race.taken + eg_mailbox_replaced(race.box), posted);
	eg_mailbox_free(race.box);
	for (int i = 0; i < 3; i++) {
		home[i] = eg_frame_pool_take(race.pool, plane);
		assert_non_null(home[i]);
	}
	eg_frame_pool_free(race.pool);
	for (int i = 0; i < 3; i++)
		eg_frame_unref(home[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_empty_pool_gives_nothing_until_a_frame_comes_back),
		cmocka_unit_test(a_frame_outlives_its_pool),
		cmocka_unit_test(release_is_told_once_per_frame),
		cmocka_unit_test(odd_and_oversized_pools_are_refused),
		cmocka_unit_test(colours_follow_bt601_in_both_ranges),
		cmocka_unit_test(the_latest_frame_wins_and_replaced_ones_go_home),
		cmocka_unit_test(frames_pass_between_threads_whole_and_none_is_lost),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
