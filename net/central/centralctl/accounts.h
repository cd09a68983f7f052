// SPDX-License-Identifier: Apache-2.0
//
// The accounts file: CSV, one person a line as `account hash` prints it: name, display name, role,
// salt, hash and, where there is one, the client certificate's SHA-256, all three in hexadecimal. A
// first line that begins with "name" is a heading. Thread: any.

#ifndef CENTRALCTL_ACCOUNTS_H
#define CENTRALCTL_ACCOUNTS_H

#include "store/policy.h"

// Into policy->accounts, in place of what is there. EG_EINVAL and EG_ETOOBIG name file and line.
int accounts_read(const char *path, struct eg_policy *policy, struct eg_err *err) EG_CHECKED;

#endif
