// SPDX-License-Identifier: Apache-2.0
//
// eg-frames: any folder of pictures as what a camera of 1280×720 would give, for ./booth demo
// --scene. Desk only.
//
// usage: eg-frames [--empty N] [--faces PACK DIR] SCENE OUT
//        eg-frames --photos PICTURES OUT
//
// The first form writes OUT/00000.jpg …: SCENE's PNG and JPEG files in the order of their names,
// each scaled as a whole into the frame, with grey at the sides where its shape differs; then N
// pictures of an empty place (grey, with a camera's noise), so that everybody has left before it
// begins again. With --faces it also follows the faces and writes the best picture of each to
// DIR/photos/S1_entry_2026.jpg …, DIR/travellers.csv, and their number to standard output.
//
// The second form takes a folder of reference photos, NAME.jpg or NAME.png, one person each, and
// writes OUT/photos/NAME_passport_2026.jpg and OUT/travellers.csv.

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "capture/capture.h"
#include "capture/sample.h"
#include "drivers/codec.h"
#include "drivers/frame.h"
#include "firmware/base/file.h"
#include "firmware/base/log.h"
#include "net/central/roster.h"

#define WIDTH	   1280
#define HEIGHT	   720
#define GREY	   110
#define PEOPLE_MAX 64
#define PICTURE_MS 66 // between two pictures, when faces are followed
#define PHOTO_MIN  20 // quality from which a picture can be a reference at all

struct best {
	uint32_t track;
	int quality;
	struct eg_image crop;
};

struct maker {
	const char *folder, *out;
	struct dirent **entries;
	int count;
	struct eg_image picture, frame, scratch;
	struct eg_buf jpeg, csv;
	struct eg_pack *pack;
	struct eg_capture *capture;
	struct eg_frame_pool *pool;
	struct best best[PEOPLE_MAX];
	size_t best_count;
};

static int is_picture(const struct dirent *entry)
{
	const char *dot = strrchr(entry->d_name, '.');

	return dot != NULL && entry->d_name[0] != '.' &&
	       (strcasecmp(dot, ".png") == 0 || strcasecmp(dot, ".jpg") == 0 ||
		strcasecmp(dot, ".jpeg") == 0);
}

static int list(struct maker *m, struct eg_err *err)
{
	m->count = scandir(m->folder, &m->entries, is_picture, versionsort);
	if (m->count < 0) {
		m->count = 0;
		return eg_err_errno(err, errno, "%s", m->folder);
	}
	if (m->count == 0)
		return eg_err_set(err, EG_ENOENT,
				  "%s holds no .png and no .jpg file; give the folder that holds "
				  "the pictures themselves",
				  m->folder);
	return 0;
}

static int load(struct maker *m, int index, struct eg_err *err)
{
	char path[4096];
	int n = snprintf(path, sizeof(path), "%s/%s", m->folder, m->entries[index]->d_name);

	if (n < 0 || (size_t)n >= sizeof(path))
		return eg_err_set(err, EG_ETOOBIG, "%s: the path is too long", m->folder);
	return eg_codec_load_desk(path, &m->picture, err);
}

static int write_jpeg(struct maker *m, const char *path, const struct eg_image *image,
		      struct eg_err *err)
{
	int r;

	eg_buf_reset(&m->jpeg);
	r = eg_codec_encode_jpeg(image, 92, &m->jpeg, err);
	return r != 0 ? r : eg_file_write(path, eg_buf_bytes(&m->jpeg), 0644, err);
}

static void make_grey(struct eg_image *image)
{
	int y;

	for (y = 0; y < image->height; y++)
		memset(image->data + (ptrdiff_t)y * image->stride, GREY, 3 * (size_t)image->width);
}

// No two pictures of a camera are the same; one that repeats itself counts as frozen.
static void add_noise(struct eg_image *image)
{
	static uint32_t noise = 1;
	size_t i, n = (size_t)image->height * (size_t)image->stride;

	for (i = 0; i < n; i++) {
		noise = noise * 1664525u + 1013904223u;
		image->data[i] = (uint8_t)(image->data[i] + (noise >> 24) % 7 - 3);
	}
}

// The whole picture into the frame, in shape and in the middle.
static int fit(struct maker *m, struct eg_err *err)
{
	const float wide = (float)WIDTH / (float)m->picture.width;
	const float high = (float)HEIGHT / (float)m->picture.height;
	const float scale = wide < high ? wide : high;
	const int width = (int)((float)m->picture.width * scale + 0.5f);
	const int height = (int)((float)m->picture.height * scale + 0.5f);
	const struct eg_box whole = {0, 0, (float)m->picture.width, (float)m->picture.height};
	struct eg_affine map = eg_sample_box(whole, width, height);
	struct eg_image part;
	int r;

	if (m->picture.channels != 3)
		return eg_err_set(err, EG_EINVAL, "a picture without colours");
	make_grey(&m->frame);
	part = eg_image_view(&m->frame, (WIDTH - width) / 2, (HEIGHT - height) / 2, width, height);
	r = eg_sample(&m->picture, &map, EG_BORDER_EDGE, &m->scratch, &part);
	return r == 0 ? 0 : eg_err_set(err, r, "a picture could not be scaled");
}

static int write_frame(struct maker *m, int number, struct eg_err *err)
{
	char path[4096];

	(void)snprintf(path, sizeof(path), "%s/%05d.jpg", m->out, number);
	return write_jpeg(m, path, &m->frame, err);
}

// ---- references --------------------------------------------------------------------------------

static int begin_csv(struct maker *m, struct eg_err *err)
{
	if (eg_buf_printf(&m->csv, "id,surname,given,birth,citizenship,document,issuer,flight,pnr,"
				   "sequence\n") != 0)
		return eg_err_set(err, EG_ENOMEM, "out of memory");
	return 0;
}

static int put_person(struct maker *m, const char *id, int number, struct eg_err *err)
{
	if (eg_buf_printf(&m->csv, "%s,%s,,1990-01-01,visitor,S%07d,UTO,EG417,SC%04d,%04d\n", id,
			  id, number, number, number) != 0)
		return eg_err_set(err, EG_ETOOBIG, "too many people");
	return 0;
}

static int write_csv(struct maker *m, const char *folder, struct eg_err *err)
{
	char path[4096];

	(void)snprintf(path, sizeof(path), "%s/travellers.csv", folder);
	return eg_file_write(path, eg_buf_bytes(&m->csv), 0644, err);
}

static struct best *best_of(struct maker *m, uint32_t track)
{
	size_t i;

	for (i = 0; i < m->best_count; i++)
		if (m->best[i].track == track)
			return &m->best[i];
	if (m->best_count == PEOPLE_MAX)
		return NULL;
	m->best[m->best_count] = (struct best){.track = track};
	return &m->best[m->best_count++];
}

// Head and shoulders of the face, unless a better picture of it is there.
static int keep_better(struct maker *m, const struct eg_track *track, struct eg_err *err)
{
	const struct eg_box *box = &track->face.box;
	const struct eg_box head = {box->x - box->width / 2, box->y - box->height / 2,
				    box->width * 2, box->height * 2};
	struct best *best;
	struct eg_affine map;
	int r;

	if (!track->in_view || track->face.quality.overall < PHOTO_MIN)
		return 0;
	best = best_of(m, track->id);
	if (best == NULL || track->face.quality.overall <= best->quality)
		return 0;
	best->quality = track->face.quality.overall;
	r = eg_image_resize(&best->crop, (int)head.width, (int)head.height, 3);
	map = eg_sample_box(head, best->crop.width, best->crop.height);
	if (r == 0)
		r = eg_sample(&m->frame, &map, EG_BORDER_EDGE, &m->scratch, &best->crop);
	return r == 0 ? 0 : eg_err_set(err, r, "a face could not be cut out");
}

static int follow(struct maker *m, int number, struct eg_err *err)
{
	const struct eg_track *tracks;
	struct eg_frame *frame;
	uint8_t *plane[2];
	size_t i, count;
	int r;

	frame = eg_frame_pool_take(m->pool, plane);
	if (frame == NULL)
		return eg_err_set(err, EG_EFULL, "no frame is free");
	eg_frame_from_bgr(&m->frame, plane);
	frame->captured_ns = (int64_t)(number + 1) * PICTURE_MS * 1000000;
	frame->sequence = (uint64_t)number + 1;
	frame->generation = 1;
	r = eg_capture_frame(m->capture, frame, err);
	eg_frame_unref(frame);
	if (r != 0)
		return r;
	tracks = eg_capture_tracks(m->capture, &count);
	for (i = 0; r == 0 && i < count; i++)
		r = keep_better(m, &tracks[i], err);
	return r;
}

static int start_following(struct maker *m, const char *pack, struct eg_err *err)
{
	struct eg_capture_config config = eg_capture_defaults;
	int r;

	config.zone = (struct eg_zone){0, 0, 1, 1};
	config.liveness = false;
	r = eg_pack_open(pack, 1u << EG_MODEL_DETECT | 1u << EG_MODEL_LANDMARK, 2, &m->pack, err);
	if (r == 0)
		r = eg_capture_new(&config, m->pack, &m->capture, err);
	if (r == 0)
		r = eg_frame_pool_new(2, WIDTH, HEIGHT, NULL, &m->pool, err);
	return r;
}

static int write_faces(struct maker *m, const char *folder, struct eg_err *err)
{
	char path[4096], id[32];
	size_t i;
	int r;

	(void)snprintf(path, sizeof(path), "%s/photos", folder);
	r = eg_dir_make(path, 0755, err);
	if (r == 0)
		r = begin_csv(m, err);
	for (i = 0; r == 0 && i < m->best_count; i++) {
		(void)snprintf(id, sizeof(id), "S%zu", i + 1);
		(void)snprintf(path, sizeof(path), "%s/photos/%s_entry_2026.jpg", folder, id);
		r = write_jpeg(m, path, &m->best[i].crop, err);
		if (r == 0)
			r = put_person(m, id, (int)i + 1, err);
	}
	return r != 0 ? r : write_csv(m, folder, err);
}

// ---- the two forms -----------------------------------------------------------------------------

static int make_scene(struct maker *m, int empty, const char *pack, const char *faces,
		      struct eg_err *err)
{
	int i, r;

	r = list(m, err);
	if (r == 0)
		r = eg_dir_make(m->out, 0755, err);
	if (r == 0 && eg_image_resize(&m->frame, WIDTH, HEIGHT, 3) != 0)
		r = eg_err_set(err, EG_ENOMEM, "out of memory");
	if (r == 0 && faces != NULL)
		r = start_following(m, pack, err);
	for (i = 0; r == 0 && i < m->count; i++) {
		r = load(m, i, err);
		if (r == 0)
			r = fit(m, err);
		if (r == 0)
			r = write_frame(m, i, err);
		if (r == 0 && faces != NULL)
			r = follow(m, i, err);
	}
	if (r != 0)
		return r;
	for (i = 0; r == 0 && i < empty; i++) {
		make_grey(&m->frame);
		add_noise(&m->frame);
		r = write_frame(m, m->count + i, err);
	}
	if (r == 0 && faces != NULL)
		r = write_faces(m, faces, err);
	return r;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(a, b);
}

static int make_photos(struct maker *m, struct eg_err *err)
{
	char path[4096], file[300];
	char(*ids)[EG_NAME_MAX] = NULL;
	struct eg_photo_name name;
	int i, r;

	r = list(m, err);
	(void)snprintf(path, sizeof(path), "%s/photos", m->out);
	if (r == 0)
		r = eg_dir_make(path, 0755, err);
	if (r == 0)
		r = begin_csv(m, err);
	ids = calloc((size_t)m->count + 1, sizeof(*ids));
	if (r == 0 && ids == NULL)
		r = eg_err_set(err, EG_ENOMEM, "out of memory");
	for (i = 0; r == 0 && i < m->count; i++) {
		const char *entry = m->entries[i]->d_name;

		(void)snprintf(file, sizeof(file), "%.*s.jpg", (int)(strrchr(entry, '.') - entry),
			       entry);
		if (eg_roster_photo_name(file, &name) != 0)
			r = eg_err_set(err, EG_EINVAL,
				       "%s/%s: the name of the file is to name the person, as in "
				       "alice.jpg: letters, digits and hyphens only",
				       m->folder, entry);
		if (r != 0)
			break;
		memcpy(ids[i], name.id, sizeof(ids[i]));
		r = load(m, i, err);
		(void)snprintf(path, sizeof(path), "%s/photos/%s", m->out, file);
		if (r == 0)
			r = write_jpeg(m, path, &m->picture, err);
	}
	if (r == 0)
		qsort(ids, (size_t)m->count, sizeof(*ids), by_name);
	for (i = 0; r == 0 && i < m->count; i++)
		if (i == 0 || strcmp(ids[i], ids[i - 1]) != 0) // several photos of one person
			r = put_person(m, ids[i], i + 1, err);
	free(ids);
	return r != 0 ? r : write_csv(m, m->out, err);
}

static void done(struct maker *m)
{
	int i;

	for (i = 0; i < m->count; i++)
		free(m->entries[i]);
	free(m->entries);
	for (i = 0; i < (int)m->best_count; i++)
		eg_image_done(&m->best[i].crop);
	eg_image_done(&m->picture);
	eg_image_done(&m->frame);
	eg_image_done(&m->scratch);
	eg_buf_done(&m->jpeg);
	eg_buf_done(&m->csv);
	eg_frame_pool_free(m->pool);
	eg_capture_free(m->capture);
	eg_pack_free(m->pack);
}

int main(int argc, char **argv)
{
	static struct maker maker;
	struct eg_err err = EG_ERR_INIT;
	const char *pack = NULL, *faces = NULL;
	bool photos = false;
	int empty = 0, i, r;

	eg_log_init("eg-frames", EG_LOG_WARNING);
	for (i = 1; i < argc && strncmp(argv[i], "--", 2) == 0; i++) {
		if (strcmp(argv[i], "--photos") == 0) {
			photos = true;
		} else if (strcmp(argv[i], "--empty") == 0 && i + 1 < argc) {
			empty = (int)strtol(argv[++i], NULL, 10);
		} else if (strcmp(argv[i], "--faces") == 0 && i + 2 < argc) {
			pack = argv[++i];
			faces = argv[++i];
		} else {
			break;
		}
	}
	if (argc - i != 2) {
		(void)fputs("usage: eg-frames [--empty N] [--faces PACK DIR] SCENE OUT\n"
			    "       eg-frames --photos PICTURES OUT\n",
			    stderr);
		return 2;
	}
	maker.folder = argv[i];
	maker.out = argv[i + 1];
	eg_buf_init(&maker.jpeg, 8 << 20);
	eg_buf_init(&maker.csv, 1 << 20);
	r = eg_crypto_init(&err);
	if (r == 0)
		r = photos ? make_photos(&maker, &err)
			   : make_scene(&maker, empty, pack, faces, &err);
	if (r != 0)
		(void)fprintf(stderr, "eg-frames: %s\n", err.text);
	else if (faces != NULL)
		(void)printf("%zu\n", maker.best_count);
	done(&maker);
	return r == 0 ? 0 : 1;
}
