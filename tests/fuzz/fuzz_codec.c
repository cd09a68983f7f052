// SPDX-License-Identifier: Apache-2.0
// links: eg_drivers
//
// Foreign bytes as a picture: refused with a sentence, or an image within the limits.

#include <assert.h>

#include "drivers/codec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct eg_codec_limits limits = {256, 64u << 10};
	struct eg_image image = {0};
	struct eg_err err = EG_ERR_INIT;

	if (eg_codec_decode(EG_BYTES(data, size), limits, &image, &err) == 0)
		assert(image.width >= 1 && image.width <= 256 && image.height >= 1 &&
		       image.height <= 256 && image.channels == 3);
	else
		assert(err.text[0] != '\0');
	eg_image_done(&image);
	return 0;
}
