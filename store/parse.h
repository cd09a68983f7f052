// SPDX-License-Identifier: Apache-2.0
//
// The inner formats, bare: what stands inside the signature and the seal. For the files of this
// folder, its tests and its fuzz targets only; everybody else goes through manifest.h and
// encounter.h, which verify first.
//
// Thread: any.

#ifndef EG_PARSE_H
#define EG_PARSE_H

#include "firmware/base/cbor.h"
#include "store/decision.h"
#include "store/encounter.h"
#include "store/exit_receipt.h"
#include "store/manifest.h"

#define EG_MANIFEST_CONTEXT  "egress/manifest/v1"
#define EG_ENCOUNTER_CONTEXT "egress/encounter/v1"
#define EG_IMAGE_CONTEXT     "egress/image/v1"
#define EG_ACK_CONTEXT	     "egress/ack/v1"
#define EG_DECISION_CONTEXT  "egress/decision/v1"

// The last millisecond of the year 9999: no time in any format is later.
#define EG_TIME_MAX_MS 253402300799999LL

// Gets a time in ms since 1970. EG_EINVAL when later than EG_TIME_MAX_MS.
int eg_parse_time(struct eg_cur *cur, int64_t *ret_ms) EG_CHECKED;

// Gets bytes of exactly `size` and copies them.
int eg_parse_exact(struct eg_cur *cur, void *ret_data, size_t size) EG_CHECKED;

// Gets an unsigned number of at most `max`.
int eg_parse_size(struct eg_cur *cur, size_t max, size_t *ret_size) EG_CHECKED;

// Gets text of at most size − 1 bytes without control characters.
int eg_parse_printable(struct eg_cur *cur, char *text, size_t size) EG_CHECKED;

// The manifest's statement: payload of the COSE_Sign1. `statement` must be complete on writing.
int eg_manifest_write_statement(const struct eg_statement *statement,
				struct eg_buf *out) EG_CHECKED;
int eg_manifest_read_statement(struct eg_bytes payload, struct eg_statement *ret_statement,
			       struct eg_err *err) EG_CHECKED;

// The manifest's opened content. Reads the header and walks all travellers once, so that a reader
// that was handed out cannot fail half-way. EG_EINVAL.
int eg_manifest_read_content(struct eg_bytes content, struct eg_manifest_header *ret_header,
			     struct eg_manifest_reader *ret_reader, struct eg_err *err) EG_CHECKED;

// id ‖ 0x00 ‖ scope ‖ 0x00 ‖ version: what the seal is bound to.
int eg_manifest_put_aad(const struct eg_statement *statement, struct eg_buf *out) EG_CHECKED;

// What stands in an envelope; all views.
struct eg_envelope_parts {
	struct eg_envelope_facts facts;
	struct eg_bytes record; // sealed
	struct eg_bytes image;	// sealed, or empty
};
int eg_envelope_put(const struct eg_envelope_parts *parts, struct eg_buf *out,
		    struct eg_err *err) EG_CHECKED;
int eg_envelope_split(struct eg_bytes envelope, struct eg_envelope_parts *ret_parts,
		      struct eg_err *err) EG_CHECKED;
// HPKE under info `context`, aad = id ‖ booth id; appended. EG_EAUTH on opening: sealed to another
// key, or changed.
int eg_envelope_seal_part(const struct eg_id *id, const char *booth, const char *context,
			  const uint8_t centre[EG_P256_PUB_SIZE], struct eg_bytes plain,
			  struct eg_buf *sealed, struct eg_err *err) EG_CHECKED;
int eg_envelope_open_part(const struct eg_envelope_facts *facts, const char *booth,
			  const char *context, struct eg_bytes sealed,
			  const struct eg_key *centre_key, struct eg_buf *plain,
			  struct eg_err *err) EG_CHECKED;

// The decision's record: payload of the COSE_Sign1.
int eg_decision_write(const struct eg_decision_record *record, struct eg_buf *out,
		      struct eg_err *err) EG_CHECKED;
int eg_decision_read(struct eg_bytes payload, struct eg_decision_record *ret_record,
		     struct eg_err *err) EG_CHECKED;

// The exit receipt's payload.
int eg_exit_receipt_write(const struct eg_exit_receipt *receipt, struct eg_buf *out,
			  struct eg_err *err) EG_CHECKED;
int eg_exit_receipt_read(struct eg_bytes payload, struct eg_exit_receipt *ret_receipt,
			 struct eg_err *err) EG_CHECKED;

// The encounter's record: payload of the COSE_Sign1. Writing takes has_face and face_digest as they
// are; reading leaves face empty.
int eg_encounter_write(const struct eg_encounter *encounter, struct eg_buf *out,
		       struct eg_err *err) EG_CHECKED;
int eg_encounter_read(struct eg_bytes payload, struct eg_encounter *ret_encounter,
		      struct eg_err *err) EG_CHECKED;

#endif
