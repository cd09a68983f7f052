// SPDX-License-Identifier: Apache-2.0
//
// syncd's Varlink side: serves io.egress.Sync, and tells boothd when a manifest came or went.
//
// Thread: the main thread's event loop.

#ifndef EG_SYNCD_SERVE_H
#define EG_SYNCD_SERVE_H

#include <systemd/sd-event.h>

#include "firmware/syncd/worker.h"

struct serve;

// Listens at config->socket (mode 0660: who may connect is the folder's and the group's business).
// `worker` and `config` must outlive it.
int serve_start(sd_event *event, const struct config *config, struct worker *worker,
		struct serve **ret_serve, struct eg_err *err) EG_CHECKED;
void serve_stop(struct serve *serve); // takes NULL

#endif
