// SPDX-License-Identifier: Apache-2.0
//
// How tls.pem comes about: by a token, and later by a renewal with a new key. Files, in syncd's
// state folder:
//
//	tls.pem          in use; what the centre accepted, or what a token was given for
//	tls.key.pending  the key of an enrolment that has not been answered yet, so that asking
//	                 again after a lost answer shows the centre the same key
//	tls.key.next     the same for a renewal
//	tls.pem.next     a renewed identity that the centre has not accepted yet
//
// A power cut between any two steps leaves something that works:
//
//	enrolment  tls.key.pending, answer, booth-keys.sent away, tls.pem, token away,
//	           tls.key.pending away
//	renewal    tls.key.next, answer, tls.pem.next, a call under it that the centre accepts,
//	           tls.pem, tls.key.next away, tls.pem.next away
//
// The old certificate stays good at the centre when a new one is given, so that the two overlap
// until the call; a new one that the centre then does not know is thrown away again.
//
// Worker thread.

#include <string.h>

#include "firmware/base/file.h"
#include "firmware/base/log.h"
#include "firmware/base/mem.h"
#include "firmware/syncd/worker_internal.h"

// A key is never kept worse than the one before because a device is missing; only because
// somebody decided so.
static int may_make(const struct worker *worker, struct eg_err *err)
{
	const enum eg_key_kept would = eg_vault_kept(worker->vault), is = worker->kept;

	if (would >= is || (is == EG_KEY_TPM && worker->config->key == EG_KEY_WANT_FILE))
		return 0;
	if (is == EG_KEY_TPM)
		return eg_err_set(err, EG_EIO,
				  "TPM: it kept this booth's TLS key, and is not there now (%s); "
				  "repair it, or decide for 'key = file' in [identity] of "
				  "syncd.conf",
				  worker->config->tpm);
	return eg_err_set(err, EG_EIO,
			  "device key: it sealed this booth's TLS key, and is not there now (%s); "
			  "put it back, or remove %s/tls.pem and provision the booth again",
			  worker->config->device_key, worker->config->state);
}

// Whether a key from a file is kept as the configuration wants it.
static bool fits(const struct worker *worker, const struct eg_tls_key *key)
{
	const bool in_tpm = eg_tls_key_kept(key) == EG_KEY_TPM;
	const int want = worker->config->key;

	return want == EG_KEY_AUTO || in_tpm == (want == EG_KEY_WANT_TPM);
}

// Opens the key that a file of the state folder holds. EG_ENOENT: there is none of use.
static int read_key(struct worker *worker, const char *path, struct eg_tls_key **ret_key,
		    struct eg_err *err)
{
	struct eg_tls_key *key;
	struct eg_buf pem;
	int r;

	eg_buf_init_secret(&pem, EG_TLS_KEY_PEM_MAX);
	r = eg_file_read_private(path, &pem, err);
	if (r == 0)
		r = eg_tls_key_open(worker->vault, eg_buf_bytes(&pem), &key, err);
	eg_buf_done(&pem);
	if (r == EG_EINVAL || r == EG_EAUTH) {
		eg_warning("%s: %s; making another key", path, err->text);
		return EG_ENOENT;
	}
	if (r != 0)
		return r;
	if (!fits(worker, key)) {
		eg_tls_key_unref(key);
		return EG_ENOENT;
	}
	*ret_key = key;
	return 0;
}

// The key that waits in the file `name`, or a new one, which is written there.
static int waiting_key(struct worker *worker, const char *name, struct eg_tls_key **ret_key,
		       struct eg_err *err)
{
	char path[STATE_PATH_MAX];
	struct eg_tls_key *key;
	int r;

	state_path(worker, name, path);
	r = read_key(worker, path, ret_key, err);
	if (r != EG_ENOENT)
		return r;
	r = may_make(worker, err);
	if (r == 0)
		r = eg_tls_key_make(worker->vault, &key, err);
	if (r != 0)
		return r;
	r = eg_file_write(path, eg_tls_key_pem(key), 0600, err);
	if (r == 0)
		*ret_key = key;
	else
		eg_tls_key_unref(key);
	return r;
}

static int write_identity(struct worker *worker, const char *name,
			  const struct eg_identity *identity, struct eg_err *err)
{
	char path[STATE_PATH_MAX];

	state_path(worker, name, path);
	return eg_file_write(path, eg_buf_bytes(&identity->pem), 0600, err);
}

static void tell(const struct worker *worker)
{
	char end[EG_TIME_TEXT_MAX];

	eg_time_text(worker->identity.end_ms, end);
	eg_notice("new certificate for booth '%s', key kept: %s, good until %s",
		  worker->trust.booth, eg_key_kept_name(worker->kept), end);
}

// Shows the centre the certificate in use again, after another or none.
static void show_current(struct worker *worker)
{
	struct eg_err err = EG_ERR_INIT;

	if (eg_http_identity(worker->http, worker->identity.key,
			     eg_buf_bytes(&worker->identity.pem), &err) != 0)
		worker_complain(worker, &err);
}

enum eg_sync_outcome identity_enrol(struct worker *worker, struct eg_err *err)
{
	enum eg_sync_outcome outcome = EG_SYNC_FAILED;
	struct eg_identity identity = {0};
	struct eg_tls_key *key = NULL;

	if (waiting_key(worker, "tls.key.pending", &key, err) != 0)
		return EG_SYNC_FAILED;
	if (eg_http_identity(worker->http, NULL, (struct eg_bytes){0}, err) != 0)
		goto out;
	outcome = eg_exchange_certificate(&worker->exchange, key, worker->token, &identity, err);
	if (outcome != EG_SYNC_DONE) { // go on under the certificate we have, if we have one
		if (outcome == EG_SYNC_REFUSED) // the next token shall not fail for this key
			state_forget(worker, "tls.key.pending");
		show_current(worker);
		goto out;
	}
	state_forget(worker, "booth-keys.sent");
	if (write_identity(worker, "tls.pem", &identity, err) != 0 ||
	    identity_use(worker, &identity, err) != 0) {
		outcome = EG_SYNC_FAILED;
		goto out;
	}
	tell(worker);
	token_forget(worker);
	state_forget(worker, "tls.key.pending");
	state_forget(worker, "tls.key.next");
	state_forget(worker, "tls.pem.next");
	identity_look_at_keys(worker);
out:
	eg_identity_done(&identity);
	eg_tls_key_unref(key);
	return outcome;
}

// A renewed identity that was written down but not accepted yet. EG_ENOENT: there is none of use.
static int read_next(struct worker *worker, struct eg_identity *ret_identity, struct eg_err *err)
{
	struct eg_identity identity = {0};
	char path[STATE_PATH_MAX];
	struct eg_buf pem;
	int r;

	state_path(worker, "tls.pem.next", path);
	eg_buf_init_secret(&pem, EG_IDENTITY_MAX);
	r = eg_file_read_private(path, &pem, err);
	if (r == 0)
		r = eg_identity_parse(worker->vault, eg_buf_bytes(&pem), worker->trust.booth,
				      worker->trust.ca_pem, &identity, err);
	eg_buf_done(&pem);
	if (r == EG_EINVAL || r == EG_EAUTH || (r == 0 && !fits(worker, identity.key))) {
		eg_identity_done(&identity);
		state_forget(worker, "tls.pem.next");
		return EG_ENOENT;
	}
	if (r == 0)
		*ret_identity = identity;
	return r;
}

// Asks for a certificate for a new key, and writes both down.
static enum eg_sync_outcome ask_next(struct worker *worker, struct eg_identity *ret_identity,
				     struct eg_err *err)
{
	enum eg_sync_outcome outcome;
	struct eg_tls_key *key;

	if (waiting_key(worker, "tls.key.next", &key, err) != 0)
		return EG_SYNC_FAILED;
	outcome = eg_exchange_certificate(&worker->exchange, key, NULL, ret_identity, err);
	if (outcome == EG_SYNC_DONE &&
	    write_identity(worker, "tls.pem.next", ret_identity, err) != 0)
		outcome = EG_SYNC_FAILED;
	else if (outcome == EG_SYNC_REFUSED)
		state_forget(worker, "tls.key.next");
	eg_tls_key_unref(key);
	return outcome;
}

// Makes a call under the new identity, and only if the centre accepts that, it is the one in use.
static enum eg_sync_outcome try_next(struct worker *worker, struct eg_identity *next,
				     struct eg_err *err)
{
	enum eg_sync_outcome outcome = EG_SYNC_FAILED;

	if (eg_http_identity(worker->http, next->key, eg_buf_bytes(&next->pem), err) == 0)
		outcome = eg_exchange_hello(&worker->exchange, err);
	if (outcome == EG_SYNC_REFUSED) {
		eg_err_prefix(err, err->code,
			      "the centre does not accept the certificate it gave; going on under "
			      "the old one");
		state_forget(worker, "tls.pem.next");
		state_forget(worker, "tls.key.next");
	}
	if (outcome != EG_SYNC_DONE || write_identity(worker, "tls.pem", next, err) != 0) {
		show_current(worker);
		return outcome == EG_SYNC_DONE ? EG_SYNC_FAILED : outcome;
	}
	if (identity_use(worker, next, err) != 0)
		return EG_SYNC_FAILED;
	tell(worker);
	state_forget(worker, "tls.key.next");
	state_forget(worker, "tls.pem.next");
	return EG_SYNC_DONE;
}

void identity_tidy(struct worker *worker)
{
	char path[STATE_PATH_MAX];
	struct eg_buf pem;

	state_path(worker, "tls.pem.next", path);
	eg_buf_init_secret(&pem, EG_IDENTITY_MAX);
	if (eg_file_read_private(path, &pem, NULL) == 0 &&
	    eg_bytes_equal(eg_buf_bytes(&pem), eg_buf_bytes(&worker->identity.pem))) {
		state_forget(worker, "tls.key.next");
		state_forget(worker, "tls.pem.next");
	}
	eg_buf_done(&pem);
	// The centre certifies no key twice: one that was left here would fail the next token.
	if (!worker->token[0])
		state_forget(worker, "tls.key.pending");
}

enum eg_sync_outcome identity_renew(struct worker *worker, struct eg_err *err)
{
	enum eg_sync_outcome outcome = EG_SYNC_DONE;
	struct eg_identity next = {0};
	char end[EG_TIME_TEXT_MAX];
	int r = read_next(worker, &next, err);

	if (r == EG_ENOENT)
		outcome = ask_next(worker, &next, err);
	else if (r != 0)
		outcome = EG_SYNC_FAILED;
	if (outcome == EG_SYNC_DONE)
		outcome = try_next(worker, &next, err);
	eg_time_text(worker->identity.end_ms, end);
	if (outcome == EG_SYNC_REFUSED && worker->identity.end_ms < eg_wall_ms(worker->clock))
		eg_err_prefix(err, err->code, "this booth's certificate ended on %s", end);
	eg_identity_done(&next);
	return outcome;
}
