// SPDX-License-Identifier: Apache-2.0
//
// syncd: manifests in, encounters out, certificates. See README.md.
//
// Threads: main runs the event loop (signals, watchdog, Varlink); one worker does all that blocks.

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include "firmware/base/crypto.h"
#include "firmware/base/log.h"
#include "firmware/base/sandbox.h"
#include "firmware/syncd/confine.h"
#include "firmware/syncd/serve.h"

#define DEFAULT_CONFIG "/etc/egress/syncd.conf"

static const char help[] =
	"Usage: syncd [--config FILE]\n"
	"Fetches manifests from the centre and brings it encounters.\n"
	"\n"
	"  --config FILE    configuration (default " DEFAULT_CONFIG ")\n"
	"  --check-config   read the configuration, say what is wrong with it, and end\n"
	"  --print-config   print all keys with their values, and end\n"
	"  --version        print the version, and end\n"
	"  --help           print this, and end\n";

struct program {
	struct config config;
	const char *path; // where it was read
	int lock;
	sd_event *event;
	sd_event_source *watchdog;
	uint64_t watchdog_us; // between two signs of life; 0: none wanted
	struct worker *worker;
	struct serve *serve;
};

// Two syncd at once would send everything twice, so the first holds a lock for as long as it lives.
static int take_lock(struct program *program, struct eg_err *err)
{
	char path[CONFIG_PATH_MAX + 16];

	(void)snprintf(path, sizeof(path), "%s/syncd.lock", program->config.state);
	program->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (program->lock < 0)
		return eg_err_errno(err, errno, "%s", path);
	if (flock(program->lock, LOCK_EX | LOCK_NB) != 0) {
		if (errno == EWOULDBLOCK)
			return eg_err_set(err, EG_ECONFLICT,
					  "%s: another syncd is running; stop it first", path);
		return eg_err_errno(err, errno, "%s", path);
	}
	return 0;
}

// Says "alive" only while the worker comes by its loop: the longest call and a little more.
static int on_watchdog(sd_event_source *source, uint64_t now_us, void *user)
{
	struct program *program = user;
	const int64_t most_ms = program->config.call_s * 3000 + 60000; // an enrolment is 2 calls

	if (worker_silent_ms(program->worker) <= most_ms)
		(void)sd_notify(0, "WATCHDOG=1");
	else
		eg_error("the worker thread hangs; letting the watchdog end the program");
	(void)sd_event_source_set_time(source, now_us + program->watchdog_us / 2);
	return sd_event_source_set_enabled(source, SD_EVENT_ONESHOT) < 0 ? -EIO : 0;
}

static int start_loop(struct program *program, struct eg_err *err)
{
	sigset_t signals;
	int r;

	(void)sigemptyset(&signals);
	(void)sigaddset(&signals, SIGTERM);
	(void)sigaddset(&signals, SIGINT);
	(void)sigprocmask(SIG_BLOCK, &signals, NULL); // before the worker inherits the mask
	(void)signal(SIGPIPE, SIG_IGN);
	r = sd_event_new(&program->event);
	if (r >= 0)
		r = sd_event_add_signal(program->event, NULL, SIGTERM, NULL, NULL);
	if (r >= 0)
		r = sd_event_add_signal(program->event, NULL, SIGINT, NULL, NULL);
	return r >= 0 ? 0 : eg_err_errno(err, -r, "event loop");
}

static int start_watchdog(struct program *program, struct eg_err *err)
{
	int r = sd_watchdog_enabled(0, &program->watchdog_us);

	if (r > 0)
		r = sd_event_add_time_relative(program->event, &program->watchdog, CLOCK_BOOTTIME,
					       0, 0, on_watchdog, program);
	return r >= 0 ? 0 : eg_err_errno(err, -r, "watchdog");
}

static int run(struct program *program, struct eg_err *err)
{
	int r = syncd_confine(&program->config, program->path, err);

	if (r == 0)
		r = take_lock(program, err);
	if (r == 0)
		r = eg_crypto_init(err);
	if (r == 0)
		r = start_loop(program, err);
	if (r == 0)
		r = worker_start(&program->config, &program->worker, err);
	if (r == 0)
		r = serve_start(program->event, &program->config, program->worker, &program->serve,
				err);
	if (r == 0)
		r = start_watchdog(program, err);
	if (r != 0)
		return r;
	eg_info("started, version %s", EG_VERSION);
	(void)sd_notify(0, "READY=1");
	r = sd_event_loop(program->event);
	(void)sd_notify(0, "STOPPING=1");
	eg_info("ending");
	return r >= 0 ? 0 : eg_err_errno(err, -r, "event loop");
}

static void unwind(struct program *program)
{
	serve_stop(program->serve);
	worker_stop(program->worker);
	sd_event_source_disable_unref(program->watchdog);
	sd_event_unref(program->event);
	if (program->lock >= 0)
		(void)close(program->lock);
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

int main(int argc, char **argv)
{
	struct program program = {.lock = -1};
	struct eg_err err = EG_ERR_INIT;
	const char *path = DEFAULT_CONFIG;
	bool check = false, print = false;
	int option, r;

	eg_sandbox_harden();
	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (option) {
		case OPT_CONFIG:
			path = optarg;
			break;
		case OPT_CHECK:
			check = true;
			break;
		case OPT_PRINT:
			print = true;
			break;
		case OPT_VERSION:
			(void)puts("syncd " EG_VERSION);
			return EXIT_SUCCESS;
		case OPT_HELP:
			(void)fputs(help, stdout);
			return EXIT_SUCCESS;
		default:
			(void)fputs(help, stderr);
			return 2;
		}
	}
	if (optind != argc) {
		(void)fputs(help, stderr);
		return 2;
	}
	eg_log_init("syncd", EG_LOG_INFO);
	r = eg_conf_load(path, config_keys, &program.config, &err);
	if (r != 0) {
		eg_error("%s", err.text);
		return 2;
	}
	if (print)
		eg_conf_print(stdout, config_keys, &program.config);
	if (check || print)
		return EXIT_SUCCESS;
	eg_log_init("syncd", (enum eg_log_level)(EG_LOG_ERROR + program.config.log_level));
	program.path = path;
	r = run(&program, &err);
	unwind(&program);
	if (r != 0)
		eg_error("%s", err.text);
	return r == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
