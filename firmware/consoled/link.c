// SPDX-License-Identifier: Apache-2.0
//
// See link.h. Connections are closed from a timer, not from within their own callbacks, and calls
// are sent from a deferred source where sd-varlink is busy with an answer.

#include "firmware/consoled/link.h"

#include <errno.h>
#include <string.h>

#include "firmware/base/log.h"

#define AGAIN_US   (1000u * 1000u)
#define TIMEOUT_US (10u * 1000u * 1000u)

static void again(struct link *link, uint64_t us)
{
	(void)sd_event_source_set_time_relative(link->timer, us);
	(void)sd_event_source_set_enabled(link->timer, SD_EVENT_ONESHOT);
}

static void fail(struct link *link)
{
	link->failed = true;
	again(link, 0);
}

static struct link_call pop(struct link *link)
{
	struct link_call call = link->call[link->first];

	link->first = (link->first + 1) % LINK_CALLS_MAX;
	link->count--;
	link->sent -= link->sent > 0;
	sd_json_variant_unref(call.parameters);
	return call;
}

static void close_all(struct link *link)
{
	bool open = link->open;

	link->open = link->failed = false;
	link->watch = sd_varlink_close_unref(link->watch);
	link->calls = sd_varlink_close_unref(link->calls);
	link->passed = sd_varlink_close_unref(link->passed);
	link->sent = 0;
	while (link->count > 0) {
		struct link_call call = pop(link);

		if (call.done != NULL)
			call.done(call.user, LINK_GONE, NULL);
	}
	if (open)
		link->on_gone(link->user);
}

static int on_watched(sd_varlink *from, sd_json_variant *parameters, const char *error,
		      sd_varlink_reply_flags_t flags, void *user)
{
	struct link *link = user;

	(void)from;
	(void)flags;
	if (error == NULL) {
		link->on_event(link->user, parameters);
		return 0;
	}
	if (strcmp(error, SD_VARLINK_ERROR_DISCONNECTED) != 0)
		eg_error("%s refuses: %s", link->name, error);
	fail(link);
	return 0;
}

static int on_answered(sd_varlink *from, sd_json_variant *parameters, const char *error,
		       sd_varlink_reply_flags_t flags, void *user)
{
	struct link *link = user;
	struct link_call call;

	(void)from;
	(void)flags;
	if (error != NULL && (strcmp(error, SD_VARLINK_ERROR_DISCONNECTED) == 0 ||
			      strcmp(error, SD_VARLINK_ERROR_TIMEOUT) == 0 ||
			      strcmp(error, SD_VARLINK_ERROR_PROTOCOL) == 0 || link->sent == 0)) {
		eg_debug("%s: %s", link->name, error);
		fail(link);
		return 0;
	}
	call = pop(link);
	if (call.done != NULL)
		call.done(call.user, error, parameters);
	if (link->sent < link->count)
		(void)sd_event_source_set_enabled(link->pump, SD_EVENT_ONESHOT);
	return 0;
}

static int on_passed(sd_varlink *from, sd_json_variant *parameters, const char *error,
		     sd_varlink_reply_flags_t flags, void *user)
{
	struct link *link = user;
	int fd;

	(void)parameters;
	(void)flags;
	if (error != NULL) {
		if (strcmp(error, SD_VARLINK_ERROR_DISCONNECTED) != 0)
			eg_error("%s refuses %s: %s", link->name, link->fd_method, error);
		fail(link);
		return 0;
	}
	fd = sd_varlink_take_fd(from, 0);
	if (fd >= 0)
		link->on_fd(link->user, fd);
	else
		eg_error("%s passed no descriptor", link->name);
	return 0;
}

static int send_calls(struct link *link)
{
	while (link->calls != NULL && link->sent < link->count) {
		struct link_call *call = &link->call[(link->first + link->sent) % LINK_CALLS_MAX];
		int r = sd_varlink_invoke(link->calls, call->method, call->parameters);

		if (r < 0)
			return r;
		link->sent++;
	}
	return 0;
}

static int on_pump(sd_event_source *source, void *user)
{
	struct link *link = user;
	int r = send_calls(link);

	(void)source;
	if (r < 0 && r != -EBUSY)
		fail(link);
	return 0;
}

static int connect_one(struct link *link, sd_varlink **ret, sd_varlink_reply_t on_reply)
{
	int r = sd_varlink_connect_address(ret, link->socket);

	if (r < 0)
		return r;
	(void)sd_varlink_set_userdata(*ret, link);
	r = sd_varlink_bind_reply(*ret, on_reply);
	return r < 0 ? r : sd_varlink_attach_event(*ret, link->event, SD_EVENT_PRIORITY_NORMAL);
}

static int open_link(struct link *link)
{
	int r = connect_one(link, &link->watch, on_watched);

	if (r >= 0)
		r = sd_varlink_set_relative_timeout(link->watch, UINT64_MAX);
	if (r >= 0)
		r = sd_varlink_observe(link->watch, link->watch_method, NULL);
	if (r >= 0)
		r = connect_one(link, &link->calls, on_answered);
	if (r >= 0)
		r = sd_varlink_set_relative_timeout(link->calls, TIMEOUT_US);
	if (r < 0 || link->fd_method == NULL)
		return r;
	r = connect_one(link, &link->passed, on_passed);
	if (r >= 0)
		r = sd_varlink_set_allow_fd_passing_input(link->passed, true);
	return r < 0 ? r : sd_varlink_invoke(link->passed, link->fd_method, NULL);
}

static int on_timer(sd_event_source *source, uint64_t usec, void *user)
{
	struct link *link = user;
	int r;

	(void)source;
	(void)usec;
	if (link->failed) {
		close_all(link);
		again(link, AGAIN_US);
		return 0;
	}
	r = open_link(link);
	if (r < 0) {
		if (!link->told)
			eg_notice("%s is not there (%s: %s); trying again each second", link->name,
				  link->socket, strerror(-r));
		link->told = true;
		close_all(link);
		again(link, AGAIN_US);
		return 0;
	}
	link->open = true;
	link->told = false;
	link->on_open(link->user);
	return 0;
}

int link_start(struct link *link, sd_event *event, struct eg_err *err)
{
	int r;

	link->event = event;
	r = sd_event_add_time_relative(event, &link->timer, CLOCK_BOOTTIME, 0, 1000, on_timer,
				       link);
	if (r >= 0)
		r = sd_event_add_defer(event, &link->pump, on_pump, link);
	if (r >= 0)
		r = sd_event_source_set_enabled(link->pump, SD_EVENT_OFF);
	return r >= 0 ? 0 : eg_err_errno(err, -r, "event loop");
}

void link_stop(struct link *link)
{
	if (link->event == NULL)
		return;
	link->open = false; // the program ends: nobody wants to hear of it
	close_all(link);
	sd_event_source_disable_unref(link->timer);
	sd_event_source_disable_unref(link->pump);
	link->timer = link->pump = NULL;
}

int link_call(struct link *link, const char *method, sd_json_variant *parameters, link_done done,
	      void *user)
{
	if (!link->open || link->failed)
		return EG_ENET;
	if (link->count == LINK_CALLS_MAX)
		return EG_EFULL;
	link->call[(link->first + link->count++) % LINK_CALLS_MAX] =
		(struct link_call){.method = method,
				   .parameters = sd_json_variant_ref(parameters),
				   .done = done,
				   .user = user};
	(void)sd_event_source_set_enabled(link->pump, SD_EVENT_ONESHOT);
	return 0;
}

void link_forget(struct link *link, const void *user)
{
	for (size_t i = 0; i < link->count; i++) {
		struct link_call *call = &link->call[(link->first + i) % LINK_CALLS_MAX];

		if (call->user == user)
			call->done = NULL;
	}
}
