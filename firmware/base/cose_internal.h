// SPDX-License-Identifier: Apache-2.0
//
// What COSE_Sign1 signs, for cose.c and for the test that checks it against published messages.

#ifndef EG_COSE_INTERNAL_H
#define EG_COSE_INTERNAL_H

#include "firmware/base/cose.h"

// Appends the Sig_structure of RFC 9052 §4.4. `protected` is the encoded header, empty for none.
int eg_cose_put_structure(struct eg_buf *buf, struct eg_bytes protected, struct eg_bytes aad,
			  struct eg_bytes payload) EG_CHECKED;

#endif
