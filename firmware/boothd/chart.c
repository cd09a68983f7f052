// SPDX-License-Identifier: Apache-2.0
//
// See chart.h.

#include "firmware/boothd/chart.h"

#include <math.h>

// A drawn chart: a shaded disc with bars. It is nobody, so nothing may be confirmed from it, and
// the same chart must give the same template twice.
static void draw_chart(struct eg_image *chart)
{
	int x, y, c;

	for (y = 0; y < chart->height; y++)
		for (x = 0; x < chart->width; x++)
			for (c = 0; c < 3; c++)
				chart->data[y * chart->stride + 3 * x + c] =
					(uint8_t)((x * 2 + y * (c + 1) +
						   ((x / 8 + y / 8) % 2) * 60) %
						  256);
}

int eg_chart_test(struct eg_extractor *extractor, struct eg_capture *stills, struct eg_err *err)
{
	struct eg_template a, b;
	struct eg_image chart = {0};
	struct eg_face faces[4];
	float score, own;
	size_t count;
	int r;

	r = eg_image_init(&chart, EG_ALIGNED_SIDE, EG_ALIGNED_SIDE, 3);
	if (r != 0)
		return eg_err_set(err, r, "self-test: out of memory");
	draw_chart(&chart);
	r = eg_extractor_run(extractor, &chart, &a, err);
	if (r == 0)
		r = eg_extractor_run(extractor, &chart, &b, err);
	if (r == 0)
		r = eg_template_compare(&a, &b, &score);
	if (r == 0)
		r = eg_template_compare(&a, &a, &own);
	if (r != 0) {
		r = eg_err_prefix(err, r, "self-test: the recogniser does not run");
	} else if (!(fabsf(score - own) < 1e-3f)) {
		r = eg_err_set(err, EG_EFOREIGN,
			       "self-test: the recogniser gives %.3f for one chart twice, not %.3f",
			       (double)score, (double)own);
	} else {
		r = eg_capture_still(stills, &chart, faces, 4, &count, err);
		if (r != 0)
			r = eg_err_prefix(err, r, "self-test: the detector does not run");
		else if (count != 0)
			r = eg_err_set(
				err, EG_EFOREIGN,
				"self-test: the detector sees a face in a chart without one");
	}
	eg_template_wipe(&a);
	eg_template_wipe(&b);
	eg_image_done(&chart);
	return r;
}
