// SPDX-License-Identifier: Apache-2.0
//
// The HTTPS client, and the only file that uses curl (and OpenSSL's TLS, which curl
// uses, to hand it the client key). One connection to one centre, kept alive
// between calls; the server must hold a certificate of the one pinned authority for the very host
// name in the URL, and there is no switch that turns that off. No redirects, no proxies, no
// cookies, nothing from the environment; TLS 1.2 or newer; HTTP/1.1; every answer has a maximum.
//
// A call blocks, so a program gives the client a thread of its own (firmware/syncd/worker.c) and
// stops a call that runs from any other thread with eg_http_cancel.
//
// Thread: one at a time per object; eg_http_cancel from any.

#ifndef EG_HTTP_H
#define EG_HTTP_H

#include "net/tlskey.h"

#define EG_HTTP_ETAG_MAX 128

struct eg_http_config {
	const char *url;	 // "https://host:port", copied; nothing but https is accepted
	const char *ca_pem;	 // the pinned authority, copied
	unsigned int connect_ms; // for TCP and TLS together
	unsigned int stall_ms;	 // fewer than 1 byte a second for so long: given up
	unsigned int total_ms;	 // one whole call
	// A body that is sent is given 1 ms a byte on top of the last two: all of it may lie in the
	// buffers of a slow link or of a box on the way, and then nothing moves here until it is
	// through. (TCP_USER_TIMEOUT would end such a connection as well: its window is closed.)
};

struct eg_http;

// EG_EINVAL: the URL is not https.
int eg_http_new(const struct eg_http_config *config, struct eg_http **ret_http,
		struct eg_err *err) EG_CHECKED;
void eg_http_free(struct eg_http *http); // takes NULL

// The client certificate: its key, of which a reference is kept, and PEM text that holds its chain,
// leaf first. With NULL none is shown. Drops the kept connection, so that the next call shows the
// new one. EG_EINVAL: no certificate in there, or not for that key.
int eg_http_identity(struct eg_http *http, struct eg_tls_key *key, struct eg_bytes pem,
		     struct eg_err *err) EG_CHECKED;

enum eg_http_method {
	EG_HTTP_GET,
	EG_HTTP_PUT,
	EG_HTTP_POST
};

struct eg_http_request {
	enum eg_http_method method;
	const char *path;	       // "/v1/…", behind the URL
	struct eg_bytes body;	       // PUT and POST
	const char *content_type;      // of the body
	const char *transfer_encoding; // "base64" (EST), or NULL
	const char *user, *password;   // HTTP Basic, both or neither
	const char *if_none_match;     // ETag: 304 when it is still that
	const char *if_range;	       // ETag, with a range
	bool ranged;
	uint64_t from, to; // Range: bytes=from-to, both ends included
};

struct eg_http_answer {
	int status;		     // 200 … 599
	int64_t took_ms;	     // the whole call
	char etag[EG_HTTP_ETAG_MAX]; // with its quotes; "" when absent or too long
	char content_type[64];	     // lower case, without parameters; "" when absent
	int64_t retry_after_ms;	     // −1: not said
	bool ranged;		     // Content-Range was there and well-formed
	uint64_t from, to, length;
};

// Performs the call. The body of the answer, whatever its status, is appended to `body`, whose
// maximum bounds it. Returns 0 whenever a whole answer came, also one of status 500. When it broke
// off, `body` holds what came of it and *ret_answer its head (status 0: not even that came).
//   EG_ENET      no connection, or it broke off         EG_ETIMEOUT  took too long
//   EG_EAUTH     the server's certificate is not the one we pinned, or it refused ours
//                (then *ret_refused is true, when given)
//   EG_ETOOBIG   the answer is larger than `body` holds  EG_EAGAIN    cancelled
//   EG_EIO       the client key cannot be used: the TPM went away
int eg_http_do(struct eg_http *http, const struct eg_http_request *request, struct eg_buf *body,
	       struct eg_http_answer *ret_answer, bool *ret_refused, struct eg_err *err) EG_CHECKED;

// Makes the call that runs, and all later ones until `cancelled` is false again, return EG_EAGAIN
// within about a second.
void eg_http_cancel(struct eg_http *http, bool cancelled);

// "bytes 0-99/1234" of a 206 answer. EG_EINVAL for everything else, also for an unknown length.
int eg_http_parse_range(const char *text, uint64_t *ret_from, uint64_t *ret_to,
			uint64_t *ret_length) EG_CHECKED;

#endif
