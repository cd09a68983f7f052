// SPDX-License-Identifier: Apache-2.0
// links: eg_store
//
// The centre's readers of what booths send, and the booth's of what the centre answers: envelope,
// record, acknowledgement, booth keys. The first byte chooses.

#include <stdlib.h>
#include <string.h>

#include "store/parse.h"
#include "store/trust.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_record(struct eg_bytes bytes)
{
	struct eg_encounter encounter;
	struct eg_err err = EG_ERR_INIT;
	if (eg_encounter_read(bytes, &encounter, &err) != 0)
		return;
	struct eg_buf out;
	eg_buf_init(&out, EG_ENVELOPE_MAX);
	// Not byte for byte: a liveness score is kept as a float.
	if (eg_encounter_write(&encounter, &out, &err) != 0)
		abort();
	eg_buf_done(&out);
}

static void read_keys(struct eg_bytes bytes)
{
	struct eg_booth_keys keys;
	struct eg_err err = EG_ERR_INIT;
	if (eg_booth_keys_decode(bytes, &keys, &err) != 0)
		return;
	struct eg_buf out;
	eg_buf_init(&out, 1024);
	if (eg_booth_keys_encode(&keys, &out) != 0 || !eg_bytes_equal(eg_buf_bytes(&out), bytes))
		abort();
	eg_buf_done(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct eg_trusted_key key; // no point on the curve: nothing verifies
	struct eg_err err = EG_ERR_INIT;
	struct eg_envelope_facts facts;
	struct eg_ack ack;
	if (size == 0 || eg_crypto_init(&err) != 0)
		return 0;
	struct eg_bytes bytes = {data + 1, size - 1};
	if (data[0] == 'r')
		read_record(bytes);
	else if (data[0] == 'k')
		read_keys(bytes);
	else if (data[0] == 'a' && eg_ack_verify(bytes, &key, 1, &ack, &err) == 0)
		abort();
	else if (eg_envelope_inspect(bytes, &facts, &err) == 0 && bytes.size < EG_ID_SIZE)
		abort();
	return 0;
}
