// SPDX-License-Identifier: Apache-2.0
//
// See account.h. Thread: any.

#include "store/account.h"

#include <string.h>

static const char *const role_names[EG_ROLE_COUNT] = {
	[EG_ROLE_OFFICER] = "officer",
	[EG_ROLE_SUPERVISOR] = "supervisor",
	[EG_ROLE_TECHNICIAN] = "technician",
};

const char *eg_role_name(enum eg_role role)
{
	return role >= EG_ROLE_OFFICER && role < EG_ROLE_COUNT ? role_names[role] : "unknown";
}

int eg_role_find(const char *name)
{
	for (int role = EG_ROLE_OFFICER; role < EG_ROLE_COUNT; role++)
		if (strcmp(name, role_names[role]) == 0)
			return role;
	return -1;
}

bool eg_pin_is_form(const char *pin)
{
	size_t length = strnlen(pin, EG_PIN_MAX + 1);
	return length >= EG_PIN_MIN && length <= EG_PIN_MAX && strspn(pin, "0123456789") == length;
}

// The same piece of `period` digits all along: 000000, 121212, 123123.
static bool repeats(const char *pin, size_t period)
{
	for (size_t i = period; pin[i] != '\0'; i++)
		if (pin[i] != pin[i - period])
			return false;
	return true;
}

// Each digit `step` above the one before, 0 behind 9: 345678, 890123, 987654.
static bool runs(const char *pin, int step)
{
	for (size_t i = 1; pin[i] != '\0'; i++)
		if ((pin[i] - pin[i - 1] - step) % 10 != 0)
			return false;
	return true;
}

int eg_pin_check_new(const char *pin, struct eg_err *err)
{
	if (!eg_pin_is_form(pin))
		return eg_err_set(err, EG_EINVAL, "a PIN is %d to %d digits", EG_PIN_MIN,
				  EG_PIN_MAX);
	if (repeats(pin, 1) || repeats(pin, 2) || repeats(pin, 3) || runs(pin, 1) || runs(pin, -1))
		return eg_err_set(err, EG_EINVAL,
				  "this PIN is among the first that anybody tries: choose one "
				  "without digits that repeat or follow each other");
	return 0;
}
