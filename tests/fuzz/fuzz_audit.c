// SPDX-License-Identifier: Apache-2.0
// links: eg_store
//
// Audit entries ('e' first) and messages about heads (anything else): what reads as an entry is
// written the same again; nothing verifies with a key that is no point.

#include <stdlib.h>
#include <string.h>

#include "store/audit.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_entry(struct eg_bytes bytes)
{
	struct eg_audit_entry entry;
	struct eg_err err = EG_ERR_INIT;
	struct eg_buf out;
	if (eg_audit_decode(bytes, &entry, &err) != 0)
		return;
	eg_buf_init(&out, 1024);
	if (eg_audit_encode(&entry, &out) != 0 || !eg_bytes_equal(eg_buf_bytes(&out), bytes))
		abort();
	eg_buf_done(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct eg_trusted_key key; // no point on the curve: nothing verifies
	struct eg_audit_head head;
	struct eg_err err = EG_ERR_INIT;
	if (size == 0 || eg_crypto_init(&err) != 0)
		return 0;
	struct eg_bytes bytes = {data + 1, size - 1};
	if (data[0] == 'e')
		read_entry(bytes);
	else if (eg_audit_verify_receipt(bytes, &key, 1, &head, &err) == 0)
		abort();
	return 0;
}
