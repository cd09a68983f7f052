// SPDX-License-Identifier: Apache-2.0
//
// centralctl: the operator's command line for the centre's folder. Works while centrald runs.

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "firmware/base/log.h"
#include "net/central/centralctl/ctl.h"

#define DEFAULT_FOLDER "/var/lib/egress-central"

static const char help[] =
	"Usage: centralctl [--dir DIR] COMMAND …\n"
	"\n"
	"  init DIR [--name HOST …] [--url URL]     make the centre's folder\n"
	"  server-cert --name HOST …                new key and certificate for the server\n"
	"  token new BOOTH [--url URL] [--days N] [--out FILE]\n"
	"                                           one-time enrolment: a provision file\n"
	"  travellers import DIR|CSV [--photos DIR] [--pack DIR]\n"
	"  manifest build --flight F --booth B --port P --departs TIME [--valid-hours N] [--id "
	"ID]\n"
	"  manifest list\n"
	"  encounters list [--json] [--open[=KEY]]  with --open: also what is inside,\n"
	"                                           and what officers decided\n"
	"  encounters import --booth B FILE …       what 'boothctl queue export' wrote\n"
	"  booths list | booths revoke BOOTH\n"
	"  alarms list\n"
	"  policy template | policy show            a policy file to fill in; the one in force\n"
	"  policy sign FILE [--notices DIR] [--accounts CSV]\n"
	"                                           the next version, for all booths\n"
	"  account hash BADGE --display NAME --role ROLE [--certificate SHA256]\n"
	"                                           a line for the accounts file; asks for the "
	"PIN\n"
	"  audit list                               how far each booth's audit chain is known\n"
	"  audit receipt BOOTH FILE                 for 'boothctl audit verify --known FILE'\n"
	"  receipt verify TEXT|FILE|-               a traveller's exit receipt\n"
	"  counts [--booth BOOTH] [--from DATE]     captures, confirmations, referrals and "
	"impostor\n"
	"                                           scores by group, of each booth and in total\n"
	"\n"
	"  --dir DIR   the centre's folder (default $EGRESS_CENTRAL or " DEFAULT_FOLDER ")\n";

static const struct command {
	const char *noun, *verb; // verb NULL: there is none
	int (*run)(struct ctl *ctl, int argc, char **argv);
} commands[] = {
	{"init", NULL, ctl_init},
	{"server-cert", NULL, ctl_server},
	{"token", "new", ctl_token_new},
	{"travellers", "import", ctl_travellers_import},
	{"manifest", "build", ctl_manifest_build},
	{"manifest", "list", ctl_manifest_list},
	{"encounters", "list", ctl_encounters_list},
	{"encounters", "import", ctl_encounters_import},
	{"booths", "list", ctl_booths_list},
	{"booths", "revoke", ctl_booths_revoke},
	{"alarms", "list", ctl_alarms_list},
	{"policy", "template", ctl_policy_template},
	{"policy", "sign", ctl_policy_sign},
	{"policy", "show", ctl_policy_show},
	{"audit", "list", ctl_audit_list},
	{"audit", "receipt", ctl_audit_receipt},
	{"account", "hash", ctl_account_hash},
	{"receipt", "verify", ctl_receipt_verify},
	{"counts", NULL, ctl_counts},
};

int ctl_fail(const struct eg_err *err)
{
	(void)fprintf(stderr, "centralctl: %s\n", err->text);
	return 1;
}

int ctl_usage(const char *usage)
{
	(void)fprintf(stderr, "Usage: centralctl %s\n", usage);
	return 2;
}

const char *ctl_operand(int argc, char **argv)
{
	return optind + 1 == argc ? argv[optind] : NULL;
}

bool ctl_number(const char *text, long long min, long long max, long long *ret_value)
{
	char *end;
	errno = 0;
	long long value = strtoll(text, &end, 10);
	if (errno != 0 || *text == '\0' || *end != '\0' || value < min || value > max)
		return false;
	*ret_value = value;
	return true;
}

int ctl_check_booth(const char *booth, struct eg_err *err)
{
	if (!eg_name_is_valid(booth) || strchr(booth, ':') != NULL)
		return eg_err_set(
			err, EG_EINVAL,
			"booth '%.80s': must be 1 to 63 letters, digits, '.', '_' or '-', "
			"beginning with a letter or digit",
			booth);
	return 0;
}

static int run(struct ctl *ctl, int argc, char **argv)
{
	struct eg_err err = EG_ERR_INIT;
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		const struct command *command = &commands[i];
		int words = command->verb != NULL ? 2 : 1;
		if (argc < words || strcmp(argv[0], command->noun) != 0 ||
		    (words == 2 && strcmp(argv[1], command->verb) != 0))
			continue;
		if (eg_crypto_init(&err) != 0)
			return ctl_fail(&err);
		optind = 0; // getopt begins anew
		return command->run(ctl, argc - words + 1, argv + words - 1);
	}
	(void)fputs(help, stderr);
	return 2;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{"dir", required_argument, NULL, 'd'},
		{"version", no_argument, NULL, 'v'},
		{"help", no_argument, NULL, 'h'},
		{0},
	};
	const char *environment = getenv("EGRESS_CENTRAL");
	struct ctl ctl = {
		.folder = environment != NULL ? environment : DEFAULT_FOLDER,
		.clock = eg_clock_system(),
	};
	int option;
	eg_log_init("centralctl", EG_LOG_WARNING);
	while ((option = getopt_long(argc, argv, "+", options, NULL)) != -1) {
		switch (option) {
		case 'd':
			ctl.folder = optarg;
			break;
		case 'v':
			(void)puts("centralctl " EG_VERSION);
			return 0;
		case 'h':
			(void)fputs(help, stdout);
			return 0;
		default:
			(void)fputs(help, stderr);
			return 2;
		}
	}
	return run(&ctl, argc - optind, argv + optind);
}
