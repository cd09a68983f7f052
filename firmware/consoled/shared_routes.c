// SPDX-License-Identifier: Apache-2.0
//
// What both sites have: events, the live view, the camera's switch.

#include "firmware/consoled/feed.h"
#include "firmware/consoled/request.h"

static enum MHD_Result reply_full(struct request *request)
{
	return reply_problem(request, MHD_HTTP_SERVICE_UNAVAILABLE,
			     "Too many pages are open on this booth.",
			     "Close some that nobody looks at.");
}

enum MHD_Result begin_events(struct request *request)
{
	struct console *c = request->console;
	struct listener *listener;

	if (request->head)
		return reply_done(request);
	listener = hub_join(request->site->officer ? &c->officers : &c->travellers,
			    request->connection);
	if (listener == NULL)
		return reply_full(request);
	listener->session = request->session;
	listener->faces = request->site->officer && ((1u << request->role) & MAY_FACES) != 0;
	feed_first(c, listener);
	return reply_with(request, MHD_HTTP_OK, hub_response(listener));
}

enum MHD_Result begin_view(struct request *request)
{
	struct viewer *viewer;

	if (request->head)
		return reply_done(request);
	viewer = view_join(&request->console->view, request->connection, !request->site->officer);
	if (viewer == NULL)
		return reply_full(request);
	viewer->session = request->session;
	return reply_with(request, MHD_HTTP_OK, view_response(viewer));
}

enum MHD_Result answer_done(struct request *request)
{
	return request->error[0] != '\0' ? reply_booth_error(request) : reply_done(request);
}

static enum MHD_Result set_camera(struct request *request, const char *method)
{
	struct eg_err err = EG_ERR_INIT;

	if (body_read_empty(eg_buf_bytes(&request->body), &err) != 0)
		return reply_problem(request, MHD_HTTP_BAD_REQUEST, err.text, NULL);
	return request_call(request, method, NULL, answer_done);
}

enum MHD_Result set_camera_off(struct request *request)
{
	return set_camera(request, "io.egress.Booth.OptOut");
}

enum MHD_Result set_camera_on(struct request *request)
{
	return set_camera(request, "io.egress.Booth.Resume");
}
