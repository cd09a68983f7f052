// SPDX-License-Identifier: Apache-2.0
//
// Landlock by system calls, as the C library has no functions for it; what each version of it knows
// is in Documentation/userspace-api/landlock.rst of the kernel. seccomp is in sandbox_calls.c.
//
// Landlock holds for the calling thread and its children, but libraries start threads before main
// (libcamera brings LTTng's two), and who owns the program can make those run his code. So a
// program that has threads already executes itself anew below Landlock: then they are born in it.

#include "firmware/base/sandbox.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/landlock.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "firmware/base/buf.h"
#include "firmware/base/file.h"
#include "firmware/base/log.h"
#include "firmware/base/sandbox_internal.h"

#ifndef PR_SET_MDWE // linux 6.3; not in the C library of every target
#define PR_SET_MDWE		 65
#define PR_MDWE_REFUSE_EXEC_GAIN 1
#endif

#define ARGUMENTS_MAX	64
#define ARGUMENTS_BYTES 65536

#define READ	(LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)
#define EXECUTE (LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_READ_FILE)
#define WRITE                                                                 \
	(READ | LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_TRUNCATE | \
	 LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_MAKE_DIR |          \
	 LANDLOCK_ACCESS_FS_MAKE_SOCK | LANDLOCK_ACCESS_FS_REMOVE_FILE |      \
	 LANDLOCK_ACCESS_FS_REMOVE_DIR)
#define DEVICE (READ | LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_IOCTL_DEV)
// What a rule for something that is no folder may hold.
#define OF_FILES                                                       \
	(LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_READ_FILE |   \
	 LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_TRUNCATE | \
	 LANDLOCK_ACCESS_FS_IOCTL_DEV)

// What every program reads while it runs: libraries it loads late, time zones, its own state in
// /proc, the processors.
static const struct eg_sandbox_path everybody[] = {
	{"/usr", EG_SANDBOX_READ, false},
	{"/lib", EG_SANDBOX_READ, false},
	{"/lib64", EG_SANDBOX_READ, false},
	{"/etc/ld.so.cache", EG_SANDBOX_READ, false},
	{"/etc/localtime", EG_SANDBOX_READ, false},
	{"/etc/ssl/openssl.cnf", EG_SANDBOX_READ, false},
	{"/etc/gnutls", EG_SANDBOX_READ, false},
	// Whole, as the kernel makes its folders anew when memory is short. Memory, environment and
	// files of other programs stay closed: Landlock forbids what a debugger might.
	{"/proc", EG_SANDBOX_READ, false},
	{"/sys/devices/system", EG_SANDBOX_READ, false},
	{"/sys/fs/cgroup", EG_SANDBOX_READ, false},
	{"/dev/null", EG_SANDBOX_DEVICE, false},
	{"/dev/urandom", EG_SANDBOX_READ, false},
	{"/dev/random", EG_SANDBOX_READ, false},
};

static const uint64_t access_of[] = {
	[EG_SANDBOX_READ] = READ,
	[EG_SANDBOX_WRITE] = WRITE,
	[EG_SANDBOX_DEVICE] = DEVICE,
};

// All that this version of Landlock can forbid.
static struct landlock_ruleset_attr handled(long version, const struct eg_sandbox *sandbox)
{
	struct landlock_ruleset_attr a = {0};

	if (sandbox->paths != NULL) {
		a.handled_access_fs = (LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1;
		if (version >= 2)
			a.handled_access_fs |= LANDLOCK_ACCESS_FS_REFER;
		if (version >= 3)
			a.handled_access_fs |= LANDLOCK_ACCESS_FS_TRUNCATE;
		if (version >= 5)
			a.handled_access_fs |= LANDLOCK_ACCESS_FS_IOCTL_DEV;
	}
	if (version >= 4) {
		a.handled_access_net = LANDLOCK_ACCESS_NET_BIND_TCP;
		if ((sandbox->may & EG_SANDBOX_CONNECT) == 0)
			a.handled_access_net |= LANDLOCK_ACCESS_NET_CONNECT_TCP;
	}
	if (version >= 6)
		a.scoped = LANDLOCK_SCOPE_SIGNAL | LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET;
	return a;
}

// The path itself, or the folder it lies in; EG_ETOOBIG.
static int which(const struct eg_sandbox_path *path, char ret[PATH_MAX], struct eg_err *err)
{
	const char *slash = strrchr(path->path, '/');
	size_t length = strlen(path->path);

	if (path->folder)
		length = slash == NULL ? 0 : slash == path->path ? 1 : (size_t)(slash - path->path);
	if (length >= PATH_MAX)
		return eg_err_set(err, EG_ETOOBIG, "sandbox: a path is too long");
	(void)snprintf(ret, PATH_MAX, "%.*s", length == 0 ? 1 : (int)length,
		       length == 0 ? "." : path->path);
	return 0;
}

static int add_rule(int ruleset, const char *path, uint64_t access, struct eg_err *err)
{
	struct landlock_path_beneath_attr rule = {.allowed_access = access};
	struct stat st;
	int r = 0;

	rule.parent_fd = open(path, O_PATH | O_CLOEXEC);
	if (rule.parent_fd < 0 && (errno == ENOENT || errno == ENOTDIR))
		return 0;
	if (rule.parent_fd < 0 || fstat(rule.parent_fd, &st) != 0) {
		r = eg_err_errno(err, errno, "sandbox: %s", path);
		goto out;
	}
	if (!S_ISDIR(st.st_mode))
		rule.allowed_access &= OF_FILES;
	if (syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) != 0)
		r = eg_err_errno(err, errno, "sandbox: Landlock rule for %s", path);
out:
	if (rule.parent_fd >= 0)
		(void)close(rule.parent_fd);
	return r;
}

static int add_path(int ruleset, const struct eg_sandbox_path *path, uint64_t mask,
		    struct eg_err *err)
{
	char name[PATH_MAX];
	int r = which(path, name, err);

	return r == 0 ? add_rule(ruleset, name, access_of[path->access] & mask, err) : r;
}

// Ourselves and the C library's loader, to execute ourselves anew; seccomp forbids it afterwards.
static int add_self(int ruleset, struct eg_err *err)
{
	static const char *const files[] = {"/proc/self/exe", "/lib64/ld-linux-x86-64.so.2",
					    "/lib/ld-linux-aarch64.so.1"};
	int r = 0;

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]) && r == 0; i++)
		r = add_rule(ruleset, files[i], EXECUTE, err);
	return r;
}

static int add_paths(int ruleset, const struct eg_sandbox_path *paths, size_t count, uint64_t mask,
		     struct eg_err *err)
{
	int r = 0;

	for (size_t i = 0; i < count && r == 0; i++)
		if (paths[i].path[0] != '\0')
			r = add_path(ruleset, &paths[i], mask, err);
	return r;
}

static int add_ports(int ruleset, const struct eg_sandbox *sandbox, struct eg_err *err)
{
	struct landlock_net_port_attr rule = {.allowed_access = LANDLOCK_ACCESS_NET_BIND_TCP};

	for (size_t i = 0; i < sandbox->listen_port_count; i++) {
		rule.port = sandbox->listen_ports[i];
		if (syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_NET_PORT, &rule, 0) != 0)
			return eg_err_errno(err, errno, "sandbox: Landlock rule for port %u",
					    (unsigned int)rule.port);
	}
	return 0;
}

#if EG_SANITIZED
// The value of `key` in a sanitizer's options; false when it has none.
static bool option(const char *variable, const char *key, char ret[PATH_MAX])
{
	const char *text = getenv(variable);

	text = text == NULL ? NULL : strstr(text, key);
	if (text == NULL)
		return false;
	text += strlen(key);
	(void)snprintf(ret, PATH_MAX, "%.*s", (int)strcspn(text, ":"), text);
	return true;
}

// The sanitizer of the program that is executed anew reads its file of exceptions below Landlock,
// and every one makes the file of what it finds there. A folder that this user may not enter is
// left out: the sanitizer says so itself when it has something to say.
static int add_sanitizer_files(int ruleset, uint64_t mask, struct eg_err *err)
{
	static const char *const variables[] = {"ASAN_OPTIONS", "LSAN_OPTIONS", "TSAN_OPTIONS"};
	char path[PATH_MAX];
	int r = 0;

	for (size_t i = 0; i < sizeof(variables) / sizeof(variables[0]) && r == 0; i++) {
		if (option(variables[i], "suppressions=", path))
			r = add_rule(ruleset, path, LANDLOCK_ACCESS_FS_READ_FILE, err);
		if (r == 0 && option(variables[i], "log_path=", path))
			r = add_path(ruleset,
				     &(struct eg_sandbox_path){path, EG_SANDBOX_WRITE, true}, mask,
				     err);
		if (r == EG_EAUTH)
			r = 0;
	}
	return r;
}
#endif

static int enter_landlock(const struct eg_sandbox *sandbox, struct eg_err *err)
{
	long version =
		syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
	struct landlock_ruleset_attr all = handled(version, sandbox);
	int ruleset, r = 0;

	if (version < 0 && (errno == ENOSYS || errno == EOPNOTSUPP)) {
		eg_warning("sandbox: this kernel has no Landlock; only users and file modes keep "
			   "files apart");
		return 0;
	}
	ruleset = (int)syscall(SYS_landlock_create_ruleset, &all, sizeof(all), 0);
	if (ruleset < 0)
		return eg_err_errno(err, errno, "sandbox: Landlock");
	if (sandbox->paths != NULL) {
		r = add_paths(ruleset, everybody, sizeof(everybody) / sizeof(everybody[0]),
			      all.handled_access_fs, err);
		if (r == 0)
			r = add_paths(ruleset, sandbox->paths, sandbox->path_count,
				      all.handled_access_fs, err);
		if (r == 0)
			r = add_self(ruleset, err);
#if EG_SANITIZED
		if (r == 0)
			r = add_sanitizer_files(ruleset, all.handled_access_fs, err);
#endif
	}
	if (r == 0 && version >= 4 && (sandbox->may & EG_SANDBOX_LISTEN) != 0)
		r = add_ports(ruleset, sandbox, err);
	if (r == 0 && syscall(SYS_landlock_restrict_self, ruleset, 0) != 0)
		r = eg_err_errno(err, errno, "sandbox: Landlock");
	(void)close(ruleset);
	if (r == 0)
		eg_debug("sandbox: Landlock version %ld", version);
	return r;
}

void eg_sandbox_harden(void)
{
	(void)setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
	(void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	(void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
#ifndef EG_VALGRIND
	// systemd's MemoryDenyWriteExecute=, by the kernel itself; before linux 6.3 there is none.
	(void)prctl(PR_SET_MDWE, PR_MDWE_REFUSE_EXEC_GAIN, 0, 0, 0);
#endif
}

// ---- threads that were there before us ----------------------------------------------------------

// "PID": set across the one time that a program executes itself; it says that Landlock is on. The
// process keeps its number, so no other process can be meant.
#define MARK "EGRESS_CONFINED"

static bool was_executed_anew(void)
{
	const char *mark = getenv(MARK);
	char self[24];

	(void)snprintf(self, sizeof(self), "%ld", (long)getpid());
	if (mark == NULL)
		return false;
	if (strcmp(mark, self) != 0) {
		(void)unsetenv(MARK);
		return false;
	}
	return unsetenv(MARK) == 0;
}

static int count_threads(struct eg_err *err)
{
	const struct dirent *entry;
	DIR *tasks = opendir("/proc/self/task");
	int count = 0;

	if (tasks == NULL)
		return eg_err_errno(err, errno, "sandbox: /proc/self/task");
	while ((entry = readdir(tasks)) != NULL)
		if (entry->d_name[0] != '.')
			count++;
	(void)closedir(tasks);
	return count;
}

// Returns only when it fails.
static int execute_anew(struct eg_err *err)
{
	char *arguments[ARGUMENTS_MAX + 1] = {NULL}, mark[24];
	struct eg_buf line;
	size_t count = 0, at = 0;
	int r;

	eg_buf_init(&line, ARGUMENTS_BYTES);
	r = eg_file_read("/proc/self/cmdline", &line, err);
	if (r != 0)
		goto out;
	while (at < line.size && count < ARGUMENTS_MAX && line.data[line.size - 1] == '\0') {
		arguments[count++] = (char *)line.data + at;
		at += strlen((char *)line.data + at) + 1;
	}
	(void)snprintf(mark, sizeof(mark), "%ld", (long)getpid());
	if (at != line.size || count == 0)
		r = eg_err_set(err, EG_ETOOBIG, "sandbox: too many arguments");
	else if (setenv(MARK, mark, 1) != 0 || execv("/proc/self/exe", arguments) != 0)
		r = eg_err_errno(err, errno, "sandbox: /proc/self/exe");
out:
	eg_buf_done(&line);
	return r;
}

int eg_sandbox_enter(const struct eg_sandbox *sandbox, struct eg_err *err)
{
	int r, threads;

	eg_sandbox_harden();
	if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1)
		return eg_err_set(err, EG_EFOREIGN, "sandbox: no_new_privs cannot be set");
#ifdef EG_VALGRIND // valgrind lives inside the process, and cannot be told from it
	(void)sandbox;
	return 0;
#endif
	if (!was_executed_anew()) {
		threads = count_threads(err);
		if (threads < 0)
			return threads;
		r = enter_landlock(sandbox, err);
		if (r == 0 && threads > 1)
			r = execute_anew(err);
		if (r != 0)
			return r;
	}
	return eg_sandbox_calls(sandbox, err);
}
