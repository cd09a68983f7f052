// SPDX-License-Identifier: Apache-2.0
// links: eg_store
//
// The policy's payload: what reads is written the same again.

#include <stdlib.h>

#include "store/policy.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct eg_policy policy;
	struct eg_err err = EG_ERR_INIT;
	struct eg_bytes bytes = {data, size};
	struct eg_buf out;
	if (size > EG_POLICY_MAX || eg_policy_read(bytes, &policy, &err) != 0)
		return 0;
	eg_buf_init(&out, 2 * EG_POLICY_MAX);
	if (eg_policy_write(&policy, &out, &err) != 0 || !eg_bytes_equal(eg_buf_bytes(&out), bytes))
		abort();
	eg_buf_done(&out);
	return 0;
}
