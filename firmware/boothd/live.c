// SPDX-License-Identifier: Apache-2.0
//
// io.egress.Booth on a local socket: status, live events, documents by hand, opt-out, self-test.
// Events carry no name and no picture. A watcher that does not read is dropped at sd-varlink's own
// bound of what may wait for it; boothd never waits for anybody.

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "firmware/base/log.h"
#include "firmware/base/mem.h"
#include "firmware/boothd/booth.h"
#include "firmware/varlink/booth.h"

#define CONNECTIONS_MAX 64

// ---- events ---------------------------------------------------------------------------------

static void tell(struct eg_booth *b, sd_json_variant *event)
{
	size_t i = b->watcher_count;
	sd_varlink *link;

	while (i-- > 0) {
		link = b->watcher[i];
		if (sd_varlink_notifybo(link, SD_JSON_BUILD_PAIR_VARIANT("event", event)) >= 0)
			continue;
		b->watcher[i] = b->watcher[--b->watcher_count]; // told already, as are all behind i
		sd_varlink_close_unref(link);
	}
	eg_console_tell(b, event);
}

static void time_now(const struct eg_booth *b, char text[EG_TIME_TEXT_MAX])
{
	eg_time_text(eg_wall_ms(b->clock), text);
}

void eg_live_state(struct eg_booth *booth, const struct eg_slot *slot, const char *encounter)
{
	const struct eg_session *s = &slot->session;
	const struct eg_verdict *v = &s->verdict;
	bool final = v->kind != EG_VERDICT_NONE && encounter != NULL;
	bool named = final && slot->has_result && v->cause != EG_CAUSE_OPTED_OUT;
	const char *traveller = named ? slot->result.traveller : "";
	float liveness = named ? slot->result.attempt.liveness.score : NAN;
	char now[EG_TIME_TEXT_MAX];
	sd_json_variant *event = NULL, *reasons = NULL;
	int r;

	time_now(booth, now);
	r = eg_liveness_reasons_json(isfinite(liveness) ? slot->result.attempt.liveness.reasons : 0,
				     &reasons);
	if (r >= 0)
		r = sd_json_buildo(
			&event, SD_JSON_BUILD_PAIR_STRING("type", final ? "verdict" : "state"),
			SD_JSON_BUILD_PAIR_STRING("time", now),
			SD_JSON_BUILD_PAIR_UNSIGNED("session", slot->number),
			SD_JSON_BUILD_PAIR_STRING("state", eg_session_state_name(s->state)),
			SD_JSON_BUILD_PAIR_UNSIGNED("track", slot->track),
			SD_JSON_BUILD_PAIR_UNSIGNED("frame", slot->first_frame),
			SD_JSON_BUILD_PAIR_UNSIGNED("lastFrame", slot->last_frame),
			SD_JSON_BUILD_PAIR_REAL("x", slot->x),
			SD_JSON_BUILD_PAIR_REAL("y", slot->y),
			SD_JSON_BUILD_PAIR_CONDITION(final && encounter[0] != '\0', "encounter",
						     SD_JSON_BUILD_STRING(encounter)),
			SD_JSON_BUILD_PAIR_CONDITION(
				final && v->mode != 0, "mode",
				SD_JSON_BUILD_STRING(final && v->mode != 0 ? eg_mode_name(v->mode)
									   : "")),
			SD_JSON_BUILD_PAIR_CONDITION(
				final, "verdict", SD_JSON_BUILD_STRING(eg_verdict_name(v->kind))),
			SD_JSON_BUILD_PAIR_CONDITION(final && v->cause != EG_CAUSE_NONE, "cause",
						     SD_JSON_BUILD_STRING(eg_cause_name(v->cause))),
			SD_JSON_BUILD_PAIR_CONDITION(traveller[0] != '\0', "traveller",
						     SD_JSON_BUILD_STRING(traveller)),
			SD_JSON_BUILD_PAIR_CONDITION(named && isfinite(v->score), "score",
						     SD_JSON_BUILD_REAL((double)v->score)),
			SD_JSON_BUILD_PAIR_CONDITION(named && isfinite(v->threshold), "threshold",
						     SD_JSON_BUILD_REAL((double)v->threshold)),
			SD_JSON_BUILD_PAIR_CONDITION(named, "quality",
						     SD_JSON_BUILD_INTEGER(
							     slot->result.quality.overall)),
			SD_JSON_BUILD_PAIR_CONDITION(isfinite(liveness), "liveness",
						     SD_JSON_BUILD_REAL((double)liveness)),
			SD_JSON_BUILD_PAIR_CONDITION(isfinite(liveness), "livenessReasons",
						     SD_JSON_BUILD_VARIANT(reasons)),
			SD_JSON_BUILD_PAIR_CONDITION(final && s->usable_ms != 0, "tookMs",
						     SD_JSON_BUILD_INTEGER(s->verdict_ms -
									   s->usable_ms)));
	if (r >= 0)
		tell(booth, event);
	sd_json_variant_unref(event);
	sd_json_variant_unref(reasons);
	eg_casework_state(booth, slot);
	if (final)
		eg_info("session %" PRIu64 ": %s%s%s", slot->number, eg_verdict_name(v->kind),
			v->cause != EG_CAUSE_NONE ? ", " : "",
			v->cause != EG_CAUSE_NONE ? eg_cause_name(v->cause) : "");
}

void eg_live_hint(struct eg_booth *booth, const struct eg_slot *slot)
{
	char now[EG_TIME_TEXT_MAX];
	sd_json_variant *event = NULL;

	time_now(booth, now);
	if (sd_json_buildo(&event, SD_JSON_BUILD_PAIR_STRING("type", "hint"),
			   SD_JSON_BUILD_PAIR_STRING("time", now),
			   SD_JSON_BUILD_PAIR_UNSIGNED("session", slot->number),
			   SD_JSON_BUILD_PAIR_UNSIGNED("track", slot->track),
			   SD_JSON_BUILD_PAIR_UNSIGNED("lastFrame", slot->last_frame),
			   SD_JSON_BUILD_PAIR_STRING("hint", eg_hint_name(slot->hint))) >= 0)
		tell(booth, event);
	sd_json_variant_unref(event);
}

void eg_live_text(struct eg_booth *booth, const char *type, const char *text)
{
	char now[EG_TIME_TEXT_MAX];
	sd_json_variant *event = NULL;

	time_now(booth, now);
	if (sd_json_buildo(&event, SD_JSON_BUILD_PAIR_STRING("type", type),
			   SD_JSON_BUILD_PAIR_STRING("time", now),
			   SD_JSON_BUILD_PAIR_STRING("text", text)) >= 0)
		tell(booth, event);
	sd_json_variant_unref(event);
}

// By hand, since sd-varlink's flush waits for as long as the other side does not read: a syncd that
// hangs must not make travellers wait. syncd looks into the queue by itself too, so nothing is lost
// when it is not there or its socket is full.
void eg_live_kick_sync(struct eg_booth *booth)
{
	static const char message[] = "{\"method\":\"io.egress.Sync.Kick\",\"oneway\":true}";
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	size_t size = strlen(booth->config.sync_socket);
	int fd;

	if (size >= sizeof(address.sun_path))
		return;
	memcpy(address.sun_path, booth->config.sync_socket, size);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return;
	// With the NUL at its end, as Varlink wants it.
	if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) == 0)
		(void)!send(fd, message, sizeof(message), MSG_NOSIGNAL | MSG_DONTWAIT);
	close(fd);
}

// ---- methods --------------------------------------------------------------------------------

static int camera_json(const struct eg_booth *b, sd_json_variant **ret)
{
	struct eg_eyes_facts f;

	eg_eyes_facts(b->eyes, &f);
	return sd_json_buildo(
		ret,
		SD_JSON_BUILD_PAIR_STRING("backend", eg_boothd_cameras[b->config.camera_backend]),
		SD_JSON_BUILD_PAIR_STRING("model", f.camera.model),
		SD_JSON_BUILD_PAIR_STRING("state", eg_eyes_state_name(f.state)),
		SD_JSON_BUILD_PAIR_INTEGER("frameAgeMs", f.frame_age_ms),
		SD_JSON_BUILD_PAIR_REAL("framesPerSecond", f.frames_per_second),
		SD_JSON_BUILD_PAIR_UNSIGNED("frames", f.camera.frames),
		SD_JSON_BUILD_PAIR_UNSIGNED("dropped",
					    f.camera.dropped + eg_mailbox_replaced(b->mailbox)),
		SD_JSON_BUILD_PAIR_UNSIGNED("duplicates", b->view.duplicates),
		SD_JSON_BUILD_PAIR_UNSIGNED("restarts", f.restarts + f.reopens),
		SD_JSON_BUILD_PAIR_INTEGER("luminance", b->view.mean_luma));
}

static int manifest_json(const struct eg_booth *b, sd_json_variant **ret)
{
	struct eg_worker_manifest m;
	char expires[EG_TIME_TEXT_MAX];

	eg_worker_manifest(b->worker, &m);
	eg_time_text(m.expires_ms, expires);
	return sd_json_buildo(ret, SD_JSON_BUILD_PAIR_STRING("id", m.id),
			      SD_JSON_BUILD_PAIR_STRING("flight", m.flight),
			      SD_JSON_BUILD_PAIR_UNSIGNED("version", m.version),
			      SD_JSON_BUILD_PAIR_STRING("expires", expires),
			      SD_JSON_BUILD_PAIR_BOOLEAN("stale",
							 m.id[0] == '\0' || eg_wall_ms(b->clock) >=
										    m.expires_ms),
			      SD_JSON_BUILD_PAIR_UNSIGNED("travellers", m.entries),
			      SD_JSON_BUILD_PAIR_UNSIGNED("withReference", m.with_reference),
			      SD_JSON_BUILD_PAIR_UNSIGNED("references", m.references),
			      SD_JSON_BUILD_PAIR_UNSIGNED("nearTwins", m.near_twins),
			      SD_JSON_BUILD_PAIR_REAL("threshold", (double)m.threshold),
			      SD_JSON_BUILD_PAIR_UNSIGNED("loading", m.loading),
			      SD_JSON_BUILD_PAIR_UNSIGNED("loadingTotal", m.loading_total));
}

static size_t sessions_now(const struct eg_booth *b)
{
	size_t i, count = 0;

	for (i = 0; i < EG_TRACKS_MAX; i++)
		count += b->slot[i].used;
	return count;
}

// A caller that wants no answer gets none.
static int done(sd_varlink *link, sd_varlink_method_flags_t flags)
{
	return (flags & SD_VARLINK_METHOD_ONEWAY) != 0 ? 0 : sd_varlink_reply(link, NULL);
}

static int get_status(sd_varlink *link, sd_json_variant *parameters,
		      sd_varlink_method_flags_t flags, void *user)
{
	struct eg_booth *b = user;
	sd_json_variant *camera = NULL, *manifest = NULL, *liveness = NULL;
	struct eg_records_facts facts = {0};
	int r;

	(void)flags;
	r = sd_varlink_dispatch(link, parameters, (const sd_json_dispatch_field[]){{0}}, NULL);
	if (r != 0)
		return r;
	if (b->records != NULL)
		eg_ignore(eg_records_facts(b->records, &facts,
					   NULL)); // zeros then; self-test says why
	r = camera_json(b, &camera);
	if (r >= 0)
		r = manifest_json(b, &manifest);
	if (r >= 0)
		r = eg_calibrate_json(b, &liveness);
	if (r >= 0)
		r = sd_varlink_replybo(
			link, SD_JSON_BUILD_PAIR_STRING("booth", b->trust.booth),
			SD_JSON_BUILD_PAIR_STRING("version", EG_VERSION),
			SD_JSON_BUILD_PAIR_STRING(
				"mode", b->config.mode == EG_BOOTHD_VERIFY ? "verify" : "identify"),
			SD_JSON_BUILD_PAIR_STRING("modelPack", eg_worker_pack_name(b->worker)),
			SD_JSON_BUILD_PAIR_INTEGER("upMs", eg_boot_ms(b->clock) - b->started_ms),
			SD_JSON_BUILD_PAIR_STRING("light",
						  eg_light_name(b->signal_ops->get(b->signal))),
			SD_JSON_BUILD_PAIR_UNSIGNED("sessions", sessions_now(b)),
			SD_JSON_BUILD_PAIR_UNSIGNED("confirmed", b->confirmed),
			SD_JSON_BUILD_PAIR_UNSIGNED("referred", b->referred),
			SD_JSON_BUILD_PAIR_UNSIGNED("queued", facts.queued),
			SD_JSON_BUILD_PAIR_UNSIGNED("dead", facts.dead),
			SD_JSON_BUILD_PAIR_STRING("fault", b->fault),
			SD_JSON_BUILD_PAIR_BOOLEAN("memoryLocked", !eg_secret_lock_refused()),
			SD_JSON_BUILD_PAIR_VARIANT("camera", camera),
			SD_JSON_BUILD_PAIR_VARIANT("manifest", manifest),
			SD_JSON_BUILD_PAIR_VARIANT("liveness", liveness));
	sd_json_variant_unref(liveness);
	sd_json_variant_unref(camera);
	sd_json_variant_unref(manifest);
	return r;
}

static int watch(sd_varlink *link, sd_json_variant *parameters, sd_varlink_method_flags_t flags,
		 void *user)
{
	struct eg_booth *b = user;
	int r;

	r = sd_varlink_dispatch(link, parameters, (const sd_json_dispatch_field[]){{0}}, NULL);
	if (r != 0)
		return r;
	if ((flags & SD_VARLINK_METHOD_MORE) == 0)
		return sd_varlink_error(link, SD_VARLINK_ERROR_EXPECTED_MORE, NULL);
	if (b->watcher_count == EG_WATCHERS_MAX)
		return sd_varlink_error(link, "io.egress.Booth.TooManyWatchers", NULL);
	b->watcher[b->watcher_count++] = sd_varlink_ref(link);
	return 0;
}

static void on_disconnect(sd_varlink_server *server, sd_varlink *link, void *user)
{
	struct eg_booth *b = user;
	size_t i;

	(void)server;
	eg_self_test_drop(b, link);
	eg_calibrate_drop(b, link);
	eg_console_drop(b, link);
	for (i = 0; i < b->watcher_count; i++) {
		if (b->watcher[i] != link)
			continue;
		b->watcher[i] = b->watcher[--b->watcher_count];
		sd_varlink_unref(link);
		return;
	}
}

static int present_document(sd_varlink *link, sd_json_variant *parameters,
			    sd_varlink_method_flags_t flags, void *user)
{
	static const sd_json_dispatch_field fields[] = {
		{"text", SD_JSON_VARIANT_STRING, sd_json_dispatch_const_string, 0,
		 SD_JSON_MANDATORY},
		{0},
	};
	struct eg_booth *b = user;
	struct eg_document document;
	struct eg_err err = EG_ERR_INIT;
	const char *text = NULL;
	int r;

	(void)flags;
	r = sd_varlink_dispatch(link, parameters, fields, &text);
	if (r != 0)
		return r;
	if (eg_document_parse(EG_BYTES_STR(text), &document, &err) != 0) {
		eg_lane_misread(b);
		return sd_varlink_errorbo(link, "io.egress.Booth.DocumentUnreadable",
					  SD_JSON_BUILD_PAIR_STRING("reason", err.text));
	}
	r = sd_varlink_replybo(
		link, SD_JSON_BUILD_PAIR_STRING("kind",
						document.kind == EG_DOCUMENT_MRZ ? "mrz" : "pass"));
	eg_lane_document(b, &document);
	eg_document_wipe(&document);
	return r;
}

static int opt_out(sd_varlink *link, sd_json_variant *parameters, sd_varlink_method_flags_t flags,
		   void *user)
{
	struct eg_booth *b = user;
	int r;

	r = sd_varlink_dispatch(link, parameters, (const sd_json_dispatch_field[]){{0}}, NULL);
	if (r != 0)
		return r;
	b->blind_ns = INT64_MAX;
	eg_eyes_rest(b->eyes); // the frames first, then the book-keeping
	eg_lane_opt_out(b);
	b->wake_ms = eg_boot_ms(b->clock) + b->config.opt_out_ms;
	eg_console_view(b);
	if (eg_worker_reset(b->worker) != 0)
		eg_booth_fault(b, "vision: its queue of commands is full");
	eg_live_text(b, "camera", "camera: off, no camera please");
	return done(link, flags);
}

static int resume(sd_varlink *link, sd_json_variant *parameters, sd_varlink_method_flags_t flags,
		  void *user)
{
	struct eg_booth *b = user;
	int r;

	r = sd_varlink_dispatch(link, parameters, (const sd_json_dispatch_field[]){{0}}, NULL);
	if (r != 0)
		return r;
	if (b->wake_ms != 0)
		b->wake_ms = eg_boot_ms(b->clock);
	return done(link, flags);
}

static int manifests_changed(sd_varlink *link, sd_json_variant *parameters,
			     sd_varlink_method_flags_t flags, void *user)
{
	int r;

	r = sd_varlink_dispatch(link, parameters, (const sd_json_dispatch_field[]){{0}}, NULL);
	if (r != 0)
		return r;
	eg_booth_poll_manifests(user, true);
	eg_keeper_wake(((struct eg_booth *)user)->keeper);
	return done(link, flags);
}

// ---- start and stop -------------------------------------------------------------------------

int eg_live_start(struct eg_booth *booth, struct eg_err *err)
{
	int r;

	r = sd_varlink_server_new(&booth->server, SD_VARLINK_SERVER_INHERIT_USERDATA);
	if (r >= 0) {
		(void)sd_varlink_server_set_userdata(booth->server, booth);
		r = sd_varlink_server_set_info(booth->server, "Egress", "boothd", EG_VERSION, "");
	}
	if (r >= 0)
		r = sd_varlink_server_add_interface(booth->server, &vl_interface_io_egress_Booth);
	if (r >= 0)
		r = sd_varlink_server_bind_method_many(
			booth->server, "io.egress.Booth.GetStatus", get_status,
			"io.egress.Booth.Watch", watch, "io.egress.Booth.PresentDocument",
			present_document, "io.egress.Booth.OptOut", opt_out,
			"io.egress.Booth.Resume", resume, "io.egress.Booth.ManifestsChanged",
			manifests_changed, "io.egress.Booth.SelfTest", eg_self_test_method,
			"io.egress.Booth.CalibrateLiveness", eg_calibrate_method);
	if (r >= 0)
		r = eg_console_start(booth);
	if (r >= 0)
		r = sd_varlink_server_set_connections_max(booth->server, CONNECTIONS_MAX);
	if (r >= 0)
		r = sd_varlink_server_bind_disconnect(booth->server, on_disconnect);
	if (r >= 0)
		r = sd_varlink_server_listen_address(booth->server, booth->config.socket, 0660);
	if (r >= 0)
		r = sd_varlink_server_attach_event(booth->server, booth->event, 0);
	if (r < 0)
		return eg_err_errno(err, -r, "socket %s", booth->config.socket);
	return 0;
}

void eg_live_stop(struct eg_booth *booth)
{
	int n;

	eg_self_test_drop(booth, NULL);
	eg_calibrate_drop(booth, NULL);
	eg_console_stop(booth);
	while (booth->watcher_count > 0) {
		sd_varlink *link = booth->watcher[--booth->watcher_count];

		// What can be written without waiting; flush would wait for one that does not read.
		for (n = 0; n < 64 && sd_varlink_process(link) > 0; n++)
			;
		sd_varlink_close_unref(link);
	}
	sd_varlink_server_unref(booth->server);
	booth->server = NULL;
}
