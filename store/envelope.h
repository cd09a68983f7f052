// SPDX-License-Identifier: Apache-2.0
//
// What a booth queues, sends and the centre keeps: a CBOR array that begins with its kind, the kid
// of the centre's sealing key, and the id it goes by. Two kinds: an encounter (encounter.h) and an
// officer's decision about one (decision.h). Everything here works without a key.
//
// Thread: any.

#ifndef EG_ENVELOPE_H
#define EG_ENVELOPE_H

#include "firmware/base/id.h"
#include "store/manifest.h"

#define EG_ENVELOPE_MAX (1u << 20) // bytes

// Numbers are in stored envelopes: never renumber, only append. (1 was an encounter whose image
// could not be dropped.)
enum eg_envelope_kind {
	EG_ENVELOPE_ENCOUNTER = 2,
	EG_ENVELOPE_DECISION = 3,
};
const char *eg_envelope_kind_name(enum eg_envelope_kind kind); // "encounter", "decision"

// Numbers are in stored envelopes: never renumber, only append.
enum eg_face_part {
	EG_FACE_NONE = 0,      // none was taken
	EG_FACE_EXPIRED = 1,   // kept as long as the policy allows and not sent in that time
	EG_FACE_WITHDRAWN = 2, // the traveller opted out afterwards
	EG_FACE_PRESENT = 3,   // never as a number in an envelope
};
const char *eg_face_part_name(enum eg_face_part image); // "none", "image_expired", ...

struct eg_envelope_facts {
	enum eg_envelope_kind kind;
	struct eg_id id;
	uint8_t kid[EG_KID_SIZE];
	enum eg_citizenship citizenship; // unknown in a decision
	enum eg_face_part image;	 // none in a decision
};
// EG_EINVAL: not one of the two kinds, whole.
int eg_envelope_inspect(struct eg_bytes envelope, struct eg_envelope_facts *ret_facts,
			struct eg_err *err) EG_CHECKED;

// The same envelope without its image, appended to `out`; `why` is EXPIRED or WITHDRAWN.
// EG_ENOENT: it has none.
int eg_envelope_drop_image(struct eg_bytes envelope, enum eg_face_part why, struct eg_buf *out,
			   struct eg_err *err) EG_CHECKED;

// True when both are envelopes of the same sealed record, whatever became of the image: a booth may
// drop it after an envelope was sent whose acknowledgement was lost.
bool eg_envelope_same_record(struct eg_bytes a, struct eg_bytes b);

#endif
