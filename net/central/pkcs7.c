// SPDX-License-Identifier: Apache-2.0
//
// See pkcs7.h. DER is written front to back: sizes are added up first.

#include "net/central/pkcs7.h"

#define BODY_MAX 65535

static const uint8_t oid_signed_data[] = {0x06, 0x09, 0x2a, 0x86, 0x48, 0x86,
					  0xf7, 0x0d, 0x01, 0x07, 0x02};
// version 1, no digest algorithms, content type "data" without content
static const uint8_t front[] = {0x02, 0x01, 0x01, 0x31, 0x00, 0x30, 0x0b, 0x06, 0x09,
				0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x01};
static const uint8_t no_signers[] = {0x31, 0x00};

enum {
	DER_SEQUENCE = 0x30,
	DER_0 = 0xa0
};

static size_t head_size(size_t content)
{
	return content < 0x80 ? 2 : content < 0x100 ? 3 : 4;
}

static size_t whole_size(size_t content)
{
	return head_size(content) + content;
}

static int put_head(struct eg_buf *der, uint8_t tag, size_t content)
{
	const uint8_t low = (uint8_t)content, high = (uint8_t)(content >> 8);
	const uint8_t small[] = {tag, low}, medium[] = {tag, 0x81, low},
		      large[] = {tag, 0x82, high, low};
	if (content > BODY_MAX)
		return EG_ETOOBIG;
	switch (head_size(content)) {
	case 2:
		return eg_buf_put(der, small, sizeof(small));
	case 3:
		return eg_buf_put(der, medium, sizeof(medium));
	default:
		return eg_buf_put(der, large, sizeof(large));
	}
}

int eg_pkcs7_put(const struct eg_bytes *certs, size_t count, struct eg_buf *der)
{
	size_t start = der->size, all = 0;
	for (size_t i = 0; i < count; i++) {
		if (certs[i].size > BODY_MAX || all > BODY_MAX)
			return EG_ETOOBIG;
		all += certs[i].size;
	}
	size_t inside = sizeof(front) + whole_size(all) + sizeof(no_signers);
	size_t tagged = whole_size(inside);
	int r = put_head(der, DER_SEQUENCE, sizeof(oid_signed_data) + whole_size(tagged));
	if (r == 0)
		r = eg_buf_put(der, oid_signed_data, sizeof(oid_signed_data));
	if (r == 0)
		r = put_head(der, DER_0, tagged);
	if (r == 0)
		r = put_head(der, DER_SEQUENCE, inside);
	if (r == 0)
		r = eg_buf_put(der, front, sizeof(front));
	if (r == 0)
		r = put_head(der, DER_0, all);
	for (size_t i = 0; r == 0 && i < count; i++)
		r = eg_buf_put(der, certs[i].data, certs[i].size);
	if (r == 0)
		r = eg_buf_put(der, no_signers, sizeof(no_signers));
	if (r != 0)
		der->size = start;
	return r;
}
