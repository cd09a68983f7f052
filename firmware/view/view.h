// SPDX-License-Identifier: Apache-2.0
//
// Live pictures in shared memory, from boothd to consoled. One writer, any number of readers that
// can only read. No one waits; readers poll.
//
// The memory is struct eg_view_ring, host byte order: one machine, one build. What a reader finds
// there is a stranger's: it copies each number once, checks the copy, and looks at the slot's
// counter before and after.
//
// Thread: a writer or a reader is one thread's at a time.

#ifndef EG_VIEW_H
#define EG_VIEW_H

#include <stdatomic.h>

#include "drivers/image.h"

#define EG_VIEW_MAGIC	   0x56524745u // "EGRV"
#define EG_VIEW_VERSION	   1u
#define EG_VIEW_SLOTS	   4
#define EG_VIEW_FACES_MAX  16
#define EG_VIEW_WIDTH_MAX  640 // pixels
#define EG_VIEW_HEIGHT_MAX 480

enum eg_view_state {
	EG_VIEW_NONE = 0,    // no picture comes: the camera is closed or stalled, or nobody asked
	EG_VIEW_LIVE = 1,    // pictures come
	EG_VIEW_RESTING = 2, // no camera, please
	EG_VIEW_STATE_COUNT,
};
const char *eg_view_state_name(enum eg_view_state state); // "none", "live", "resting"

// A face in a picture, in parts of it (0 … 1), as the camera sees it: not mirrored.
struct eg_view_face {
	uint32_t track;
	float x, y, width, height;
	bool served;  // has a session; only such faces are sharp
	bool in_zone; // may have one
};

// A picture without its pixels.
struct eg_view_picture {
	uint64_t sequence; // of the ring: rises by one a picture, from 1 on
	int64_t captured_ns;
	int width, height;
	size_t face_count;
	struct eg_view_face face[EG_VIEW_FACES_MAX];
};

// ---- as it lies in memory -----------------------------------------------------------------------

struct eg_view_slot {
	_Atomic uint32_t turn; // odd while it is written
	uint32_t width, height, face_count;
	uint64_t sequence;
	int64_t captured_ns;
	struct eg_view_slot_face {
		uint32_t track, flags; // bit 0 served, bit 1 in zone
		float x, y, width, height;
	} face[EG_VIEW_FACES_MAX];
	uint8_t pixels[EG_VIEW_WIDTH_MAX * EG_VIEW_HEIGHT_MAX * 3]; // B, G, R, rows without gaps
};

struct eg_view_ring {
	uint32_t magic, version;
	_Atomic uint32_t state;	   // enum eg_view_state
	_Atomic uint64_t sequence; // of the newest picture; it lies in slot sequence % SLOTS
	struct eg_view_slot slot[EG_VIEW_SLOTS];
};

// ---- writing ------------------------------------------------------------------------------------

struct eg_view_writer;

// Makes the ring, zeroed, state NONE. EG_ENOMEM, EG_EFOREIGN.
int eg_view_writer_new(struct eg_view_writer **ret_writer, struct eg_err *err) EG_CHECKED;
void eg_view_writer_free(struct eg_view_writer *writer); // takes NULL; zeroes the slots first

// The sealed memory's descriptor, to be handed out; lent. Any thread.
int eg_view_writer_fd(const struct eg_view_writer *writer);

// Puts a picture (BGR, at most WIDTH_MAX × HEIGHT_MAX; sequence, width and height of `picture` are
// not read). More faces than fit are left out. Allocates nothing.
void eg_view_put(struct eg_view_writer *writer, const struct eg_view_picture *picture,
		 const struct eg_image *image);

// Any state but LIVE zeroes all slots before it returns.
void eg_view_set_state(struct eg_view_writer *writer, enum eg_view_state state);

// ---- reading ------------------------------------------------------------------------------------

struct eg_view_reader;

// Maps the ring for reading; takes over `fd`, also on failure. EG_EINVAL: no ring of this version,
// or one that could shrink under the reader; EG_ENOMEM.
int eg_view_reader_new(int fd, struct eg_view_reader **ret_reader, struct eg_err *err) EG_CHECKED;
void eg_view_reader_free(struct eg_view_reader *reader); // takes NULL

enum eg_view_state eg_view_reader_state(const struct eg_view_reader *reader);

// The newest picture, if it is another than number `after` (0: any): copied into `image`, BGR,
// which is resized (no allocation once it has that size). EG_EAGAIN: there is none, or the writer
// was faster: look again in a moment. EG_EINVAL: the ring says something that cannot be.
int eg_view_read(const struct eg_view_reader *reader, uint64_t after,
		 struct eg_view_picture *ret_picture, struct eg_image *image) EG_CHECKED;

#endif
