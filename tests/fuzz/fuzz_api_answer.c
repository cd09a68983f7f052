// SPDX-License-Identifier: Apache-2.0
// links: eg_central
//
// Every answer of net/api.yaml, as syncd takes it: the calls of net/exchange.h over an eg_http_do
// that is played here. The input: one byte chooses the call, then come answers (a call may ask
// twice), each status (2 bytes), a byte of flags, ETag and body, both behind a length of 2 bytes.
// Nothing that is not signed by a trusted key may be believed.

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "net/central/ca.h"
#include "net/exchange.h"
#include "store/policy.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct eg_bytes script; // what is left of the input

static uint8_t next_byte(void)
{
	uint8_t byte;

	if (script.size == 0)
		return 0;
	byte = script.data[0];
	script.data++;
	script.size--;
	return byte;
}

static size_t next_number(void)
{
	size_t high = next_byte();

	return high << 8 | next_byte();
}

static struct eg_bytes next_bytes(void)
{
	size_t size = next_number();
	struct eg_bytes bytes = {script.data, size < script.size ? size : script.size};

	script.data += bytes.size;
	script.size -= bytes.size;
	return bytes;
}

// The network. Flags: 1 fails, 2 with a problem's content type, 4 ranged, 8 Retry-After,
// 16 the range is the one that was asked for.
int eg_http_do(struct eg_http *http, const struct eg_http_request *request, struct eg_buf *body,
	       struct eg_http_answer *ret_answer, bool *ret_refused, struct eg_err *err)
{
	struct eg_http_answer answer = {.retry_after_ms = -1};
	struct eg_bytes etag, bytes;
	uint8_t flags;

	(void)http;
	assert(request->path[0] == '/' && !strpbrk(request->path, " ?#%\r\n"));
	*ret_refused = false;
	answer.status = 200 + (int)next_number() % 400;
	flags = next_byte();
	etag = next_bytes();
	bytes = next_bytes();
	if (flags & 1) {
		*ret_refused = (flags & 2) != 0;
		return eg_err_set(err, *ret_refused ? EG_EAUTH : EG_ENET, "no link");
	}
	if (etag.size < sizeof(answer.etag))
		memcpy(answer.etag, etag.data, etag.size);
	if (flags & 2)
		(void)snprintf(answer.content_type, sizeof(answer.content_type),
			       "application/problem+json");
	if (flags & 4) { // as eg_http_parse_range lets them through
		answer.ranged = true;
		answer.from = flags & 16 ? request->from : next_byte();
		answer.to = flags & 16 ? request->to : answer.from + next_byte();
		answer.length = flags & 16 ? 3000 : answer.to + 1 + next_byte();
	}
	if (flags & 8)
		answer.retry_after_ms = 1000;
	*ret_answer = answer;
	if (eg_buf_put(body, bytes.data, bytes.size) != 0)
		return eg_err_set(err, EG_ETOOBIG, "too large");
	return 0;
}

static struct eg_trust trust;
static struct eg_tls_key *key;

static void start(void)
{
	// RFC 6979 A.2.5: its public half. The private one is known, but not to a fuzzer.
	static const char pub[] = "0460FED4BA255A9D31C961EB74C6356D68C049B8923B61FA6CE669622E60F29F"
				  "B67903FE1008B8BC99A41AE9E95628BC64F2F1B20C2D7E9F5177A3C294D446"
				  "2299";
	const struct eg_vault_config vault_config = {
		.want = EG_KEY_WANT_FILE, .tcti = "", .device_key = ""};
	struct eg_vault *vault = NULL;
	struct eg_buf ca_key, ca;
	int r = eg_crypto_init(NULL);

	eg_buf_init_secret(&ca_key, 16384);
	eg_buf_init(&ca, sizeof(trust.ca_pem) - 1);
	(void)snprintf(trust.booth, sizeof(trust.booth), "lane-1");
	trust.sign_count = 1;
	if (r == 0)
		r = eg_unhex(pub, trust.sign[0].pub, sizeof(trust.sign[0].pub));
	eg_kid(trust.sign[0].pub, trust.sign[0].kid);
	if (r == 0)
		r = eg_ca_key(&ca_key, NULL);
	if (r == 0)
		r = eg_ca_self_sign(eg_buf_bytes(&ca_key), 1780000000000, &ca, NULL);
	if (r == 0)
		memcpy(trust.ca_pem, ca.data, ca.size);
	if (r == 0)
		r = eg_vault_new(&vault_config, &vault, NULL);
	if (r == 0)
		r = eg_tls_key_make(vault, &key, NULL);
	assert(r == 0);
	eg_buf_done(&ca_key);
	eg_buf_done(&ca);
}

// Each call's own checks; whatever is not DONE must leave a sentence.
static void check(enum eg_sync_outcome outcome, const struct eg_err *err)
{
	assert(outcome < EG_SYNC_OUTCOMES);
	assert(outcome == EG_SYNC_DONE || err->text[0] != '\0');
}

static void call_certificate(struct eg_exchange *x, struct eg_err *err)
{
	struct eg_identity identity = {0};
	enum eg_sync_outcome outcome =
		eg_exchange_certificate(x, key, next_byte() % 2 ? "token" : NULL, &identity, err);

	assert(outcome != EG_SYNC_DONE); // nobody certifies for that authority
	check(outcome, err);
}

static void call_list(struct eg_exchange *x, struct eg_err *err)
{
	static struct eg_listed listed[EG_WIRE_LISTED_MAX];
	char etag[EG_HTTP_ETAG_MAX] = "";
	size_t count = 0;
	bool changed = false;
	enum eg_sync_outcome outcome = eg_exchange_list(x, etag, listed, &count, &changed, err);

	check(outcome, err);
	assert(count <= EG_WIRE_LISTED_MAX);
	for (size_t i = 0; i < count; i++)
		assert(listed[i].id[0] != '\0' && !strpbrk(listed[i].id, "/?#% \r\n"));
}

// A manifest of 3000 bytes of which some are here already, in as many pieces as the input has.
static void call_piece(struct eg_exchange *x, struct eg_err *err)
{
	const struct eg_listed listed = {
		.id = "EG1", .version = 1, .length = 3000, .etag = "\"e\""};
	static const uint8_t zeros[3000];
	bool whole = false, gone = false;
	struct eg_buf wire;

	eg_buf_init(&wire, listed.length);
	assert(eg_buf_put(&wire, zeros, next_number() % listed.length) == 0);
	for (int i = 0; i < 4 && script.size > 0 && !whole; i++) {
		*err = EG_ERR_INIT;
		check(eg_exchange_piece(x, &listed, &wire, &whole, &gone, err), err);
		assert(wire.size <= listed.length && whole == (wire.size == listed.length));
	}
	eg_buf_done(&wire);
}

static void call_audit(struct eg_exchange *x, struct eg_err *err)
{
	const struct eg_audit_head head = {.booth = "lane-1", .count = 5, .digest = {5}};
	struct eg_buf receipt;
	enum eg_sync_outcome outcome;

	eg_buf_init(&receipt, EG_AUDIT_MESSAGE_MAX);
	outcome = eg_exchange_audit(x, &head, EG_BYTES_STR("head"), &receipt, err);
	assert(outcome != EG_SYNC_DONE);
	check(outcome, err);
	eg_buf_done(&receipt);
}

static void call_policy(struct eg_exchange *x, struct eg_err *err)
{
	static struct eg_policy policy;
	char etag[EG_HTTP_ETAG_MAX] = "";
	struct eg_buf message;
	bool changed = false;

	eg_buf_init(&message, EG_POLICY_MAX);
	check(eg_exchange_policy(x, etag, &message, &changed, err), err);
	if (changed)
		assert(eg_policy_verify(eg_buf_bytes(&message), trust.sign, 1, &policy, err) != 0);
	eg_buf_done(&message);
}

static void call_encounter(struct eg_exchange *x, struct eg_err *err)
{
	const struct eg_queued item = {.digest = {1}, .whole = {2}};
	struct eg_ack ack;
	enum eg_sync_outcome outcome =
		eg_exchange_encounter(x, &item, EG_BYTES_STR("envelope"), &ack, err);

	assert(outcome !=
	       EG_SYNC_DONE); // only an acknowledgement that is signed lets a booth erase
	check(outcome, err);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct eg_exchange x = {.trust = &trust};
	struct eg_err err = EG_ERR_INIT;

	if (key == NULL)
		start();
	script = EG_BYTES(data, size);
	switch (next_byte() % 8) {
	case 0:
		call_certificate(&x, &err);
		break;
	case 1:
		check(eg_exchange_hello(&x, &err), &err);
		break;
	case 2:
		check(eg_exchange_keys(&x, EG_BYTES_STR("keys"), &err), &err);
		break;
	case 3:
		call_list(&x, &err);
		break;
	case 4:
		call_piece(&x, &err);
		break;
	case 5:
		check(eg_exchange_heartbeat(&x, EG_BYTES_STR("{}"), &err), &err);
		break;
	case 6:
		call_audit(&x, &err);
		break;
	default:
		(next_byte() % 2 ? call_policy : call_encounter)(&x, &err);
		break;
	}
	return 0;
}
