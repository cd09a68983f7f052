// SPDX-License-Identifier: Apache-2.0
//
// Greedy association. Two boxes may be one face when they overlap by a fifth, or, for slow cameras
// and quick people, when their centres are near and their sizes alike.
//
// Thread: one.

#include "capture/tracks.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "capture/box.h"

#define OVERLAP_MIN    0.2f
#define DISTANCE_MAX   0.7f // of the mean width
#define SIZE_RATIO_MIN 0.65f

struct pair {
	float likeness;
	uint16_t track, detection;
};

// 0: cannot be the same face; otherwise the larger the likelier.
static float likeness(struct eg_box a, struct eg_box b)
{
	float overlap = eg_box_overlap(a, b);
	float width = (a.width + b.width) / 2;
	float apart = hypotf(a.x + a.width / 2 - b.x - b.width / 2,
			     a.y + a.height / 2 - b.y - b.height / 2) /
		      width;
	float ratio = fminf(a.height, b.height) / fmaxf(a.height, b.height);

	if (overlap >= OVERLAP_MIN)
		return 1 + overlap;
	if (apart < DISTANCE_MAX && ratio > SIZE_RATIO_MIN)
		return 1 - apart;
	return 0;
}

static int by_falling_likeness(const void *a, const void *b)
{
	const struct pair *x = a, *y = b;

	if (x->likeness != y->likeness)
		return x->likeness > y->likeness ? -1 : 1;
	return x->detection - y->detection; // the surer face first
}

static void see(struct eg_tracked *t, const struct eg_detection *d, int64_t now_ns)
{
	t->seen.face = (struct eg_face){.box = d->box, .score = d->score};
	memset(t->seen.face.quality.component, -1, sizeof(t->seen.face.quality.component));
	t->seen.in_view = true;
	t->seen.last_seen_ns = now_ns;
	t->hits++;
	if (t->hits >= 2 || d->score >= EG_TRACK_SURE)
		t->reported = true;
}

static void associate(struct eg_tracks *s, const struct eg_detection *found, size_t count,
		      int64_t now_ns, int *owner)
{
	struct pair pairs[EG_TRACKS_MAX * EG_DETECTIONS_MAX];
	size_t n = 0;

	for (size_t t = 0; t < s->count; t++)
		for (size_t d = 0; d < count; d++) {
			float like = likeness(s->track[t].seen.face.box, found[d].box);

			if (like > 0)
				pairs[n++] = (struct pair){like, (uint16_t)t, (uint16_t)d};
		}
	qsort(pairs, n, sizeof(*pairs), by_falling_likeness);
	for (size_t i = 0; i < n; i++) {
		struct eg_tracked *t = &s->track[pairs[i].track];

		if (t->seen.in_view || owner[pairs[i].detection] >= 0)
			continue;
		see(t, &found[pairs[i].detection], now_ns);
		owner[pairs[i].detection] = pairs[i].track;
	}
}

static void forget_old(struct eg_tracks *s, int64_t now_ns,
		       void (*drop)(void *user, struct eg_tracked *track), void *user)
{
	size_t kept = 0;

	for (size_t i = 0; i < s->count; i++) {
		int64_t age = now_ns - s->track[i].seen.last_seen_ns;

		if (age > EG_TRACK_TIMEOUT_MS * 1000000LL || age < 0) {
			drop(user, &s->track[i]);
			continue;
		}
		if (kept != i)
			s->track[kept] = s->track[i];
		kept++;
	}
	s->count = kept;
}

void eg_tracks_update(struct eg_tracks *s, const struct eg_detection *found, size_t count,
		      float threshold, int64_t now_ns,
		      void (*drop)(void *user, struct eg_tracked *track), void *user,
		      int *ret_owner)
{
	forget_old(s, now_ns, drop, user);
	for (size_t i = 0; i < count; i++)
		ret_owner[i] = -1;
	for (size_t i = 0; i < s->count; i++)
		s->track[i].seen.in_view = false;
	associate(s, found, count, now_ns, ret_owner);
	for (size_t i = 0; i < count && s->count < EG_TRACKS_MAX; i++) {
		struct eg_tracked *t = &s->track[s->count];

		if (ret_owner[i] >= 0 || found[i].score < threshold)
			continue;
		*t = (struct eg_tracked){.seen.id = ++s->last_id, .seen.first_seen_ns = now_ns};
		t->seen.liveness.score = NAN;
		see(t, &found[i], now_ns);
		ret_owner[i] = (int)s->count++;
	}
}
