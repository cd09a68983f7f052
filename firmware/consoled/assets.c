// SPDX-License-Identifier: Apache-2.0
//
// See assets.h.

#include "firmware/consoled/assets.h"

#include <stdio.h>
#include <string.h>

#define PATH_MAX_HERE 256

static const char folder[] = "/assets/";

static const struct asset *find(const char *path)
{
	size_t low = 0, high = asset_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = strcmp(path, assets[middle].path);

		if (order == 0)
			return &assets[middle];
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return NULL;
}

const struct asset *asset_find(const char *path, bool *ret_forever)
{
	const size_t before = sizeof(folder) - 1, digest = strlen(asset_digest);
	char name[PATH_MAX_HERE];

	*ret_forever = strncmp(path, folder, before) == 0 &&
		       strncmp(path + before, asset_digest, digest) == 0 &&
		       path[before + digest] == '/';
	if (!*ret_forever)
		return find(path);
	if ((size_t)snprintf(name, sizeof(name), "%s%s", folder, path + before + digest + 1) >=
	    sizeof(name))
		return NULL;
	return find(name);
}
