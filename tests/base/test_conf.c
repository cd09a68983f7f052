// SPDX-License-Identifier: Apache-2.0

#include "test.h"

#include <unistd.h>

#include "firmware/base/conf.h"
#include "firmware/base/log.h"

struct config {
	long long whole;
	double real;
	bool yes;
	int word;
	char text[16], path[128], log[128];
};

static const char *const words[] = {"red", "green", "blue", NULL};

#define AT(member) \
	.offset = offsetof(struct config, member), .size = sizeof(((struct config *)0)->member)

static const struct eg_conf_key table[] = {
	{"one", "whole", EG_CONF_INT, AT(whole), .min = -5, .max = 10, .def = "7",
	 .help = "A number."},
	{"one", "real", EG_CONF_DOUBLE, AT(real), .min = 0, .max = 1, .def = "0.1",
	 .help = "A part."},
	{"one", "yes", EG_CONF_BOOL, AT(yes), .def = "no", .help = "Or not."},
	{"two", "word", EG_CONF_ENUM, AT(word), .words = words, .def = "green",
	 .help = "A colour."},
	{"two", "text", EG_CONF_TEXT, AT(text), .def = "", .help = "Some text."},
	{"two", "path", EG_CONF_PATH, AT(path), .help = "Must be given."},
	{"two", "log", EG_CONF_PATH, AT(log), .def = "/var/log/x", .help = "A place."},
	{0},
};

static struct config config;
static struct eg_err err;

static int load(const char *text)
{
	write_text("test.conf", text);
	memset(&config, 0xaa, sizeof(config));
	err = EG_ERR_INIT;
	return eg_conf_load("test.conf", table, &config, &err);
}

static void what_is_not_given_is_the_default(void **state)
{
	(void)state;
	assert_int_equal(load("[two]\npath = /srv\n"), 0);
	assert_int_equal(config.whole, 7);
	assert_true(config.real >= 0.1 && config.real <= 0.1);
	assert_false(config.yes);
	assert_int_equal(config.word, 1);
	assert_string_equal(config.text, "");
	assert_string_equal(config.path, "/srv");
	assert_string_equal(config.log, "/var/log/x");
}

static void without_a_file_there_are_defaults_only(void **state)
{
	(void)state;
	memset(&config, 0, sizeof(config));
	assert_int_equal(eg_conf_load(NULL, table, &config, &err), 0);
	assert_int_equal(config.whole, 7);
	assert_string_equal(config.path, "");
}

static void every_type_is_read(void **state)
{
	(void)state;
	assert_int_equal(load("# comment\n[one]\nwhole=-5\nreal = 1e-3 ; inline\nyes = true\n"
			      "[two]\r\nword = blue\r\ntext = a b  c\npath = /a\n"),
			 0);
	assert_int_equal(config.whole, -5);
	assert_true(config.real >= 1e-3 && config.real <= 1e-3);
	assert_true(config.yes);
	assert_int_equal(config.word, 2);
	assert_string_equal(config.text, "a b  c");
}

static void relative_paths_are_below_the_files_folder(void **state)
{
	char cwd[64], expected[128];

	(void)state;
	assert_non_null(getcwd(cwd, sizeof(cwd)));
	(void)snprintf(expected, sizeof(expected), "%s/keys/a.pem", cwd);
	assert_int_equal(load("[two]\npath = keys/a.pem\n"), 0);
	assert_string_equal(config.path, expected);
}

// Each of these texts is refused with these words.
static void bad_values_are_named_by_file_line_and_key(void **state)
{
	static const struct {
		const char *line, *words;
	} cases[] = {
		{"[one]\nwhole = 11", "test.conf:4: [one] whole: '11' is not within -5 and 10"},
		{"[one]\nwhole = -6", "is not within"},
		{"[one]\nwhole = 99999999999999999999", "is not within"},
		{"[one]\nwhole = 1.5", "test.conf:4: [one] whole: '1.5' is no whole number"},
		{"[one]\nwhole =", "is no whole number"},
		{"[one]\nwhole = 0x5", "is no whole number"},
		{"[one]\nreal = nan", "is no number"},
		{"[one]\nreal = inf", "is no number"},
		{"[one]\nreal = 1.01", "is not within 0 and 1"},
		{"[one]\nreal = 0,5", "is no number"},
		{"[one]\nyes = maybe", "is neither yes nor no"},
		{"[two]\nword = pink", "is none of red, green, blue"},
		{"[two]\ntext = 1234567890123456", "is longer than 15 characters"},
		{"[two]\ntext =;x", "begins with a semicolon"},
		{"[one]\nhole = 1", "test.conf:4: [one] hole is no key that this program knows"},
		{"[three]\nwhole = 1", "[three] whole is no key"},
		{"[one]\nwhole = 1\nwhole = 1", "test.conf:5: [one] whole is given twice"},
		{"[one]\nwhole = 1\n  2", "(an indented line goes on with the one above)"},
		{"[one]\nnothing", "test.conf:4: neither a [section] nor a key = value"},
		{"[one", "neither a [section] nor a key = value"},
	};
	char text[512];

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		(void)snprintf(text, sizeof(text), "[two]\npath = /a\n%s\n", cases[i].line);
		assert_int_equal(load(text), EG_EINVAL);
		if (strstr(err.text, cases[i].words) == NULL)
			fail_msg("'%s' gave '%s'", cases[i].line, err.text);
	}
}

static void a_key_without_default_must_be_given(void **state)
{
	(void)state;
	assert_int_equal(load(""), EG_EINVAL);
	assert_non_null(strstr(err.text, "[two] path must be given"));
}

static void an_overlong_line_is_refused_and_not_cut(void **state)
{
	char text[600];

	(void)state;
	memset(text, 'x', sizeof(text));
	memcpy(text, "[two]\npath = /", 14);
	text[sizeof(text) - 1] = '\0';
	assert_int_equal(load(text), EG_EINVAL);
	assert_non_null(strstr(err.text, "test.conf:2: the line is longer than 189 bytes"));
}

static void files_that_are_no_text_are_refused(void **state)
{
	FILE *file = fopen("test.conf", "we");

	(void)state;
	assert_non_null(file);
	assert_int_equal(fwrite("[a]\0b", 1, 5, file), 5);
	assert_int_equal(fclose(file), 0);
	assert_int_equal(eg_conf_load("test.conf", table, &config, &err), EG_EINVAL);
	assert_string_equal(err.text, "test.conf is no text file");
	assert_int_equal(eg_conf_load("absent.conf", table, &config, &err), EG_ENOENT);
	assert_int_equal(eg_conf_load(".", table, &config, &err), EG_EINVAL);
}

static void what_is_printed_loads_again(void **state)
{
	struct config before;
	char *text = NULL;
	size_t size;
	FILE *out;

	(void)state;
	assert_int_equal(load("[one]\nwhole = 3\nreal = 0.7\nyes = 1\n"
			      "[two]\nword = red\ntext = x y\npath = /p\n"),
			 0);
	before = config;
	out = open_memstream(&text, &size);
	assert_non_null(out);
	eg_conf_print(out, table, &config);
	assert_int_equal(fclose(out), 0);
	assert_non_null(strstr(text, "[one]\n# A number.\nwhole = 3\n# A part.\n"));
	assert_int_equal(load(text), 0);
	assert_int_equal(config.whole, before.whole);
	assert_memory_equal(&config.real, &before.real, sizeof(config.real)); // to the last bit
	assert_int_equal(config.yes, before.yes);
	assert_int_equal(config.word, before.word);
	assert_string_equal(config.text, before.text);
	assert_string_equal(config.path, before.path);
	free(text);
}

static void a_wrong_default_is_found_at_once(void **state)
{
	static const struct eg_conf_key wrong[] = {
		{"one", "whole", EG_CONF_INT, AT(whole), .min = 0, .max = 1, .def = "2",
		 .help = "x"},
		{0},
	};

	(void)state;
	assert_int_equal(eg_conf_load(NULL, wrong, &config, &err), EG_EINVAL);
	assert_string_equal(err.text, "default of [one] whole: '2' is not within 0 and 1");
}

static int init(void **state)
{
	(void)state;
	eg_log_init("test", (enum eg_log_level)0); // further bad lines go to the log
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_not_given_is_the_default),
		cmocka_unit_test(without_a_file_there_are_defaults_only),
		cmocka_unit_test(every_type_is_read),
		cmocka_unit_test(relative_paths_are_below_the_files_folder),
		cmocka_unit_test(bad_values_are_named_by_file_line_and_key),
		cmocka_unit_test(a_key_without_default_must_be_given),
		cmocka_unit_test(an_overlong_line_is_refused_and_not_cut),
		cmocka_unit_test(files_that_are_no_text_are_refused),
		cmocka_unit_test(what_is_printed_loads_again),
		cmocka_unit_test(a_wrong_default_is_found_at_once),
	};

	return cmocka_run_group_tests(tests, init, NULL);
}
