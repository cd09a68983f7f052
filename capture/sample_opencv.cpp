// SPDX-License-Identifier: Apache-2.0
//
// Sampling on OpenCV. No exception leaves; all pixels are in the caller's memory.

extern "C" {
#include "capture/sample.h"
}

#include <algorithm>
#include <cmath>

#include <opencv2/imgproc.hpp>

namespace
{

cv::Mat mat_of(const eg_image *image)
{
	return cv::Mat(image->height, image->width, CV_8UC(image->channels), image->data,
		       static_cast<size_t>(image->stride));
}

// The range of image pixels that an axis of the output reads, with a margin, clipped.
void range(const double *row, int width, int height, int limit, int *first, int *last)
{
	const double x = row[0] * (width - 1), y = row[1] * (height - 1);
	const double low = row[2] + std::min(x, 0.0) + std::min(y, 0.0);
	const double high = row[2] + std::max(x, 0.0) + std::max(y, 0.0);

	*first = std::clamp(static_cast<int>(std::floor(std::clamp(low, -1e6, 1e6))) - 2, 0,
			    limit - 1);
	*last = std::clamp(static_cast<int>(std::ceil(std::clamp(high, -1e6, 1e6))) + 2, 0,
			   limit - 1);
}

// Whole factors by which to average before interpolating.
void factors(const eg_affine *map, int *kx, int *ky)
{
	const double *m = map->m;
	double sx = std::fabs(m[0]), sy = std::fabs(m[4]);

	if (m[1] != 0 || m[3] != 0)
		sx = sy = std::min(std::hypot(m[0], m[3]), std::hypot(m[1], m[4]));
	*kx = std::clamp(static_cast<int>(sx + 0.01), 1, 64);
	*ky = std::clamp(static_cast<int>(sy + 0.01), 1, 64);
}

int sample(const eg_image *image, const eg_affine *map, eg_border border, eg_image *scratch,
	   eg_image *out)
{
	const cv::Mat whole = mat_of(image);
	cv::Mat to = mat_of(out), from = whole;
	eg_affine m = *map;
	int kx, ky;

	factors(map, &kx, &ky);
	if (kx > 1 || ky > 1) {
		int x0, x1, y0, y1, r;

		range(&map->m[0], out->width, out->height, image->width, &x0, &x1);
		range(&map->m[3], out->width, out->height, image->height, &y0, &y1);
		// blocks start at a multiple of the factor from the image's edge and are whole:
		// pixels short of a block at the far edge are left to the border
		x0 -= x0 % kx;
		y0 -= y0 % ky;
		const int width = std::max((x1 + 1 - x0) / kx, 1);
		const int height = std::max((y1 + 1 - y0) / ky, 1);
		const cv::Rect block(x0, y0, std::min(width * kx, image->width - x0),
				     std::min(height * ky, image->height - y0));

		r = eg_image_resize(scratch, width, height, image->channels);
		if (r != 0)
			return r;
		cv::Mat small = mat_of(scratch);
		cv::resize(whole(block), small, small.size(), 0, 0, cv::INTER_AREA);
		for (int i = 0; i < 3; i++) {
			m.m[i] /= kx;
			m.m[i + 3] /= ky;
		}
		m.m[2] += (0.5 - x0) / kx - 0.5;
		m.m[5] += (0.5 - y0) / ky - 0.5;
		from = small;
	}
	const cv::Mat matrix(2, 3, CV_64F, m.m);
	cv::warpAffine(from, to, matrix, to.size(), cv::INTER_LINEAR | cv::WARP_INVERSE_MAP,
		       border == EG_BORDER_EDGE ? cv::BORDER_REPLICATE : cv::BORDER_CONSTANT,
		       cv::Scalar::all(127));
	return 0;
}

} // namespace

extern "C" int eg_sample(const struct eg_image *image, const struct eg_affine *map,
			 enum eg_border border, struct eg_image *scratch, struct eg_image *out)
{
	if (image->width < 1 || image->height < 1 || image->channels != out->channels)
		return EG_EINVAL;
	for (const double value : map->m)
		if (!std::isfinite(value))
			return EG_EINVAL;
	try {
		return sample(image, map, border, scratch, out);
	} catch (const std::bad_alloc &) {
		return EG_ENOMEM;
	} catch (...) {
		return EG_EFOREIGN;
	}
}

extern "C" int eg_sample_blur(struct eg_image *image, struct eg_box box)
{
	const float x0 = std::clamp(box.x, 0.0f, static_cast<float>(image->width));
	const float y0 = std::clamp(box.y, 0.0f, static_cast<float>(image->height));
	const float x1 = std::clamp(box.x + box.width, 0.0f, static_cast<float>(image->width));
	const float y1 = std::clamp(box.y + box.height, 0.0f, static_cast<float>(image->height));
	const int x = static_cast<int>(x0), y = static_cast<int>(y0);
	const int width = static_cast<int>(std::ceil(x1)) - x;
	const int height = static_cast<int>(std::ceil(y1)) - y;

	if (width < 1 || height < 1)
		return 0;
	try {
		cv::Mat part = mat_of(image)(cv::Rect(x, y, width, height));
		const float smaller = std::max(std::min(box.width, box.height), 1.0f);
		uint8_t cells[4 * 4 * 3];
		const auto cells_in = [smaller](int length) {
			return std::clamp(
				static_cast<int>(2 * static_cast<float>(length) / smaller), 1, 4);
		};
		const int cx = cells_in(width), cy = cells_in(height);
		cv::Mat small(cy, cx, CV_8UC(image->channels), cells);

		// Two averages across the face, and a smooth surface through them: cheap, and not
		// to be undone. With six, and even with three, the detector still finds faces.
		cv::resize(part, small, small.size(), 0, 0, cv::INTER_AREA);
		cv::resize(small, part, part.size(), 0, 0, cv::INTER_LINEAR);
		return 0;
	} catch (const std::bad_alloc &) {
		return EG_ENOMEM;
	} catch (...) {
		return EG_EFOREIGN;
	}
}
