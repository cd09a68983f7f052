// SPDX-License-Identifier: Apache-2.0
//
// See traveller.h.

#include "firmware/consoled/traveller.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define NEARER	  1.5  // so much larger a face takes the page over
#define FACE_STEP 0.01 // of the picture: less is no news

static const char *const state_names[TRAVELLER_STATE_COUNT] = {
	[TRAVELLER_IDLE] = "idle",
	[TRAVELLER_APPROACH] = "approach",
	[TRAVELLER_CAPTURE] = "capture",
	[TRAVELLER_DECIDING] = "deciding",
	[TRAVELLER_GO] = "go",
	[TRAVELLER_OFFICER] = "officer",
	[TRAVELLER_NO_CAMERA] = "no_camera",
	[TRAVELLER_OUT_OF_SERVICE] = "out_of_service",
};

static const struct {
	const char *page, *booth; // names there and here
} hint_names[] = {
	[TRAVELLER_HINT_NONE] = {"none", "none"},
	[TRAVELLER_HINT_CLOSER] = {"closer", "closer"},
	[TRAVELLER_HINT_BACK] = {"back", "back"},
	[TRAVELLER_HINT_LOOK_HERE] = {"look_here", "look_here"},
	[TRAVELLER_HINT_UNCOVER] = {"uncover", "uncover"},
	[TRAVELLER_HINT_MORE_LIGHT] = {"more_light", "more_light"},
	[TRAVELLER_HINT_LESS_LIGHT] = {"less_light", "less_light"},
	[TRAVELLER_HINT_ONE_PERSON] = {"one_person", "one_at_a_time"},
	[TRAVELLER_HINT_HOLD_STILL] = {"hold_still", "hold_still"},
};

// boothd's session states.
static const struct {
	const char *booth;
	enum traveller_state state;
} session_states[] = {
	{"approaching", TRAVELLER_APPROACH}, {"capturing", TRAVELLER_CAPTURE},
	{"deciding", TRAVELLER_DECIDING},    {"confirmed", TRAVELLER_GO},
	{"referred", TRAVELLER_OFFICER},
};

const char *traveller_state_name(enum traveller_state state)
{
	return (unsigned int)state < TRAVELLER_STATE_COUNT ? state_names[state] : "unknown";
}

const char *traveller_hint_name(enum traveller_hint hint)
{
	return (unsigned int)hint < TRAVELLER_HINT_COUNT ? hint_names[hint].page : "unknown";
}

enum traveller_hint traveller_hint_find(const char *name)
{
	for (int i = 0; i < TRAVELLER_HINT_COUNT; i++)
		if (strcmp(name, hint_names[i].booth) == 0)
			return (enum traveller_hint)i;
	return TRAVELLER_HINT_NONE;
}

// ---- whom the page is for -----------------------------------------------------------------------

static struct traveller_session *find(struct traveller *t, uint64_t number)
{
	for (size_t i = 0; number != 0 && i < TRAVELLER_SESSIONS_MAX; i++)
		if (t->session[i].number == number)
			return &t->session[i];
	return NULL;
}

static bool is_result(const struct traveller_session *s)
{
	return s->state == TRAVELLER_GO || s->state == TRAVELLER_OFFICER;
}

static bool is_active(const struct traveller_session *s)
{
	return s->number != 0 && !is_result(s);
}

// Of those under way the one with the largest face, then the one that came first. `far` false: only
// those of whom pictures are taken.
static struct traveller_session *nearest(struct traveller *t, bool far)
{
	struct traveller_session *best = NULL;

	for (size_t i = 0; i < TRAVELLER_SESSIONS_MAX; i++) {
		struct traveller_session *s = &t->session[i];

		if (!is_active(s) || (!far && s->state == TRAVELLER_APPROACH))
			continue;
		if (best == NULL || s->size > best->size ||
		    (s->size == best->size && s->number < best->number))
			best = s;
	}
	return best;
}

static int64_t result_end_ms(const struct traveller *t)
{
	return t->result_ms + (t->receipt[0] != '\0' ? TRAVELLER_RECEIPT_MS : TRAVELLER_RESULT_MS);
}

static struct traveller_session *choose(struct traveller *t, int64_t now_ms)
{
	struct traveller_session *shown = find(t, t->shown), *other;

	if (shown == NULL)
		return nearest(t, true);
	if (is_active(shown)) {
		other = nearest(t, true);
		return shown->size > 0 && other->size > NEARER * shown->size ? other : shown;
	}
	if (now_ms < t->result_ms + TRAVELLER_GLANCE_MS)
		return shown;
	other = nearest(t, false);
	if (other == NULL && (!shown->over || now_ms < result_end_ms(t)))
		return shown;
	return other != NULL ? other : nearest(t, true);
}

// Results nobody will see any more.
static void tidy(struct traveller *t)
{
	for (size_t i = 0; i < TRAVELLER_SESSIONS_MAX; i++)
		if (t->session[i].over && t->session[i].number != t->shown)
			t->session[i] = (struct traveller_session){0};
}

// ---- what it shows ------------------------------------------------------------------------------

static bool show_hint(struct traveller *t, const struct traveller_session *s, int64_t now_ms)
{
	bool asking = t->state == TRAVELLER_APPROACH || t->state == TRAVELLER_CAPTURE;
	enum traveller_hint wanted = asking ? s->hint : TRAVELLER_HINT_NONE;

	if (wanted == t->hint ||
	    (asking && t->hint != TRAVELLER_HINT_NONE && now_ms < t->hint_ms + TRAVELLER_HINT_MS))
		return false;
	t->hint = wanted;
	t->hint_ms = now_ms;
	return true;
}

static bool update(struct traveller *t, int64_t now_ms)
{
	struct traveller_session *s = choose(t, now_ms);
	enum traveller_state state = s != NULL ? s->state : TRAVELLER_IDLE;
	const char *encounter = s != NULL && is_result(s) ? s->encounter : "";
	bool other = t->shown != (s != NULL ? s->number : 0), changed;

	t->shown = s != NULL ? s->number : 0;
	tidy(t);
	if (!t->link || (!t->working && !t->resting))
		state = TRAVELLER_OUT_OF_SERVICE;
	else if (t->resting)
		state = TRAVELLER_NO_CAMERA;
	changed = state != t->state || other || strcmp(encounter, t->encounter) != 0;
	if (changed) {
		t->state = state;
		t->since_ms = now_ms;
		if (strcmp(encounter, t->encounter) != 0)
			t->receipt[0] = '\0';
		(void)snprintf(t->encounter, sizeof(t->encounter), "%s", encounter);
		t->face = (struct traveller_face){0};
	}
	return show_hint(t, s, now_ms) || changed;
}

void traveller_init(struct traveller *t, int64_t now_ms)
{
	*t = (struct traveller){.state = TRAVELLER_OUT_OF_SERVICE, .since_ms = now_ms};
}

bool traveller_link(struct traveller *t, bool up, int64_t now_ms)
{
	t->link = up;
	if (!up)
		memset(t->session, 0, sizeof(t->session)); // another boothd counts anew
	return update(t, now_ms);
}

bool traveller_camera(struct traveller *t, bool working, bool resting, int64_t now_ms)
{
	t->working = working;
	t->resting = resting;
	if (resting)
		memset(t->session, 0, sizeof(t->session));
	return update(t, now_ms);
}

// A row for a new session: a free one, else that of a result.
static struct traveller_session *make(struct traveller *t, uint64_t number)
{
	struct traveller_session *row = &t->session[0];

	for (size_t i = 0; i < TRAVELLER_SESSIONS_MAX; i++) {
		struct traveller_session *s = &t->session[i];

		if (s->number == 0 || (is_result(s) && row->number != 0 && !is_result(row)))
			row = s;
		if (s->number == 0)
			break;
	}
	*row = (struct traveller_session){.number = number, .state = TRAVELLER_APPROACH};
	return row;
}

// A verdict takes the page, unless somebody else was just told to see the officer.
static void take_page(struct traveller *t, const struct traveller_session *s, int64_t now_ms)
{
	const struct traveller_session *shown = find(t, t->shown);

	if (shown != NULL && shown != s && shown->state == TRAVELLER_OFFICER &&
	    now_ms < t->result_ms + TRAVELLER_GLANCE_MS)
		return;
	t->shown = s->number;
	t->result_ms = now_ms;
}

bool traveller_session(struct traveller *t, uint64_t number, uint32_t track, const char *state,
		       const char *encounter, int64_t now_ms)
{
	struct traveller_session *s = find(t, number);
	bool result;

	if (number == 0 || t->resting)
		return false;
	if (strcmp(state, "over") == 0) {
		if (s != NULL && is_result(s))
			s->over = true;
		else if (s != NULL)
			*s = (struct traveller_session){0};
		return update(t, now_ms);
	}
	s = s != NULL ? s : make(t, number);
	result = is_result(s);
	s->track = track;
	for (size_t i = 0; i < sizeof(session_states) / sizeof(session_states[0]); i++)
		if (strcmp(state, session_states[i].booth) == 0) // "leaving" changes nothing
			s->state = session_states[i].state;
	if (encounter != NULL)
		(void)snprintf(s->encounter, sizeof(s->encounter), "%s", encounter);
	if (is_result(s) && !result)
		take_page(t, s, now_ms);
	return update(t, now_ms);
}

bool traveller_hint(struct traveller *t, uint64_t number, enum traveller_hint hint, int64_t now_ms)
{
	struct traveller_session *s = find(t, number);

	if (s != NULL)
		s->hint = hint;
	return update(t, now_ms);
}

bool traveller_let_go(struct traveller *t, const char *encounter, int64_t now_ms)
{
	struct traveller_session *s = find(t, t->shown);

	if (s == NULL || s->state != TRAVELLER_OFFICER || strcmp(s->encounter, encounter) != 0)
		return false;
	s->state = TRAVELLER_GO;
	t->result_ms = now_ms;
	return update(t, now_ms);
}

bool traveller_receipt(struct traveller *t, const char *encounter, const char *text, int64_t now_ms)
{
	if (t->state != TRAVELLER_GO || strcmp(t->encounter, encounter) != 0 ||
	    strlen(text) >= sizeof(t->receipt) || strcmp(t->receipt, text) == 0)
		return false;
	(void)snprintf(t->receipt, sizeof(t->receipt), "%s", text);
	t->result_ms = now_ms; // time to scan it from now on
	return true;
}

bool traveller_tick(struct traveller *t, int64_t now_ms)
{
	return update(t, now_ms);
}

int64_t traveller_next_ms(const struct traveller *t)
{
	const struct traveller_session *s = find((struct traveller *)t, t->shown);
	int64_t next = INT64_MAX;

	if (s == NULL)
		return next;
	if (is_active(s))
		return s->hint != t->hint && t->hint != TRAVELLER_HINT_NONE
			       ? t->hint_ms + TRAVELLER_HINT_MS
			       : next;
	if (nearest((struct traveller *)t, false) != NULL)
		next = t->result_ms + TRAVELLER_GLANCE_MS;
	else if (s->over)
		next = result_end_ms(t);
	return next;
}

// ---- faces --------------------------------------------------------------------------------------

static bool moved(const struct traveller_face *a, const struct traveller_face *b)
{
	return a->there != b->there || fabs(a->x - b->x) > FACE_STEP ||
	       fabs(a->y - b->y) > FACE_STEP || fabs(a->width - b->width) > FACE_STEP ||
	       fabs(a->height - b->height) > FACE_STEP;
}

uint32_t traveller_track(const struct traveller *t)
{
	const struct traveller_session *s = find((struct traveller *)t, t->shown);

	return s != NULL && is_active(s) ? s->track : 0;
}

// The face the page is for. A track may break and go on under another number before boothd says so:
// then the only face that is served is the one.
static const struct traveller_seen *own(const struct traveller *t,
					const struct traveller_seen *seen, size_t count)
{
	uint32_t track = traveller_track(t);
	const struct traveller_seen *only = NULL;
	size_t served = 0;

	for (size_t i = 0; track != 0 && i < count; i++) {
		if (!seen[i].served)
			continue;
		if (seen[i].track == track)
			return &seen[i];
		only = &seen[i];
		served++;
	}
	return served == 1 ? only : NULL;
}

bool traveller_seen(struct traveller *t, const struct traveller_seen *seen, size_t count)
{
	struct traveller_face face = {0};
	const struct traveller_seen *mine;

	for (size_t i = 0; i < TRAVELLER_SESSIONS_MAX; i++)
		for (size_t k = 0; k < count; k++)
			if (seen[k].track == t->session[i].track)
				t->session[i].size = seen[k].width * seen[k].height;
	mine = own(t, seen, count);
	if (mine != NULL) {
		find(t, t->shown)->track = mine->track;
		face = (struct traveller_face){true, 1 - mine->x - mine->width, mine->y,
					       mine->width, mine->height};
	}
	if (!moved(&face, &t->face))
		return false;
	t->face = face;
	return true;
}
