// SPDX-License-Identifier: Apache-2.0
//
// One request on its way, and the ways to answer it. Inside the server only.
//
// A handler answers at once, or waits: for a PIN (request_check_pin) or for boothd
// (request_call). Then its connection is suspended, and `then` goes on when the result is there.
// libmicrohttpd does not look at a suspended connection, so each wait has an end: the PIN's turn,
// boothd's answer, its time-out, or the end of its connection.

#ifndef CONSOLED_REQUEST_H
#define CONSOLED_REQUEST_H

#include "firmware/base/id.h"
#include "firmware/consoled/bodies.h"
#include "firmware/consoled/console.h"

typedef enum MHD_Result (*handler)(struct request *request);

enum {
	MAY_ALL = 0, // without a session
	MAY_OFFICER = 1u << EG_ROLE_OFFICER,
	MAY_SUPERVISOR = 1u << EG_ROLE_SUPERVISOR,
	MAY_TECHNICIAN = 1u << EG_ROLE_TECHNICIAN,
	MAY_FACES = MAY_OFFICER | MAY_SUPERVISOR,
	MAY_SIGNED_IN = MAY_FACES | MAY_TECHNICIAN,
};

struct route {
	const char *method;
	const char *path; // "{id}" stands for an encounter's id, "{n}" for a number of two digits
	unsigned int may; // roles that may; MAY_ALL: no session needed
	handler handle;
};
extern const struct route traveller_routes[], officer_routes[];
extern const size_t traveller_route_count, officer_route_count;

struct request {
	struct console *console;
	struct site *site;
	struct MHD_Connection *connection;
	const struct route *route; // NULL: a file, or refused
	const struct asset *asset;
	bool forever; // the asset's path says what it is
	bool head;
	char id[EG_ID_TEXT_MAX];
	unsigned int number;
	uint64_t session; // serial; 0: none
	char account[EG_NAME_MAX];
	enum eg_role role;
	struct eg_buf body;

	// A refusal that waits until the body was thrown away. 0: none.
	unsigned int status;
	const char *allow; // with 405
	struct eg_err why;
	size_t drained;

	// While waiting.
	handler then;
	struct request *next;
	bool suspended;
	bool right;		// the PIN
	sd_json_variant *reply; // boothd's
	char error[128];	// its error's name, "" when it answered
	struct body_sign_in sign_in;
	struct body_decision decision;
	char wanted[EG_NAME_MAX]; // account that signs in
};

// Routes match exactly: no escapes, no "..", nothing appended. Pure.
bool route_matches(const char *pattern, const char *url, char ret_id[EG_ID_TEXT_MAX],
		   unsigned int *ret_number);
// Whether an Origin header is "SCHEME://HOST" with the Host header of the same request. Pure.
bool origin_matches(const char *origin, const char *scheme, const char *host);
// Whether a Host header names this machine at this port and nothing else. Pure.
bool host_is_loopback(const char *host, int port);

struct session *request_session(struct request *request); // NULL: it has ended meanwhile
const char *request_header(const struct request *request, const char *name); // NULL: none

// Waiting. Both answer themselves when it cannot be done. `sign_in` is the request's own.
enum MHD_Result request_check_pin(struct request *request, const struct body_sign_in *sign_in,
				  handler then);
// In `then`: whose badge and PIN it is. NULL: it counted as wrong, and *ret_result is the answer.
const struct eg_account *request_pin_result(struct request *request,
					    const struct body_sign_in *sign_in,
					    enum MHD_Result *ret_result);
// `parameters` is taken over and may be NULL (out of memory).
enum MHD_Result request_call(struct request *request, const char *method,
			     sd_json_variant *parameters, handler then);
void request_resume(struct request *request); // what it waited for is there
void request_drop(struct request *request);   // it waits no more
void requests_end(struct site *site);	      // all that wait go on, with nothing

// Answers; all queue the response. {"problem": …, "next": …} says what is wrong and what to do.
enum MHD_Result reply_problem(struct request *request, unsigned int status, const char *problem,
			      const char *next);
enum MHD_Result reply_json(struct request *request, unsigned int status, sd_json_variant *json);
enum MHD_Result reply_done(struct request *request); // 204
// With a Set-Cookie header; `json` NULL: 204.
enum MHD_Result reply_cookie(struct request *request, const char *cookie, sd_json_variant *json);
enum MHD_Result reply_picture(struct request *request, struct eg_bytes jpeg);
enum MHD_Result reply_asset(struct request *request);
// `response` with the headers that all have, or NULL: out of memory. Destroys it.
enum MHD_Result reply_with(struct request *request, unsigned int status,
			   struct MHD_Response *response);
// The refusal of boothd that request->error names.
enum MHD_Result reply_booth_error(struct request *request);

// Shared by both sites.
enum MHD_Result begin_events(struct request *request);
enum MHD_Result begin_view(struct request *request);
enum MHD_Result set_camera_off(struct request *request);
enum MHD_Result set_camera_on(struct request *request);
// In `then`, when boothd's answer holds nothing for the page.
enum MHD_Result answer_done(struct request *request);

// sign_in.c
enum MHD_Result sign_in(struct request *request);
enum MHD_Result sign_out(struct request *request);
enum MHD_Result session_get(struct request *request);

enum MHD_Result gates_access(void *user, struct MHD_Connection *connection, const char *url,
			     const char *method, const char *version, const char *data,
			     size_t *size, void **state);
void gates_completed(void *user, struct MHD_Connection *connection, void **state,
		     enum MHD_RequestTerminationCode code);

#endif
