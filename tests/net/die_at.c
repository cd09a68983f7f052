// SPDX-License-Identifier: Apache-2.0
//
// LD_PRELOAD: kills (-9) the process at the n-th step of the thread that works on the folder
// DIE_IN, n = DIE_AT: right before a file in there is renamed, removed or flushed, and before a
// connection is made or a request is sent over one. DIE_LOG gets a line a step.

#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static atomic_long steps;

static void step(const char *what, const char *path)
{
	const char *at = getenv("DIE_AT"), *log = getenv("DIE_LOG");
	long n;

	if (!at || !log)
		return;
	n = atomic_fetch_add(&steps, 1) + 1;
	if (n > strtol(at, NULL, 10))
		return;
	{
		int fd = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);

		(void)dprintf(fd, "%ld %s %s\n", n, what, path);
		(void)close(fd);
	}
	if (n == strtol(at, NULL, 10))
		(void)kill(getpid(), SIGKILL);
}

static void step_path(const char *what, const char *path)
{
	const char *in = getenv("DIE_IN");

	if (in && path && strncmp(path, in, strlen(in)) == 0)
		step(what, path + strlen(in));
}

static void step_fd(const char *what, int fd)
{
	char link[64], path[512];
	ssize_t n;

	(void)snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, path, sizeof(path) - 1);
	if (n <= 0)
		return;
	path[n] = '\0';
	step_path(what, path);
}

static int is_tcp(const struct sockaddr *address)
{
	return address->sa_family == AF_INET || address->sa_family == AF_INET6;
}

int rename(const char *from, const char *to)
{
	int (*next)(const char *, const char *) =
		(int (*)(const char *, const char *))dlsym(RTLD_NEXT, "rename");

	step_path("rename", to);
	return next(from, to);
}

int unlink(const char *path)
{
	int (*next)(const char *) = (int (*)(const char *))dlsym(RTLD_NEXT, "unlink");

	step_path("unlink", path);
	return next(path);
}

int fsync(int fd)
{
	int (*next)(int) = (int (*)(int))dlsym(RTLD_NEXT, "fsync");

	step_fd("fsync", fd);
	return next(fd);
}

int connect(int fd, const struct sockaddr *address, socklen_t size)
{
	int (*next)(int, const struct sockaddr *, socklen_t) =
		(int (*)(int, const struct sockaddr *, socklen_t))dlsym(RTLD_NEXT, "connect");

	if (is_tcp(address))
		step("connect", "");
	return next(fd, address, size);
}

ssize_t send(int fd, const void *data, size_t size, int flags)
{
	ssize_t (*next)(int, const void *, size_t, int) =
		(ssize_t(*)(int, const void *, size_t, int))dlsym(RTLD_NEXT, "send");
	struct sockaddr_storage address;
	socklen_t length = sizeof(address);

	if (getpeername(fd, (struct sockaddr *)&address, &length) == 0 &&
	    is_tcp((struct sockaddr *)&address))
		step("send", "");
	return next(fd, data, size, flags);
}
