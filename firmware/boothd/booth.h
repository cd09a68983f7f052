// SPDX-License-Identifier: Apache-2.0
//
// boothd's one owner: every part hangs from struct eg_booth, main.c makes and unwinds it. booth.c
// starts and stops, lane.c serves travellers, record.c writes encounters, live.c speaks Varlink.
//
// Thread: the main thread, one sd-event loop.

#ifndef EG_BOOTH_H
#define EG_BOOTH_H

#include <systemd/sd-event.h>
#include <systemd/sd-varlink.h>

#include "drivers/document.h"
#include "drivers/signal.h"
#include "firmware/boothd/cases.h"
#include "firmware/boothd/config.h"
#include "firmware/boothd/eyes.h"
#include "firmware/boothd/keeper.h"
#include "firmware/boothd/worker.h"
#include "store/manifests.h"
#include "store/records.h"
#include "store/site.h"
#include "store/trust.h"

#define EG_WATCHERS_MAX	 16
#define EG_TESTERS_MAX	 4
#define EG_UNWRITTEN_MAX 64
#define EG_VIEWERS_MAX	 8

// One traveller being served.
struct eg_slot {
	bool used;
	uint64_t number; // of the session since the start
	uint32_t track;
	uint64_t first_frame, last_frame; // with the face in them
	double x, y;			  // middle of the face in the last, parts of the frame
	uint64_t newest_shot;
	int64_t seen_wall_ms, usable_wall_ms;
	enum eg_hint hint;
	struct eg_session session;
	bool has_claim;
	struct eg_document claim;	// as presented; wiped with the slot
	struct eg_worker_result result; // the latest attempt's; holds the face until it is recorded
	bool has_result;
};

// Records that could not be written: sealed already, so nobody can read them here. They are tried
// again until the disk takes them. When more come than there is room for, the oldest stay.
struct eg_unwritten {
	struct {
		struct eg_id id;
		int64_t wall_ms;
		bool opted_out;
		struct eg_buf envelope;
	} item[EG_UNWRITTEN_MAX];
	size_t count;
	int64_t retry_ms;
};

struct eg_booth {
	int lock; // of the state folder; −1: not taken
	struct eg_boothd_config config;
	const struct eg_clock *clock;
	struct eg_trust trust;
	struct eg_key *seal_key, *record_key;
	struct eg_records *records;
	struct eg_manifests *manifests;
	struct eg_keeper *keeper;
	struct eg_mailbox *mailbox;
	struct eg_camera_config camera_config;
	struct eg_eyes *eyes;
	struct eg_worker *worker;
	const struct eg_signal_ops *signal_ops;
	struct eg_signal *signal;
	const struct eg_document_ops *document_ops;
	struct eg_document_reader *reader;
	struct eg_session_policy policy;

	sd_event *event;
	sd_event_source *tick_source, *worker_source, *keeper_source, *document_source;
	sd_varlink_server *server;
	sd_varlink *watcher[EG_WATCHERS_MAX];
	size_t watcher_count;
	sd_varlink *tester[EG_TESTERS_MAX]; // wait for the self-test's end
	size_t tester_count;
	int64_t test_until_ms;
	struct eg_site site; // all zero: nothing measured, or not for this pack and camera
	struct {
		sd_varlink *link; // who measures; NULL: nobody
		int64_t told_ns;
		int64_t empty_until_ms; // afterwards nobody is served until all have left, or then
	} calibration;

	struct eg_slot slot[EG_TRACKS_MAX];
	struct eg_view view;
	uint64_t sessions, confirmed, referred;
	struct eg_document pending; // a document that came before its traveller
	int64_t pending_until_ms;   // 0: none
	struct {
		struct eg_papers papers;
		uint8_t salt[32];
		int64_t until_ms; // 0: free
	} named[EG_TRACKS_MAX];	  // whom faces alone confirmed a moment ago
	int64_t quiet_ms; // when a reader that sent bytes counts as silent; 0: nothing half read
	int64_t reader_retry_ms; // next try to open the reader; 0: it is open, or there is none
	int64_t wake_ms;	 // end of an opt-out; 0: none
	int64_t blind_ns;	 // frames from before are not looked at
	struct eg_unwritten unwritten;
	int64_t started_ms, polled_ms;
	uint64_t manifests_change;
	char manifest[EG_NAME_MAX]; // asked of the worker
	uint64_t manifest_version;
	char tallied[EG_NAME_MAX]; // the manifest whose impostor scores were counted last
	int64_t tallied_week_ms;
	char snapshot[EG_CONFIG_PATH_MAX + 16];
	struct eg_policy central; // as the centre signed it; version 0: the defaults
	struct eg_cases *cases;
	struct eg_roll *roll;
	struct {
		bool has_user;
		uid_t user; // who is served beside root and ourselves
		sd_varlink *watcher[EG_WATCHERS_MAX];
		size_t watcher_count;
		sd_varlink *viewer[EG_VIEWERS_MAX]; // hold the ring of live pictures
		size_t viewer_count;
		struct { // were sent faces, and have not read them yet
			sd_varlink *link;
			int64_t until_ms;
		} owing[EG_WATCHERS_MAX];
		enum eg_view_state shown, told; // in the ring; to watchers
		int64_t shown_from_ns;
		sd_json_variant *flight; // as last told
		int64_t flight_ms;
	} console;
	uint64_t last_beat;
	int64_t last_beat_ms;
	char fault[EG_ERR_TEXT_MAX];
	int64_t fault_told_ms;
};

// booth.c. Exits of the loop come through sd_event_exit.
int eg_booth_start(struct eg_booth *booth, const struct eg_boothd_config *config,
		   struct eg_err *err) EG_CHECKED;
// Only the keys and booth.pub; nothing else is started.
int eg_booth_make_keys(struct eg_booth *booth, const struct eg_boothd_config *config,
		       struct eg_err *err) EG_CHECKED;
void eg_booth_stop(struct eg_booth *booth);		       // takes a zeroed or half-started one
void eg_booth_fault(struct eg_booth *booth, const char *text); // logs, remembers, tells watchers
void eg_booth_poll_manifests(struct eg_booth *booth, bool now);

// lane.c
void eg_lane_view(struct eg_booth *booth);				      // booth->view is new
void eg_lane_result(struct eg_booth *booth, struct eg_worker_result *result); // takes it over
void eg_lane_tick(struct eg_booth *booth);
void eg_lane_document(struct eg_booth *booth, const struct eg_document *document);
bool eg_lane_wants_document(struct eg_booth *booth); // somebody is served who has shown none
void eg_lane_misread(struct eg_booth *booth);
void eg_lane_opt_out(struct eg_booth *booth);
void eg_lane_fault_all(struct eg_booth *booth); // everybody who is being served goes to the officer
void eg_lane_clear(struct eg_booth *booth);
// Another look at whoever has this track: a new session begins, with the document of the old one.
// EG_ENOENT: nobody is there any more. EG_EFULL.
int eg_lane_again(struct eg_booth *booth, uint32_t track) EG_CHECKED;
bool eg_lane_serving(const struct eg_booth *booth); // somebody waits for a verdict

// record.c. Writes the slot's encounter; its id as text goes to ret_id. After 0 it survives a power
// cut. A referral that the disk does not take is kept for eg_record_retry; a confirmation is not.
int eg_record_write(struct eg_booth *booth, const struct eg_slot *slot, char ret_id[EG_ID_TEXT_MAX],
		    struct eg_err *err) EG_CHECKED;
// Tries again what could not be written; true when nothing is left. `now`: without waiting.
bool eg_record_retry(struct eg_booth *booth, bool now);
void eg_record_done(struct eg_booth *booth);
// Counts the impostor scores of a manifest that came into use.
void eg_record_tally_manifest(struct eg_booth *booth);

// policy.c. Starts the keeper and puts the policy it found in force; watching comes once there is a
// loop, and gives what sd_event_add_io gives.
int eg_policy_start(struct eg_booth *booth, struct eg_err *err) EG_CHECKED;
int eg_policy_watch(struct eg_booth *booth) EG_CHECKED;
void eg_policy_stop(struct eg_booth *booth); // purges and signs the audit head once more

// casework.c. What the officers see of travellers, and what they decide. Reads the snapshot, and
// from the audit chain what was decided after it; comes after eg_policy_start.
int eg_casework_start(struct eg_booth *booth, struct eg_err *err) EG_CHECKED;
void eg_casework_stop(struct eg_booth *booth);
void eg_casework_record(struct eg_booth *booth, const struct eg_slot *slot,
			const struct eg_encounter *encounter); // a verdict, on record
void eg_casework_state(struct eg_booth *booth, const struct eg_slot *slot);
void eg_casework_tick(struct eg_booth *booth);	   // faces and claims whose time is over
void eg_casework_manifest(struct eg_booth *booth); // another one may be in use
// Who stands there without a verdict, as a case of its own; no memory to wipe.
void eg_casework_of_slot(const struct eg_booth *booth, const struct eg_slot *slot,
			 struct eg_case *ret_case);
bool eg_casework_in_view(const struct eg_booth *booth, const struct eg_case *one);
// The decision is signed and on disk when this returns 0. EG_ECONFLICT: it is decided. EG_EAUTH: a
// second person is needed. EG_EINVAL: does not fit, and why. EG_ENOENT: recapture, and the
// traveller is gone. Anything else: nothing was written.
int eg_casework_decide(struct eg_booth *booth, struct eg_case *one, enum eg_decision decision,
		       enum eg_decision_reason reason, const char *by, const char *second,
		       struct eg_err *err) EG_CHECKED;
// "" for nobody.
int eg_casework_hold(struct eg_booth *booth, struct eg_case *one, const char *account,
		     struct eg_err *err) EG_CHECKED;
// Before faces are shown: has the chain say to whom, once.
int eg_casework_shown(struct eg_booth *booth, struct eg_case *one, const char *account,
		      struct eg_err *err) EG_CHECKED;
// EG_ENOENT: there is no exit. `named`: the traveller wants the name in it; only while it is known.
int eg_casework_receipt(struct eg_booth *booth, struct eg_case *one, bool named,
			char ret_text[EG_EXIT_TEXT_MAX], struct eg_err *err) EG_CHECKED;

// console.c. io.egress.Console.
int eg_console_start(struct eg_booth *booth); // what sd_varlink_server_… gives; before it listens
void eg_console_stop(struct eg_booth *booth);
void eg_console_drop(struct eg_booth *booth, sd_varlink *link); // it has disconnected
void eg_console_tell(struct eg_booth *booth, sd_json_variant *event);
void eg_console_case(struct eg_booth *booth, const struct eg_case *one); // is new, or another
void eg_console_view(struct eg_booth *booth);  // the camera may have begun or ended its rest
void eg_console_serve(struct eg_booth *booth); // who is served may have changed
void eg_console_tick(struct eg_booth *booth);
bool eg_console_allows(const struct eg_booth *booth, sd_varlink *link);
// They were sent faces: they get a moment to read them.
void eg_console_owes(struct eg_booth *booth, sd_varlink *link);

// console_json.c. As sd_json_buildo.
int eg_console_case_json(const struct eg_booth *booth, const struct eg_case *one,
			 sd_json_variant **ret);
int eg_console_flight_json(const struct eg_booth *booth, sd_json_variant **ret);

// console_case.c. Methods about one case.
int eg_console_bind_cases(sd_varlink_server *server);

// salvage.c. The two databases, opened; what is damaged is saved as far as it can be read, and
// told.
int eg_salvage_open(struct eg_booth *booth, struct eg_err *err) EG_CHECKED;
// records.db turned out to be damaged while we run: the same, with travellers waiting. When that
// fails the program ends, to begin again.
void eg_salvage_records(struct eg_booth *booth);

// live.c
int eg_live_start(struct eg_booth *booth, struct eg_err *err) EG_CHECKED;
void eg_live_stop(struct eg_booth *booth);
void eg_live_state(struct eg_booth *booth, const struct eg_slot *slot, const char *encounter);
void eg_live_hint(struct eg_booth *booth, const struct eg_slot *slot);
void eg_live_text(struct eg_booth *booth, const char *type, const char *text);
void eg_live_kick_sync(struct eg_booth *booth); // fire and forget; never waits

// selftest.c. Runs beside travellers: the answer comes when the vision worker has done its part.
int eg_self_test_method(sd_varlink *link, sd_json_variant *parameters,
			sd_varlink_method_flags_t flags, void *user);
void eg_self_test_tick(struct eg_booth *booth);
void eg_self_test_drop(struct eg_booth *booth, sd_varlink *link); // its caller is gone; NULL: all

// calibrate.c. While a technician measures, faces are scored and nobody is served.
void eg_calibrate_start(struct eg_booth *booth); // reads the site file, sets the threshold
void eg_calibrate_tick(struct eg_booth *booth);	 // another camera than the measured one
// True when this view is the measurement's, and the lane must not see it.
bool eg_calibrate_view(struct eg_booth *booth);
int eg_calibrate_method(sd_varlink *link, sd_json_variant *parameters,
			sd_varlink_method_flags_t flags, void *user);
void eg_calibrate_drop(struct eg_booth *booth, sd_varlink *link); // its caller is gone; NULL: any
int eg_liveness_reasons_json(uint32_t reasons, sd_json_variant **ret);	    // array of names
int eg_calibrate_json(const struct eg_booth *booth, sd_json_variant **ret); // for the status

#endif
