// SPDX-License-Identifier: Apache-2.0
//
// Answers. What went wrong is application/problem+json (RFC 9457) with one sentence.

#include <stdlib.h>
#include <string.h>
#include <systemd/sd-json.h>

#include "firmware/base/log.h"
#include "net/central/centrald/request.h"

#define RETRY_AFTER_S "5"
#define ATTEMPT_S     "10" // one more attempt each EG_ATTEMPTS_BACK_MS

static const char *title_of(unsigned int status)
{
	switch (status) {
	case MHD_HTTP_BAD_REQUEST:
		return "Malformed";
	case MHD_HTTP_UNAUTHORIZED:
		return "Who are you?";
	case MHD_HTTP_FORBIDDEN:
		return "Not allowed";
	case MHD_HTTP_NOT_FOUND:
		return "Not found";
	case MHD_HTTP_METHOD_NOT_ALLOWED:
		return "Method not allowed";
	case MHD_HTTP_CONFLICT:
		return "Contradicts what is here";
	case MHD_HTTP_CONTENT_TOO_LARGE:
		return "Too large";
	case MHD_HTTP_UNSUPPORTED_MEDIA_TYPE:
		return "Wrong content type";
	case MHD_HTTP_RANGE_NOT_SATISFIABLE:
		return "No such range";
	case MHD_HTTP_UNPROCESSABLE_CONTENT:
		return "Not acceptable here";
	case MHD_HTTP_TOO_MANY_REQUESTS:
		return "Too many attempts";
	case MHD_HTTP_SERVICE_UNAVAILABLE:
		return "Try again later";
	default:
		return "Internal failure";
	}
}

const char *request_header(const struct request *request, const char *name)
{
	return MHD_lookup_connection_value(request->connection, MHD_HEADER_KIND, name);
}

enum MHD_Result reply_with(struct request *request, unsigned int status,
			   struct MHD_Response *response)
{
	if (response == NULL)
		return MHD_NO; // out of memory: the connection is closed
	(void)MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
	enum MHD_Result result = MHD_queue_response(request->connection, status, response);
	MHD_destroy_response(response);
	return result;
}

enum MHD_Result reply_bytes(struct request *request, unsigned int status, const char *type,
			    struct eg_bytes bytes, const char *etag)
{
	struct MHD_Response *response =
		MHD_create_response_from_buffer_copy(bytes.size, bytes.data);
	if (response != NULL) {
		(void)MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, type);
		if (etag != NULL)
			(void)MHD_add_response_header(response, MHD_HTTP_HEADER_ETAG, etag);
	}
	return reply_with(request, status, response);
}

enum MHD_Result reply_empty(struct request *request, unsigned int status)
{
	return reply_with(request, status, MHD_create_response_empty(MHD_RF_NONE));
}

static char *format_problem(unsigned int status, const char *detail)
{
	sd_json_variant *json = NULL;
	char *text = NULL;
	int r = sd_json_buildo(&json, SD_JSON_BUILD_PAIR_STRING("type", "about:blank"),
			       SD_JSON_BUILD_PAIR_STRING("title", title_of(status)),
			       SD_JSON_BUILD_PAIR_UNSIGNED("status", status),
			       SD_JSON_BUILD_PAIR_STRING("detail", detail));
	if (r >= 0 && sd_json_variant_format(json, SD_JSON_FORMAT_NEWLINE, &text) < 0)
		text = NULL;
	sd_json_variant_unref(json);
	return text;
}

enum MHD_Result reply_problem(struct request *request, unsigned int status, const char *detail)
{
	char *text = format_problem(status, detail);
	struct MHD_Response *response =
		text != NULL ? MHD_create_response_from_buffer_copy(strlen(text), text) : NULL;
	free(text);
	if (response != NULL) {
		(void)MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE,
					      "application/problem+json");
		if (status == MHD_HTTP_SERVICE_UNAVAILABLE)
			(void)MHD_add_response_header(response, MHD_HTTP_HEADER_RETRY_AFTER,
						      RETRY_AFTER_S);
		if (status == MHD_HTTP_TOO_MANY_REQUESTS)
			(void)MHD_add_response_header(response, MHD_HTTP_HEADER_RETRY_AFTER,
						      ATTEMPT_S);
		if (status == MHD_HTTP_METHOD_NOT_ALLOWED && request->allow[0] != '\0')
			(void)MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW,
						      request->allow);
		if (status == MHD_HTTP_UNAUTHORIZED && request->route != NULL &&
		    !request->route->booth)
			(void)MHD_add_response_header(response, MHD_HTTP_HEADER_WWW_AUTHENTICATE,
						      "Basic realm=\"egress\"");
	}
	return reply_with(request, status, response);
}

enum MHD_Result reply_failure(struct request *request, const struct eg_err *err)
{
	switch (err->code) {
	case EG_EINVAL:
	case EG_EUNSUPPORTED:
		return reply_problem(request, MHD_HTTP_BAD_REQUEST, err->text);
	case EG_ETOOBIG:
		return reply_problem(request, MHD_HTTP_CONTENT_TOO_LARGE, err->text);
	case EG_EAGAIN:
	case EG_EFULL:
	case EG_ENOMEM:
		eg_warning("%s", err->text);
		return reply_problem(request, MHD_HTTP_SERVICE_UNAVAILABLE,
				     "The centre cannot take this just now.");
	default:
		eg_error("%s", err->text);
		return reply_problem(request, MHD_HTTP_INTERNAL_SERVER_ERROR,
				     "The centre failed; its log says why.");
	}
}
