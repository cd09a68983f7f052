// SPDX-License-Identifier: Apache-2.0

#include "drivers/camera.h"

#include <stdatomic.h>
#include <string.h>

#include "drivers/frame_internal.h"

const struct eg_camera_ops eg_camera_libcamera = {
	.name = "libcamera",
	.open = eg_camera_libcamera_open,
	.start = eg_camera_libcamera_start,
	.stop = eg_camera_libcamera_stop,
	.stats = eg_camera_libcamera_stats,
	.close = eg_camera_libcamera_close,
};

uint32_t eg_camera_generation(void)
{
	static atomic_uint last; // over all cameras, so that opening one again also raises it

	return atomic_fetch_add(&last, 1) + 1;
}

int eg_camera_check(const struct eg_camera_config *config, struct eg_err *err)
{
	if (config->frame_rate < 1 || config->frame_rate > 120)
		return eg_err_set(err, EG_EINVAL, "camera frame rate %d: give 1 to 120 a second",
				  config->frame_rate);
	return 0;
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
