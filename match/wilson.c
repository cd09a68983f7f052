// SPDX-License-Identifier: Apache-2.0

#include "match/wilson.h"

#include <math.h>

struct eg_interval eg_wilson(double successes, double n)
{
	const double z = 1.959963984540054;
	double p, centre, half;

	if (!(n > 0))
		return (struct eg_interval){NAN, NAN};
	p = successes / n;
	centre = (p + z * z / (2 * n)) / (1 + z * z / n);
	half = z / (1 + z * z / n) * sqrt(p * (1 - p) / n + z * z / (4 * n * n));
	return (struct eg_interval){fmax(0, centre - half), fmin(1, centre + half)};
}
