// SPDX-License-Identifier: Apache-2.0
//
// See serve.h.

#include "firmware/syncd/serve.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <systemd/sd-varlink.h>
#include <unistd.h>

#include "firmware/base/log.h"
#include "firmware/base/mem.h"
#include "firmware/varlink/sync.h"

#define WATCHERS_MAX	16
#define CONNECTIONS_MAX 64

struct serve {
	const struct config *config;
	struct worker *worker;
	sd_event_source *source;
	sd_varlink_server *server;
	sd_varlink *watchers[WATCHERS_MAX];
	struct worker_state state; // the last copy
};

static int build_held(const struct worker_state *state, sd_json_variant **ret_list)
{
	sd_json_variant *list = NULL;
	int r = sd_json_variant_new_array(&list, NULL, 0);

	for (size_t i = 0; r >= 0 && i < state->held_count; i++) {
		const struct eg_manifest_held *held = &state->held[i];

		r = sd_json_variant_append_arraybo(
			&list, SD_JSON_BUILD_PAIR_STRING("id", held->id),
			SD_JSON_BUILD_PAIR_UNSIGNED("version", held->version),
			SD_JSON_BUILD_PAIR_UNSIGNED("bytes", held->bytes),
			SD_JSON_BUILD_PAIR_INTEGER("putMs", held->put_ms),
			SD_JSON_BUILD_PAIR_INTEGER("notBeforeMs", held->not_before_ms),
			SD_JSON_BUILD_PAIR_INTEGER("expiresMs", held->expires_ms));
	}
	if (r < 0)
		sd_json_variant_unref(list);
	else
		*ret_list = list;
	return r;
}

static int build_state(const struct worker_state *state, sd_json_variant **ret_parameters)
{
	const struct eg_records_facts *queue = &state->queue;
	sd_json_variant *held = NULL;
	int r = build_held(state, &held);

	if (r < 0)
		return r;
	r = sd_json_buildo(
		ret_parameters,
		SD_JSON_BUILD_PAIR_OBJECT(
			"state", SD_JSON_BUILD_PAIR_STRING("booth", state->booth),
			SD_JSON_BUILD_PAIR_STRING("url", state->url),
			SD_JSON_BUILD_PAIR_STRING("version", EG_VERSION),
			SD_JSON_BUILD_PAIR_STRING("link", link_state_name(state->link)),
			SD_JSON_BUILD_PAIR_STRING("doing", state->doing),
			SD_JSON_BUILD_PAIR_INTEGER("lastSuccessMs", state->last_success_ms),
			SD_JSON_BUILD_PAIR_STRING("problem", state->problem),
			SD_JSON_BUILD_PAIR_INTEGER("problemMs", state->problem_ms),
			SD_JSON_BUILD_PAIR_INTEGER("certificateFromMs", state->from_ms),
			SD_JSON_BUILD_PAIR_INTEGER("certificateEndMs", state->end_ms),
			SD_JSON_BUILD_PAIR_STRING("keyKept", eg_key_kept_name(state->kept)),
			SD_JSON_BUILD_PAIR_BOOLEAN("keysSent", state->keys_sent),
			SD_JSON_BUILD_PAIR_BOOLEAN("memoryLocked", !eg_secret_lock_refused()),
			SD_JSON_BUILD_PAIR_OBJECT(
				"queue", SD_JSON_BUILD_PAIR_UNSIGNED("queued", queue->queued),
				SD_JSON_BUILD_PAIR_UNSIGNED("dead", queue->dead),
				SD_JSON_BUILD_PAIR_UNSIGNED("acknowledged", queue->acknowledged),
				SD_JSON_BUILD_PAIR_UNSIGNED("bytes", queue->bytes),
				SD_JSON_BUILD_PAIR_INTEGER("oldestMs", queue->oldest_ms)),
			SD_JSON_BUILD_PAIR_VARIANT("manifests", held)));
	sd_json_variant_unref(held);
	return r;
}

// boothd polls as well, so a call that does not get through is no failure.
static void tell_boothd(struct serve *serve)
{
	sd_varlink *link = NULL;
	int r = sd_varlink_connect_address(&link, serve->config->booth_socket);

	if (r >= 0)
		r = sd_varlink_send(link, "io.egress.Booth.ManifestsChanged", NULL);
	if (r < 0)
		eg_debug("boothd not told of a manifest: %s", strerror(-r));
	sd_varlink_flush_close_unref(link);
}

static void copy_state(struct serve *serve)
{
	bool manifests;

	worker_copy(serve->worker, &serve->state, &manifests);
	if (manifests)
		tell_boothd(serve);
}

static int on_change(sd_event_source *source, int fd, uint32_t events, void *user)
{
	sd_json_variant *parameters = NULL;
	struct serve *serve = user;

	(void)source;
	(void)fd;
	(void)events;
	copy_state(serve);
	if (build_state(&serve->state, &parameters) < 0) {
		eg_error("out of memory for the state");
		return 0;
	}
	for (size_t i = 0; i < WATCHERS_MAX; i++)
		if (serve->watchers[i])
			(void)sd_varlink_notify(serve->watchers[i], parameters);
	sd_json_variant_unref(parameters);
	return 0;
}

static int dispatch_kick(sd_varlink *link, sd_json_variant *parameters,
			 sd_varlink_method_flags_t flags, void *user)
{
	static const sd_json_dispatch_field table[] = {
		{"retry", SD_JSON_VARIANT_BOOLEAN, sd_json_dispatch_stdbool, 0, SD_JSON_NULLABLE},
		{0},
	};
	struct serve *serve = user;
	bool retry = false;
	int r = sd_varlink_dispatch(link, parameters, table, &retry);

	if (r != 0)
		return r;
	worker_kick(serve->worker, retry);
	return flags & SD_VARLINK_METHOD_ONEWAY ? 0 : sd_varlink_reply(link, NULL);
}

static int dispatch_status(sd_varlink *link, sd_json_variant *parameters,
			   sd_varlink_method_flags_t flags, void *user)
{
	static const sd_json_dispatch_field table[] = {{0}};
	sd_json_variant *reply = NULL;
	struct serve *serve = user;
	int r = sd_varlink_dispatch(link, parameters, table, NULL);

	(void)flags;
	if (r != 0)
		return r;
	r = build_state(&serve->state, &reply);
	if (r >= 0)
		r = sd_varlink_reply(link, reply);
	sd_json_variant_unref(reply);
	return r;
}

static int dispatch_watch(sd_varlink *link, sd_json_variant *parameters,
			  sd_varlink_method_flags_t flags, void *user)
{
	static const sd_json_dispatch_field table[] = {{0}};
	sd_json_variant *reply = NULL;
	struct serve *serve = user;
	size_t i = 0;
	int r;

	if (!(flags & SD_VARLINK_METHOD_MORE))
		return sd_varlink_error(link, SD_VARLINK_ERROR_EXPECTED_MORE, NULL);
	r = sd_varlink_dispatch(link, parameters, table, NULL);
	if (r != 0)
		return r;
	while (i < WATCHERS_MAX && serve->watchers[i])
		i++;
	if (i == WATCHERS_MAX)
		return sd_varlink_error(link, "io.egress.Sync.TooManyWatchers", NULL);
	r = build_state(&serve->state, &reply);
	if (r >= 0)
		r = sd_varlink_notify(link, reply);
	if (r >= 0)
		serve->watchers[i] = sd_varlink_ref(link);
	sd_json_variant_unref(reply);
	return r;
}

static void on_disconnect(sd_varlink_server *server, sd_varlink *link, void *user)
{
	struct serve *serve = user;

	(void)server;
	for (size_t i = 0; i < WATCHERS_MAX; i++)
		if (serve->watchers[i] == link)
			serve->watchers[i] = sd_varlink_unref(link);
}

static int listen_at(struct serve *serve, sd_event *event)
{
	int r = sd_varlink_server_new(&serve->server, SD_VARLINK_SERVER_INHERIT_USERDATA);

	if (r < 0)
		return r;
	(void)sd_varlink_server_set_userdata(serve->server, serve);
	(void)sd_varlink_server_set_connections_max(serve->server, CONNECTIONS_MAX);
	r = sd_varlink_server_set_info(serve->server, "Egress", "syncd", EG_VERSION, "");
	if (r >= 0)
		r = sd_varlink_server_add_interface(serve->server, &vl_interface_io_egress_Sync);
	if (r >= 0)
		r = sd_varlink_server_bind_method_many(serve->server, "io.egress.Sync.Kick",
						       dispatch_kick, "io.egress.Sync.Status",
						       dispatch_status, "io.egress.Sync.Watch",
						       dispatch_watch);
	if (r >= 0)
		r = sd_varlink_server_bind_disconnect(serve->server, on_disconnect);
	if (r >= 0)
		r = sd_varlink_server_listen_address(serve->server, serve->config->socket, 0660);
	if (r >= 0)
		r = sd_varlink_server_attach_event(serve->server, event, SD_EVENT_PRIORITY_NORMAL);
	return r;
}

int serve_start(sd_event *event, const struct config *config, struct worker *worker,
		struct serve **ret_serve, struct eg_err *err)
{
	struct serve *serve = eg_calloc(1, sizeof(*serve));
	int r;

	if (!serve)
		return eg_err_set(err, EG_ENOMEM, "out of memory");
	serve->config = config;
	serve->worker = worker;
	r = listen_at(serve, event);
	if (r >= 0)
		r = sd_event_add_io(event, &serve->source, worker_fd(worker), EPOLLIN, on_change,
				    serve);
	if (r < 0) {
		serve_stop(serve);
		return eg_err_errno(err, -r, "cannot listen at %s", config->socket);
	}
	copy_state(serve);
	*ret_serve = serve;
	return 0;
}

void serve_stop(struct serve *serve)
{
	if (!serve)
		return;
	sd_event_source_disable_unref(serve->source);
	for (size_t i = 0; i < WATCHERS_MAX; i++)
		sd_varlink_unref(serve->watchers[i]);
	sd_varlink_server_unref(serve->server);
	free(serve);
}
