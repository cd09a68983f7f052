// SPDX-License-Identifier: Apache-2.0
//
// See policy.h. Thread: any.

#include "store/policy.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include "store/decision.h"
#include "store/parse.h"

#define POLICY_CONTEXT "egress/policy/v1"
#define KEYS	       14
#define ACCOUNT_PARTS  6
#define HOUR	       3600u
#define DAY	       86400u

const struct eg_policy eg_policy_defaults = {
	.id = "default",
	.expires_ms = EG_TIME_MAX_MS,
	.retention =
		{.seconds = {[EG_DATA_IMAGE - 1] = {12 * HOUR, 12 * HOUR, 12 * HOUR, 12 * HOUR},
			     [EG_DATA_RECEIPT - 1] = {30 * DAY, 30 * DAY, 30 * DAY, 30 * DAY}}},
	.fmr = 1e-4,
	.fpir = 3e-3,
	.liveness_min = 0.5,
	.hold_max_s = 30 * DAY,
	.notice = "default",
	.two_person = EG_TWO_PERSON_DEFAULT,
	.capture_min = 0.95,
};

const struct eg_account *eg_policy_account(const struct eg_policy *policy, const char *name)
{
	for (size_t i = 0; i < policy->account_count; i++)
		if (strcmp(policy->accounts[i].name, name) == 0)
			return &policy->accounts[i];
	return NULL;
}

uint32_t eg_retention_s(const struct eg_retention *retention, enum eg_data_class data,
			enum eg_citizenship class)
{
	assert(data >= EG_DATA_IMAGE && data <= EG_DATA_RECEIPT);
	if (class < EG_CITIZEN || class > EG_CITIZENSHIP_UNKNOWN)
		class = EG_CITIZENSHIP_UNKNOWN;
	return retention->seconds[data - 1][class - 1];
}

static int put_retention(const struct eg_retention *retention, struct eg_buf *out)
{
	int r = eg_cbor_put_map(out, EG_DATA_CLASSES);
	for (unsigned int data = 0; r == 0 && data < EG_DATA_CLASSES; data++) {
		r = eg_cbor_put_uint(out, data + 1);
		if (r == 0)
			r = eg_cbor_put_array(out, EG_CITIZENSHIP_CLASSES);
		for (size_t i = 0; r == 0 && i < EG_CITIZENSHIP_CLASSES; i++)
			r = eg_cbor_put_uint(out, retention->seconds[data][i]);
	}
	return r;
}

static int put_notices(const struct eg_policy *policy, struct eg_buf *out)
{
	int r = eg_cbor_put_array(out, policy->notice_count);
	for (size_t i = 0; r == 0 && i < policy->notice_count; i++) {
		r = eg_cbor_put_array(out, 2);
		if (r == 0)
			r = eg_cbor_put_text(out, policy->notices[i].language);
		if (r == 0)
			r = eg_cbor_put_text(out, policy->notices[i].text);
	}
	return r;
}

static int put_account(const struct eg_account *account, struct eg_buf *out)
{
	int r = eg_cbor_put_array(out,
				  account->has_certificate ? ACCOUNT_PARTS : ACCOUNT_PARTS - 1);
	if (r == 0)
		r = eg_cbor_put_text(out, account->name);
	if (r == 0)
		r = eg_cbor_put_text(out, account->display);
	if (r == 0)
		r = eg_cbor_put_uint(out, account->role);
	if (r == 0)
		r = eg_cbor_put_bytes(out, EG_BYTES(account->salt, sizeof(account->salt)));
	if (r == 0)
		r = eg_cbor_put_bytes(out, EG_BYTES(account->hash, sizeof(account->hash)));
	if (r == 0 && account->has_certificate)
		r = eg_cbor_put_bytes(out,
				      EG_BYTES(account->certificate, sizeof(account->certificate)));
	return r;
}

static int put_accounts(const struct eg_policy *policy, struct eg_buf *out)
{
	int r = eg_cbor_put_array(out, policy->account_count);
	for (size_t i = 0; r == 0 && i < policy->account_count; i++)
		r = put_account(&policy->accounts[i], out);
	return r;
}

static int put_field(const struct eg_policy *policy, unsigned int key, struct eg_buf *out)
{
	switch (key) {
	case 1:
		return eg_cbor_put_text(out, policy->id);
	case 2:
		return eg_cbor_put_uint(out, policy->version);
	case 3:
		return eg_cbor_put_int(out, policy->not_before_ms);
	case 4:
		return eg_cbor_put_int(out, policy->expires_ms);
	case 5:
		return put_retention(&policy->retention, out);
	case 6:
		return eg_cbor_put_double(out, policy->fmr);
	case 7:
		return eg_cbor_put_double(out, policy->fpir);
	case 8:
		return eg_cbor_put_double(out, policy->liveness_min);
	case 9:
		return eg_cbor_put_uint(out, policy->hold_max_s);
	case 10:
		return eg_cbor_put_text(out, policy->notice);
	case 11:
		return put_notices(policy, out);
	case 12:
		return put_accounts(policy, out);
	case 13:
		return eg_cbor_put_uint(out, policy->two_person);
	default:
		return eg_cbor_put_double(out, policy->capture_min);
	}
}

int eg_policy_write(const struct eg_policy *policy, struct eg_buf *out, struct eg_err *err)
{
	struct eg_policy check;
	size_t before = out->size;
	if (policy->notice_count > EG_POLICY_NOTICES_MAX)
		return eg_err_set(err, EG_EINVAL, "policy: %zu notices, at most %d",
				  policy->notice_count, EG_POLICY_NOTICES_MAX);
	if (policy->account_count > EG_POLICY_ACCOUNTS_MAX)
		return eg_err_set(err, EG_EINVAL, "policy: %zu accounts, at most %d",
				  policy->account_count, EG_POLICY_ACCOUNTS_MAX);
	int r = eg_cbor_put_map(out, KEYS);
	for (unsigned int key = 1; r == 0 && key <= KEYS; key++) {
		r = eg_cbor_put_uint(out, key);
		if (r == 0)
			r = put_field(policy, key, out);
	}
	if (r != 0)
		(void)eg_err_set(err, r, "writing the policy: %s", eg_code_name(r));
	else // what is signed must be readable on the booths
		r = eg_policy_read(EG_BYTES(out->data + before, out->size - before), &check, err);
	if (r != 0)
		out->size = before;
	return r;
}

static int get_uint32(struct eg_cur *cur, uint32_t max, uint32_t *ret_value)
{
	uint64_t value = 0;
	int r = eg_cbor_get_uint(cur, &value);
	if (r != 0 || value > max)
		return EG_EINVAL;
	*ret_value = (uint32_t)value;
	return 0;
}

static int get_retention(struct eg_cur *cur, struct eg_retention *retention)
{
	struct eg_cbor_map map;
	int64_t key = 0;
	size_t count = 0, seen = 0;
	int r = eg_cbor_map_open(cur, EG_DATA_CLASSES, &map);
	while (r == 0 && (r = eg_cbor_map_next(&map, &key)) == 1) {
		if (key < EG_DATA_IMAGE || key > EG_DATA_RECEIPT ||
		    eg_cbor_get_array(cur, EG_CITIZENSHIP_CLASSES, &count) != 0 ||
		    count != EG_CITIZENSHIP_CLASSES)
			return EG_EINVAL;
		for (size_t i = 0; i < count; i++) {
			if (get_uint32(cur, EG_RETENTION_MAX_S, &retention->seconds[key - 1][i]) !=
			    0)
				return EG_EINVAL;
		}
		seen++;
		r = 0;
	}
	return r != 0 || seen != EG_DATA_CLASSES ? EG_EINVAL : 0;
}

static int get_name(struct eg_cur *cur, char name[EG_NAME_MAX])
{
	int r = eg_cbor_get_text(cur, name, EG_NAME_MAX);
	return r == 0 && !eg_name_is_valid(name) ? EG_EINVAL : r;
}

static bool is_language(const char *tag)
{
	for (const char *c = tag; *c != '\0'; c++) {
		bool letter = (*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z');
		if (!letter && *c != '-' && !(*c >= '0' && *c <= '9'))
			return false;
	}
	return tag[0] != '\0';
}

static int get_notices(struct eg_cur *cur, struct eg_policy *policy)
{
	size_t pair = 0;
	if (eg_cbor_get_array(cur, EG_POLICY_NOTICES_MAX, &policy->notice_count) != 0)
		return EG_EINVAL;
	for (size_t i = 0; i < policy->notice_count; i++) {
		struct eg_notice *notice = &policy->notices[i];
		if (eg_cbor_get_array(cur, 2, &pair) != 0 || pair != 2 ||
		    eg_cbor_get_text(cur, notice->language, sizeof(notice->language)) != 0 ||
		    !is_language(notice->language) ||
		    eg_parse_printable(cur, notice->text, sizeof(notice->text)) != 0 ||
		    notice->text[0] == '\0')
			return EG_EINVAL;
		for (size_t j = 0; j < i; j++) {
			if (strcmp(notice->language, policy->notices[j].language) == 0)
				return EG_EINVAL;
		}
	}
	return 0;
}

static int get_account(struct eg_cur *cur, struct eg_account *account)
{
	size_t parts = 0;
	uint64_t role = 0;
	if (eg_cbor_get_array(cur, ACCOUNT_PARTS, &parts) != 0 || parts < ACCOUNT_PARTS - 1 ||
	    get_name(cur, account->name) != 0 ||
	    eg_parse_printable(cur, account->display, sizeof(account->display)) != 0 ||
	    account->display[0] == '\0' || eg_cbor_get_uint(cur, &role) != 0 ||
	    role < EG_ROLE_OFFICER || role >= EG_ROLE_COUNT ||
	    eg_parse_exact(cur, account->salt, sizeof(account->salt)) != 0 ||
	    eg_parse_exact(cur, account->hash, sizeof(account->hash)) != 0)
		return EG_EINVAL;
	account->role = (enum eg_role)role;
	account->has_certificate = parts == ACCOUNT_PARTS;
	return account->has_certificate
		       ? eg_parse_exact(cur, account->certificate, sizeof(account->certificate))
		       : 0;
}

// A badge, and a certificate, is one person's.
static bool is_same_person(const struct eg_account *a, const struct eg_account *b)
{
	return strcmp(a->name, b->name) == 0 ||
	       (a->has_certificate && b->has_certificate &&
		memcmp(a->certificate, b->certificate, sizeof(a->certificate)) == 0);
}

static int get_accounts(struct eg_cur *cur, struct eg_policy *policy)
{
	if (eg_cbor_get_array(cur, EG_POLICY_ACCOUNTS_MAX, &policy->account_count) != 0)
		return EG_EINVAL;
	for (size_t i = 0; i < policy->account_count; i++) {
		if (get_account(cur, &policy->accounts[i]) != 0)
			return EG_EINVAL;
		for (size_t j = 0; j < i; j++)
			if (is_same_person(&policy->accounts[i], &policy->accounts[j]))
				return EG_EINVAL;
	}
	return 0;
}

static int get_rate(struct eg_cur *cur, double min, double max, double *ret_rate)
{
	double value = 0;
	int r = eg_cbor_get_double(cur, &value);
	if (r != 0 || value < min || value > max)
		return EG_EINVAL;
	*ret_rate = value;
	return 0;
}

static int get_field(struct eg_cur *cur, int64_t key, struct eg_policy *policy)
{
	int r;
	switch (key) {
	case 1:
		return get_name(cur, policy->id);
	case 2:
		r = eg_cbor_get_uint(cur, &policy->version);
		return r == 0 && (policy->version == 0 || policy->version > INT64_MAX) ? EG_EINVAL
										       : r;
	case 3:
		return eg_parse_time(cur, &policy->not_before_ms);
	case 4:
		return eg_parse_time(cur, &policy->expires_ms);
	case 5:
		return get_retention(cur, &policy->retention);
	case 6:
		return get_rate(cur, 1e-9, 0.1, &policy->fmr);
	case 7:
		return get_rate(cur, 1e-9, 0.1, &policy->fpir);
	case 8:
		return get_rate(cur, 0, 1, &policy->liveness_min);
	case 9:
		return get_uint32(cur, EG_RETENTION_MAX_S, &policy->hold_max_s);
	case 10:
		return get_name(cur, policy->notice);
	case 11:
		return get_notices(cur, policy);
	case 12:
		return get_accounts(cur, policy);
	case 13:
		return get_uint32(cur, EG_DECISION_BITS_ALL, &policy->two_person) != 0 ||
				       (policy->two_person & ~EG_DECISION_BITS_ALL) != 0
			       ? EG_EINVAL
			       : 0;
	default:
		return get_rate(cur, 0, 1, &policy->capture_min);
	}
}

int eg_policy_read(struct eg_bytes payload, struct eg_policy *ret_policy, struct eg_err *err)
{
	static const char *const names[KEYS + 1] = {
		NULL,
		"id",
		"version",
		"not before",
		"expires",
		"retention",
		"FMR",
		"FPIR",
		"liveness",
		"longest hold",
		"notice",
		"notices",
		"accounts",
		"decisions of two people",
		"least capture rate",
	};
	struct eg_policy policy = {0};
	struct eg_cur cur = eg_cur_of(payload);
	struct eg_cbor_map map;
	int64_t key = 0;
	size_t count = 0;
	int r = eg_cbor_map_open(&cur, KEYS, &map);
	while (r == 0 && (r = eg_cbor_map_next(&map, &key)) == 1) {
		if (key < 1 || key > KEYS)
			return eg_err_set(err, EG_EINVAL, "policy: unknown field %" PRId64, key);
		r = get_field(&cur, key, &policy);
		if (r != 0)
			return eg_err_set(err, EG_EINVAL,
					  "policy: field \"%s\" is malformed or out of range",
					  names[key]);
		count++;
	}
	if (r != 0 || count != KEYS || cur.left != 0)
		return eg_err_set(err, EG_EINVAL, "policy: not the %d fields it must be", KEYS);
	if (policy.expires_ms <= policy.not_before_ms)
		return eg_err_set(err, EG_EINVAL, "policy: expires before it begins");
	*ret_policy = policy;
	return 0;
}

int eg_policy_sign(const struct eg_policy *policy, const struct eg_key *centre, struct eg_buf *out,
		   struct eg_err *err)
{
	struct eg_buf payload;
	eg_buf_init(&payload, EG_POLICY_MAX - 1024);
	int r = eg_policy_write(policy, &payload, err);
	if (r == 0)
		r = eg_cose_sign(centre, EG_BYTES_STR(POLICY_CONTEXT), eg_buf_bytes(&payload), out,
				 err);
	eg_buf_done(&payload);
	return r;
}

int eg_policy_verify(struct eg_bytes message, const struct eg_trusted_key *keys, size_t key_count,
		     struct eg_policy *ret_policy, struct eg_err *err)
{
	struct eg_bytes payload;
	if (message.size > EG_POLICY_MAX)
		return eg_err_set(err, EG_EINVAL, "policy: %zu bytes, at most %u", message.size,
				  EG_POLICY_MAX);
	int r = eg_cose_verify(message, EG_BYTES_STR(POLICY_CONTEXT), keys, key_count, &payload,
			       NULL, err);
	return r != 0 ? eg_err_prefix(err, r, "policy") : eg_policy_read(payload, ret_policy, err);
}
