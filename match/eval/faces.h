// SPDX-License-Identifier: Apache-2.0
//
// From image files to templates, each made once and kept in memory until the end.
//
// A "capture" is what one field of a list names: one image, or several parted by commas (frames of
// one capture), whose templates, of one warp each, are fused by quality as those of a track are.
// Its face is, of the faces at least half as wide as the widest, the one nearest to the middle of
// the picture.
//
// A capture without a template (no face, or not an image) is a failure to acquire, counted and
// reported; a file that is not there is an error, for it is the list that is wrong.

#ifndef EG_EVAL_FACES_H
#define EG_EVAL_FACES_H

#include "match/template.h"

struct eval_faces;

struct eval_capture {
	bool found;
	size_t faces;  // detected in the image; the most of its frames
	float quality; // of the chosen face, 0 … 100; the best of its frames; NaN: no face
	float score;   // detector's of the chosen face
	struct eg_template template; // when found and templates are made
};

// fast: one warp instead of five. templates: false for detection only.
int eval_faces_new(const char *pack, bool fast, bool templates, struct eval_faces **ret_faces,
		   struct eg_err *err) EG_CHECKED;
void eval_faces_free(struct eval_faces *faces); // takes NULL; wipes

// `folder` (may be NULL): where relative paths are looked for before the current folder. Lent until
// free.
int eval_faces_get(struct eval_faces *faces, const char *folder, const char *field,
		   const struct eval_capture **ret_capture, struct eg_err *err) EG_CHECKED;

// The chosen face's box in a file, decoded into `image` (zeroed or used here before). Nothing is
// kept. Not found: no face, or not an image, which is logged.
int eval_faces_box(struct eval_faces *faces, const char *path, struct eg_image *image,
		   bool *ret_found, struct eg_box *ret_box, struct eg_err *err) EG_CHECKED;

// Distinct captures asked for so far, and those without a template.
void eval_faces_count(const struct eval_faces *faces, size_t *ret_captures, size_t *ret_failed);

const struct eg_pack *eval_faces_pack(const struct eval_faces *faces);
bool eval_faces_fast(const struct eval_faces *faces);

#endif
