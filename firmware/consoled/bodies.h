// SPDX-License-Identifier: Apache-2.0
//
// What pages send, read strictly: JSON objects in which every key is known, of its type and within
// its length. Untrusted input; see tests/fuzz/fuzz_console.c.
//
// Error texts are sentences for the person at the page and never repeat what was sent.
//
// Thread: any.

#ifndef CONSOLED_BODIES_H
#define CONSOLED_BODIES_H

#include "firmware/base/buf.h"

#define BODY_BADGE_MAX	  64
#define BODY_PIN_MAX	  64
#define BODY_WORD_MAX	  32
#define BODY_DOCUMENT_MAX 1024
#define BODY_MAX	  4096 // bytes of any body

// {"badge": "…", "pin": "…"}, or {"certificate": true}
struct body_sign_in {
	bool certificate;
	char badge[BODY_BADGE_MAX];
	char pin[BODY_PIN_MAX];
};

// {"decision": "…", "reason": "…", "second": {"badge": "…", "pin": "…"}}; the last may be missing
struct body_decision {
	char decision[BODY_WORD_MAX];
	char reason[BODY_WORD_MAX]; // "" when it was left out
	bool has_second;
	struct body_sign_in second;
};

// {"text": "…"}: what a document reader would send
struct body_document {
	char text[BODY_DOCUMENT_MAX];
};

// All give EG_EINVAL. What holds a PIN is wiped by the caller: eg_wipe().
int body_read_sign_in(struct eg_bytes body, struct body_sign_in *ret,
		      struct eg_err *err) EG_CHECKED;
int body_read_decision(struct eg_bytes body, struct body_decision *ret,
		       struct eg_err *err) EG_CHECKED;
int body_read_document(struct eg_bytes body, struct body_document *ret,
		       struct eg_err *err) EG_CHECKED;
int body_read_empty(struct eg_bytes body, struct eg_err *err) EG_CHECKED; // "{}" or nothing

#endif
