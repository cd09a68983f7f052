// SPDX-License-Identifier: Apache-2.0
//
// eg-eval pad's groups and page. A presentation without a face is in no rate but the non-response
// rate, and counts as a failure to acquire of its groups; "kind" is an axis of its own.

#ifndef EG_EVAL_PAD_REPORT_H
#define EG_EVAL_PAD_REPORT_H

#include "match/eval/list.h"
#include "match/eval/pad_stats.h"
#include "match/eval/report.h"

// Counts by kind and group. Free *ret_report with report_done, also on failure.
int pad_audit(struct report *ret_report, const struct eval_options *options,
	      const struct eval_list *list, const struct pad_one *one,
	      const struct eval_faces *faces, struct eg_err *err) EG_CHECKED;
int pad_report(const struct report *report, struct eg_err *err) EG_CHECKED;

#endif
