// SPDX-License-Identifier: Apache-2.0
//
// Callbacks for libmicrohttpd, and how it is to read requests.

#ifndef CENTRALD_GATES_H
#define CENTRALD_GATES_H

#include "net/central/centrald/request.h"

enum MHD_Result gates_access(void *user, struct MHD_Connection *connection, const char *url,
			     const char *method, const char *version, const char *data,
			     size_t *size, void **state);
void gates_completed(void *user, struct MHD_Connection *connection, void **state,
		     enum MHD_RequestTerminationCode code);

// Whatever the transport: escapes in a path are kept, headers bounded.
extern const struct MHD_OptionItem gates_options[];

#endif
