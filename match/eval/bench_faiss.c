// SPDX-License-Identifier: Apache-2.0
//
// FAISS through its C interface.

#include <faiss/c_api/IndexFlat_c.h>
#include <faiss/c_api/Index_c.h>

#include "firmware/base/mem.h"
#include "match/eval/bench_rivals.h"

#include <stdlib.h>

struct bench_faiss {
	FaissIndexFlatIP *index;
};

struct bench_faiss *bench_faiss_new(const float *rows, size_t count, size_t size)
{
	struct bench_faiss *f = eg_calloc(1, sizeof(*f));

	if (f && faiss_IndexFlatIP_new_with(&f->index, (idx_t)size) == 0 &&
	    faiss_Index_add(f->index, (idx_t)count, rows) == 0)
		return f;
	bench_faiss_free(f);
	return NULL;
}

void bench_faiss_free(struct bench_faiss *f)
{
	if (!f)
		return;
	if (f->index)
		faiss_Index_free(f->index);
	free(f);
}

int bench_faiss_search(struct bench_faiss *f, const float *probe, long long ret_rows[2])
{
	float scores[2];
	idx_t labels[2];

	if (faiss_Index_search(f->index, 1, probe, 2, scores, labels) != 0)
		return -1;
	ret_rows[0] = labels[0];
	ret_rows[1] = labels[1];
	return 0;
}
