// SPDX-License-Identifier: Apache-2.0
//
// Names of lights and the table of backends. Thread: any.

#include "drivers/signal.h"

#include <stddef.h>
#include <string.h>

const char *eg_light_name(enum eg_light light)
{
	static const char *const names[] = {
		[EG_LIGHT_OFF] = "off",
		[EG_LIGHT_GREEN] = "green",
		[EG_LIGHT_BLUE] = "blue",
	};

	return (size_t)light < sizeof(names) / sizeof(names[0]) ? names[light] : "off";
}

const struct eg_signal_ops *eg_signal_backend(const char *name)
{
	static const struct eg_signal_ops *const backends[] = {
		&eg_signal_gpio,
		&eg_signal_record,
	};

	for (size_t i = 0; i < sizeof(backends) / sizeof(backends[0]); i++)
		if (strcmp(backends[i]->name, name) == 0)
			return backends[i];
	return NULL;
}
