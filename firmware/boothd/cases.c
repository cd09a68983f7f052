// SPDX-License-Identifier: Apache-2.0

#include "firmware/boothd/cases.h"

#include <stdio.h>
#include <string.h>

#include "firmware/base/mem.h"

struct eg_cases *eg_cases_new(void)
{
	return eg_secret_alloc(sizeof(struct eg_cases));
}

void eg_cases_free(struct eg_cases *cases)
{
	if (cases == NULL)
		return;
	for (size_t i = 0; i < EG_CASES_MAX; i++)
		eg_case_hide(&cases->item[i]);
	eg_secret_free(cases, sizeof(*cases));
}

struct eg_case *eg_cases_make(struct eg_cases *cases)
{
	struct eg_case *one = &cases->item[cases->next];

	eg_case_hide(one);
	eg_wipe(one, sizeof(*one));
	one->used = true;
	cases->next = (cases->next + 1) % EG_CASES_MAX;
	return one;
}

struct eg_case *eg_cases_at(struct eg_cases *cases, size_t k)
{
	struct eg_case *one;

	if (k >= EG_CASES_MAX)
		return NULL;
	one = &cases->item[(cases->next + 2 * EG_CASES_MAX - 1 - k) % EG_CASES_MAX];
	return one->used ? one : NULL;
}

struct eg_case *eg_cases_find(struct eg_cases *cases, const struct eg_id *encounter)
{
	for (size_t i = 0; i < EG_CASES_MAX; i++)
		if (cases->item[i].used && eg_id_compare(&cases->item[i].encounter, encounter) == 0)
			return &cases->item[i];
	return NULL;
}

struct eg_case *eg_cases_of_session(struct eg_cases *cases, uint64_t session)
{
	for (size_t i = 0; i < EG_CASES_MAX; i++)
		if (cases->item[i].used && session != 0 && cases->item[i].session == session)
			return &cases->item[i];
	return NULL;
}

static int copy(struct eg_buf *to, struct eg_bytes from)
{
	eg_buf_init_secret(to, from.size);
	return eg_buf_put(to, from.data, from.size);
}

void eg_case_show(struct eg_case *one, const struct eg_person *person, struct eg_bytes probe,
		  int64_t until_ms)
{
	one->faces_until_ms = until_ms;
	if (probe.size > 0 && copy(&one->probe, probe) != 0)
		eg_buf_done(&one->probe);
	if (person == NULL)
		return;
	(void)snprintf(one->name, sizeof(one->name), "%s", person->name);
	for (size_t i = 0; i < person->portrait_count; i++) {
		struct eg_portrait *to = &one->reference[one->reference_count];

		*to = person->portrait[i];
		if (copy(&to->jpeg, eg_buf_bytes(&person->portrait[i].jpeg)) != 0)
			eg_buf_done(&to->jpeg);
		else
			one->reference_count++;
	}
}

void eg_case_hide(struct eg_case *one)
{
	eg_buf_done(&one->probe);
	for (size_t i = 0; i < one->reference_count; i++)
		eg_buf_done(&one->reference[i].jpeg);
	eg_wipe(one->reference, sizeof(one->reference));
	one->reference_count = 0;
	eg_wipe(one->name, sizeof(one->name));
	one->faces_until_ms = 0;
}

bool eg_case_attention(const struct eg_case *one)
{
	return one->verdict == EG_VERDICT_REFER && one->decision == 0;
}

bool eg_case_may_go(const struct eg_case *one)
{
	if (one->decision == 0)
		return one->verdict == EG_VERDICT_CONFIRMED;
	return one->decision == EG_DECISION_CONFIRMED_BY_DOCUMENT;
}
