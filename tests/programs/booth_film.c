// SPDX-License-Identifier: Apache-2.0
//
// Draws what test_booth_situations shows to boothd: one film of 1280×720, shot after shot.
//
// usage: booth_film PACK OUT SHOT...            OUT/00000.jpg …; the number of frames on stdout
//
// A shot is KIND:FRAMES[:PHOTO...]; photos are portraits on a plain ground (London's).
//   empty                      the ground, nobody
//   person, flicker, mask, shades   one person who stands and sways: as is, under a light that
//   beats
//                              with the camera, with a surgical mask, with sunglasses
//   two                        two people side by side
//   paper, screen, phone       a drawn presentation of the portrait (match/eval/scene.h)
//   picture                    the picture itself, as large as fits
// Faces are written: OUT belongs where git does not look.

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
#include "match/eval/scene.h"

#define WIDTH	   1280
#define HEIGHT	   720
#define PHOTOS_MAX 2
#define EYES_PX	   80.0f
#define CLOTH	   205 // a surgical mask's grey
#define GLASS	   18

enum shot_kind {
	SHOT_EMPTY,
	SHOT_PERSON,
	SHOT_FLICKER,
	SHOT_MASK,
	SHOT_SHADES,
	SHOT_TWO,
	SHOT_PAPER,
	SHOT_SCREEN,
	SHOT_PHONE,
	SHOT_PICTURE,
	SHOT_COUNT,
};

static const struct {
	const char *name;
	int photos;
} kinds[SHOT_COUNT] = {
	[SHOT_EMPTY] = {"empty", 0},	 [SHOT_PERSON] = {"person", 1},
	[SHOT_FLICKER] = {"flicker", 1}, [SHOT_MASK] = {"mask", 1},
	[SHOT_SHADES] = {"shades", 1},	 [SHOT_TWO] = {"two", 2},
	[SHOT_PAPER] = {"paper", 1},	 [SHOT_SCREEN] = {"screen", 1},
	[SHOT_PHONE] = {"phone", 1},	 [SHOT_PICTURE] = {"picture", 1},
};

struct shot {
	enum shot_kind kind;
	int frames, photos;
	char *path[PHOTOS_MAX];
};

struct maker {
	struct eg_capture *capture;
	struct eg_image photo[PHOTOS_MAX], frame, place, scratch, portrait, shown;
	struct eg_face face[PHOTOS_MAX];
	struct scene *scene;
	struct eg_buf jpeg;
	const char *out;
	uint32_t noise;
	int next;
};

static int parse_shot(char *text, struct shot *ret_shot, struct eg_err *err)
{
	struct shot s = {.kind = SHOT_COUNT};
	char *rest = text, *word;

	word = strsep(&rest, ":");
	for (int k = 0; k < SHOT_COUNT; k++)
		if (strcmp(word, kinds[k].name) == 0)
			s.kind = (enum shot_kind)k;
	word = strsep(&rest, ":");
	s.frames = word != NULL ? (int)strtol(word, NULL, 10) : 0;
	while (s.photos < PHOTOS_MAX && (word = strsep(&rest, ":")) != NULL)
		s.path[s.photos++] = word;
	if (s.kind == SHOT_COUNT || s.frames < 1 || s.photos != kinds[s.kind].photos)
		return eg_err_set(err, EG_EINVAL, "%s: not KIND:FRAMES[:PHOTO...]", text);
	*ret_shot = s;
	return 0;
}

// ---- what a person wears --------------------------------------------------------------------

static void set_grey(struct eg_image *image, int x, int y, int value)
{
	if (x >= 0 && y >= 0 && x < image->width && y < image->height)
		memset(image->data + (ptrdiff_t)y * image->stride + 3 * x, value, 3);
}

// Even-odd rule, point by point: small pictures, once a shot.
static bool inside(const struct eg_point *p, size_t n, float x, float y)
{
	bool in = false;

	for (size_t i = 0, k = n - 1; i < n; k = i++)
		if ((p[i].y > y) != (p[k].y > y) &&
		    x < (p[k].x - p[i].x) * (y - p[i].y) / (p[k].y - p[i].y) + p[i].x)
			in = !in;
	return in;
}

// From ear to ear over the bridge of the nose, down to the chin; with folds.
static void put_mask(struct eg_image *photo, const struct eg_face *face)
{
	struct eg_point edge[16];
	size_t n = 0;

	for (int i = 2; i <= 14; i++)
		edge[n++] = face->landmark[i]; // the jaw
	edge[n++] = face->landmark[28];	       // the bridge of the nose
	for (int y = 0; y < photo->height; y++)
		for (int x = 0; x < photo->width; x++)
			if (inside(edge, n, (float)x, (float)y))
				set_grey(photo, x, y, CLOTH - (y % 24 < 3 ? 25 : 0));
}

static void put_shades(struct eg_image *photo, const struct eg_face *face)
{
	float between = face->quality.inter_eye_px, at_y = 0;

	for (int eye = 0; eye < 2; eye++) {
		float cx = 0, cy = 0;

		for (int i = 0; i < 6; i++) {
			cx += face->landmark[36 + 6 * eye + i].x / 6;
			cy += face->landmark[36 + 6 * eye + i].y / 6;
		}
		at_y += cy / 2;
		for (int y = 0; y < photo->height; y++)
			for (int x = 0; x < photo->width; x++)
				if (powf(((float)x - cx) / (0.46f * between), 4) +
					    powf(((float)y - cy - 0.06f * between) /
							 (0.34f * between),
						 4) <
				    1)
					set_grey(photo, x, y,
						 GLASS + (x - (int)cx + y - (int)cy) / 16);
	}
	for (int x = (int)face->landmark[0].x; x < (int)face->landmark[16].x; x++)
		for (int y = 0; y < (int)(0.07f * between); y++)
			set_grey(photo, x, (int)(at_y - 0.12f * between) + y, GLASS);
}

// ---- drawing --------------------------------------------------------------------------------

static int load(struct maker *m, const struct shot *shot, struct eg_err *err)
{
	size_t count = 0;
	int r = 0;

	for (int i = 0; r == 0 && i < shot->photos; i++) {
		r = eg_codec_load(shot->path[i], EG_CODEC_LIMITS_DESK, &m->photo[i], err);
		if (r != 0 || shot->kind == SHOT_PICTURE)
			continue;
		r = eg_capture_still(m->capture, &m->photo[i], &m->face[i], 1, &count, err);
		if (r == 0 && count != 1)
			r = eg_err_set(err, EG_ENOENT, "%s: no face", shot->path[i]);
	}
	if (r == 0 && shot->kind == SHOT_MASK)
		put_mask(&m->photo[0], &m->face[0]);
	if (r == 0 && shot->kind == SHOT_SHADES)
		put_shades(&m->photo[0], &m->face[0]);
	if (r == 0 && shot->kind >= SHOT_PAPER && shot->kind <= SHOT_PHONE)
		r = scene_new((enum scene_kind)(shot->kind - SHOT_PAPER), 7, &m->scene, err);
	return r;
}

static int draw_person(struct maker *m, int who, int people, float t)
{
	const struct eg_face *face = &m->face[who];
	const int width = WIDTH / people;
	float scale = face->quality.inter_eye_px / EYES_PX * (1.08f - 0.08f * t);
	struct eg_box box = {.width = (float)width * scale, .height = HEIGHT * scale};
	struct eg_affine map;
	int r;

	box.x = face->box.x + face->box.width / 2 - box.width * (0.5f + 0.02f * sinf(t * 9));
	box.y = face->box.y + face->box.height / 2 - box.height * (0.42f + 0.01f * cosf(t * 13));
	map = eg_sample_box(box, width, HEIGHT);
	r = eg_image_resize(&m->place, width, HEIGHT, 3);
	if (r == 0)
		r = eg_sample(&m->photo[who], &map, EG_BORDER_EDGE, &m->scratch, &m->place);
	if (r == 0)
		ground_blend(&m->frame, &m->place, who * width, width);
	return r;
}

// As large as fits, in the middle.
static int draw_picture(struct maker *m, const struct eg_image *picture)
{
	int width = picture->width * HEIGHT / picture->height;
	struct eg_box whole = {0, 0, (float)picture->width, (float)picture->height};
	struct eg_affine map;
	int r;

	width = width < WIDTH ? width : WIDTH;
	map = eg_sample_box(whole, width, HEIGHT);
	r = eg_image_resize(&m->place, width, HEIGHT, 3);
	if (r == 0)
		r = eg_sample(picture, &map, EG_BORDER_EDGE, &m->scratch, &m->place);
	if (r == 0)
		ground_blend(&m->frame, &m->place, (WIDTH - width) / 2, width);
	return r;
}

// scene_frame wants a portrait with the face at its place and size.
static int draw_presentation(struct maker *m)
{
	const struct eg_face *face = &m->face[0];
	const int side = 800;
	struct eg_box box = {.width = face->box.width / 0.38f, .height = face->box.width / 0.38f};
	struct eg_affine map;
	int r;

	box.x = face->box.x + face->box.width / 2 - box.width * 0.5f;
	box.y = face->box.y + face->box.height / 2 - box.height * 0.48f;
	map = eg_sample_box(box, side, side);
	r = eg_image_resize(&m->portrait, side, side, 3);
	if (r == 0)
		r = eg_sample(&m->photo[0], &map, EG_BORDER_EDGE, &m->scratch, &m->portrait);
	if (r == 0)
		r = scene_frame(m->scene, &m->portrait, &m->shown);
	return r == 0 ? draw_picture(m, &m->shown) : r;
}

// Sensor noise, no two frames of a camera are the same; and the light's brightness.
static void expose(struct maker *m, float light)
{
	size_t n = (size_t)m->frame.height * (size_t)m->frame.stride;
	int gain = (int)(256 * light);

	for (size_t i = 0; i < n; i++) {
		int value;

		m->noise = m->noise * 1664525u + 1013904223u;
		value = (m->frame.data[i] * gain >> 8) + (int)(m->noise >> 24) % 3 - 1;
		m->frame.data[i] = (uint8_t)(value < 0 ? 0 : value > 255 ? 255 : value);
	}
}

static int draw(struct maker *m, const struct shot *shot, int f, struct eg_err *err)
{
	float t = (float)f / (float)shot->frames, light = 1;
	int r = eg_image_resize(&m->frame, WIDTH, HEIGHT, 3);

	if (r == 0)
		memset(m->frame.data, GROUND, (size_t)HEIGHT * (size_t)m->frame.stride);
	if (r == 0 && shot->kind >= SHOT_PAPER && shot->kind <= SHOT_PHONE)
		r = draw_presentation(m);
	else if (r == 0 && shot->kind == SHOT_PICTURE)
		r = draw_picture(m, &m->photo[0]);
	else
		for (int i = 0; r == 0 && i < shot->photos; i++)
			r = draw_person(m, i, shot->photos, t);
	// Two frames in three are darker, by up to a half, as the beat goes.
	if (shot->kind == SHOT_FLICKER)
		light = f % 3 == 0 ? 1 : 0.75f - 0.25f * sinf((float)f * 0.7f);
	if (r != 0)
		return eg_err_set(err, r, "a frame could not be drawn");
	expose(m, light);
	return 0;
}

static int film_shot(struct maker *m, const struct shot *shot, struct eg_err *err)
{
	char path[1024];
	int r = load(m, shot, err);

	for (int f = 0; r == 0 && f < shot->frames; f++) {
		r = draw(m, shot, f, err);
		eg_buf_reset(&m->jpeg);
		if (r == 0)
			r = eg_codec_encode_jpeg(&m->frame, 92, &m->jpeg, err);
		(void)snprintf(path, sizeof(path), "%s/%05d.jpg", m->out, m->next);
		if (r == 0)
			r = eg_file_write(path, eg_buf_bytes(&m->jpeg), 0644, err);
		m->next++;
	}
	scene_free(m->scene);
	m->scene = NULL;
	return r;
}

int main(int argc, char **argv)
{
	struct eg_capture_config config = eg_capture_defaults;
	static struct maker m = {.noise = 1};
	struct eg_err err = EG_ERR_INIT;
	struct eg_pack *pack = NULL;
	struct shot shot = {0};
	int r;

	if (argc < 4) {
		(void)fputs("usage: booth_film PACK OUT SHOT...\n", stderr);
		return 2;
	}
	eg_log_init("booth_film", EG_LOG_WARNING);
	m.out = argv[2];
	config.liveness = false;
	eg_buf_init(&m.jpeg, 8 << 20);
	r = eg_crypto_init(&err);
	if (r == 0)
		r = eg_dir_make(m.out, 0755, &err);
	if (r == 0)
		r = eg_pack_open(argv[1], 1u << EG_MODEL_DETECT | 1u << EG_MODEL_LANDMARK, 1, &pack,
				 &err);
	if (r == 0)
		r = eg_capture_new(&config, pack, &m.capture, &err);
	for (int i = 3; r == 0 && i < argc; i++) {
		r = parse_shot(argv[i], &shot, &err);
		if (r == 0)
			r = film_shot(&m, &shot, &err);
	}
	if (r != 0)
		(void)fprintf(stderr, "booth_film: %s\n", err.text);
	else
		(void)printf("%d\n", m.next);
	for (int i = 0; i < PHOTOS_MAX; i++)
		eg_image_done(&m.photo[i]);
	eg_image_done(&m.frame);
	eg_image_done(&m.place);
	eg_image_done(&m.scratch);
	eg_image_done(&m.portrait);
	eg_image_done(&m.shown);
	eg_buf_done(&m.jpeg);
	eg_capture_free(m.capture);
	eg_pack_free(pack);
	return r == 0 ? 0 : 1;
}
