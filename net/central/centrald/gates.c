// SPDX-License-Identifier: Apache-2.0
//
// The gates a request passes (see server.h), and its body. A refusal is answered at once when no
// body is on its way; else the body is thrown away first, up to a limit, because a client that is
// still sending would never read the answer.

#include "net/central/centrald/gates.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "firmware/base/log.h"
#include "firmware/base/mem.h"

#define DRAIN_MAX   (8u << 20)	// bytes
#define HEADERS_MAX (16u << 10) // bytes of memory a connection

// The name behind a route that ends in '/'; only its characters are checked here.
static bool matches(const struct route *route, const char *url, char name[EG_NAME_MAX])
{
	size_t length = strlen(route->path);
	if (route->path[length - 1] != '/')
		return strcmp(route->path, url) == 0;
	if (strncmp(route->path, url, length) != 0 || !eg_name_is_valid(url + length))
		return false;
	memcpy(name, url + length, strlen(url + length) + 1);
	return true;
}

static void refuse(struct request *request, unsigned int status, const char *why)
{
	request->status = status;
	(void)eg_err_set(&request->why, EG_EINVAL, "%s", why);
}

// The methods of one path, for Allow. GET comes first in routes.c and brings HEAD.
static void allow(struct request *request, const char *method)
{
	size_t size = strlen(request->allow);
	(void)snprintf(request->allow + size, sizeof(request->allow) - size, "%s%s",
		       size > 0 ? ", " : "", strcmp(method, "GET") == 0 ? "GET, HEAD" : method);
}

static const struct route *find_route(struct request *request, const char *url, const char *method)
{
	const char *wanted = strcmp(method, "HEAD") == 0 ? "GET" : method;
	for (size_t i = 0; i < route_count; i++) {
		if (!matches(&routes[i], url, request->name))
			continue;
		if (strcmp(routes[i].method, wanted) == 0)
			return &routes[i];
		allow(request, routes[i].method);
	}
	if (request->allow[0] == '\0')
		refuse(request, MHD_HTTP_NOT_FOUND, "There is nothing of that name.");
	else
		refuse(request, MHD_HTTP_METHOD_NOT_ALLOWED,
		       "The method is not one of those in Allow.");
	return NULL;
}

// "type/subtype; parameters": compared without case and parameters (RFC 9110 §8.3.1).
static bool is_type(const char *header, const char *type)
{
	size_t length = strlen(type);
	return header != NULL && strncasecmp(header, type, length) == 0 &&
	       (header[length] == '\0' || header[length] == ';' || header[length] == ' ');
}

// Bytes the body will have at most. MHD has checked the header's syntax.
static uint64_t announced(const struct request *request, uint64_t otherwise)
{
	const char *length = request_header(request, MHD_HTTP_HEADER_CONTENT_LENGTH);
	if (request_header(request, MHD_HTTP_HEADER_TRANSFER_ENCODING) != NULL)
		return otherwise;
	if (length == NULL)
		return 0;
	errno = 0;
	unsigned long long bytes = strtoull(length, NULL, 10);
	return errno == 0 ? bytes : UINT64_MAX;
}

static void check_body(struct request *request)
{
	const struct route *route = request->route;
	struct server *server = request->server;
	uint64_t bytes = announced(request, route->body_max);
	if (bytes > 0 && route->content_type == NULL) {
		refuse(request, MHD_HTTP_CONTENT_TOO_LARGE, "This call takes no body.");
		return;
	}
	if (route->content_type == NULL)
		return;
	if (!is_type(request_header(request, MHD_HTTP_HEADER_CONTENT_TYPE), route->content_type)) {
		request->status = MHD_HTTP_UNSUPPORTED_MEDIA_TYPE;
		(void)eg_err_set(&request->why, EG_EINVAL, "The body must be of type %s.",
				 route->content_type);
		return;
	}
	if (bytes > route->body_max) {
		request->status = MHD_HTTP_CONTENT_TOO_LARGE;
		(void)eg_err_set(&request->why, EG_ETOOBIG, "The body must not be over %zu bytes.",
				 route->body_max);
		return;
	}
	if (server->body_bytes + bytes > (size_t)server->config->body_mb << 20) {
		refuse(request, MHD_HTTP_SERVICE_UNAVAILABLE, "Too many requests are under way.");
		return;
	}
	request->reserved = (size_t)bytes;
	server->body_bytes += request->reserved;
}

static enum MHD_Result answer_refusal(struct request *request)
{
	if (request->status >= 500)
		eg_warning("%s", request->why.text);
	return reply_problem(request, request->status, request->why.text);
}

static enum MHD_Result begin(struct request *request, const char *url, const char *method)
{
	const char *expect = request_header(request, MHD_HTTP_HEADER_EXPECT);
	uint64_t coming;
	request->begun_ms = eg_boot_ms(request->server->clock);
	request->route = find_route(request, url, method);
	if (request->route != NULL && request->route->booth)
		request->status = peer_check(request->connection, request->server->ledger,
					     &request->peer, &request->why);
	if (request->status == 0)
		check_body(request);
	if (request->status == 0) {
		eg_buf_init(&request->body, request->route->body_max);
		return MHD_YES;
	}
	coming = announced(request, 1);
	if (coming == 0 || coming > DRAIN_MAX || expect != NULL)
		return answer_refusal(request);
	return MHD_YES;
}

static enum MHD_Result take(struct request *request, const char *data, size_t size)
{
	int64_t took_ms = eg_boot_ms(request->server->clock) - request->begun_ms;
	// A body at 512 bytes a second is slow, not hostile.
	if (took_ms > request->server->config->request_s * 1000 + 2 * (int64_t)request->reserved)
		return MHD_NO;
	if (request->status == 0 && eg_buf_put(&request->body, data, size) != 0) {
		eg_buf_done(&request->body);
		refuse(request, MHD_HTTP_CONTENT_TOO_LARGE, "The body is too large.");
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
		request = eg_calloc(1, sizeof(*request));
		if (request == NULL)
			return MHD_NO;
		request->server = user;
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
	return request->route->handle(request);
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
	request->server->body_bytes -= request->reserved;
	eg_buf_done(&request->body);
	free(request);
	*state = NULL;
}

// The path stays as it was sent: an escaped character is in no name of ours.
static size_t keep_escapes(void *user, struct MHD_Connection *connection, char *text)
{
	(void)user;
	(void)connection;
	return strlen(text);
}

const struct MHD_OptionItem gates_options[] = {
	{MHD_OPTION_CONNECTION_MEMORY_LIMIT, HEADERS_MAX, NULL},
	{MHD_OPTION_NOTIFY_COMPLETED, (intptr_t)gates_completed, NULL},
	{MHD_OPTION_UNESCAPE_CALLBACK, (intptr_t)keep_escapes, NULL},
	{MHD_OPTION_END, 0, NULL},
};
