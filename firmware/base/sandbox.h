// SPDX-License-Identifier: Apache-2.0
//
// A program's sandbox, put on by the program itself, so that it also holds outside systemd:
//
//	no core file, no debugger, no new privileges, no memory that is writable and executable
//	Landlock   files: only the named ones; TCP: none, or the named ports; no signals to others
//	seccomp    system calls: only the listed ones
//
// What happens to a call that is not listed: no library ever makes the ones that only an attacker
// wants (execve, ptrace, mount, ...) by accident, so they end the process at once, by SIGSYS. Any
// other one fails with EPERM (ENOSYS when it is newer than libseccomp), and the first of a kind
// leaves a line "sandbox: refused system call NAME (NUMBER)" in the log: a booth whose C library
// learned a new call must go on serving travellers. (With SIGSYS blocked, as the C library does in
// fork, it ends the process, too.) Programs built with a sanitizer, which is what
// tests run, end there with a stack trace, so that no test hides one.
//
// Landlock holds for the calling thread and those it starts later: enter before the first thread. A
// program to which a library gave threads before main is executed anew, once, from here.

#ifndef EG_SANDBOX_H
#define EG_SANDBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "firmware/base/err.h"

enum eg_sandbox_access {
	EG_SANDBOX_READ,   // the file, or everything below the folder
	EG_SANDBOX_WRITE,  // and write, make, rename, remove there; make sockets
	EG_SANDBOX_DEVICE, // read, write and ioctl, but make nothing
};

// A path that is not there is left out. Links are followed, and what they lead to is meant. A file
// that others replace by renaming is another file then: name its folder.
struct eg_sandbox_path {
	const char *path; // "" for none
	enum eg_sandbox_access access;
	bool folder; // not the path itself, but the folder it lies in
};

enum {
	EG_SANDBOX_INET = 1,	// IPv4, IPv6, and netlink for name servers and interfaces
	EG_SANDBOX_CAMERA = 2,	// netlink for device events, memfd, threads' places
	EG_SANDBOX_CONNECT = 4, // TCP connections to anywhere
	EG_SANDBOX_LISTEN = 8,	// TCP on listen_ports
};

struct eg_sandbox {
	unsigned int may; // EG_SANDBOX_… of the enumeration above
	const uint16_t *listen_ports;
	size_t listen_port_count;
	const struct eg_sandbox_path *paths; // NULL: any file, as users and modes allow
	size_t path_count;
};

// The first line of a program: no core file, no debugger of the same user, no set-user-id program
// gets more rights. Best effort; changes nothing that a caller could act on.
void eg_sandbox_harden(void);

// Puts the sandbox on; there is no way back. A kernel without Landlock or seccomp gets one warning
// in the log each, and the rest holds. Any other failure is an error: EG_EFOREIGN, EG_ENOMEM,
// EG_EAUTH (a named file cannot be opened for its rule). Calls eg_sandbox_harden().
int eg_sandbox_enter(const struct eg_sandbox *sandbox, struct eg_err *err) EG_CHECKED;

#endif
