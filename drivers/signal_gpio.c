// SPDX-License-Identifier: Apache-2.0
//
// The light on two output lines of a GPIO chip (libgpiod 2), active high. Both are put off before
// one is put on, so never both shine. Closing puts them off; after a crash the lines keep their
// level until the next start opens them, which puts them off.
//
// Thread: one at a time. Calls do not block.

#include "drivers/signal.h"

#include <errno.h>
#include <gpiod.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "firmware/base/mem.h"

#define PATH_MAX_BYTES 128

struct eg_signal {
	struct gpiod_line_request *request;
	unsigned int green, blue;
	enum eg_light light;
	char path[PATH_MAX_BYTES];
};

// ---- "gpiochip0:17:27" ----------------------------------------------------------------------

static bool parse_line(const char **at, unsigned int *ret_line)
{
	unsigned int line = 0;
	int digits = 0;

	if (**at != ':')
		return false;
	(*at)++;
	while (**at >= '0' && **at <= '9' && digits < 5) {
		line = line * 10 + (unsigned int)(**at - '0');
		(*at)++;
		digits++;
	}
	*ret_line = line;
	return digits > 0;
}

static int parse_source(const char *source, struct eg_signal *signal, struct eg_err *err)
{
	size_t name = strcspn(source, ":");
	const char *at = source + name;
	int n = snprintf(signal->path, sizeof(signal->path), "%s%.*s",
			 source[0] == '/' ? "" : "/dev/",
			 name < PATH_MAX_BYTES ? (int)name : PATH_MAX_BYTES, source);

	if (name == 0 || n < 0 || (size_t)n >= sizeof(signal->path) ||
	    !parse_line(&at, &signal->green) || !parse_line(&at, &signal->blue) || *at != '\0')
		return eg_err_set(
			err, EG_EINVAL,
			"signal \"%.100s\": not CHIP:GREEN:BLUE, for example gpiochip0:17:27",
			source);
	if (signal->green == signal->blue)
		return eg_err_set(err, EG_EINVAL,
				  "signal \"%.100s\": green and blue are the same line", source);
	return 0;
}

// ---- the chip -------------------------------------------------------------------------------

static int request_lines(struct eg_signal *signal, struct gpiod_chip *chip, struct eg_err *err)
{
	struct gpiod_line_settings *settings = gpiod_line_settings_new();
	struct gpiod_line_config *lines = gpiod_line_config_new();
	struct gpiod_request_config *request = gpiod_request_config_new();
	const unsigned int offsets[2] = {signal->green, signal->blue};
	int r = 0;

	if (!settings || !lines || !request) {
		r = eg_err_set(err, EG_ENOMEM, "signal %s: out of memory", signal->path);
		goto out;
	}
	gpiod_request_config_set_consumer(request, "egress");
	if (gpiod_line_settings_set_direction(settings, GPIOD_LINE_DIRECTION_OUTPUT) == 0 &&
	    gpiod_line_settings_set_output_value(settings, GPIOD_LINE_VALUE_INACTIVE) == 0 &&
	    gpiod_line_config_add_line_settings(lines, offsets, 2, settings) == 0)
		signal->request = gpiod_chip_request_lines(chip, request, lines);
	if (!signal->request)
		r = eg_err_errno(err, errno, "signal %s: lines %u and %u", signal->path,
				 signal->green, signal->blue);
out:
	gpiod_request_config_free(request);
	gpiod_line_config_free(lines);
	gpiod_line_settings_free(settings);
	return r;
}

static int put(struct eg_signal *signal, unsigned int line, bool on, struct eg_err *err)
{
	enum gpiod_line_value value = on ? GPIOD_LINE_VALUE_ACTIVE : GPIOD_LINE_VALUE_INACTIVE;

	if (gpiod_line_request_set_value(signal->request, line, value) != 0)
		return eg_err_errno(err, errno, "signal %s: line %u", signal->path, line);
	return 0;
}

static int gpio_set(struct eg_signal *signal, enum eg_light light, struct eg_err *err)
{
	int green = put(signal, signal->green, false, err);
	int blue = put(signal, signal->blue, false, err); // also when the first one failed
	int r = green != 0 ? green : blue;

	if (r == 0)
		signal->light = EG_LIGHT_OFF;
	if (r == 0 && light != EG_LIGHT_OFF)
		r = put(signal, light == EG_LIGHT_GREEN ? signal->green : signal->blue, true, err);
	if (r == 0)
		signal->light = light;
	return r;
}

static enum eg_light gpio_get(const struct eg_signal *signal)
{
	return signal->light;
}

static void gpio_close(struct eg_signal *signal)
{
	if (!signal)
		return;
	if (signal->request) {
		(void)!gpio_set(signal, EG_LIGHT_OFF, NULL);
		gpiod_line_request_release(signal->request);
	}
	free(signal);
}

static int gpio_open(const char *source, struct eg_signal **ret_signal, struct eg_err *err)
{
	struct eg_signal *signal = eg_calloc(1, sizeof(*signal));
	struct gpiod_chip *chip = NULL;
	int r;

	if (!signal)
		return eg_err_set(err, EG_ENOMEM, "signal: out of memory");
	r = parse_source(source, signal, err);
	if (r != 0)
		goto fail;
	chip = gpiod_chip_open(signal->path);
	if (!chip) {
		r = eg_err_errno(err, errno, "signal: GPIO chip %s", signal->path);
		goto fail;
	}
	r = request_lines(signal, chip, err);
	gpiod_chip_close(chip);
	if (r != 0)
		goto fail;
	*ret_signal = signal;
	return 0;
fail:
	gpio_close(signal);
	return r;
}

const struct eg_signal_ops eg_signal_gpio = {
	.name = "gpio",
	.open = gpio_open,
	.set = gpio_set,
	.get = gpio_get,
	.close = gpio_close,
};
