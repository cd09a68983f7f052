// SPDX-License-Identifier: Apache-2.0
//
// The booth's side of the manifest: verify, then parse those same bytes; check the times; open the
// seal. Thread: any.

#include "store/manifest.h"

#include <inttypes.h>
#include <string.h>

#include "firmware/base/clock.h"
#include "firmware/base/mem.h"
#include "store/parse.h"

static const char *const statement_fields[] = {
	NULL,	   "id",     "scope",  "version", "not_before",
	"expires", "digest", "length", "flight",  "travellers",
};
#define STATEMENT_KEYS 9

static int get_name(struct eg_cur *cur, char name[EG_NAME_MAX])
{
	int r = eg_cbor_get_text(cur, name, EG_NAME_MAX);
	return r == 0 && !eg_name_is_valid(name) ? EG_EINVAL : r;
}

static int get_statement_field(struct eg_cur *cur, int64_t key, struct eg_statement *statement)
{
	switch (key) {
	case 1:
		return get_name(cur, statement->id);
	case 2:
		return get_name(cur, statement->scope);
	case 3:
		return eg_cbor_get_uint(cur, &statement->version);
	case 4:
		return eg_parse_time(cur, &statement->not_before_ms);
	case 5:
		return eg_parse_time(cur, &statement->expires_ms);
	case 6:
		return eg_parse_exact(cur, statement->digest, sizeof(statement->digest));
	case 7:
		return eg_cbor_get_uint(cur, &statement->length);
	case 8:
		return eg_parse_printable(cur, statement->flight, sizeof(statement->flight));
	case 9:
		return eg_parse_size(cur, EG_TRAVELLERS_MAX, &statement->travellers);
	default:
		return EG_EINVAL;
	}
}

static int check_statement(const struct eg_statement *statement, struct eg_err *err)
{
	// SQLite's integers are signed, and a floor at the very end could never be raised.
	if (statement->version == 0 || statement->version >= (uint64_t)INT64_MAX)
		return eg_err_set(err, EG_EINVAL, "version %" PRIu64 " is out of range",
				  statement->version);
	if (statement->not_before_ms >= statement->expires_ms)
		return eg_err_set(err, EG_EINVAL, "it expires before it begins");
	if (statement->length > EG_MANIFEST_MAX)
		return eg_err_set(err, EG_ETOOBIG, "%" PRIu64 " bytes, at most %u",
				  statement->length, EG_MANIFEST_MAX);
	return 0;
}

int eg_manifest_read_statement(struct eg_bytes payload, struct eg_statement *ret_statement,
			       struct eg_err *err)
{
	struct eg_statement statement = {0};
	struct eg_cur cur = eg_cur_of(payload);
	struct eg_cbor_map map;
	int64_t key = 0;
	size_t count = 0;
	int r = eg_cbor_map_open(&cur, STATEMENT_KEYS, &map);
	if (r != 0)
		return eg_err_set(err, EG_EINVAL, "the statement is no CBOR map of %d fields",
				  STATEMENT_KEYS);
	while ((r = eg_cbor_map_next(&map, &key)) == 1) {
		if (key < 1 || key > STATEMENT_KEYS)
			return eg_err_set(err, EG_EINVAL, "statement: unknown field %" PRId64, key);
		if (get_statement_field(&cur, key, &statement) != 0)
			return eg_err_set(err, EG_EINVAL,
					  "statement: field \"%s\" is malformed or out of range",
					  statement_fields[key]);
		count++;
	}
	if (r != 0)
		return eg_err_set(err, EG_EINVAL, "statement: a field is there twice or unsorted");
	if (count != STATEMENT_KEYS || cur.left != 0)
		return eg_err_set(err, EG_EINVAL, "statement: %s",
				  cur.left != 0 ? "bytes left over" : "a field is missing");
	r = check_statement(&statement, err);
	if (r != 0)
		return r;
	*ret_statement = statement;
	return 0;
}

// Splits the wire form. No byte of it is believed yet.
static int split_wire(struct eg_bytes wire, struct eg_bytes *ret_message,
		      struct eg_bytes *ret_sealed, struct eg_err *err)
{
	struct eg_cur cur = eg_cur_of(wire);
	size_t count;
	if (wire.size > EG_MANIFEST_MAX)
		return eg_err_set(err, EG_ETOOBIG, "%zu bytes, at most %u", wire.size,
				  EG_MANIFEST_MAX);
	if (eg_cbor_get_array(&cur, 2, &count) != 0 || count != 2 ||
	    eg_cbor_get_bytes(&cur, 4096, ret_message) != 0 ||
	    eg_cbor_get_bytes(&cur, EG_MANIFEST_MAX, ret_sealed) != 0)
		return eg_err_set(
			err, EG_EINVAL,
			"no manifest (CBOR array of statement and content), or cut short");
	if (cur.left != 0)
		return eg_err_set(err, EG_EINVAL, "%zu bytes left over behind the content",
				  cur.left);
	return 0;
}

int eg_manifest_verify(struct eg_bytes wire, const char *booth, const struct eg_trusted_key *keys,
		       size_t key_count, struct eg_statement *ret_statement,
		       struct eg_bytes *ret_sealed, struct eg_err *err)
{
	struct eg_bytes message, sealed, payload;
	struct eg_statement statement;
	uint8_t digest[EG_SHA256_SIZE];
	int r = split_wire(wire, &message, &sealed, err);
	if (r == 0)
		r = eg_cose_verify(message, EG_BYTES_STR(EG_MANIFEST_CONTEXT), keys, key_count,
				   &payload, NULL, err);
	if (r == 0)
		r = eg_manifest_read_statement(payload, &statement, err);
	if (r != 0)
		return eg_err_prefix(err, r, "manifest");

	if (strcmp(statement.scope, booth) != 0)
		return eg_err_set(err, EG_EAUTH,
				  "manifest \"%s\" is for booth \"%s\", not for \"%s\"",
				  statement.id, statement.scope, booth);
	if (statement.length != sealed.size)
		return eg_err_set(
			err, EG_EINVAL,
			"manifest \"%s\": content of %zu bytes, the statement says %" PRIu64,
			statement.id, sealed.size, statement.length);
	r = eg_sha256(sealed, digest);
	if (r != 0)
		return eg_err_set(err, r, "manifest \"%s\": digest: %s", statement.id,
				  eg_code_name(r));
	if (!eg_equal_ct(digest, statement.digest, sizeof(digest)))
		return eg_err_set(err, EG_EAUTH,
				  "manifest \"%s\": the content is not the one that was signed",
				  statement.id);
	*ret_statement = statement;
	*ret_sealed = sealed;
	return 0;
}

int eg_manifest_check_time(const struct eg_statement *statement, int64_t wall_ms,
			   struct eg_err *err)
{
	char when[EG_TIME_TEXT_MAX], now[EG_TIME_TEXT_MAX];
	eg_time_text(wall_ms, now);
	if (wall_ms < statement->not_before_ms) {
		eg_time_text(statement->not_before_ms, when);
		return eg_err_set(
			err, EG_ESTALE,
			"manifest \"%s\" is valid from %s only, it is %s: check the clock",
			statement->id, when, now);
	}
	if (wall_ms >= statement->expires_ms) {
		eg_time_text(statement->expires_ms, when);
		return eg_err_set(err, EG_ESTALE,
				  "manifest \"%s\" expired at %s, it is %s: fetch a newer one",
				  statement->id, when, now);
	}
	return 0;
}

int eg_manifest_open(const struct eg_statement *statement, struct eg_bytes sealed,
		     const struct eg_key *booth_key, struct eg_buf *content,
		     struct eg_manifest_header *ret_header, struct eg_manifest_reader *ret_reader,
		     struct eg_err *err)
{
	struct eg_manifest_header header;
	struct eg_manifest_reader reader;
	struct eg_buf aad;
	size_t before = content->size;
	eg_buf_init(&aad, 2 * EG_NAME_MAX + 16);
	int r = eg_manifest_put_aad(statement, &aad);
	if (r != 0)
		(void)eg_err_set(err, r, "opening the seal: %s", eg_code_name(r));
	else
		r = eg_hpke_open(booth_key, EG_BYTES_STR(EG_MANIFEST_CONTEXT), eg_buf_bytes(&aad),
				 sealed, content, err);
	eg_buf_done(&aad);
	if (r != 0)
		goto fail;
	r = eg_manifest_read_content(EG_BYTES(content->data + before, content->size - before),
				     &header, &reader, err);
	if (r != 0)
		goto fail;
	if (header.count != statement->travellers ||
	    strcmp(header.flight, statement->flight) != 0) {
		r = eg_err_set(
			err, EG_EINVAL,
			"the content has %zu travellers of flight \"%s\", the signed statement "
			"says %zu of \"%s\"",
			header.count, header.flight, statement->travellers, statement->flight);
		goto fail;
	}
	*ret_header = header;
	*ret_reader = reader;
	return 0;
fail:
	if (content->size > before)
		eg_wipe(content->data + before, content->size - before);
	content->size = before;
	return eg_err_prefix(err, r, "manifest \"%s\"", statement->id);
}
