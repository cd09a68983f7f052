// SPDX-License-Identifier: Apache-2.0
//
// See partial.h.

#include "firmware/syncd/partial.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "firmware/base/clock.h"
#include "firmware/base/crypto.h"
#include "firmware/base/file.h"
#include "firmware/base/log.h"

#define PREFIX	   "manifest."
#define SUFFIX	   ".part"
#define KEEP_MS	   (24 * 60 * 60 * 1000LL)
#define NAME_BYTES 16 // of the digest that names a file

void partial_init(struct partial *partial)
{
	*partial = (struct partial){0};
	eg_buf_init(&partial->wire, 0);
}

void partial_done(struct partial *partial)
{
	eg_buf_done(&partial->wire);
}

static bool is_ours(const char *name)
{
	const size_t length = strlen(name), prefix = strlen(PREFIX), suffix = strlen(SUFFIX);

	return length > prefix + suffix && strncmp(name, PREFIX, prefix) == 0 &&
	       strcmp(name + length - suffix, SUFFIX) == 0;
}

// Removes the files of downloads for which `useless` says so.
static void remove_files(const char *folder, bool (*useless)(const char *path, const void *user),
			 const void *user)
{
	char path[PARTIAL_PATH_MAX];
	const struct dirent *entry;
	DIR *dir = opendir(folder);

	if (!dir)
		return;
	while ((entry = readdir(dir)) != NULL) {
		if (!is_ours(entry->d_name))
			continue;
		(void)snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
		if (useless(path, user) && unlink(path) != 0)
			eg_warning("%s: cannot be removed: %s", path, strerror(errno));
	}
	(void)closedir(dir);
}

static bool is_another(const char *path, const void *user)
{
	return strcmp(path, user) != 0;
}

static bool is_old(const char *path, const void *user)
{
	const int64_t *wall_ms = user;
	struct stat st;

	return stat(path, &st) == 0 && llabs(*wall_ms - (int64_t)st.st_mtime * 1000) > KEEP_MS;
}

static int name_file(struct partial *partial, const char *folder, const struct eg_listed *listed)
{
	char text[EG_NAME_MAX + EG_HTTP_ETAG_MAX + 64], hex[2 * NAME_BYTES + 1];
	uint8_t digest[EG_SHA256_SIZE];
	int n = snprintf(text, sizeof(text), "%s\n%llu\n%llu\n%s", listed->id,
			 (unsigned long long)listed->version, (unsigned long long)listed->length,
			 listed->etag);

	if (n < 0 || (size_t)n >= sizeof(text) || eg_sha256(EG_BYTES(text, (size_t)n), digest) != 0)
		return EG_EFOREIGN;
	eg_hex(digest, NAME_BYTES, hex);
	n = snprintf(partial->path, sizeof(partial->path), "%s/" PREFIX "%s" SUFFIX, folder, hex);
	return n > 0 && (size_t)n < sizeof(partial->path) ? 0 : EG_ETOOBIG;
}

void partial_begin(struct partial *partial, const char *folder, const struct eg_listed *listed)
{
	struct eg_err err = EG_ERR_INIT;
	int r;

	partial_done(partial);
	partial_init(partial);
	eg_buf_init(&partial->wire, listed->length);
	if (name_file(partial, folder, listed) != 0)
		partial->path[0] = '\0'; // in memory only
	remove_files(folder, is_another, partial->path);
	if (!partial->path[0])
		return;
	r = eg_file_read_private(partial->path, &partial->wire, &err);
	if (r != 0 && r != EG_ENOENT) {
		eg_warning("%s; fetching manifest '%s' from its beginning", err.text, listed->id);
		partial_drop(partial);
		return;
	}
	partial->kept = partial->wire.size;
	partial->resumed = partial->kept > 0;
	if (partial->resumed)
		eg_notice("manifest '%s' version %llu: going on behind the %zu of %llu bytes that "
			  "were here",
			  listed->id, (unsigned long long)listed->version, partial->kept,
			  (unsigned long long)listed->length);
}

static int write_from(int fd, struct eg_bytes bytes, size_t at)
{
	while (at < bytes.size) {
		ssize_t n = pwrite(fd, bytes.data + at, bytes.size - at, (off_t)at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		at += (size_t)n;
	}
	return fdatasync(fd);
}

void partial_keep(struct partial *partial)
{
	const struct eg_bytes wire = eg_buf_bytes(&partial->wire);
	int fd, e;

	if (!partial->path[0] || partial->kept == wire.size)
		return;
	if (partial->kept > wire.size) // it was started anew
		partial->kept = 0;
	fd = open(partial->path,
		  O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW | (partial->kept > 0 ? 0 : O_TRUNC),
		  0600);
	if (fd >= 0 && write_from(fd, wire, partial->kept) == 0) {
		partial->kept = wire.size;
		(void)close(fd);
		return;
	}
	e = errno;
	eg_warning("%s: %s; after a restart this manifest would be fetched from its beginning",
		   partial->path, strerror(e));
	if (fd >= 0)
		(void)close(fd);
	(void)unlink(partial->path);
	partial->kept = 0;
}

void partial_drop(struct partial *partial)
{
	if (partial->path[0] && unlink(partial->path) != 0 && errno != ENOENT)
		eg_warning("%s: cannot be removed: %s", partial->path, strerror(errno));
	eg_buf_reset(&partial->wire);
	partial->kept = 0;
	partial->resumed = false;
}

void partial_sweep(struct partial *partial, const char *folder, int64_t wall_ms)
{
	remove_files(folder, is_old, &wall_ms);
	if (partial->kept > 0 && access(partial->path, F_OK) != 0)
		partial_drop(partial); // it was this one's
}
