// SPDX-License-Identifier: Apache-2.0
//
// Serves travellers: turns views and results into events of each session, and carries out what the
// session asks for. In booth mode one traveller is served at a time, in jet-bridge mode whoever is
// in the zone.

#include "firmware/boothd/booth.h"

#include <math.h>
#include <string.h>

#include "firmware/base/log.h"
#include "firmware/base/mem.h"

#define PENDING_MS 10000 // a document waits so long for its traveller
#define CROWD_MS   500	 // a second person must stay this long before it counts

static void act(struct eg_booth *b, struct eg_slot *slot, unsigned int actions);

static int64_t now_ms(const struct eg_booth *b)
{
	return eg_boot_ms(b->clock);
}

static struct eg_slot *slot_of(struct eg_booth *b, uint32_t track)
{
	size_t i;

	for (i = 0; i < EG_TRACKS_MAX; i++)
		if (b->slot[i].used && b->slot[i].track == track)
			return &b->slot[i];
	return NULL;
}

static void free_slot(struct eg_slot *slot)
{
	if (slot->has_result)
		eg_worker_result_done(&slot->result);
	eg_wipe(slot, sizeof(*slot));
}

static void feed(struct eg_booth *b, struct eg_slot *slot, enum eg_session_event event,
		 const struct eg_attempt *attempt)
{
	unsigned int actions;

	if (!eg_session_legal(slot->session.state, event))
		return;
	actions = eg_session_step(&slot->session, &b->policy, event, attempt, now_ms(b));
	act(b, slot, actions);
	if (slot->session.state == EG_SESSION_OVER)
		free_slot(slot);
}

// One light for all who are shown a verdict right now: blue wins, for nobody who was referred may
// take another one's green for his own. Called after every change and at each tick, so that a light
// that could not be set is set later.
static void show_light(struct eg_booth *b)
{
	enum eg_light light = EG_LIGHT_OFF;
	struct eg_err err = EG_ERR_INIT;
	size_t i;

	for (i = 0; i < EG_TRACKS_MAX; i++) {
		const struct eg_slot *slot = &b->slot[i];

		if (slot->used && slot->session.state == EG_SESSION_REFERRED)
			light = EG_LIGHT_BLUE;
		else if (slot->used && slot->session.state == EG_SESSION_CONFIRMED &&
			 light == EG_LIGHT_OFF)
			light = EG_LIGHT_GREEN;
	}
	if (b->signal_ops->get(b->signal) == light)
		return;
	if (b->signal_ops->set(b->signal, light, &err) != 0)
		eg_booth_fault(b, err.text);
}

// Whoever was confirmed by the face alone may still hold out a document: it is not the next one's.
static void remember_papers(struct eg_booth *b, const struct eg_slot *slot)
{
	size_t i, at = 0;

	if (slot->has_claim || !slot->has_result)
		return;
	for (i = 1; i < EG_TRACKS_MAX; i++) // a free one, else the one that ends first
		if (b->named[i].until_ms < b->named[at].until_ms)
			at = i;
	b->named[at].papers = slot->result.papers;
	memcpy(b->named[at].salt, slot->result.salt, sizeof(b->named[at].salt));
	b->named[at].until_ms = now_ms(b) + PENDING_MS;
}

// The record first, the light only when it is on disk. A record that cannot be written turns a
// confirmation into a referral; one that cannot be written either is kept, sealed, until it can be
// (record.c), while the officer's light and the fault stand.
static void record(struct eg_booth *b, struct eg_slot *slot, unsigned int *actions)
{
	char id[EG_ID_TEXT_MAX] = "";
	struct eg_err err = EG_ERR_INIT;

	if (eg_record_write(b, slot, id, &err) != 0) {
		(void)eg_err_prefix(&err, err.code, "a record could not be written");
		eg_booth_fault(b, err.text);
		if (slot->session.state == EG_SESSION_CONFIRMED) {
			*actions = eg_session_step(&slot->session, &b->policy, EG_SESSION_FAULT,
						   NULL, now_ms(b));
			eg_ignore(eg_record_write(b, slot, id, &err)); // the fault stands
		}
	}
	if (slot->session.state == EG_SESSION_CONFIRMED) {
		b->confirmed++;
		remember_papers(b, slot);
	} else {
		b->referred++;
	}
	eg_live_state(b, slot, id);
	eg_live_kick_sync(b);
}

static void act(struct eg_booth *b, struct eg_slot *slot, unsigned int actions)
{
	if ((actions & EG_SESSION_DO_TRY) != 0 && eg_worker_try(b->worker, slot->track) != 0)
		actions |= eg_session_step(&slot->session, &b->policy, EG_SESSION_FAULT, NULL,
					   now_ms(b));
	if ((actions & EG_SESSION_DO_RECORD) != 0)
		record(b, slot, &actions);
	else if ((actions & EG_SESSION_DO_ANNOUNCE) != 0)
		eg_live_state(b, slot, NULL);
	if ((actions & (EG_SESSION_DO_GREEN | EG_SESSION_DO_BLUE | EG_SESSION_DO_DARK)) != 0)
		show_light(b);
	if ((actions & EG_SESSION_DO_FORGET) != 0) {
		if (eg_worker_forget(b->worker, slot->track) != 0)
			eg_booth_fault(b, "vision: its queue of commands is full");
		if (slot->has_result)
			eg_worker_result_done(&slot->result);
		slot->has_result = false;
	}
}

static bool serving(const struct eg_slot *slot)
{
	return slot->used && (slot->session.state == EG_SESSION_APPROACHING ||
			      slot->session.state == EG_SESSION_CAPTURING ||
			      slot->session.state == EG_SESSION_DECIDING);
}

static size_t serving_count(const struct eg_booth *b)
{
	size_t i, count = 0;

	for (i = 0; i < EG_TRACKS_MAX; i++)
		count += serving(&b->slot[i]);
	return count;
}

bool eg_lane_serving(const struct eg_booth *booth)
{
	return serving_count(booth) > 0;
}

// The document goes on to the session that begins: it is the same traveller's.
int eg_lane_again(struct eg_booth *booth, uint32_t track)
{
	struct eg_slot *slot = slot_of(booth, track);
	int r;

	if (slot == NULL || slot->session.gone)
		return EG_ENOENT;
	r = eg_worker_renew(booth->worker, track);
	if (r == 0 && slot->has_claim) {
		booth->pending = slot->claim;
		booth->pending_until_ms = now_ms(booth) + PENDING_MS;
		slot->has_claim = false;
		eg_document_wipe(&slot->claim);
	}
	return r;
}

static bool same_document(const struct eg_document *a, const struct eg_document *b)
{
	if (a->kind != b->kind)
		return false;
	if (a->kind == EG_DOCUMENT_MRZ)
		return strcmp(a->mrz.issuer, b->mrz.issuer) == 0 &&
		       strcmp(a->mrz.number, b->mrz.number) == 0;
	return a->pass.leg_count > 0 && b->pass.leg_count > 0 &&
	       strcmp(a->pass.legs[0].pnr, b->pass.legs[0].pnr) == 0 &&
	       strcmp(a->pass.legs[0].sequence, b->pass.legs[0].sequence) == 0;
}

static void claim(struct eg_booth *b, struct eg_slot *slot, const struct eg_document *document)
{
	slot->claim = *document;
	slot->has_claim = true;
	if (slot->has_result)
		eg_worker_result_done(&slot->result);
	slot->has_result = false;
	if (eg_worker_claim(b->worker, slot->track, document) != 0)
		feed(b, slot, EG_SESSION_FAULT, NULL);
	else
		feed(b, slot, EG_SESSION_CLAIM, NULL);
}

static void drop_pending(struct eg_booth *b)
{
	eg_document_wipe(&b->pending);
	b->pending_until_ms = 0;
}

static void place(const struct eg_booth *b, struct eg_slot *slot, const struct eg_view_track *track)
{
	slot->last_frame = b->view.sequence;
	if (b->view.width == 0)
		return;
	slot->x = ((double)track->box.x + (double)track->box.width / 2) / b->view.width;
	slot->y = ((double)track->box.y + (double)track->box.height / 2) / b->view.height;
}

static struct eg_slot *new_slot(struct eg_booth *b, const struct eg_view_track *track)
{
	struct eg_slot *slot = NULL;
	size_t i;

	for (i = 0; slot == NULL && i < EG_TRACKS_MAX; i++)
		if (!b->slot[i].used)
			slot = &b->slot[i];
	if (slot == NULL)
		return NULL;
	slot->used = true;
	slot->track = track->id;
	slot->number = ++b->sessions;
	slot->first_frame = b->view.sequence;
	slot->seen_wall_ms = eg_wall_ms(b->clock);
	place(b, slot, track);
	feed(b, slot, EG_SESSION_SEEN, NULL);
	return slot;
}

// In booth mode a second person in the zone is not served; if that one stays, the first is told,
// and is referred when time runs out.
static void crowd(struct eg_booth *b, const struct eg_view_track *other)
{
	size_t i;

	if (b->view.captured_ns - other->first_seen_ns < CROWD_MS * EG_NS_PER_MS)
		return;
	for (i = 0; i < EG_TRACKS_MAX; i++)
		if (serving(&b->slot[i]))
			feed(b, &b->slot[i], EG_SESSION_CROWD, NULL);
}

static bool in_view(const struct eg_view *view, uint32_t track, const struct eg_view_track **ret)
{
	size_t i;

	for (i = 0; i < view->count; i++) {
		if (view->track[i].id != track)
			continue;
		*ret = &view->track[i];
		return true;
	}
	return false;
}

static void update(struct eg_booth *b, struct eg_slot *slot, const struct eg_view_track *track)
{
	if (track->in_view) {
		place(b, slot, track);
		feed(b, slot, EG_SESSION_SEEN, NULL);
	}
	if (track->in_view && track->in_zone && track->shots > 0 &&
	    track->newest_shot != slot->newest_shot) {
		slot->newest_shot = track->newest_shot;
		if (slot->usable_wall_ms == 0)
			slot->usable_wall_ms = eg_wall_ms(b->clock);
		// A document that waits is for the first one whose face can be compared, not for
		// whatever flits through the picture.
		if (serving(slot) && !slot->session.claimed && b->pending_until_ms > now_ms(b)) {
			claim(b, slot, &b->pending);
			drop_pending(b);
		}
		feed(b, slot, EG_SESSION_SHOT, NULL);
	}
	if (slot->used && serving(slot) && track->hint != slot->hint) {
		slot->hint = track->hint;
		eg_live_hint(b, slot);
	}
}

// Of those in the zone who have no session: the one nearest to the camera; NULL when there is none.
static const struct eg_view_track *next_in_line(struct eg_booth *b)
{
	const struct eg_view_track *best = NULL;
	size_t i;

	for (i = 0; i < b->view.count; i++) {
		const struct eg_view_track *track = &b->view.track[i];

		if (track->in_view && track->in_zone && slot_of(b, track->id) == NULL &&
		    (best == NULL || track->box.width > best->box.width))
			best = track;
	}
	return best;
}

void eg_lane_view(struct eg_booth *booth)
{
	const struct eg_view_track *track;
	struct eg_slot *slot;
	size_t i;

	// A frame of before an opt-out that was still being looked at.
	if (booth->view.captured_ns < booth->blind_ns)
		return;
	for (i = 0; i < EG_TRACKS_MAX; i++) {
		slot = &booth->slot[i];
		if (!slot->used)
			continue;
		if (in_view(&booth->view, slot->track, &track))
			update(booth, slot, track);
		else
			feed(booth, slot, EG_SESSION_LOST, NULL);
	}
	while ((track = next_in_line(booth)) != NULL) {
		if (booth->config.serve == EG_BOOTHD_ONE && serving_count(booth) > 0) {
			crowd(booth, track);
			break;
		}
		// All slots taken, by those who just left: this one's turn is in a moment.
		slot = new_slot(booth, track);
		if (slot == NULL)
			break;
		update(booth, slot, track);
	}
}

void eg_lane_result(struct eg_booth *booth, struct eg_worker_result *result)
{
	struct eg_slot *slot = slot_of(booth, result->track);

	if (slot == NULL || !serving(slot)) {
		eg_worker_result_done(result);
		return;
	}
	if (eg_session_outdated(&slot->session, &result->attempt)) {
		feed(booth, slot, EG_SESSION_ATTEMPT, &result->attempt);
		eg_worker_result_done(result);
		return;
	}
	if (slot->has_result)
		eg_worker_result_done(&slot->result);
	slot->result = *result;
	slot->has_result = true;
	feed(booth, slot, EG_SESSION_ATTEMPT, &slot->result.attempt);
}

void eg_lane_tick(struct eg_booth *booth)
{
	size_t i;

	if (booth->pending_until_ms != 0 && now_ms(booth) >= booth->pending_until_ms)
		drop_pending(booth);
	for (i = 0; i < EG_TRACKS_MAX; i++)
		if (booth->named[i].until_ms != 0 && now_ms(booth) >= booth->named[i].until_ms)
			eg_wipe(&booth->named[i], sizeof(booth->named[i]));
	for (i = 0; i < EG_TRACKS_MAX; i++)
		if (booth->slot[i].used)
			feed(booth, &booth->slot[i], EG_SESSION_TICK, NULL);
	show_light(booth);
}

// The traveller whose face is largest among those being served.
static struct eg_slot *nearest(struct eg_booth *b)
{
	const struct eg_view_track *track;
	struct eg_slot *best = NULL;
	float width = 0;
	size_t i;

	for (i = 0; i < EG_TRACKS_MAX; i++) {
		struct eg_slot *slot = &b->slot[i];

		if (!serving(slot) || slot->session.claimed ||
		    !in_view(&b->view, slot->track, &track) || track->box.width <= width)
			continue;
		width = track->box.width;
		best = slot;
	}
	return best;
}

// The same document again is not the next traveller's.
static bool known_document(const struct eg_booth *b, const struct eg_document *document)
{
	size_t i;

	for (i = 0; i < EG_TRACKS_MAX; i++)
		if (b->slot[i].used && b->slot[i].has_claim &&
		    same_document(&b->slot[i].claim, document))
			return true;
	return false;
}

static bool of_confirmed(const struct eg_booth *b, const struct eg_document *document)
{
	uint8_t digest[EG_SHA256_SIZE];
	bool found = false;
	size_t i;

	for (i = 0; !found && i < EG_TRACKS_MAX; i++)
		found = b->named[i].until_ms > now_ms(b) &&
			eg_papers_digest(b->named[i].salt, document, digest) == 0 &&
			eg_papers_hold(&b->named[i].papers, document->kind, digest);
	eg_wipe(digest, sizeof(digest));
	return found;
}

bool eg_lane_wants_document(struct eg_booth *booth)
{
	return booth->pending_until_ms == 0 && nearest(booth) != NULL;
}

void eg_lane_document(struct eg_booth *booth, const struct eg_document *document)
{
	struct eg_slot *slot = nearest(booth);

	if (known_document(booth, document)) {
		eg_info("document: read a second time, ignored");
		return;
	}
	if (of_confirmed(booth, document)) {
		eg_info("document: of a traveller whose face was confirmed just now, ignored");
		eg_live_text(booth, "document", "document: of a traveller who was confirmed");
		return;
	}
	if (slot != NULL) {
		claim(booth, slot, document);
		return;
	}
	booth->pending = *document;
	booth->pending_until_ms = now_ms(booth) + PENDING_MS;
}

void eg_lane_misread(struct eg_booth *booth)
{
	struct eg_slot *slot = nearest(booth);

	if (slot != NULL)
		feed(booth, slot, EG_SESSION_MISREAD, NULL);
}

// Whoever is being served opts out; when nobody is, the record is made all the same.
void eg_lane_opt_out(struct eg_booth *booth)
{
	const struct eg_view_track nobody = {0}; // the camera's tracks begin at 1
	struct eg_slot *slot;
	bool any = false;
	size_t i;

	drop_pending(booth);
	for (i = 0; i < EG_TRACKS_MAX; i++) {
		if (!serving(&booth->slot[i]))
			continue;
		any = true;
		feed(booth, &booth->slot[i], EG_SESSION_OPT_OUT, NULL);
	}
	if (!any) {
		slot = new_slot(booth, &nobody);
		if (slot == NULL)
			eg_booth_fault(booth, "an opt-out could not be recorded: too many at once");
		else
			feed(booth, slot, EG_SESSION_OPT_OUT, NULL);
	}
	// No frame comes that could tell that they left.
	for (i = 0; i < EG_TRACKS_MAX; i++)
		if (booth->slot[i].used)
			feed(booth, &booth->slot[i], EG_SESSION_LOST, NULL);
}

void eg_lane_fault_all(struct eg_booth *booth)
{
	size_t i;

	for (i = 0; i < EG_TRACKS_MAX; i++)
		if (serving(&booth->slot[i]))
			feed(booth, &booth->slot[i], EG_SESSION_FAULT, NULL);
}

void eg_lane_clear(struct eg_booth *booth)
{
	size_t i;

	for (i = 0; i < EG_TRACKS_MAX; i++)
		if (booth->slot[i].used)
			free_slot(&booth->slot[i]);
	drop_pending(booth);
	eg_wipe(booth->named, sizeof(booth->named));
}
