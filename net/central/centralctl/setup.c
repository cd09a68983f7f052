// SPDX-License-Identifier: Apache-2.0
//
// init, server-cert, token, booths, alarms.

#include <getopt.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "firmware/base/file.h"
#include "firmware/base/mem.h"
#include "net/central/centralctl/ctl.h"
#include "store/trust.h"

#define TOKEN_BYTES 24 // 192 random bits
#define DAY_MS	    (24 * 3600 * 1000LL)

static const char *const default_names[] = {"localhost", "127.0.0.1"};

struct setup {
	const char *names[EG_NAMES_MAX];
	size_t count;
	const char *url;
};

static bool read_setup(int argc, char **argv, struct setup *setup)
{
	static const struct option options[] = {
		{"name", required_argument, NULL, 'n'},
		{"url", required_argument, NULL, 'u'},
		{0},
	};
	int option;
	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 'n' && setup->count < EG_NAMES_MAX)
			setup->names[setup->count++] = optarg;
		else if (option == 'u')
			setup->url = optarg;
		else
			return false;
	}
	return true;
}

int ctl_init(struct ctl *ctl, int argc, char **argv)
{
	struct setup setup = {0};
	struct eg_err err = EG_ERR_INIT;
	const char *folder = read_setup(argc, argv, &setup) ? ctl_operand(argc, argv) : NULL;
	if (folder == NULL)
		return ctl_usage("init DIR [--name HOST …] [--url URL]");
	if (eg_centre_init(folder, setup.count > 0 ? setup.names : default_names,
			   setup.count > 0 ? setup.count : 2, setup.url, eg_wall_ms(ctl->clock),
			   &err) != 0)
		return ctl_fail(&err);
	(void)printf("%s: made. Keep a copy of it, and open.key away from this machine.\n", folder);
	return 0;
}

int ctl_server(struct ctl *ctl, int argc, char **argv)
{
	struct setup setup = {0};
	struct eg_err err = EG_ERR_INIT;
	if (!read_setup(argc, argv, &setup) || setup.count == 0 || setup.url != NULL ||
	    optind != argc)
		return ctl_usage("server-cert --name HOST …");
	if (eg_centre_renew_server(ctl->folder, setup.names, setup.count, eg_wall_ms(ctl->clock),
				   &err) != 0)
		return ctl_fail(&err);
	(void)puts("server.crt and server.key are new. Restart centrald.");
	return 0;
}

struct token_arguments {
	const char *booth, *url, *out;
	long long days;
};

static bool read_token(int argc, char **argv, struct token_arguments *arguments)
{
	static const struct option options[] = {
		{"url", required_argument, NULL, 'u'},
		{"days", required_argument, NULL, 'd'},
		{"out", required_argument, NULL, 'o'},
		{0},
	};
	int option;
	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 'u')
			arguments->url = optarg;
		else if (option == 'o')
			arguments->out = optarg;
		else if (option != 'd' || !ctl_number(optarg, 1, 365, &arguments->days))
			return false;
	}
	arguments->booth = ctl_operand(argc, argv);
	return arguments->booth != NULL;
}

static int fill_trust(const struct ctl *ctl, const struct token_arguments *arguments,
		      struct eg_trust *trust, struct eg_err *err)
{
	struct eg_centre_public *public = eg_calloc(1, sizeof(*public));
	uint8_t random[TOKEN_BYTES];
	if (public == NULL)
		return eg_err_set(err, EG_ENOMEM, "out of memory");
	int r = eg_centre_load_public(ctl->folder, public, err);
	if (r == 0 && eg_random(random, sizeof(random)) != 0)
		r = eg_err_set(err, EG_EFOREIGN, "no random numbers");
	if (r == 0) {
		(void)snprintf(trust->booth, sizeof(trust->booth), "%s", arguments->booth);
		(void)snprintf(trust->url, sizeof(trust->url), "%s",
			       arguments->url != NULL ? arguments->url : public->url);
		memcpy(trust->ca_pem, public->ca_pem, sizeof(trust->ca_pem));
		memcpy(trust->sign[0].pub, public->sign, EG_P256_PUB_SIZE);
		eg_kid(public->sign, trust->sign[0].kid);
		trust->sign_count = 1;
		memcpy(trust->seal, public->seal, EG_P256_PUB_SIZE);
		eg_hex(random, sizeof(random), trust->token);
		eg_wipe(random, sizeof(random));
	}
	free(public);
	return r;
}

// eg_trust_save writes files only; on the way to stdout it lies in the centre's own folder.
static int print_trust(const struct ctl *ctl, const struct eg_trust *trust, struct eg_err *err)
{
	char name[32], path[EG_CENTRE_PATH_MAX];
	struct eg_buf text;
	(void)snprintf(name, sizeof(name), ".provision.%ld", (long)getpid());
	eg_buf_init_secret(&text, 64u << 10);
	int r = eg_centre_path(ctl->folder, name, path, err);
	if (r == 0)
		r = eg_trust_save(trust, true, path, err);
	if (r == 0) {
		r = eg_file_read(path, &text, err);
		(void)unlink(path);
	}
	if (r == 0 && (fwrite(text.data, 1, text.size, stdout) != text.size || fflush(stdout) != 0))
		r = eg_err_set(err, EG_EIO, "stdout: cannot be written");
	eg_buf_done(&text);
	return r;
}

static int put_token(const struct ctl *ctl, const struct eg_trust *trust, long long days,
		     struct eg_err *err)
{
	int64_t now_ms = eg_wall_ms(ctl->clock);
	struct eg_ledger *ledger = NULL;
	uint8_t hash[EG_SHA256_SIZE];
	int r = eg_sha256(EG_BYTES_STR(trust->token), hash);
	if (r != 0)
		return eg_err_set(err, r, "token: digest");
	r = eg_centre_open_ledger(ctl->folder, &ledger, err);
	if (r == 0)
		r = eg_ledger_put_token(ledger, trust->booth, hash, now_ms + days * DAY_MS, now_ms,
					err);
	eg_ledger_close(ledger);
	return r;
}

int ctl_token_new(struct ctl *ctl, int argc, char **argv)
{
	struct token_arguments arguments = {.days = 7};
	struct eg_err err = EG_ERR_INIT;
	struct eg_trust *trust;
	if (!read_token(argc, argv, &arguments))
		return ctl_usage("token new BOOTH [--url URL] [--days 1…365] [--out FILE]");
	trust = eg_secret_alloc(sizeof(*trust));
	if (trust == NULL) {
		(void)eg_err_set(&err, EG_ENOMEM, "out of memory");
		return ctl_fail(&err);
	}
	int r = ctl_check_booth(arguments.booth, &err);
	if (r == 0)
		r = fill_trust(ctl, &arguments, trust, &err);
	if (r == 0)
		r = put_token(ctl, trust, arguments.days, &err);
	if (r == 0)
		r = arguments.out != NULL ? eg_trust_save(trust, true, arguments.out, &err)
					  : print_trust(ctl, trust, &err);
	eg_secret_free(trust, sizeof(*trust));
	return r == 0 ? 0 : ctl_fail(&err);
}

static int print_booth(void *user, const struct eg_booth_row *row)
{
	char end[EG_TIME_TEXT_MAX], beat[EG_TIME_TEXT_MAX];
	(void)user;
	eg_time_text(row->certificate_end_ms, end);
	eg_time_text(row->heartbeat_ms, beat);
	(void)printf("%-24s %-8s %-6s %-25s %-25s %" PRId64 "\n", row->booth,
		     row->revoked    ? "revoked"
		     : row->enrolled ? "enrolled"
				     : "new",
		     row->has_keys ? "keys" : "-", row->enrolled ? end : "-",
		     row->heartbeat_ms != 0 ? beat : "-", row->encounters);
	return 0;
}

int ctl_booths_list(struct ctl *ctl, int argc, char **argv)
{
	struct eg_ledger *ledger = NULL;
	struct eg_err err = EG_ERR_INIT;
	(void)argv;
	if (argc != 1)
		return ctl_usage("booths list");
	int r = eg_centre_open_ledger(ctl->folder, &ledger, &err);
	if (r == 0) {
		(void)printf("%-24s %-8s %-6s %-25s %-25s %s\n", "BOOTH", "STATE", "KEYS",
			     "CERTIFICATE UNTIL", "LAST HEARD", "ENCOUNTERS");
		r = eg_ledger_list_booths(ledger, print_booth, NULL, &err);
	}
	eg_ledger_close(ledger);
	return r == 0 ? 0 : ctl_fail(&err);
}

int ctl_booths_revoke(struct ctl *ctl, int argc, char **argv)
{
	struct eg_ledger *ledger = NULL;
	struct eg_err err = EG_ERR_INIT;
	if (argc != 2)
		return ctl_usage("booths revoke BOOTH");
	int r = eg_centre_open_ledger(ctl->folder, &ledger, &err);
	if (r == 0)
		r = eg_ledger_revoke(ledger, argv[1], eg_wall_ms(ctl->clock), &err);
	eg_ledger_close(ledger);
	if (r != 0)
		return ctl_fail(&err);
	(void)printf("%s: revoked. 'centralctl token new %s' lets it in again.\n", argv[1],
		     argv[1]);
	return 0;
}

static int print_alarm(void *user, enum eg_alarm alarm, const char *booth, const char *subject,
		       int64_t at_ms)
{
	char at[EG_TIME_TEXT_MAX];
	(void)user;
	eg_time_text(at_ms, at);
	(void)printf("%s  %-20s %-24s %s\n", at, eg_alarm_name(alarm), booth, subject);
	return 0;
}

int ctl_alarms_list(struct ctl *ctl, int argc, char **argv)
{
	struct eg_ledger *ledger = NULL;
	struct eg_err err = EG_ERR_INIT;
	(void)argv;
	if (argc != 1)
		return ctl_usage("alarms list");
	int r = eg_centre_open_ledger(ctl->folder, &ledger, &err);
	if (r == 0)
		r = eg_ledger_list_alarms(ledger, print_alarm, NULL, &err);
	eg_ledger_close(ledger);
	return r == 0 ? 0 : ctl_fail(&err);
}
