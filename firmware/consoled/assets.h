// SPDX-License-Identifier: Apache-2.0
//
// The pages' files, built into the program: `pages/embed` writes the table at build time. Pages
// name files as /assets/NAME; embed puts the digest of all of them between, /assets/DIGEST/NAME,
// so that browsers may keep them for ever. Without the digest a file is there too, to be asked for
// again each time (its ETag is its own digest).
//
// Thread: any; all is constant.

#ifndef CONSOLED_ASSETS_H
#define CONSOLED_ASSETS_H

#include "firmware/base/buf.h"

struct asset {
	const char *path;   // "/assets/officer.css", "/texts/de.json"
	const char *type;   // media type
	const char *digest; // of the file, as a text
	struct eg_bytes plain;
	struct eg_bytes gzip; // empty: not worth it
};

extern const struct asset assets[]; // by path, ascending
extern const size_t asset_count;
extern const char asset_digest[]; // of all of them

// The file of this path, NULL: there is none. *ret_forever: the path had the digest in it.
const struct asset *asset_find(const char *path, bool *ret_forever);

#endif
