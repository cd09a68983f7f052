// SPDX-License-Identifier: Apache-2.0
// links: eg_central
//
// Any bytes as a list of travellers.

#include "net/central/roster.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct eg_roster roster = {0};
	struct eg_err err = EG_ERR_INIT;
	static bool ready;
	if (!ready && eg_crypto_init(&err) != 0)
		return 0;
	ready = true;
	if (eg_roster_read(EG_BYTES(data, size), &roster, &err) == 0)
		eg_roster_done(&roster);
	return 0;
}
