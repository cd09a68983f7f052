// SPDX-License-Identifier: Apache-2.0
//
// Camera frames for bench_booth: people rise into their place in the picture, stand and sway, sink
// away, and the next one takes the place; two places are never at the same point of that.
//
// usage: bench_scene PACK OUT PLACES TURNS PHOTO...     OUT/00000.jpg … of 1280×720
//
// Photos are portraits on a plain ground (London's), taken in order; each place shows TURNS people.
// A place's sides fade into a flat grey, so that no photo has an edge that liveness could see. With
// no place the frames show the empty ground.

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "capture/capture.h"
#include "capture/sample.h"
#include "drivers/codec.h"
#include "firmware/base/file.h"
#include "firmware/base/log.h"
#include "ground.h"

#define WIDTH	   1280
#define HEIGHT	   720
#define TURN	   120	 // frames from one person to the next
#define MOVE	   15	 // of these, rising and sinking each
#define GAP	   10	 // and with nobody there
#define EYES_ONE   90.0f // px between the eyes, one place
#define EYES_MANY  60.0f
#define PLACES_MAX 4

struct maker {
	struct eg_capture *capture;
	struct eg_image photo[PLACES_MAX], frame, place, scratch;
	struct eg_face face[PLACES_MAX];
	struct eg_buf jpeg;
	uint32_t noise;
	char **photos;
	int places, turns;
};

static int load(struct maker *m, int place, int turn, struct eg_err *err)
{
	const char *path = m->photos[turn * m->places + place];
	size_t count = 0;
	int r = eg_codec_load(path, EG_CODEC_LIMITS_DESK, &m->photo[place], err);

	if (r == 0)
		r = eg_capture_still(m->capture, &m->photo[place], &m->face[place], 1, &count, err);
	if (r == 0 && count != 1)
		r = eg_err_set(err, EG_ENOENT, "%s: no face", path);
	return r;
}

// How far below its place the person is, in parts of the frame's height; 1: not there.
static float below(int at)
{
	const int stands = TURN - 2 * MOVE - GAP;
	float t = 1;

	if (at < MOVE)
		t = 1 - (float)at / MOVE;
	else if (at < MOVE + stands)
		t = 0;
	else if (at < 2 * MOVE + stands)
		t = (float)(at - MOVE - stands) / MOVE;
	return t * t * (3 - 2 * t);
}

static int draw_person(struct maker *m, int place, int at, struct eg_err *err)
{
	const struct eg_face *face = &m->face[place];
	const int width = WIDTH / m->places;
	const float want = m->places == 1 ? EYES_ONE : EYES_MANY;
	float t = (float)at / TURN, scale, down = below(at);
	struct eg_affine map;
	struct eg_box box;
	int r;

	if (down >= 1)
		return 0;
	scale = face->quality.inter_eye_px / want * (1.08f - 0.08f * t); // a step nearer
	box.width = (float)width * scale;
	box.height = HEIGHT * scale;
	box.x = face->box.x + face->box.width / 2 - box.width * (0.5f + 0.02f * sinf(t * 9));
	box.y = face->box.y + face->box.height / 2 -
		box.height * (0.42f + down + 0.01f * cosf(t * 13));
	map = eg_sample_box(box, width, HEIGHT);
	r = eg_image_resize(&m->place, width, HEIGHT, 3);
	if (r == 0)
		r = eg_sample(&m->photo[place], &map, EG_BORDER_EDGE, &m->scratch, &m->place);
	if (r != 0)
		return eg_err_set(err, r, "a person could not be drawn");
	ground_blend(&m->frame, &m->place, place * width, width);
	return 0;
}

// Sensor noise: no two frames of a camera are the same.
static void add_noise(struct maker *m)
{
	size_t n = (size_t)m->frame.height * (size_t)m->frame.stride;

	for (size_t i = 0; i < n; i++) {
		m->noise = m->noise * 1664525u + 1013904223u;
		m->frame.data[i] = (uint8_t)(m->frame.data[i] + (int)(m->noise >> 24) % 3 - 1);
	}
}

static int draw(struct maker *m, int f, struct eg_err *err)
{
	int r = eg_image_resize(&m->frame, WIDTH, HEIGHT, 3);

	if (r != 0)
		return eg_err_set(err, r, "out of memory");
	memset(m->frame.data, GROUND, (size_t)HEIGHT * (size_t)m->frame.stride);
	for (int p = 0; r == 0 && p < m->places; p++) {
		const int moment = f + p * TURN / m->places;

		// at the last place's wrap the first person comes again: the frames are a loop
		if (f == 0 || moment % TURN == 0)
			r = load(m, p, moment / TURN % m->turns, err);
		if (r == 0)
			r = draw_person(m, p, moment % TURN, err);
	}
	add_noise(m);
	return r;
}

static int run(struct maker *m, const char *out, struct eg_err *err)
{
	const int frames = TURN * m->turns;
	char path[1024];
	int r = 0;

	for (int f = 0; r == 0 && f < frames; f++) {
		r = draw(m, f, err);
		eg_buf_reset(&m->jpeg);
		if (r == 0)
			r = eg_codec_encode_jpeg(&m->frame, 90, &m->jpeg, err);
		(void)snprintf(path, sizeof(path), "%s/%05d.jpg", out, f);
		if (r == 0)
			r = eg_file_write(path, eg_buf_bytes(&m->jpeg), 0644, err);
	}
	return r;
}

int main(int argc, char **argv)
{
	struct eg_capture_config config = eg_capture_defaults;
	static struct maker m = {.noise = 1};
	struct eg_err err = EG_ERR_INIT;
	struct eg_pack *pack = NULL;
	int r;

	eg_log_init("bench_scene", EG_LOG_WARNING);
	m.places = argc > 4 ? (int)strtol(argv[3], NULL, 10) : -1;
	m.turns = argc > 4 ? (int)strtol(argv[4], NULL, 10) : 0;
	if (m.places < 0 || m.places > PLACES_MAX || m.turns < 1 || argc < 5 + m.places * m.turns) {
		(void)fputs("usage: bench_scene PACK OUT PLACES TURNS PHOTO...\n", stderr);
		return 2;
	}
	m.photos = argv + 5;
	config.liveness = false;
	eg_buf_init(&m.jpeg, 8 << 20);
	r = eg_crypto_init(&err);
	if (r == 0)
		r = eg_dir_make(argv[2], 0755, &err);
	if (r == 0)
		r = eg_pack_open(argv[1], 1u << EG_MODEL_DETECT | 1u << EG_MODEL_LANDMARK, 1, &pack,
				 &err);
	if (r == 0)
		r = eg_capture_new(&config, pack, &m.capture, &err);
	if (r == 0)
		r = run(&m, argv[2], &err);
	if (r != 0)
		(void)fprintf(stderr, "bench_scene: %s\n", err.text);
	for (int p = 0; p < PLACES_MAX; p++)
		eg_image_done(&m.photo[p]);
	eg_image_done(&m.frame);
	eg_image_done(&m.place);
	eg_image_done(&m.scratch);
	eg_buf_done(&m.jpeg);
	eg_capture_free(m.capture);
	eg_pack_free(pack);
	return r == 0 ? 0 : 1;
}
