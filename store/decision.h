// SPDX-License-Identifier: Apache-2.0
//
// What an officer decided about an encounter: a signed record of its own beside the machine's,
// which it never changes. Format, both ways.
//
// record    COSE_Sign1 by the booth's record key, aad "egress/decision/v1", payload CBOR map with
//           the fields below under the integer keys given behind them
// envelope  CBOR array(4) [3, kid of the centre's sealing key bytes(8), decision's id bytes(16),
//           HPKE of the record's bytes], info "egress/decision/v1", aad = id ‖ booth id
//
// An envelope goes through the same outbox, wire and exactly-once rules as an encounter's. It has
// no image: a purge leaves it alone. Accounts are named inside the seal only.
//
// Thread: any, but for eg_records_put_decision: as records.h.

#ifndef EG_DECISION_H
#define EG_DECISION_H

#include "store/audit.h"
#include "store/envelope.h"

// Numbers are in stored records and policies: never renumber, only append.
enum eg_decision {
	EG_DECISION_CONFIRMED_BY_DOCUMENT = 1,
	EG_DECISION_REFERRED = 2, // to secondary inspection
	EG_DECISION_RECAPTURE = 3,
	EG_DECISION_OPTED_OUT = 4,
	EG_DECISION_WRONG_PERSON = 5,
	EG_DECISION_SUPERVISOR_NEEDED = 6,
	EG_DECISION_COUNT,
};
const char *eg_decision_name(enum eg_decision decision); // "confirmed_by_document", …; "unknown"
int eg_decision_find(const char *name);			 // −1: none of that name

// The same rule.
enum eg_decision_reason {
	EG_REASON_NONE = 0,
	EG_REASON_DOCUMENT_CHECKED = 1,
	EG_REASON_POOR_REFERENCE = 2,
	EG_REASON_POOR_CAPTURE = 3,
	EG_REASON_LOOK_ALIKE = 4,
	EG_REASON_APPEARANCE_CHANGED = 5,
	EG_REASON_NOT_ON_MANIFEST = 6,
	EG_REASON_DOCUMENT_DOUBT = 7,
	EG_REASON_LIVENESS_DOUBT = 8,
	EG_REASON_TRAVELLER_ASKED = 9,
	EG_REASON_EQUIPMENT = 10,
	EG_REASON_OTHER_OFFICER = 11,
	EG_REASON_COUNT,
};
const char *eg_decision_reason_name(enum eg_decision_reason reason); // "document_checked", …
int eg_decision_reason_find(const char *name);			     // −1: none of that name

// Whether a decision may be given with this reason; false for what is not in the tables.
bool eg_decision_allows(enum eg_decision decision, enum eg_decision_reason reason);

// Decisions that take a second person, as bits: EG_DECISION_BIT(decision). In a policy.
#define EG_DECISION_BIT(decision) (1u << (unsigned int)(decision))
#define EG_DECISION_BITS_ALL	  0x7eu
#define EG_TWO_PERSON_DEFAULT	  EG_DECISION_BIT(EG_DECISION_WRONG_PERSON)
bool eg_decision_needs_second(enum eg_decision decision, uint32_t two_person);

struct eg_decision_record {
	struct eg_id id;		// 1: its own, made with eg_id_new
	struct eg_id encounter;		// 2
	char booth[EG_NAME_MAX];	// 3
	enum eg_decision decision;	// 4
	enum eg_decision_reason reason; // 5
	int64_t decided_ms;		// 8: wall time
	// Names of accounts. The actors (6 and, when there is a second, 7) follow from them, so
	// they are in the record but not here: eg_actor_of.
	char by[EG_NAME_MAX];	  // 9
	char second[EG_NAME_MAX]; // 10; "" when nobody, and absent
};

// Signs and seals; appends the envelope to `out`. EG_EINVAL: a field that eg_decision_open would
// refuse, among them a reason that does not go with the decision and one person twice.
int eg_decision_seal(const struct eg_decision_record *record, const struct eg_key *booth_key,
		     const uint8_t centre[EG_P256_PUB_SIZE], struct eg_buf *out,
		     struct eg_err *err) EG_CHECKED;

// At the centre, with its opening key. EG_EAUTH: wrong key, changed, or not signed by `booth_pub`.
int eg_decision_open(struct eg_bytes envelope, const struct eg_key *centre_key, const char *booth,
		     const uint8_t booth_pub[EG_P256_PUB_SIZE],
		     struct eg_decision_record *ret_record, struct eg_err *err) EG_CHECKED;

// Queues the envelope that eg_decision_seal made of `record`, and has the chain say who decided
// what (EG_AUDIT_DECISION or, with a second person, EG_AUDIT_DECISION_OF_TWO) in the same
// transaction: both on disk when it returns 0. Errors as eg_records_put, with the decision's id.
int eg_records_put_decision(struct eg_records *records, const struct eg_decision_record *record,
			    struct eg_bytes envelope, struct eg_err *err) EG_CHECKED;

#endif
