// SPDX-License-Identifier: Apache-2.0
//
// A light that only remembers, for tests and the demo: each change is also one line ("green") at
// the end of a log file, when one was named.
//
// Thread: one at a time.

#include "drivers/signal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "firmware/base/mem.h"

struct eg_signal {
	enum eg_light light;
	int fd; // -1: no log
};

static int record_open(const char *source, struct eg_signal **ret_signal, struct eg_err *err)
{
	struct eg_signal *signal = eg_calloc(1, sizeof(*signal));

	if (!signal)
		return eg_err_set(err, EG_ENOMEM, "signal record: out of memory");
	signal->fd = -1;
	if (source[0] != '\0') {
		signal->fd = open(source, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
		if (signal->fd < 0) {
			int error = errno;

			free(signal);
			return eg_err_errno(err, error, "signal record %s", source);
		}
	}
	*ret_signal = signal;
	return 0;
}

static int record_set(struct eg_signal *signal, enum eg_light light, struct eg_err *err)
{
	char line[16];
	int size;

	if (light == signal->light)
		return 0;
	size = snprintf(line, sizeof(line), "%s\n", eg_light_name(light));
	if (signal->fd >= 0) {
		ssize_t n = write(signal->fd, line, (size_t)size);

		if (n != size)
			return eg_err_errno(err, n < 0 ? errno : EIO, "signal record: log file");
	}
	signal->light = light;
	return 0;
}

static enum eg_light record_get(const struct eg_signal *signal)
{
	return signal->light;
}

static void record_close(struct eg_signal *signal)
{
	if (!signal)
		return;
	(void)!record_set(signal, EG_LIGHT_OFF, NULL);
	if (signal->fd >= 0)
		(void)close(signal->fd);
	free(signal);
}

const struct eg_signal_ops eg_signal_record = {
	.name = "record",
	.open = record_open,
	.set = record_set,
	.get = record_get,
	.close = record_close,
};
