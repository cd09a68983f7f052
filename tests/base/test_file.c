// SPDX-License-Identifier: Apache-2.0

#include "test.h"

#include <dirent.h>
#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "firmware/base/crypto.h"
#include "firmware/base/file.h"

static int entries(const char *path)
{
	DIR *folder = opendir(path);
	int count = 0;

	assert_non_null(folder);
	while (readdir(folder) != NULL)
		count++;
	(void)closedir(folder);
	return count - 2;
}

static mode_t mode_of(const char *path)
{
	struct stat st;

	assert_int_equal(lstat(path, &st), 0);
	return st.st_mode & 07777;
}

static void what_is_written_is_read(void **state)
{
	struct eg_err err = EG_ERR_INIT;
	struct eg_buf buf;
	static uint8_t big[200000];

	(void)state;
	memset(big, 7, sizeof(big));
	for (size_t size = 0; size <= sizeof(big); size += 50000) {
		assert_int_equal(eg_file_write("a", EG_BYTES(big, size), 0640, &err), 0);
		eg_buf_init(&buf, sizeof(big));
		assert_int_equal(eg_file_read("a", &buf, &err), 0);
		assert_true(eg_bytes_equal(eg_buf_bytes(&buf), EG_BYTES(big, size)));
		eg_buf_done(&buf);
	}
	assert_int_equal(unlink("a"), 0);
}

static void the_mode_is_exact_whatever_the_umask(void **state)
{
	mode_t before = umask(0077);

	(void)state;
	assert_int_equal(eg_file_write("open", EG_BYTES_STR("x"), 0644, NULL), 0);
	assert_int_equal(eg_dir_make("d1/d2", 0755, NULL), 0);
	(void)umask(0);
	assert_int_equal(eg_file_write("closed", EG_BYTES_STR("x"), 0600, NULL), 0);
	(void)umask(before);
	assert_int_equal(mode_of("open"), 0644);
	assert_int_equal(mode_of("closed"), 0600);
	assert_int_equal(mode_of("d1"), 0755);
	assert_int_equal(mode_of("d1/d2"), 0755);
}

static void reading_appends_up_to_the_maximum(void **state)
{
	struct eg_err err = EG_ERR_INIT;
	struct eg_buf buf;

	(void)state;
	write_text("five", "12345");
	eg_buf_init(&buf, 8);
	assert_int_equal(eg_buf_put(&buf, "abc", 3), 0);
	assert_int_equal(eg_file_read("five", &buf, &err), 0);
	assert_string_equal(eg_buf_text(&buf), "abc12345");
	eg_buf_done(&buf);
	eg_buf_init(&buf, 7);
	assert_int_equal(eg_buf_put(&buf, "abc", 3), 0);
	assert_int_equal(eg_file_read("five", &buf, &err), EG_ETOOBIG);
	assert_string_equal(eg_buf_text(&buf), "abc");
	assert_non_null(strstr(err.text, "five"));
	eg_buf_done(&buf);
}

static void what_is_no_file_is_refused_by_name(void **state)
{
	struct eg_err err = EG_ERR_INIT;
	struct eg_buf buf;

	(void)state;
	eg_buf_init(&buf, 100);
	assert_int_equal(eg_file_read("absent", &buf, &err), EG_ENOENT);
	assert_string_equal(err.text, "absent: No such file or directory");
	assert_int_equal(eg_file_read(".", &buf, &err), EG_EINVAL);
	assert_int_equal(mkfifo("fifo", 0600), 0);
	assert_int_equal(eg_file_read("fifo", &buf, &err), EG_EINVAL); // and does not hang
	assert_string_equal(err.text, "fifo is not a regular file");
	assert_int_equal(eg_file_read("/dev/zero", &buf, &err), EG_EINVAL);
	assert_int_equal(buf.size, 0);
	eg_buf_done(&buf);
}

static void a_secret_that_others_can_reach_is_refused(void **state)
{
	struct eg_err err = EG_ERR_INIT;
	struct eg_buf buf;

	(void)state;
	eg_buf_init_secret(&buf, 100);
	assert_int_equal(eg_file_write("secret", EG_BYTES_STR("x"), 0600, &err), 0);
	assert_int_equal(eg_file_read_private("secret", &buf, &err), 0);
	assert_int_equal(chmod("secret", 0640), 0);
	assert_int_equal(eg_file_read_private("secret", &buf, &err), EG_EAUTH);
	assert_non_null(strstr(err.text, "secret is open to others (mode 640)"));
	assert_int_equal(chmod("secret", 0600), 0);
	assert_int_equal(symlink("secret", "link"), 0);
	assert_int_equal(eg_file_read_private("link", &buf, &err), EG_EAUTH);
	assert_int_equal(eg_file_read("link", &buf, &err), 0);
	eg_buf_done(&buf);
}

static void a_failed_write_leaves_the_old_content_and_nothing_else(void **state)
{
	struct eg_err err = EG_ERR_INIT;

	(void)state;
	assert_int_equal(eg_dir_make("held/place", 0755, &err), 0);
	write_text("held/place/inside", "x");
	assert_int_equal(eg_file_write("held/place", EG_BYTES_STR("new"), 0600, &err), EG_EIO);
	assert_non_null(strstr(err.text, "held/place"));
	assert_int_equal(entries("held"), 1);
	assert_int_equal(entries("held/place"), 1);
	assert_int_equal(eg_file_write("nowhere/a", EG_BYTES_STR("x"), 0600, &err), EG_ENOENT);
}

static void folders_are_made_with_their_parents(void **state)
{
	struct eg_err err = EG_ERR_INIT;

	(void)state;
	assert_int_equal(eg_dir_make("x/y/z/", 0750, &err), 0);
	assert_int_equal(eg_dir_make("x/y/z", 0750, &err), 0); // again
	assert_int_equal(mode_of("x/y/z"), 0750);
	write_text("plain", "x");
	assert_int_equal(eg_dir_make("plain", 0750, &err), EG_EINVAL);
	assert_string_equal(err.text, "plain is not a folder");
	assert_int_equal(eg_dir_make("plain/below", 0750, &err), EG_EIO);
	assert_int_equal(eg_dir_make("", 0750, &err), EG_EINVAL);
}

static int init(void **state)
{
	static const char *const left[] = {
		"a",	      "open", "closed", "d1/d2", "d1",
		"five",	      "fifo", "secret", "link",	 "held/place/inside",
		"held/place", "held", "x/y/z",	"x/y",	 "x",
		"plain"};

	(void)state;
	// ctest may run us again in the folder of the last run.
	for (size_t i = 0; i < COUNT(left); i++)
		if (remove(left[i]) != 0 && errno != ENOENT)
			return -1;
	return eg_crypto_init(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_written_is_read),
		cmocka_unit_test(the_mode_is_exact_whatever_the_umask),
		cmocka_unit_test(reading_appends_up_to_the_maximum),
		cmocka_unit_test(what_is_no_file_is_refused_by_name),
		cmocka_unit_test(a_secret_that_others_can_reach_is_refused),
		cmocka_unit_test(a_failed_write_leaves_the_old_content_and_nothing_else),
		cmocka_unit_test(folders_are_made_with_their_parents),
	};

	return cmocka_run_group_tests(tests, init, NULL);
}
