// SPDX-License-Identifier: Apache-2.0
//
// The JSON of the wire (net/api.yaml): the list of manifests, the heartbeat, and the sentence in a
// problem. Fields that this version does not know are passed over, so that a newer centre can add
// some; wrong types and missing fields are errors.
//
// Thread: any.

#ifndef EG_WIRE_H
#define EG_WIRE_H

#include "net/http.h"
#include "store/counts.h"
#include "store/manifests.h"
#include "store/records.h"

#define EG_WIRE_LISTED_MAX 64	       // manifests of one booth
#define EG_WIRE_LIST_MAX   (64u << 10) // bytes of JSON
#define EG_WIRE_SMALL_MAX  (16u << 10) // acknowledgements, problems

// One manifest the centre wants this booth to hold.
struct eg_listed {
	char id[EG_NAME_MAX];
	uint64_t version, length;
	char etag[EG_HTTP_ETAG_MAX];
};

// [{"id", "version", "length", "etag"}, …]. EG_EINVAL; EG_ETOOBIG: over EG_WIRE_LISTED_MAX. An id
// with other characters than letters, digits, '.', '_' and '-' is refused: it goes into a path.
int eg_wire_parse_list(struct eg_bytes json, struct eg_listed ret_listed[EG_WIRE_LISTED_MAX],
		       size_t *ret_count, struct eg_err *err) EG_CHECKED;

// What a booth tells about itself.
struct eg_heartbeat {
	int64_t wall_ms;
	struct eg_records_facts queue;
	const struct eg_manifest_held *held; // lent
	size_t held_count;
	int64_t certificate_end_ms;
	const char *key_kept; // where the certificate's key is: "none", "file", "sealed", "tpm"
	const char *problem;  // the last failure's sentence; "" when there is none
	const struct eg_counts *counts; // weeks that are over, suppressed; lent
	size_t counts_count;
};
int eg_wire_put_heartbeat(const struct eg_heartbeat *heartbeat, struct eg_buf *out) EG_CHECKED;

// What an answer other than success says, as a sentence: "HTTP 413: too large (…)". The detail of
// a problem+json (RFC 9457) is used when it is one, without control characters, and cut.
void eg_wire_problem(const struct eg_http_answer *answer, struct eg_bytes body, char *ret_text,
		     size_t size);

#endif
