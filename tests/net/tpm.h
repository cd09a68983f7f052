// SPDX-License-Identifier: Apache-2.0
//
// A TPM in software (swtpm) for tests, behind a socket of its own. Unlike a machine's /dev/tpmrm0
// it has no resource manager: it serves one caller at a time, and what a killed caller had loaded
// stays loaded until tpm_flush.

#ifndef TPM_H
#define TPM_H

#include <sys/types.h>

struct tpm {
	pid_t pid; // 0: it is off
	char dir[64];
	char tcti[128]; // how to reach it
};

void tpm_new(struct tpm *tpm); // a factory-new one, switched on
void tpm_on(struct tpm *tpm);
void tpm_off(struct tpm *tpm); // what it keeps for ever is kept
void tpm_free(struct tpm *tpm);
void tpm_replace(struct tpm *tpm); // another TPM in its place, on
void tpm_flush(struct tpm *tpm);   // unloads what a killed caller left, as the kernel would

// Runs one of tpm2-tools against it and returns its exit status; output to file `out`, or nowhere.
int tpm_tool(const struct tpm *tpm, const char *out, const char *const *words);

#endif
