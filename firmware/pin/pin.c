// SPDX-License-Identifier: Apache-2.0
//
// See pin.h.

#include "firmware/pin/pin.h"

#include <argon2.h>
#include <string.h>

#include "firmware/base/mem.h"

int eg_pin_hash(const char *pin, const uint8_t salt[EG_PIN_SALT_SIZE],
		uint8_t ret_hash[EG_PIN_HASH_SIZE], struct eg_err *err)
{
	int r;

	if (!eg_pin_is_form(pin))
		return eg_err_set(err, EG_EINVAL, "a PIN has %d to %d digits", EG_PIN_MIN,
				  EG_PIN_MAX);
	r = argon2id_hash_raw(EG_PIN_PASSES, EG_PIN_MEMORY_KIB, EG_PIN_LANES, pin, strlen(pin),
			      salt, EG_PIN_SALT_SIZE, ret_hash, EG_PIN_HASH_SIZE);
	if (r == ARGON2_OK)
		return 0;
	return eg_err_set(err, r == ARGON2_MEMORY_ALLOCATION_ERROR ? EG_ENOMEM : EG_EFOREIGN,
			  "Argon2id: %s", argon2_error_message(r));
}

int eg_pin_verify(const char *pin, const struct eg_account *account, struct eg_err *err)
{
	static const struct eg_account nobody; // whom no PIN opens, whatever its hash is
	const struct eg_account *a = account != NULL ? account : &nobody;
	uint8_t hash[EG_PIN_HASH_SIZE];
	bool same;
	int r = eg_pin_hash(pin, a->salt, hash, err);

	if (r != 0)
		return r;
	same = eg_equal_ct(hash, a->hash, sizeof(hash));
	eg_wipe(hash, sizeof(hash));
	if (same && account != NULL)
		return 0;
	return eg_err_set(err, EG_EAUTH, "badge and PIN do not belong together");
}
