// SPDX-License-Identifier: Apache-2.0
// links: eg_drivers
//
// What a document reader types, of either kind.

#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "drivers/document.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct eg_document document;

	if (eg_document_parse(EG_BYTES(data, size), &document, NULL) == 0) {
		assert(document.kind == EG_DOCUMENT_MRZ || document.kind == EG_DOCUMENT_PASS);
		eg_document_wipe(&document);
	}
	return 0;
}
