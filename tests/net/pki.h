// SPDX-License-Identifier: Apache-2.0
//
// Certificates for tests, made by the openssl command: nothing of ours makes or signs them.
// Everything lands in a folder: NAME.key, NAME.pem. Failing commands fail the test.
//
// Thread: any, one folder each.

#ifndef PKI_H
#define PKI_H

#include <stddef.h>

// A self-signed authority.
void pki_ca(const char *dir, const char *name);

// A certificate by `ca`. `san`: as openssl writes it ("IP:127.0.0.1"), or NULL. Times as
// "20200101000000Z"; NULL: from now for two days.
void pki_leaf(const char *dir, const char *ca, const char *name, const char *cn, const char *san,
	      const char *from, const char *end);

// Certifies a request (DER file NAME.csr) as NAME.pem.
void pki_sign_csr(const char *dir, const char *ca, const char *name, const char *from,
		  const char *end);

// NAME.pem as a certs-only PKCS #7: base64 text without the PEM lines; free() it.
char *pki_certs_only(const char *dir, const char *name);

// The content of DIR/FILE, with a NUL; free() it.
char *pki_read(const char *dir, const char *file, size_t *ret_size);
void pki_write(const char *dir, const char *file, const void *data, size_t size);

// Runs a command (NULL-terminated words), output to `out` (a path, or NULL: /dev/null); its exit
// status.
int pki_run(const char *out, const char *const *words);

#endif
