// SPDX-License-Identifier: Apache-2.0
//
// Manifests out: the list of a booth, and the bytes, conditional and in ranges (RFC 9110 §13, §14).
// A download reads the ledger piece by piece; no more than one piece is in memory for each.

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-json.h>

#include "firmware/base/log.h"
#include "firmware/base/mem.h"
#include "net/central/centrald/request.h"
#include "net/wire.h"

#define BLOCK (64u << 10) // bytes handed to TLS at once

struct listing {
	sd_json_variant *array;
	size_t count;
};

static int put_listed(void *user, const struct eg_manifest_row *row)
{
	struct listing *listing = user;
	char etag[ETAG_MAX];
	if (listing->count++ == EG_WIRE_LISTED_MAX)
		return 1; // what expires later waits
	etag_of(row->digest, etag);
	return sd_json_variant_append_arraybo(&listing->array,
					      SD_JSON_BUILD_PAIR_STRING("id", row->id),
					      SD_JSON_BUILD_PAIR_UNSIGNED("version", row->version),
					      SD_JSON_BUILD_PAIR_UNSIGNED("length", row->length),
					      SD_JSON_BUILD_PAIR_STRING("etag", etag)) < 0
		       ? EG_ENOMEM
		       : 0;
}

static enum MHD_Result reply_list(struct request *request, const char *text)
{
	uint8_t digest[EG_SHA256_SIZE];
	char etag[ETAG_MAX];
	if (eg_sha256(EG_BYTES_STR(text), digest) != 0)
		return MHD_NO;
	etag_of(digest, etag);
	if (request_holds(request, etag))
		return reply_unchanged(request, etag);
	return reply_bytes(request, MHD_HTTP_OK, "application/json", EG_BYTES_STR(text), etag);
}

enum MHD_Result manifests_list(struct request *request)
{
	struct server *server = request->server;
	struct listing listing = {0};
	struct eg_err err = EG_ERR_INIT;
	enum MHD_Result result = MHD_NO;
	char *text = NULL;
	int r = eg_ledger_list_manifests(server->ledger, request->peer.booth,
					 eg_wall_ms(server->clock), put_listed, &listing, &err);
	if (r == EG_ENOMEM && err.code == 0)
		(void)eg_err_set(&err, r, "out of memory");
	if (r < 0) {
		result = reply_failure(request, &err);
	} else {
		if (listing.array == NULL)
			(void)sd_json_variant_new_array(&listing.array, NULL, 0);
		if (listing.array != NULL && sd_json_variant_format(listing.array, 0, &text) >= 0)
			result = reply_list(request, text);
	}
	free(text);
	sd_json_variant_unref(listing.array);
	return result;
}

struct stream {
	struct eg_ledger *ledger;
	int64_t seq;
	uint64_t from;
	uint64_t n; // of the piece at hand
	bool any;
	struct eg_buf piece;
};

static ssize_t read_stream(void *user, uint64_t at, char *space, size_t room)
{
	struct stream *stream = user;
	struct eg_err err = EG_ERR_INIT;
	uint64_t place = stream->from + at, n = place / EG_CHUNK_SIZE;
	size_t inside = (size_t)(place % EG_CHUNK_SIZE);
	if (!stream->any || stream->n != n) {
		eg_buf_reset(&stream->piece);
		stream->any = false;
		if (eg_ledger_read_manifest(stream->ledger, stream->seq, n, &stream->piece, &err) !=
		    0) {
			eg_notice("manifest download broken off: %s", err.text);
			return MHD_CONTENT_READER_END_WITH_ERROR;
		}
		stream->any = true;
		stream->n = n;
	}
	if (inside >= stream->piece.size)
		return MHD_CONTENT_READER_END_WITH_ERROR;
	size_t left = stream->piece.size - inside;
	size_t size = left < room ? left : room;
	memcpy(space, stream->piece.data + inside, size);
	return (ssize_t)size;
}

static void free_stream(void *user)
{
	struct stream *stream = user;
	eg_buf_done(&stream->piece);
	free(stream);
}

// One range of "bytes=". 1: taken, 0: not one that we serve (then all is sent), EG_EINVAL: outside.
static int parse_range(const char *text, uint64_t length, uint64_t *ret_from, uint64_t *ret_to)
{
	uint64_t first, last = length - 1;
	char *end;
	if (strncmp(text, "bytes=", 6) != 0)
		return 0;
	text += 6;
	errno = 0;
	if (*text == '-') {
		if (!isdigit((unsigned char)text[1]))
			return 0;
		uint64_t tail = strtoull(text + 1, &end, 10);
		if (errno != 0 || *end != '\0')
			return 0;
		if (tail == 0)
			return EG_EINVAL;
		first = tail < length ? length - tail : 0;
	} else {
		if (!isdigit((unsigned char)*text))
			return 0;
		first = strtoull(text, &end, 10);
		if (errno != 0 || *end != '-')
			return 0;
		text = end + 1;
		if (*text != '\0') {
			if (!isdigit((unsigned char)*text))
				return 0;
			uint64_t wanted = strtoull(text, &end, 10);
			if (errno != 0 || *end != '\0' || wanted < first)
				return 0;
			if (wanted < last)
				last = wanted;
		}
	}
	if (first >= length)
		return EG_EINVAL;
	*ret_from = first;
	*ret_to = last;
	return 1;
}

static enum MHD_Result reply_outside(struct request *request, uint64_t length)
{
	static const char text[] = "{\"type\":\"about:blank\",\"title\":\"No such range\","
				   "\"status\":416,\"detail\":\"The manifest is shorter.\"}\n";
	struct MHD_Response *response =
		MHD_create_response_from_buffer_static(sizeof(text) - 1, text);
	char range[48];
	(void)snprintf(range, sizeof(range), "bytes */%" PRIu64, length);
	if (response != NULL) {
		(void)MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE,
					      "application/problem+json");
		(void)MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_RANGE, range);
	}
	return reply_with(request, MHD_HTTP_RANGE_NOT_SATISFIABLE, response);
}

static enum MHD_Result reply_stream(struct request *request, const struct eg_manifest_row *row,
				    const char *etag, bool ranged, uint64_t from, uint64_t to)
{
	struct stream *stream = eg_calloc(1, sizeof(*stream));
	struct MHD_Response *response = NULL;
	char range[96];
	if (stream == NULL)
		return MHD_NO;
	stream->ledger = request->server->ledger;
	stream->seq = row->seq;
	stream->from = from;
	eg_buf_init(&stream->piece, EG_CHUNK_SIZE);
	response = MHD_create_response_from_callback(to - from + 1, BLOCK, read_stream, stream,
						     free_stream);
	if (response == NULL) {
		free_stream(stream);
		return MHD_NO;
	}
	(void)snprintf(range, sizeof(range), "bytes %" PRIu64 "-%" PRIu64 "/%" PRIu64, from, to,
		       row->length);
	(void)MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE,
				      "application/vnd.egress.manifest");
	(void)MHD_add_response_header(response, MHD_HTTP_HEADER_ETAG, etag);
	(void)MHD_add_response_header(response, MHD_HTTP_HEADER_ACCEPT_RANGES, "bytes");
	if (ranged)
		(void)MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_RANGE, range);
	return reply_with(request, ranged ? MHD_HTTP_PARTIAL_CONTENT : MHD_HTTP_OK, response);
}

enum MHD_Result manifests_get(struct request *request)
{
	struct eg_manifest_row row;
	struct eg_err err = EG_ERR_INIT;
	char etag[ETAG_MAX];
	int r = eg_ledger_find_manifest(request->server->ledger, request->peer.booth, request->name,
					&row, &err);
	if (r == EG_ENOENT)
		return reply_problem(request, MHD_HTTP_NOT_FOUND, err.text);
	if (r != 0)
		return reply_failure(request, &err);
	etag_of(row.digest, etag);
	if (request_holds(request, etag))
		return reply_unchanged(request, etag);
	const char *text = request_header(request, MHD_HTTP_HEADER_RANGE);
	const char *only_if = request_header(request, MHD_HTTP_HEADER_IF_RANGE);
	uint64_t from = 0, to = row.length - 1;
	int ranged = text != NULL && (only_if == NULL || strcmp(only_if, etag) == 0)
			     ? parse_range(text, row.length, &from, &to)
			     : 0;
	if (ranged < 0)
		return reply_outside(request, row.length);
	return reply_stream(request, &row, etag, ranged == 1, from, to);
}
