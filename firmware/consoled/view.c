// SPDX-License-Identifier: Apache-2.0
//
// See view.h.

#include "firmware/consoled/view.h"

#include <stdlib.h>
#include <string.h>

#include "drivers/codec.h"
#include "firmware/base/log.h"
#include "firmware/base/mem.h"
#include "firmware/consoled/blur.h"
#include "firmware/consoled/feed.h"

#define QUALITY	    80
#define PICTURE_MAX (1u << 20)
#define BLOCK	    16384u
#define BOUNDARY    "egress-picture"
#define IDLE_US	    (100u * 1000u) // between looks when nobody looks at pictures

struct view_picture {
	size_t refs;
	struct eg_buf part; // headers, JPEG, and the boundary of the next: shown when it is there
};

static void picture_unref(struct view_picture *picture)
{
	if (picture == NULL || --picture->refs > 0)
		return;
	eg_buf_done(&picture->part);
	free(picture);
}

static struct view_picture *picture_ref(struct view_picture *picture)
{
	picture->refs++;
	return picture;
}

static struct view_picture *encode(const struct eg_image *image)
{
	struct view_picture *picture = eg_calloc(1, sizeof(*picture));
	struct eg_buf jpeg;
	int r = EG_ENOMEM;

	eg_buf_init_secret(&jpeg, PICTURE_MAX);
	if (picture != NULL) {
		picture->refs = 1;
		eg_buf_init_secret(&picture->part, PICTURE_MAX + 256);
		r = eg_codec_encode_jpeg(image, QUALITY, &jpeg, NULL);
	}
	if (r == 0)
		r = eg_buf_printf(&picture->part,
				  "Content-Type: image/jpeg\r\nContent-Length: %zu\r\n\r\n",
				  jpeg.size);
	if (r == 0)
		r = eg_buf_put(&picture->part, jpeg.data, jpeg.size);
	if (r == 0)
		r = eg_buf_printf(&picture->part, "\r\n--" BOUNDARY "\r\n");
	eg_buf_done(&jpeg);
	if (r != 0) {
		eg_error("a picture of the live view was lost: %s", eg_code_name(r));
		picture_unref(picture);
		return NULL;
	}
	return picture;
}

static struct view_picture *encode_dark(void)
{
	struct view_picture *picture = NULL;
	struct eg_image dark = {0};

	if (eg_image_init(&dark, 64, 36, 3) == 0)
		picture = encode(&dark);
	eg_image_done(&dark);
	return picture;
}

// ---- the newest picture, as it may be shown -----------------------------------------------------

static struct blur_box box_of(const struct eg_view_face *face)
{
	return (struct blur_box){face->x, face->y, face->width, face->height};
}

static struct view_picture *encode_blurred(struct view *v)
{
	struct blur_box keep, others[EG_VIEW_FACES_MAX];
	uint32_t track = traveller_track(&v->console->traveller);
	bool kept = false;
	size_t count = 0;
	int r = eg_image_resize(&v->blurred, v->image.width, v->image.height, 3);

	if (r != 0)
		return encode_dark();
	for (int y = 0; y < v->image.height; y++)
		memcpy(v->blurred.data + (size_t)y * (size_t)v->blurred.stride,
		       v->image.data + (size_t)y * (size_t)v->image.stride,
		       (size_t)v->image.width * 3);
	for (size_t i = 0; i < v->seen.face_count; i++) {
		const struct eg_view_face *face = &v->seen.face[i];

		if (track != 0 && face->track == track && face->served) {
			keep = box_of(face);
			kept = true;
		} else {
			others[count++] = box_of(face);
		}
	}
	r = blur_all_but(&v->blurred, kept ? &keep : NULL, others, count, &v->cells);
	if (r != 0)
		eg_warning("the traveller's view is dark: %s", eg_code_name(r));
	return encode(&v->blurred);
}

static bool may_show(const struct view *v)
{
	return v->state == EG_VIEW_LIVE && v->number > 0 && v->seen.sequence > 0;
}

// The newest picture for one kind of viewer, encoded now if nobody asked for it before.
static struct view_picture *newest(struct view *v, bool traveller)
{
	struct view_picture **place = &v->newest[traveller];

	if (*place == NULL) {
		*place = !may_show(v) ? encode_dark()
			 : traveller  ? encode_blurred(v)
				      : encode(&v->image);
		v->encoded++;
	}
	return *place;
}

static void resume(struct viewer *viewer)
{
	if (!viewer->suspended)
		return;
	viewer->suspended = false;
	MHD_resume_connection(viewer->connection);
}

// Another picture is to be shown.
static void renew(struct view *v)
{
	v->number++;
	for (int i = 0; i < 2; i++) {
		picture_unref(v->newest[i]);
		v->newest[i] = NULL;
	}
	for (struct viewer *w = v->viewer; w < v->viewer + VIEW_VIEWERS_MAX; w++)
		if (w->used)
			resume(w);
}

// ---- looking into the ring ----------------------------------------------------------------------

static void tell_faces(struct view *v)
{
	struct traveller_seen seen[EG_VIEW_FACES_MAX];

	for (size_t i = 0; i < v->seen.face_count; i++)
		seen[i] = (struct traveller_seen){
			.track = v->seen.face[i].track,
			.served = v->seen.face[i].served,
			.x = v->seen.face[i].x,
			.y = v->seen.face[i].y,
			.width = v->seen.face[i].width,
			.height = v->seen.face[i].height,
		};
	if (traveller_seen(&v->console->traveller, seen, v->seen.face_count))
		feed_face(v->console);
	feed_tracks(v->console);
}

static void set_state(struct view *v, enum eg_view_state state)
{
	struct console *c = v->console;

	if (state == v->state)
		return;
	v->state = state;
	if (state != EG_VIEW_LIVE) {
		eg_image_done(&v->image);
		eg_image_done(&v->blurred);
		v->seen = (struct eg_view_picture){0};
		renew(v);
	}
	if (traveller_camera(&c->traveller, state == EG_VIEW_LIVE, state == EG_VIEW_RESTING,
			     eg_boot_ms(c->clock)))
		feed_traveller(c);
}

void view_look(struct view *view)
{
	struct eg_view_picture seen;
	int r;

	set_state(view, view->reader != NULL ? eg_view_reader_state(view->reader) : EG_VIEW_NONE);
	if (view->reader == NULL || view->state != EG_VIEW_LIVE)
		return;
	r = eg_view_read(view->reader, view->seen.sequence, &seen, &view->image);
	if (r == EG_EAGAIN)
		return;
	if (r != 0) {
		eg_error("boothd's live view makes no sense; it is not shown any more");
		view_close(view);
		return;
	}
	view->seen = seen;
	renew(view);
	tell_faces(view);
}

static bool anybody(const struct view *v)
{
	for (size_t i = 0; i < VIEW_VIEWERS_MAX; i++)
		if (v->viewer[i].used)
			return true;
	return false;
}

static int on_timer(sd_event_source *source, uint64_t usec, void *user)
{
	struct view *v = user;
	uint64_t rate = (uint64_t)v->console->config->view_rate;

	(void)usec;
	view_look(v);
	(void)sd_event_source_set_time_relative(source, anybody(v) ? 1000000 / rate : IDLE_US);
	return sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
}

void view_open(struct view *view, int fd)
{
	struct eg_err err = EG_ERR_INIT;

	view_close(view);
	if (eg_view_reader_new(fd, &view->reader, &err) != 0)
		eg_error("live view: %s", err.text);
	view_look(view);
}

void view_close(struct view *view)
{
	eg_view_reader_free(view->reader);
	view->reader = NULL;
	set_state(view, EG_VIEW_NONE);
}

// ---- whoever looks ------------------------------------------------------------------------------

static ssize_t read_more(void *user, uint64_t position, char *buffer, size_t room)
{
	static const char greeting[] = "--" BOUNDARY "\r\n";
	struct viewer *w = user;
	struct view *v = w->view;
	size_t size;

	(void)position;
	if (!w->greeted && room >= sizeof(greeting)) {
		w->greeted = true;
		memcpy(buffer, greeting, sizeof(greeting) - 1);
		return sizeof(greeting) - 1;
	}
	if (w->ending)
		return MHD_CONTENT_READER_END_OF_STREAM;
	if (w->picture == NULL && w->sent != v->number) {
		struct view_picture *picture = newest(v, w->traveller);

		w->sent = v->number;
		w->offset = 0;
		w->picture = picture != NULL ? picture_ref(picture) : NULL;
	}
	if (w->picture == NULL) {
		w->suspended = true;
		MHD_suspend_connection(w->connection);
		return 0;
	}
	size = w->picture->part.size - w->offset;
	size = size < room ? size : room;
	memcpy(buffer, w->picture->part.data + w->offset, size);
	w->offset += size;
	if (w->offset == w->picture->part.size) {
		picture_unref(w->picture);
		w->picture = NULL;
	}
	return (ssize_t)size;
}

static void leave(void *user)
{
	struct viewer *w = user;

	picture_unref(w->picture);
	*w = (struct viewer){0};
}

struct viewer *view_join(struct view *view, struct MHD_Connection *connection, bool traveller)
{
	for (struct viewer *w = view->viewer; w < view->viewer + VIEW_VIEWERS_MAX; w++) {
		if (w->used)
			continue;
		*w = (struct viewer){.used = true,
				     .view = view,
				     .connection = connection,
				     .traveller = traveller,
				     .sent = UINT64_MAX};
		view_look(view);
		return w;
	}
	return NULL;
}

struct MHD_Response *view_response(struct viewer *viewer)
{
	struct MHD_Response *response = MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, BLOCK,
									  read_more, viewer, leave);

	if (response == NULL) {
		leave(viewer);
		return NULL;
	}
	(void)MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE,
				      "multipart/x-mixed-replace; boundary=" BOUNDARY);
	return response;
}

void view_beat(struct view *view)
{
	for (struct viewer *w = view->viewer; w < view->viewer + VIEW_VIEWERS_MAX; w++) {
		if (!w->used || !w->suspended)
			continue;
		w->sent = UINT64_MAX;
		resume(w);
	}
}

void view_end_session(struct view *view, uint64_t session)
{
	for (struct viewer *w = view->viewer; w < view->viewer + VIEW_VIEWERS_MAX; w++) {
		if (!w->used || session == 0 || w->session != session)
			continue;
		w->ending = true;
		resume(w);
	}
}

void view_end_all(struct view *view)
{
	for (struct viewer *w = view->viewer; w < view->viewer + VIEW_VIEWERS_MAX; w++) {
		w->ending = true;
		if (w->used)
			resume(w);
	}
}

int view_start(struct view *view, struct console *console, struct eg_err *err)
{
	int r;

	view->console = console;
	r = sd_event_add_time_relative(console->event, &view->timer, CLOCK_BOOTTIME, IDLE_US, 1000,
				       on_timer, view);
	return r >= 0 ? 0 : eg_err_errno(err, -r, "event loop");
}

void view_stop(struct view *view)
{
	sd_event_source_disable_unref(view->timer);
	view->timer = NULL;
	eg_view_reader_free(view->reader);
	view->reader = NULL;
	for (int i = 0; i < 2; i++)
		picture_unref(view->newest[i]);
	eg_image_done(&view->image);
	eg_image_done(&view->blurred);
	eg_image_done(&view->cells);
}
