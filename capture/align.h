// SPDX-License-Identifier: Apache-2.0
//
// Geometry on landmarks: the five points, the similarity transform, the pose. Inside capture/ and
// match/ (careful extraction shifts the map a little); eg_align is in capture.h.
//
// Thread: any.

#ifndef EG_ALIGN_H
#define EG_ALIGN_H

#include "capture/capture.h"
#include "capture/sample.h"

// Centres of the eyes (image left first), nose tip, corners of the mouth (image left first).
void eg_align_points(const struct eg_face *face, struct eg_point ret_points[5]);

// Where these five lie in a 112×112 picture (InsightFace's arcface_dst).
extern const struct eg_point eg_align_targets[5];

// The similarity transform (turn, uniform scale, shift) that takes `from` to `to` with the least
// sum of squares (Umeyama 1991, without reflection), given as the map from `to` back to `from`
// that eg_sample wants. EG_EINVAL: the points fall together or are not finite.
int eg_align_map(const struct eg_point *from, const struct eg_point *to, size_t count,
		 struct eg_affine *ret_map) EG_CHECKED;

// eg_align with a scratch picture that the caller keeps, so that no frame allocates.
int eg_align_into(const struct eg_image *image, const struct eg_face *face,
		  struct eg_image *scratch, struct eg_image *ret_aligned) EG_CHECKED;

// Angles of the head from rigid landmarks by weak perspective (DeMenthon & Davis 1995, first step):
// degrees, signs as in face.h.
void eg_align_pose(const struct eg_face *face, float *ret_yaw, float *ret_pitch, float *ret_roll);

#endif
