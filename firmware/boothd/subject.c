// SPDX-License-Identifier: Apache-2.0

#include "firmware/boothd/subject.h"

#include <string.h>

#include "firmware/base/mem.h"

struct eg_subjects *eg_subjects_new(void)
{
	return eg_secret_alloc(sizeof(struct eg_subjects));
}

void eg_subjects_free(struct eg_subjects *subjects)
{
	if (subjects == NULL)
		return;
	eg_subjects_drop_all(subjects);
	eg_secret_free(subjects, sizeof(*subjects));
}

struct eg_subject *eg_subject_find(struct eg_subjects *subjects, uint32_t track)
{
	size_t i;

	for (i = 0; i < EG_TRACKS_MAX; i++)
		if (subjects->subject[i].used && subjects->subject[i].track == track)
			return &subjects->subject[i];
	return NULL;
}

struct eg_subject *eg_subject_get(struct eg_subjects *subjects, uint32_t track)
{
	struct eg_subject *subject = eg_subject_find(subjects, track);
	size_t i;

	for (i = 0; subject == NULL && i < EG_TRACKS_MAX; i++) {
		if (subjects->subject[i].used)
			continue;
		subject = &subjects->subject[i];
		subject->used = true;
		subject->track = track;
	}
	return subject;
}

bool eg_subject_has(const struct eg_subject *subject, uint64_t sequence)
{
	size_t i;

	for (i = 0; i < subject->count; i++)
		if (subject->sequence[i] == sequence)
			return true;
	return false;
}

void eg_subject_add(struct eg_subject *subject, uint64_t sequence, float weight,
		    const struct eg_template *shot)
{
	size_t i, at = subject->count;

	if (at == EG_SUBJECT_SHOTS) {
		for (at = 0, i = 1; i < EG_SUBJECT_SHOTS; i++)
			if (subject->weight[i] < subject->weight[at])
				at = i;
		if (subject->weight[at] >= weight) {
			// Seen, but no better than what is there: remember that it was seen.
			subject->sequence[at] = sequence;
			return;
		}
	} else {
		subject->count++;
	}
	subject->sequence[at] = sequence;
	subject->weight[at] = weight;
	subject->shot[at] = *shot;
}

int eg_subject_fuse(struct eg_subject *subject)
{
	const struct eg_template *shots[EG_SUBJECT_SHOTS];
	size_t i;
	int r;

	for (i = 0; i < subject->count; i++)
		shots[i] = &subject->shot[i];
	r = eg_template_fuse(shots, subject->weight, subject->count, &subject->fused);
	subject->has_fused = r == 0;
	return r;
}

void eg_subject_finish(struct eg_subject *subject)
{
	subject->done = true;
	subject->count = 0;
	subject->claimed = false;
	eg_wipe(subject->shot, sizeof(subject->shot));
	eg_document_wipe(&subject->claim);
}

void eg_subject_drop(struct eg_subjects *subjects, struct eg_subject *subject)
{
	if (subject->done && subject->has_fused) {
		struct eg_served *slot = &subjects->served[subjects->next_served];

		slot->fused = subject->fused;
		slot->last_seen_ns = subject->last_seen_ns;
		memcpy(slot->named, subject->named, sizeof(slot->named));
		subjects->next_served = (subjects->next_served + 1) % EG_SERVED_MAX;
	}
	eg_book_unref(subject->book);
	eg_wipe(subject, sizeof(*subject));
}

static bool same_person(const struct eg_template *a, const char *a_name,
			const struct eg_template *b, const char *b_name, float threshold)
{
	float score;

	return strcmp(a_name, b_name) == 0 && eg_template_compare(a, b, &score) == 0 &&
	       score >= threshold;
}

void eg_subject_renew(struct eg_subjects *subjects, struct eg_subject *subject, float threshold)
{
	size_t i;

	for (i = 0; i < EG_SERVED_MAX; i++) {
		struct eg_served *s = &subjects->served[i];

		if (s->last_seen_ns != 0 && subject->has_fused &&
		    same_person(&subject->fused, subject->named, &s->fused, s->named, threshold))
			eg_wipe(s, sizeof(*s));
	}
	eg_book_unref(subject->book);
	eg_wipe(subject, sizeof(*subject));
}

void eg_subjects_drop_all(struct eg_subjects *subjects)
{
	size_t i;

	for (i = 0; i < EG_TRACKS_MAX; i++)
		if (subjects->subject[i].used)
			eg_subject_drop(subjects, &subjects->subject[i]);
	eg_wipe(subjects->served, sizeof(subjects->served));
}

void eg_subjects_blinked(struct eg_subjects *subjects, int64_t now_ns)
{
	size_t i;

	for (i = 0; i < EG_TRACKS_MAX; i++)
		if (subjects->subject[i].used)
			eg_subject_drop(subjects, &subjects->subject[i]);
	for (i = 0; i < EG_SERVED_MAX; i++)
		if (subjects->served[i].last_seen_ns != 0)
			subjects->served[i].last_seen_ns = now_ns;
}

static bool soon_after(int64_t last_seen_ns, int64_t first_seen_ns, int64_t window_ns)
{
	return first_seen_ns >= last_seen_ns && first_seen_ns - last_seen_ns <= window_ns;
}

bool eg_subjects_served(const struct eg_subjects *subjects, const struct eg_template *probe,
			const char *named, float threshold, int64_t first_seen_ns,
			int64_t window_ns)
{
	size_t i;

	for (i = 0; i < EG_SERVED_MAX; i++) {
		const struct eg_served *s = &subjects->served[i];

		if (s->last_seen_ns != 0 && soon_after(s->last_seen_ns, first_seen_ns, window_ns) &&
		    same_person(probe, named, &s->fused, s->named, threshold))
			return true;
	}
	// A track is kept for a moment after its face was seen last: not dropped yet, but gone.
	for (i = 0; i < EG_TRACKS_MAX; i++) {
		const struct eg_subject *s = &subjects->subject[i];

		if (s->used && s->done && s->has_fused &&
		    soon_after(s->last_seen_ns, first_seen_ns, window_ns) &&
		    same_person(probe, named, &s->fused, s->named, threshold))
			return true;
	}
	return false;
}

void eg_subjects_age(struct eg_subjects *subjects, int64_t now_ns, int64_t window_ns)
{
	size_t i;

	for (i = 0; i < EG_SERVED_MAX; i++)
		if (subjects->served[i].last_seen_ns != 0 &&
		    now_ns - subjects->served[i].last_seen_ns > 4 * window_ns)
			eg_wipe(&subjects->served[i], sizeof(subjects->served[i]));
}
