// SPDX-License-Identifier: Apache-2.0
//
// Association. A detection may be a track's when it overlaps the expected box by a fifth, or, for
// slow cameras, quick people and those who were hidden, when the centres are near and the sizes
// alike.
//
// Thread: one.

#include "capture/tracks.h"

#include <math.h>
#include <string.h>

#include "capture/box.h"
#include "firmware/base/clock.h"

#define OVERLAP_MIN    0.2f
#define DISTANCE_MAX   0.7f // of the mean width
#define DISTANCE_GROWS 0.8f // ... and so much more per second unseen
#define SIZE_RATIO_MIN 0.65f

// A doubtful detection is taken only where a face was a moment ago.
#define DOUBTFUL_OVERLAP_MIN 0.4f
#define DOUBTFUL_MS	     300

#define COLUMNS (EG_DETECTIONS_MAX + EG_TRACKS_MAX)

// 0: cannot be the same face; otherwise the larger the likelier, overlap above distance.
static float likeness_of_boxes(struct eg_box a, struct eg_box b, float distance_max)
{
	float overlap = eg_box_overlap(a, b);
	float width = (a.width + b.width) / 2;
	float apart = hypotf(a.x + a.width / 2 - b.x - b.width / 2,
			     a.y + a.height / 2 - b.y - b.height / 2) /
		      width;
	float ratio = fminf(a.height, b.height) / fmaxf(a.height, b.height);

	if (overlap >= OVERLAP_MIN)
		return 1 + overlap;
	if (apart < distance_max && ratio > SIZE_RATIO_MIN)
		return 1 - apart / distance_max;
	return 0;
}

// Someone who was hidden may have walked on or stood still: either will do.
static float likeness(const struct eg_tracked *t, const struct eg_detection *d, int64_t now_ns)
{
	float unseen = (float)(now_ns - t->seen.last_seen_ns) / 1e9f;
	float moved =
		likeness_of_boxes(t->expected, d->box, DISTANCE_MAX + DISTANCE_GROWS * unseen);
	float stayed = likeness_of_boxes(t->seen.face.box, d->box, DISTANCE_MAX);

	return fmaxf(moved, 0.9f * stayed);
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

// ---- assignment -------------------------------------------------------------------------------

// One row is added to the best assignment so far by the shortest augmenting path over reduced
// costs. Column 0 stands for the row's own start; columns and rows count from 1.
struct assignment {
	float cost[EG_TRACKS_MAX + 1][COLUMNS + 1];
	float row_price[EG_TRACKS_MAX + 1], column_price[COLUMNS + 1];
	int row_of[COLUMNS + 1]; // 0: free
	size_t columns;
};

static void assign_row(struct assignment *a, int row)
{
	float least[COLUMNS + 1];
	int from[COLUMNS + 1];
	bool done[COLUMNS + 1] = {false};
	size_t at = 0;

	for (size_t j = 0; j <= a->columns; j++) {
		least[j] = INFINITY;
		from[j] = 0;
	}
	a->row_of[0] = row;
	do {
		const int r = a->row_of[at];
		float step = INFINITY;
		size_t next = 0;

		done[at] = true;
		for (size_t j = 1; j <= a->columns; j++) {
			float reduced = a->cost[r][j] - a->row_price[r] - a->column_price[j];

			if (done[j])
				continue;
			if (reduced < least[j]) {
				least[j] = reduced;
				from[j] = (int)at;
			}
			if (least[j] < step) {
				step = least[j];
				next = j;
			}
		}
		for (size_t j = 0; j <= a->columns; j++) {
			if (done[j]) {
				a->row_price[a->row_of[j]] += step;
				a->column_price[j] -= step;
			} else {
				least[j] -= step;
			}
		}
		at = next;
	} while (a->row_of[at] != 0);
	while (at != 0) {
		a->row_of[at] = a->row_of[from[at]];
		at = (size_t)from[at];
	}
}

// Gives detections to tracks so that the sum of likenesses is the largest (Hungarian method). Each
// track has a column of its own, of likeness 0, for having none. like[t][d]: 0 is not allowed.
static void assign(const float like[EG_TRACKS_MAX][EG_DETECTIONS_MAX], size_t tracks, size_t count,
		   int *ret_detection)
{
	struct assignment a;

	memset(&a, 0, sizeof(a));
	a.columns = count + tracks;
	for (size_t t = 0; t < tracks; t++)
		for (size_t j = 0; j < a.columns; j++) {
			float cost = j == count + t ? 0 : 1000;

			if (j < count && like[t][j] > 0)
				cost = -like[t][j];
			a.cost[t + 1][j + 1] = cost;
		}
	for (size_t t = 0; t < tracks; t++)
		assign_row(&a, (int)t + 1);
	for (size_t t = 0; t < tracks; t++)
		ret_detection[t] = -1;
	for (size_t j = 1; j <= count; j++)
		if (a.row_of[j] != 0 && like[a.row_of[j] - 1][j - 1] > 0)
			ret_detection[a.row_of[j] - 1] = (int)j - 1;
}

static void associate(struct eg_tracks *s, const struct eg_detection *found, size_t count,
		      float threshold, bool doubtful, int64_t now_ns, int *owner)
{
	float like[EG_TRACKS_MAX][EG_DETECTIONS_MAX] = {{0}};
	int detection[EG_TRACKS_MAX];

	for (size_t t = 0; t < s->count; t++) {
		const struct eg_tracked *track = &s->track[t];

		if (track->seen.in_view ||
		    (doubtful && now_ns - track->seen.last_seen_ns > DOUBTFUL_MS * EG_NS_PER_MS))
			continue;
		for (size_t d = 0; d < count; d++) {
			if (owner[d] >= 0 || (found[d].score < threshold) != doubtful ||
			    (doubtful &&
			     eg_box_overlap(track->expected, found[d].box) < DOUBTFUL_OVERLAP_MIN))
				continue;
			like[t][d] = likeness(track, &found[d], now_ns);
		}
	}
	assign(like, s->count, count, detection);
	for (size_t t = 0; t < s->count; t++) {
		if (detection[t] < 0)
			continue;
		eg_tracks_filter_see(&s->track[t].filter, found[detection[t]].box, now_ns);
		see(&s->track[t], &found[detection[t]], now_ns);
		owner[detection[t]] = (int)t;
	}
}

// ---- the frame --------------------------------------------------------------------------------

static bool has_left(const struct eg_tracks *s, const struct eg_tracked *t)
{
	const float x = t->expected.x + t->expected.width / 2;
	const float y = t->expected.y + t->expected.height / 2;

	return s->width > 0 && !t->seen.in_view &&
	       (x < 0 || y < 0 || x > s->width || y > s->height);
}

void eg_tracks_expect(struct eg_tracks *s, int64_t now_ns,
		      void (*drop)(void *user, struct eg_tracked *track), void *user)
{
	size_t kept = 0;

	for (size_t i = 0; i < s->count; i++) {
		struct eg_tracked *t = &s->track[i];
		int64_t age = now_ns - t->seen.last_seen_ns;
		bool old = age > EG_TRACK_TIMEOUT_MS * EG_NS_PER_MS || age < 0;

		if (!old)
			t->expected = eg_tracks_filter_at(&t->filter, now_ns);
		if (old || has_left(s, t)) {
			drop(user, t);
			continue;
		}
		if (kept != i)
			s->track[kept] = *t;
		kept++;
	}
	s->count = kept;
}

void eg_tracks_update(struct eg_tracks *s, const struct eg_detection *found, size_t count,
		      float threshold, int64_t now_ns, int *ret_owner)
{
	for (size_t i = 0; i < count; i++)
		ret_owner[i] = -1;
	for (size_t i = 0; i < s->count; i++)
		s->track[i].seen.in_view = false;
	associate(s, found, count, threshold, false, now_ns, ret_owner);
	associate(s, found, count, threshold, true, now_ns, ret_owner);
	for (size_t i = 0; i < count && s->count < EG_TRACKS_MAX; i++) {
		struct eg_tracked *t = &s->track[s->count];

		if (ret_owner[i] >= 0 || found[i].score < threshold)
			continue;
		*t = (struct eg_tracked){.seen.id = ++s->last_id, .seen.first_seen_ns = now_ns};
		t->seen.liveness.score = NAN;
		eg_tracks_filter_begin(&t->filter, found[i].box, now_ns);
		t->expected = found[i].box;
		see(t, &found[i], now_ns);
		ret_owner[i] = (int)s->count++;
	}
}
