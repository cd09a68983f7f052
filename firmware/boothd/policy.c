// SPDX-License-Identifier: Apache-2.0
//
// The centre's policy in force, and the keeper of records.db that finds it.

#include "firmware/boothd/booth.h"

#include <inttypes.h>
#include <stdio.h>
#include <sys/epoll.h>

#include "firmware/base/log.h"

// The centre's policy goes before what boothd.conf says; without one (version 0) the file holds.
static void apply_policy(struct eg_booth *b, const struct eg_policy *policy, bool stale)
{
	char text[EG_ERR_TEXT_MAX];

	b->central = *policy;
	if (policy->version == 0)
		return;
	b->config.fmr = policy->fmr;
	b->config.fpir = policy->fpir;
	b->config.liveness_min = policy->liveness_min;
	(void)snprintf(b->config.notice, sizeof(b->config.notice), "%s", policy->notice);
	// What a technician measured here shifts the policy's threshold, whatever that is.
	b->policy.liveness_min =
		(float)(b->site.live > 0 ? eg_site_threshold(b->site.shift, policy->liveness_min)
					 : policy->liveness_min);
	if (eg_worker_targets(b->worker, policy->fmr, policy->fpir) != 0)
		eg_booth_fault(b, "policy: the vision worker takes no commands");
	(void)snprintf(text, sizeof(text), "policy %s version %" PRIu64 " is in force%s",
		       policy->id, policy->version,
		       stale ? "; it has expired: nothing is kept longer than by default" : "");
	eg_notice("%s", text);
	eg_live_text(b, "policy", text);
}

static void watch_keeper(struct eg_booth *b)
{
	struct eg_policy policy;
	struct eg_err fault;
	bool stale, broken;

	if (eg_keeper_policy(b->keeper, &policy, &stale))
		apply_policy(b, &policy, stale);
	broken = eg_keeper_fault(b->keeper, &fault);
	if (broken)
		eg_booth_fault(b, fault.text);
	if (broken && fault.code == EG_ECORRUPT)
		eg_salvage_records(b);
}

static int on_keeper(sd_event_source *source, int fd, uint32_t revents, void *user)
{
	(void)source;
	(void)fd;
	(void)revents;
	watch_keeper(user);
	return 0;
}

int eg_policy_start(struct eg_booth *booth, struct eg_err *err)
{
	const struct eg_keeper_config config = {
		.records = booth->config.records,
		.manifests = booth->config.manifests,
		.snapshot = booth->snapshot,
		.booth = booth->trust.booth,
		.keys = booth->trust.sign,
		.key_count = booth->trust.sign_count,
		.record_key = booth->record_key,
		.clock = booth->clock,
	};
	int r = eg_keeper_new(&config, &booth->keeper, err);

	if (r == 0)
		watch_keeper(booth);
	return r;
}

int eg_policy_watch(struct eg_booth *booth)
{
	return sd_event_add_io(booth->event, &booth->keeper_source, eg_keeper_fd(booth->keeper),
			       EPOLLIN, on_keeper, booth);
}

void eg_policy_stop(struct eg_booth *booth)
{
	booth->keeper_source = sd_event_source_disable_unref(booth->keeper_source);
	eg_keeper_free(booth->keeper);
	booth->keeper = NULL;
}
