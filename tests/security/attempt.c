// SPDX-License-Identifier: Apache-2.0
//
// security_PROGRAM CONFIG|- ATTEMPT [ARGUMENT]: puts on the sandbox of the program as it is
// configured ("-": none), tries one thing, and prints "done", or the name of the error. One attempt
// a process, because some end it.

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <linux/netlink.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "firmware/base/log.h"

#if defined(CONFINE_boothd)
#include "firmware/boothd/confine.h"
static struct eg_boothd_config config;
static const struct eg_conf_key *const keys = eg_boothd_keys;
#define confine eg_boothd_confine
#elif defined(CONFINE_syncd)
#include "firmware/syncd/confine.h"
static struct config config;
static const struct eg_conf_key *const keys = config_keys;
#define confine syncd_confine
#elif defined(CONFINE_consoled)
#include "firmware/consoled/confine.h"
static struct config config;
static const struct eg_conf_key *const keys = config_keys;
#define confine consoled_confine
#else
#include "net/central/centrald/confine.h"
static struct config config;
static const struct eg_conf_key *const keys = config_keys;
#define confine centrald_confine
#endif

// ---- attempts: 0, or −1 and errno ---------------------------------------------------------------

static long number(const char *text)
{
	return strtol(text, NULL, 10);
}

static int opened(int fd)
{
	return fd < 0 ? -1 : close(fd);
}
static int try_inet(const char *arg)
{
	return (void)arg, opened(socket(AF_INET, SOCK_DGRAM, 0));
}
static int try_inet6(const char *arg)
{
	return (void)arg, opened(socket(AF_INET6, SOCK_STREAM, 0));
}
static int try_unix(const char *arg)
{
	return (void)arg, opened(socket(AF_UNIX, SOCK_STREAM, 0));
}
static int try_uevents(const char *arg)
{
	return (void)arg, opened(socket(AF_NETLINK, SOCK_RAW, NETLINK_KOBJECT_UEVENT));
}
static int try_routes(const char *arg)
{
	return (void)arg, opened(socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE));
}
static int try_vsock(const char *arg)
{
	return (void)arg, opened(socket(AF_VSOCK, SOCK_STREAM, 0));
}

static struct sockaddr_in loopback(const char *port)
{
	return (struct sockaddr_in){.sin_family = AF_INET,
				    .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
				    .sin_port = htons((uint16_t)number(port))};
}

// On a socket that was there before the sandbox, as one that is passed in would be.
static int inherited = -1;

static int try_bind(const char *arg)
{
	struct sockaddr_in address = loopback(arg);

	return bind(inherited, (struct sockaddr *)&address, sizeof(address));
}

// Nobody listens: being refused by the other side is having been let out.
static int try_connect(const char *arg)
{
	struct sockaddr_in address = loopback(arg);

	return connect(inherited, (struct sockaddr *)&address, sizeof(address)) == 0 ||
			       errno == ECONNREFUSED
		       ? 0
		       : -1;
}

static int try_read(const char *arg)
{
	return opened(open(arg, O_RDONLY | O_CLOEXEC));
}
static int try_write(const char *arg)
{
	return opened(open(arg, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
}
static int try_remove(const char *arg)
{
	return unlink(arg);
}
static int try_exec(const char *arg)
{
	return execl(arg, arg, "-c", "echo done", (char *)NULL);
}
static int try_fork(const char *arg)
{
	pid_t pid = fork();

	(void)arg;
	if (pid == 0)
		_exit(0);
	return pid > 0 && waitpid(pid, NULL, 0) == pid ? 0 : -1;
}
static int try_ptrace(const char *arg)
{
	return ptrace(PTRACE_SEIZE, (pid_t)number(arg), NULL, NULL) == 0 ? 0 : -1;
}
static int try_peek(const char *arg)
{
	char byte;
	struct iovec here = {&byte, 1}, there = {&config, 1};

	return process_vm_readv((pid_t)number(arg), &here, 1, &there, 1, 0) == 1 ? 0 : -1;
}
static int try_signal(const char *arg)
{
	return (int)syscall(SYS_tgkill, number(arg), number(arg), 0);
}
static int try_mount(const char *arg)
{
	return mount("none", arg, "tmpfs", 0, NULL);
}
static int try_unshare(const char *arg)
{
	return (void)arg, unshare(CLONE_NEWUSER);
}
static int try_bpf(const char *arg)
{
	return (void)arg, (int)syscall(SYS_bpf, 0, NULL, 0);
}
static int try_io_uring(const char *arg)
{
	return (void)arg, (int)syscall(SYS_io_uring_setup, 1, NULL);
}
static int try_keyring(const char *arg)
{
	return (void)arg, (int)syscall(SYS_keyctl, 0, 0, 0, 0, 0);
}
static int try_chown(const char *arg)
{
	return chown(arg, 0, 0);
}
static int try_write_and_run(const char *arg)
{
	void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return (void)arg, page == MAP_FAILED ? -1 : 0;
}
static int try_make_runnable(const char *arg)
{
	void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return (void)arg, page == MAP_FAILED ? -1 : mprotect(page, 4096, PROT_READ | PROT_EXEC);
}
static int try_core(const char *arg)
{
	struct rlimit limit;

	(void)arg;
	errno = EPERM;
	return getrlimit(RLIMIT_CORE, &limit) == 0 && limit.rlim_max == 0 &&
			       prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 0
		       ? -1
		       : 0;
}
static int try_new_call(const char *arg) // one that no kernel has yet
{
	return (void)arg, (int)syscall(1000);
}

// ---- a thread that was there before main, as libraries have them --------------------------------

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t wake = PTHREAD_COND_INITIALIZER;
static const char *thread_path;
static int thread_result, thread_errno;
static pthread_t early;

static void *early_run(void *user)
{
	(void)user;
	(void)pthread_mutex_lock(&lock);
	while (thread_path == NULL)
		(void)pthread_cond_wait(&wake, &lock);
	thread_result = try_read(thread_path);
	thread_errno = errno;
	(void)pthread_mutex_unlock(&lock);
	return NULL;
}

__attribute__((constructor)) static void start_early(void)
{
	if (getenv("EARLY_THREAD") != NULL && pthread_create(&early, NULL, early_run, NULL) != 0)
		_exit(3);
}

static int try_early_thread(const char *arg)
{
	(void)pthread_mutex_lock(&lock);
	thread_path = arg;
	(void)pthread_cond_signal(&wake);
	(void)pthread_mutex_unlock(&lock);
	(void)pthread_join(early, NULL);
	errno = thread_errno;
	return thread_result;
}

static const struct {
	const char *name;
	int (*run)(const char *arg);
} attempts[] = {
	{"inet", try_inet},
	{"inet6", try_inet6},
	{"unix", try_unix},
	{"uevents", try_uevents},
	{"routes", try_routes},
	{"vsock", try_vsock},
	{"bind", try_bind},
	{"connect", try_connect},
	{"read", try_read},
	{"write", try_write},
	{"remove", try_remove},
	{"exec", try_exec},
	{"fork", try_fork},
	{"ptrace", try_ptrace},
	{"peek", try_peek},
	{"signal", try_signal},
	{"mount", try_mount},
	{"unshare", try_unshare},
	{"bpf", try_bpf},
	{"io_uring", try_io_uring},
	{"keyring", try_keyring},
	{"chown", try_chown},
	{"write_and_run", try_write_and_run},
	{"make_runnable", try_make_runnable},
	{"core", try_core},
	{"new_call", try_new_call},
	{"early_thread", try_early_thread},
};

int main(int argc, char **argv)
{
	struct eg_err err = EG_ERR_INIT;
	const char *arg = argc > 3 ? argv[3] : "";

	if (argc < 3)
		return 2;
	eg_log_init("attempt", EG_LOG_INFO);
	inherited = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (strcmp(argv[1], "-") != 0 && (eg_conf_load(argv[1], keys, &config, &err) != 0 ||
					  confine(&config, argv[1], &err) != 0)) {
		(void)fprintf(stderr, "%s\n", err.text);
		return 2;
	}
	for (size_t i = 0; i < sizeof(attempts) / sizeof(attempts[0]); i++) {
		if (strcmp(attempts[i].name, argv[2]) != 0)
			continue;
		(void)puts(attempts[i].run(arg) == 0 ? "done" : strerrorname_np(errno));
		return 0;
	}
	(void)fprintf(stderr, "no attempt '%s'\n", argv[2]);
	return 2;
}
