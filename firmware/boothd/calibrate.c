// SPDX-License-Identifier: Apache-2.0
//
// Liveness at this site: the threshold that boothctl calibrate found, and the measurement itself.
// While a technician measures, every face in the zone is scored and told as numbers; nobody is
// served, compared or recorded. The measurement ends with its connection. Afterwards the booth
// serves again as soon as the zone was empty once, so that the technician, who stands there, does
// not become a traveller.

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "capture/face.h"
#include "firmware/base/buf.h"
#include "firmware/base/log.h"
#include "firmware/boothd/booth.h"

#define TELL_NS	 (100 * EG_NS_PER_MS) // liveness looks come no faster
#define LEAVE_MS 60000

// ---- the site file --------------------------------------------------------------------------

static void forget(struct eg_booth *b, const char *why)
{
	char text[EG_ERR_TEXT_MAX + 128];

	b->site = (struct eg_site){0};
	b->policy.liveness_min = (float)b->config.liveness_min;
	(void)snprintf(text, sizeof(text),
		       "liveness: %s; the threshold is the policy's, run boothctl calibrate "
		       "liveness",
		       why);
	eg_booth_fault(b, text);
}

void eg_calibrate_start(struct eg_booth *booth)
{
	struct eg_booth *b = booth;
	char pack[2 * EG_SHA256_SIZE + 1];
	struct eg_err err = EG_ERR_INIT;
	int r = eg_site_load(b->config.site, &b->site, &err);

	if (r == EG_ENOENT) {
		b->site = (struct eg_site){0};
		return;
	}
	eg_hex(eg_worker_pack_digest(b->worker), EG_SHA256_SIZE, pack);
	if (r != 0) {
		forget(b, err.text);
	} else if (strcmp(pack, b->site.pack) != 0) {
		forget(b, "it was measured with another model pack");
	} else {
		b->policy.liveness_min =
			(float)eg_site_threshold(b->site.shift, b->config.liveness_min);
		eg_notice("liveness: threshold %.2f, measured here %s",
			  (double)b->policy.liveness_min, b->site.measured);
	}
}

void eg_calibrate_tick(struct eg_booth *booth)
{
	struct eg_eyes_facts facts;

	if (booth->site.live == 0)
		return;
	eg_eyes_facts(booth->eyes, &facts);
	if (facts.camera.model[0] != '\0' && strcmp(facts.camera.model, booth->site.camera) != 0)
		forget(booth, "it was measured with another camera");
}

int eg_calibrate_json(const struct eg_booth *booth, sd_json_variant **ret)
{
	const struct eg_site *s = &booth->site;

	return sd_json_buildo(
		ret, SD_JSON_BUILD_PAIR_BOOLEAN("needed", booth->policy.needs_liveness),
		SD_JSON_BUILD_PAIR_REAL("threshold", (double)booth->policy.liveness_min),
		SD_JSON_BUILD_PAIR_REAL("policyThreshold", booth->config.liveness_min),
		SD_JSON_BUILD_PAIR_BOOLEAN("calibrating", booth->calibration.link != NULL),
		SD_JSON_BUILD_PAIR_CONDITION(s->live > 0, "measured",
					     SD_JSON_BUILD_STRING(s->measured)),
		SD_JSON_BUILD_PAIR_CONDITION(s->live > 0, "live", SD_JSON_BUILD_INTEGER(s->live)),
		SD_JSON_BUILD_PAIR_CONDITION(s->live > 0, "attacks",
					     SD_JSON_BUILD_INTEGER(s->attacks)));
}

// ---- the measurement ------------------------------------------------------------------------

int eg_liveness_reasons_json(uint32_t reasons, sd_json_variant **ret)
{
	const char *names[EG_LIVENESS_REASONS + 1] = {NULL};
	size_t count = 0;

	for (unsigned int bit = 0; bit < EG_LIVENESS_REASONS; bit++)
		if ((reasons & 1u << bit) != 0)
			names[count++] = eg_liveness_reason_name(bit);
	return sd_json_variant_new_array_strv(ret, (char **)names);
}

static int face_json(const struct eg_view_track *track, sd_json_variant **ret)
{
	const struct eg_liveness *l = &track->liveness;
	sd_json_variant *reasons = NULL;
	int r = eg_liveness_reasons_json(l->reasons, &reasons);

	if (r >= 0)
		r = sd_json_buildo(ret, SD_JSON_BUILD_PAIR_UNSIGNED("track", track->id),
				   SD_JSON_BUILD_PAIR_STRING("hint", eg_hint_name(track->hint)),
				   SD_JSON_BUILD_PAIR_UNSIGNED("looks", l->frames),
				   SD_JSON_BUILD_PAIR_REAL("score",
							   l->frames > 0 ? (double)l->score : 0),
				   SD_JSON_BUILD_PAIR_VARIANT("reasons", reasons));
	sd_json_variant_unref(reasons);
	return r;
}

static int tell(struct eg_booth *b)
{
	sd_json_variant *face[EG_TRACKS_MAX] = {NULL}, *faces = NULL;
	char pack[2 * EG_SHA256_SIZE + 1];
	struct eg_eyes_facts facts;
	size_t count = 0;
	int r = 0;

	for (size_t i = 0; r >= 0 && i < b->view.count; i++)
		if (b->view.track[i].in_view && b->view.track[i].in_zone)
			r = face_json(&b->view.track[i], &face[count++]);
	if (r >= 0)
		r = sd_json_variant_new_array(&faces, face, count);
	eg_eyes_facts(b->eyes, &facts);
	eg_hex(eg_worker_pack_digest(b->worker), EG_SHA256_SIZE, pack);
	if (r >= 0)
		r = sd_varlink_notifybo(
			b->calibration.link, SD_JSON_BUILD_PAIR_STRING("pack", pack),
			SD_JSON_BUILD_PAIR_STRING("camera", facts.camera.model),
			SD_JSON_BUILD_PAIR_REAL("policyThreshold", b->config.liveness_min),
			SD_JSON_BUILD_PAIR_VARIANT("faces", faces));
	sd_json_variant_unref(faces);
	for (size_t i = 0; i < count; i++)
		sd_json_variant_unref(face[i]);
	return r;
}

static bool zone_empty(const struct eg_booth *b)
{
	for (size_t i = 0; i < b->view.count; i++)
		if (b->view.track[i].in_view && b->view.track[i].in_zone)
			return false;
	return true;
}

// What is left is the caller's reference.
static sd_varlink *end(struct eg_booth *b)
{
	sd_varlink *link = b->calibration.link;

	b->calibration.link = NULL;
	b->calibration.empty_until_ms = eg_boot_ms(b->clock) + LEAVE_MS;
	eg_notice("liveness: the measurement has ended");
	return link;
}

bool eg_calibrate_view(struct eg_booth *booth)
{
	struct eg_booth *b = booth;

	if (b->calibration.link == NULL) {
		if (b->calibration.empty_until_ms == 0)
			return false;
		if (!zone_empty(b) && eg_boot_ms(b->clock) < b->calibration.empty_until_ms)
			return true;
		b->calibration.empty_until_ms = 0;
		eg_live_text(b, "camera", "calibration: over, travellers are served again");
		return false;
	}
	if (b->view.captured_ns < b->blind_ns ||
	    b->view.captured_ns - b->calibration.told_ns < TELL_NS)
		return true;
	b->calibration.told_ns = b->view.captured_ns;
	if (tell(b) < 0) // it does not read, or is gone
		sd_varlink_close_unref(end(b));
	return true;
}

void eg_calibrate_drop(struct eg_booth *booth, sd_varlink *link)
{
	if (booth->calibration.link != NULL && (link == NULL || link == booth->calibration.link))
		sd_varlink_unref(end(booth));
}

// Who may change what boothd believes: root, or boothd's own user.
static bool technician(sd_varlink *link)
{
	uid_t uid;

	return sd_varlink_get_peer_uid(link, &uid) >= 0 && (uid == 0 || uid == geteuid());
}

int eg_calibrate_method(sd_varlink *link, sd_json_variant *parameters,
			sd_varlink_method_flags_t flags, void *user)
{
	struct eg_booth *b = user;
	int r;

	r = sd_varlink_dispatch(link, parameters, (const sd_json_dispatch_field[]){{0}}, NULL);
	if (r != 0)
		return r;
	if ((flags & SD_VARLINK_METHOD_MORE) == 0)
		return sd_varlink_error(link, SD_VARLINK_ERROR_EXPECTED_MORE, NULL);
	if (!technician(link))
		return sd_varlink_error(link, SD_VARLINK_ERROR_PERMISSION_DENIED, NULL);
	if (b->calibration.link != NULL || eg_lane_serving(b))
		return sd_varlink_error(link, "io.egress.Booth.Serving", NULL);
	// Those who have their verdict, on record, and have not left yet: faces to be looked at
	// anew.
	eg_lane_clear(b);
	if (eg_worker_reset(b->worker) != 0)
		eg_booth_fault(b, "vision: its queue of commands is full");
	b->calibration.link = sd_varlink_ref(link);
	b->calibration.told_ns = 0;
	eg_notice("liveness: a measurement begins, nobody is served");
	eg_live_text(b, "camera", "calibration: travellers are not served");
	return 0;
}
