// SPDX-License-Identifier: Apache-2.0
// links: eg_store
//
// The manifest's three readers over the same bytes: wire form, statement, content. The first byte
// chooses. What the content reader accepts, it must accept again when it is written anew.

#include <stdlib.h>

#include "store/parse.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_content(struct eg_bytes bytes)
{
	struct eg_manifest_header header;
	struct eg_manifest_reader reader;
	struct eg_traveller traveller;
	struct eg_err err = EG_ERR_INIT;
	if (eg_manifest_read_content(bytes, &header, &reader, &err) != 0)
		return;
	struct eg_buf out;
	eg_buf_init(&out, EG_MANIFEST_MAX);
	if (eg_manifest_put_header(&out, &header) != 0)
		abort();
	while (eg_manifest_next(&reader, &traveller, &err) == 0) {
		if (eg_manifest_put_traveller(&out, &traveller) != 0)
			abort();
	}
	// There is one encoding only, so reading and writing gives the same bytes.
	if (!eg_bytes_equal(eg_buf_bytes(&out), bytes))
		abort();
	eg_buf_done(&out);
}

static void read_statement(struct eg_bytes bytes)
{
	struct eg_statement statement;
	struct eg_err err = EG_ERR_INIT;
	if (eg_manifest_read_statement(bytes, &statement, &err) != 0)
		return;
	struct eg_buf out;
	eg_buf_init(&out, 4096);
	if (eg_manifest_write_statement(&statement, &out) != 0 ||
	    !eg_bytes_equal(eg_buf_bytes(&out), bytes))
		abort();
	eg_buf_done(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct eg_trusted_key key; // no point on the curve: nothing verifies
	struct eg_statement statement;
	struct eg_bytes sealed;
	struct eg_err err = EG_ERR_INIT;
	if (size == 0 || eg_crypto_init(&err) != 0)
		return 0;
	struct eg_bytes bytes = {data + 1, size - 1};
	if (data[0] == 'c')
		read_content(bytes);
	else if (data[0] == 's')
		read_statement(bytes);
	else if (eg_manifest_verify(bytes, "lane-12", &key, 1, &statement, &sealed, &err) == 0)
		abort();
	return 0;
}
