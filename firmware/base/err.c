// SPDX-License-Identifier: Apache-2.0

#include "firmware/base/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const char *const names[] = {
	[-EG_OK] = "ok",
	[-EG_EINVAL] = "malformed",
	[-EG_EAGAIN] = "not yet",
	[-EG_ENOENT] = "not found",
	[-EG_EIO] = "input/output error",
	[-EG_ENOMEM] = "out of memory",
	[-EG_EAUTH] = "not authentic",
	[-EG_ESTALE] = "stale",
	[-EG_ETOOBIG] = "too big",
	[-EG_ECONFLICT] = "conflict",
	[-EG_ENET] = "unreachable",
	[-EG_ETIMEOUT] = "timed out",
	[-EG_EUNSUPPORTED] = "unsupported",
	[-EG_ECORRUPT] = "damaged",
	[-EG_EFULL] = "full",
	[-EG_EFOREIGN] = "library failure",
};

const char *eg_code_name(int code)
{
	if (code > 0 || (size_t)-code >= sizeof(names) / sizeof(names[0]))
		return "unknown error";
	return names[-code];
}

int eg_err_set(struct eg_err *err, int code, const char *fmt, ...)
{
	va_list args;

	if (err == NULL)
		return code;
	err->code = code;
	va_start(args, fmt);
	(void)vsnprintf(err->text, sizeof(err->text), fmt, args);
	va_end(args);
	return code;
}

// Puts ": MORE" behind the `used` bytes of text that vsnprintf says there are; cuts what does not
// fit.
static void append(struct eg_err *err, int used, const char *more)
{
	size_t at = used < 0 ? 0 : (size_t)used, room, size = strlen(more);

	if (at + 3 > sizeof(err->text)) // already cut
		return;
	memcpy(err->text + at, ": ", 2);
	room = sizeof(err->text) - at - 3;
	memcpy(err->text + at + 2, more, size < room ? size : room);
	err->text[at + 2 + (size < room ? size : room)] = '\0';
}

int eg_err_prefix(struct eg_err *err, int code, const char *fmt, ...)
{
	char old[EG_ERR_TEXT_MAX];
	va_list args;
	int n;

	if (err == NULL)
		return code;
	if (err->code == 0)
		err->code = code;
	(void)snprintf(old, sizeof(old), "%s",
		       err->text[0] != '\0' ? err->text : eg_code_name(err->code));
	va_start(args, fmt);
	n = vsnprintf(err->text, sizeof(err->text), fmt, args);
	va_end(args);
	append(err, n, old);
	return err->code;
}

static int code_of(int errno_value)
{
	switch (errno_value) {
	case ENOENT:
		return EG_ENOENT;
	case ENOMEM:
		return EG_ENOMEM;
	case EACCES:
	case EPERM:
		return EG_EAUTH;
	case ENOSPC:
	case EDQUOT:
		return EG_EFULL;
	default:
		return EG_EIO;
	}
}

int eg_err_errno(struct eg_err *err, int errno_value, const char *fmt, ...)
{
	char why[128];
	va_list args;
	int n;

	if (err == NULL)
		return code_of(errno_value);
	err->code = code_of(errno_value);
	va_start(args, fmt);
	n = vsnprintf(err->text, sizeof(err->text), fmt, args);
	va_end(args);
	append(err, n, strerror_r(errno_value, why, sizeof(why)));
	return err->code;
}
