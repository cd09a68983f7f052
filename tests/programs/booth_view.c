// SPDX-License-Identifier: Apache-2.0
//
// See booth_view.h. What is zero is read from the shared memory itself, not through the reader.

#include "tests/programs/booth_view.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <systemd/sd-varlink.h>
#include <unistd.h>

#include "firmware/base/clock.h"
#include "firmware/view/view.h"

static double sharpness(const struct eg_image *image, const struct eg_view_face *f)
{
	const int x0 = (int)(f->x * (float)image->width), y0 = (int)(f->y * (float)image->height);
	const int x1 = x0 + (int)(f->width * (float)image->width) - 1;
	const int y1 = y0 + (int)(f->height * (float)image->height);
	double sum = 0, n = 0;

	for (int y = y0; y < y1; y++) {
		for (int x = x0; x < x1; x++, n++) {
			const uint8_t *p = image->data + (ptrdiff_t)y * image->stride + 3 * x;

			sum += abs(p[0] - p[3]);
		}
	}
	return n > 0 ? sum / n : 0;
}

static void print_picture(const struct eg_view_picture *p, const struct eg_image *image)
{
	(void)printf("live %" PRIu64 " %dx%d", p->sequence, p->width, p->height);
	for (size_t i = 0; i < p->face_count; i++)
		(void)printf(" %" PRIu32 ":%s:%.1f", p->face[i].track,
			     p->face[i].served ? "served" : "other", sharpness(image, &p->face[i]));
	(void)printf("\n");
}

static void print_dark(const struct eg_view_reader *reader, const struct eg_view_ring *ring)
{
	size_t bytes = 0;

	for (size_t s = 0; s < EG_VIEW_SLOTS; s++)
		for (size_t i = 0; i < sizeof(ring->slot[s].pixels); i++)
			bytes += ring->slot[s].pixels[i] != 0;
	(void)printf("%s %zu\n", eg_view_state_name(eg_view_reader_state(reader)), bytes);
}

static void look(const struct eg_view_reader *reader, const struct eg_view_ring *ring,
		 double seconds)
{
	const int64_t end = eg_boot_ms(eg_clock_system()) + (int64_t)(seconds * 1000);
	struct eg_view_picture picture = {0};
	struct eg_image image = {0};

	while (eg_boot_ms(eg_clock_system()) < end) {
		int r = eg_view_read(reader, picture.sequence, &picture, &image);

		if (r == 0)
			print_picture(&picture, &image);
		else if (r != EG_EAGAIN)
			(void)printf("rubbish\n");
		else if (eg_view_reader_state(reader) != EG_VIEW_LIVE)
			print_dark(reader, ring);
		(void)fflush(stdout);
		(void)usleep(100000);
	}
	eg_image_done(&image);
}

static int open_view(sd_varlink *link, struct eg_err *err)
{
	const char *error = NULL;
	int r, fd;

	r = sd_varlink_set_allow_fd_passing_input(link, true);
	if (r >= 0)
		r = sd_varlink_call(link, "io.egress.Console.OpenView", NULL, NULL, &error);
	if (r >= 0 && error != NULL)
		return eg_err_set(err, EG_EAUTH, "%s", error);
	if (r < 0)
		return eg_err_errno(err, -r, "OpenView");
	fd = sd_varlink_take_fd(link, 0);
	return fd < 0 ? eg_err_errno(err, -fd, "no descriptor") : fd;
}

int booth_view(const char *socket, double seconds, struct eg_err *err)
{
	struct eg_view_reader *reader = NULL;
	const struct eg_view_ring *ring;
	sd_varlink *link = NULL;
	int r, fd;

	r = sd_varlink_connect_address(&link, socket);
	if (r < 0)
		return eg_err_errno(err, -r, "%s", socket);
	fd = open_view(link, err);
	if (fd < 0) {
		sd_varlink_unref(link);
		return fd;
	}
	// Nobody may write to it, whatever the descriptor says.
	if (mmap(NULL, sizeof(*ring), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) != MAP_FAILED ||
	    ftruncate(fd, 0) == 0 || write(fd, "x", 1) == 1) {
		(void)fprintf(stderr, "the live view can be written to\n");
		abort();
	}
	ring = mmap(NULL, sizeof(*ring), PROT_READ, MAP_SHARED, fd, 0);
	r = ring == MAP_FAILED ? EG_EIO : eg_view_reader_new(fd, &reader, err);
	if (r == 0)
		look(reader, ring, seconds);
	eg_view_reader_free(reader);
	sd_varlink_flush_close_unref(link);
	return r;
}
