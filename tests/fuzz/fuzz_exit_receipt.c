// SPDX-License-Identifier: Apache-2.0
// links: eg_store
//
// What anybody may paste into the centre's page: 't' a receipt's text, 'b' base45, 'm' the signed
// message, 'p' its payload. What reads is written the same again; nothing verifies with a key that
// is no point.

#include <stdlib.h>
#include <string.h>

#include "store/base45.h"
#include "store/parse.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_message(struct eg_bytes bytes)
{
	static struct eg_trusted_key key; // no point on the curve
	struct eg_exit_receipt receipt;
	struct eg_err err = EG_ERR_INIT;
	char booth[EG_NAME_MAX];
	if (eg_exit_receipt_peek(bytes, booth, &err) == 0 && !eg_name_is_valid(booth))
		abort();
	if (eg_exit_receipt_verify(bytes, &key, 1, &receipt, &err) == 0)
		abort();
}

static void read_text(struct eg_bytes bytes)
{
	struct eg_err err = EG_ERR_INIT;
	struct eg_buf message;
	eg_buf_init(&message, EG_EXIT_MESSAGE_MAX);
	if (eg_exit_receipt_parse(bytes, &message, &err) == 0)
		read_message(eg_buf_bytes(&message));
	eg_buf_done(&message);
}

static void read_base45(struct eg_bytes bytes)
{
	struct eg_buf plain, text;
	eg_buf_init(&plain, bytes.size);
	eg_buf_init(&text, bytes.size);
	if (eg_base45_decode(bytes, &plain) == 0 &&
	    (eg_base45_encode(eg_buf_bytes(&plain), &text) != 0 ||
	     !eg_bytes_equal(eg_buf_bytes(&text), bytes)))
		abort();
	eg_buf_done(&text);
	eg_buf_done(&plain);
}

static void read_payload(struct eg_bytes bytes)
{
	struct eg_exit_receipt receipt;
	struct eg_err err = EG_ERR_INIT;
	struct eg_buf out;
	if (eg_exit_receipt_read(bytes, &receipt, &err) != 0)
		return;
	eg_buf_init(&out, 4096);
	if (eg_exit_receipt_write(&receipt, &out, &err) != 0 ||
	    !eg_bytes_equal(eg_buf_bytes(&out), bytes))
		abort();
	eg_buf_done(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct eg_err err = EG_ERR_INIT;
	if (size == 0 || eg_crypto_init(&err) != 0)
		return 0;
	struct eg_bytes bytes = {data + 1, size - 1};
	if (data[0] == 't')
		read_text(bytes);
	else if (data[0] == 'b')
		read_base45(bytes);
	else if (data[0] == 'm')
		read_message(bytes);
	else if (data[0] == 'p')
		read_payload(bytes);
	return 0;
}
