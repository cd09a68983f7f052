// SPDX-License-Identifier: Apache-2.0
//
// Cases and the flight as io.egress.Console tells them. A case with a name in it is marked as
// sensitive: sd-json and sd-varlink wipe their copies.

#include "firmware/boothd/booth.h"

#include <math.h>
#include <string.h>

#define OPT_TEXT(name, text) \
	SD_JSON_BUILD_PAIR_CONDITION((text)[0] != '\0', name, SD_JSON_BUILD_STRING(text))
#define OPT_REAL(name, value) \
	SD_JSON_BUILD_PAIR_CONDITION(isfinite(value), name, SD_JSON_BUILD_REAL((double)(value)))

static int quality_json(const struct eg_quality *quality, sd_json_variant **ret)
{
	sd_json_variant *array = NULL, *one;
	int r = sd_json_variant_new_array(&array, NULL, 0);

	for (unsigned int i = 0; r >= 0 && quality->overall >= 0 && i < EG_QUALITY_COUNT; i++) {
		if (quality->component[i] < 0)
			continue;
		one = NULL;
		r = sd_json_buildo(&one,
				   SD_JSON_BUILD_PAIR_STRING(
					   "name", eg_quality_name((enum eg_quality_component)i)),
				   SD_JSON_BUILD_PAIR_INTEGER("value", quality->component[i]),
				   SD_JSON_BUILD_PAIR_INTEGER(
					   "min", eg_quality_wanted((enum eg_quality_component)i)));
		if (r >= 0)
			r = sd_json_variant_append_array(&array, one);
		sd_json_variant_unref(one);
	}
	if (r < 0)
		array = sd_json_variant_unref(array);
	*ret = array;
	return r;
}

// What the machine found.
static int found_json(const struct eg_booth *b, const struct eg_case *c, sd_json_variant **ret)
{
	sd_json_variant *quality = NULL, *reasons = NULL;
	char id[EG_ID_TEXT_MAX], time[EG_TIME_TEXT_MAX];
	int r;

	eg_id_text(&c->encounter, id);
	eg_time_text(c->wall_ms, time);
	r = quality_json(&c->quality, &quality);
	if (r >= 0)
		r = eg_liveness_reasons_json(c->liveness.reasons, &reasons);
	if (r >= 0)
		r = sd_json_buildo(
			ret,
			SD_JSON_BUILD_PAIR_CONDITION(c->verdict != EG_VERDICT_NONE, "encounter",
						     SD_JSON_BUILD_STRING(id)),
			SD_JSON_BUILD_PAIR_UNSIGNED("session", c->session),
			SD_JSON_BUILD_PAIR_STRING("time", time),
			SD_JSON_BUILD_PAIR_STRING("state", eg_session_state_name(c->state)),
			SD_JSON_BUILD_PAIR_STRING("verdict", eg_verdict_name(c->verdict)),
			SD_JSON_BUILD_PAIR_CONDITION(c->cause != EG_CAUSE_NONE, "cause",
						     SD_JSON_BUILD_STRING(eg_cause_name(c->cause))),
			SD_JSON_BUILD_PAIR_CONDITION(
				c->mode != 0, "mode",
				SD_JSON_BUILD_STRING(c->mode != 0 ? eg_mode_name(c->mode) : "")),
			SD_JSON_BUILD_PAIR_STRING("initials", c->initials),
			OPT_TEXT("name", c->name), OPT_TEXT("traveller", c->traveller),
			SD_JSON_BUILD_PAIR_BOOLEAN("candidate", c->candidate),
			SD_JSON_BUILD_PAIR_BOOLEAN("nearTwin", c->cause == EG_CAUSE_AMBIGUOUS),
			OPT_REAL("score", c->score), OPT_REAL("threshold", c->threshold),
			SD_JSON_BUILD_PAIR_VARIANT("quality", quality),
			SD_JSON_BUILD_PAIR_INTEGER("overall", c->quality.overall),
			SD_JSON_BUILD_PAIR_INTEGER("overallMin", b->config.quality_min),
			OPT_REAL("liveness", c->liveness.score),
			SD_JSON_BUILD_PAIR_REAL("livenessThreshold", (double)c->liveness_min),
			SD_JSON_BUILD_PAIR_VARIANT("livenessReasons", reasons));
	sd_json_variant_unref(quality);
	sd_json_variant_unref(reasons);
	return r;
}

// What people did about it.
static int done_json(const struct eg_booth *b, const struct eg_case *c, sd_json_variant **ret)
{
	const bool decided = c->decision != 0, shown = c->faces_until_ms != 0;
	char by_time[EG_TIME_TEXT_MAX], until[EG_TIME_TEXT_MAX];

	eg_time_text(c->by_ms, by_time);
	eg_time_text(eg_wall_ms(b->clock) + c->faces_until_ms - eg_boot_ms(b->clock), until);
	return sd_json_buildo(
		ret, SD_JSON_BUILD_PAIR_BOOLEAN("attention", eg_case_attention(c)),
		SD_JSON_BUILD_PAIR_CONDITION(decided, "decision",
					     SD_JSON_BUILD_STRING(eg_decision_name(c->decision))),
		SD_JSON_BUILD_PAIR_CONDITION(decided, "reason",
					     SD_JSON_BUILD_STRING(
						     eg_decision_reason_name(c->reason))),
		SD_JSON_BUILD_PAIR_CONDITION(decided, "by", SD_JSON_BUILD_STRING(c->by)),
		SD_JSON_BUILD_PAIR_CONDITION(decided, "byTime", SD_JSON_BUILD_STRING(by_time)),
		OPT_TEXT("heldBy", c->held_by), SD_JSON_BUILD_PAIR_BOOLEAN("faces", shown),
		SD_JSON_BUILD_PAIR_UNSIGNED("referenceCount", c->reference_count),
		SD_JSON_BUILD_PAIR_CONDITION(shown, "facesUntil", SD_JSON_BUILD_STRING(until)),
		SD_JSON_BUILD_PAIR_BOOLEAN("receipt", eg_case_may_go(c)),
		SD_JSON_BUILD_PAIR_BOOLEAN("inView", eg_casework_in_view(b, c)));
}

int eg_console_case_json(const struct eg_booth *booth, const struct eg_case *one,
			 sd_json_variant **ret)
{
	sd_json_variant *found = NULL, *done = NULL;
	int r = found_json(booth, one, &found);

	if (r >= 0 && one->name[0] != '\0')
		sd_json_variant_sensitive(found);
	if (r >= 0)
		r = done_json(booth, one, &done);
	if (r >= 0)
		r = sd_json_variant_merge_object(&found, done);
	if (r >= 0 && one->name[0] != '\0')
		sd_json_variant_sensitive(found);
	sd_json_variant_unref(done);
	if (r < 0)
		found = sd_json_variant_unref(found);
	*ret = found;
	return r;
}

static int history_json(const struct eg_roll_facts *facts, sd_json_variant **ret)
{
	sd_json_variant *bin[EG_ROLL_BINS] = {0};
	int r = 0;

	for (size_t i = 0; r >= 0 && i < EG_ROLL_BINS; i++)
		r = sd_json_variant_new_real(&bin[i], facts->history[i]);
	if (r >= 0)
		r = sd_json_variant_new_array(ret, bin, EG_ROLL_BINS);
	for (size_t i = 0; i < EG_ROLL_BINS; i++)
		sd_json_variant_unref(bin[i]);
	return r;
}

static size_t open_referrals(const struct eg_booth *b)
{
	size_t n = 0;

	for (size_t i = 0; i < EG_CASES_MAX; i++)
		n += b->cases->item[i].used && eg_case_attention(&b->cases->item[i]);
	return n;
}

int eg_console_flight_json(const struct eg_booth *booth, sd_json_variant **ret)
{
	const bool any = eg_roll_people(booth->roll) != NULL;
	const struct eg_worker_manifest *m;
	sd_json_variant *history = NULL;
	char departs[EG_TIME_TEXT_MAX];
	struct eg_roll_facts f;
	double rate;
	int r;

	eg_roll_facts(booth->roll, eg_wall_ms(booth->clock), &f);
	m = f.manifest;
	rate = f.tried > 0 ? (double)f.captured / (double)f.tried : NAN;
	eg_time_text(m->departs_ms, departs);
	r = history_json(&f, &history);
	if (r >= 0)
		r = sd_json_buildo(
			ret, SD_JSON_BUILD_PAIR_STRING("manifest", any ? m->id : ""),
			SD_JSON_BUILD_PAIR_STRING("flight", any ? m->flight : ""),
			SD_JSON_BUILD_PAIR_STRING("port", any ? m->port : ""),
			SD_JSON_BUILD_PAIR_UNSIGNED("version", any ? m->version : 0),
			SD_JSON_BUILD_PAIR_CONDITION(any && m->departs_ms != 0, "departs",
						     SD_JSON_BUILD_STRING(departs)),
			SD_JSON_BUILD_PAIR_UNSIGNED("expected", f.expected),
			SD_JSON_BUILD_PAIR_UNSIGNED("confirmed", f.confirmed),
			SD_JSON_BUILD_PAIR_UNSIGNED("byOfficer", f.by_officer),
			SD_JSON_BUILD_PAIR_UNSIGNED("referred", open_referrals(booth)),
			SD_JSON_BUILD_PAIR_UNSIGNED("optedOut", f.opted_out),
			SD_JSON_BUILD_PAIR_UNSIGNED("notSeen", f.not_seen),
			SD_JSON_BUILD_PAIR_UNSIGNED("seenNotLet", f.seen),
			OPT_REAL("captureRate", rate),
			SD_JSON_BUILD_PAIR_UNSIGNED("captureTried", f.tried),
			SD_JSON_BUILD_PAIR_REAL("captureMin", booth->central.capture_min),
			SD_JSON_BUILD_PAIR_BOOLEAN("captureLow",
						   eg_roll_low(&f, booth->central.capture_min)),
			SD_JSON_BUILD_PAIR_VARIANT("history", history));
	sd_json_variant_unref(history);
	return r;
}
