// SPDX-License-Identifier: Apache-2.0
//
// What a manifest says of a traveller's document and boarding pass: digests only, so whether a
// document that was read is this traveller's can be said, but not which number it has.
//
// Thread: any.

#ifndef EG_PAPERS_H
#define EG_PAPERS_H

#include <stdbool.h>

#include "drivers/document.h"
#include "firmware/base/crypto.h"

struct eg_papers {
	bool has_document, has_pass;
	uint8_t document[EG_SHA256_SIZE], pass[EG_SHA256_SIZE];
};

// The digest a document goes by under a manifest's salt. EG_EINVAL: nothing in it to go by.
int eg_papers_digest(const uint8_t salt[32], const struct eg_document *document,
		     uint8_t ret_digest[EG_SHA256_SIZE]) EG_CHECKED;

// True when the digest of a document of that kind is this traveller's.
bool eg_papers_hold(const struct eg_papers *papers, enum eg_document_kind kind,
		    const uint8_t digest[EG_SHA256_SIZE]);

#endif
