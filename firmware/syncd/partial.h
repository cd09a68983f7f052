// SPDX-License-Identifier: Apache-2.0
//
// A manifest's download so far: in memory, and in one file of syncd's state folder, so that it goes
// on after a restart or a power cut. The file is named by what is downloaded (id, version, length,
// ETag), so a file of another name is of no use and goes. Its bytes are a piece of a sealed
// manifest: nobody but boothd can read them, and nobody parses them before they are whole. After a
// power cut the end of the file may not be what was written; so what was taken from a file and does
// not verify is fetched anew once, before it counts as the centre's fault.
//
//	manifest.HEX.part   the first bytes of the download, without any head; mode 0600
//
// A file that cannot be written costs the resumption, not the download.
//
// Worker thread.

#ifndef EG_SYNCD_PARTIAL_H
#define EG_SYNCD_PARTIAL_H

#include "net/wire.h"

#define PARTIAL_PATH_MAX 384

struct partial {
	struct eg_buf wire; // what came
	size_t kept;	    // bytes of it that are in the file
	bool resumed;	    // the first of them were taken from a file
	char path[PARTIAL_PATH_MAX];
};

void partial_init(struct partial *partial);
void partial_done(struct partial *partial); // the file stays

// Begins with what a file in `folder` holds of `listed`, or with nothing, and removes the files of
// all other downloads.
void partial_begin(struct partial *partial, const char *folder, const struct eg_listed *listed);

// Writes what came since the last call to the file, and flushes it.
void partial_keep(struct partial *partial);

// What came is of no use, or is in the database by now: away with it and its file.
void partial_drop(struct partial *partial);

// Removes files in `folder` that did not grow for a day, or whose time lies as far ahead: their
// manifest is over. `partial` begins anew when it was its own.
void partial_sweep(struct partial *partial, const char *folder, int64_t wall_ms);

#endif
