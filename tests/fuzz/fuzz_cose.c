// SPDX-License-Identifier: Apache-2.0
//
// Foreign bytes as a signed statement; and what verifies must be what was signed.
//
// links: eg_base

#include <assert.h>
#include <string.h>

#include "firmware/base/cose.h"

// RFC 6979 A.2.5; corpus/cose/signed is by this key.
static const char scalar[] = "C9AFA9D845BA75166B5C215767B1D6934E50C3DB36E89B127B8A622B120F6721";

static struct eg_trusted_key trusted;

static void prepare(void)
{
	uint8_t raw[EG_P256_PRIV_SIZE];
	struct eg_key *key = NULL;
	int r;

	r = eg_crypto_init(NULL);
	if (r == 0)
		r = eg_unhex(scalar, raw, sizeof(raw));
	if (r == 0)
		r = eg_key_from_raw(EG_BYTES(raw, sizeof(raw)), &key, NULL);
	assert(r == 0);
	memcpy(trusted.pub, eg_key_public(key), sizeof(trusted.pub));
	eg_kid(trusted.pub, trusted.kid);
	eg_key_free(key);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct eg_bytes payload = {0}, aad = EG_BYTES_STR("egress/fuzz/v1");
	struct eg_err err = EG_ERR_INIT;
	size_t index = 7;
	int r;

	if (trusted.pub[0] == 0)
		prepare();
	r = eg_cose_verify(EG_BYTES(data, size), aad, &trusted, 1, &payload, &index, &err);
	if (r == 0) {
		assert(index == 0 && payload.data >= data &&
		       payload.data + payload.size <= data + size);
		assert(eg_bytes_equal(payload, EG_BYTES_STR("the only payload ever signed")));
	} else {
		assert(err.code == r && err.text[0] != '\0' && payload.data == NULL);
	}
	return 0;
}
