// SPDX-License-Identifier: Apache-2.0
//
// The reading side: believes no number, and no number twice.

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "firmware/base/mem.h"
#include "firmware/view/view.h"

struct eg_view_reader {
	const struct eg_view_ring *ring;
};

int eg_view_reader_new(int fd, struct eg_view_reader **ret_reader, struct eg_err *err)
{
	struct eg_view_reader *reader = NULL;
	struct stat st;
	void *map;
	int r, seals;

	seals = fcntl(fd, F_GET_SEALS);
	if (seals < 0 || (seals & F_SEAL_SHRINK) == 0) {
		r = eg_err_set(err, EG_EINVAL, "live view: what came is no sealed memory");
		goto out;
	}
	if (fstat(fd, &st) != 0 || st.st_size != (off_t)sizeof(struct eg_view_ring)) {
		r = eg_err_set(err, EG_EINVAL,
			       "live view: not of the size of this version; "
			       "restart boothd and consoled");
		goto out;
	}
	reader = eg_calloc(1, sizeof(*reader));
	if (reader == NULL) {
		r = eg_err_set(err, EG_ENOMEM, "live view: out of memory");
		goto out;
	}
	map = mmap(NULL, sizeof(*reader->ring), PROT_READ, MAP_SHARED, fd, 0);
	if (map == MAP_FAILED) {
		r = eg_err_errno(err, errno, "live view: mapping");
		goto out;
	}
	reader->ring = map;
	if (reader->ring->magic != EG_VIEW_MAGIC || reader->ring->version != EG_VIEW_VERSION) {
		r = eg_err_set(err, EG_EINVAL,
			       "live view: of another version; restart boothd and "
			       "consoled");
		goto out;
	}
	*ret_reader = reader;
	reader = NULL;
	r = 0;
out:
	eg_view_reader_free(reader);
	(void)close(fd);
	return r;
}

void eg_view_reader_free(struct eg_view_reader *reader)
{
	if (reader == NULL)
		return;
	if (reader->ring != NULL)
		(void)munmap((void *)(uintptr_t)reader->ring, sizeof(*reader->ring));
	free(reader);
}

enum eg_view_state eg_view_reader_state(const struct eg_view_reader *reader)
{
	uint32_t state = atomic_load_explicit(&reader->ring->state, memory_order_acquire);

	return state < EG_VIEW_STATE_COUNT ? (enum eg_view_state)state : EG_VIEW_NONE;
}

// Cut to the picture, so that whoever draws it needs no checks of his own.
static void put_face(struct eg_view_picture *picture, const struct eg_view_slot_face *f)
{
	float x0, y0, x1, y1;

	if (!isfinite(f->x) || !isfinite(f->y) || !isfinite(f->width) || !isfinite(f->height))
		return;
	x0 = fminf(fmaxf(f->x, 0), 1);
	y0 = fminf(fmaxf(f->y, 0), 1);
	x1 = fminf(fmaxf(f->x + f->width, 0), 1);
	y1 = fminf(fmaxf(f->y + f->height, 0), 1);
	if (x1 <= x0 || y1 <= y0)
		return;
	picture->face[picture->face_count++] = (struct eg_view_face){
		.track = f->track,
		.x = x0,
		.y = y0,
		.width = x1 - x0,
		.height = y1 - y0,
		.served = (f->flags & 1) != 0,
		.in_zone = (f->flags & 2) != 0,
	};
}

// What may be torn: judged only after the counter was looked at again.
struct copy {
	uint32_t width, height, face_count;
	uint64_t sequence;
	int64_t captured_ns;
	struct eg_view_slot_face face[EG_VIEW_FACES_MAX];
};

static int copy_slot(const struct eg_view_slot *slot, struct copy *copy, struct eg_image *image)
{
	uint32_t before = atomic_load_explicit(&slot->turn, memory_order_acquire), after;
	int r;

	if (before % 2 != 0)
		return EG_EAGAIN;
	copy->width = *(const volatile uint32_t *)&slot->width;
	copy->height = *(const volatile uint32_t *)&slot->height;
	copy->face_count = *(const volatile uint32_t *)&slot->face_count;
	copy->sequence = *(const volatile uint64_t *)&slot->sequence;
	copy->captured_ns = *(const volatile int64_t *)&slot->captured_ns;
	memcpy(copy->face, slot->face, sizeof(copy->face));
	if (copy->width >= 1 && copy->width <= EG_VIEW_WIDTH_MAX && copy->height >= 1 &&
	    copy->height <= EG_VIEW_HEIGHT_MAX) {
		r = eg_image_resize(image, (int)copy->width, (int)copy->height, 3);
		if (r != 0)
			return r;
		for (size_t y = 0; y < copy->height; y++)
			memcpy(image->data + y * (size_t)image->stride,
			       slot->pixels + y * copy->width * 3, (size_t)copy->width * 3);
	} else {
		copy->width = 0;
	}
	atomic_thread_fence(memory_order_acquire);
	after = atomic_load_explicit(&slot->turn, memory_order_relaxed);
	return before == after ? 0 : EG_EAGAIN;
}

int eg_view_read(const struct eg_view_reader *reader, uint64_t after,
		 struct eg_view_picture *ret_picture, struct eg_image *image)
{
	const struct eg_view_ring *ring = reader->ring;
	const uint64_t newest = atomic_load_explicit(&ring->sequence, memory_order_acquire);
	struct eg_view_picture picture = {0};
	struct copy copy;
	int r;

	if (newest == 0 || newest == after || eg_view_reader_state(reader) != EG_VIEW_LIVE)
		return EG_EAGAIN;
	r = copy_slot(&ring->slot[newest % EG_VIEW_SLOTS], &copy, image);
	if (r == 0 && copy.sequence == 0) // emptied in between
		r = EG_EAGAIN;
	if (r == 0 && (copy.width == 0 || copy.face_count > EG_VIEW_FACES_MAX ||
		       copy.sequence % EG_VIEW_SLOTS != newest % EG_VIEW_SLOTS))
		r = EG_EINVAL;
	if (r != 0)
		return r;
	picture.sequence = copy.sequence;
	picture.captured_ns = copy.captured_ns;
	picture.width = (int)copy.width;
	picture.height = (int)copy.height;
	for (size_t i = 0; i < copy.face_count; i++)
		put_face(&picture, &copy.face[i]);
	*ret_picture = picture;
	return 0;
}
