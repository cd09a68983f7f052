// SPDX-License-Identifier: Apache-2.0
//
// OpenCV's DNN behind C functions; no exception leaves.

extern "C" {
#include "match/eval/bench_rivals.h"
}

#include <algorithm>
#include <cmath>
#include <new>

#include <opencv2/dnn.hpp>

struct bench_dnn {
	cv::dnn::Net net;
	std::vector<cv::String> names;
	std::vector<cv::Mat> outputs;
};

extern "C" struct bench_dnn *eg_bench_dnn_new(const char *onnx_path, const char *const *outputs,
					      size_t count)
{
	struct bench_dnn *d = new (std::nothrow) bench_dnn;

	if (!d)
		return nullptr;
	try {
		cv::setNumThreads(1);
		d->net = cv::dnn::readNetFromONNX(onnx_path);
		d->net.setPreferableBackend(cv::dnn::DNN_BACKEND_OPENCV);
		d->net.setPreferableTarget(cv::dnn::DNN_TARGET_CPU);
		for (size_t i = 0; i < count; i++)
			d->names.emplace_back(outputs[i]);
		return d;
	} catch (...) {
		delete d;
		return nullptr;
	}
}

extern "C" void eg_bench_dnn_free(struct bench_dnn *d)
{
	delete d;
}

extern "C" int eg_bench_dnn_run(struct bench_dnn *d, const float *input, int channels, int height,
				int width)
{
	try {
		const int sizes[4] = {1, channels, height, width};

		d->net.setInput(cv::Mat(4, sizes, CV_32F, const_cast<float *>(input)));
		d->net.forward(d->outputs, d->names);
		return 0;
	} catch (...) {
		return -1;
	}
}

extern "C" int eg_bench_dnn_off(struct bench_dnn *d, const float *const *expected,
				const size_t *counts, double *ret_off)
{
	double off = 0;

	if (d->outputs.size() != d->names.size())
		return -1;
	for (size_t i = 0; i < d->outputs.size(); i++) {
		const float *have = d->outputs[i].ptr<float>();
		double largest = 1e-9, most = 0;

		if (d->outputs[i].total() != counts[i])
			return -1;
		for (size_t k = 0; k < counts[i]; k++) {
			const double want = static_cast<double>(expected[i][k]);

			largest = std::max(largest, std::fabs(want));
			most = std::max(most, std::fabs(static_cast<double>(have[k]) - want));
		}
		off = std::max(off, most / largest);
	}
	*ret_off = off;
	return 0;
}
