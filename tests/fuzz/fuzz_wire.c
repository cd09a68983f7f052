// SPDX-License-Identifier: Apache-2.0
// links: eg_net
//
// What the centre says in text: the list of manifests, a problem, a Content-Range header.

#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "net/wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct eg_listed listed[EG_WIRE_LISTED_MAX];
	struct eg_http_answer answer = {.status = 500, .content_type = "application/problem+json"};
	uint64_t from, to, length;
	char text[64], sentence[100];
	size_t count = 0, n = size < sizeof(text) - 1 ? size : sizeof(text) - 1;

	if (eg_wire_parse_list(EG_BYTES(data, size), listed, &count, NULL) == 0) {
		assert(count <= EG_WIRE_LISTED_MAX);
		for (size_t i = 0; i < count; i++)
			assert(!strpbrk(listed[i].id, "/?#% \r\n") &&
			       !strpbrk(listed[i].etag, "\r\n"));
	}
	eg_wire_problem(&answer, EG_BYTES(data, size), sentence, sizeof(sentence));
	assert(!strpbrk(sentence, "\r\n") && strlen(sentence) < sizeof(sentence));
	if (n > 0)
		memcpy(text, data, n);
	text[n] = '\0';
	if (eg_http_parse_range(text, &from, &to, &length) == 0)
		assert(from <= to && to < length);
	return 0;
}
