// SPDX-License-Identifier: Apache-2.0
//
// The log writes to stderr; each case puts a file in its place and reads what came.

#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "firmware/base/log.h"

static char line[4096];

// Runs `say` with stderr in a file; what was written stands in `line` afterwards. The journal is
// known by the file's device and inode when `journal` is set.
static void capture(bool journal, enum eg_log_level level, void (*say)(void))
{
	int kept = dup(STDERR_FILENO),
	    fd = open("log", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	struct stat st;
	char name[64];
	ssize_t n;

	assert_true(kept >= 0 && fd >= 0);
	assert_int_equal(fstat(fd, &st), 0);
	(void)snprintf(name, sizeof(name), "%llu:%llu", (unsigned long long)st.st_dev,
		       (unsigned long long)st.st_ino + (journal ? 0 : 1));
	assert_int_equal(setenv("JOURNAL_STREAM", name, 1), 0);
	assert_true(dup2(fd, STDERR_FILENO) >= 0);
	eg_log_init("test", level);
	say();
	assert_true(dup2(kept, STDERR_FILENO) >= 0);
	n = pread(fd, line, sizeof(line) - 1, 0);
	assert_true(n >= 0);
	line[n] = '\0';
	(void)close(fd);
	(void)close(kept);
}

static void say_three(void)
{
	eg_error("bad %d", 1);
	eg_warning("odd");
	eg_info("fine");
}

static void the_journal_gets_priorities(void **state)
{
	(void)state;
	capture(true, EG_LOG_INFO, say_three);
	assert_string_equal(line, "<3>error: bad 1\n<4>warning: odd\n<6>fine\n");
}

static void an_inherited_variable_is_not_taken_for_the_journal(void **state)
{
	(void)state;
	capture(false, EG_LOG_ERROR, say_three);
	assert_int_equal(strlen(line), strlen("00:00:00.000 test: error: bad 1\n"));
	assert_string_equal(line + 13, "test: error: bad 1\n");
	assert_true(line[2] == ':' && line[5] == ':' && line[8] == '.');
}

static void less_urgent_lines_are_dropped(void **state)
{
	(void)state;
	capture(true, EG_LOG_WARNING, say_three);
	assert_string_equal(line, "<3>error: bad 1\n<4>warning: odd\n");
}

static void say_forged(void)
{
	eg_info("name\n<0>forged\r\x1b[31m");
}

static void text_from_outside_cannot_forge_a_line(void **state)
{
	(void)state;
	capture(true, EG_LOG_INFO, say_forged);
	assert_string_equal(line, "<6>name <0>forged  [31m\n");
}

static void say_long(void)
{
	static char big[3000];

	memset(big, 'x', sizeof(big) - 1);
	eg_info("%s", big);
}

static void a_long_line_is_cut_and_still_ends(void **state)
{
	(void)state;
	capture(true, EG_LOG_INFO, say_long);
	assert_true(strlen(line) > 900 && strlen(line) < 1100);
	assert_int_equal(line[strlen(line) - 1], '\n');
}

static void say_nothing_there(void)
{
	errno = ENOENT;
	eg_info("something");
	assert_int_equal(errno, ENOENT);
}

static void logging_leaves_errno_alone(void **state)
{
	(void)state;
	capture(true, EG_LOG_INFO, say_nothing_there);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_journal_gets_priorities),
		cmocka_unit_test(an_inherited_variable_is_not_taken_for_the_journal),
		cmocka_unit_test(less_urgent_lines_are_dropped),
		cmocka_unit_test(text_from_outside_cannot_forge_a_line),
		cmocka_unit_test(a_long_line_is_cut_and_still_ends),
		cmocka_unit_test(logging_leaves_errno_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
