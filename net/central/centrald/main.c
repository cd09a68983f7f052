// SPDX-License-Identifier: Apache-2.0
//
// centrald: the reference central service. See ../README.md.
//
// Thread: one, with one event loop: signals, watchdog, HTTPS.

#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <systemd/sd-daemon.h>

#include "firmware/base/crypto.h"
#include "firmware/base/log.h"
#include "firmware/base/mem.h"
#include "firmware/base/sandbox.h"
#include "net/central/centrald/confine.h"
#include "net/central/centrald/server.h"

#define DEFAULT_CONFIG "/etc/egress/centrald.conf"

static const char help[] =
	"Usage: centrald [--config FILE] [--port PORT]\n"
	"Takes encounters from booths, gives them manifests and certificates.\n"
	"\n"
	"  --config FILE    configuration (default " DEFAULT_CONFIG ")\n"
	"  --port PORT      instead of the configured one; 0: any that is free\n"
	"  --check-config   read the configuration, say what is wrong with it, and end\n"
	"  --print-config   print all keys with their values, and end\n"
	"  --version        print the version, and end\n"
	"  --help           print this, and end\n";

struct arguments {
	const char *config;
	long port; // −1: as configured
	bool check, print;
};

// Each connection is a descriptor.
static void raise_limit(const struct config *config)
{
	struct rlimit limit;
	rlim_t wanted = (rlim_t)config->connections + 64;
	if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= wanted)
		return;
	limit.rlim_cur = wanted < limit.rlim_max ? wanted : limit.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur < wanted)
		eg_warning("only %llu of %lld connections are possible: raise LimitNOFILE",
			   (unsigned long long)limit.rlim_cur, config->connections);
}

static int run(const struct config *config, const char *path, struct eg_err *err)
{
	struct server server = {0};
	sd_event *event = NULL;
	sigset_t signals;
	(void)sigemptyset(&signals);
	(void)sigaddset(&signals, SIGTERM);
	(void)sigaddset(&signals, SIGINT);
	(void)sigprocmask(SIG_BLOCK, &signals, NULL);
	(void)signal(SIGPIPE, SIG_IGN);
	raise_limit(config);
	int r = centrald_confine(config, path, err);
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
		r = server_start(&server, event, config, err);
	if (r == 0) {
		eg_secret_warn();
		eg_notice("listening on %s port %d, version %s", config->address, server.port,
			  EG_VERSION);
		(void)sd_notify(0, "READY=1");
		e = sd_event_loop(event);
		(void)sd_notify(0, "STOPPING=1");
		eg_info("ending");
		if (e < 0)
			r = eg_err_errno(err, -e, "event loop");
	}
	server_done(&server);
	sd_event_unref(event);
	return r;
}

enum {
	OPT_CONFIG = 1,
	OPT_PORT,
	OPT_CHECK,
	OPT_PRINT,
	OPT_VERSION,
	OPT_HELP
};

static const struct option options[] = {
	{"config", required_argument, NULL, OPT_CONFIG},
	{"port", required_argument, NULL, OPT_PORT},
	{"check-config", no_argument, NULL, OPT_CHECK},
	{"print-config", no_argument, NULL, OPT_PRINT},
	{"version", no_argument, NULL, OPT_VERSION},
	{"help", no_argument, NULL, OPT_HELP},
	{0},
};

static long parse_port(const char *text)
{
	char *end;
	long port = strtol(text, &end, 10);
	return *text != '\0' && *end == '\0' && port >= 0 && port <= 65535 ? port : -1;
}

// −1: go on, else the status to end with.
static int read_arguments(int argc, char **argv, struct arguments *arguments)
{
	int option;
	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (option) {
		case OPT_CONFIG:
			arguments->config = optarg;
			break;
		case OPT_PORT:
			arguments->port = parse_port(optarg);
			if (arguments->port < 0) {
				(void)fprintf(stderr, "--port '%s': must be 0 to 65535\n", optarg);
				return 2;
			}
			break;
		case OPT_CHECK:
			arguments->check = true;
			break;
		case OPT_PRINT:
			arguments->print = true;
			break;
		case OPT_VERSION:
			(void)puts("centrald " EG_VERSION);
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
	struct arguments arguments = {.config = DEFAULT_CONFIG, .port = -1};
	struct eg_err err = EG_ERR_INIT;
	eg_sandbox_harden();
	int status = read_arguments(argc, argv, &arguments);
	if (status >= 0)
		return status;
	eg_log_init("centrald", EG_LOG_INFO);
	if (eg_conf_load(arguments.config, config_keys, &config, &err) != 0) {
		eg_error("%s", err.text);
		return 2;
	}
	if (arguments.port >= 0)
		config.port = arguments.port;
	if (arguments.print)
		eg_conf_print(stdout, config_keys, &config);
	if (arguments.check || arguments.print)
		return EXIT_SUCCESS;
	eg_log_init("centrald", (enum eg_log_level)(EG_LOG_ERROR + config.log_level));
	if (run(&config, arguments.config, &err) == 0)
		return EXIT_SUCCESS;
	eg_error("%s", err.text);
	return EXIT_FAILURE;
}
