// SPDX-License-Identifier: Apache-2.0

#ifndef EG_SYNCD_CONFINE_H
#define EG_SYNCD_CONFINE_H

#include "firmware/syncd/config.h"

// Puts syncd's sandbox on (firmware/base/sandbox.h): the files that the configuration names, name
// service, network connections out, nobody's in. Makes the state folder where it is missing.
// Before any thread. `path` is the file that the configuration was read from:
// the program may be executed anew and read it again. EG_EIO and what eg_sandbox_enter() returns.
int syncd_confine(const struct config *config, const char *path, struct eg_err *err) EG_CHECKED;

#endif
