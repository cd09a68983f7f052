// SPDX-License-Identifier: Apache-2.0
//
// What officers see and decide: turns sessions into cases, decisions into records, and keeps both
// in the snapshot.

#include "firmware/boothd/booth.h"

#include <malloc.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "firmware/base/file.h"
#include "firmware/base/log.h"
#include "firmware/base/mem.h"

#define CHAIN_BACK 1000 // entries of the chain that are looked through at the start

static void keep(struct eg_booth *b)
{
	struct eg_buf sealed;

	if (b->keeper == NULL)
		return;
	eg_buf_init(&sealed, EG_CASES_SEALED_MAX);
	if (eg_cases_seal(b->cases, b->roll, b->seal_key, eg_wall_ms(b->clock), &sealed) == 0)
		eg_keeper_keep(b->keeper, &sealed);
	else
		eg_booth_fault(b,
			       "cases: the snapshot could not be made; a restart will forget them");
	eg_buf_done(&sealed);
}

// ---- travellers ---------------------------------------------------------------------------------

static void fill_face(const struct eg_booth *b, const struct eg_slot *slot, struct eg_case *c)
{
	c->score = c->threshold = NAN;
	c->liveness.score = NAN;
	c->liveness_min = b->policy.liveness_min;
	c->quality.overall = -1;
	memset(c->quality.component, -1, sizeof(c->quality.component));
	if (!slot->has_result || slot->session.verdict.cause == EG_CAUSE_OPTED_OUT)
		return;
	c->quality = slot->result.quality;
	if (slot->result.face.size == 0) // nothing was measured
		c->quality.overall = -1;
	c->liveness = slot->result.attempt.liveness;
	c->score = (double)slot->result.attempt.verdict.score;
	c->threshold = (double)slot->result.attempt.verdict.threshold;
}

void eg_casework_of_slot(const struct eg_booth *booth, const struct eg_slot *slot,
			 struct eg_case *ret_case)
{
	struct eg_case *c = ret_case;

	*c = (struct eg_case){
		.used = true,
		.session = slot->number,
		.track = slot->track,
		.state = slot->session.state,
		.wall_ms = slot->seen_wall_ms,
	};
	fill_face(booth, slot, c);
}

// Whom the comparison found most similar; NULL: nobody.
static const struct eg_person *most_similar(const struct eg_slot *slot)
{
	const int entry = slot->session.verdict.entry;
	const struct eg_people *people = slot->has_result ? slot->result.people : NULL;

	if (slot->session.verdict.cause == EG_CAUSE_OPTED_OUT || entry < 0 ||
	    (size_t)entry >= eg_people_count(people))
		return NULL;
	return eg_people_at(people, (size_t)entry);
}

static void name_case(const struct eg_booth *b, struct eg_case *c, const struct eg_person *person,
		      const struct eg_encounter *e)
{
	struct eg_worker_manifest m;

	memcpy(c->manifest, e->manifest, sizeof(c->manifest));
	eg_worker_manifest(b->worker, &m);
	if (strcmp(m.id, e->manifest) == 0) {
		memcpy(c->flight, m.flight, sizeof(c->flight));
		memcpy(c->port, m.port, sizeof(c->port));
	}
	memcpy(c->traveller, e->traveller, sizeof(c->traveller));
	if (person == NULL)
		return;
	if (c->traveller[0] == '\0') {
		memcpy(c->traveller, person->id, sizeof(c->traveller));
		c->candidate = true;
	}
	memcpy(c->initials, person->initials, sizeof(c->initials));
}

void eg_casework_record(struct eg_booth *booth, const struct eg_slot *slot,
			const struct eg_encounter *encounter)
{
	const bool opted_out = encounter->cause == EG_CAUSE_OPTED_OUT;
	const struct eg_person *person = most_similar(slot);
	const int64_t now = eg_boot_ms(booth->clock);
	struct eg_case *c = eg_cases_make(booth->cases);
	struct eg_bytes probe = {0};

	eg_casework_of_slot(booth, slot, c);
	c->encounter = encounter->id;
	c->verdict = encounter->verdict;
	c->cause = encounter->cause;
	c->mode = encounter->mode;
	c->wall_ms = encounter->decided_ms;
	c->boot_ms = now;
	c->score = encounter->score;
	c->threshold = encounter->threshold;
	name_case(booth, c, person, encounter);
	if (slot->has_result && !opted_out)
		probe = eg_buf_bytes(&slot->result.face);
	if (probe.size > 0 || person != NULL)
		eg_case_show(c, person, probe, now + booth->config.faces_s * EG_MS_PER_S);
	eg_roll_verdict(booth->roll, c->candidate ? "" : c->traveller, c->verdict, c->cause,
			slot->session.usable_ms != 0, c->wall_ms);
	keep(booth);
	eg_console_case(booth, c);
}

void eg_casework_state(struct eg_booth *booth, const struct eg_slot *slot)
{
	struct eg_case *c = eg_cases_of_session(booth->cases, slot->number);
	struct eg_case begun;

	if (c == NULL && slot->session.verdict.kind == EG_VERDICT_NONE) {
		eg_casework_of_slot(booth, slot, &begun);
		eg_console_case(booth, &begun);
	} else if (c != NULL && c->state != slot->session.state) {
		c->state = slot->session.state;
		eg_console_case(booth, c);
	}
}

bool eg_casework_in_view(const struct eg_booth *booth, const struct eg_case *one)
{
	for (size_t i = 0; i < EG_TRACKS_MAX; i++)
		if (booth->slot[i].used && booth->slot[i].number == one->session)
			return !booth->slot[i].session.gone;
	return false;
}

void eg_casework_tick(struct eg_booth *booth)
{
	const int64_t now = eg_boot_ms(booth->clock);
	bool hidden = false;

	for (size_t i = 0; i < EG_CASES_MAX; i++) {
		struct eg_case *c = &booth->cases->item[i];
		const bool hide = c->faces_until_ms != 0 && now >= c->faces_until_ms;
		const bool release = c->held_by[0] != '\0' && now >= c->held_until_ms;

		if (!c->used || (!hide && !release))
			continue;
		if (hide)
			eg_case_hide(c);
		hidden |= hide;
		if (release)
			c->held_by[0] = '\0';
		eg_console_case(booth, c);
	}
	// sd-json wipes what it was told is sensitive, but not what its text outgrew while it was
	// written: the pages of the heap that are free go back to the kernel.
	if (hidden)
		(void)malloc_trim(0);
}

void eg_casework_manifest(struct eg_booth *booth)
{
	struct eg_worker_manifest m;

	eg_worker_manifest(booth->worker, &m);
	if (eg_roll_use(booth->roll, &m, eg_worker_people(booth->worker)) != 0)
		eg_booth_fault(booth, "flight: out of memory; nobody is counted");
}

// ---- decisions ----------------------------------------------------------------------------------

// An officer or a supervisor of the policy in force; NULL: nobody who may decide.
static const struct eg_account *officer(const struct eg_booth *b, const char *name)
{
	const struct eg_account *a = eg_policy_account(&b->central, name);

	return a != NULL && (a->role == EG_ROLE_OFFICER || a->role == EG_ROLE_SUPERVISOR) ? a
											  : NULL;
}

static int check_people(const struct eg_booth *b, const struct eg_case *c,
			enum eg_decision decision, const char *by, const char *second,
			struct eg_err *err)
{
	const struct eg_account *who = officer(b, by);

	if (who == NULL)
		return eg_err_set(err, EG_EINVAL,
				  "account %s may not decide: it is no officer's of the policy in "
				  "force",
				  by);
	if (c->decision != 0 && who->role != EG_ROLE_SUPERVISOR)
		return eg_err_set(err, EG_ECONFLICT, "%s decided already", c->by);
	if (second[0] != '\0' && strcmp(second, by) == 0)
		return eg_err_set(err, EG_EINVAL, "the second person must be another one");
	if (second[0] != '\0' && officer(b, second) == NULL)
		return eg_err_set(err, EG_EINVAL,
				  "account %s may not be the second: it is no officer's of the "
				  "policy in force",
				  second);
	if (second[0] == '\0' && eg_decision_needs_second(decision, b->central.two_person))
		return eg_err_set(err, EG_EAUTH, "this takes a second person");
	return 0;
}

static int check_fit(const struct eg_case *c, enum eg_decision decision,
		     enum eg_decision_reason reason, struct eg_err *err)
{
	if (!eg_decision_allows(decision, reason))
		return eg_err_set(err, EG_EINVAL, "reason %s does not go with %s",
				  eg_decision_reason_name(reason), eg_decision_name(decision));
	if (decision == EG_DECISION_CONFIRMED_BY_DOCUMENT && eg_case_may_go(c))
		return eg_err_set(err, EG_EINVAL, "this traveller may go already");
	return 0;
}

static int write_decision(struct eg_booth *b, const struct eg_case *c, enum eg_decision decision,
			  enum eg_decision_reason reason, const char *by, const char *second,
			  int64_t wall_ms, struct eg_err *err)
{
	struct eg_decision_record record = {.encounter = c->encounter,
					    .decision = decision,
					    .reason = reason,
					    .decided_ms = wall_ms};
	struct eg_buf envelope;
	int r;

	memcpy(record.booth, b->trust.booth, sizeof(record.booth));
	(void)snprintf(record.by, sizeof(record.by), "%s", by);
	(void)snprintf(record.second, sizeof(record.second), "%s", second);
	eg_buf_init(&envelope, EG_ENVELOPE_MAX);
	r = eg_id_new(b->clock, &record.id);
	if (r != 0)
		r = eg_err_set(err, EG_EFOREIGN, "no random numbers for an id");
	if (r == 0)
		r = eg_decision_seal(&record, b->record_key, b->trust.seal, &envelope, err);
	if (r == 0)
		r = b->records == NULL ? eg_err_set(err, EG_EIO, "records: the file is not open")
				       : eg_records_put_decision(b->records, &record,
								 eg_buf_bytes(&envelope), err);
	eg_buf_done(&envelope);
	if (r == EG_ECORRUPT)
		eg_salvage_records(b);
	return r;
}

// Whom of the manifest it is about. Somebody who is only similar is meant when an officer confirms
// by document, unless that one has gone through already.
static void count_as(const struct eg_booth *b, struct eg_case *c, enum eg_decision decision)
{
	const struct eg_people *people = eg_roll_people(b->roll);
	long at = people == NULL ? -1 : eg_people_find(people, c->traveller);

	if (c->decision != 0) // as it was counted before
		return;
	if (!c->candidate || (decision == EG_DECISION_CONFIRMED_BY_DOCUMENT && at >= 0 &&
			      eg_roll_state_of(b->roll, (size_t)at) <= EG_ROLL_SEEN))
		memcpy(c->counted, c->traveller, sizeof(c->counted));
}

static void set_decision(struct eg_booth *b, struct eg_case *c, enum eg_decision decision,
			 enum eg_decision_reason reason, const char *by, int64_t wall_ms)
{
	const int64_t until = eg_boot_ms(b->clock) + EG_CASE_DECIDED_MS;

	count_as(b, c, decision);
	eg_roll_decision(b->roll, c->counted, c->decision, decision);
	c->decision = decision;
	c->reason = reason;
	(void)snprintf(c->by, sizeof(c->by), "%s", by);
	c->by_ms = wall_ms;
	c->held_by[0] = '\0';
	if (decision == EG_DECISION_OPTED_OUT) // no camera, please: from now on nobody is shown
		eg_case_hide(c);
	else if (c->faces_until_ms > until)
		c->faces_until_ms = until;
}

int eg_casework_decide(struct eg_booth *booth, struct eg_case *one, enum eg_decision decision,
		       enum eg_decision_reason reason, const char *by, const char *second,
		       struct eg_err *err)
{
	const int64_t now = eg_wall_ms(booth->clock);
	int r;

	r = check_people(booth, one, decision, by, second, err);
	if (r == 0)
		r = check_fit(one, decision, reason, err);
	if (r == 0 && decision == EG_DECISION_RECAPTURE && !eg_casework_in_view(booth, one))
		r = eg_err_set(err, EG_ENOENT, "the traveller is gone");
	if (r != 0)
		return r;
	r = write_decision(booth, one, decision, reason, by, second, now, err);
	if (r != 0) // none of the codes that say why it was not even tried
		return eg_err_prefix(err, EG_EIO, "the decision could not be written");
	set_decision(booth, one, decision, reason, by, now);
	if (decision == EG_DECISION_RECAPTURE && eg_lane_again(booth, one->track) != 0)
		eg_booth_fault(booth, "vision: its queue of commands is full");
	keep(booth);
	eg_console_case(booth, one);
	eg_live_kick_sync(booth);
	return 0;
}

int eg_casework_hold(struct eg_booth *booth, struct eg_case *one, const char *account,
		     struct eg_err *err)
{
	if (account[0] != '\0' && officer(booth, account) == NULL)
		return eg_err_set(err, EG_EINVAL,
				  "account %s may not look after a case: it is no officer's of the "
				  "policy in force",
				  account);
	(void)snprintf(one->held_by, sizeof(one->held_by), "%s", account);
	one->held_until_ms = eg_boot_ms(booth->clock) + EG_CASE_HELD_MS;
	eg_console_case(booth, one);
	return 0;
}

int eg_casework_shown(struct eg_booth *booth, struct eg_case *one, const char *account,
		      struct eg_err *err)
{
	struct eg_audit_entry entry = {.event = EG_AUDIT_FACES_SHOWN, .subject = one->encounter};
	int r;

	if (officer(booth, account) == NULL)
		return eg_err_set(err, EG_EINVAL,
				  "account %s may not see faces: it is no officer's of the policy "
				  "in force",
				  account);
	r = eg_actor_of(account, &entry.actor);
	if (r != 0)
		return eg_err_set(err, EG_EIO, "account %s: %s", account, eg_code_name(r));
	for (size_t i = 0; i < one->shown_count; i++)
		if (memcmp(&one->shown[i], &entry.actor, sizeof(entry.actor)) == 0)
			return 0;
	if (booth->records == NULL)
		return eg_err_set(err, EG_EIO, "records: the file is not open");
	r = eg_audit_note(booth->records, &entry, err);
	if (r != 0)
		return eg_err_prefix(err, EG_EIO, "the audit chain does not take it");
	if (one->shown_count < EG_CASE_SHOWN_MAX)
		one->shown[one->shown_count++] = entry.actor;
	return 0;
}

int eg_casework_receipt(struct eg_booth *booth, struct eg_case *one, bool named,
			char ret_text[EG_EXIT_TEXT_MAX], struct eg_err *err)
{
	struct eg_exit_receipt receipt = {
		.how = one->decision != 0 ? EG_EXIT_OFFICER : EG_EXIT_BIOMETRIC,
		.decided_ms = one->decision != 0 ? one->by_ms : one->wall_ms};
	struct eg_buf message;
	int r = 0;

	if (!eg_case_may_go(one))
		return eg_err_set(err, EG_ENOENT, "there is no exit to give a receipt of");
	if (!one->has_receipt) {
		r = eg_id_new(booth->clock, &one->receipt);
		if (r != 0)
			return eg_err_set(err, EG_EFOREIGN, "no random numbers for an id");
		one->has_receipt = true;
		keep(booth); // asked again after a restart, it is the same one
	}
	receipt.id = one->receipt;
	memcpy(receipt.booth, booth->trust.booth, sizeof(receipt.booth));
	memcpy(receipt.port, one->port, sizeof(receipt.port));
	memcpy(receipt.flight, one->flight, sizeof(receipt.flight));
	memcpy(receipt.manifest, one->manifest, sizeof(receipt.manifest));
	if (named)
		memcpy(receipt.name, one->name, sizeof(receipt.name));
	eg_buf_init_secret(&message, EG_EXIT_MESSAGE_MAX);
	r = eg_exit_receipt_sign(&receipt, booth->record_key, &message, err);
	if (r == 0)
		r = eg_exit_receipt_text(eg_buf_bytes(&message), ret_text, err);
	eg_buf_done(&message);
	eg_wipe(&receipt, sizeof(receipt));
	return r;
}

// ---- start and stop -----------------------------------------------------------------------------

static void load(struct eg_booth *b)
{
	const char *path = b->snapshot;
	struct eg_err err = EG_ERR_INIT;
	struct eg_buf sealed;
	int r;

	eg_buf_init(&sealed, EG_CASES_SEALED_MAX);
	r = eg_file_read_private(path, &sealed, &err);
	if (r == 0) {
		r = eg_cases_open(eg_buf_bytes(&sealed), b->seal_key, b->cases, b->roll);
		if (r != 0)
			eg_warning("%s: cannot be read (%s); the officer's screen begins empty",
				   path, eg_code_name(r));
	} else if (r != EG_ENOENT) {
		eg_warning("%s; the officer's screen begins empty", err.text);
	}
	eg_buf_done(&sealed);
}

static const char *account_of(const struct eg_booth *b, const struct eg_actor *actor)
{
	struct eg_actor known;

	for (size_t i = 0; i < b->central.account_count; i++)
		if (eg_actor_of(b->central.accounts[i].name, &known) == 0 &&
		    memcmp(&known, actor, sizeof(known)) == 0)
			return b->central.accounts[i].name;
	return "another officer"; // no name of an account: it has spaces
}

// What was decided after the snapshot was written. The chain does not hold the reason.
static int see(void *user, const struct eg_audit_entry *entry)
{
	struct eg_booth *b = user;
	struct eg_case *c;

	if (entry->event != EG_AUDIT_DECISION && entry->event != EG_AUDIT_DECISION_OF_TWO)
		return 0;
	c = eg_cases_find(b->cases, &entry->subject);
	if (c == NULL || entry->number == c->decision || entry->wall_ms <= c->by_ms ||
	    entry->number == 0 || entry->number >= EG_DECISION_COUNT)
		return 0;
	set_decision(b, c, (enum eg_decision)entry->number, EG_REASON_NONE,
		     account_of(b, &entry->actor), entry->wall_ms);
	return 0;
}

int eg_casework_start(struct eg_booth *booth, struct eg_err *err)
{
	struct eg_err why = EG_ERR_INIT;
	struct eg_audit_head head;
	uint64_t first;
	booth->cases = eg_cases_new();
	booth->roll = eg_roll_new();
	if (booth->cases == NULL || booth->roll == NULL)
		return eg_err_set(err, EG_ENOMEM, "cases: out of memory");
	load(booth);
	// Whoever verifies the chain tells of damage; here it is no reason to serve nobody.
	if (eg_audit_head(booth->records, &head, &why) == 0 && head.count > 0) {
		first = head.count > CHAIN_BACK ? head.count - CHAIN_BACK : 1;
		eg_ignore(eg_audit_list(booth->records, first, head.count, see, booth, &why));
	}
	if (why.code != 0)
		eg_warning("%s; what was decided last may be asked again", why.text);
	return 0;
}

void eg_casework_stop(struct eg_booth *booth)
{
	eg_cases_free(booth->cases);
	booth->cases = NULL;
	eg_roll_free(booth->roll);
	booth->roll = NULL;
}
