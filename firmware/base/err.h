// SPDX-License-Identifier: Apache-2.0
//
// Errors: a code that says what the caller should do, and a sentence for a person.
//
// Every fallible function returns 0 or one of these codes and, where it takes a struct eg_err,
// leaves one impersonal line in it that names the file or field, what was wrong and what to do.
// Lower text is prefixed on the way up, never overwritten.
//
// Thread: a struct eg_err belongs to its caller; nothing here is shared.

#ifndef EG_ERR_H
#define EG_ERR_H

enum eg_code {
	EG_OK = 0,
	EG_EINVAL = -1,	       // the input is malformed: refuse it
	EG_EAGAIN = -2,	       // nothing yet: try again later
	EG_ENOENT = -3,	       // it is not there
	EG_EIO = -4,	       // the device or file system failed
	EG_ENOMEM = -5,	       // out of memory
	EG_EAUTH = -6,	       // signature, key, certificate or permission is wrong
	EG_ESTALE = -7,	       // expired, not yet valid, or older than what is known
	EG_ETOOBIG = -8,       // over a stated maximum
	EG_ECONFLICT = -9,     // contradicts what is already there
	EG_ENET = -10,	       // the other side cannot be reached, or broke off
	EG_ETIMEOUT = -11,     // took longer than allowed
	EG_EUNSUPPORTED = -12, // well-formed, but not something we do
	EG_ECORRUPT = -13,     // our own stored data is damaged
	EG_EFULL = -14,	       // a bounded queue or the disk is full
	EG_EFOREIGN = -15,     // a library failed in a way we have no better word for
};

#define EG_ERR_TEXT_MAX 384

struct eg_err {
	int code;
	char text[EG_ERR_TEXT_MAX];
};

#define EG_ERR_INIT ((struct eg_err){0})

// Results must be looked at. GCC does not let (void) silence the warning: where a failure truly
// changes nothing, write eg_ignore(call) and say why.
#define EG_CHECKED		      __attribute__((warn_unused_result))
#define EG_PRINTF(fmt_arg, first_arg) __attribute__((format(printf, fmt_arg, first_arg)))

static inline void eg_ignore(int result)
{
	(void)result;
}

// Sets code and text, and returns code, so that "return eg_err_set(err, EG_EINVAL, ...)" reads
// straight down. `err` may be NULL: then only the code is returned. Text that does not fit is cut.
int eg_err_set(struct eg_err *err, int code, const char *fmt, ...) EG_PRINTF(3, 4);

// Puts "TEXT: " in front of what is there and returns the code that is there. `err` may be NULL,
// then it returns `code`.
int eg_err_prefix(struct eg_err *err, int code, const char *fmt, ...) EG_PRINTF(3, 4);

// Sets the text from errno: "TEXT: No such file or directory". The code follows errno: ENOENT →
// EG_ENOENT, ENOMEM → EG_ENOMEM, EACCES/EPERM → EG_EAUTH, ENOSPC/EDQUOT → EG_EFULL, everything
// else EG_EIO.
int eg_err_errno(struct eg_err *err, int errno_value, const char *fmt, ...) EG_PRINTF(3, 4);

// A short word for a code ("malformed", "not found", ...), for logs and JSON. Never NULL.
const char *eg_code_name(int code);

#endif
