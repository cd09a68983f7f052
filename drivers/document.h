// SPDX-License-Identifier: Apache-2.0
//
// A reader of travel documents and boarding passes: turns whatever it reads into one eg_document.
// Backends: `eg_document_serial` (a tty on which a reader or hand scanner types MRZ lines or a
// BCBP string, each ended by CR, LF or 100 ms of silence) and `eg_document_script` (lines of a
// file or of a call, for tests and the demo).
//
// Runs inside the caller's sd-event loop: `fd` becomes readable, the caller calls `read`. Nothing
// blocks. Thread: the caller's.

#ifndef EG_DOCUMENT_H
#define EG_DOCUMENT_H

#include "drivers/bcbp.h"
#include "drivers/mrz.h"

enum eg_document_kind {
	EG_DOCUMENT_MRZ,
	EG_DOCUMENT_PASS
};

struct eg_document {
	enum eg_document_kind kind;
	union {
		struct eg_mrz mrz;
		struct eg_bcbp pass;
	};
};

// Parses text of either kind: a boarding pass begins with 'M' and a digit, the rest are MRZs.
// EG_EINVAL with the reason; eg_document_wipe clears one after use.
int eg_document_parse(struct eg_bytes text, struct eg_document *ret_document,
		      struct eg_err *err) EG_CHECKED;
void eg_document_wipe(struct eg_document *document);

struct eg_document_reader; // backend's

struct eg_document_ops {
	const char *name; // "serial", "script"
	// serial: source is "/dev/ttyACM0" or "/dev/ttyACM0:9600"; script: path of a text file, one
	// document a paragraph, the next one each time `read` is called; "" for none.
	int (*open)(const char *source, struct eg_document_reader **ret_reader, struct eg_err *err);
	int (*fd)(const struct eg_document_reader *reader); // lent; -1: poll `read` instead
	// 0: *ret_document holds one; EG_EAGAIN: nothing whole yet; EG_EINVAL: something was read
	// that is no document (the rest of the line is dropped); EG_EIO: the device is gone.
	// Call again with `timed_out` when 100 ms passed after the last bytes.
	int (*read)(struct eg_document_reader *reader, bool timed_out,
		    struct eg_document *ret_document, struct eg_err *err);
	void (*close)(struct eg_document_reader *reader); // takes NULL
};

extern const struct eg_document_ops eg_document_serial;
extern const struct eg_document_ops eg_document_script;
const struct eg_document_ops *eg_document_backend(const char *name);

#endif
