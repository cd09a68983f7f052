// SPDX-License-Identifier: Apache-2.0
// links: eg_net
//
// A booth's counts by group, as the centre reads them. What it takes it writes again to the same
// counts, and none of them is small.

#include <assert.h>
#include <string.h>

#include "net/tally.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct eg_counts counts, again;
	struct eg_err err = EG_ERR_INIT;
	sd_json_variant *json = NULL;

	if (eg_tally_parse(EG_BYTES(data, size), &counts, &err) != 0)
		return 0;
	assert(eg_counts_week(counts.from_ms) == counts.from_ms);
	for (size_t m = 0; m < EG_MEASURES; m++)
		assert(counts.all[m] <= 0 || counts.all[m] >= EG_COUNT_SMALL);
	assert(eg_tally_write(&counts, &json) == 0);
	assert(eg_tally_read(json, &again, &err) == 0);
	assert(memcmp(&counts, &again, sizeof(counts)) == 0);
	sd_json_variant_unref(json);
	return 0;
}
