// SPDX-License-Identifier: Apache-2.0
//
// Holds boothd's live view for a while and prints a line a picture, ten a second at most:
//
//	live SEQUENCE WIDTHxHEIGHT [TRACK:served|other:SHARPNESS]...
//	resting|none NONZERO_BYTES
//
// SHARPNESS: mean difference between neighbouring pixels in the face's box.

#ifndef BOOTH_VIEW_H
#define BOOTH_VIEW_H

#include "firmware/base/err.h"

int booth_view(const char *socket, double seconds, struct eg_err *err);

#endif
