// SPDX-License-Identifier: Apache-2.0

#ifndef CONSOLED_CONFINE_H
#define CONSOLED_CONFINE_H

#include "firmware/consoled/config.h"

// Puts consoled's sandbox on (firmware/base/sandbox.h): its two ports, connections in, none out;
// its own folder for writing; no camera, no database. Before any thread. `path` is the file that
// the configuration was read from: the program may be executed anew and read it again. What
// eg_sandbox_enter() returns.
int consoled_confine(const struct config *config, const char *path, struct eg_err *err) EG_CHECKED;

#endif
