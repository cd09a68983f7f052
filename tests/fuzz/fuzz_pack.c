// SPDX-License-Identifier: Apache-2.0
// links: eg_capture
//
// pack.json from strangers: parsed whole or refused with a sentence; nothing half-written.

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "capture/pack_spec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct eg_pack_spec spec;
	struct eg_err err = EG_ERR_INIT;
	int r;

	memset(&spec, 0, sizeof(spec));
	r = eg_pack_spec_parse(EG_BYTES(data, size), &spec, &err);
	if (r != 0) {
		assert(err.code == r && err.text[0] != '\0' && spec.name[0] == '\0');
		return 0;
	}
	assert(spec.name[0] && spec.version[0] && spec.licence[0] && spec.source[0]);
	for (size_t i = 0; i < EG_MODEL_COUNT; i++) {
		const struct eg_model_spec *m = &spec.model[i];

		if (!m->present)
			continue;
		assert(m->file[0] && m->file[0] != '.' && !strchr(m->file, '/'));
		assert(m->input.width >= 1 && m->input.width <= EG_PACK_INPUT_SIDE_MAX);
		assert(m->input.height >= 1 && m->input.height <= EG_PACK_INPUT_SIDE_MAX);
		assert(m->input.channels == 1 || m->input.channels == 3);
		assert(m->output_count >= 1 && m->output_count <= EG_PACK_OUTPUTS_MAX);
	}
	for (size_t i = 1; i < spec.point_count; i++)
		assert(spec.point[i].fmr < spec.point[i - 1].fmr &&
		       spec.point[i].score > spec.point[i - 1].score);
	return 0;
}
