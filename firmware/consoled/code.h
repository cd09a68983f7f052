// SPDX-License-Identifier: Apache-2.0
//
// An exit receipt as a QR code (ISO/IEC 18004), by libqrencode, drawn as SVG.
//
// Thread: any.

#ifndef CONSOLED_CODE_H
#define CONSOLED_CODE_H

#include "firmware/base/buf.h"

// Appends an SVG image of `text`, quiet zone included. EG_ETOOBIG: more than a code can hold;
// EG_ENOMEM.
int code_svg(const char *text, struct eg_buf *out, struct eg_err *err) EG_CHECKED;

#endif
