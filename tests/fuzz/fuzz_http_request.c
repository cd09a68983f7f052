// SPDX-License-Identifier: Apache-2.0
// links: eg_centrald
// with: central_kit.c
//
// Any bytes as what a booth says over a connection to centrald. The first byte says whose
// certificate it shows; the rest goes through libmicrohttpd to gates, routes and handlers.

#include "tests/fuzz/central_kit.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct eg_buf answers;

	if (size == 0)
		return 0;
	eg_buf_init(&answers, 64u << 20);
	kit_call((enum kit_caller)(data[0] % KIT_CALLERS), EG_BYTES(data + 1, size - 1), &answers);
	(void)kit_check(&answers, false);
	eg_buf_done(&answers);
	return 0;
}
