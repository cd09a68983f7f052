// SPDX-License-Identifier: Apache-2.0
//
// travellers import. Two passes: first every photo is looked at, which takes a while and holds no
// lock; then everything is written, in transactions of at most GROUP_MS, so that centrald, which
// waits 5 s for the file, never has to refuse a booth. A photo is read again for writing, and must
// still have the digest of what was looked at. Every row replaces an older one: after a failure the
// import is simply done again.

#include <dirent.h>
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "firmware/base/file.h"
#include "firmware/base/mem.h"
#include "net/central/centralctl/ctl.h"
#include "net/central/intake.h"
#include "net/central/roster.h"

#define GROUP_MS 250 // a transaction is ended when it took so long
#define PAUSE_MS 120 // ... for others to have the file: SQLite looks every 100 ms

struct photo {
	char *file; // name inside the folder
	struct eg_photo_name name;
	uint8_t digest[EG_SHA256_SIZE];
};

struct import {
	struct ctl *ctl;
	char csv[EG_CENTRE_PATH_MAX];
	char photos[EG_CENTRE_PATH_MAX]; // "" : none
	const char *pack;
	struct eg_roster roster;
	struct eg_intake *intake;
	struct photo *photo;
	size_t count, room, refused;
	size_t kept;	  // photos that are on disk
	bool committed;	  // something is
	int64_t group_ms; // boot time at which the transaction began
};

static int read_photo(const struct import *import, const char *file, struct eg_buf *bytes,
		      struct eg_err *err)
{
	char path[EG_CENTRE_PATH_MAX];
	int r = eg_centre_path(import->photos, file, path, err);
	return r != 0 ? r : eg_file_read(path, bytes, err);
}

static void list_refused(struct import *import, const char *file, const char *why)
{
	if (import->refused++ == 0)
		(void)printf("Photos that are not taken:\n%-40s %s\n", "PHOTO", "WHY");
	(void)printf("%-40s %s\n", file, why);
}

static int keep(struct import *import, const struct photo *photo, struct eg_err *err)
{
	if (import->count == import->room) {
		size_t room = import->room == 0 ? 256 : 2 * import->room;
		void *grown = eg_realloc(import->photo, room, sizeof(*photo));
		if (grown == NULL)
			return eg_err_set(err, EG_ENOMEM, "out of memory");
		import->photo = grown;
		import->room = room;
	}
	import->photo[import->count] = *photo;
	import->photo[import->count].file = eg_strdup(photo->file);
	if (import->photo[import->count].file == NULL)
		return eg_err_set(err, EG_ENOMEM, "out of memory");
	import->count++;
	return 0;
}

// Is it a photo's fault, or ours?
static bool is_verdict(int r)
{
	return r == EG_EINVAL || r == EG_ETOOBIG || r == EG_EUNSUPPORTED;
}

static int look_at(struct import *import, char *file, struct eg_err *err)
{
	struct photo photo = {.file = file};
	struct eg_err why = EG_ERR_INIT;
	struct eg_buf bytes;
	if (eg_roster_photo_name(file, &photo.name) != 0) {
		list_refused(import, file, "not named ID.jpg or ID_SOURCE_YEAR.jpg");
		return 0;
	}
	if (eg_roster_find(&import->roster, photo.name.id) == NULL) {
		list_refused(import, file, "nobody in the list has this id");
		return 0;
	}
	eg_buf_init(&bytes, EG_PHOTO_MAX);
	int r = read_photo(import, file, &bytes, &why);
	if (r == 0)
		r = eg_intake_check(import->intake, eg_buf_bytes(&bytes), &why);
	if (r == 0)
		r = eg_sha256(eg_buf_bytes(&bytes), photo.digest);
	eg_buf_done(&bytes);
	if (r == 0)
		return keep(import, &photo, err);
	if (!is_verdict(r)) {
		*err = why;
		return eg_err_prefix(err, r, "photo '%s'", file);
	}
	list_refused(import, file, why.text);
	return 0;
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static int look_at_all(struct import *import, struct eg_err *err)
{
	struct dirent **entry = NULL;
	int count = scandir(import->photos, &entry, NULL, by_name);
	int r = count < 0 ? eg_err_errno(err, errno, "%s", import->photos) : 0;
	if (r == 0)
		r = eg_intake_new(import->pack, &import->intake, err);
	for (int i = 0; i < count; i++) {
		if (r == 0 && entry[i]->d_name[0] != '.')
			r = look_at(import, entry[i]->d_name, err);
		free(entry[i]);
	}
	free(entry);
	return r;
}

static int put_photo(struct import *import, struct eg_ledger *ledger, const struct photo *photo,
		     struct eg_err *err)
{
	uint8_t digest[EG_SHA256_SIZE];
	struct eg_buf bytes, jpeg;
	eg_buf_init(&bytes, EG_PHOTO_MAX);
	eg_buf_init(&jpeg, EG_PHOTO_MAX);
	int r = read_photo(import, photo->file, &bytes, err);
	if (r == 0)
		r = eg_sha256(eg_buf_bytes(&bytes), digest);
	if (r == 0 && memcmp(digest, photo->digest, sizeof(digest)) != 0)
		r = eg_err_set(err, EG_ECONFLICT,
			       "photo '%s': changed while it was imported; import again",
			       photo->file);
	if (r == 0)
		r = eg_intake_jpeg(eg_buf_bytes(&bytes), &jpeg, err);
	if (r == 0)
		r = eg_ledger_put_photo(ledger, photo->name.id, photo->name.source,
					photo->name.year, eg_buf_bytes(&jpeg), err);
	eg_buf_done(&bytes);
	eg_buf_done(&jpeg);
	return r;
}

static int begin_group(struct import *import, struct eg_ledger *ledger, struct eg_err *err)
{
	import->group_ms = eg_boot_ms(import->ctl->clock);
	return eg_ledger_begin(ledger, err);
}

// Between two rows: lets others have the file when this transaction has lasted long enough.
static int next_group(struct import *import, struct eg_ledger *ledger, size_t photos,
		      struct eg_err *err)
{
	int r;

	if (eg_boot_ms(import->ctl->clock) - import->group_ms < GROUP_MS)
		return 0;
	r = eg_ledger_commit(ledger, err);
	if (r != 0)
		return r;
	import->committed = true;
	import->kept = photos;
	(void)usleep(PAUSE_MS * 1000);
	return begin_group(import, ledger, err);
}

static int write_all(struct import *import, struct eg_err *err)
{
	struct eg_ledger *ledger = NULL;
	int64_t now_ms = eg_wall_ms(import->ctl->clock);
	int r = eg_centre_open_ledger(import->ctl->folder, &ledger, err);
	if (r != 0)
		return r;
	r = begin_group(import, ledger, err);
	for (size_t i = 0; r == 0 && i < import->roster.count; i++) {
		r = eg_ledger_put_traveller(ledger, &import->roster.row[i].person,
					    &import->roster.row[i].booking, now_ms, err);
		if (r == 0)
			r = next_group(import, ledger, 0, err);
	}
	for (size_t i = 0; r == 0 && i < import->count; i++) {
		r = put_photo(import, ledger, &import->photo[i], err);
		if (r == 0)
			r = next_group(import, ledger, i + 1, err);
	}
	if (r == 0)
		r = eg_ledger_commit(ledger, err);
	eg_ledger_close(ledger); // rolls back what was not committed
	return r;
}

static int read_roster(struct import *import, struct eg_err *err)
{
	struct eg_buf text;
	eg_buf_init_secret(&text, EG_ROSTER_MAX);
	int r = eg_file_read(import->csv, &text, err);
	if (r == 0) {
		r = eg_roster_read(eg_buf_bytes(&text), &import->roster, err);
		if (r != 0)
			(void)eg_err_prefix(err, r, "%s", import->csv);
	}
	eg_buf_done(&text);
	return r;
}

static size_t count_faceless(const struct import *import)
{
	size_t faceless = 0;
	for (size_t i = 0; i < import->roster.count; i++) {
		const char *id = import->roster.row[i].person.id;
		bool has = false;
		if (i > 0 && strcmp(import->roster.row[i - 1].person.id, id) == 0)
			continue;
		for (size_t p = 0; p < import->count && !has; p++)
			has = strcmp(import->photo[p].name.id, id) == 0;
		faceless += has ? 0 : 1;
	}
	return faceless;
}

static int find_files(struct import *import, const char *where, const char *photos,
		      struct eg_err *err)
{
	struct stat st;
	if (stat(where, &st) != 0)
		return eg_err_errno(err, errno, "%s", where);
	if (!S_ISDIR(st.st_mode)) {
		int n = snprintf(import->csv, sizeof(import->csv), "%s", where);
		if (n < 0 || (size_t)n >= sizeof(import->csv))
			return eg_err_set(err, EG_ETOOBIG, "'%.60s…': the path is too long", where);
	} else {
		int r = eg_centre_path(where, "travellers.csv", import->csv, err);
		if (r == 0)
			r = eg_centre_path(where, "photos", import->photos, err);
		if (r != 0)
			return r;
		if (photos == NULL && stat(import->photos, &st) != 0)
			import->photos[0] = '\0'; // a list without photos
	}
	if (photos != NULL)
		(void)snprintf(import->photos, sizeof(import->photos), "%s", photos);
	return 0;
}

static void import_done(struct import *import)
{
	for (size_t i = 0; i < import->count; i++)
		free(import->photo[i].file);
	free(import->photo);
	eg_intake_free(import->intake);
	eg_roster_done(&import->roster);
	free(import);
}

static int run_import(struct import *import, const char *where, const char *photos)
{
	struct eg_err err = EG_ERR_INIT;
	int r = find_files(import, where, photos, &err);
	if (r == 0)
		r = read_roster(import, &err);
	if (r == 0 && import->photos[0] != '\0')
		r = look_at_all(import, &err);
	if (r == 0)
		r = write_all(import, &err);
	if (r != 0) {
		(void)fflush(stdout);
		(void)ctl_fail(&err);
		if (import->committed)
			(void)fprintf(stderr,
				      "centralctl: stopped after %zu of %zu photos; import again\n",
				      import->kept, import->count);
		else
			(void)fputs("centralctl: nothing was imported\n", stderr);
		return 1;
	}
	(void)printf(
		"%zu bookings, %zu photos, %zu photos not taken, %zu travellers without photo\n",
		import->roster.count, import->count, import->refused, count_faceless(import));
	return 0;
}

int ctl_travellers_import(struct ctl *ctl, int argc, char **argv)
{
	static const struct option options[] = {
		{"photos", required_argument, NULL, 'p'},
		{"pack", required_argument, NULL, 'm'},
		{0},
	};
	const char *pack = getenv("EGRESS_PACK"), *photos = NULL, *where;
	struct import *import;
	bool good = true;
	int option;
	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 'p')
			photos = optarg;
		else if (option == 'm')
			pack = optarg;
		else
			good = false;
	}
	where = ctl_operand(argc, argv);
	if (!good || where == NULL)
		return ctl_usage("travellers import DIR|CSV [--photos DIR] [--pack DIR]");
	import = eg_calloc(1, sizeof(*import));
	if (import == NULL)
		return 1;
	import->ctl = ctl;
	import->pack = pack != NULL && pack[0] != '\0' ? pack : "/usr/share/egress/pack";
	int status = run_import(import, where, photos);
	import_done(import);
	return status;
}
