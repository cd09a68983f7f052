// SPDX-License-Identifier: Apache-2.0
//
// The system calls a program may make, by libseccomp. The list was made by watching the programs
// work (strace of the tests in tests/programs and tests/system), and holds beside that what the C
// library may choose instead on another architecture or in its next version.

#include <errno.h>
#include <linux/netlink.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <ucontext.h>
#include <unistd.h>

#include "firmware/base/log.h"
#include "firmware/base/sandbox_internal.h"

#if EG_SANITIZED
#include <sanitizer/common_interface_defs.h>
#endif

#define NAMES 1024 // more than there are system calls

// clang-format off
static const char *const common[] = {
	// memory
	"brk", "madvise", "membarrier", "mincore", "mlock", "mlock2", "mmap", "mprotect", "mremap",
	"msync", "munlock", "munmap",
	// threads and signals
	"arch_prctl", "exit", "exit_group", "futex", "futex_wait", "futex_waitv", "futex_wake",
	"get_robust_list", "getcpu", "getpid", "getppid", "gettid", "restart_syscall", "rseq",
	"rt_sigaction", "rt_sigpending", "rt_sigprocmask", "rt_sigreturn", "rt_sigsuspend",
	"rt_sigtimedwait", "sched_get_priority_max", "sched_get_priority_min", "sched_getaffinity",
	"sched_getparam", "sched_getscheduler", "sched_yield", "set_robust_list", "set_tid_address",
	"sigaltstack", "signalfd4",
	// time
	"clock_getres", "clock_gettime", "clock_nanosleep", "getrusage", "gettimeofday", "nanosleep",
	"time", "timerfd_create", "timerfd_gettime", "timerfd_settime", "times",
	// files
	"access", "chmod", "close", "close_range", "dup", "dup2", "dup3", "faccessat", "faccessat2",
	"fadvise64", "fallocate", "fchmod", "fchmodat", "fchown", "fcntl", "fdatasync", "flock",
	"fstat", "fstatfs", "fsync", "ftruncate", "getcwd", "getdents64", "ioctl", "link", "linkat",
	"lseek", "lstat", "mkdir", "mkdirat", "newfstatat", "open", "openat", "pipe2", "pread64", "preadv", "pwrite64",
	"pwritev", "read", "readlink", "readlinkat", "readv", "rename", "renameat", "renameat2",
	"rmdir", "stat", "statfs", "statx", "umask", "unlink", "unlinkat", "write", "writev",
	// waiting
	"epoll_create1", "epoll_ctl", "epoll_pwait", "epoll_pwait2", "epoll_wait", "eventfd2",
	"poll", "ppoll", "pselect6", "select",
	// sockets that are open; which may be opened is decided below
	"accept", "accept4", "bind", "connect", "getpeername", "getsockname", "getsockopt", "listen",
	"recvfrom", "recvmmsg", "recvmsg", "sendmmsg", "sendmsg", "sendto", "setsockopt", "shutdown",
	// who and where am I
	"getegid", "geteuid", "getgid", "getgroups", "getrandom", "getresgid", "getresuid", "getuid",
	"sysinfo", "uname",
	NULL,
};

static const char *const camera[] = {
	"inotify_add_watch", "inotify_init1", "inotify_rm_watch", "memfd_create",
	"sched_setaffinity", "sched_setscheduler", NULL,
};

// Nothing we call makes these, not even by accident: who does is an attacker.
static const char *const never[] = {
	"add_key", "bpf", "chroot", "delete_module", "execve", "execveat", "finit_module",
	"fsconfig", "fsmount", "fsopen", "fspick", "init_module", "io_uring_setup", "ioperm",
	"iopl", "kcmp", "kexec_file_load", "kexec_load", "keyctl", "mknod", "mknodat", "mount",
	"mount_setattr", "move_mount", "open_by_handle_at", "open_tree", "perf_event_open",
	"pidfd_getfd", "pivot_root", "process_vm_readv", "process_vm_writev", "reboot",
	"request_key", "setns", "swapoff", "swapon", "umount2", "unshare", "userfaultfd",
#if !EG_SANITIZED // the leak checker stops the other threads by it
	"ptrace",
#endif
	NULL,
};
// clang-format on

// Of prctl: names for threads and mappings, and questions.
static const unsigned int prctls[] = {
	PR_SET_NAME,	 PR_GET_NAME,	    0x53564d41 /* PR_SET_VMA */,
	PR_CAPBSET_READ, PR_GET_DUMPABLE,   PR_GET_NO_NEW_PRIVS,
	PR_GET_SECCOMP,	 PR_GET_TIMERSLACK, PR_SET_TIMERSLACK,
#if EG_SANITIZED
	PR_SET_DUMPABLE, PR_SET_PTRACER,    PR_SET_PDEATHSIG,
#endif
};

static const char *names[NAMES]; // written before the handler can run

static void refuse(int number, ucontext_t *context)
{
	bool known = number >= 0 && number < NAMES && names[number] != NULL;
	long result = known ? -EPERM : -ENOSYS;

#if defined(__aarch64__)
	context->uc_mcontext.regs[0] = (unsigned long long)result;
#else // x86_64, the other machine that boards have
	context->uc_mcontext.gregs[REG_RAX] = result;
#endif
}

// One write(), and nothing that takes a lock: the thread may hold it.
static void tell(int number)
{
	const char *name = number < NAMES && names[number] != NULL ? names[number] : "unknown";
	char line[96] = "sandbox: refused system call ", digits[12];
	size_t used = strlen(line), n = 0;
	ssize_t done;

	while (*name != '\0' && used < sizeof(line) - sizeof(digits) - 4)
		line[used++] = *name++;
	line[used++] = ' ';
	line[used++] = '(';
	do {
		digits[n++] = (char)('0' + number % 10);
		number /= 10;
	} while (number > 0);
	while (n > 0)
		line[used++] = digits[--n];
	line[used++] = ')';
	line[used++] = '\n';
	done = write(STDERR_FILENO, line, used);
	(void)done; // there is nowhere to say that nothing can be said
}

// SIGSYS: a call that is not on the list. In its thread, at any point.
static void on_refused(int signal_number, siginfo_t *info, void *context)
{
	static atomic_bool told[NAMES];
	int number = info->si_syscall, before = errno;

	(void)signal_number;
	if (number >= 0 && (number >= NAMES || !atomic_exchange(&told[number], true)))
		tell(number);
#if EG_SANITIZED
	__sanitizer_print_stack_trace();
	_exit(1);
#endif
	refuse(number, context);
	errno = before;
}

static void learn_names(void)
{
	if (names[0] != NULL)
		return;
	for (int i = 0; i < NAMES; i++) // kept for as long as the program lives
		names[i] = seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, i);
}

// Names that this architecture does not have are left out.
static int add_names(scmp_filter_ctx filter, uint32_t action, const char *const *list)
{
	int r = 0;

	for (; *list != NULL && r == 0; list++) {
		int number = seccomp_syscall_resolve_name(*list);

		if (number >= 0)
			r = seccomp_rule_add(filter, action, number, 0);
	}
	return r;
}

static int allow_socket(scmp_filter_ctx filter, int family)
{
	return seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(socket), 1,
				SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)family));
}

static int allow_netlink(scmp_filter_ctx filter, int protocol)
{
	return seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(socket), 2,
				SCMP_A0(SCMP_CMP_EQ, AF_NETLINK),
				SCMP_A2(SCMP_CMP_EQ, (scmp_datum_t)protocol));
}

static int add_sockets(scmp_filter_ctx filter, unsigned int may)
{
	int r = allow_socket(filter, AF_UNIX);

	if (r == 0)
		r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(socketpair), 1,
				     SCMP_A0(SCMP_CMP_EQ, AF_UNIX));
	if (r == 0 && (may & EG_SANDBOX_CAMERA) != 0)
		r = allow_netlink(filter, NETLINK_KOBJECT_UEVENT);
	if (r == 0 && (may & EG_SANDBOX_INET) != 0) {
		r = allow_socket(filter, AF_INET);
		if (r == 0)
			r = allow_socket(filter, AF_INET6);
		if (r == 0)
			r = allow_netlink(filter, NETLINK_ROUTE);
	}
	return r;
}

// Calls whose arguments decide.
static int add_conditions(scmp_filter_ctx filter, unsigned int may)
{
	const scmp_datum_t self = (scmp_datum_t)getpid();
	int r;

	// Threads, no processes. The flags of clone3 are behind a pointer; without it the C library
	// takes clone.
	r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(clone), 1,
			     SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD, CLONE_THREAD));
	if (r == 0)
		r = seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);
	if (r == 0)
		r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), 1,
				     SCMP_A0(SCMP_CMP_EQ, self));
	if (r == 0)
		r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(prlimit64), 1,
				     SCMP_A0(SCMP_CMP_EQ, 0));
	for (size_t i = 0; i < sizeof(prctls) / sizeof(prctls[0]) && r == 0; i++)
		r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(prctl), 1,
				     SCMP_A0(SCMP_CMP_EQ, prctls[i]));
	return r == 0 ? add_sockets(filter, may) : r;
}

#if EG_SANITIZED
// What the sanitizers' own code calls, mostly while it looks for leaks at the end.
static int add_sanitizer(scmp_filter_ctx filter)
{
	static const char *const calls[] = {"clone",  "kill",  "personality", "ptrace", "setrlimit",
					    "tgkill", "wait4", "getrlimit",   NULL};

	return add_names(filter, SCMP_ACT_ALLOW, calls);
}
#endif

static int fill(scmp_filter_ctx filter, unsigned int may)
{
	// All threads, where a library or a sanitizer has started one before us.
	int r = seccomp_attr_set(filter, SCMP_FLTATR_CTL_TSYNC, 1);

	if (r == 0)
		r = seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2); // a tree: no cost a call
	if (r == 0)
		r = add_names(filter, SCMP_ACT_ALLOW, common);
	if (r == 0 && (may & EG_SANDBOX_CAMERA) != 0)
		r = add_names(filter, SCMP_ACT_ALLOW, camera);
	if (r == 0)
		r = add_names(filter, SCMP_ACT_KILL_PROCESS, never);
	if (r == 0)
		r = add_conditions(filter, may);
#if EG_SANITIZED
	if (r == 0)
		r = add_sanitizer(filter);
#endif
	return r;
}

int eg_sandbox_calls(const struct eg_sandbox *sandbox, struct eg_err *err)
{
	struct sigaction action = {.sa_sigaction = on_refused, .sa_flags = SA_SIGINFO};
	scmp_filter_ctx filter;
	int r;

	// Without TSYNC and KILL_PROCESS (linux 4.14) libseccomp would not take the rules.
	if (prctl(PR_GET_SECCOMP, 0, 0, 0, 0) < 0) {
		eg_warning("sandbox: this kernel has no seccomp; all system calls are allowed");
		return 0;
	}
	learn_names();
	(void)sigemptyset(&action.sa_mask);
	if (sigaction(SIGSYS, &action, NULL) != 0)
		return eg_err_errno(err, errno, "sandbox: SIGSYS");
	filter = seccomp_init(SCMP_ACT_TRAP);
	if (filter == NULL)
		return eg_err_set(err, EG_ENOMEM, "sandbox: out of memory");
	r = fill(filter, sandbox->may);
	if (r == 0)
		r = seccomp_load(filter);
	seccomp_release(filter);
	return r == 0 ? 0 : eg_err_errno(err, -r, "sandbox: seccomp");
}
