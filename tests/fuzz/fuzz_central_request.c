// SPDX-License-Identifier: Apache-2.0
// links: eg_central
//
// Any bytes as a certificate request.

#include "net/central/ca.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t pub[EG_P256_PUB_SIZE];
	struct eg_err err = EG_ERR_INIT;
	static bool ready;
	if (!ready && eg_crypto_init(&err) != 0)
		return 0;
	ready = true;
	(void)!eg_ca_read_request(EG_BYTES(data, size), "lane-1", pub, &err);
	return 0;
}
