// SPDX-License-Identifier: Apache-2.0
//
// The interface texts in the tree are what the programs serve.

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "firmware/base/buf.h"
#include "firmware/base/file.h"
#include "firmware/varlink/booth.h"
#include "firmware/varlink/console.h"
#include "firmware/varlink/sync.h"

static void same(const sd_varlink_interface *interface, const char *name)
{
	char path[512], *text = NULL;
	struct eg_err err = EG_ERR_INIT;
	struct eg_buf file;

	(void)snprintf(path, sizeof(path), "%s/firmware/varlink/%s", getenv("EGRESS_SOURCE"), name);
	eg_buf_init(&file, 1 << 20);
	if (eg_file_read(path, &file, &err) != 0)
		fail_msg("%s", err.text);
	assert_true(sd_varlink_idl_format(interface, &text) >= 0);
	const char *written = eg_buf_text(&file);
	size_t at = 0;
	while (written[at] != '\0' && written[at] == text[at])
		at++;
	if (written[at] != text[at]) // whole, they are longer than cmocka prints
		fail_msg("%s differs at byte %zu: written '%.60s', served '%.60s'", name, at,
			 written + at, text + at);
	free(text);
	eg_buf_done(&file);
}

static void the_text_of_the_booth_interface_is_what_boothd_serves(void **state)
{
	(void)state;
	same(&vl_interface_io_egress_Booth, "io.egress.Booth.varlink");
}

static void the_text_of_the_console_interface_is_what_boothd_serves(void **state)
{
	(void)state;
	same(&vl_interface_io_egress_Console, "io.egress.Console.varlink");
}

static void the_text_of_the_sync_interface_is_what_syncd_serves(void **state)
{
	(void)state;
	same(&vl_interface_io_egress_Sync, "io.egress.Sync.varlink");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_text_of_the_booth_interface_is_what_boothd_serves),
		cmocka_unit_test(the_text_of_the_console_interface_is_what_boothd_serves),
		cmocka_unit_test(the_text_of_the_sync_interface_is_what_syncd_serves),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
