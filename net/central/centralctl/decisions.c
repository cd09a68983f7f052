// SPDX-License-Identifier: Apache-2.0
//
// See decisions.h.

#include "net/central/centralctl/decisions.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "net/central/centralctl/ctl.h"
#include "store/decision.h"

#define BYTES_MAX (512u << 20)

struct entry {
	struct eg_decision_record record;
	int64_t received_ms;
	bool shown;
};

void decisions_init(struct decisions *decisions)
{
	eg_buf_init_secret(&decisions->entries, BYTES_MAX);
}

void decisions_done(struct decisions *decisions)
{
	eg_buf_done(&decisions->entries);
}

static struct entry *entries(const struct decisions *decisions, size_t *ret_count)
{
	*ret_count = decisions->entries.size / sizeof(struct entry);
	return (struct entry *)(void *)decisions->entries.data; // malloc's alignment
}

int decisions_add(struct decisions *decisions, struct eg_ledger *ledger, const struct eg_key *open,
		  const struct eg_encounter_row *row, struct eg_bytes envelope, struct eg_err *err)
{
	struct eg_trusted_key keys[CTL_KEYS_MAX];
	struct entry entry = {.received_ms = row->received_ms};
	size_t count = 0;
	int r = eg_ledger_signing_keys(ledger, row->booth, keys, CTL_KEYS_MAX, &count, err);
	if (r != 0)
		return r;
	r = EG_EAUTH;
	for (size_t n = 0; n < count && r == EG_EAUTH; n++)
		r = eg_decision_open(envelope, open, row->booth, keys[n].pub, &entry.record, err);
	if (r == 0 && eg_buf_put(&decisions->entries, &entry, sizeof(entry)) != 0)
		r = eg_err_set(err, EG_ETOOBIG, "too many decisions for this machine's memory");
	return r;
}

static int compare(const void *a, const void *b)
{
	const struct eg_decision_record *one = &((const struct entry *)a)->record;
	const struct eg_decision_record *other = &((const struct entry *)b)->record;
	int order = eg_id_compare(&one->encounter, &other->encounter);
	if (order == 0 && one->decided_ms != other->decided_ms)
		order = one->decided_ms < other->decided_ms ? -1 : 1;
	return order != 0 ? order : eg_id_compare(&one->id, &other->id);
}

void decisions_sort(struct decisions *decisions)
{
	size_t count;
	struct entry *all = entries(decisions, &count);
	if (count > 1)
		qsort(all, count, sizeof(*all), compare);
}

// The first that is about this encounter, or NULL; the others follow it.
static struct entry *find(const struct decisions *decisions, const struct eg_id *encounter,
			  struct entry **ret_end)
{
	size_t count, low = 0;
	struct entry *all = entries(decisions, &count);
	size_t high = count;
	*ret_end = NULL;
	if (count == 0)
		return NULL;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (eg_id_compare(&all[middle].record.encounter, encounter) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	for (high = low; high < count && eg_id_compare(&all[high].record.encounter, encounter) == 0;
	     high++)
		;
	*ret_end = all + high;
	return all + low;
}

static void print_entry(const struct entry *entry)
{
	const struct eg_decision_record *record = &entry->record;
	char at[EG_TIME_TEXT_MAX];
	eg_time_text(record->decided_ms, at);
	(void)printf("  decided %s  %s, %s, by %s", at, eg_decision_name(record->decision),
		     eg_decision_reason_name(record->reason), record->by);
	if (record->second[0] != '\0')
		(void)printf(" and %s", record->second);
	(void)putchar('\n');
}

void decisions_print(struct decisions *decisions, const struct eg_encounter_row *encounter)
{
	struct entry *end = NULL;
	for (struct entry *entry = find(decisions, &encounter->id, &end); entry < end; entry++) {
		if (strcmp(entry->record.booth, encounter->booth) != 0)
			continue;
		print_entry(entry);
		entry->shown = true;
	}
}

static int entry_json(const struct entry *entry, sd_json_variant **json)
{
	const struct eg_decision_record *record = &entry->record;
	char id[EG_ID_TEXT_MAX], at[EG_TIME_TEXT_MAX], received[EG_TIME_TEXT_MAX];
	eg_id_text(&record->id, id);
	eg_time_text(record->decided_ms, at);
	eg_time_text(entry->received_ms, received);
	int r = sd_json_buildo(
		json, SD_JSON_BUILD_PAIR_STRING("id", id),
		SD_JSON_BUILD_PAIR_STRING("received", received),
		SD_JSON_BUILD_PAIR_STRING("decided", at),
		SD_JSON_BUILD_PAIR_STRING("decision", eg_decision_name(record->decision)),
		SD_JSON_BUILD_PAIR_STRING("reason", eg_decision_reason_name(record->reason)),
		SD_JSON_BUILD_PAIR_STRING("by", record->by));
	if (r >= 0 && record->second[0] != '\0')
		r = sd_json_variant_set_field_string(json, "second", record->second);
	return r;
}

int decisions_put_json(struct decisions *decisions, const struct eg_encounter_row *encounter,
		       sd_json_variant **json)
{
	sd_json_variant *list = NULL;
	struct entry *end = NULL;
	int r = 0;
	for (struct entry *entry = find(decisions, &encounter->id, &end); r >= 0 && entry < end;
	     entry++) {
		sd_json_variant *one = NULL;
		if (strcmp(entry->record.booth, encounter->booth) != 0)
			continue;
		r = entry_json(entry, &one);
		if (r >= 0)
			r = sd_json_variant_append_array(&list, one);
		sd_json_variant_unref(one);
		entry->shown = true;
	}
	if (r >= 0 && list != NULL)
		r = sd_json_variant_set_field(json, "decisions", list);
	sd_json_variant_unref(list);
	return r;
}

static int print_rest_json(const struct entry *entry, const char *encounter)
{
	sd_json_variant *json = NULL;
	int r = entry_json(entry, &json);
	if (r >= 0)
		r = sd_json_variant_set_field_string(&json, "kind", "decision");
	if (r >= 0)
		r = sd_json_variant_set_field_string(&json, "booth", entry->record.booth);
	if (r >= 0)
		r = sd_json_variant_set_field_string(&json, "encounter", encounter);
	if (r >= 0)
		r = sd_json_variant_dump(json, SD_JSON_FORMAT_NEWLINE, stdout, NULL);
	sd_json_variant_unref(json);
	return r;
}

int decisions_print_rest(struct decisions *decisions, bool json, struct eg_err *err)
{
	size_t count;
	const struct entry *all = entries(decisions, &count);
	char encounter[EG_ID_TEXT_MAX];
	for (size_t i = 0; i < count; i++) {
		if (all[i].shown)
			continue;
		eg_id_text(&all[i].record.encounter, encounter);
		if (json) {
			if (print_rest_json(&all[i], encounter) < 0)
				return eg_err_set(err, EG_ENOMEM, "out of memory");
			continue;
		}
		(void)printf("%s  of %s has not come yet\n", encounter, all[i].record.booth);
		print_entry(&all[i]);
	}
	return 0;
}
