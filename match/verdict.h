// SPDX-License-Identifier: Apache-2.0
//
// A verdict on one traveller. There is no "denied": what is not CONFIRMED goes to a person. A
// verdict is not an error, and 0 is NONE, so that a zeroed struct never confirms anybody.

#ifndef EG_VERDICT_H
#define EG_VERDICT_H

#include "capture/face.h"

enum eg_verdict_kind {
	EG_VERDICT_NONE = 0,
	EG_VERDICT_REFER = 1,
	EG_VERDICT_CONFIRMED = 2,
};

// Numbers are in stored records: never renumber, only append.
enum eg_cause {
	EG_CAUSE_NONE = 0,
	EG_CAUSE_NO_FACE = 1,
	EG_CAUSE_POOR_CAPTURE = 2,
	EG_CAUSE_LIVENESS_DOUBT = 3,
	EG_CAUSE_NO_REFERENCE = 4,
	EG_CAUSE_POOR_REFERENCE = 5,
	EG_CAUSE_BELOW_THRESHOLD = 6,
	EG_CAUSE_AMBIGUOUS = 7,
	EG_CAUSE_NOT_ON_MANIFEST = 8,
	EG_CAUSE_SEVERAL_PEOPLE = 9,
	EG_CAUSE_MANIFEST_STALE = 10,
	EG_CAUSE_OPTED_OUT = 11,
	EG_CAUSE_DOCUMENT_UNREADABLE = 12,
	EG_CAUSE_SYSTEM_FAULT = 13,
	EG_CAUSE_COUNT,
};

const char *eg_verdict_name(enum eg_verdict_kind kind); // "none", "refer", "confirmed"
const char *eg_cause_name(enum eg_cause cause);		// "no_face", ...
// For the officer: what it means and the next step, one sentence each, English.
const char *eg_cause_sentence(enum eg_cause cause);

enum eg_mode {
	EG_MODE_IDENTIFY = 1,
	EG_MODE_VERIFY = 2
};
const char *eg_mode_name(enum eg_mode mode);

struct eg_verdict {
	enum eg_verdict_kind kind;
	enum eg_cause cause; // NONE when confirmed
	enum eg_mode mode;
	int entry;	     // index into the gallery of the best or claimed traveller, −1: nobody
	float score, second; // best and best other person's comparison score; NaN: none
	float threshold;     // the score that had to be reached
	double error_target; // FMR (verify) or FPIR (identify)
	float quality;	     // of the probe, 0 … 100
};

#endif
