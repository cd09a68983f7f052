// SPDX-License-Identifier: Apache-2.0

#include "firmware/base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "firmware/base/crypto.h"

#define READ_MIN 1024
#define READ_MAX 65536

static int read_all(int fd, const char *path, struct eg_buf *buf, struct eg_err *err)
{
	size_t before = buf->size;
	uint8_t *space;
	ssize_t n;
	int r;

	for (;;) {
		// As much again as is there: most files are small, and a secret's memory is locked.
		size_t want = buf->size - before < READ_MIN ? READ_MIN : buf->size - before;

		if (want > READ_MAX)
			want = READ_MAX;
		if (want > buf->max - buf->size)
			want = buf->max - buf->size;
		if (want == 0) { // full: is there more?
			uint8_t more;

			do
				n = read(fd, &more, 1);
			while (n < 0 && errno == EINTR);
			if (n == 0)
				return 0;
			r = n < 0 ? eg_err_errno(err, errno, "%s", path)
				  : eg_err_set(err, EG_ETOOBIG, "%s is larger than %zu bytes", path,
					       buf->max);
			break;
		}
		r = eg_buf_extend(buf, want, &space);
		if (r != 0) {
			r = eg_err_set(err, r, "%s: out of memory", path);
			break;
		}
		do
			n = read(fd, space, want);
		while (n < 0 && errno == EINTR);
		buf->size -= want - (n > 0 ? (size_t)n : 0);
		if (n == 0)
			return 0;
		if (n < 0) {
			r = eg_err_errno(err, errno, "%s", path);
			break;
		}
	}
	buf->size = before;
	return r;
}

static int check(int fd, const char *path, bool private, struct eg_err *err)
{
	struct stat st;

	if (fstat(fd, &st) != 0)
		return eg_err_errno(err, errno, "%s", path);
	if (!S_ISREG(st.st_mode))
		return eg_err_set(err, EG_EINVAL, "%s is not a regular file", path);
	if (private && (st.st_mode & 077) != 0)
		return eg_err_set(err, EG_EAUTH,
				  "%s is open to others (mode %03o); chmod 600 it, and replace it "
				  "if somebody may have read it",
				  path, (unsigned int)(st.st_mode & 0777));
	return 0;
}

// Opened once: what is checked is what is read. O_NONBLOCK, because a FIFO would hang us.
static int read_file(const char *path, bool private, struct eg_buf *buf, struct eg_err *err)
{
	int flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | (private ? O_NOFOLLOW : 0);
	int fd, r;

	fd = open(path, flags);
	if (fd < 0 && errno == ELOOP && private)
		return eg_err_set(err, EG_EAUTH, "%s is a symbolic link; name the file itself",
				  path);
	if (fd < 0)
		return eg_err_errno(err, errno, "%s", path);
	r = check(fd, path, private, err);
	if (r == 0)
		r = read_all(fd, path, buf, err);
	(void)close(fd);
	return r;
}

int eg_file_read(const char *path, struct eg_buf *buf, struct eg_err *err)
{
	return read_file(path, false, buf, err);
}

int eg_file_read_private(const char *path, struct eg_buf *buf, struct eg_err *err)
{
	return read_file(path, true, buf, err);
}

static int write_all(int fd, struct eg_bytes bytes)
{
	while (bytes.size > 0) {
		ssize_t n = write(fd, bytes.data, bytes.size);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		bytes.data += n;
		bytes.size -= (size_t)n;
	}
	return 0;
}

// Flushes the folder that holds `path`, so that the rename itself survives.
static int sync_folder(const char *path)
{
	char folder[PATH_MAX];
	const char *slash = strrchr(path, '/');
	int fd, r;

	if (slash == NULL)
		(void)snprintf(folder, sizeof(folder), ".");
	else
		(void)snprintf(folder, sizeof(folder), "%.*s",
			       slash == path ? 1 : (int)(slash - path), path);
	fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	r = fsync(fd);
	(void)close(fd);
	return r;
}

int eg_file_write(const char *path, struct eg_bytes bytes, mode_t mode, struct eg_err *err)
{
	char part[PATH_MAX];
	uint64_t random;
	int fd, r, n;

	if (eg_random(&random, sizeof(random)) != 0)
		return eg_err_set(err, EG_EFOREIGN, "%s: no random numbers", path);
	n = snprintf(part, sizeof(part), "%s.%016" PRIx64 ".part", path, random);
	if (n < 0 || (size_t)n >= sizeof(part))
		return eg_err_set(err, EG_ETOOBIG, "%s: the path is too long", path);
	fd = open(part, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return eg_err_errno(err, errno, "%s cannot be written", path);
	if (write_all(fd, bytes) != 0 || fchmod(fd, mode) != 0 || fsync(fd) != 0) {
		r = eg_err_errno(err, errno, "%s cannot be written", path);
		(void)close(fd);
		goto fail;
	}
	if (close(fd) != 0 || rename(part, path) != 0) {
		r = eg_err_errno(err, errno, "%s cannot be written", path);
		goto fail;
	}
	if (sync_folder(path) != 0)
		return eg_err_errno(err, errno, "the folder of %s cannot be flushed", path);
	return 0;
fail:
	(void)unlink(part);
	return r;
}

int eg_dir_make(const char *path, mode_t mode, struct eg_err *err)
{
	char part[PATH_MAX];
	struct stat st;
	bool made;
	char *at;
	int n;

	n = snprintf(part, sizeof(part), "%s", path);
	if (n <= 0 || (size_t)n >= sizeof(part))
		return eg_err_set(err, EG_EINVAL, "'%s' is no path for a folder", path);
	for (at = part + 1;; at++) {
		char c = *at;

		if (c != '/' && c != '\0')
			continue;
		*at = '\0';
		made = mkdir(part, mode) == 0;
		// chmod, because the umask took away from mkdir's mode.
		if ((!made && errno != EEXIST) || (made && chmod(part, mode) != 0))
			return eg_err_errno(err, errno, "folder %s cannot be made", part);
		*at = c;
		if (c == '\0')
			break;
	}
	if (stat(part, &st) != 0)
		return eg_err_errno(err, errno, "%s", part);
	if (!S_ISDIR(st.st_mode))
		return eg_err_set(err, EG_EINVAL, "%s is not a folder", path);
	return 0;
}
