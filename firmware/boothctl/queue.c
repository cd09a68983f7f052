// SPDX-License-Identifier: Apache-2.0
//
// queue: what waits for the centre and what is stuck. Works on records.db itself, so also with
// boothd and syncd down. Nothing here can open an envelope.

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "firmware/base/clock.h"
#include "firmware/base/file.h"
#include "firmware/boothctl/ctl.h"
#include "store/records.h"

struct listing {
	bool json;
	uint64_t rows;
};

static int row_text(struct listing *listing, const struct eg_records_row *row)
{
	char id[EG_ID_TEXT_MAX], put[EG_TIME_TEXT_MAX];

	if (listing->rows++ == 0)
		(void)printf("%-36s  %-5s  %-24s  %8s  %5s  %s\n", "encounter", "state", "since",
			     "bytes", "tries", "why");
	eg_id_text(&row->id, id);
	eg_time_text(row->put_ms, put);
	(void)printf("%-36s  %-5s  %-24s  %8" PRIu64 "  %5u  %s\n", id,
		     row->dead ? "stuck" : "waits", put, row->bytes, row->attempts, row->sentence);
	return 0;
}

static int row_json(struct listing *listing, const struct eg_records_row *row)
{
	sd_json_variant *v = NULL;
	char id[EG_ID_TEXT_MAX];

	listing->rows++;
	eg_id_text(&row->id, id);
	if (sd_json_buildo(&v, SD_JSON_BUILD_PAIR_STRING("id", id),
			   SD_JSON_BUILD_PAIR_BOOLEAN("stuck", row->dead),
			   SD_JSON_BUILD_PAIR_INTEGER("sinceMs", row->put_ms),
			   SD_JSON_BUILD_PAIR_UNSIGNED("bytes", row->bytes),
			   SD_JSON_BUILD_PAIR_UNSIGNED("tries", row->attempts),
			   SD_JSON_BUILD_PAIR_STRING("why", row->sentence)) >= 0)
		(void)sd_json_variant_dump(v, SD_JSON_FORMAT_NEWLINE, stdout, NULL);
	sd_json_variant_unref(v);
	return 0;
}

static int on_row(void *user, const struct eg_records_row *row)
{
	struct listing *listing = user;

	return listing->json ? row_json(listing, row) : row_text(listing, row);
}

struct search {
	struct eg_id id;
	bool json, found;
};

static int show_row(void *user, const struct eg_records_row *row)
{
	struct search *search = user;
	char id[EG_ID_TEXT_MAX], put[EG_TIME_TEXT_MAX], retry[EG_TIME_TEXT_MAX];
	struct listing one = {.json = search->json};

	if (memcmp(&row->id, &search->id, sizeof(row->id)) != 0)
		return 0;
	search->found = true;
	if (search->json)
		return row_json(&one, row);
	eg_id_text(&row->id, id);
	eg_time_text(row->put_ms, put);
	eg_time_text(row->retry_ms, retry);
	(void)printf("  %-12s %s\n  %-12s %s\n  %-12s %s\n", "encounter", id, "state",
		     row->dead ? "stuck: the centre refused it" : "waits for the centre", "since",
		     put);
	(void)printf("  %-12s %" PRIu64 " bytes, sealed to the centre: it cannot be opened here\n",
		     "size", row->bytes);
	(void)printf("  %-12s %u%s%s\n", "tries", row->attempts,
		     !row->dead && row->attempts > 0 ? ", the next one after " : "",
		     !row->dead && row->attempts > 0 ? retry : "");
	if (row->sentence[0] != '\0')
		(void)printf("  %-12s %s\n", "why", row->sentence);
	if (row->dead)
		(void)printf("  %-12s boothctl queue resend %s\n", "next", id);
	return 0;
}

// What it is of, and what became of the face in it: not the face.
static int show_envelope(struct eg_records *records, const struct eg_id *id, struct eg_err *err)
{
	struct eg_envelope_facts facts;
	struct eg_buf envelope;
	int r;

	eg_buf_init(&envelope, EG_ENVELOPE_MAX);
	r = eg_records_get(records, id, &envelope, err);
	if (r == 0 && eg_envelope_inspect(eg_buf_bytes(&envelope), &facts, NULL) == 0)
		(void)printf("  %-12s %s\n  %-12s %s\n", "kind", eg_envelope_kind_name(facts.kind),
			     "face", eg_face_part_name(facts.image));
	else if (r == 0)
		(void)printf("  %-12s the envelope is damaged\n", "face");
	eg_buf_done(&envelope);
	return r == EG_ENOENT ? 0 : r; // damaged ones may have lost it; delivered ones are gone
}

static int show(const struct eg_ctl *ctl, struct eg_records *records, const char *text,
		struct eg_err *err)
{
	struct search search = {.json = ctl->json};
	int r;

	if (eg_id_parse(text, &search.id) != 0)
		return eg_err_set(err, EG_EINVAL,
				  "'%s' is no encounter id; boothctl queue lists them", text);
	r = eg_records_list(records, show_row, &search, err);
	if (r == 0 && !search.found)
		r = eg_err_set(err, EG_ENOENT,
			       "%s is not in the queue: it was delivered and erased, or is not of "
			       "this booth",
			       text);
	if (r == 0 && !ctl->json)
		r = show_envelope(records, &search.id, err);
	return r;
}

// The envelope as it lies here: sealed to the centre, so it may travel on a stick.
static int export_one(struct eg_records *records, const char *text, const char *path,
		      struct eg_err *err)
{
	struct eg_buf envelope;
	struct eg_id id;
	int r;

	if (eg_id_parse(text, &id) != 0)
		return eg_err_set(err, EG_EINVAL,
				  "'%s' is no encounter id; boothctl queue lists them", text);
	if (access(path, F_OK) == 0)
		return eg_err_set(err, EG_ECONFLICT, "%s is there already; give another name",
				  path);
	eg_buf_init(&envelope, EG_ENVELOPE_MAX);
	r = eg_records_get(records, &id, &envelope, err);
	if (r == 0)
		r = eg_file_write(path, eg_buf_bytes(&envelope), 0600, err);
	if (r == 0)
		(void)printf("%s: %zu bytes, sealed to the centre. It stays in the queue here; "
			     "the centre takes it by 'centralctl encounters import %s'.\n",
			     path, envelope.size, path);
	eg_buf_done(&envelope);
	return r;
}

static int list(const struct eg_ctl *ctl, struct eg_records *records, struct eg_err *err)
{
	struct listing listing = {.json = ctl->json};
	struct eg_records_facts facts;
	int r;

	r = eg_records_list(records, on_row, &listing, err);
	if (r == 0)
		r = eg_records_facts(records, &facts, err);
	if (r == 0 && !ctl->json)
		(void)printf("%s%" PRIu64 " waiting, %" PRIu64 " stuck, %" PRIu64
			     " delivered and erased\n",
			     listing.rows > 0 ? "\n" : "", facts.queued, facts.dead,
			     facts.acknowledged);
	return r;
}

static int resend(struct eg_records *records, const char *text, struct eg_err *err)
{
	struct eg_id id;
	int r;

	if (eg_id_parse(text, &id) != 0)
		return eg_err_set(err, EG_EINVAL,
				  "'%s' is no encounter id; boothctl queue lists them", text);
	r = eg_records_resend(records, &id, err);
	if (r == 0)
		(void)puts("it waits to be sent again");
	return r;
}

int eg_ctl_open_records(const struct eg_ctl *ctl, struct eg_records **ret_records,
			struct eg_err *err)
{
	if (access(ctl->records, F_OK) != 0)
		return eg_err_errno(err, errno, "%s (has boothd run? else give --records PATH)",
				    ctl->records);
	return eg_records_open(ctl->records, ret_records, err);
}

int eg_ctl_queue(const struct eg_ctl *ctl, int argc, char **argv)
{
	struct eg_records *records = NULL;
	struct eg_err err = EG_ERR_INIT;
	bool is_list = argc == 1 || (argc == 2 && strcmp(argv[1], "list") == 0);
	bool is_resend = argc == 3 && strcmp(argv[1], "resend") == 0;
	bool is_show = argc == 3 && strcmp(argv[1], "show") == 0;
	bool is_export = argc == 4 && strcmp(argv[1], "export") == 0;
	int r;

	if (!is_list && !is_show && !is_resend && !is_export) {
		(void)fputs("usage: boothctl queue [list]\n       boothctl queue show ID\n"
			    "       boothctl queue resend ID\n"
			    "       boothctl queue export ID FILE\n",
			    stderr);
		return 2;
	}
	r = eg_ctl_open_records(ctl, &records, &err);
	if (r == 0 && is_list)
		r = list(ctl, records, &err);
	else if (r == 0 && is_show)
		r = show(ctl, records, argv[2], &err);
	else if (r == 0 && is_export)
		r = export_one(records, argv[2], argv[3], &err);
	else if (r == 0)
		r = resend(records, argv[2], &err);
	eg_records_close(records);
	return r == 0 ? 0 : eg_ctl_fail(&err);
}
