// SPDX-License-Identifier: Apache-2.0
//
// The test's side of the centre: starting it, telling it what to do, asking what it saw.

#include "centre_internal.h"

#include <arpa/inet.h>
#include <gnutls/gnutls.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "pki.h"

static void quiet(void *user, const char *fmt, va_list args)
{
	(void)user;
	(void)fmt;
	(void)args;
}

struct centre *centre_start(const struct centre_options *options)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct centre *centre = calloc(1, sizeof(*centre));
	const char *server = options->server ? options->server : "server";
	char file[128];

	if (!centre || eg_key_generate(&centre->key, NULL) != 0)
		abort();
	(void)pthread_mutex_init(&centre->lock, NULL);
	(void)snprintf(centre->dir, sizeof(centre->dir), "%s", options->dir);
	(void)snprintf(centre->booth, sizeof(centre->booth), "%s", options->booth);
	(void)snprintf(centre->token, sizeof(centre->token), "%s",
		       options->token ? options->token : "");
	(void)snprintf(file, sizeof(file), "%s.key", server);
	centre->key_pem = pki_read(options->dir, file, NULL);
	(void)snprintf(file, sizeof(file), "%s.pem", server);
	centre->cert_pem = pki_read(options->dir, file, NULL);
	centre->ca_pem = pki_read(options->dir, "ca.pem", NULL);
	centre->cacerts = pki_certs_only(options->dir, "ca");
	centre->daemon = MHD_start_daemon(
		MHD_USE_TLS | MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_THREAD_PER_CONNECTION |
			MHD_USE_ERROR_LOG,
		0, NULL, NULL, centre_request, centre, MHD_OPTION_EXTERNAL_LOGGER, quiet, NULL,
		MHD_OPTION_SOCK_ADDR, &address, MHD_OPTION_HTTPS_MEM_KEY, centre->key_pem,
		MHD_OPTION_HTTPS_MEM_CERT, centre->cert_pem, MHD_OPTION_HTTPS_MEM_TRUST,
		centre->ca_pem, MHD_OPTION_HTTPS_PRIORITIES,
		options->priorities ? options->priorities : "NORMAL", MHD_OPTION_NOTIFY_COMPLETED,
		centre_completed, NULL, MHD_OPTION_END);
	if (!centre->daemon)
		abort();
	(void)snprintf(centre->url, sizeof(centre->url), "https://127.0.0.1:%u",
		       MHD_get_daemon_info(centre->daemon, MHD_DAEMON_INFO_BIND_PORT)->port);
	return centre;
}

void centre_stop(struct centre *centre)
{
	MHD_stop_daemon(centre->daemon);
	for (unsigned int i = 0; i < centre->log_count; i++)
		free(centre->logs[i]);
	for (unsigned int i = 0; i < centre->listed_count; i++)
		free(centre->listed[i].wire);
	centre_forget(centre);
	free(centre->heartbeat);
	free(centre->key_pem);
	free(centre->cert_pem);
	free(centre->ca_pem);
	free(centre->cacerts);
	eg_key_free(centre->key);
	(void)pthread_mutex_destroy(&centre->lock);
	free(centre);
}

const char *centre_url(const struct centre *centre)
{
	return centre->url;
}

const struct eg_key *centre_key(const struct centre *centre)
{
	return centre->key;
}

void centre_mischief(struct centre *centre, const char *prefix, enum mischief mischief, int count,
		     int status, int retry_after_s)
{
	lock(centre);
	(void)snprintf(centre->prefix, sizeof(centre->prefix), "%s", prefix);
	centre->mischief = mischief;
	centre->count = count;
	centre->status = status;
	centre->retry_after_s = retry_after_s;
	unlock(centre);
}

void centre_validity(struct centre *centre, const char *from, const char *end)
{
	lock(centre);
	(void)snprintf(centre->from, sizeof(centre->from), "%s", from ? from : "");
	(void)snprintf(centre->end, sizeof(centre->end), "%s", end ? end : "");
	unlock(centre);
}

void centre_revoke(struct centre *centre)
{
	lock(centre);
	centre->revoke = true;
	unlock(centre);
}

void centre_manifest(struct centre *centre, const char *id, uint64_t version, struct eg_bytes wire)
{
	uint8_t digest[EG_SHA256_SIZE];
	struct listed *l = NULL;

	lock(centre);
	for (unsigned int i = 0; i < centre->listed_count; i++)
		if (strcmp(centre->listed[i].id, id) == 0)
			l = &centre->listed[i];
	if (!l)
		l = &centre->listed[centre->listed_count++];
	free(l->wire);
	(void)snprintf(l->id, sizeof(l->id), "%s", id);
	l->version = version;
	l->wire = malloc(wire.size);
	l->size = wire.size;
	if (!l->wire || eg_sha256(wire, digest) != 0)
		abort();
	memcpy(l->wire, wire.data, wire.size);
	eg_hex(digest, sizeof(digest), l->etag);
	unlock(centre);
}

void centre_token(struct centre *centre, const char *token)
{
	lock(centre);
	(void)snprintf(centre->token, sizeof(centre->token), "%s", token);
	centre->token_key[0] = '\0';
	unlock(centre);
}

void centre_policy(struct centre *centre, struct eg_bytes message)
{
	lock(centre);
	if (message.size > sizeof(centre->policy))
		abort();
	memcpy(centre->policy, message.data, message.size);
	centre->policy_size = message.size;
	unlock(centre);
}

void centre_forget(struct centre *centre)
{
	lock(centre);
	for (unsigned int i = 0; i < centre->stored_count; i++)
		free(centre->stored[i].data);
	free(centre->stored);
	centre->stored = NULL;
	centre->stored_count = centre->conflicts = centre->setbacks = 0;
	centre->head = (struct eg_audit_head){0};
	unlock(centre);
}

struct eg_audit_head centre_head(struct centre *centre)
{
	struct eg_audit_head head;

	lock(centre);
	head = centre->head;
	unlock(centre);
	return head;
}

unsigned int centre_setbacks(struct centre *centre)
{
	unsigned int n;

	lock(centre);
	n = centre->setbacks;
	unlock(centre);
	return n;
}

unsigned int centre_seen(struct centre *centre, const char *prefix)
{
	unsigned int n = 0;

	lock(centre);
	for (unsigned int i = 0; i < centre->log_count; i++)
		if (strncmp(centre->logs[i], prefix, strlen(prefix)) == 0)
			n++;
	unlock(centre);
	return n;
}

unsigned int centre_stored(struct centre *centre)
{
	unsigned int n;

	lock(centre);
	n = centre->stored_count;
	unlock(centre);
	return n;
}

unsigned int centre_conflicts(struct centre *centre)
{
	unsigned int n;

	lock(centre);
	n = centre->conflicts;
	unlock(centre);
	return n;
}

unsigned int centre_issued(struct centre *centre)
{
	unsigned int n;

	lock(centre);
	n = centre->issued;
	unlock(centre);
	return n;
}

bool centre_has(struct centre *centre, const struct eg_id *id, struct eg_bytes envelope)
{
	uint8_t digest[EG_SHA256_SIZE];
	bool found = false;

	if (eg_sha256(envelope, digest) != 0)
		abort();
	lock(centre);
	for (unsigned int i = 0; i < centre->stored_count; i++)
		if (eg_id_compare(&centre->stored[i].id, id) == 0 &&
		    memcmp(centre->stored[i].digest, digest, sizeof(digest)) == 0)
			found = true;
	unlock(centre);
	return found;
}

void centre_request_key(struct centre *centre, unsigned int index, char ret_text[65])
{
	lock(centre);
	memcpy(ret_text, centre->request_keys[index % 64], 65);
	unlock(centre);
}

char *centre_heartbeat(struct centre *centre)
{
	char *copy;

	lock(centre);
	copy = centre->heartbeat ? strdup(centre->heartbeat) : NULL;
	unlock(centre);
	return copy;
}

size_t centre_booth_keys(struct centre *centre, uint8_t *ret_bytes, size_t size)
{
	size_t n;

	lock(centre);
	n = centre->booth_keys_size < size ? centre->booth_keys_size : size;
	memcpy(ret_bytes, centre->booth_keys, n);
	unlock(centre);
	return n;
}
