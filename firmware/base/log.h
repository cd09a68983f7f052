// SPDX-License-Identifier: Apache-2.0
//
// Log lines for people. Under systemd (stderr is the journal) lines carry the "<N>" priority
// prefix that journald understands; on a terminal they carry a time of day and a word.
//
// Library folders log at EG_LOG_DEBUG only and return errors; a program logs each failure once.
// No face, template, key, name or document number ever goes into a log line.
//
// Thread: eg_log may be called from any thread once eg_log_init has returned.

#ifndef EG_LOG_H
#define EG_LOG_H

#include "firmware/base/err.h"

enum eg_log_level {
	EG_LOG_ERROR = 3, // syslog's numbers
	EG_LOG_WARNING = 4,
	EG_LOG_NOTICE = 5,
	EG_LOG_INFO = 6,
	EG_LOG_DEBUG = 7,
};

// `program` is a literal that outlives the process. Lines less urgent than `level` are dropped.
void eg_log_init(const char *program, enum eg_log_level level);

void eg_log(enum eg_log_level level, const char *fmt, ...) EG_PRINTF(2, 3);

#define eg_error(...)	eg_log(EG_LOG_ERROR, __VA_ARGS__)
#define eg_warning(...) eg_log(EG_LOG_WARNING, __VA_ARGS__)
#define eg_notice(...)	eg_log(EG_LOG_NOTICE, __VA_ARGS__)
#define eg_info(...)	eg_log(EG_LOG_INFO, __VA_ARGS__)
#define eg_debug(...)	eg_log(EG_LOG_DEBUG, __VA_ARGS__)

#endif
