// SPDX-License-Identifier: Apache-2.0
//
// account hash: one line for the accounts file, of a PIN that is nowhere kept. And reading of that
// file, for policy sign.

#include "net/central/centralctl/accounts.h"

#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "firmware/base/file.h"
#include "firmware/base/mem.h"
#include "firmware/pin/pin.h"
#include "net/central/centralctl/ctl.h"
#include "net/central/csv.h"

#define FILE_MAX (64u << 10) // bytes
#define COLUMNS	 6
#define PIN_LINE 64 // bytes, with line end and NUL

// "AB:CD:…" as openssl x509 -fingerprint prints it, or without colons.
static int read_fingerprint(const char *text, uint8_t ret_digest[EG_SHA256_SIZE])
{
	char hex[2 * EG_SHA256_SIZE + 1];
	size_t length = 0;
	for (const char *c = text; *c != '\0'; c++) {
		if (*c == ':')
			continue;
		if (length == sizeof(hex) - 1)
			return EG_EINVAL;
		hex[length++] = *c;
	}
	hex[length] = '\0';
	return length == sizeof(hex) - 1 ? eg_unhex(hex, ret_digest, EG_SHA256_SIZE) : EG_EINVAL;
}

static int read_fields(const struct eg_csv *csv, struct eg_account *account)
{
	int role = eg_role_find(csv->field[2]);
	if (!eg_name_is_valid(csv->field[0]) || role < 0 ||
	    strlen(csv->field[1]) >= sizeof(account->display) ||
	    strlen(csv->field[3]) != 2 * sizeof(account->salt) ||
	    strlen(csv->field[4]) != 2 * sizeof(account->hash) ||
	    eg_unhex(csv->field[3], account->salt, sizeof(account->salt)) != 0 ||
	    eg_unhex(csv->field[4], account->hash, sizeof(account->hash)) != 0)
		return EG_EINVAL;
	memcpy(account->name, csv->field[0], strlen(csv->field[0]) + 1);
	memcpy(account->display, csv->field[1], strlen(csv->field[1]) + 1);
	account->role = (enum eg_role)role;
	account->has_certificate = csv->count == COLUMNS && csv->field[5][0] != '\0';
	return account->has_certificate ? read_fingerprint(csv->field[5], account->certificate) : 0;
}

static int read_line(const char *path, const struct eg_csv *csv, struct eg_policy *policy,
		     struct eg_err *err)
{
	struct eg_account account = {0};
	if (csv->count == 1 && csv->field[0][0] == '\0')
		return 0;
	if (csv->line == 1 && strcmp(csv->field[0], "name") == 0)
		return 0;
	if ((csv->count != COLUMNS && csv->count != COLUMNS - 1) || read_fields(csv, &account) != 0)
		return eg_err_set(err, EG_EINVAL,
				  "%s: line %zu is not name,display,role,salt,hash[,certificate]: "
				  "'centralctl account hash' prints it",
				  path, csv->line);
	if (eg_policy_account(policy, account.name) != NULL)
		return eg_err_set(err, EG_EINVAL, "%s: line %zu: there is an account %s already",
				  path, csv->line, account.name);
	if (policy->account_count == EG_POLICY_ACCOUNTS_MAX)
		return eg_err_set(err, EG_ETOOBIG, "%s: at most %d accounts", path,
				  EG_POLICY_ACCOUNTS_MAX);
	policy->accounts[policy->account_count++] = account;
	return 0;
}

int accounts_read(const char *path, struct eg_policy *policy, struct eg_err *err)
{
	struct eg_csv *csv = eg_calloc(1, sizeof(*csv));
	struct eg_buf text;
	eg_buf_init_secret(&text, FILE_MAX);
	policy->account_count = 0;
	int r = csv != NULL ? eg_file_read(path, &text, err)
			    : eg_err_set(err, EG_ENOMEM, "out of memory");
	if (r == 0)
		eg_csv_init(csv, eg_buf_bytes(&text));
	while (r == 0) {
		r = eg_csv_next(csv, err);
		if (r == EG_ENOENT) {
			r = 0;
			break;
		}
		r = r != 0 ? eg_err_prefix(err, r, "%s", path) : read_line(path, csv, policy, err);
	}
	eg_buf_done(&text);
	free(csv);
	return r;
}

static int read_line_of(char line[PIN_LINE], struct eg_err *err)
{
	if (fgets(line, PIN_LINE, stdin) == NULL)
		return eg_err_set(err, EG_EINVAL, "no PIN was given");
	line[strcspn(line, "\r\n")] = '\0';
	return 0;
}

static int prompt(const char *text, char line[PIN_LINE], struct eg_err *err)
{
	struct termios before, quiet;
	if (tcgetattr(STDIN_FILENO, &before) != 0)
		return eg_err_set(err, EG_EFOREIGN, "the terminal cannot be read");
	quiet = before;
	quiet.c_lflag &= ~(tcflag_t)ECHO;
	(void)fputs(text, stderr);
	(void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet);
	int r = read_line_of(line, err);
	(void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
	(void)fputc('\n', stderr);
	return r;
}

// Twice from a terminal, without showing it; else one line of standard input.
static int read_pin(char pin[PIN_LINE], struct eg_err *err)
{
	char again[PIN_LINE] = "";
	bool person = isatty(STDIN_FILENO) == 1;
	int r = person ? prompt("PIN: ", pin, err) : read_line_of(pin, err);
	if (r == 0)
		r = eg_pin_check_new(pin, err);
	if (r == 0 && person)
		r = prompt("once more: ", again, err);
	if (r == 0 && person && strcmp(pin, again) != 0)
		r = eg_err_set(err, EG_EINVAL, "the two PINs differ");
	eg_wipe(again, sizeof(again));
	return r;
}

static void print_quoted(const char *text)
{
	(void)putchar('"');
	for (const char *c = text; *c != '\0'; c++) {
		if (*c == '"')
			(void)putchar('"');
		(void)putchar(*c);
	}
	(void)putchar('"');
}

static void print(const struct eg_account *account)
{
	char salt[2 * EG_PIN_SALT_SIZE + 1], hash[2 * EG_PIN_HASH_SIZE + 1];
	char certificate[2 * EG_SHA256_SIZE + 1];
	eg_hex(account->salt, sizeof(account->salt), salt);
	eg_hex(account->hash, sizeof(account->hash), hash);
	(void)printf("%s,", account->name);
	print_quoted(account->display);
	(void)printf(",%s,%s,%s", eg_role_name(account->role), salt, hash);
	if (account->has_certificate) {
		eg_hex(account->certificate, sizeof(account->certificate), certificate);
		(void)printf(",%s", certificate);
	}
	(void)putchar('\n');
}

// What the command line says. false: wrong usage.
static bool read_options(int argc, char **argv, struct eg_account *account)
{
	static const struct option options[] = {
		{"display", required_argument, NULL, 'd'},
		{"role", required_argument, NULL, 'r'},
		{"certificate", required_argument, NULL, 'c'},
		{0},
	};
	int option, role = -1;
	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 'd' && strlen(optarg) < sizeof(account->display))
			memcpy(account->display, optarg, strlen(optarg) + 1);
		else if (option == 'r')
			role = eg_role_find(optarg);
		else if (option == 'c' && read_fingerprint(optarg, account->certificate) == 0)
			account->has_certificate = true;
		else
			return false;
	}
	const char *name = ctl_operand(argc, argv);
	if (name == NULL || !eg_name_is_valid(name) || role < 0 || account->display[0] == '\0')
		return false;
	memcpy(account->name, name, strlen(name) + 1);
	account->role = (enum eg_role)role;
	return true;
}

int ctl_account_hash(struct ctl *ctl, int argc, char **argv)
{
	struct eg_account account = {0};
	struct eg_err err = EG_ERR_INIT;
	char pin[PIN_LINE] = "";
	(void)ctl;
	if (!read_options(argc, argv, &account))
		return ctl_usage("account hash BADGE --display NAME --role "
				 "officer|supervisor|technician [--certificate SHA256]");
	int r = read_pin(pin, &err);
	if (r == 0 && eg_random(account.salt, sizeof(account.salt)) != 0)
		r = eg_err_set(&err, EG_EFOREIGN, "no random numbers for a salt");
	if (r == 0)
		r = eg_pin_hash(pin, account.salt, account.hash, &err);
	eg_wipe(pin, sizeof(pin));
	if (r == 0)
		print(&account);
	return r == 0 ? 0 : ctl_fail(&err);
}
