// SPDX-License-Identifier: Apache-2.0
//
// Booths, tokens, certificates, booth keys, heartbeats. Thread: as ledger.h.

#include <string.h>

#include "firmware/base/mem.h"
#include "net/central/ledger_internal.h"

int eg_ledger_put_token(struct eg_ledger *ledger, const char *booth,
			const uint8_t hash[EG_SHA256_SIZE], int64_t expires_ms, int64_t now_ms,
			struct eg_err *err)
{
	int r = eg_ledger_enter(ledger, err);
	if (r != 0)
		return r;
	struct eg_db_query query = eg_ledger_by_booth(ledger, LEDGER_PUT_BOOTH, booth);
	eg_db_bind_int(&query, 2, now_ms);
	r = eg_db_run(&query, NULL, err);
	if (r == 0) {
		query = eg_ledger_by_booth(ledger, LEDGER_VOID_TOKENS, booth);
		r = eg_db_run(&query, NULL, err);
	}
	if (r == 0) {
		query = eg_db_query(ledger->db, LEDGER_PUT_TOKEN);
		eg_db_bind_blob(&query, 1, EG_BYTES(hash, EG_SHA256_SIZE));
		eg_db_bind_text(&query, 2, booth);
		eg_db_bind_int(&query, 3, now_ms);
		eg_db_bind_int(&query, 4, expires_ms);
		r = eg_db_run(&query, NULL, err);
	}
	return eg_ledger_finish(ledger, r, err);
}

// One sentence for every reason: who guesses learns nothing.
static int refuse_token(struct eg_err *err)
{
	return eg_err_set(err, EG_EAUTH,
			  "the token is unknown, used, expired or another booth's: make a new one "
			  "with 'centralctl token new'");
}

int eg_ledger_check_token(struct eg_ledger *ledger, const char *booth,
			  const uint8_t hash[EG_SHA256_SIZE], const uint8_t pub[EG_P256_PUB_SIZE],
			  int64_t now_ms, struct eg_buf *der, struct eg_err *err)
{
	struct eg_db_query query = eg_db_query(ledger->db, LEDGER_FIND_TOKEN);
	eg_db_bind_blob(&query, 1, EG_BYTES(hash, EG_SHA256_SIZE));
	int r = eg_db_step(&query, err);
	if (r == 0) {
		r = refuse_token(err);
	} else if (r == 1) {
		struct eg_bytes known = eg_db_blob(&query, 3), stored = eg_db_blob(&query, 4);
		bool used = eg_db_int(&query, 2) != 0;
		if (strcmp(eg_db_text(&query, 0), booth) != 0 || eg_db_int(&query, 1) <= now_ms)
			r = refuse_token(err);
		else if (!used || pub == NULL)
			r = 0;
		else if (eg_db_int(&query, 5) == 0 && known.size == EG_P256_PUB_SIZE &&
			 memcmp(known.data, pub, EG_P256_PUB_SIZE) == 0)
			r = eg_buf_put(der, stored.data, stored.size) == 0 ? EG_ECONFLICT
									   : EG_ENOMEM;
		else
			r = refuse_token(err);
	}
	eg_db_reset(&query);
	return r;
}

// No key is certified twice. `known` may be NULL.
static int check_key(struct eg_ledger *ledger, const struct eg_certificate *certificate,
		     struct eg_buf *known, struct eg_err *err)
{
	struct eg_db_query query = eg_db_query(ledger->db, LEDGER_KNOWN_KEY);
	eg_db_bind_blob(&query, 1, EG_BYTES(certificate->pub, EG_P256_PUB_SIZE));
	int r = eg_db_step(&query, err);
	if (r == 1) {
		struct eg_bytes der = eg_db_blob(&query, 2);
		if (known == NULL || eg_db_int(&query, 1) != 0 ||
		    strcmp(eg_db_text(&query, 0), certificate->booth) != 0)
			r = eg_err_set(err, EG_EAUTH,
				       "this key has a certificate already: make a new key");
		else
			r = eg_buf_put(known, der.data, der.size) == 0
				    ? eg_err_set(err, EG_ECONFLICT, "already certified")
				    : eg_err_set(err, EG_ENOMEM, "out of memory");
	}
	eg_db_reset(&query);
	return r;
}

static int put_certificate(struct eg_ledger *ledger, const struct eg_certificate *certificate,
			   struct eg_bytes der, int64_t now_ms, struct eg_err *err)
{
	struct eg_db_query query = eg_db_query(ledger->db, LEDGER_PUT_CERTIFICATE);
	eg_db_bind_blob(&query, 1, EG_BYTES(certificate->digest, EG_SHA256_SIZE));
	eg_db_bind_blob(&query, 2, EG_BYTES(certificate->serial, EG_SERIAL_SIZE));
	eg_db_bind_text(&query, 3, certificate->booth);
	eg_db_bind_blob(&query, 4, EG_BYTES(certificate->pub, EG_P256_PUB_SIZE));
	eg_db_bind_int(&query, 5, certificate->from_ms);
	eg_db_bind_int(&query, 6, certificate->end_ms);
	eg_db_bind_int(&query, 7, now_ms);
	eg_db_bind_blob(&query, 8, der);
	return eg_db_run(&query, NULL, err);
}

int eg_ledger_enrol(struct eg_ledger *ledger, const uint8_t hash[EG_SHA256_SIZE],
		    const struct eg_certificate *certificate, struct eg_bytes der, int64_t now_ms,
		    struct eg_err *err)
{
	int64_t changed = 0;
	int r = eg_ledger_enter(ledger, err);
	if (r != 0)
		return r;
	struct eg_db_query query = eg_db_query(ledger->db, LEDGER_USE_TOKEN);
	eg_db_bind_blob(&query, 1, EG_BYTES(hash, EG_SHA256_SIZE));
	eg_db_bind_text(&query, 2, certificate->booth);
	eg_db_bind_int(&query, 3, now_ms);
	eg_db_bind_blob(&query, 4, EG_BYTES(certificate->digest, EG_SHA256_SIZE));
	r = eg_db_run(&query, &changed, err);
	if (r == 0 && changed == 0)
		r = refuse_token(err);
	if (r == 0) {
		query = eg_ledger_by_booth(ledger, LEDGER_REVOKE_CERTIFICATES, certificate->booth);
		eg_db_bind_int(&query, 2, now_ms);
		r = eg_db_run(&query, NULL, err);
	}
	if (r == 0)
		r = check_key(ledger, certificate, NULL, err);
	if (r == 0)
		r = put_certificate(ledger, certificate, der, now_ms, err);
	if (r == 0) {
		query = eg_ledger_by_booth(ledger, LEDGER_OPEN_BOOTH, certificate->booth);
		r = eg_db_run(&query, NULL, err);
	}
	return eg_ledger_finish(ledger, r, err);
}

int eg_ledger_renew(struct eg_ledger *ledger, const struct eg_certificate *certificate,
		    struct eg_bytes der, int64_t now_ms, struct eg_buf *known, struct eg_err *err)
{
	int r = eg_ledger_enter(ledger, err);
	if (r != 0)
		return r;
	r = check_key(ledger, certificate, known, err);
	if (r == 0)
		r = put_certificate(ledger, certificate, der, now_ms, err);
	return eg_ledger_finish(ledger, r, err);
}

int eg_ledger_find_certificate(struct eg_ledger *ledger, const uint8_t digest[EG_SHA256_SIZE],
			       struct eg_certificate *ret_certificate, struct eg_err *err)
{
	struct eg_certificate found = {0};
	struct eg_db_query query = eg_db_query(ledger->db, LEDGER_FIND_CERTIFICATE);
	eg_db_bind_blob(&query, 1, EG_BYTES(digest, EG_SHA256_SIZE));
	int r = eg_db_step(&query, err);
	if (r == 0) {
		r = eg_err_set(err, EG_ENOENT, "this certificate is not in the ledger");
	} else if (r == 1) {
		memcpy(found.digest, digest, EG_SHA256_SIZE);
		found.from_ms = eg_db_int(&query, 3);
		found.end_ms = eg_db_int(&query, 4);
		found.revoked = eg_db_int(&query, 5) != 0;
		r = eg_ledger_copy_text(&query, 0, found.booth, sizeof(found.booth)) &&
				    eg_ledger_copy(&query, 1, found.serial, sizeof(found.serial)) &&
				    eg_ledger_copy(&query, 2, found.pub, sizeof(found.pub))
			    ? 0
			    : eg_ledger_damaged("certificate", err);
	}
	eg_db_reset(&query);
	if (r == 0)
		*ret_certificate = found;
	return r;
}

int eg_ledger_revoke(struct eg_ledger *ledger, const char *booth, int64_t now_ms,
		     struct eg_err *err)
{
	int64_t changed = 0;
	int r = eg_ledger_enter(ledger, err);
	if (r != 0)
		return r;
	struct eg_db_query query = eg_ledger_by_booth(ledger, LEDGER_REVOKE_BOOTH, booth);
	eg_db_bind_int(&query, 2, now_ms);
	r = eg_db_run(&query, &changed, err);
	if (r == 0 && changed == 0)
		r = eg_err_set(err, EG_ENOENT, "booth '%s': there is none of that name", booth);
	if (r == 0) {
		query = eg_ledger_by_booth(ledger, LEDGER_REVOKE_CERTIFICATES, booth);
		eg_db_bind_int(&query, 2, now_ms);
		r = eg_db_run(&query, NULL, err);
	}
	if (r == 0) {
		query = eg_ledger_by_booth(ledger, LEDGER_VOID_TOKENS, booth);
		r = eg_db_run(&query, NULL, err);
	}
	return eg_ledger_finish(ledger, r, err);
}

// 1: these are the current keys, 0: they are not.
static int same_keys(struct eg_ledger *ledger, const char *booth, struct eg_bytes keys,
		     struct eg_err *err)
{
	struct eg_db_query query = eg_ledger_by_booth(ledger, LEDGER_GET_KEYS, booth);
	eg_db_bind_int(&query, 2, 0);
	int r = eg_db_step(&query, err);
	if (r == 1)
		r = eg_bytes_equal(eg_db_blob(&query, 0), keys) ? 1 : 0;
	eg_db_reset(&query);
	return r;
}

static int keys_open(struct eg_ledger *ledger, const char *booth, struct eg_err *err)
{
	struct eg_db_query query = eg_ledger_by_booth(ledger, LEDGER_KEYS_STATE, booth);
	int r = eg_db_step(&query, err);
	if (r == 1)
		r = eg_db_int(&query, 0) != 0 ? 1 : 0;
	eg_db_reset(&query);
	return r;
}

int eg_ledger_put_keys(struct eg_ledger *ledger, const char *booth, struct eg_bytes keys,
		       int64_t now_ms, struct eg_err *err)
{
	int r = eg_ledger_enter(ledger, err);
	if (r != 0)
		return r;
	int same = same_keys(ledger, booth, keys, err);
	int open = same < 0 ? same : keys_open(ledger, booth, err);
	r = open < 0 ? open : 0;
	if (r == 0 && same == 0 && open == 0)
		r = eg_err_set(err, EG_ECONFLICT,
			       "booth '%s' has other keys here: a booth may change them only after "
			       "enrolling with a new token",
			       booth);
	if (r == 0 && same == 0) {
		struct eg_db_query query = eg_ledger_by_booth(ledger, LEDGER_PUT_KEYS, booth);
		eg_db_bind_int(&query, 2, now_ms);
		eg_db_bind_blob(&query, 3, keys);
		r = eg_db_run(&query, NULL, err);
	}
	if (r == 0 && open == 1) {
		struct eg_db_query query = eg_ledger_by_booth(ledger, LEDGER_KEYS_SENT, booth);
		r = eg_db_run(&query, NULL, err);
	}
	return eg_ledger_finish(ledger, r, err);
}

int eg_ledger_get_keys(struct eg_ledger *ledger, const char *booth, unsigned int n,
		       struct eg_buf *keys, struct eg_err *err)
{
	struct eg_db_query query = eg_ledger_by_booth(ledger, LEDGER_GET_KEYS, booth);
	eg_db_bind_int(&query, 2, n);
	int r = eg_db_step(&query, err);
	if (r == 1) {
		struct eg_bytes body = eg_db_blob(&query, 0);
		r = eg_buf_put(keys, body.data, body.size);
		if (r != 0)
			(void)eg_err_set(err, r, "booth '%s': keys", booth);
	} else if (r == 0) {
		r = eg_err_set(
			err, EG_ENOENT,
			"booth '%s' has not registered its keys yet: provision and start it, "
			"it sends them with its first contact",
			booth);
	}
	eg_db_reset(&query);
	return r;
}

int eg_ledger_read_keys(struct eg_ledger *ledger, const char *booth, unsigned int n,
			struct eg_booth_keys *ret_keys, struct eg_err *err)
{
	struct eg_buf bytes;
	eg_buf_init(&bytes, EG_BOOTH_KEYS_MAX);
	int r = eg_ledger_get_keys(ledger, booth, n, &bytes, n == 0 ? err : NULL);
	if (r == 0)
		r = eg_booth_keys_decode(eg_buf_bytes(&bytes), ret_keys, err);
	eg_buf_done(&bytes);
	return r;
}

int eg_ledger_signing_keys(struct eg_ledger *ledger, const char *booth, struct eg_trusted_key *keys,
			   size_t max, size_t *ret_count, struct eg_err *err)
{
	struct eg_booth_keys found;
	size_t count = 0;
	int r = 0;
	while (count < max &&
	       (r = eg_ledger_read_keys(ledger, booth, (unsigned int)count, &found, err)) == 0) {
		memcpy(keys[count].pub, found.sign, sizeof(keys[count].pub));
		eg_kid(found.sign, keys[count].kid);
		count++;
	}
	if (count == 0 || (r != 0 && r != EG_ENOENT))
		return r;
	*ret_count = count;
	return 0;
}

int eg_ledger_revoked(struct eg_ledger *ledger, const char *booth, int64_t *ret_revoked_ms,
		      struct eg_err *err)
{
	struct eg_db_query query = eg_ledger_by_booth(ledger, LEDGER_FIND_BOOTH, booth);
	int r = eg_db_step(&query, err);
	if (r == 1) {
		*ret_revoked_ms = eg_db_int(&query, 0);
		r = 0;
	} else if (r == 0) {
		r = eg_err_set(err, EG_ENOENT, "no booth is called %s here", booth);
	}
	eg_db_reset(&query);
	return r;
}

int eg_ledger_put_heartbeat(struct eg_ledger *ledger, const char *booth, struct eg_bytes json,
			    int64_t now_ms, struct eg_err *err)
{
	struct eg_db_query query = eg_ledger_by_booth(ledger, LEDGER_PUT_HEARTBEAT, booth);
	eg_db_bind_blob(&query, 2, json);
	eg_db_bind_int(&query, 3, now_ms);
	return eg_db_run(&query, NULL, err);
}

int eg_ledger_list_booths(struct eg_ledger *ledger,
			  int (*row)(void *user, const struct eg_booth_row *row), void *user,
			  struct eg_err *err)
{
	struct eg_db_query query = eg_db_query(ledger->db, LEDGER_LIST_BOOTHS);
	int r;
	while ((r = eg_db_step(&query, err)) == 1) {
		struct eg_booth_row found = {
			.booth = eg_db_text(&query, 0),
			.revoked = eg_db_int(&query, 1) != 0,
			.heartbeat_ms = eg_db_int(&query, 2),
			.heartbeat = eg_db_blob(&query, 3),
			.certificate_end_ms = eg_db_int(&query, 4),
			.has_keys = eg_db_int(&query, 5) != 0,
			.encounters = eg_db_int(&query, 6),
		};
		found.enrolled = found.certificate_end_ms != 0;
		r = row(user, &found);
		if (r != 0)
			break;
	}
	eg_db_reset(&query);
	return r;
}
