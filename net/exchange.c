// SPDX-License-Identifier: Apache-2.0
//
// See exchange.h.

#include "net/exchange.h"

#include <stdio.h>
#include <string.h>

// Performs and judges; the body of a success stays in `body`, of anything else becomes err's text.
static enum eg_sync_outcome perform(struct eg_exchange *exchange, enum eg_sync_task task,
				    const struct eg_http_request *request, struct eg_buf *body,
				    struct eg_http_answer *ret_answer, struct eg_err *err)
{
	enum eg_sync_outcome outcome;
	char sentence[256];
	bool refused;
	int r;

	r = eg_http_do(exchange->http, request, body, ret_answer, &refused, err);
	exchange->retry_after_ms = ret_answer->retry_after_ms;
	outcome = eg_sync_judge(task, r, refused, ret_answer->status);
	if (r == 0 && outcome != EG_SYNC_DONE) {
		eg_wire_problem(ret_answer, eg_buf_bytes(body), sentence, sizeof(sentence));
		eg_err_set(err, outcome == EG_SYNC_REFUSED ? EG_EAUTH : EG_ENET, "%s: %s",
			   request->path, sentence);
	}
	return outcome;
}

static enum eg_sync_outcome judge_est(enum eg_sync_task task, int r, bool refused,
				      const struct eg_http_answer *answer, struct eg_bytes problem,
				      struct eg_err *err)
{
	enum eg_sync_outcome outcome = eg_sync_judge(task, r, refused, answer->status);
	char sentence[256];

	if (r == 0 && outcome != EG_SYNC_DONE) {
		eg_wire_problem(answer, problem, sentence, sizeof(sentence));
		if (outcome == EG_SYNC_REFUSED)
			eg_err_set(err, EG_EAUTH,
				   "%s refused: %s; make a new token with 'centralctl token new' "
				   "and provision the booth again",
				   eg_sync_task_name(task), sentence);
		else
			eg_err_set(err, EG_ENET, "%s: %s", eg_sync_task_name(task), sentence);
	}
	return outcome;
}

enum eg_sync_outcome eg_exchange_certificate(struct eg_exchange *exchange, struct eg_tls_key *key,
					     const char *token, struct eg_identity *ret_identity,
					     struct eg_err *err)
{
	const enum eg_sync_task task = token ? EG_SYNC_ENROL : EG_SYNC_RENEW;
	struct eg_bytes certs[2 * EG_CERTS_MAX];
	struct eg_buf csr, der, issuers, problem;
	struct eg_http_answer answer = {.retry_after_ms = -1};
	size_t count = 0, issuer_count = 0;
	enum eg_sync_outcome outcome;
	bool refused = false;
	int r;

	exchange->retry_after_ms = -1;
	eg_buf_init(&csr, 4096);
	eg_buf_init(&der, EG_EST_ANSWER_MAX);
	eg_buf_init(&issuers, EG_EST_ANSWER_MAX);
	eg_buf_init(&problem, EG_EST_ANSWER_MAX);
	r = eg_tls_key_request(key, exchange->trust->booth, &csr, err);
	if (r != 0) {
		outcome = EG_SYNC_FAILED;
		goto out;
	}
	// The issuing certificates first: an answer we cannot check must not cost the token.
	r = eg_est_do(exchange->http, EG_EST_CACERTS, (struct eg_bytes){0}, NULL, NULL, &issuers,
		      certs + EG_CERTS_MAX, &issuer_count, &problem, &answer, &refused, err);
	exchange->retry_after_ms = answer.retry_after_ms;
	outcome = judge_est(task, r, refused, &answer, eg_buf_bytes(&problem), err);
	if (outcome != EG_SYNC_DONE)
		goto out;
	eg_buf_reset(&problem);
	r = eg_est_do(exchange->http, token ? EG_EST_ENROLL : EG_EST_REENROLL, eg_buf_bytes(&csr),
		      exchange->trust->booth, token, &der, certs, &count, &problem, &answer,
		      &refused, err);
	exchange->retry_after_ms = answer.retry_after_ms;
	outcome = judge_est(task, r, refused, &answer, eg_buf_bytes(&problem), err);
	if (outcome != EG_SYNC_DONE)
		goto out;
	memmove(certs + count, certs + EG_CERTS_MAX, issuer_count * sizeof(certs[0]));
	r = eg_identity_build(key, certs, count + issuer_count, exchange->trust->booth,
			      exchange->trust->ca_pem, ret_identity, err);
	if (r != 0)
		outcome = EG_SYNC_FAILED;
out:
	eg_buf_done(&problem);
	eg_buf_done(&issuers);
	eg_buf_done(&der);
	eg_buf_done(&csr);
	return outcome;
}

enum eg_sync_outcome eg_exchange_hello(struct eg_exchange *exchange, struct eg_err *err)
{
	struct eg_http_request request = {.path = "/v1/manifests"};
	struct eg_http_answer answer;
	enum eg_sync_outcome outcome;
	struct eg_buf body;

	eg_buf_init(&body, EG_WIRE_LIST_MAX);
	outcome = perform(exchange, EG_SYNC_MANIFESTS, &request, &body, &answer, err);
	eg_buf_done(&body);
	return outcome;
}

enum eg_sync_outcome eg_exchange_keys(struct eg_exchange *exchange, struct eg_bytes booth_keys,
				      struct eg_err *err)
{
	struct eg_http_request request = {
		.method = EG_HTTP_PUT,
		.path = "/v1/booth-keys",
		.body = booth_keys,
		.content_type = "application/cbor",
	};
	struct eg_http_answer answer;
	enum eg_sync_outcome outcome;
	struct eg_buf body;

	eg_buf_init(&body, EG_WIRE_SMALL_MAX);
	outcome = perform(exchange, EG_SYNC_KEYS, &request, &body, &answer, err);
	if (answer.status == 409)
		eg_err_set(err, EG_ECONFLICT,
			   "booth keys: the centre holds other keys for booth '%s'; if this booth "
			   "was reset, make a new token with 'centralctl token new' and provision "
			   "it again",
			   exchange->trust->booth);
	eg_buf_done(&body);
	return outcome;
}

enum eg_sync_outcome eg_exchange_list(struct eg_exchange *exchange, char *etag,
				      struct eg_listed ret_listed[EG_WIRE_LISTED_MAX],
				      size_t *ret_count, bool *ret_changed, struct eg_err *err)
{
	struct eg_http_request request = {
		.path = "/v1/manifests",
		.if_none_match = etag,
	};
	struct eg_http_answer answer;
	enum eg_sync_outcome outcome;
	struct eg_buf body;

	eg_buf_init(&body, EG_WIRE_LIST_MAX);
	outcome = perform(exchange, EG_SYNC_MANIFESTS, &request, &body, &answer, err);
	if (outcome != EG_SYNC_DONE)
		goto out;
	*ret_changed = answer.status == 200;
	if (!*ret_changed)
		goto out;
	if (eg_wire_parse_list(eg_buf_bytes(&body), ret_listed, ret_count, err) != 0) {
		outcome = EG_SYNC_FAILED;
		goto out;
	}
	memcpy(etag, answer.etag, EG_HTTP_ETAG_MAX);
out:
	eg_buf_done(&body);
	return outcome;
}

// Puts what came of a piece where it belongs; `cut`: it broke off. EG_ECONFLICT: it does not fit
// what we have.
static int place_piece(const struct eg_listed *listed, const struct eg_http_answer *answer,
		       const struct eg_buf *piece, bool cut, struct eg_buf *wire)
{
	const uint64_t whole =
		answer->status == 200 ? listed->length : answer->to - answer->from + 1;

	if (answer->etag[0] && strcmp(answer->etag, listed->etag) != 0)
		return EG_ECONFLICT;
	if (cut ? !answer->etag[0] || piece->size > whole : piece->size != whole)
		return EG_ECONFLICT;
	if (answer->status == 200) { // all of it, whatever we asked for
		if (cut && piece->size <= wire->size)
			return 0;
		eg_buf_reset(wire);
		return eg_buf_put(wire, piece->data, piece->size);
	}
	if (!answer->ranged || answer->from != wire->size || answer->length != listed->length)
		return EG_ECONFLICT;
	return eg_buf_put(wire, piece->data, piece->size);
}

// Large pieces cost fewer calls, small ones let encounters through a slow link.
static void adapt_piece(struct eg_exchange *exchange, bool cut, int64_t took_ms)
{
	if (cut)
		exchange->piece = EG_EXCHANGE_PIECE_MIN;
	else if (took_ms < 1000 && exchange->piece < EG_EXCHANGE_PIECE)
		exchange->piece *= 2;
	else if (took_ms > 4000 && exchange->piece > EG_EXCHANGE_PIECE_MIN)
		exchange->piece /= 2;
}

enum eg_sync_outcome eg_exchange_piece(struct eg_exchange *exchange, const struct eg_listed *listed,
				       struct eg_buf *wire, bool *ret_whole, bool *ret_gone,
				       struct eg_err *err)
{
	const uint64_t left = listed->length - wire->size;
	const uint64_t most =
		exchange->piece > 0 ? exchange->piece : (exchange->piece = EG_EXCHANGE_PIECE_MIN);
	char path[32 + EG_NAME_MAX];
	struct eg_http_request request = {
		.path = path,
		.ranged = true,
		.from = wire->size,
		.to = wire->size + (left < most ? left : most) - 1,
		.if_range = listed->etag,
	};
	struct eg_http_answer answer;
	enum eg_sync_outcome outcome;
	struct eg_buf piece;
	int r;

	*ret_whole = *ret_gone = false;
	(void)snprintf(path, sizeof(path), "/v1/manifests/%s", listed->id);
	// A server may answer a range with the whole.
	eg_buf_init(&piece,
		    listed->length > EG_WIRE_SMALL_MAX ? listed->length : EG_WIRE_SMALL_MAX);
	outcome = perform(exchange, EG_SYNC_FETCH, &request, &piece, &answer, err);
	adapt_piece(exchange, outcome == EG_SYNC_LINK, answer.took_ms);
	if (outcome == EG_SYNC_LINK && (answer.status == 200 || answer.status == 206)) {
		// What came before the cut is not asked for again.
		eg_ignore(place_piece(listed, &answer, &piece, true, wire));
	} else if (outcome == EG_SYNC_DONE) {
		r = place_piece(listed, &answer, &piece, false, wire);
		if (r != 0) {
			eg_buf_reset(wire);
			eg_err_set(err, r,
				   "manifest '%s': changed at the centre, or cut; starting anew",
				   listed->id);
			outcome = EG_SYNC_FAILED;
		}
		*ret_whole = r == 0 && wire->size == listed->length;
	} else if (answer.status == 404 || answer.status == 410) {
		*ret_gone = true;
	} else if (answer.status == 416) {
		eg_buf_reset(wire);
	}
	eg_buf_done(&piece);
	return outcome;
}

enum eg_sync_outcome eg_exchange_heartbeat(struct eg_exchange *exchange, struct eg_bytes json,
					   struct eg_err *err)
{
	struct eg_http_request request = {
		.method = EG_HTTP_POST,
		.path = "/v1/heartbeat",
		.body = json,
		.content_type = "application/json",
	};
	struct eg_http_answer answer;
	enum eg_sync_outcome outcome;
	struct eg_buf body;

	eg_buf_init(&body, EG_WIRE_SMALL_MAX);
	outcome = perform(exchange, EG_SYNC_HEARTBEAT, &request, &body, &answer, err);
	eg_buf_done(&body);
	return outcome;
}

static int check_receipt(const struct eg_exchange *exchange, const struct eg_audit_head *head,
			 struct eg_bytes message, struct eg_err *err)
{
	const struct eg_trust *trust = exchange->trust;
	struct eg_audit_head said;
	int r = eg_audit_verify_receipt(message, trust->sign, trust->sign_count, &said, err);

	if (r != 0)
		return eg_err_prefix(err, r, "audit receipt not believed");
	if (strcmp(said.booth, trust->booth) != 0 || said.count != head->count ||
	    memcmp(said.digest, head->digest, sizeof(said.digest)) != 0)
		return eg_err_set(err, EG_EAUTH,
				  "audit receipt not believed: it is for another head");
	return 0;
}

enum eg_sync_outcome eg_exchange_audit(struct eg_exchange *exchange,
				       const struct eg_audit_head *head, struct eg_bytes message,
				       struct eg_buf *receipt, struct eg_err *err)
{
	char path[64], name[33];
	struct eg_http_request request = {
		.method = EG_HTTP_PUT,
		.path = path,
		.body = message,
		.content_type = "application/vnd.egress.audit-head",
	};
	struct eg_http_answer answer;
	enum eg_sync_outcome outcome;
	struct eg_buf body;

	eg_hex(head->digest, 16, name);
	(void)snprintf(path, sizeof(path), "/v1/audit/%s", name);
	eg_buf_init(&body, EG_WIRE_SMALL_MAX);
	outcome = perform(exchange, EG_SYNC_AUDIT, &request, &body, &answer, err);
	if (outcome == EG_SYNC_DONE &&
	    (check_receipt(exchange, head, eg_buf_bytes(&body), err) != 0 ||
	     eg_buf_put(receipt, body.data, body.size) != 0))
		outcome = EG_SYNC_FAILED;
	eg_buf_done(&body);
	return outcome;
}

enum eg_sync_outcome eg_exchange_policy(struct eg_exchange *exchange, char *etag,
					struct eg_buf *message, bool *ret_changed,
					struct eg_err *err)
{
	struct eg_http_request request = {.path = "/v1/policy", .if_none_match = etag};
	struct eg_http_answer answer;
	enum eg_sync_outcome outcome;

	*ret_changed = false;
	outcome = perform(exchange, EG_SYNC_POLICY, &request, message, &answer, err);
	if (outcome == EG_SYNC_FAILED && answer.status == 404) {
		*err = EG_ERR_INIT;
		return EG_SYNC_DONE;
	}
	if (outcome == EG_SYNC_DONE && answer.status == 200) {
		*ret_changed = true;
		memcpy(etag, answer.etag, EG_HTTP_ETAG_MAX);
	}
	return outcome;
}

static int check_ack(const struct eg_exchange *exchange, const struct eg_queued *item,
		     struct eg_bytes message, struct eg_ack *ret_ack, struct eg_err *err)
{
	const struct eg_trust *trust = exchange->trust;
	struct eg_ack ack;
	int r = eg_ack_verify(message, trust->sign, trust->sign_count, &ack, err);

	if (r != 0)
		return eg_err_prefix(err, r, "acknowledgement not believed");
	if (eg_id_compare(&ack.id, &item->id) != 0)
		return eg_err_set(err, EG_EAUTH,
				  "acknowledgement not believed: it is for another encounter");
	if (strcmp(ack.booth, trust->booth) != 0)
		return eg_err_set(err, EG_EAUTH,
				  "acknowledgement not believed: it is for another booth");
	// The centre may have it from before its image was dropped.
	if (memcmp(ack.digest, item->digest, sizeof(ack.digest)) != 0 &&
	    memcmp(ack.digest, item->whole, sizeof(ack.digest)) != 0)
		return eg_err_set(err, EG_EAUTH,
				  "acknowledgement not believed: the centre took other bytes");
	*ret_ack = ack;
	return 0;
}

enum eg_sync_outcome eg_exchange_encounter(struct eg_exchange *exchange,
					   const struct eg_queued *item, struct eg_bytes envelope,
					   struct eg_ack *ret_ack, struct eg_err *err)
{
	char path[32 + EG_ID_TEXT_MAX], id[EG_ID_TEXT_MAX];
	struct eg_http_request request = {
		.method = EG_HTTP_PUT,
		.path = path,
		.body = envelope,
		.content_type = "application/vnd.egress.encounter",
	};
	struct eg_http_answer answer;
	enum eg_sync_outcome outcome;
	struct eg_buf body;

	eg_id_text(&item->id, id);
	(void)snprintf(path, sizeof(path), "/v1/encounters/%s", id);
	eg_buf_init(&body, EG_WIRE_SMALL_MAX);
	outcome = perform(exchange, EG_SYNC_ENCOUNTER, &request, &body, &answer, err);
	if (outcome == EG_SYNC_DONE && check_ack(exchange, item, eg_buf_bytes(&body), ret_ack, err))
		outcome = EG_SYNC_FAILED;
	else if (outcome == EG_SYNC_BURY && answer.status == 409)
		eg_err_set(err, EG_ECONFLICT, "the centre holds other bytes under this id");
	eg_buf_done(&body);
	return outcome;
}
