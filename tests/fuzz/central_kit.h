// SPDX-License-Identifier: Apache-2.0
//
// A centrald for fuzz targets: its own gates, routes, handlers and ledger behind libmicrohttpd, but
// without TLS: who is calling is told instead of shown (central_kit.c stands in for peer.c). What a
// request writes is rolled back after it, so that every input meets the same centre.
//
// Of the booths, lane-1 has everything: certificate, keys, a manifest, an encounter, an audit head,
// and an unused token, "token"; lane-2 has a certificate and nothing else.
//
// Thread: one.

#ifndef TESTS_FUZZ_CENTRAL_KIT_H
#define TESTS_FUZZ_CENTRAL_KIT_H

#include "firmware/base/buf.h"

enum kit_caller {
	KIT_NOBODY, // no client certificate
	KIT_LANE_1,
	KIT_LANE_2,
	KIT_REVOKED,
	KIT_CALLERS
};

// Scalars of the keys (hexadecimal) that sign and seal for the centre, and sign for lane-1.
#define KIT_CENTRE "C9AFA9D845BA75166B5C215767B1D6934E50C3DB36E89B127B8A622B120F6721"
#define KIT_BOOTH  "0000000000000000000000000000000000000000000000000000000000000417"

struct eg_key *kit_key(const char *scalar);
const struct eg_key *kit_booth_key(void);

// One connection: `bytes` are sent, then our side is closed for writing. What came back until the
// centre closed is appended to `out` (emptied before). Aborts when the centre does not come to an
// end, or still holds something of the request afterwards.
void kit_call(enum kit_caller caller, struct eg_bytes bytes, struct eg_buf *out);

// Checks that what kit_call gave is HTTP and does not say "the centre failed" (500). `whole`: it
// answers one well-formed request, so that whatever is no success is a problem+json with a
// sentence. Aborts otherwise. Returns the first answer's status, 0: there was none.
int kit_check(struct eg_buf *answers, bool whole);

#endif
