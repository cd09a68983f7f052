// SPDX-License-Identifier: Apache-2.0
//
// The writing side. Stores into a slot stand between two of its counter: the first with a fence
// behind it, the second as a release, so that no reader takes a half-written slot for a whole one.

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "firmware/base/mem.h"
#include "firmware/view/view.h"

struct eg_view_writer {
	int fd;
	struct eg_view_ring *ring;
	uint64_t sequence;
};

static const char *const names[EG_VIEW_STATE_COUNT] = {
	[EG_VIEW_NONE] = "none", [EG_VIEW_LIVE] = "live", [EG_VIEW_RESTING] = "resting"};

const char *eg_view_state_name(enum eg_view_state state)
{
	return (unsigned int)state < EG_VIEW_STATE_COUNT ? names[state] : "unknown";
}

int eg_view_writer_new(struct eg_view_writer **ret_writer, struct eg_err *err)
{
	const int seals = F_SEAL_FUTURE_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL;
	struct eg_view_writer *w = eg_calloc(1, sizeof(*w));
	int r;

	if (w == NULL)
		return eg_err_set(err, EG_ENOMEM, "live view: out of memory");
	w->ring = MAP_FAILED;
	w->fd = memfd_create("egress-view", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (w->fd < 0 || ftruncate(w->fd, sizeof(*w->ring)) != 0)
		goto fail;
	w->ring = mmap(NULL, sizeof(*w->ring), PROT_READ | PROT_WRITE, MAP_SHARED, w->fd, 0);
	if (w->ring == MAP_FAILED || fcntl(w->fd, F_ADD_SEALS, seals) != 0)
		goto fail;
	// Best effort, as for all memory with faces in it.
	(void)mlock(w->ring, sizeof(*w->ring));
	(void)madvise(w->ring, sizeof(*w->ring), MADV_DONTDUMP);
	w->ring->magic = EG_VIEW_MAGIC;
	w->ring->version = EG_VIEW_VERSION;
	*ret_writer = w;
	return 0;
fail:
	r = eg_err_errno(err, errno, "live view: shared memory");
	eg_view_writer_free(w);
	return r;
}

void eg_view_writer_free(struct eg_view_writer *writer)
{
	struct eg_view_writer *w = writer;

	if (w == NULL)
		return;
	if (w->ring != MAP_FAILED) {
		eg_view_set_state(w, EG_VIEW_NONE);
		(void)munmap(w->ring, sizeof(*w->ring));
	}
	if (w->fd >= 0)
		(void)close(w->fd);
	free(w);
}

int eg_view_writer_fd(const struct eg_view_writer *writer)
{
	return writer->fd;
}

static uint32_t begin(struct eg_view_slot *slot)
{
	uint32_t turn = atomic_load_explicit(&slot->turn, memory_order_relaxed);

	atomic_store_explicit(&slot->turn, turn + 1, memory_order_relaxed);
	atomic_thread_fence(memory_order_release);
	return turn + 2;
}

static void end(struct eg_view_slot *slot, uint32_t turn)
{
	atomic_store_explicit(&slot->turn, turn, memory_order_release);
}

void eg_view_put(struct eg_view_writer *writer, const struct eg_view_picture *picture,
		 const struct eg_image *image)
{
	struct eg_view_writer *w = writer;
	struct eg_view_slot *slot = &w->ring->slot[(w->sequence + 1) % EG_VIEW_SLOTS];
	const size_t row = (size_t)image->width * 3;
	uint32_t turn;
	size_t i;

	assert(image->channels == 3 && image->width <= EG_VIEW_WIDTH_MAX &&
	       image->height <= EG_VIEW_HEIGHT_MAX);
	w->sequence++;
	turn = begin(slot);
	slot->width = (uint32_t)image->width;
	slot->height = (uint32_t)image->height;
	slot->sequence = w->sequence;
	slot->captured_ns = picture->captured_ns;
	slot->face_count = 0;
	for (i = 0; i < picture->face_count && i < EG_VIEW_FACES_MAX; i++) {
		const struct eg_view_face *f = &picture->face[i];

		slot->face[i] = (struct eg_view_slot_face){
			.track = f->track,
			.flags = (f->served ? 1u : 0u) | (f->in_zone ? 2u : 0u),
			.x = f->x,
			.y = f->y,
			.width = f->width,
			.height = f->height,
		};
		slot->face_count++;
	}
	for (i = 0; i < (size_t)image->height; i++)
		memcpy(slot->pixels + i * row, image->data + i * (size_t)image->stride, row);
	end(slot, turn);
	atomic_store_explicit(&w->ring->sequence, w->sequence, memory_order_release);
}

void eg_view_set_state(struct eg_view_writer *writer, enum eg_view_state state)
{
	struct eg_view_ring *ring = writer->ring;
	size_t i;

	atomic_store_explicit(&ring->state, (uint32_t)state, memory_order_release);
	if (state == EG_VIEW_LIVE)
		return;
	for (i = 0; i < EG_VIEW_SLOTS; i++) {
		struct eg_view_slot *slot = &ring->slot[i];
		const uint32_t turn = begin(slot);

		// All but the counter.
		eg_wipe((uint8_t *)slot + sizeof(slot->turn), sizeof(*slot) - sizeof(slot->turn));
		end(slot, turn);
	}
	atomic_store_explicit(&ring->sequence, 0, memory_order_release);
}
