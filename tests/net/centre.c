// SPDX-License-Identifier: Apache-2.0

#include "centre_internal.h"

#include <arpa/inet.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <microhttpd.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "pki.h"
#include "store/encounter.h"

struct body {
	uint8_t *data;
	size_t size;
};

// Whether the caller showed a certificate by our authority, made out to our booth; its serial.
static int client(struct centre *centre, struct MHD_Connection *connection, char serial[64])
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(connection, MHD_CONNECTION_INFO_GNUTLS_SESSION);
	const gnutls_datum_t *peers;
	gnutls_x509_crt_t crt;
	unsigned int status = 1, n = 0;
	unsigned char number[32];
	size_t size = sizeof(number), cn_size = EG_NAME_MAX;
	char cn[EG_NAME_MAX] = "";

	peers = gnutls_certificate_get_peers(info->tls_session, &n);
	if (!peers || n == 0 || gnutls_certificate_verify_peers2(info->tls_session, &status) != 0 ||
	    status != 0)
		return 401;
	if (gnutls_x509_crt_init(&crt) != 0 ||
	    gnutls_x509_crt_import(crt, &peers[0], GNUTLS_X509_FMT_DER) != 0)
		abort();
	(void)gnutls_x509_crt_get_dn_by_oid(crt, GNUTLS_OID_X520_COMMON_NAME, 0, 0, cn, &cn_size);
	(void)gnutls_x509_crt_get_serial(crt, number, &size);
	gnutls_x509_crt_deinit(crt);
	eg_hex(number, size < 31 ? size : 31, serial);
	return strcmp(cn, centre->booth) == 0 ? 200 : 403;
}

static enum MHD_Result answer(struct MHD_Connection *connection, int status, const char *type,
			      const char *etag, const char *extra, const char *extra_value,
			      const void *data, size_t size)
{
	struct MHD_Response *response =
		MHD_create_response_from_buffer(size, (void *)(uintptr_t)data,
						MHD_RESPMEM_MUST_COPY);
	enum MHD_Result r;

	if (type)
		(void)MHD_add_response_header(response, "Content-Type", type);
	if (etag)
		(void)MHD_add_response_header(response, "ETag", etag);
	if (extra)
		(void)MHD_add_response_header(response, extra, extra_value);
	r = MHD_queue_response(connection, (unsigned int)status, response);
	MHD_destroy_response(response);
	return r;
}

static enum MHD_Result problem(struct MHD_Connection *connection, int status, int retry_after_s)
{
	char text[128], seconds[16];

	(void)snprintf(text, sizeof(text),
		       "{\"title\":\"no\",\"status\":%d,\"detail\":\"test says %d\"}", status,
		       status);
	(void)snprintf(seconds, sizeof(seconds), "%d", retry_after_s);
	return answer(connection, status, "application/problem+json", NULL,
		      retry_after_s >= 0 ? "Retry-After" : NULL, seconds, text, strlen(text));
}

static ssize_t endless(void *user, uint64_t at, char *room, size_t size)
{
	(void)user;
	(void)at;
	memset(room, 'x', size);
	return (ssize_t)size;
}

static ssize_t stalled(void *user, uint64_t at, char *room, size_t size)
{
	(void)user;
	if (at == 0 && size > 0) {
		room[0] = 'x';
		return 1;
	}
	(void)usleep(20000); // the thread is this connection's own
	return 0;
}

static ssize_t broken(void *user, uint64_t at, char *room, size_t size)
{
	(void)user;
	if (at >= 100)
		return MHD_CONTENT_READER_END_WITH_ERROR;
	if (size > 100 - at)
		size = 100 - at;
	memset(room, 'x', size);
	return (ssize_t)size;
}

static enum MHD_Result streamed(struct MHD_Connection *connection, uint64_t length,
				MHD_ContentReaderCallback reader)
{
	struct MHD_Response *response =
		MHD_create_response_from_callback(length, 1024, reader, NULL, NULL);
	enum MHD_Result r = MHD_queue_response(connection, 200, response);

	MHD_destroy_response(response);
	return r;
}

static enum MHD_Result make_mischief(struct MHD_Connection *connection, enum mischief mischief,
				     int status, int retry_after_s)
{
	static const char page[] = "<html>Welcome to the airport's wireless network</html>";

	switch (mischief) {
	case STATUS:
		return problem(connection, status, retry_after_s);
	case REDIRECT:
		return answer(connection, 302, NULL, NULL, "Location", "/redirected", "", 0);
	case RUBBISH:
		return answer(connection, 200, "text/html", NULL, NULL, NULL, page, sizeof(page));
	case HUGE:
		return streamed(connection, MHD_SIZE_UNKNOWN, endless);
	case STALL:
		return streamed(connection, 1000, stalled);
	case CUT:
		return streamed(connection, 1000, broken);
	default:
		return MHD_NO;
	}
}

// Writes the request down, has openssl tell its key and certify it.
static void issue(struct centre *centre, const struct body *body, char **ret_text)
{
	const char *dir = centre->dir;
	char csr[300], b64[300], spki[300];
	uint8_t digest[EG_SHA256_SIZE];
	char *pub;
	size_t size;

	(void)snprintf(b64, sizeof(b64), "%s/booth.b64", dir);
	(void)snprintf(csr, sizeof(csr), "%s/booth.csr", dir);
	(void)snprintf(spki, sizeof(spki), "%s/booth.spki", dir);
	pki_write(dir, "booth.b64", body->data, body->size);
	if (pki_run(NULL, (const char *const[]){"openssl", "base64", "-d", "-A", "-in", b64, "-out",
						csr, NULL}) != 0 ||
	    pki_run(spki, (const char *const[]){"openssl", "req", "-in", csr, "-noout", "-verify",
						"-pubkey", NULL}) != 0)
		abort();
	pub = pki_read(dir, "booth.spki", &size);
	(void)!eg_sha256(EG_BYTES(pub, size), digest);
	free(pub);
	eg_hex(digest, sizeof(digest), centre->request_keys[centre->issued % 64]);
	pki_write(dir, "booth.ext", "extendedKeyUsage=clientAuth\n", 28);
	pki_sign_csr(dir, "ca", "booth", centre->from[0] ? centre->from : NULL, centre->end);
	centre->issued++;
	centre->revoke = false;
	*ret_text = pki_certs_only(dir, "booth");
}

static bool token_fits(struct centre *centre, struct MHD_Connection *connection)
{
	struct MHD_BasicAuthInfo *auth = MHD_basic_auth_get_username_password3(connection);
	bool ok = auth && auth->password && centre->token[0] &&
		  strcmp(auth->username, centre->booth) == 0 &&
		  strcmp(auth->password, centre->token) == 0;

	if (auth)
		MHD_free(auth);
	return ok;
}

static enum MHD_Result est(struct centre *centre, struct MHD_Connection *connection,
			   const char *path, const struct body *body, enum mischief mischief)
{
	char serial[64], *text = NULL;
	enum MHD_Result r;

	if (strcmp(path, "/.well-known/est/cacerts") == 0)
		return answer(connection, 200, "application/pkcs7-mime", NULL, NULL, NULL,
			      centre->cacerts, strlen(centre->cacerts));
	if (strcmp(path, "/.well-known/est/simpleenroll") == 0) {
		if (client(centre, connection, serial) == 200)
			return problem(connection, 400, -1); // must come without a certificate
		if (!token_fits(centre, connection))
			return problem(connection, 401, -1);
	} else if (client(centre, connection, serial) != 200) {
		return problem(connection, 401, -1);
	}
	issue(centre, body, &text);
	if (strcmp(path, "/.well-known/est/simpleenroll") == 0) {
		// A token is good for one key, but for that key again when the answer was lost.
		const char *key = centre->request_keys[(centre->issued - 1) % 64];

		if (centre->token_key[0] && strcmp(centre->token_key, key) != 0) {
			free(text);
			return problem(connection, 401, -1);
		}
		memcpy(centre->token_key, key, sizeof(centre->token_key));
	}
	r = mischief == LOST ? MHD_NO
			     : answer(connection, 200, "application/pkcs7-mime", NULL, NULL, NULL,
				      text, strlen(text));
	free(text);
	return r;
}

static enum MHD_Result ack(struct centre *centre, struct MHD_Connection *connection,
			   const struct stored *stored, int status, enum mischief mischief)
{
	struct eg_ack ack = {.id = stored->id, .received_ms = 1};
	struct eg_key *other = NULL;
	struct eg_buf out;
	enum MHD_Result r;

	(void)snprintf(ack.booth, sizeof(ack.booth), "%s",
		       mischief == ACK_BOOTH ? "lane-99" : centre->booth);
	memcpy(ack.digest, stored->digest, sizeof(ack.digest));
	if (mischief == ACK_ID)
		ack.id.bytes[15] ^= 1;
	if (mischief == ACK_DIGEST)
		ack.digest[0] ^= 1;
	if (mischief == ACK_SIGNATURE && eg_key_generate(&other, NULL) != 0)
		abort();
	eg_buf_init(&out, 4096);
	if (eg_ack_sign(&ack, other ? other : centre->key, &out, NULL) != 0)
		abort();
	r = answer(connection, status, "application/vnd.egress.ack", NULL, NULL, NULL, out.data,
		   out.size);
	eg_buf_done(&out);
	eg_key_free(other);
	return r;
}

static enum MHD_Result encounter(struct centre *centre, struct MHD_Connection *connection,
				 const char *id, const struct body *body, enum mischief mischief)
{
	struct stored fresh;

	if (eg_id_parse(id, &fresh.id) != 0)
		return problem(connection, 400, -1);
	if (eg_sha256(EG_BYTES(body->data, body->size), fresh.digest) != 0)
		abort();
	for (unsigned int i = 0; i < centre->stored_count; i++) {
		if (eg_id_compare(&centre->stored[i].id, &fresh.id) != 0)
			continue;
		const struct stored *stored = &centre->stored[i];
		// The booth may have dropped the image since it sent the whole.
		if (memcmp(stored->digest, fresh.digest, sizeof(fresh.digest)) != 0 &&
		    !eg_envelope_same_record(EG_BYTES(stored->data, stored->size),
					     EG_BYTES(body->data, body->size))) {
			centre->conflicts++;
			return problem(connection, 409, -1);
		}
		return mischief == LOST ? MHD_NO : ack(centre, connection, stored, 200, mischief);
	}
	fresh.size = body->size;
	fresh.data = malloc(body->size);
	if (!fresh.data)
		abort();
	memcpy(fresh.data, body->data, body->size);
	centre->stored = realloc(centre->stored, (centre->stored_count + 1) * sizeof(fresh));
	if (!centre->stored)
		abort();
	centre->stored[centre->stored_count++] = fresh;
	return mischief == LOST ? MHD_NO : ack(centre, connection, &fresh, 201, mischief);
}

static enum MHD_Result list(struct centre *centre, struct MHD_Connection *connection)
{
	char text[4096] = "[";
	size_t n = 1;

	for (unsigned int i = 0; i < centre->listed_count; i++) {
		const struct listed *l = &centre->listed[i];

		n += (size_t)snprintf(text + n, sizeof(text) - n,
				      "%s{\"id\":\"%s\",\"version\":%llu,\"length\":%zu,\"etag\":"
				      "\"\\\"%s\\\"\",\"new-field\":1}",
				      i > 0 ? "," : "", l->id, (unsigned long long)l->version,
				      l->size, l->etag);
	}
	(void)snprintf(text + n, sizeof(text) - n, "]");
	return answer(connection, 200, "application/json", NULL, NULL, NULL, text, strlen(text));
}

static enum MHD_Result manifest(struct centre *centre, struct MHD_Connection *connection,
				const char *id)
{
	const char *range = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Range");
	const struct listed *l = NULL;
	unsigned long long from = 0, to;
	char etag[96], text[96];

	for (unsigned int i = 0; i < centre->listed_count; i++)
		if (strcmp(centre->listed[i].id, id) == 0)
			l = &centre->listed[i];
	if (!l)
		return problem(connection, 404, -1);
	(void)snprintf(etag, sizeof(etag), "\"%s\"", l->etag);
	if (!range)
		return answer(connection, 200, "application/vnd.egress.manifest", etag, NULL, NULL,
			      l->wire, l->size);
	to = l->size - 1;
	if (strncmp(range, "bytes=", 6) == 0) {
		char *end;

		from = strtoull(range + 6, &end, 10);
		if (*end == '-' && end[1])
			to = strtoull(end + 1, NULL, 10);
	}
	if (from >= l->size)
		return problem(connection, 416, -1);
	if (to >= l->size)
		to = l->size - 1;
	(void)snprintf(text, sizeof(text), "bytes %llu-%llu/%zu", from, to, l->size);
	return answer(connection, 206, "application/vnd.egress.manifest", etag, "Content-Range",
		      text, l->wire + from, (size_t)(to - from + 1));
}

static enum MHD_Result booth_keys(struct centre *centre, struct MHD_Connection *connection,
				  const struct body *body)
{
	if (body->size > sizeof(centre->booth_keys))
		return problem(connection, 413, -1);
	if (centre->booth_keys_size > 0 &&
	    (centre->booth_keys_size != body->size ||
	     memcmp(centre->booth_keys, body->data, body->size) != 0))
		return problem(connection, 409, -1);
	memcpy(centre->booth_keys, body->data, body->size);
	centre->booth_keys_size = body->size;
	return answer(connection, 204, NULL, NULL, NULL, NULL, "", 0);
}

static enum MHD_Result audit(struct centre *centre, struct MHD_Connection *connection,
			     const struct body *body)
{
	struct eg_audit_head head;
	struct eg_booth_keys keys;
	enum MHD_Result r;
	struct eg_buf out;

	if (eg_booth_keys_decode(EG_BYTES(centre->booth_keys, centre->booth_keys_size), &keys,
				 NULL) != 0 ||
	    eg_audit_verify_head(EG_BYTES(body->data, body->size), keys.sign, &head, NULL) != 0)
		return problem(connection, 422, -1);
	if (head.count < centre->head.count ||
	    (head.count == centre->head.count &&
	     memcmp(head.digest, centre->head.digest, sizeof(head.digest)) != 0)) {
		centre->setbacks++;
		return problem(connection, 409, -1);
	}
	centre->head = head;
	eg_buf_init(&out, EG_AUDIT_MESSAGE_MAX);
	if (eg_audit_sign_receipt(&head, centre->key, &out, NULL) != 0)
		abort();
	r = answer(connection, 200, "application/vnd.egress.audit-receipt", NULL, NULL, NULL,
		   out.data, out.size);
	eg_buf_done(&out);
	return r;
}

static enum MHD_Result route(struct centre *centre, struct MHD_Connection *connection,
			     const char *path, const char *method, const struct body *body)
{
	enum mischief mischief = NO_MISCHIEF;
	char serial[64];
	int status;

	if (centre->count != 0 && strncmp(path, centre->prefix, strlen(centre->prefix)) == 0) {
		mischief = centre->mischief;
		if (centre->count > 0)
			centre->count--;
		if (mischief < LOST)
			return make_mischief(connection, mischief, centre->status,
					     centre->retry_after_s);
	}
	if (strncmp(path, "/.well-known/est/", 17) == 0)
		return est(centre, connection, path, body, mischief);
	status = client(centre, connection, serial);
	if (status == 200 && centre->revoke)
		status = 403;
	if (status != 200)
		return problem(connection, status, -1);
	if (strcmp(path, "/v1/booth-keys") == 0 && strcmp(method, "PUT") == 0)
		return booth_keys(centre, connection, body);
	if (strcmp(path, "/v1/manifests") == 0)
		return list(centre, connection);
	if (strncmp(path, "/v1/manifests/", 14) == 0)
		return manifest(centre, connection, path + 14);
	if (strncmp(path, "/v1/encounters/", 15) == 0 && strcmp(method, "PUT") == 0)
		return encounter(centre, connection, path + 15, body, mischief);
	if (strncmp(path, "/v1/audit/", 10) == 0 && strcmp(method, "PUT") == 0)
		return audit(centre, connection, body);
	if (strcmp(path, "/v1/policy") == 0 && centre->policy_size > 0)
		return answer(connection, 200, "application/vnd.egress.policy", NULL, NULL, NULL,
			      centre->policy, centre->policy_size);
	if (strcmp(path, "/v1/heartbeat") == 0 && strcmp(method, "POST") == 0) {
		free(centre->heartbeat);
		centre->heartbeat = strndup((char *)body->data, body->size);
		return answer(connection, 204, NULL, NULL, NULL, NULL, "", 0);
	}
	return problem(connection, 404, -1);
}

enum MHD_Result centre_request(void *user, struct MHD_Connection *connection, const char *path,
			       const char *method, const char *version, const char *data,
			       size_t *size, void **state)
{
	struct centre *centre = user;
	struct body *body = *state;
	enum MHD_Result r;

	(void)version;
	if (!body) {
		body = calloc(1, sizeof(*body));
		if (!body)
			abort();
		body->data = malloc(BODY_MAX);
		*state = body;
		lock(centre);
		if (centre->log_count < LOGS_MAX)
			centre->logs[centre->log_count++] = strdup(path);
		unlock(centre);
		return MHD_YES;
	}
	if (*size > 0) {
		if (body->size + *size > BODY_MAX)
			return MHD_NO;
		memcpy(body->data + body->size, data, *size);
		body->size += *size;
		*size = 0;
		return MHD_YES;
	}
	lock(centre);
	r = route(centre, connection, path, method, body);
	unlock(centre);
	return r;
}

void centre_completed(void *user, struct MHD_Connection *connection, void **state,
		      enum MHD_RequestTerminationCode code)
{
	struct body *body = *state;

	(void)user;
	(void)connection;
	(void)code;
	if (body) {
		free(body->data);
		free(body);
	}
	*state = NULL;
}
