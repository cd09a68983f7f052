// SPDX-License-Identifier: Apache-2.0
//
// The self-test of the models: a drawn chart with known answers.
//
// Thread: the vision worker.

#ifndef EG_CHART_H
#define EG_CHART_H

#include "match/template.h"

// EG_EFOREIGN: a network gives something else than it must; the sentence says which.
int eg_chart_test(struct eg_extractor *extractor, struct eg_capture *stills,
		  struct eg_err *err) EG_CHECKED;

#endif
