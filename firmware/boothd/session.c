// SPDX-License-Identifier: Apache-2.0
//
// Pure: see session.h. Budgets come from design.md §6: verdict p95 within 1 s of the first usable
// face, hard stop after 6 s of trying, 20 s at most before the officer is asked.

#include "firmware/boothd/session.h"

#include <assert.h>
#include <math.h>

#define CROWD_HOLD_MS 1000 // so long after the other person was last seen, there is a crowd

const struct eg_session_policy eg_session_defaults = {
	.needs_document = false,
	.needs_liveness = true,
	.liveness_min = 0.5f,
	.liveness_frames = 2,
	.confirm_shots = 2,
	.refer_shots = 4,
	.refer_ms = 1500,
	.try_ms = 6000,
	.patience_ms = 20000,
	.presence_ms = 1000,
	.show_ms = 3000,
	.misreads = 3,
};

static const char *const state_names[EG_SESSION_STATE_COUNT] = {
	[EG_SESSION_IDLE] = "idle",	      [EG_SESSION_APPROACHING] = "approaching",
	[EG_SESSION_CAPTURING] = "capturing", [EG_SESSION_DECIDING] = "deciding",
	[EG_SESSION_CONFIRMED] = "confirmed", [EG_SESSION_REFERRED] = "referred",
	[EG_SESSION_LEAVING] = "leaving",     [EG_SESSION_OVER] = "over",
};

const char *eg_session_state_name(enum eg_session_state state)
{
	assert(state < EG_SESSION_STATE_COUNT);
	return state_names[state];
}

#define BIT(event) (1u << (EG_SESSION_##event))

// Which events may come in which state. An attempt is legal only while one is under way, or after
// the session was ended by something faster than the comparison.
static const unsigned int legal[EG_SESSION_STATE_COUNT] = {
	[EG_SESSION_IDLE] = BIT(SEEN) | BIT(TICK),
	[EG_SESSION_APPROACHING] = BIT(SEEN) | BIT(SHOT) | BIT(CLAIM) | BIT(MISREAD) | BIT(CROWD) |
				   BIT(OPT_OUT) | BIT(LOST) | BIT(FAULT) | BIT(TICK),
	[EG_SESSION_CAPTURING] = BIT(SEEN) | BIT(SHOT) | BIT(CLAIM) | BIT(MISREAD) | BIT(CROWD) |
				 BIT(OPT_OUT) | BIT(LOST) | BIT(FAULT) | BIT(TICK),
	[EG_SESSION_DECIDING] = BIT(SEEN) | BIT(SHOT) | BIT(ATTEMPT) | BIT(CLAIM) | BIT(MISREAD) |
				BIT(CROWD) | BIT(OPT_OUT) | BIT(LOST) | BIT(FAULT) | BIT(TICK),
	[EG_SESSION_CONFIRMED] = BIT(SEEN) | BIT(SHOT) | BIT(ATTEMPT) | BIT(CLAIM) | BIT(MISREAD) |
				 BIT(CROWD) | BIT(OPT_OUT) | BIT(LOST) | BIT(FAULT) | BIT(TICK),
	[EG_SESSION_REFERRED] = BIT(SEEN) | BIT(SHOT) | BIT(ATTEMPT) | BIT(CLAIM) | BIT(MISREAD) |
				BIT(CROWD) | BIT(OPT_OUT) | BIT(LOST) | BIT(FAULT) | BIT(TICK),
	[EG_SESSION_LEAVING] = BIT(SEEN) | BIT(SHOT) | BIT(ATTEMPT) | BIT(CLAIM) | BIT(MISREAD) |
			       BIT(CROWD) | BIT(OPT_OUT) | BIT(LOST) | BIT(FAULT) | BIT(TICK),
	[EG_SESSION_OVER] = BIT(ATTEMPT),
};

bool eg_session_legal(enum eg_session_state state, enum eg_session_event event)
{
	return state < EG_SESSION_STATE_COUNT && event < EG_SESSION_EVENT_COUNT &&
	       (legal[state] & (1u << event)) != 0;
}

static bool serving(const struct eg_session *s)
{
	return s->state == EG_SESSION_APPROACHING || s->state == EG_SESSION_CAPTURING ||
	       s->state == EG_SESSION_DECIDING;
}

static unsigned int refer(struct eg_session *s, enum eg_cause cause, int64_t now_ms)
{
	if (s->tried)
		s->verdict = s->last.verdict;
	else
		s->verdict = (struct eg_verdict){.entry = -1, .score = NAN, .second = NAN};
	s->verdict.kind = EG_VERDICT_REFER;
	s->verdict.cause = cause;
	s->verdict_ms = now_ms;
	s->state = EG_SESSION_REFERRED;
	return EG_SESSION_DO_RECORD | EG_SESSION_DO_BLUE | EG_SESSION_DO_ANNOUNCE |
	       EG_SESSION_DO_FORGET;
}

static unsigned int confirm(struct eg_session *s, int64_t now_ms)
{
	s->verdict = s->last.verdict;
	s->verdict_ms = now_ms;
	s->state = EG_SESSION_CONFIRMED;
	return EG_SESSION_DO_RECORD | EG_SESSION_DO_GREEN | EG_SESSION_DO_ANNOUNCE |
	       EG_SESSION_DO_FORGET;
}

static unsigned int over(struct eg_session *s)
{
	s->state = EG_SESSION_OVER;
	return EG_SESSION_DO_DARK | EG_SESSION_DO_ANNOUNCE | EG_SESSION_DO_FORGET;
}

static unsigned int try_now(struct eg_session *s, const struct eg_session_policy *policy)
{
	if (policy->needs_document && !s->claimed)
		return 0;
	s->state = EG_SESSION_DECIDING;
	s->more = false;
	return EG_SESSION_DO_TRY | EG_SESSION_DO_ANNOUNCE;
}

static bool crowded(const struct eg_session *s, int64_t now_ms)
{
	return s->crowd_ms != 0 && now_ms - s->crowd_ms < CROWD_HOLD_MS;
}

// Why the officer gets this one when time is up.
static enum eg_cause cause_so_far(const struct eg_session *s,
				  const struct eg_session_policy *policy, int64_t now_ms)
{
	if (crowded(s, now_ms))
		return EG_CAUSE_SEVERAL_PEOPLE;
	if (policy->needs_document && !s->claimed)
		return EG_CAUSE_DOCUMENT_UNREADABLE;
	if (!s->tried)
		return s->usable_ms != 0 ? EG_CAUSE_SYSTEM_FAULT : EG_CAUSE_POOR_CAPTURE;
	if (s->last.verdict.kind == EG_VERDICT_CONFIRMED)
		return policy->needs_liveness ? EG_CAUSE_LIVENESS_DOUBT : EG_CAUSE_POOR_CAPTURE;
	if (s->last.verdict.cause == EG_CAUSE_NONE)
		return EG_CAUSE_SYSTEM_FAULT;
	return s->last.verdict.cause;
}

static bool alive(const struct eg_attempt *a, const struct eg_session_policy *policy)
{
	// !(x >= min) also holds for NaN: not measured is not alive.
	return !policy->needs_liveness || (a->liveness.frames >= policy->liveness_frames &&
					   a->liveness.score >= policy->liveness_min);
}

bool eg_session_outdated(const struct eg_session *session, const struct eg_attempt *attempt)
{
	return session->claimed && attempt->verdict.mode != EG_MODE_VERIFY &&
	       attempt->verdict.cause != EG_CAUSE_SYSTEM_FAULT;
}

static unsigned int on_attempt(struct eg_session *s, const struct eg_session_policy *policy,
			       const struct eg_attempt *attempt, int64_t now_ms)
{
	bool enough;

	if (eg_session_outdated(s, attempt))
		return s->gone ? refer(s, cause_so_far(s, policy, now_ms), now_ms)
			       : try_now(s, policy);
	s->last = *attempt;
	s->tried = true;
	if (attempt->served_before) {
		// Not over while the face is there: it would only begin again.
		s->state = EG_SESSION_LEAVING;
		return s->gone ? over(s) : EG_SESSION_DO_ANNOUNCE | EG_SESSION_DO_FORGET;
	}
	if (attempt->stale)
		return refer(s, EG_CAUSE_MANIFEST_STALE, now_ms);
	if (attempt->verdict.kind == EG_VERDICT_CONFIRMED && !crowded(s, now_ms) &&
	    attempt->shots >= policy->confirm_shots && alive(attempt, policy))
		return confirm(s, now_ms);

	// A fault and a claim that names nobody do not get better with more pictures.
	if (attempt->verdict.cause == EG_CAUSE_SYSTEM_FAULT ||
	    attempt->verdict.cause == EG_CAUSE_NO_REFERENCE ||
	    (s->claimed && attempt->verdict.cause == EG_CAUSE_NOT_ON_MANIFEST))
		return refer(s, attempt->verdict.cause, now_ms);

	enough = attempt->shots >= policy->refer_shots && now_ms - s->usable_ms >= policy->refer_ms;
	if (enough && (attempt->verdict.kind != EG_VERDICT_CONFIRMED || !alive(attempt, policy)))
		return refer(s, cause_so_far(s, policy, now_ms), now_ms);

	s->state = EG_SESSION_CAPTURING;
	if (s->more)
		return try_now(s, policy);
	return s->gone ? refer(s, cause_so_far(s, policy, now_ms), now_ms) : 0;
}

static unsigned int on_tick(struct eg_session *s, const struct eg_session_policy *policy,
			    int64_t now_ms)
{
	if (serving(s)) {
		bool waits_for_document = policy->needs_document && !s->claimed;

		if (s->usable_ms != 0 && !waits_for_document &&
		    now_ms - s->usable_ms >= policy->try_ms)
			return refer(s, cause_so_far(s, policy, now_ms), now_ms);
		if (now_ms - s->seen_ms >= policy->patience_ms)
			return refer(s, cause_so_far(s, policy, now_ms), now_ms);
		if (s->state != EG_SESSION_CAPTURING || !s->tried)
			return 0;
		// Nothing new to look at, but the wait for a final "no" is over, or the other
		// person has left: look once more.
		if (s->last.shots >= policy->refer_shots &&
		    now_ms - s->usable_ms >= policy->refer_ms)
			return try_now(s, policy);
		if (s->crowd_ms != 0 && !crowded(s, now_ms)) {
			s->crowd_ms = 0;
			return try_now(s, policy);
		}
		return 0;
	}
	if ((s->state == EG_SESSION_CONFIRMED || s->state == EG_SESSION_REFERRED) &&
	    now_ms - s->verdict_ms >= policy->show_ms) {
		if (s->gone)
			return over(s);
		s->state = EG_SESSION_LEAVING;
		return EG_SESSION_DO_DARK | EG_SESSION_DO_ANNOUNCE;
	}
	return 0;
}

static unsigned int on_lost(struct eg_session *s, const struct eg_session_policy *policy,
			    int64_t now_ms)
{
	s->gone = true;
	switch (s->state) {
	case EG_SESSION_APPROACHING:
		// A track is kept for a moment after its face was seen last: that does not count.
		if (s->last_seen_ms - s->seen_ms < policy->presence_ms)
			return over(s);
		return refer(s, cause_so_far(s, policy, now_ms), now_ms);
	case EG_SESSION_CAPTURING:
		return refer(s, cause_so_far(s, policy, now_ms), now_ms);
	case EG_SESSION_LEAVING:
		return over(s);
	default: // deciding: the comparison under way ends it; a verdict is shown: tick ends it
		return 0;
	}
}

unsigned int eg_session_step(struct eg_session *session, const struct eg_session_policy *policy,
			     enum eg_session_event event, const struct eg_attempt *attempt,
			     int64_t now_ms)
{
	struct eg_session *s = session;

	assert(eg_session_legal(s->state, event));
	assert((event == EG_SESSION_ATTEMPT) == (attempt != NULL));

	switch (event) {
	case EG_SESSION_SEEN:
		s->last_seen_ms = now_ms;
		if (s->state != EG_SESSION_IDLE)
			return 0;
		s->seen_ms = now_ms;
		s->state = EG_SESSION_APPROACHING;
		return EG_SESSION_DO_ANNOUNCE;
	case EG_SESSION_SHOT:
		if (!serving(s))
			return 0;
		if (s->usable_ms == 0)
			s->usable_ms = now_ms;
		if (s->state == EG_SESSION_DECIDING) {
			s->more = true;
			return 0;
		}
		s->state = EG_SESSION_CAPTURING;
		return try_now(s, policy);
	case EG_SESSION_ATTEMPT:
		return s->state == EG_SESSION_DECIDING ? on_attempt(s, policy, attempt, now_ms) : 0;
	case EG_SESSION_CLAIM:
		if (!serving(s))
			return 0;
		s->claimed = true;
		s->tried = false; // what was compared before says nothing about the document
		return s->state == EG_SESSION_CAPTURING ? try_now(s, policy) : 0;
	case EG_SESSION_MISREAD:
		if (!serving(s) || ++s->misread_count < policy->misreads || !policy->needs_document)
			return 0;
		return refer(s, EG_CAUSE_DOCUMENT_UNREADABLE, now_ms);
	case EG_SESSION_CROWD:
		s->crowd_ms = now_ms;
		return 0;
	case EG_SESSION_OPT_OUT:
		return serving(s) ? refer(s, EG_CAUSE_OPTED_OUT, now_ms) : 0;
	case EG_SESSION_LOST:
		return on_lost(s, policy, now_ms);
	case EG_SESSION_FAULT:
		if (serving(s) || s->state == EG_SESSION_CONFIRMED)
			return refer(s, EG_CAUSE_SYSTEM_FAULT, now_ms);
		return 0;
	default:
		return on_tick(s, policy, now_ms);
	}
}
