// SPDX-License-Identifier: Apache-2.0
// links: eg_drivers
//
// Boarding passes: whatever is accepted has 1 to 4 legs with days and airports.

#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "drivers/bcbp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct eg_bcbp pass;

	if (eg_bcbp_parse(EG_BYTES(data, size), &pass, NULL) == 0) {
		assert(pass.leg_count >= 1 && pass.leg_count <= EG_BCBP_LEGS_MAX);
		for (size_t i = 0; i < pass.leg_count; i++) {
			assert(pass.legs[i].day_of_year >= 1 && pass.legs[i].day_of_year <= 366);
			assert(strlen(pass.legs[i].from) == 3 && strlen(pass.legs[i].to) == 3);
		}
	}
	return 0;
}
