// SPDX-License-Identifier: Apache-2.0
//
// boothctl's parts: one function a sub-command, plus the few helpers they share. A command returns
// the program's exit status: 0 fine, 1 something is wrong with the booth or the request failed,
// 2 wrong use.

#ifndef EG_CTL_H
#define EG_CTL_H

#include <systemd/sd-json.h>
#include <systemd/sd-varlink.h>

#include <stdbool.h>
#include <stdint.h>

#include "firmware/base/err.h"

struct eg_records;

struct eg_ctl {
	const char *booth_socket, *sync_socket; // paths
	const char *records;			// path of records.db
	const char *trust, *booth_keys;		// paths of trust.json and booth.pub
	bool json;				// print JSON instead of text
};

int eg_ctl_status(const struct eg_ctl *ctl, int argc, char **argv);
int eg_ctl_watch(const struct eg_ctl *ctl, int argc, char **argv);
int eg_ctl_manifest(const struct eg_ctl *ctl, int argc, char **argv);
int eg_ctl_queue(const struct eg_ctl *ctl, int argc, char **argv);
int eg_ctl_audit(const struct eg_ctl *ctl, int argc, char **argv);
int eg_ctl_self_test(const struct eg_ctl *ctl, int argc, char **argv);
int eg_ctl_diag(const struct eg_ctl *ctl, int argc, char **argv);
int eg_ctl_document(const struct eg_ctl *ctl, int argc, char **argv);
int eg_ctl_opt_out(const struct eg_ctl *ctl, int argc, char **argv);
int eg_ctl_resume(const struct eg_ctl *ctl, int argc, char **argv);
int eg_ctl_provision(const struct eg_ctl *ctl, int argc, char **argv);
int eg_ctl_calibrate(const struct eg_ctl *ctl, int argc, char **argv);

// Opens records.db (queue.c). Looking must not make an empty file where there is none: EG_ENOENT.
int eg_ctl_open_records(const struct eg_ctl *ctl, struct eg_records **ret_records,
			struct eg_err *err) EG_CHECKED;

// ---- call.c: Varlink ----

// EG_ENET: nobody listens; EG_EAUTH: not allowed. The caller closes *ret_link.
int eg_ctl_connect(const char *socket, const char *program, sd_varlink **ret_link,
		   struct eg_err *err) EG_CHECKED;
#define EG_CTL_SERVING "io.egress.Booth.Serving"
// EG_EFOREIGN, with a sentence for what a method answered instead of a reply.
int eg_ctl_method_error(const char *method, const char *id, sd_json_variant *reply,
			struct eg_err *err);

// Calls a method without parameters; the caller unrefs *ret_reply. EG_ENET: nobody listens (the
// text says which program to start); EG_EFOREIGN: the method failed.
int eg_ctl_call(const char *socket, const char *program, const char *method,
		sd_json_variant *parameters, sd_json_variant **ret_reply,
		struct eg_err *err) EG_CHECKED;

// Calls with "more" and hands each reply to `on`; returns when that gives non-zero (passed on), or
// when the connection ends (EG_ENET).
int eg_ctl_observe(const char *socket, const char *program, const char *method,
		   int (*on)(void *user, sd_json_variant *reply), void *user,
		   struct eg_err *err) EG_CHECKED;

// Fields of a reply; missing ones read as "", 0, false.
const char *eg_ctl_text(sd_json_variant *v, const char *field);
int64_t eg_ctl_int(sd_json_variant *v, const char *field);
double eg_ctl_real(sd_json_variant *v, const char *field);
bool eg_ctl_bool(sd_json_variant *v, const char *field);
bool eg_ctl_has(sd_json_variant *v, const char *field);

// "3 min", "2 h 05 min", "61 d": how long something lasted.
#define EG_SPAN_TEXT_MAX 32
const char *eg_ctl_span(int64_t ms, char text[EG_SPAN_TEXT_MAX]);

// Prints "boothctl: TEXT" on stderr and returns 1.
int eg_ctl_fail(const struct eg_err *err);

#endif
