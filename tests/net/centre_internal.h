// SPDX-License-Identifier: Apache-2.0
//
// What centre.c (serving requests) and centre_control.c (the test's side) share. All of a struct
// centre but what is set before it starts is under its lock.

#ifndef CENTRE_INTERNAL_H
#define CENTRE_INTERNAL_H

#include <microhttpd.h>
#include <pthread.h>
#include <stdlib.h>

#include "centre.h"
#include "store/policy.h"

#define BODY_MAX (2u << 20)
#define LOGS_MAX 65536

struct stored {
	struct eg_id id;
	uint8_t digest[EG_SHA256_SIZE];
	uint8_t *data;
	size_t size;
};

struct listed {
	char id[EG_NAME_MAX];
	uint64_t version;
	uint8_t *wire;
	size_t size;
	char etag[80];
};

struct centre {
	struct MHD_Daemon *daemon;
	char url[64], dir[256], booth[EG_NAME_MAX];
	char *key_pem, *cert_pem, *ca_pem, *cacerts;
	struct eg_key *key;
	pthread_mutex_t lock;
	char token[128], token_key[65]; // the key the token was used for, "" none
	char prefix[128];
	enum mischief mischief;
	int count, status, retry_after_s;
	char from[32], end[32];
	char *logs[LOGS_MAX]; // paths
	unsigned int log_count;
	struct stored *stored;
	unsigned int stored_count, conflicts, issued;
	char request_keys[64][65];
	bool revoke;
	struct listed listed[8];
	unsigned int listed_count;
	char *heartbeat;
	uint8_t booth_keys[512];
	size_t booth_keys_size;
	struct eg_audit_head head; // the newest
	unsigned int setbacks;
	uint8_t policy[EG_POLICY_MAX];
	size_t policy_size;
};

static inline void lock(struct centre *centre)
{
	if (pthread_mutex_lock(&centre->lock) != 0)
		abort();
}

static inline void unlock(struct centre *centre)
{
	if (pthread_mutex_unlock(&centre->lock) != 0)
		abort();
}

enum MHD_Result centre_request(void *user, struct MHD_Connection *connection, const char *path,
			       const char *method, const char *version, const char *data,
			       size_t *size, void **state);
void centre_completed(void *user, struct MHD_Connection *connection, void **state,
		      enum MHD_RequestTerminationCode code);

#endif
