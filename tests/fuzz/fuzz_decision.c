// SPDX-License-Identifier: Apache-2.0
// links: eg_store
//
// A decision's record: what reads is written the same again.

#include <stdlib.h>

#include "store/parse.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct eg_decision_record record;
	struct eg_err err = EG_ERR_INIT;
	struct eg_bytes bytes = {data, size};
	struct eg_buf out;
	if (eg_crypto_init(&err) != 0 || eg_decision_read(bytes, &record, &err) != 0)
		return 0;
	eg_buf_init(&out, 4096);
	if (eg_decision_write(&record, &out, &err) != 0 ||
	    !eg_bytes_equal(eg_buf_bytes(&out), bytes))
		abort();
	eg_buf_done(&out);
	return 0;
}
