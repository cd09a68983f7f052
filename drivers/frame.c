// SPDX-License-Identifier: Apache-2.0
//
// Frames, their pool and the mailbox. A pool lives until its owner freed it and its last frame came
// home: `alive` counts the owner and each frame that is out.

#include "drivers/frame.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include "drivers/frame_internal.h"
#include "firmware/base/mem.h"

#define SIDE_MIN 16

struct slot {
	struct eg_frame frame; // first: a frame is its slot
	struct eg_frame_pool *pool;
	atomic_uint refs; // 0: free
	uint8_t *map;
};

struct eg_frame_pool {
	struct eg_frame_pool_ops ops;
	size_t count, size; // frames; bytes of one
	int width, height;
	atomic_size_t alive;
	struct slot slot[];
};

static struct slot *slot_of(struct eg_frame *frame)
{
	return (struct slot *)frame;
}

static void drop_pool(struct eg_frame_pool *pool)
{
	size_t i;

	if (atomic_fetch_sub(&pool->alive, 1) != 1)
		return;
	for (i = 0; i < pool->count; i++) {
		if (pool->slot[i].map == NULL)
			continue;
		eg_wipe(pool->slot[i].map, pool->size); // it may show a face
		(void)munmap(pool->slot[i].map, pool->size);
	}
	free(pool);
}

struct eg_frame *eg_frame_ref(struct eg_frame *frame)
{
	unsigned int before = atomic_fetch_add(&slot_of(frame)->refs, 1);

	assert(before > 0); // else it is in its pool, and may be any picture
	return frame;
}

void eg_frame_unref(struct eg_frame *frame)
{
	struct eg_frame_pool *pool;
	unsigned int before;

	if (frame == NULL)
		return;
	pool = slot_of(frame)->pool;
	before = atomic_fetch_sub(&slot_of(frame)->refs, 1);
	assert(before > 0);
	if (before > 1)
		return;
	if (pool->ops.release != NULL)
		pool->ops.release(pool->ops.user, frame);
	drop_pool(pool);
}

static int make_slot(struct eg_frame_pool *pool, struct slot *slot, struct eg_err *err)
{
	size_t luma = (size_t)pool->width * (size_t)pool->height;

	slot->pool = pool;
	slot->map =
		mmap(NULL, pool->size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (slot->map == MAP_FAILED) {
		slot->map = NULL;
		return eg_err_errno(err, errno, "frame pool");
	}
	(void)madvise(slot->map, pool->size, MADV_DONTDUMP); // no face in a core file
	slot->frame = (struct eg_frame){.width = pool->width,
					.height = pool->height,
					.plane = {slot->map, slot->map + luma},
					.stride = {pool->width, pool->width}};
	return 0;
}

int eg_frame_pool_new(size_t count, int width, int height, const struct eg_frame_pool_ops *ops,
		      struct eg_frame_pool **ret_pool, struct eg_err *err)
{
	struct eg_frame_pool *pool;
	size_t i;
	int r = 0;

	if (count < 1 || width < SIDE_MIN || height < SIDE_MIN || width > EG_IMAGE_SIDE_MAX ||
	    height > EG_IMAGE_SIDE_MAX || width % 2 != 0 || height % 2 != 0)
		return eg_err_set(err, EG_EINVAL, "frame size %d×%d: both sides must be even",
				  width, height);
	pool = eg_calloc(1, sizeof(*pool) + count * sizeof(struct slot));
	if (pool == NULL)
		return eg_err_set(err, EG_ENOMEM, "frame pool: out of memory");
	if (ops != NULL)
		pool->ops = *ops;
	pool->count = count;
	pool->width = width;
	pool->height = height;
	pool->size = (size_t)width * (size_t)height * 3 / 2;
	atomic_init(&pool->alive, 1);
	for (i = 0; r == 0 && i < count; i++)
		r = make_slot(pool, &pool->slot[i], err);
	if (r != 0) {
		drop_pool(pool);
		return r;
	}
	*ret_pool = pool;
	return 0;
}

void eg_frame_pool_free(struct eg_frame_pool *pool)
{
	if (pool != NULL)
		drop_pool(pool);
}

struct eg_frame *eg_frame_pool_take(struct eg_frame_pool *pool, uint8_t *ret_plane[2])
{
	size_t i;

	for (i = 0; i < pool->count; i++) {
		struct slot *slot = &pool->slot[i];
		unsigned int unused = 0;

		if (!atomic_compare_exchange_strong(&slot->refs, &unused, 1))
			continue;
		atomic_fetch_add(&pool->alive, 1);
		ret_plane[0] = slot->map;
		ret_plane[1] = slot->map + (slot->frame.plane[1] - slot->frame.plane[0]);
		return &slot->frame;
	}
	return NULL;
}

// FNV-1a over every 61st luma byte: cheap, and sensor noise alone changes it.
uint64_t eg_frame_digest_of(const uint8_t *luma, size_t size)
{
	uint64_t digest = 0xcbf29ce484222325;
	size_t i;

	for (i = 0; i < size; i += 61)
		digest = (digest ^ luma[i]) * 0x100000001b3;
	return digest;
}

struct eg_image eg_frame_luma(const struct eg_frame *frame)
{
	return (struct eg_image){.data = (uint8_t *)(uintptr_t)frame->plane[0],
				 .width = frame->width,
				 .height = frame->height,
				 .channels = 1,
				 .stride = frame->stride[0]};
}

static uint8_t clamp(int value)
{
	return (uint8_t)(value < 0 ? 0 : value > 255 ? 255 : value);
}

// ITU-R BT.601 in 16.16 fixed point; `gain` and `black` undo a limited range.
struct colours {
	int black, gain, rv, gu, gv, bu;
};
static const struct colours full_range = {0, 65536, 91881, 22554, 46802, 116130};
static const struct colours limited_range = {16, 76309, 104597, 25675, 53279, 132201};

static void row_to_bgr(const uint8_t *luma, const uint8_t *chroma, int width,
		       const struct colours *c, uint8_t *bgr)
{
	int x;

	for (x = 0; x < width; x += 2, chroma += 2) {
		int u = chroma[0] - 128, v = chroma[1] - 128, k;
		int b = c->bu * u + 32768, g = -c->gu * u - c->gv * v + 32768;
		int r = c->rv * v + 32768;

		for (k = 0; k < 2; k++, bgr += 3) {
			int y = (luma[x + k] - c->black) * c->gain;

			bgr[0] = clamp((y + b) >> 16);
			bgr[1] = clamp((y + g) >> 16);
			bgr[2] = clamp((y + r) >> 16);
		}
	}
}

// JFIF's colours, 16.16 fixed point.
void eg_frame_from_bgr(const struct eg_image *image, uint8_t *const plane[2])
{
	int x, y;

	for (y = 0; y < image->height; y++) {
		const uint8_t *p = image->data + (ptrdiff_t)y * image->stride;

		for (x = 0; x < image->width; x++, p += 3)
			plane[0][(ptrdiff_t)y * image->width + x] =
				(uint8_t)((7471 * p[0] + 38470 * p[1] + 19595 * p[2] + 32768) >>
					  16);
	}
	for (y = 0; y < image->height; y += 2) {
		const uint8_t *a = image->data + (ptrdiff_t)y * image->stride;
		uint8_t *uv = plane[1] + (ptrdiff_t)(y / 2) * image->width;

		for (x = 0; x < image->width; x += 2, a += 6, uv += 2) {
			const uint8_t *c = a + image->stride;
			int b = (a[0] + a[3] + c[0] + c[3] + 2) / 4;
			int g = (a[1] + a[4] + c[1] + c[4] + 2) / 4;
			int r = (a[2] + a[5] + c[2] + c[5] + 2) / 4;

			uv[0] = (uint8_t)((32768 * b - 21709 * g - 11059 * r + 8421376) >> 16);
			uv[1] = (uint8_t)((32768 * r - 27439 * g - 5329 * b + 8421376) >> 16);
		}
	}
}

int eg_frame_to_bgr(const struct eg_frame *frame, struct eg_image *image)
{
	const struct colours *colours = frame->limited_range ? &limited_range : &full_range;
	int y, r;

	r = eg_image_resize(image, frame->width, frame->height, 3);
	for (y = 0; r == 0 && y < frame->height; y++)
		row_to_bgr(frame->plane[0] + (ptrdiff_t)y * frame->stride[0],
			   frame->plane[1] + (ptrdiff_t)(y / 2) * frame->stride[1], frame->width,
			   colours, image->data + (ptrdiff_t)y * image->stride);
	return r;
}

// ---- mailbox --------------------------------------------------------------------------------

struct eg_mailbox {
	pthread_mutex_t lock;
	struct eg_frame *frame; // protected by lock
	atomic_ullong replaced;
	int fd;
};

int eg_mailbox_new(struct eg_mailbox **ret_box, struct eg_err *err)
{
	struct eg_mailbox *box = eg_calloc(1, sizeof(*box));
	int r;

	if (box == NULL)
		return eg_err_set(err, EG_ENOMEM, "mailbox: out of memory");
	box->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (box->fd < 0) {
		r = eg_err_errno(err, errno, "mailbox");
		free(box);
		return r;
	}
	pthread_mutex_init(&box->lock, NULL);
	*ret_box = box;
	return 0;
}

void eg_mailbox_free(struct eg_mailbox *box)
{
	if (box == NULL)
		return;
	eg_frame_unref(box->frame);
	(void)close(box->fd);
	pthread_mutex_destroy(&box->lock);
	free(box);
}

void eg_mailbox_put(struct eg_mailbox *box, struct eg_frame *frame)
{
	struct eg_frame *old;
	uint64_t one = 1;
	ssize_t n;

	pthread_mutex_lock(&box->lock);
	old = box->frame;
	box->frame = frame;
	// Under the lock, so that the fd is readable exactly while a frame waits.
	n = write(box->fd, &one, sizeof(one));
	pthread_mutex_unlock(&box->lock);
	(void)n; // EAGAIN: it is readable already
	if (old != NULL) {
		atomic_fetch_add(&box->replaced, 1);
		eg_frame_unref(old);
	}
}

struct eg_frame *eg_mailbox_take(struct eg_mailbox *box)
{
	struct eg_frame *frame;
	uint64_t count;
	ssize_t n;

	pthread_mutex_lock(&box->lock);
	frame = box->frame;
	box->frame = NULL;
	n = read(box->fd, &count, sizeof(count));
	pthread_mutex_unlock(&box->lock);
	(void)n; // EAGAIN: nothing was there
	return frame;
}

int eg_mailbox_fd(const struct eg_mailbox *box)
{
	return box->fd;
}

uint64_t eg_mailbox_replaced(const struct eg_mailbox *box)
{
	return atomic_load(&box->replaced);
}
