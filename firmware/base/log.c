// SPDX-License-Identifier: Apache-2.0
//
// One write() a line, so that lines of several threads never mix.

#include "firmware/base/log.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static struct {
	const char *program;
	enum eg_log_level level;
	bool journal;
} settings = {.program = "egress", .level = EG_LOG_INFO};

static const char *word(enum eg_log_level level)
{
	switch (level) {
	case EG_LOG_ERROR:
		return "error: ";
	case EG_LOG_WARNING:
		return "warning: ";
	default:
		return "";
	}
}

// Under systemd the variable names the device and inode of the journal's socket; it is inherited,
// so stderr may be something else by now.
static bool stderr_is_journal(void)
{
	const char *text = getenv("JOURNAL_STREAM");
	unsigned long long device, inode;
	struct stat st;
	char *end;

	if (text == NULL || fstat(STDERR_FILENO, &st) != 0)
		return false;
	device = strtoull(text, &end, 10);
	if (end == text || *end != ':')
		return false;
	text = end + 1;
	inode = strtoull(text, &end, 10);
	return end != text && *end == '\0' && device == st.st_dev && inode == st.st_ino;
}

void eg_log_init(const char *program, enum eg_log_level level)
{
	settings.program = program;
	settings.level = level;
	settings.journal = stderr_is_journal();
}

static size_t head(enum eg_log_level level, char *line, size_t size)
{
	struct timespec now;
	struct tm tm;
	int n;

	if (settings.journal) {
		n = snprintf(line, size, "<%d>%s", (int)level, word(level));
		return n < 0 ? 0 : (size_t)n;
	}
	(void)clock_gettime(CLOCK_REALTIME, &now);
	if (gmtime_r(&now.tv_sec, &tm) == NULL)
		return 0;
	n = snprintf(line, size, "%02d:%02d:%02d.%03ld %s: %s", tm.tm_hour, tm.tm_min, tm.tm_sec,
		     now.tv_nsec / 1000000, settings.program, word(level));
	return n < 0 ? 0 : (size_t)n;
}

void eg_log(enum eg_log_level level, const char *fmt, ...)
{
	char line[1024];
	size_t used, room;
	va_list args;
	int n, before = errno; // a caller may log before it looks at errno
	ssize_t done;

	if (level > settings.level)
		return;
	used = head(level, line, sizeof(line) - 1);
	room = sizeof(line) - 1 - used;
	va_start(args, fmt);
	n = vsnprintf(line + used, room, fmt, args);
	va_end(args);
	if (n < 0)
		return;
	used += (size_t)n < room ? (size_t)n : room - 1;
	// A line is one line, whatever stands in a text that came from outside.
	for (size_t i = 0; i < used; i++)
		if ((unsigned char)line[i] < 0x20 || line[i] == 0x7f)
			line[i] = ' ';
	line[used++] = '\n';
	done = write(STDERR_FILENO, line, used);
	(void)done; // there is nowhere to say that nothing can be said
	errno = before;
}
