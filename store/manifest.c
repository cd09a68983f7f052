// SPDX-License-Identifier: Apache-2.0
//
// What both sides of the manifest's format share: names, limits on text, digests of documents and
// boarding passes, and the bytes the seal is bound to. Thread: any.

#include "store/manifest.h"

#include <string.h>

#include "store/parse.h"

static const char *const citizenship_names[] = {
	[EG_CITIZEN] = "citizen",
	[EG_RESIDENT] = "resident",
	[EG_VISITOR] = "visitor",
	[EG_CITIZENSHIP_UNKNOWN] = "unknown",
};

const char *eg_citizenship_name(enum eg_citizenship class)
{
	if (class < EG_CITIZEN || class > EG_CITIZENSHIP_UNKNOWN)
		return "invalid";
	return citizenship_names[class];
}

static const char *const photo_source_names[] = {
	[EG_PHOTO_PASSPORT] = "passport",
	[EG_PHOTO_VISA] = "visa",
	[EG_PHOTO_ENTRY] = "entry",
};

const char *eg_photo_source_name(enum eg_photo_source source)
{
	if (source < EG_PHOTO_PASSPORT || source > EG_PHOTO_ENTRY)
		return "invalid";
	return photo_source_names[source];
}

static bool is_letter_or_digit(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

bool eg_name_is_valid(const char *name)
{
	size_t length = strnlen(name, EG_NAME_MAX);
	if (length == 0 || length == EG_NAME_MAX || !is_letter_or_digit(name[0]))
		return false;
	for (size_t i = 1; i < length; i++) {
		if (!is_letter_or_digit(name[i]) && strchr("._:-", name[i]) == NULL)
			return false;
	}
	return true;
}

static bool is_printable(const char *text)
{
	for (const unsigned char *c = (const unsigned char *)text; *c != '\0'; c++) {
		if (*c < 0x20 || *c == 0x7f)
			return false;
	}
	return true;
}

int eg_parse_time(struct eg_cur *cur, int64_t *ret_ms)
{
	struct eg_cur at = *cur;
	uint64_t value;
	int r = eg_cbor_get_uint(&at, &value);
	if (r != 0)
		return r;
	if (value > (uint64_t)EG_TIME_MAX_MS)
		return EG_EINVAL;
	*cur = at;
	*ret_ms = (int64_t)value;
	return 0;
}

int eg_parse_exact(struct eg_cur *cur, void *ret_data, size_t size)
{
	struct eg_cur at = *cur;
	struct eg_bytes view;
	int r = eg_cbor_get_bytes(&at, size, &view);
	if (r != 0)
		return r;
	if (view.size != size)
		return EG_EINVAL;
	*cur = at;
	memcpy(ret_data, view.data, size);
	return 0;
}

int eg_parse_size(struct eg_cur *cur, size_t max, size_t *ret_size)
{
	struct eg_cur at = *cur;
	uint64_t value;
	int r = eg_cbor_get_uint(&at, &value);
	if (r != 0)
		return r;
	if (value > max)
		return EG_EINVAL;
	*cur = at;
	*ret_size = (size_t)value;
	return 0;
}

int eg_parse_printable(struct eg_cur *cur, char *text, size_t size)
{
	int r = eg_cbor_get_text(cur, text, size);
	return r == 0 && !is_printable(text) ? EG_EINVAL : r;
}

// Letters and digits only, upper case: an MRZ has fillers where the printed number has spaces or
// hyphens, and drops or keeps trailing ones by document type. Numbers outside ASCII have no MRZ.
static int put_normal(struct eg_buf *buf, const char *text, size_t max)
{
	size_t length = strnlen(text, max + 1);
	if (length > max)
		return EG_EINVAL;
	for (size_t i = 0; i < length; i++) {
		unsigned char c = (unsigned char)text[i];
		if (c < 0x20 || c > 0x7e)
			return EG_EINVAL;
		if (!is_letter_or_digit((char)c))
			continue;
		if (c >= 'a' && c <= 'z')
			c = (unsigned char)(c - 'a' + 'A');
		int r = eg_buf_put_u8(buf, c);
		if (r != 0)
			return r;
	}
	return 0;
}

// HMAC(salt, kind ‖ 0 ‖ first ‖ 0 ‖ second), second not empty.
static int keyed_digest(const uint8_t salt[32], const char *kind, const char *first,
			const char *second, uint8_t ret_digest[EG_SHA256_SIZE])
{
	struct eg_buf text;
	eg_buf_init_secret(&text, 256);
	int r = eg_buf_put(&text, kind, strlen(kind) + 1);
	if (r == 0)
		r = put_normal(&text, first, 64);
	if (r == 0)
		r = eg_buf_put_u8(&text, 0);
	size_t before = text.size;
	if (r == 0)
		r = put_normal(&text, second, 64);
	if (r == 0 && text.size == before)
		r = EG_EINVAL;
	if (r == 0)
		r = eg_hmac_sha256(EG_BYTES(salt, 32), eg_buf_bytes(&text), ret_digest);
	eg_buf_done(&text);
	return r;
}

int eg_manifest_document_digest(const uint8_t salt[32], const char *issuer, const char *number,
				uint8_t ret_digest[EG_SHA256_SIZE])
{
	return keyed_digest(salt, "doc", issuer, number, ret_digest);
}

int eg_manifest_pass_digest(const uint8_t salt[32], const char *pnr, const char *sequence,
			    uint8_t ret_digest[EG_SHA256_SIZE])
{
	while (*sequence == ' ' || (*sequence == '0' && is_letter_or_digit(sequence[1])))
		sequence++;
	return keyed_digest(salt, "pass", pnr, sequence, ret_digest);
}

int eg_manifest_put_aad(const struct eg_statement *statement, struct eg_buf *out)
{
	int r = eg_buf_put(out, statement->id, strlen(statement->id) + 1);
	if (r == 0)
		r = eg_buf_put(out, statement->scope, strlen(statement->scope) + 1);
	if (r == 0)
		r = eg_buf_put_be64(out, statement->version);
	return r;
}
