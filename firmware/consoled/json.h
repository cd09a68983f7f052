// SPDX-License-Identifier: Apache-2.0
//
// Fields of JSON that comes from boothd and syncd, or what stands for one that is missing.
// Thread: any.

#ifndef CONSOLED_JSON_H
#define CONSOLED_JSON_H

#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-json.h>

const char *json_text(sd_json_variant *object, const char *key); // "" when it is none
uint64_t json_number(sd_json_variant *object, const char *key);	 // 0 when it is none
bool json_true(sd_json_variant *object, const char *key);
sd_json_variant *json_field(sd_json_variant *object, const char *key); // NULL: missing, or null

#endif
