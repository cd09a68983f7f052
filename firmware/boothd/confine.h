// SPDX-License-Identifier: Apache-2.0

#ifndef EG_BOOTHD_CONFINE_H
#define EG_BOOTHD_CONFINE_H

#include "firmware/boothd/config.h"

// Puts boothd's sandbox on (firmware/base/sandbox.h): the files that the configuration names,
// devices where it names a camera, reader or light, no network. Makes the state folder, and the
// light's log file, where they are missing. Before any thread. `path` is the file that the
// configuration was read from: the program may be executed anew and read it again. EG_EIO and what
// eg_sandbox_enter() returns.
int eg_boothd_confine(const struct eg_boothd_config *config, const char *path,
		      struct eg_err *err) EG_CHECKED;

#endif
