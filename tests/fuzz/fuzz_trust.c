// SPDX-License-Identifier: Apache-2.0
// links: eg_store
//
// trust.json and the provision file.

#include <stdlib.h>
#include <string.h>

#include "store/trust.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct eg_trust trust;
	struct eg_err err = EG_ERR_INIT;
	if (eg_crypto_init(&err) != 0)
		return 0;
	if (eg_trust_parse(EG_BYTES(data, size), &trust, &err) != 0)
		return 0;
	if (!eg_name_is_valid(trust.booth) || trust.sign_count == 0 ||
	    strncmp(trust.url, "https://", 8) != 0)
		abort();
	return 0;
}
