// SPDX-License-Identifier: Apache-2.0
//
// See est.h.

#include "net/est.h"

#include <string.h>

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static int digit(uint8_t c)
{
	const char *at = c ? strchr(alphabet, c) : NULL;

	return at ? (int)(at - alphabet) : -1;
}

static bool is_space(uint8_t c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

int eg_est_unbase64(struct eg_bytes text, struct eg_buf *out)
{
	size_t start = out->size, digits = 0, pads = 0;
	uint32_t group = 0;
	int r = 0;

	for (size_t i = 0; r == 0 && i < text.size; i++) {
		int value = digit(text.data[i]);

		if (is_space(text.data[i]))
			continue;
		if (text.data[i] == '=' && digits % 4 >= 2) {
			pads++;
			value = 0;
		} else if (value < 0 || pads > 0) {
			r = EG_EINVAL;
			break;
		}
		group = group << 6 | (uint32_t)value;
		if (++digits % 4 != 0)
			continue;
		if (group & (pads == 0 ? 0u : pads == 1 ? 0xffu : 0xffffu))
			r = EG_EINVAL; // bits that belong to no byte
		for (size_t b = 0; r == 0 && b < 3 - pads; b++)
			r = eg_buf_put_u8(out, (uint8_t)(group >> (16 - 8 * b)));
		group = 0;
		if (pads > 0) { // nothing but white space may follow
			for (i++; r == 0 && i < text.size; i++)
				r = is_space(text.data[i]) ? 0 : EG_EINVAL;
			break;
		}
	}
	if (r == 0 && digits % 4 != 0)
		r = EG_EINVAL;
	if (r != 0)
		out->size = start;
	return r;
}

int eg_est_base64(struct eg_bytes data, struct eg_buf *out)
{
	for (size_t i = 0; i < data.size; i += 3) {
		size_t n = data.size - i < 3 ? data.size - i : 3;
		uint32_t group = (uint32_t)data.data[i] << 16;
		char quad[4];
		int r;

		if (n > 1)
			group |= (uint32_t)data.data[i + 1] << 8;
		if (n > 2)
			group |= data.data[i + 2];
		for (size_t k = 0; k < 4; k++)
			quad[k] = k <= n ? alphabet[group >> (18 - 6 * k) & 63] : '=';
		r = eg_buf_put(out, quad, 4);
		if (r != 0)
			return r;
	}
	return 0;
}

// One DER element: its tag and its content; definite lengths in their shortest form, one-byte tags.
static int der_get(struct eg_cur *cur, uint8_t *ret_tag, struct eg_bytes *ret_content)
{
	struct eg_cur at = *cur;
	uint8_t tag, first, byte;
	size_t length;

	if (eg_cur_get_u8(&at, &tag) != 0 || (tag & 0x1f) == 0x1f ||
	    eg_cur_get_u8(&at, &first) != 0)
		return EG_EINVAL;
	length = first;
	if (first & 0x80) {
		size_t n = first & 0x7f;

		if (n < 1 || n > 3)
			return EG_EINVAL;
		length = 0;
		for (size_t i = 0; i < n; i++) {
			if (eg_cur_get_u8(&at, &byte) != 0 || (i == 0 && byte == 0))
				return EG_EINVAL;
			length = length << 8 | byte;
		}
		if (length < 0x80)
			return EG_EINVAL;
	}
	if (eg_cur_get(&at, length, ret_content) != 0)
		return EG_EINVAL;
	*ret_tag = tag;
	*cur = at;
	return 0;
}

static int der_want(struct eg_cur *cur, uint8_t tag, struct eg_bytes *ret_content)
{
	struct eg_cur at = *cur;
	uint8_t found;

	if (der_get(&at, &found, ret_content) != 0 || found != tag)
		return EG_EINVAL;
	*cur = at;
	return 0;
}

enum {
	DER_INTEGER = 0x02,
	DER_OID = 0x06,
	DER_SEQUENCE = 0x30,
	DER_SET = 0x31,
	DER_0 = 0xa0,
	DER_1 = 0xa1
};

static const uint8_t oid_signed_data[] = {0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x02};

// ContentInfo → SignedData → the content of its "certificates" field.
static int find_certs(struct eg_bytes der, struct eg_bytes *ret_certs)
{
	struct eg_bytes view, skipped;
	struct eg_cur cur = eg_cur_of(der);

	if (der_want(&cur, DER_SEQUENCE, &view) != 0 || cur.left != 0)
		return EG_EINVAL;
	cur = eg_cur_of(view);
	if (der_want(&cur, DER_OID, &view) != 0 ||
	    !eg_bytes_equal(view, EG_BYTES(oid_signed_data, sizeof(oid_signed_data))) ||
	    der_want(&cur, DER_0, &view) != 0 || cur.left != 0)
		return EG_EINVAL;
	cur = eg_cur_of(view);
	if (der_want(&cur, DER_SEQUENCE, &view) != 0 || cur.left != 0)
		return EG_EINVAL;
	cur = eg_cur_of(view);
	if (der_want(&cur, DER_INTEGER, &skipped) != 0 || der_want(&cur, DER_SET, &skipped) != 0 ||
	    der_want(&cur, DER_SEQUENCE, &skipped) != 0 || der_want(&cur, DER_0, ret_certs) != 0)
		return EG_EINVAL;
	(void)!der_want(&cur, DER_1, &skipped); // revocation lists, not ours to use
	if (der_want(&cur, DER_SET, &skipped) != 0 || skipped.size != 0 || cur.left != 0)
		return EG_EINVAL;
	return 0;
}

int eg_est_certs(struct eg_bytes der, struct eg_bytes *ret_certs, size_t max, size_t *ret_count,
		 struct eg_err *err)
{
	struct eg_bytes certs, content;
	struct eg_cur cur;
	size_t count = 0;

	if (find_certs(der, &certs) != 0)
		return eg_err_set(err, EG_EINVAL, "certificates: not a certs-only PKCS #7 message");
	for (cur = eg_cur_of(certs); cur.left > 0; count++) {
		const uint8_t *start = cur.at;

		if (der_want(&cur, DER_SEQUENCE, &content) != 0)
			return eg_err_set(err, EG_EINVAL, "certificates: number %zu is malformed",
					  count + 1);
		if (count == max)
			return eg_err_set(err, EG_ETOOBIG, "certificates: more than %zu", max);
		ret_certs[count] = EG_BYTES(start, (size_t)(cur.at - start));
	}
	if (count == 0)
		return eg_err_set(err, EG_EINVAL, "certificates: the message holds none");
	*ret_count = count;
	return 0;
}

static const char *const paths[] = {
	[EG_EST_CACERTS] = "/.well-known/est/cacerts",
	[EG_EST_ENROLL] = "/.well-known/est/simpleenroll",
	[EG_EST_REENROLL] = "/.well-known/est/simplereenroll",
};

int eg_est_do(struct eg_http *http, enum eg_est_call call, struct eg_bytes csr, const char *user,
	      const char *token, struct eg_buf *der, struct eg_bytes ret_certs[EG_CERTS_MAX],
	      size_t *ret_count, struct eg_buf *problem, struct eg_http_answer *ret_answer,
	      bool *ret_refused, struct eg_err *err)
{
	struct eg_http_request request = {.method = EG_HTTP_GET, .path = paths[call]};
	struct eg_http_answer answer;
	struct eg_buf up, down;
	size_t start = der->size;
	int r = 0;

	eg_buf_init(&up, EG_EST_ANSWER_MAX);
	eg_buf_init(&down, EG_EST_ANSWER_MAX);
	if (call != EG_EST_CACERTS) {
		r = eg_est_base64(csr, &up);
		if (r != 0) {
			eg_err_set(err, r, "%s: the request is too large", paths[call]);
			goto out;
		}
		request.method = EG_HTTP_POST;
		request.body = eg_buf_bytes(&up);
		request.content_type = "application/pkcs10";
		request.transfer_encoding = "base64";
		request.user = call == EG_EST_ENROLL ? user : NULL;
		request.password = call == EG_EST_ENROLL ? token : NULL;
	}
	r = eg_http_do(http, &request, &down, &answer, ret_refused, err);
	if (r != 0)
		goto out;
	if (answer.status == 200) {
		r = eg_est_unbase64(eg_buf_bytes(&down), der);
		if (r != 0)
			eg_err_set(err, r, "the answer is not base64");
		else if (der->size == start)
			r = eg_err_set(err, EG_EINVAL, "the answer is empty");
		else
			r = eg_est_certs(EG_BYTES(der->data + start, der->size - start), ret_certs,
					 EG_CERTS_MAX, ret_count, err);
		if (r != 0) {
			eg_err_prefix(err, r, "%s", paths[call]);
			goto out;
		}
	} else if (problem) {
		(void)!eg_buf_put(problem, down.data, down.size); // only a sentence for people
	}
	*ret_answer = answer;
out:
	eg_buf_done(&up);
	eg_buf_done(&down);
	return r;
}
