// SPDX-License-Identifier: Apache-2.0
//
// Between codec.c, codec_j2k.c and codec_desk.c.

#ifndef EG_CODEC_INTERNAL_H
#define EG_CODEC_INTERNAL_H

#include "drivers/codec.h"

// EG_EINVAL for an empty picture, EG_ETOOBIG over side_max, each with a sentence.
int eg_codec_check_size(uint64_t width, uint64_t height, int side_max,
			struct eg_err *err) EG_CHECKED;

int eg_codec_decode_j2k(struct eg_bytes bytes, int side_max, struct eg_image *image,
			struct eg_err *err) EG_CHECKED;

#endif
