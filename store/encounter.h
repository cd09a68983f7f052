// SPDX-License-Identifier: Apache-2.0
//
// One encounter: what happened with one traveller, written once. Format, both ways.
//
// record    COSE_Sign1 by the booth's record key, aad "egress/encounter/v1", payload CBOR map with
//           the fields below under the integer keys given behind them
// envelope  what is stored, sent and kept by the centre: CBOR array(6) [2, kid of the centre's
//           sealing key bytes(8), encounter id bytes(16), citizenship class uint, HPKE of record
//           bytes, image], where image is the HPKE of the JPEG bytes or, when there is none, an
//           enum eg_face_part uint that says why. Infos "egress/encounter/v1" and
//           "egress/image/v1", aad = id ‖ booth id. Who has the booth's disk cannot open either.
//
// Image and record are sealed apart so that the record can outlive the image: the booth, which can
// open neither, drops the image when its time is over (it goes by the class outside) and the record
// still verifies. The record names the image by its digest, so no other can take its place.
//
// Thread: any.

#ifndef EG_ENCOUNTER_H
#define EG_ENCOUNTER_H

#include "match/verdict.h"
#include "store/envelope.h"

#define EG_FACE_JPEG_MAX (256u << 10)

struct eg_encounter {
	struct eg_id id;		 // 1
	char booth[EG_NAME_MAX];	 // 2
	char manifest[EG_NAME_MAX];	 // 3; "" when there was none
	uint64_t manifest_version;	 // 4
	enum eg_mode mode;		 // 5
	enum eg_verdict_kind verdict;	 // 6
	enum eg_cause cause;		 // 7
	char traveller[EG_NAME_MAX];	 // 8; "" when nobody is named
	double score, threshold;	 // 9, 10; NaN (absent) when nothing was compared
	double error_target;		 // 11
	struct eg_quality quality;	 // 12: array of EG_QUALITY_COUNT ints, then overall
	struct eg_liveness liveness;	 // 13: array [score or null, frames, reasons]
	uint8_t pack[EG_SHA256_SIZE];	 // 14: model pack digest
	int64_t first_seen_ms;		 // 15: wall time, ms
	int64_t first_usable_ms;	 // 16; 0: never
	int64_t decided_ms;		 // 17
	int64_t verdict_took_ms;	 // 18: boot time from first usable face to verdict
	char notice[EG_NAME_MAX];	 // 19: version of the notice that was shown
	enum eg_citizenship citizenship; // 20
	bool has_face;			 // 21, absent when there was no image, else its SHA-256
	uint8_t face_digest[EG_SHA256_SIZE];
	// Not in the record: the image part. A view of the JPEG, or empty and why.
	struct eg_bytes face;
	enum eg_face_part image;
};

// Signs and seals; appends the envelope to `out`. What has_face, face_digest and image say is made
// from `face`.
int eg_encounter_seal(const struct eg_encounter *encounter, const struct eg_key *booth_key,
		      const uint8_t centre[EG_P256_PUB_SIZE], struct eg_buf *out,
		      struct eg_err *err) EG_CHECKED;

// At the centre, with its opening key. `plain` (secret) keeps the bytes that ret_encounter->face
// views; image says whether there is one. EG_EAUTH: wrong key, changed, or not signed by
// `booth_pub`.
int eg_encounter_open(struct eg_bytes envelope, const struct eg_key *centre_key, const char *booth,
		      const uint8_t booth_pub[EG_P256_PUB_SIZE], struct eg_buf *plain,
		      struct eg_encounter *ret_encounter, struct eg_err *err) EG_CHECKED;

// The centre's answer: COSE_Sign1, aad "egress/ack/v1", payload map {1: encounter id bytes(16),
// 2: booth text, 3: SHA-256 of the envelope bytes(32), 4: received_ms uint}.
struct eg_ack {
	struct eg_id id;
	char booth[EG_NAME_MAX];
	uint8_t digest[EG_SHA256_SIZE];
	int64_t received_ms;
};
int eg_ack_sign(const struct eg_ack *ack, const struct eg_key *centre, struct eg_buf *out,
		struct eg_err *err) EG_CHECKED;
int eg_ack_verify(struct eg_bytes message, const struct eg_trusted_key *keys, size_t key_count,
		  struct eg_ack *ret_ack, struct eg_err *err) EG_CHECKED;

#endif
