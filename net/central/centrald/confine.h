// SPDX-License-Identifier: Apache-2.0

#ifndef CENTRALD_CONFINE_H
#define CENTRALD_CONFINE_H

#include "net/central/centrald/config.h"

// Puts centrald's sandbox on (firmware/base/sandbox.h): the centre's folder, its port, connections
// in, none out. Before any thread. `path` is the file that the configuration was read from:
// the program may be executed anew and read it again. What eg_sandbox_enter() returns.
int centrald_confine(const struct config *config, const char *path, struct eg_err *err) EG_CHECKED;

#endif
