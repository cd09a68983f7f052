// SPDX-License-Identifier: Apache-2.0
//
// The interface in C and the text for readers are the same.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>

#include "firmware/varlink/sync.h"

static void the_text_is_what_the_program_says(void **state)
{
	char path[512], text[16384], *said = NULL;
	FILE *in;
	size_t n;

	(void)state;
	(void)snprintf(path, sizeof(path), "%s/firmware/varlink/io.egress.Sync.varlink",
		       getenv("EGRESS_SOURCE"));
	in = fopen(path, "rb");
	assert_non_null(in);
	n = fread(text, 1, sizeof(text) - 1, in);
	(void)fclose(in);
	text[n] = '\0';
	assert_true(sd_varlink_idl_format(&vl_interface_io_egress_Sync, &said) >= 0);
	assert_string_equal(said, text);
	free(said);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(the_text_is_what_the_program_says)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
