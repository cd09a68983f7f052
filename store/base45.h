// SPDX-License-Identifier: Apache-2.0
//
// Base45 (RFC 9285): bytes in the 45 characters that QR codes hold most densely. Thread: any.

#ifndef EG_BASE45_H
#define EG_BASE45_H

#include "firmware/base/buf.h"

// Characters for `size` bytes.
#define EG_BASE45_SIZE(size) ((size) / 2 * 3 + (size) % 2 * 2)

// Appends the characters, without NUL. EG_ETOOBIG, EG_ENOMEM.
int eg_base45_encode(struct eg_bytes bytes, struct eg_buf *out) EG_CHECKED;

// Appends the bytes. EG_EINVAL, and nothing appended: a character outside the alphabet, a length
// that no bytes have, a group that stands for more than its bytes hold.
int eg_base45_decode(struct eg_bytes text, struct eg_buf *out) EG_CHECKED;

#endif
