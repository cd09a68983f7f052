// SPDX-License-Identifier: Apache-2.0
//
// Who may sign in: the accounts of the policy in force. boothd hands the signed message over as
// the centre made it, and consoled verifies it itself: boothd cannot invent an officer.
//
// Thread: one.

#ifndef CONSOLED_ACCOUNTS_H
#define CONSOLED_ACCOUNTS_H

#include "store/policy.h"
#include "store/trust.h"

struct accounts {
	bool there; // a policy was verified
	struct eg_policy policy;
	uint8_t digest[EG_SHA256_SIZE]; // of its message
};

// Takes a signed policy. *ret_changed: it is another one than before. EG_EAUTH, EG_EINVAL,
// EG_ESTALE (older than what is known): what was known stays. An expired policy counts, as it does
// in boothd: a booth whose link is down must go on; that it is old, the officer's page shows.
int accounts_take(struct accounts *accounts, struct eg_bytes message, const struct eg_trust *trust,
		  bool *ret_changed, struct eg_err *err) EG_CHECKED;

const struct eg_account *accounts_by_badge(const struct accounts *accounts, const char *badge);
const struct eg_account *accounts_by_certificate(const struct accounts *accounts,
						 const uint8_t digest[EG_SHA256_SIZE]);
bool accounts_want_certificates(const struct accounts *accounts); // some account has one

#endif
