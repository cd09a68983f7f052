// SPDX-License-Identifier: Apache-2.0
//
// A damaged database: what can be read of it goes into a new file, which takes its place in one
// step; the damaged one is kept beside it for a while. Nobody ever starts with an empty file over a
// broken one in silence.
//
// Steps, each of which may be the last before the power goes: PATH.salvage-part is filled and
// flushed; renamed to PATH.salvage (from now on it is complete); the damaged file's log is copied
// to its place of safety and removed; PATH.salvage and PATH change places; what was damaged gets
// its name, PATH.damaged-TIME. eg_db_salvage goes on wherever it was left.
//
// Blocks on the disk, for minutes where 100,000 envelopes are to be saved. Thread: any.

#ifndef EG_SALVAGE_H
#define EG_SALVAGE_H

#include "store/db.h"

struct eg_salvage_table {
	const char *name;
	bool by_rowid; // rows behind a damaged page can be reached by their number
};

struct eg_salvaged {
	char kept[512]; // where the damaged file is now; "": nothing was damaged any more
	uint64_t rows;	// that were saved
	bool complete;	// every table could be read to its end
};

// `mend` (may be NULL) brings the new, complete file in order before it is used. EG_EUNSUPPORTED:
// it is a file of somebody else, or no regular file, and is left alone. No program may have the
// file open.
int eg_db_salvage(const char *path, const struct eg_db_schema *schema,
		  const struct eg_salvage_table *tables, size_t table_count,
		  int (*mend)(void *user, const char *fresh, struct eg_err *err), void *user,
		  int64_t wall_ms, struct eg_salvaged *ret_salvaged, struct eg_err *err) EG_CHECKED;

// Removes damaged files of PATH that were put aside more than `seconds` ago.
void eg_db_drop_damaged(const char *path, int64_t seconds, int64_t wall_ms);

#endif
