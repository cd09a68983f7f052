// SPDX-License-Identifier: Apache-2.0
//
// The traveller's proof of departure: where, when, for which manifest; no face, and no name unless
// they want it. Signed by the booth, checked by anybody who knows the booth's key (the centre).
//
// message  COSE_Sign1 by the booth's record key, aad "egress/exit/v1", payload CBOR map with the
//          fields below under the integer keys given behind them
// text     "EGX1:" and the message in base45, for a QR code in alphanumeric mode. It never begins
//          or ends with a space.
//
// Thread: any.

#ifndef EG_EXIT_RECEIPT_H
#define EG_EXIT_RECEIPT_H

#include "firmware/base/id.h"
#include "store/manifest.h"

#define EG_EXIT_MESSAGE_MAX 640	 // bytes
#define EG_EXIT_TEXT_MAX    1024 // with NUL

// Numbers are in receipts: never renumber, only append.
enum eg_exit_how {
	EG_EXIT_BIOMETRIC = 1, // the booth confirmed
	EG_EXIT_OFFICER = 2,   // an officer did, by document
	EG_EXIT_HOW_COUNT,
};
const char *eg_exit_how_name(enum eg_exit_how how); // "biometric", "officer"; "unknown"

struct eg_exit_receipt {
	struct eg_id id;	       // 1: its own (eg_id_new), never the encounter's
	char booth[EG_NAME_MAX];       // 2
	char port[EG_NAME_MAX];	       // 3
	char flight[EG_NAME_MAX];      // 4
	char manifest[EG_NAME_MAX];    // 5: its id
	int64_t decided_ms;	       // 6: wall time
	enum eg_exit_how how;	       // 7
	char name[EG_PERSON_NAME_MAX]; // 8; "": not wanted, and absent
};

// Appends the message. EG_EINVAL: a field that eg_exit_receipt_verify would refuse.
int eg_exit_receipt_sign(const struct eg_exit_receipt *receipt, const struct eg_key *booth_key,
			 struct eg_buf *out, struct eg_err *err) EG_CHECKED;

// EG_EINVAL malformed; EG_EAUTH by none of the keys, or changed.
int eg_exit_receipt_verify(struct eg_bytes message, const struct eg_trusted_key *keys,
			   size_t key_count, struct eg_exit_receipt *ret_receipt,
			   struct eg_err *err) EG_CHECKED;

// What the message says before it is verified: only to find the key of the booth it names.
int eg_exit_receipt_peek(struct eg_bytes message, char ret_booth[EG_NAME_MAX],
			 struct eg_err *err) EG_CHECKED;

// Message to text and back. Line ends within the text are not counted as part of it: mail breaks
// lines. `message` is appended to. EG_EINVAL: not such a text.
int eg_exit_receipt_text(struct eg_bytes message, char ret_text[EG_EXIT_TEXT_MAX],
			 struct eg_err *err) EG_CHECKED;
int eg_exit_receipt_parse(struct eg_bytes text, struct eg_buf *message,
			  struct eg_err *err) EG_CHECKED;

#endif
