// SPDX-License-Identifier: Apache-2.0
//
// Starts and stops boothd's parts and keeps its loop: ten ticks a second, the worker's eventfd, the
// document reader's file descriptor, Varlink.

#include "firmware/boothd/booth.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include "firmware/base/file.h"
#include "firmware/base/log.h"
#include "firmware/base/mem.h"

#define TICK_US		  100000
#define MANIFESTS_POLL_MS 2000
#define WORKER_SILENT_MS  20000 // the vision thread's longest honest step is far below
#define SERVED_BEFORE_MS  2500
#define FAULT_AGAIN_MS	  60000
#define READER_QUIET_MS	  100 // silence that ends a document (drivers/document.h)
#define READER_RETRY_MS	  5000

void eg_booth_fault(struct eg_booth *booth, const char *text)
{
	int64_t now = eg_boot_ms(booth->clock);

	// One that goes on is told now and then, not ten times a second.
	if (strcmp(booth->fault, text) == 0 && now - booth->fault_told_ms < FAULT_AGAIN_MS)
		return;
	booth->fault_told_ms = now;
	eg_error("%s", text);
	if (booth->fault != text)
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

	while (eg_worker_result(b->worker, &result))
		eg_lane_result(b, &result);
	if (eg_worker_view(b->worker, &b->view) && !eg_calibrate_view(b))
		eg_lane_view(b);
	eg_console_serve(b);
	eg_casework_manifest(b);
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

static void watch_camera(struct eg_booth *b)
{
	struct eg_eyes_facts facts;
	const char *text;

	if (eg_eyes_tick(b->eyes, &text)) {
		eg_notice("%s", text);
		eg_live_text(b, "camera", text);
		// Nobody is left standing before a camera that sees nothing.
		eg_eyes_facts(b->eyes, &facts);
		if (facts.state != EG_EYES_STREAMING)
			eg_lane_fault_all(b);
	}
	if (b->wake_ms != 0 && eg_boot_ms(b->clock) >= b->wake_ms) {
		b->wake_ms = 0;
		b->blind_ns = eg_boot_ns(b->clock);
		eg_eyes_wake(b->eyes);
		eg_live_text(b, "camera", "camera: on again");
	}
}

// ---- documents ------------------------------------------------------------------------------

static int on_document(sd_event_source *source, int fd, uint32_t revents, void *user);

// A reader that is not there yet, or not any more, is tried again and again: travellers without a
// document are served meanwhile.
static int open_reader(struct eg_booth *b, struct eg_err *err)
{
	int fd, r;

	b->reader_retry_ms = eg_boot_ms(b->clock) + READER_RETRY_MS;
	r = b->document_ops->open(b->config.document_source, &b->reader, err);
	if (r != 0)
		return r;
	b->reader_retry_ms = 0;
	fd = b->document_ops->fd(b->reader);
	if (fd < 0)
		return 0;
	r = sd_event_add_io(b->event, &b->document_source, fd, EPOLLIN, on_document, b);
	return r < 0 ? eg_err_errno(err, -r, "document reader: event loop") : 0;
}

static void close_reader(struct eg_booth *b)
{
	b->document_source = sd_event_source_disable_unref(b->document_source);
	if (b->document_ops != NULL)
		b->document_ops->close(b->reader);
	b->reader = NULL;
	b->quiet_ms = 0;
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
		close_reader(b);
		b->reader_retry_ms = eg_boot_ms(b->clock) + READER_RETRY_MS;
		return;
	}
	b->quiet_ms = r == EG_EAGAIN && !timed_out ? eg_boot_ms(b->clock) + READER_QUIET_MS : 0;
}

static int on_document(sd_event_source *source, int fd, uint32_t revents, void *user)
{
	(void)source;
	(void)fd;
	(void)revents;
	read_document(user, false);
	return 0;
}

static void watch_reader(struct eg_booth *b)
{
	struct eg_err err = EG_ERR_INIT;

	if (b->reader_retry_ms != 0 && eg_boot_ms(b->clock) >= b->reader_retry_ms) {
		if (open_reader(b, &err) == 0)
			eg_notice("document reader: open");
	} else if (b->reader != NULL && b->document_source == NULL) {
		if (eg_lane_wants_document(b)) // the script: one each time it is wanted
			read_document(b, false);
	} else if (b->quiet_ms != 0 && eg_boot_ms(b->clock) >= b->quiet_ms) {
		read_document(b, true);
	}
}

static int on_tick(sd_event_source *source, uint64_t usec, void *user)
{
	struct eg_booth *b = user;

	(void)usec;
	eg_secret_warn();
	watch_camera(b);
	watch_reader(b);
	eg_lane_tick(b);
	(void)eg_record_retry(b, false);
	eg_self_test_tick(b);
	eg_calibrate_tick(b);
	eg_casework_tick(b);
	eg_console_tick(b);
	eg_booth_poll_manifests(b, false);
	eg_record_tally_manifest(b);
	watch_worker(b);
	(void)sd_event_source_set_time_relative(source, TICK_US);
	return sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
}

// ---- start and stop -------------------------------------------------------------------------

// Two boothd at once would serve everybody twice, and take each other's socket: the first holds a
// lock for as long as it lives.
static int take_lock(struct eg_booth *b, struct eg_err *err)
{
	char path[EG_CONFIG_PATH_MAX + 16];

	(void)snprintf(path, sizeof(path), "%s/boothd.lock", b->config.state);
	b->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (b->lock < 0)
		return eg_err_errno(err, errno, "%s", path);
	if (flock(b->lock, LOCK_EX | LOCK_NB) == 0)
		return 0;
	if (errno == EWOULDBLOCK)
		return eg_err_set(err, EG_ECONFLICT, "%s: another boothd is running; stop it first",
				  path);
	return eg_err_errno(err, errno, "%s", path);
}

static int load_keys(struct eg_booth *b, struct eg_err *err)
{
	char path[EG_CONFIG_PATH_MAX + 16];
	struct eg_booth_keys keys;
	struct eg_buf pub;
	int r;

	r = eg_dir_make(b->config.state, 0700, err);
	if (r == 0)
		r = take_lock(b, err);
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
	booth->clock = eg_clock_system();
	booth->lock = -1;
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
		r = open_reader(b, err);
		if (r == EG_EINVAL)
			return r;
		if (r != 0)
			eg_booth_fault(b, err->text);
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
	int r;

	r = sd_event_add_io(b->event, &b->worker_source, eg_worker_fd(b->worker), EPOLLIN,
			    on_worker, b);
	if (r >= 0)
		r = eg_policy_watch(b);
	if (r >= 0)
		r = sd_event_add_time_relative(b->event, &b->tick_source, CLOCK_BOOTTIME, TICK_US,
					       10000, on_tick, b);
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
	b->lock = -1;
	b->clock = eg_clock_system();
	b->started_ms = b->last_beat_ms = eg_boot_ms(b->clock);
	(void)snprintf(b->snapshot, sizeof(b->snapshot), "%s/cases.sealed", config->state);
	set_policy(b);
	r = eg_crypto_init(err);
	if (r == 0)
		r = eg_trust_load(config->trust, &b->trust, err);
	if (r == 0)
		r = load_keys(b, err);
	if (r == 0)
		r = eg_salvage_open(b, err);
	if (r == 0)
		r = eg_mailbox_new(&b->mailbox, err);
	if (r == 0)
		r = start_worker(b, err);
	if (r == 0)
		r = eg_policy_start(b, err);
	if (r == 0)
		r = eg_casework_start(b, err);
	if (r != 0)
		return r;
	// The worker reads the manifest while the camera is opened, which takes its time.
	eg_booth_poll_manifests(b, true);
	eg_calibrate_start(b);
	r = start_drivers(b, err);
	return r != 0 ? r : start_loop(b, err);
}

// Whoever is being served at this moment goes to the officer, on record.
void eg_booth_stop(struct eg_booth *booth)
{
	struct eg_booth *b = booth;

	if (b->worker != NULL && b->records != NULL && b->signal != NULL)
		eg_lane_fault_all(b);
	if (b->records != NULL && !eg_record_retry(b, true))
		eg_error("%zu records could not be written and are lost; look at the disk",
			 b->unwritten.count);
	eg_record_done(b);
	eg_live_stop(b);
	close_reader(b);
	sd_event_source_disable_unref(b->tick_source);
	sd_event_source_disable_unref(b->worker_source);
	eg_policy_stop(b); // near the end: the audit head covers what was just written
	eg_eyes_free(b->eyes);
	eg_worker_free(b->worker);
	eg_lane_clear(b);
	eg_casework_stop(b);
	eg_mailbox_free(b->mailbox);
	if (b->signal_ops != NULL)
		b->signal_ops->close(b->signal);
	eg_manifests_close(b->manifests);
	eg_records_close(b->records);
	eg_key_free(b->seal_key);
	eg_key_free(b->record_key);
	if (b->lock >= 0)
		close(b->lock);
}
