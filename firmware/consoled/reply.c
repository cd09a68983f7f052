// SPDX-License-Identifier: Apache-2.0
//
// Answers, and the headers that all of them have.

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "firmware/base/log.h"
#include "firmware/base/mem.h"
#include "firmware/consoled/assets.h"
#include "firmware/consoled/json.h"
#include "firmware/consoled/request.h"

static const struct {
	const char *name, *value;
} always[] = {
	{"Content-Security-Policy",
	 "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; "
	 "connect-src 'self'; media-src 'self'; font-src 'self'; frame-ancestors 'none'; "
	 "base-uri 'none'; form-action 'self'"},
	{"X-Content-Type-Options", "nosniff"},
	{"X-Frame-Options", "DENY"},
	{"Referrer-Policy", "no-referrer"},
	{"Cross-Origin-Resource-Policy", "same-origin"},
	{"Cross-Origin-Opener-Policy", "same-origin"},
	{"Permissions-Policy", "camera=(), microphone=(), geolocation=(), payment=(), usb=()"},
};

static enum MHD_Result finish(struct request *request, unsigned int status,
			      struct MHD_Response *response, const char *cache)
{
	enum MHD_Result result;

	if (response == NULL)
		return MHD_NO; // out of memory: the connection is closed
	for (size_t i = 0; i < sizeof(always) / sizeof(always[0]); i++)
		(void)MHD_add_response_header(response, always[i].name, always[i].value);
	(void)MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, cache);
	result = MHD_queue_response(request->connection, status, response);
	MHD_destroy_response(response);
	return result;
}

enum MHD_Result reply_with(struct request *request, unsigned int status,
			   struct MHD_Response *response)
{
	return finish(request, status, response, "no-store");
}

enum MHD_Result reply_done(struct request *request)
{
	return reply_with(request, MHD_HTTP_NO_CONTENT, MHD_create_response_empty(MHD_RF_NONE));
}

static struct MHD_Response *json_response(sd_json_variant *json)
{
	struct MHD_Response *response = NULL;
	char *text = NULL;

	if (sd_json_variant_format(json, SD_JSON_FORMAT_NEWLINE, &text) >= 0)
		response = MHD_create_response_from_buffer_copy(strlen(text), text);
	if (text != NULL)
		eg_wipe(text, strlen(text));
	free(text);
	if (response != NULL)
		(void)MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE,
					      "application/json");
	return response;
}

enum MHD_Result reply_json(struct request *request, unsigned int status, sd_json_variant *json)
{
	return reply_with(request, status, json != NULL ? json_response(json) : NULL);
}

enum MHD_Result reply_cookie(struct request *request, const char *cookie, sd_json_variant *json)
{
	struct MHD_Response *response =
		json != NULL ? json_response(json) : MHD_create_response_empty(MHD_RF_NONE);

	if (response != NULL)
		(void)MHD_add_response_header(response, MHD_HTTP_HEADER_SET_COOKIE, cookie);
	return reply_with(request, json != NULL ? MHD_HTTP_OK : MHD_HTTP_NO_CONTENT, response);
}

enum MHD_Result reply_problem(struct request *request, unsigned int status, const char *problem,
			      const char *next)
{
	sd_json_variant *json = NULL;
	struct MHD_Response *response = NULL;

	if (sd_json_buildo(&json, SD_JSON_BUILD_PAIR_STRING("problem", problem),
			   SD_JSON_BUILD_PAIR_CONDITION(next != NULL, "next",
							SD_JSON_BUILD_STRING(next))) >= 0)
		response = json_response(json);
	sd_json_variant_unref(json);
	if (response != NULL && status == MHD_HTTP_METHOD_NOT_ALLOWED)
		(void)MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, request->allow);
	return reply_with(request, status, response);
}

enum MHD_Result reply_picture(struct request *request, struct eg_bytes jpeg)
{
	struct MHD_Response *response = MHD_create_response_from_buffer_copy(jpeg.size, jpeg.data);

	if (response != NULL)
		(void)MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, "image/jpeg");
	return reply_with(request, MHD_HTTP_OK, response);
}

// ---- files --------------------------------------------------------------------------------------

// The two encodings are two representations, so their strong tags differ.
#define ETAG_MAX 80

static void tag_of(const struct asset *asset, bool gzip, char ret[ETAG_MAX])
{
	(void)snprintf(ret, ETAG_MAX, "\"%s%s\"", asset->digest, gzip ? "-gz" : "");
}

static bool takes_gzip(const struct request *request)
{
	const char *list = request_header(request, MHD_HTTP_HEADER_ACCEPT_ENCODING);
	const char *at = list != NULL ? strstr(list, "gzip") : NULL;

	return at != NULL && strncmp(at + 4, ";q=0", 4) != 0;
}

enum MHD_Result reply_asset(struct request *request)
{
	const struct asset *asset = request->asset;
	const char *held = request_header(request, MHD_HTTP_HEADER_IF_NONE_MATCH);
	const char *cache = request->forever ? "public, max-age=31536000, immutable" : "no-cache";
	bool gzip = asset->gzip.size > 0 && takes_gzip(request), same;
	struct eg_bytes bytes = gzip ? asset->gzip : asset->plain;
	struct MHD_Response *response;
	char tag[ETAG_MAX];

	tag_of(asset, gzip, tag);
	same = held != NULL && strstr(held, tag) != NULL;
	response = same ? MHD_create_response_empty(MHD_RF_NONE)
			: MHD_create_response_from_buffer_static(bytes.size, bytes.data);
	if (response != NULL) {
		(void)MHD_add_response_header(response, MHD_HTTP_HEADER_ETAG, tag);
		(void)MHD_add_response_header(response, MHD_HTTP_HEADER_VARY, "Accept-Encoding");
	}
	if (response != NULL && !same) {
		(void)MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, asset->type);
		if (gzip)
			(void)MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_ENCODING,
						      "gzip");
	}
	return finish(request, same ? MHD_HTTP_NOT_MODIFIED : MHD_HTTP_OK, response, cache);
}

// ---- boothd's refusals --------------------------------------------------------------------------

static const struct {
	const char *error;
	unsigned int status;
	const char *problem, *next;
} booth_errors[] = {
	{"io.egress.Console.NoSuchCase", MHD_HTTP_NOT_FOUND,
	 "This traveller is no longer on the list.", "Use the centre's pages for older ones."},
	{"io.egress.Console.NoFaces", MHD_HTTP_GONE, "The pictures are gone.",
	 "They are shown for a short time only. Check the document."},
	{"io.egress.Console.SecondNeeded", MHD_HTTP_CONFLICT,
	 "This decision takes a second person.", "Ask a colleague to enter badge and PIN."},
	{"io.egress.Console.NotInView", MHD_HTTP_CONFLICT,
	 "The traveller is not before the camera any more.", "Ask them to step back to it."},
	{"io.egress.Console.NotConfirmed", MHD_HTTP_CONFLICT,
	 "There is no confirmed exit to give a receipt of.", NULL},
	{"io.egress.Console.NotFitting", MHD_HTTP_UNPROCESSABLE_CONTENT,
	 "That does not go together.", NULL},
	{"io.egress.Console.NotWritten", MHD_HTTP_SERVICE_UNAVAILABLE,
	 "The booth could not write it down; nothing was decided.",
	 "Try again. If it stays so, call a technician: the disk may be full."},
	{"io.egress.Booth.DocumentUnreadable", MHD_HTTP_UNPROCESSABLE_CONTENT,
	 "The document could not be read.", "Clean it, lay it flat, and read it again."},
	{LINK_GONE, MHD_HTTP_SERVICE_UNAVAILABLE, "The booth's camera program went away meanwhile.",
	 "Look whether it was done before you try again."},
};

static enum MHD_Result reply_decided(struct request *request)
{
	sd_json_variant *json = NULL;
	enum MHD_Result result;
	int r = sd_json_buildo(
		&json,
		SD_JSON_BUILD_PAIR_STRING("problem", "Another officer has decided this already."),
		SD_JSON_BUILD_PAIR_STRING("next", "A supervisor may add another decision."),
		SD_JSON_BUILD_PAIR_STRING("by", json_text(request->reply, "by")),
		SD_JSON_BUILD_PAIR_STRING("decision", json_text(request->reply, "decision")));

	result = reply_json(request, MHD_HTTP_CONFLICT, r >= 0 ? json : NULL);
	sd_json_variant_unref(json);
	return result;
}

// boothd's refusal, by its own short name too: a page asks for the second person by it.
static enum MHD_Result reply_refused(struct request *request, unsigned int status,
				     const char *problem, const char *next)
{
	const char *dot = strrchr(request->error, '.');
	sd_json_variant *json = NULL;
	enum MHD_Result result;
	int r = sd_json_buildo(
		&json, SD_JSON_BUILD_PAIR_STRING("problem", problem),
		SD_JSON_BUILD_PAIR_STRING("error", dot != NULL ? dot + 1 : request->error),
		SD_JSON_BUILD_PAIR_CONDITION(next != NULL, "next", SD_JSON_BUILD_STRING(next)));

	result = reply_json(request, status, r >= 0 ? json : NULL);
	sd_json_variant_unref(json);
	return result;
}

enum MHD_Result reply_booth_error(struct request *request)
{
	const char *reason = json_text(request->reply, "reason");

	if (strcmp(request->error, "io.egress.Console.AlreadyDecided") == 0)
		return reply_decided(request);
	for (size_t i = 0; i < sizeof(booth_errors) / sizeof(booth_errors[0]); i++)
		if (strcmp(request->error, booth_errors[i].error) == 0)
			return reply_refused(request, booth_errors[i].status,
					     reason[0] != '\0' ? reason : booth_errors[i].problem,
					     booth_errors[i].next);
	eg_error("boothd refuses: %s", request->error);
	return reply_problem(request, MHD_HTTP_BAD_GATEWAY, "The booth refused this.",
			     "Its log says why; call a technician.");
}
