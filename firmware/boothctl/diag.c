// SPDX-License-Identifier: Apache-2.0
//
// diag: one JSON file for support, with what boothd and syncd say of themselves, the queue without
// contents, and the machine. No face, no name, no document number, no key: it is put together from
// parts that hold none, never by copying files.

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <sys/utsname.h>

#include "firmware/base/buf.h"
#include "firmware/base/clock.h"
#include "firmware/base/file.h"
#include "firmware/base/crypto.h"
#include "firmware/boothctl/ctl.h"
#include "store/records.h"

#define DIAG_MAX (16u << 20)

static sd_json_variant *ask(const char *socket, const char *program, const char *method)
{
	sd_json_variant *reply = NULL;
	struct eg_err err = EG_ERR_INIT;

	if (eg_ctl_call(socket, program, method, NULL, &reply, &err) != 0)
		(void)sd_json_buildo(&reply, SD_JSON_BUILD_PAIR_STRING("unreachable", err.text));
	return reply;
}

static int on_row(void *user, const struct eg_records_row *row)
{
	sd_json_variant **list = user;
	char id[EG_ID_TEXT_MAX];

	eg_id_text(&row->id, id);
	return sd_json_variant_append_arraybo(list, SD_JSON_BUILD_PAIR_STRING("id", id),
					      SD_JSON_BUILD_PAIR_BOOLEAN("stuck", row->dead),
					      SD_JSON_BUILD_PAIR_INTEGER("sinceMs", row->put_ms),
					      SD_JSON_BUILD_PAIR_UNSIGNED("bytes", row->bytes),
					      SD_JSON_BUILD_PAIR_UNSIGNED("tries", row->attempts),
					      SD_JSON_BUILD_PAIR_STRING("why", row->sentence)) < 0
		       ? EG_ENOMEM
		       : 0;
}

static sd_json_variant *queue(const struct eg_ctl *ctl)
{
	struct eg_records *records = NULL;
	struct eg_err err = EG_ERR_INIT;
	sd_json_variant *list = NULL;
	int r;

	r = eg_records_open(ctl->records, &records, &err);
	if (r == 0)
		r = eg_records_list(records, on_row, &list, &err);
	eg_records_close(records);
	if (r != 0)
		(void)sd_json_buildo(&list, SD_JSON_BUILD_PAIR_STRING("unreadable", err.text));
	else if (list == NULL)
		(void)sd_json_variant_new_array(&list, NULL, 0);
	return list;
}

static sd_json_variant *machine(const struct eg_ctl *ctl)
{
	char now[EG_TIME_TEXT_MAX];
	sd_json_variant *v = NULL;
	struct statvfs disk = {0};
	struct utsname name = {0};

	(void)uname(&name);
	(void)statvfs(ctl->records, &disk);
	eg_time_text(eg_wall_ms(eg_clock_system()), now);
	(void)sd_json_buildo(&v, SD_JSON_BUILD_PAIR_STRING("kernel", name.release),
			     SD_JSON_BUILD_PAIR_STRING("machine", name.machine),
			     SD_JSON_BUILD_PAIR_STRING("time", now),
			     SD_JSON_BUILD_PAIR_INTEGER("upMs", eg_boot_ms(eg_clock_system())),
			     SD_JSON_BUILD_PAIR_UNSIGNED("diskFreeBytes",
							 (uint64_t)disk.f_bavail * disk.f_frsize),
			     SD_JSON_BUILD_PAIR_UNSIGNED("diskBytes",
							 (uint64_t)disk.f_blocks * disk.f_frsize));
	return v;
}

static int write_out(const char *path, sd_json_variant *v, struct eg_err *err)
{
	struct eg_buf out;
	char *text = NULL;
	int r;

	if (sd_json_variant_format(v, SD_JSON_FORMAT_PRETTY | SD_JSON_FORMAT_NEWLINE, &text) < 0)
		return eg_err_set(err, EG_ENOMEM, "out of memory");
	eg_buf_init(&out, DIAG_MAX);
	r = eg_buf_put(&out, text, strlen(text));
	if (r != 0)
		r = eg_err_set(err, r, "the report is larger than %u bytes", DIAG_MAX);
	else
		r = eg_file_write(path, eg_buf_bytes(&out), 0644, err);
	eg_buf_done(&out);
	free(text);
	return r;
}

int eg_ctl_diag(const struct eg_ctl *ctl, int argc, char **argv)
{
	sd_json_variant *booth, *sync, *rows, *host, *all = NULL;
	struct eg_err err = EG_ERR_INIT;
	int r = 0;

	if (argc != 2) {
		(void)fputs(
			"usage: boothctl diag FILE.json     a report for support, without faces, "
			"names or document numbers\n",
			stderr);
		return 2;
	}
	booth = ask(ctl->booth_socket, "boothd", "io.egress.Booth.GetStatus");
	sync = ask(ctl->sync_socket, "syncd", "io.egress.Sync.Status");
	rows = queue(ctl);
	host = machine(ctl);
	if (r == 0 && sd_json_buildo(&all, SD_JSON_BUILD_PAIR_STRING("egress", EG_VERSION),
				     SD_JSON_BUILD_PAIR_VARIANT("machine", host),
				     SD_JSON_BUILD_PAIR_VARIANT("booth", booth),
				     SD_JSON_BUILD_PAIR_VARIANT("sync", sync),
				     SD_JSON_BUILD_PAIR_VARIANT("queue", rows)) < 0)
		r = eg_err_set(&err, EG_ENOMEM, "out of memory");
	if (r == 0)
		r = write_out(argv[1], all, &err);
	if (r == 0)
		(void)printf("%s is written; it holds no face, name or document number\n", argv[1]);
	sd_json_variant_unref(all);
	sd_json_variant_unref(booth);
	sd_json_variant_unref(sync);
	sd_json_variant_unref(rows);
	sd_json_variant_unref(host);
	return r == 0 ? 0 : eg_ctl_fail(&err);
}
