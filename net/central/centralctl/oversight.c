// SPDX-License-Identifier: Apache-2.0
//
// policy template, sign, show; audit list, receipt.

#include <dirent.h>
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "firmware/base/conf.h"
#include "firmware/base/file.h"
#include "firmware/base/mem.h"
#include "net/central/centralctl/accounts.h"
#include "net/central/centralctl/ctl.h"
#include "store/decision.h"

#define DAY_S	86400LL
#define HOUR_S	3600LL
#define SKEW_MS (3600 * 1000LL) // a booth whose clock is an hour behind takes it as well

// A policy as a person writes it: hours and days, no version (it only rises) and no times of day.
struct policy_file {
	char id[EG_NAME_MAX], notice[EG_NAME_MAX];
	long long valid_days, hold_max_days;
	double fmr, fpir, liveness_min, capture_min;
	char two_person[256]; // names of decisions
	long long image_h[EG_CITIZENSHIP_CLASSES], receipt_days[EG_CITIZENSHIP_CLASSES];
};

#define AT(member) offsetof(struct policy_file, member)
#define TEXT(member)                                \
	.type = EG_CONF_TEXT, .offset = AT(member), \
	.size = sizeof(((struct policy_file *)0)->member)
#define INT(member, a, b)  .type = EG_CONF_INT, .offset = AT(member), .min = (a), .max = (b)
#define REAL(member, a, b) .type = EG_CONF_DOUBLE, .offset = AT(member), .min = (a), .max = (b)
#define HOURS(class)	   INT(image_h[(class) - 1], 0, 9600), .def = "12"
#define DAYS(class)	   INT(receipt_days[(class) - 1], 0, 400), .def = "30"

// clang-format off
static const struct eg_conf_key policy_keys[] = {
	{"policy", "id", TEXT(id), .def = "default", .help = "what this policy is called"},
	{"policy", "valid_days", INT(valid_days, 1, 400), .def = "90",
	 .help = "for so long from now; afterwards booths keep nothing longer than their defaults"},
	{"policy", "fmr", REAL(fmr, 1e-9, 0.1), .def = "0.0001",
	 .help = "false match rate aimed at where a document names the traveller"},
	{"policy", "fpir", REAL(fpir, 1e-9, 0.1), .def = "0.003",
	 .help = "false positive identification rate aimed at, for a whole manifest"},
	{"policy", "liveness_min", REAL(liveness_min, 0, 1), .def = "0.5",
	 .help = "score from which a face counts as alive"},
	{"policy", "hold_max_days", INT(hold_max_days, 0, 400), .def = "30",
	 .help = "longest hold that two people may set on an image"},
	{"policy", "notice", TEXT(notice), .def = "default",
	 .help = "version of the privacy notice, kept in each record"},
	{"policy", "two_person", TEXT(two_person), .def = "wrong_person",
	 .help = "decisions of officers that take a second person, by name, with spaces between"},
	{"policy", "capture_min", REAL(capture_min, 0, 1), .def = "0.95",
	 .help = "part of the travellers whose face can be used; below it the booth raises an alarm"},
	{"image", "citizen_h", HOURS(EG_CITIZEN),
	 .help = "hours that a captured face may wait on the booth for its acknowledgement; 0: not at all"},
	{"image", "resident_h", HOURS(EG_RESIDENT), .help = "the same, by citizenship class"},
	{"image", "visitor_h", HOURS(EG_VISITOR), .help = "the same"},
	{"image", "unknown_h", HOURS(EG_CITIZENSHIP_UNKNOWN), .help = "the same: referred, class not known"},
	{"receipt", "citizen_days", DAYS(EG_CITIZEN),
	 .help = "days that id, digest and times of an erased encounter are kept"},
	{"receipt", "resident_days", DAYS(EG_RESIDENT), .help = "the same, by citizenship class"},
	{"receipt", "visitor_days", DAYS(EG_VISITOR), .help = "the same"},
	{"receipt", "unknown_days", DAYS(EG_CITIZENSHIP_UNKNOWN), .help = "the same"},
	{0},
};
// clang-format on

int ctl_policy_template(struct ctl *ctl, int argc, char **argv)
{
	struct policy_file file = {0};
	struct eg_err err = EG_ERR_INIT;
	(void)ctl;
	(void)argv;
	if (argc != 1)
		return ctl_usage("policy template >policy.conf");
	if (eg_conf_load(NULL, policy_keys, &file, &err) != 0)
		return ctl_fail(&err);
	eg_conf_print(stdout, policy_keys, &file);
	return 0;
}

static int compare_notices(const void *a, const void *b)
{
	const struct eg_notice *one = a, *other = b;
	return strcmp(one->language, other->language);
}

static int read_notice(const char *folder, const char *name, struct eg_policy *policy,
		       struct eg_err *err)
{
	char path[EG_CENTRE_PATH_MAX];
	struct eg_notice *notice = &policy->notices[policy->notice_count];
	struct eg_buf text;
	size_t length = strlen(name) - strlen(".txt");
	if (policy->notice_count == EG_POLICY_NOTICES_MAX || length >= sizeof(notice->language))
		return eg_err_set(err, EG_ETOOBIG,
				  "%s/%s: at most %d notices, named after a language tag", folder,
				  name, EG_POLICY_NOTICES_MAX);
	(void)snprintf(path, sizeof(path), "%s/%s", folder, name);
	eg_buf_init(&text, EG_POLICY_TEXT_MAX - 1);
	int r = eg_file_read(path, &text, err);
	while (r == 0 && text.size > 0 && text.data[text.size - 1] == '\n')
		text.size--;
	if (r == 0 && (text.size == 0 || memchr(text.data, '\0', text.size) != NULL))
		r = eg_err_set(err, EG_EINVAL, "%s: empty, or not a text", path);
	if (r == 0) {
		memcpy(notice->language, name, length);
		memcpy(notice->text, text.data, text.size);
		policy->notice_count++;
	}
	eg_buf_done(&text);
	return r;
}

static int read_notices(const char *folder, struct eg_policy *policy, struct eg_err *err)
{
	DIR *directory = opendir(folder);
	int r = 0;
	if (directory == NULL)
		return eg_err_errno(err, errno, "%s", folder);
	for (struct dirent *entry; r == 0 && (entry = readdir(directory)) != NULL;) {
		size_t length = strlen(entry->d_name);
		if (length > 4 && strcmp(entry->d_name + length - 4, ".txt") == 0)
			r = read_notice(folder, entry->d_name, policy, err);
	}
	closedir(directory);
	if (r == 0 && policy->notice_count == 0)
		r = eg_err_set(err, EG_ENOENT, "%s: no notices; name them en.txt, ar.txt, …",
			       folder);
	qsort(policy->notices, policy->notice_count, sizeof(policy->notices[0]), compare_notices);
	return r;
}

static int read_two_person(const char *names, uint32_t *ret_bits, struct eg_err *err)
{
	char name[EG_NAME_MAX];
	uint32_t bits = 0;
	for (const char *at = names + strspn(names, " "); *at != '\0'; at += strspn(at, " ")) {
		size_t length = strcspn(at, " ");
		(void)snprintf(name, sizeof(name), "%.*s", (int)length, at);
		int decision = eg_decision_find(name);
		if (decision < 0)
			return eg_err_set(err, EG_EINVAL,
					  "[policy] two_person: no decision is called '%s'", name);
		bits |= EG_DECISION_BIT(decision);
		at += length;
	}
	*ret_bits = bits;
	return 0;
}

static void fill(struct eg_policy *policy, const struct policy_file *file, int64_t now_ms)
{
	uint32_t *image = policy->retention.seconds[EG_DATA_IMAGE - 1];
	uint32_t *receipt = policy->retention.seconds[EG_DATA_RECEIPT - 1];
	memcpy(policy->id, file->id, sizeof(policy->id));
	memcpy(policy->notice, file->notice, sizeof(policy->notice));
	policy->not_before_ms = now_ms - SKEW_MS;
	policy->expires_ms = now_ms + file->valid_days * DAY_S * 1000;
	policy->fmr = file->fmr;
	policy->fpir = file->fpir;
	policy->liveness_min = file->liveness_min;
	policy->capture_min = file->capture_min;
	policy->hold_max_s = (uint32_t)(file->hold_max_days * DAY_S);
	for (size_t i = 0; i < EG_CITIZENSHIP_CLASSES; i++) {
		image[i] = (uint32_t)(file->image_h[i] * HOUR_S);
		receipt[i] = (uint32_t)(file->receipt_days[i] * DAY_S);
	}
}

static int sign(const struct ctl *ctl, struct eg_policy *policy, struct eg_buf *message,
		struct eg_err *err)
{
	char path[EG_CENTRE_PATH_MAX];
	struct eg_ledger *ledger = NULL;
	struct eg_key *key = NULL;
	uint64_t newest = 0;
	int r = eg_centre_path(ctl->folder, "sign.key", path, err);
	if (r == 0)
		r = eg_key_load(path, &key, err);
	if (r == 0)
		r = eg_centre_open_ledger(ctl->folder, &ledger, err);
	if (r == 0) {
		r = eg_ledger_get_policy(ledger, &newest, message, err);
		eg_buf_reset(message);
		r = r == EG_ENOENT ? 0 : r;
	}
	if (r == 0) {
		policy->version = newest + 1;
		r = eg_policy_sign(policy, key, message, err);
	}
	if (r == 0)
		r = eg_ledger_put_policy(ledger, policy->version, eg_buf_bytes(message),
					 eg_wall_ms(ctl->clock), err);
	eg_ledger_close(ledger);
	eg_key_free(key);
	return r;
}

static bool read_sign(int argc, char **argv, const char **ret_file, const char **ret_notices,
		      const char **ret_accounts)
{
	static const struct option options[] = {
		{"notices", required_argument, NULL, 'n'},
		{"accounts", required_argument, NULL, 'a'},
		{0},
	};
	int option;
	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 'n')
			*ret_notices = optarg;
		else if (option == 'a')
			*ret_accounts = optarg;
		else
			return false;
	}
	*ret_file = ctl_operand(argc, argv);
	return *ret_file != NULL;
}

int ctl_policy_sign(struct ctl *ctl, int argc, char **argv)
{
	const char *path = NULL, *notices = NULL, *accounts = NULL;
	struct policy_file file = {0};
	struct eg_err err = EG_ERR_INIT;
	struct eg_buf message;
	char end[EG_TIME_TEXT_MAX];
	if (!read_sign(argc, argv, &path, &notices, &accounts))
		return ctl_usage("policy sign FILE [--notices DIR] [--accounts CSV]");
	struct eg_policy *policy = eg_calloc(1, sizeof(*policy));
	eg_buf_init(&message, EG_POLICY_MAX);
	int r = policy == NULL ? eg_err_set(&err, EG_ENOMEM, "out of memory")
			       : eg_conf_load(path, policy_keys, &file, &err);
	if (r == 0) {
		fill(policy, &file, eg_wall_ms(ctl->clock));
		r = read_two_person(file.two_person, &policy->two_person, &err);
	}
	if (r == 0 && notices != NULL)
		r = read_notices(notices, policy, &err);
	if (r == 0 && accounts != NULL)
		r = accounts_read(accounts, policy, &err);
	if (r == 0)
		r = sign(ctl, policy, &message, &err);
	if (r == 0) {
		eg_time_text(policy->expires_ms, end);
		(void)printf("policy %s version %" PRIu64
			     ": signed, until %s. Booths take it with their next contact.\n",
			     policy->id, policy->version, end);
	}
	eg_buf_done(&message);
	free(policy);
	return r == 0 ? 0 : ctl_fail(&err);
}

static void print_people(const struct eg_policy *policy)
{
	(void)printf("two people     for");
	for (int d = EG_DECISION_CONFIRMED_BY_DOCUMENT; d < EG_DECISION_COUNT; d++)
		if (eg_decision_needs_second((enum eg_decision)d, policy->two_person))
			(void)printf(" %s", eg_decision_name((enum eg_decision)d));
	(void)printf("%s\naccounts       %zu\n", policy->two_person == 0 ? " nothing" : "",
		     policy->account_count);
	for (size_t i = 0; i < policy->account_count; i++) {
		const struct eg_account *account = &policy->accounts[i];
		(void)printf("  %-20s %-10s %s%s\n", account->name, eg_role_name(account->role),
			     account->display,
			     account->has_certificate ? " (with a certificate)" : "");
	}
}

static void print_policy(const struct eg_policy *policy)
{
	static const char *const classes[EG_CITIZENSHIP_CLASSES] = {"citizen", "resident",
								    "visitor", "unknown"};
	char from[EG_TIME_TEXT_MAX], end[EG_TIME_TEXT_MAX];
	eg_time_text(policy->not_before_ms, from);
	eg_time_text(policy->expires_ms, end);
	(void)printf("policy         %s version %" PRIu64 "\n", policy->id, policy->version);
	(void)printf("valid          %s to %s\n", from, end);
	(void)printf("error targets  FMR %g (document), FPIR %g (whole manifest)\n", policy->fmr,
		     policy->fpir);
	(void)printf("liveness       at least %g\n", policy->liveness_min);
	(void)printf("capture rate   alarm below %g\n", policy->capture_min);
	(void)printf("longest hold   %g days\n", policy->hold_max_s / (double)DAY_S);
	(void)printf("notice         %s, %zu languages\n", policy->notice, policy->notice_count);
	(void)printf("%-14s %10s %12s\n", "kept at most", "images", "receipts");
	for (unsigned int i = 0; i < EG_CITIZENSHIP_CLASSES; i++)
		(void)printf("  %-12s %8g h %10g d\n", classes[i],
			     policy->retention.seconds[EG_DATA_IMAGE - 1][i] / (double)HOUR_S,
			     policy->retention.seconds[EG_DATA_RECEIPT - 1][i] / (double)DAY_S);
	print_people(policy);
}

int ctl_policy_show(struct ctl *ctl, int argc, char **argv)
{
	struct eg_centre_public *public = eg_calloc(1, sizeof(*public));
	struct eg_policy *policy = eg_calloc(1, sizeof(*policy));
	struct eg_ledger *ledger = NULL;
	struct eg_err err = EG_ERR_INIT;
	struct eg_trusted_key key;
	struct eg_buf message;
	uint64_t version;
	int r = 0;
	(void)argv;
	eg_buf_init(&message, EG_POLICY_MAX);
	if (argc != 1) {
		r = ctl_usage("policy show");
		goto out;
	}
	if (public == NULL || policy == NULL)
		r = eg_err_set(&err, EG_ENOMEM, "out of memory");
	if (r == 0)
		r = eg_centre_load_public(ctl->folder, public, &err);
	if (r == 0)
		r = eg_centre_open_ledger(ctl->folder, &ledger, &err);
	if (r == 0)
		r = eg_ledger_get_policy(ledger, &version, &message, &err);
	if (r == 0) {
		memcpy(key.pub, public->sign, sizeof(key.pub));
		eg_kid(public->sign, key.kid);
		r = eg_policy_verify(eg_buf_bytes(&message), &key, 1, policy, &err);
	}
	if (r == 0)
		print_policy(policy);
	else
		r = ctl_fail(&err);
out:
	eg_ledger_close(ledger);
	eg_buf_done(&message);
	free(policy);
	free(public);
	return r;
}

static int print_chain(void *user, const struct eg_audit_row *row)
{
	char at[EG_TIME_TEXT_MAX], enrolled[EG_TIME_TEXT_MAX], digest[33];
	(void)user;
	eg_time_text(row->at_ms, at);
	eg_time_text(row->enrolled_ms, enrolled);
	eg_hex(row->digest, 16, digest);
	(void)printf("%-24s %10" PRIu64 "  %-32s  %-24s  %s\n", row->booth, row->count, digest, at,
		     enrolled);
	return 0;
}

int ctl_audit_list(struct ctl *ctl, int argc, char **argv)
{
	struct eg_ledger *ledger = NULL;
	struct eg_err err = EG_ERR_INIT;
	(void)argv;
	if (argc != 1)
		return ctl_usage("audit list");
	int r = eg_centre_open_ledger(ctl->folder, &ledger, &err);
	if (r == 0) {
		(void)printf("%-24s %10s  %-32s  %-24s  %s\n", "BOOTH", "ENTRIES", "HEAD",
			     "RECEIVED", "ENROLLED");
		r = eg_ledger_list_audit(ledger, NULL, print_chain, NULL, &err);
	}
	eg_ledger_close(ledger);
	return r == 0 ? 0 : ctl_fail(&err);
}

static int write_receipt(void *user, const struct eg_audit_row *row)
{
	struct eg_err err = EG_ERR_INIT;
	if (eg_file_write(user, row->receipt, 0644, &err) != 0) {
		(void)ctl_fail(&err);
		return 2;
	}
	(void)printf("%s: receipt for %" PRIu64
		     " entries. On the booth: boothctl audit verify --known %s\n",
		     (const char *)user, row->count, (const char *)user);
	return 1; // one is enough
}

int ctl_audit_receipt(struct ctl *ctl, int argc, char **argv)
{
	struct eg_ledger *ledger = NULL;
	struct eg_err err = EG_ERR_INIT;
	if (argc != 3)
		return ctl_usage("audit receipt BOOTH FILE");
	int r = eg_centre_open_ledger(ctl->folder, &ledger, &err);
	if (r == 0)
		r = eg_ledger_list_audit(ledger, argv[1], write_receipt, argv[2], &err);
	if (r == 0)
		r = eg_err_set(&err, EG_ENOENT, "booth '%s' has sent no audit head yet", argv[1]);
	eg_ledger_close(ledger);
	return r == 1 ? 0 : r == 2 ? 1 : ctl_fail(&err);
}
