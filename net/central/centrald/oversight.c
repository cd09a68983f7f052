// SPDX-License-Identifier: Apache-2.0
//
// Audit heads in, policy out. A head is countersigned only when it goes on from the longest one
// that is here: what a booth's chain said once, it has to say for ever.

#include <stdio.h>
#include <string.h>

#include "net/central/centrald/request.h"
#include "store/policy.h"
#include "store/trust.h"

#define KEY_TRIES 4 // of a booth that was enrolled again, with heads signed before

static int verify(struct request *request, struct eg_audit_head *ret_head, struct eg_err *err)
{
	int r = EG_EAUTH;
	for (unsigned int n = 0; n < KEY_TRIES && r == EG_EAUTH; n++) {
		struct eg_booth_keys keys;
		int k = eg_ledger_read_keys(request->server->ledger, request->peer.booth, n, &keys,
					    err);
		if (k != 0)
			return n == 0 || k != EG_ENOENT ? k : r;
		r = eg_audit_verify_head(eg_buf_bytes(&request->body), keys.sign, ret_head, err);
	}
	return r;
}

static enum MHD_Result countersign(struct request *request, const struct eg_audit_head *head)
{
	struct server *server = request->server;
	struct eg_audit_head content = *head;
	struct eg_err err = EG_ERR_INIT;
	struct eg_buf receipt, known;
	enum MHD_Result result;
	char subject[48];
	content.wall_ms = eg_wall_ms(server->clock);
	eg_buf_init(&receipt, EG_AUDIT_MESSAGE_MAX);
	eg_buf_init(&known, EG_AUDIT_MESSAGE_MAX);
	int r = eg_audit_sign_receipt(&content, server->sign, &receipt, &err);
	if (r == 0)
		r = eg_ledger_put_audit_head(server->ledger, request->peer.booth, head,
					     eg_buf_bytes(&receipt), content.wall_ms, &known, &err);
	if (r == 0) {
		result = reply_bytes(request, MHD_HTTP_OK, "application/vnd.egress.audit-receipt",
				     eg_buf_bytes(&known), NULL);
	} else if (r == EG_ECONFLICT) {
		(void)snprintf(subject, sizeof(subject), "%llu entries",
			       (unsigned long long)head->count);
		alarm_about(request, EG_ALARM_AUDIT_CONFLICT, subject);
		result = reply_problem(request, MHD_HTTP_CONFLICT, err.text);
	} else {
		result = reply_failure(request, &err);
	}
	eg_buf_done(&known);
	eg_buf_done(&receipt);
	return result;
}

enum MHD_Result audit_head(struct request *request)
{
	struct eg_audit_head head;
	struct eg_err err = EG_ERR_INIT;
	char name[33];
	int r = verify(request, &head, &err);
	if (r == EG_ENOENT || r == EG_EAUTH)
		return reply_problem(request, MHD_HTTP_UNPROCESSABLE_CONTENT, err.text);
	if (r != 0)
		return reply_failure(request, &err);
	eg_hex(head.digest, 16, name);
	if (strcmp(head.booth, request->peer.booth) != 0 || strcmp(name, request->name) != 0 ||
	    head.count == 0)
		return reply_problem(request, MHD_HTTP_UNPROCESSABLE_CONTENT,
				     "The head is of another booth or chain than the path says.");
	return countersign(request, &head);
}

enum MHD_Result policy_get(struct request *request)
{
	uint8_t digest[EG_SHA256_SIZE];
	struct eg_err err = EG_ERR_INIT;
	enum MHD_Result result;
	struct eg_buf message;
	char etag[ETAG_MAX];
	uint64_t version = 0;
	eg_buf_init(&message, EG_POLICY_MAX);
	int r = eg_ledger_get_policy(request->server->ledger, &version, &message, &err);
	if (r == 0 && eg_sha256(eg_buf_bytes(&message), digest) != 0)
		r = eg_err_set(&err, EG_EFOREIGN, "policy: digest");
	if (r == EG_ENOENT) {
		result = reply_problem(request, MHD_HTTP_NOT_FOUND, err.text);
	} else if (r != 0) {
		result = reply_failure(request, &err);
	} else {
		etag_of(digest, etag);
		result = request_holds(request, etag) ? reply_unchanged(request, etag)
						      : reply_bytes(request, MHD_HTTP_OK,
								    "application/vnd.egress.policy",
								    eg_buf_bytes(&message), etag);
	}
	eg_buf_done(&message);
	return result;
}
