// SPDX-License-Identifier: Apache-2.0
//
// How good a face is for comparison: components under the names of ISO/IEC 29794-5, each 0 … 100,
// and one score. Cheap: everything is read off the landmarks and the aligned 112×112 face. Inside
// capture/ only.
//
// Thread: any.

#ifndef EG_QUALITY_H
#define EG_QUALITY_H

#include "capture/capture.h"

struct eg_quality_place {  // what surrounds the face
	int width, height; // of the picture
	size_t faces;	   // in it
};

// Fills face->quality. The face has landmarks; `aligned` is its 112×112 BGR picture.
void eg_quality_measure(struct eg_face *face, const struct eg_image *aligned,
			struct eg_quality_place place);

// What the traveller could do about the worst component. NONE when there is nothing to say.
enum eg_hint eg_quality_hint(const struct eg_face *face, float inter_eye_min_px);

#endif
