// SPDX-License-Identifier: Apache-2.0
//
// See roll.h. Times are wall time, so that a snapshot of before a restart still means something;
// a clock that jumps only moves people between the bins of the history.

#include "firmware/boothd/roll.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "firmware/base/mem.h"

struct bin {
	int64_t number; // of the span of five minutes since 1970
	uint64_t tried, captured;
};

// What is known of a traveller whose manifest is not in use (yet, or any more).
struct kept {
	char id[EG_NAME_MAX];
	uint8_t state;
};

struct eg_roll {
	struct eg_worker_manifest manifest;
	struct eg_people *people;
	uint8_t *state;	   // of each of them
	struct kept *kept; // of the manifest by this name, while people is NULL
	size_t kept_count;
	uint64_t unnamed_by_officer, opted_out, tried, captured;
	struct bin bin[EG_ROLL_BINS];
};

static const char *const names[EG_ROLL_STATE_COUNT] = {[EG_ROLL_NOT_SEEN] = "not_seen",
						       [EG_ROLL_SEEN] = "seen",
						       [EG_ROLL_CONFIRMED] = "confirmed",
						       [EG_ROLL_BY_OFFICER] = "by_officer"};

const char *eg_roll_state_name(enum eg_roll_state state)
{
	return (unsigned int)state < EG_ROLL_STATE_COUNT ? names[state] : "unknown";
}

struct eg_roll *eg_roll_new(void)
{
	return eg_calloc(1, sizeof(struct eg_roll));
}

static void drop_kept(struct eg_roll *roll)
{
	free(roll->kept);
	roll->kept = NULL;
	roll->kept_count = 0;
}

static void drop_people(struct eg_roll *roll)
{
	free(roll->state);
	roll->state = NULL;
	eg_people_unref(roll->people);
	roll->people = NULL;
}

void eg_roll_free(struct eg_roll *roll)
{
	if (roll == NULL)
		return;
	drop_people(roll);
	drop_kept(roll);
	free(roll);
}

// ---- manifests ----------------------------------------------------------------------------------

static size_t seen_count(const struct eg_roll *roll)
{
	size_t i, n = 0;

	for (i = 0; i < eg_people_count(roll->people); i++)
		n += roll->state[i] != EG_ROLL_NOT_SEEN;
	return n;
}

static int keep_states(struct eg_roll *roll)
{
	size_t i, n = 0;

	if (roll->people == NULL)
		return 0;
	drop_kept(roll);
	roll->kept = eg_calloc(seen_count(roll) + 1, sizeof(*roll->kept));
	if (roll->kept == NULL)
		return EG_ENOMEM;
	for (i = 0; i < eg_people_count(roll->people); i++) {
		if (roll->state[i] == EG_ROLL_NOT_SEEN)
			continue;
		memcpy(roll->kept[n].id, eg_people_at(roll->people, i)->id,
		       sizeof(roll->kept[n].id));
		roll->kept[n++].state = roll->state[i];
	}
	roll->kept_count = n;
	return 0;
}

static void apply_kept(struct eg_roll *roll)
{
	for (size_t i = 0; i < roll->kept_count; i++) {
		long at = eg_people_find(roll->people, roll->kept[i].id);

		if (at >= 0)
			roll->state[at] = roll->kept[i].state;
	}
	drop_kept(roll);
}

static void begin_anew(struct eg_roll *roll)
{
	drop_kept(roll);
	roll->unnamed_by_officer = roll->opted_out = roll->tried = roll->captured = 0;
	memset(roll->bin, 0, sizeof(roll->bin));
}

int eg_roll_use(struct eg_roll *roll, const struct eg_worker_manifest *manifest,
		struct eg_people *people)
{
	const bool none = manifest->id[0] == '\0' || people == NULL;
	int r;

	if (people != NULL && people == roll->people &&
	    manifest->version == roll->manifest.version) {
		eg_people_unref(people);
		return 0;
	}
	r = keep_states(roll);
	drop_people(roll);
	if (none) { // names go with the manifest; who was here stays, should it come back
		eg_people_unref(people);
		return r;
	}
	if (strcmp(manifest->id, roll->manifest.id) != 0)
		begin_anew(roll);
	roll->manifest = *manifest;
	roll->state = eg_calloc(eg_people_count(people) + 1, sizeof(*roll->state));
	if (roll->state == NULL) {
		eg_people_unref(people);
		return EG_ENOMEM;
	}
	roll->people = people;
	apply_kept(roll);
	return r;
}

const struct eg_people *eg_roll_people(const struct eg_roll *roll)
{
	return roll->people;
}

enum eg_roll_state eg_roll_state_of(const struct eg_roll *roll, size_t index)
{
	assert(index < eg_people_count(roll->people));
	return (enum eg_roll_state)roll->state[index];
}

// ---- what happens -------------------------------------------------------------------------------

static void set(struct eg_roll *roll, const char *traveller, enum eg_roll_state state)
{
	long at = roll->people == NULL || traveller[0] == '\0'
			  ? -1
			  : eg_people_find(roll->people, traveller);

	if (at < 0)
		return;
	// Who may go is not sent back by another look of the machine: only an officer does that.
	if (state == EG_ROLL_SEEN && roll->state[at] != EG_ROLL_NOT_SEEN)
		return;
	roll->state[at] = (uint8_t)state;
}

static void send_back(struct eg_roll *roll, const char *traveller)
{
	long at = roll->people == NULL || traveller[0] == '\0'
			  ? -1
			  : eg_people_find(roll->people, traveller);

	if (at >= 0)
		roll->state[at] = EG_ROLL_SEEN;
}

void eg_roll_verdict(struct eg_roll *roll, const char *traveller, enum eg_verdict_kind verdict,
		     enum eg_cause cause, bool captured, int64_t now_ms)
{
	const int64_t number = now_ms / EG_ROLL_BIN_MS;
	struct bin *bin = &roll->bin[(uint64_t)number % EG_ROLL_BINS];

	if (cause == EG_CAUSE_OPTED_OUT) {
		roll->opted_out++;
		return;
	}
	set(roll, traveller, verdict == EG_VERDICT_CONFIRMED ? EG_ROLL_CONFIRMED : EG_ROLL_SEEN);
	if (bin->number != number)
		*bin = (struct bin){.number = number};
	bin->tried++;
	bin->captured += captured;
	roll->tried++;
	roll->captured += captured;
}

void eg_roll_decision(struct eg_roll *roll, const char *traveller, enum eg_decision before,
		      enum eg_decision decision)
{
	const bool known = roll->people != NULL && traveller[0] != '\0' &&
			   eg_people_find(roll->people, traveller) >= 0;

	if (before == EG_DECISION_CONFIRMED_BY_DOCUMENT && !known && roll->unnamed_by_officer > 0)
		roll->unnamed_by_officer--;
	if (before == EG_DECISION_OPTED_OUT && roll->opted_out > 0)
		roll->opted_out--;
	switch (decision) {
	case EG_DECISION_CONFIRMED_BY_DOCUMENT:
		set(roll, traveller, EG_ROLL_BY_OFFICER);
		roll->unnamed_by_officer += !known;
		break;
	case EG_DECISION_OPTED_OUT:
		roll->opted_out++;
		break;
	default: // the others: not now
		send_back(roll, traveller);
		break;
	}
}

// ---- facts --------------------------------------------------------------------------------------

void eg_roll_facts(const struct eg_roll *roll, int64_t now_ms, struct eg_roll_facts *ret_facts)
{
	const int64_t now = now_ms / EG_ROLL_BIN_MS;
	struct eg_roll_facts f = {.manifest = &roll->manifest};
	size_t i, by_state[EG_ROLL_STATE_COUNT] = {0};

	f.expected = eg_people_count(roll->people);
	for (i = 0; i < f.expected; i++)
		by_state[roll->state[i]]++;
	f.confirmed = by_state[EG_ROLL_CONFIRMED];
	f.by_officer = by_state[EG_ROLL_BY_OFFICER] + roll->unnamed_by_officer;
	f.not_seen = by_state[EG_ROLL_NOT_SEEN];
	f.seen = by_state[EG_ROLL_SEEN];
	f.opted_out = roll->opted_out;
	f.tried = roll->tried;
	f.captured = roll->captured;
	for (i = 0; i < EG_ROLL_BINS; i++) {
		const int64_t number = now - (int64_t)(EG_ROLL_BINS - 1 - i);
		const struct bin *bin = &roll->bin[(uint64_t)number % EG_ROLL_BINS];
		const bool any = bin->number == number && bin->tried > 0;

		f.history[i] = any ? (double)bin->captured / (double)bin->tried : -1;
		if (any && i >= EG_ROLL_BINS - EG_ROLL_LOW_BINS) {
			f.recent_tried += bin->tried;
			f.recent_captured += bin->captured;
		}
	}
	*ret_facts = f;
}

bool eg_roll_low(const struct eg_roll_facts *facts, double capture_min)
{
	const struct eg_roll_facts *f = facts;

	return f->recent_tried >= EG_ROLL_LOW_MIN && f->recent_tried - f->recent_captured > 1 &&
	       (double)f->recent_captured < capture_min * (double)f->recent_tried;
}

// ---- snapshot: array [id, by officer, opted out, tried, captured, [[bin, tried, captured]…],
//      [[id, state]…]]
//      -----------------------------------------------------------------------------

static int put_bins(const struct eg_roll *roll, int64_t now_ms, struct eg_buf *out)
{
	const int64_t oldest = now_ms / EG_ROLL_BIN_MS - EG_ROLL_BINS;
	size_t i, n = 0;
	int r;

	for (i = 0; i < EG_ROLL_BINS; i++)
		n += roll->bin[i].number > oldest;
	r = eg_cbor_put_array(out, n);
	for (i = 0; r == 0 && i < EG_ROLL_BINS; i++) {
		const struct bin *bin = &roll->bin[i];

		if (bin->number <= oldest)
			continue;
		r = eg_cbor_put_array(out, 3);
		if (r == 0)
			r = eg_cbor_put_uint(out, (uint64_t)bin->number);
		if (r == 0)
			r = eg_cbor_put_uint(out, bin->tried);
		if (r == 0)
			r = eg_cbor_put_uint(out, bin->captured);
	}
	return r;
}

static int put_state(struct eg_buf *out, const char *id, uint8_t state)
{
	int r = eg_cbor_put_array(out, 2);

	if (r == 0)
		r = eg_cbor_put_text(out, id);
	return r != 0 ? r : eg_cbor_put_uint(out, state);
}

static int put_states(const struct eg_roll *roll, struct eg_buf *out)
{
	const size_t seen = roll->people != NULL ? seen_count(roll) : roll->kept_count;
	int r = eg_cbor_put_array(out, seen);
	size_t i;

	for (i = 0; r == 0 && i < eg_people_count(roll->people); i++)
		if (roll->state[i] != EG_ROLL_NOT_SEEN)
			r = put_state(out, eg_people_at(roll->people, i)->id, roll->state[i]);
	for (i = 0; r == 0 && roll->people == NULL && i < roll->kept_count; i++)
		r = put_state(out, roll->kept[i].id, roll->kept[i].state);
	return r;
}

int eg_roll_encode(const struct eg_roll *roll, int64_t now_ms, struct eg_buf *out)
{
	const uint64_t numbers[] = {roll->unnamed_by_officer, roll->opted_out, roll->tried,
				    roll->captured};
	int r = eg_cbor_put_array(out, 7);

	if (r == 0)
		r = eg_cbor_put_text(out, roll->manifest.id);
	for (size_t i = 0; r == 0 && i < 4; i++)
		r = eg_cbor_put_uint(out, numbers[i]);
	if (r == 0)
		r = put_bins(roll, now_ms, out);
	return r != 0 ? r : put_states(roll, out);
}

static int get_bins(struct eg_roll *roll, struct eg_cur *cur)
{
	size_t count, three;
	uint64_t number;
	int r = eg_cbor_get_array(cur, EG_ROLL_BINS, &count);

	for (size_t i = 0; r == 0 && i < count; i++) {
		struct bin bin = {0};

		r = eg_cbor_get_array(cur, 3, &three);
		if (r == 0 && three != 3)
			r = EG_EINVAL;
		if (r == 0)
			r = eg_cbor_get_uint(cur, &number);
		if (r == 0 && number > INT64_MAX)
			r = EG_EINVAL;
		if (r == 0)
			r = eg_cbor_get_uint(cur, &bin.tried);
		if (r == 0)
			r = eg_cbor_get_uint(cur, &bin.captured);
		if (r == 0) {
			bin.number = (int64_t)number;
			roll->bin[number % EG_ROLL_BINS] = bin;
		}
	}
	return r;
}

static int get_states(struct eg_roll *roll, struct eg_cur *cur)
{
	size_t count, two;
	uint64_t state;
	int r = eg_cbor_get_array(cur, EG_TRAVELLERS_MAX, &count);

	if (r == 0 && count > cur->left) // each takes more than a byte
		r = EG_EINVAL;
	if (r != 0)
		return r;
	roll->kept = eg_calloc(count + 1, sizeof(*roll->kept));
	if (roll->kept == NULL)
		return EG_ENOMEM;
	for (size_t i = 0; r == 0 && i < count; i++) {
		r = eg_cbor_get_array(cur, 2, &two);
		if (r == 0 && two != 2)
			r = EG_EINVAL;
		if (r == 0)
			r = eg_cbor_get_text(cur, roll->kept[i].id, sizeof(roll->kept[i].id));
		if (r == 0)
			r = eg_cbor_get_uint(cur, &state);
		if (r == 0 && state >= EG_ROLL_STATE_COUNT)
			r = EG_EINVAL;
		if (r == 0)
			roll->kept[roll->kept_count++].state = (uint8_t)state;
	}
	return r;
}

int eg_roll_decode(struct eg_roll *roll, struct eg_cur *cur)
{
	uint64_t *const numbers[] = {&roll->unnamed_by_officer, &roll->opted_out, &roll->tried,
				     &roll->captured};
	size_t seven;
	int r;

	drop_people(roll);
	begin_anew(roll);
	r = eg_cbor_get_array(cur, 7, &seven);
	if (r == 0 && seven != 7)
		r = EG_EINVAL;
	if (r == 0)
		r = eg_cbor_get_text(cur, roll->manifest.id, sizeof(roll->manifest.id));
	for (size_t i = 0; r == 0 && i < 4; i++)
		r = eg_cbor_get_uint(cur, numbers[i]);
	if (r == 0)
		r = get_bins(roll, cur);
	if (r == 0)
		r = get_states(roll, cur);
	if (r != 0) {
		begin_anew(roll);
		roll->manifest = (struct eg_worker_manifest){0};
	}
	return r;
}
