// SPDX-License-Identifier: Apache-2.0
//
// The policy of a booth, signed by the centre: how long what is kept, how sure a match has to be,
// what travellers are told. Never constants in the code; the defaults below hold until there is
// one.
//
// policy   COSE_Sign1 by a key of trust.json, aad "egress/policy/v1", payload CBOR map {1: id text,
//          2: version uint, 3: not_before_ms uint, 4: expires_ms uint, 5: retention, 6: FMR double,
//          7: FPIR double, 8: least liveness score double, 9: longest hold, s uint, 10: notice
//          version text, 11: notices array of [language tag text, text], 12: accounts array of
//          [name text, display text, role uint, salt bytes(16), hash bytes(32)] and, where there is
//          one, the SHA-256 of a client certificate bytes(32), 13: decisions that take two people
//          uint, bits as decision.h numbers them, 14: least capture rate double}
// retention  map {data class uint: array of one uint of seconds for each citizenship class, in the
//          order of the enumeration}; every data class is there
//
// Thread: any.

#ifndef EG_POLICY_H
#define EG_POLICY_H

#include "store/account.h"
#include "store/manifest.h"

#define EG_POLICY_MAX	       (64u << 10) // bytes of the signed message
#define EG_POLICY_NOTICES_MAX  12
#define EG_POLICY_TEXT_MAX     1024 // with NUL
#define EG_POLICY_ACCOUNTS_MAX 64
#define EG_RETENTION_MAX_S     (400 * 86400)

enum eg_data_class {
	EG_DATA_IMAGE = 1,   // a captured face, sealed, that waits for its acknowledgement
	EG_DATA_RECEIPT = 2, // id, digest and times of an encounter that was erased
};
#define EG_DATA_CLASSES	       2
#define EG_CITIZENSHIP_CLASSES 4

struct eg_retention {
	// Seconds by data class − 1 and citizenship class − 1. 0: not at all.
	uint32_t seconds[EG_DATA_CLASSES][EG_CITIZENSHIP_CLASSES];
};
uint32_t eg_retention_s(const struct eg_retention *retention, enum eg_data_class data,
			enum eg_citizenship class);

struct eg_policy {
	char id[EG_NAME_MAX];
	uint64_t version; // 0: the defaults
	int64_t not_before_ms, expires_ms;
	struct eg_retention retention;
	double fmr, fpir;    // error targets, 0 < x <= 0.1
	double liveness_min; // 0 … 1
	uint32_t hold_max_s;
	char notice[EG_NAME_MAX]; // version
	size_t notice_count;
	struct eg_notice {
		char language[16]; // BCP 47
		char text[EG_POLICY_TEXT_MAX];
	} notices[EG_POLICY_NOTICES_MAX];
	size_t account_count; // names differ
	struct eg_account accounts[EG_POLICY_ACCOUNTS_MAX];
	uint32_t two_person; // EG_DECISION_BIT of each decision that takes a second person
	double capture_min;  // 0 … 1; below it the capture rate raises an alarm
};
// By badge; NULL: nobody.
const struct eg_account *eg_policy_account(const struct eg_policy *policy, const char *name);

// Images 12 h at most, citizens' too (none is taken of confirmed ones); receipts 30 days; nobody
// has an account.
extern const struct eg_policy eg_policy_defaults;

// Signs what eg_policy_verify would accept at not_before_ms; appends to `out`. EG_EINVAL names the
// field.
int eg_policy_sign(const struct eg_policy *policy, const struct eg_key *centre, struct eg_buf *out,
		   struct eg_err *err) EG_CHECKED;

// Verifies, then reads those same bytes. EG_EAUTH, EG_EINVAL. Time and version are the caller's to
// judge: eg_records_put_policy does.
int eg_policy_verify(struct eg_bytes message, const struct eg_trusted_key *keys, size_t key_count,
		     struct eg_policy *ret_policy, struct eg_err *err) EG_CHECKED;

// The payload, for tests and fuzz targets.
int eg_policy_write(const struct eg_policy *policy, struct eg_buf *out,
		    struct eg_err *err) EG_CHECKED;
int eg_policy_read(struct eg_bytes payload, struct eg_policy *ret_policy,
		   struct eg_err *err) EG_CHECKED;

#endif
