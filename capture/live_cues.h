// SPDX-License-Identifier: Apache-2.0
//
// Signs of a presentation attack that need no model. Each cue is measured on one look at a face;
// what they are worth together is in liveness.c. Inside capture/, and for eg-eval.
//
// Thread: any, with its own scratch.

#ifndef EG_LIVE_CUES_H
#define EG_LIVE_CUES_H

#include "capture/face.h"
#include "capture/sample.h"

enum eg_live_cue {
	EG_LIVE_PEAK,	// highest peak of the fine spectrum, in deviations: dots, pixels, moiré
	EG_LIVE_BORDER, // the second clearest of three straight lines round the face, 0 … 1
	EG_LIVE_GLARE,	// part of the face that is blown out, 0 … 1
	EG_LIVE_CUES,
};
extern const char *const eg_live_cue_names[EG_LIVE_CUES];

// Of the transform: window, twiddle factors, order.
struct eg_live_tables {
	float hann[64], cosine[64], sine[64];
	uint8_t reversed[64];
};
void eg_live_tables_make(struct eg_live_tables *tables);

struct eg_live_scratch { // zeroed; grown once
	struct eg_image small, colour, grey;
	struct eg_live_tables tables;
	float *plane; // three of 64×64
};
int eg_live_scratch_init(struct eg_live_scratch *scratch) EG_CHECKED; // EG_ENOMEM
void eg_live_scratch_done(struct eg_live_scratch *scratch);

// Periodic detail of the face, at the picture's own resolution. 0 for a picture under 64 pixels.
float eg_live_peak(const struct eg_image *image, struct eg_box face,
		   struct eg_live_scratch *scratch);

// Straight edges of a sheet or device left, right and above.
int eg_live_border(const struct eg_image *image, struct eg_box face,
		   struct eg_live_scratch *scratch, float *ret_border) EG_CHECKED;

// What a flat, shiny surface throws back: blown out parts of the face.
int eg_live_glare(const struct eg_image *image, struct eg_box face, struct eg_live_scratch *scratch,
		  float *ret_glare) EG_CHECKED;

#endif
