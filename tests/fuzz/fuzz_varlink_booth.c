// SPDX-License-Identifier: Apache-2.0
// links: eg_boothd
// with: varlink_kit.c
//
// What anybody who may open boothd's socket can send: its own Varlink server and its own lane, with
// two travellers in view; camera, vision worker, keeper and disk are played here. A line is a
// message; see varlink_kit.h.

#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "firmware/base/log.h"
#include "firmware/boothd/booth.h"
#include "tests/fuzz/varlink_kit.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct eg_booth booth;
static struct eg_clock clock_now;
static bool resting, test_asked;
static int ring = -1;

// ---- the neighbours -------------------------------------------------------------------------

const char *eg_eyes_state_name(enum eg_eyes_state state)
{
	return state == EG_EYES_RESTING ? "resting" : "streaming";
}

void eg_eyes_rest(struct eg_eyes *eyes)
{
	(void)eyes;
	resting = true;
}

void eg_eyes_facts(const struct eg_eyes *eyes, struct eg_eyes_facts *ret_facts)
{
	(void)eyes;
	*ret_facts = (struct eg_eyes_facts){.state = resting ? EG_EYES_RESTING : EG_EYES_STREAMING,
					    .frames_per_second = 15};
}

int eg_worker_try(struct eg_worker *worker, uint32_t track)
{
	(void)worker;
	(void)track;
	return 0;
}

int eg_worker_claim(struct eg_worker *worker, uint32_t track, const struct eg_document *document)
{
	(void)worker;
	assert(track == 1 || track == 2);
	assert(document->kind == EG_DOCUMENT_MRZ || document->kind == EG_DOCUMENT_PASS);
	return 0;
}

int eg_worker_forget(struct eg_worker *worker, uint32_t track)
{
	(void)worker;
	(void)track;
	return 0;
}

int eg_worker_reset(struct eg_worker *worker)
{
	(void)worker;
	return 0;
}

int eg_worker_test(struct eg_worker *worker)
{
	(void)worker;
	test_asked = true;
	return 0;
}

bool eg_worker_test_done(struct eg_worker *worker, struct eg_err *ret_result)
{
	bool was = test_asked;

	(void)worker;
	test_asked = false;
	if (was)
		*ret_result = EG_ERR_INIT;
	return was;
}

void eg_worker_result_done(struct eg_worker_result *result)
{
	eg_buf_done(&result->face);
	memset(result, 0, sizeof(*result));
}

void eg_worker_manifest(struct eg_worker *worker, struct eg_worker_manifest *ret_manifest)
{
	(void)worker;
	memset(ret_manifest, 0, sizeof(*ret_manifest));
}

const uint8_t *eg_worker_pack_digest(const struct eg_worker *worker)
{
	static const uint8_t digest[EG_SHA256_SIZE];

	(void)worker;
	return digest;
}

const char *eg_worker_pack_name(const struct eg_worker *worker)
{
	(void)worker;
	return "pack";
}

struct eg_people *eg_worker_people(struct eg_worker *worker)
{
	(void)worker;
	return NULL;
}

int eg_worker_renew(struct eg_worker *worker, uint32_t track)
{
	(void)worker;
	assert(track == 1 || track == 2);
	return 0;
}

void eg_worker_serve(struct eg_worker *worker, const uint32_t *tracks, size_t count)
{
	(void)worker;
	(void)tracks;
	assert(count <= EG_TRACKS_MAX);
}

int eg_worker_show(struct eg_worker *worker, enum eg_view_state state, int64_t from_ns)
{
	(void)worker;
	(void)from_ns;
	assert(state != EG_VIEW_LIVE || !resting); // nobody sees who asked not to be seen
	return 0;
}

int eg_worker_view_fd(const struct eg_worker *worker)
{
	(void)worker;
	return ring;
}

void eg_keeper_keep(struct eg_keeper *keeper, struct eg_buf *sealed)
{
	(void)keeper;
	eg_buf_done(sealed);
}

void eg_salvage_records(struct eg_booth *of)
{
	(void)of;
}

void eg_keeper_wake(struct eg_keeper *keeper)
{
	(void)keeper;
}

void eg_booth_poll_manifests(struct eg_booth *of, bool now)
{
	(void)of;
	(void)now;
}

void eg_booth_fault(struct eg_booth *of, const char *text)
{
	(void)snprintf(of->fault, sizeof(of->fault), "%s", text);
}

int eg_record_write(struct eg_booth *of, const struct eg_slot *slot, char ret_id[EG_ID_TEXT_MAX],
		    struct eg_err *err)
{
	(void)of;
	(void)err;
	// Nobody is confirmed by what comes over this socket.
	assert(slot->session.verdict.kind == EG_VERDICT_REFER);
	(void)snprintf(ret_id, EG_ID_TEXT_MAX, "01900000-0000-7000-8000-00000000000%x",
		       slot->track);
	return 0;
}

// ---- the booth ------------------------------------------------------------------------------

static void start(void)
{
	eg_log_init("fuzz", (enum eg_log_level)0); // quiet
	eg_clock_fake_init(&clock_now, 1000 * EG_NS_PER_MS, 1780000000000);
	booth.clock = &clock_now;
	booth.policy = eg_session_defaults;
	booth.config.serve = EG_BOOTHD_EVERY;
	booth.config.opt_out_ms = 1000;
	(void)snprintf(booth.config.sync_socket, sizeof(booth.config.sync_socket), "/nowhere");
	varlink_kit_address(booth.config.socket, sizeof(booth.config.socket));
	booth.signal_ops = &eg_signal_record;
	assert(booth.signal_ops->open("", &booth.signal, NULL) == 0);
	assert(eg_crypto_init(NULL) == 0 && eg_key_generate(&booth.record_key, NULL) == 0);
	booth.seal_key = booth.record_key;
	memcpy(booth.trust.booth, "lane-1", 7);
	memcpy(booth.trust.seal, eg_key_public(booth.record_key), sizeof(booth.trust.seal));
	booth.cases = eg_cases_new();
	booth.roll = eg_roll_new();
	ring = memfd_create("ring", MFD_CLOEXEC);
	assert(booth.cases != NULL && booth.roll != NULL && ring >= 0);
	assert(eg_mailbox_new(&booth.mailbox, NULL) == 0);
	assert(sd_event_new(&booth.event) >= 0);
	assert(eg_live_start(&booth, NULL) == 0);
}

static void picture(void)
{
	struct eg_view *view = &booth.view;

	view->sequence++;
	view->captured_ns = eg_boot_ns(&clock_now);
	view->count = 2;
	for (uint32_t i = 0; i < 2; i++)
		view->track[i] = (struct eg_view_track){
			.id = i + 1,
			.in_view = true,
			.in_zone = true,
			.box = {.width = 0.1f + (float)i / 10},
			.shots = 1,
			.newest_shot = view->sequence,
			.first_seen_ns = 1,
		};
	if (!eg_calibrate_view(&booth))
		eg_lane_view(&booth);
}

// Time passes, somebody is seen, watchers are told.
static void on_step(void *user)
{
	(void)user;
	eg_clock_fake_advance(&clock_now, 200);
	picture();
	eg_lane_tick(&booth);
	eg_self_test_tick(&booth);
	eg_console_tick(&booth);
	eg_live_text(&booth, "camera", "camera: something");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (booth.event == NULL)
		start();
	picture();
	varlink_kit_talk(booth.event, booth.config.socket, EG_BYTES(data, size), on_step, NULL);
	assert(booth.watcher_count == 0 && booth.tester_count == 0);
	assert(booth.calibration.link == NULL);
	assert(booth.console.watcher_count == 0 && booth.console.viewer_count == 0);
	assert(sd_varlink_server_current_connections(booth.server) == 0);
	// The next input meets the same booth.
	eg_lane_clear(&booth);
	for (size_t i = 0; i < EG_CASES_MAX; i++) {
		eg_case_hide(&booth.cases->item[i]);
		booth.cases->item[i] = (struct eg_case){0};
	}
	booth.cases->next = 0;
	booth.sessions = 0;
	booth.blind_ns = booth.wake_ms = booth.calibration.empty_until_ms = 0;
	booth.fault[0] = '\0';
	resting = test_asked = false;
	return 0;
}
