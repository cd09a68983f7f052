// SPDX-License-Identifier: Apache-2.0
//
// The audit chain of a booth, in records.db: who saw, decided, changed or erased what. Enumerated
// events with fixed fields, no free text, no personal data; each entry holds the digest of the one
// before. What changes records.db appends its entry in the same transaction; for everything else
// there is eg_audit_note.
//
// entry    CBOR map {1: seq uint from 1 on, 2: SHA-256 of the entry before bytes(32), zeros in the
//          first, 3: event uint, 4: wall time ms int} and, as the event's row in audit.c says,
//          {5: subject bytes(16), 6: digest bytes(32), 7: number uint, 8: actor bytes(8),
//          9: second actor bytes(8)}
// head     COSE_Sign1 by the booth's record key, aad "egress/audit/v1", payload {1: booth text,
//          2: count uint, 3: SHA-256 of the last entry bytes(32), 4: wall time ms uint}
// receipt  the same head back from the centre: COSE_Sign1 by one of its keys, aad
//          "egress/audit-receipt/v1", same payload, 4 being the centre's time
//
// Who can write the file can write a chain of his own, but not one that leads to a head that was
// signed before; and not even the booth can take back a head that the centre has countersigned.
//
// Blocks on the disk. Thread: as records.h.

#ifndef EG_AUDIT_H
#define EG_AUDIT_H

#include "store/records.h"

// Numbers are in stored entries: never renumber, only append.
enum eg_audit_event {
	EG_AUDIT_BOOT = 1,	    // number: who started, enum eg_audit_program
	EG_AUDIT_ENCOUNTER_PUT = 2, // subject: encounter, or decision; digest: of the envelope
	EG_AUDIT_ENCOUNTER_ACKNOWLEDGED = 3, // the same; number: the centre's time, ms
	EG_AUDIT_ENVELOPE_ERASED = 4,	     // the same, without number
	EG_AUDIT_IMAGE_EXPIRED = 5,   // subject; digest: of what is left; number: policy version
	EG_AUDIT_BURIED = 6,	      // subject: encounter refused, to the dead-letter list
	EG_AUDIT_RESENT = 7,	      // subject: encounter, back to the queue
	EG_AUDIT_MANIFEST_PUT = 8,    // digest: of the wire form; number: version
	EG_AUDIT_MANIFEST_ERASED = 9, // the same
	EG_AUDIT_OPT_OUT = 10,	      // subject: encounter
	EG_AUDIT_DECISION = 11,	      // subject; number: the officer's decision; actor
	EG_AUDIT_POLICY_PUT = 12,     // digest: of the wire form; number: version
	EG_AUDIT_HOLD_SET = 13,	      // subject; number: reason; both actors
	EG_AUDIT_HOLD_ENDED = 14,     // subject; number: 0 over time, 1 by a person; actor
	EG_AUDIT_MAINTENANCE_ENTERED = 15, // actor
	EG_AUDIT_MAINTENANCE_LEFT = 16,	   // actor
	EG_AUDIT_RECEIPTS_ERASED = 17,	   // number: how many
	EG_AUDIT_RECOVERED = 18,	   // number: encounters saved from a damaged file
	EG_AUDIT_DECISION_OF_TWO = 19,	   // as DECISION; both actors
	EG_AUDIT_SIGNED_IN = 20,	   // actor
	EG_AUDIT_SIGNED_OUT = 21,	   // actor: by themselves, or after their time
	EG_AUDIT_LOCKED_OUT = 22,	   // actor: after too many wrong PINs
	EG_AUDIT_FACES_SHOWN = 23,	   // subject: encounter whose faces were shown; actor
	EG_AUDIT_EVENT_COUNT,
};
const char *eg_audit_event_name(enum eg_audit_event event); // "encounter_put", ...

enum eg_audit_program {
	EG_AUDIT_BOOTHD = 1,
	EG_AUDIT_SYNCD = 2,
	EG_AUDIT_CONSOLED = 3,
};

#define EG_AUDIT_MESSAGE_MAX 1024 // bytes of a signed head or receipt
#define EG_ACTOR_SIZE	     8

// A person, as the chain names them: the first bytes of the SHA-256 of "egress/actor/v1", 0 and the
// account's name. All zeros: the machine itself.
struct eg_actor {
	uint8_t bytes[EG_ACTOR_SIZE];
};
int eg_actor_of(const char *account, struct eg_actor *ret_actor) EG_CHECKED;

struct eg_audit_entry {
	uint64_t seq;
	uint8_t before[EG_SHA256_SIZE];
	enum eg_audit_event event;
	int64_t wall_ms;
	struct eg_id subject;
	uint8_t digest[EG_SHA256_SIZE];
	uint64_t number;
	struct eg_actor actor, second;
};

// Appends an entry of its own transaction: on disk when it returns 0. seq and before are set here,
// wall_ms is taken from the records' clock when it is 0; fields the event does not have are left
// out.
int eg_audit_note(struct eg_records *records, const struct eg_audit_entry *entry,
		  struct eg_err *err) EG_CHECKED;

// Strict: what eg_audit_encode did not write is EG_EINVAL.
int eg_audit_encode(const struct eg_audit_entry *entry, struct eg_buf *out) EG_CHECKED;
int eg_audit_decode(struct eg_bytes bytes, struct eg_audit_entry *ret_entry,
		    struct eg_err *err) EG_CHECKED;

struct eg_audit_head {
	char booth[EG_NAME_MAX]; // "" where it is not signed
	uint64_t count;		 // 0: nothing yet, then digest is zeros
	uint8_t digest[EG_SHA256_SIZE];
	int64_t wall_ms;
};
int eg_audit_head(struct eg_records *records, struct eg_audit_head *ret_head,
		  struct eg_err *err) EG_CHECKED;

// Calls `row` for entries first … last in order; a non-zero return stops and is returned.
int eg_audit_list(struct eg_records *records, uint64_t first, uint64_t last,
		  int (*row)(void *user, const struct eg_audit_entry *entry), void *user,
		  struct eg_err *err) EG_CHECKED;

// Messages about a head, both kinds.
int eg_audit_sign_head(const struct eg_audit_head *head, const struct eg_key *booth_key,
		       struct eg_buf *out, struct eg_err *err) EG_CHECKED;
int eg_audit_verify_head(struct eg_bytes message, const uint8_t booth_pub[EG_P256_PUB_SIZE],
			 struct eg_audit_head *ret_head, struct eg_err *err) EG_CHECKED;
int eg_audit_sign_receipt(const struct eg_audit_head *head, const struct eg_key *centre,
			  struct eg_buf *out, struct eg_err *err) EG_CHECKED;
int eg_audit_verify_receipt(struct eg_bytes message, const struct eg_trusted_key *keys,
			    size_t key_count, struct eg_audit_head *ret_head,
			    struct eg_err *err) EG_CHECKED;

// boothd: signs the head as it stands and keeps it, if it has grown since the last one was.
// *ret_signed (may be NULL) says whether.
int eg_audit_seal(struct eg_records *records, const char *booth, const struct eg_key *booth_key,
		  bool *ret_signed, struct eg_err *err) EG_CHECKED;

// syncd: the newest signed head if the centre has not countersigned it yet, appended to `message`.
// EG_ENOENT: nothing to send.
int eg_audit_unsent(struct eg_records *records, uint64_t *ret_count, struct eg_buf *message,
		    struct eg_err *err) EG_CHECKED;

// syncd: keeps the centre's receipt, verified already, of a head that is kept here. Older signed
// heads and receipts are dropped: the newest receipt says all they said. EG_ENOENT: no such head.
// EG_ECONFLICT: the receipt is of another digest.
int eg_audit_put_receipt(struct eg_records *records, const struct eg_audit_head *head,
			 struct eg_bytes message, struct eg_err *err) EG_CHECKED;

// What a chain may have been through.
enum eg_audit_fault {
	EG_AUDIT_WHOLE = 0,
	EG_AUDIT_CHANGED = 1,	// entry `seq` is not what it was
	EG_AUDIT_MISSING = 2,	// entry `seq` is not there, later ones are
	EG_AUDIT_REORDERED = 3, // in place of entry `seq` stands entry `other`
	EG_AUDIT_TRUNCATED = 4, // entries from `seq` to `other` are gone
	EG_AUDIT_REWRITTEN = 5, // between `seq` and `other` it is not the chain that was signed
	EG_AUDIT_FORGED = 6,	// the signed head or receipt at `seq` is of nobody we trust
	EG_AUDIT_LOST = 7,	// the encounter that entry `seq` put is neither queued nor erased
	EG_AUDIT_FAULT_COUNT,
};
const char *eg_audit_fault_name(enum eg_audit_fault fault); // "whole", "changed", ...

struct eg_audit_report {
	enum eg_audit_fault fault;
	uint64_t seq, other;
	uint64_t entries;	   // that were there
	uint64_t signed_to;	   // newest head that the booth signed
	uint64_t countersigned_to; // newest receipt of the centre
	struct eg_id subject;	   // of a lost encounter
};

// Checks the whole file (EG_ECORRUPT), then walks the chain and all heads in one snapshot. What it
// finds is no error: 0 and a report, of the first fault in the chain. `booth_pub` or `keys` may be
// NULL: heads of that kind are then taken unverified. `known` (may be NULL) is a head from
// elsewhere, as the centre keeps them: what was cut back before it is found even when everything
// else here was cut to fit.
int eg_audit_verify(struct eg_records *records, const uint8_t *booth_pub,
		    const struct eg_trusted_key *keys, size_t key_count,
		    const struct eg_audit_head *known, struct eg_audit_report *ret_report,
		    struct eg_err *err) EG_CHECKED;

// One sentence for a person about a report.
void eg_audit_sentence(const struct eg_audit_report *report, char *ret_text, size_t size);

#endif
