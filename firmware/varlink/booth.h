// SPDX-License-Identifier: Apache-2.0
//
// The Varlink interface io.egress.Booth, as boothd serves it. The text for readers is
// io.egress.Booth.varlink beside this file; a test compares the two.

#ifndef EG_VARLINK_BOOTH_H
#define EG_VARLINK_BOOTH_H

#include <systemd/sd-varlink.h>
#include <systemd/sd-varlink-idl.h>

extern const sd_varlink_interface vl_interface_io_egress_Booth;

#endif
