// SPDX-License-Identifier: Apache-2.0
//
// One picture from a camera: reference-counted, out of a fixed pool, with its place in time.
//
// Contract: the camera owns the pool and fills a frame before it posts it; from then on the pixels
// are read-only and shared. Whoever keeps a frame holds a reference and gives it back soon: a pool
// has few frames, and when all are held the camera drops new pictures (counted), it never waits.
// A frame stays valid after its stream was stopped or its camera closed; `generation` tells which
// run of the stream it came from.
//
// Thread: ref and unref from any thread; the pixels may be read by several at once.

#ifndef EG_FRAME_H
#define EG_FRAME_H

#include "drivers/image.h"

struct eg_frame_pool;

struct eg_frame {
	int width, height;	 // pixels, both even
	const uint8_t *plane[2]; // NV12: luma, then interleaved Cb Cr at half size
	int stride[2];		 // bytes
	bool limited_range;	 // luma 16 … 235 (video) instead of 0 … 255 (JPEG)
	uint64_t sequence;	 // rises by 1 per picture taken; gaps are drops
	int64_t captured_ns;	 // boot time at which the picture was complete
	uint32_t generation;	 // rises at each start of the stream
	uint64_t digest;	 // of the luma plane, sampled: equal means a repeated picture
};

struct eg_frame *eg_frame_ref(struct eg_frame *frame);
void eg_frame_unref(struct eg_frame *frame); // takes NULL; the last one returns it to its pool

// The frame's BT.601 colours as BGR into `image` (resized to fit, no allocation when it already was
// that size), and its luma as grey. Cameras are asked for full range and say which they use;
// libcamera's virtual camera gives that of the JPEG files it plays, which is full.
int eg_frame_to_bgr(const struct eg_frame *frame, struct eg_image *image) EG_CHECKED;

// The other way, for backends that read pictures: BGR of a frame's size into the planes of one just
// taken from a pool, rows without gaps, full range.
void eg_frame_from_bgr(const struct eg_image *image, uint8_t *const plane[2]);
struct eg_image eg_frame_luma(const struct eg_frame *frame); // a view; do not write

// For the camera backends. A pool of `count` frames in its own memory, which is kept out of core
// files and wiped at the end. `release` is called, on the thread of the last unref, when a frame
// comes back; it may be NULL. Freeing the pool is delayed until its last frame is back.
struct eg_frame_pool_ops {
	void (*release)(void *user, struct eg_frame *frame);
	void *user;
};
int eg_frame_pool_new(size_t count, int width, int height, const struct eg_frame_pool_ops *ops,
		      struct eg_frame_pool **ret_pool, struct eg_err *err) EG_CHECKED;
void eg_frame_pool_free(struct eg_frame_pool *pool); // takes NULL

// A free frame with one reference and writable planes, NULL when all are out (never waits).
struct eg_frame *eg_frame_pool_take(struct eg_frame_pool *pool, uint8_t *ret_plane[2]);

// Latest-wins mailbox between the camera's thread and one consumer: `put` replaces an unread frame
// (which is unreferenced and counted), wakes the consumer through an eventfd, never blocks.
struct eg_mailbox;
int eg_mailbox_new(struct eg_mailbox **ret_box, struct eg_err *err) EG_CHECKED;
void eg_mailbox_free(struct eg_mailbox *box);			     // takes NULL
void eg_mailbox_put(struct eg_mailbox *box, struct eg_frame *frame); // takes over the reference
struct eg_frame *eg_mailbox_take(struct eg_mailbox *box); // the caller's reference, or NULL
int eg_mailbox_fd(const struct eg_mailbox *box); // readable while a frame waits; lent, do not close
uint64_t eg_mailbox_replaced(const struct eg_mailbox *box);

#endif
