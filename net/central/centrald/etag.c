// SPDX-License-Identifier: Apache-2.0
//
// What has not changed is not sent again (RFC 9110 §13): tags are the first half of a SHA-256.

#include <stdio.h>
#include <string.h>

#include "net/central/centrald/request.h"

void etag_of(const uint8_t digest[EG_SHA256_SIZE], char ret_etag[ETAG_MAX])
{
	char hex[33];
	eg_hex(digest, 16, hex);
	(void)snprintf(ret_etag, ETAG_MAX, "\"%s\"", hex);
}

bool request_holds(const struct request *request, const char *etag)
{
	const char *header = request_header(request, MHD_HTTP_HEADER_IF_NONE_MATCH);
	return header != NULL && (strcmp(header, "*") == 0 || strstr(header, etag) != NULL);
}

enum MHD_Result reply_unchanged(struct request *request, const char *etag)
{
	struct MHD_Response *response = MHD_create_response_empty(MHD_RF_NONE);
	if (response != NULL)
		(void)MHD_add_response_header(response, MHD_HTTP_HEADER_ETAG, etag);
	return reply_with(request, MHD_HTTP_NOT_MODIFIED, response);
}
