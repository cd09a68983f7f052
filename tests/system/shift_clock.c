// SPDX-License-Identifier: Apache-2.0
//
// LD_PRELOAD: a program's clocks, shifted by what the file CLOCK_FILE says: two numbers of 8 bytes
// in the machine's order, milliseconds added to the wall clock and to boot time. The file may be
// written while the program runs (tests/system/lib.sh: set_clock). It is mapped once, before main
// and thus before the program's sandbox; a program that executes itself anew below its sandbox must
// be able to read it, and this library, there again.
//
// Built without sanitizers, so that it may stand before them; it calls the kernel itself, as the
// sanitizers' own functions do not work yet when it is loaded.

#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static const volatile int64_t *shift; // wall, boot; NULL: none

__attribute__((constructor)) static void map_file(void)
{
	const char *path = getenv("CLOCK_FILE");
	long fd, at;

	if (path == NULL)
		return;
	fd = syscall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0);
	at = fd < 0 ? -1 : syscall(SYS_mmap, NULL, 16, PROT_READ, MAP_SHARED, fd, 0);
	if (at == -1)
		_exit(99); // not with the wrong clock
	(void)syscall(SYS_close, fd);
	shift = (const volatile int64_t *)at;
}

static void add(struct timespec *t, int64_t ms)
{
	int64_t ns = t->tv_nsec + ms % 1000 * 1000000;

	t->tv_sec += ms / 1000 + (ns < 0 ? -1 : ns >= 1000000000 ? 1 : 0);
	t->tv_nsec = ns + (ns < 0 ? 1000000000 : ns >= 1000000000 ? -1000000000 : 0);
}

int clock_gettime(clockid_t id, struct timespec *t)
{
	long r = syscall(SYS_clock_gettime, id, t);

	if (r == 0 && shift != NULL && (id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE))
		add(t, shift[0]);
	if (r == 0 && shift != NULL && id == CLOCK_BOOTTIME)
		add(t, shift[1]);
	return (int)r;
}

int gettimeofday(struct timeval *restrict tv, void *restrict zone)
{
	struct timespec t;

	(void)zone;
	if (clock_gettime(CLOCK_REALTIME, &t) != 0)
		return -1;
	*tv = (struct timeval){.tv_sec = t.tv_sec, .tv_usec = t.tv_nsec / 1000};
	return 0;
}

time_t time(time_t *ret)
{
	struct timespec t;

	if (clock_gettime(CLOCK_REALTIME, &t) != 0)
		return -1;
	if (ret != NULL)
		*ret = t.tv_sec;
	return t.tv_sec;
}
