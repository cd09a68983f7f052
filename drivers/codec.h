// SPDX-License-Identifier: Apache-2.0
//
// Still images: JPEG (libjpeg-turbo) and JPEG 2000 (OpenJPEG) in, JPEG out. Sizes are checked
// from the header before a pixel is decoded. EXIF orientation is applied.
//
// Untrusted input: everything here takes bytes from strangers. Thread: any.

#ifndef EG_CODEC_H
#define EG_CODEC_H

#include "drivers/image.h"

struct eg_codec_limits {
	int side_max;	  // pixels, each way
	size_t bytes_max; // of the encoded input
};

// 8192 px, 32 MB: desk tools. Reference photos on a booth use {4096, 4 MB}.
#define EG_CODEC_LIMITS_DESK  ((struct eg_codec_limits){8192, 32u << 20})
#define EG_CODEC_LIMITS_BOOTH ((struct eg_codec_limits){4096, 4u << 20})

// Decodes into BGR, choosing by the first bytes. EG_EINVAL: not an image, or truncated or damaged;
// EG_EUNSUPPORTED: an image format we do not read; EG_ETOOBIG. `image` is zeroed or initialised.
int eg_codec_decode(struct eg_bytes bytes, struct eg_codec_limits limits, struct eg_image *image,
		    struct eg_err *err) EG_CHECKED;

// Reads and decodes a file; error texts name it. Desk tools also read PNG (libpng) through
// eg_codec_load_desk, which is in the library `eg_codec_desk` and never linked into a booth's
// program.
int eg_codec_load(const char *path, struct eg_codec_limits limits, struct eg_image *image,
		  struct eg_err *err) EG_CHECKED;
int eg_codec_load_desk(const char *path, struct eg_image *image, struct eg_err *err) EG_CHECKED;

// Appends a JPEG of `image` (BGR or grey), quality 1 … 100.
int eg_codec_encode_jpeg(const struct eg_image *image, int quality, struct eg_buf *out,
			 struct eg_err *err) EG_CHECKED;

#endif
