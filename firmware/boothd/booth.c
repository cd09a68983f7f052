// SPDX-License-Identifier: Apache-2.0
//
// Starts and stops boothd's parts and keeps its loop: ten ticks a second, the worker's eventfd, the
// document reader's file descriptor, Varlink.

#include "firmware/boothd/booth.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <systemd/sd-daemon.h>

#include "firmware/base/file.h"
#include "firmware/base/log.h"
#include "firmware/base/mem.h"

#define TICK_US		  100000
#define MANIFESTS_POLL_MS 2000
#define WORKER_SILENT_MS  20000 // the vision thread's longest honest step is far below
#define SERVED_BEFORE_MS  2500

void eg_booth_fault(struct eg_booth *booth, const char *text)
{
	if (strcmp(booth->fault, text) != 0)
		eg_error("%s", text);
	(void)snprintf(booth->fault, sizeof(booth->fault), "%s", text);
	eg_live_text(booth, "fault", text);
}

// ---- manifests ------------------------------------------------------------------------------

// The one to use: valid now, and of several the one that ends first (this booth's next departure).
// When none is valid, the one that expired last goes on being used, as stale.
static const struct eg_manifest_held *choose(const struct eg_manifest_held *held, size_t count,
					     int64_t wall_ms)
{
	const struct eg_manifest_held *best = NULL;
	bool best_valid = false;
	size_t i;

	for (i = 0; i < count; i++) {
		const struct eg_manifest_held *m = &held[i];
		bool valid = wall_ms >= m->not_before_ms && wall_ms < m->expires_ms;

		if (wall_ms < m->not_before_ms)
			continue;
		if (best == NULL || (valid && !best_valid) ||
		    (valid == best_valid && (valid ? m->expires_ms < best->expires_ms
						   : m->expires_ms > best->expires_ms))) {
			best = m;
			best_valid = valid;
		}
	}
	return best;
}

static void load(struct eg_booth *b, const struct eg_manifest_held *chosen)
{
	struct eg_err err = EG_ERR_INIT;
	struct eg_buf wire;
	int r = 0;

	eg_buf_init(&wire, EG_MANIFEST_MAX);
	if (chosen != NULL)
		r = eg_manifests_get(b->manifests, chosen->id, &wire, &err);
	if (r == 0)
		r = eg_worker_load(b->worker, &wire);
	eg_buf_done(&wire);
	if (r != 0) {
		eg_booth_fault(b, err.text[0] != '\0' ? err.text : "manifest: could not be loaded");
		return;
	}
	if (chosen == NULL) {
		b->manifest[0] = '\0';
		b->manifest_version = 0;
		eg_live_text(b, "manifest", "no manifest is held any more");
		return;
	}
	memcpy(b->manifest, chosen->id, sizeof(b->manifest));
	b->manifest_version = chosen->version;
	eg_info("manifest %s version %" PRIu64 ": loading", chosen->id, chosen->version);
	eg_live_text(b, "manifest", chosen->id);
}

void eg_booth_poll_manifests(struct eg_booth *booth, bool now)
{
	struct eg_manifest_held held[64];
	const struct eg_manifest_held *chosen;
	struct eg_err err = EG_ERR_INIT;
	int64_t at = eg_boot_ms(booth->clock);
	size_t count;

	if (!now && at - booth->polled_ms < MANIFESTS_POLL_MS)
		return;
	booth->polled_ms = at;
	if (eg_manifests_change(booth->manifests, &booth->manifests_change, &err) != 0 ||
	    eg_manifests_list(booth->manifests, held, 64, &count, &err) != 0) {
		eg_booth_fault(booth, err.text);
		return;
	}
	chosen = choose(held, count, eg_wall_ms(booth->clock));
	if (chosen == NULL && booth->manifest[0] == '\0')
		return;
	if (chosen != NULL && strcmp(chosen->id, booth->manifest) == 0 &&
	    chosen->version == booth->manifest_version)
		return;
	load(booth, chosen);
}

// ---- loop -----------------------------------------------------------------------------------

static void collect(struct eg_booth *b)
{
	struct eg_worker_result result;
	struct eg_err fault;
	uint64_t duplicates = b->view.duplicates;
	uint32_t generation = b->view.generation;

	while (eg_worker_result(b->worker, &result))
		eg_lane_result(b, &result);
	if (eg_worker_view(b->worker, &b->view)) {
		eg_eyes_saw(b->eyes, b->view.captured_ns, b->view.duplicates == duplicates);
		// A restarted stream shows the same people: their tracks begin anew.
		if (b->view.generation != generation && generation != 0 &&
		    eg_worker_reset(b->worker) != 0)
			eg_booth_fault(b, "vision: its queue of commands is full");
		eg_lane_view(b);
	}
	if (eg_worker_fault(b->worker, &fault))
		eg_booth_fault(b, fault.text);
}

static int on_worker(sd_event_source *source, int fd, uint32_t revents, void *user)
{
	(void)source;
	(void)fd;
	(void)revents;
	collect(user);
	return 0;
}

static void watch_worker(struct eg_booth *b)
{
	uint64_t beat = eg_worker_beat(b->worker);
	int64_t now = eg_boot_ms(b->clock);

	if (beat != b->last_beat) {
		b->last_beat = beat;
		b->last_beat_ms = now;
	}
	if (now - b->last_beat_ms < WORKER_SILENT_MS) {
		(void)sd_notify(false, "WATCHDOG=1");
		return;
	}
	// No watchdog any more: systemd restarts us. Those in front of the camera go to the
	// officer.
	eg_booth_fault(b, "vision: the worker hangs; boothd will be restarted");
	eg_lane_fault_all(b);
}

static int on_tick(sd_event_source *source, uint64_t usec, void *user)
{
	struct eg_booth *b = user;
	const char *text;

	if (eg_eyes_tick(b->eyes, &text)) {
		eg_notice("%s", text);
		eg_live_text(b, "camera", text);
	}
	if (b->wake_ms != 0 && eg_boot_ms(b->clock) >= b->wake_ms) {
		b->wake_ms = 0;
		eg_eyes_wake(b->eyes);
		eg_live_text(b, "camera", "camera: on again");
	}
	eg_lane_tick(b);
	eg_booth_poll_manifests(b, false);
	watch_worker(b);
	(void)sd_event_source_set_time(source, usec + TICK_US);
	return sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
}

static void read_document(struct eg_booth *b, bool timed_out)
{
	struct eg_document document;
	struct eg_err err = EG_ERR_INIT;
	int r;

	r = b->document_ops->read(b->reader, timed_out, &document, &err);
	if (r == 0) {
		eg_lane_document(b, &document);
		eg_document_wipe(&document);
	} else if (r == EG_EINVAL) {
		eg_notice("document: %s", err.text);
		eg_lane_misread(b);
	} else if (r == EG_EIO) {
		eg_booth_fault(b, err.text);
		sd_event_source_disable_unref(b->document_source);
		b->document_source = NULL;
	}
}

static int on_document(sd_event_source *source, int fd, uint32_t revents, void *user)
{
	(void)source;
	(void)fd;
	(void)revents;
	read_document(user, false);
	return 0;
}

// ---- start and stop -------------------------------------------------------------------------

static int load_keys(struct eg_booth *b, struct eg_err *err)
{
	char path[EG_CONFIG_PATH_MAX + 16];
	struct eg_booth_keys keys;
	struct eg_buf pub;
	int r;

	r = eg_dir_make(b->config.state, 0700, err);
	if (r != 0)
		return r;
	(void)snprintf(path, sizeof(path), "%s/seal.key", b->config.state);
	r = eg_key_load_or_make(path, &b->seal_key, NULL, err);
	if (r != 0)
		return r;
	(void)snprintf(path, sizeof(path), "%s/record.key", b->config.state);
	r = eg_key_load_or_make(path, &b->record_key, NULL, err);
	if (r != 0)
		return r;
	memcpy(keys.seal, eg_key_public(b->seal_key), sizeof(keys.seal));
	memcpy(keys.sign, eg_key_public(b->record_key), sizeof(keys.sign));
	eg_buf_init(&pub, 1024);
	r = eg_booth_keys_encode(&keys, &pub);
	if (r == 0)
		r = eg_file_write(b->config.pub, eg_buf_bytes(&pub), 0644, err);
	else
		r = eg_err_set(err, r, "booth.pub could not be encoded");
	eg_buf_done(&pub);
	return r;
}

int eg_booth_make_keys(struct eg_booth *booth, const struct eg_boothd_config *config,
		       struct eg_err *err)
{
	int r;

	booth->config = *config;
	r = eg_crypto_init(err);
	return r != 0 ? r : load_keys(booth, err);
}

static int start_worker(struct eg_booth *b, struct eg_err *err)
{
	const struct eg_boothd_config *c = &b->config;
	struct eg_worker_config config = {
		.pack_folder = c->pack,
		.capture = eg_capture_defaults,
		.fmr = c->fmr,
		.fpir = c->fpir,
		.served_before_ms = SERVED_BEFORE_MS,
		.booth = b->trust.booth,
		.keys = b->trust.sign,
		.key_count = b->trust.sign_count,
		.seal_key = b->seal_key,
		.clock = b->clock,
	};
	uint8_t pinned[EG_SHA256_SIZE];
	int r;

	config.capture.zone = (struct eg_zone){(float)c->zone_left, (float)c->zone_top,
					       (float)c->zone_right, (float)c->zone_bottom};
	config.capture.inter_eye_min_px = (float)c->inter_eye_min_px;
	config.capture.quality_min = (int)c->quality_min;
	r = eg_worker_new(&config, b->mailbox, &b->worker, err);
	if (r != 0 || c->pack_digest[0] == '\0')
		return r;
	if (eg_unhex(c->pack_digest, pinned, sizeof(pinned)) != 0)
		return eg_err_set(err, EG_EINVAL, "[models] digest is not 64 hexadecimal digits");
	if (memcmp(pinned, eg_worker_pack_digest(b->worker), sizeof(pinned)) != 0)
		return eg_err_set(err, EG_EAUTH,
				  "%s is not the pinned model pack; install that one, or change "
				  "[models] digest",
				  c->pack);
	return 0;
}

static int start_drivers(struct eg_booth *b, struct eg_err *err)
{
	const struct eg_boothd_config *c = &b->config;
	int r;

	b->signal_ops = eg_signal_backend(eg_boothd_signals[c->signal_backend]);
	r = b->signal_ops->open(c->signal_source, &b->signal, err);
	if (r != 0)
		return r;
	if (strcmp(eg_boothd_documents[c->document_backend], "none") != 0) {
		b->document_ops = eg_document_backend(eg_boothd_documents[c->document_backend]);
		r = b->document_ops->open(c->document_source, &b->reader, err);
		if (r != 0)
			return r;
	}
	b->camera_config = (struct eg_camera_config){
		.source = c->camera_source,
		.width = (int)c->width,
		.height = (int)c->height,
		.frame_rate = (int)c->frame_rate,
		.loop = c->loop,
		.clock = b->clock,
	};
	return eg_eyes_new(eg_camera_backend(eg_boothd_cameras[c->camera_backend]),
			   &b->camera_config, b->mailbox, &b->eyes, err);
}

static int start_loop(struct eg_booth *b, struct eg_err *err)
{
	int fd, r;

	r = sd_event_add_io(b->event, &b->worker_source, eg_worker_fd(b->worker), EPOLLIN,
			    on_worker, b);
	if (r >= 0)
		r = sd_event_add_time_relative(b->event, &b->tick_source, CLOCK_BOOTTIME, TICK_US,
					       10000, on_tick, b);
	if (r >= 0 && b->reader != NULL) {
		fd = b->document_ops->fd(b->reader);
		if (fd >= 0)
			r = sd_event_add_io(b->event, &b->document_source, fd, EPOLLIN, on_document,
					    b);
	}
	if (r < 0)
		return eg_err_errno(err, -r, "event loop");
	return eg_live_start(b, err);
}

static void set_policy(struct eg_booth *b)
{
	const struct eg_boothd_config *c = &b->config;

	b->policy = eg_session_defaults;
	b->policy.needs_document = c->mode == EG_BOOTHD_VERIFY;
	b->policy.needs_liveness = c->needs_liveness;
	b->policy.liveness_min = (float)c->liveness_min;
	b->policy.confirm_shots = (unsigned int)c->confirm_shots;
	b->policy.try_ms = (int)c->try_ms;
	b->policy.patience_ms = (int)c->patience_ms;
	b->policy.show_ms = (int)c->show_ms;
}

int eg_booth_start(struct eg_booth *booth, const struct eg_boothd_config *config,
		   struct eg_err *err)
{
	struct eg_booth *b = booth;
	int r;

	b->config = *config;
	b->clock = eg_clock_system();
	b->started_ms = b->last_beat_ms = eg_boot_ms(b->clock);
	set_policy(b);
	r = eg_crypto_init(err);
	if (r == 0)
		r = eg_trust_load(config->trust, &b->trust, err);
	if (r == 0)
		r = load_keys(b, err);
	if (r == 0)
		r = eg_records_open(config->records, &b->records, err);
	if (r == 0)
		r = eg_manifests_open(config->manifests, &b->manifests, err);
	if (r == 0)
		r = eg_mailbox_new(&b->mailbox, err);
	if (r == 0)
		r = start_worker(b, err);
	if (r != 0)
		return r;
	// The worker reads the manifest while the camera is opened, which takes its time.
	eg_booth_poll_manifests(b, true);
	r = start_drivers(b, err);
	return r != 0 ? r : start_loop(b, err);
}

// Whoever is being served at this moment goes to the officer, on record.
void eg_booth_stop(struct eg_booth *booth)
{
	struct eg_booth *b = booth;

	if (b->worker != NULL && b->records != NULL && b->signal != NULL)
		eg_lane_fault_all(b);
	eg_live_stop(b);
	sd_event_source_disable_unref(b->document_source);
	sd_event_source_disable_unref(b->tick_source);
	sd_event_source_disable_unref(b->worker_source);
	eg_eyes_free(b->eyes);
	eg_worker_free(b->worker);
	eg_lane_clear(b);
	eg_mailbox_free(b->mailbox);
	if (b->document_ops != NULL)
		b->document_ops->close(b->reader);
	if (b->signal_ops != NULL)
		b->signal_ops->close(b->signal);
	eg_manifests_close(b->manifests);
	eg_records_close(b->records);
	eg_key_free(b->seal_key);
	eg_key_free(b->record_key);
}
