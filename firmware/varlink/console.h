// SPDX-License-Identifier: Apache-2.0
//
// The Varlink interface io.egress.Console, as boothd serves it to consoled only. The text for
// readers is io.egress.Console.varlink beside this file; a test compares the two.

#ifndef EG_VARLINK_CONSOLE_H
#define EG_VARLINK_CONSOLE_H

#include <systemd/sd-varlink.h>
#include <systemd/sd-varlink-idl.h>

extern const sd_varlink_interface vl_interface_io_egress_Console;

#endif
