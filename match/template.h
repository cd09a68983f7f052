// SPDX-License-Identifier: Apache-2.0
//
// A template: 512 floats and the digest of the model that made it. Its direction is the face, its
// length (0 … 1) what the pack makes of the strength of the recogniser's answer (capture/pack.h):
// the weaker the face, the longer, so that the score, a dot product, makes up for what weakness
// takes from genuine scores. Templates of different models never compare.
//
// For the fast kernel it is rounded to int8 with a scale of its own: x ≈ scale · q, scale =
// max|x| / 127, which uses all of the 8 bits (a fixed scale of 127 would use 4 of them: elements
// are about 0.04).
//
// Templates are personal data: they live in eg_secret memory or in structs that are wiped with
// eg_template_wipe, are never logged, and never leave the booth.

#ifndef EG_TEMPLATE_H
#define EG_TEMPLATE_H

#include "capture/capture.h"
#include "match/kernel.h"

#define EG_TEMPLATE_SIZE EG_KERNEL_SIZE

struct eg_template {
	float value[EG_TEMPLATE_SIZE];
	uint8_t model[EG_SHA256_SIZE];
};

void eg_template_wipe(struct eg_template *t); // takes NULL

// Comparison score: dot product (of templates of length 1 the cosine), −1 … 1. EG_EINVAL when
// models differ or a value is not finite.
int eg_template_compare(const struct eg_template *a, const struct eg_template *b,
			float *ret_score) EG_CHECKED;

// 0 when every value is finite and the length is in 0.1 … 1 (within 0.001); else EG_EINVAL.
int eg_template_check(const struct eg_template *t) EG_CHECKED;

// Mean of several templates of one person, weighted (weights > 0; NULL: all the same): of their
// directions and of their lengths. EG_EINVAL: none, models differ, a bad weight or value, or the
// mean has no direction.
int eg_template_fuse(const struct eg_template *const *templates, const float *weights, size_t count,
		     struct eg_template *ret_template) EG_CHECKED;

// The int8 copy. *ret_error: length of what rounding took away, |x − scale · q|; by it a score
// computed from int8 copies is off by at most e₁ + (1 + e₁) · e₂. `t` must pass eg_template_check.
void eg_template_quantise(const struct eg_template *t, int8_t ret_values[EG_TEMPLATE_SIZE],
			  float *ret_scale, float *ret_error);

// Extractor: aligned 112×112 BGR → template. The mirrored image's output is added before the
// length is taken. `pack` must have FEATURE with a 112×112×3 input and 512 outputs
// (EG_EUNSUPPORTED otherwise); lent, outlives the object. One thread at a time. Nothing allocates
// after new. EG_EFOREIGN: the network gave a value that is not finite, or all zeros.
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
