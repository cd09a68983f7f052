// SPDX-License-Identifier: Apache-2.0
//
// Callbacks for libmicrohttpd.

#ifndef CENTRALD_GATES_H
#define CENTRALD_GATES_H

#include "net/central/centrald/request.h"

enum MHD_Result gates_access(void *user, struct MHD_Connection *connection, const char *url,
			     const char *method, const char *version, const char *data,
			     size_t *size, void **state);
void gates_completed(void *user, struct MHD_Connection *connection, void **state,
		     enum MHD_RequestTerminationCode code);

#endif
