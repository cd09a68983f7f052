// SPDX-License-Identifier: Apache-2.0
//
// The self-test: every part that a verdict needs. The models run on the vision worker, which has
// travellers to look at meanwhile, so the answer comes later: callers wait, boothd does not.

#include <inttypes.h>
#include <stdio.h>

#include "firmware/boothd/booth.h"

#define SELF_TEST_MS 15000 // the worker may be in the middle of a manifest

struct checks {
	sd_json_variant *list;
	bool all_ok;
};

static void check(struct checks *checks, const char *name, bool ok, const char *text)
{
	checks->all_ok = checks->all_ok && ok;
	(void)sd_json_variant_append_arraybo(&checks->list, SD_JSON_BUILD_PAIR_STRING("name", name),
					     SD_JSON_BUILD_PAIR_BOOLEAN("ok", ok),
					     SD_JSON_BUILD_PAIR_STRING("text", text));
}

static void check_camera(struct eg_booth *b, struct checks *checks)
{
	struct eg_eyes_facts f;
	char text[160];
	bool ok;

	eg_eyes_facts(b->eyes, &f);
	ok = f.state == EG_EYES_STREAMING && f.frame_age_ms >= 0 && f.frame_age_ms < 1000;
	if (f.state == EG_EYES_RESTING) {
		// Asked for, so no fault of the camera; what it sees is not known.
		check(checks, "camera", true,
		      "resting: no camera, please (boothctl resume ends it)");
		return;
	}
	if (ok)
		(void)snprintf(text, sizeof(text), "new frames, %.0f a second",
			       f.frames_per_second);
	else
		(void)snprintf(text, sizeof(text),
			       "%s, last new frame %" PRId64 " ms ago; check its cable, then "
			       "restart boothd",
			       eg_eyes_state_name(f.state), f.frame_age_ms);
	check(checks, "camera", ok, text);
	ok = b->view.mean_luma >= 16 && b->view.mean_luma <= 240;
	(void)snprintf(text, sizeof(text), "mean luminance %d of 255%s", b->view.mean_luma,
		       ok ? "" : "; look for a lens cap, a dead lamp or sun in the lens");
	check(checks, "picture", ok, text);
}

static void check_manifest(struct eg_booth *b, struct checks *checks)
{
	struct eg_worker_manifest m;
	char text[160];
	bool ok;

	eg_worker_manifest(b->worker, &m);
	ok = m.id[0] != '\0' && eg_wall_ms(b->clock) < m.expires_ms;
	if (m.id[0] == '\0')
		(void)snprintf(text, sizeof(text),
			       "none is held; see that one is published for this booth and that "
			       "syncd has a link");
	else
		(void)snprintf(text, sizeof(text),
			       "%s version %" PRIu64 ", %zu of %zu with a photo%s", m.id, m.version,
			       m.with_reference, m.entries, ok ? "" : "; it has expired");
	check(checks, "manifest", ok, text);
}

static void check_store(struct eg_booth *b, struct checks *checks)
{
	struct eg_records_facts facts;
	struct eg_err err = EG_ERR_INIT;
	char text[160];

	if (b->records == NULL || eg_records_facts(b->records, &facts, &err) != 0) {
		check(checks, "records", false, err.text);
		return;
	}
	(void)snprintf(text, sizeof(text), "%" PRIu64 " queued, %" PRIu64 " stuck%s", facts.queued,
		       facts.dead, facts.dead == 0 ? "" : "; see boothctl queue");
	check(checks, "records", facts.dead == 0, text);
}

static void answer(struct eg_booth *b, const struct eg_err *models)
{
	struct checks checks = {.all_ok = true};
	size_t i, count = b->tester_count;

	check_camera(b, &checks);
	check(&checks, "models", models->code == 0,
	      models->code == 0 ? eg_worker_pack_name(b->worker) : models->text);
	check_manifest(b, &checks);
	check_store(b, &checks);
	b->tester_count = 0; // first: a reply may end in a disconnect
	b->test_until_ms = 0;
	for (i = 0; i < count; i++) {
		(void)sd_varlink_replybo(b->tester[i],
					 SD_JSON_BUILD_PAIR_BOOLEAN("ok", checks.all_ok),
					 SD_JSON_BUILD_PAIR_VARIANT("checks", checks.list));
		sd_varlink_unref(b->tester[i]);
	}
	sd_json_variant_unref(checks.list);
}

void eg_self_test_tick(struct eg_booth *booth)
{
	struct eg_err models = EG_ERR_INIT;

	if (booth->test_until_ms == 0)
		return;
	if (eg_worker_test_done(booth->worker, &models)) {
		answer(booth, &models);
	} else if (eg_boot_ms(booth->clock) >= booth->test_until_ms) {
		(void)eg_err_set(
			&models, EG_ETIMEOUT,
			"no answer from the vision worker within %d s; is a large manifest "
			"being loaded (boothctl manifest show)? If not, restart boothd",
			SELF_TEST_MS / 1000);
		answer(booth, &models);
	}
}

void eg_self_test_drop(struct eg_booth *booth, sd_varlink *link)
{
	size_t i = booth->tester_count;

	while (i-- > 0) {
		if (link != NULL && booth->tester[i] != link)
			continue;
		sd_varlink_unref(booth->tester[i]);
		booth->tester[i] = booth->tester[--booth->tester_count];
	}
}

int eg_self_test_method(sd_varlink *link, sd_json_variant *parameters,
			sd_varlink_method_flags_t flags, void *user)
{
	struct eg_booth *b = user;
	int r;

	r = sd_varlink_dispatch(link, parameters, (const sd_json_dispatch_field[]){{0}}, NULL);
	if (r != 0)
		return r;
	if ((flags & SD_VARLINK_METHOD_ONEWAY) != 0)
		return 0;
	if (b->tester_count == EG_TESTERS_MAX || eg_worker_test(b->worker) != 0)
		return sd_varlink_error(link, "io.egress.Booth.Busy", NULL);
	b->tester[b->tester_count++] = sd_varlink_ref(link);
	if (b->test_until_ms == 0)
		b->test_until_ms = eg_boot_ms(b->clock) + SELF_TEST_MS;
	return 0;
}
