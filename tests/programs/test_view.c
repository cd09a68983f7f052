// SPDX-License-Identifier: Apache-2.0
//
// The ring of live pictures: what the writer puts a reader gets, and what a writer who means harm
// puts it does not believe.

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <math.h>
#include <pthread.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "firmware/base/mem.h"
#include "firmware/view/view.h"

static void fill(struct eg_image *image, int width, int height, uint8_t value)
{
	assert_int_equal(eg_image_resize(image, width, height, 3), 0);
	for (int y = 0; y < height; y++)
		memset(image->data + (ptrdiff_t)y * image->stride, value, (size_t)width * 3);
}

static struct eg_view_reader *reader_of(const struct eg_view_writer *writer)
{
	struct eg_view_reader *reader = NULL;
	struct eg_err err = EG_ERR_INIT;

	if (eg_view_reader_new(dup(eg_view_writer_fd(writer)), &reader, &err) != 0)
		fail_msg("%s", err.text);
	return reader;
}

static void a_picture_arrives_whole_and_is_gone_when_the_camera_rests(void **state)
{
	const struct eg_view_picture put = {.captured_ns = 77,
					    .face_count = 1,
					    .face = {{.track = 5,
						      .x = 0.25f,
						      .y = 0.5f,
						      .width = 0.1f,
						      .height = 0.2f,
						      .served = true,
						      .in_zone = true}}};
	struct eg_image image = {0}, got = {0};
	struct eg_view_writer *writer = NULL;
	struct eg_view_picture picture = {0};
	struct eg_view_reader *reader;
	struct eg_err err = EG_ERR_INIT;
	size_t made;

	(void)state;
	assert_int_equal(eg_view_writer_new(&writer, &err), 0);
	reader = reader_of(writer);
	assert_int_equal(eg_view_reader_state(reader), EG_VIEW_NONE);
	assert_int_equal(eg_view_read(reader, 0, &picture, &got), EG_EAGAIN);
	eg_view_set_state(writer, EG_VIEW_LIVE);
	fill(&image, 640, 360, 9);
	eg_view_put(writer, &put, &image);
	assert_int_equal(eg_view_read(reader, 0, &picture, &got), 0);
	assert_int_equal(picture.sequence, 1);
	assert_int_equal(picture.captured_ns, 77);
	assert_int_equal(picture.face_count, 1);
	assert_int_equal(picture.face[0].track, 5);
	assert_true(picture.face[0].served && picture.face[0].in_zone);
	assert_true(fabsf(picture.face[0].width - 0.1f) < 1e-6f);
	assert_int_equal(got.width, 640);
	assert_int_equal(got.height, 360);
	for (int y = 0; y < 360; y++)
		assert_memory_equal(got.data + (ptrdiff_t)y * got.stride,
				    image.data + (ptrdiff_t)y * image.stride, 640 * 3);
	assert_int_equal(eg_view_read(reader, 1, &picture, &got), EG_EAGAIN);
	// more than there are slots, and none of them takes memory
	made = eg_mem_count();
	for (uint8_t i = 0; i < 3 * EG_VIEW_SLOTS; i++) {
		memset(image.data, i, 640 * 3);
		eg_view_put(writer, &put, &image);
		assert_int_equal(eg_view_read(reader, picture.sequence, &picture, &got), 0);
		assert_int_equal(got.data[0], i);
	}
	assert_int_equal(eg_mem_count(), made);
	eg_view_set_state(writer, EG_VIEW_RESTING);
	assert_int_equal(eg_view_reader_state(reader), EG_VIEW_RESTING);
	assert_int_equal(eg_view_read(reader, 0, &picture, &got), EG_EAGAIN);
	{
		const struct eg_view_ring *ring = mmap(NULL, sizeof(*ring), PROT_READ, MAP_SHARED,
						       eg_view_writer_fd(writer), 0);

		assert_true(ring != MAP_FAILED);
		for (size_t s = 0; s < EG_VIEW_SLOTS; s++) {
			assert_int_equal(ring->slot[s].width, 0);
			assert_int_equal(ring->slot[s].face[0].track, 0);
			for (size_t i = 0; i < sizeof(ring->slot[s].pixels); i++)
				if (ring->slot[s].pixels[i] != 0)
					fail_msg("slot %zu is not empty", s);
		}
	}
	eg_view_reader_free(reader);
	eg_view_writer_free(writer);
	eg_image_done(&image);
	eg_image_done(&got);
}

static void nobody_but_the_writer_can_write(void **state)
{
	struct eg_view_writer *writer = NULL;
	struct eg_err err = EG_ERR_INIT;
	int fd;

	(void)state;
	assert_int_equal(eg_view_writer_new(&writer, &err), 0);
	fd = eg_view_writer_fd(writer);
	assert_true(mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) == MAP_FAILED);
	assert_int_equal(write(fd, "x", 1), -1);
	assert_int_equal(ftruncate(fd, 0), -1);
	assert_int_equal(ftruncate(fd, 1 << 30), -1);
	eg_view_writer_free(writer);
}

// ---- a writer who means harm --------------------------------------------------------------------

static struct eg_view_ring *hostile(int *ret_fd, int seals)
{
	struct eg_view_ring *ring;
	int fd = memfd_create("hostile", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, sizeof(*ring)), 0);
	ring = mmap(NULL, sizeof(*ring), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	assert_true(ring != MAP_FAILED);
	assert_int_equal(fcntl(fd, F_ADD_SEALS, seals), 0);
	ring->magic = EG_VIEW_MAGIC;
	ring->version = EG_VIEW_VERSION;
	ring->state = EG_VIEW_LIVE;
	ring->sequence = 1;
	ring->slot[1].sequence = 1;
	ring->slot[1].width = 64;
	ring->slot[1].height = 64;
	*ret_fd = fd;
	return ring;
}

static void what_is_no_ring_is_refused(void **state)
{
	struct eg_view_reader *reader = NULL;
	struct eg_err err = EG_ERR_INIT;
	struct eg_view_ring *ring;
	int fd, pipes[2];

	(void)state;
	ring = hostile(&fd, F_SEAL_GROW); // it could be cut under the reader
	assert_int_equal(eg_view_reader_new(fd, &reader, &err), EG_EINVAL);
	(void)munmap(ring, sizeof(*ring));
	ring = hostile(&fd, F_SEAL_SHRINK);
	ring->version++;
	assert_int_equal(eg_view_reader_new(dup(fd), &reader, &err), EG_EINVAL);
	ring->version--;
	ring->magic = 0;
	assert_int_equal(eg_view_reader_new(dup(fd), &reader, &err), EG_EINVAL);
	assert_int_equal(ftruncate(fd, sizeof(*ring) + 1), 0);
	ring->magic = EG_VIEW_MAGIC;
	assert_int_equal(eg_view_reader_new(fd, &reader, &err), EG_EINVAL);
	(void)munmap(ring, sizeof(*ring));
	assert_int_equal(pipe(pipes), 0);
	assert_int_equal(eg_view_reader_new(pipes[0], &reader, &err), EG_EINVAL);
	(void)close(pipes[1]);
	assert_int_equal(eg_view_reader_new(-1, &reader, &err), EG_EINVAL);
}

static void no_number_of_the_ring_is_believed(void **state)
{
	static const struct {
		uint32_t width, height, faces;
		uint64_t newest, sequence;
		uint32_t turn, state;
		int expected;
	} table[] = {
		{64, 64, 0, 1, 1, 0, EG_VIEW_LIVE, 0},
		{640, 480, 16, 1, 1, 2, EG_VIEW_LIVE, 0},
		{0, 64, 0, 1, 1, 0, EG_VIEW_LIVE, EG_EINVAL},
		{64, 0, 0, 1, 1, 0, EG_VIEW_LIVE, EG_EINVAL},
		{641, 64, 0, 1, 1, 0, EG_VIEW_LIVE, EG_EINVAL},
		{64, 481, 0, 1, 1, 0, EG_VIEW_LIVE, EG_EINVAL},
		{UINT32_MAX, UINT32_MAX, 0, 1, 1, 0, EG_VIEW_LIVE, EG_EINVAL},
		{0x80000001u, 2, 0, 1, 1, 0, EG_VIEW_LIVE, EG_EINVAL},
		{64, 64, 17, 1, 1, 0, EG_VIEW_LIVE, EG_EINVAL},
		{64, 64, UINT32_MAX, 1, 1, 0, EG_VIEW_LIVE, EG_EINVAL},
		{64, 64, 0, 1, 2, 0, EG_VIEW_LIVE, EG_EINVAL}, // another slot's
		{64, 64, 0, 1, 0, 0, EG_VIEW_LIVE, EG_EAGAIN}, // emptied
		{64, 64, 0, 0, 1, 0, EG_VIEW_LIVE, EG_EAGAIN},
		{64, 64, 0, UINT64_MAX, UINT64_MAX, 0, EG_VIEW_LIVE, EG_EAGAIN}, // empty slot 3
		{64, 64, 0, 1, 1, 1, EG_VIEW_LIVE, EG_EAGAIN}, // being written for ever
		{64, 64, 0, 1, 1, 0, EG_VIEW_RESTING, EG_EAGAIN},
		{64, 64, 0, 1, 1, 0, 99, EG_EAGAIN},
	};
	struct eg_view_picture picture;
	struct eg_image image = {0};
	struct eg_view_reader *reader = NULL;
	struct eg_err err = EG_ERR_INIT;
	struct eg_view_ring *ring;
	int fd;

	(void)state;
	ring = hostile(&fd, F_SEAL_SHRINK);
	assert_int_equal(eg_view_reader_new(fd, &reader, &err), 0);
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		int r;

		ring->slot[1].width = table[i].width;
		ring->slot[1].height = table[i].height;
		ring->slot[1].face_count = table[i].faces;
		ring->slot[1].sequence = table[i].sequence;
		ring->slot[1].turn = table[i].turn;
		ring->sequence = table[i].newest;
		ring->state = table[i].state;
		r = eg_view_read(reader, 0, &picture, &image);
		if (r != table[i].expected && !(table[i].newest == UINT64_MAX && r == EG_EINVAL))
			fail_msg("row %zu: %d", i, r);
	}
	eg_view_reader_free(reader);
	(void)munmap(ring, sizeof(*ring));
	eg_image_done(&image);
}

static void boxes_are_cut_to_the_picture(void **state)
{
	static const float odd[][4] = {{NAN, 0, 1, 1},	   {0, INFINITY, 1, 1}, {0, 0, -1, 1},
				       {2, 2, 1, 1},	   {0, 0, 0, 0},	{-1e30f, 0, 1, 1},
				       {0.5f, 0.5f, 9, 9}, {-0.5f, -0.5f, 1, 1}};
	struct eg_view_reader *reader = NULL;
	struct eg_view_picture picture;
	struct eg_err err = EG_ERR_INIT;
	struct eg_image image = {0};
	struct eg_view_ring *ring;
	int fd;

	(void)state;
	ring = hostile(&fd, F_SEAL_SHRINK);
	for (size_t i = 0; i < 8; i++) {
		ring->slot[1].face[i].x = odd[i][0];
		ring->slot[1].face[i].y = odd[i][1];
		ring->slot[1].face[i].width = odd[i][2];
		ring->slot[1].face[i].height = odd[i][3];
	}
	ring->slot[1].face_count = 8;
	assert_int_equal(eg_view_reader_new(fd, &reader, &err), 0);
	assert_int_equal(eg_view_read(reader, 0, &picture, &image), 0);
	assert_int_equal(picture.face_count, 2); // the last two
	for (size_t i = 0; i < 2; i++) {
		const struct eg_view_face *f = &picture.face[i];

		assert_true(f->x >= 0 && f->y >= 0 && f->width > 0 && f->height > 0);
		assert_true(f->x + f->width <= 1 && f->y + f->height <= 1);
	}
	eg_view_reader_free(reader);
	(void)munmap(ring, sizeof(*ring));
	eg_image_done(&image);
}

struct changing {
	struct eg_view_ring *ring;
	_Atomic int stop;
};

static void *change(void *user)
{
	struct changing *c = user;
	uint32_t n = 1;

	while (!c->stop) { // without ever saying that it does
		volatile struct eg_view_slot *slot = &c->ring->slot[1];

		n = n * 1664525u + 1013904223u;
		slot->width = n >> 8;
		slot->height = n >> 4;
		slot->face_count = n >> 12;
		slot->width = 640;
		slot->height = 480;
		slot->face_count = 1;
	}
	return NULL;
}

static void numbers_that_change_under_the_reader_do_no_harm(void **state)
{
	struct changing c = {0};
	struct eg_view_reader *reader = NULL;
	struct eg_view_picture picture;
	struct eg_err err = EG_ERR_INIT;
	struct eg_image image = {0};
	pthread_t thread;
	int fd;

	(void)state;
	c.ring = hostile(&fd, F_SEAL_SHRINK);
	assert_int_equal(eg_view_reader_new(fd, &reader, &err), 0);
	assert_int_equal(pthread_create(&thread, NULL, change, &c), 0);
	for (int i = 0; i < 2000; i++) {
		if (eg_view_read(reader, 0, &picture, &image) != 0)
			continue;
		assert_in_range(picture.width, 1, EG_VIEW_WIDTH_MAX);
		assert_in_range(picture.height, 1, EG_VIEW_HEIGHT_MAX);
		assert_int_equal(picture.width, image.width);
		assert_true(picture.face_count <= EG_VIEW_FACES_MAX);
	}
	c.stop = 1;
	assert_int_equal(pthread_join(thread, NULL), 0);
	eg_view_reader_free(reader);
	(void)munmap(c.ring, sizeof(*c.ring));
	eg_image_done(&image);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_picture_arrives_whole_and_is_gone_when_the_camera_rests),
		cmocka_unit_test(nobody_but_the_writer_can_write),
		cmocka_unit_test(what_is_no_ring_is_refused),
		cmocka_unit_test(no_number_of_the_ring_is_believed),
		cmocka_unit_test(boxes_are_cut_to_the_picture),
		cmocka_unit_test(numbers_that_change_under_the_reader_do_no_harm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
