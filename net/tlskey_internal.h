// SPDX-License-Identifier: Apache-2.0
//
// What tlskey.c (keys) and tlskey_vault.c (where they are kept) share.

#ifndef EG_TLSKEY_INTERNAL_H
#define EG_TLSKEY_INTERNAL_H

#include <openssl/provider.h>

#include "net/tlskey.h"

struct eg_vault {
	enum eg_key_want want;
	char *tcti, *device_key;
	OSSL_LIB_CTX *tpm; // while keys in it are open
	OSSL_PROVIDER *base, *provider;
	unsigned int tpm_users;
};

// Opens the TPM, or counts one more user of it; each success needs one eg_tpm_close.
int eg_tpm_open(struct eg_vault *vault, struct eg_err *err) EG_CHECKED;
void eg_tpm_close(struct eg_vault *vault);

// What the TPM, or OpenSSL on the way to it, said last, and what to do about it: EG_EIO, EG_EAUTH
// (a key of another TPM), EG_EUNSUPPORTED (no provider). Empties OpenSSL's queue of errors, which
// must have been empty before the call that failed.
int eg_tpm_failed(struct eg_err *err, const char *what) EG_CHECKED;

// Appends the first line of the device key's file. EG_EIO: it is not there, or not private;
// EG_EAUTH: none is named; EG_EINVAL.
int eg_vault_device_key(const struct eg_vault *vault, struct eg_buf *line,
			struct eg_err *err) EG_CHECKED;

#endif
