// SPDX-License-Identifier: Apache-2.0
//
// See accounts.h.

#include "firmware/consoled/accounts.h"

#include <string.h>

int accounts_take(struct accounts *accounts, struct eg_bytes message, const struct eg_trust *trust,
		  bool *ret_changed, struct eg_err *err)
{
	static struct eg_policy policy; // large, and there is one thread
	uint8_t digest[EG_SHA256_SIZE];
	int r = eg_sha256(message, digest);

	if (r != 0)
		return eg_err_set(err, r, "policy: no SHA-256");
	*ret_changed = !accounts->there || memcmp(digest, accounts->digest, sizeof(digest)) != 0;
	if (!*ret_changed)
		return 0;
	r = eg_policy_verify(message, trust->sign, trust->sign_count, &policy, err);
	if (r != 0)
		return eg_err_prefix(err, r, "policy");
	if (accounts->there && policy.version < accounts->policy.version)
		return eg_err_set(err, EG_ESTALE,
				  "policy: version %llu came after %llu; versions only rise",
				  (unsigned long long)policy.version,
				  (unsigned long long)accounts->policy.version);
	accounts->policy = policy;
	memcpy(accounts->digest, digest, sizeof(digest));
	accounts->there = true;
	return 0;
}

const struct eg_account *accounts_by_badge(const struct accounts *accounts, const char *badge)
{
	return accounts->there ? eg_policy_account(&accounts->policy, badge) : NULL;
}

const struct eg_account *accounts_by_certificate(const struct accounts *accounts,
						 const uint8_t digest[EG_SHA256_SIZE])
{
	const struct eg_policy *policy = &accounts->policy;

	for (size_t i = 0; accounts->there && i < policy->account_count; i++)
		if (policy->accounts[i].has_certificate &&
		    memcmp(policy->accounts[i].certificate, digest, EG_SHA256_SIZE) == 0)
			return &policy->accounts[i];
	return NULL;
}

bool accounts_want_certificates(const struct accounts *accounts)
{
	const struct eg_policy *policy = &accounts->policy;

	for (size_t i = 0; accounts->there && i < policy->account_count; i++)
		if (policy->accounts[i].has_certificate)
			return true;
	return false;
}
