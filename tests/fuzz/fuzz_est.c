// SPDX-License-Identifier: Apache-2.0
// links: eg_net
//
// What EST answers: base64, then a certs-only PKCS #7. Bytes that are no base64 are also tried as
// the message itself, so that the reader of DER is reached. Whatever comes out must lie inside.

#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#include "net/est.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_certs(struct eg_bytes der)
{
	struct eg_bytes certs[EG_CERTS_MAX];
	size_t count = 0;

	if (eg_est_certs(der, certs, EG_CERTS_MAX, &count, NULL) != 0)
		return;
	assert(count > 0 && count <= EG_CERTS_MAX);
	for (size_t i = 0; i < count; i++) {
		assert(certs[i].data >= der.data && certs[i].size <= der.size);
		assert(certs[i].data + certs[i].size <= der.data + der.size);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct eg_buf der;

	eg_buf_init(&der, EG_EST_ANSWER_MAX);
	if (eg_est_unbase64(EG_BYTES(data, size), &der) == 0)
		read_certs(eg_buf_bytes(&der));
	eg_buf_done(&der);
	read_certs(EG_BYTES(data, size));
	return 0;
}
