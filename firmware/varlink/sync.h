// SPDX-License-Identifier: Apache-2.0
//
// The Varlink interface io.egress.Sync, as syncd serves it. The text for readers is
// io.egress.Sync.varlink beside this file; a test compares the two.

#ifndef EG_VARLINK_SYNC_H
#define EG_VARLINK_SYNC_H

#include <systemd/sd-varlink-idl.h>
#include <systemd/sd-varlink.h>

extern const sd_varlink_interface vl_interface_io_egress_Sync;

#endif
