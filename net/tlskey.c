// SPDX-License-Identifier: Apache-2.0
//
// See tlskey.h: the keys.

#include "net/tlskey.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

#include "firmware/base/mem.h"
#include "net/tlskey_internal.h"

#define PUBLIC_MAX     256
#define DEVICE_KEY_MAX 512

struct eg_tls_key {
	unsigned int refs;
	struct eg_vault *vault;
	enum eg_key_kept kept;
	EVP_PKEY *evp;
	struct eg_buf pem; // secret
	struct eg_buf spki;
};

static const char *const kept_names[EG_KEY_KEPTS] = {
	[EG_KEY_NONE] = "none",
	[EG_KEY_FILE] = "file",
	[EG_KEY_SEALED] = "sealed",
	[EG_KEY_TPM] = "tpm",
};

const char *eg_key_kept_name(enum eg_key_kept kept)
{
	return (unsigned int)kept < EG_KEY_KEPTS ? kept_names[kept] : "?";
}

enum eg_key_kept eg_key_kept_of(struct eg_bytes pem)
{
	static const struct {
		const char *label;
		enum eg_key_kept kept;
	} labels[] = {
		{"-----BEGIN TSS2 PRIVATE KEY-----", EG_KEY_TPM},
		{"-----BEGIN ENCRYPTED PRIVATE KEY-----", EG_KEY_SEALED},
		{"-----BEGIN PRIVATE KEY-----", EG_KEY_FILE},
		{"-----BEGIN EC PRIVATE KEY-----", EG_KEY_FILE},
	};
	const uint8_t *first = NULL;
	enum eg_key_kept kept = EG_KEY_NONE;

	for (size_t i = 0; i < sizeof(labels) / sizeof(labels[0]); i++) {
		const uint8_t *at =
			memmem(pem.data, pem.size, labels[i].label, strlen(labels[i].label));

		if (at && (!first || at < first)) {
			first = at;
			kept = labels[i].kept;
		}
	}
	return kept;
}

static void key_free(struct eg_tls_key *key)
{
	EVP_PKEY_free(key->evp);
	if (key->kept == EG_KEY_TPM)
		eg_tpm_close(key->vault);
	eg_buf_done(&key->pem);
	eg_buf_done(&key->spki);
	free(key);
}

struct eg_tls_key *eg_tls_key_ref(struct eg_tls_key *key)
{
	key->refs++;
	return key;
}

void eg_tls_key_unref(struct eg_tls_key *key)
{
	if (key && --key->refs == 0)
		key_free(key);
}

static int key_new(struct eg_vault *vault, enum eg_key_kept kept, struct eg_tls_key **ret_key,
		   struct eg_err *err)
{
	struct eg_tls_key *key;
	int r = kept == EG_KEY_TPM ? eg_tpm_open(vault, err) : 0;

	if (r != 0)
		return r;
	key = eg_calloc(1, sizeof(*key));
	if (!key) {
		if (kept == EG_KEY_TPM)
			eg_tpm_close(vault);
		return eg_err_set(err, EG_ENOMEM, "out of memory for the TLS key");
	}
	key->refs = 1;
	key->vault = vault;
	key->kept = kept;
	eg_buf_init_secret(&key->pem, EG_TLS_KEY_PEM_MAX);
	eg_buf_init(&key->spki, PUBLIC_MAX);
	*ret_key = key;
	return 0;
}

static int give_passphrase(char *room, int size, int writing, void *user)
{
	const struct eg_buf *line = user;

	(void)writing;
	if (size < 0 || line->size > (size_t)size || line->size == 0)
		return -1;
	memcpy(room, line->data, line->size);
	return (int)line->size;
}

static int take_public(struct eg_tls_key *key, struct eg_err *err)
{
	uint8_t *der = NULL;
	int n = i2d_PUBKEY(key->evp, &der);
	int r = n > 0 ? eg_buf_put(&key->spki, der, (size_t)n) : EG_EFOREIGN;

	OPENSSL_free(der);
	return r == 0 ? 0 : eg_err_set(err, r, "TLS key: its public half cannot be told");
}

// What lies on disk of a new key.
static int write_pem(struct eg_tls_key *key, struct eg_err *err)
{
	BIO *bio = BIO_new(BIO_s_mem());
	struct eg_buf line;
	char *text;
	long size;
	int r = 0, ok = 0;

	eg_buf_init_secret(&line, DEVICE_KEY_MAX);
	if (key->kept == EG_KEY_SEALED)
		r = eg_vault_device_key(key->vault, &line, err);
	if (r != 0)
		goto out;
	if (bio && key->kept == EG_KEY_SEALED)
		ok = PEM_write_bio_PKCS8PrivateKey(bio, key->evp, EVP_aes_256_cbc(), NULL, 0,
						   give_passphrase, &line);
	else if (bio)
		ok = PEM_write_bio_PrivateKey(bio, key->evp, NULL, NULL, 0, NULL, NULL);
	size = ok == 1 ? BIO_get_mem_data(bio, &text) : 0;
	if (size > 0)
		r = eg_buf_put(&key->pem, text, (size_t)size);
	// Whatever OpenSSL's defaults become: no key leaves here in another form than was meant.
	if (r != 0 || eg_key_kept_of(eg_buf_bytes(&key->pem)) != key->kept)
		r = eg_err_set(err, EG_EFOREIGN, "TLS key: cannot be written down");
out:
	BIO_free(bio);
	eg_buf_done(&line);
	return r;
}

int eg_tls_key_make(struct eg_vault *vault, struct eg_tls_key **ret_key, struct eg_err *err)
{
	const enum eg_key_kept kept = eg_vault_kept(vault);
	EVP_PKEY_CTX *context = NULL;
	struct eg_tls_key *key;
	int r = key_new(vault, kept, &key, err);

	if (r != 0)
		return r;
	ERR_clear_error();
	context = kept == EG_KEY_TPM ? EVP_PKEY_CTX_new_from_name(vault->tpm, "EC", "provider=tpm2")
				     : EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
	if (!context || EVP_PKEY_keygen_init(context) != 1 ||
	    EVP_PKEY_CTX_set_group_name(context, "P-256") != 1 ||
	    EVP_PKEY_generate(context, &key->evp) != 1)
		r = kept == EG_KEY_TPM ? eg_tpm_failed(err, "makes no key")
				       : eg_err_set(err, EG_EFOREIGN, "cannot generate a TLS key");
	if (r == 0)
		r = take_public(key, err);
	if (r == 0)
		r = write_pem(key, err);
	EVP_PKEY_CTX_free(context);
	if (r == 0)
		*ret_key = key;
	else
		key_free(key);
	return r;
}

static bool is_p256(const EVP_PKEY *evp)
{
	char group[32];
	size_t n;

	return EVP_PKEY_is_a(evp, "EC") && EVP_PKEY_get_group_name(evp, group, sizeof(group), &n) &&
	       OBJ_txt2nid(group) == NID_X9_62_prime256v1;
}

static int read_pem(struct eg_tls_key *key, struct eg_bytes pem, struct eg_err *err)
{
	const bool tpm = key->kept == EG_KEY_TPM;
	BIO *bio = NULL;
	struct eg_buf line;
	int r = 0;

	eg_buf_init_secret(&line, DEVICE_KEY_MAX);
	if (key->kept == EG_KEY_SEALED)
		r = eg_vault_device_key(key->vault, &line, err);
	if (r != 0)
		goto out;
	ERR_clear_error();
	bio = BIO_new_mem_buf(pem.data, (int)pem.size);
	if (bio)
		key->evp = PEM_read_bio_PrivateKey_ex(bio, NULL, give_passphrase, &line,
						      tpm ? key->vault->tpm : NULL,
						      tpm ? "?provider=tpm2" : NULL);
	if (!key->evp && tpm)
		r = eg_tpm_failed(err, "does not load this booth's key");
	else if (!key->evp && key->kept == EG_KEY_SEALED)
		r = eg_err_set(err, EG_EAUTH,
			       "TLS key: %s does not open it; put the right device key back, or "
			       "provision the booth again",
			       key->vault->device_key);
	else if (!key->evp || !is_p256(key->evp))
		r = eg_err_set(err, EG_EINVAL,
			       "TLS key: not a P-256 key in PEM; provision the booth again");
out:
	BIO_free(bio);
	eg_buf_done(&line);
	return r;
}

// Up to where the certificates begin.
static struct eg_bytes key_part(struct eg_bytes pem)
{
	static const char begin[] = "-----BEGIN CERTIFICATE-----";
	const uint8_t *at = memmem(pem.data, pem.size, begin, sizeof(begin) - 1);

	return EG_BYTES(pem.data, at ? (size_t)(at - pem.data) : pem.size);
}

int eg_tls_key_open(struct eg_vault *vault, struct eg_bytes pem, struct eg_tls_key **ret_key,
		    struct eg_err *err)
{
	const struct eg_bytes part = key_part(pem);
	const enum eg_key_kept kept = eg_key_kept_of(part);
	struct eg_tls_key *key;
	int r;

	if (kept == EG_KEY_NONE || part.size > EG_TLS_KEY_PEM_MAX)
		return eg_err_set(err, EG_EINVAL,
				  "TLS key: not a P-256 key in PEM; provision the booth again");
	r = key_new(vault, kept, &key, err);
	if (r != 0)
		return r;
	r = read_pem(key, part, err);
	if (r == 0)
		r = take_public(key, err);
	if (r == 0 && eg_buf_put(&key->pem, part.data, part.size) != 0)
		r = eg_err_set(err, EG_ENOMEM, "out of memory for the TLS key");
	if (r == 0)
		r = eg_tls_key_test(key, err);
	if (r == 0)
		*ret_key = key;
	else
		key_free(key);
	return r;
}

enum eg_key_kept eg_tls_key_kept(const struct eg_tls_key *key)
{
	return key->kept;
}

struct eg_bytes eg_tls_key_pem(const struct eg_tls_key *key)
{
	return eg_buf_bytes(&key->pem);
}

struct eg_bytes eg_tls_key_public(const struct eg_tls_key *key)
{
	return eg_buf_bytes(&key->spki);
}

struct evp_pkey_st *eg_tls_key_evp(const struct eg_tls_key *key)
{
	return key->evp;
}

static int sign_failed(const struct eg_tls_key *key, struct eg_err *err)
{
	return key->kept == EG_KEY_TPM ? eg_tpm_failed(err, "does not sign with this booth's key")
				       : eg_err_set(err, EG_EFOREIGN, "TLS key: cannot sign");
}

int eg_tls_key_test(const struct eg_tls_key *key, struct eg_err *err)
{
	static const uint8_t message[] = "is this key still there?";
	const uint8_t *der = key->spki.data;
	EVP_PKEY *peer = d2i_PUBKEY(NULL, &der, (long)key->spki.size); // verified outside the TPM
	OSSL_LIB_CTX *context = key->kept == EG_KEY_TPM ? key->vault->tpm : NULL;
	EVP_MD_CTX *sign = EVP_MD_CTX_new(), *verify = EVP_MD_CTX_new();
	uint8_t signature[128];
	size_t size = sizeof(signature);
	int r = 0;

	ERR_clear_error();
	if (!peer || !sign || !verify)
		r = eg_err_set(err, EG_ENOMEM, "out of memory for the TLS key");
	else if (EVP_DigestSignInit_ex(sign, NULL, "SHA256", context, NULL, key->evp, NULL) != 1 ||
		 EVP_DigestSign(sign, signature, &size, message, sizeof(message)) != 1 ||
		 EVP_DigestVerifyInit_ex(verify, NULL, "SHA256", NULL, NULL, peer, NULL) != 1 ||
		 EVP_DigestVerify(verify, signature, size, message, sizeof(message)) != 1)
		r = sign_failed(key, err);
	EVP_MD_CTX_free(verify);
	EVP_MD_CTX_free(sign);
	EVP_PKEY_free(peer);
	return r;
}

static bool plain_name(const char *name)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789._-";
	size_t n = strlen(name);

	return n > 0 && n <= 63 && strspn(name, allowed) == n;
}

// What stands in the request; the signature comes later.
static int fill_request(const struct eg_tls_key *key, const char *booth, X509_REQ *request)
{
	X509_NAME *name = X509_NAME_new();
	STACK_OF(X509_EXTENSION) *extensions = sk_X509_EXTENSION_new_null();
	X509_EXTENSION *usage =
		X509V3_EXT_conf_nid(NULL, NULL, NID_key_usage, "critical,digitalSignature");
	int ok = name && extensions && usage && sk_X509_EXTENSION_push(extensions, usage) > 0;

	if (ok)
		usage = NULL; // the stack's now
	ok = ok &&
	     X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, (const unsigned char *)booth, -1,
					-1, 0) == 1 &&
	     X509_REQ_set_version(request, X509_REQ_VERSION_1) == 1 &&
	     X509_REQ_set_subject_name(request, name) == 1 &&
	     X509_REQ_set_pubkey(request, key->evp) == 1 &&
	     X509_REQ_add_extensions(request, extensions) == 1;
	X509_EXTENSION_free(usage);
	sk_X509_EXTENSION_pop_free(extensions, X509_EXTENSION_free);
	X509_NAME_free(name);
	return ok ? 0 : EG_EFOREIGN;
}

int eg_tls_key_request(const struct eg_tls_key *key, const char *booth, struct eg_buf *der,
		       struct eg_err *err)
{
	OSSL_LIB_CTX *context = key->kept == EG_KEY_TPM ? key->vault->tpm : NULL;
	X509_REQ *request;
	EVP_MD_CTX *sign;
	uint8_t *bytes = NULL;
	int n, r;

	if (!plain_name(booth))
		return eg_err_set(err, EG_EINVAL,
				  "booth id '%s': only letters, digits, '.', '_' and '-' can stand "
				  "in a certificate",
				  booth);
	request = X509_REQ_new_ex(context, NULL);
	sign = EVP_MD_CTX_new();
	ERR_clear_error();
	r = request && sign ? fill_request(key, booth, request) : EG_ENOMEM;
	if (r != 0)
		eg_err_set(err, r, "cannot write the certificate request");
	else if (EVP_DigestSignInit_ex(sign, NULL, "SHA256", context, NULL, key->evp, NULL) != 1 ||
		 X509_REQ_sign_ctx(request, sign) <= 0)
		r = sign_failed(key, err);
	if (r == 0) {
		n = i2d_X509_REQ(request, &bytes);
		r = n > 0 ? eg_buf_put(der, bytes, (size_t)n) : EG_EFOREIGN;
		if (r != 0)
			eg_err_set(err, r, "no room for the certificate request");
	}
	OPENSSL_free(bytes);
	EVP_MD_CTX_free(sign);
	X509_REQ_free(request);
	return r;
}
