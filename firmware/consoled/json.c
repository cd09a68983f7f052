// SPDX-License-Identifier: Apache-2.0

#include "firmware/consoled/json.h"

sd_json_variant *json_field(sd_json_variant *object, const char *key)
{
	sd_json_variant *field = sd_json_variant_by_key(object, key);

	return field == NULL || sd_json_variant_is_null(field) ? NULL : field;
}

const char *json_text(sd_json_variant *object, const char *key)
{
	sd_json_variant *field = json_field(object, key);

	return field != NULL && sd_json_variant_is_string(field) ? sd_json_variant_string(field)
								 : "";
}

uint64_t json_number(sd_json_variant *object, const char *key)
{
	sd_json_variant *field = json_field(object, key);

	return field != NULL && sd_json_variant_is_unsigned(field) ? sd_json_variant_unsigned(field)
								   : 0;
}

bool json_true(sd_json_variant *object, const char *key)
{
	sd_json_variant *field = json_field(object, key);

	return field != NULL && sd_json_variant_is_boolean(field) &&
	       sd_json_variant_boolean(field) != 0;
}
