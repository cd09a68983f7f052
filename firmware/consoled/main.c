// SPDX-License-Identifier: Apache-2.0
//
// consoled: the officer's console and the traveller's display as web pages. See README.md.
//
// Thread: one, with one event loop (signals, watchdog, Varlink, HTTP), and one for PINs (pins.c).

#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <systemd/sd-daemon.h>

#include "firmware/base/log.h"
#include "firmware/base/mem.h"
#include "firmware/base/sandbox.h"
#include "firmware/consoled/confine.h"
#include "firmware/consoled/console.h"

#define DEFAULT_CONFIG "/etc/egress/consoled.conf"

static const char help[] =
	"Usage: consoled [--config FILE]\n"
	"Serves the officer's console and the traveller's display as web pages.\n"
	"\n"
	"  --config FILE    configuration (default " DEFAULT_CONFIG ")\n"
	"  --check-config   read the configuration, say what is wrong with it, and end\n"
	"  --print-config   print all keys with their values, and end\n"
	"  --version        print the version, and end\n"
	"  --help           print this, and end\n";

struct arguments {
	const char *config;
	bool check, print;
};

static int run(const struct config *config, const char *path, struct eg_err *err)
{
	struct console *console = eg_calloc(1, sizeof(*console));
	sd_event *event = NULL;
	sigset_t signals;
	if (console == NULL)
		return eg_err_set(err, EG_ENOMEM, "out of memory");
	(void)sigemptyset(&signals);
	(void)sigaddset(&signals, SIGTERM);
	(void)sigaddset(&signals, SIGINT);
	(void)sigprocmask(SIG_BLOCK, &signals, NULL);
	(void)signal(SIGPIPE, SIG_IGN);
	int r = consoled_confine(config, path, err);
	if (r == 0)
		r = eg_crypto_init(err);
	int e = sd_event_default(&event);
	if (e >= 0)
		e = sd_event_add_signal(event, NULL, SIGTERM, NULL, NULL);
	if (e >= 0)
		e = sd_event_add_signal(event, NULL, SIGINT, NULL, NULL);
	if (e >= 0)
		e = sd_event_set_watchdog(event, 1);
	if (r == 0 && e < 0)
		r = eg_err_errno(err, -e, "event loop");
	if (r == 0)
		r = console_start(console, event, config, err);
	if (r == 0) {
		eg_notice("traveller's page on http://127.0.0.1:%d/, officer's on https://%s:%d/",
			  console->traveller_site.port, config->officer_address,
			  console->officer_site.port);
		eg_notice("the officer's page shows a certificate with SHA-256 %s",
			  console->tls.fingerprint);
		(void)sd_notify(0, "READY=1");
		e = sd_event_loop(event);
		(void)sd_notify(0, "STOPPING=1");
		eg_info("ending");
		if (e < 0)
			r = eg_err_errno(err, -e, "event loop");
	}
	console_stop(console);
	eg_wipe(console, sizeof(*console));
	free(console);
	sd_event_unref(event);
	return r;
}

enum {
	OPT_CONFIG = 1,
	OPT_CHECK,
	OPT_PRINT,
	OPT_VERSION,
	OPT_HELP
};

static const struct option options[] = {
	{"config", required_argument, NULL, OPT_CONFIG},
	{"check-config", no_argument, NULL, OPT_CHECK},
	{"print-config", no_argument, NULL, OPT_PRINT},
	{"version", no_argument, NULL, OPT_VERSION},
	{"help", no_argument, NULL, OPT_HELP},
	{0},
};

// −1: go on, else the status to end with.
static int read_arguments(int argc, char **argv, struct arguments *arguments)
{
	int option;
	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (option) {
		case OPT_CONFIG:
			arguments->config = optarg;
			break;
		case OPT_CHECK:
			arguments->check = true;
			break;
		case OPT_PRINT:
			arguments->print = true;
			break;
		case OPT_VERSION:
			(void)puts("consoled " EG_VERSION);
			return EXIT_SUCCESS;
		case OPT_HELP:
			(void)fputs(help, stdout);
			return EXIT_SUCCESS;
		default:
			(void)fputs(help, stderr);
			return 2;
		}
	}
	if (optind == argc)
		return -1;
	(void)fputs(help, stderr);
	return 2;
}

int main(int argc, char **argv)
{
	static struct config config;
	struct arguments arguments = {.config = DEFAULT_CONFIG};
	struct eg_err err = EG_ERR_INIT;
	eg_sandbox_harden();
	int status = read_arguments(argc, argv, &arguments);
	if (status >= 0)
		return status;
	eg_log_init("consoled", EG_LOG_INFO);
	int r = eg_conf_load(arguments.config, config_keys, &config, &err);
	if (r == 0)
		r = config_check(&config, arguments.config, &err);
	if (r != 0) {
		eg_error("%s", err.text);
		return 2;
	}
	if (arguments.print)
		eg_conf_print(stdout, config_keys, &config);
	if (arguments.check || arguments.print)
		return EXIT_SUCCESS;
	eg_log_init("consoled", (enum eg_log_level)(EG_LOG_ERROR + config.log_level));
	if (run(&config, arguments.config, &err) == 0)
		return EXIT_SUCCESS;
	eg_error("%s", err.text);
	return EXIT_FAILURE;
}
