// SPDX-License-Identifier: Apache-2.0
//
// The tests' own centre: speaks the calls of net/api.yaml on 127.0.0.1, and misbehaves on demand.
// It is written on libmicrohttpd, GnuTLS and the openssl command, so that what it says about our
// client (OpenSSL, Mbed TLS) is said by somebody else.
//
// Thread: centre_* from the test's thread; requests are served by threads of their own.

#ifndef CENTRE_H
#define CENTRE_H

#include "firmware/base/crypto.h"
#include "firmware/base/id.h"
#include "store/audit.h"
#include "store/trust.h"

enum mischief {
	NO_MISCHIEF,
	STATUS,	  // answer with `status`, as problem+json
	REDIRECT, // 302 to another of its own addresses
	RUBBISH,  // 200 with a web page
	HUGE,	  // 200 with a body that does not end
	STALL,	  // the head of an answer, then nothing
	CUT,	  // half of the answer, then the connection is closed
	LOST,	  // do what was asked, then close the connection without an answer
	ACK_SIGNATURE,
	ACK_ID,
	ACK_BOOTH,
	ACK_DIGEST,
};

struct centre;

struct centre_options {
	const char *dir;	// with ca.pem, ca.key, and the server's SERVER.pem, SERVER.key
	const char *server;	// NULL: "server"
	const char *priorities; // GnuTLS's; NULL: its defaults
	const char *booth, *token;
};

struct centre *centre_start(const struct centre_options *options);
void centre_stop(struct centre *centre);
const char *centre_url(const struct centre *centre);
const struct eg_key *centre_key(const struct centre *centre); // signs acks and manifests

// From now on `count` requests (−1: all) whose path begins with `prefix` meet `mischief`.
void centre_mischief(struct centre *centre, const char *prefix, enum mischief mischief, int count,
		     int status, int retry_after_s);
// Certificates are made out with these times from now on.
void centre_validity(struct centre *centre, const char *from, const char *end);
// Refuses (403) every call under a certificate issued before now.
void centre_revoke(struct centre *centre);
void centre_manifest(struct centre *centre, const char *id, uint64_t version, struct eg_bytes wire);
void centre_token(struct centre *centre, const char *token); // a new one
void centre_policy(struct centre *centre, struct eg_bytes message);
void centre_forget(struct centre *centre); // encounters, heads and what it counted of them

// How many requests came whose path begins with `prefix`, counted when their head was read.
unsigned int centre_seen(struct centre *centre, const char *prefix);
unsigned int centre_stored(struct centre *centre);    // encounters, different ids
unsigned int centre_conflicts(struct centre *centre); // same id, other bytes
unsigned int centre_issued(struct centre *centre);    // certificates
bool centre_has(struct centre *centre, const struct eg_id *id, struct eg_bytes envelope);
// The public key that the last `back`-th request for a certificate carried, as SHA-256 of the
// request's SubjectPublicKeyInfo by openssl; hex.
void centre_request_key(struct centre *centre, unsigned int index, char ret_text[65]);
char *centre_heartbeat(struct centre *centre); // the last body; free() it; NULL: none
// The newest head of the audit chain that it countersigned; count 0: none.
struct eg_audit_head centre_head(struct centre *centre);
unsigned int centre_setbacks(struct centre *centre); // heads from before it, or of another chain
size_t centre_booth_keys(struct centre *centre, uint8_t *ret_bytes, size_t size);

#endif
