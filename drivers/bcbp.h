// SPDX-License-Identifier: Apache-2.0
//
// Bar-coded boarding pass, IATA Resolution 792, version 6 and the ones before it: format M, 1 to 4
// legs, fixed mandatory block, nested hexadecimal size fields, optional security data. The ECDSA
// signature is reported, not verified: airlines' keys are not published.
//
// Untrusted input. Nothing is allocated. Thread: any.

#ifndef EG_BCBP_H
#define EG_BCBP_H

#include "firmware/base/buf.h"

#define EG_BCBP_LEGS_MAX 4

struct eg_bcbp_leg {
	char pnr[8];	     // operating carrier's record locator, trimmed
	char from[4], to[4]; // IATA airport codes
	char carrier[4];
	char flight[6];	 // "0834" or "0834A", trimmed
	int day_of_year; // 1 … 366
	char compartment;
	char seat[5];	  // "001A", trimmed; "INF" and empty occur
	char sequence[6]; // check-in sequence number, trimmed
	char status;
};

struct eg_bcbp {
	char name[21]; // "DESMARAIS/LUC", trimmed
	bool electronic_ticket;
	int version; // 0: not stated (no conditional items)
	size_t leg_count;
	struct eg_bcbp_leg legs[EG_BCBP_LEGS_MAX];
	bool has_security; // a security section is present
};

int eg_bcbp_parse(struct eg_bytes text, struct eg_bcbp *ret_pass, struct eg_err *err) EG_CHECKED;

#endif
