// SPDX-License-Identifier: Apache-2.0
//
// Hashing of PINs: Argon2id (RFC 9106) with the parameters of store/account.h, by libargon2. The
// only user of that library; for `centralctl`, which makes hashes, and `consoled`, which compares.
//
// Thread: any. Takes 19 MiB and some 50 ms of the calling thread each time.

#ifndef EG_PIN_H
#define EG_PIN_H

#include "store/account.h"

// EG_EINVAL: not 6 to 12 digits. EG_ENOMEM.
int eg_pin_hash(const char *pin, const uint8_t salt[EG_PIN_SALT_SIZE],
		uint8_t ret_hash[EG_PIN_HASH_SIZE], struct eg_err *err) EG_CHECKED;

// 0 when the PIN is the account's, EG_EAUTH when not, compared in constant time. `account` NULL is
// for a badge that nobody has: takes the same time, and is EG_EAUTH.
int eg_pin_verify(const char *pin, const struct eg_account *account, struct eg_err *err) EG_CHECKED;

#endif
