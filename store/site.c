// SPDX-License-Identifier: Apache-2.0

#include "store/site.h"

#include <errno.h>
#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "firmware/base/conf.h"
#include "firmware/base/file.h"

#define ODDS_MAX     12.0
#define COUNT_MAX    10000
#define MAY_BE_WRONG 10 // one in so many of either group, at least none

#define AT(member) offsetof(struct eg_site, member)
#define TEXT(member) \
	.type = EG_CONF_TEXT, .offset = AT(member), .size = sizeof(((struct eg_site *)0)->member)
#define COUNT(member) \
	.type = EG_CONF_INT, .offset = AT(member), .min = EG_SITE_LEAST, .max = COUNT_MAX

static const struct eg_conf_key keys[] = {
	{"liveness", "shift", .type = EG_CONF_DOUBLE, .offset = AT(shift),
	 .min = -EG_SITE_SHIFT_MAX, .max = EG_SITE_SHIFT_MAX,
	 .help = "log odds added to the policy's liveness threshold (boothctl calibrate liveness)"},
	{"liveness", "measured", TEXT(measured), .help = "when"},
	{"liveness", "live", COUNT(live), .help = "presentations of people"},
	{"liveness", "attacks", COUNT(attacks), .help = "presentations of photos and screens"},
	{"liveness", "pack", TEXT(pack), .help = "SHA-256 of the model pack; another one: ignored"},
	{"liveness", "camera", TEXT(camera), .help = "another one: ignored"},
	{0},
};

int eg_site_load(const char *path, struct eg_site *ret_site, struct eg_err *err)
{
	uint8_t digest[32];
	int r;

	if (access(path, F_OK) != 0 && errno == ENOENT)
		return eg_err_set(err, EG_ENOENT, "%s: nothing was measured here yet", path);
	r = eg_conf_load(path, keys, ret_site, err);
	if (r == 0 && eg_unhex(ret_site->pack, digest, sizeof(digest)) != 0)
		r = eg_err_set(err, EG_EINVAL, "%s: [liveness] pack is not 64 hexadecimal digits",
			       path);
	return r;
}

int eg_site_save(const struct eg_site *site, const char *path, struct eg_err *err)
{
	char *text = NULL;
	size_t size = 0;
	FILE *file = open_memstream(&text, &size);
	int r;

	if (file == NULL)
		return eg_err_set(err, EG_ENOMEM, "%s: out of memory", path);
	eg_conf_print(file, keys, site);
	r = fclose(file) != 0
		    ? eg_err_set(err, EG_ENOMEM, "%s: out of memory", path)
		    : eg_file_write(path, (struct eg_bytes){(uint8_t *)text, size}, 0644, err);
	free(text);
	return r;
}

static double odds_of(double score)
{
	double odds = log(score) - log1p(-score);

	return fmax(-ODDS_MAX, fmin(odds, ODDS_MAX));
}

static double score_of(double odds)
{
	return 1 / (1 + exp(-odds));
}

double eg_site_threshold(double shift, double policy)
{
	return policy <= 0 || policy >= 1 ? policy : score_of(odds_of(policy) + shift);
}

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

// Between neighbours by a straight line, in log odds.
static double percentile(const double *sorted, size_t count, double share)
{
	double place = share * (double)(count - 1), part = place - floor(place);
	size_t low = (size_t)floor(place), high = low + 1 < count ? low + 1 : low;

	return odds_of(sorted[low]) * (1 - part) + odds_of(sorted[high]) * part;
}

int eg_site_part(double *live, size_t live_count, double *attacks, size_t attack_count,
		 double policy, struct eg_site_groups *ret_groups, struct eg_err *err)
{
	struct eg_site_groups g = {0};
	double low, high, at = odds_of(fmax(1e-6, fmin(policy, 1 - 1e-6)));
	size_t i;

	if (live_count > 0 && attack_count > 0) {
		qsort(live, live_count, sizeof(*live), by_size);
		qsort(attacks, attack_count, sizeof(*attacks), by_size);
		low = percentile(live, live_count, 0.1);
		high = percentile(attacks, attack_count, 0.9);
		g.live_low = score_of(low);
		g.attack_high = score_of(high);
		g.shift = low > high ? fmax(high + (low - high) / 4,
					    fmin(at, low - (low - high) / 4)) -
					       at
				     : (low + high) / 2 - at;
		g.shift = fmax(-EG_SITE_SHIFT_MAX, fmin(g.shift, EG_SITE_SHIFT_MAX));
		g.threshold = score_of(at + g.shift);
		for (i = 0; i < live_count; i++)
			g.refused += live[i] < g.threshold;
		for (i = 0; i < attack_count; i++)
			g.passed += attacks[i] >= g.threshold;
		*ret_groups = g;
	}
	if (live_count < EG_SITE_LEAST || attack_count < EG_SITE_LEAST)
		return eg_err_set(err, EG_EINVAL,
				  "%zu live and %zu attack presentations were measured; %d of "
				  "each are the least",
				  live_count, attack_count, EG_SITE_LEAST);
	if (g.refused > live_count / MAY_BE_WRONG || g.passed > attack_count / MAY_BE_WRONG)
		return eg_err_set(err, EG_EINVAL,
				  "people and photos overlap: at the best threshold allowed, %.2f, "
				  "%zu of %zu people would be refused and %zu of %zu photos pass. "
				  "Even out the light (no lamp or window behind people), clean and "
				  "focus the lens, see that faces fill a third of the picture's "
				  "height, then begin again",
				  g.threshold, g.refused, live_count, g.passed, attack_count);
	return 0;
}
