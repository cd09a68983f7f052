// SPDX-License-Identifier: Apache-2.0
//
// The calls of the wire (net/api.yaml), one function each: build the request, perform it, judge
// status and body. They return what the policy (sync.h) should make of it; whatever is not DONE
// leaves a sentence in `err`. Nothing is believed that is not signed by a trusted key: an
// acknowledgement is DONE only when it names our booth, this encounter and these bytes.
//
// Block on the network. Thread: that of the eg_http.

#ifndef EG_EXCHANGE_H
#define EG_EXCHANGE_H

#include "net/est.h"
#include "net/sync.h"
#include "net/wire.h"
#include "store/audit.h"
#include "store/trust.h"

// Bytes of a manifest asked for at once: few at first and after a cut, more while they come fast.
#define EG_EXCHANGE_PIECE_MIN (64u << 10)
#define EG_EXCHANGE_PIECE     (1u << 20)

struct eg_exchange {
	struct eg_http *http;
	const struct eg_trust *trust;
	int64_t retry_after_ms; // of the last answer; −1: it did not say
	uint64_t piece;		// the next size; 0 at first
};

// EST. `key`: the new key. On DONE *ret_identity is checked and complete. `token` NULL: renews,
// under the identity that `http` shows now; else enrols (then `http` must show none).
enum eg_sync_outcome eg_exchange_certificate(struct eg_exchange *exchange, struct eg_tls_key *key,
					     const char *token, struct eg_identity *ret_identity,
					     struct eg_err *err);

// A call that changes nothing, to learn whether the centre accepts the certificate `http` shows.
enum eg_sync_outcome eg_exchange_hello(struct eg_exchange *exchange, struct eg_err *err);

enum eg_sync_outcome eg_exchange_keys(struct eg_exchange *exchange, struct eg_bytes booth_keys,
				      struct eg_err *err);

// `etag` (EG_HTTP_ETAG_MAX) holds that of the last list, "" at first, and is brought up to date.
// *ret_changed false: 304, nothing was written to ret_listed.
enum eg_sync_outcome eg_exchange_list(struct eg_exchange *exchange, char *etag,
				      struct eg_listed ret_listed[EG_WIRE_LISTED_MAX],
				      size_t *ret_count, bool *ret_changed, struct eg_err *err);

// The next piece of a manifest: appended to `wire`, whose maximum is listed->length, and which is
// not full yet. Of a piece that is cut, what came is kept. When the centre's copy changed
// meanwhile, `wire` is emptied and the download starts anew. *ret_whole when
// all of it is there; it is not verified yet. *ret_gone: the centre does not have it (404, 410).
enum eg_sync_outcome eg_exchange_piece(struct eg_exchange *exchange, const struct eg_listed *listed,
				       struct eg_buf *wire, bool *ret_whole, bool *ret_gone,
				       struct eg_err *err);

enum eg_sync_outcome eg_exchange_heartbeat(struct eg_exchange *exchange, struct eg_bytes json,
					   struct eg_err *err);

// A signed head of the audit chain. On DONE the receipt in `receipt` is verified, and of this head.
// `head`: as it reads.
enum eg_sync_outcome eg_exchange_audit(struct eg_exchange *exchange,
				       const struct eg_audit_head *head, struct eg_bytes message,
				       struct eg_buf *receipt, struct eg_err *err);

// `etag`: as with eg_exchange_list. *ret_changed: `message` holds a policy, not verified yet; false
// too when the centre has none (404).
enum eg_sync_outcome eg_exchange_policy(struct eg_exchange *exchange, char *etag,
					struct eg_buf *message, bool *ret_changed,
					struct eg_err *err);

enum eg_sync_outcome eg_exchange_encounter(struct eg_exchange *exchange,
					   const struct eg_queued *item, struct eg_bytes envelope,
					   struct eg_ack *ret_ack, struct eg_err *err);

#endif
