// SPDX-License-Identifier: Apache-2.0
//
// See faulty.h. What was written since a file's last flush is kept as a list of what was there
// before; a power cut plays it back.

#include "faulty.h"

#include <assert.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILES	16
#define HANDLES 32

struct undo {
	struct undo *next;
	size_t file;
	sqlite3_int64 at, old_size;
	size_t size; // of data
	uint8_t data[];
};

static struct {
	char path[512]; // "": free
} files[FILES];
static struct {
	const sqlite3_file *handle; // NULL: closed
	size_t file;
} handles[HANDLES];	  // a flush of one is a flush of the file
static struct undo *undo; // newest first
static enum fault armed;
static long left; // 0: not armed any more
static bool dead, installed;
static void (*on_cut)(void);
static uint64_t dice;
static sqlite3_vfs vfs;
static const sqlite3_vfs *real;
static const sqlite3_io_methods *unix_methods;

static size_t file_of(const sqlite3_file *handle)
{
	for (size_t i = 0; i < HANDLES; i++) {
		if (handles[i].handle == handle)
			return handles[i].file;
	}
	return FILES;
}

static void forget(size_t file)
{
	for (struct undo **at = &undo; *at != NULL;) {
		struct undo *entry = *at;
		if (file != FILES && entry->file != file) {
			at = &entry->next;
			continue;
		}
		*at = entry->next;
		free(entry);
	}
}

// What stands at `at` now, before it is written over or cut off.
static void remember(sqlite3_file *handle, sqlite3_int64 at, sqlite3_int64 size)
{
	sqlite3_int64 total = 0;
	size_t file = file_of(handle);
	if (file == FILES)
		return;
	assert(unix_methods->xFileSize(handle, &total) == SQLITE_OK);
	sqlite3_int64 there = at >= total ? 0 : total - at < size ? total - at : size;
	struct undo *entry = malloc(sizeof(*entry) + (size_t)there);
	assert(entry != NULL);
	*entry = (struct undo){
		.next = undo, .file = file, .at = at, .old_size = total, .size = (size_t)there};
	if (there > 0)
		assert(unix_methods->xRead(handle, entry->data, (int)there, at) == SQLITE_OK);
	undo = entry;
}

static bool fails_now(void)
{
	if (left == 0 || armed == FAULT_READONLY || --left > 0)
		return false;
	dead = armed == FAULT_CUT || armed == FAULT_TORN;
	if (dead && on_cut != NULL)
		on_cut();
	return true;
}

static int error_code(void)
{
	return armed == FAULT_FULL ? SQLITE_FULL : SQLITE_IOERR_WRITE;
}

static int write_faulty(sqlite3_file *handle, const void *data, int size, sqlite3_int64 at)
{
	if (dead)
		return SQLITE_IOERR_WRITE;
	bool fails = fails_now();
	remember(handle, at, size);
	if (fails && armed != FAULT_SHORT && armed != FAULT_TORN)
		return error_code();
	int code = unix_methods->xWrite(handle, data, fails ? size / 2 : size, at);
	return fails ? SQLITE_IOERR_WRITE : code;
}

static int sync_faulty(sqlite3_file *handle, int flags)
{
	if (dead || fails_now())
		return SQLITE_IOERR_FSYNC;
	// The power is ours here: nothing else has to reach the disk.
	(void)flags;
	forget(file_of(handle));
	return SQLITE_OK;
}

static int truncate_faulty(sqlite3_file *handle, sqlite3_int64 size)
{
	if (dead || fails_now())
		return SQLITE_IOERR_TRUNCATE;
	remember(handle, size, 1 << 30);
	return unix_methods->xTruncate(handle, size);
}

static int read_faulty(sqlite3_file *handle, void *data, int size, sqlite3_int64 at)
{
	return dead ? SQLITE_IOERR_READ : unix_methods->xRead(handle, data, size, at);
}

static int close_faulty(sqlite3_file *handle)
{
	for (size_t i = 0; i < HANDLES; i++) {
		if (handles[i].handle == handle)
			handles[i].handle = NULL;
	}
	return unix_methods->xClose(handle);
}

static size_t file_named(const char *path)
{
	size_t i = 0;
	while (i < FILES && files[i].path[0] != '\0' && strcmp(files[i].path, path) != 0)
		i++;
	assert(i < FILES && strlen(path) < sizeof(files[i].path));
	memcpy(files[i].path, path, strlen(path) + 1);
	return i;
}

static void note_file(const sqlite3_file *handle, const char *path)
{
	size_t i = 0;
	while (i < HANDLES && handles[i].handle != NULL)
		i++;
	assert(i < HANDLES);
	handles[i].handle = handle;
	handles[i].file = file_named(path);
}

static int open_faulty(sqlite3_vfs *self, sqlite3_filename name, sqlite3_file *handle, int flags,
		       int *ret_flags)
{
	// The main file's methods lock, the others' do not: one set each.
	static sqlite3_io_methods sets[2];
	(void)self;
	handle->pMethods = NULL;
	if (dead)
		return SQLITE_CANTOPEN;
	if (armed == FAULT_READONLY && left != 0 && (left == 1 || --left == 1)) {
		struct stat st;
		if (name == NULL || stat(name, &st) != 0)
			return SQLITE_CANTOPEN;
		flags = (flags & ~(SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE)) |
			SQLITE_OPEN_READONLY;
	}
	int code = real->xOpen((sqlite3_vfs *)(uintptr_t)real, name, handle, flags, ret_flags);
	if (code != SQLITE_OK || handle->pMethods == NULL || name == NULL)
		return code;
	sqlite3_io_methods *methods = &sets[(flags & SQLITE_OPEN_MAIN_DB) != 0];
	unix_methods = handle->pMethods;
	*methods = *unix_methods;
	methods->xWrite = write_faulty;
	methods->xSync = sync_faulty;
	methods->xTruncate = truncate_faulty;
	methods->xRead = read_faulty;
	methods->xClose = close_faulty;
	handle->pMethods = methods;
	note_file(handle, name);
	return code;
}

static int delete_faulty(sqlite3_vfs *self, const char *name, int sync_folder)
{
	(void)self;
	if (dead || fails_now())
		return SQLITE_IOERR_DELETE;
	for (size_t i = 0; i < FILES; i++) {
		if (strcmp(files[i].path, name) == 0)
			forget(i);
	}
	return real->xDelete((sqlite3_vfs *)(uintptr_t)real, name, sync_folder);
}

void faulty_install(void)
{
	if (installed)
		return;
	real = sqlite3_vfs_find(NULL);
	vfs = *real;
	vfs.zName = "faulty";
	vfs.xOpen = open_faulty;
	vfs.xDelete = delete_faulty;
	assert(sqlite3_vfs_register(&vfs, 1) == SQLITE_OK);
	installed = true;
}

void faulty_arm(enum fault fault, long n)
{
	forget(FILES);
	memset(files, 0, sizeof(files));
	memset(handles, 0, sizeof(handles));
	armed = fault;
	left = n;
	dead = false;
	dice = (uint64_t)n * 0x9e3779b97f4a7c15u + 1;
}

bool faulty_reached(void)
{
	return armed == FAULT_READONLY ? left == 1 : left == 0;
}

bool faulty_dead(void)
{
	return dead;
}

void faulty_on_cut(void (*gone)(void))
{
	on_cut = gone;
}

static bool toss(void)
{
	dice ^= dice << 13;
	dice ^= dice >> 7;
	dice ^= dice << 17;
	return (dice >> 40 & 1) != 0;
}

static void play_back(const struct undo *entry)
{
	int fd = open(files[entry->file].path, O_WRONLY | O_CLOEXEC);
	if (fd < 0) // a file that was being made and is gone again
		return;
	assert(pwrite(fd, entry->data, entry->size, entry->at) == (ssize_t)entry->size);
	struct stat st;
	assert(fstat(fd, &st) == 0);
	if (armed == FAULT_CUT && st.st_size > entry->old_size)
		assert(ftruncate(fd, entry->old_size) == 0);
	(void)close(fd);
}

void faulty_off(void)
{
	for (const struct undo *entry = undo; dead && entry != NULL; entry = entry->next) {
		if (armed == FAULT_CUT || toss())
			play_back(entry);
	}
	faulty_arm(FAULT_FULL, 0);
}
