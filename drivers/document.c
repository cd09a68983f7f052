// SPDX-License-Identifier: Apache-2.0
//
// What was read is either a boarding pass or a machine-readable zone; the table of backends.
// Thread: any.

#include "drivers/document.h"

#include <string.h>

#include "firmware/base/mem.h"

static bool is_pass(struct eg_bytes text)
{
	return text.size >= 2 && text.data[0] == 'M' && text.data[1] >= '0' && text.data[1] <= '9';
}

int eg_document_parse(struct eg_bytes text, struct eg_document *ret_document, struct eg_err *err)
{
	struct eg_document document;
	int r;

	// A pass may end in spaces that count, so only line ends are taken off.
	while (text.size > 0 &&
	       (text.data[text.size - 1] == '\r' || text.data[text.size - 1] == '\n'))
		text.size--;
	memset(&document, 0, sizeof(document));
	if (is_pass(text)) {
		document.kind = EG_DOCUMENT_PASS;
		r = eg_bcbp_parse(text, &document.pass, err);
	} else {
		document.kind = EG_DOCUMENT_MRZ;
		r = eg_mrz_parse(text, &document.mrz, err);
	}
	if (r == 0)
		*ret_document = document;
	eg_document_wipe(&document);
	return r;
}

void eg_document_wipe(struct eg_document *document)
{
	if (document)
		eg_wipe(document, sizeof(*document));
}

const struct eg_document_ops *eg_document_backend(const char *name)
{
	static const struct eg_document_ops *const backends[] = {
		&eg_document_serial,
		&eg_document_script,
	};

	for (size_t i = 0; i < sizeof(backends) / sizeof(backends[0]); i++)
		if (strcmp(backends[i]->name, name) == 0)
			return backends[i];
	return NULL;
}
