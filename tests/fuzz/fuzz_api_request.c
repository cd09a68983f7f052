// SPDX-License-Identifier: Apache-2.0
// links: eg_centrald
// with: central_kit.c
//
// Every request body of net/api.yaml, as centrald takes it. The input is put into a request that is
// well-formed: one byte chooses the call, one the caller, then up to the first empty line come
// lines that become header lines (the very first one becomes the path's last part, where there is
// one), and the rest is the body. A call in the table that wants a signature gets a good one, so
// that what stands behind it is reached.

#include <assert.h>
#include <string.h>

#include "store/audit.h"
#include "store/envelope.h"
#include "tests/fuzz/central_kit.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define REQUEST_MAX (4u << 20)

enum extra {
	EXTRA_NONE,
	EXTRA_ID,   // the path gets the encounter's own id
	EXTRA_HEAD, // the body is an audit head's: 1 byte count, digest; it is signed by the booth
};

static const struct call {
	const char *method, *path, *type;
	enum extra extra;
} calls[] = {
	{"GET", "/.well-known/est/cacerts", NULL, EXTRA_NONE},
	{"POST", "/.well-known/est/simpleenroll", "application/pkcs10", EXTRA_NONE},
	{"POST", "/.well-known/est/simplereenroll", "application/pkcs10", EXTRA_NONE},
	{"PUT", "/v1/booth-keys", "application/cbor", EXTRA_NONE},
	{"GET", "/v1/manifests", NULL, EXTRA_NONE},
	{"GET", "/v1/manifests/", NULL, EXTRA_NONE},
	{"PUT", "/v1/encounters/", "application/vnd.egress.encounter", EXTRA_NONE},
	{"PUT", "/v1/encounters/", "application/vnd.egress.encounter", EXTRA_ID},
	{"POST", "/v1/heartbeat", "application/json", EXTRA_NONE},
	{"GET", "/v1/policy", NULL, EXTRA_NONE},
	{"PUT", "/v1/audit/", "application/vnd.egress.audit-head", EXTRA_NONE},
	{"PUT", "/v1/audit/", "application/vnd.egress.audit-head", EXTRA_HEAD},
};
#define CALLS (sizeof(calls) / sizeof(calls[0]))

// A line of the input, without what would end a header line early. Advances `rest`.
static struct eg_bytes next_line(struct eg_bytes *rest)
{
	const uint8_t *end = rest->size > 0 ? memchr(rest->data, '\n', rest->size) : NULL;
	struct eg_bytes line = {rest->data, end ? (size_t)(end - rest->data) : rest->size};
	size_t used = line.size + (end ? 1 : 0);

	rest->data += used;
	rest->size -= used;
	return line;
}

static void put_clean(struct eg_buf *out, struct eg_bytes line, uint8_t lowest)
{
	for (size_t i = 0; i < line.size; i++) {
		uint8_t c = line.data[i];

		assert(eg_buf_printf(out, "%c", c < lowest || c == 0x7f ? '_' : c) == 0);
	}
}

static void put_head(struct eg_bytes body, struct eg_buf *path, struct eg_buf *signed_body)
{
	struct eg_audit_head head = {.booth = "lane-1"};
	size_t n = body.size > 1 ? body.size - 1 : 0;
	char name[33];
	int r;

	head.count = 1u + (body.size > 0 ? body.data[0] : 0u);
	if (n > 0)
		memcpy(head.digest, body.data + 1,
		       n < sizeof(head.digest) ? n : sizeof(head.digest));
	eg_hex(head.digest, 16, name);
	r = eg_audit_sign_head(&head, kit_booth_key(), signed_body, NULL);
	if (r == 0)
		r = eg_buf_printf(path, "%s", name);
	assert(r == 0);
}

static void put_path(const struct call *call, struct eg_bytes name, struct eg_bytes *body,
		     struct eg_buf *path, struct eg_buf *signed_body)
{
	struct eg_envelope_facts facts;
	char text[EG_ID_TEXT_MAX];

	if (call->extra == EXTRA_HEAD) {
		put_head(*body, path, signed_body);
		*body = eg_buf_bytes(signed_body);
	} else if (call->extra == EXTRA_ID && eg_envelope_inspect(*body, &facts, NULL) == 0) {
		eg_id_text(&facts.id, text);
		assert(eg_buf_printf(path, "%s", text) == 0);
	} else if (call->path[strlen(call->path) - 1] == '/') {
		put_clean(path, name, '!');
	}
}

// False: with header lines of the input's, which may have made it ill-formed.
static bool put_request(const struct call *call, struct eg_bytes rest, struct eg_buf *out)
{
	struct eg_buf lines, path, signed_body;
	struct eg_bytes line, name = next_line(&rest);
	bool whole;
	int r;

	eg_buf_init(&lines, REQUEST_MAX);
	eg_buf_init(&path, REQUEST_MAX);
	eg_buf_init(&signed_body, EG_AUDIT_MESSAGE_MAX);
	while ((line = next_line(&rest)).size > 0) {
		put_clean(&lines, line, ' ');
		assert(eg_buf_printf(&lines, "\r\n") == 0);
	}
	put_path(call, name, &rest, &path, &signed_body);
	r = eg_buf_printf(out, "%s %s", call->method, call->path);
	if (r == 0)
		r = eg_buf_put(out, path.data, path.size);
	if (r == 0)
		r = eg_buf_printf(out, " HTTP/1.1\r\nHost: centre\r\nConnection: close\r\n");
	if (r == 0 && call->type != NULL)
		r = eg_buf_printf(out, "Content-Type: %s\r\nContent-Length: %zu\r\n", call->type,
				  rest.size);
	if (r == 0)
		r = eg_buf_put(out, lines.data, lines.size);
	if (r == 0)
		r = eg_buf_printf(out, "\r\n");
	if (r == 0 && call->type != NULL)
		r = eg_buf_put(out, rest.data, rest.size);
	assert(r == 0);
	whole = lines.size == 0;
	eg_buf_done(&lines);
	eg_buf_done(&path);
	eg_buf_done(&signed_body);
	return whole;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct eg_buf request, answers;
	bool whole;

	if (size < 2 || size > 1u << 20)
		return 0;
	eg_buf_init(&request, REQUEST_MAX);
	eg_buf_init(&answers, 64u << 20);
	whole = put_request(&calls[data[0] % CALLS], EG_BYTES(data + 2, size - 2), &request);
	kit_call((enum kit_caller)(data[1] % KIT_CALLERS), eg_buf_bytes(&request), &answers);
	(void)kit_check(&answers, whole);
	eg_buf_done(&request);
	eg_buf_done(&answers);
	return 0;
}
