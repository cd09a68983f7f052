// SPDX-License-Identifier: Apache-2.0
//
// See tlskey.h: the TPM and the device key.
//
// A key in the TPM lives in an OSSL_LIB_CTX of its own, with the provider "tpm2" beside "default":
// in OpenSSL's common one the TPM would be asked for hashes, random numbers and the ephemeral keys
// of every handshake as well.

#include <assert.h>
#include <errno.h>
#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "firmware/base/file.h"
#include "firmware/base/mem.h"
#include "net/tlskey_internal.h"

#define DEVICE_KEY_MIN 32 // characters: a key, not a password

int eg_vault_new(const struct eg_vault_config *config, struct eg_vault **ret_vault,
		 struct eg_err *err)
{
	struct eg_vault *vault = eg_calloc(1, sizeof(*vault));

	if (vault) {
		vault->want = config->want;
		vault->tcti = eg_strdup(config->tcti);
		vault->device_key = eg_strdup(config->device_key);
	}
	if (!vault || !vault->tcti || !vault->device_key) {
		eg_vault_free(vault);
		return eg_err_set(err, EG_ENOMEM, "out of memory for the TLS key");
	}
	// How the provider is told (it does not hear OpenSSL's parameters). And tpm2-tss, which
	// reports each fault on stderr by itself, says nothing that OpenSSL's errors do not say.
	if (setenv("TPM2OPENSSL_TCTI", vault->tcti, 1) != 0 ||
	    setenv("TSS2_LOG", "all+none", 0) != 0) {
		eg_vault_free(vault);
		return eg_err_set(err, EG_ENOMEM, "out of memory for the TLS key");
	}
	*ret_vault = vault;
	return 0;
}

void eg_vault_free(struct eg_vault *vault)
{
	if (!vault)
		return;
	assert(vault->tpm_users == 0);
	free(vault->tcti);
	free(vault->device_key);
	free(vault);
}

// The file of a TPM, "/dev/tpmrm0"; NULL: it is reached in another way.
static const char *tpm_device(const struct eg_vault *vault)
{
	return strncmp(vault->tcti, "device:", 7) == 0 ? vault->tcti + 7 : NULL;
}

static bool tpm_there(const struct eg_vault *vault)
{
	const char *device = tpm_device(vault);

	return vault->tcti[0] && (!device || access(device, F_OK) == 0);
}

enum eg_key_kept eg_vault_kept(const struct eg_vault *vault)
{
	if (vault->want == EG_KEY_WANT_TPM || (vault->want == EG_KEY_AUTO && tpm_there(vault)))
		return EG_KEY_TPM;
	return vault->device_key[0] && access(vault->device_key, F_OK) == 0 ? EG_KEY_SEALED
									    : EG_KEY_FILE;
}

int eg_tpm_failed(struct eg_err *err, const char *what)
{
	static const struct {
		const char *says;
		int code;
		const char *advice;
	} known[] = {
		{"integrity", EG_EAUTH,
		 "the key was made in another TPM, or the TPM was cleared since: make a new token "
		 "and provision the booth again"},
		{"lockout", EG_EIO,
		 "it is locked out after wrong passwords: wait, or run "
		 "'tpm2_dictionarylockout --clear-lockout'"},
		{"authorization", EG_EIO,
		 "its owner hierarchy has a password, which nobody gave us: clear the TPM in the "
		 "firmware set-up, or run 'tpm2_changeauth -c owner'"},
		{"out of memory for object", EG_EIO,
		 "other programs fill it: use the kernel's resource manager (device:/dev/tpmrm0)"},
		{"could not load the shared library", EG_EUNSUPPORTED,
		 "OpenSSL's provider 'tpm2' is missing: install the package tpm2-openssl"},
	};
	const char *data = NULL, *reason,
		   *advice = "check it with 'tpm2_selftest'; the booth tries "
			     "again";
	char text[200] = "no more is known";
	unsigned long code = ERR_get_error_all(NULL, NULL, NULL, &data, NULL);
	int r = EG_EIO;

	// The first is the deepest; the TPM's own sentence stands in its data.
	reason = code != 0 ? ERR_reason_error_string(code) : NULL;
	if (code != 0)
		(void)snprintf(text, sizeof(text), "%s%s%s", reason ? reason : "",
			       reason && data && data[0] ? ": " : "", data ? data : "");
	ERR_clear_error();
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (strcasestr(text, known[i].says)) {
			advice = known[i].advice;
			r = known[i].code;
			break;
		}
	return eg_err_set(err, r, "TPM: %s (%s); %s", what, text, advice);
}

void eg_tpm_close(struct eg_vault *vault)
{
	if (vault->tpm_users > 0 && --vault->tpm_users > 0)
		return;
	(void)OSSL_PROVIDER_unload(vault->provider);
	(void)OSSL_PROVIDER_unload(vault->base);
	OSSL_LIB_CTX_free(vault->tpm);
	vault->provider = vault->base = NULL;
	vault->tpm = NULL;
}

int eg_tpm_open(struct eg_vault *vault, struct eg_err *err)
{
	const char *device = tpm_device(vault);

	if (vault->tpm_users++ > 0)
		return 0;
	if (device && access(device, R_OK | W_OK) != 0) {
		const int e = errno;

		vault->tpm_users = 0;
		if (e == ENOENT || e == ENODEV)
			return eg_err_set(err, EG_EIO,
					  "TPM: %s is not there; switch the TPM on in the firmware "
					  "set-up, or see [identity] in syncd.conf",
					  device);
		return eg_err_set(err, EG_EIO,
				  "TPM: %s: %s; it must be open to the user of syncd (group tss)",
				  device, strerror(e));
	}
	ERR_clear_error();
	vault->tpm = OSSL_LIB_CTX_new();
	if (vault->tpm) {
		vault->base = OSSL_PROVIDER_load(vault->tpm, "default");
		vault->provider = OSSL_PROVIDER_load(vault->tpm, "tpm2");
	}
	if (!vault->base || !vault->provider) {
		int r = eg_tpm_failed(err, "cannot be reached");

		eg_tpm_close(vault);
		return r;
	}
	return 0;
}

// The first line of the device key's file.
int eg_vault_device_key(const struct eg_vault *vault, struct eg_buf *line, struct eg_err *err)
{
	const char *path = vault->device_key;
	struct eg_err why = EG_ERR_INIT;
	const uint8_t *end;
	int r;

	if (!path[0])
		return eg_err_set(
			err, EG_EAUTH,
			"TLS key: it is sealed, but [identity] device_key names no file to "
			"open it with");
	r = eg_file_read_private(path, line, &why);
	if (r != 0)
		return eg_err_set(err, EG_EIO, "device key, which seals the TLS key: %s", why.text);
	end = memchr(line->data, '\n', line->size);
	if (end)
		line->size = (size_t)(end - line->data);
	if (line->size < DEVICE_KEY_MIN)
		return eg_err_set(err, EG_EINVAL,
				  "%s: the device key must be one line of %d characters or more",
				  path, DEVICE_KEY_MIN);
	return 0;
}
