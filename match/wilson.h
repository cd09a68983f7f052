// SPDX-License-Identifier: Apache-2.0
//
// Wilson's interval for a share, 95 % (E. B. Wilson, JASA 22, 1927). Thread: any.

#ifndef EG_WILSON_H
#define EG_WILSON_H

struct eg_interval {
	double low, high; // 0 … 1; NaN: n was 0
};

struct eg_interval eg_wilson(double successes, double n);

#endif
