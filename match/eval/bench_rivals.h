// SPDX-License-Identifier: Apache-2.0
//
// Others' libraries behind C functions, for eg-bench only: no program of the booth links them.

#ifndef EG_BENCH_RIVALS_H
#define EG_BENCH_RIVALS_H

#include <stddef.h>

// FAISS IndexFlatIP over `count` rows of `size` floats, which are copied. NULL: it failed.
struct bench_faiss;
struct bench_faiss *bench_faiss_new(const float *rows, size_t count, size_t size);
void bench_faiss_free(struct bench_faiss *faiss); // takes NULL
// The two best rows for a probe, as identify looks for. 0, or −1.
int bench_faiss_search(struct bench_faiss *faiss, const float *probe, long long ret_rows[2]);

// One network on OpenCV's DNN, one thread. `outputs`: names to be computed, `count` of them, at
// most
// 4. NULL: it does not load.
struct bench_dnn;
struct bench_dnn *eg_bench_dnn_new(const char *onnx_path, const char *const *outputs, size_t count);
void eg_bench_dnn_free(struct bench_dnn *dnn); // takes NULL
// Runs it on `input` (channels × height × width, read only); 0, or −1. The outputs' numbers, one
// output behind the other, are compared with `expected`: *ret_off is the largest difference, as a
// part of the largest expected number of that output.
int eg_bench_dnn_run(struct bench_dnn *dnn, const float *input, int channels, int height,
		     int width);
int eg_bench_dnn_off(struct bench_dnn *dnn, const float *const *expected, const size_t *counts,
		     double *ret_off);

#endif
