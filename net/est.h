// SPDX-License-Identifier: Apache-2.0
//
// EST (RFC 7030): how a booth gets its certificate. Answers are "certs-only" PKCS #7 (RFC 5652
// SignedData without signers, DER) in base64; the reader here takes just that, bounded.
//
// Thread: the parsers any; the calls block on the network, like eg_http_do.

#ifndef EG_EST_H
#define EG_EST_H

#include "net/http.h"
#include "net/identity.h"

#define EG_EST_ANSWER_MAX 65536 // bytes of base64

// Base64 (RFC 4648 §4), white space allowed anywhere, padding required; appended to `out`.
// EG_EINVAL, EG_ETOOBIG.
int eg_est_unbase64(struct eg_bytes text, struct eg_buf *out) EG_CHECKED;
int eg_est_base64(struct eg_bytes data, struct eg_buf *out) EG_CHECKED;

// The certificates of a certs-only message, as views into `der`. EG_EINVAL: not one;
// EG_ETOOBIG: more than `max`.
int eg_est_certs(struct eg_bytes der, struct eg_bytes *ret_certs, size_t max, size_t *ret_count,
		 struct eg_err *err) EG_CHECKED;

enum eg_est_call {
	EG_EST_CACERTS,
	EG_EST_ENROLL,	 // first time: HTTP Basic with the one-time token, no client certificate
	EG_EST_REENROLL, // with a new key, shown to the centre by the current certificate
};

// One call. `csr` is DER (empty for CACERTS); `user` and `token` for ENROLL only. 0 whenever a
// whole answer came: look at ret_answer->status. With 200 the certificates are in *der (appended)
// and ret_certs; a body that is no such message is EG_EINVAL. Other bodies stay in `problem`.
int eg_est_do(struct eg_http *http, enum eg_est_call call, struct eg_bytes csr, const char *user,
	      const char *token, struct eg_buf *der, struct eg_bytes ret_certs[EG_CERTS_MAX],
	      size_t *ret_count, struct eg_buf *problem, struct eg_http_answer *ret_answer,
	      bool *ret_refused, struct eg_err *err) EG_CHECKED;

#endif
