// SPDX-License-Identifier: Apache-2.0
//
// Document readers: the serial one through a pseudo-terminal, the scripted one through a file.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <fcntl.h>
#include <unistd.h>

#include <cmocka.h>

#include "drivers/document.h"
#include "firmware/base/crypto.h"
#include "firmware/base/file.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define TD3_1 "P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<"
#define TD3_2 "L898902C36UTO7408122F1204159ZE184226B<<<<<10"
#define TD1_1 "I<UTOD231458907<<<<<<<<<<<<<<<"
#define TD1_2 "7408122F1204159UTO<<<<<<<<<<<6"
#define TD1_3 "ERIKSSON<<ANNA<MARIA<<<<<<<<<<"
#define PASS  "M1DESMARAIS/LUC       EABC123 YULFRAAC 0834 226F001A0025 100"

struct desk {
	int master;
	struct eg_document_reader *reader;
};

static void lay(struct desk *desk)
{
	struct eg_err err = EG_ERR_INIT;
	char source[80];

	desk->master = posix_openpt(O_RDWR | O_NOCTTY);
	assert_true(desk->master >= 0);
	assert_int_equal(grantpt(desk->master), 0);
	assert_int_equal(unlockpt(desk->master), 0);
	(void)snprintf(source, sizeof(source), "%s:115200", ptsname(desk->master));
	if (eg_document_serial.open(source, &desk->reader, &err) != 0)
		fail_msg("%s", err.text);
	assert_true(eg_document_serial.fd(desk->reader) >= 0);
}

static void clear(struct desk *desk)
{
	eg_document_serial.close(desk->reader);
	if (desk->master >= 0)
		assert_int_equal(close(desk->master), 0);
}

static void type(const struct desk *desk, const void *text, size_t size)
{
	assert_int_equal(write(desk->master, text, size), size);
}

#define TYPE(desk, text) type(desk, text, strlen(text))

static int take(const struct desk *desk, bool timed_out, struct eg_document *document)
{
	return eg_document_serial.read(desk->reader, timed_out, document, NULL);
}

static void documents_end_by_any_line_end(void **state)
{
	static const char *const ends[] = {"\r", "\n", "\r\n"};

	(void)state;
	for (size_t i = 0; i < COUNT(ends); i++) {
		struct eg_document document;
		struct desk desk;
		char text[512];

		lay(&desk);
		(void)snprintf(text, sizeof(text),
			       TD3_1 "%s" TD3_2 "%s" PASS "%s" TD1_1 "%s" TD1_2 "%s" TD1_3 "%s",
			       ends[i], ends[i], ends[i], ends[i], ends[i], ends[i]);
		TYPE(&desk, text);
		assert_int_equal(take(&desk, false, &document), 0);
		assert_int_equal(document.kind, EG_DOCUMENT_MRZ);
		assert_string_equal(document.mrz.number, "L898902C3");
		assert_int_equal(take(&desk, false, &document), 0);
		assert_int_equal(document.kind, EG_DOCUMENT_PASS);
		assert_string_equal(document.pass.name, "DESMARAIS/LUC");
		assert_int_equal(take(&desk, false, &document), 0);
		assert_int_equal(document.mrz.format, EG_MRZ_TD1);
		assert_int_equal(take(&desk, false, &document), EG_EAGAIN);
		assert_int_equal(take(&desk, true, &document), EG_EAGAIN);
		clear(&desk);
	}
}

static void silence_ends_a_document(void **state)
{
	struct eg_document document;
	struct desk desk;

	(void)state;
	lay(&desk);
	TYPE(&desk, "P<UTOERIKSSON<<ANNA");
	assert_int_equal(take(&desk, false, &document), EG_EAGAIN);
	TYPE(&desk, "<MARIA<<<<<<<<<<<<<<<<<<<" TD3_2);
	assert_int_equal(take(&desk, true, &document), EG_EAGAIN); // bytes came meanwhile
	assert_int_equal(take(&desk, true, &document), 0);
	assert_string_equal(document.mrz.surname, "ERIKSSON");
	TYPE(&desk, PASS);
	assert_int_equal(take(&desk, false, &document), EG_EAGAIN);
	assert_int_equal(take(&desk, true, &document), 0);
	assert_string_equal(document.pass.legs[0].flight, "0834");
	TYPE(&desk, TD3_1 "\r"); // half a zone
	assert_int_equal(take(&desk, false, &document), EG_EAGAIN);
	assert_int_equal(take(&desk, true, &document), EG_EINVAL);
	assert_int_equal(take(&desk, true, &document), EG_EAGAIN);
	clear(&desk);
}

static void rubbish_is_one_error_and_the_next_document_is_read(void **state)
{
	static const char rubbish[] = {'x', '\0', '\xff', '\x1b', '[', '\r'};
	struct eg_document document;
	struct desk desk;

	(void)state;
	lay(&desk);
	type(&desk, rubbish, sizeof(rubbish));
	TYPE(&desk, PASS "\r");
	assert_int_equal(take(&desk, false, &document), EG_EINVAL);
	assert_int_equal(take(&desk, false, &document), 0);
	TYPE(&desk, TD3_1 "\r" TD3_1 "\r" TD3_1 "\r" TD3_2 "\r"); // swiped wrong, then right
	assert_int_equal(take(&desk, false, &document), EG_EINVAL);
	assert_int_equal(take(&desk, false, &document), 0);
	clear(&desk);
}

static void a_line_without_end_is_one_error(void **state)
{
	struct eg_document document;
	struct eg_err err = EG_ERR_INIT;
	struct desk desk;
	char flood[1000];
	int errors = 0;

	(void)state;
	memset(flood, 'A', sizeof(flood));
	lay(&desk);
	for (int i = 0; i < 20; i++) {
		int r;

		type(&desk, flood, sizeof(flood));
		while ((r = eg_document_serial.read(desk.reader, false, &document, &err)) !=
		       EG_EAGAIN) {
			assert_int_equal(r, EG_EINVAL);
			assert_non_null(strstr(err.text, "longer than"));
			errors++;
		}
	}
	assert_int_equal(errors, 1);
	TYPE(&desk, "\r" PASS "\r");
	assert_int_equal(take(&desk, false, &document), 0);
	// The same within a later line of a zone, up to the buffer's last byte.
	TYPE(&desk, TD1_1 "\r");
	for (int i = 0; i < 3; i++) {
		type(&desk, flood, i < 2 ? sizeof(flood) : 16);
		assert_int_equal(take(&desk, false, &document), EG_EAGAIN);
	}
	TYPE(&desk, "\rX");
	assert_int_equal(take(&desk, false, &document), EG_EINVAL);
	TYPE(&desk, "\r" PASS "\r");
	assert_int_equal(take(&desk, false, &document), 0);
	clear(&desk);
}

static void a_reader_pulled_out_is_reported(void **state)
{
	struct eg_document document;
	struct eg_err err = EG_ERR_INIT;
	struct desk desk;

	(void)state;
	lay(&desk);
	TYPE(&desk, TD3_1 "\r");
	assert_int_equal(take(&desk, false, &document), EG_EAGAIN);
	assert_int_equal(close(desk.master), 0);
	desk.master = -1;
	assert_int_equal(eg_document_serial.read(desk.reader, false, &document, &err), EG_EIO);
	assert_non_null(strstr(err.text, "/dev/pts/"));
	clear(&desk);
}

static void wrong_sources_are_refused_by_name(void **state)
{
	static const struct {
		const char *source, *text;
		int code;
	} cases[] = {
		{"/dev/ttyNONE", "/dev/ttyNONE", EG_ENOENT},
		{"/dev/ttyNONE:9600", "/dev/ttyNONE", EG_ENOENT},
		{"/dev/ttyNONE:1", "9600", EG_EINVAL},
		{"/dev/null", "not a serial device", EG_EINVAL},
		{"", "path", EG_EINVAL},
		{":9600", "path", EG_EINVAL},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct eg_document_reader *reader;
		struct eg_err err = EG_ERR_INIT;

		assert_int_equal(eg_document_serial.open(cases[i].source, &reader, &err),
				 cases[i].code);
		assert_non_null(strstr(err.text, cases[i].text));
	}
	eg_document_serial.close(NULL);
	eg_document_script.close(NULL);
}

static void a_script_gives_a_document_a_paragraph(void **state)
{
	const char *text = "\n \r\n" TD3_1 "\r\n" TD3_2 "\r\n\r\n\n" PASS "\n\nrubbish\n\n" TD1_1
			   "\n" TD1_2 "\n" TD1_3;
	const struct eg_document_ops *ops = eg_document_backend("script");
	struct eg_document_reader *reader;
	struct eg_document document;
	struct eg_err err = EG_ERR_INIT;

	(void)state;
	assert_int_equal(eg_file_write("script.txt", EG_BYTES_STR(text), 0600, NULL), 0);
	assert_int_equal(ops->open("script.txt", &reader, NULL), 0);
	assert_int_equal(ops->fd(reader), -1);
	assert_int_equal(ops->read(reader, false, &document, NULL), 0);
	assert_int_equal(document.mrz.format, EG_MRZ_TD3);
	assert_int_equal(ops->read(reader, false, &document, NULL), 0);
	assert_int_equal(document.kind, EG_DOCUMENT_PASS);
	assert_int_equal(ops->read(reader, false, &document, NULL), EG_EINVAL);
	assert_int_equal(ops->read(reader, false, &document, NULL), 0);
	assert_int_equal(document.mrz.format, EG_MRZ_TD1);
	assert_int_equal(ops->read(reader, false, &document, NULL), EG_EAGAIN);
	ops->close(reader);
	assert_int_equal(ops->open("", &reader, NULL), 0);
	assert_int_equal(ops->read(reader, true, &document, NULL), EG_EAGAIN);
	ops->close(reader);
	assert_int_equal(ops->open("none.txt", &reader, &err), EG_ENOENT);
	assert_non_null(strstr(err.text, "none.txt"));
}

static void wiping_leaves_nothing(void **state)
{
	struct eg_document document, zero;

	(void)state;
	memset(&zero, 0, sizeof(zero));
	assert_int_equal(eg_document_parse(EG_BYTES_STR(PASS "\r\n"), &document, NULL), 0);
	eg_document_wipe(&document);
	assert_memory_equal(&document, &zero, sizeof(zero));
	eg_document_wipe(NULL);
	assert_ptr_equal(eg_document_backend("serial"), &eg_document_serial);
	assert_null(eg_document_backend("keyboard"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(documents_end_by_any_line_end),
		cmocka_unit_test(silence_ends_a_document),
		cmocka_unit_test(rubbish_is_one_error_and_the_next_document_is_read),
		cmocka_unit_test(a_line_without_end_is_one_error),
		cmocka_unit_test(a_reader_pulled_out_is_reported),
		cmocka_unit_test(wrong_sources_are_refused_by_name),
		cmocka_unit_test(a_script_gives_a_document_a_paragraph),
		cmocka_unit_test(wiping_leaves_nothing),
	};

	if (eg_crypto_init(NULL) != 0) // eg_file_write wants random names
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
