// SPDX-License-Identifier: Apache-2.0
//
// Between sandbox.c and sandbox_calls.c only.

#ifndef EG_SANDBOX_INTERNAL_H
#define EG_SANDBOX_INTERNAL_H

#include "firmware/base/sandbox.h"

// Sanitizers need more than the program they watch.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define EG_SANITIZED 1
#else
#define EG_SANITIZED 0
#endif

// The seccomp half of eg_sandbox_enter(); wants no_new_privs.
int eg_sandbox_calls(const struct eg_sandbox *sandbox, struct eg_err *err) EG_CHECKED;

#endif
