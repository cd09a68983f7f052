// SPDX-License-Identifier: Apache-2.0
//
// A template: 512 floats of unit length and the digest of the model that made it, plus an int8
// copy (round(127·x), saturated) for the fast kernel. Templates of different models never compare.
//
// Templates are personal data: they live in eg_secret memory or in structs that are wiped with
// eg_template_wipe, are never logged, and never leave the booth.

#ifndef EG_TEMPLATE_H
#define EG_TEMPLATE_H

#include "capture/capture.h"

#define EG_TEMPLATE_SIZE 512

struct eg_template {
	float value[EG_TEMPLATE_SIZE];
	uint8_t model[EG_SHA256_SIZE];
};

void eg_template_wipe(struct eg_template *t); // takes NULL

// Comparison score: cosine, −1 … 1. EG_EINVAL when models differ or a value is not finite.
int eg_template_compare(const struct eg_template *a, const struct eg_template *b,
			float *ret_score) EG_CHECKED;

// Mean of several templates of one person, weighted (weights > 0), back to unit length.
int eg_template_fuse(const struct eg_template *const *templates, const float *weights,
		     size_t count, struct eg_template *ret_template) EG_CHECKED;

// Extractor: aligned 112×112 BGR → template. The mirrored image's output is added before the
// length is made 1. `pack` must have FEATURE; lent, outlives the object. One thread at a time.
struct eg_extractor;
int eg_extractor_new(struct eg_pack *pack, struct eg_extractor **ret_extractor,
		     struct eg_err *err) EG_CHECKED;
void eg_extractor_free(struct eg_extractor *extractor); // takes NULL
int eg_extractor_run(struct eg_extractor *extractor, const struct eg_image *aligned,
		     struct eg_template *ret_template, struct eg_err *err) EG_CHECKED;

// For references and for the one decisive live frame: the mean over five slightly shifted and
// scaled warps of the face in `image`. Five times the cost.
int eg_extractor_run_careful(struct eg_extractor *extractor, const struct eg_image *image,
			     const struct eg_face *face, struct eg_template *ret_template,
			     struct eg_err *err) EG_CHECKED;

#endif
