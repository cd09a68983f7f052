// SPDX-License-Identifier: Apache-2.0
//
// People who work at a booth, as the policy names them. No PIN is here, only its Argon2id hash
// (RFC 9106), which firmware/pin makes and compares: parameters fixed below, OWASP's for 19 MiB
// with one pass more.
//
// Thread: any.

#ifndef EG_ACCOUNT_H
#define EG_ACCOUNT_H

#include "store/manifest.h"

#define EG_ACCOUNT_DISPLAY_MAX 64 // with NUL
#define EG_PIN_MIN	       6  // digits
#define EG_PIN_MAX	       12
#define EG_PIN_SALT_SIZE       16
#define EG_PIN_HASH_SIZE       32
#define EG_PIN_PASSES	       3
#define EG_PIN_MEMORY_KIB      19456u
#define EG_PIN_LANES	       1

// Numbers are in policies: never renumber, only append.
enum eg_role {
	EG_ROLE_OFFICER = 1,
	EG_ROLE_SUPERVISOR = 2,
	EG_ROLE_TECHNICIAN = 3, // never sees a face or a name
	EG_ROLE_COUNT,
};
const char *eg_role_name(enum eg_role role); // "officer", …; "unknown"
int eg_role_find(const char *name);	     // −1: none of that name

struct eg_account {
	char name[EG_NAME_MAX]; // what stands on the badge, and what eg_actor_of takes
	char display[EG_ACCOUNT_DISPLAY_MAX];
	enum eg_role role;
	uint8_t salt[EG_PIN_SALT_SIZE];
	uint8_t hash[EG_PIN_HASH_SIZE];
	bool has_certificate;
	uint8_t certificate[EG_SHA256_SIZE]; // of the client certificate's DER
};

// 6 to 12 digits and nothing else.
bool eg_pin_is_form(const char *pin);
// EG_EINVAL with a sentence: not of that form, or among the first that anybody tries (one digit
// over and over, digits in a row, a piece of up to three repeated).
int eg_pin_check_new(const char *pin, struct eg_err *err) EG_CHECKED;

#endif
