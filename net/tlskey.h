// SPDX-License-Identifier: Apache-2.0
//
// The private key of the booth's TLS certificate, and where it is kept:
//
//	tpm     made inside the TPM and never outside of it. On disk lies what the TPM wrapped for
//	        itself ("TSS2 PRIVATE KEY" in PEM), which no other TPM can load
//	sealed  in a file, encrypted (PKCS #8, AES-256-CBC) under the device key that the image
// gives 	file    in a file as it is; its mode and the disk's own encryption are all that
// guards it
//
// The only user of OpenSSL's libcrypto beside http.c, because libcurl's TLS is OpenSSL's and only
// through OpenSSL's provider "tpm2" (package tpm2-openssl) can it sign with a key it cannot see.
//
// The TPM is opened with the first key that is used in it and closed with the last one that is
// freed: to recover from a TPM that went away, free all keys and open them again. Signing takes a
// TPM tenths of a second.
//
// Thread: a vault and its keys belong to one thread; eg_vault_new before other threads start, and
// one TPM a process (it is told to the provider in the environment). Opening, making, using a key
// blocks on the TPM.

#ifndef EG_TLSKEY_H
#define EG_TLSKEY_H

#include <stdbool.h>

#include "firmware/base/buf.h"

#define EG_TLS_KEY_PEM_MAX 4096

enum eg_key_kept {
	EG_KEY_NONE, // there is no key
	EG_KEY_FILE,
	EG_KEY_SEALED,
	EG_KEY_TPM,
	EG_KEY_KEPTS
};
const char *eg_key_kept_name(enum eg_key_kept kept); // "none", "file", …; never NULL

// How the first key of a PEM text is kept; NONE: it holds none.
enum eg_key_kept eg_key_kept_of(struct eg_bytes pem);

enum eg_key_want {   // what a new key shall be
	EG_KEY_AUTO, // in the TPM where there is one, else in a file
	EG_KEY_WANT_TPM,
	EG_KEY_WANT_FILE
};

struct eg_vault_config {
	enum eg_key_want want;
	const char *tcti;	// how to reach the TPM: "device:/dev/tpmrm0", "swtpm:path=…"
	const char *device_key; // file whose first line seals; "" or not there: no sealing
};

struct eg_vault;

// Copies `config`. Opens nothing yet. EG_ENOMEM.
int eg_vault_new(const struct eg_vault_config *config, struct eg_vault **ret_vault,
		 struct eg_err *err) EG_CHECKED;
void eg_vault_free(struct eg_vault *vault); // takes NULL; after its keys

// How a key made now would be kept: NONE never.
enum eg_key_kept eg_vault_kept(const struct eg_vault *vault);

struct eg_tls_key;

// A new P-256 key. EG_EIO: the TPM or the device key is not there, or the TPM does not do it;
// EG_EUNSUPPORTED: OpenSSL has no provider for the TPM; EG_EINVAL: that is no device key.
int eg_tls_key_make(struct eg_vault *vault, struct eg_tls_key **ret_key,
		    struct eg_err *err) EG_CHECKED;

// The first key in `pem`, checked to be P-256 and to work. Errors as above; EG_EINVAL: no such key
// in there; EG_EAUTH: sealed or wrapped for another device.
int eg_tls_key_open(struct eg_vault *vault, struct eg_bytes pem, struct eg_tls_key **ret_key,
		    struct eg_err *err) EG_CHECKED;

struct eg_tls_key *eg_tls_key_ref(struct eg_tls_key *key);
void eg_tls_key_unref(struct eg_tls_key *key); // takes NULL

enum eg_key_kept eg_tls_key_kept(const struct eg_tls_key *key);
struct eg_bytes eg_tls_key_pem(const struct eg_tls_key *key);	 // what to write down; lent, secret
struct eg_bytes eg_tls_key_public(const struct eg_tls_key *key); // SubjectPublicKeyInfo, DER; lent
struct evp_pkey_st *eg_tls_key_evp(const struct eg_tls_key *key); // OpenSSL's EVP_PKEY; lent

// Signs something and verifies it. EG_EIO: the TPM does not answer, or not rightly any more.
int eg_tls_key_test(const struct eg_tls_key *key, struct eg_err *err) EG_CHECKED;

// PKCS #10 request (RFC 2986, DER) with subject CN=`booth`, signed by the key; appended to `der`.
// EG_EINVAL: a booth id with other characters than letters, digits, '.', '_' and '-'; EG_EIO: the
// TPM does not sign.
int eg_tls_key_request(const struct eg_tls_key *key, const char *booth, struct eg_buf *der,
		       struct eg_err *err) EG_CHECKED;

#endif
