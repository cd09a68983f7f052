// SPDX-License-Identifier: Apache-2.0
//
// eg-degrade: from portraits to what a poor camera might have seen of somebody who walks up: small,
// turned, moved while the shutter was open, out of focus, badly lit, noisy, compressed. Desk only;
// for identify --frames. Simulated: no measure of a real camera.

#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "capture/sample.h"
#include "drivers/codec.h"
#include "firmware/base/crypto.h"
#include "firmware/base/file.h"
#include "firmware/base/log.h"
#include "firmware/base/mem.h"
#include "match/eval/list.h"

#define EXPOSURES 16 // moments that a frame is the mean of
#define TAU	  6.283185307

static const char usage_text[] =
	"usage: eg-degrade PORTRAITS.tsv --out DIR [--frames 5]\n"
	"\n"
	"Draws, from each portrait of the list (image<TAB>identity), frames of a poor camera into\n"
	"DIR/IDENTITY_N.jpg, for eg-eval identify --frames. The line's place in the list decides "
	"the\n"
	"lot, so that the same list gives the same pictures. SIMULATED; faces are written: DIR\n"
	"belongs where git does not look.\n";

struct degrade {
	const char *out;
	int frames;
	uint64_t lot;
	struct eval_list list;
	struct eg_image portrait, moment, frame, scratch;
	float *sum; // of moments, as many as the frame has bytes
	struct eg_buf jpeg;
};

static double between(struct degrade *d, double low, double high)
{
	uint64_t z = d->lot += 0x9e3779b97f4a7c15u; // splitmix64

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return low + (high - low) * (double)((z ^ (z >> 31)) >> 11) / 9007199254740992.0;
}

// The map from a frame of `side` pixels to the portrait: its middle square, turned, squeezed as by
// a turned head, sheared and shifted.
static struct eg_affine place(struct degrade *d, int side)
{
	const double from = fmin(d->portrait.width, d->portrait.height);
	const double scale = from / side, turn = between(d, -10, 10) * TAU / 360;
	const double squeeze = between(d, 1, 1.1), shear = between(d, -0.06, 0.06);
	const double c = cos(turn) * scale, s = sin(turn) * scale;
	const double x = d->portrait.width / 2.0 + between(d, -0.05, 0.05) * from;
	const double y = d->portrait.height / 2.0 + between(d, -0.05, 0.05) * from;
	struct eg_affine map = {{c * squeeze, -s + shear * scale, 0, s * squeeze, c, 0}};

	map.m[2] = x - (map.m[0] + map.m[1]) * side / 2;
	map.m[5] = y - (map.m[3] + map.m[4]) * side / 2;
	return map;
}

// The mean over the moments: along a path for motion, over a disc for focus, in pixels.
static int expose(struct degrade *d, const struct eg_affine *map)
{
	const double path = pow(between(d, 0, 1), 2) * 9, way = between(d, 0, TAU);
	const double disc = pow(between(d, 0, 1), 2) * 2.2;
	const size_t size = (size_t)d->frame.height * (size_t)d->frame.width * 3;

	memset(d->sum, 0, size * sizeof(*d->sum));
	for (int i = 0; i < EXPOSURES; i++) {
		double at = path * ((i + 0.5) / EXPOSURES - 0.5), angle = i * 2.399963;
		double r = disc * sqrt((i + 0.5) / EXPOSURES);
		double dx = at * cos(way) + r * cos(angle), dy = at * sin(way) + r * sin(angle);
		struct eg_affine moved = *map;
		int failed;

		moved.m[2] += map->m[0] * dx + map->m[1] * dy;
		moved.m[5] += map->m[3] * dx + map->m[4] * dy;
		failed = eg_sample(&d->portrait, &moved, EG_BORDER_EDGE, &d->scratch, &d->moment);
		if (failed != 0)
			return failed;
		for (int y = 0; y < d->moment.height; y++)
			for (int x = 0; x < d->moment.width * 3; x++)
				d->sum[(size_t)y * (size_t)d->moment.width * 3 + (size_t)x] +=
					(float)d->moment.data[(ptrdiff_t)y * d->moment.stride + x] /
					EXPOSURES;
	}
	return 0;
}

// Light from one side, exposure, gamma; then the sensor's noise.
static void develop(struct degrade *d)
{
	const double exposure = between(d, 0.45, 1.15), gamma = between(d, 0.8, 1.3);
	const double side = between(d, -0.5, 0.5), noise = 2 + pow(between(d, 0, 1), 2) * 14;

	for (int y = 0; y < d->frame.height; y++)
		for (int x = 0; x < d->frame.width * 3; x++) {
			double across = (double)x / (d->frame.width * 3) - 0.5;
			double v =
				(double)d->sum[(size_t)y * (size_t)d->frame.width * 3 + (size_t)x];
			double grain = between(d, -1, 1) + between(d, -1, 1) + between(d, -1, 1);

			v = 255 * pow(v / 255, gamma) * exposure * (1 + 2 * side * across) +
			    noise * grain;
			d->frame.data[(ptrdiff_t)y * d->frame.stride + x] =
				(uint8_t)fmin(255, fmax(0, v));
		}
}

static int draw_frame(struct degrade *d, const char *identity, int number, struct eg_err *err)
{
	const int side = (int)between(d, 220, 340); // eyes 40 to 60 pixels apart
	struct eg_affine map = place(d, side);
	char *path = NULL;
	float *sum;
	int r;

	sum = eg_realloc(d->sum, (size_t)side * (size_t)side * 3, sizeof(*sum));
	if (sum)
		d->sum = sum;
	if (!sum || eg_image_resize(&d->frame, side, side, 3) != 0 ||
	    eg_image_resize(&d->moment, side, side, 3) != 0 || expose(d, &map) != 0)
		return eg_err_set(err, EG_ENOMEM, "out of memory");
	develop(d);
	eg_buf_reset(&d->jpeg);
	r = eg_codec_encode_jpeg(&d->frame, (int)between(d, 55, 85), &d->jpeg, err);
	if (r != 0)
		return r;
	if (asprintf(&path, "%s/%s_%d.jpg", d->out, identity, number) < 0)
		return eg_err_set(err, EG_ENOMEM, "out of memory");
	r = eg_file_write(path, eg_buf_bytes(&d->jpeg), 0644, err);
	free(path);
	return r;
}

static int draw_one(struct degrade *d, size_t line, struct eg_err *err)
{
	const char *image = d->list.lines[line].field[0], *identity = d->list.lines[line].field[1];
	char *path = NULL;
	int r;

	if (strchr(identity, '/'))
		return eg_err_set(err, EG_EINVAL, "%s: line %zu: \"%s\" cannot be a file's name",
				  d->list.path, d->list.lines[line].number, identity);
	if (asprintf(&path, "%s%s%s", *image == '/' ? "" : d->list.folder, *image == '/' ? "" : "/",
		     image) < 0)
		return eg_err_set(err, EG_ENOMEM, "out of memory");
	r = eg_codec_load_desk(path, &d->portrait, err);
	free(path);
	d->lot = 1000 * (line + 1);
	for (int i = 0; r == 0 && i < d->frames; i++)
		r = draw_frame(d, identity, i + 1, err);
	return r;
}

static int draw_all(struct degrade *d, const char *list, struct eg_err *err)
{
	int r = eg_crypto_init(err);

	if (r == 0)
		r = eval_list_load(list, 2, 2, &d->list, err);
	if (r == 0)
		r = eg_dir_make(d->out, 0755, err);
	for (size_t i = 0; r == 0 && i < d->list.count; i++)
		r = draw_one(d, i, err);
	return r;
}

int main(int argc, char **argv)
{
	static const struct option table[] = {{"out", required_argument, NULL, 'o'},
					      {"frames", required_argument, NULL, 'f'},
					      {"help", no_argument, NULL, 'h'},
					      {0}};
	struct degrade d = {.frames = 5};
	struct eg_err err = EG_ERR_INIT;
	char *end = NULL;
	int c, r;

	while ((c = getopt_long(argc, argv, "h", table, NULL)) != -1) {
		if (c == 'o') {
			d.out = optarg;
		} else if (c == 'f') {
			d.frames = (int)strtol(optarg, &end, 10);
		} else if (c == 'h') {
			fputs(usage_text, stdout);
			return 0;
		} else {
			d.frames = 0;
		}
	}
	if (!d.out || argc - optind != 1 || (end && *end) || d.frames < 1 || d.frames > 99) {
		fputs("eg-degrade: a list, --out DIR and 1 to 99 --frames are wanted; see "
		      "eg-degrade --help\n",
		      stderr);
		return 2;
	}
	eg_log_init("eg-degrade", EG_LOG_INFO);
	eg_buf_init(&d.jpeg, 8u << 20);
	r = draw_all(&d, argv[optind], &err);
	if (r != 0)
		fprintf(stderr, "eg-degrade: %s\n", err.text);
	eg_image_done(&d.portrait);
	eg_image_done(&d.moment);
	eg_image_done(&d.frame);
	eg_image_done(&d.scratch);
	eg_buf_done(&d.jpeg);
	eval_list_done(&d.list);
	free(d.sum);
	return r != 0;
}
