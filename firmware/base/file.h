// SPDX-License-Identifier: Apache-2.0
//
// Whole small files, safely: bounded reads of what was opened (never re-opened by path), and
// writes that are either the old content or the new, also after a power cut.
//
// Blocks on the disk. Thread: any.

#ifndef EG_FILE_H
#define EG_FILE_H

#include <sys/types.h>

#include "firmware/base/buf.h"

// Appends the file's content to buf. EG_ENOENT, EG_EAUTH, EG_ETOOBIG (the file does not fit into
// buf's maximum), EG_EINVAL (not a regular file), EG_EIO. Error texts name the path.
int eg_file_read(const char *path, struct eg_buf *buf, struct eg_err *err) EG_CHECKED;

// The same for a secret: EG_EAUTH also when group or others may read it, or when the last part of
// the path is a symbolic link. What is checked is the file that is read, not its path.
int eg_file_read_private(const char *path, struct eg_buf *buf, struct eg_err *err) EG_CHECKED;

// Writes a temporary file beside `path`, flushes it, renames it over `path`, flushes the folder.
// On failure `path` is as before and nothing is left behind; only when the last flush, that of the
// folder, fails, the new content stands there without a promise to outlive a power cut. `mode` is
// exact, whatever the umask.
int eg_file_write(const char *path, struct eg_bytes bytes, mode_t mode,
		  struct eg_err *err) EG_CHECKED;

// mkdir -p. Folders made get `mode`.
int eg_dir_make(const char *path, mode_t mode, struct eg_err *err) EG_CHECKED;

#endif
