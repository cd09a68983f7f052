// SPDX-License-Identifier: Apache-2.0
//
// Writing a "certs-only" PKCS #7 message (RFC 5652 SignedData without signers, RFC 8951 §3): what
// EST answers with.
//
// Thread: any.

#ifndef EG_CENTRAL_PKCS7_H
#define EG_CENTRAL_PKCS7_H

#include "firmware/base/buf.h"

// Appends the DER of a message with these certificates (DER). EG_ETOOBIG: more than 64 kB.
int eg_pkcs7_put(const struct eg_bytes *certs, size_t count, struct eg_buf *der) EG_CHECKED;

#endif
