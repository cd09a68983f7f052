// SPDX-License-Identifier: Apache-2.0
//
// audit: is the chain whole, and what does it say. Works on records.db itself, so also with boothd
// and syncd down, and on a copy of the file elsewhere.

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "firmware/base/clock.h"
#include "firmware/base/file.h"
#include "firmware/base/mem.h"
#include "firmware/boothctl/ctl.h"
#include "store/audit.h"
#include "store/trust.h"

struct material {
	struct eg_trust trust;
	struct eg_booth_keys keys;
	struct eg_audit_head known;
	bool has_known;
};

static int load_material(const struct eg_ctl *ctl, const char *known, struct material *m,
			 struct eg_err *err)
{
	struct eg_buf bytes;
	int r;

	eg_buf_init(&bytes, EG_AUDIT_MESSAGE_MAX);
	r = eg_trust_load(ctl->trust, &m->trust, err);
	if (r == 0)
		r = eg_file_read(ctl->booth_keys, &bytes, err);
	if (r == 0) {
		r = eg_booth_keys_decode(eg_buf_bytes(&bytes), &m->keys, err);
		if (r != 0)
			eg_err_prefix(err, r, "%s", ctl->booth_keys);
	}
	if (r == 0 && known != NULL) {
		eg_buf_reset(&bytes);
		r = eg_file_read(known, &bytes, err);
		if (r == 0) {
			r = eg_audit_verify_receipt(eg_buf_bytes(&bytes), m->trust.sign,
						    m->trust.sign_count, &m->known, err);
			if (r != 0)
				eg_err_prefix(err, r, "%s", known);
		}
		if (r == 0 && strcmp(m->known.booth, m->trust.booth) != 0)
			r = eg_err_set(err, EG_EINVAL,
				       "%s is a receipt of booth '%s', this is '%s'", known,
				       m->known.booth, m->trust.booth);
		m->has_known = r == 0;
	}
	eg_buf_done(&bytes);
	return r;
}

static int print_report(const struct eg_ctl *ctl, const struct eg_audit_report *report)
{
	sd_json_variant *v = NULL;
	char text[512];

	eg_audit_sentence(report, text, sizeof(text));
	if (ctl->json) {
		if (sd_json_buildo(&v,
				   SD_JSON_BUILD_PAIR_STRING("fault",
							     eg_audit_fault_name(report->fault)),
				   SD_JSON_BUILD_PAIR_UNSIGNED("entry", report->seq),
				   SD_JSON_BUILD_PAIR_UNSIGNED("other", report->other),
				   SD_JSON_BUILD_PAIR_UNSIGNED("entries", report->entries),
				   SD_JSON_BUILD_PAIR_UNSIGNED("signedTo", report->signed_to),
				   SD_JSON_BUILD_PAIR_UNSIGNED("countersignedTo",
							       report->countersigned_to),
				   SD_JSON_BUILD_PAIR_STRING("text", text)) >= 0)
			(void)sd_json_variant_dump(v, SD_JSON_FORMAT_NEWLINE, stdout, NULL);
		sd_json_variant_unref(v);
	} else {
		(void)printf("%s\n", text);
		if (report->fault != EG_AUDIT_WHOLE)
			(void)puts("next: keep a copy of records.db as it is, and tell the centre");
	}
	return report->fault == EG_AUDIT_WHOLE ? 0 : 1;
}

static int verify(const struct eg_ctl *ctl, struct eg_records *records, const char *known,
		  struct eg_err *err)
{
	struct material *m = eg_calloc(1, sizeof(*m));
	struct eg_audit_report report;
	int r;

	if (m == NULL)
		return eg_err_set(err, EG_ENOMEM, "out of memory");
	r = load_material(ctl, known, m, err);
	if (r == 0)
		r = eg_audit_verify(records, m->keys.sign, m->trust.sign, m->trust.sign_count,
				    m->has_known ? &m->known : NULL, &report, err);
	free(m);
	return r != 0 ? r : print_report(ctl, &report);
}

static bool is_zero(const uint8_t *bytes, size_t size)
{
	for (size_t i = 0; i < size; i++)
		if (bytes[i] != 0)
			return false;
	return true;
}

static int print_entry(void *user, const struct eg_audit_entry *entry)
{
	char at[EG_TIME_TEXT_MAX], id[EG_ID_TEXT_MAX] = "-", digest[17] = "-", actor[17] = "";

	(void)user;
	eg_time_text(entry->wall_ms, at);
	if (!is_zero(entry->subject.bytes, EG_ID_SIZE))
		eg_id_text(&entry->subject, id);
	if (!is_zero(entry->digest, EG_SHA256_SIZE))
		eg_hex(entry->digest, 8, digest);
	if (!is_zero(entry->actor.bytes, EG_ACTOR_SIZE))
		eg_hex(entry->actor.bytes, EG_ACTOR_SIZE, actor);
	(void)printf("%8" PRIu64 "  %s  %-22s  %-36s  %-16s  %6" PRIu64 "  %s\n", entry->seq, at,
		     eg_audit_event_name(entry->event), id, digest, entry->number, actor);
	return 0;
}

static int list(struct eg_records *records, struct eg_err *err)
{
	(void)printf("%8s  %-24s  %-22s  %-36s  %-16s  %6s  %s\n", "entry", "time", "event",
		     "encounter", "digest", "number", "actor");
	return eg_audit_list(records, 1, INT64_MAX, print_entry, NULL, err);
}

int eg_ctl_audit(const struct eg_ctl *ctl, int argc, char **argv)
{
	struct eg_records *records = NULL;
	struct eg_err err = EG_ERR_INIT;
	bool is_known = argc == 4 && strcmp(argv[2], "--known") == 0;
	bool is_verify = argc >= 2 && strcmp(argv[1], "verify") == 0 && (argc == 2 || is_known);
	bool is_list = argc == 2 && strcmp(argv[1], "list") == 0;
	int r;

	if (!is_verify && !is_list) {
		(void)fputs("usage: boothctl audit verify [--known FILE]   FILE: what 'centralctl "
			    "audit receipt' wrote\n       boothctl audit list\n",
			    stderr);
		return 2;
	}
	r = eg_ctl_open_records(ctl, &records, &err);
	if (r == 0)
		r = is_list ? list(records, &err)
			    : verify(ctl, records, is_known ? argv[3] : NULL, &err);
	eg_records_close(records);
	return r >= 0 ? r : eg_ctl_fail(&err);
}
