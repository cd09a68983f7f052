// SPDX-License-Identifier: Apache-2.0
// links: eg_drivers
//
// Machine-readable zones: whatever is accepted has its strings ended and its fields filled.

#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "drivers/mrz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct eg_mrz mrz;

	if (eg_mrz_parse(EG_BYTES(data, size), &mrz, NULL) == 0) {
		assert(strlen(mrz.birth) == 6 && strlen(mrz.expiry) == 6);
		assert(mrz.number[0] && strlen(mrz.number) < sizeof(mrz.number));
		assert(strlen(mrz.surname) < sizeof(mrz.surname));
		assert(strlen(mrz.given) < sizeof(mrz.given));
		assert(mrz.sex && strchr("MFX", mrz.sex));
	}
	return 0;
}
