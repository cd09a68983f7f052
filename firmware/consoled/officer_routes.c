// SPDX-License-Identifier: Apache-2.0
//
// What the officer's page can ask for. What changes something goes to boothd under the account of
// the session; the page never says who it is.

#include <stdlib.h>
#include <string.h>

#include "firmware/base/mem.h"
#include "firmware/consoled/json.h"
#include "firmware/consoled/request.h"

#define ACCOUNT	  SD_JSON_BUILD_PAIR_STRING("account", request->account)
#define ENCOUNTER SD_JSON_BUILD_PAIR_STRING("encounter", request->id)

static enum MHD_Result reply_bad(struct request *request, const struct eg_err *err)
{
	return reply_problem(request, MHD_HTTP_BAD_REQUEST, err->text, NULL);
}

static bool is_empty(struct request *request, struct eg_err *err)
{
	return body_read_empty(eg_buf_bytes(&request->body), err) == 0;
}

// ---- pictures -----------------------------------------------------------------------------------

static enum MHD_Result reply_base64(struct request *request, sd_json_variant *text)
{
	void *bytes = NULL;
	size_t size = 0;
	enum MHD_Result result;

	if (text == NULL || sd_json_variant_unbase64(text, &bytes, &size) < 0)
		return reply_problem(request, MHD_HTTP_NOT_FOUND, "There is no such picture.",
				     NULL);
	result = reply_picture(request, EG_BYTES(bytes, size));
	eg_wipe(bytes, size);
	free(bytes);
	return result;
}

static enum MHD_Result answer_probe(struct request *request)
{
	return request->error[0] != '\0'
		       ? reply_booth_error(request)
		       : reply_base64(request, json_field(request->reply, "probe"));
}

static sd_json_variant *reference(const struct request *request, size_t index)
{
	sd_json_variant *list = json_field(request->reply, "references");

	return list != NULL && index < sd_json_variant_elements(list)
		       ? sd_json_variant_by_index(list, index)
		       : NULL;
}

static enum MHD_Result answer_reference(struct request *request)
{
	sd_json_variant *one;

	if (request->error[0] != '\0')
		return reply_booth_error(request);
	one = reference(request, request->number);
	return reply_base64(request, one != NULL ? json_field(one, "jpeg") : NULL);
}

// What pictures there are: {probe: bool, references: [{source, year}]}.
static enum MHD_Result answer_faces(struct request *request)
{
	sd_json_variant *list = NULL, *json = NULL, *one;
	enum MHD_Result result;
	int r;

	if (request->error[0] != '\0')
		return reply_booth_error(request);
	r = sd_json_variant_new_array(&list, NULL, 0);
	for (size_t i = 0; r >= 0 && (one = reference(request, i)) != NULL; i++)
		r = sd_json_variant_append_arraybo(
			&list, SD_JSON_BUILD_PAIR_STRING("source", json_text(one, "source")),
			SD_JSON_BUILD_PAIR_UNSIGNED("year", json_number(one, "year")));
	if (r >= 0)
		r = sd_json_buildo(&json,
				   SD_JSON_BUILD_PAIR_BOOLEAN("probe", json_field(request->reply,
										  "probe") != NULL),
				   SD_JSON_BUILD_PAIR_VARIANT("references", list));
	result = reply_json(request, MHD_HTTP_OK, r >= 0 ? json : NULL);
	sd_json_variant_unref(json);
	sd_json_variant_unref(list);
	return result;
}

static enum MHD_Result ask_faces(struct request *request, handler then)
{
	sd_json_variant *parameters = NULL;

	if (sd_json_buildo(&parameters, ENCOUNTER,
			   SD_JSON_BUILD_PAIR_STRING("actor", request->account)) < 0)
		return MHD_NO;
	return request_call(request, "io.egress.Console.Faces", parameters, then);
}

static enum MHD_Result get_probe(struct request *request)
{
	return ask_faces(request, answer_probe);
}

static enum MHD_Result get_reference(struct request *request)
{
	return ask_faces(request, answer_reference);
}

static enum MHD_Result get_faces(struct request *request)
{
	return ask_faces(request, answer_faces);
}

// ---- cases --------------------------------------------------------------------------------------

static enum MHD_Result hold(struct request *request, const char *account)
{
	sd_json_variant *parameters = NULL;
	struct eg_err err = EG_ERR_INIT;

	if (!is_empty(request, &err))
		return reply_bad(request, &err);
	if (sd_json_buildo(&parameters, ENCOUNTER, SD_JSON_BUILD_PAIR_STRING("account", account)) <
	    0)
		return MHD_NO;
	return request_call(request, "io.egress.Console.Hold", parameters, answer_done);
}

static enum MHD_Result post_hold(struct request *request)
{
	return hold(request, request->account);
}

static enum MHD_Result post_release(struct request *request)
{
	return hold(request, "");
}

static enum MHD_Result recapture(struct request *request, const char *reason)
{
	sd_json_variant *parameters = NULL;

	if (sd_json_buildo(&parameters, ENCOUNTER, ACCOUNT,
			   SD_JSON_BUILD_PAIR_CONDITION(reason[0] != '\0', "reason",
							SD_JSON_BUILD_STRING(reason))) < 0)
		return MHD_NO;
	return request_call(request, "io.egress.Console.Recapture", parameters, answer_done);
}

static enum MHD_Result post_recapture(struct request *request)
{
	struct eg_err err = EG_ERR_INIT;

	return is_empty(request, &err) ? recapture(request, "") : reply_bad(request, &err);
}

static enum MHD_Result decide(struct request *request, const char *second)
{
	const struct body_decision *d = &request->decision;
	sd_json_variant *parameters = NULL;

	if (strcmp(d->decision, "recapture") == 0)
		return recapture(request, d->reason);
	if (sd_json_buildo(&parameters, ENCOUNTER, ACCOUNT,
			   SD_JSON_BUILD_PAIR_STRING("decision", d->decision),
			   SD_JSON_BUILD_PAIR_STRING("reason",
						     d->reason[0] != '\0' ? d->reason : "none"),
			   SD_JSON_BUILD_PAIR_CONDITION(second != NULL, "second",
							SD_JSON_BUILD_STRING(second))) < 0)
		return MHD_NO;
	return request_call(request, "io.egress.Console.Decide", parameters, answer_done);
}

// The second person: a PIN like any other, and somebody who may see faces.
static enum MHD_Result second_looked(struct request *request)
{
	enum MHD_Result result;
	const struct eg_account *account =
		request_pin_result(request, &request->decision.second, &result);

	if (account == NULL)
		return result;
	if (((1u << account->role) & MAY_FACES) == 0)
		return reply_problem(request, MHD_HTTP_FORBIDDEN,
				     "A technician cannot be the second person.",
				     "Ask an officer or a supervisor.");
	return decide(request, account->name);
}

static enum MHD_Result post_decision(struct request *request)
{
	struct body_decision *d = &request->decision;
	struct eg_err err = EG_ERR_INIT;

	if (body_read_decision(eg_buf_bytes(&request->body), d, &err) != 0)
		return reply_bad(request, &err);
	if (!d->has_second)
		return decide(request, NULL);
	if (strcmp(d->second.badge, request->account) == 0)
		return reply_problem(request, MHD_HTTP_UNPROCESSABLE_CONTENT,
				     "The second person must be somebody else.",
				     "Ask a colleague to enter badge and PIN.");
	return request_check_pin(request, &d->second, second_looked);
}

static enum MHD_Result answer_json(struct request *request)
{
	return request->error[0] != '\0' ? reply_booth_error(request)
					 : reply_json(request, MHD_HTTP_OK, request->reply);
}

static enum MHD_Result post_receipt(struct request *request)
{
	sd_json_variant *parameters = NULL;
	struct eg_err err = EG_ERR_INIT;

	if (!is_empty(request, &err))
		return reply_bad(request, &err);
	if (sd_json_buildo(&parameters, ENCOUNTER) < 0)
		return MHD_NO;
	return request_call(request, "io.egress.Console.Receipt", parameters, answer_json);
}

// ---- the booth ----------------------------------------------------------------------------------

static enum MHD_Result post_document(struct request *request)
{
	struct body_document document;
	sd_json_variant *parameters = NULL;
	struct eg_err err = EG_ERR_INIT;
	int r = body_read_document(eg_buf_bytes(&request->body), &document, &err);

	if (r != 0)
		return reply_bad(request, &err);
	r = sd_json_buildo(&parameters, SD_JSON_BUILD_PAIR_STRING("text", document.text));
	eg_wipe(&document, sizeof(document));
	if (r < 0)
		return MHD_NO;
	sd_json_variant_sensitive(parameters);
	return request_call(request, "io.egress.Booth.PresentDocument", parameters, answer_json);
}

static enum MHD_Result get_travellers(struct request *request)
{
	const char *state =
		MHD_lookup_connection_value(request->connection, MHD_GET_ARGUMENT_KIND, "state");
	sd_json_variant *parameters = NULL;

	if (sd_json_buildo(&parameters, SD_JSON_BUILD_PAIR_CONDITION(state != NULL, "filter",
								     SD_JSON_BUILD_STRING(state))) <
	    0)
		return MHD_NO;
	return request_call(request, "io.egress.Console.Travellers", parameters, answer_json);
}

const struct route officer_routes[] = {
	{"POST", "/sign-in", MAY_ALL, sign_in},
	{"POST", "/sign-out", MAY_SIGNED_IN, sign_out},
	{"GET", "/session", MAY_ALL, session_get},
	{"POST", "/session", MAY_SIGNED_IN, session_get},
	{"GET", "/events", MAY_SIGNED_IN, begin_events},
	{"GET", "/view.mjpeg", MAY_FACES, begin_view},
	{"GET", "/cases/{id}/probe.jpg", MAY_FACES, get_probe},
	{"GET", "/cases/{id}/reference/{n}.jpg", MAY_FACES, get_reference},
	{"GET", "/cases/{id}/faces", MAY_FACES, get_faces},
	{"POST", "/cases/{id}/hold", MAY_FACES, post_hold},
	{"POST", "/cases/{id}/release", MAY_FACES, post_release},
	{"POST", "/cases/{id}/decision", MAY_FACES, post_decision},
	{"POST", "/cases/{id}/recapture", MAY_FACES, post_recapture},
	{"POST", "/cases/{id}/receipt", MAY_FACES, post_receipt},
	{"POST", "/no-camera", MAY_SIGNED_IN, set_camera_off},
	{"POST", "/camera-ok", MAY_SIGNED_IN, set_camera_on},
	{"POST", "/document", MAY_FACES, post_document},
	{"GET", "/travellers", MAY_FACES, get_travellers},
};
const size_t officer_route_count = sizeof(officer_routes) / sizeof(officer_routes[0]);
