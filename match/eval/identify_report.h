// SPDX-License-Identifier: Apache-2.0
//
// eg-eval identify's page.

#ifndef EG_EVAL_IDENTIFY_REPORT_H
#define EG_EVAL_IDENTIFY_REPORT_H

#include "match/eval/report.h"
#include "match/gallery.h"

// Probes by what became of them; [0]: of people not in the gallery, [1]: of people in it. NONE:
// confirmed as themselves, COUNT: confirmed as somebody else.
struct identify_causes {
	size_t of[2][EG_CAUSE_COUNT + 1];
};

int identify_report(const struct report *report, const struct eg_gallery_facts *facts,
		    const struct identify_causes *causes, struct eg_err *err) EG_CHECKED;

#endif
