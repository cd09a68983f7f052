// SPDX-License-Identifier: Apache-2.0
//
// boothd: camera → verdict → encounter on disk. No network beyond its own local socket.

#include <errno.h>
#include <getopt.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-daemon.h>

#include "firmware/base/log.h"
#include "firmware/base/mem.h"
#include "firmware/base/sandbox.h"
#include "firmware/boothd/booth.h"
#include "firmware/boothd/confine.h"

static const char usage[] =
	"usage: boothd [--config FILE] [--check-config | --print-config | --make-keys]\n"
	"\n"
	"Watches the camera, compares faces with the manifest, writes encounters.\n"
	"  --config FILE    default /etc/egress/boothd.conf\n"
	"  --check-config   read the configuration, say what is wrong with it, and end\n"
	"  --make-keys      make this booth's keys and booth.pub where they are missing, and end\n"
	"  --print-config   print the whole configuration with its defaults, and end\n"
	"  --version        print the version, and end\n";

struct options {
	const char *config;
	bool check, print, make_keys;
};

// 0: go on; 1: done, exit 0; negative: wrong use.
static int read_options(int argc, char **argv, struct options *ret_options)
{
	static const struct option longs[] = {
		{"config", required_argument, NULL, 'c'},
		{"check-config", no_argument, NULL, 'k'},
		{"print-config", no_argument, NULL, 'p'},
		{"version", no_argument, NULL, 'v'},
		{"make-keys", no_argument, NULL, 'm'},
		{"help", no_argument, NULL, 'h'},
		{0},
	};
	struct options o = {.config = "/etc/egress/boothd.conf"};
	int c;

	while ((c = getopt_long(argc, argv, "h", longs, NULL)) != -1) {
		switch (c) {
		case 'c':
			o.config = optarg;
			break;
		case 'k':
			o.check = true;
			break;
		case 'p':
			o.print = true;
			break;
		case 'm':
			o.make_keys = true;
			break;
		case 'v':
			(void)puts("boothd " EG_VERSION);
			return 1;
		case 'h':
			(void)fputs(usage, stdout);
			return 1;
		default:
			(void)fputs(usage, stderr);
			return -1;
		}
	}
	if (optind != argc) {
		(void)fputs(usage, stderr);
		return -1;
	}
	*ret_options = o;
	return 0;
}

// A booth without a console has no such user.
static void find_user(struct eg_booth *booth, const char *name)
{
	static char room[4096];
	struct passwd user, *found = NULL;

	if (getpwnam_r(name, &user, room, sizeof(room), &found) != 0 || found == NULL)
		return;
	booth->console.has_user = true;
	booth->console.user = user.pw_uid;
}

static int on_signal(sd_event_source *source, const struct signalfd_siginfo *info, void *user)
{
	(void)info;
	(void)user;
	eg_info("stopping");
	return sd_event_exit(sd_event_source_get_event(source), 0);
}

static int run(struct eg_booth *booth, const struct eg_boothd_config *config, struct eg_err *err)
{
	int r;

	r = sd_event_default(&booth->event);
	if (r >= 0)
		r = sd_event_add_signal(booth->event, NULL, SIGTERM | SD_EVENT_SIGNAL_PROCMASK,
					on_signal, NULL);
	if (r >= 0)
		r = sd_event_add_signal(booth->event, NULL, SIGINT | SD_EVENT_SIGNAL_PROCMASK,
					on_signal, NULL);
	if (r < 0)
		return eg_err_errno(err, -r, "event loop");
	r = eg_booth_start(booth, config, err);
	if (r != 0)
		return r;
	eg_info("booth %s is ready", booth->trust.booth);
	(void)sd_notify(false, "READY=1\nSTATUS=Serving travellers");
	r = sd_event_loop(booth->event);
	(void)sd_notify(false, "STOPPING=1");
	return r < 0 ? eg_err_errno(err, -r, "event loop") : 0;
}

int main(int argc, char **argv)
{
	static const enum eg_log_level levels[] = {EG_LOG_ERROR, EG_LOG_WARNING, EG_LOG_NOTICE,
						   EG_LOG_INFO, EG_LOG_DEBUG};
	static struct eg_boothd_config config;
	struct eg_err err = EG_ERR_INIT;
	struct options options;
	struct eg_booth *booth;
	int r;

	eg_sandbox_harden(); // no face may end up in a core file
	r = read_options(argc, argv, &options);
	if (r != 0)
		return r < 0 ? 2 : 0;
	eg_log_init("boothd", EG_LOG_INFO);
	r = eg_conf_load(options.config, eg_boothd_keys, &config, &err);
	if (r == 0)
		r = eg_boothd_config_check(&config, options.config, &err);
	if (r != 0) {
		eg_error("%s", err.text);
		return 2;
	}
	if (options.print)
		eg_conf_print(stdout, eg_boothd_keys, &config);
	if (options.check)
		(void)fprintf(stderr, "%s is fine\n", options.config);
	if (options.print || options.check)
		return 0;

	eg_log_init("boothd", levels[config.log]);
	(void)signal(SIGPIPE, SIG_IGN);
	(void)signal(SIGXFSZ, SIG_IGN); // a file that may not grow is a full disk, not the end

	booth = eg_calloc(1, sizeof(*booth));
	if (booth == NULL) {
		eg_error("out of memory");
		return 1;
	}
	booth->lock = -1;
	find_user(booth, config.console_user);
	r = eg_boothd_confine(&config, options.config, &err);
	if (r == 0)
		r = options.make_keys ? eg_booth_make_keys(booth, &config, &err)
				      : run(booth, &config, &err);
	if (r != 0)
		eg_error("%s", err.text);
	eg_booth_stop(booth);
	sd_event_unref(booth->event);
	eg_wipe(booth, sizeof(*booth));
	free(booth);
	return r != 0 ? 1 : 0;
}
