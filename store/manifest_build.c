// SPDX-License-Identifier: Apache-2.0
//
// The centre's side of the manifest: content, seal, statement, signature. Refuses to sign what a
// booth would refuse to open. Thread: any.

#include "store/manifest.h"

#include <string.h>

#include "store/parse.h"

static int put_photo(struct eg_buf *content, const struct eg_photo *photo)
{
	if (photo->jpeg.size == 0)
		return EG_EINVAL;
	if (photo->jpeg.size > EG_PHOTO_MAX)
		return EG_ETOOBIG;
	int r = eg_cbor_put_array(content, 3);
	if (r == 0)
		r = eg_cbor_put_uint(content, photo->source);
	if (r == 0)
		r = eg_cbor_put_uint(content, photo->year);
	if (r == 0)
		r = eg_cbor_put_bytes(content, photo->jpeg);
	return r;
}

static int put_digest(struct eg_buf *content, unsigned int key, bool has, const uint8_t *digest)
{
	int r = eg_cbor_put_uint(content, key);
	if (r != 0)
		return r;
	if (!has)
		return eg_cbor_put_null(content);
	return eg_cbor_put_bytes(content, EG_BYTES(digest, EG_SHA256_SIZE));
}

static int put_text(struct eg_buf *buf, unsigned int key, const char *text)
{
	int r = eg_cbor_put_uint(buf, key);
	return r != 0 ? r : eg_cbor_put_text(buf, text);
}

static int put_uint(struct eg_buf *buf, unsigned int key, uint64_t value)
{
	int r = eg_cbor_put_uint(buf, key);
	return r != 0 ? r : eg_cbor_put_uint(buf, value);
}

static int put_bytes(struct eg_buf *buf, unsigned int key, const uint8_t *data, size_t size)
{
	int r = eg_cbor_put_uint(buf, key);
	return r != 0 ? r : eg_cbor_put_bytes(buf, EG_BYTES(data, size));
}

int eg_manifest_put_header(struct eg_buf *content, const struct eg_manifest_header *header)
{
	if (header->departs_ms < 0)
		return EG_EINVAL;
	size_t before = content->size;
	int r = eg_cbor_put_map(content, 5);
	if (r == 0)
		r = put_bytes(content, 1, header->salt, sizeof(header->salt));
	if (r == 0)
		r = put_text(content, 2, header->flight);
	if (r == 0)
		r = put_text(content, 3, header->port);
	if (r == 0)
		r = put_uint(content, 4, (uint64_t)header->departs_ms);
	if (r == 0)
		r = put_uint(content, 5, header->count);
	if (r != 0)
		content->size = before;
	return r;
}

int eg_manifest_put_traveller(struct eg_buf *content, const struct eg_traveller *traveller)
{
	if (traveller->photo_count > EG_PHOTOS_MAX)
		return EG_EINVAL;
	size_t before = content->size;
	size_t fields = 7;
	fields += traveller->sex != EG_SEX_UNKNOWN;
	fields += traveller->region != EG_REGION_UNKNOWN;
	int r = eg_cbor_put_map(content, fields);
	if (r == 0)
		r = put_text(content, 1, traveller->id);
	if (r == 0)
		r = put_digest(content, 2, traveller->has_document, traveller->document);
	if (r == 0)
		r = put_digest(content, 3, traveller->has_pass, traveller->pass);
	if (r == 0)
		r = put_text(content, 4, traveller->name);
	if (r == 0)
		r = put_text(content, 5, traveller->birth);
	if (r == 0)
		r = put_uint(content, 6, traveller->citizenship);
	if (r == 0)
		r = eg_cbor_put_uint(content, 7);
	if (r == 0)
		r = eg_cbor_put_array(content, traveller->photo_count);
	for (size_t i = 0; r == 0 && i < traveller->photo_count; i++)
		r = put_photo(content, &traveller->photo[i]);
	if (r == 0 && traveller->sex != EG_SEX_UNKNOWN)
		r = put_uint(content, 8, traveller->sex);
	if (r == 0 && traveller->region != EG_REGION_UNKNOWN)
		r = put_uint(content, 9, traveller->region);

	// Read back what was written: text limits, dates and classes are stated in one place only.
	if (r == 0) {
		struct eg_manifest_reader reader = {
			.cur = {content->data + before, content->size - before},
			.left = 1,
		};
		struct eg_traveller check;
		r = eg_manifest_next(&reader, &check, NULL);
	}
	if (r != 0)
		content->size = before;
	return r;
}

int eg_manifest_write_statement(const struct eg_statement *statement, struct eg_buf *out)
{
	if (statement->not_before_ms < 0 || statement->expires_ms < 0)
		return EG_EINVAL;
	int r = eg_cbor_put_map(out, 9);
	if (r == 0)
		r = put_text(out, 1, statement->id);
	if (r == 0)
		r = put_text(out, 2, statement->scope);
	if (r == 0)
		r = put_uint(out, 3, statement->version);
	if (r == 0)
		r = put_uint(out, 4, (uint64_t)statement->not_before_ms);
	if (r == 0)
		r = put_uint(out, 5, (uint64_t)statement->expires_ms);
	if (r == 0)
		r = put_bytes(out, 6, statement->digest, sizeof(statement->digest));
	if (r == 0)
		r = put_uint(out, 7, statement->length);
	if (r == 0)
		r = put_text(out, 8, statement->flight);
	if (r == 0)
		r = put_uint(out, 9, statement->travellers);
	return r;
}

// Content and statement must tell the same story before anything is sealed.
static int check_content(const struct eg_statement *statement, struct eg_bytes content,
			 struct eg_err *err)
{
	struct eg_manifest_header header;
	struct eg_manifest_reader reader;
	int r = eg_manifest_read_content(content, &header, &reader, err);
	if (r != 0)
		return r;
	if (header.count != statement->travellers)
		return eg_err_set(err, EG_EINVAL,
				  "the content has %zu travellers, the statement says %zu",
				  header.count, statement->travellers);
	if (strcmp(header.flight, statement->flight) != 0)
		return eg_err_set(err, EG_EINVAL,
				  "the content is of flight \"%s\", the statement of \"%s\"",
				  header.flight, statement->flight);
	return 0;
}

// Seals the content and completes the statement, then checks it as a booth would.
static int seal_content(struct eg_statement *statement, struct eg_bytes content,
			const uint8_t booth[EG_P256_PUB_SIZE], struct eg_buf *sealed,
			struct eg_buf *payload, struct eg_err *err)
{
	struct eg_buf aad;
	eg_buf_init(&aad, 2 * EG_NAME_MAX + 16);
	int r = eg_manifest_put_aad(statement, &aad);
	if (r == 0)
		r = eg_hpke_seal(booth, EG_BYTES_STR(EG_MANIFEST_CONTEXT), eg_buf_bytes(&aad),
				 content, sealed, err);
	else
		(void)eg_err_set(err, r, "sealing: %s", eg_code_name(r));
	eg_buf_done(&aad);
	if (r != 0)
		return r;

	r = eg_sha256(eg_buf_bytes(sealed), statement->digest);
	if (r != 0)
		return eg_err_set(err, r, "digest of the sealed content: %s", eg_code_name(r));
	statement->length = sealed->size;
	r = eg_manifest_write_statement(statement, payload);
	if (r != 0)
		return eg_err_set(err, r, "writing the statement: %s", eg_code_name(r));
	struct eg_statement check;
	return eg_manifest_read_statement(eg_buf_bytes(payload), &check, err);
}

int eg_manifest_build(struct eg_statement *statement, struct eg_bytes content,
		      const uint8_t booth[EG_P256_PUB_SIZE], const struct eg_key *centre,
		      struct eg_buf *out, struct eg_err *err)
{
	struct eg_statement full = *statement;
	struct eg_buf sealed, payload, message;
	size_t before = out->size;
	eg_buf_init(&sealed, EG_MANIFEST_MAX);
	eg_buf_init(&payload, 1024);
	eg_buf_init(&message, 2048);

	int r = check_content(&full, content, err);
	if (r == 0)
		r = seal_content(&full, content, booth, &sealed, &payload, err);
	if (r == 0)
		r = eg_cose_sign(centre, EG_BYTES_STR(EG_MANIFEST_CONTEXT), eg_buf_bytes(&payload),
				 &message, err);
	if (r != 0)
		goto out;

	r = eg_cbor_put_array(out, 2);
	if (r == 0)
		r = eg_cbor_put_bytes(out, eg_buf_bytes(&message));
	if (r == 0)
		r = eg_cbor_put_bytes(out, eg_buf_bytes(&sealed));
	if (r != 0)
		(void)eg_err_set(err, r, "%zu bytes of sealed content: %s", sealed.size,
				 eg_code_name(r));
out:
	if (r == 0)
		*statement = full;
	else
		out->size = before;
	eg_buf_done(&message);
	eg_buf_done(&payload);
	eg_buf_done(&sealed);
	return r == 0 ? 0 : eg_err_prefix(err, r, "manifest \"%s\"", statement->id);
}
