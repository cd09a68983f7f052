// SPDX-License-Identifier: Apache-2.0

#include "drivers/camera.h"

#include <stdatomic.h>
#include <string.h>

#include "drivers/frame_internal.h"

uint32_t eg_camera_generation(void)
{
	static atomic_uint last; // over all cameras, so that opening one again also raises it

	return atomic_fetch_add(&last, 1) + 1;
}

const struct eg_camera_ops *eg_camera_backend(const char *name)
{
	static const struct eg_camera_ops *const backends[] = {&eg_camera_libcamera,
							       &eg_camera_folder};

	for (size_t i = 0; i < sizeof(backends) / sizeof(backends[0]); i++)
		if (strcmp(backends[i]->name, name) == 0)
			return backends[i];
	return NULL;
}
