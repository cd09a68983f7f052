// SPDX-License-Identifier: Apache-2.0

#include "firmware/boothd/display.h"

#include <math.h>
#include <stdlib.h>

#include "firmware/base/mem.h"

#define EVERY_NS (60 * EG_NS_PER_MS)

struct eg_display {
	struct eg_view_writer *ring;
	enum eg_view_state state;
	int64_t from_ns, last_ns; // of captured frames
	struct eg_image image;
};

int eg_display_new(struct eg_display **ret_display, struct eg_err *err)
{
	struct eg_display *d = eg_calloc(1, sizeof(*d));
	int r;

	if (d == NULL)
		return eg_err_set(err, EG_ENOMEM, "live view: out of memory");
	r = eg_view_writer_new(&d->ring, err);
	if (r != 0) {
		free(d);
		return r;
	}
	*ret_display = d;
	return 0;
}

void eg_display_free(struct eg_display *display)
{
	if (display == NULL)
		return;
	eg_view_writer_free(display->ring);
	eg_image_done(&display->image);
	free(display);
}

int eg_display_fd(const struct eg_display *display)
{
	return eg_view_writer_fd(display->ring);
}

void eg_display_set(struct eg_display *display, enum eg_view_state state, int64_t from_ns)
{
	display->state = state;
	display->from_ns = from_ns;
	eg_view_set_state(display->ring, EG_VIEW_NONE); // of what was before, nothing stays
	eg_view_set_state(display->ring, state);
	if (state != EG_VIEW_LIVE)
		eg_image_done(&display->image); // wipes the last picture
}

static bool among(uint32_t track, const uint32_t *tracks, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (tracks[i] == track)
			return true;
	return false;
}

// As wide as fits both ways.
static int width_of(const struct eg_view *view)
{
	const double scale = fmin(EG_VIEW_WIDTH_MAX / (double)view->width,
				  EG_VIEW_HEIGHT_MAX / (double)view->height);

	return (int)fmax(floor(view->width * scale), 1);
}

void eg_display_frame(struct eg_display *display, struct eg_vision *vision,
		      const struct eg_view *view, const uint32_t *served, size_t served_count)
{
	struct eg_display *d = display;
	struct eg_view_picture picture = {.captured_ns = view->captured_ns};
	uint32_t keep[EG_TRACKS_MAX];
	size_t i, kept = 0;

	if (d->state != EG_VIEW_LIVE || view->captured_ns < d->from_ns ||
	    (d->last_ns != 0 && view->captured_ns - d->last_ns < EVERY_NS))
		return;
	for (i = 0; i < view->count; i++) {
		const struct eg_view_track *t = &view->track[i];
		const bool is_served = t->in_zone && among(t->id, served, served_count);

		if (!t->in_view)
			continue;
		if (is_served)
			keep[kept++] = t->id;
		picture.face[picture.face_count++] = (struct eg_view_face){
			.track = t->id,
			.x = t->box.x / (float)view->width,
			.y = t->box.y / (float)view->height,
			.width = t->box.width / (float)view->width,
			.height = t->box.height / (float)view->height,
			.served = is_served,
			.in_zone = t->in_zone,
		};
	}
	// A picture that could not be made, such as of no memory, is one that is not shown.
	if (eg_vision_preview(vision, keep, kept, width_of(view), &d->image) != 0 ||
	    d->image.height > EG_VIEW_HEIGHT_MAX)
		return;
	d->last_ns = view->captured_ns;
	eg_view_put(d->ring, &picture, &d->image);
}
