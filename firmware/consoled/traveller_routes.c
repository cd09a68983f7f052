// SPDX-License-Identifier: Apache-2.0
//
// What the traveller's page can ask for.

#include <string.h>

#include "firmware/consoled/code.h"
#include "firmware/consoled/feed.h"
#include "firmware/consoled/json.h"
#include "firmware/consoled/request.h"

#define CODE_MAX (256u << 10) // bytes of the largest code's SVG

static enum MHD_Result answer_receipt(struct request *request)
{
	struct console *c = request->console;

	if (request->error[0] != '\0')
		return reply_booth_error(request);
	// The page gets it by its events: also one that was opened anew meanwhile.
	if (traveller_receipt(&c->traveller, request->id, json_text(request->reply, "text"),
			      eg_boot_ms(c->clock)))
		feed_traveller(c);
	console_arm(c);
	return reply_done(request);
}

static enum MHD_Result make_receipt(struct request *request)
{
	const struct traveller *t = &request->console->traveller;
	sd_json_variant *parameters = NULL;
	struct eg_err err = EG_ERR_INIT;

	if (body_read_empty(eg_buf_bytes(&request->body), &err) != 0)
		return reply_problem(request, MHD_HTTP_BAD_REQUEST, err.text, NULL);
	if (t->state != TRAVELLER_GO || t->encounter[0] == '\0')
		return reply_problem(request, MHD_HTTP_CONFLICT,
				     "There is nobody to give a receipt to.", NULL);
	memcpy(request->id, t->encounter, sizeof(request->id));
	if (sd_json_buildo(&parameters, SD_JSON_BUILD_PAIR_STRING("encounter", request->id)) < 0)
		return MHD_NO;
	return request_call(request, "io.egress.Console.Receipt", parameters, answer_receipt);
}

// The code of the receipt that is shown now, and of no other.
static enum MHD_Result get_code(struct request *request)
{
	const struct traveller *t = &request->console->traveller;
	struct MHD_Response *response;
	struct eg_err err = EG_ERR_INIT;
	struct eg_buf svg;
	int r;

	if (t->receipt[0] == '\0')
		return reply_problem(request, MHD_HTTP_NOT_FOUND, "No receipt is shown now.", NULL);
	eg_buf_init(&svg, CODE_MAX);
	r = code_svg(t->receipt, &svg, &err);
	if (r != 0) {
		eg_buf_done(&svg);
		return reply_problem(request, MHD_HTTP_INTERNAL_SERVER_ERROR, err.text, NULL);
	}
	response = MHD_create_response_from_buffer_copy(svg.size, svg.data);
	eg_buf_done(&svg);
	if (response != NULL)
		(void)MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE,
					      "image/svg+xml");
	return reply_with(request, MHD_HTTP_OK, response);
}

const struct route traveller_routes[] = {
	{"GET", "/events", MAY_ALL, begin_events},
	{"GET", "/view.mjpeg", MAY_ALL, begin_view},
	{"POST", "/no-camera", MAY_ALL, set_camera_off},
	{"POST", "/camera-ok", MAY_ALL, set_camera_on},
	{"POST", "/receipt", MAY_ALL, make_receipt},
	{"GET", "/receipt.svg", MAY_ALL, get_code},
};
const size_t traveller_route_count = sizeof(traveller_routes) / sizeof(traveller_routes[0]);
