// SPDX-License-Identifier: Apache-2.0
//
// Who this booth is: trust.json, the one-time token, and in syncd's state folder
//
//	tls.pem          key and certificate in use (net/identity.h), replaced in one rename
//	booth-keys.sent  SHA-256 of the booth.pub that the centre has, in hex
//
// How tls.pem comes about is enrol.c's. A key in a TPM that does not answer makes the booth wait,
// and look again, without end; it never makes it take another key.
//
// Worker thread.

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "firmware/base/crypto.h"
#include "firmware/base/file.h"
#include "firmware/base/log.h"
#include "firmware/base/mem.h"
#include "firmware/syncd/worker_internal.h"

void state_path(const struct worker *worker, const char *name, char path[STATE_PATH_MAX])
{
	(void)snprintf(path, STATE_PATH_MAX, "%s/%s", worker->config->state, name);
}

void state_forget(const struct worker *worker, const char *name)
{
	char path[STATE_PATH_MAX];

	state_path(worker, name, path);
	if (unlink(path) != 0 && errno != ENOENT)
		eg_warning("%s: cannot be removed: %s", path, strerror(errno));
}

int identity_use(struct worker *worker, struct eg_identity *identity, struct eg_err *err)
{
	int r = eg_http_identity(worker->http, identity->key, eg_buf_bytes(&identity->pem), err);

	if (r != 0)
		return r;
	eg_identity_done(&worker->identity);
	worker->identity = *identity;
	*identity = (struct eg_identity){0};
	worker->kept = eg_tls_key_kept(worker->identity.key);
	worker->key_lost = false;
	worker->key_failures = 0;
	worker->key_retry_ms = 0;
	eg_sync_identity(&worker->sync, true, worker->identity.from_ms, worker->identity.end_ms,
			 eg_boot_ms(worker->clock));
	return 0;
}

// Lets go of the key, and so of the TPM, which has to be opened anew; what is known of the
// certificate stays.
static void lose_key(struct worker *worker, const struct eg_err *err)
{
	worker_complain(worker, err);
	(void)!eg_http_identity(worker->http, NULL, (struct eg_bytes){0}, NULL);
	eg_tls_key_unref(worker->identity.key);
	worker->identity.key = NULL;
	worker->key_lost = true;
	worker->link = LINK_DOWN;
	eg_sync_identity(&worker->sync, false, 0, 0, eg_boot_ms(worker->clock));
}

static int load_identity(struct worker *worker, struct eg_err *err)
{
	struct eg_identity identity = {0};
	char path[STATE_PATH_MAX];
	struct eg_buf pem;
	int r;

	state_path(worker, "tls.pem", path);
	eg_buf_init_secret(&pem, EG_IDENTITY_MAX);
	r = eg_file_read_private(path, &pem, err);
	if (r == 0) {
		worker->kept = eg_key_kept_of(eg_buf_bytes(&pem));
		r = eg_identity_parse(worker->vault, eg_buf_bytes(&pem), worker->trust.booth,
				      worker->trust.ca_pem, &identity, err);
		if (r == 0)
			r = identity_use(worker, &identity, err);
		if (r == 0)
			identity_tidy(worker);
		if (r != 0)
			eg_err_prefix(err, r, "%s", path);
	}
	eg_identity_done(&identity);
	eg_buf_done(&pem);
	return r;
}

static int load_trust(struct worker *worker, struct eg_err *err)
{
	const struct config *config = worker->config;
	struct eg_http *http, *old;
	struct eg_trust trust;
	int r = eg_trust_load(config->trust, &trust, err);

	if (r == EG_ENOENT)
		return eg_err_set(err, r,
				  "%s is missing: get a provision file from the centre "
				  "('centralctl token new') and run 'boothctl provision FILE'",
				  config->trust);
	if (r != 0)
		return r;
	r = eg_http_new(&(struct eg_http_config){.url = trust.url,
						 .ca_pem = trust.ca_pem,
						 .connect_ms =
							 (unsigned int)config->connect_s * 1000,
						 .stall_ms = (unsigned int)config->stall_s * 1000,
						 .total_ms = (unsigned int)config->call_s * 1000},
			&http, err);
	if (r != 0)
		return r;
	(void)pthread_mutex_lock(&worker->lock);
	old = worker->http;
	worker->http = http;
	if (worker->stop)
		eg_http_cancel(http, true);
	(void)pthread_mutex_unlock(&worker->lock);
	eg_http_free(old);
	worker->trust = trust;
	worker->exchange =
		(struct eg_exchange){.http = http, .trust = &worker->trust, .retry_after_ms = -1};
	worker->trusted = true;
	worker->inbound.list_etag[0] = '\0';
	eg_identity_done(&worker->identity);
	worker->key_retry_ms = 0;
	eg_sync_identity(&worker->sync, false, 0, 0, eg_boot_ms(worker->clock));
	return 0;
}

// The token as it stands in its file, without white space around it; "" when there is none.
static int read_token(const struct worker *worker, char token[TOKEN_MAX], struct eg_err *err)
{
	struct eg_bytes text;
	struct eg_buf file;
	size_t n = 0;
	int r;

	token[0] = '\0';
	eg_buf_init_secret(&file, TOKEN_MAX + 16);
	r = eg_file_read(worker->config->token, &file, err);
	if (r == 0) {
		text = eg_buf_bytes(&file);
		while (n < text.size && text.data[n] > ' ' && text.data[n] < 0x7f)
			n++;
		for (size_t i = n; i < text.size; i++)
			if (text.data[i] != '\n' && text.data[i] != '\r' && text.data[i] != ' ')
				r = EG_EINVAL;
		if (n == 0 || n >= TOKEN_MAX || r != 0) {
			r = eg_err_set(err, EG_EINVAL, "%s: not a token; provision the booth again",
				       worker->config->token);
		} else {
			memcpy(token, text.data, n);
			token[n] = '\0';
		}
	}
	eg_buf_done(&file);
	return r == EG_ENOENT ? 0 : r;
}

static void look_at_token(struct worker *worker)
{
	struct eg_err err = EG_ERR_INIT;
	char token[TOKEN_MAX];

	if (read_token(worker, token, &err) != 0)
		worker_complain(worker, &err);
	if (strcmp(token, worker->token) != 0) {
		memcpy(worker->token, token, sizeof(worker->token));
		// A new token comes with a new trust.json, which may name another centre.
		if (token[0] && worker->trusted && load_trust(worker, &err) != 0)
			worker_complain(worker, &err);
		eg_sync_token(&worker->sync, token[0] != '\0', eg_boot_ms(worker->clock));
	}
	eg_wipe(token, sizeof(token));
}

void token_forget(struct worker *worker)
{
	if (unlink(worker->config->token) != 0 && errno != ENOENT)
		eg_warning("%s: cannot be removed: %s", worker->config->token, strerror(errno));
	eg_wipe(worker->token, sizeof(worker->token));
}

static void hex_digest(struct eg_bytes bytes, char text[2 * EG_SHA256_SIZE + 1])
{
	uint8_t digest[EG_SHA256_SIZE] = {0};

	(void)!eg_sha256(bytes, digest);
	eg_hex(digest, sizeof(digest), text);
}

int identity_keys_marker(struct worker *worker, struct eg_bytes keys, struct eg_err *err)
{
	char path[STATE_PATH_MAX], text[2 * EG_SHA256_SIZE + 1];

	state_path(worker, "booth-keys.sent", path);
	hex_digest(keys, text);
	return eg_file_write(path, EG_BYTES_STR(text), 0600, err);
}

// Whether the centre has the keys that stand in booth.pub; also "nothing to send" without a file.
void identity_look_at_keys(struct worker *worker)
{
	char path[STATE_PATH_MAX], text[2 * EG_SHA256_SIZE + 1];
	struct eg_buf keys, marker;
	bool there;

	eg_buf_init(&keys, 1024);
	eg_buf_init(&marker, 2 * EG_SHA256_SIZE);
	state_path(worker, "booth-keys.sent", path);
	there = eg_file_read(worker->config->booth_keys, &keys, NULL) == 0;
	hex_digest(eg_buf_bytes(&keys), text);
	worker->keys_sent = there && eg_file_read(path, &marker, NULL) == 0 &&
			    eg_bytes_equal(eg_buf_bytes(&marker), EG_BYTES_STR(text));
	eg_sync_keys(&worker->sync, worker->keys_sent || !there);
	eg_buf_done(&marker);
	eg_buf_done(&keys);
}

// What can be done without a certificate, after tls.pem could not be used (`r`).
static void without_identity(struct worker *worker, int r, struct eg_err *err)
{
	// The device failed, not the file.
	const bool device = r == EG_EIO || r == EG_EUNSUPPORTED;

	if (r == EG_ENOENT)
		worker->kept = EG_KEY_NONE;
	if (r == EG_ENOENT && !worker->sync.token)
		eg_err_set(err, EG_ENOENT,
			   "neither a certificate (%s/tls.pem) nor a token (%s): run "
			   "'boothctl provision FILE'",
			   worker->config->state, worker->config->token);
	if (r != EG_ENOENT || !worker->sync.token)
		worker_complain(worker, err);
	worker->key_lost = device;
	if (device)
		worker->key_retry_ms = eg_boot_ms(worker->clock) +
				       eg_sync_backoff(&worker->sync.rules, ++worker->key_failures,
						       worker_random());
	if (!worker->sync.token)
		worker->link = device ? LINK_DOWN : LINK_UNPROVISIONED;
}

void identity_look(struct worker *worker)
{
	struct eg_err err = EG_ERR_INIT;

	if (!worker->trusted && load_trust(worker, &err) != 0) {
		worker_complain(worker, &err);
		return;
	}
	look_at_token(worker);
	if (worker->key_doubt && worker->identity.key &&
	    eg_tls_key_test(worker->identity.key, &err) != 0)
		lose_key(worker, &err);
	worker->key_doubt = false;
	if (!worker->sync.identity && eg_boot_ms(worker->clock) >= worker->key_retry_ms) {
		int r = load_identity(worker, &err);

		if (r != 0)
			without_identity(worker, r, &err);
	}
	if (worker->sync.identity || (worker->sync.token && !worker->key_lost)) {
		if (worker->missing[0] && strcmp(worker->problem, worker->missing) == 0)
			worker->problem[0] = '\0';
		worker->missing[0] = '\0';
		if (worker->link == LINK_UNPROVISIONED)
			worker->link = LINK_CONNECTING;
	}
	identity_look_at_keys(worker);
}
