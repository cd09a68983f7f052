// SPDX-License-Identifier: Apache-2.0
//
// boothctl: the technician's and the officer's command line. Talks to boothd and syncd over their
// local sockets; has no key, and no way to see a face.

#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "firmware/base/crypto.h"
#include "firmware/base/log.h"
#include "firmware/base/sandbox.h"
#include "firmware/boothctl/ctl.h"

struct command {
	const char *name, *arguments, *help;
	int (*run)(const struct eg_ctl *ctl, int argc, char **argv);
};

static const struct command commands[] = {
	{"status", "", "the booth and its link at a glance", eg_ctl_status},
	{"watch", "", "live events until Ctrl-C", eg_ctl_watch},
	{"manifest", "show", "the manifest in use", eg_ctl_manifest},
	{"queue", "[list | show ID | resend ID | export ID FILE]",
	 "encounters that wait or are stuck", eg_ctl_queue},
	{"audit", "verify [--known FILE] | list", "is the audit chain whole; what it says",
	 eg_ctl_audit},
	{"self-test", "", "check every part that a verdict needs", eg_ctl_self_test},
	{"diag", "FILE.json", "a report for support, without personal data", eg_ctl_diag},
	{"document", "TEXT|-", "present MRZ lines or a boarding pass by hand", eg_ctl_document},
	{"opt-out", "", "no camera, please", eg_ctl_opt_out},
	{"resume", "", "end an opt-out", eg_ctl_resume},
	{"calibrate", "liveness [--people N] [--photos N]",
	 "set this site's liveness threshold with people and photos", eg_ctl_calibrate},
	{"provision", "FILE", "make this machine a booth of a centre", eg_ctl_provision},
	{0},
};

static void usage(FILE *out)
{
	const struct command *c;

	(void)fputs("usage: boothctl [OPTIONS] COMMAND [ARGUMENTS]\n\n", out);
	for (c = commands; c->name != NULL; c++)
		(void)fprintf(out, "  %-9s %-34s %s\n", c->name, c->arguments, c->help);
	(void)fputs("\n"
		    "  --json              answers as JSON\n"
		    "  --booth-socket PATH default /run/egress/booth.socket\n"
		    "  --sync-socket PATH  default /run/egress/sync.socket\n"
		    "  --records PATH      default /var/lib/egress/shared/records.db\n"
		    "  --trust PATH        default /etc/egress/trust.json\n"
		    "  --booth-keys PATH   default /var/lib/egress/shared/booth.pub\n",
		    out);
}

// The command's own options follow its name: "+" stops at the first word.
static int read_options(int argc, char **argv, struct eg_ctl *ctl)
{
	static const struct option longs[] = {
		{"json", no_argument, NULL, 'j'},
		{"booth-socket", required_argument, NULL, 'b'},
		{"sync-socket", required_argument, NULL, 's'},
		{"records", required_argument, NULL, 'r'},
		{"trust", required_argument, NULL, 't'},
		{"booth-keys", required_argument, NULL, 'k'},
		{"help", no_argument, NULL, 'h'},
		{"version", no_argument, NULL, 'v'},
		{0},
	};
	int c;

	while ((c = getopt_long(argc, argv, "+h", longs, NULL)) != -1) {
		switch (c) {
		case 'j':
			ctl->json = true;
			break;
		case 'b':
			ctl->booth_socket = optarg;
			break;
		case 's':
			ctl->sync_socket = optarg;
			break;
		case 'r':
			ctl->records = optarg;
			break;
		case 't':
			ctl->trust = optarg;
			break;
		case 'k':
			ctl->booth_keys = optarg;
			break;
		case 'h':
			usage(stdout);
			return 1;
		case 'v':
			(void)puts("boothctl " EG_VERSION);
			return 1;
		default:
			usage(stderr);
			return -1;
		}
	}
	return 0;
}

int main(int argc, char **argv)
{
	struct eg_ctl ctl = {.booth_socket = "/run/egress/booth.socket",
			     .sync_socket = "/run/egress/sync.socket",
			     .records = "/var/lib/egress/shared/records.db",
			     .trust = "/etc/egress/trust.json",
			     .booth_keys = "/var/lib/egress/shared/booth.pub"};
	// No network, no other program. Which files it may touch, whoever calls it says.
	const struct eg_sandbox sandbox = {0};
	struct eg_err err = EG_ERR_INIT;
	const struct command *c;
	int r;

	eg_log_init("boothctl", EG_LOG_WARNING);
	if (eg_sandbox_enter(&sandbox, &err) != 0) {
		(void)fprintf(stderr, "boothctl: %s\n", err.text);
		return 1;
	}
	r = read_options(argc, argv, &ctl);
	if (r != 0)
		return r < 0 ? 2 : 0;
	if (optind == argc) {
		usage(stderr);
		return 2;
	}
	if (eg_crypto_init(&err) != 0)
		return eg_ctl_fail(&err);
	for (c = commands; c->name != NULL; c++)
		if (strcmp(c->name, argv[optind]) == 0)
			return c->run(&ctl, argc - optind, argv + optind);
	(void)fprintf(stderr, "boothctl: there is no command '%s'; boothctl --help lists them\n",
		      argv[optind]);
	return 2;
}
