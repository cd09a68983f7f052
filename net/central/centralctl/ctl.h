// SPDX-License-Identifier: Apache-2.0
//
// centralctl's commands. Each gets its own arguments (argv[0] is its name), prints results on
// stdout and failures as one line on stderr, and returns the program's exit status: 0 done,
// 1 failed, 2 wrong usage.

#ifndef CENTRALCTL_CTL_H
#define CENTRALCTL_CTL_H

#include <stdio.h>

#include "net/central/centre.h"

#define CTL_KEYS_MAX 16 // of one booth, its older ones too

struct ctl {
	const char *folder;
	const struct eg_clock *clock;
};

int ctl_init(struct ctl *ctl, int argc, char **argv);
int ctl_server(struct ctl *ctl, int argc, char **argv);
int ctl_token_new(struct ctl *ctl, int argc, char **argv);
int ctl_travellers_import(struct ctl *ctl, int argc, char **argv);
int ctl_manifest_build(struct ctl *ctl, int argc, char **argv);
int ctl_manifest_list(struct ctl *ctl, int argc, char **argv);
int ctl_encounters_list(struct ctl *ctl, int argc, char **argv);
int ctl_encounters_import(struct ctl *ctl, int argc, char **argv);
int ctl_booths_list(struct ctl *ctl, int argc, char **argv);
int ctl_booths_revoke(struct ctl *ctl, int argc, char **argv);
int ctl_alarms_list(struct ctl *ctl, int argc, char **argv);
int ctl_policy_template(struct ctl *ctl, int argc, char **argv);
int ctl_policy_sign(struct ctl *ctl, int argc, char **argv);
int ctl_policy_show(struct ctl *ctl, int argc, char **argv);
int ctl_audit_list(struct ctl *ctl, int argc, char **argv);
int ctl_audit_receipt(struct ctl *ctl, int argc, char **argv);
int ctl_account_hash(struct ctl *ctl, int argc, char **argv);
int ctl_receipt_verify(struct ctl *ctl, int argc, char **argv);
int ctl_counts(struct ctl *ctl, int argc, char **argv);

// "centralctl: TEXT" on stderr; returns 1.
int ctl_fail(const struct eg_err *err);
// Usage on stderr; returns 2.
int ctl_usage(const char *usage);
// The one operand left after options, or NULL.
const char *ctl_operand(int argc, char **argv);
// A whole number between min and max. false: it is not.
bool ctl_number(const char *text, long long min, long long max, long long *ret_value);
// A booth's name as the centre allows it: what can stand in a certificate and in HTTP Basic.
int ctl_check_booth(const char *booth, struct eg_err *err);

#endif
