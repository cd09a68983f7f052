// SPDX-License-Identifier: Apache-2.0
// links: eg_codec_desk
//
// What desk tools read beside the booth's formats: PNG. Sizes that are let through but take seconds
// to decode are left out.

#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "drivers/codec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define SIDE_FAST 300

static unsigned int side(const uint8_t *at)
{
	return (unsigned int)at[0] << 24 | (unsigned int)at[1] << 16 | (unsigned int)at[2] << 8 |
	       at[3];
}

// The header is the first chunk: width at byte 16, height at byte 20.
static bool slow(const uint8_t *data, size_t size)
{
	return size >= 24 && (side(data + 16) > SIDE_FAST || side(data + 20) > SIDE_FAST) &&
	       side(data + 16) <= 8192 && side(data + 20) <= 8192;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct eg_image image = {0};
	struct eg_err err = EG_ERR_INIT;
	char path[64];
	int fd, r;

	if (size < 8 || memcmp(data, "\x89PNG\r\n\x1a\n", 8) != 0 || slow(data, size))
		return 0;
	fd = memfd_create("png", MFD_CLOEXEC);
	if (fd < 0 || write(fd, data, size) != (ssize_t)size)
		return -1;
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	r = eg_codec_load_desk(path, &image, &err);
	(void)close(fd);
	if (r == 0)
		assert(image.width >= 1 && image.width <= SIDE_FAST && image.height >= 1 &&
		       image.height <= SIDE_FAST && image.channels == 3);
	else
		assert(err.code == r && err.text[0] != '\0');
	eg_image_done(&image);
	return 0;
}
