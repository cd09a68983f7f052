// SPDX-License-Identifier: Apache-2.0
//
// The light a traveller walks by: green = go, blue = please see an officer, off. There is no red.
// Backends: `eg_signal_gpio` (two lines through libgpiod; never both on, off when the program
// ends) and `eg_signal_record` (remembers, for tests; also writes each change to a file).
//
// Thread: one at a time.

#ifndef EG_SIGNAL_H
#define EG_SIGNAL_H

#include "firmware/base/err.h"

enum eg_light {
	EG_LIGHT_OFF,
	EG_LIGHT_GREEN,
	EG_LIGHT_BLUE
};

struct eg_signal; // backend's

struct eg_signal_ops {
	const char *name; // "gpio", "record"
	// gpio: "gpiochip0:17:27" (chip, green line, blue line); record: path of a log file or "".
	int (*open)(const char *source, struct eg_signal **ret_signal, struct eg_err *err);
	int (*set)(struct eg_signal *signal, enum eg_light light, struct eg_err *err);
	enum eg_light (*get)(const struct eg_signal *signal);
	void (*close)(struct eg_signal *signal); // takes NULL; puts the light off
};

extern const struct eg_signal_ops eg_signal_gpio;
extern const struct eg_signal_ops eg_signal_record;
const struct eg_signal_ops *eg_signal_backend(const char *name);

const char *eg_light_name(enum eg_light light); // "off", "green", "blue"

#endif
