// SPDX-License-Identifier: Apache-2.0
//
// Keeping the best shots of each track in a fixed pool.
//
// Thread: one.

#include "capture/shots.h"

#include <assert.h>
#include <string.h>

#include "firmware/base/mem.h"

static_assert(EG_SHOTS_MAX > EG_TRACKS_MAX, "a full pool must have a track with two shots");

int eg_shots_init(struct eg_shots *s)
{
	memset(s, 0, sizeof(*s));
	for (int i = 0; i < EG_SHOTS_MAX; i++) {
		int r = eg_image_init(&s->slot[i].aligned, EG_ALIGNED_SIDE, EG_ALIGNED_SIDE, 3);

		if (r == 0)
			r = eg_image_init(&s->slot[i].crop, EG_SHOT_CROP_WIDTH, EG_SHOT_CROP_HEIGHT,
					  3);
		if (r != 0) {
			eg_shots_done(s);
			return r;
		}
	}
	return 0;
}

void eg_shots_done(struct eg_shots *s)
{
	for (int i = 0; i < EG_SHOTS_MAX; i++) {
		eg_image_done(&s->slot[i].aligned);
		eg_image_done(&s->slot[i].crop);
		eg_wipe(&s->slot[i], sizeof(s->slot[i]));
	}
	memset(s, 0, sizeof(*s));
}

// Gives a slot back: the pictures are wiped, their memory stays.
static void give_back(struct eg_shots *s, int slot)
{
	struct eg_shot *shot = &s->slot[slot];

	eg_wipe(shot->aligned.data, shot->aligned.room);
	eg_wipe(shot->crop.data, shot->crop.room);
	eg_wipe(&shot->face, sizeof(shot->face));
	s->taken[slot] = false;
}

static void remove_at(struct eg_shots *s, struct eg_tracked *t, size_t at)
{
	give_back(s, t->shot[at]);
	t->seen.shot_count--;
	memmove(&t->shot[at], &t->shot[at + 1], (t->seen.shot_count - at) * sizeof(t->shot[0]));
}

void eg_shots_expire(struct eg_shots *s, struct eg_tracked *t, int64_t now_ns, int window_ms)
{
	for (size_t i = t->seen.shot_count; i-- > 0;)
		if (window_ms < 0 ||
		    now_ns - s->slot[t->shot[i]].captured_ns > window_ms * 1000000LL)
			remove_at(s, t, i);
}

static int quality_at(const struct eg_shots *s, const struct eg_tracked *t, size_t at)
{
	return s->slot[t->shot[at]].face.quality.overall;
}

static int free_slot(const struct eg_shots *s)
{
	for (int i = 0; i < EG_SHOTS_MAX; i++)
		if (!s->taken[i])
			return i;
	return -1;
}

// Makes sure that the track may take one more slot. False: what is kept is better.
static bool make_room(struct eg_shots *s, struct eg_tracks *all, struct eg_tracked *t, int quality,
		      int64_t now_ns)
{
	struct eg_tracked *most = NULL;
	size_t count = t->seen.shot_count;

	for (size_t i = 0; i < count; i++) {
		int64_t apart = now_ns - s->slot[t->shot[i]].captured_ns;

		if (apart < EG_SHOT_GAP_MS * 1000000LL) {
			if (quality_at(s, t, i) >= quality)
				return false;
			remove_at(s, t, i);
			return true;
		}
	}
	if (count < EG_TRACK_SHOTS && free_slot(s) >= 0)
		return true;
	if (count > 0) {
		if (quality_at(s, t, count - 1) >= quality)
			return false;
		remove_at(s, t, count - 1);
		return true;
	}
	for (size_t i = 0; i < all->count; i++)
		if (!most || all->track[i].seen.shot_count > most->seen.shot_count)
			most = &all->track[i];
	assert(most && most->seen.shot_count > 1);
	remove_at(s, most, most->seen.shot_count - 1);
	return true;
}

struct eg_shot *eg_shots_offer(struct eg_shots *s, struct eg_tracks *tracks, struct eg_tracked *t,
			       const struct eg_face *face, int64_t now_ns)
{
	size_t at = 0;
	int slot;

	if (!make_room(s, tracks, t, face->quality.overall, now_ns))
		return NULL;
	slot = free_slot(s);
	assert(slot >= 0 && t->seen.shot_count < EG_TRACK_SHOTS);
	while (at < t->seen.shot_count && quality_at(s, t, at) >= face->quality.overall)
		at++;
	memmove(&t->shot[at + 1], &t->shot[at], (t->seen.shot_count - at) * sizeof(t->shot[0]));
	t->shot[at] = slot;
	t->seen.shot_count++;
	s->taken[slot] = true;
	s->slot[slot].face = *face;
	s->slot[slot].captured_ns = now_ns;
	return &s->slot[slot];
}

void eg_shots_retract(struct eg_shots *s, struct eg_tracked *t, struct eg_shot *shot)
{
	for (size_t i = 0; i < t->seen.shot_count; i++)
		if (&s->slot[t->shot[i]] == shot) {
			remove_at(s, t, i);
			return;
		}
}
