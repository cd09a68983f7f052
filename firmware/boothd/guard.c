// SPDX-License-Identifier: Apache-2.0

#include "firmware/boothd/guard.h"

#include "firmware/base/mem.h"

// A comparison that fails says nothing.
static bool alike(const struct eg_template *a, const struct eg_template *b, float threshold)
{
	float score;

	return eg_template_compare(a, b, &score) != 0 || score >= threshold;
}

enum eg_guard_says eg_guard_step(struct eg_guard *guard, const struct eg_template *known,
				 const struct eg_template *shot, float threshold)
{
	bool same = alike(known, shot, threshold);
	bool again = !same && guard->doubted && alike(&guard->doubtful, shot, threshold);

	guard->doubted = !same && !again;
	if (guard->doubted)
		guard->doubtful = *shot;
	else
		eg_wipe(&guard->doubtful, sizeof(guard->doubtful));
	return same ? EG_GUARD_SAME : again ? EG_GUARD_OTHER : EG_GUARD_DOUBT;
}
