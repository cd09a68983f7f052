// SPDX-License-Identifier: Apache-2.0

#include "firmware/boothd/papers.h"

#include "firmware/base/mem.h"
#include "store/manifest.h"

int eg_papers_digest(const uint8_t salt[32], const struct eg_document *document,
		     uint8_t ret_digest[EG_SHA256_SIZE])
{
	if (document->kind == EG_DOCUMENT_MRZ)
		return eg_manifest_document_digest(salt, document->mrz.issuer, document->mrz.number,
						   ret_digest);
	if (document->pass.leg_count == 0)
		return EG_EINVAL;
	return eg_manifest_pass_digest(salt, document->pass.legs[0].pnr,
				       document->pass.legs[0].sequence, ret_digest);
}

bool eg_papers_hold(const struct eg_papers *papers, enum eg_document_kind kind,
		    const uint8_t digest[EG_SHA256_SIZE])
{
	bool mrz = kind == EG_DOCUMENT_MRZ;

	return (mrz ? papers->has_document : papers->has_pass) &&
	       eg_equal_ct(digest, mrz ? papers->document : papers->pass, EG_SHA256_SIZE);
}
