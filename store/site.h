// SPDX-License-Identifier: Apache-2.0
//
// What a technician measured at one booth, and what follows from it: site.conf, written by
// `boothctl calibrate`, read by boothd when it starts:
//
//	[liveness]
//	shift = -0.42            log odds added to the policy's liveness threshold
//	measured = 2026-11-24T13:50:02Z
//	live = 6                 presentations of people
//	attacks = 8              presentations of photos and screens
//	pack = 64 hex digits     SHA-256 of the model pack in use
//	camera = imx477
//
// Thread: any, after eg_crypto_init.

#ifndef EG_SITE_H
#define EG_SITE_H

#include "firmware/base/buf.h"

#define EG_SITE_SHIFT_MAX 1.5 // 0.5 becomes at least 0.18, at most 0.82
#define EG_SITE_LEAST	  5   // presentations of either group

struct eg_site {
	double shift;
	char measured[32];
	long long live, attacks;
	char pack[65];
	char camera[128];
};

// Strict, as every configuration. EG_ENOENT when there is no such file: nothing was measured.
int eg_site_load(const char *path, struct eg_site *ret_site, struct eg_err *err) EG_CHECKED;
// Atomically, mode 0644.
int eg_site_save(const struct eg_site *site, const char *path, struct eg_err *err) EG_CHECKED;

// The threshold on scores 0 … 1 that holds here when policy says `policy`. 0 stays 0, 1 stays 1.
double eg_site_threshold(double shift, double policy);

// Where two groups of scores (0 … 1) part, and what that threshold would do to them.
struct eg_site_groups {
	double shift, threshold;
	double live_low, attack_high; // the 10th percentile of the one, the 90th of the other
	size_t refused, passed;	      // live ones below the threshold, attacks at or over it
};

// The threshold is the policy's when that lies in the middle half, in log odds, of the gap between
// the lower end of the live group and the upper end of the attacks, or else the nearer end of that
// half: few presentations are reason to move it no more than needed. Without a gap it is half-way.
// It never moves by more than EG_SITE_SHIFT_MAX. EG_EINVAL, with what to do, when there are too
// few, or when it would refuse more than a tenth of the live or let pass more than a tenth of the
// attacks; *ret_groups is written all the same when both groups have one score or more. Sorts both
// arrays in place.
int eg_site_part(double *live, size_t live_count, double *attacks, size_t attack_count,
		 double policy, struct eg_site_groups *ret_groups, struct eg_err *err) EG_CHECKED;

#endif
