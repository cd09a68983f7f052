// SPDX-License-Identifier: Apache-2.0
//
// For bench_drain: a long queue, and boothd's side of records.db while it drains.
//
// fill    puts COUNT real envelopes of BYTES each, without flushing any of them: nothing is
//         promised until the end, and 100,000 flushes would be most of the time.
// write   for as long as standard input is open: boothd's keeper on a thread of its own, and every
//         PAUSE_MS an encounter put; prints how long each put took, and beside it a plain write
//         and flush of as many bytes to another file, in ms.
// loose   writes COUNT envelopes to files FOLDER/ID, for another client to send.

#include "sealing.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "firmware/base/file.h"
#include "firmware/boothd/keeper.h"
#include "store/records.h"

#define ROOM 1000000 // so that the writer is never refused for the queue's length

static int sync_nothing(sqlite3_file *file, int flags)
{
	(void)file;
	(void)flags;
	return SQLITE_OK;
}

static sqlite3_vfs *real;

static int open_unflushed(sqlite3_vfs *vfs, sqlite3_filename name, sqlite3_file *file, int flags,
			  int *ret_flags)
{
	// The main file's methods lock, the log's do not: one set each.
	static sqlite3_io_methods sets[2];
	(void)vfs;
	int code = real->xOpen(real, name, file, flags, ret_flags);
	if (code != SQLITE_OK || file->pMethods == NULL)
		return code;
	sqlite3_io_methods *methods = &sets[(flags & SQLITE_OPEN_MAIN_DB) != 0];
	*methods = *file->pMethods;
	methods->xSync = sync_nothing;
	file->pMethods = methods;
	return code;
}

static void do_not_flush(void)
{
	static sqlite3_vfs vfs;
	real = sqlite3_vfs_find(NULL);
	vfs = *real;
	vfs.zName = "unflushed";
	vfs.xOpen = open_unflushed;
	(void)sqlite3_vfs_register(&vfs, 1);
}

// An envelope is a face and some 700 bytes: the first one tells exactly.
static size_t face_for(struct sealing *sealing, size_t bytes, struct eg_err *err)
{
	struct eg_id id;
	if (sealing_one(sealing, 1000, &id, err) != 0)
		return 0;
	return bytes - (sealing->envelope.size - 1000);
}

static int put_one(struct sealing *sealing, struct eg_records *records, size_t face,
		   struct eg_err *err)
{
	struct eg_id id;
	int r = sealing_one(sealing, face, &id, err);
	return r != 0 ? r
		      : eg_records_put(records, &id, eg_buf_bytes(&sealing->envelope),
				       eg_wall_ms(eg_clock_system()), err);
}

static int fill(struct sealing *sealing, const char *path, unsigned long count, size_t face,
		struct eg_err *err)
{
	struct eg_records *records = NULL;
	do_not_flush();
	int r = eg_records_open(path, &records, err);
	if (r != 0)
		return r;
	eg_records_set_max(records, ROOM);
	for (unsigned long i = 0; r == 0 && i < count; i++)
		r = put_one(sealing, records, face, err);
	eg_records_close(records);
	sync();
	return r;
}

static double now_ms(void)
{
	struct timespec now;
	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static int write_on(struct sealing *sealing, const char *path, int pause_ms, size_t face,
		    struct eg_err *err)
{
	struct eg_keeper_config config = {.records = path,
					  .manifests = "none",
					  .booth = sealing->trust.booth,
					  .keys = sealing->trust.sign,
					  .key_count = sealing->trust.sign_count,
					  .record_key = sealing->key,
					  .clock = eg_clock_system()};
	struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
	struct eg_records *records = NULL;
	struct eg_keeper *keeper = NULL;
	struct eg_id id;
	char plain_path[512];
	(void)snprintf(plain_path, sizeof(plain_path), "%s.plain", path);
	int plain = open(plain_path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	int r = plain < 0 ? eg_err_errno(err, errno, "%s", plain_path)
			  : eg_records_open(path, &records, err);
	if (r == 0)
		r = eg_keeper_new(&config, &keeper, err);
	if (r == 0)
		eg_records_set_max(records, ROOM);
	while (r == 0 && poll(&input, 1, pause_ms) == 0) {
		r = sealing_one(sealing, face, &id, err);
		if (r != 0)
			break;
		double begun = now_ms();
		r = eg_records_put(records, &id, eg_buf_bytes(&sealing->envelope),
				   eg_wall_ms(eg_clock_system()), err);
		double put = now_ms();
		// What the disk alone takes for as many bytes.
		if (r == 0 &&
		    (pwrite(plain, sealing->envelope.data, sealing->envelope.size, 0) < 0 ||
		     fdatasync(plain) != 0))
			r = eg_err_errno(err, errno, "%s", plain_path);
		(void)printf("%.2f %.2f\n", put - begun, now_ms() - put);
		(void)fflush(stdout);
	}
	eg_keeper_free(keeper);
	eg_records_close(records);
	if (plain >= 0)
		(void)close(plain);
	return r;
}

static int loose(struct sealing *sealing, const char *folder, unsigned long count, size_t face,
		 struct eg_err *err)
{
	int r = 0;
	for (unsigned long i = 0; r == 0 && i < count; i++) {
		char path[512], text[EG_ID_TEXT_MAX];
		struct eg_id id;
		r = sealing_one(sealing, face, &id, err);
		if (r != 0)
			break;
		eg_id_text(&id, text);
		(void)snprintf(path, sizeof(path), "%s/%s", folder, text);
		r = eg_file_write(path, eg_buf_bytes(&sealing->envelope), 0600, err);
	}
	return r;
}

int main(int argc, char **argv)
{
	static struct sealing sealing;
	struct eg_err err = EG_ERR_INIT;

	if (argc != 7) {
		(void)fputs("usage: system_drain fill|write|loose TRUST RECORD_KEY "
			    "RECORDS|RECORDS|FOLDER COUNT|PAUSE_MS|COUNT BYTES\n",
			    stderr);
		return 2;
	}
	unsigned long number = strtoul(argv[5], NULL, 10), bytes = strtoul(argv[6], NULL, 10);
	if (bytes < 2000 || bytes > SEALING_FACE_MAX) {
		(void)fprintf(stderr, "system_drain: %s bytes: must be 2000 to %d\n", argv[6],
			      SEALING_FACE_MAX);
		return 2;
	}
	int r = sealing_init(&sealing, argv[2], argv[3], &err);
	size_t face = r == 0 ? face_for(&sealing, bytes, &err) : 0;
	if (face == 0)
		r = err.code;
	else if (strcmp(argv[1], "fill") == 0)
		r = fill(&sealing, argv[4], number, face, &err);
	else if (strcmp(argv[1], "write") == 0)
		r = write_on(&sealing, argv[4], (int)number, face, &err);
	else
		r = loose(&sealing, argv[4], number, face, &err);
	sealing_done(&sealing);
	if (r != 0)
		(void)fprintf(stderr, "system_drain: %s\n", err.text);
	return r == 0 ? 0 : 1;
}
