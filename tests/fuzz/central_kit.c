// SPDX-License-Identifier: Apache-2.0
//
// See central_kit.h.

#include "tests/fuzz/central_kit.h"

#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <systemd/sd-json.h>
#include <unistd.h>

#include "firmware/base/log.h"
#include "net/central/centrald/gates.h"
#include "net/central/centrald/request.h"
#include "store/encounter.h"
#include "store/policy.h"
#include "store/trust.h"

#define NOW_MS	      1780000000000LL
#define MANIFEST_SIZE ((1u << 18) + 1000) // two pieces
#define ROUNDS_MAX    100000
#define IDLE_MAX      4

static struct server server;
static struct config config = {.certificate_days = 90, .request_s = 120, .body_mb = 64};
static struct eg_clock clock_now;
static struct eg_certificate certificates[KIT_CALLERS];
static enum kit_caller caller_now;
static struct eg_key *booth_key;

unsigned int peer_check(struct MHD_Connection *connection, struct eg_ledger *ledger,
			struct eg_certificate *ret_peer, struct eg_err *err)
{
	(void)connection;
	(void)ledger;
	if (caller_now == KIT_NOBODY || caller_now == KIT_REVOKED) {
		(void)eg_err_set(err, EG_EAUTH, "Not you.");
		return caller_now == KIT_NOBODY ? MHD_HTTP_UNAUTHORIZED : MHD_HTTP_FORBIDDEN;
	}
	*ret_peer = certificates[caller_now];
	return 0;
}

struct eg_key *kit_key(const char *scalar)
{
	uint8_t raw[EG_P256_PRIV_SIZE];
	struct eg_key *key = NULL;
	int r = eg_crypto_init(NULL);

	if (r == 0)
		r = eg_unhex(scalar, raw, sizeof(raw));
	if (r == 0)
		r = eg_key_from_raw(EG_BYTES(raw, sizeof(raw)), &key, NULL);
	assert(r == 0);
	return key;
}

static void make_ca(void)
{
	struct eg_buf key, cert;
	int r;

	eg_buf_init_secret(&key, 16384);
	eg_buf_init(&cert, 16384);
	r = eg_ca_key(&key, NULL);
	if (r == 0)
		r = eg_ca_self_sign(eg_buf_bytes(&key), NOW_MS, &cert, NULL);
	if (r == 0)
		r = eg_ca_new(eg_buf_bytes(&key), eg_buf_bytes(&cert), &server.ca, NULL);
	assert(r == 0);
	eg_buf_done(&key);
	eg_buf_done(&cert);
}

static void open_ledger(void)
{
	char folder[] = "/tmp/egress-fuzz-XXXXXX", path[64];
	static const char *const ends[] = {"", "-wal", "-shm", ".lock"};
	int r;

	assert(mkdtemp(folder) != NULL);
	(void)snprintf(path, sizeof(path), "%s/ledger", folder);
	r = eg_ledger_open(path, &server.ledger, NULL);
	assert(r == 0);
	// It lives on while it is open, and nothing is left however we end.
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		(void)snprintf(path, sizeof(path), "%s/ledger%s", folder, ends[i]);
		(void)unlink(path);
	}
	(void)rmdir(folder);
}

static void enrol(const char *booth, const struct eg_key *key, const char *token,
		  struct eg_certificate *certificate)
{
	uint8_t hash[EG_SHA256_SIZE];
	struct eg_buf der;
	int r = eg_sha256(EG_BYTES_STR(token), hash);

	eg_buf_init(&der, EG_CERT_DER_MAX);
	if (r == 0)
		r = eg_ledger_put_token(server.ledger, booth, hash, NOW_MS + 3600000, NOW_MS, NULL);
	if (r == 0 && certificate != NULL)
		r = eg_ca_sign_booth(server.ca, booth, eg_key_public(key), 90, NOW_MS, &der,
				     certificate, NULL);
	if (r == 0 && certificate != NULL)
		r = eg_ledger_enrol(server.ledger, hash, certificate, eg_buf_bytes(&der), NOW_MS,
				    NULL);
	assert(r == 0);
	eg_buf_done(&der);
}

static void put_keys(void)
{
	struct eg_booth_keys keys;
	struct eg_buf out;
	int r;

	eg_buf_init(&out, EG_BOOTH_KEYS_MAX);
	memcpy(keys.seal, eg_key_public(booth_key), sizeof(keys.seal));
	memcpy(keys.sign, eg_key_public(booth_key), sizeof(keys.sign));
	r = eg_booth_keys_encode(&keys, &out);
	if (r == 0)
		r = eg_ledger_put_keys(server.ledger, "lane-1", eg_buf_bytes(&out), NOW_MS, NULL);
	assert(r == 0);
	eg_buf_done(&out);
}

static void put_manifest(void)
{
	static uint8_t wire[MANIFEST_SIZE];
	struct eg_manifest_row row = {.id = "EG1-20261124",
				      .booth = "lane-1",
				      .flight = "EG1",
				      .version = 3,
				      .not_before_ms = NOW_MS - 1000,
				      .expires_ms = NOW_MS + 3600000,
				      .published_ms = NOW_MS,
				      .travellers = 2};

	for (size_t i = 0; i < sizeof(wire); i++)
		wire[i] = (uint8_t)(i ^ i >> 8);
	int r = eg_ledger_put_manifest(server.ledger, &row, EG_BYTES(wire, sizeof(wire)), NULL);
	assert(r == 0);
}

static void put_policy(void)
{
	struct eg_policy policy = eg_policy_defaults;
	struct eg_buf out;
	int r;

	policy.version = 2;
	eg_buf_init(&out, EG_POLICY_MAX);
	r = eg_policy_sign(&policy, server.sign, &out, NULL);
	if (r == 0)
		r = eg_ledger_put_policy(server.ledger, policy.version, eg_buf_bytes(&out), NOW_MS,
					 NULL);
	assert(r == 0);
	eg_buf_done(&out);
}

static void put_audit_head(void)
{
	struct eg_audit_head head = {.booth = "lane-1", .count = 5, .digest = {5}};
	struct eg_buf receipt, known;
	int r;

	eg_buf_init(&receipt, EG_AUDIT_MESSAGE_MAX);
	eg_buf_init(&known, EG_AUDIT_MESSAGE_MAX);
	r = eg_audit_sign_receipt(&head, server.sign, &receipt, NULL);
	if (r == 0)
		r = eg_ledger_put_audit_head(server.ledger, "lane-1", &head, eg_buf_bytes(&receipt),
					     NOW_MS, &known, NULL);
	assert(r == 0);
	eg_buf_done(&receipt);
	eg_buf_done(&known);
}

static void start_daemon(void)
{
	server.daemon = MHD_start_daemon(
		MHD_USE_EPOLL | MHD_USE_NO_LISTEN_SOCKET | MHD_USE_NO_THREAD_SAFETY, 0, NULL, NULL,
		gates_access, &server, MHD_OPTION_ARRAY, gates_options, MHD_OPTION_END);
	assert(server.daemon != NULL);
}

static void start(void)
{
	struct eg_key *other;

	eg_log_init("fuzz", (enum eg_log_level)0); // quiet
	server.sign = kit_key(KIT_CENTRE);
	booth_key = kit_key(KIT_BOOTH);
	eg_clock_fake_init(&clock_now, 1000 * EG_NS_PER_MS, NOW_MS);
	server.config = &config;
	server.clock = &clock_now;
	eg_kid(eg_key_public(server.sign), server.seal_kid);
	make_ca();
	open_ledger();
	enrol("lane-1", booth_key, "used", &certificates[KIT_LANE_1]);
	enrol("lane-1", booth_key, "token", NULL);
	assert(eg_key_generate(&other, NULL) == 0);
	enrol("lane-2", other, "used too", &certificates[KIT_LANE_2]);
	eg_key_free(other);
	put_keys();
	put_manifest();
	put_policy();
	put_audit_head();
	start_daemon();
}

const struct eg_key *kit_booth_key(void)
{
	if (server.daemon == NULL)
		start();
	return booth_key;
}

// False: nothing could be sent. Our side is closed in a turn of its own: libmicrohttpd (1.0.1) does
// not see an end that comes together with the last bytes, and then waits for its time-out.
static bool give(int fd, struct eg_bytes *bytes, bool *open)
{
	ssize_t n;

	if (bytes->size == 0) {
		bool was = *open;

		*open = false;
		return was && shutdown(fd, SHUT_WR) == 0;
	}
	n = send(fd, bytes->data, bytes->size, MSG_NOSIGNAL);
	if (n <= 0)
		return false;
	bytes->data += n;
	bytes->size -= (size_t)n;
	return true;
}

// False: nothing came.
static bool take(int fd, struct eg_buf *out, bool *ret_closed)
{
	static uint8_t block[65536];
	ssize_t n = recv(fd, block, sizeof(block), 0);

	*ret_closed = n == 0 || (n < 0 && errno != EAGAIN);
	return n > 0 && eg_buf_put(out, block, (size_t)n) == 0;
}

static void converse(int fd, struct eg_bytes bytes, struct eg_buf *out)
{
	bool closed = false, open = true;
	int idle = 0;

	for (int n = 0; !closed && idle < IDLE_MAX; n++) {
		bool busy = give(fd, &bytes, &open);

		assert(n < ROUNDS_MAX);
		(void)MHD_run(server.daemon);
		busy = take(fd, out, &closed) || busy;
		idle = busy ? 0 : idle + 1;
	}
	// All was sent, our side is closed and nothing comes: then the centre must have closed.
	assert(closed || open);
}

void kit_call(enum kit_caller caller, struct eg_bytes bytes, struct eg_buf *out)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(0x7f000001)};
	int pair[2], r;

	if (server.daemon == NULL)
		start();
	caller_now = caller;
	eg_buf_reset(out);
	server.attempts = (struct eg_attempts){0};
	r = socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair);
	if (r == 0)
		r = eg_ledger_begin(server.ledger, NULL);
	assert(r == 0);
	r = MHD_add_connection(server.daemon, pair[1], (struct sockaddr *)&address,
			       sizeof(address)) == MHD_YES
		    ? 0
		    : -1;
	assert(r == 0);
	converse(pair[0], bytes, out);
	(void)close(pair[0]);
	for (int i = 0; i < 3; i++)
		(void)MHD_run(server.daemon);
	eg_ledger_rollback(server.ledger);
	assert(server.body_bytes == 0);
}

// The value of `json`'s field "detail" must be there, and "status" must be `status`.
static void check_problem(const char *body, int status)
{
	sd_json_variant *json = NULL, *detail;
	int r = sd_json_parse(body, 0, &json, NULL, NULL);

	assert(r >= 0);
	detail = sd_json_variant_by_key(json, "detail");
	assert(detail != NULL && sd_json_variant_is_string(detail));
	assert(sd_json_variant_string(detail)[0] != '\0');
	assert(sd_json_variant_unsigned(sd_json_variant_by_key(json, "status")) ==
	       (uint64_t)status);
	sd_json_variant_unref(json);
}

int kit_check(struct eg_buf *answers, bool whole)
{
	const char *text = eg_buf_text(answers), *body;
	int status;

	if (answers->size == 0)
		return 0;
	assert(text != NULL &&
	       (strncmp(text, "HTTP/1.1 ", 9) == 0 || strncmp(text, "HTTP/1.0 ", 9) == 0));
	status = (int)strtol(text + 9, NULL, 10);
	assert(status >= 100 && status <= 599 && status != 500);
	body = strstr(text, "\r\n\r\n");
	assert(body != NULL);
	if (whole && status >= 400) {
		assert(strcasestr(text, "content-type: application/problem+json") != NULL);
		check_problem(body + 4, status);
	}
	return status;
}
