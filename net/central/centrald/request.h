// SPDX-License-Identifier: Apache-2.0
//
// One request on its way, and the ways to answer it.

#ifndef CENTRALD_REQUEST_H
#define CENTRALD_REQUEST_H

#include "net/central/centrald/server.h"

struct request {
	struct server *server;
	struct MHD_Connection *connection;
	const struct route *route;  // NULL: refused before there was one
	char name[EG_NAME_MAX];	    // last part of the path, where the route has one
	struct eg_certificate peer; // whose request it is, where the route wants to know
	struct eg_buf body;
	size_t reserved;  // of server->body_bytes
	int64_t begun_ms; // boot time
	uint64_t drained; // bytes thrown away

	// A refusal that waits until the body was thrown away. 0: none.
	unsigned int status;
	char allow[32]; // with 405
	struct eg_err why;
};

struct route {
	const char *method;
	const char *path;	  // ends in '/': a name follows
	bool booth;		  // only with a booth's certificate
	const char *content_type; // of the body, NULL: there is none
	size_t body_max;
	enum MHD_Result (*handle)(struct request *request);
};
extern const struct route routes[];
extern const size_t route_count;

// Answers; all queue the response. Details are sentences for people.
enum MHD_Result reply_problem(struct request *request, unsigned int status, const char *detail);
// The problem that `err` is: 400, 413, 503, or 500 (then it is logged and not told).
enum MHD_Result reply_failure(struct request *request, const struct eg_err *err);
enum MHD_Result reply_empty(struct request *request, unsigned int status);
enum MHD_Result reply_bytes(struct request *request, unsigned int status, const char *type,
			    struct eg_bytes bytes, const char *etag);
// `response` with its headers set, or NULL: out of memory. Destroys it.
enum MHD_Result reply_with(struct request *request, unsigned int status,
			   struct MHD_Response *response);

const char *request_header(const struct request *request, const char *name); // NULL: none

// Whose certificate the connection shows, checked now. 0, or the status to refuse with (401: none,
// foreign, expired; 403: revoked; 503) and the sentence in `err`.
unsigned int peer_check(struct MHD_Connection *connection, struct eg_ledger *ledger,
			struct eg_certificate *ret_peer, struct eg_err *err);

// est.c
enum MHD_Result est_cacerts(struct request *request);
enum MHD_Result est_enroll(struct request *request);
enum MHD_Result est_reenroll(struct request *request);
// manifests.c
enum MHD_Result manifests_list(struct request *request);
enum MHD_Result manifests_get(struct request *request);
// booth.c
enum MHD_Result booth_keys(struct request *request);
enum MHD_Result booth_heartbeat(struct request *request);
enum MHD_Result booth_encounter(struct request *request);
// oversight.c
enum MHD_Result audit_head(struct request *request);
enum MHD_Result policy_get(struct request *request);

// receipt.c
enum MHD_Result receipt_form(struct request *request);
enum MHD_Result receipt_check(struct request *request);
enum MHD_Result receipt_style(struct request *request);

// Whether If-None-Match names `etag`; weak tags compare the same here.
bool request_holds(const struct request *request, const char *etag);
enum MHD_Result reply_unchanged(struct request *request, const char *etag);
// The ETag of something with this digest.
#define ETAG_MAX 40
void etag_of(const uint8_t digest[EG_SHA256_SIZE], char ret_etag[ETAG_MAX]);
// Raises an alarm, in the log and in the ledger.
void alarm_about(struct request *request, enum eg_alarm alarm, const char *subject);

#endif
