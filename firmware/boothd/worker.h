// SPDX-License-Identifier: Apache-2.0
//
// The vision worker: the one thread that sees pixels. Takes frames out of the mailbox, follows
// faces, compares them with the book when asked, makes books out of manifests between frames.
// Upwards it only posts: the newest view (latest wins) and a bounded queue of results, and wakes
// the main thread through an eventfd. Downwards it takes commands from a bounded queue.
//
// Thread: everything here is called by the main thread, unless said otherwise.

#ifndef EG_WORKER_H
#define EG_WORKER_H

#include "drivers/document.h"
#include "firmware/boothd/session.h"
#include "firmware/boothd/papers.h"
#include "firmware/boothd/people.h"
#include "store/counts.h"
#include "firmware/view/view.h"
#include "store/encounter.h"

struct eg_worker_config {
	const char *pack_folder;
	struct eg_capture_config capture;
	double fmr, fpir;     // error targets: verify, identify
	int served_before_ms; // a track that begins so soon after one ended may be the same person
	const char *booth;    // lent: these outlive the worker
	const struct eg_trusted_key *keys;
	size_t key_count;
	const struct eg_key *seal_key;
	const struct eg_clock *clock;
};

// What is in view, as of one frame.
struct eg_view_track {
	uint32_t id;
	bool in_view, in_zone;
	enum eg_hint hint;
	struct eg_box box;
	size_t shots;
	uint64_t newest_shot; // sequence of the newest kept shot; a change means a new one
	int64_t first_seen_ns;
	struct eg_liveness liveness;
};

struct eg_view {
	uint64_t sequence;
	int64_t captured_ns;
	uint32_t generation;
	int width, height;
	size_t count;
	struct eg_view_track track[EG_TRACKS_MAX];
	int mean_luma;	     // 0 … 255: a camera that sees nothing shows here
	uint64_t duplicates; // frames equal to the one before, since the start
	double vision_ms;    // time this frame took
};

// One comparison. `face` is a JPEG of the best shot, wiped by eg_worker_result_done.
struct eg_worker_result {
	uint32_t track;
	struct eg_attempt attempt;
	char traveller[EG_NAME_MAX]; // best or claimed; "" for nobody
	enum eg_citizenship citizenship;
	struct eg_group group;	 // zero (unknown) for nobody
	struct eg_papers papers; // and these: of nobody
	uint8_t salt[32];	 // that they are under
	char manifest[EG_NAME_MAX];
	uint64_t manifest_version;
	struct eg_quality quality;
	int64_t compared_ns;
	uint64_t sequence; // of the best shot
	struct eg_buf face;
	// Of the book, where attempt.verdict.entry is one of it; a reference. For the officer's
	// screen: who is most similar, also where nobody is named.
	struct eg_people *people;
};
void eg_worker_result_done(struct eg_worker_result *result);

struct eg_worker_manifest { // the book in use, and the one in the making
	char id[EG_NAME_MAX], flight[EG_NAME_MAX], port[EG_NAME_MAX];
	uint64_t version;
	int64_t expires_ms, departs_ms; // departs_ms 0: not said
	size_t entries, with_reference, references, near_twins;
	float threshold, threshold_raise; // of identify at the target
	size_t loading, loading_total;	  // 0 of 0: nothing is being loaded
	struct eg_counts impostors;	  // of its photos against each other
};

struct eg_worker;

int eg_worker_new(const struct eg_worker_config *config, struct eg_mailbox *mailbox,
		  struct eg_worker **ret_worker, struct eg_err *err) EG_CHECKED;
void eg_worker_free(struct eg_worker *worker); // takes NULL; joins the thread

int eg_worker_fd(const struct eg_worker *worker); // readable when something was posted; lent
bool eg_worker_view(struct eg_worker *worker, struct eg_view *ret_view); // false: nothing new
bool eg_worker_result(struct eg_worker *worker, struct eg_worker_result *ret_result);
// A sentence when the worker met a fault since the last call: a broken model run, a bad manifest.
bool eg_worker_fault(struct eg_worker *worker, struct eg_err *ret_fault);
void eg_worker_manifest(struct eg_worker *worker, struct eg_worker_manifest *ret_manifest);
const uint8_t *eg_worker_pack_digest(const struct eg_worker *worker);
const char *eg_worker_pack_name(const struct eg_worker *worker);
uint64_t eg_worker_beat(struct eg_worker *worker); // rises while the thread is alive

// Names and portraits of the book in use: a reference for the caller, or NULL. Follows the
// manifest.
struct eg_people *eg_worker_people(struct eg_worker *worker);
// Of the ring of live pictures (firmware/view); lent.
int eg_worker_view_fd(const struct eg_worker *worker);
// The tracks of those who are being served, at most EG_TRACKS_MAX: only they are sharp in the ring.
void eg_worker_serve(struct eg_worker *worker, const uint32_t *tracks, size_t count);

// Commands. EG_EFULL when the queue is full: the caller treats that as a fault. It has room for
// more than all sessions can ask at once; what anybody may call for (reset, load, targets, test)
// takes one place however often it is called.
int eg_worker_try(struct eg_worker *worker, uint32_t track) EG_CHECKED;
int eg_worker_claim(struct eg_worker *worker, uint32_t track,
		    const struct eg_document *document) EG_CHECKED;
int eg_worker_forget(struct eg_worker *worker, uint32_t track) EG_CHECKED; // after its verdict
int eg_worker_renew(struct eg_worker *worker, uint32_t track) EG_CHECKED;  // another look
int eg_worker_reset(struct eg_worker *worker) EG_CHECKED; // an opt-out: forget everybody's face
// What the ring shows. LIVE: frames captured at and after from_ns. Else it is empty.
int eg_worker_show(struct eg_worker *worker, enum eg_view_state state, int64_t from_ns) EG_CHECKED;
// A manifest to open and use instead; takes over `wire`'s bytes. Empty: use none any more.
int eg_worker_load(struct eg_worker *worker, struct eg_buf *wire) EG_CHECKED;

// Other error targets, from the next comparison on.
int eg_worker_targets(struct eg_worker *worker, double fmr, double fpir) EG_CHECKED;

// Known-answer test on the worker's own models, run on its thread between frames. When it is done
// the worker's fd becomes readable and eg_worker_test_done gives true, once, with code and text.
int eg_worker_test(struct eg_worker *worker) EG_CHECKED;
bool eg_worker_test_done(struct eg_worker *worker, struct eg_err *ret_result);

#endif
