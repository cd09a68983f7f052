// SPDX-License-Identifier: Apache-2.0
//
// The recording light whole; of the GPIO one what needs no chip: sources and error texts.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "drivers/signal.h"
#include "firmware/base/file.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void the_recording_light_remembers_and_writes_each_change(void **state)
{
	const struct eg_signal_ops *ops = eg_signal_backend("record");
	struct eg_signal *signal;
	struct eg_buf log;

	(void)state;
	assert_ptr_equal(ops, &eg_signal_record);
	(void)remove("light.log");
	assert_int_equal(ops->open("light.log", &signal, NULL), 0);
	assert_int_equal(ops->get(signal), EG_LIGHT_OFF);
	assert_int_equal(ops->set(signal, EG_LIGHT_GREEN, NULL), 0);
	assert_int_equal(ops->set(signal, EG_LIGHT_GREEN, NULL), 0);
	assert_int_equal(ops->get(signal), EG_LIGHT_GREEN);
	assert_int_equal(ops->set(signal, EG_LIGHT_BLUE, NULL), 0);
	ops->close(signal);
	eg_buf_init(&log, 1024);
	assert_int_equal(eg_file_read("light.log", &log, NULL), 0);
	assert_string_equal(eg_buf_text(&log), "green\nblue\noff\n");
	eg_buf_done(&log);
}

static void a_log_that_cannot_be_written_is_named(void **state)
{
	struct eg_err err = EG_ERR_INIT;
	struct eg_signal *signal;

	(void)state;
	assert_int_equal(eg_signal_record.open("nowhere/light.log", &signal, &err), EG_ENOENT);
	assert_non_null(strstr(err.text, "nowhere/light.log"));
	assert_int_equal(eg_signal_record.open("/dev/full", &signal, NULL), 0);
	assert_int_equal(eg_signal_record.set(signal, EG_LIGHT_BLUE, &err), EG_EFULL);
	assert_int_equal(eg_signal_record.get(signal), EG_LIGHT_OFF);
	eg_signal_record.close(signal);
	eg_signal_record.close(NULL);
	eg_signal_gpio.close(NULL);
}

static void gpio_sources_that_are_none_are_refused(void **state)
{
	static const char *const sources[] = {
		"",
		":",
		"gpiochip0",
		"gpiochip0:",
		"gpiochip0:17",
		"gpiochip0:17:",
		":17:27",
		"gpiochip0:17:27:1",
		"gpiochip0:17:27 ",
		"gpiochip0:-1:27",
		"gpiochip0:17:2x",
		"gpiochip0:17:17",
		"gpiochip0:1234567:1",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(sources); i++) {
		struct eg_err err = EG_ERR_INIT;
		struct eg_signal *signal;

		if (eg_signal_gpio.open(sources[i], &signal, &err) != EG_EINVAL)
			fail_msg("\"%s\"", sources[i]);
		assert_true(err.text[0] != '\0');
	}
}

static void a_chip_that_is_not_there_is_named(void **state)
{
	static const struct {
		const char *source, *name;
		int code;
	} cases[] = {
		{"gpiochip77:17:27", "/dev/gpiochip77", EG_ENOENT},
		{"/dev/null:17:27", "/dev/null", 0}, // which error depends on /sys being there,
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct eg_err err = EG_ERR_INIT;
		struct eg_signal *signal;

		int r = eg_signal_gpio.open(cases[i].source, &signal, &err);

		assert_true(cases[i].code != 0 ? r == cases[i].code : r < 0);
		assert_non_null(strstr(err.text, cases[i].name));
	}
}

static void names_are_known_and_others_are_not(void **state)
{
	(void)state;
	assert_ptr_equal(eg_signal_backend("gpio"), &eg_signal_gpio);
	assert_null(eg_signal_backend("red"));
	assert_string_equal(eg_light_name(EG_LIGHT_GREEN), "green");
	assert_string_equal(eg_light_name(EG_LIGHT_BLUE), "blue");
	assert_string_equal(eg_light_name((enum eg_light)99), "off");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_recording_light_remembers_and_writes_each_change),
		cmocka_unit_test(a_log_that_cannot_be_written_is_named),
		cmocka_unit_test(gpio_sources_that_are_none_are_refused),
		cmocka_unit_test(a_chip_that_is_not_there_is_named),
		cmocka_unit_test(names_are_known_and_others_are_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
