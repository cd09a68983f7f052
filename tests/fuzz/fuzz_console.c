// SPDX-License-Identifier: Apache-2.0
// links: eg_consoled
//
// Any bytes as what a page sends: bodies, a path, a cookie.

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "firmware/base/mem.h"
#include "firmware/consoled/request.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void try_text(const char *text)
{
	char id[EG_ID_TEXT_MAX], token[SESSION_TOKEN_MAX];
	unsigned int number = 0;

	for (size_t i = 0; i < officer_route_count; i++)
		if (route_matches(officer_routes[i].path, text, id, &number) && number > 99)
			abort();
	if (session_cookie(text, token) && strlen(token) != SESSION_TOKEN_MAX - 1)
		abort();
	if (origin_matches(text, "https", text) ||
	    host_is_loopback(text, 8080) != (strcasecmp(text, "127.0.0.1:8080") == 0 ||
					     strcasecmp(text, "localhost:8080") == 0))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct eg_bytes bytes = EG_BYTES(data, size);
	struct body_decision decision;
	struct body_document document;
	struct body_sign_in sign_in;
	char *text = calloc(1, size + 1);

	if (body_read_sign_in(bytes, &sign_in, NULL) == 0 &&
	    (sign_in.badge[0] == '\0') != sign_in.certificate)
		abort();
	if (body_read_decision(bytes, &decision, NULL) == 0 && decision.decision[0] == '\0')
		abort();
	eg_ignore(body_read_document(bytes, &document, NULL));
	eg_ignore(body_read_empty(bytes, NULL));
	if (text == NULL)
		return 0;
	if (size > 0)
		memcpy(text, data, size);
	try_text(text);
	free(text);
	return 0;
}
