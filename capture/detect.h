// SPDX-License-Identifier: Apache-2.0
//
// Where faces are in a picture, and their 68 landmarks. Inside capture/ only.
//
// Thread: one; the object holds the networks' inputs and scratch pictures.

#ifndef EG_DETECT_H
#define EG_DETECT_H

#include "capture/face.h"
#include "capture/pack.h"
#include "capture/sample.h"

#define EG_DETECTIONS_MAX 64

struct eg_detection {
	struct eg_box box;
	float score;
};

struct eg_detector;

// `pack` must have DETECT and LANDMARK loaded; lent, outlives the object.
int eg_detector_new(struct eg_pack *pack, struct eg_detector **ret_detector,
		    struct eg_err *err) EG_CHECKED;
void eg_detector_free(struct eg_detector *detector); // takes NULL

// One look at `region` of the image, which may reach outside of it (grey there). Boxes by falling
// score, none overlapping another by more than 0.4 of their union, at most EG_DETECTIONS_MAX.
int eg_detector_look(struct eg_detector *detector, const struct eg_image *image,
		     struct eg_box region, float threshold, struct eg_detection *ret_found,
		     size_t *ret_count, struct eg_err *err) EG_CHECKED;

// Another look at a part of the same image: adds the faces that are in it and not in `found` yet.
// Boxes that the region's border cuts are left out; a face that was found already keeps its box.
int eg_detector_look_again(struct eg_detector *detector, const struct eg_image *image,
			   struct eg_box region, float threshold, struct eg_detection *found,
			   size_t *count, struct eg_err *err) EG_CHECKED;

// Looks harder at a still picture: where the whole shows nothing, with a margin round it (a face
// that fills the picture), then at its quarters (small faces), then again at full contrast and
// smoothed.
int eg_detector_search(struct eg_detector *detector, const struct eg_image *image, float threshold,
		       struct eg_detection *ret_found, size_t *ret_count,
		       struct eg_err *err) EG_CHECKED;

// Fills face->landmark from face->box: two crops, then two more from the box of those points, and
// the mean of all.
int eg_detector_landmarks(struct eg_detector *detector, const struct eg_image *image,
			  struct eg_face *face, struct eg_err *err) EG_CHECKED;

#endif
