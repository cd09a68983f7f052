// SPDX-License-Identifier: Apache-2.0
//
// The gates a request passes (see server.h), and its body. A refusal is answered at once when no
// body is on its way; else the body is thrown away first, up to a limit, because a client that is
// still sending would never read the answer.

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "firmware/base/mem.h"
#include "firmware/consoled/assets.h"
#include "firmware/consoled/request.h"

#define DRAIN_MAX  (64u << 10) // bytes
#define HOST_MAX   256
#define ORIGIN_MAX (HOST_MAX + 16)

const char *request_header(const struct request *request, const char *name)
{
	return MHD_lookup_connection_value(request->connection, MHD_HEADER_KIND, name);
}

struct session *request_session(struct request *request)
{
	struct console *c = request->console;
	struct session *session = sessions_by_serial(&c->sessions, request->session);

	return session != NULL && session_left_ms(session, eg_boot_ms(c->clock)) > 0 ? session
										     : NULL;
}

// ---- pure ---------------------------------------------------------------------------------------

bool route_matches(const char *pattern, const char *url, char ret_id[EG_ID_TEXT_MAX],
		   unsigned int *ret_number)
{
	for (; *pattern != '\0'; pattern++) {
		if (strncmp(pattern, "{id}", 4) == 0) {
			struct eg_id id;

			if (strlen(url) < EG_ID_TEXT_MAX - 1)
				return false;
			memcpy(ret_id, url, EG_ID_TEXT_MAX - 1);
			ret_id[EG_ID_TEXT_MAX - 1] = '\0';
			if (eg_id_parse(ret_id, &id) != 0)
				return false;
			eg_id_text(&id, ret_id); // one way to write it
			url += EG_ID_TEXT_MAX - 1;
			pattern += 3;
		} else if (strncmp(pattern, "{n}", 3) == 0) {
			size_t digits = strspn(url, "0123456789");

			if (digits < 1 || digits > 2)
				return false;
			*ret_number = (unsigned int)strtoul(url, NULL, 10);
			url += digits;
			pattern += 2;
		} else if (*pattern != *url++) {
			return false;
		}
	}
	return *url == '\0';
}

bool origin_matches(const char *origin, const char *scheme, const char *host)
{
	char wanted[ORIGIN_MAX];

	return origin != NULL && host != NULL &&
	       (size_t)snprintf(wanted, sizeof(wanted), "%s://%s", scheme, host) < sizeof(wanted) &&
	       strcasecmp(origin, wanted) == 0;
}

bool host_is_loopback(const char *host, int port)
{
	static const char *const names[] = {"127.0.0.1", "localhost"};
	char wanted[HOST_MAX];

	for (size_t i = 0; host != NULL && i < sizeof(names) / sizeof(names[0]); i++) {
		(void)snprintf(wanted, sizeof(wanted), "%s:%d", names[i], port);
		if (strcasecmp(host, wanted) == 0 ||
		    (port == 80 && strcasecmp(host, names[i]) == 0))
			return true;
	}
	return false;
}

// ---- gates --------------------------------------------------------------------------------------

static bool refuse(struct request *request, unsigned int status, const char *why)
{
	request->status = status;
	(void)eg_err_set(&request->why, EG_EINVAL, "%s", why);
	return false;
}

// A page elsewhere whose name was made to lead here (DNS rebinding) names itself in Host.
static bool check_host(struct request *request)
{
	const char *host = request_header(request, MHD_HTTP_HEADER_HOST);

	if (host == NULL || strlen(host) >= HOST_MAX ||
	    (!request->site->officer && !host_is_loopback(host, request->site->port)))
		return refuse(request, MHD_HTTP_MISDIRECTED_REQUEST,
			      "This is not the name of this page.");
	return true;
}

static bool find_target(struct request *request, const char *url, const char *method)
{
	const struct site *site = request->site;
	bool get = strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0;
	const struct route *other = NULL;

	request->head = strcmp(method, "HEAD") == 0;
	request->asset = asset_find(strcmp(url, "/") == 0 ? site->page : url, &request->forever);
	for (size_t i = 0; i < site->route_count && request->asset == NULL; i++) {
		const struct route *route = &site->routes[i];

		if (!route_matches(route->path, url, request->id, &request->number))
			continue;
		if (strcmp(route->method, request->head ? "GET" : method) == 0) {
			request->route = route;
			return true;
		}
		other = route;
	}
	if (request->asset != NULL && get)
		return true;
	request->allow = request->asset != NULL || (other != NULL && other->method[0] == 'G')
				 ? "GET, HEAD"
				 : "POST";
	if (request->asset != NULL || other != NULL)
		return refuse(request, MHD_HTTP_METHOD_NOT_ALLOWED,
			      "That is not how to ask for it.");
	return refuse(request, MHD_HTTP_NOT_FOUND, "There is nothing of that name.");
}

// Pages may be opened from anywhere; all else only our own pages may ask for. Browsers that send
// Sec-Fetch-Site are believed; what changes something needs the Origin in any case.
static bool check_origin(struct request *request)
{
	const char *fetch = request_header(request, "Sec-Fetch-Site");
	bool post = request->route != NULL && strcmp(request->route->method, "POST") == 0;

	if (request->asset == NULL && fetch != NULL && strcmp(fetch, "same-origin") != 0 &&
	    strcmp(fetch, "none") != 0)
		return refuse(request, MHD_HTTP_FORBIDDEN, "Another page may not ask for this.");
	if (post &&
	    !origin_matches(request_header(request, MHD_HTTP_HEADER_ORIGIN), request->site->scheme,
			    request_header(request, MHD_HTTP_HEADER_HOST)))
		return refuse(request, MHD_HTTP_FORBIDDEN,
			      "Only this booth's own page may do this.");
	if (post && !request->site->officer && request_header(request, "X-Egress") == NULL)
		return refuse(request, MHD_HTTP_FORBIDDEN, "The header X-Egress is missing.");
	return true;
}

static bool check_session(struct request *request)
{
	const struct route *route = request->route;
	struct console *c = request->console;
	char token[SESSION_TOKEN_MAX];
	struct session *session = NULL;
	const char *csrf;

	if (route == NULL || !request->site->officer)
		return true;
	if (session_cookie(request_header(request, MHD_HTTP_HEADER_COOKIE), token))
		session = sessions_find(&c->sessions, token, eg_boot_ms(c->clock));
	eg_wipe(token, sizeof(token));
	if (session != NULL) {
		request->session = session->serial;
		request->role = session->role;
		(void)snprintf(request->account, sizeof(request->account), "%s", session->account);
	}
	if (route->may == MAY_ALL)
		return true;
	if (session == NULL)
		return refuse(request, MHD_HTTP_UNAUTHORIZED, "Nobody is signed in here.");
	csrf = request_header(request, "X-CSRF");
	if (strcmp(route->method, "POST") == 0 &&
	    (csrf == NULL || strlen(csrf) != strlen(session->csrf) ||
	     !eg_equal_ct(csrf, session->csrf, strlen(csrf))))
		return refuse(request, MHD_HTTP_FORBIDDEN,
			      "The header X-CSRF is missing or wrong.");
	if ((route->may & (1u << session->role)) == 0)
		return refuse(request, MHD_HTTP_FORBIDDEN, "Your account may not do this.");
	if (strcmp(route->method, "POST") == 0)
		session_touch(session,
			      eg_boot_ms(c->clock)); // what pages fetch by themselves is none
	return true;
}

// "type/subtype; parameters": compared without case and parameters (RFC 9110 §8.3.1).
static bool is_json(const char *header)
{
	static const char type[] = "application/json";
	size_t length = sizeof(type) - 1;

	return header != NULL && strncasecmp(header, type, length) == 0 &&
	       (header[length] == '\0' || header[length] == ';' || header[length] == ' ');
}

// Bytes the body will have at most. MHD has checked the header's syntax.
static uint64_t announced(const struct request *request)
{
	const char *length = request_header(request, MHD_HTTP_HEADER_CONTENT_LENGTH);
	unsigned long long bytes;

	if (request_header(request, MHD_HTTP_HEADER_TRANSFER_ENCODING) != NULL)
		return UINT64_MAX;
	if (length == NULL)
		return 0;
	errno = 0;
	bytes = strtoull(length, NULL, 10);
	return errno == 0 ? bytes : UINT64_MAX;
}

static bool check_body(struct request *request)
{
	bool post = request->route != NULL && strcmp(request->route->method, "POST") == 0;
	uint64_t bytes = announced(request);

	if (bytes == 0)
		return true;
	if (!post)
		return refuse(request, MHD_HTTP_CONTENT_TOO_LARGE, "This takes no body.");
	if (!is_json(request_header(request, MHD_HTTP_HEADER_CONTENT_TYPE)))
		return refuse(request, MHD_HTTP_UNSUPPORTED_MEDIA_TYPE,
			      "The body must be of type application/json.");
	if (bytes > BODY_MAX)
		return refuse(request, MHD_HTTP_CONTENT_TOO_LARGE, "The body is too large.");
	return true;
}

static enum MHD_Result answer_refusal(struct request *request)
{
	return reply_problem(request, request->status, request->why.text, NULL);
}

static enum MHD_Result begin(struct request *request, const char *url, const char *method)
{
	const char *expect = request_header(request, MHD_HTTP_HEADER_EXPECT);
	uint64_t coming = announced(request);

	eg_buf_init_secret(&request->body, BODY_MAX);
	if (check_host(request) && find_target(request, url, method) && check_origin(request) &&
	    check_session(request) && check_body(request))
		return MHD_YES;
	if (coming == 0 || coming > DRAIN_MAX || expect != NULL)
		return answer_refusal(request);
	return MHD_YES;
}

static enum MHD_Result take(struct request *request, const char *data, size_t size)
{
	if (request->status == 0 && eg_buf_put(&request->body, data, size) != 0) {
		eg_buf_done(&request->body);
		(void)refuse(request, MHD_HTTP_CONTENT_TOO_LARGE, "The body is too large.");
	}
	if (request->status != 0)
		request->drained += size;
	return request->drained > DRAIN_MAX ? MHD_NO : MHD_YES;
}

enum MHD_Result gates_access(void *user, struct MHD_Connection *connection, const char *url,
			     const char *method, const char *version, const char *data,
			     size_t *size, void **state)
{
	struct request *request = *state;

	(void)version;
	if (request == NULL) {
		request = eg_secret_alloc(sizeof(*request)); // it may hold a PIN
		if (request == NULL)
			return MHD_NO;
		request->site = user;
		request->console = request->site->console;
		request->connection = connection;
		*state = request;
		return begin(request, url, method);
	}
	if (*size > 0) {
		enum MHD_Result result = take(request, data, *size);

		*size = 0;
		return result;
	}
	if (request->status != 0)
		return answer_refusal(request);
	if (request->then != NULL) {
		handler then = request->then;

		request->then = NULL;
		return then(request);
	}
	return request->asset != NULL ? reply_asset(request) : request->route->handle(request);
}

void gates_completed(void *user, struct MHD_Connection *connection, void **state,
		     enum MHD_RequestTerminationCode code)
{
	struct request *request = *state;

	(void)user;
	(void)connection;
	(void)code;
	if (request == NULL)
		return;
	request_drop(request);
	eg_buf_done(&request->body);
	sd_json_variant_unref(request->reply);
	eg_secret_free(request, sizeof(*request));
	*state = NULL;
}
