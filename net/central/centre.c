// SPDX-License-Identifier: Apache-2.0
//
// See centre.h.

#include "net/central/centre.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "firmware/base/file.h"
#include "firmware/base/mem.h"

#define TEXT_MAX 16384

int eg_centre_path(const char *folder, const char *name, char ret_path[EG_CENTRE_PATH_MAX],
		   struct eg_err *err)
{
	int n = snprintf(ret_path, EG_CENTRE_PATH_MAX, "%s/%s", folder, name);
	if (n < 0 || n >= EG_CENTRE_PATH_MAX)
		return eg_err_set(err, EG_ETOOBIG, "folder '%.60s…': its path is too long", folder);
	return 0;
}

static int write_file(const char *folder, const char *name, struct eg_bytes bytes, mode_t mode,
		      struct eg_err *err)
{
	char path[EG_CENTRE_PATH_MAX];
	int r = eg_centre_path(folder, name, path, err);
	return r != 0 ? r : eg_file_write(path, bytes, mode, err);
}

static int read_file(const char *folder, const char *name, struct eg_buf *text, struct eg_err *err)
{
	char path[EG_CENTRE_PATH_MAX];
	int r = eg_centre_path(folder, name, path, err);
	if (r == 0)
		r = eg_file_read(path, text, err);
	if (r == EG_ENOENT)
		(void)eg_err_prefix(err, r, "is '%s' a folder of 'centralctl init'?", folder);
	return r;
}

int eg_centre_read_secret(const char *folder, const char *name, struct eg_buf *text,
			  struct eg_err *err)
{
	char path[EG_CENTRE_PATH_MAX];
	struct stat st;
	int r = read_file(folder, name, text, err);
	if (r == 0)
		r = eg_centre_path(folder, name, path, err);
	if (r == 0 && (stat(path, &st) != 0 || (st.st_mode & 077) != 0)) {
		eg_buf_reset(text);
		r = eg_err_set(err, EG_EAUTH, "%s: others may read this key: chmod 600", path);
	}
	return r;
}

// A pair for signing or opening: NAME.key, and the public half in hex.
static int make_pair(const char *folder, const char *key_name, const char *pub_name,
		     struct eg_err *err)
{
	char path[EG_CENTRE_PATH_MAX], hex[2 * EG_P256_PUB_SIZE + 2];
	struct eg_key *key = NULL;
	int r = eg_centre_path(folder, key_name, path, err);
	if (r == 0)
		r = eg_key_generate(&key, err);
	if (r == 0)
		r = eg_key_save(key, path, err);
	if (r == 0) {
		eg_hex(eg_key_public(key), EG_P256_PUB_SIZE, hex);
		hex[sizeof(hex) - 2] = '\n';
		r = write_file(folder, pub_name, EG_BYTES(hex, sizeof(hex) - 1), 0644, err);
	}
	eg_key_free(key);
	return r;
}

static int make_authority(const char *folder, int64_t now_ms, struct eg_err *err)
{
	struct eg_buf key, cert;
	eg_buf_init_secret(&key, TEXT_MAX);
	eg_buf_init(&cert, TEXT_MAX);
	int r = eg_ca_key(&key, err);
	if (r == 0)
		r = eg_ca_self_sign(eg_buf_bytes(&key), now_ms, &cert, err);
	if (r == 0)
		r = write_file(folder, "ca.key", eg_buf_bytes(&key), 0600, err);
	if (r == 0)
		r = write_file(folder, "ca.crt", eg_buf_bytes(&cert), 0644, err);
	eg_buf_done(&key);
	eg_buf_done(&cert);
	return r;
}

int eg_centre_renew_server(const char *folder, const char *const *names, size_t name_count,
			   int64_t now_ms, struct eg_err *err)
{
	struct eg_ca *ca = NULL;
	struct eg_buf key, cert;
	eg_buf_init_secret(&key, TEXT_MAX);
	eg_buf_init(&cert, TEXT_MAX);
	int r = eg_centre_load_ca(folder, &ca, err);
	if (r == 0)
		r = eg_ca_key(&key, err);
	if (r == 0)
		r = eg_ca_sign_server(ca, eg_buf_bytes(&key), names, name_count, now_ms, &cert,
				      err);
	if (r == 0)
		r = write_file(folder, "server.key", eg_buf_bytes(&key), 0600, err);
	if (r == 0)
		r = write_file(folder, "server.crt", eg_buf_bytes(&cert), 0644, err);
	eg_ca_free(ca);
	eg_buf_done(&key);
	eg_buf_done(&cert);
	return r;
}

static int write_url(const char *folder, const char *url, const char *name, struct eg_err *err)
{
	char text[256];
	bool six = strchr(name, ':') != NULL;
	int n = url != NULL ? snprintf(text, sizeof(text), "%s\n", url)
			    : snprintf(text, sizeof(text), "https://%s%s%s:%d\n", six ? "[" : "",
				       name, six ? "]" : "", EG_CENTRE_PORT);
	if (n < 0 || (size_t)n >= sizeof(text) || strncmp(text, "https://", 8) != 0)
		return eg_err_set(err, EG_EINVAL,
				  "url '%.80s': must begin with https:// and have "
				  "less than 255 bytes",
				  url != NULL ? url : name);
	return write_file(folder, "url", EG_BYTES(text, (size_t)n), 0644, err);
}

static int fill(const char *folder, const char *const *names, size_t name_count, const char *url,
		int64_t now_ms, struct eg_err *err)
{
	struct eg_ledger *ledger = NULL;
	int r = make_authority(folder, now_ms, err);
	if (r == 0)
		r = eg_centre_renew_server(folder, names, name_count, now_ms, err);
	if (r == 0)
		r = make_pair(folder, "sign.key", "sign.pub", err);
	if (r == 0)
		r = make_pair(folder, "open.key", "seal.pub", err);
	if (r == 0)
		r = write_url(folder, url, names[0], err);
	if (r == 0)
		r = eg_centre_open_ledger(folder, &ledger, err);
	eg_ledger_close(ledger);
	return r;
}

// Only what `fill` makes lies in there.
static void remove_folder(const char *folder)
{
	char path[EG_CENTRE_PATH_MAX];
	DIR *dir = opendir(folder);
	struct dirent *entry;
	while (dir != NULL && (entry = readdir(dir)) != NULL)
		if (entry->d_name[0] != '.' &&
		    eg_centre_path(folder, entry->d_name, path, NULL) == 0)
			(void)unlink(path);
	if (dir != NULL)
		(void)closedir(dir);
	(void)rmdir(folder);
}

int eg_centre_init(const char *folder, const char *const *names, size_t name_count, const char *url,
		   int64_t now_ms, struct eg_err *err)
{
	char making[EG_CENTRE_PATH_MAX], whole[EG_CENTRE_PATH_MAX];
	size_t length = strlen(folder);
	while (length > 1 && folder[length - 1] == '/')
		length--;
	int n = snprintf(whole, sizeof(whole), "%.*s", (int)length, folder);
	if (length == 0 || n < 0 || (size_t)n + 16 > sizeof(making))
		return eg_err_set(err, EG_EINVAL, "folder '%.60s': no usable path", folder);
	(void)snprintf(making, sizeof(making), "%.*s.new-XXXXXX", (int)length, folder);
	if (mkdtemp(making) == NULL)
		return eg_err_errno(err, errno, "%s: make", making);
	int r = fill(making, names, name_count, url, now_ms, err);
	// Takes the place of nothing or of an empty folder, never of anything else.
	if (r == 0 && rename(making, whole) != 0)
		r = errno == ENOTEMPTY || errno == EEXIST || errno == ENOTDIR
			    ? eg_err_set(err, EG_ECONFLICT,
					 "%s: is there already and not empty; it is left as it is",
					 whole)
			    : eg_err_errno(err, errno, "%s", whole);
	if (r != 0)
		remove_folder(making);
	return r;
}

// The one line of a small file, without its end.
static int read_line(const char *folder, const char *name, char *text, size_t size,
		     struct eg_err *err)
{
	struct eg_buf buf;
	eg_buf_init(&buf, size - 1);
	int r = read_file(folder, name, &buf, err);
	while (r == 0 && buf.size > 0 && buf.data[buf.size - 1] == '\n')
		buf.size--;
	if (r == 0 && (buf.size == 0 || memchr(buf.data, '\0', buf.size) != NULL ||
		       memchr(buf.data, '\n', buf.size) != NULL))
		r = eg_err_set(err, EG_ECORRUPT, "%s/%s: is not one line of text", folder, name);
	if (r == 0) {
		memcpy(text, buf.data, buf.size);
		text[buf.size] = '\0';
	}
	eg_buf_done(&buf);
	return r;
}

static int read_pub(const char *folder, const char *name, uint8_t ret_pub[EG_P256_PUB_SIZE],
		    struct eg_err *err)
{
	char hex[2 * EG_P256_PUB_SIZE + 3];
	int r = read_line(folder, name, hex, sizeof(hex), err);
	if (r == 0 && eg_unhex(hex, ret_pub, EG_P256_PUB_SIZE) != 0)
		r = eg_err_set(err, EG_ECORRUPT, "%s/%s: is not a public key in hex", folder, name);
	return r;
}

int eg_centre_load_public(const char *folder, struct eg_centre_public *ret_public,
			  struct eg_err *err)
{
	struct eg_buf pem;
	eg_buf_init(&pem, sizeof(ret_public->ca_pem) - 1);
	int r = read_pub(folder, "sign.pub", ret_public->sign, err);
	if (r == 0)
		r = read_pub(folder, "seal.pub", ret_public->seal, err);
	if (r == 0)
		r = read_line(folder, "url", ret_public->url, sizeof(ret_public->url), err);
	if (r == 0)
		r = read_file(folder, "ca.crt", &pem, err);
	if (r == 0) {
		memcpy(ret_public->ca_pem, pem.data, pem.size);
		ret_public->ca_pem[pem.size] = '\0';
	}
	eg_buf_done(&pem);
	return r;
}

int eg_centre_load_ca(const char *folder, struct eg_ca **ret_ca, struct eg_err *err)
{
	struct eg_buf key, cert;
	eg_buf_init_secret(&key, TEXT_MAX);
	eg_buf_init(&cert, TEXT_MAX);
	int r = eg_centre_read_secret(folder, "ca.key", &key, err);
	if (r == 0)
		r = read_file(folder, "ca.crt", &cert, err);
	if (r == 0) {
		r = eg_ca_new(eg_buf_bytes(&key), eg_buf_bytes(&cert), ret_ca, err);
		if (r != 0)
			(void)eg_err_prefix(err, r, "%s/ca.key, ca.crt", folder);
	}
	eg_buf_done(&key);
	eg_buf_done(&cert);
	return r;
}

int eg_centre_open_ledger(const char *folder, struct eg_ledger **ret_ledger, struct eg_err *err)
{
	char path[EG_CENTRE_PATH_MAX];
	int r = eg_centre_path(folder, "central.db", path, err);
	return r != 0 ? r : eg_ledger_open(path, ret_ledger, err);
}
