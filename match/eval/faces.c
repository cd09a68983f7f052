// SPDX-License-Identifier: Apache-2.0
//
// The cache is a tree of <search.h> by the captures' names.

#include "match/eval/faces.h"

#include <errno.h>
#include <math.h>
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "drivers/codec.h"
#include "firmware/base/log.h"
#include "firmware/base/mem.h"

#define FACES_MAX 32

struct eval_faces {
	struct eg_pack *pack;
	struct eg_capture *capture;
	struct eg_extractor *extractor; // NULL: detection only
	bool fast;
	struct eg_image image, aligned;
	void *tree; // of struct node
	size_t captures, failed;
};

struct node {
	char *name; // for a frame a tab; folder, tab, field
	bool asked; // counted; false: only a frame of other captures
	struct eval_capture capture;
};

static int compare_entries(const void *a, const void *b)
{
	return strcmp(((const struct node *)a)->name, ((const struct node *)b)->name);
}

static void free_entry(void *node)
{
	struct node *entry = node;

	free(entry->name);
	eg_secret_free(entry, sizeof(*entry));
}

int eval_faces_new(const char *pack, bool fast, bool templates, struct eval_faces **ret_faces,
		   struct eg_err *err)
{
	unsigned int roles = 1u << EG_MODEL_DETECT | 1u << EG_MODEL_LANDMARK;
	struct eg_capture_config config = eg_capture_defaults;
	struct eval_faces *faces = eg_calloc(1, sizeof(*faces));
	int r;

	if (!faces)
		return eg_err_set(err, EG_ENOMEM, "out of memory");
	faces->fast = fast;
	config.liveness = false;
	if (templates)
		roles |= 1u << EG_MODEL_FEATURE;
	if ((r = eg_pack_open(pack, roles, 1, &faces->pack, err)) != 0 ||
	    (r = eg_capture_new(&config, faces->pack, &faces->capture, err)) != 0)
		goto fail;
	if (templates && (r = eg_extractor_new(faces->pack, &faces->extractor, err)) != 0)
		goto fail;
	*ret_faces = faces;
	return 0;
fail:
	eval_faces_free(faces);
	return r;
}

void eval_faces_free(struct eval_faces *faces)
{
	if (!faces)
		return;
	tdestroy(faces->tree, free_entry);
	eg_image_done(&faces->aligned);
	eg_image_done(&faces->image);
	eg_extractor_free(faces->extractor);
	eg_capture_free(faces->capture);
	eg_pack_free(faces->pack);
	free(faces);
}

static const struct eg_face *choose(const struct eg_face *found, size_t count,
				    const struct eg_image *image)
{
	const struct eg_face *best = NULL;
	float widest = 0, nearest = INFINITY;

	for (size_t i = 0; i < count; i++)
		widest = fmaxf(widest, found[i].box.width);
	for (size_t i = 0; i < count; i++) {
		const struct eg_box *box = &found[i].box;
		float dx = box->x + box->width / 2 - (float)image->width / 2;
		float dy = box->y + box->height / 2 - (float)image->height / 2;

		if (box->width * 2 < widest || hypotf(dx, dy) >= nearest)
			continue;
		nearest = hypotf(dx, dy);
		best = &found[i];
	}
	return best;
}

static int make_template(struct eval_faces *faces, const struct eg_face *face, bool frame,
			 struct eval_capture *capture, struct eg_err *err)
{
	int r;

	if (!faces->fast && !frame)
		return eg_extractor_run_careful(faces->extractor, &faces->image, face,
						&capture->template, err);
	r = eg_align(&faces->image, face, &faces->aligned);
	if (r != 0)
		return eg_err_set(err, r, "the face cannot be aligned");
	return eg_extractor_run(faces->extractor, &faces->aligned, &capture->template, err);
}

// Decodes and finds. *ret_face is NULL when there is no face in it, or it is no image.
static int find(struct eval_faces *faces, const char *path, struct eg_image *image,
		struct eg_face *found, size_t *ret_count, const struct eg_face **ret_face,
		struct eg_err *err)
{
	int r = eg_codec_load_desk(path, image, err);

	*ret_face = NULL;
	*ret_count = 0;
	if (r == EG_EINVAL || r == EG_EUNSUPPORTED || r == EG_ETOOBIG) {
		eg_warning("%s; counted as failed to acquire", err->text);
		*err = EG_ERR_INIT;
		return 0;
	}
	if (r != 0)
		return r;
	r = eg_capture_still(faces->capture, image, found, FACES_MAX, ret_count, err);
	if (r != 0)
		return eg_err_prefix(err, r, "%s", path);
	*ret_face = choose(found, *ret_count, image);
	return 0;
}

// The picture at `path`; leaves capture->found false when there is no face in it.
static int look(struct eval_faces *faces, const char *path, bool frame,
		struct eval_capture *capture, struct eg_err *err)
{
	struct eg_face found[FACES_MAX];
	const struct eg_face *face;
	int r = find(faces, path, &faces->image, found, &capture->faces, &face, err);

	if (r != 0 || !face)
		return r;
	capture->quality = (float)face->quality.overall;
	capture->score = face->score;
	if (faces->extractor && (r = make_template(faces, face, frame, capture, err)) != 0)
		return eg_err_prefix(err, r, "%s", path);
	capture->found = true;
	return 0;
}

int eval_faces_box(struct eval_faces *faces, const char *path, struct eg_image *image,
		   bool *ret_found, struct eg_box *ret_box, struct eg_err *err)
{
	struct eg_face found[FACES_MAX];
	const struct eg_face *face;
	size_t count;
	int r = find(faces, path, image, found, &count, &face, err);

	if (r != 0)
		return r;
	*ret_found = face != NULL;
	if (face)
		*ret_box = face->box;
	return 0;
}

static int load_image(struct eval_faces *faces, const char *folder, const char *name, bool frame,
		      struct eval_capture *capture, struct eg_err *err)
{
	char *path = NULL;
	int r;

	if (folder && name[0] != '/') {
		if (asprintf(&path, "%s/%s", folder, name) < 0)
			return eg_err_set(err, EG_ENOMEM, "out of memory");
		if (access(path, F_OK) != 0) {
			free(path);
			path = NULL;
		}
	}
	r = look(faces, path ? path : name, frame, capture, err);
	free(path);
	return r;
}

static int get(struct eval_faces *faces, const char *folder, const char *field, bool asked,
	       struct node **ret_entry, struct eg_err *err);

static int fuse(struct eval_faces *faces, const char *folder, const char *field,
		struct eval_capture *capture, struct eg_err *err)
{
	char *copy = eg_strdup(field), *rest = copy, *name;
	const struct eg_template **list = eg_calloc(strlen(field) + 1, sizeof(*list));
	float *weight = eg_calloc(strlen(field) + 1, sizeof(*weight));
	size_t count = 0;
	int r = copy && list && weight ? 0 : eg_err_set(err, EG_ENOMEM, "out of memory");

	while (r == 0 && (name = strsep(&rest, ",")) != NULL) {
		struct node *frame;

		if (*name == '\0') {
			r = eg_err_set(err, EG_EINVAL, "\"%s\": an empty name between commas",
				       field);
			break;
		}
		r = get(faces, folder, name, false, &frame, err);
		if (r != 0)
			break;
		if (frame->capture.faces > capture->faces)
			capture->faces = frame->capture.faces;
		if (!frame->capture.found)
			continue;
		capture->quality = fmaxf(capture->quality, frame->capture.quality);
		capture->score = fmaxf(capture->score, frame->capture.score);
		weight[count] = 1 + frame->capture.quality;
		list[count++] = &frame->capture.template;
	}
	if (r == 0 && count > 0 && faces->extractor)
		r = eg_template_fuse(list, weight, count, &capture->template);
	if (r == 0)
		capture->found = count > 0;
	free(weight);
	free(list);
	free(copy);
	return r;
}

static int make_entry(struct eval_faces *faces, const char *folder, const char *field, bool frame,
		      struct node *entry, struct eg_err *err)
{
	int r;

	entry->capture.quality = entry->capture.score = NAN;
	if (strchr(field, ','))
		r = fuse(faces, folder, field, &entry->capture, err);
	else
		r = load_image(faces, folder, field, frame, &entry->capture, err);
	if (r == 0 && !tsearch(entry, &faces->tree, compare_entries))
		r = eg_err_set(err, EG_ENOMEM, "out of memory");
	return r;
}

static int get(struct eval_faces *faces, const char *folder, const char *field, bool asked,
	       struct node **ret_entry, struct eg_err *err)
{
	struct node key = {0};
	struct node *entry;
	void *node;
	int r;

	if (asprintf(&key.name, "%s%s\t%s", asked ? "" : "\t", folder ? folder : "", field) < 0)
		return eg_err_set(err, EG_ENOMEM, "out of memory");
	node = tfind(&key, &faces->tree, compare_entries);
	if (node) {
		entry = *(struct node **)node;
		free(key.name);
	} else {
		entry = eg_secret_alloc(sizeof(*entry));
		if (!entry) {
			free(key.name);
			return eg_err_set(err, EG_ENOMEM, "out of memory");
		}
		entry->name = key.name;
		r = make_entry(faces, folder, field, !asked, entry, err);
		if (r != 0) {
			free_entry(entry);
			return r;
		}
	}
	if (asked && !entry->asked) {
		entry->asked = true;
		faces->captures++;
		faces->failed += !entry->capture.found;
	}
	*ret_entry = entry;
	return 0;
}

int eval_faces_get(struct eval_faces *faces, const char *folder, const char *field,
		   const struct eval_capture **ret_capture, struct eg_err *err)
{
	struct node *entry;
	int r = get(faces, folder, field, true, &entry, err);

	if (r == 0)
		*ret_capture = &entry->capture;
	return r;
}

void eval_faces_count(const struct eval_faces *faces, size_t *ret_captures, size_t *ret_failed)
{
	*ret_captures = faces->captures;
	*ret_failed = faces->failed;
}

const struct eg_pack *eval_faces_pack(const struct eval_faces *faces)
{
	return faces->pack;
}

bool eval_faces_fast(const struct eval_faces *faces)
{
	return faces->fast;
}
