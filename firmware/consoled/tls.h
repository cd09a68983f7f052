// SPDX-License-Identifier: Apache-2.0
//
// The officer's page is HTTPS: with the agency's certificate where the configuration names one,
// else with a key and a self-signed certificate of this booth's own, made at the first start and
// kept in the state folder. Its fingerprint is in the log and in a file beside it.
//
// Thread: one. Blocks on the disk.

#ifndef CONSOLED_TLS_H
#define CONSOLED_TLS_H

#include <gnutls/gnutls.h>

#include "firmware/base/clock.h"
#include "firmware/base/crypto.h"
#include "firmware/consoled/config.h"

#define TLS_FINGERPRINT_MAX 96 // "AB:CD:…" of a SHA-256, with NUL

struct tls {
	struct eg_buf key, cert; // PEM
	char fingerprint[TLS_FINGERPRINT_MAX];
	bool own; // self-signed
};

// `booth` is a name for the certificate. tls_done() in every case. A certificate of our own that
// ends within a month is made anew, with the same key.
int tls_load(struct tls *tls, const struct config *config, const char *booth, int64_t wall_ms,
	     struct eg_err *err) EG_CHECKED;
void tls_done(struct tls *tls);

// SHA-256 of the client's certificate, which the handshake proved to be the client's; false: it
// showed none, or one that is not valid now. Whose it is, is the policy's to say.
bool tls_peer(gnutls_session_t session, uint8_t ret_digest[EG_SHA256_SIZE]);

#endif
