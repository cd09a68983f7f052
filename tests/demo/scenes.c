// SPDX-License-Identifier: Apache-2.0
//
// Makes the demo's material out of the demo's photos: passport photos and travellers.csv for the
// manifest, and numbered camera frames in which people walk up to the camera, one scene after the
// other with an empty corridor between. Who is who stands in cast.tsv, who does what in scenes.tsv.
//
// usage: eg-scenes PACK FACES CAST SCENES OUT
//
// A walk-up is a slow zoom into the photo round the face, with a little sway and sensor noise; all
// other faces of the photo are covered, so that each scene shows whom it says.

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "capture/capture.h"
#include "capture/sample.h"
#include "drivers/codec.h"
#include "firmware/base/file.h"
#include "firmware/base/log.h"
#include "firmware/base/mem.h"
#include "tests/demo/table.h"

#define WIDTH	     1280
#define HEIGHT	     720
#define SCENE_FRAMES 24
#define GAP_FRAMES   20
#define PHOTO_WIDTH  480
#define PHOTO_HEIGHT 600
#define FACES_MAX    16
#define POOR_WIDTH   854
#define POOR_HEIGHT  480
#define SAMPLES	     6

struct sample {
	struct eg_image image;
	struct eg_face faces[FACES_MAX];
	size_t count;
};

struct maker {
	struct eg_capture *capture;
	struct sample sample[SAMPLES];
	struct eg_image scratch, covered, frame, poor;
	struct eg_buf jpeg;
	const char *out;
	unsigned int next_frame;
	uint32_t noise;
};

static int load_samples(struct maker *m, const char *folder, struct eg_err *err)
{
	char path[1024];
	int i, r = 0;

	for (i = 0; r == 0 && i < SAMPLES; i++) {
		struct sample *s = &m->sample[i];

		(void)snprintf(path, sizeof(path), "%s/sample%d.jpg", folder, i + 1);
		r = eg_codec_load(path, EG_CODEC_LIMITS_DESK, &s->image, err);
		if (r == 0)
			r = eg_capture_still(m->capture, &s->image, s->faces, FACES_MAX, &s->count,
					     err);
	}
	return r;
}

static float centre_x(const struct eg_face *face)
{
	return face->box.x + face->box.width / 2;
}

static float centre_y(const struct eg_face *face)
{
	return face->box.y + face->box.height / 2;
}

// The face nearest to a place in the picture (parts of its width and height); it must be near.
static const struct eg_face *find_face(const struct sample *s, const struct eg_place *place)
{
	const struct eg_face *best = NULL;
	float best_distance = 0.06f;
	size_t i;

	for (i = 0; i < s->count; i++) {
		float dx = centre_x(&s->faces[i]) / (float)s->image.width - place->x;
		float dy = centre_y(&s->faces[i]) / (float)s->image.height - place->y;
		float distance = hypotf(dx, dy);

		if (distance < best_distance) {
			best = &s->faces[i];
			best_distance = distance;
		}
	}
	return best;
}

static int write_jpeg(struct maker *m, const char *path, const struct eg_image *image, int quality,
		      struct eg_err *err)
{
	int r;

	eg_buf_reset(&m->jpeg);
	r = eg_codec_encode_jpeg(image, quality, &m->jpeg, err);
	return r != 0 ? r : eg_file_write(path, eg_buf_bytes(&m->jpeg), 0644, err);
}

// Head and shoulders, 4:5, as on a passport.
static int write_photo(struct maker *m, const struct eg_cast *cast, struct eg_err *err)
{
	const struct sample *s = &m->sample[cast->place.sample - 1];
	const struct eg_face *face = find_face(s, &cast->place);
	struct eg_affine map;
	struct eg_box box;
	char path[1024];
	int r;

	if (face == NULL)
		return eg_err_set(err, EG_ENOENT, "cast.tsv: %s: no face there in sample%d.jpg",
				  cast->id, cast->place.sample);
	box.height = face->box.height * 2.0f;
	box.width = box.height * PHOTO_WIDTH / PHOTO_HEIGHT;
	box.x = centre_x(face) - box.width / 2;
	box.y = centre_y(face) - box.height * 0.48f;
	map = eg_sample_box(box, PHOTO_WIDTH, PHOTO_HEIGHT);
	r = eg_image_resize(&m->frame, PHOTO_WIDTH, PHOTO_HEIGHT, 3);
	if (r == 0)
		r = eg_sample(&s->image, &map, EG_BORDER_EDGE, &m->scratch, &m->frame);
	if (r != 0)
		return eg_err_set(err, r, "%s: the photo could not be cut out", cast->id);
	(void)snprintf(path, sizeof(path), "%s/photos/%s_passport_2021.jpg", m->out, cast->id);
	return write_jpeg(m, path, &m->frame, 92, err);
}

// Sensor noise: no two frames of a camera are the same.
static void add_noise(struct maker *m, struct eg_image *image, int amount)
{
	size_t i, n = (size_t)image->height * (size_t)image->stride;

	for (i = 0; i < n; i++) {
		int value;

		m->noise = m->noise * 1664525u + 1013904223u;
		value = image->data[i] + (int)(m->noise >> 24) % (2 * amount + 1) - amount;
		image->data[i] = (uint8_t)(value < 0 ? 0 : value > 255 ? 255 : value);
	}
}

static int write_frame(struct maker *m, int quality, struct eg_err *err)
{
	char path[1024];

	(void)snprintf(path, sizeof(path), "%s/frames/%05u.jpg", m->out, m->next_frame++);
	return write_jpeg(m, path, &m->frame, quality, err);
}

static int write_gap(struct maker *m, struct eg_err *err)
{
	int i, x, y, r = 0;

	for (i = 0; r == 0 && i < GAP_FRAMES; i++) {
		r = eg_image_resize(&m->frame, WIDTH, HEIGHT, 3);
		if (r != 0)
			return eg_err_set(err, r, "out of memory");
		for (y = 0; y < HEIGHT; y++)
			for (x = 0; x < WIDTH; x++)
				memset(m->frame.data + (size_t)y * (size_t)m->frame.stride +
					       3 * (size_t)x,
				       90 + y * 60 / HEIGHT + (abs(x - WIDTH / 2) < 300 ? 25 : 0),
				       3);
		add_noise(m, &m->frame, 3);
		r = write_frame(m, 85, err);
	}
	return r;
}

// One flat colour, the mean of the box: a blurred face is still a face to a good detector.
static void cover(struct eg_image *image, struct eg_box box)
{
	struct eg_image part =
		eg_image_view(image, (int)box.x, (int)box.y, (int)box.width, (int)box.height);
	uint64_t sum[3] = {0}, n = (uint64_t)part.width * (uint64_t)part.height;
	int x, y, c;

	for (y = 0; y < part.height; y++)
		for (x = 0; x < part.width; x++)
			for (c = 0; c < 3; c++)
				sum[c] += part.data[(ptrdiff_t)y * part.stride + 3 * x + c];
	for (y = 0; y < part.height; y++)
		for (x = 0; x < part.width; x++)
			for (c = 0; c < 3; c++)
				part.data[(ptrdiff_t)y * part.stride + 3 * x + c] =
					(uint8_t)(sum[c] / n);
}

// The photo with everybody covered but those of the scene.
static int cover_others(struct maker *m, const struct sample *s, const struct eg_face *const *keep,
			size_t keep_count, struct eg_err *err)
{
	size_t i, k;
	int y, r;

	r = eg_image_resize(&m->covered, s->image.width, s->image.height, 3);
	if (r != 0)
		return eg_err_set(err, r, "out of memory");
	for (y = 0; y < s->image.height; y++)
		memcpy(m->covered.data + (ptrdiff_t)y * m->covered.stride,
		       s->image.data + (ptrdiff_t)y * s->image.stride, 3 * (size_t)s->image.width);
	for (i = 0; i < s->count; i++) {
		struct eg_box box = s->faces[i].box;

		for (k = 0; k < keep_count; k++)
			if (keep[k] == &s->faces[i])
				break;
		if (k < keep_count)
			continue;
		box.x -= box.width * 0.15f;
		box.y -= box.height * 0.2f;
		box.width *= 1.3f;
		box.height *= 1.3f;
		cover(&m->covered, box);
	}
	return 0;
}

static float between(float a, float b, float t)
{
	return a + (b - a) * t;
}

static float clamp(float value, float low, float high)
{
	return value < low ? low : value > high ? high : value;
}

// Part of the photo that fills the frame at time t (0 … 1) of the walk-up.
static struct eg_box window_at(const struct sample *s, const struct eg_face *const *faces,
			       size_t count, float t)
{
	float width_max = fminf((float)s->image.width, (float)s->image.height * WIDTH / HEIGHT);
	float x = 0, y = 0, eyes = 0, from, to, spread = 0;
	struct eg_box box;
	size_t i;

	for (i = 0; i < count; i++) {
		x += centre_x(faces[i]) / (float)count;
		y += centre_y(faces[i]) / (float)count;
		eyes += faces[i]->quality.inter_eye_px / (float)count;
	}
	for (i = 0; i < count; i++)
		spread = fmaxf(spread, 2 * fabsf(centre_x(faces[i]) - x) + 4 * eyes);
	from = clamp(eyes * WIDTH / 45, 0, width_max); // 45 px between the eyes
	to = clamp(eyes * WIDTH / 105, WIDTH / 1.5f, width_max);
	to = fmaxf(to, fminf(spread, width_max));
	from = fmaxf(from, to);
	box.width = between(from, to, t);
	box.height = box.width * HEIGHT / WIDTH;
	x += box.width * 0.012f * sinf(t * 9.0f);
	y += box.width * 0.006f * cosf(t * 13.0f);
	box.x = clamp(x - box.width / 2, 0, (float)s->image.width - box.width);
	box.y = clamp(y - box.height * 0.45f, 0, (float)s->image.height - box.height);
	return box;
}

// What a poor camera makes of it: two thirds of the resolution, darker, noisy.
static int degrade(struct maker *m)
{
	struct eg_box whole = {0, 0, WIDTH, HEIGHT}, poor = {0, 0, POOR_WIDTH, POOR_HEIGHT};
	struct eg_affine down = eg_sample_box(whole, POOR_WIDTH, POOR_HEIGHT);
	struct eg_affine up = eg_sample_box(poor, WIDTH, HEIGHT);
	size_t i, n;
	int r;

	r = eg_image_resize(&m->poor, POOR_WIDTH, POOR_HEIGHT, 3);
	if (r == 0)
		r = eg_sample(&m->frame, &down, EG_BORDER_EDGE, &m->scratch, &m->poor);
	if (r == 0)
		r = eg_sample(&m->poor, &up, EG_BORDER_EDGE, &m->scratch, &m->frame);
	if (r != 0)
		return r;
	n = (size_t)m->frame.height * (size_t)m->frame.stride;
	for (i = 0; i < n; i++)
		m->frame.data[i] = (uint8_t)(m->frame.data[i] * 9 / 10);
	add_noise(m, &m->frame, 5);
	return 0;
}

static int write_scene(struct maker *m, const struct eg_scene *scene, struct eg_err *err)
{
	const struct sample *s = &m->sample[scene->place[0].sample - 1];
	const struct eg_face *faces[EG_SCENE_PEOPLE];
	size_t i;
	int f, r;

	for (i = 0; i < scene->people; i++) {
		faces[i] = find_face(s, &scene->place[i]);
		if (faces[i] == NULL)
			return eg_err_set(err, EG_ENOENT,
					  "scenes.tsv: %s: no face there in sample%d.jpg",
					  scene->name, scene->place[i].sample);
	}
	r = cover_others(m, s, faces, scene->people, err);
	for (f = 0; r == 0 && f < SCENE_FRAMES; f++) {
		float t = fminf(1.0f, (float)f / (SCENE_FRAMES * 0.75f)); // walks up, then stands
		struct eg_affine map;

		map = eg_sample_box(window_at(s, faces, scene->people, t), WIDTH, HEIGHT);
		r = eg_image_resize(&m->frame, WIDTH, HEIGHT, 3);
		if (r == 0)
			r = eg_sample(&m->covered, &map, EG_BORDER_EDGE, &m->scratch, &m->frame);
		if (r == 0 && scene->degraded)
			r = degrade(m);
		if (r != 0)
			return eg_err_set(err, r, "%s: frame %d could not be drawn", scene->name,
					  f);
		add_noise(m, &m->frame, 2);
		r = write_frame(m, scene->degraded ? 60 : 90, err);
	}
	return r;
}

static int write_csv(const struct eg_table *table, const char *out, struct eg_err *err)
{
	struct eg_buf csv;
	char path[1024];
	size_t i;
	int r;

	eg_buf_init(&csv, 1 << 20);
	r = eg_buf_printf(&csv, "id,surname,given,birth,citizenship,document,issuer,flight,pnr,"
				"sequence\n");
	for (i = 0; r == 0 && i < table->cast_count; i++) {
		const struct eg_cast *c = &table->cast[i];

		r = eg_buf_printf(&csv, "%s,%s,%s,%s,%s,%s,UTO,EG417,%s,%s\n", c->id, c->surname,
				  c->given, c->birth, c->citizenship, c->document, c->pnr,
				  c->sequence);
	}
	(void)snprintf(path, sizeof(path), "%s/travellers.csv", out);
	r = r != 0 ? eg_err_set(err, r, "travellers.csv: out of memory")
		   : eg_file_write(path, eg_buf_bytes(&csv), 0644, err);
	eg_buf_done(&csv);
	return r;
}

// plan.tsv: name, first frame, one past the last, for whoever watches.
static int write_all(struct maker *m, const struct eg_table *table, struct eg_err *err)
{
	struct eg_buf plan;
	char path[1024];
	size_t i;
	int r = 0;

	for (i = 0; r == 0 && i < table->cast_count; i++)
		r = write_photo(m, &table->cast[i], err);
	eg_buf_init(&plan, 1 << 16);
	for (i = 0; r == 0 && i < table->scene_count; i++) {
		unsigned int first;

		r = write_gap(m, err);
		first = m->next_frame;
		if (r == 0)
			r = write_scene(m, &table->scene[i], err);
		if (r == 0 && eg_buf_printf(&plan, "%s\t%u\t%u\n", table->scene[i].name, first,
					    m->next_frame) != 0)
			r = eg_err_set(err, EG_ENOMEM, "out of memory");
	}
	if (r == 0)
		r = write_gap(m, err);
	if (r == 0)
		r = write_csv(table, m->out, err);
	(void)snprintf(path, sizeof(path), "%s/plan.tsv", m->out);
	if (r == 0)
		r = eg_file_write(path, eg_buf_bytes(&plan), 0644, err);
	eg_buf_done(&plan);
	return r;
}

static int run(char **argv, struct eg_err *err)
{
	struct eg_capture_config config = eg_capture_defaults;
	static struct maker maker = {.noise = 1};
	static struct eg_table table;
	struct eg_pack *pack = NULL;
	char path[1024];
	int i, r;

	maker.out = argv[5];
	eg_buf_init(&maker.jpeg, 8 << 20);
	config.liveness = false;
	r = eg_crypto_init(err);
	if (r == 0)
		r = eg_table_load(argv[3], argv[4], &table, err);
	(void)snprintf(path, sizeof(path), "%s/photos", maker.out);
	if (r == 0)
		r = eg_dir_make(path, 0755, err);
	(void)snprintf(path, sizeof(path), "%s/frames", maker.out);
	if (r == 0)
		r = eg_dir_make(path, 0755, err);
	if (r == 0)
		r = eg_pack_open(argv[1], 1u << EG_MODEL_DETECT | 1u << EG_MODEL_LANDMARK, 2, &pack,
				 err);
	if (r == 0)
		r = eg_capture_new(&config, pack, &maker.capture, err);
	if (r == 0)
		r = load_samples(&maker, argv[2], err);
	if (r == 0)
		r = write_all(&maker, &table, err);
	for (i = 0; i < SAMPLES; i++)
		eg_image_done(&maker.sample[i].image);
	eg_image_done(&maker.scratch);
	eg_image_done(&maker.covered);
	eg_image_done(&maker.frame);
	eg_image_done(&maker.poor);
	eg_buf_done(&maker.jpeg);
	eg_capture_free(maker.capture);
	eg_pack_free(pack);
	return r;
}

int main(int argc, char **argv)
{
	struct eg_err err = EG_ERR_INIT;

	eg_log_init("eg-scenes", EG_LOG_WARNING);
	if (argc != 6) {
		(void)fputs("usage: eg-scenes PACK FACES CAST SCENES OUT\n", stderr);
		return 2;
	}
	if (run(argv, &err) != 0) {
		(void)fprintf(stderr, "eg-scenes: %s\n", err.text);
		return 1;
	}
	return 0;
}
