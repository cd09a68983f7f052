// SPDX-License-Identifier: Apache-2.0
//
// Is it still the same person? Boxes that follow each other may belong to two people, one of whom
// stepped into the other's place; templates tell. Pure.
//
// Secret memory: part of a subject. Thread: the vision worker.

#ifndef EG_GUARD_H
#define EG_GUARD_H

#include "match/template.h"

enum eg_guard_says {
	EG_GUARD_SAME,
	EG_GUARD_DOUBT, // unlike what is known: a bad shot, or the first of somebody else
	EG_GUARD_OTHER, // the second in a row, and like the first
};

struct eg_guard {
	uint64_t sequence; // of the last shot that was looked at or held back
	int64_t at_ns;
	bool doubted;
	struct eg_template doubtful;
};

// `threshold`: comparison score from which two shots are taken for one person.
enum eg_guard_says eg_guard_step(struct eg_guard *guard, const struct eg_template *known,
				 const struct eg_template *shot, float threshold);

#endif
