// SPDX-License-Identifier: Apache-2.0
//
// Checking of travellers' exit receipts (store/exit_receipt.h) against the keys that booths sent.
// Nothing about who asks, or for what, is kept.
//
// Blocks on the disk. Thread: as ledger.h.

#ifndef EG_CENTRAL_RECEIPT_H
#define EG_CENTRAL_RECEIPT_H

#include "net/central/ledger.h"
#include "store/exit_receipt.h"

// `text` as the QR code has it. EG_EINVAL: not a receipt, or cut short. EG_EAUTH: not by a booth of
// this centre, changed, or given out by a booth after it was revoked. In both cases the sentence is
// for the person who asked.
int eg_receipt_check(struct eg_ledger *ledger, struct eg_bytes text,
		     struct eg_exit_receipt *ret_receipt, struct eg_err *err) EG_CHECKED;

// What `how` means to a person: "confirmed by the booth", ….
const char *eg_receipt_how(enum eg_exit_how how);

#endif
